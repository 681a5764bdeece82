/*
 * look.c - what is true of a sandbox, read from the kernel
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/mnt.h"
#include "kern/net.h"
#include "sandbox/look.h"

struct relation {
	pid_t pid, parent;
	char state;
	bool ending;
	int cpu;
};

/* The kernel's PF_EXITING (sched.h), in the field of /proc/PID/stat that proc_pid_stat(5) calls flags. */
#define FLAG_EXITING 0x4u

/* What follows the command in PID's stat. The command, in parentheses, may hold anything: parentheses and ends of lines too. NULL when it has
 * ended. */
static char *fields(int proc, const char *pid, char *text, size_t room)
{
	char name[32];

	snprintf(name, sizeof name, "%.16s/stat", pid);
	_cleanup_close_ int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read(fd, text, room - 1);
	text[n < 0 ? 0 : n] = '\0';
	char *end = strrchr(text, ')');
	return end ? end + 1 : NULL;
}

/* PID's line of /proc: who its parent is. False when it has ended. */
static bool relate(int proc, const char *pid, struct relation *r)
{
	char line[512], *at = fields(proc, pid, line, sizeof line);
	int parent, threads;
	unsigned flags;
	/* Fields 3, 4, 9, 20 and 39. */
	if (!at || sscanf(at, " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d"
			   " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d", &r->state, &parent, &flags,
			   &threads, &r->cpu) != 5)
		return false;
	r->ending = flags & FLAG_EXITING && threads <= 1;
	r->pid = (pid_t)atol(pid);
	r->parent = (pid_t)parent;
	return true;
}

/* All processes there are. */
static int relations(int proc, struct relation **all, size_t *n, struct err *err)
{
	int copy = fcntl(proc, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct relation r;

	if (!dir) {
		err_set(err, errno, "can't read /proc");
		close_fd(&copy);
		return -1;
	}
	for (struct dirent *e; (e = readdir(dir));)
		if (isdigit((unsigned char)e->d_name[0]) && relate(proc, e->d_name, &r))
			*GROW(all, n) = r;
	closedir(dir);
	return 0;
}

static bool known(const struct look_process *list, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].pid == pid)
			return true;
	return false;
}

/* The last number of a line such as "NSpid:	4711	2" is the innermost. */
static void details(int proc, struct look_process *p)
{
	_cleanup_buf_ struct buf status = { 0 };
	char name[32];

	p->inner = p->pid;
	snprintf(name, sizeof name, "%d/status", (int)p->pid);
	if (io_slurp(proc, name, 65536, &status) == 0) {
		const char *uid = strstr(buf_text(&status), "\nUid:"), *pids = strstr(buf_text(&status), "\nNSpid:");
		const char *cpus = strstr(buf_text(&status), "\nCpus_allowed_list:\t");
		if (uid)
			p->uid = (unsigned)strtoul(uid + 5, NULL, 10);
		if (pids) {
			char *at = (char *)pids + 7;
			for (long v; at && *at != '\n' && (v = strtol(at, &at, 10)) > 0;)
				p->inner = (pid_t)v;
		}
		if (cpus)
			p->cpus = xstrndup(cpus + 20, strcspn(cpus + 20, "\n"));
	}
}

/*
 * A program that exec is still setting up: it has memory (field 23 of stat), but its words end (field 49) not behind their beginning (48), as
 * execve(2) has not laid them out yet. Those inside can't keep a process in that state but by a file that takes long to read.
 */
static bool in_exec(int proc, pid_t pid)
{
	char name[16], text[1024];
	unsigned long long size = 0, begin = 0, end = 0;

	snprintf(name, sizeof name, "%d", (int)pid);
	char *at = fields(proc, name, text, sizeof text);
	for (int field = 3; at && field <= 49; field++, at = strchr(at + 1, ' ')) {
		unsigned long long *value = field == 23 ? &size : field == 48 ? &begin : field == 49 ? &end : NULL;
		if (value)
			*value = strtoull(at, NULL, 10);
	}
	return size && end <= begin;
}

/*
 * The words of a process, or its short name where it has none. One that is in exec is given a moment, PATIENCE milliseconds for all
 * processes together: the file may lie in a file system that those inside serve.
 */
static char *command(int proc, const struct look_process *p, int *patience)
{
	char name[32], comm[64] = "?";

	for (;;) {
		_cleanup_buf_ struct buf words = { 0 };
		snprintf(name, sizeof name, "%d/cmdline", (int)p->pid);
		if (io_slurp(proc, name, 65536, &words) < 0)
			break;
		if (words.len) {
			for (size_t i = 0; i + 1 < words.len; i++)
				if (words.data[i] == '\0')
					words.data[i] = ' ';
			return buf_take(&words);
		}
		if (p->state == 'Z' || !in_exec(proc, p->pid) || --*patience < 0)
			break;
		usleep(1000);
	}
	snprintf(name, sizeof name, "%d/comm", (int)p->pid);
	io_line(proc, name, comm, sizeof comm);
	return xasprintf("[%s]", comm);
}

/* The kernel's own list of the holder's children, where it is built in, spares looking at every process of the machine. */
static bool childless(int proc, pid_t pid)
{
	char name[64], line[16];

	snprintf(name, sizeof name, "%d/task/%d/children", (int)pid, (int)pid);
	_cleanup_close_ int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, line, sizeof line) == 0;
}

int look_processes(struct sandbox *sb, struct look_process **processes, size_t *n, struct err *err)
{
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ struct relation *all = NULL;
	size_t n_all = 0, before;
	int patience = 2000;

	*processes = NULL;
	*n = 0;
	if (proc < 0)
		return err_set(err, errno, "can't open /proc");
	if (sb->place.pid == 0)
		return 0;
	if (childless(proc, sb->place.pid))
		return 0;
	if (relations(proc, &all, &n_all, err) < 0)
		return -1;
	/* All that lives in a sandbox descends from its holder, to which orphans come back. */
	do {
		before = *n;
		for (size_t i = 0; i < n_all; i++)
			if (!known(*processes, *n, all[i].pid) &&
			    (all[i].parent == sb->place.pid || known(*processes, *n, all[i].parent)))
				*GROW(processes, n) = (struct look_process){ .pid = all[i].pid, .state = all[i].state,
									      .ending = all[i].ending, .cpu = all[i].cpu };
	} while (*n > before);
	for (size_t i = 0; i < *n; i++) {
		details(proc, &(*processes)[i]);
		(*processes)[i].command = command(proc, &(*processes)[i], &patience);
	}
	return 0;
}

void look_free_processes(struct look_process *processes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(processes[i].cpus);
		free(processes[i].command);
	}
	free(processes);
}

int look_process(struct sandbox *sb, pid_t inner, struct look_process *process, struct err *err)
{
	struct look_process *all = NULL;
	size_t n = 0, i = 0;

	if (look_processes(sb, &all, &n, err) < 0)
		return -1;
	while (i < n && all[i].inner != inner)
		i++;
	bool found = i < n;
	if (found)
		*process = all[i];
	process->cpus = process->command = NULL;
	look_free_processes(all, n);
	if (found)
		return 0;
	err_set(err, ESRCH, "%s: no process %d in it", sb->name, (int)inner);
	return err_try(err, "ps, which lists them");
}

unsigned long look_ns(const struct sandbox *sb, enum ns_kind k)
{
	char path[64];
	struct stat st;

	if (sb && sb->place.own[k])
		return sb->place.ns[k] >= 0 && fstat(sb->place.ns[k], &st) == 0 ? (unsigned long)st.st_ino : 0;
	snprintf(path, sizeof path, "/proc/self/ns/%s", ns_table[k].name);
	return stat(path, &st) == 0 ? (unsigned long)st.st_ino : 0;
}

unsigned long look_owner(const struct sandbox *sb, enum ns_kind k)
{
	struct stat st;

	if (!sb || sb->place.ns[k] < 0)
		return 0;
	_cleanup_close_ int owner = ioctl(sb->place.ns[k], k == NS_USER ? NS_GET_PARENT : NS_GET_USERNS);
	return owner >= 0 && fstat(owner, &st) == 0 ? (unsigned long)st.st_ino : 0;
}

struct hostname {
	char *name;
	size_t room;
};

static int read_hostname(void *arg, struct err *err)
{
	struct hostname *h = arg;

	return gethostname(h->name, h->room) < 0 ? err_set(err, errno, "can't read the host name") : 0;
}

int look_hostname(struct sandbox *sb, char *name, size_t room, struct err *err)
{
	struct hostname h = { name, room };

	return sb->place.own[NS_UTS] ? joined_run(&sb->place, 1u << NS_UTS, 0, NULL, read_hostname, &h, err) : read_hostname(&h, err);
}

int look_mounted(struct sandbox *sb, const char *path, const char *type, struct err *err)
{
	struct mnt_info *mounts = NULL;
	size_t n = 0;
	int found = 0;

	if (mnt_list(sb->place.pid, &mounts, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		found = found || (streq(mounts[i].target, path) && (!type || streq(mounts[i].type, type)));
	mnt_free(mounts, n);
	return found;
}

int look_link(struct sandbox *sb, const char *name, bool *up, struct err *err)
{
	const struct net_api *net = net_api(err);
	_cleanup_free_ struct net_link *links = NULL;
	size_t n = 0;

	*up = false;
	if (!net || net->links(&sb->place, &links, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (streq(links[i].name, name)) {
			*up = links[i].up;
			return 1;
		}
	return 0;
}

int look_running(struct sandbox *sb, struct err *err)
{
	struct look_process *processes = NULL;
	size_t n = 0;

	if (look_processes(sb, &processes, &n, err) < 0)
		return -1;
	look_free_processes(processes, n);
	return n > 0;
}
