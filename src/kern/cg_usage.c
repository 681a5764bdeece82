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
#include <sys/stat.h>

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

/* A file as a whole; empty when it can't be read. */
static const char *read_text(const struct cg_tree *t, const char *group, const char *file, struct buf *text)
{
	buf_clear(text);
	if (t) {
		_cleanup_free_ char *path = cg_tree_path(t, group, file);
		if (io_slurp(AT_FDCWD, path, LIST_LIMIT, text) < 0)
			buf_clear(text);
	}
	return buf_text(text);
}

/* The number after KEY in lines "key number". */
static int64_t find_key(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, key, len) == 0 && at[len] == ' ')
			return number(at + len + 1);
	return -1;
}

static int64_t read_key(const struct cg_tree *t, const char *group, const char *file, const char *key)
{
	_cleanup_buf_ struct buf text = { 0 };

	return find_key(read_text(t, group, file, &text), key);
}

/* Refused forks. Until 6.12 (which brought pids.events.local), and on version 1, one is counted where the program was that forked, and not in
 * the group whose limit refused it; so those of the groups inside are added. */
static int64_t read_refused(const struct cg_tree *t, const char *group)
{
	int64_t sum = read_key(t, group, "pids.events", "max");
	struct stat st;

	if (sum < 0)
		return sum;
	_cleanup_free_ char *local = cg_tree_path(t, group, "pids.events.local"), *dir = cg_tree_path(t, group, NULL);
	/* The directory has a link for each group inside. */
	if (access(local, F_OK) == 0 || stat(dir, &st) < 0 || st.st_nlink <= 2)
		return sum;
	size_t n, skip = strlen(t->base) + 1;
	char **dirs = cg_dirs(dir, &n);
	for (size_t i = 0; i < n; i++) {
		int64_t more = i > 0 ? read_key(t, dirs[i] + skip, "pids.events", "max") : 0;
		sum += more > 0 ? more : 0;
		free(dirs[i]);
	}
	free(dirs);
	return sum;
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

/* Kills, and on version 2 how often programs were held back. */
static void read_events(const struct cg_tree *t, const char *group, struct cg_usage *u)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *events = read_text(t, group, t && t->v2 ? "memory.events" : "memory.oom_control", &text);

	u->oom_kills = find_key(events, "oom_kill");
	u->memory_high = find_key(events, "high");
}

static void usage_memory(const struct cg_tree *t, const char *group, struct cg_usage *u)
{
	if (t && t->v2) {
		u->memory = read_number(t, group, "memory.current");
		u->memory_peak = read_number(t, group, "memory.peak");
		u->memory_max = read_number(t, group, "memory.max");
		u->swap = read_number(t, group, "memory.swap.current");
		u->swap_max = read_number(t, group, "memory.swap.max");
		read_events(t, group, u);
		return;
	}
	u->memory = read_number(t, group, "memory.usage_in_bytes");
	u->memory_peak = read_number(t, group, "memory.max_usage_in_bytes");
	u->memory_max = read_number(t, group, "memory.limit_in_bytes");
	u->swap = minus(read_number(t, group, "memory.memsw.usage_in_bytes"), u->memory);
	u->swap_max = minus(read_number(t, group, "memory.memsw.limit_in_bytes"), u->memory_max);
	read_events(t, group, u);
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
	_cleanup_buf_ struct buf text = { 0 };
	const char *stat = "";

	if (track->v2) {       /* every group of version 2 counts its time, even without the controller */
		stat = read_text(track, group, "cpu.stat", &text);
		u->cpu_ns = times(find_key(stat, "usage_usec"), 1000);
	}
	if (t != track)
		stat = read_text(t, group, "cpu.stat", &text);
	u->cpu_periods = find_key(stat, "nr_periods");
	u->cpu_throttled = find_key(stat, "nr_throttled");
	if (t && t->v2) {
		u->cpu_throttled_ns = times(find_key(stat, "throttled_usec"), 1000);
		usage_cpu_max(t, group, u);
		return;
	}
	u->cpu_throttled_ns = find_key(stat, "throttled_time");
	int64_t counted = read_number(all->of[CTL_CPUACCT], group, "cpuacct.usage");
	if (counted > u->cpu_ns)
		u->cpu_ns = counted;
	u->cpu_quota_us = read_number(t, group, "cpu.cfs_quota_us");
	u->cpu_period_us = read_number(t, group, "cpu.cfs_period_us");
	if (u->cpu_period_us > 0 && u->cpu_quota_us < 0)       /* it says -1 for no limit */
		u->cpu_quota_us = INT64_MAX;
}

/* The sum of the numbers after KEY ("rbytes=5" or "Read 5") in the lines of all disks. */
static int64_t sum_of(const char *text, const char *key)
{
	int64_t sum = 0;

	for (const char *at = strstr(text, key); at; at = strstr(at + 1, key))
		sum += strtoll(at + strlen(key), NULL, 10);
	return sum;
}

static void usage_io(const struct cg_tree *t, const char *group, struct cg_usage *u)
{
	_cleanup_buf_ struct buf text = { 0 };

	if (!t)
		return;
	_cleanup_free_ char *path = cg_tree_path(t, group, t->v2 ? "io.stat" : "blkio.throttle.io_service_bytes_recursive");
	if (io_slurp(AT_FDCWD, path, LIST_LIMIT, &text) < 0)
		return;
	u->io_read = sum_of(buf_text(&text), t->v2 ? "rbytes=" : " Read ");
	u->io_written = sum_of(buf_text(&text), t->v2 ? "wbytes=" : " Write ");
}

/* "some avg10=1.23 avg60=0.00 avg300=0.00 total=4567" */
static void usage_pressure(const struct cg_tree *t, const char *group, struct cg_usage *u)
{
	static const char *const files[] = { "cpu.pressure", "memory.pressure", "io.pressure" };
	char line[128];

	for (size_t i = 0; t->v2 && i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = cg_tree_path(t, group, files[i]);
		unsigned whole, part;
		long long total;
		if (io_line(AT_FDCWD, path, line, sizeof line) > 0 &&
		    sscanf(line, "some avg10=%u.%2u avg60=%*s avg300=%*s total=%lld", &whole, &part, &total) == 3) {
			u->pressure[i] = whole * 100 + part;
			u->pressure_us[i] = total;
		}
	}
}

const char *cg_freezer(bool freeze, const char **words)
{
	const struct cg_trees *all = cg_find(NULL);
	bool v2 = all && all->track->v2;

	*words = v2 ? (freeze ? "1" : "0") : freeze ? "FROZEN" : "THAWED";
	return v2 ? "cgroup.freeze" : "freezer.state";
}

static void usage_frozen(const struct cg_trees *all, const char *group, struct cg_usage *u)
{
	char line[32];

	if (all->track->v2) {
		u->frozen = read_key(all->track, group, "cgroup.events", "frozen");
		return;
	}
	if (!all->of[CTL_FREEZER])
		return;
	_cleanup_free_ char *path = cg_tree_path(all->of[CTL_FREEZER], group, "freezer.state");
	if (io_line(AT_FDCWD, path, line, sizeof line) > 0)
		u->frozen = streq(line, "FROZEN");
}

static void absent(struct cg_usage *u)
{
	memset(u, 0xff, sizeof *u);
	u->cpus[0] = '\0';
}

void cg_bites(const char *group, struct cg_usage *u)
{
	const struct cg_trees *all = cg_find(NULL);

	absent(u);
	if (!all)
		return;
	read_events(all->of[CTL_MEMORY], group, u);
	u->forks_refused = read_refused(all->of[CTL_PIDS], group);
	if (all->of[CTL_CPU] && all->of[CTL_CPU]->v2)
		u->cpu_throttled_ns = times(read_key(all->of[CTL_CPU], group, "cpu.stat", "throttled_usec"), 1000);
	else
		u->cpu_throttled_ns = read_key(all->of[CTL_CPU], group, "cpu.stat", "throttled_time");
}

void cg_sample(const char *group, unsigned figures, struct cg_usage *u)
{
	const struct cg_trees *all = cg_find(NULL);
	const struct cg_tree *m = all ? all->of[CTL_MEMORY] : NULL;

	absent(u);
	if (!all)
		return;
	if (figures & SAMPLE_MEMORY)
		u->memory = read_number(m, group, m && m->v2 ? "memory.current" : "memory.usage_in_bytes");
	if (figures & SAMPLE_CPU)
		u->cpu_ns = all->track->v2 ? times(read_key(all->track, group, "cpu.stat", "usage_usec"), 1000) :
					     read_number(all->of[CTL_CPUACCT], group, "cpuacct.usage");
	if (figures & SAMPLE_PIDS)
		u->pids = read_number(all->of[CTL_PIDS], group, "pids.current");
	if (!(figures & SAMPLE_EVENTS))
		return;
	u->oom_kills = read_key(m, group, m && m->v2 ? "memory.events" : "memory.oom_control", "oom_kill");
	usage_frozen(all, group, u);
}

int cg_usage(const char *group, struct cg_usage *u, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	absent(u);
	if (!all)
		return -1;
	usage_memory(all->of[CTL_MEMORY], group, u);
	usage_cpu(all, group, u);
	u->pids = read_number(all->of[CTL_PIDS], group, "pids.current");
	u->pids_max = read_number(all->of[CTL_PIDS], group, "pids.max");
	u->forks_refused = read_refused(all->of[CTL_PIDS], group);
	usage_io(all->of[CTL_IO], group, u);
	usage_pressure(all->track, group, u);
	usage_frozen(all, group, u);
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

char **cg_dirs(const char *dir, size_t *n)
{
	char **dirs = NULL;

	*n = 0;
	*GROW(&dirs, n) = xstrdup(dir);
	for (size_t i = 0; i < *n; i++)
		add_children(dirs[i], &dirs, n);
	return dirs;
}

int cg_list_dirs(const char *dir, int (*act)(const char *path, struct err *err), struct err *err)
{
	size_t n;
	char **dirs = cg_dirs(dir, &n);
	int result = 0;

	for (size_t i = 0; i < n; i++) {
		result = result < 0 ? result : act(dirs[i], err);
		free(dirs[i]);
	}
	free(dirs);
	return result;
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
