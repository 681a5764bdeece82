/*
 * mnt_mask.c - hiding parts of the root, or making them read-only
 *
 * The target is opened once, without following any link, and both what is looked at and what is mounted on is that descriptor: a name that is
 * swapped for a link meanwhile leads nowhere. What is mounted comes from the host, never from the root, whose /dev/null may be anything
 * (CVE-2025-31133), and is looked at before it is used.
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"
#include "kern/step.h"
#include "kern/sys.h"

enum { CAREFUL = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };

int mnt_make_mask(struct step *s, int *fd, struct err *err)
{
	struct sys_mount_attr attr = { .set = CAREFUL, .propagation = MS_PRIVATE };
	struct stat st;

	(void)s;
	_cleanup_close_ int null = sys_open_tree(AT_FDCWD, "/dev/null", SYS_TREE_CLONE);
	if (null < 0 || fstat(null, &st) < 0)
		return err_set(err, errno, "/dev/null: the host's can't be taken");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(err, ENODEV, "/dev/null: the host's is not the device it should be");
	if (sys_mount_setattr(null, "", AT_EMPTY_PATH, &attr) < 0)
		return err_set(err, errno, "/dev/null: its mount's attributes can't be changed");
	*fd = move_fd(&null);
	return 0;
}

/* S->to without following links. -2: it is missing, and may be. */
static int open_plain(const struct step *s, struct err *err)
{
	_cleanup_close_ int root = mnt_top(s->place, err);

	if (root < 0)
		return -1;
	int fd = mnt_beneath(root, s->to, O_PATH, 0, RESOLVE_NO_SYMLINKS);
	if (fd >= 0)
		return fd;
	return errno == ENOENT && (s->flags & 1) ? -2 : mnt_no_target(s->place, s->to, err);
}

static void done(struct step *s)
{
	memcpy(s->old, "1", 2);
}

int mnt_mask(struct step *s, int fd, struct err *err)
{
	_cleanup_close_ int made = -1;
	struct stat st;

	s->old[0] = '\0';
	_cleanup_close_ int target = open_plain(s, err);
	if (target < 0)
		return target == -2 ? 0 : -1;
	if (fstat(target, &st) < 0)
		return err_set(err, errno, "%s: can't be looked at in %s", s->to, s->place->name);
	if (S_ISDIR(st.st_mode)) {
		fd = made = mnt_filesystem("tmpfs", MNT_MASK, "size=4096,nr_inodes=2,mode=755", CAREFUL | MOUNT_ATTR_NODEV, err);
		if (fd < 0)
			return -1;
	}
	if (mnt_attach_at(s, fd, target, err) < 0)
		return -1;
	done(s);
	return 0;
}

int mnt_readonly(struct step *s, int fd, struct err *err)
{
	struct sys_mount_attr attr = { .set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };

	(void)fd;
	s->old[0] = '\0';
	_cleanup_close_ int target = open_plain(s, err);
	if (target < 0)
		return target == -2 ? 0 : -1;
	_cleanup_close_ int tree = sys_open_tree(target, "", SYS_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0)
		return err_set(err, errno, "%s: can't be made read-only in %s", s->to, s->place->name);
	if (mnt_attach_at(s, tree, target, err) < 0)
		return -1;
	done(s);
	return 0;
}

bool mnt_there(const struct place *p, const char *path)
{
	_cleanup_close_ int root = mnt_holder_root(p, NULL);
	_cleanup_close_ int fd = root < 0 ? -1 : mnt_beneath(root, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
	return fd >= 0;
}
