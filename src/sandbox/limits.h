/*
 * limits.h - a sandbox's control group: limits and figures
 */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "kern/cg.h"

struct err;
struct sandbox;

/* What is wanted: for memory and swap N bytes, for pids N processes, for cpu N microseconds in each 100 ms, INT64_MAX to lift the limit;
 * for cpus a list "0-1,3", NULL to lift it. */
struct limit_wish {
	enum cg_key key;
	int64_t n;
	const char *list;
};

enum { LIMIT_PERIOD_US = 100000 };

/* Set N limits: all of them, or none and -1 with err. The group is made if there is none; processes of the sandbox that run already
 * come under the limits too. */
int limits_set(struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err);

/* What is set for KEY now, read from the kernel. */
struct limit_now {
	int64_t n;             /* as in limit_wish; INT64_MAX = no limit */
	char words[4096];      /* what the control file says; "" when the group has no such file yet */
	char *file;            /* its path, or NULL when there is none on this machine; free it */
};
int limits_get(struct sandbox *sb, enum cg_key key, struct limit_now *now, struct err *err);

/* Figures of the sandbox's group; all absent (-1) when it has none. */
int limits_usage(struct sandbox *sb, struct cg_usage *usage, struct err *err);

#endif
