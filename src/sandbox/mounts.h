/*
 * mounts.h - mounts of a sandbox that live: their flags, what they hand on, how they stand to one another; and volumes
 */
#ifndef SANDBOX_MOUNTS_H
#define SANDBOX_MOUNTS_H

#include "kern/mnt.h"
#include "sandbox/session.h"

/* Change flags (MOUNT_ATTR_*) of the mount at TO: it gets SET and loses CLEAR. */
int mounts_flags(struct sandbox *sb, const char *to, uint64_t set, uint64_t clear, struct err *err);

/* What the mount at TO, or with RECURSIVE all below it too, hands on: KIND is private, slave, shared or unbindable. */
int mounts_propagate(struct sandbox *sb, const char *to, const char *kind, bool recursive, struct err *err);

/* A union of the layers of WISH at TO. */
int mounts_overlay(struct sandbox *sb, const char *to, const struct root_wish *wish, struct err *err);

/* The mount table as a tree. */
struct mounts_row {
	const struct mnt_info *info;
	int depth;             /* 0: the root */
	bool last;             /* of its parent's children */
	bool locked;           /* it came with the namespace, and can't be taken away alone */
	const struct mnt_info *covered;        /* by this mount, so that it can't be reached; NULL = it can */
	char *peers, *masters; /* "host:/mnt b:/mnt": who gets what is mounted in it, and whose mounts appear in it; "" = nobody known */
};
struct mounts_tree {
	struct mnt_info *mounts;
	struct mounts_row *rows;       /* a mount before those in it */
	size_t n;
};
int mounts_tree(struct sandbox *sb, struct mounts_tree *tree, struct err *err);
void mounts_free_tree(struct mounts_tree *tree);

/*
 * Volumes: directories with names, in $BELLJAR_VOLUMES, else /var/lib/belljar/volumes, for others than root $XDG_DATA_HOME/belljar/volumes or
 * ~/.local/share/belljar/volumes. They outlive sandboxes and sessions.
 */

/* Show the volume NAME, made unless it is there, at TO. */
int volume_mount(struct sandbox *sb, const char *name, const char *to, uint64_t attributes, struct err *err);

struct volume {
	char *name, *path;
	int64_t bytes, files;
	char *used;            /* sandboxes of this session that have it mounted: "web db" */
};
int volume_list(struct session *s, struct volume **volumes, size_t *n, struct err *err);
void volume_free(struct volume *volumes, size_t n);

/* Remove it with all that is in it; refused while a sandbox of this session has it mounted. */
int volume_remove(struct session *s, const char *name, struct err *err);

#endif
