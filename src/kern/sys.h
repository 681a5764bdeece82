/*
 * sys.h - system calls and constants that C libraries don't have yet
 *
 * For belljar (glibc) and the holder (musl) alike; kernel 6.1 has all of them.
 */
#ifndef KERN_SYS_H
#define KERN_SYS_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>     /* struct open_how, RESOLVE_* */
#include <linux/sched.h>       /* struct clone_args, CLONE_INTO_CGROUP */

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Mounts as descriptors: fsopen(2) and the like, which came to the C library later than to the kernel (5.2 to 5.12). <linux/mount.h> can't
 * be had together with <sys/mount.h> everywhere, so what is used of it stands here. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_fspick
#define SYS_fspick 433
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 1
#define MOUNT_ATTR_NOSUID 2
#define MOUNT_ATTR_NODEV 4
#define MOUNT_ATTR_NOEXEC 8
#define MOUNT_ATTR_NOATIME 0x10
#endif
#ifndef MOUNT_ATTR_NODIRATIME
#define MOUNT_ATTR_NODIRATIME 0x80
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x100000
#endif

enum { SYS_CLOSE_UNSHARE = 2, SYS_CLOSE_ON_EXEC = 4 };         /* close_range(2) */
enum { SYS_TREE_CLONE = 1, SYS_MOVE_FROM_FD = 4, SYS_MOVE_TO_FD = 0x40 };
enum { SYS_CONFIG_FLAG = 0, SYS_CONFIG_STRING = 1, SYS_CONFIG_CREATE = 6, SYS_CONFIG_RECONFIGURE = 7 };

struct sys_mount_attr {
	uint64_t set, clear, propagation, userns;
};

static inline int sys_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
}

static inline int sys_fsconfig(int fs, unsigned what, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, what, key, value, 0);
}

static inline int sys_fsmount(int fs, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, attributes);
}

/* The file system of the mount FD, to be changed. */
static inline int sys_fspick(int fd)
{
	return (int)syscall(SYS_fspick, fd, "", 1 | 8 /* FSPICK_CLOEXEC, FSPICK_EMPTY_PATH */);
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags | O_CLOEXEC);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned flags, struct sys_mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, dir, path, flags, attr, sizeof *attr);
}

static inline int sys_openat2(int dir, const char *path, struct open_how *how)
{
	return (int)syscall(SYS_openat2, dir, path, how, sizeof *how);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

#endif
