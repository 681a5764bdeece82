/*
 * prompt.c - the prompt: readline, history, completion (the only file that knows readline)
 *
 * How it waits: readline is used through its callback interface, so that the wait is our own: ppoll on standard input, with the signals
 * let through only there. A signal is therefore seen either before the wait or ends it, and nothing is ever done in a handler. Between a
 * line and its command readline has given the terminal back to its usual modes.
 *
 * It keeps its state in static variables, because readline's callbacks carry no argument.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <readline/history.h>
#include <readline/readline.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/stop.h"
#include "cmd/shell.h"
#include "ui/prompt.h"

enum { HISTORY_LINES = 5000 };

static struct {
	struct shell *sh;
	struct lexer *lexer;
	struct buf typed;      /* the lines of the command that is being typed */
	char *history;         /* the file's path, or NULL */
	char **candidates;     /* of completion */
	size_t n_candidates;
	bool done;             /* Ctrl-D was typed */
	bool asking;           /* whether to leave */
	bool installed;        /* readline waits for a line */
} prompt;

static volatile sig_atomic_t resized;

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

/* History. */

/* The user's home, unless it belongs to somebody else: under sudo it may, and then root must not write there. */
static char *own_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;
	struct stat st;

	if (home && *home == '/' && stat(home, &st) == 0 && st.st_uid == geteuid())
		return xstrdup(home);
	pw = getpwuid(geteuid());
	return pw ? xstrdup(pw->pw_dir) : NULL;
}

/* Make the directories above PATH that are missing, readable by their owner only. */
static void make_parents(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0700);
		*slash = '/';
	}
}

static char *history_path(void)
{
	const char *named = getenv("BELLJAR_HISTFILE"), *state = getenv("XDG_STATE_HOME");
	struct stat st;

	if (named)
		return *named && !streq(named, "/dev/null") ? xstrdup(named) : NULL;
	if (state && *state == '/' && (stat(state, &st) < 0 || st.st_uid == geteuid()))
		return xasprintf("%s/belljar/history", state);
	_cleanup_free_ char *home = own_home();
	return home ? xasprintf("%s/.local/state/belljar/history", home) : NULL;
}

static void open_history(void)
{
	using_history();
	/* Commands of several lines are told apart by the time stamps between them. */
	history_comment_char = '#';
	history_write_timestamps = 1;
	stifle_history(HISTORY_LINES);
	prompt.history = history_path();
	if (!prompt.history)
		return;
	make_parents(prompt.history);
	_cleanup_close_ int fd = open(prompt.history, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		free(prompt.history);
		prompt.history = NULL;
		return;
	}
	if (st.st_mode & 077)
		fchmod(fd, 0600);
	read_history(prompt.history);
	history_truncate_file(prompt.history, HISTORY_LINES);
}

/* Remember a whole command. Not one that begins with a space, nor the same twice in a row. */
static void keep(const char *text)
{
	_cleanup_free_ char *line = xstrdup(text);
	size_t n = strlen(line);

	while (n && (line[n - 1] == '\n' || line[n - 1] == ' '))
		line[--n] = '\0';
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
	if (n == 0 || line[0] == ' ' || (last && streq(last->line, line)))
		return;
	add_history(line);
	if (prompt.history)
		append_history(1, prompt.history);
}

static void list_history(FILE *out, int64_t last)
{
	int from = last > 0 && last < history_length ? history_length - (int)last : 0;

	for (int i = from; i < history_length; i++) {
		_cleanup_buf_ struct buf b = { 0 };
		buf_visible(&b, history_get(history_base + i)->line);
		fprintf(out, "%5d  %s\n", history_base + i, buf_text(&b));
	}
}

/* Completion. */

static const char *look_up(void *arg, const char *name)
{
	return shell_var(arg, name);
}

static void add_candidate(void *arg, const char *text)
{
	struct buf b = { 0 };
	(void)arg;

	buf_quote(&b, text);
	/* Quotes that only @ and % would need are in the way of completing further. */
	*GROW(&prompt.candidates, &prompt.n_candidates) = *text == '@' ? xstrdup(text) : xstrdup(buf_text(&b));
	buf_free(&b);
}

static void forget_candidates(void)
{
	for (size_t i = 0; i < prompt.n_candidates; i++)
		free(prompt.candidates[i]);
	free(prompt.candidates);
	prompt.candidates = NULL;
	prompt.n_candidates = 0;
}

static size_t common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* What readline wants: first what all have in common, then each; NULL when there is none. All of it is freed by readline. */
static char **matches(void)
{
	size_t n = prompt.n_candidates, shared;
	char **list = xcalloc(n + 2, sizeof *list);

	if (n == 0) {
		free(list);
		return NULL;
	}
	shared = strlen(prompt.candidates[0]);
	for (size_t i = 1; i < n; i++) {
		size_t same = common(prompt.candidates[0], prompt.candidates[i]);
		shared = same < shared ? same : shared;
	}
	list[0] = xstrndup(prompt.candidates[0], shared);
	for (size_t i = 0; i < n && n > 1; i++)
		list[i + 1] = xstrdup(prompt.candidates[i]);
	return list;
}

static char **complete(const char *text, int start, int end)
{
	struct line line;
	_cleanup_buf_ struct buf all = { 0 };
	(void)start;

	buf_str(&all, buf_text(&prompt.typed));
	buf_bytes(&all, rl_line_buffer, (size_t)end);
	forget_candidates();
	bool ours = lex_partial(look_up, prompt.sh, buf_text(&all), all.len, &line) && line.n;
	if (ours)
		shell_complete(prompt.sh, line.words, line.n, add_candidate, NULL);
	/* In a host command and after > readline's own completion of file names is right. */
	rl_attempted_completion_over = ours;
	line_free(&line);
	/* A candidate that does not begin with what readline thinks is the word would replace something else. */
	size_t kept = 0;
	for (size_t i = 0; i < prompt.n_candidates; i++) {
		if (starts_with(prompt.candidates[i], text))
			prompt.candidates[kept++] = prompt.candidates[i];
		else
			free(prompt.candidates[i]);
	}
	prompt.n_candidates = kept;
	size_t n = kept == 1 ? strlen(prompt.candidates[0]) : 0;
	rl_completion_suppress_append = n && strchr("/:=", prompt.candidates[0][n - 1]) != NULL;
	return matches();
}

/* The prompt's text. */

static char *text_of_prompt(void)
{
	const struct sandbox *sb = prompt.sh->session->current;
	const char *name = sb ? sb->name : "belljar", *end = geteuid() == 0 ? "#" : ">";

	if (prompt.asking)
		return xasprintf("a program still runs in %s and would end: leave? (y/n) ", shell_runs(prompt.sh));
	if (lex_inside(prompt.lexer))
		return xstrdup("...> ");
	if (!prompt.sh->colour)
		return xasprintf("%s%s ", name, end);
	/* \001 and \002 tell readline what takes no room on the screen. */
	return xasprintf("\001\033[1;%dm\002%s\001\033[0m\002%s ", sb ? 32 : 36, name, end);
}

static void on_line(char *text);

static void install(void)
{
	_cleanup_free_ char *text = text_of_prompt();

	rl_callback_handler_install(text, on_line);
	prompt.installed = true;
}

static void uninstall(void)
{
	if (prompt.installed)
		rl_callback_handler_remove();
	prompt.installed = false;
}

/* Running. */

/* Have all commands done that have been typed. */
static void run_typed(void)
{
	struct shell *sh = prompt.sh;
	struct line line;
	struct err err;
	enum lex_result got;

	while (!sh->leave && !stop_asked() && (got = lex_next(prompt.lexer, &line, &err)) != LEX_MORE && got != LEX_END) {
		int status = got == LEX_LINE ? shell_line(sh, &line, &err) : err.status;
		if (status != 0)
			shell_error(sh, NULL, &line, &err);
		shell_flush(sh);
		line_free(&line);
		if (status != 0 || stop_interrupted()) {
			/* What stands behind a failed command on the same line was meant to follow its success. */
			lex_reset(prompt.lexer);
			return;
		}
	}
}

static void leave_or_ask(void)
{
	if (shell_runs(prompt.sh) && !prompt.asking) {
		prompt.asking = true;
		return;
	}
	prompt.done = true;
}

static void on_line(char *text)
{
	uninstall();
	if (prompt.asking) {
		prompt.done = !text || text[0] == 'y' || text[0] == 'Y';
		prompt.asking = false;
		if (!text)
			fputc('\n', stdout);
	} else if (!text && lex_inside(prompt.lexer)) {
		fputc('\n', stdout);
		lex_reset(prompt.lexer);
		buf_clear(&prompt.typed);
	} else if (!text) {
		fputs("\n", stdout);
		leave_or_ask();
	} else {
		buf_str(&prompt.typed, text);
		buf_char(&prompt.typed, '\n');
		lex_feed(prompt.lexer, text, strlen(text), false);
		lex_feed(prompt.lexer, "\n", 1, false);
		run_typed();
		if (!lex_inside(prompt.lexer)) {
			keep(buf_text(&prompt.typed));
			buf_clear(&prompt.typed);
		}
	}
	free(text);
	fflush(stdout);
	/* A Ctrl-C that was meant for the command. */
	stop_interrupted();
}

/* Ctrl-C: the line is dropped, what was typed stays on the screen. */
static void drop_line(void)
{
	rl_callback_sigcleanup();
	rl_free_line_state();
	uninstall();
	lex_reset(prompt.lexer);
	buf_clear(&prompt.typed);
	prompt.asking = false;
	fputs("^C\n", stdout);
	fflush(stdout);
}

/* Wait for input or a signal. UNBLOCKED is the signal mask while waiting. Whether there is input. */
static bool wait_input(const sigset_t *unblocked)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	bool interrupted = stop_interrupted();
	int n = 0;

	if (!resized && !interrupted)
		n = ppoll(&in, 1, NULL, unblocked);
	if (resized) {
		resized = 0;
		rl_resize_terminal();
	}
	if (stop_interrupted() || interrupted) {
		drop_line();
		return false;
	}
	return n > 0;
}

static void say_gone(void *arg, const char *text)
{
	_cleanup_buf_ struct buf b = { 0 };
	(void)arg;

	buf_visible(&b, text);
	printf("%s\n", buf_text(&b));
}

static void loop(void)
{
	sigset_t signals, before;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGWINCH);
	while (!prompt.done && !prompt.sh->leave) {
		session_check(prompt.sh->session, say_gone, NULL);
		sigprocmask(SIG_BLOCK, &signals, &before);
		if (!prompt.installed)
			install();
		bool input = false;
		while (prompt.installed && !stop_asked() && !(input = wait_input(&before)))
			;
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (stop_asked())
			break;
		if (input)
			rl_callback_read_char();
	}
	uninstall();
}

static void set_up_terminal(void)
{
	/* Started in the background: stop until the shell brings us to the front. */
	while (tcgetpgrp(STDIN_FILENO) >= 0 && tcgetpgrp(STDIN_FILENO) != getpgrp())
		kill(-getpgrp(), SIGTTIN);
	static const int ignored[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGQUIT };
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	struct sigaction resize = { .sa_handler = on_resize };
	sigemptyset(&resize.sa_mask);
	sigaction(SIGWINCH, &resize, NULL);
	stop_watch(true);
}

static void set_up_readline(void)
{
	rl_readline_name = "belljar";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_attempted_completion_function = complete;
	rl_basic_word_break_characters = " \t\n;|>";
	rl_completer_word_break_characters = " \t\n;|>";
	rl_completer_quote_characters = "'\"";
	rl_filename_quote_characters = "";
	rl_initialize();
}

int prompt_run(struct shell *sh)
{
	/* The language of messages stays; only what a character is comes from the environment. */
	setlocale(LC_CTYPE, "");
	prompt.sh = sh;
	prompt.lexer = lex_new(look_up, sh);
	sh->interactive = true;
	sh->list_history = list_history;
	set_up_terminal();
	set_up_readline();
	open_history();
	printf("%s: \"help\" lists the commands, \"quit\" or Ctrl-D leaves\n", PACKAGE_STRING);
	loop();
	stop_watch(false);
	sh->interactive = false;
	sh->list_history = NULL;
	forget_candidates();
	buf_free(&prompt.typed);
	lex_free(prompt.lexer);
	free(prompt.history);
	return stop_asked() ? EXIT_SIGNAL + stop_asked() : 0;
}
