/*
 * mnt_whole.c - the host's root for an ordinary user, put together from its directories
 *
 * In a mount namespace that belongs to a child user namespace all mounts are locked together, so what they cover can't be uncovered, and an
 * overlay with "/" below is refused. Directories that have no mount below them are not concerned. So the root is a small tmpfs with the host's
 * links, an overlay for each such directory, and the others as they are, read-only. All upper layers lie in one tmpfs of the asked size.
 *
 * It is put together in a workshop, where belljar's memory is shared and nothing is allocated.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"
#include "kern/sys.h"

enum { ROOT_SIZE = 1 << 20 };

struct whole {
	char **names;          /* directories of "/" */
	size_t n;
	int top, store;        /* detached: the root, and what holds the upper layers (-1: read-only) */
	int tree;              /* the result */
};

/* belljar mounts these itself. */
static bool is_own(const char *name)
{
	return streq(name, ".") || streq(name, "..") || streq(name, "proc") || streq(name, "dev") || streq(name, "sys");
}

/* The host's directories into W, its links into the new root. */
static int list_root(struct whole *w, struct err *err)
{
	DIR *list = opendir("/");
	struct dirent *e;
	int failed = 0;

	if (!list)
		return err_set(err, errno, "/: can't be read");
	while (!failed && (e = readdir(list))) {
		char target[PATH_MAX];
		struct stat st;
		ssize_t n;
		if (is_own(e->d_name) || fstatat(dirfd(list), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			*GROW(&w->names, &w->n) = xstrdup(e->d_name);
		} else if (S_ISLNK(st.st_mode) && (n = readlinkat(dirfd(list), e->d_name, target, sizeof target - 1)) > 0) {
			target[n] = '\0';
			failed = symlinkat(target, w->top, e->d_name);
		}
	}
	int number = errno;
	closedir(list);
	return failed < 0 ? err_set(err, number, "/: its links can't be made") : 0;
}

static int make_part(int store, const char *name, const struct stat *like, const char *part)
{
	char path[NAME_MAX + 8];

	snprintf(path, sizeof path, "%s/%s", name, part);
	if (mkdirat(store, path, 0700) < 0 || fchmodat(store, path, like->st_mode & 07777, 0) < 0)
		return -1;
	return openat(store, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The overlay over the directory DIR; -1 with errno. */
static int overlay_part(const struct whole *w, int dir, const char *name)
{
	char lower[32], upper[32], work[32];
	struct stat st;

	if (fstat(dir, &st) < 0 || mkdirat(w->store, name, 0700) < 0)
		return -1;
	_cleanup_close_ int up = make_part(w->store, name, &st, "upper"), at = make_part(w->store, name, &st, "work"), fs = sys_fsopen("overlay");
	snprintf(lower, sizeof lower, "/proc/self/fd/%d", dir);
	snprintf(upper, sizeof upper, "/proc/self/fd/%d", up);
	snprintf(work, sizeof work, "/proc/self/fd/%d", at);
	if (up < 0 || at < 0 || fs < 0 || sys_fsconfig(fs, SYS_CONFIG_STRING, "source", name) < 0 ||
	    sys_fsconfig(fs, SYS_CONFIG_STRING, "lowerdir", lower) < 0 || sys_fsconfig(fs, SYS_CONFIG_STRING, "upperdir", upper) < 0 ||
	    sys_fsconfig(fs, SYS_CONFIG_STRING, "workdir", work) < 0 || sys_fsconfig(fs, SYS_CONFIG_FLAG, "userxattr", NULL) < 0 ||
	    sys_fsconfig(fs, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return -1;
	return sys_fsmount(fs, 0);
}

/* The directory with all that is mounted below it, read-only. */
static int show_part(int dir)
{
	struct sys_mount_attr attr = { .set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };
	_cleanup_close_ int tree = sys_open_tree(dir, "", SYS_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);

	if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0)
		return -1;
	return move_fd(&tree);
}

static int add_part(const struct whole *w, const char *name, struct err *err)
{
	char path[NAME_MAX + 2];

	snprintf(path, sizeof path, "/%s", name);
	_cleanup_close_ int dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be opened", path);
	_cleanup_close_ int mount = w->store >= 0 ? overlay_part(w, dir, name) : -1;
	if (mount < 0 && w->store >= 0 && errno != EINVAL)
		return err_set(err, errno, "%s: no overlay can be made over it", path);
	if (mount < 0)
		mount = show_part(dir);
	if (mount < 0 || mkdirat(w->top, name, 0755) < 0 || sys_move_mount(mount, "", w->top, name, SYS_MOVE_FROM_FD) < 0)
		return err_set(err, errno, "%s: can't be shown in the new root", path);
	return 0;
}

static int put_together(void *arg, struct err *err)
{
	struct whole *w = arg;
	_cleanup_close_ int root = mnt_alone(err);

	if (root < 0)
		return -1;
	if ((w->store >= 0 && sys_move_mount(w->store, "", root, "", SYS_MOVE_FROM_FD | SYS_MOVE_TO_FD) < 0) ||
	    sys_move_mount(w->top, "", root, "", SYS_MOVE_FROM_FD | SYS_MOVE_TO_FD) < 0)
		return err_set(err, errno, "the new root can't be put together");
	for (size_t i = 0; i < w->n; i++)
		if (add_part(w, w->names[i], err) < 0)
			return -1;
	w->tree = sys_open_tree(w->top, "", SYS_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
	return w->tree < 0 ? err_set(err, errno, "the new root can't be put together") : 0;
}

int mnt_make_whole(int64_t size, bool read_only, const struct mnt_owner *o, int *upper, struct err *err)
{
	static const char *const own[] = { "proc", "dev", "sys" };
	struct whole w = { .top = -1, .store = -1, .tree = -1 };
	mode_t old = umask(0);
	bool made = (w.top = mnt_tmpfs(ROOT_SIZE, 0755, o, err)) >= 0;

	for (size_t i = 0; made && i < ARRAY_SIZE(own); i++)
		if (mkdirat(w.top, own[i], 0755) < 0)
			made = err_set(err, errno, "/%s: can't be made", own[i]) == 0;
	if (made && !read_only)
		made = (w.store = mnt_tmpfs(size, 0700, o, err)) >= 0;
	if (made && list_root(&w, err) == 0)
		mnt_workshop(put_together, &w, err);
	umask(old);
	for (size_t i = 0; i < w.n; i++)
		free(w.names[i]);
	free(w.names);
	close_fd(&w.top);
	if (w.tree >= 0)
		*upper = move_fd(&w.store);
	close_fd(&w.store);
	return w.tree;
}
