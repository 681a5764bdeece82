/*
 * why.h - causes of errors that the kernel's word does not tell
 *
 * A catalogue of traps: what was tried, what the kernel said, what the cause is, what to type instead. Every error of a command is
 * looked up; the short cause and the advice are shown at once, the explanation when `why` is asked.
 */
#ifndef SANDBOX_WHY_H
#define SANDBOX_WHY_H

struct err;

struct why {
	const char *command;   /* the command that failed, or NULL for any */
	const char *text;      /* a part of the error's text that must be there, or NULL */
	int number;            /* errno, or 0 for any */
	const char *cause;     /* one line, for "why:" */
	const char *advice;    /* what to type, for "try:"; or NULL */
	const char *more;      /* paragraphs for `why` */
};

/* The row that fits best, or NULL. */
const struct why *why_find(const char *command, const struct err *err);

/* Give the error the cause and advice of its row, where it has none of its own. */
void why_fill(struct err *err, const char *command);

#endif
