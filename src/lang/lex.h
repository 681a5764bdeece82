/*
 * lex.h - lines into words
 *
 * Words, '...' "..." and backslash as in sh; # begins a comment only at a word's start and unquoted; ; and newline end a
 * command; backslash-newline continues; $NAME and ${NAME} expand (not inside '...'), and the value is never split into words. |
 * and > stand for themselves only unquoted and at a word's start.  No globs, no control flow: && || & < and 2> are errors when
 * unquoted, so that a line meant for sh is not taken for something else.  A carriage return before a newline belongs to the
 * newline; a byte order mark at the very start is skipped.
 */
#ifndef LANG_LEX_H
#define LANG_LEX_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum { LINE_LONGEST = 1 << 20 };       /* bytes of one command, as written and with its variables expanded */

struct word {
	char *text;
	int line, column;      /* where it began, both from 1; columns count characters */
	unsigned length;       /* of text, in bytes */
	unsigned start, end;   /* its bytes in the line's source, quotes included; end is just after it */
	bool quoted;           /* some of it was quoted or escaped: never a keyword, never @NAME (a bare $NAME may be either) */
};

/* One command of the input: its words, and where its output goes. All of it is one piece of memory. */
struct line {
	struct word *words;
	size_t n;
	const char *pipe;      /* host command after | (the rest of the line as written), or NULL */
	const char *file;      /* file after >, or NULL */
	bool append;           /* >> */
	const char *host;      /* rest of the line after an initial !, or NULL; then there are no words */
	int line, column;      /* of its first word */
	const char *source;    /* its text as written, for echo, history and carets */
	void *block;           /* what the pointers above point into */
};

void line_free(struct line *l);

/* A line from an argument vector (belljar COMMAND ARGS...): each argument is one word as it stands; source is quoted where
 * needed. */
void line_from_argv(struct line *out, const char *const *argv, size_t n);

enum lex_result { LEX_LINE, LEX_END, LEX_MORE, LEX_ERROR };

struct lexer;

/* A value for NAME, or NULL when it is not set. */
typedef const char *lex_lookup(void *arg, const char *name);

struct lexer *lex_new(lex_lookup *lookup, void *arg);
void lex_free(struct lexer *l);

/* Give it more input (copied). `last`: nothing follows, so an open quote is an error instead of LEX_MORE. */
void lex_feed(struct lexer *l, const char *data, size_t n, bool last);

/* The next command. A line is looked at only when its newline (or `last`) is there, and variables are looked up then, so that a
 * command sees what the one before it set.
 *   LEX_LINE   OUT is filled; release it with line_free.
 *   LEX_MORE   feed more: what is there has been used up, or ends inside a command (lex_inside tells which).
 *   LEX_END    nothing is left and `last` was said.
 *   LEX_ERROR  err says what; OUT has the place (line, column) and the source line only, release it too. The lexer goes on
 *              with the next line, even when the rest of this one has not been fed yet.
 * A NUL byte, invalid UTF-8 outside quotes, or a command over LINE_LONGEST is an error. Memory stays within a few times
 * LINE_LONGEST plus the largest piece fed. */
enum lex_result lex_next(struct lexer *l, struct line *out, struct err *err);

/* After LEX_MORE: the input ends inside a command (an open quote, a continued line): the prompt asks for the rest of it. */
bool lex_inside(const struct lexer *l);

/* Forget input that has not been used (the prompt's Ctrl-C). */
void lex_reset(struct lexer *l);

/* For completion: the words of the last command in TEXT, which may be unfinished: open quotes end with it, unset variables stay
 * as they are written. When TEXT ends after a blank, an empty word is added. False inside a comment, a host command or a file
 * name, where no word of ours can stand. Release OUT in either case. */
bool lex_partial(lex_lookup *lookup, void *arg, const char *text, size_t n, struct line *out);

#endif
