/*
 * mnt_make.c - mounts made as descriptors: the first halves of the mount steps
 *
 * These run in belljar itself, on the host, before a joined child attaches what they made. The types that show the namespaces of who
 * makes them are made by that child, on its way.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"
#include "kern/step.h"
#include "kern/sys.h"

bool mnt_privileged(void)
{
	char line[64];

	return io_line(AT_FDCWD, "/proc/self/uid_map", line, sizeof line) > 0 && strstr(line, "4294967295") != NULL;
}

/* The types that show the namespaces of whoever makes them. */
static bool shows_maker(const char *type)
{
	return streq(type, "proc") || streq(type, "sysfs") || streq(type, "mqueue");
}

/* File systems */

void mnt_log(int fs, struct err *err)
{
	char message[256];
	ssize_t n;

	/* "e tmpfs: Bad value for 'size'": the first letter says how grave it is. */
	while ((n = read(fs, message, sizeof message - 1)) > 0) {
		size_t used = strlen(err->text);
		message[n] = '\0';
		message[strcspn(message, "\n")] = '\0';
		snprintf(err->text + used, sizeof err->text - used, "; the kernel says: %s", n > 2 ? message + 2 : message);
	}
}

/* The next option of TEXT into OPTION, unescaped; where the rest begins, or NULL at the end. */
static const char *next_option(const char *text, char option[MNT_OPTION_LONGEST])
{
	size_t n = 0;

	if (!text || !*text)
		return NULL;
	for (; *text && *text != ','; text++) {
		if (*text == '\\' && text[1])
			text++;
		if (n < MNT_OPTION_LONGEST - 1)
			option[n++] = *text;
	}
	option[n] = '\0';
	return *text ? text + 1 : text;
}

static int set_options(int fs, const char *type, const char *options, struct err *err)
{
	char option[MNT_OPTION_LONGEST];

	while ((options = next_option(options, option))) {
		char *value = strchr(option, '=');
		if (value)
			*value++ = '\0';
		if (!*option)
			continue;
		if (sys_fsconfig(fs, value ? SYS_CONFIG_STRING : SYS_CONFIG_FLAG, option, value) == 0)
			continue;
		err_set(err, errno, "%s does not take the option %.100s%s%.200s", type, option, value ? "=" : "", value ? value : "");
		mnt_log(fs, err);
		return -1;
	}
	return 0;
}

static int can_not_create(const char *type, int fs, struct err *err)
{
	int number = errno;

	err_set(err, number, "%s: the file system can't be made", type);
	mnt_log(fs, err);
	if (number == EPERM && shows_maker(type))
		err_why(err, "for an ordinary user it must have a namespace of the sandbox's own to show, and the host's %s be there with "
			     "nothing mounted over it", type);
	else if (number == ENOTBLK || number == EINVAL)
		err_why(err, "the source may be no block device, or hold no file system of this type");
	return -1;
}

int mnt_open_type(const char *type, struct err *err)
{
	int fs = sys_fsopen(type), number = errno;

	if (fs >= 0)
		return fs;
	err_set(err, number, "%s: %s", type, number == ENODEV ? "this kernel has no file system of that type" : "can't be opened");
	return number == EPERM ? err_why(err, "mounting needs CAP_SYS_ADMIN in the user namespace of the mount namespace") : -1;
}

int mnt_configure(int fs, const char *type, const char *source, const char *options, uint64_t attributes, struct err *err)
{
	if (source && sys_fsconfig(fs, SYS_CONFIG_STRING, "source", source) < 0) {
		err_set(err, errno, "%s does not take the source %.200s", type, source);
		mnt_log(fs, err);
		return -1;
	}
	if (set_options(fs, type, options, err) < 0)
		return -1;
	if (sys_fsconfig(fs, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return can_not_create(type, fs, err);
	int mount = sys_fsmount(fs, (unsigned)attributes);
	return mount < 0 ? can_not_create(type, fs, err) : mount;
}

int mnt_filesystem(const char *type, const char *source, const char *options, uint64_t attributes, struct err *err)
{
	_cleanup_close_ int fs = mnt_open_type(type, err);

	return fs < 0 ? -1 : mnt_configure(fs, type, source, options, attributes, err);
}

int64_t mnt_tmpfs_files(int64_t size)
{
	int64_t files = size / 4096;

	/* Each file costs about a kilobyte of the kernel's memory that `size` does not count. */
	return files < 1024 ? 1024 : files > 1 << 20 ? 1 << 20 : files;
}

int mnt_tmpfs(int64_t size, unsigned mode, const struct mnt_owner *o, struct err *err)
{
	char options[160];

	snprintf(options, sizeof options, "size=%lld,nr_inodes=%lld,mode=%o,uid=%u,gid=%u", (long long)size, (long long)mnt_tmpfs_files(size), mode,
		 o->uid, o->gid);
	return mnt_filesystem("tmpfs", "belljar", options, 0, err);
}

bool mnt_option(const char *options, const char *key, char value[MNT_OPTION_LONGEST])
{
	size_t n = strlen(key);

	while ((options = next_option(options, value)))
		if (strncmp(value, key, n) == 0 && value[n] == '=') {
			memmove(value, value + n + 1, strlen(value + n + 1) + 1);
			return true;
		}
	return false;
}

int64_t mnt_size(const char *options, int64_t otherwise, struct err *err)
{
	char value[MNT_OPTION_LONGEST], *end;

	if (!mnt_option(options, "size", value))
		return otherwise;
	errno = 0;
	long long n = strtoll(value, &end, 10);
	if (errno || n < 4096 || end == value || *end)
		return err_set(err, EINVAL, "size=%.100s: a size in bytes, at least 4096, is needed", value);
	return n;
}

/* A type of the kernel's. The user's options come last, and so they count. */
static int make_plain(const struct step *s, const struct mnt_owner *o, struct err *err)
{
	_cleanup_free_ char *options = NULL;

	if (o->other && streq(s->what, "tmpfs"))
		options = xasprintf("uid=%u,gid=%u%s%s", o->uid, o->gid, s->text ? "," : "", s->text ? s->text : "");
	return mnt_filesystem(s->what, s->from, options ? options : s->text, s->flags, err);
}

int mnt_make_mount(struct step *s, int *fd, struct err *err)
{
	struct mnt_owner o = mnt_owner(s->place);
	_cleanup_close_ int upper = -1;

	if (shows_maker(s->what))
		return 0;
	if (streq(s->what, "overlay") && !(s->text && strstr(s->text, "lowerdir")))
		*fd = mnt_make_overlay(s->from, s->text, s->flags & MOUNT_ATTR_RDONLY, &o, &upper, err);
	else
		return (*fd = make_plain(s, &o, err)) < 0 ? -1 : 0;
	struct sys_mount_attr attr = { .set = s->flags };
	if (*fd >= 0 && s->flags && sys_mount_setattr(*fd, "", AT_EMPTY_PATH, &attr) < 0) {
		err_set(err, errno, "%s: can't be made read-only", s->from);
		close_fd(fd);
	}
	if (*fd >= 0 && s->num == MNT_BECOMES_ROOT) {
		close_fd(&s->place->next_upper);
		s->place->next_upper = move_fd(&upper);
	}
	return *fd < 0 ? -1 : 0;
}

/* proc shows the pid namespace of the very process that opens it, and this one is in belljar's (only its children would be in the
 * sandbox's). So a child of its own opens it, which is gone before anything goes on (by returning: see joined.c). */
static int open_proc(void *arg)
{
	*(int *)arg = sys_fsopen("proc");
	return 0;
}

static int proc_of_inside(const struct step *s, struct err *err)
{
	char stack[16 * 1024] __attribute__((aligned(16)));
	int fs = -1;
	/* Descriptors are shared with it, and this process waits until it has ended. */
	pid_t pid = clone(open_proc, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES, &fs);

	if (pid < 0) {
		int number = errno;
		err_set(err, number, "%s: can't start a process in its pid namespace", s->place->name);
		return number == ENOMEM ? err_why(err, "the namespace's process number 1 has ended, and it takes no others then") : -1;
	}
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	_cleanup_close_ int proc = fs;
	if (proc < 0)
		return err_set(err, EPERM, "proc: can't be opened in %s", s->place->name);
	return mnt_configure(proc, s->what, s->from, s->text, s->flags, err);
}

bool mnt_needs_joined(const struct step *s)
{
	return shows_maker(s->what);
}

/* In belljar's mount namespace: in one that belongs to a child user namespace the kernel makes these only while another that hides nothing can
 * be seen there ("too revealing"). */
int mnt_make_joined(struct step *s, int *fd, struct err *err)
{
	if (streq(s->what, "proc") && s->place->own[NS_PID])
		*fd = proc_of_inside(s, err);
	else
		*fd = mnt_filesystem(s->what, s->from, s->text, s->flags, err);
	return *fd < 0 ? -1 : 0;
}

static int can_not_shift(const char *path, int number, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	_cleanup_free_ char *type = fd < 0 ? NULL : mnt_type_of(fd);

	err_set(err, number, "%s: its owners can't be shown as the sandbox numbers users", path);
	if (number == EINVAL || number == EPERM)
		err_why(err, "it is on %s, which can't do that with this kernel, or was mounted by somebody else", type ? type : "a file system");
	return err_try(err, "!cp -a %s COPY, on ext4, xfs or btrfs, and the same with COPY; or bind without idmap", path);
}

int mnt_make_bind(struct step *s, int *fd, struct err *err)
{
	unsigned recursive = s->fd[0] == 1 ? AT_RECURSIVE : 0;
	/* A copy of a shared mount would hand on what is mounted below it inside. */
	struct sys_mount_attr attr = { .set = s->flags & ~(uint64_t)MOUNT_ATTR_IDMAP, .propagation = MS_PRIVATE };
	struct mnt_owner o = mnt_owner(s->place);

	if (s->num == 1)
		return 0;
	if (s->num == MNT_BECOMES_ROOT)
		close_fd(&s->place->next_upper);
	*fd = sys_open_tree(AT_FDCWD, s->from, SYS_TREE_CLONE | recursive);
	/* A root whose mounts are locked together (mnt_whole.c) is shown with all of them. */
	if (*fd < 0 && errno == EINVAL && s->num == MNT_BECOMES_ROOT && !mnt_privileged()) {
		recursive = AT_RECURSIVE;
		*fd = sys_open_tree(AT_FDCWD, s->from, SYS_TREE_CLONE | recursive);
	}
	if (*fd < 0) {
		int number = errno;
		err_set(err, number, "%s: can't be taken from the host", s->from);
		return number == EINVAL && !recursive ? err_try(err, "bind %s %s rec", s->from, s->to) : -1;
	}
	if (sys_mount_setattr(*fd, "", AT_EMPTY_PATH | recursive, &attr) < 0) {
		err_set(err, errno, "%s: its mount's attributes can't be changed", s->from);
		close_fd(fd);
		return -1;
	}
	/* Where the file system can't be shown with other owners, it is shown with those it has, unless that was asked for. */
	if (!(s->flags & MOUNT_ATTR_IDMAP) || mnt_give(*fd, &o, recursive) == 0 || !s->text)
		return 0;
	int number = errno;
	close_fd(fd);
	return can_not_shift(s->from, number, err);
}

/* /dev */

static const struct { const char *name; unsigned minor; } nodes[] = { { "null", 3 },   { "zero", 5 },    { "full", 7 },
								      { "random", 8 }, { "urandom", 9 }, { "tty", 0 } };
static const struct { const char *name, *target; } links[] = { { "ptmx", "pts/ptmx" },          { "fd", "/proc/self/fd" },
								{ "stdin", "/proc/self/fd/0" },  { "stdout", "/proc/self/fd/1" },
								{ "stderr", "/proc/self/fd/2" } };
static const char *const directories[] = { "pts", "shm", "mqueue" };

/* EPERM: the nodes can't be made, and are empty files for the host's to be mounted on. */
static int fill_devices(int dev)
{
	mode_t old = umask(0);
	bool bad = false, none = false;

	for (size_t i = 0; i < ARRAY_SIZE(nodes) && !bad; i++) {
		dev_t number = makedev(streq(nodes[i].name, "tty") ? 5 : 1, nodes[i].minor);
		if (!none && mknodat(dev, nodes[i].name, S_IFCHR | 0666, number) < 0) {
			none = errno == EPERM;
			bad = !none;
		}
		if (none)
			bad = mknodat(dev, nodes[i].name, S_IFREG | 0666, 0) < 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(links) && !bad; i++)
		bad = symlinkat(links[i].target, dev, links[i].name) < 0;
	for (size_t i = 0; i < ARRAY_SIZE(directories) && !bad; i++)
		bad = mkdirat(dev, directories[i], 0755) < 0;
	int number = errno;
	umask(old);
	errno = bad ? number : EPERM;
	return bad || none ? -1 : 0;
}

/* In a mount namespace of its own: the host's nodes over the empty files, all of it copied as one detached tree. */
static int borrow_devices(void *arg, struct err *err)
{
	int *dev = arg;
	_cleanup_close_ int root = mnt_alone(err);

	if (root < 0)
		return -1;
	if (sys_move_mount(*dev, "", root, "", SYS_MOVE_FROM_FD | SYS_MOVE_TO_FD) < 0)
		return err_set(err, errno, "/dev: can't be put together");
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		char path[32];
		snprintf(path, sizeof path, "/dev/%s", nodes[i].name);
		_cleanup_close_ int node = sys_open_tree(AT_FDCWD, path, SYS_TREE_CLONE);
		if (node < 0 || sys_move_mount(node, "", *dev, nodes[i].name, SYS_MOVE_FROM_FD) < 0)
			return err_set(err, errno, "%s: the host's can't be shown inside", path);
	}
	int tree = sys_open_tree(*dev, "", SYS_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
	if (tree < 0)
		return err_set(err, errno, "/dev: can't be put together");
	close(*dev);
	*dev = tree;
	return 0;
}

/* Here the number of the group that is 5 (tty) inside, or -1. */
static int64_t terminal_group(const struct place *p)
{
	struct mnt_id_range ranges[MNT_ID_RANGES];
	uint32_t group;

	if (!p->own[NS_USER])
		return mnt_privileged() ? 5 : -1;
	return mnt_id_outside(ranges, mnt_id_ranges(p, "gid_map", ranges), 5, &group) ? (int64_t)group : -1;
}

int mnt_make_devices(struct step *s, int *fd, struct err *err)
{
	struct mnt_owner o = mnt_owner(s->place);
	char options[96];

	snprintf(options, sizeof options, "size=64k,nr_inodes=64,mode=755,uid=%u,gid=%u", o.uid, o.gid);
	*fd = mnt_filesystem("tmpfs", "dev", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	if (*fd < 0)
		return -1;
	s->old_num = terminal_group(s->place);
	if (fill_devices(*fd) == 0)
		return 0;
	if (errno != EPERM)
		return err_set(err, errno, "/dev: can't be filled");
	return mnt_workshop(borrow_devices, fd, err);
}

static int mount_below(int dev, const char *name, const char *type, const char *options, uint64_t attributes, struct err *err)
{
	_cleanup_close_ int mount = mnt_filesystem(type, type, options, attributes, err);

	if (mount < 0)
		return -1;
	/* Without MOVE_MOUNT_T_SYMLINKS a link is not followed. */
	if (sys_move_mount(mount, "", dev, name, SYS_MOVE_FROM_FD) < 0)
		return err_set(err, errno, "/dev/%s: can't be mounted", name);
	return 0;
}

int mnt_finish_devices(int dev, const struct place *p, int64_t pts_group, struct err *err)
{
	const uint64_t careful = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	char options[64] = "ptmxmode=666,mode=620";

	if (pts_group >= 0)
		snprintf(options, sizeof options, "ptmxmode=666,mode=620,gid=%lld", (long long)pts_group);
	if (mount_below(dev, "pts", "devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err) < 0)
		return -1;
	if (mount_below(dev, "shm", "tmpfs", "size=64m,nr_inodes=16384,mode=1777", careful, err) < 0)
		return -1;
	return p->own[NS_IPC] ? mount_below(dev, "mqueue", "mqueue", NULL, careful, err) : 0;
}
