/*
 * cg_kill.c - the end of a control group
 *
 * Version 2 has cgroup.kill, which also catches children that are being forked; the end is told by cgroup.events ("populated 0"),
 * which can be polled. Version 1 has neither: there each process of the list is held by a descriptor (pidfd), looked up in the list
 * again, and only then killed, so that a number that was given to somebody else meanwhile is never hit; the wait is for the
 * descriptors. A frozen group is thawed after the signals were sent, and where there is a freezer it is first frozen, so that
 * nothing forks away.
 *
 * What was inside may have made groups of its own, as deep and as many as it liked: the walk uses no recursion and no paths.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/cg_kill.h"

enum { PATIENCE_MS = 10000, RECHECK_MS = 20, AT_ONCE = 128, LIST_ROOM = 1 << 16 };

static int put(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* The whole file when it fits, else its beginning; -1 with errno. */
static ssize_t get(int fd, char *text, size_t room)
{
	size_t got = 0;
	ssize_t n;

	while (got < room - 1) {
		n = pread(fd, text + got, room - 1 - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	text[got] = '\0';
	return (ssize_t)got;
}

static ssize_t get_file(int dir, const char *file, char *text, size_t room)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = get(fd, text, room);
	close(fd);
	return n;
}

/* Is PID a line of the list? */
static bool listed(const char *list, int pid)
{
	for (const char *at = list; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strtol(at, NULL, 10) == pid)
			return true;
	return false;
}

/* Send SIGKILL to the next AT_ONCE processes of the list at *AT, and wait for their end until DEADLINE (0: don't wait). */
static int kill_some(int dir, const char **at, long long deadline)
{
	static _large_ char again[LIST_ROOM];   /* too large for a stack; one thread, nothing is kept in it */
	struct pollfd wait[AT_ONCE];
	int pids[AT_ONCE], n = 0;
	const char *end;

	/* A line without its end was cut off: its number is another's. */
	for (; n < AT_ONCE && (end = strchr(*at, '\n')); *at = end + 1) {
		pids[n] = (int)strtol(*at, NULL, 10);
		wait[n] = (struct pollfd){ .events = POLLIN };
		wait[n].fd = pids[n] > 0 ? (int)syscall(SYS_pidfd_open, pids[n], 0) : -1;
		n += wait[n].fd >= 0;
	}
	if (get_file(dir, "cgroup.procs", again, sizeof again) < 0)
		again[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (!listed(again, pids[i]))
			continue;
		syscall(SYS_pidfd_send_signal, wait[i].fd, SIGKILL, NULL, 0);
	}
	for (int i = 0; i < n; i++) {
		while (listed(again, pids[i]) && now_ms() < deadline && poll(&wait[i], 1, (int)(deadline - now_ms())) < 0 && errno == EINTR)
			;
		close(wait[i].fd);
	}
	return n;
}

/* The same for all processes of the group DIR itself (version 1). Number of processes found, or -1. */
static int kill_listed(int dir, long long deadline)
{
	static _large_ char list[LIST_ROOM];    /* as above */
	const char *at = list;
	int n, all = 0;

	if (get_file(dir, "cgroup.procs", list, sizeof list) < 0)
		return -1;
	while ((n = kill_some(dir, &at, deadline)) > 0)
		all += n;
	return all;
}

/* Version 1: empty one group. With a freezer all are signalled while frozen, and end when thawed. */
static int empty_v1(int dir, long long deadline)
{
	struct timespec moment = { .tv_nsec = 1000000 };
	bool freezer = faccessat(dir, "freezer.state", W_OK, 0) == 0;
	int n;

	if (freezer) {
		put(dir, "freezer.state", "FROZEN");
		kill_listed(dir, 0);
		put(dir, "freezer.state", "THAWED");
	}
	while ((n = kill_listed(dir, deadline)) > 0 && now_ms() < deadline)
		;
	if (n == 0)
		return 0;
	if (n < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -1;
	nanosleep(&moment, NULL);
	errno = EBUSY;
	return -1;
}

/* Version 2: all below DIR ends at once. The event may have come before the poll begins, so the file is read again after each. */
static int empty_v2(int dir, long long deadline)
{
	int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	bool killed = false;
	char text[256];

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -1;
	for (;;) {
		ssize_t n = get(fd, text, sizeof text);
		bool nobody = n < 0 ? errno == ENODEV : strstr(text, "populated 0") != NULL;
		long long left = deadline - now_ms();
		if (nobody || left <= 0 || (!killed && put(dir, "cgroup.kill", "1") < 0 && errno != ENODEV)) {
			int number = left <= 0 ? EBUSY : errno;
			close(fd);
			errno = number;
			return nobody ? 0 : -1;
		}
		killed = true;
		struct pollfd event = { .fd = fd, .events = POLLPRI };
		/* Not for ever at once: a lost event must not cost the whole patience. */
		poll(&event, 1, left < 1000 ? (int)left : 1000);
	}
}

static int empty(int dir, long long deadline)
{
	if (faccessat(dir, "cgroup.kill", F_OK, 0) == 0)
		return empty_v2(dir, deadline);
	return empty_v1(dir, deadline);
}

/* rmdir NAME in DIR. Just after the end of the last process the kernel may still say EBUSY for an instant. */
static int remove_empty(int dir, const char *name, long long deadline)
{
	struct timespec moment = { .tv_nsec = 500000 };
	long long until = now_ms() + RECHECK_MS;

	for (;;) {
		if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENODEV)
			return 0;
		if (errno != EBUSY || now_ms() >= until || now_ms() >= deadline)
			return -1;
		nanosleep(&moment, NULL);
	}
}

/* Remove the children of DIR that have no children themselves; when one has, return its descriptor. -1: no children are left, or with
 * *failed set an errno. */
static int remove_leaves(int dir, int *failed)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), down = -1;
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!list) {
		*failed = errno == ENOENT || errno == ENODEV ? 0 : errno;
		if (copy >= 0)
			close(copy);
		return -1;
	}
	while (down < 0 && (e = readdir(list))) {
		if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dir, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		down = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (down < 0 && errno != ENOENT)
			*failed = errno;
	}
	closedir(list);
	return down;
}

/* Remove everything below TOP. Each round goes down to a group without children, empties it (version 1 kills group by group), and
 * comes up again; what was there on the way is removed from its parent then. */
static int remove_below(int top, long long deadline)
{
	int failed = 0, depth = 0, at = dup(top);

	while (at >= 0 && failed == 0 && now_ms() < deadline) {
		int down = remove_leaves(at, &failed);
		if (down >= 0) {
			close(at);
			at = down;
			depth++;
			continue;
		}
		if (depth == 0)
			break;
		if (empty(at, deadline) < 0)
			failed = errno;
		int up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = up;
		depth--;
	}
	if (at >= 0)
		close(at);
	errno = failed ? failed : EBUSY;
	return failed || now_ms() >= deadline ? -1 : 0;
}

int cg_kill_path(const char *path, struct err *err)
{
	long long deadline = now_ms() + PATIENCE_MS;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : err_set(err, errno, "%s: can't be opened", path);
	/* Most groups are empty and have no children by now: then there is nothing to kill and nothing to wait for. */
	if (rmdir(path) == 0) {
		close(dir);
		return 0;
	}
	int bad = empty(dir, deadline) < 0 || remove_below(dir, deadline) < 0 || remove_empty(AT_FDCWD, path, deadline) < 0;
	int number = errno;
	close(dir);
	if (!bad)
		return 0;
	err_set(err, number, "%s: the group can't be removed", path);
	if (number == EBUSY)
		err_why(err, "processes in it have not ended within %d seconds of SIGKILL, or others keep entering it", PATIENCE_MS / 1000);
	return -1;
}

/* Not by cgroup.kill: from 6.13 on the kernel kills whoever is born into a group (CLONE_INTO_CGROUP) after that was written once, because it
 * compares the count of kills of the parent's group with that of the new one (cgroup_css_set_fork). Frozen, nobody forks away either. */
static int empty_by_hand(int dir, long long deadline)
{
	bool freezer = put(dir, "cgroup.freeze", "1") == 0;
	int n;

	if (!freezer)
		return empty_v1(dir, deadline);
	while ((n = kill_listed(dir, deadline)) > 0 && now_ms() < deadline)
		;
	int number = n < 0 ? errno : EBUSY;
	put(dir, "cgroup.freeze", "0");
	errno = number;
	return n == 0 || (n < 0 && (number == ENOENT || number == ENODEV || number == EOPNOTSUPP)) ? 0 : -1;
}

int cg_empty_path(const char *path, struct err *err)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : err_set(err, errno, "%s: can't be opened", path);
	int failed = empty_by_hand(dir, now_ms() + PATIENCE_MS) < 0 ? errno : 0;
	close(dir);
	return failed ? err_set(err, failed, "%s: processes in it have not ended within %d seconds of SIGKILL", path, PATIENCE_MS / 1000) : 0;
}

/* Returns whether there is anything of the kind. */
static bool ease(int dir)
{
	bool v2 = put(dir, "cpu.max", "max") == 0 || errno != ENOENT;
	bool v1 = !v2 && (put(dir, "cpu.cfs_quota_us", "-1") == 0 || errno != ENOENT);

	return v2 || v1 || put(dir, "freezer.state", "THAWED") == 0 || errno != ENOENT;
}

void cg_ease_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!list) {
		if (fd >= 0)
			close(fd);
		return;
	}
	bool more = ease(fd);
	while (more && (e = readdir(list))) {
		if (e->d_type != DT_DIR || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		int child = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			continue;
		ease(child);
		close(child);
	}
	closedir(list);
}
