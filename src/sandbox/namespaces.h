/*
 * namespaces.h - taking a sandbox apart from the host, kind by kind
 *
 * FLAGS are CLONE_NEW* bits. All functions build steps and hand them to the gate, and afterwards make /proc and /sys inside right
 * (sandbox_settle). On failure the sandbox is as it was before.
 */
#ifndef SANDBOX_NAMESPACES_H
#define SANDBOX_NAMESPACES_H

#include <stdint.h>

#include "sandbox/session.h"

/* New namespaces of the kinds in FLAGS; having one of its own already is an error. */
int sandbox_unshare(struct sandbox *sb, uint64_t flags, struct err *err);

/* Enter the namespaces of the kinds in FLAGS that another process or sandbox lives in, or the one a path names (then one kind).
 * FDS holds a descriptor for each kind, -1 elsewhere; WHOSE is how the user named them. */
int sandbox_join(struct sandbox *sb, uint64_t flags, const int fds[NS_KINDS], const char *whose, struct err *err);

/* Back to the host's. */
int sandbox_share(struct sandbox *sb, uint64_t flags, struct err *err);

struct id_range {
	uint32_t inside, outside, count;
};
enum { ID_RANGES = 340 };      /* the kernel's limit of lines (user_namespaces(7)) */

/* Write both maps; ranges are checked first. `sandbox_map_auto` takes the operator's subordinate ids, or for root without any a high
 * range of its own. */
int sandbox_map(struct sandbox *sb, const struct id_range *uids, size_t n_uids, const struct id_range *gids, size_t n_gids,
		struct err *err);
int sandbox_map_auto(struct sandbox *sb, struct err *err);

int sandbox_hostname(struct sandbox *sb, const char *name, struct err *err);

/* Shift a clock ("monotonic" or "boottime") by OFFSET ns. */
int sandbox_clock(struct sandbox *sb, const char *clock, int64_t offset, struct err *err);

/* Does a program run in it? Fills err with their number. */
int sandbox_idle(struct sandbox *sb, const char *what, struct err *err);

#endif
