/*
 * upper.h - the layers of a sandbox's root: what they are, and what was written to the upper one
 */
#ifndef SANDBOX_UPPER_H
#define SANDBOX_UPPER_H

#include "kern/mnt_changes.h"
#include "kern/mnt_disk.h"
#include "sandbox/session.h"

struct upper_layer {
	const char *kind;      /* upper, lower; or directory, for a root that is no union */
	char *what;            /* the word, or path, it was asked for with; "memory" */
	char *path;            /* the directory it is, NULL = none that has a name */
	int64_t bytes, files;  /* -1: not counted (the host's root) */
	int64_t most;          /* bytes that it may hold; 0 = what its file system can */
};
/* The layers, the topmost first; none of a sandbox with the host's root, or in a dry run. 0, or -1 with err. */
int upper_layers(struct sandbox *sb, struct upper_layer **layers, size_t *n, struct err *err);
void upper_free_layers(struct upper_layer *layers, size_t n);

/* What was changed in the root; none in a dry run. To be released with mnt_free_changes. */
int upper_changes(struct sandbox *sb, struct mnt_change **changes, size_t *n, struct err *err);

/* What may be written there, and what of it is left: bytes and files. 1 done, 0 it has no upper layer of a size of its own, -1 with err. */
int upper_room(struct sandbox *sb, struct mnt_room *room, struct err *err);

/* *SIZE becomes the size of the layer in memory as it is now (limit disk changes it); nothing happens for another layer. 0 or -1. */
int upper_size(struct sandbox *sb, int64_t *size, struct err *err);

/* Write the upper layer to PATH, which must not be there: an archive, or with DIRECTORY a directory. Of an archive *DIGEST is the caller's
 * and *BYTES what its files hold; NULL in a dry run. */
int upper_commit(struct sandbox *sb, const char *path, bool directory, char **digest, int64_t *bytes, struct err *err);

#endif
