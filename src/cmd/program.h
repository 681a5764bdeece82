/*
 * program.h - commands that start a program
 */
#ifndef CMD_PROGRAM_H
#define CMD_PROGRAM_H

struct err;
struct sandbox;
struct shell;

enum program_how {
	PROGRAM_FOREGROUND,    /* sh->status becomes its exit status; calls that its filter refused are said */
	PROGRAM_DETACHED,
	PROGRAM_LEARN,         /* its calls are noted, and are to be asked for (filters_learn); its exit status is only said */
};

/* *JOB: its number; 0 in a dry run. -1 with err when it could not be started. */
int program_run(struct shell *sh, struct sandbox *sb, char *const *argv, enum program_how how, int *job, struct err *err);

#endif
