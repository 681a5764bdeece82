/*
 * gaps.h - a sandbox compared with what Docker and bubblewrap do by default
 *
 * One list says what is compared, how it is here, and the command that closes the gap; `show --gaps` prints it, and `harden` has those
 * commands done.
 */
#ifndef SANDBOX_GAPS_H
#define SANDBOX_GAPS_H

#include <stddef.h>

#include "sandbox/session.h"

struct gap {
	const char *what;              /* "root", or a kind of namespace */
	char *here;
	const char *docker, *bubblewrap;
	char *command;                 /* that closes it; NULL: it is no gap */
};

/* In an order in which the commands work. 0 or -1 with err. */
int gaps_list(struct sandbox *sb, struct gap **list, size_t *n, struct err *err);
void gaps_free(struct gap *list, size_t n);

/* The commands that close all gaps there are, one a line, "" for none; the caller's to free. NULL with err. */
char *gaps_recipe(struct sandbox *sb, struct err *err);

#endif
