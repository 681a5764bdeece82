/*
 * shell.c - having commands done
 *
 * How one command is done (shell_line): its output's target is opened; @NAME makes another sandbox the current one for the moment;
 * the row is looked up, its arguments are matched and `run` is called between two marks of the gate's journal. On failure everything
 * after the first mark is taken back, on success the stretch between them is remembered for `undo`. Output is buffered over many
 * commands; it is flushed before anything else can write or wait: errors, echo, programs, host commands, reading more of a script.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/outside.h"
#include "cmd/shell.h"
#include "sandbox/named.h"
#include "sandbox/why.h"

enum { UNDO_KEPT = 100 };

const char *shell_var(struct shell *sh, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < sh->n_vars; i++)
		if (strncmp(sh->vars[i], name, n) == 0 && sh->vars[i][n] == '=')
			return sh->vars[i] + n + 1;
	return getenv(name);
}

static int check_name(const char *name, struct err *err)
{
	bool good = isalpha((unsigned char)*name) || *name == '_';

	for (const char *c = name; *c; c++)
		good = good && (isalnum((unsigned char)*c) || *c == '_');
	return good ? 0 : err_usage(err, "%.100s can't name a variable: letters, digits and underscore, not first a digit", name);
}

int shell_set(struct shell *sh, const char *name, const char *value, struct err *err)
{
	size_t n = strlen(name), i = 0;

	if (check_name(name, err) < 0)
		return -1;
	while (i < sh->n_vars && !(strncmp(sh->vars[i], name, n) == 0 && sh->vars[i][n] == '='))
		i++;
	if (value) {
		size_t room = strlen(value) + 1;
		char *text = xmalloc(n + 1 + room);
		memcpy(text, name, n);
		text[n] = '=';
		memcpy(text + n + 1, value, room);
		if (i == sh->n_vars)
			GROW(&sh->vars, &sh->n_vars);
		free(sh->vars[i]);
		sh->vars[i] = text;
	} else if (i < sh->n_vars) {
		free(sh->vars[i]);
		memmove(&sh->vars[i], &sh->vars[i + 1], (sh->n_vars - i - 1) * sizeof *sh->vars);
		sh->n_vars--;
	} else {
		return err_set(err, 0, "%.100s is not set", name);
	}
	return 0;
}

void shell_flush(struct shell *sh)
{
	errno = 0;
	if (fflush(sh->out) != 0 && !sh->out_elsewhere && !sh->write_error)
		sh->write_error = errno ? errno : EIO;
	if (sh->out != stdout && fflush(stdout) != 0 && !sh->write_error)
		sh->write_error = errno ? errno : EIO;
}

int shell_output(struct shell *sh, struct err *err)
{
	if (!sh->write_error && ferror(stdout))
		sh->write_error = errno ? errno : EIO;
	return sh->write_error ? err_set(err, sh->write_error, "standard output can't be written") : 0;
}

struct sandbox *shell_sandbox(struct shell *sh, struct err *err)
{
	return sandbox_current(sh->session, err);
}

/* What undo needs to know. */

static void forget_newest(struct shell *sh)
{
	free(sh->undo[--sh->n_undo].source);
	if (sh->undo_from > sh->n_undo)
		sh->undo_from = sh->n_undo;
}

/* Drop what is too old to be taken back. */
static void forget_oldest(struct shell *sh)
{
	size_t old = sh->undo_from, gone = sh->undo[old - 1].end;

	gate_forget(&sh->session->gate, 0, gone);
	for (size_t i = 0; i < old; i++)
		free(sh->undo[i].source);
	sh->n_undo -= old;
	sh->undo_from = 0;
	for (size_t i = 0; i < sh->n_undo; i++) {
		sh->undo[i] = sh->undo[i + old];
		sh->undo[i].mark -= gone;
		sh->undo[i].end -= gone;
	}
}

/* The journal's stretch from MARK to its end was made by this command. */
static void remember(struct shell *sh, const char *source, size_t mark)
{
	size_t end = gate_mark(&sh->session->gate);

	if (end <= mark)
		return;
	struct undo *u = GROW(&sh->undo, &sh->n_undo);
	*u = (struct undo){ .source = xstrdup(source), .mark = mark, .end = end };
	if (sh->n_undo - sh->undo_from > UNDO_KEPT)
		sh->undo_from++;
	/* Many at once: all that stays has to move. */
	if (sh->undo_from == UNDO_KEPT)
		forget_oldest(sh);
}

static void said_gone(void *arg, const char *text)
{
	struct shell *sh = arg;
	_cleanup_buf_ struct buf b = { 0 };

	shell_flush(sh);
	buf_str(&b, "belljar: ");
	buf_visible(&b, text);
	fprintf(stderr, "%s\n", buf_text(&b));
}

static void check(struct shell *sh)
{
	session_check(sh->session, said_gone, sh);
}

int shell_undo(struct shell *sh, char **source, struct err *err)
{
	struct gate *g = &sh->session->gate;

	*source = NULL;
	if (sh->n_undo == sh->undo_from)
		return err_set(err, 0, "nothing to take back");
	struct undo *u = &sh->undo[sh->n_undo - 1];
	if (gate_can_undo(g, u->mark, u->end, err) < 0)
		return err_wrap(err, "%.200s: ", u->source);
	*source = move_str(&u->source);
	int result = gate_rollback(g, u->mark, err);
	forget_newest(sh);
	check(sh);
	return result;
}

/* One command. */

/* What a program's exit status means for the command that ran it. */
static int program_failed(struct shell *sh, const struct args *args, const struct line *line, struct err *err)
{
	outside_failed(args->rest ? args->rest : line->source, sh->status, err);
	sh->by_program = true;
	/* An interactive shell that ends with its last command's status has nothing to tell at the prompt; and to who called
	 * belljar for one command its exit status tells it. */
	if (sh->one_command || (sh->interactive && args->n == 0))
		err->text[0] = err->why[0] = '\0';
	return -1;
}

/* Run it between two marks of the journal. */
static int run_marked(struct shell *sh, const struct command *c, const struct args *args, const struct line *line, struct err *err)
{
	struct gate *g = &sh->session->gate;
	size_t mark = gate_mark(g);

	if (c->flags & CMD_PROGRAM)
		shell_flush(sh);
	g->told = sh->out;
	int result = c->run(sh, args, err);
	g->told = NULL;
	if (c->flags & CMD_NESTS)
		return result;
	if (result < 0) {
		struct err back = { 0 };
		if (gate_rollback(g, mark, &back) < 0)
			err_why(err, "and what it had done before could not be taken back: %.500s", back.text);
		check(sh);
	} else if (c->flags & (CMD_NO_UNDO | CMD_PROGRAM)) {
		if (gate_mark(g) > mark)
			gate_forget(g, mark, gate_mark(g));
	} else {
		remember(sh, line->source, mark);
	}
	if (result == 0 && sh->status != 0)
		result = program_failed(sh, args, line, err);
	return result;
}

static int run_words(struct shell *sh, const struct word *words, size_t n, const struct line *line, bool elsewhere, struct err *err)
{
	struct args args = { 0 };
	const struct command *c = command_find(words[0].text, sh->interactive && !words[0].quoted, err);

	if (!c) {
		err->column = words[0].column;
		return -1;
	}
	if ((c->flags & CMD_PROMPT) && !sh->interactive)
		return err_usage(err, "only at the prompt");
	if ((c->flags & CMD_OUTSIDE) && elsewhere)
		return err_usage(err, "acts on the whole session, so @NAME before it means nothing");
	int result = args_parse(sh, c, words, n, line->source, &args, err);
	if (result == 0)
		result = run_marked(sh, c, &args, line, err);
	args_free(&args);
	if (result < 0)
		why_fill(err, c->name);
	return result;
}

/* Make SB the current sandbox again, if it still exists. */
static void restore_current(struct session *s, struct sandbox *sb)
{
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if (s->sandboxes[i] == sb)
			s->current = sb;
}

static int run_command(struct shell *sh, const struct line *line, struct err *err)
{
	struct session *s = sh->session;
	const struct word *first = &line->words[0];

	if (first->text[0] != '@' || first->quoted)
		return run_words(sh, line->words, line->n, line, false, err);
	struct sandbox *before = s->current, *sb = sandbox_find(s, first->text + 1, err);
	if (!sb) {
		err->column = first->column;
		return -1;
	}
	if (line->n == 1)
		return err_usage(err, "a command is missing after %s", first->text);
	s->current = sb;
	int result = run_words(sh, line->words + 1, line->n - 1, line, true, err);
	restore_current(s, before);
	return result;
}

static int run_host(struct shell *sh, const struct line *line, struct err *err)
{
	if (sh->session->gate.dry) {
		_cleanup_buf_ struct buf shown = { 0 };
		buf_visible(&shown, line->host);
		fprintf(sh->out, "run a command of the host\n    shell:  %s\n", buf_text(&shown));
		return 0;
	}
	int status = outside_run(sh, line->host, err);

	if (status <= 0)
		return status;
	sh->by_program = true;
	return outside_failed(line->host, status, err);
}

/* The command with its output where the line says. */
static int run_with_target(struct shell *sh, const struct line *line, struct err *err)
{
	struct target t;
	struct err late;
	FILE *before = sh->out;
	int status;

	if (target_open(sh, line, &t, err) < 0)
		return -1;
	int result = run_command(sh, line, err);
	if (target_close(sh, &t, before, &status, result < 0 ? &late : err) < 0)
		return -1;
	if (result < 0 || status == 0)
		return result;
	sh->by_program = true;
	return outside_failed(line->pipe, status, err);
}

static void keep_error(struct shell *sh, const struct line *line, const struct err *err)
{
	if (!err->text[0])
		return;
	if (!sh->last_error)
		sh->last_error = xcalloc(1, sizeof *sh->last_error);
	*sh->last_error = *err;
	free(sh->last_failed);
	sh->last_failed = xstrdup(line->source);
}

/* A named session belongs to one command at a time. */
static int run_in_session(struct shell *sh, const struct line *line, struct err *err)
{
	struct err late;
	int changed = named_begin(sh->session, err);

	if (changed < 0)
		return -1;
	if (changed > 0)
		while (sh->n_undo)
			forget_newest(sh);
	bool elsewhere = (line->pipe || line->file) && !sh->session->gate.dry;
	int result = elsewhere ? run_with_target(sh, line, err) : run_command(sh, line, err);
	if (named_commit(sh->session, &late) < 0 && result == 0) {
		*err = late;
		result = -1;
	}
	return result;
}

int shell_line(struct shell *sh, const struct line *line, struct err *err)
{
	int result;

	err_clear(err);
	sh->status = 0;
	/* In a script a sandbox that was killed from outside is an error of the next command in it. */
	if (sh->interactive)
		check(sh);
	if (line->host)
		result = run_host(sh, line, err);
	else
		result = run_in_session(sh, line, err);
	if (result == 0)
		result = shell_output(sh, err);
	if (result == 0)
		return sh->status = 0;
	if (err->status == 0)
		err->status = EXIT_FAILED;
	keep_error(sh, line, err);
	return sh->status = err->status;
}

void shell_complete(struct shell *sh, const struct word *words, size_t n, void (*add)(void *arg, const char *text), void *arg)
{
	bool at = n && words[0].text[0] == '@' && !words[0].quoted;

	if (at && n == 1) {
		for (size_t i = 0; i < sh->session->n_sandboxes; i++) {
			_cleanup_free_ char *name = xasprintf("@%s", sh->session->sandboxes[i]->name);
			if (starts_with(name, words[0].text))
				add(arg, name);
		}
	} else {
		command_complete(sh, words + at, n - at, add, arg);
	}
}
