/*
 * mnt_disk.h - how much the upper layer of a root may hold
 */
#ifndef KERN_MNT_DISK_H
#define KERN_MNT_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/place.h"

struct err;
struct step;
struct mnt_owner;

struct mnt_room {
	bool memory;           /* it is a tmpfs of the sandbox's own, whose size can be changed */
	int64_t total, free;   /* bytes */
	int64_t files, files_free;
};
/* Of what holds P->upper. 0, or -1 with err. */
int mnt_room(const struct place *p, struct mnt_room *room, struct err *err);

/* Of a directory of the host's that holds P->upper: what its project's quota leaves. false when it has none, or that can't be told. */
bool mnt_project_room(const struct place *p, struct mnt_room *room);

/* The number of the project that the directory PATH of the host's has (*OWN), or could have: one that nobody uses. 0, or -1 with err where its
 * file system has no project quotas. */
int mnt_project_find(const char *path, uint32_t *id, bool *own, struct err *err);

/* Steps: see step.h. */
int mnt_disk(struct step *s, int fd, struct err *err);
int mnt_project(struct step *s, int fd, struct err *err);
int mnt_no_project(struct step *s, int fd, struct err *err);

/* A detached ext4 of SIZE bytes in a file that has no name any more, whose root is O's. The file, and the loop device over it, go with the last
 * user of the mount. -1 with err. */
int mnt_image(int64_t size, const struct mnt_owner *o, struct err *err);

#endif
