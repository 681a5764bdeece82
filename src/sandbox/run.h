/*
 * run.h - programs in a sandbox
 */
#ifndef SANDBOX_RUN_H
#define SANDBOX_RUN_H

#include "sandbox/session.h"

struct buf;

struct run_want {
	char *const *argv;
	int std[3];            /* what it gets; a terminal among them is replaced by one made inside */
	bool detached;
	struct buf *bitten;    /* in the foreground: what limits did to it, in words; NULL: not asked */
	bool learn;            /* note its calls (filters.h) */
};

/* Start a program. In the foreground wait for it and put its exit status into *STATUS (128 + n after signal n); detached, put its job
 * number into *JOB. -1 with err (status 125, 126 or 127) when it could not be started. */
int sandbox_run(struct sandbox *sb, const struct run_want *want, int *status, int *job, struct err *err);

/* Wait until a job started in the background has ended (0: all of them); *STATUS is the last one's. */
int sandbox_wait(struct sandbox *sb, int job, int *status, struct err *err);

/* Send a signal to a process by the number it has inside, or to all (PID 0); SIGKILL to all catches those that
 * are being forked as well. */
int sandbox_signal(struct sandbox *sb, pid_t pid, int signal, struct err *err);

#endif
