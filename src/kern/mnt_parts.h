/*
 * mnt_parts.h - what the files mnt*.c share, for them only
 */
#ifndef KERN_MNT_PARTS_H
#define KERN_MNT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct place;
struct step;

/* Does belljar run as root of the machine's first user namespace? Elsewhere the kernel locks mounts and keeps trusted.* attributes back. */
bool mnt_privileged(void);

/* A detached mount of TYPE from SOURCE (or NULL) with OPTIONS ("key=value,key", a backslash keeps the next character; or NULL) and the
 * attributes MOUNT_ATTR_*. The descriptor, or -1 with err, which holds the kernel's own words. Does not allocate. */
int mnt_filesystem(const char *type, const char *source, const char *options, uint64_t attributes, struct err *err);

/* The same in two halves: the file system's context (-1 with err), which holds the maker's namespaces, and the mount from it. */
int mnt_open_type(const char *type, struct err *err);
int mnt_configure(int fs, const char *type, const char *source, const char *options, uint64_t attributes, struct err *err);

/* The kernel's messages about a file system being made, put behind the error's text. */
void mnt_log(int fs, struct err *err);

/* Inside (mnt.c): the root; PATH beneath the directory ROOT, with open(2)'s FLAGS and MODE, MORE being RESOLVE_* beside those that keep it in
 * (-1 with errno); why PATH can't be opened, from errno (-1); and the detached mount MOUNT attached to S->to, which is open as TARGET. */
int mnt_top(const struct place *p, struct err *err);
int mnt_beneath(int root, const char *path, uint64_t flags, uint64_t mode, uint64_t more);
int mnt_no_target(const struct place *p, const char *path, struct err *err);
int mnt_attach_at(const struct step *s, int mount, int target, struct err *err);

/* Lines of a user namespace's map. OUTSIDE of an id inside; false when it is not mapped. */
enum { MNT_ID_RANGES = 340 };
struct mnt_id_range {
	uint32_t inside, outside, count;
};
size_t mnt_id_ranges(const struct place *p, const char *map, struct mnt_id_range ranges[MNT_ID_RANGES]);
bool mnt_id_outside(const struct mnt_id_range *ranges, size_t n, int64_t inside, uint32_t *outside);

/* Who is root inside a place, as belljar numbers users. */
struct mnt_owner {
	bool other;            /* somebody else than root here: its user namespace has a map that says so */
	uint32_t uid, gid;
	int userns;            /* the place's descriptor of that namespace; -1 unless `other` */
	const struct place *place;
};
struct mnt_owner mnt_owner(const struct place *p);

/* Give the owners in the detached mount TREE the numbers of O's namespace. 0, or -1 with errno: not every file system can (from 6.3 tmpfs
 * can; overlay can't), and only the owner of a file system may. */
int mnt_give(int tree, const struct mnt_owner *o, bool recursive);

/* Files that this process makes from now on belong to these. Until it is itself again (geteuid, getegid) it has no privileges over other
 * users' files. */
void mnt_become(uint32_t uid, uint32_t gid);

/* The same with all privileges kept. */
void mnt_become_able(uint32_t uid, uint32_t gid);

/* A detached tmpfs of at most SIZE bytes, with a number of files that fits the size; its root has MODE and is O's. */
int mnt_tmpfs(int64_t size, unsigned mode, const struct mnt_owner *o, struct err *err);
int64_t mnt_tmpfs_files(int64_t size);

/* The value of the option KEY in OPTIONS, unescaped. false when it is not there. */
enum { MNT_OPTION_LONGEST = 4096 };
bool mnt_option(const char *options, const char *key, char value[MNT_OPTION_LONGEST]);

/* The number behind "size=" in the options of an overlay; OTHERWISE when it is not there. -1 with err when it is none. */
int64_t mnt_size(const char *options, int64_t otherwise, struct err *err);

/* A layer of an overlay: a directory of the host, opened, with the path it was opened by; or a detached mount, without a path. */
struct mnt_layer {
	int fd;
	const char *path;
	bool kept;             /* one of belljar's own making: the descriptor is not the caller's, and is the same one afterwards */
};

/* A detached overlay of N lower layers, the first on top, and an upper layer in the detached mount UPPER (-1: read-only). SOURCE is what
 * the mount table shows. AS (or NULL) is who the overlay acts as in its upper layer, for one that is shown shifted: root's number is none
 * there. */
int mnt_overlay(const struct mnt_layer *lowers, size_t n, int upper, const struct mnt_owner *as, const char *source, struct err *err);

/* Have FN done in a child that shares belljar's memory and descriptors and can enter a mount namespace of its own with mnt_alone (which cuts
 * it off from the host's, and returns its "/" to attach things to). Mounts attached there end with it. */
int mnt_workshop(int (*fn)(void *arg, struct err *err), void *arg, struct err *err);
int mnt_alone(struct err *err);

/* The overlay of step STEP_MOUNT; FROM and OPTIONS are the step's. READ_ONLY: it needs no upper layer. *UPPER: the mount that holds the upper
 * layer's directory "upper", the caller's to close; -1 = none. */
int mnt_make_overlay(const char *from, const char *options, bool read_only, const struct mnt_owner *o, int *upper, struct err *err);

/* The host's root in parts, for who may not lay an overlay over "/" (mnt_whole.c): a detached tree with at most SIZE bytes of writes, which
 * go to directories NAME/upper in *UPPER. */
int mnt_make_whole(int64_t size, bool read_only, const struct mnt_owner *o, int *upper, struct err *err);

/* The lower layers of SOURCE ("a:b" as in STEP_MOUNT), open, the topmost first. */
struct mnt_lowers {
	int *fds;
	size_t n;
};
int mnt_open_lowers(const struct place *p, const char *source, struct mnt_lowers *lowers, struct err *err);
void mnt_close_lowers(struct mnt_lowers *lowers);

/* The layers of belljar's own making, by name (mnt.h): detached mounts, kept for the next root, not the caller's. -1 with err. */
int mnt_base_tree(const struct mnt_owner *o, struct err *err);
int mnt_run_tree(const struct mnt_owner *o, struct err *err);
int mnt_busybox_tree(const char *program, const struct mnt_owner *o, struct err *err);

/* What the file systems of these two have in /etc: files for the sandbox's own to be mounted on. */
int mnt_put_etc(int root);

/* When the file system of STEP_DEVICES is in place at DEV: mount pts and shm in it, and mqueue where P has an ipc namespace. PTS_GROUP is the
 * group of terminals, -1 = leave it. Does not allocate. */
int mnt_finish_devices(int dev, const struct place *p, int64_t pts_group, struct err *err);

#endif
