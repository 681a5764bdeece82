/*
 * scripts.c - commands for scripts and the prompt itself: help, source, set, unset, echo, sleep, history, quit
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/stop.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/look.h"
#include "sandbox/named.h"

static int run_help(struct shell *sh, const struct args *args, struct err *err)
{
	const char *name = arg_text(args, "COMMAND");

	if (!name) {
		help_all(sh->out);
		return 0;
	}
	const struct command *c = command_find(name, sh->interactive, err);
	if (!c) {
		err->column = arg(args, "COMMAND")->word->column;
		return -1;
	}
	help_command(c, sh->out);
	return 0;
}

static int run_source(struct shell *sh, const struct args *args, struct err *err)
{
	const char *path = arg_text(args, "FILE");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "can't open %.200s", path);
	if (named_release(sh->session, err) < 0)
		return -1;
	int status = shell_script(sh, path, fd);
	if (status == 0)
		return 0;
	/* Its error has been shown, with its own file and line. */
	err_set(err, 0, "%s", "");
	err->status = status;
	return -1;
}

/* -x and +x, -k and +k, as in sh. NULL when NAME is no switch. */
static bool *switch_of(struct shell *sh, const char *name)
{
	if ((name[0] != '-' && name[0] != '+') || !name[1] || name[2])
		return NULL;
	return name[1] == 'x' ? &sh->echo : name[1] == 'k' ? &sh->go_on : NULL;
}

static void list_vars(struct shell *sh)
{
	struct json j = { .out = sh->out };

	if (sh->json)
		json_open(&j, '{');
	for (size_t i = 0; i < sh->n_vars; i++) {
		const char *equals = strchr(sh->vars[i], '=');
		_cleanup_free_ char *name = xstrndup(sh->vars[i], (size_t)(equals - sh->vars[i]));
		_cleanup_buf_ struct buf value = { 0 };
		if (sh->json) {
			json_key(&j, name);
			json_str(&j, equals + 1);
			continue;
		}
		buf_quote(&value, equals + 1);
		fprintf(sh->out, "set %s %s\n", name, buf_text(&value));
	}
	if (sh->json)
		json_close(&j, '}');
}

static int run_set(struct shell *sh, const struct args *args, struct err *err)
{
	const char *name = arg_text(args, "NAME"), *value = arg_text(args, "VALUE");

	if (!name) {
		list_vars(sh);
		return 0;
	}
	bool *flag = switch_of(sh, name);
	if (flag) {
		if (value)
			return err_usage(err, "%s takes no value", name);
		*flag = name[0] == '-';
		return 0;
	}
	if (value)
		return shell_set(sh, name, value, err);
	value = shell_var(sh, name);
	if (!value)
		return err_set(err, 0, "%.100s is not set", name);
	fprintf(sh->out, "%s\n", value);
	return 0;
}

static int run_unset(struct shell *sh, const struct args *args, struct err *err)
{
	for (const struct value *v = arg_next(args, "NAME", NULL); v; v = arg_next(args, "NAME", v))
		if (shell_set(sh, v->text, NULL, err) < 0)
			return -1;
	return 0;
}

static int run_echo(struct shell *sh, const struct args *args, struct err *err)
{
	(void)err;
	for (size_t i = 1; i < args->n_words; i++) {
		if (i > 1)
			putc_unlocked(' ', sh->out);
		fputs_unlocked(args->words[i].text, sh->out);
	}
	putc_unlocked('\n', sh->out);
	return 0;
}

static int run_sleep(struct shell *sh, const struct args *args, struct err *err)
{
	int64_t ns = arg_num(args, "TIME", 0);
	struct timespec left = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	if (sh->session->gate.dry)
		return 0;
	if (named_release(sh->session, err) < 0)
		return -1;
	shell_flush(sh);
	stop_interrupted();
	while (nanosleep(&left, &left) < 0) {
		if (errno != EINTR)
			return err_set(err, errno, "can't sleep");
		if (stop_interrupted() || stop_asked())
			return err_set(err, EINTR, "interrupted");
	}
	return 0;
}

static int run_history(struct shell *sh, const struct args *args, struct err *err)
{
	if (!sh->list_history)
		return err_set(err, 0, "there is no prompt");
	sh->list_history(sh->out, arg_num(args, "LAST", 0));
	return 0;
}

const char *shell_runs(const struct shell *sh)
{
	const struct session *s = sh->session;

	for (size_t i = 0; i < s->n_sandboxes && !s->name; i++)
		if (look_running(s->sandboxes[i], NULL) == 1)
			return s->sandboxes[i]->name;
	return NULL;
}

static int run_quit(struct shell *sh, const struct args *args, struct err *err)
{
	const char *name = sh->interactive && !arg_has(args, "force") ? shell_runs(sh) : NULL;

	if (name) {
		err_set(err, 0, "a program still runs in %s, and would end", name);
		return err_try(err, "quit force, or keep NAME so that the session lasts");
	}
	sh->leave = true;
	return 0;
}

const struct command cmd_scripts[] = {
	{
		.name = "help",
		.group = "scripts",
		.brief = "explain a command, or list all",
		.grammar = "[COMMAND:name]",
		.text = "Lists all commands by group, or says what one command does, with its grammar and examples.",
		.examples = "help\nhelp echo",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_help,
	},
	{
		.name = "source",
		.group = "scripts",
		.brief = "run the commands of a file",
		.grammar = "FILE:path",
		.text = "Runs the commands of *FILE* in this session, as if they had been typed here: variables and the current sandbox stay as the "
			"file leaves them. It stops at the first error, which is shown with the file's own name and line. Commands done before "
			"it stay done.\n\nFiles may source others, 32 deep.",
		.examples = "!echo 'echo from a file' > source-example.bell\nsource source-example.bell\n!rm source-example.bell",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO | CMD_NESTS,
		.run = run_source,
	},
	{
		.name = "set",
		.group = "scripts",
		.brief = "set, show or list variables and switches",
		.grammar = "[NAME [VALUE]]",
		.text = "Sets the session variable *NAME*, which later commands read as `$NAME` or `${NAME}`; without *VALUE* shows it, without "
			"anything lists all. A session variable hides one of the environment with the same name, and is not given to programs "
			"(see `env` for that).\n\n"
			"As in sh, `set -x` echoes each command on standard error before it is done, `set -k` goes on after errors, and `set +x` "
			"and `set +k` end that.",
		.examples = "set subnet 10.0.0\necho $subnet.1 ${subnet}.2\nset subnet   # shows it\nset          # lists all",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_set,
	},
	{
		.name = "unset",
		.group = "scripts",
		.brief = "forget variables",
		.grammar = "NAME...",
		.text = "Forgets session variables. Those of the environment show again.",
		.examples = "set subnet 10.0.0\nunset subnet",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_unset,
	},
	{
		.name = "echo",
		.group = "scripts",
		.brief = "print words",
		.grammar = "[TEXT...]",
		.text = "Prints its words with one space between them, and a newline.",
		.examples = "echo the lab is ready\necho \"home is $HOME\"",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_echo,
	},
	{
		.name = "sleep",
		.group = "scripts",
		.brief = "wait a while",
		.grammar = "TIME:time",
		.text = "Waits. Ctrl-C ends the wait at the prompt. A dry run does not wait.",
		.examples = "sleep 100ms",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_sleep,
	},
	{
		.name = "history",
		.group = "scripts",
		.brief = "list what was typed at the prompt",
		.grammar = "[LAST:number]",
		.text = "Lists the lines of the prompt's history, or only the last ones. They are kept in a file (see FILES in `man belljar`); a line that "
			"begins with a space is not.",
		.flags = CMD_OUTSIDE | CMD_PROMPT | CMD_NO_UNDO,
		.run = run_history,
	},
	{
		.name = "quit",
		.group = "scripts",
		.brief = "leave belljar",
		.grammar = "[force]",
		.text = "Ends the script or the prompt. The sandboxes of an unnamed session end with it, and all they left goes; a named session lasts. "
			"At the prompt belljar does not leave while a program still runs in an unnamed session, unless `force` is said.",
		.examples = "quit",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_quit,
	},
	{ .name = NULL },
};
