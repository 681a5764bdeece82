/*
 * around.c - run a command, and say what it left behind on the machine
 *
 * usage: around [-u UID] [-b FROM:TO]... [-w DIR]... [-t SECONDS] [-k USEC:NTH] [-r FILE] -- COMMAND ARGS...
 *
 * How it works. As root it first goes to a mount and a net namespace of its own, with an empty /run, and in version 1 hierarchies
 * to a control group of its own: what other programs on the machine do meanwhile is not seen then, and "the host" of what is tested is
 * that place. It is a child subreaper, so every process that descends from the command stays below it. It takes a picture of mounts,
 * links, control groups, files (/run, /tmp/belljar-UID, the DIRs) and the terminal's modes, runs the command, waits up to GRACE for the last process
 * and for the picture to be the old one again (the kernel takes net namespaces down by and by), and reports every difference.
 *
 *   -u UID     run the command as that user and group, which own the control group then
 *   -b F:T     the directory F of the machine appears at T too, with what is mounted in it (below /run; itself read-only)
 *   -w DIR     files below DIR count too
 *   -t SEC     end the command after so long (status 124)
 *   -k U:N     after U microseconds, kill -9 process N (0 = the command itself, else counted through its descendants)
 *   -r FILE    the report, one line for each thing; empty = nothing was left behind. Default: standard error
 *
 * The exit status is the command's (128 + signal), 124 when time was up, 125 when it could not be prepared.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 5000, STATUS_TIMEOUT = 124, STATUS_OWN = 125, MOST = 16, PATH_ROOM = 1024 };

/* ---- small things ---- */

struct list {
	char **lines;
	size_t n;
};

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

static void __attribute__((format(printf, 2, 3))) add(struct list *l, const char *fmt, ...)
{
	char *line;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	va_end(ap);
	l->lines = checked(realloc(l->lines, (l->n + 1) * sizeof *l->lines));
	l->lines[l->n++] = line;
}

static void list_free(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->lines[i]);
	free(l->lines);
	*l = (struct list){ 0 };
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	fputs("around: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(errno));
	_exit(STATUS_OWN);
}

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool get(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* ---- control groups ---- */

/* Directories of the control groups we are in: in each version 1 hierarchy one of our own, in version 2 the one we were in already
 * (a group of our own there could not pass controllers on while we are in it). */
static char groups[MOST][PATH_ROOM];
static bool group_made[MOST];
static size_t n_groups;

/* Our path in a hierarchy: CONTROLLERS as in /proc/self/cgroup, "" for version 2. */
static bool own_path(const char *controllers, char *path, size_t room)
{
	char line[PATH_ROOM];
	bool found = false;
	FILE *f = fopen("/proc/self/cgroup", "re");

	while (f && !found && fgets(line, sizeof line, f)) {
		char *second = strchr(line, ':'), *third = second ? strchr(second + 1, ':') : NULL;
		if (!third)
			continue;
		*third++ = '\0';
		third[strcspn(third, "\n")] = '\0';
		found = strcmp(second + 1, controllers) == 0;
		snprintf(path, room, "%s", strcmp(third, "/") == 0 ? "" : third);
	}
	if (f)
		fclose(f);
	return found;
}

static void copy_setting(const char *from, const char *to, const char *name)
{
	char path[PATH_ROOM + 64], text[256];

	snprintf(path, sizeof path, "%s/%s", from, name);
	if (!get(path, text, sizeof text))
		return;
	snprintf(path, sizeof path, "%s/%s", to, name);
	put(path, text);
}

/* A group below BASE, which we enter. */
static bool make_group(const char *base, int uid)
{
	char *dir = groups[n_groups], path[PATH_ROOM + 64];

	if (snprintf(dir, PATH_ROOM, "%s/belljar-test.%d", base, (int)getpid()) >= PATH_ROOM || mkdir(dir, 0755) < 0)
		return false;
	copy_setting(base, dir, "cpuset.cpus");
	copy_setting(base, dir, "cpuset.mems");
	snprintf(path, sizeof path, "%s/tasks", dir);
	if (!put(path, "0")) {
		rmdir(dir);
		return false;
	}
	if (uid >= 0) {
		bool done = chown(dir, (uid_t)uid, (gid_t)uid) == 0 && chown(path, (uid_t)uid, (gid_t)uid) == 0;
		snprintf(path, sizeof path, "%s/cgroup.procs", dir);
		done = done && chown(path, (uid_t)uid, (gid_t)uid) == 0;
		if (!done)
			die("%s", dir);
	}
	group_made[n_groups++] = true;
	return true;
}

/* Remember the group that line of mountinfo (a cgroup mount) has us in. */
static void note_hierarchy(char *line, bool own, int uid)
{
	char *dash = strstr(line, " - "), *save = NULL;
	char *fields[6] = { 0 }, path[PATH_ROOM / 2];

	if (!dash || n_groups == MOST)
		return;
	char *type = dash + 3;
	bool v2 = strncmp(type, "cgroup2 ", 8) == 0;
	if (!v2 && strncmp(type, "cgroup ", 7) != 0)
		return;
	*dash = '\0';
	for (size_t i = 0; i < 5; i++)
		fields[i] = strtok_r(i ? NULL : line, " ", &save);
	if (!fields[4] || strcmp(fields[3], "/") != 0)
		return;
	/* Version 1: the hierarchy's name is what its options hold beside "rw". */
	char *options = strrchr(type, ' ') + 1, controllers[128] = "";
	options[strcspn(options, "\n")] = '\0';
	for (char *o = v2 ? NULL : strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (!strcmp(o, "rw") || !strcmp(o, "ro") || !strcmp(o, "xattr") || !strncmp(o, "release_agent", 13) || !strcmp(o, "clone_children"))
			continue;
		size_t len = strlen(controllers);
		snprintf(controllers + len, sizeof controllers - len, "%s%s", len ? "," : "", o);
	}
	if (!own_path(controllers, path, sizeof path))
		return;
	char base[PATH_ROOM];
	snprintf(base, sizeof base, "%.500s%.500s", fields[4], path);
	if (!v2 && own && make_group(base, uid))
		return;
	snprintf(groups[n_groups], PATH_ROOM, "%s", base);
	group_made[n_groups++] = false;
}

static void find_groups(bool own, int uid)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof line, f))
		note_hierarchy(line, own, uid);
	if (f)
		fclose(f);
}

/* Is it the group of a belljar that lives? If it is ours, the process itself is told; else it is no business of ours. */
static bool has_owner(const char *name)
{
	int pid = 0;

	return sscanf(name, "belljar.%d.", &pid) == 1 && pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

/* The groups below DIR; only those named belljar* unless all are to be told. */
static void tell_groups(struct list *l, const char *dir, bool all, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && depth > 0 && (e = readdir(d))) {
		bool ours = strncmp(e->d_name, "belljar", 7) == 0 && strncmp(e->d_name, "belljar-test.", 13) != 0;
		if (e->d_type != DT_DIR || e->d_name[0] == '.' || !(all || ours) || (!all && has_owner(e->d_name)))
			continue;
		char path[PATH_ROOM * 2];
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		add(l, "control group %s", path);
		tell_groups(l, path, true, depth - 1);
	}
	if (d)
		closedir(d);
}

static void remove_groups(const char *dir)
{
	struct list l = { 0 };
	char path[PATH_ROOM];

	tell_groups(&l, dir, true, 8);
	for (size_t i = l.n; i-- > 0;)
		rmdir(l.lines[i] + strlen("control group "));
	list_free(&l);
	/* Ours: back to the group above first. */
	snprintf(path, sizeof path, "%.*s/tasks", (int)(strrchr(dir, '/') - dir), dir);
	put(path, "0");
	rmdir(dir);
}

/* ---- the picture ---- */

static const char *watched[MOST];
static size_t n_watched;
static bool isolated;

/* Places of the machine's own directories (-b), in which others write. */
static char *shown[MOST];
static size_t n_shown;

static bool is_shown(const char *path)
{
	for (size_t i = 0; i < n_shown; i++)
		if (!strcmp(path, shown[i]))
			return true;
	return false;
}

static void tell_files(struct list *l, const char *dir, const char *prefix, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		/* /run/mount is the mount(8) program's. */
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "mount") || strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		char path[PATH_ROOM * 2];
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (is_shown(path))
			continue;
		add(l, "file %s", path);
		if (e->d_type == DT_DIR && depth > 0)
			tell_files(l, path, "", depth - 1);
	}
	if (d)
		closedir(d);
}

static void tell_mounts(struct list *l)
{
	char line[8192];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof line, f)) {
		int at = 0;
		/* Without the numbers, which say nothing. */
		sscanf(line, "%*d %*d %*s %n", &at);
		line[strcspn(line, "\n")] = '\0';
		add(l, "mount %s", line + at);
	}
	if (f)
		fclose(f);
}

static void tell_links(struct list *l)
{
	struct if_nameindex *links = if_nameindex();

	for (struct if_nameindex *i = links; i && i->if_index; i++)
		add(l, "link %s", i->if_name);
	if (links)
		if_freenameindex(links);
}

static void tell_terminal(struct list *l)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) == 0)
		add(l, "terminal modes %x %x %x %x", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
}

/* Where belljar of an ordinary user without a run directory of the system keeps its sessions. */
static char run_dir[32];

static void picture(struct list *l)
{
	tell_mounts(l);
	tell_links(l);
	for (size_t i = 0; i < n_groups; i++)
		tell_groups(l, groups[i], group_made[i], 4);
	tell_files(l, "/run", isolated ? "" : "belljar", 4);
	tell_files(l, "/tmp", run_dir, 2);
	for (size_t i = 0; i < n_watched; i++)
		tell_files(l, watched[i], "", 8);
	tell_terminal(l);
	qsort(l->lines, l->n, sizeof *l->lines, by_text);
}

/* The differences of two sorted pictures. */
static void compare(const struct list *before, const struct list *after, struct list *found)
{
	size_t b = 0, a = 0;

	while (b < before->n || a < after->n) {
		int order = b == before->n ? 1 : a == after->n ? -1 : strcmp(before->lines[b], after->lines[a]);
		if (order > 0)
			add(found, "left behind: %s", after->lines[a]);
		/* A group that goes is somebody's who clears up. */
		else if (order < 0 && strncmp(before->lines[b], "control group", 13) != 0)
			add(found, "lost: %s", before->lines[b]);
		b += order <= 0;
		a += order >= 0;
	}
}

/* ---- processes ---- */

/* Parent of a process, 0 when it is gone or a zombie; its name into COMM. */
static pid_t parent_of(pid_t pid, char comm[64])
{
	char path[64], text[512], state;
	int parent = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!get(path, text, sizeof text))
		return 0;
	char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (!open || !close || sscanf(close + 1, " %c %d", &state, &parent) != 2 || state == 'Z' || state == 'X')
		return 0;
	*close = '\0';
	snprintf(comm, 64, "%.60s", open + 1);
	return parent;
}

/* Our descendants, nearest first; how many (at most ROOM). */
static size_t descendants(pid_t *pids, size_t room)
{
	static pid_t all[32768], parents[32768];
	size_t n = 0, found = 0;
	char comm[64];
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)) && n < 32768) {
		pid_t pid = (pid_t)atoi(e->d_name);
		if (pid <= 0)
			continue;
		all[n] = pid;
		parents[n] = parent_of(pid, comm);
		n += parents[n] > 0;
	}
	if (d)
		closedir(d);
	for (size_t at = 0; at <= found; at++) {
		pid_t of = at ? pids[at - 1] : getpid();
		for (size_t i = 0; i < n && found < room; i++)
			if (parents[i] == of)
				pids[found++] = all[i];
	}
	return found;
}

static void kill_one(pid_t command, unsigned nth)
{
	pid_t pids[512], victim = command;
	size_t n = nth ? descendants(pids, 512) : 0;

	if (n)
		victim = pids[nth % n];
	kill(victim, SIGKILL);
}

/* Name what still runs below us, and end it. */
static void report_processes(struct list *found)
{
	pid_t pids[512];
	char comm[64], path[64], ns[64], spaces[256];

	for (int round = 0; round < 20; round++) {
		size_t n = descendants(pids, 512);
		for (size_t i = 0; i < n; i++) {
			pid_t parent = parent_of(pids[i], comm);
			if (!parent)
				continue;
			spaces[0] = '\0';
			static const char *const kinds[] = { "mnt", "pid", "net", "user" };
			for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
				snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pids[i], kinds[k]);
				ssize_t len = readlink(path, ns, sizeof ns - 1);
				size_t at = strlen(spaces);
				snprintf(spaces + at, sizeof spaces - at, " %.*s", len > 0 ? (int)len : 0, ns);
			}
			if (round == 0)
				add(found, "left behind: process %d (%s), child of %d, in%s", (int)pids[i], comm, (int)parent, spaces);
			kill(pids[i], SIGKILL);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (n == 0)
			return;
		struct timespec t = { .tv_nsec = 20000000 };
		nanosleep(&t, NULL);
	}
}

/* ---- preparing ---- */

static void lo_up(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (fd >= 0) {
		ioctl(fd, SIOCSIFFLAGS, &r);
		close(fd);
	}
}

static void isolate(void)
{
	int from[MOST];

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		die("unshare");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("mount --make-rprivate /");
	for (size_t i = 0; i < n_shown; i++) {
		char *colon = strrchr(shown[i], ':');
		if (!colon)
			die("-b %s", shown[i]);
		*colon = '\0';
		from[i] = open(shown[i], O_PATH | O_CLOEXEC);
		if (from[i] < 0)
			die("%s", shown[i]);
		shown[i] = colon + 1;
	}
	if (mount("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		die("/run");
	for (size_t i = 0; i < n_shown; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", from[i]);
		if (mkdir(shown[i], 0755) < 0 || mount(path, shown[i], NULL, MS_BIND | MS_REC, NULL) < 0 ||
		    mount(NULL, shown[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
			die("bind %s", shown[i]);
		close(from[i]);
	}
	lo_up();
	isolated = true;
}

static void __attribute__((noreturn)) child(int uid, char **argv)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (uid >= 0 && (setgroups(0, NULL) < 0 || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) < 0 ||
			 setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0))
		die("user %d", uid);
	execvp(argv[0], argv);
	die("%s", argv[0]);
}

/* Wait for the command, then for the last of its descendants. Returns the exit status. */
static int wait_all(pid_t command, long long limit_us, long long kill_us, unsigned nth)
{
	int status = -1, result = -1;
	long long end = limit_us;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		pid_t pid;
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid != command)
				continue;
			result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
			end = now_us() + GRACE_MS * 1000LL;
		}
		if (pid < 0 && errno == ECHILD)
			return result;
		long long now = now_us(), next = end;
		if (kill_us && now >= kill_us) {
			kill_one(command, nth);
			kill_us = 0;
			continue;
		}
		if (kill_us && kill_us < next)
			next = kill_us;
		if (now >= end) {
			if (result >= 0)
				return result;
			kill(command, SIGKILL);
			waitpid(command, &status, 0);
			return STATUS_TIMEOUT;
		}
		struct timespec t = { .tv_sec = (next - now) / 1000000, .tv_nsec = (next - now) % 1000000 * 1000 };
		sigtimedwait(&chld, NULL, &t);
	}
}

int main(int argc, char **argv)
{
	static const int defaults[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE };
	int option, uid = -1;
	long seconds = 120;
	long long kill_after = 0;
	unsigned nth = 0;
	FILE *report = stderr;
	struct list before = { 0 }, after = { 0 }, found = { 0 };

	while ((option = getopt(argc, argv, "+u:b:w:t:k:r:")) != -1) {
		switch (option) {
		case 'u':
			uid = atoi(optarg);
			break;
		case 'b':
			if (n_shown < MOST)
				shown[n_shown++] = optarg;
			break;
		case 'w':
			if (n_watched < MOST)
				watched[n_watched++] = optarg;
			break;
		case 't':
			seconds = atol(optarg);
			break;
		case 'k':
			if (sscanf(optarg, "%lld:%u", &kill_after, &nth) != 2)
				return STATUS_OWN;
			break;
		case 'r':
			report = fopen(optarg, "we");
			if (!report)
				die("%s", optarg);
			break;
		default:
			return STATUS_OWN;
		}
	}
	if (optind == argc)
		return STATUS_OWN;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* A shell ignores some for what it starts in the background. */
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		signal(defaults[i], SIG_DFL);
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	snprintf(run_dir, sizeof run_dir, "belljar-%u", uid >= 0 ? (unsigned)uid : (unsigned)geteuid());
	if (geteuid() == 0)
		isolate();
	find_groups(geteuid() == 0, uid);
	picture(&before);
	pid_t command = fork();
	if (command < 0)
		die("fork");
	if (command == 0)
		child(uid, argv + optind);
	long long start = now_us();
	int status = wait_all(command, start + seconds * 1000000LL, kill_after ? start + kill_after : 0, nth);
	report_processes(&found);
	for (long long end = now_us() + GRACE_MS * 1000LL;;) {
		struct list differences = { 0 };
		picture(&after);
		compare(&before, &after, &differences);
		if (differences.n == 0 || now_us() > end) {
			for (size_t i = 0; i < differences.n; i++)
				add(&found, "%s", differences.lines[i]);
			list_free(&differences);
			break;
		}
		list_free(&differences);
		list_free(&after);
		/* The kernel tells nobody when it has taken a net namespace down. */
		struct timespec t = { .tv_nsec = 10000000 };
		nanosleep(&t, NULL);
	}
	for (size_t i = 0; i < n_groups; i++)
		if (group_made[i])
			remove_groups(groups[i]);
	for (size_t i = 0; i < found.n; i++)
		fprintf(report, "%s\n", found.lines[i]);
	if (fflush(report) != 0)
		return STATUS_OWN;
	list_free(&before);
	list_free(&after);
	list_free(&found);
	return status;
}
