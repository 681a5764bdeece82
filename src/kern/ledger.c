/*
 * ledger.c - what a session put on the machine that does not go by itself
 *
 * Only what a ledger names is ever removed, and only if it still is what was noted: a control group and a tree have belljar's prefix, a
 * link has the noted name and number both, a directory the noted project.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/err.h"
#include "kern/cg_kill.h"
#include "kern/ledger.h"
#include "kern/lent.h"
#include "kern/netlink.h"
#include "kern/nft.h"
#include "kern/project.h"
#include "kern/sysctl.h"
#include "kern/tree.h"

enum { LEDGER_LIMIT = 4 << 20, LINE_ROOM = 4200 };

/* At most ROOM - 1 bytes of a file, ended by NUL; the number, or -1 with errno. */
static ssize_t get(int dir, const char *name, char *text, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t got = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (got < room - 1 && ((n = read(fd, text + got, room - 1 - got)) > 0 || (n < 0 && errno == EINTR)))
		got += n > 0 ? (size_t)n : 0;
	int number = errno;
	close(fd);
	errno = number;
	text[got] = '\0';
	return n < 0 ? -1 : (ssize_t)got;
}

unsigned long long ledger_start_time(pid_t pid)
{
	char path[48], text[1024];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (pid <= 0 || get(AT_FDCWD, path, text, sizeof text) <= 0)
		return 0;
	/* The name in parentheses may hold anything; what follows the last one is fixed. */
	char *at = strrchr(text, ')');
	if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
		return 0;
	at += 2;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return 0;
		at++;
	}
	return strtoull(at, NULL, 10);
}

static int boot_id(char id[40])
{
	ssize_t n = get(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, 40);

	if (n > 0)
		id[strcspn(id, "\n")] = '\0';
	return n > 0 ? 0 : -1;
}

/* Number of the pid namespace that process PID is in: process numbers mean nothing in another one. */
static unsigned long pid_namespace(pid_t pid)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
	return stat(path, &st) < 0 ? 0 : (unsigned long)st.st_ino;
}

int ledger_header(pid_t pid, char *line, size_t room, struct err *err)
{
	unsigned long long start = ledger_start_time(pid);
	unsigned long space = pid_namespace(pid);
	char boot[40];

	if (!start || !space || boot_id(boot) < 0)
		return err_set(err, errno, "/proc says neither the start time of process %d nor which boot this is", (int)pid);
	snprintf(line, room, "belljar 1 %s %lu %d %llu", boot, space, (int)pid, start);
	return 0;
}

bool ledger_alive(int dir)
{
	char text[256], boot[40], now[40];
	unsigned long long start;
	unsigned long space;
	int pid;

	if (get(dir, "ledger", text, sizeof text) <= 0 || !strchr(text, '\n'))
		return false;
	if (sscanf(text, "belljar 1 %39s %lu %d %llu\n", boot, &space, &pid, &start) != 4)
		return false;
	/* Where it can't be told, it counts as alive: nothing of a living session must be touched. */
	if (boot_id(now) < 0)
		return true;
	if (strcmp(boot, now) != 0)
		return false;
	return space != pid_namespace(getpid()) || (start && ledger_start_time(pid) == start);
}

pid_t ledger_owner(int dir)
{
	char text[256];
	int pid;

	if (get(dir, "ledger", text, sizeof text) <= 0 || sscanf(text, "belljar 1 %*s %*u %d", &pid) != 1)
		return 0;
	return pid;
}

int ledger_lock(const char *path, bool block)
{
	struct stat here, there;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	int done;
	while ((done = flock(fd, LOCK_EX | (block ? 0 : LOCK_NB))) < 0 && errno == EINTR)
		;
	/* Whoever had the lock before may have removed the directory; another of the same name would not be the one that is locked. */
	if (done == 0 && fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev)
		return fd;
	int number = done < 0 ? errno : ENOENT;
	close(fd);
	errno = number;
	return -1;
}

static bool is_group(const char *path)
{
	const char *last = strrchr(path, '/');

	return path[0] == '/' && strncmp(last + 1, "belljar.", 8) == 0 && !strstr(path, "/../");
}

/* Most groups are gone or empty by now. */
static bool clear_empty_group(const char *path)
{
	return is_group(path) && (rmdir(path) == 0 || errno == ENOENT);
}

static int clear_group(const char *path, struct err *err)
{
	if (!is_group(path))
		return err_set(err, 0, "ledger: %s is no control group of belljar", path);
	return cg_kill_path(path, err);
}

static int delete_link(int sock, int index)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} ask = { .head = { .nlmsg_len = sizeof ask, .nlmsg_type = RTM_DELLINK }, .link = { .ifi_index = index } };

	return netlink_ask(sock, &ask.head);
}

/* The link is deleted only when the number still belongs to the name. */
static int clear_link(const char *name, int index, struct err *err)
{
	struct ifreq r = { .ifr_ifindex = index };
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (sock < 0)
		return err_set(err, errno, "%s: no netlink socket", name);
	int number = 0;
	if (index > 0 && ioctl(sock, SIOCGIFNAME, &r) == 0 && strncmp(r.ifr_name, name, IFNAMSIZ) == 0)
		number = delete_link(sock, index);
	close(sock);
	return number && number != ENODEV ? err_set(err, number, "%s: the link can't be deleted", name) : 0;
}

static int clear_tree(const char *path, struct err *err)
{
	const char *last = strrchr(path, '/');

	if (path[0] != '/' || strncmp(last + 1, ".belljar.", 9) != 0)
		return err_set(err, 0, "ledger: %s is no tree of belljar", path);
	return tree_remove(AT_FDCWD, path) < 0 && errno != ENOTDIR ? err_set(err, errno, "%s: can't be removed", path) : 0;
}

/* The session's tables of rules, in the net namespace they were made in; of another nothing is known, it is mostly gone. */
static int clear_tables(unsigned long netns, const char *name, struct err *err)
{
	static const int families[] = { NFPROTO_INET, NFPROTO_BRIDGE };
	struct stat st;

	if (strncmp(name, "belljar.", 8) != 0)
		return err_set(err, 0, "ledger: %s is no table of belljar", name);
	if (stat("/proc/self/ns/net", &st) < 0 || st.st_ino != netns)
		return 0;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		int number = nft_delete_table(families[i], name);
		if (number)
			return err_set(err, number, "%s: the table of rules can't be deleted", name);
	}
	return 0;
}

static int clear_line(const char *dir, const char *line, struct err *err)
{
	char name[IFNAMSIZ], table[128];
	unsigned long netns;
	int index;

	if (strncmp(line, "tree ", 5) == 0)
		return clear_tree(line + 5, err);
	if (strncmp(line, "project ", 8) == 0)
		return project_clear(line + 8, err);
	if (sscanf(line, "nft %lu %127s", &netns, table) == 2)
		return clear_tables(netns, table, err);
	if (strncmp(line, "forward ", 8) == 0) {
		int number = sysctl_forward_off(dir, line);
		return number ? err_set(err, number, "ledger: %s: can't be put off", line) : 0;
	}
	if (strncmp(line, "lent ", 5) == 0) {
		int number = lent_clear(dir, line + 5);
		return number ? err_set(err, number, "%s: the link can't be given back to the host", line + 5) : 0;
	}
	if (strncmp(line, "cgroup ", 7) == 0)
		return clear_group(line + 7, err);
	if (sscanf(line, "link %15s %d", name, &index) == 2)
		return clear_link(name, index, err);
	return err_set(err, 0, "ledger: %s: unknown kind of object", line);
}

/* Is there a later line "- LINE"? TEXT holds lines ended by NUL up to END. */
static bool forgotten(const char *line, const char *end)
{
	for (const char *at = line + strlen(line) + 1; at < end; at += strlen(at) + 1)
		if (at[0] == '-' && at[1] == ' ' && strcmp(at + 2, line) == 0)
			return true;
	return false;
}

/* All lines of the ledger from the last to the second. A last line without its end was being written: its object was not made yet. */
static int clear_lines(const char *dir, char *text, struct err *err)
{
	char *end = strrchr(text, '\n');
	int failed = 0;

	if (!end)
		return 0;
	*++end = '\0';
	char *first = strchr(text, '\n') + 1;
	for (char *at = text; at < end; at++)
		if (*at == '\n')
			*at = '\0';
	for (char *at = first; at < end; at += strlen(at) + 1) {
		if (strncmp(at, "cgroup ", 7) != 0 || forgotten(at, end))
			continue;
		if (clear_empty_group(at + 7))
			*at = '-';      /* done */
		else
			cg_ease_path(at + 7);
	}
	for (char *at = end; at > first;) {
		for (at--; at > first && at[-1]; at--)
			;
		if (!*at || *at == '-' || forgotten(at, end))
			continue;
		if (clear_line(dir, at, failed ? NULL : err) < 0)
			failed = -1;
	}
	return failed;
}

/* The files first, the ledger last: as long as there is anything there is a ledger. */
static int remove_directory(int dir, const char *path, struct err *err)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!list) {
		int number = errno;
		if (copy >= 0)
			close(copy);
		return err_set(err, number, "%s: can't be read", path);
	}
	while ((e = readdir(list)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && strcmp(e->d_name, "ledger") != 0)
			unlinkat(dir, e->d_name, 0);
	closedir(list);
	unlinkat(dir, "ledger", 0);
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_set(err, errno, "%s: can't be removed", path);
	return 0;
}

/* The directory that PATH is in goes too, when it is ours alone and empty. */
static int leave(const char *path, struct err *err)
{
	char parent[LINE_ROOM];
	struct stat st;
	int n = snprintf(parent, sizeof parent, "%s", path);
	char *slash = strrchr(parent, '/');

	if (n < 0 || (size_t)n >= sizeof parent || !slash || slash == parent)
		return 0;
	*slash = '\0';
	if (lstat(parent, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
		return 0;
	if (rmdir(parent) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST || errno == EROFS || errno == EACCES)
		return 0;
	return err_set(err, errno, "%s: can't be removed", parent);
}

/* Take down what the ledger names. No ledger: nothing was made. */
static int clear_objects(int dir, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(dir, "ledger", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "%s/ledger: can't be read", path);
	if (!S_ISREG(st.st_mode) || st.st_size > LEDGER_LIMIT)
		return err_set(err, EFBIG, "%s/ledger: no ledger, or too large", path);
	size_t room = (size_t)st.st_size + 1;
	char *text = malloc(room);
	if (!text || get(dir, "ledger", text, room) < 0) {
		err_set(err, errno, "%s/ledger: can't be read", path);
		free(text);
		return -1;
	}
	int failed = clear_lines(path, text, err);
	free(text);
	return failed;
}

int ledger_clear(int dir, const char *path, struct err *err)
{
	if (clear_objects(dir, path, err) < 0)
		return -1;
	return remove_directory(dir, path, err) < 0 ? -1 : leave(path, err);
}

static bool is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

/* What errors of opening a directory mean that it isn't there: it may also never have been, because the one above is none. */
static bool is_gone(int number)
{
	return number == ENOENT || number == ENOTDIR || number == ELOOP;
}

int ledger_take_down(int lock, const char *path, int own, int patience, struct err *err)
{
	int failed = -1;

	for (int pause = 1;; pause *= 4) {
		struct err what = { 0 };
		if (lock < 0)
			lock = ledger_lock(path, true);
		if (lock < 0)
			failed = is_gone(errno) ? leave(path, &what) : err_set(&what, errno, "%s: can't be locked", path);
		else
			failed = own >= 0 && !is_same(own, lock) ? 0 : ledger_clear(lock, path, &what);
		if (lock >= 0)
			close(lock);
		lock = -1;
		patience -= pause;
		if (failed == 0 || patience < 0) {
			if (failed < 0 && err)
				*err = what;
			return failed;
		}
		struct timespec moment = { .tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000L };
		nanosleep(&moment, NULL);
	}
}
