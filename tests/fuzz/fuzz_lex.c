/*
 * fuzz_lex.c - arbitrary bytes as a script: lexer, grammars, types, completion
 *
 * With clang's -fsanitize=fuzzer this is a libFuzzer target; built as it stands (FUZZ_REPLAY) it is a program that replays the
 * files it is given. Besides not crashing, the result must not depend on how the input was cut into pieces.
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/command.h"
#include "lang/lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_nothing(struct shell *sh, const struct args *args, struct err *err)
{
	(void)sh;
	(void)args;
	(void)err;
	return 0;
}

#define ROW(name_, grammar_) { .name = name_, .group = "g", .brief = "b", .text = "t", .grammar = grammar_, .run = run_nothing }

/* Short names, so that random bytes hit them; every kind of grammar and every built-in type. */
static const struct command family[] = {
	ROW("e", "[TEXT...]"),
	ROW("l", "[m SIZE:sizemax | s SIZE:size | c SHARE:cpu | p N:nummax]..."),
	ROW("j", "KIND... of WHERE:name [x | y Z:path]"),
	ROW("k", "[SIGNAL:signal] PID:number"),
	ROW("t", "TIME:time [OFFSET:offset] [N:integer]"),
	ROW("n", "A[:IF]:address B:cidr [a CIDR:cidr]... [PORT:port]"),
	ROW("r", "[-d] COMMAND:program"),
	ROW("x", "on | [not] (w COMMAND:line | p TEXT COMMAND:rest)"),
	ROW("a", "[A] [B] [C] D E... F..."),
	{ .name = NULL },
};
static const struct command *const families[] = { family, NULL };
static const struct type *const types[] = { NULL };

static const char *look_up(void *arg, const char *name)
{
	(void)arg;
	return name[0] == 'V' ? "a 'b' $V" : NULL;
}

static void count(void *arg, const char *text)
{
	*(size_t *)arg += *text != '\0';
}

static void one_line(const struct line *line, struct buf *told)
{
	struct args args;
	struct err err = { 0 };

	for (size_t i = 0; i < line->n; i++) {
		const struct word *w = &line->words[i];
		assert(w->length == strlen(w->text) && w->start <= w->end && w->end <= strlen(line->source));
		buf_fmt(told, "<%s>%d:%d,", w->text, w->line, w->column);
	}
	buf_fmt(told, "%s|%s|%s\n", line->pipe ? line->pipe : "", line->file ? line->file : "", line->host ? line->host : "");
	const struct command *c = line->n ? command_find(line->words[0].text, false, &err) : NULL;
	if (c && args_parse(NULL, c, line->words, line->n, line->source, &args, &err) == 0) {
		for (const struct value *v = args.values; v < args.values + args.n; v++)
			assert(v->word >= line->words && v->word < line->words + line->n);
		args_free(&args);
	} else {
		assert(err.status == EXIT_USAGE || line->n == 0);
		buf_fmt(told, "%s\n", err.text);
	}
}

static void in_pieces(const char *data, size_t size, size_t piece, struct buf *told)
{
	struct lexer *l = lex_new(look_up, NULL);
	enum lex_result result = LEX_MORE;
	size_t fed = 0;

	while (result != LEX_END) {
		struct line line;
		struct err err = { 0 };
		result = lex_next(l, &line, &err);
		if (result == LEX_LINE)
			one_line(&line, told);
		else if (result == LEX_ERROR)
			buf_fmt(told, "%d:%d:%s:%s\n", line.line, err.column, err.text, line.source ? "" : "no source");
		line_free(&line);
		if (result == LEX_MORE) {
			size_t n = size - fed < piece ? size - fed : piece;
			lex_feed(l, data + fed, n, fed + n == size);
			fed += n;
		}
	}
	lex_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	const char *text = (const char *)data;
	_cleanup_buf_ struct buf whole = { 0 };
	_cleanup_buf_ struct buf pieces = { 0 };
	struct line line;
	size_t n = 0;

	if (!ready)
		command_register(families, types);
	ready = true;
	in_pieces(text, size, size, &whole);
	in_pieces(text, size, size ? 1 + data[0] % 7 : 1, &pieces);
	assert(whole.len == pieces.len && memcmp(buf_text(&whole), buf_text(&pieces), whole.len) == 0);
	/* Completion of paths reads directories: not here. */
	if (lex_partial(look_up, NULL, text, size, &line) && line.words[0].text[0] != 'r' && line.words[0].text[0] != 'j' &&
	    line.words[0].text[0] != 'x')
		command_complete(NULL, line.words, line.n, count, &n);
	line_free(&line);
	return 0;
}

#ifdef FUZZ_REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		_cleanup_file_ FILE *f = fopen(argv[i], "re");
		_cleanup_buf_ struct buf b = { 0 };
		char block[4096];
		size_t n;

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		while ((n = fread(block, 1, sizeof block, f)) > 0)
			buf_bytes(&b, block, n);
		LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&b), b.len);
	}
	printf("%d files\n", argc - 1);
	command_register(NULL, NULL);
	return 0;
}
#endif
