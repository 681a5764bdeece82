/*
 * shell.h - what commands work on
 *
 * One struct shell lives as long as belljar. It ties the session to the language: where output goes, what is switched on, the variables.
 * shell_line() is the only way any front end (prompt, -c, file, standard input, one command, source, explain, expect) has a command
 * done, so all of them do the same.
 */
#ifndef CMD_SHELL_H
#define CMD_SHELL_H

#include <stdbool.h>
#include <stdio.h>

#include "lang/command.h"
#include "lang/lex.h"
#include "sandbox/session.h"

struct err;

struct shell {
	struct session *session;
	FILE *out;             /* output of the command that runs; standard output, or the target of > or | */
	bool out_elsewhere;    /* out is the target of > or | */
	bool json;             /* --json */
	bool colour;
	bool interactive;      /* at the prompt */
	bool go_on;            /* -k */
	bool echo;             /* -x */
	bool script_is_stdin;  /* programs get /dev/null as their standard input */
	bool one_command;      /* belljar COMMAND ARGS...: a program's exit status is not told in words */
	bool leave;            /* quit was given */
	int status;            /* of the last command, as the exit status would be */
	bool by_program;       /* a program has failed, and the status is its own: 2 is no mistake of the script then */
	struct err *last_error;       /* of the last command that failed, for `why`; status 0 = none */
	char *last_failed;     /* its text */
	char **vars;           /* NAME=VALUE */
	size_t n_vars;
	struct undo *undo;     /* what `undo` would take back, newest last */
	size_t n_undo;
	size_t undo_from;      /* the first of them that may still be taken back */
	int write_error;       /* errno of a failed write to standard output, or 0 */
	int depth;             /* of source and of commands within commands, to stop a file that sources itself */
	/* Lists the last LAST lines of the prompt's history (0 = all); NULL when there is no prompt. */
	void (*list_history)(FILE *out, int64_t last);
};

struct undo {
	char *source;          /* the command's text */
	size_t mark, end;      /* its part of the gate's journal */
};

/* Have one line done: host commands, redirection, @NAME, lookup, parsing, running; on failure all it had changed is taken back.
 * Returns its status (0 = done); ERR says what failed, and was not printed. */
int shell_line(struct shell *sh, const struct line *line, struct err *err);

/* The same from text (one or more commands); stops at the first failure. WHERE names the text in errors. */
int shell_text(struct shell *sh, const char *where, const char *text, struct err *err);

/* Run every command read from FD until its end, printing errors as "WHERE:LINE: command: ...". Returns the exit status: that of the
 * first command that failed, which is also the last unless sh->go_on. */
int shell_script(struct shell *sh, const char *where, int fd);

/* The same from text. WHERE NULL: errors begin with "belljar:" instead of a place (-c). */
int shell_commands(struct shell *sh, const char *where, const char *text);

/* Run one command, whose words are taken as they are (belljar COMMAND ARGS...), and print its error. Returns the exit status. */
int shell_argv(struct shell *sh, const char *const *words, size_t n);

/* Have what was written so far really written. A failure is remembered, see shell_output. */
void shell_flush(struct shell *sh);

/* 0, or -1 with err when standard output could not be written some time before now. */
int shell_output(struct shell *sh, struct err *err);

/* Name of a sandbox in which a program still runs that would end with an unnamed session; NULL when there is none. */
const char *shell_runs(const struct shell *sh);

/* What could stand as the last of WORDS, with @NAME before a command. */
void shell_complete(struct shell *sh, const struct word *words, size_t n, void (*add)(void *arg, const char *text), void *arg);

/* Print an error as the front ends do: place, command, text, errno name, caret; then the why: and try: lines. To standard error.
 * An error without text is one whose cause has been printed (by `source`): nothing is printed again. */
void shell_error(struct shell *sh, const char *where, const struct line *line, const struct err *err);

/* Take back the newest remembered command; its text (the caller's to free) in *SOURCE. What can't be taken back changes nothing.
 * 0, or -1 with err. */
int shell_undo(struct shell *sh, char **source, struct err *err);

const char *shell_var(struct shell *sh, const char *name);      /* session variable, then environment; NULL = unset */
int shell_set(struct shell *sh, const char *name, const char *value, struct err *err);   /* VALUE NULL: unset */

/* The sandbox a command acts on: the current one, or @NAME's. NULL with err. */
struct sandbox *shell_sandbox(struct shell *sh, struct err *err);

extern const struct command *const cmd_families[];    /* cmd/list.c */
extern const struct type *const cmd_types[];

#endif
