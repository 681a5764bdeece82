/*
 * options.h - belljar's own command line
 */
#ifndef UI_OPTIONS_H
#define UI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct err;

enum option_mode { MODE_RUN, MODE_HELP, MODE_VERSION, MODE_MAN, MODE_COMPLETE };

struct action {                /* -c or -f, in the order they were given */
	bool file;
	const char *what;
};

struct options {
	enum option_mode mode;
	const char *session;   /* -s */
	bool go_on, echo, dry, json, explain;
	const char *colour;    /* "auto", "always" or "never" */
	struct action *actions;
	size_t n_actions;
	const char *const *words;     /* what follows the options: one command; with --complete, the words to complete */
	size_t n_words;
};

/* 0, or -1 with err (usage). The strings are those of argv. Free with options_free. */
int options_parse(int argc, char **argv, struct options *o, struct err *err);
void options_free(struct options *o);

void options_help(FILE *out);

/* The list of options in mdoc. */
void options_mdoc(FILE *out);

/* Options that begin with PREFIX, and the values of --color=. */
void options_complete(const char *prefix, void (*add)(void *arg, const char *text), void *arg);

#endif
