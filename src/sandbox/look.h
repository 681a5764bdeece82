/*
 * look.h - what is true of a sandbox, read from the kernel
 */
#ifndef SANDBOX_LOOK_H
#define SANDBOX_LOOK_H

#include "sandbox/session.h"

struct look_process {
	pid_t pid, inner;      /* as belljar numbers it, and as the sandbox's pid namespace does */
	unsigned uid;          /* as belljar sees it */
	char state;
	bool ending;           /* beyond signals: its last thread is in exit(2), or it waits to be reaped */
	int cpu;               /* the processor that it is or was last on */
	char *cpus;            /* those that it may be on, "0-3"; NULL when that can't be read */
	char *command;
};

/* The processes of the sandbox, its holder left out, oldest first. */
int look_processes(struct sandbox *sb, struct look_process **processes, size_t *n, struct err *err);
void look_free_processes(struct look_process *processes, size_t n);

/* The process that has the number INNER inside, without its texts. 0, or -1 with err: there is none. */
int look_process(struct sandbox *sb, pid_t inner, struct look_process *process, struct err *err);

/* The number by which the kernel's tools name a namespace (its inode). SB NULL: belljar's own. 0 when it can't be read. */
unsigned long look_ns(const struct sandbox *sb, enum ns_kind k);

/* The user namespace a namespace belongs to, as that number; 0 when it can't be read. */
unsigned long look_owner(const struct sandbox *sb, enum ns_kind k);

/* The host name it sees. */
int look_hostname(struct sandbox *sb, char *name, size_t room, struct err *err);

/* Is something mounted exactly at PATH inside, of TYPE (NULL: any)? 1, 0, or -1 with err. */
int look_mounted(struct sandbox *sb, const char *path, const char *type, struct err *err);

/* Is there a link of that name in its net namespace, and is it up? 1, 0, or -1 with err. */
int look_link(struct sandbox *sb, const char *name, bool *up, struct err *err);

/* Does a program run in it? 1, 0, or -1 with err. */
int look_running(struct sandbox *sb, struct err *err);

#endif
