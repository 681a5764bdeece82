/*
 * filters.h - which system calls a sandbox's programs may make
 *
 * The filter is one of the sandbox's privileges (privileges.h, kern/filter.h): it holds for programs started from now on.
 */
#ifndef SANDBOX_FILTERS_H
#define SANDBOX_FILTERS_H

#include <stdio.h>

#include "sandbox/session.h"

/* Another filter: "default", "only" (no call but those added), NULL for none; or a profile in a file of the host. */
int filters_set(struct sandbox *sb, const char *base, struct err *err);
int filters_file(struct sandbox *sb, const char *path, struct err *err);

/* Change it: WHAT is "allow", "deny ERRNO", "log" or "notify". Without a filter all calls are allowed to begin with. */
int filters_add(struct sandbox *sb, const char *what, const char *const *calls, size_t n, struct err *err);

/* The capabilities that profiles ask for: those said for the sandbox's programs, or all. */
uint64_t filters_caps(const struct sandbox *sb);

/* In words, or as the instructions the kernel gets. */
int filters_tell(const struct sandbox *sb, FILE *out, struct err *err);
int filters_code(const struct sandbox *sb, FILE *out, struct err *err);

/* The calls that programs made while they were watched (run_want.learn) are added to what the sandbox has learned; and the filter that
 * allows just these. */
int filters_learn(struct sandbox *sb, int job, struct err *err);
int filters_lock(struct sandbox *sb, struct err *err);

/* What the filter did to a job's calls since this was last asked: "mount (EPERM, 2 times), bpf (EPERM)"; "" when nothing, the caller's to
 * free. NULL with err. */
char *filters_blocked(struct sandbox *sb, int job, struct err *err);

#endif
