/*
 * root.c - a sandbox's own root, and the mounts in it
 *
 * A new root is put together over the old one before that is let go of: the root itself is mounted over "/", then /proc, /dev and /sys are
 * mounted in it (a proc can only be mounted without root while another one is visible), and only when all of that holds does the last step,
 * the one that can't be taken back, make it the root.
 */
#include "config.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "kern/sys.h"
#include "sandbox/look.h"
#include "sandbox/root.h"

enum { STEPS = 12, SIZE_LEAST = 65536 };

struct plan {
	struct sandbox *sb;
	struct step steps[STEPS];
	size_t n;
};

static struct step *add(struct plan *p, enum step_kind kind, const char *to)
{
	struct step *s = &p->steps[p->n++];

	*s = (struct step){ .kind = kind, .place = &p->sb->place, .to = to, .fd = { -1, -1 } };
	return s;
}

static void add_directory(struct plan *p, const char *to, mode_t mode)
{
	add(p, STEP_MKDIR, to)->num = mode;
}

static void add_mount(struct plan *p, const char *type, const char *to, uint64_t attributes)
{
	struct step *s = add(p, STEP_MOUNT, to);

	s->what = s->from = type;
	s->flags = attributes;
}

static int run(struct plan *p, struct err *err)
{
	return gate_run(&p->sb->session->gate, p->steps, p->n, err);
}

static int need_mnt(const struct sandbox *sb, const char *why, struct err *err)
{
	if (sb->place.own[NS_MNT])
		return 0;
	err_set(err, EPERM, "%s: no mount namespace of its own", sb->name);
	err_why(err, "%s", why);
	return err_try(err, "unshare mnt");
}

/* /proc and /sys */

enum { CAREFUL = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

size_t sandbox_settle(struct sandbox *sb, const struct place *after, struct step steps[SETTLE_STEPS])
{
	struct plan p = { .sb = sb };
	bool root = sb->root != NULL;

	if (!after->own[NS_MNT])
		return 0;
	if (after->proc == VIEW_STALE)
		add(&p, STEP_UMOUNT, "/proc")->num = MNT_DETACH;
	if (after->proc != VIEW_FITS && after->own[NS_PID]) {
		add_mount(&p, "proc", "/proc", CAREFUL);
	} else if (after->proc != VIEW_FITS && root) {
		/* Of the host's pid namespace a new proc may be refused ("too revealing"); the host's own always can be shown. */
		struct step *s = add(&p, STEP_BIND, "/proc");
		s->from = "/proc";
		s->flags = CAREFUL;
		s->fd[0] = 1;
	}
	if (after->sys == VIEW_STALE)
		add(&p, STEP_UMOUNT, "/sys")->num = MNT_DETACH;
	if (after->sys != VIEW_FITS && after->own[NS_NET] && root)
		add_mount(&p, "sysfs", "/sys", CAREFUL | MOUNT_ATTR_RDONLY);
	memcpy(steps, p.steps, p.n * sizeof *steps);
	return p.n;
}

/* The root */

/* Where a static busybox may be. */
static const char *find_busybox(void)
{
	static const char *const places[] = { "/bin/busybox", "/usr/bin/busybox", "/usr/lib/busybox/busybox", "/usr/local/bin/busybox",
					      "/bin/busybox.static", "/sbin/busybox" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return places[0];
}

/* What PATH could be a root as; a fifo, a device or nothing can't. */
static int path_kind(const char *path, mode_t *kind, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int number = errno;
		err_set(err, number, "%.500s: %s", path, number == ENOENT ? "there is no such directory or archive" : "can't be looked at");
		return number == ENOENT ? err_try(err, "root host, root busybox, root DIRECTORY or root ARCHIVE") : -1;
	}
	*kind = st.st_mode & S_IFMT;
	if (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size > 0))
		return 0;
	return err_set(err, 0, "%.500s: it is neither a directory nor an archive%s", path, S_ISREG(st.st_mode) ? ": it is empty" : "");
}

/* The directory can be bound read-only when nothing has to be made in it. */
static int check_mount_points(const char *directory, struct err *err)
{
	static const char *const needed[] = { "proc", "dev", "sys" };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, needed[i]);
		struct stat st;
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			continue;
		err_set(err, 0, "%s: there is no directory %s in it to mount on", directory, needed[i]);
		err_why(err, "a root that is only shown can't be given one");
		return err_try(err, "mkdir %s, or the same without ro", path);
	}
	return 0;
}

static char *escape_layer(const char *path)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (; *path; path++) {
		if (*path == ':' || *path == '\\')
			buf_char(&b, '\\');
		buf_char(&b, *path);
	}
	return buf_take(&b);
}

/* The first step: the new root over "/". FROM and TEXT are the strings it needs; the caller's to free. */
static int add_root(struct plan *p, const struct root_wish *w, char **from, char **text, struct err *err)
{
	bool host = streq(w->what, "host") && !w->is_path, busybox = streq(w->what, "busybox") && !w->is_path;
	const char *path = host ? "/" : busybox ? find_busybox() : w->what;
	uint64_t attributes = w->mode == ROOT_READ_ONLY ? MOUNT_ATTR_RDONLY : 0;
	mode_t kind = busybox ? S_IFREG : S_IFDIR;

	if (!host && !busybox && path_kind(path, &kind, err) < 0)
		return -1;
	if (w->size && w->size < SIZE_LEAST)
		return err_usage(err, "a size of %lld bytes leaves no room; %d are the least", (long long)w->size, SIZE_LEAST);
	if (w->size && S_ISDIR(kind) && w->mode != ROOT_THROWN_AWAY)
		return err_usage(err, "size is for writes that are thrown away: not with %s", w->mode == ROOT_READ_ONLY ? "ro" : "rw");
	if (w->mode == ROOT_WRITES_REACH && (!S_ISDIR(kind) || host))
		return err_usage(err, "rw is for a directory: %s", host ? "to write to the host's files, share mnt" : "writes have nowhere to go");
	if (S_ISDIR(kind) && w->mode != ROOT_THROWN_AWAY) {
		if (w->mode == ROOT_READ_ONLY && check_mount_points(path, err) < 0)
			return -1;
		struct step *s = add(p, STEP_BIND, "/");
		s->from = *from = xstrdup(path);
		s->flags = attributes | (p->sb->place.own[NS_USER] ? MOUNT_ATTR_IDMAP : 0);
		return 0;
	}
	struct step *s = add(p, STEP_MOUNT, "/");
	s->what = busybox ? "busybox" : S_ISDIR(kind) ? "overlay" : "archive";
	s->from = *from = S_ISDIR(kind) ? escape_layer(path) : xstrdup(path);
	s->text = *text = w->size ? xasprintf("size=%lld", (long long)w->size) : NULL;
	s->flags = attributes;
	return 0;
}

static int refuse_running(struct sandbox *sb, struct err *err)
{
	int running = sb->session->gate.dry ? 0 : look_running(sb, err);

	if (running <= 0)
		return running;
	err_set(err, EBUSY, "%s: programs run in it", sb->name);
	err_why(err, "they would go on in the old root, where the new one is not to be seen");
	return err_try(err, "kill all, then root again");
}

int sandbox_root(struct sandbox *sb, const struct root_wish *wish, struct err *err)
{
	struct plan p = { .sb = sb };
	_cleanup_free_ char *from = NULL;
	_cleanup_free_ char *text = NULL;

	if (need_mnt(sb, "another root would be the host's too", err) < 0 || refuse_running(sb, err) < 0 ||
	    add_root(&p, wish, &from, &text, err) < 0)
		return -1;
	if (wish->mode != ROOT_READ_ONLY || p.steps[0].kind != STEP_BIND) {
		/* An archive's own flags come with its mount, so it is read-only from the start. */
		add_directory(&p, "/proc", 0555);
		add_directory(&p, "/dev", 0755);
		add_directory(&p, "/sys", 0555);
	}
	add_mount(&p, "proc", "/proc", CAREFUL);
	add(&p, STEP_DEVICES, "/dev");
	if (sb->place.own[NS_NET])
		add_mount(&p, "sysfs", "/sys", CAREFUL | MOUNT_ATTR_RDONLY);
	add(&p, STEP_PIVOT, "/");
	if (run(&p, err) < 0)
		return -1;
	free(sb->root);
	/* Another belljar that opens the session may stand in another directory. */
	char *absolute = wish->is_path ? realpath(wish->what, NULL) : NULL;
	sb->root = absolute ? absolute : xstrdup(wish->what);
	sb->root_mode = (int)wish->mode;
	sb->root_size = wish->size;
	sb->own_dev = true;
	if (!sb->place.own[NS_NET])
		sb->place.sys = VIEW_NONE;
	return 0;
}

/* Mounts in it */

/* Words of mount(8) for what belongs to the mount, not to its file system. */
static const struct { const char *word; uint64_t flag; } attribute_words[] = {
	{ "ro", MOUNT_ATTR_RDONLY },   { "rw", 0 },   { "nosuid", MOUNT_ATTR_NOSUID },   { "suid", 0 },   { "nodev", MOUNT_ATTR_NODEV },
	{ "dev", 0 },   { "noexec", MOUNT_ATTR_NOEXEC },   { "exec", 0 },   { "noatime", MOUNT_ATTR_NOATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME }, { "defaults", 0 },
};

static bool attribute(const char *word, size_t n, uint64_t *flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(attribute_words); i++)
		if (strlen(attribute_words[i].word) == n && strncmp(word, attribute_words[i].word, n) == 0) {
			*flags |= attribute_words[i].flag;
			return true;
		}
	return false;
}

/* Length of the first option of TEXT, backslashes kept. */
static size_t option_length(const char *text)
{
	size_t n = 0;

	while (text[n] && text[n] != ',')
		n += text[n] == '\\' && text[n + 1] ? 2 : 1;
	return n;
}

/* The options that are the file system's. NULL when there is none; the caller's. */
static char *split_options(const char *options, uint64_t *flags)
{
	_cleanup_buf_ struct buf rest = { 0 };

	while (options && *options) {
		size_t n = option_length(options);
		if (n && !attribute(options, n, flags)) {
			if (rest.len)
				buf_char(&rest, ',');
			buf_bytes(&rest, options, n);
		}
		options += n;
		options += *options == ',';
	}
	return rest.len ? buf_take(&rest) : NULL;
}

/* What is missing to mount on is made, but not on the host, where nobody would take it away: there it must be there. */
static void add_target(struct plan *p, const char *to, mode_t mode)
{
	if (p->sb->root)
		add_directory(p, to, mode);
}

static int run_mount(struct plan *p, struct err *err)
{
	if (run(p, err) == 0)
		return 0;
	if (!p->sb->root && err && err->number == ENOENT && p->n == 1) {
		err_why(err, "the sandbox has the host's root, and nothing is made in that");
		err_try(err, "root host, whose writes are thrown away; or make it on the host");
	}
	return -1;
}

int sandbox_mount(struct sandbox *sb, const char *type, const char *source, const char *to, const char *options, struct err *err)
{
	struct plan p = { .sb = sb };
	uint64_t flags = 0;
	_cleanup_free_ char *text = split_options(options, &flags);

	if (need_mnt(sb, "the mount would appear on the host", err) < 0)
		return -1;
	add_target(&p, to, 0755);
	add_mount(&p, type, to, flags);
	p.steps[p.n - 1].from = source ? source : type;
	p.steps[p.n - 1].text = text;
	return run_mount(&p, err);
}

int sandbox_bind(struct sandbox *sb, const char *from, const char *to, bool read_only, bool recursive, struct err *err)
{
	struct plan p = { .sb = sb };
	struct stat st;

	if (need_mnt(sb, "the mount would appear on the host", err) < 0)
		return -1;
	if (stat(from, &st) < 0) {
		int number = errno;
		return err_set(err, number, "%.500s: %s", from,
			       number == ENOENT ? "there is no such file or directory on the host" : "can't be looked at");
	}
	add_target(&p, to, S_ISDIR(st.st_mode) ? 0755 : S_IFREG | 0644);
	struct step *s = add(&p, STEP_BIND, to);
	s->from = from;
	s->flags = read_only ? MOUNT_ATTR_RDONLY : 0;
	s->fd[0] = recursive ? 1 : -1;
	return run_mount(&p, err);
}

int sandbox_mounts(struct sandbox *sb, struct mnt_info **mounts, size_t *n, struct err *err)
{
	*mounts = NULL;
	*n = 0;
	return sb->session->gate.dry ? 0 : mnt_list(sb->place.pid, mounts, n, err);
}

int sandbox_umount(struct sandbox *sb, const char *to, bool lazy, struct err *err)
{
	struct plan p = { .sb = sb };

	if (need_mnt(sb, "the host's mount would go", err) < 0)
		return -1;
	add(&p, STEP_UMOUNT, to)->num = lazy ? MNT_DETACH : 0;
	return run(&p, err);
}
