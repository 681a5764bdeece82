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
#include "sandbox/masks.h"
#include "sandbox/named.h"
#include "sandbox/network_names.h"
#include "sandbox/root_plan.h"
#include "sandbox/upper.h"

enum { SIZE_LEAST = 65536, IMAGE_LEAST = 1 << 20, IMAGE_SIZE = 1 << 30 };

static void add_directory(struct file_plan *p, const char *to, mode_t mode)
{
	file_plan_add(p, STEP_MKDIR, to)->num = mode;
}

static struct step *add_mount(struct file_plan *p, const char *type, const char *to, uint64_t attributes)
{
	struct step *s = file_plan_add(p, STEP_MOUNT, to);

	s->what = s->from = type;
	s->flags = attributes;
	return s;
}

int sandbox_need_mnt(const struct sandbox *sb, const char *why, struct err *err)
{
	if (sb->place.own[NS_MNT])
		return 0;
	err_set(err, EPERM, "%s: no mount namespace of its own", sb->name);
	err_why(err, "%s", why);
	return err_try(err, "unshare mnt");
}

/* /proc and /sys */

enum { CAREFUL = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

static void add_proc(struct file_plan *p, const char *to, bool own_pid)
{
	struct step *s = own_pid ? add_mount(p, "proc", to, CAREFUL) : file_plan_add(p, STEP_BIND, to);

	if (own_pid)
		return;
	/* Of the host's pid namespace a new proc may be refused ("too revealing"); the host's own always can be shown. */
	s->from = "/proc";
	s->flags = CAREFUL;
	s->fd[0] = 1;
}

void sandbox_settle(struct sandbox *sb, const struct place *after, struct steps *steps)
{
	struct file_plan p = { .sb = sb, .steps = *steps, .cache = -1 };
	bool root = sb->root != NULL;

	if (!after->own[NS_MNT])
		return;
	if (after->proc == VIEW_STALE)
		file_plan_add(&p, STEP_UMOUNT, "/proc")->num = MNT_DETACH;
	if (after->proc != VIEW_FITS && (after->own[NS_PID] || root)) {
		add_proc(&p, "/proc", after->own[NS_PID]);
		masks_again(&p, "/proc");
	}
	if (after->sys == VIEW_STALE)
		file_plan_add(&p, STEP_UMOUNT, "/sys")->num = MNT_DETACH;
	if (after->sys != VIEW_FITS && after->own[NS_NET] && root) {
		add_mount(&p, "sysfs", "/sys", CAREFUL | MOUNT_ATTR_RDONLY);
		masks_again(&p, "/sys");
	}
	*steps = p.steps;
}

/* The root */

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

static int check_wish(const struct root_wish *w, struct err *err)
{
	bool several = w->n > 1, shown = !several && w->mode != ROOT_KEPT_APART;

	int least = w->image ? IMAGE_LEAST : SIZE_LEAST;
	struct stat st;

	if (w->size && w->size < least)
		return err_usage(err, "a size of %lld bytes leaves no room; %d are the least", (long long)w->size, least);
	if (w->image && w->mode != ROOT_KEPT_APART)
		return err_usage(err, "upper is for writes: not with %s", w->mode == ROOT_READ_ONLY ? "ro" : "rw");
	if (w->size && (w->mode != ROOT_KEPT_APART || w->upper))
		return err_usage(err, "size is for writes to memory or an image: not with %s", w->upper ? "upper" : w->mode == ROOT_READ_ONLY ? "ro" : "rw");
	if (w->upper && w->mode != ROOT_KEPT_APART)
		return err_usage(err, "upper is for writes: not with %s", w->mode == ROOT_READ_ONLY ? "ro" : "rw, which has them reach the directory itself");
	if (w->mode == ROOT_WRITES_REACH && several)
		return err_usage(err, "rw is for one directory: of several layers only an upper one can be written to");
	if (w->chroot && (!layers_is_path(w->layers[0]) || stat(w->layers[0], &st) < 0 || !S_ISDIR(st.st_mode)))
		return err_usage(err, "chroot is for a directory of the host's, and %s is none", w->layers[0]);
	if (shown && w->mode == ROOT_WRITES_REACH && !layers_is_path(w->layers[0]))
		return err_usage(err, "rw is for a directory: %s",
				 streq(w->layers[0], "host") ? "to write to the host's files, share mnt" : "writes have nowhere to go");
	return 0;
}

/* A directory that is to be shown as it is: its path. 0 with *PATH NULL when the root is something else. */
static int shown_directory(struct file_plan *p, const struct root_wish *w, const char **path, struct err *err)
{
	struct stat st;

	*path = NULL;
	if (w->n > 1 || w->mode == ROOT_KEPT_APART || streq(w->layers[0], "busybox") ||
	    (streq(w->layers[0], "host") && layers_show_run()))
		return 0;
	char *real = realpath(streq(w->layers[0], "host") ? "/" : w->layers[0], NULL);
	if (!real)
		return 0;      /* the layers say so */
	file_plan_keep(p, real);
	if (stat(real, &st) == 0 && S_ISDIR(st.st_mode))
		*path = real;
	else if (w->mode == ROOT_WRITES_REACH)
		return err_usage(err, "rw is for a directory: writes have nowhere to go");
	return *path && w->mode == ROOT_READ_ONLY ? check_mount_points(real, err) : 0;
}

/* PATH of the new root, which is put together at AT. */
static const char *in_root(struct file_plan *p, const char *at, const char *path)
{
	return streq(at, "/") ? path : file_plan_keep(p, xasprintf("%s%s", at, path));
}

static int add_shown(struct file_plan *p, const char *path, const struct root_wish *w, const char *at)
{
	struct step *s = file_plan_add(p, STEP_BIND, at);

	s->from = path;
	s->num = MNT_BECOMES_ROOT;
	s->flags = (w->mode == ROOT_READ_ONLY ? MOUNT_ATTR_RDONLY : 0) | (p->sb->place.own[NS_USER] ? MOUNT_ATTR_IDMAP : 0);
	if (w->mode == ROOT_WRITES_REACH) {
		add_directory(p, in_root(p, at, "/proc"), 0555);
		add_directory(p, in_root(p, at, "/dev"), 0755);
		add_directory(p, in_root(p, at, "/sys"), 0555);
	}
	return 0;
}

/* Text as the value of an option. */
static char *escape_option(const char *text)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (; *text; text++) {
		if (*text == ',' || *text == '\\')
			buf_char(&b, '\\');
		buf_char(&b, *text);
	}
	return buf_take(&b);
}

/* Where the upper layer is; made on the host when it is a directory. */
static int add_upper(struct file_plan *p, const struct root_wish *w, const char *top, const char **options, struct err *err)
{
	if (w->image) {
		*options = file_plan_keep(p, xasprintf("image=%lld", (long long)(w->size ? w->size : IMAGE_SIZE)));
		return 0;
	}
	if (!w->upper) {
		*options = w->size ? file_plan_keep(p, xasprintf("size=%lld", (long long)w->size)) : NULL;
		return 0;
	}
	char *path = layers_absolute(w->upper);
	if (!path)
		return err_set(err, errno, "%.500s: can't be found", w->upper);
	file_plan_keep(p, path);
	if (layers_overlap(w, path, err) < 0)
		return -1;
	_cleanup_free_ char *escaped = escape_option(path);
	struct step *s = file_plan_add(p, STEP_UPPER, path);
	s->from = top;
	*options = file_plan_keep(p, xasprintf("upper=%s", escaped));
	return 0;
}

/* Where the new root is put together: over "/"; or, to lock programs into it, over the directory that it is of, which must be there inside. */
static const char *place_of_root(struct file_plan *p, const struct root_wish *w, const char *directory)
{
	if (w->chroot && p->sb->root)
		add_directory(p, directory, 0755);
	return w->chroot ? directory : "/";
}

/* The first steps: the new root at *AT. */
static int add_root(struct file_plan *p, const struct root_wish *w, const char **at, struct err *err)
{
	const char *shown, *top = NULL, *options = NULL;

	if (check_wish(w, err) < 0 || shown_directory(p, w, &shown, err) < 0)
		return -1;
	if (shown) {
		*at = place_of_root(p, w, shown);
		return add_shown(p, shown, w, *at);
	}
	const char *source = layers_source(p, w, true, &top, err);
	if (!source || (w->mode != ROOT_READ_ONLY && add_upper(p, w, top, &options, err) < 0))
		return -1;
	*at = place_of_root(p, w, top);
	struct step *s = add_mount(p, "overlay", *at, w->mode == ROOT_READ_ONLY ? MOUNT_ATTR_RDONLY : 0);
	s->from = source;
	s->text = options;
	s->num = MNT_BECOMES_ROOT;
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

/* From inside the directory the mount namespace's root can't be reached the proper way. */
static int refuse_locked(struct sandbox *sb, struct err *err)
{
	if (!sb->wish.chroot)
		return 0;
	err_set(err, EINVAL, "%s: it is locked into its root with chroot", sb->name);
	return err_try(err, "share mnt, unshare mnt, then root again");
}

/* The wish with paths that mean the same wherever another belljar that opens the session stands. */
static void note_root(struct sandbox *sb, const struct root_wish *wish)
{
	struct root_wish w = *wish;

	w.layers = NULL;
	w.n = 0;
	w.upper = wish->upper ? layers_absolute(wish->upper) : NULL;
	for (size_t i = 0; i < wish->n; i++) {
		char *path = layers_is_path(wish->layers[i]) ? layers_absolute(wish->layers[i]) : NULL;
		*GROW(&w.layers, &w.n) = path ? path : xstrdup(wish->layers[i]);
	}
	sandbox_note_root(sb, &w);
	for (size_t i = 0; i < w.n; i++)
		free(w.layers[i]);
	free(w.layers);
	free(w.upper);
}

static int add_all(struct file_plan *p, const struct root_wish *wish, struct err *err)
{
	struct sandbox *sb = p->sb;
	const char *at = "/";

	if (sandbox_need_mnt(sb, "another root would be the host's too", err) < 0 || refuse_running(sb, err) < 0 || refuse_locked(sb, err) < 0 ||
	    add_root(p, wish, &at, err) < 0)
		return -1;
	add_proc(p, in_root(p, at, "/proc"), sb->place.own[NS_PID]);
	file_plan_add(p, STEP_DEVICES, in_root(p, at, "/dev"));
	if (sb->place.own[NS_NET])
		add_mount(p, "sysfs", in_root(p, at, "/sys"), CAREFUL | MOUNT_ATTR_RDONLY);
	file_plan_add(p, wish->chroot ? STEP_CHROOT : STEP_PIVOT, at);
	return 0;
}

static void settle_root(struct sandbox *sb)
{
	named_drop_upper(sb);
	sb->own_dev = true;
	if (!sb->place.own[NS_NET])
		sb->place.sys = VIEW_NONE;
}

int sandbox_root(struct sandbox *sb, const struct root_wish *wish, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };

	if (add_all(&p, wish, err) < 0 || file_plan_run(&p, err) < 0)
		return -1;
	note_root(sb, wish);
	settle_root(sb);
	return names_show_again(sb, err);
}

bool sandbox_root_unshifted(const struct sandbox *sb, const char **layer, char **type)
{
	struct stat st;

	for (size_t i = 0; i < sb->wish.n && !sb->session->gate.dry; i++) {
		*layer = streq(sb->wish.layers[i], "host") ? "/" : sb->wish.layers[i];
		if (layers_is_path(*layer) && stat(*layer, &st) == 0 && S_ISDIR(st.st_mode) && (*type = mnt_unshifted(&sb->place, *layer)))
			return true;
	}
	return false;
}

/* The upper layer's directories in DIR make way, and go when the new root is in place. */
static int add_aside(struct file_plan *p, const char *dir, const char *asides[2], struct err *err)
{
	static const char *const names[] = { "upper", "work" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		asides[i] = file_plan_temporary(p, dir, err);
		if (!asides[i])
			return -1;
		const char *from = file_plan_keep(p, xasprintf("%s/%s", dir, names[i]));
		file_plan_add(p, STEP_ASIDE, asides[i])->from = from;
	}
	return 0;
}

int sandbox_reset(struct sandbox *sb, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	struct root_wish wish = sb->wish;
	const struct root_wish *w = &wish;
	const char *asides[2] = { NULL };

	if (!sb->root || w->mode != ROOT_KEPT_APART) {
		err_set(err, EINVAL, "%s: its root has no upper layer", sb->name);
		return err_try(err, "root %s", sb->root ? sb->root : "host");
	}
	if (upper_size(sb, &wish.size, err) < 0)
		return -1;
	if ((w->upper && add_aside(&p, w->upper, asides, err) < 0) || add_all(&p, w, err) < 0)
		return -1;
	for (size_t i = 0; w->upper && i < ARRAY_SIZE(asides); i++) {
		struct step *s = file_plan_add(&p, STEP_RMTREE, NULL);
		s->from = s->what = asides[i];
		p.after++;
	}
	unsigned long before = sb->session->gate.count;
	int result = file_plan_run(&p, err);
	if (result == 0 || sb->session->gate.count - before >= p.steps.n - p.after)
		settle_root(sb);
	return result < 0 ? result : names_show_again(sb, err);
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

uint64_t sandbox_mount_attribute(const char *word)
{
	uint64_t flags = 0;

	return attribute(word, strlen(word), &flags) ? flags : 0;
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
static void add_target(struct file_plan *p, const char *to, mode_t mode)
{
	if (p->sb->root)
		add_directory(p, to, mode);
}

int root_plan_run(struct file_plan *p, struct err *err)
{
	if (file_plan_run(p, err) == 0)
		return 0;
	if (!p->sb->root && err && err->number == ENOENT && p->steps.n == 1) {
		err_why(err, "the sandbox has the host's root, and nothing is made in that");
		err_try(err, "root host, whose writes are thrown away; or make it on the host");
	}
	return -1;
}

int root_plan_overlay(struct file_plan *p, const char *to, const struct root_wish *w, struct err *err)
{
	const char *top = NULL, *options = NULL;

	if (check_wish(w, err) < 0)
		return -1;
	const char *source = layers_source(p, w, false, &top, err);
	if (!source || (w->mode != ROOT_READ_ONLY && add_upper(p, w, top, &options, err) < 0))
		return -1;
	add_target(p, to, 0755);
	struct step *s = add_mount(p, "overlay", to, w->mode == ROOT_READ_ONLY ? MOUNT_ATTR_RDONLY : 0);
	s->from = source;
	s->text = options;
	return 0;
}

void root_plan_bind(struct file_plan *p, const char *from, const char *to, uint64_t attributes, bool recursive)
{
	struct stat st;

	add_target(p, to, stat(from, &st) < 0 || S_ISDIR(st.st_mode) ? 0755 : S_IFREG | 0644);
	struct step *s = file_plan_add(p, STEP_BIND, to);
	s->from = from;
	s->flags = attributes;
	s->text = attributes & MOUNT_ATTR_IDMAP ? "must" : NULL;
	s->fd[0] = recursive ? 1 : -1;
}

int sandbox_mount(struct sandbox *sb, const char *type, const char *source, const char *to, const char *options, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	uint64_t flags = 0;
	_cleanup_free_ char *text = split_options(options, &flags);

	if (sandbox_need_mnt(sb, "the mount would appear on the host", err) < 0)
		return -1;
	add_target(&p, to, 0755);
	struct step *s = add_mount(&p, type, to, flags);
	s->from = source ? source : type;
	s->text = text;
	return root_plan_run(&p, err);
}

int sandbox_bind(struct sandbox *sb, const char *from, const char *to, uint64_t attributes, bool recursive, bool idmap, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	struct stat st;

	if (sandbox_need_mnt(sb, "the mount would appear on the host", err) < 0)
		return -1;
	if (stat(from, &st) < 0) {
		int number = errno;
		return err_set(err, number, "%.500s: %s", from,
			       number == ENOENT ? "there is no such file or directory on the host" : "can't be looked at");
	}
	root_plan_bind(&p, from, to, attributes | (idmap ? MOUNT_ATTR_IDMAP : 0), recursive);
	return root_plan_run(&p, err);
}

int sandbox_mounts(struct sandbox *sb, struct mnt_info **mounts, size_t *n, struct err *err)
{
	*mounts = NULL;
	*n = 0;
	return sb->session->gate.dry ? 0 : mnt_list(sb->place.pid, mounts, n, err);
}

int sandbox_umount(struct sandbox *sb, const char *to, bool lazy, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };

	if (sandbox_need_mnt(sb, "the host's mount would go", err) < 0)
		return -1;
	file_plan_add(&p, STEP_UMOUNT, to)->num = lazy ? MNT_DETACH : 0;
	return file_plan_run(&p, err);
}
