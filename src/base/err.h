/*
 * err.h - errors are values
 *
 * A function that can fail takes `struct err *err` last and returns -1 (or NULL) after filling it, once, where the failure is
 * found. On the way up it may be given context (err_wrap) and advice (err_why, err_try); only the front end prints it.
 * The record is plain data of fixed size: it needs no release, it crosses the holder's socket, and a child that shares our memory
 * may fill it without touching the heap.
 *
 * Style: lower case, no full stop, the object first: "web: no network namespace of its own". The front end adds the place before
 * it (FILE:LINE: command:) and the errno's name after it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,       /* a command failed */
	EXIT_USAGE = 2,        /* usage or syntax */
	EXIT_OWN = 125,        /* run, sh: belljar failed before the program ran */
	EXIT_CANT_EXEC = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128,     /* + number of the signal that ended the program */
};

struct err {
	int status;            /* exit status it stands for; 0 = no error */
	int number;            /* errno, or 0 when the kernel was not asked */
	int column;            /* place in the command line, 1 = first; 0 = the whole command */
	char text[1024];
	char why[768];         /* the cause, from kernel facts; may be empty */
	char hint[384];        /* what to type instead ("try:"); may be empty */
};

/* Fill ERR (status EXIT_FAILED) and return -1. NUMBER is an errno or 0. Text past the room is cut with "...". err may be NULL. */
int err_set(struct err *err, int number, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with status EXIT_USAGE: the command was not understood, nothing was tried. */
int err_usage(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put context before the text ("mount /proc: " + text). Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Add the cause, or what to type instead; the first one given stays. Return -1. */
int err_why(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_try(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);

/* "EINVAL" for EINVAL; "errno 999" (static buffer) for what has no name; "" for 0. */
const char *err_name(int number);

#endif
