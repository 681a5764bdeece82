/*
 * privileges.h - what a sandbox's programs are not allowed to do
 *
 * The values (kern/privilege.h) hold for programs started from now on. Programs that run keep what they have, as the kernel wants it.
 */
#ifndef SANDBOX_PRIVILEGES_H
#define SANDBOX_PRIVILEGES_H

#include "kern/privilege.h"
#include "sandbox/session.h"

/* VALUE NULL: as the first process has it. */
int privileges_set(struct sandbox *sb, enum privilege key, const char *value, struct err *err);

/* Capabilities that programs can have from now on, and which of them without being root. In a dry run the kernel is not asked: all. */
uint64_t privileges_caps(const struct sandbox *sb);
uint64_t privileges_ambient(const struct sandbox *sb);

/* Give them just those in MASK. More than the first process has is an error. What an ambient set has beyond them is taken out of it. */
int privileges_set_caps(struct sandbox *sb, uint64_t mask, struct err *err);
int privileges_set_ambient(struct sandbox *sb, uint64_t mask, struct err *err);

/* One of the rlimits ("nofile"), its bounds "1024:4096", NULL as the first process has it; the others stay. */
int privileges_set_rlimit(struct sandbox *sb, int limit, const char *bounds, struct err *err);
/* Its bounds, or NULL when none are set; the caller's to free. */
char *privileges_rlimit(const struct sandbox *sb, int limit);

/* What programs may do with the file at PATH and all below it, in landlock.h's word; other paths stay as they are. */
struct privilege_path {
	const char *path, *access;
};
int privileges_allow(struct sandbox *sb, const struct privilege_path *paths, size_t n, struct err *err);

/* The user that programs get is another than root of the sandbox. */
unsigned privileges_user(const struct sandbox *sb);

/* What the kernel says a process has. */
struct privileges_now {
	uint64_t inheritable, permitted, effective, bounding, ambient;
	unsigned uid;                  /* effective; of a process as belljar numbers it, of the next program as the sandbox does */
	int no_new_privs, seccomp;     /* seccomp: mode, 0 none, 1 strict, 2 filter */
	unsigned long user_ns;         /* its user namespace, as its number; 0 when it can't be read */
};
int privileges_look(pid_t pid, struct privileges_now *now, struct err *err);

/* What the next program is going to have: what an execve(2) of the first process would leave, less what the sandbox's values take. */
int privileges_next(struct sandbox *sb, struct privileges_now *now, struct err *err);

#endif
