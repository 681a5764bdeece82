/*
 * mnt.h - mounts: made as descriptors outside, attached inside
 *
 * Every mount is made detached on the host (fsopen, fsconfig, fsmount; open_tree) with the operator's privileges, and then attached by
 * descriptor inside the sandbox's mount namespace (move_mount). That works in a running sandbox, in every order of mnt and user
 * namespaces, and gives the file system's own error text. Targets are resolved beneath the sandbox's root (openat2 RESOLVE_IN_ROOT,
 * no magic links); a target that is a symbolic link is followed inside, never out.
 *
 * An overlay: from = lower directories on the host, the topmost first, separated by ':' (backslash escapes). The upper layer is a tmpfs that
 * is attached nowhere, of the size in text ("size=1048576", inodes bounded too), an ext4 in a file without a name ("image=1048576"), or the
 * directory `upper` of DIR ("upper=DIR"), which STEP_UPPER made; a read-only overlay of several layers has none. Two layers are belljar's own, and have names that no path has:
 * MNT_LAYER_BUSYBOX with the path of a static busybox behind it is a small tmpfs with that and a link for each applet; MNT_LAYER_BASE has
 * only what is to be mounted on.
 * proc, sysfs and mqueue show the namespaces of who makes them, so they are made by the joined child before it enters the mount namespace.
 */
#ifndef KERN_MNT_H
#define KERN_MNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kern/place.h"

struct err;
struct step;

#define MNT_LAYER_BASE "//base"
#define MNT_LAYER_RUN "//run"          /* hides the run directory of belljar in the host's root */
#define MNT_LAYER_BUSYBOX "//busybox:"

enum { MNT_BECOMES_ROOT = 2 };         /* num of STEP_MOUNT and STEP_BIND */

/* The source of a tmpfs that hides a directory, which the mount table shows. */
#define MNT_MASK "mask"

/* First halves (make, make_joined) and second halves (act) of the mount steps; see step_row. */
int mnt_make_mount(struct step *s, int *fd, struct err *err);
bool mnt_needs_joined(const struct step *s);
int mnt_make_joined(struct step *s, int *fd, struct err *err);
int mnt_make_bind(struct step *s, int *fd, struct err *err);
int mnt_make_devices(struct step *s, int *fd, struct err *err);
int mnt_attach(struct step *s, int fd, struct err *err);          /* STEP_MOUNT, STEP_BIND, STEP_DEVICES: at s->to */
int mnt_umount(struct step *s, int fd, struct err *err);
int mnt_propagate(struct step *s, int fd, struct err *err);       /* STEP_PRIVATE */
int mnt_remount(struct step *s, int fd, struct err *err);
int mnt_propagation(struct step *s, int fd, struct err *err);
int mnt_mkdir(struct step *s, int fd, struct err *err);
int mnt_rmdir(struct step *s, int fd, struct err *err);
int mnt_chroot(struct step *s, int fd, struct err *err);
int mnt_make_pivot(struct step *s, int *fd, struct err *err);    /* the holder's root, which is the one to be left */
int mnt_pivot(struct step *s, int fd, struct err *err);

int mnt_make_mask(struct step *s, int *fd, struct err *err);      /* the host's /dev/null, */
int mnt_mask(struct step *s, int fd, struct err *err);            /* STEP_MASK: over a file; an empty directory over a directory */
int mnt_readonly(struct step *s, int fd, struct err *err);        /* STEP_READONLY */

int mnt_upper(struct step *s, int fd, struct err *err);           /* STEP_UPPER, */
int mnt_no_upper(struct step *s, int fd, struct err *err);        /* and STEP_NO_UPPER */

/* The root of the place's first process, opened (O_PATH). -1 with err. */
int mnt_holder_root(const struct place *p, struct err *err);

/* Is there something at PATH in the root of the place's first process, reached without any link? */
bool mnt_there(const struct place *p, const char *path);

/* The mount table of a process (pid 0: belljar itself), in the kernel's order: what it can reach from its root, as /proc/PID/mountinfo has it. */
struct mnt_info {
	int id, parent;
	dev_t device;
	char *target, *type, *source, *options, *super, *propagation;   /* propagation: "shared:1 master:2" or "" */
	char *root;            /* which part of the file system */
};
/* The lines of TEXT that are well formed; TEXT is changed. */
void mnt_parse(char *text, struct mnt_info **mounts, size_t *n);
int mnt_list(pid_t pid, struct mnt_info **mounts, size_t *n, struct err *err);
/* Its two sources, which tell the same. From statmount: false where it can't be had, or would tell less. */
bool mnt_list_statmount(pid_t pid, struct mnt_info **mounts, size_t *n);
int mnt_list_mountinfo(pid_t pid, struct mnt_info **mounts, size_t *n, struct err *err);
void mnt_free(struct mnt_info *mounts, size_t n);

/* The type of the file system that PATH is on, if that can't be shown with the owners that users have in the place; the caller's. NULL: it can,
 * or nothing has to be shifted. */
char *mnt_unshifted(const struct place *p, const char *path);

/* The type of the file system that FD is on, as the mount table names it; the caller's, NULL when that can't be told. */
char *mnt_type_of(int fd);

#endif
