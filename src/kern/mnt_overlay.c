/*
 * mnt_overlay.c - overlays whose upper layer is attached nowhere
 *
 * The layers are given to the kernel as descriptors' names in /proc/self/fd, one by one, so no path needs escaping, each is resolved once, and
 * no option grows with their number (that wants Linux 6.8). Kernels before 6.15 want every layer to be a mount of the caller's own mount
 * namespace. For those the overlay is made in a workshop: a child in a mount namespace of its own, in which the layers are attached for a moment
 * below names of two letters, so that the options of 500 of them fit in a page; the overlay keeps its layers when it goes.
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
#include "kern/mnt_disk.h"
#include "kern/mnt_parts.h"
#include "kern/sys.h"

enum { LAYERS = 500 };         /* the kernel's own limit (OVL_MAX_STACK) */
enum { SIZE_DEFAULT = 256 * 1024 * 1024, SOURCE_LONGEST = 255 };

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
	int upper;             /* the mount that holds the directories "upper" and "work", or -1 */
	int up, work;          /* these */
	const char *source;
	int mount;             /* the result */
};

static int set_fd(int fs, const char *key, int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return sys_fsconfig(fs, SYS_CONFIG_STRING, key, path);
}

/* With the layers as they are; errno says why not: EINVAL where the kernel is too old for that. *FS is for its messages. */
static int try_overlay(struct overlay *o, int *fs)
{
	*fs = sys_fsopen("overlay");
	if (*fs < 0 || sys_fsconfig(*fs, SYS_CONFIG_STRING, "source", o->source) < 0)
		return -1;
	for (size_t i = 0; i < o->n; i++)
		if (set_fd(*fs, "lowerdir+", o->lowers[i].fd) < 0)
			return -1;
	if (o->upper >= 0 && (set_fd(*fs, "upperdir", o->up) < 0 || set_fd(*fs, "workdir", o->work) < 0))
		return -1;
	/* Without root, the marks of deleted files are kept in user.* attributes. */
	if (!mnt_privileged() && sys_fsconfig(*fs, SYS_CONFIG_FLAG, "userxattr", NULL) < 0)
		return -1;
	if (sys_fsconfig(*fs, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return -1;
	o->mount = sys_fsmount(*fs, 0);
	return o->mount < 0 ? -1 : 0;
}

/* The workshop. */

static int attach_as(int mount, int dir, const char *name, struct err *err)
{
	if (mkdirat(dir, name, 0700) < 0 || sys_move_mount(mount, "", dir, name, SYS_MOVE_FROM_FD) < 0)
		return err_set(err, errno, "a layer can't be attached");
	return 0;
}

/* The same directory again, in this mount namespace, as a mount. */
static int reopen(const struct mnt_layer *l, struct err *err)
{
	struct stat a, b;
	_cleanup_close_ int fd = open(l->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "%s: can't be opened", l->path);
	if (fstat(fd, &a) < 0 || fstat(l->fd, &b) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return err_set(err, ESTALE, "%s: it was replaced meanwhile", l->path);
	int tree = sys_open_tree(fd, "", SYS_TREE_CLONE | AT_EMPTY_PATH);
	return tree < 0 ? err_set(err, errno, "%s: can't be attached", l->path) : tree;
}

static int attach_layer(const struct mnt_layer *l, int dir, const char *name, struct err *err)
{
	if (!l->path)
		return attach_as(l->fd, dir, name, err);
	_cleanup_close_ int tree = reopen(l, err);
	return tree < 0 ? -1 : attach_as(tree, dir, name, err);
}

/* "00" to "dv", the last of LAYERS; "it" and "up" would come later. */
static void layer_name(size_t i, char name[3])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	name[0] = digits[i / 36 % 36];
	name[1] = digits[i % 36];
	name[2] = '\0';
}

/* mount(2) with everything below the current directory. */
static int mount_relative(struct overlay *o, struct err *err)
{
	char options[4096] = "lowerdir=", name[3];
	size_t used = strlen(options);

	for (size_t i = 0; i < o->n; i++) {
		layer_name(i, name);
		used += (size_t)snprintf(options + used, sizeof options - used, "%s%s", i ? ":" : "", name);
	}
	used += (size_t)snprintf(options + used, sizeof options - used, "%s%s", o->upper >= 0 ? ",upperdir=up/upper,workdir=up/work" : "",
				 mnt_privileged() ? "" : ",userxattr");
	if (used >= sizeof options)
		return err_set(err, E2BIG, "%s: too many layers for this kernel", o->source);
	if (mkdir("it", 0700) < 0 || mount(o->source, "it", "overlay", 0, options) < 0)
		return err_set(err, errno, "%s: the overlay can't be made", o->source);
	o->mount = sys_open_tree(AT_FDCWD, "it", SYS_TREE_CLONE);
	return o->mount < 0 ? err_set(err, errno, "%s: the overlay can't be taken out", o->source) : 0;
}

/* The detached layers among the lowers are shared with others, so a copy of each takes its place: a mount that was attached here is used
 * up when this namespace goes. */
static int keep_layers(const struct overlay *o, struct err *err)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct mnt_layer *l = &o->lowers[i];
		if (l->path)
			continue;
		_cleanup_close_ int again = sys_open_tree(l->fd, "", SYS_TREE_CLONE | AT_EMPTY_PATH);
		if (again < 0 || dup3(again, l->fd, O_CLOEXEC) < 0)
			return err_set(err, errno, "a layer can't be kept");
	}
	return 0;
}

static int overlay_alone(void *arg, struct err *err)
{
	struct overlay *o = arg;
	_cleanup_close_ int root = mnt_alone(err);
	_cleanup_close_ int top = root < 0 ? -1 : mnt_filesystem("tmpfs", "workshop", "mode=700", 0, err);
	char name[3];

	if (top < 0)
		return -1;
	if (sys_move_mount(top, "", root, "", SYS_MOVE_FROM_FD | SYS_MOVE_TO_FD) < 0 || fchdir(top) < 0)
		return err_set(err, errno, "can't prepare a place for the layers");
	for (size_t i = 0; i < o->n; i++) {
		layer_name(i, name);
		if (attach_layer(&o->lowers[i], top, name, err) < 0)
			return -1;
	}
	if (o->upper >= 0 && attach_as(o->upper, top, "up", err) < 0)
		return -1;
	int result = mount_relative(o, err);
	return keep_layers(o, result < 0 ? NULL : err) < 0 ? -1 : result;
}

/* Layers */

static int can_not_make(const struct overlay *o, int fs, int number, struct err *err)
{
	err_set(err, number, "%.500s: the overlay can't be made", o->source);
	if (fs >= 0)
		mnt_log(fs, err);
	if (number == ELOOP)
		err_why(err, "one of the layers lies in another one, or in the upper layer");
	else if (number == EBUSY)
		err_why(err, "another overlay has the upper layer in use");
	else if (number == EINVAL && o->upper >= 0)
		err_why(err, "the file system of the upper layer may not be able to hold one: it must keep attributes and marks of deleted files");
	return -1;
}

/* A directory of an upper layer: made in a new one, there already in one that has been used. */
static int open_part(int upper, const char *name, const struct stat *like)
{
	if (mkdirat(upper, name, 0700) == 0 && like) {
		/* The root of an overlay has the owner and mode of the upper layer's. Where the owner has no number here, belljar's own stays. */
		if ((like->st_uid != geteuid() || like->st_gid != getegid()) &&
		    fchownat(upper, name, like->st_uid, like->st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EINVAL && errno != EPERM)
			return -1;
		if (fchmodat(upper, name, like->st_mode & 07777, 0) < 0)
			return -1;
	} else if (like && errno != EEXIST) {
		return -1;
	}
	return openat(upper, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* One way or the other. */
static int make_overlay(struct overlay *o, struct err *err)
{
	_cleanup_close_ int fs = -1;
	struct err old = { 0 };

	if (try_overlay(o, &fs) == 0)
		return o->mount;
	if (errno != EINVAL)
		return can_not_make(o, fs, errno, err);
	if (mnt_workshop(overlay_alone, o, &old) == 0)
		return o->mount;
	if (old.number == EINVAL || old.number == ELOOP || old.number == EBUSY)
		return can_not_make(o, fs, old.number, err);
	*err = old;
	return -1;
}

int mnt_overlay(const struct mnt_layer *lowers, size_t n, int upper, const struct mnt_owner *as, const char *source, struct err *err)
{
	char label[SOURCE_LONGEST + 1];
	struct overlay o = { .lowers = lowers, .n = n, .upper = upper, .up = -1, .work = -1, .source = label, .mount = -1 };
	_cleanup_close_ int up = -1;
	_cleanup_close_ int work = -1;
	struct stat top;

	snprintf(label, sizeof label, "%s", source);
	if (n > LAYERS)
		return err_set(err, E2BIG, "%.100s...: %zu layers, and the kernel lets at most %d lie below one another", source, n, LAYERS);
	if (upper >= 0) {
		if (fstat(lowers[0].fd, &top) < 0 || (o.up = up = open_part(upper, "upper", &top)) < 0 ||
		    (o.work = work = open_part(upper, "work", NULL)) < 0)
			return err_set(err, errno, "%.500s: the upper layer can't be prepared", source);
	}
	if (as)
		mnt_become_able(as->uid, as->gid);
	int mount = make_overlay(&o, err);
	if (as)
		mnt_become_able(geteuid(), getegid());
	return mount;
}

/* The overlay of a root: layers by name. */

struct layers {
	char *room;            /* the names' characters */
	const char **paths;
	struct mnt_layer *layers;
	size_t n, opened;
};

static void close_layers(struct layers *l)
{
	for (size_t i = 0; i < l->opened; i++)
		if (!l->layers[i].kept)
			close_fd(&l->layers[i].fd);
	free(l->layers);
	free(l->paths);
	free(l->room);
}

/* Part FROM ("a:b", a backslash keeps the next character). */
static void split_layers(const char *from, struct layers *l)
{
	char *room = l->room = xmalloc(strlen(from) + 1);

	*GROW(&l->paths, &l->n) = room;
	for (; *from; from++) {
		if (*from == ':') {
			*room++ = '\0';
			*GROW(&l->paths, &l->n) = room;
			continue;
		}
		if (*from == '\\' && from[1])
			from++;
		*room++ = *from;
	}
	*room = '\0';
}

/* What the kernel would refuse with a bare EINVAL, or accept to everyone's surprise. */
static int open_layer(const char *path, struct err *err)
{
	struct statfs fs;
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		int number = errno;
		return err_set(err, number, "%.500s: %s", path,
			       number == ENOENT ? "there is no such directory" : number == ENOTDIR ? "it is no directory" : "can't be opened");
	}
	if (fstatfs(fd, &fs) == 0 && (fs.f_type == 0x9fa0 /* proc */ || fs.f_type == 0x62656572 /* sysfs */)) {
		err_set(err, EINVAL, "%.500s: it can't be a layer of an overlay", path);
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

/* belljar's own trees have names that no path of a command has. */
static int take_layer(const char *path, const struct mnt_owner *o, struct mnt_layer *l, struct err *err)
{
	bool base = streq(path, MNT_LAYER_BASE), run = streq(path, MNT_LAYER_RUN);

	if (!base && !run && !starts_with(path, MNT_LAYER_BUSYBOX)) {
		l->fd = open_layer(path, err);
		l->path = path;
		if (l->fd >= 0)
			give_layer(l, o);
		return l->fd < 0 ? -1 : 0;
	}
	int kept = base ? mnt_base_tree(o, err) : run ? mnt_run_tree(o, err) : mnt_busybox_tree(path + strlen(MNT_LAYER_BUSYBOX), o, err);
	*l = (struct mnt_layer){ .fd = kept, .kept = true };
	return kept < 0 ? -1 : 0;
}

/* The mount that is to hold the upper layer. *SHIFTED: it shows other owners than it stores. */
static int take_upper(const char *options, const struct mnt_owner *o, bool *shifted, struct err *err)
{
	char path[MNT_OPTION_LONGEST];
	int64_t size = mnt_size(options, SIZE_DEFAULT, err);

	if (size < 0)
		return -1;
	if (mnt_option(options, "image", path))
		return mnt_image(strtoll(path, NULL, 10), o, err);
	if (!mnt_option(options, "upper", path))
		return mnt_tmpfs(size, 0700, o, err);
	_cleanup_close_ int tree = sys_open_tree(AT_FDCWD, path, SYS_TREE_CLONE);
	if (tree < 0)
		return err_set(err, errno, "%.500s: can't be taken as an upper layer", path);
	*shifted = o->other && mnt_give(tree, o, false) == 0;
	return move_fd(&tree);
}

int mnt_make_overlay(const char *from, const char *options, bool read_only, const struct mnt_owner *o, int *kept, struct err *err)
{
	_cleanup_(close_layers) struct layers l = { 0 };
	_cleanup_close_ int upper = -1;
	bool shifted = false;

	if (!from || !*from)
		return err_set(err, EINVAL, "overlay: it needs lower directories as its source");
	split_layers(from, &l);
	l.layers = xcalloc(l.n, sizeof *l.layers);
	for (; l.opened < l.n; l.opened++)
		if (take_layer(l.paths[l.opened], o, &l.layers[l.opened], err) < 0)
			return -1;
	char unused[MNT_OPTION_LONGEST];
	if (!mnt_privileged() && l.n <= 2 && streq(l.paths[0], "/") && !mnt_option(options, "upper", unused) &&
	    !mnt_option(options, "image", unused)) {
		int64_t size = mnt_size(options, SIZE_DEFAULT, err);
		return size < 0 ? -1 : mnt_make_whole(size, read_only, o, kept, err);
	}
	/* Without an upper layer it takes two others. */
	if (!read_only || l.n == 1) {
		upper = take_upper(options, o, &shifted, err);
		if (upper < 0)
			return -1;
	}
	int mount = mnt_overlay(l.layers, l.n, upper, shifted ? o : NULL, from, err);
	if (mount >= 0)
		*kept = move_fd(&upper);
	return mount;
}

int mnt_open_lowers(const struct place *p, const char *source, struct mnt_lowers *lowers, struct err *err)
{
	_cleanup_(close_layers) struct layers l = { 0 };
	struct mnt_owner o = mnt_owner(p);

	split_layers(source, &l);
	l.layers = xcalloc(l.n, sizeof *l.layers);
	for (; l.opened < l.n; l.opened++) {
		struct mnt_layer *layer = &l.layers[l.opened];
		if (take_layer(l.paths[l.opened], &o, layer, err) < 0)
			return -1;
		int fd = layer->kept ? fcntl(layer->fd, F_DUPFD_CLOEXEC, 3) : move_fd(&layer->fd);
		*GROW(&lowers->fds, &lowers->n) = fd;
	}
	return 0;
}

void mnt_close_lowers(struct mnt_lowers *lowers)
{
	for (size_t i = 0; i < lowers->n; i++)
		close_fd(&lowers->fds[i]);
	free(lowers->fds);
}
