/*
 * outside.h - a command's output to other places, and programs of the host
 */
#ifndef CMD_OUTSIDE_H
#define CMD_OUTSIDE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct err;
struct line;
struct shell;

struct target {
	FILE *file;            /* NULL: the command writes where the shell does */
	const char *name;      /* of the file, or the command of the pipe; borrowed */
	pid_t pid;             /* behind the pipe, or 0 */
};

/* Open what the line names after > or |, and make it the shell's output. 0, or -1 with err; nothing is changed then. */
int target_open(struct shell *sh, const struct line *line, struct target *t, struct err *err);

/* Write all that is buffered, close it, wait for the program behind a pipe. *STATUS is the program's exit status, 0 for a file. A reader
 * that stopped reading early is no error. 0, or -1 with err when the output could not be written. */
int target_close(struct shell *sh, struct target *t, FILE *before, int *status, struct err *err);

/* Run a command of the host's shell and wait for it; at the prompt it gets the terminal meanwhile. Its exit status as a shell gives
 * it, or -1 with err. */
int outside_run(struct shell *sh, const char *command, struct err *err);

/* The error that a program's exit STATUS, which is not 0, means for the command that ran it. Returns -1. */
int outside_failed(const char *command, int status, struct err *err);

#endif
