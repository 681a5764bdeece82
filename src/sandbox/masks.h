/*
 * masks.h - what is hidden in a sandbox, or read-only
 *
 * A mask is a mount over its target, so the mount table is where it is known from. It goes with `umount`, and with another root. Where
 * belljar itself mounts /proc or /sys anew, it comes back.
 */
#ifndef SANDBOX_MASKS_H
#define SANDBOX_MASKS_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/session.h"

struct file_plan;

struct mask {
	char *path;            /* inside */
	bool readonly;         /* else hidden */
};

/* Those there are, in the order of the mount table. In a dry run those that would have been made. */
int masks_list(struct sandbox *sb, struct mask **list, size_t *n, struct err *err);
void masks_free(struct mask *list, size_t n);

/* Hide PATHS, or make them read-only. One that is already, stays as it is. A link, or a path that leads through one, is an error. */
int masks_add(struct sandbox *sb, const char *const *paths, size_t n, bool readonly, struct err *err);

/* What Docker hides and protects by default, as far as it is there; and /sys, which it mounts read-only. */
int masks_docker(struct sandbox *sb, struct err *err);

/* How many of them are there, and how many of these are neither hidden nor read-only as they would be. 0 or -1 with err. */
int masks_missing(struct sandbox *sb, size_t *there, size_t *missing, struct err *err);

/* The same in SB as in MODEL. */
int masks_like(struct sandbox *sb, struct sandbox *model, struct err *err);

/* Add the steps that make those below DIR again, which is mounted anew. */
void masks_again(struct file_plan *p, const char *dir);

#endif
