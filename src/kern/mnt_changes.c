/*
 * mnt_changes.c - what an upper layer says: which files of those below were changed, and how
 *
 * The upper layer alone does not tell a new file from one that takes the place of another, nor a directory that hides something from one that
 * hides nothing (the kernel marks both opaque), so the layers below are asked too: once for each directory, in which they are then open.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/mnt_changes.h"
#include "kern/mnt_parts.h"
#include "kern/sys.h"
#include "kern/walk.h"

struct survey {
	const char *prefix;    /* "trusted.overlay." or "user.overlay." */
	struct mnt_lowers lowers;
	char *dir_path;        /* the directory in which the lowers are open; NULL = none yet, */
	int *dirs;             /* topmost first, */
	size_t n_dirs;
	bool alone[WALK_DEPTH + 2];    /* of the directories on the way: nothing below is merged with it */
	struct mnt_change *changes;
	size_t n;
};

/* The attribute KEY of an entry into VALUE; its length, or -1 when there is none. */
static ssize_t attribute(const struct survey *v, const struct walk_entry *e, const char *key, char *value, size_t room)
{
	char path[NAME_MAX + 64], name[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", e->dir, e->name);
	snprintf(name, sizeof name, "%s%s", v->prefix, key);
	ssize_t n = lgetxattr(path, name, value, room - 1);
	if (n >= 0)
		value[n] = '\0';
	return n;
}

static bool has(const struct survey *v, const struct walk_entry *e, const char *key)
{
	char value[512];

	return attribute(v, e, key, value, sizeof value) >= 0 || errno == ERANGE;
}

static bool is_device_zero(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* The lower layers */

static void close_dirs(struct survey *v)
{
	for (size_t i = 0; i < v->n_dirs; i++)
		close_fd(&v->dirs[i]);
	v->n_dirs = 0;
	free(v->dir_path);
	v->dir_path = NULL;
}

static bool hides_below(const struct survey *v, int dir)
{
	char path[64], name[64], value[8];

	snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
	snprintf(name, sizeof name, "%sopaque", v->prefix);
	return getxattr(path, name, value, sizeof value) == 1 && value[0] == 'y';
}

/* Have the lowers open in the directory PATH, those of them that are merged there. */
static void enter_lowers(struct survey *v, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	if (v->dir_path && streq(v->dir_path, path))
		return;
	close_dirs(v);
	v->dir_path = xstrdup(path);
	for (size_t i = 0; i < v->lowers.n; i++) {
		int dir = sys_openat2(v->lowers.fds[i], *path ? path : ".", &how);
		if (dir < 0 && errno == ENOENT)
			continue;
		/* A file in its place, or a mark, ends what is merged. */
		if (dir < 0)
			return;
		*GROW(&v->dirs, &v->n_dirs) = dir;
		if (hides_below(v, dir))
			return;
	}
}

/* Is there something of that name below? 1 with *ST, or 0. */
static bool is_below(struct survey *v, const struct walk_entry *e, struct stat *st)
{
	const char *slash = strrchr(e->path, '/');
	_cleanup_free_ char *parent = xstrndup(e->path, slash ? (size_t)(slash - e->path) : 0);

	if (v->alone[e->depth])
		return false;
	enter_lowers(v, parent);
	for (size_t i = 0; i < v->n_dirs; i++)
		if (fstatat(v->dirs[i], e->name, st, AT_SYMLINK_NOFOLLOW) == 0)
			return !is_device_zero(st);
	return false;
}

/* The upper layer */

static void note(struct survey *v, const struct walk_entry *e, enum mnt_change_kind kind, const char *how, char *from)
{
	*GROW(&v->changes, &v->n) = (struct mnt_change){ .kind = kind, .how = how, .path = xasprintf("/%s", e->path), .from = from,
		.type = kind == MNT_DELETED ? 0 : e->st.st_mode & S_IFMT, .size = S_ISREG(e->st.st_mode) ? e->st.st_size : 0 };
}

static int see_directory(struct survey *v, const struct walk_entry *e)
{
	char value[PATH_MAX];
	struct stat below;
	bool was = is_below(v, e, &below), merged = was && S_ISDIR(below.st_mode), opaque, redirect;

	redirect = attribute(v, e, "redirect", value, sizeof value) > 0;
	char *from = redirect ? xstrdup(value) : NULL;
	opaque = attribute(v, e, "opaque", value, sizeof value) == 1 && value[0] == 'y';
	v->alone[e->depth + 1] = v->alone[e->depth] || opaque || redirect || !merged;
	note(v, e, was ? MNT_MODIFIED : MNT_ADDED, redirect ? "redirect" : !was ? "new" : !merged ? "replaced" : opaque ? "opaque" : "copy-up", from);
	return WALK_ON;
}

static int see(void *arg, const struct walk_entry *e, struct err *err)
{
	struct survey *v = arg;
	struct stat below;

	(void)err;
	if (S_ISDIR(e->st.st_mode))
		return see_directory(v, e);
	if (is_device_zero(&e->st) || (S_ISREG(e->st.st_mode) && e->st.st_size == 0 && has(v, e, "whiteout"))) {
		note(v, e, MNT_DELETED, "whiteout", NULL);
		return WALK_ON;
	}
	bool was = is_below(v, e, &below), copied = has(v, e, "origin");
	note(v, e, was ? MNT_MODIFIED : MNT_ADDED,
	     copied ? has(v, e, "metacopy") ? "metacopy" : "copy-up" : was ? "replaced" : "new", NULL);
	return WALK_ON;
}

/* For an ordinary user's `root host` (mnt_whole.c) each directory of "/" has an upper layer of its own, NAME/upper. */
static int see_part(void *arg, const struct walk_entry *e, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/upper", e->name);
	_cleanup_close_ int up = openat(e->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return up >= 0 && walk(up, e->name, see, arg, err) < 0 ? -1 : WALK_PAST;
}

static int open_upper(const struct place *p, struct err *err)
{
	int up = openat(p->upper, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return up < 0 && errno != ENOENT ? err_set(err, errno, "%s: its upper layer can't be opened", p->name) : up;
}

int mnt_changes(const struct place *p, const char *source, struct mnt_change **changes, size_t *n, struct err *err)
{
	struct survey v = { .prefix = mnt_privileged() ? "trusted.overlay." : "user.overlay." };
	struct err none = { 0 };
	_cleanup_close_ int up = open_upper(p, &none);
	int result;

	if (none.status) {
		*err = none;
		return -1;
	}
	if (mnt_open_lowers(p, up >= 0 ? source : "/", &v.lowers, err) < 0)
		result = -1;
	else
		result = up >= 0 ? walk(up, "", see, &v, err) : walk(p->upper, "", see_part, &v, err);
	close_dirs(&v);
	free(v.dirs);
	mnt_close_lowers(&v.lowers);
	*changes = v.changes;
	*n = v.n;
	if (result == 0)
		return 0;
	mnt_free_changes(v.changes, v.n);
	return -1;
}

void mnt_free_changes(struct mnt_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(changes[i].path);
		free(changes[i].from);
	}
	free(changes);
}

/* Sizes */

static int measure(void *arg, const struct walk_entry *e, struct err *err)
{
	struct mnt_amount *a = arg;

	(void)err;
	/* Of several links each has its part. */
	a->bytes += e->st.st_blocks * 512 / (e->st.st_nlink && !S_ISDIR(e->st.st_mode) ? (int64_t)e->st.st_nlink : 1);
	a->files++;
	return WALK_ON;
}

int mnt_measure(const struct place *p, const char *path, struct mnt_amount *amount, struct err *err)
{
	_cleanup_close_ int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : openat(p->upper, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*amount = (struct mnt_amount){ 0 };
	if (dir < 0 && !path && errno == ENOENT)
		return walk(p->upper, "", measure, amount, err);
	if (dir < 0)
		return err_set(err, errno, "%.500s: can't be opened", path ? path : "the upper layer");
	return walk(dir, "", measure, amount, err);
}
