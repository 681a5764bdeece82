/*
 * mnt_overlay.c - overlays whose upper layer is attached nowhere
 *
 * The layers are given to the kernel as descriptors' names in /proc/self/fd, so no path needs escaping and each is resolved once. Kernels
 * before 6.15 want every layer to be a mount of the caller's own mount namespace. For those the overlay is made in a workshop: a child in
 * a mount namespace of its own, in which the detached layers are attached for a moment; the overlay keeps its layers when it goes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"
#include "kern/sys.h"

enum { LAYERS = 15 };          /* what fits in the 255 bytes of one option */
enum { SIZE_DEFAULT = 256 * 1024 * 1024 };

int mnt_alone(struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return err_set(err, errno, "can't get a mount namespace to prepare mounts in");
	/* What is attached here must not appear on the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(err, errno, "can't cut mounts off from the host's");
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? err_set(err, errno, "/: can't be opened") : root;
}

int mnt_workshop(int (*fn)(void *arg, struct err *err), void *arg, struct err *err)
{
	struct place host;

	place_init(&host, "host");
	return joined_run(&host, 0, 0, NULL, fn, arg, err);
}

struct overlay {
	const struct mnt_layer *lowers;
	size_t n;
	int upper;             /* a detached tmpfs, or -1 */
	int fds[LAYERS], up, work;
	const char *source;
	int mount;             /* the result */
};

/* One attempt with the layers as they are in o->fds; errno says why not. *FS is for the kernel's messages. */
static int try_overlay(struct overlay *o, int *fs)
{
	char lower[256] = "", upper[32], work[32];
	size_t used = 0;

	*fs = sys_fsopen("overlay");
	if (*fs < 0)
		return -1;
	for (size_t i = 0; i < o->n && used < sizeof lower; i++)
		used += (size_t)snprintf(lower + used, sizeof lower - used, "%s/proc/self/fd/%d", i ? ":" : "", o->fds[i]);
	if (used >= sizeof lower) {
		errno = E2BIG;
		return -1;
	}
	if (sys_fsconfig(*fs, SYS_CONFIG_STRING, "source", o->source) < 0 || sys_fsconfig(*fs, SYS_CONFIG_STRING, "lowerdir", lower) < 0)
		return -1;
	if (o->upper >= 0) {
		snprintf(upper, sizeof upper, "/proc/self/fd/%d", o->up);
		snprintf(work, sizeof work, "/proc/self/fd/%d", o->work);
		if (sys_fsconfig(*fs, SYS_CONFIG_STRING, "upperdir", upper) < 0 || sys_fsconfig(*fs, SYS_CONFIG_STRING, "workdir", work) < 0)
			return -1;
	}
	/* Without root, the marks of deleted files are kept in user.* attributes. */
	if (!mnt_privileged() && sys_fsconfig(*fs, SYS_CONFIG_FLAG, "userxattr", NULL) < 0)
		return -1;
	if (sys_fsconfig(*fs, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return -1;
	o->mount = sys_fsmount(*fs, 0);
	return o->mount < 0 ? -1 : 0;
}

static int attach_here(int mount, int root, struct err *err)
{
	if (sys_move_mount(mount, "", root, "", SYS_MOVE_FROM_FD | SYS_MOVE_TO_FD) < 0)
		return err_set(err, errno, "a layer can't be attached");
	return 0;
}

/* The same directory again, in this mount namespace. */
static int reopen(const struct mnt_layer *l, struct err *err)
{
	struct stat a, b;
	_cleanup_close_ int fd = open(l->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "%s: can't be opened", l->path);
	if (fstat(fd, &a) < 0 || fstat(l->fd, &b) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return err_set(err, ESTALE, "%s: it was replaced meanwhile", l->path);
	return move_fd(&fd);
}

/* The detached layers among the lowers are shared with others, so a copy of each takes its place: a mount that was attached here is used
 * up when this namespace goes. */
static int overlay_alone(void *arg, struct err *err)
{
	struct overlay *o = arg;
	_cleanup_close_ int root = mnt_alone(err);
	_cleanup_close_ int fs = -1;

	if (root < 0)
		return -1;
	for (size_t i = 0; i < o->n; i++) {
		const struct mnt_layer *l = &o->lowers[i];
		if (!l->path && attach_here(l->fd, root, err) < 0)
			return -1;
		o->fds[i] = l->path ? reopen(l, err) : l->fd;
		if (o->fds[i] < 0)
			return -1;
	}
	if (o->upper >= 0 && attach_here(o->upper, root, err) < 0)
		return -1;
	int result = try_overlay(o, &fs);
	if (result < 0) {
		err_set(err, errno, "%s: the overlay can't be made", o->source);
		mnt_log(fs, err);
	}
	for (size_t i = 0; i < o->n; i++) {
		const struct mnt_layer *l = &o->lowers[i];
		if (l->path) {
			close_fd(&o->fds[i]);
			continue;
		}
		_cleanup_close_ int again = sys_open_tree(l->fd, "", SYS_TREE_CLONE | AT_EMPTY_PATH);
		if (again < 0 || dup3(again, l->fd, O_CLOEXEC) < 0)
			return err_set(err, errno, "a layer can't be kept");
	}
	return result;
}

/* The root of an overlay has the owner and mode of the upper layer's. */
static int prepare_upper(int upper, int lower)
{
	struct stat st;

	if (fstat(lower, &st) < 0 || mkdirat(upper, "upper", 0700) < 0 || mkdirat(upper, "work", 0700) < 0)
		return -1;
	/* Where the owner has no number here, belljar's own stays. */
	if ((st.st_uid != geteuid() || st.st_gid != getegid()) && fchownat(upper, "upper", st.st_uid, st.st_gid, 0) < 0 && errno != EINVAL &&
	    errno != EPERM)
		return -1;
	return fchmodat(upper, "upper", st.st_mode & 07777, 0);
}

int mnt_overlay(const struct mnt_layer *lowers, size_t n, int upper, const char *source, struct err *err)
{
	struct overlay o = { .lowers = lowers, .n = n, .upper = upper, .up = -1, .work = -1, .source = source, .mount = -1 };
	_cleanup_close_ int up = -1;
	_cleanup_close_ int work = -1;
	_cleanup_close_ int fs = -1;

	if (n > LAYERS)
		return err_set(err, E2BIG, "%s: at most %d layers can lie below one another", source, LAYERS);
	if (upper >= 0) {
		if (prepare_upper(upper, lowers[0].fd) < 0)
			return err_set(err, errno, "%s: the upper layer can't be prepared", source);
		o.up = up = openat(upper, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
		o.work = work = openat(upper, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	for (size_t i = 0; i < n; i++)
		o.fds[i] = lowers[i].fd;
	if (try_overlay(&o, &fs) == 0)
		return o.mount;
	if (errno == EINVAL)
		return mnt_workshop(overlay_alone, &o, err) < 0 ? -1 : o.mount;
	err_set(err, errno, "%s: the overlay can't be made", source);
	mnt_log(fs, err);
	return -1;
}

/* The overlay of a root: layers by name. */

/* Part FROM ("a:b", a backslash keeps the next character) into PATHS, whose characters lie in ROOM. */
static int split_layers(const char *from, char *room, const char *paths[LAYERS], size_t *n, struct err *err)
{
	*n = 0;
	paths[(*n)++] = room;
	for (; *from; from++) {
		if (*from == ':') {
			*room++ = '\0';
			if (*n == LAYERS)
				return err_set(err, E2BIG, "an overlay has at most %d lower layers", LAYERS);
			paths[(*n)++] = room;
			continue;
		}
		if (*from == '\\' && from[1])
			from++;
		*room++ = *from;
	}
	*room = '\0';
	return 0;
}

/* What the kernel would refuse with a bare EINVAL, or accept to everyone's surprise. */
static int open_layer(const char *path, struct err *err)
{
	struct statfs fs;
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		int number = errno;
		return err_set(err, number, "%s: %s", path,
			       number == ENOENT ? "there is no such directory" : number == ENOTDIR ? "it is no directory" : "can't be opened");
	}
	if (fstatfs(fd, &fs) == 0 && (fs.f_type == 0x9fa0 /* proc */ || fs.f_type == 0x62656572 /* sysfs */)) {
		err_set(err, EINVAL, "%s: it can't be a layer of an overlay", path);
		return err_why(err, "proc and sysfs are made up by the kernel as they are read");
	}
	return move_fd(&fd);
}

/* Have layer L shown with the owners of O's namespace, if its file system can be. */
static void give_layer(struct mnt_layer *l, const struct mnt_owner *o)
{
	_cleanup_close_ int tree = o->other ? sys_open_tree(l->fd, "", SYS_TREE_CLONE | AT_EMPTY_PATH) : -1;

	if (tree < 0 || mnt_give(tree, o, false) < 0)
		return;
	close(l->fd);
	*l = (struct mnt_layer){ .fd = move_fd(&tree) };
}

int mnt_make_overlay(const char *from, const char *options, const struct mnt_owner *o, struct err *err)
{
	_cleanup_free_ char *room = xmalloc(strlen(from ? from : "") + 1);
	const char *paths[LAYERS];
	struct mnt_layer layers[LAYERS];
	size_t n = 0, opened = 0;
	int result = -1;

	if (!from || !*from)
		return err_set(err, EINVAL, "overlay: it needs lower directories as its source");
	int64_t size = mnt_size(options, SIZE_DEFAULT, err);
	if (size < 0 || split_layers(from, room, paths, &n, err) < 0)
		return -1;
	while (opened < n && (layers[opened].fd = open_layer(paths[opened], err)) >= 0) {
		layers[opened].path = paths[opened];
		give_layer(&layers[opened], o);
		opened++;
	}
	if (opened == n) {
		_cleanup_close_ int upper = mnt_tmpfs(size, 0700, o, err);
		if (upper >= 0)
			result = mnt_overlay(layers, n, upper, from, err);
	}
	for (size_t i = 0; i < opened; i++)
		close_fd(&layers[i].fd);
	return result;
}
