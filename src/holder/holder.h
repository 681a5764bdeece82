/*
 * holder.h - the inside of a holder
 *
 * A holder is the first process of a sandbox: a small static program that belljar carries within itself and starts from a sealed memory
 * file, so nothing inside can reach a file of the host through it. A namespace lasts as long as something refers to it; the holder is
 * that something. It changes its own namespaces when belljar says so (self.c), starts programs (spawn.c), and reaps what ends.
 *
 * It uses no library but libc's system calls, reads no file of the sandbox, and resolves no name there.
 */
#ifndef HOLDER_HOLDER_H
#define HOLDER_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kern/wire.h"

enum { CONNECTIONS = 16, STRINGS = 65536 };   /* STRINGS: most arguments, or variables of the environment, of a program */

struct holder_job {
	struct wire_job info;
	struct holder_job *next;
};

/* A filter that asks (watch.c). */
struct watch {
	int fd;                        /* its listener; -1: nobody is left under it */
	int job;
	uint32_t otherwise, n_answers, n_calls;
	struct wire_call *calls;
	struct watch *next;
	struct wire_answer answers[];
};

enum { WATCHES = 256 };        /* that belong to programs which run */

struct holder {
	int conns[CONNECTIONS];        /* to belljars; -1 = free */
	int listening;                 /* of a named session: where later belljars come in; -1 = unnamed */
	uid_t owner;                   /* the user that its belljars are, as its user namespace numbers them: the overflow id where it does not */
	int null;                      /* /dev/null of the host */
	int signals;                   /* signalfd for SIGCHLD */
	int proc;                      /* /proc of the host while it shares the host's pid namespace, else -1 */
	bool init;                     /* PID 1 of its pid namespace */
	bool kept;                     /* outlives its belljar */
	struct holder_job *jobs;
	struct holder_job *unused;     /* to be taken for new ones */
	struct watch *watches;
	int last_job;                  /* numbers given: 1, 2, ... in the background, -1, -2, ... in the foreground */
	int last_foreground;
};

/* One message as it came: bytes, which are overwritten by the next one, and descriptors (closed by message_free). Behind the bytes there
 * is room for vectors of the strings among them. */
struct message {
	char *data;
	size_t n;
	int fds[WIRE_FDS];
	size_t n_fds;
	bool cut;              /* not all descriptors could be received: this process may have no more of them open */
};

/* Perform the acts of a batch on this process and answer on CONN. May return in another process (the successor). */
void self_batch(struct holder *h, int conn, const struct message *m);

/* Die with belljar, whatever happens: to be repeated after a change of identity, which makes the kernel forget it. */
void self_arm(struct holder *h);

/* Be the one whom the kernel names as the peer (SO_PEERCRED) to whoever connects to the listening socket: who called listen(2) last. */
void self_sign(const struct holder *h);

/* Start a program and answer. */
void spawn_program(struct holder *h, int conn, const struct message *m);

/* In a child that is about to become a program: give up what it is not to have. TERMINAL: its own, given to its user; -1 = none. -1 with
 * errno and the call that failed. */
int privilege_apply(const struct wire_privileges *w, int terminal, const char **call);

/* No program inherits capabilities that belljar was given to hand on: -1 with errno. */
int privilege_shed(void);

/* Answer for a filter from now on. False when there is no memory. */
bool watch_add(struct holder *h, int listener, const struct wire_privileges *want, const struct wire_answer *answers, int job);
/* Is there room for one more? */
bool watch_room(struct holder *h);

/* It asks, or nobody is left that could: EVENTS are those of poll(2). */
void watch_serve(struct watch *w, short events);

/* Say on CONN which calls of the job that M (a wire_ask) names were noted, and forget them. The answer takes the place of M. */
void watch_tell(struct holder *h, int conn, struct message *m);

/* Answer with DATA and descriptors. */
void answer(int conn, const void *data, size_t n, const int *fds, size_t n_fds);

/* Other roles of the program: the keeper (keeper.c), and who restores the terminal (restore.c). */
int keeper_main(int argc, char **argv);
int restore_main(void);

#endif
