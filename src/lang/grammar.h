/*
 * grammar.h - a command's grammar as a small machine
 *
 * The notation is described in command.h. A grammar is compiled once into instructions and run over the words as a set of
 * threads (as Thompson and Pike do it for regular expressions), so that the time is bounded by words times instructions
 * whatever a script holds, and what could have stood at the furthest point reached is known for errors and completion.
 */
#ifndef LANG_GRAMMAR_H
#define LANG_GRAMMAR_H

#include <stddef.h>

#include "lang/command.h"

/* KEYWORD and VALUE take one word; SPLIT goes on in two places, the first one preferred; ONCE passes only when its bit is not
 * yet set in the thread, which is how an alternative of "[a | b]..." is used up; END is reached when all may be over. */
enum op { OP_KEYWORD, OP_VALUE, OP_SPLIT, OP_JUMP, OP_ONCE, OP_END };

enum { GRAMMAR_LONGEST = 192, GRAMMAR_SEEN = GRAMMAR_LONGEST / 64 };   /* instructions, and words of a set of them */

struct instruction {
	enum op op;
	unsigned x, y;         /* SPLIT: preferred and other; JUMP: x; ONCE: x is the bit */
	char *name, *shown;    /* KEYWORD, VALUE: as commands ask for it, and as people see it */
	const struct type *type;
	/* Where a word is needed next when one goes on from here, worked out in advance unless ONCE has a say in it (n_stops 0):
	 * instructions in order of preference, and all that were passed on the way. */
	unsigned short *stops, n_stops;
	uint64_t seen[GRAMMAR_SEEN];
};

struct grammar {
	struct instruction *code;
	size_t n;
	unsigned bits;         /* used by ONCE, at most 64 */
};

/* NULL with err when TEXT is malformed or a type is unknown: a mistake in a command's row. */
struct grammar *grammar_compile(const char *text, const struct type *(*find_type)(const char *name), struct err *err);
void grammar_free(struct grammar **g);

/* Match the words behind a->words[0]; fills a->values and a->n. *TAKEN: the first of the words that a type with `all` took, or
 * n_words. C is whose grammar it is; its usage goes into errors as advice. 0, or -1 with err and nothing to free. */
int grammar_match(const struct grammar *g, struct shell *sh, struct args *a, size_t *taken, const struct command *c,
		  struct err *err);

/* What could stand as the last word. When that word belongs to a value of the type that is a whole command (type_is_command),
 * returns the number of the word where it begins and adds nothing; else 0. */
size_t grammar_complete(const struct grammar *g, struct shell *sh, const struct word *words, size_t n,
			void (*add)(void *arg, const char *text), void *arg);

/* One token of a grammar's text, for compiling it and for showing it. */
struct token {
	enum { TOKEN_END, TOKEN_SIGN, TOKEN_REPEAT, TOKEN_KEYWORD, TOKEN_VALUE } kind;   /* SIGN: one of [ ] ( ) | */
	const char *at;
	int length;            /* without the type */
	int name;              /* without a remark in brackets as well */
	const char *type;      /* NULL when none is given */
	int type_length;
	bool spaced;           /* a blank stands before it */
};

/* The next token; *TEXT moves behind it. */
struct token grammar_token(const char **text);

/* A built-in type by name, or NULL; and whether a type takes a whole command of ours, which is completed as such. */
const struct type *type_builtin(const char *name);
bool type_is_command(const struct type *t);

#endif
