/*
 * root.h - a sandbox's own root, and the mounts in it
 *
 * All of this needs a mount namespace of the sandbox's own. Paths inside are absolute and are resolved beneath its root.
 */
#ifndef SANDBOX_ROOT_H
#define SANDBOX_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/mnt.h"
#include "sandbox/session.h"
#include "sandbox/steps.h"

/* Give the sandbox another root, with /proc, /dev and (where it has a net namespace) /sys in it. Refused while programs run in it. Can't be
 * undone: the old root is let go of. */
int sandbox_root(struct sandbox *sb, const struct root_wish *wish, struct err *err);

/* Is there among the layers of its root a directory that can't be shown with the owners that users have inside? *LAYER is the sandbox's, *TYPE, of
 * its file system, the caller's. */
bool sandbox_root_unshifted(const struct sandbox *sb, const char **layer, char **type);

/* The same root anew, with nothing in its upper layer; what was mounted in it is gone. Refused while programs run. */
int sandbox_reset(struct sandbox *sb, struct err *err);

/* Add the steps that make /proc and /sys right for the namespaces the sandbox is going to be in (AFTER), with what is masked or read-only in
 * them now. */
void sandbox_settle(struct sandbox *sb, const struct place *after, struct steps *steps);

/* A file system of TYPE at TO. OPTIONS are separated by commas; those that belong to the mount (ro nosuid nodev noexec noatime) are told from
 * those of the file system. SOURCE may be NULL. What is missing of TO is made, if the sandbox has a root of its own. */
int sandbox_mount(struct sandbox *sb, const char *type, const char *source, const char *to, const char *options, struct err *err);

/* The MOUNT_ATTR_* that mount(8) calls WORD ("ro", "nosuid"); 0 when there is none. */
uint64_t sandbox_mount_attribute(const char *word);

/* FROM, on the host, at TO inside, with ATTRIBUTES (MOUNT_ATTR_*). IDMAP: with owners as the sandbox's user namespace maps them. */
int sandbox_bind(struct sandbox *sb, const char *from, const char *to, uint64_t attributes, bool recursive, bool idmap, struct err *err);

/* Its mount table; empty in a dry run. To be released with mnt_free. */
int sandbox_mounts(struct sandbox *sb, struct mnt_info **mounts, size_t *n, struct err *err);

int sandbox_umount(struct sandbox *sb, const char *to, bool lazy, struct err *err);

#endif
