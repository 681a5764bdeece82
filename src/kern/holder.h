/*
 * holder.h - belljar's side of a holder: starting it, asking it, ending it
 */
#ifndef KERN_HOLDER_H
#define KERN_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "kern/place.h"
#include "kern/wire.h"

struct err;
struct step;

/* Start a holder for a place that has none; it shares everything with belljar and is its child. */
int holder_start(struct place *p, struct err *err);

/* The keeper of a session: told the session's directory, it waits for the end of SOCK. Does not wait for its start. */
int holder_start_keeper(int sock, const char *directory, pid_t *pid, struct err *err);

/* Who sets the modes of the terminal TTY back if belljar is killed: to be called before they are changed. Its socket, for
 * holder_end_restorer when that is done; -1 when there is none. */
int holder_start_restorer(int tty, pid_t *pid);
void holder_end_restorer(int sock, pid_t pid);

/* Have the holder do N acts on itself, in one trip; the descriptors are numbered from 1 in acts[].fd. On failure *done says how many
 * were performed. If a successor took over, the place's pid and pidfd are the successor's. */
int holder_batch(struct place *p, const struct wire_act *acts, size_t n, const int *fds, size_t n_fds, size_t *done, struct err *err);

/* A descriptor of a process that is not our child. -1 with errno. */
int holder_hold(pid_t pid);

/* End holders: all are killed first, then waited for. Whoever lives in their pid namespaces ends with them; a holder without one of its own
 * kills its descendants. The places are released. */
void holder_end(struct place **places, size_t n);

/* Has the holder ended (from outside)? Does not wait. */
bool holder_gone(const struct place *p);

struct holder_program {
	char *const *argv;
	char *const *envp;
	const char *cwd;       /* inside */
	int std[3];            /* descriptors for it; -1: the new pty takes its place */
	bool detached;
	bool learn;            /* its calls are noted (holder_calls) */
	unsigned short rows, columns;     /* of the pty */
	const struct cg_entry *groups;
	size_t n_groups;
};

struct holder_started {
	int job;
	pid_t inner;           /* its number inside */
	int pidfd;             /* the caller's to close */
	int master;            /* of the pty, or -1; the caller's to close */
};

/* Start a program. On failure err->status is EXIT_NOT_FOUND, EXIT_CANT_EXEC or EXIT_OWN. */
int holder_spawn(struct place *p, const struct holder_program *program, struct holder_started *started, struct err *err);

/* Has the job ended? Reads all that the holder has said, with what was kept while another answer was awaited; *gone when it is gone. Does
 * not wait: ask before waiting for the socket, too. */
bool holder_job_ended(struct place *p, int job, int *status, bool *gone);

/* Waiting for what the holder says of a program that has ended, as its pidfd tells. */
enum { LAST_WORD_MS = 1000 };
struct last_word {
	int silences;
	bool reaped;
};

/* Nothing was said for LAST_WORD_MS. Is it lost? Not before the holder has waited for the program: on a busy machine that takes its time. */
bool holder_word_lost(struct last_word *w, int pidfd);

/* Send a signal to the process of a descriptor; one that has ended is no error. */
void holder_signal(int pidfd, int signal);

/* Its jobs: those that run, and those started in the background that have ended. The array is the caller's to free. */
int holder_jobs(struct place *p, struct wire_job **jobs, size_t *n, struct err *err);

/* What filters had noted of a job's calls since this was last asked. The array is the caller's to free. */
int holder_calls(struct place *p, int job, struct wire_call **calls, size_t *n, struct err *err);

/* Let it outlive belljar: it listens on SOCK from now on, and ends with its last connection. And take CONN, a connection to a holder that
 * was kept, for the place's; it must be that of the place's process. */
int holder_keep(struct place *p, int sock, struct err *err);
int holder_take(struct place *p, int conn, struct err *err);

#endif
