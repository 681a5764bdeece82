/*
 * mnt_changes.h - what an upper layer says: which files of those below were changed, and how
 *
 * overlayfs keeps its facts as ordinary files and attributes (Documentation/filesystems/overlayfs.rst of the kernel): a deleted file is a
 * character device 0:0 (or, in newer kernels, an empty file with the attribute overlay.whiteout); a directory that hides what is below has
 * overlay.opaque; one that was renamed has overlay.redirect; what was copied up has overlay.origin. The attributes are trusted.*, without root user.*.
 */
#ifndef KERN_MNT_CHANGES_H
#define KERN_MNT_CHANGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kern/place.h"

struct err;
struct step;

struct mnt_change {
	enum mnt_change_kind { MNT_ADDED, MNT_MODIFIED, MNT_DELETED } kind;
	const char *how;       /* the mechanism, a word: whiteout, opaque, redirect, copy-up, metacopy, new, replaced */
	char *path;            /* inside, from "/" on */
	char *from;            /* of a redirect: where it was; else NULL */
	mode_t type;           /* S_IFREG and the like; of what is deleted 0 */
	int64_t size;          /* of a file, in bytes */
};

/* What is different in the root of P from the layers below, which are SOURCE as STEP_MOUNT has it; in order of paths, a directory before what
 * is in it. P->upper holds it. 0, or -1 with err. */
int mnt_changes(const struct place *p, const char *source, struct mnt_change **changes, size_t *n, struct err *err);
void mnt_free_changes(struct mnt_change *changes, size_t n);

/* Bytes and number of files in a layer: the upper one of P (PATH NULL), or the directory PATH, only the file system it is on. */
struct mnt_amount {
	int64_t bytes, files;
};
int mnt_measure(const struct place *p, const char *path, struct mnt_amount *amount, struct err *err);

/* STEP_COMMIT: see step.h. */
int mnt_commit(struct step *s, int fd, struct err *err);

#endif
