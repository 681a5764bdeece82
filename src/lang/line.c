/*
 * line.c - a command as words, without a lexer
 */
#include "config.h"

#include "base/buf.h"
#include "lang/lex.h"

void line_free(struct line *l)
{
	free(l->block);
	*l = (struct line){ 0 };
}

void line_from_argv(struct line *out, const char *const *argv, size_t n)
{
	_cleanup_buf_ struct buf source = { 0 };
	size_t texts = 0;

	for (size_t i = 0; i < n; i++)
		texts += strlen(argv[i]) + 1;
	struct word *words = xcalloc(n, sizeof *words);
	_cleanup_buf_ struct buf text = { 0 };
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(&source, ' ');
		words[i] = (struct word){ .line = 1, .column = (int)source.len + 1, .length = (unsigned)strlen(argv[i]),
					  .start = (unsigned)source.len };
		buf_quote(&source, argv[i]);
		words[i].end = (unsigned)source.len;
		buf_bytes(&text, argv[i], words[i].length + 1);
	}
	char *block = xmalloc(n * sizeof *words + texts + source.len + 1), *at = block + n * sizeof *words;
	memcpy(block, words, n * sizeof *words);
	memcpy(at + texts, buf_text(&source), source.len + 1);
	if (texts)
		memcpy(at, text.data, texts);
	free(words);
	*out = (struct line){ .words = (struct word *)(void *)block, .n = n, .line = 1, .column = 1, .source = at + texts,
			      .block = block };
	for (size_t i = 0; i < n; i++) {
		out->words[i].text = at;
		at += out->words[i].length + 1;
	}
}
