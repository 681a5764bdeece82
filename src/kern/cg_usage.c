/*
 * cg_usage.c - reading groups: figures and members
 *
 * A figure is absent where its controller does not count for the group: version 2 counts memory and processes only once the
 * controller was switched on, version 1 only once the group has a directory in that hierarchy.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/cg_tree.h"

enum { LIST_LIMIT = 1 << 24 };

/* A number, "max" as INT64_MAX, -1 when it is neither. Version 1 says "no limit" by the largest multiple of the page size. */
static int64_t number(const char *text)
{
	char *end;

	if (starts_with(text, "max"))
		return INT64_MAX;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (end == text || errno || n < 0)
		return -1;
	return n >= INT64_MAX - 65536 ? INT64_MAX : n;
}

static int64_t read_number(const struct cg_tree *t, const char *group, const char *file)
{
	char line[128];

	if (!t)
		return -1;
	_cleanup_free_ char *path = cg_tree_path(t, group, file);
	return io_line(AT_FDCWD, path, line, sizeof line) <= 0 ? -1 : number(line);
}

/* The number after KEY in a file of lines "key number". */
static int64_t read_key(const struct cg_tree *t, const char *group, const char *file, const char *key)
{
	_cleanup_buf_ struct buf text = { 0 };
	size_t len = strlen(key);

	if (!t)
		return -1;
	_cleanup_free_ char *path = cg_tree_path(t, group, file);
	if (io_slurp(AT_FDCWD, path, LIST_LIMIT, &text) < 0)
		return -1;
	for (const char *at = buf_text(&text); *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, key, len) == 0 && at[len] == ' ')
			return number(at + len + 1);
	return -1;
}

/* n * by, or what n stands for. */
static int64_t times(int64_t n, int64_t by)
{
	int64_t product;

	return n < 0 || n == INT64_MAX || __builtin_mul_overflow(n, by, &product) ? n : product;
}

static int64_t minus(int64_t sum, int64_t part)
{
	if (sum < 0 || part < 0)
		return -1;
	return sum == INT64_MAX ? sum : sum > part ? sum - part : 0;
}

static void usage_memory(const struct cg_tree *t, const char *group, struct cg_usage *u)
{
	if (t && t->v2) {
		u->memory = read_number(t, group, "memory.current");
		u->memory_peak = read_number(t, group, "memory.peak");
		u->memory_max = read_number(t, group, "memory.max");
		u->swap = read_number(t, group, "memory.swap.current");
		u->swap_max = read_number(t, group, "memory.swap.max");
		u->oom_kills = read_key(t, group, "memory.events", "oom_kill");
		return;
	}
	u->memory = read_number(t, group, "memory.usage_in_bytes");
	u->memory_peak = read_number(t, group, "memory.max_usage_in_bytes");
	u->memory_max = read_number(t, group, "memory.limit_in_bytes");
	u->swap = minus(read_number(t, group, "memory.memsw.usage_in_bytes"), u->memory);
	u->swap_max = minus(read_number(t, group, "memory.memsw.limit_in_bytes"), u->memory_max);
	u->oom_kills = read_key(t, group, "memory.oom_control", "oom_kill");
}

/* cpu.max is "QUOTA PERIOD" or "max PERIOD". */
static void usage_cpu_max(const struct cg_tree *t, const char *group, struct cg_usage *u)
{
	_cleanup_free_ char *path = cg_tree_path(t, group, "cpu.max");
	char line[128];

	if (io_line(AT_FDCWD, path, line, sizeof line) <= 0)
		return;
	char *space = strchr(line, ' ');
	u->cpu_quota_us = number(line);
	u->cpu_period_us = space ? number(space + 1) : -1;
}

static void usage_cpu(const struct cg_trees *all, const char *group, struct cg_usage *u)
{
	const struct cg_tree *t = all->of[CTL_CPU], *track = all->track;

	if (track->v2)         /* every group of version 2 counts its time, even without the controller */
		u->cpu_ns = times(read_key(track, group, "cpu.stat", "usage_usec"), 1000);
	if (t && t->v2) {
		u->cpu_periods = read_key(t, group, "cpu.stat", "nr_periods");
		u->cpu_throttled = read_key(t, group, "cpu.stat", "nr_throttled");
		u->cpu_throttled_ns = times(read_key(t, group, "cpu.stat", "throttled_usec"), 1000);
		usage_cpu_max(t, group, u);
		return;
	}
	int64_t counted = read_number(all->of[CTL_CPUACCT], group, "cpuacct.usage");
	if (counted > u->cpu_ns)
		u->cpu_ns = counted;
	u->cpu_periods = read_key(t, group, "cpu.stat", "nr_periods");
	u->cpu_throttled = read_key(t, group, "cpu.stat", "nr_throttled");
	u->cpu_throttled_ns = read_key(t, group, "cpu.stat", "throttled_time");
	u->cpu_quota_us = read_number(t, group, "cpu.cfs_quota_us");
	u->cpu_period_us = read_number(t, group, "cpu.cfs_period_us");
	if (u->cpu_period_us > 0 && u->cpu_quota_us < 0)       /* it says -1 for no limit */
		u->cpu_quota_us = INT64_MAX;
}

int cg_usage(const char *group, struct cg_usage *u, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	*u = (struct cg_usage){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, "" };
	if (!all)
		return -1;
	usage_memory(all->of[CTL_MEMORY], group, u);
	usage_cpu(all, group, u);
	u->pids = read_number(all->of[CTL_PIDS], group, "pids.current");
	u->pids_max = read_number(all->of[CTL_PIDS], group, "pids.max");
	if (all->of[CTL_CPUSET]) {
		_cleanup_free_ char *path = cg_tree_path(all->of[CTL_CPUSET], group, "cpuset.cpus");
		if (io_line(AT_FDCWD, path, u->cpus, sizeof u->cpus) < 0)
			u->cpus[0] = '\0';
	}
	return 0;
}

/* Note the directories in PATH as work to do. */
static void add_children(const char *path, char ***todo, size_t *n)
{
	DIR *list = opendir(path);
	struct dirent *e;

	while (list && (e = readdir(list)))
		if (e->d_type == DT_DIR && !streq(e->d_name, ".") && !streq(e->d_name, ".."))
			*GROW(todo, n) = xasprintf("%s/%s", path, e->d_name);
	if (list)
		closedir(list);
}

int cg_list(const char *dir, const char *file, struct buf *out)
{
	char **todo = NULL;
	size_t n = 0;
	int failed = 0;

	*GROW(&todo, &n) = xstrdup(dir);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", todo[i], file);
		/* Below the first they may vanish, be threaded (EOPNOTSUPP), or nested too deep to be named. */
		if (io_slurp(AT_FDCWD, path, LIST_LIMIT, out) < 0 && i == 0) {
			failed = errno;
			break;
		}
		add_children(todo[i], &todo, &n);
	}
	for (size_t i = 0; i < n; i++)
		free(todo[i]);
	free(todo);
	errno = failed;
	return failed ? -1 : 0;
}

int cg_members(const char *group, int **pids, size_t *n, struct err *err)
{
	const struct cg_trees *all = cg_find(err);
	_cleanup_buf_ struct buf text = { 0 };

	*pids = NULL;
	*n = 0;
	if (!all)
		return -1;
	_cleanup_free_ char *dir = cg_tree_path(all->track, group, NULL);
	if (cg_list(dir, "cgroup.procs", &text) < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : err_set(err, errno, "%s: its processes can't be read", dir);
	for (const char *at = buf_text(&text); *at; at += strcspn(at, "\n"), at += *at == '\n') {
		long pid = strtol(at, NULL, 10);
		if (pid > 0)
			*GROW(pids, n) = (int)pid;
	}
	return 0;
}
