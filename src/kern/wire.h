/*
 * wire.h - what belljar and a holder say to each other
 *
 * One SOCK_SEQPACKET socket, one message a datagram, descriptors beside it (SCM_RIGHTS). belljar asks and waits for the answer; the only
 * message a holder sends unasked is WIRE_ENDED. belljar's end has SO_PASSCRED, so the kernel names the sender of every answer: that is
 * how belljar learns the number of the successor that becomes PID 1.
 */
#ifndef KERN_WIRE_H
#define KERN_WIRE_H

#include <stdint.h>

#include "kern/privilege.h"

enum { WIRE_SOCKET = 3 };              /* the holder's descriptor of it */
enum { WIRE_ACTS = 16, WIRE_FDS = 24, WIRE_LARGEST = 160 * 1024, WIRE_JOBS_LARGEST = 512, WIRE_CALLS_LARGEST = 512 };

enum { WIRE_LABEL = 256 };             /* a security label, with its NUL */
enum { WIRE_BACKLOG = 16 };            /* of a kept holder's listening socket */
enum { EXIT_NO_KEYRING = 3 };         /* the exit status of a holder that got none */

enum wire_type { WIRE_BATCH = 1, WIRE_REPLY, WIRE_SPAWN, WIRE_STARTED, WIRE_ENDED, WIRE_JOBS, WIRE_KEEP, WIRE_END, WIRE_CALLS };

enum wire_op {
	WIRE_UNSHARE = 1,      /* flags */
	WIRE_CGROUP_NS,        /* a cgroup namespace rooted in the group whose entries are descriptors fd ...: flags = their number, and
	                        * from bit 16 on which of them are directories; behind them belljar's /proc */
	WIRE_PID,              /* a new pid namespace; the rest of the batch is done by its PID 1, which answers */
	WIRE_JOIN,             /* flags: the kind, with a descriptor */
	WIRE_FORK,             /* after WIRE_JOIN of a pid namespace: a successor inside it, which goes on with the batch */
	WIRE_ROOT_ID,          /* uid 0, gid 0, no other groups where setgroups is allowed */
	WIRE_CHROOT,           /* into the directory that is the descriptor */
	WIRE_LOOPBACK,         /* lo up */
};

struct wire_act {
	uint32_t op;
	uint32_t fd;           /* its place among the message's descriptors, from 1; 0 = none */
	uint64_t flags;
};

struct wire_batch {
	uint32_t type, n;
	struct wire_act acts[WIRE_ACTS];
};

struct wire_reply {
	uint32_t type;
	int32_t done;          /* acts performed */
	int32_t number;        /* errno of the next one, 0 = all done */
	char call[40];         /* the system call that failed */
};

/* What a program is not to have (privilege.h); what is not in `set` it inherits. */
struct wire_privileges {
	uint32_t set;          /* bits 1 << PRIV_... */
	uint32_t uid, gid, n_groups, groups[PRIV_GROUPS];
	uint32_t groups_denied;        /* setgroups(2) is denied in the user namespace */
	uint32_t securebits, umask;
	uint32_t limits;       /* bit of each rlimit that is set */
	uint64_t caps, ambient;
	uint64_t soft[RLIMITS], hard[RLIMITS];
	uint32_t filter;       /* instructions of the filter of system calls, 0 = none; they follow the message's head, */
	uint32_t answers;      /* and these them: what the holder answers when the filter asks it, */
	uint32_t otherwise;    /* and to all other calls */
	uint32_t listens;      /* the filter does ask */
	uint32_t fences;       /* a set of Landlock's rules comes among the descriptors; and */
	uint32_t labels;       /* the host's /proc, below which is the file that takes */
	char label_file[32], label[WIRE_LABEL];        /* this security label for execve(2) */
};

/* Calls as in struct seccomp_data. error: errno, 0 = go on. */
struct wire_answer {
	uint32_t arch, nr, error;
};

/* Request: type, and the job whose calls are asked for (their notes are forgotten then). Answer: the header and n calls. */
struct wire_ask {
	uint32_t type;
	int32_t job;
};
struct wire_call {
	uint32_t arch, nr, error, count;
};
struct wire_calls {
	uint32_t type, n;
	struct wire_call calls[];
};

enum { SPAWN_DETACHED = 1, SPAWN_PTY = 2 };

/* Descriptors: standard input, output, error (each absent where the pty takes its place: bits of `on_pty`), then control group entries
 * (`groups` of them; bit i of `group_dirs`: it is a directory for CLONE_INTO_CGROUP, else a tasks file), then those of the privileges. */
struct wire_spawn {
	uint32_t type, flags;
	uint32_t on_pty;
	uint32_t groups, group_dirs;
	uint16_t rows, columns;
	uint32_t argc, envc;
	struct wire_privileges privileges;
	uint32_t size;         /* of the strings that follow the filter: working directory, arguments, environment, each ended by NUL */
};

#define CALL_LABEL "write(attr/exec)"  /* that one may fail for a reason of its own */
enum { STAGE_DONE, STAGE_PTY, STAGE_CLONE, STAGE_SETUP, STAGE_CHDIR, STAGE_EXEC };

/* With the pty's master and then a pidfd of the program as descriptors when it was started. */
struct wire_started {
	uint32_t type;
	uint32_t stage;        /* where it failed; STAGE_DONE: it runs */
	int32_t number;        /* errno */
	int32_t job, pid;      /* pid: as the holder sees it */
	char call[40];
};

struct wire_ended {
	uint32_t type;
	int32_t job, status;   /* as waitpid(2) gives it */
};

struct wire_job {
	int32_t job, pid, status;
	uint8_t ended, detached;
	char command[54];
};

/* Request: type only. Answer: the header and n jobs. */
struct wire_jobs {
	uint32_t type, n;
	struct wire_job jobs[];
};

#endif
