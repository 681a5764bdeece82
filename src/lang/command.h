/*
 * command.h - what a command is
 *
 * One row says all of it: its grammar is what parsing, usage errors, help, completion and the man page are made of; nothing of
 * it is written twice. Commands stand in families (one file of src/cmd each), and the families in one list, cmd/list.c.
 *
 * Grammar, a line of elements:
 *     word            a keyword, to be typed as it is
 *     NAME:type       a value; NAME is how it is called in help and how the command asks for it
 *     NAME            the same with type `word`
 *     [ ... ]         may be left out
 *     ( a | b )       one of them; also without parentheses inside brackets: [a | b]
 *     x...            once or more often
 *     [ a | b ]...    any number of them in any order, each alternative at most once
 *     [ a ]...        any number of times
 * A value's NAME begins with a capital letter. It may have a remark for people in brackets, "A[:IF]:end", which is shown in
 * help but is no part of the name. Example: "KIND:kind... [of WHERE:nsref]".
 *
 * Where a keyword may stand, an unquoted word that equals it is that keyword and never a value. What types refuse decides between
 * values ("[SIGNAL:signal] PID:number"); of several readings the one that takes the earlier elements wins.
 * The command `run` gets values that have been found and checked; an unknown sandbox is an error before it runs.
 */
#ifndef LANG_COMMAND_H
#define LANG_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct buf;
struct shell;                  /* cmd/shell.h: what commands work on; this layer only passes it through */
struct word;

struct value {
	const char *name;      /* of the grammar element; the keyword itself for a keyword */
	const char *text;      /* as typed */
	const struct word *word;
	int64_t num;           /* what its type made of it: bytes, nanoseconds, a pid, a kind ... */
	double real;
	void *object;          /* a found object, borrowed */
	size_t before;         /* the matcher's own */
};

struct args {
	struct value *values;  /* in the order they were typed */
	size_t n;
	const struct word *words;   /* the whole command, words[0] its name */
	size_t n_words;
	char *rest;            /* for types that take all words: the source text from that word on, quoting kept; else NULL */
};

/* The first value of that name, or NULL. `has` is for keywords. */
const struct value *arg(const struct args *a, const char *name);
const char *arg_text(const struct args *a, const char *name);         /* NULL when absent */
int64_t arg_num(const struct args *a, const char *name, int64_t otherwise);
bool arg_has(const struct args *a, const char *name);
/* The next value of that name after PREVIOUS (NULL = from the start), for repeated elements. */
const struct value *arg_next(const struct args *a, const char *name, const struct value *previous);

/* A type of value. `parse` fills num, real or object from v->text, or fails with err (usage); `complete` calls add(text) for
 * each word that could stand here and begins with PREFIX. Either may be NULL. Built in: word, size, sizemax, time, cpu, number,
 * cidr, address, path, ... (the table in lang/types.c says what each puts where); those that need sandboxes are in cmd. */
struct type {
	const char *name;
	const char *what;      /* for errors and help: "a size such as 64M" */
	int (*parse)(struct shell *sh, struct value *v, struct err *err);
	void (*complete)(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg2);
	bool all;              /* takes all words that are left: the value is the first of them, num their number */
};

enum {
	CMD_PLAIN = 0,
	CMD_PROGRAM = 1,       /* its exit status is a program's (run, sh) */
	CMD_OUTSIDE = 2,       /* means nothing for another sandbox: @NAME is refused */
	CMD_PROMPT = 4,        /* only at the prompt (history) */
	CMD_NO_UNDO = 8,       /* does not change the machine, so it is no target of undo */
	CMD_NESTS = 16,        /* has other commands done, each of which is remembered by itself (source, expect, undo) */
};

struct command {
	const char *name;
	const char *group;     /* sandboxes, namespaces, "file system", network, limits, processes, looking, teaching, scripts */
	const char *brief;     /* one line, imperative, no full stop */
	const char *grammar;
	const char *text;      /* paragraphs for help and the man page, blank line between; *word* is emphasis, `x` is literal */
	const char *examples;  /* lines of belljar that run as they stand, in a new session; # comments say what they show */
	unsigned flags;
	/* 0, or -1 with err. Never prints errors, never exits. */
	int (*run)(struct shell *sh, const struct args *args, struct err *err);
};

/* Families, NULL-terminated; each ends with a row without a name. Set once by main before anything is parsed. With NULL, NULL
 * everything made from an earlier list is released (for tests). */
void command_register(const struct command *const *families, const struct type *const *types);

/* By full name; with `abbreviate` (the prompt) a unique prefix is enough. NULL with err: "did you mean", or the candidates. */
const struct command *command_find(const char *name, bool abbreviate, struct err *err);

/* All rows in order of group, groups in order of their first row; NULL at the end (i from 0). */
const struct command *command_at(size_t i);

/* Match WORDS (words[0] is the command's name, all are positions in SOURCE) against the command's grammar. 0, or -1 with err
 * (usage, with column). OUT borrows words; free it with args_free. */
int args_parse(struct shell *sh, const struct command *c, const struct word *words, size_t n, const char *source,
	       struct args *out, struct err *err);
void args_free(struct args *a);

/* "link A[:IF] B[:IF] [addr CIDR]...": the grammar for people (types left out). */
void command_usage(const struct command *c, struct buf *out);

/* 0, or -1 with err when a row can't work: its grammar is malformed or names a type that is not there (for a test over all
 * rows). */
int command_check(const struct command *c, struct err *err);

/* What could stand as the last of WORDS (whose text may be empty; lex_partial makes them): calls add for each. The first word
 * is a command's name; @NAME and the like are the caller's. Earlier words only have to fit the grammar, not to be valid. */
void command_complete(struct shell *sh, const struct word *words, size_t n, void (*add)(void *arg, const char *text), void *arg);

/* Help for one command, for all (by group), and the man page's command section in mdoc. */
void help_command(const struct command *c, FILE *out);
void help_all(FILE *out);
void help_mdoc(FILE *out);
/* Text written as struct command.text is, in mdoc. */
void help_mdoc_text(FILE *out, const char *text);

#endif
