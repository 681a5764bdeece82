/*
 * script.c - many commands, from a file or a text, and how their errors are shown
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stop.h"
#include "cmd/shell.h"

enum {
	BLOCK = 1 << 16,
	DEEPEST = 32,          /* commands within commands, files within files */
	SHOWN = 100,           /* characters of a source line in an error */
};

/* Errors. */

static void paint(const struct shell *sh, struct buf *b, const char *code)
{
	if (sh->colour)
		buf_fmt(b, "\033[%sm", code);
}

static void place(const struct shell *sh, struct buf *b, const char *where, const struct line *line, const struct err *err)
{
	if (where) {
		buf_visible(b, where);
		if (line)
			buf_fmt(b, ":%d", line->line);
		if (line && err->column)
			buf_fmt(b, ":%d", err->column);
		buf_str(b, ": ");
	} else if (!sh->interactive) {
		buf_str(b, "belljar: ");
	}
}

/* The command's name, when there is such a command. */
static void command_name(const struct shell *sh, struct buf *b, const struct line *line)
{
	const struct word *w = line->words;
	size_t at = line->n > 1 && w && w[0].text[0] == '@' && !w[0].quoted;
	const struct command *c = line->n ? command_find(w[at].text, sh->interactive, NULL) : NULL;

	if (c)
		buf_fmt(b, "%s: ", c->name);
}

/* Bytes of S that N characters take. */
static size_t bytes_of(const char *s, size_t n)
{
	size_t at = 0;

	while (n-- > 0 && s[at]) {
		size_t len = utf8_length(s + at);
		at += len ? len : 1;
	}
	return at;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* The source and a caret below the column; of a long one only the part around it. */
static void caret(const struct shell *sh, struct buf *b, const struct line *line, int column)
{
	/* A line that could not be read is shown from its beginning, a command from its own. */
	int begin = line->n || line->host ? line->column : 1;
	_cleanup_buf_ struct buf before = { 0 };
	_cleanup_buf_ struct buf after = { 0 };

	if (!line->source || column < begin || strchr(line->source, '\n'))
		return;
	size_t at = (size_t)(column - begin), from = at > SHOWN / 2 ? at - SHOWN / 2 : 0;
	const char *s = line->source + bytes_of(line->source, from), *mark = s + bytes_of(s, at - from);
	_cleanup_free_ char *head = xstrndup(s, (size_t)(mark - s));
	_cleanup_free_ char *tail = xstrndup(mark, bytes_of(mark, SHOWN / 2));
	buf_visible(&before, head);
	buf_visible(&after, tail);
	buf_fmt(b, "  %s%s%s%s\n  ", from ? "..." : "", buf_text(&before), buf_text(&after), mark[strlen(tail)] ? "..." : "");
	for (size_t i = characters(buf_text(&before)) + (from ? 3 : 0); i > 0; i--)
		buf_char(b, ' ');
	paint(sh, b, "1");
	buf_char(b, '^');
	paint(sh, b, "0");
	buf_char(b, '\n');
}

static void advice(const struct shell *sh, struct buf *b, const char *label, const char *text)
{
	if (!text[0])
		return;
	buf_str(b, "  ");
	paint(sh, b, "2");
	buf_str(b, label);
	paint(sh, b, "0");
	buf_visible(b, text);
	buf_char(b, '\n');
}

void shell_error(struct shell *sh, const char *where, const struct line *line, const struct err *err)
{
	_cleanup_buf_ struct buf b = { 0 };

	shell_flush(sh);
	if (!err->text[0])
		return;
	paint(sh, &b, "1");
	place(sh, &b, where, line, err);
	if (line && line->host)
		buf_str(&b, "!: ");
	else if (line)
		command_name(sh, &b, line);
	paint(sh, &b, "0");
	paint(sh, &b, "31");
	buf_visible(&b, err->text);
	if (err->number)
		buf_fmt(&b, " (%s)", err_name(err->number));
	paint(sh, &b, "0");
	buf_char(&b, '\n');
	if (line && err->status == EXIT_USAGE && err->column)
		caret(sh, &b, line, err->column);
	advice(sh, &b, "why: ", err->why);
	advice(sh, &b, "try: ", err->hint);
	fwrite(b.data, 1, b.len, stderr);
}

/* Echo (-x): one + for each level of files. */
static void echo(struct shell *sh, const struct line *line)
{
	_cleanup_buf_ struct buf b = { 0 };

	if (!sh->echo)
		return;
	shell_flush(sh);
	for (int i = 0; i < sh->depth; i++)
		buf_char(&b, '+');
	buf_char(&b, ' ');
	buf_visible(&b, line->source);
	buf_char(&b, '\n');
	fwrite(b.data, 1, b.len, stderr);
}

/* Many commands. */

static const char *look_up(void *arg, const char *name)
{
	return shell_var(arg, name);
}

static void free_lexer(struct lexer **l)
{
	lex_free(*l);
}
#define _cleanup_lexer_ __attribute__((cleanup(free_lexer)))

struct input {
	const char *where;
	struct lexer *lexer;
	int fd;                /* -1: all of it was fed */
	char *block;
	int first;             /* status of the first command that failed */
};

/* Feed the lexer from the file. 0 or an exit status. */
static int more(struct shell *sh, struct input *in)
{
	/* Whoever writes the script through a pipe may wait for our answer. */
	shell_flush(sh);
	ssize_t n = read(in->fd, in->block, BLOCK);
	if (n < 0 && errno == EINTR)
		return stop_asked() ? EXIT_SIGNAL + stop_asked() : 0;
	if (n < 0) {
		struct err err;
		err_set(&err, errno, "can't read");
		shell_error(sh, in->where, NULL, &err);
		return EXIT_FAILED;
	}
	lex_feed(in->lexer, in->block, (size_t)n, n == 0);
	return 0;
}

/* One line the lexer has given. Whether to go on. */
static bool do_line(struct shell *sh, struct input *in, enum lex_result got, struct line *line, struct err *err)
{
	int status;

	if (got == LEX_LINE) {
		echo(sh, line);
		status = shell_line(sh, line, err);
	} else {
		status = sh->status = err->status;
	}
	if (status != 0) {
		shell_error(sh, in->where, line, err);
		if (in->first == 0)
			in->first = status;
	}
	if (stop_asked()) {
		in->first = EXIT_SIGNAL + stop_asked();
		return false;
	}
	return !sh->leave && (status == 0 || sh->go_on) && !sh->write_error;
}

static int run_input(struct shell *sh, struct input *in)
{
	bool interactive = sh->interactive, go = true;
	struct err err;

	if (sh->depth >= DEEPEST) {
		err_set(&err, 0, "%.100s: more than %d files deep", in->where ? in->where : "-c", DEEPEST);
		shell_error(sh, NULL, NULL, &err);
		return EXIT_FAILED;
	}
	sh->depth++;
	sh->interactive = false;
	err_clear(&err);
	while (go) {
		struct line line;
		enum lex_result got = lex_next(in->lexer, &line, &err);
		if (got == LEX_END)
			break;
		if (got == LEX_MORE) {
			int status = more(sh, in);
			if (status != 0 && in->first == 0)
				in->first = status;
			go = status == 0;
			continue;
		}
		go = do_line(sh, in, got, &line, &err);
		line_free(&line);
	}
	sh->interactive = interactive;
	sh->depth--;
	return in->first;
}

int shell_script(struct shell *sh, const char *where, int fd)
{
	_cleanup_free_ char *block = xmalloc(BLOCK);
	_cleanup_lexer_ struct lexer *lexer = lex_new(look_up, sh);
	struct input in = { .where = where, .lexer = lexer, .fd = fd, .block = block };

	return run_input(sh, &in);
}

int shell_commands(struct shell *sh, const char *where, const char *text)
{
	_cleanup_lexer_ struct lexer *lexer = lex_new(look_up, sh);
	struct input in = { .where = where, .lexer = lexer, .fd = -1 };

	lex_feed(lexer, text, strlen(text), true);
	return run_input(sh, &in);
}

int shell_text(struct shell *sh, const char *where, const char *text, struct err *err)
{
	_cleanup_lexer_ struct lexer *lexer = lex_new(look_up, sh);
	int status = 0;

	if (sh->depth >= DEEPEST) {
		err_usage(err, "more than %d commands within commands", DEEPEST);
		return EXIT_USAGE;
	}
	sh->depth++;
	lex_feed(lexer, text, strlen(text), true);
	while (status == 0 && !sh->leave) {
		struct line line;
		enum lex_result got = lex_next(lexer, &line, err);
		if (got == LEX_END)
			break;
		status = got == LEX_LINE ? shell_line(sh, &line, err) : err->status;
		if (status != 0 && where)
			err_wrap(err, "%s:%d: ", where, line.line);
		line_free(&line);
	}
	/* The column is one of TEXT, which is not what the caller's line looks like. */
	if (status != 0)
		err->column = 0;
	sh->depth--;
	return status;
}

int shell_argv(struct shell *sh, const char *const *words, size_t n)
{
	struct line line;
	struct err err;

	line_from_argv(&line, words, n);
	sh->depth++;
	sh->one_command = true;
	echo(sh, &line);
	int status = shell_line(sh, &line, &err);
	sh->depth--;
	if (status != 0)
		shell_error(sh, NULL, &line, &err);
	line_free(&line);
	return status;
}
