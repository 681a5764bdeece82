/*
 * mnt.c - mounts attached inside a sandbox, and the paths they are attached at
 *
 * All of this runs in the joined child (joined.h), which has entered the mount namespace and shares belljar's memory: nothing is allocated.
 * What lies inside is hostile: a path is resolved once, beneath the root, to a descriptor, and everything else is done with that.
 *
 * The root meant is the topmost mount on "/". While a new root is being put together it lies over the old one, on which the child and the
 * holder still stand; "/.." is how a process gets from its root to what is mounted over it. Of a place whose holder was locked into a directory
 * with chroot it is that directory.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/holder.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"
#include "kern/step.h"
#include "kern/sys.h"

int mnt_top(const struct place *p, struct err *err)
{
	int fd = p->jail >= 0 ? fcntl(p->jail, F_DUPFD_CLOEXEC, 3) : open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(err, errno, "/: can't be opened") : fd;
}

int mnt_beneath(int root, const char *path, uint64_t flags, uint64_t mode, uint64_t more)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | more };
	int fd;

	/* Something is being renamed inside just now: the kernel can't be sure that it stayed beneath. */
	for (int i = 0; i < 64; i++)
		if ((fd = sys_openat2(root, path, &how)) >= 0 || errno != EAGAIN)
			return fd;
	return -1;
}

int mnt_no_target(const struct place *p, const char *path, struct err *err)
{
	int number = errno;

	switch (number) {
	case ENOENT:
		return err_set(err, number, "%s: there is no such file or directory in %s", path, p->name);
	case ELOOP:
		err_set(err, number, "%s: it is a symbolic link in %s, or leads through one", path, p->name);
		return err_why(err, "what is inside the root could lead elsewhere that way");
	case ENOTDIR:
		return err_set(err, number, "%s: it is no directory in %s, or leads through a file", path, p->name);
	default:
		return err_set(err, number, "%s: can't be opened in %s", path, p->name);
	}
}

static int open_target(const struct step *s, uint64_t more, uint64_t flags, struct err *err)
{
	_cleanup_close_ int root = mnt_top(s->place, err);

	if (root < 0)
		return -1;
	int fd = mnt_beneath(root, s->to, O_PATH | flags, 0, more);
	return fd < 0 ? mnt_no_target(s->place, s->to, err) : fd;
}

/* Split S->to into the directory that holds its last part, opened, and that part. A name of ".." or nothing is refused. With LINKS the
 * directory may be reached through symbolic links (which stay inside). */
static int open_parent(const struct step *s, char name[NAME_MAX + 1], struct err *err)
{
	char path[PATH_MAX];
	size_t n = strlen(s->to);

	while (n > 1 && s->to[n - 1] == '/')
		n--;
	if (n >= sizeof path)
		return err_set(err, ENAMETOOLONG, "%.100s...: the path is too long", s->to);
	memcpy(path, s->to, n);
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	if (!*last || streq(last, ".") || streq(last, "..") || strlen(last) > NAME_MAX)
		return err_set(err, EINVAL, "%s: no name that could be made or removed", s->to);
	memcpy(name, last, strlen(last) + 1);
	if (slash)
		slash[slash == path ? 1 : 0] = '\0';
	_cleanup_close_ int root = mnt_top(s->place, err);
	if (root < 0)
		return -1;
	int fd = mnt_beneath(root, slash ? path : "/", O_PATH | O_DIRECTORY, 0, 0);
	return fd < 0 ? mnt_no_target(s->place, path, err) : fd;
}

/* Attaching. */

int mnt_attach_at(const struct step *s, int mount, int target, struct err *err)
{
	if (sys_move_mount(mount, "", target, "", SYS_MOVE_FROM_FD | SYS_MOVE_TO_FD) == 0)
		return 0;
	int number = errno;
	err_set(err, number, "%s: can't be mounted on in %s", s->to, s->place->name);
	if (number == ENOTDIR || number == EINVAL)
		err_why(err, "a directory can only be mounted on a directory, and a file only on a file");
	return -1;
}

/* A bind of something that is inside already. */
static int bind_inside(struct step *s, struct err *err)
{
	struct sys_mount_attr attr = { .set = s->flags, .propagation = MS_PRIVATE };
	unsigned recursive = s->fd[0] == 1 ? AT_RECURSIVE : 0;
	_cleanup_close_ int root = mnt_top(s->place, err);

	if (root < 0)
		return -1;
	_cleanup_close_ int from = mnt_beneath(root, s->from, O_PATH, 0, 0);
	if (from < 0)
		return mnt_no_target(s->place, s->from, err);
	_cleanup_close_ int tree = sys_open_tree(from, "", SYS_TREE_CLONE | AT_EMPTY_PATH | recursive);
	if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attr) < 0)
		return err_set(err, errno, "%s: can't be shown in another place of %s", s->from, s->place->name);
	return move_fd(&tree);
}

/* These two must be what they seem: programs inside trust them, and belljar writes the links of /dev. */
static bool wants_plain_directory(const struct step *s)
{
	return s->kind == STEP_DEVICES || (s->kind == STEP_MOUNT && (streq(s->what, "proc") || streq(s->what, "sysfs")));
}

int mnt_attach(struct step *s, int fd, struct err *err)
{
	bool plain = wants_plain_directory(s);
	_cleanup_close_ int made = -1;
	_cleanup_close_ int target = -1;

	if (s->kind == STEP_BIND && s->num == 1)
		fd = made = bind_inside(s, err);
	if (fd < 0)
		return -1;
	target = streq(s->to, "/") ? mnt_top(s->place, err) : open_target(s, plain ? RESOLVE_NO_SYMLINKS : 0, plain ? O_DIRECTORY : 0, err);
	if (target < 0 || mnt_attach_at(s, fd, target, err) < 0)
		return -1;
	if (s->kind == STEP_DEVICES && mnt_finish_devices(fd, s->place, s->old_num, err) < 0) {
		struct err ignored;
		mnt_umount(&(struct step){ .kind = STEP_UMOUNT, .place = s->place, .to = s->to, .num = MNT_DETACH }, -1, &ignored);
		return -1;
	}
	return 0;
}

/* Unmounting: by the name in the directory that holds the mount point, because a descriptor of the mount itself would keep it busy. */

static bool is_mount_root(int dir, const char *name)
{
	struct statx st;

	return statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 &&
	       (!(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) || (st.stx_attributes & STATX_ATTR_MOUNT_ROOT));
}

static int umount_top(const struct step *s, struct err *err)
{
	_cleanup_close_ int root = mnt_top(s->place, err);

	if (root < 0)
		return -1;
	if (!(s->num & MNT_DETACH))
		return err_set(err, EBUSY, "/: it is the root of %s and can't be unmounted", s->place->name);
	if (fchdir(root) < 0 || umount2(".", (int)s->num) < 0)
		return err_set(err, errno, "/: can't be unmounted in %s", s->place->name);
	return 0;
}

int mnt_umount(struct step *s, int fd, struct err *err)
{
	char name[NAME_MAX + 1];

	(void)fd;
	if (streq(s->to, "/"))
		return umount_top(s, err);
	_cleanup_close_ int parent = open_parent(s, name, err);
	if (parent < 0)
		return -1;
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mnt_no_target(s->place, s->to, err);
	if (!is_mount_root(parent, name)) {
		err_set(err, EINVAL, "%s: nothing is mounted there in %s", s->to, s->place->name);
		return err_try(err, "mounts");
	}
	if (fchdir(parent) == 0 && umount2(name, (int)s->num | UMOUNT_NOFOLLOW) == 0)
		return 0;
	int number = errno;
	err_set(err, number, "%s: can't be unmounted in %s", s->to, s->place->name);
	if (number == EBUSY) {
		err_why(err, "a program inside has a file or its working directory in it, or something else is mounted below");
		err_try(err, "umount %s lazy", s->to);
	} else if (number == EINVAL) {
		err_why(err, "it was there when the mount namespace was made, and is locked to what it covers");
	}
	return -1;
}

int mnt_propagate(struct step *s, int fd, struct err *err)
{
	(void)fd;
	if (mount(NULL, s->to, NULL, s->flags, NULL) < 0)
		return err_set(err, errno, "%s: can't cut %s's mounts off from the host's", s->to, s->place->name);
	return 0;
}

/* Changes to a mount that is there. */

static int open_mount(struct step *s, struct err *err)
{
	_cleanup_close_ int fd = open_target(s, 0, 0, err);
	struct statx st;

	if (fd < 0)
		return -1;
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 && (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	    !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		err_set(err, EINVAL, "%s: nothing is mounted there in %s", s->to, s->place->name);
		return err_try(err, "mounts");
	}
	return move_fd(&fd);
}

int mnt_remount(struct step *s, int fd, struct err *err)
{
	struct sys_mount_attr attr = { .set = s->flags, .clear = (uint64_t)s->num };
	_cleanup_close_ int mount = open_mount(s, err);
	struct statvfs st;

	(void)fd;
	if (mount < 0)
		return -1;
	/* The flags of statvfs that are meant are the same bits. */
	s->old_num = fstatvfs(mount, &st) == 0 ? (int64_t)(st.f_flag & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)) : 0;
	if (sys_mount_setattr(mount, "", AT_EMPTY_PATH, &attr) == 0)
		return 0;
	int number = errno;
	err_set(err, number, "%s: the flags of the mount in %s can't be changed", s->to, s->place->name);
	if (number == EPERM)
		err_why(err, "it came from a mount namespace with more privileges, which locked them");
	else if (number == EBUSY)
		err_why(err, "a program has a file in it open for writing");
	return -1;
}

int mnt_propagation(struct step *s, int fd, struct err *err)
{
	struct sys_mount_attr attr = { .propagation = s->flags & ~(uint64_t)MS_REC };
	_cleanup_close_ int mount = open_mount(s, err);

	(void)fd;
	if (mount < 0)
		return -1;
	if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | (s->flags & MS_REC ? AT_RECURSIVE : 0), &attr) == 0)
		return 0;
	return err_set(err, errno, "%s: what is handed on at the mount in %s can't be changed", s->to, s->place->name);
}

/* Directories. S->old says what was made: the inode number of the last one, and how many of the parts of the path are new. */

static int make_as_is(int dir, const char *name, bool file, mode_t mode)
{
	if (!file)
		return mkdirat(dir, name, mode);
	_cleanup_close_ int made = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return made < 0 ? -1 : 0;
}

/* 1 made, 0 there already, -1 with errno. With a user namespace of the sandbox's own, what is made belongs to the owner of the directory it is
 * in: to belljar's root it would be nobody's inside, or, in an id-mapped mount, refused (EOVERFLOW). */
static int make_one(const struct step *s, int dir, const char *name, bool file)
{
	mode_t mode = (mode_t)s->num & 07777;
	struct stat st;
	int result = -1;

	/* The directories on the way to a file can be entered by whom may read it. */
	if (S_ISREG((mode_t)s->num) && !file)
		mode |= (mode & 0444) >> 2;

	errno = EACCES;
	if (s->place->own[NS_USER] && fstat(dir, &st) == 0) {
		mnt_become(st.st_uid, st.st_gid);
		result = make_as_is(dir, name, file, mode);
		int number = errno;
		mnt_become(geteuid(), getegid());
		errno = number;
	}
	/* Not even the owner may write there. */
	if (result < 0 && errno == EACCES)
		result = make_as_is(dir, name, file, mode);
	return result == 0 ? 1 : errno == EEXIST ? 0 : -1;
}

/* Make what is missing of S->to. PATH holds how far that went, *DIR the last part that is there, *MADE how many are new. */
static int make_path(const struct step *s, char path[PATH_MAX], int *dir, int *made, struct err *err)
{
	size_t len = strlen(s->to), end = 0;
	_cleanup_close_ int root = mnt_top(s->place, err);

	if (root < 0)
		return -1;
	if (len >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "%.100s...: the path is too long", s->to);
	*dir = fcntl(root, F_DUPFD_CLOEXEC, 3);
	while (end += strspn(s->to + end, "/"), end < len) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(s->to + end, "/");
		bool last = !s->to[end + n + strspn(s->to + end + n, "/")];

		if (n > NAME_MAX)
			return err_set(err, ENAMETOOLONG, "%.100s...: a part of the path is too long", s->to);
		memcpy(name, s->to + end, n);
		name[n] = '\0';
		end += n;
		memcpy(path, s->to, end);
		path[end] = '\0';
		/* What is missing is made by its name in a directory that was resolved beneath the root. */
		int next = mnt_beneath(root, path, O_PATH | (last ? 0 : O_DIRECTORY), 0, 0);
		if (next < 0 && errno == ENOENT) {
			int one = make_one(s, *dir, name, last && S_ISREG((mode_t)s->num));
			if (one < 0) {
				int number = errno;
				err_set(err, number, "%s: can't be made in %s", path, s->place->name);
				return number == EROFS ? err_why(err, "what is mounted there is read-only") : -1;
			}
			if (one == 0) {
				err_set(err, ELOOP, "%s: it is a symbolic link in %s that leads nowhere", path, s->place->name);
				return err_why(err, "links inside are followed inside, and nothing is made through them");
			}
			*made += one;
			next = mnt_beneath(*dir, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
		}
		if (next < 0)
			return mnt_no_target(s->place, path, err);
		close_fd(dir);
		*dir = next;
	}
	return 0;
}

int mnt_mkdir(struct step *s, int fd, struct err *err)
{
	char path[PATH_MAX] = "/";
	_cleanup_close_ int dir = -1;
	struct stat st;
	int made = 0;

	(void)fd;
	umask(0);
	s->old[0] = '\0';
	int result = make_path(s, path, &dir, &made, err);
	if (made && fstat(dir, &st) == 0)
		snprintf(s->old, sizeof s->old, "%ju %d", (uintmax_t)st.st_ino, made);
	if (result < 0 && made) {
		struct step undo = { .kind = STEP_RMDIR, .place = s->place, .to = path, .text = s->old };
		struct err ignored;
		mnt_rmdir(&undo, -1, &ignored);
	}
	return result;
}

/* S->text is the `old` of the step that made it: then only that very file or directory goes, and the parents made with it. Directories
 * that were filled meanwhile stay. */
int mnt_rmdir(struct step *s, int fd, struct err *err)
{
	char path[PATH_MAX], name[NAME_MAX + 1], *rest = NULL;
	uintmax_t inode = s->text ? strtoumax(s->text, &rest, 10) : 0;
	long parts = rest ? strtol(rest, NULL, 10) : 1;
	struct step part = *s;

	(void)fd;
	if (strlen(s->to) >= sizeof path)
		return err_set(err, ENAMETOOLONG, "%.100s...: the path is too long", s->to);
	memcpy(path, s->to, strlen(s->to) + 1);
	part.to = path;
	for (long i = 0; i < parts; i++) {
		struct stat st;
		_cleanup_close_ int parent = open_parent(&part, name, err);
		if (parent < 0)
			return -1;
		if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : mnt_no_target(s->place, path, err);
		if (i == 0 && s->text && st.st_ino != inode)
			return 0;
		bool file = i == 0 && s->text && S_ISREG(st.st_mode) && st.st_size == 0;
		if (unlinkat(parent, name, file ? 0 : AT_REMOVEDIR) < 0) {
			if (s->text && (errno == ENOTEMPTY || errno == EBUSY || errno == ENOTDIR))
				return 0;
			return err_set(err, errno, "%s: can't be removed in %s", path, s->place->name);
		}
		/* On to the directory it was in. */
		size_t n = strlen(path);
		while (n && path[n - 1] == '/')
			n--;
		while (n && path[n - 1] != '/')
			n--;
		path[n] = '\0';
	}
	return 0;
}

/* The new root. */

int mnt_holder_root(const struct place *p, struct err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/root", (int)p->pid);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "%s: can't find its first process's root", p->name) : fd;
}

int mnt_make_pivot(struct step *s, int *fd, struct err *err)
{
	*fd = mnt_holder_root(s->place, err);
	return *fd < 0 ? -1 : 0;
}

int mnt_chroot(struct step *s, int fd, struct err *err)
{
	struct wire_act act = { .op = WIRE_CHROOT, .fd = 1 };
	_cleanup_close_ int root = mnt_holder_root(s->place, err);
	size_t done;

	(void)fd;
	if (root < 0)
		return -1;
	_cleanup_close_ int dir = mnt_beneath(root, s->to, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	if (dir < 0)
		return mnt_no_target(s->place, s->to, err);
	if (holder_batch(s->place, &act, 1, &dir, 1, &done, err) < 0)
		return -1;
	s->place->jail = move_fd(&dir);
	return 0;
}

int mnt_pivot(struct step *s, int fd, struct err *err)
{
	/* pivot_root moves the processes that stand on the caller's root, and the holder must be one of them. */
	if (fchdir(fd) < 0 || chroot(".") < 0)
		return err_set(err, errno, "%s: can't stand where its first process stands", s->place->name);
	_cleanup_close_ int new_root = mnt_top(s->place, err);
	if (new_root < 0)
		return -1;
	if (fchdir(new_root) < 0 || sys_pivot_root(".", ".") < 0) {
		int number = errno;
		err_set(err, number, "%s: the root can't be changed", s->place->name);
		if (number == EBUSY)
			err_why(err, "nothing is mounted over the old root");
		else if (number == EINVAL)
			err_why(err, "the root's mount is shared with another mount namespace");
		return -1;
	}
	/* Now the old root lies over the new one, and "." is it. */
	if (umount2(".", MNT_DETACH) < 0)
		return err_set(err, errno, "%s: can't let go of the old root", s->place->name);
	return 0;
}
