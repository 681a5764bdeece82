/*
 * mnt_cache.h - archives unpacked once
 *
 * An archive that is to be a layer is unpacked into a directory of the host's that only belljar's user can enter ($BELLJAR_CACHE; without it
 * /var/cache/belljar for root, $XDG_CACHE_HOME/belljar or ~/.cache/belljar for others), and stays there for the next time:
 *     layers/DIGEST/root      what was in the archive of that SHA-256, DIGEST/about where it came from
 *     files/KEY               a link to ../layers/DIGEST; KEY says which file that was, by device, inode, size and times
 *     filters/KEY             a filter of system calls that was compiled (filter_kept.c)
 * Where owners can't be shown shifted (mnt_owner.c), they are stored shifted: DIGEST and KEY then end in "-" and the shift.
 */
#ifndef KERN_MNT_CACHE_H
#define KERN_MNT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/archive.h"
#include "kern/place.h"

struct err;
struct step;

/* The cache's path, and that of NAME in it. The caller's to free. */
char *cache_path(void);
char *cache_below(const char *name);

/* The cache's directory, made unless it is there, or (CREATE false) only if it is. An error when it is not this user's alone: who can write there
 * has a say in what belljar does. -1 with err. */
int cache_open(bool create, struct err *err);

/* Have the cache there, and lock it: shared while layers are looked up and taken into use, alone while they are removed. The lock, which ends
 * with the descriptor, or -1 with err. */
int cache_lock(bool alone, struct err *err);

/* Where ARCHIVE, as a layer for the place P, is or will be found: files/KEY. The caller's; NULL with err when it is no file that could be an
 * archive. */
char *cache_key(const char *archive, const struct place *p, bool devices, struct err *err);

/* Is there something at files/KEY? Then DIGEST is the archive's. */
bool cache_has(const char *key, char digest[ARCHIVE_DIGEST]);

/* STEP_UNPACK: see step.h. */
int cache_unpack(struct step *s, int fd, struct err *err);

struct cache_entry {
	char *name;            /* DIGEST, and the shift */
	char *archive;         /* the path it came from */
	int64_t bytes, entries;
};
/* What is there, in order of name; free with cache_free. 0 or -1 with err. */
int cache_list(struct cache_entry **entries, size_t *n, struct err *err);
void cache_free(struct cache_entry *entries, size_t n);

/* Forget files whose layers were removed. */
void cache_tidy(void);

#endif
