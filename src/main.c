/*
 * main.c - options, front end, exit status
 *
 * Whatever the front end, commands go through shell_line(). What belljar was given by its caller is put in order first: descriptors,
 * signals, privileges.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/module.h"
#include "base/stop.h"
#include "cmd/shell.h"
#include "sandbox/store.h"
#include "ui/man.h"
#include "ui/options.h"
#include "ui/prompt.h"

enum { OUTPUT_ROOM = 1 << 16 };

/* 0 to 2 are open, so that nothing of ours is ever taken for standard output; one that was closed gets a descriptor that can't be
 * used, so that using it is an error and not silently nothing. All others close on exec. */
static void order_descriptors(void)
{
	static const int useless[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", useless[fd]) < 0)
			_exit(EXIT_FAILED);
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
}

static int refuse_setuid(struct err *err)
{
	if (getuid() == geteuid() && getgid() == getegid() && !getauxval(AT_SECURE))
		return 0;
	err_set(err, 0, "belljar must not be set-user-ID, set-group-ID or have file capabilities");
	return err_try(err, "chmod u-s,g-s on its file, and sudo belljar");
}

static bool want_colour(const char *when)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (!streq(when, "auto"))
		return streq(when, "always");
	return !(no && *no) && term && !streq(term, "dumb") && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

static void print_word(void *arg, const char *text)
{
	_cleanup_buf_ struct buf shown = { 0 };

	/* The names of links inside are anything: those that would drive the terminal are no words for it. */
	buf_visible(&shown, text);
	if (streq(buf_text(&shown), text))
		fprintf(arg, "%s\n", text);
}

/* Names of sessions that begin with PREFIX. Returns whether NAME is one. */
static bool list_sessions(const char *prefix, const char *name)
{
	struct store_entry *sessions = NULL;
	bool found = false;
	size_t n = 0;

	if (store_list(&sessions, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (prefix && starts_with(sessions[i].name, prefix))
			puts(sessions[i].name);
		found = found || (name && streq(sessions[i].name, name));
	}
	store_free_list(sessions, n);
	return found;
}

/* belljar --complete WORDS...: the words may begin with options of belljar's own. Completing makes nothing, so only a session that is
 * there is opened. */
static void complete(struct shell *sh, const struct options *o)
{
	size_t at = 0;

	while (at + 1 < o->n_words && o->words[at][0] == '-') {
		const char *word = o->words[at++];
		bool session = streq(word, "-s") || streq(word, "--session");
		if (session && at + 1 == o->n_words) {
			list_sessions(o->words[at], NULL);
			return;
		}
		if (session && list_sessions(NULL, o->words[at]))
			session_open(sh->session, o->words[at], NULL);
		at += session || streq(word, "-c") || streq(word, "-f");
	}
	if (at >= o->n_words)
		return;
	if (o->words[at][0] == '-') {
		options_complete(o->words[at], print_word, stdout);
		return;
	}
	struct line line;
	line_from_argv(&line, o->words + at, o->n_words - at);
	shell_complete(sh, line.words, line.n, print_word, stdout);
	line_free(&line);
}

static int run_file(struct shell *sh, const char *path, struct err *err)
{
	if (streq(path, "-")) {
		sh->script_is_stdin = true;
		return shell_script(sh, "standard input", STDIN_FILENO);
	}
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_set(err, errno, "can't open %.200s", path);
		shell_error(sh, NULL, NULL, err);
		return EXIT_FAILED;
	}
	return shell_script(sh, path, fd);
}

static int run_actions(struct shell *sh, const struct options *o, struct err *err)
{
	int first = 0;

	for (size_t i = 0; i < o->n_actions && !sh->leave && (first == 0 || sh->go_on); i++) {
		const struct action *a = &o->actions[i];
		int status = a->file ? run_file(sh, a->what, err) : shell_commands(sh, NULL, a->what);
		if (first == 0)
			first = status;
	}
	return first;
}

static int run_prompt(struct shell *sh, struct err *err)
{
	prompt_run_fn *prompt = (prompt_run_fn *)module_symbol("prompt", "prompt_run", err);

	if (!prompt) {
		shell_error(sh, NULL, NULL, err);
		return EXIT_FAILED;
	}
	return prompt(sh);
}

static int run(struct shell *sh, const struct options *o, struct err *err)
{
	if (o->n_words)
		return shell_argv(sh, o->words, o->n_words);
	if (o->n_actions)
		return run_actions(sh, o, err);
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return run_prompt(sh, err);
	return run_file(sh, "-", err);
}

/* Show the error, and its exit status when nothing failed before. */
static int also_failed(struct shell *sh, int status, struct err *err)
{
	shell_error(sh, NULL, NULL, err);
	return status ? status : err->status;
}

static int with_session(struct shell *sh, const struct options *o, struct err *err)
{
	int status = EXIT_FAILED;

	stop_watch(false);
	sh->session = session_new();
	sh->session->gate.dry = o->dry;
	sh->session->gate.explain = o->explain;
	if (o->session && session_open(sh->session, o->session, err) < 0)
		shell_error(sh, NULL, NULL, err);
	else if (o->mode == MODE_COMPLETE)
		complete(sh, o), status = 0;
	else
		status = run(sh, o, err);
	sh->interactive = false;
	if (session_leave(sh->session, err) < 0)
		status = also_failed(sh, status, err);
	return status;
}

static void shell_free(struct shell *sh)
{
	for (size_t i = 0; i < sh->n_vars; i++)
		free(sh->vars[i]);
	free(sh->vars);
	for (size_t i = 0; i < sh->n_undo; i++)
		free(sh->undo[i].source);
	free(sh->undo);
	free(sh->last_error);
	free(sh->last_failed);
}

static int start(struct shell *sh, int argc, char **argv, struct options *o)
{
	struct err err = { 0 };

	if (refuse_setuid(&err) < 0 || options_parse(argc, argv, o, &err) < 0)
		return also_failed(sh, 0, &err);
	sh->colour = want_colour(o->colour);
	sh->json = o->json;
	sh->go_on = o->go_on;
	sh->echo = o->echo;
	command_register(cmd_families, cmd_types);
	switch (o->mode) {
	case MODE_HELP:
		options_help(stdout);
		return 0;
	case MODE_VERSION:
		puts(PACKAGE_STRING);
		return 0;
	case MODE_MAN:
		man_print(stdout);
		return 0;
	default:
		return with_session(sh, o, &err);
	}
}

int main(int argc, char **argv)
{
	static char room[OUTPUT_ROOM];
	struct shell sh = { .out = stdout };
	struct options o = { 0 };
	struct err err = { 0 };

	order_descriptors();
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, room, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof room);
	int status = start(&sh, argc, argv, &o);
	bool told = sh.write_error;
	shell_flush(&sh);
	if (!told && shell_output(&sh, &err) < 0)
		status = also_failed(&sh, status, &err);
	options_free(&o);
	shell_free(&sh);
	return status;
}
