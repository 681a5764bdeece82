/*
 * floor_enter.c: the least that running a command in a living sandbox takes, from a process that stays outside.
 *
 *	floor_enter HOW TIMES PID PROGRAM ARG...      prints the median time of one run in microseconds
 *
 * HOW is one of
 *	bare    clone as vfork does and execute PROGRAM, no sandbox
 *	setns   the child enters all namespaces of PID, then executes; this process sets the pid namespace of its children,
 *	        which does not move itself
 *	twice   the child enters all namespaces of PID and clones once more, as whoever must not set its own children's does
 *	cgroup  as setns, and the child joins PID's memory and pids cgroups first (version 1 only)
 *
 * TIMES are made one after the other. The clock of one run starts before the clone and stops after the wait.
 */
#define _GNU_SOURCE
#include "floor.h"

#include <sched.h>
#include <stdbool.h>

#define TIMES_MAX 100000

enum how { BARE, SETNS, TWICE, CGROUP };

struct entry {
	enum how how;
	int pidfd;
	int kinds; /* the namespaces that differ from ours */
	int tasks[2];
	char **argv;
};

static const char *const how_name[] = {"bare", "setns", "twice", "cgroup"};

static __attribute__((noreturn)) void execute(const struct entry *entry)
{
	must(execv(entry->argv[0], entry->argv));
	_exit(1);
}

static __attribute__((noreturn)) void child_twice(const struct entry *entry)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	long pid;

	must(setns(entry->pidfd, entry->kinds));
	pid = must(clone_vfork(&args));
	if (pid == 0)
		execute(entry);
	must_end_well(pid);
	_exit(0);
}

static __attribute__((noreturn)) void child(const struct entry *entry)
{
	if (entry->how == TWICE)
		child_twice(entry);
	if (entry->how == CGROUP)
		for (int i = 0; i < 2; i++)
			must(write(entry->tasks[i], "0", 1));
	if (entry->how != BARE)
		must(setns(entry->pidfd, entry->kinds & ~CLONE_NEWPID));
	execute(entry);
}

static void enter(const struct entry *entry)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	long pid = must(clone_vfork(&args));

	if (pid == 0)
		child(entry);
	must_end_well(pid);
}

/* The kinds in which `pid` is somewhere else than this process. */
static int kinds_differing(const char *pid)
{
	static const struct {
		const char *name;
		int flag;
	} kind[] = {{"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS},
		    {"net", CLONE_NEWNET}, {"pid", CLONE_NEWPID}, {"uts", CLONE_NEWUTS}};
	char path[64], theirs[64], ours[64];
	int flags = 0;

	for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
		long theirs_length, ours_length;

		snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, kind[i].name);
		theirs_length = must(readlink(path, theirs, sizeof theirs));
		snprintf(path, sizeof path, "/proc/self/ns/%s", kind[i].name);
		ours_length = must(readlink(path, ours, sizeof ours));
		if (theirs_length != ours_length || memcmp(theirs, ours, (size_t)ours_length) != 0)
			flags |= kind[i].flag;
	}
	return flags;
}

/* Opens the "tasks" file of the version 1 group that `pid` is in. */
static int tasks_open(const char *pid, const char *controller)
{
	char path[4200], line[4096];
	FILE *file;
	int fd = -1;

	snprintf(path, sizeof path, "/proc/%s/cgroup", pid);
	file = fopen(path, "re");
	while (file && fd < 0 && fgets(line, sizeof line, file)) {
		char *name = strchr(line, ':');
		char *dir = name ? strchr(name + 1, ':') : NULL;

		if (!dir || (size_t)(dir - name - 1) != strlen(controller) || strncmp(name + 1, controller, strlen(controller)) != 0)
			continue;
		dir[strcspn(dir, "\n")] = 0;
		snprintf(path, sizeof path, "/sys/fs/cgroup/%s%s/tasks", controller, dir + 1);
		fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	if (file)
		fclose(file);
	return (int)must(fd);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static enum how how_parse(const char *word)
{
	for (enum how how = BARE; how <= CGROUP; how++)
		if (strcmp(word, how_name[how]) == 0)
			return how;
	dprintf(2, "floor_enter: %s: not one of bare, setns, twice, cgroup\n", word);
	exit(2);
}

static void entry_prepare(struct entry *entry, const char *pid)
{
	if (entry->how == BARE)
		return;
	entry->pidfd = (int)must(syscall(SYS_pidfd_open, atoi(pid), 0));
	entry->kinds = kinds_differing(pid);
	if (entry->how == CGROUP) {
		entry->tasks[0] = tasks_open(pid, "memory");
		entry->tasks[1] = tasks_open(pid, "pids");
	}
	if (entry->how != TWICE && (entry->kinds & CLONE_NEWPID))
		must(setns(entry->pidfd, CLONE_NEWPID));
}

int main(int argc, char **argv)
{
	static double took[TIMES_MAX];
	struct entry entry = {0};
	int times;

	times = argc < 5 ? 0 : atoi(argv[2]);
	if (times < 1 || times > TIMES_MAX) {
		dprintf(2, "usage: floor_enter bare|setns|twice|cgroup TIMES PID PROGRAM ARG...\n");
		return 2;
	}
	entry.how = how_parse(argv[1]);
	entry.argv = argv + 4;
	entry_prepare(&entry, argv[3]);
	for (int i = 0; i < times; i++) {
		double start = now_us();

		enter(&entry);
		took[i] = now_us() - start;
	}
	qsort(took, (size_t)times, sizeof *took, compare);
	printf("%.1f\n", took[times / 2]);
	return 0;
}
