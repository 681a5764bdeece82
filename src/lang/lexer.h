/*
 * lexer.h - what the two files of the lexer share
 *
 * lex.c takes input in and finds commands; word.c reads one word with its quotes and variables.
 */
#ifndef LANG_LEXER_H
#define LANG_LEXER_H

#include "base/err.h"
#include "lang/lex.h"

/* Where the lexer stands; copied to be able to go back. */
struct cursor {
	size_t pos;            /* next byte of the buffer */
	size_t line_start;     /* first byte of this line; before the buffer's it has wrapped: only differences count */
	size_t wide;           /* bytes on this line that continue a character */
	int line;
};

struct lexer {
	lex_lookup *lookup;
	void *arg;
	char *data;            /* len bytes and a NUL */
	size_t len, room;
	struct cursor at;
	size_t eol;            /* the newline that ends the line at `at`, or len at the end of all input */
	bool eol_known;
	size_t scanned;        /* no newline between at.pos and here */
	bool last;             /* no more input comes */
	bool marked;           /* the first bytes have been looked at for a byte order mark */
	bool skip;             /* drop everything up to the next newline */
	bool begun;            /* a command has begun */
	bool inside;           /* what lex_inside tells */
	bool lenient;          /* for completion: nothing is an error */
	bool comment;          /* lenient: the line ends in a comment */
	struct cursor start;   /* of the command being read */
	struct cursor error;   /* place of the last error */

	struct word *words;    /* of the command being read; their text is set by finish */
	size_t n, words_room;
	char *text;            /* of these words, each with its NUL */
	size_t text_len, text_room;
};

enum step { STEP_OK, STEP_OVER, STEP_STOP, STEP_FAIL };  /* go on; command complete; more input needed; err is set */

enum { BLANK = 1, NAME = 2, SPECIAL = 4, DOUBLE = 8 };   /* SPECIAL ends a run of plain characters, DOUBLE one inside "..." */
extern const unsigned char lexer_class[256];

static inline bool is(char c, int what)
{
	return lexer_class[(unsigned char)c] & what;
}

/* Column of the cursor, in characters from 1. */
static inline int lexer_column(const struct cursor *c)
{
	return (int)(c->pos - c->line_start - c->wide + 1);
}

/* A carriage return that is part of a line's end. */
static inline bool is_cr(const struct lexer *l, size_t pos)
{
	return l->data[pos] == '\r' && pos + 1 == l->eol;
}

/* Room for SIZE bytes of text more. */
void lexer_reserve(struct lexer *l, size_t size);

/* Go on with the next line inside a command, which has not ended with this one. OPENED: the quote that is open, or NULL. */
enum step lexer_cross(struct lexer *l, const struct cursor *opened, struct err *err);

/* Note the place of an error that was filled; STEP_FAIL. */
enum step lexer_fail(struct lexer *l, const struct cursor *c, struct err *err);
#define FAIL(l, cursor, err, ...) (err_usage((err), __VA_ARGS__), lexer_fail((l), (cursor), (err)))
enum step lexer_fail_long(struct lexer *l, struct err *err);
enum step lexer_fail_nul(struct lexer *l, struct err *err);

/* word.c: one word, from the cursor to the blank, ; or line end behind it; one character of several bytes; an empty word. */
enum step lexer_word(struct lexer *l, struct err *err);
enum step lexer_wide(struct lexer *l, struct err *err);
struct word *lexer_new_word(struct lexer *l);

#endif
