/*
 * cg.c - making groups, entering them, limits
 *
 * A group has a directory in the tracking hierarchy from the start, and in a version 1 hierarchy only from its first limit there on.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/cg_kill.h"
#include "kern/cg_tree.h"
#include "kern/step.h"

enum { PERIOD_US = 100000, MOVES = 1000, LIST_LIMIT = 1 << 22 };

const struct cg_row cg_table[CG_KEYS] = {
	[CG_MEMORY] = { "memory", "memory", "memory.max", "memory", "memory.limit_in_bytes" },
	[CG_SWAP] = { "swap", "memory", "memory.swap.max", "memory", "memory.memsw.limit_in_bytes" },
	[CG_CPU] = { "cpu", "cpu", "cpu.max", "cpu", "cpu.cfs_quota_us" },
	[CG_CPUS] = { "cpus", "cpuset", "cpuset.cpus", "cpuset", "cpuset.cpus" },
	[CG_PIDS] = { "pids", "pids", "pids.max", "pids", "pids.max" },
};

enum cg_controller cg_key_controller(enum cg_key key)
{
	static const enum cg_controller controllers[CG_KEYS] = { CTL_MEMORY, CTL_MEMORY, CTL_CPU, CTL_CPUSET, CTL_PIDS };

	return controllers[key];
}

int cg_key(const char *name)
{
	for (int i = 0; i < CG_KEYS; i++)
		if (streq(cg_table[i].name, name))
			return i;
	return -1;
}

const char *cg_file_of(const char *name)
{
	int key = cg_key(name);
	const char *file = key < 0 ? NULL : cg_file((enum cg_key)key);

	return file ? file : "";
}

/* The tree for a key; CG_KEYS: the tracking tree. NULL when there is none. */
static const struct cg_tree *tree_of(enum cg_key key)
{
	const struct cg_trees *all = cg_find(NULL);

	if (!all)
		return NULL;
	return key == CG_KEYS ? all->track : all->of[cg_key_controller(key)];
}

const char *cg_file(enum cg_key key)
{
	const struct cg_tree *t = tree_of(key);

	return !t ? NULL : t->v2 ? cg_table[key].v2_file : cg_table[key].v1_file;
}

bool cg_v1(enum cg_key key)
{
	const struct cg_tree *t = tree_of(key);

	return t && !t->v2;
}

/* Why a controller is in no tree that groups can be made in. */
static int explain_absence(const struct cg_trees *all, enum cg_key key, struct err *err)
{
	unsigned bit = 1u << cg_key_controller(key);
	const char *name = cg_controller_names[cg_key_controller(key)];

	for (size_t i = 0; i < all->n; i++) {
		const struct cg_tree *t = &all->trees[i];
		if (!t->v2 && t->controllers & bit)
			return err_why(err, "%s may not be written to", t->own);
		if (t->v2 && t->base && !t->controllers)
			return err_why(err, "the group %s holds processes itself, so it can't give controllers on", t->base);
		if (t->v2 && t->base)
			return err_why(err, "%s/cgroup.controllers does not have %s: the level above keeps it", t->base, name);
	}
	return err_why(err, "no control group hierarchy that is mounted here has the controller %s", name);
}

int cg_can(enum cg_key key, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	if (!all)
		return -1;
	const struct cg_tree *t = all->of[cg_key_controller(key)];
	if (!t) {
		err_set(err, ENOENT, "%s can't be limited here", cg_table[key].name);
		return explain_absence(all, key, err);
	}
	if (key == CG_SWAP && !t->v2) {
		_cleanup_free_ char *path = xasprintf("%s/%s", t->mount, cg_table[key].v1_file);
		if (access(path, F_OK) < 0) {
			err_set(err, errno, "swap can't be limited here");
			return err_why(err, "the kernel does not account for swap (boot option swapaccount=1)");
		}
	}
	return 0;
}

char *cg_dir(const char *group, enum cg_key key)
{
	const struct cg_tree *t = tree_of(key);

	return t ? cg_tree_path(t, group, NULL) : NULL;
}

char *cg_path(const char *group, enum cg_key key)
{
	const struct cg_tree *t = tree_of(key);

	return t ? cg_tree_path(t, group, cg_file(key)) : NULL;
}

bool cg_exists(const char *group, enum cg_key key)
{
	_cleanup_free_ char *dir = cg_dir(group, key);

	return dir && access(dir, F_OK) == 0;
}

bool cg_passes(const char *group, enum cg_key key)
{
	const struct cg_tree *t = tree_of(key);
	char line[256];

	if (!t || !t->v2)
		return t != NULL;
	_cleanup_free_ char *path = cg_tree_path(t, group, "cgroup.subtree_control");
	if (io_line(AT_FDCWD, path, line, sizeof line) < 0)
		return false;
	return cg_parse_controllers(line, " ") & 1u << cg_key_controller(key);
}

/* A new version 1 cpuset has neither cpus nor memory nodes, and nothing may enter it like that. */
static int cpuset_fill(const char *dir, struct err *err)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char line[4096];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *above = xasprintf("%s/../%s", dir, files[i]), *here = xasprintf("%s/%s", dir, files[i]);
		if (io_line(AT_FDCWD, above, line, sizeof line) < 0 || io_put(AT_FDCWD, here, line) < 0)
			return err_set(err, errno, "%s: can't be set to the value of the group above", here);
	}
	return 0;
}

/* The group and those above it in one tree; *made says whether the last of them is new. */
static int make_in(const struct cg_tree *t, const char *group, bool *made, struct err *err)
{
	_cleanup_free_ char *path = cg_tree_path(t, group, NULL);
	bool cpuset = !t->v2 && t->controllers & 1u << CTL_CPUSET;

	*made = false;
	if (access(path, F_OK) == 0)
		return 0;
	for (char *slash = strchr(path + strlen(t->base) + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		int done = mkdir(path, 0755);
		if (done < 0 && errno != EEXIST)
			return err_set(err, errno, "%s: the group can't be made", path);
		if (done == 0 && cpuset && cpuset_fill(path, err) < 0) {
			rmdir(path);
			return -1;
		}
		*made = done == 0;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static bool nobody_in(const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/cgroup.events", dir);
	char line[64];

	return io_line(AT_FDCWD, path, line, sizeof line) > 0 && streq(line, "populated 0");
}

/* Processes that ran before their group got this version 1 directory: they are in it only from now on. This is the one case where
 * belljar moves by number: there is nobody inside who could write "0". Each thread goes by itself; those forked meanwhile by a thread that
 * was not moved yet are found in the next pass, and the last pass finds none. What they have used so far stays charged elsewhere. */
static int move_in(const struct cg_tree *t, const char *group, struct err *err)
{
	const struct cg_trees *all = cg_find(err);
	_cleanup_free_ char *from = cg_tree_path(all->track, group, NULL), *tasks = cg_tree_path(t, group, "tasks");
	_cleanup_buf_ struct buf running = { 0 }, inside = { 0 };

	if (all->track->v2 && nobody_in(from))
		return 0;
	for (int pass = 0; pass < MOVES; pass++) {
		bool moved = false;
		buf_clear(&running);
		buf_clear(&inside);
		buf_char(&inside, '\n');
		if (cg_list(from, all->track->v2 ? "cgroup.threads" : "tasks", &running) < 0 ||
		    io_slurp(AT_FDCWD, tasks, LIST_LIMIT, &inside) < 0)
			return err_set(err, errno, "%s: can't be read", from);
		char *rest = (char *)buf_text(&running), *line;
		while (running.len && (line = strsep(&rest, "\n"))) {
			_cleanup_free_ char *there = xasprintf("\n%s\n", line);
			if (!*line || strstr(buf_text(&inside), there))
				continue;
			moved = true;
			if (io_put(AT_FDCWD, tasks, line) < 0 && errno != ESRCH)
				return err_set(err, errno, "%s: process %s can't enter it", tasks, line);
		}
		if (!moved)
			return 0;
	}
	return err_set(err, EBUSY, "%s: new processes keep coming", tasks);
}

/* A key's version 1 trees: that of its controller, and for cpu that which counts the time. */
static size_t v1_trees(enum cg_key key, const struct cg_tree *trees[2])
{
	const struct cg_trees *all = cg_find(NULL);
	const struct cg_tree *count = all ? all->of[CTL_CPUACCT] : NULL;
	size_t n = 0;

	if ((trees[0] = tree_of(key)) && !trees[0]->v2)
		n++;
	if (n && key == CG_CPU && count && count != trees[0] && !count->v2)
		trees[n++] = count;
	return n;
}

int cg_make(struct step *s, struct err *err)
{
	const struct cg_trees *all = cg_find(err);
	const struct cg_tree *trees[2];
	int key = s->what ? cg_key(s->what) : CG_KEYS;
	size_t n = 1;
	bool made = false;

	s->old[0] = '\0';
	cg_forget_entries();
	if (!all || key < 0)
		return all ? err_set(err, EINVAL, "no limit is called %s", s->what) : -1;
	if (key == CG_KEYS)
		trees[0] = all->track;
	else
		n = v1_trees((enum cg_key)key, trees);
	for (size_t i = 0; i < n; i++) {
		bool new = false, follow = trees[i] != all->track;
		if (make_in(trees[i], s->text, &new, err) == 0 && (!new || !follow || move_in(trees[i], s->text, err) == 0)) {
			made |= new;
			continue;
		}
		/* Empty unless a process got in before the failure; then the end of the session takes it. */
		_cleanup_free_ char *dir = cg_tree_path(trees[i], s->text, NULL);
		if (new)
			rmdir(dir);
		return -1;
	}
	if (made)
		snprintf(s->old, sizeof s->old, "made");
	return 0;
}

/* Mostly nobody is left in it: then there is nothing to kill and nothing to wait for. Returns whether all are gone. */
static bool remove_empty(char *const *paths)
{
	bool gone = true;

	for (; *paths; paths++)
		gone = (rmdir(*paths) == 0 || errno == ENOENT) && gone;
	return gone;
}

int cg_remove(struct step *s, struct err *err)
{
	char **paths = cg_paths(s->text, err);
	int failed = paths ? 0 : -1;

	cg_forget_entries();
	if (paths && remove_empty(paths)) {
		cg_free_paths(paths);
		return 0;
	}
	for (size_t i = 0; paths && paths[i]; i++)
		cg_ease_path(paths[i]);
	/* All are tried; the first failure is told. */
	for (size_t i = 0; paths && paths[i]; i++)
		if (cg_kill_path(paths[i], failed ? NULL : err) < 0)
			failed = -1;
	cg_free_paths(paths);
	return failed;
}

void cg_remove_empty(const char *group)
{
	char **paths = cg_paths(group, NULL);

	cg_forget_entries();
	if (paths)
		remove_empty(paths);
	cg_free_paths(paths);
}

void cg_words(enum cg_key key, int64_t n, char words[64])
{
	bool v1 = cg_v1(key), max = n == INT64_MAX;

	if (key == CG_CPU && !v1 && max)
		snprintf(words, 64, "max %d", PERIOD_US);
	else if (key == CG_CPU && !v1)
		snprintf(words, 64, "%lld %d", (long long)n, PERIOD_US);
	else if (max)
		snprintf(words, 64, "%s", v1 && key != CG_PIDS ? "-1" : "max");
	else
		snprintf(words, 64, "%lld", (long long)n);
}

int cg_get(const char *group, enum cg_key key, char *words, size_t room, struct err *err)
{
	_cleanup_free_ char *path = cg_path(group, key);

	words[0] = '\0';
	if (!path || io_line(AT_FDCWD, path, words, room) >= 0)
		return 0;
	words[0] = '\0';
	return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be read", path);
}

int cg_cpus(const char *group, char *list, size_t room, struct err *err)
{
	const struct cg_tree *t = tree_of(CG_CPUS);
	_cleanup_free_ char *at = xstrdup(group);

	if (!t)
		return cg_can(CG_CPUS, err);
	for (;;) {
		_cleanup_free_ char *path = cg_tree_path(t, at, t->v2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus");
		if (io_line(AT_FDCWD, path, list, room) > 0)
			return 0;
		if (!*at)
			return err_set(err, errno, "%s: can't be read", path);
		char *slash = strrchr(at, '/');
		*(slash ? slash : at) = '\0';
	}
}

/* "0-2,5" as bits; false when it is not such a list or names a processor past 1023. */
static bool parse_cpus(const char *list, unsigned char bits[128])
{
	memset(bits, 0, 128);
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;
		if (end == list)
			return false;
		if (*end == '-') {
			list = end + 1;
			last = strtoul(list, &end, 10);
			if (end == list)
				return false;
		}
		if (last < first || last > 1023 || (*end && *end != ','))
			return false;
		for (unsigned long i = first; i <= last; i++)
			bits[i / 8] |= (unsigned char)(1u << i % 8);
		list = *end ? end + 1 : end;
	}
	return true;
}

/* Does what the kernel says now mean what was written? Sizes are kept in whole pages. */
static bool same(enum cg_key key, const char *written, const char *read)
{
	unsigned char a[128], b[128];

	if (key == CG_CPUS)
		return parse_cpus(written, a) && parse_cpus(read, b) && memcmp(a, b, sizeof a) == 0;
	if (streq(written, read))
		return true;
	if (key != CG_MEMORY && key != CG_SWAP)
		return false;
	long page = sysconf(_SC_PAGESIZE);
	if (streq(written, "-1"))
		return strtoll(read, NULL, 10) >= INT64_MAX - page;
	if (streq(written, "max") || streq(read, "max"))
		return false;
	long long want = strtoll(written, NULL, 10), got = strtoll(read, NULL, 10);
	return want - got < page && got - want < page;
}

static int write_failed(int number, const char *group, enum cg_key key, const char *words, struct err *err)
{
	const char *name = strrchr(group, '/');

	err_set(err, number, "%s: %s can't be set to %s", name ? name + 1 : group, cg_file(key), words);
	if (number == EBUSY && key == CG_MEMORY)
		return err_why(err, "more is in use, and control groups of version 1 then refuse a lower limit instead of killing");
	if (key == CG_CPUS && (number == EACCES || number == EINVAL || number == ERANGE))
		return err_why(err, "the list is malformed, or names a processor that the group above does not have");
	if (number == EINVAL && (key == CG_MEMORY || key == CG_SWAP) && cg_v1(key))
		return err_why(err, "memory.limit_in_bytes can't be above memory.memsw.limit_in_bytes");
	if (number == EINVAL && key == CG_CPU)
		return err_why(err, "the kernel takes at least 1 ms in each 100 ms, and no more than the group above has");
	if (number == ENOENT && key == CG_SWAP)
		return err_why(err, "the kernel does not account for swap");
	return -1;
}

/* Version 2 takes any list for cpuset.cpus; what really holds is in another file, and differs when a processor is not to be had. */
static bool effective(const char *group, const char *words)
{
	char list[4096];

	return cg_cpus(group, list, sizeof list, NULL) < 0 || same(CG_CPUS, words, list);
}

/* The value to come back to. An empty list of processors (all of those above) can't be written while there are processes in the group,
 * so it is what the list stands for. */
static int old_value(struct step *s, enum cg_key key, const char *path, struct err *err)
{
	char old[4096];

	if (io_line(AT_FDCWD, path, old, sizeof old) < 0)
		return write_failed(errno, s->text, key, s->from, err);
	if (!*old && cg_cpus(s->text, old, sizeof old, err) < 0)
		return -1;
	if (strlen(old) >= sizeof s->old)
		return err_set(err, E2BIG, "%s: its old value is too long to be kept", path);
	snprintf(s->old, sizeof s->old, "%.127s", old);
	return 0;
}

static int limit_key(struct step *s, enum cg_key key, struct err *err)
{
	_cleanup_free_ char *path = cg_path(s->text, key);
	char now[4096];

	if (!path)
		return cg_can(key, err);
	if (old_value(s, key, path, err) < 0)
		return -1;
	if (io_put(AT_FDCWD, path, s->from) < 0)
		return write_failed(errno, s->text, key, s->from, err);
	if (io_line(AT_FDCWD, path, now, sizeof now) < 0)
		return err_set(err, errno, "%s: can't be read back", path);
	bool whole = key != CG_CPUS || cg_v1(key) || effective(s->text, s->from);
	if (whole && same(key, s->from, now))
		return 0;
	io_put(AT_FDCWD, path, s->old);
	err_set(err, 0, "%s: the kernel took %s instead of %s", path, whole ? now : "less", s->from);
	return whole ? -1 : err_why(err, "the list names a processor that is offline, or that the group above does not have");
}

int cg_limit(struct step *s, struct err *err)
{
	int key = cg_key(s->what);

	s->old[0] = '\0';
	if (key >= 0)
		return limit_key(s, (enum cg_key)key, err);
	if (!streq(s->what, "controllers"))
		return err_set(err, EINVAL, "no limit is called %s", s->what);
	const struct cg_tree *t = tree_of(CG_KEYS);
	if (!t)
		return cg_find(err) ? 0 : -1;
	/* Never switched off again: groups of others on the same level may have come to rely on it, and lose their limits with it. */
	_cleanup_free_ char *path = cg_tree_path(t, s->text, "cgroup.subtree_control");
	if (io_put(AT_FDCWD, path, s->from) < 0)
		return err_set(err, errno, "%s: %s refused", path, s->from);
	return 0;
}

/* A descriptor through which processes come into the tree's directory of GROUP. */
static int entry(const struct cg_tree *t, const char *group, bool foreign, struct cg_entry *e, struct err *err)
{
	bool dir = t->v2 && !foreign;
	_cleanup_free_ char *path = cg_tree_path(t, group, dir ? NULL : t->v2 ? "cgroup.procs" : "tasks");

	e->kind = dir ? 'd' : 't';
	e->fd = open(path, dir ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
	return e->fd < 0 ? err_set(err, errno, "%s: can't be entered", path) : 0;
}

/* The entries that were asked for last. Programs are mostly started in one sandbox several times, and finding the entries takes as long as
 * starting the program. */
static struct {
	char *group;
	bool foreign;
	struct cg_entry of[CG_ENTRIES];
	size_t n;
} last;

void cg_forget_entries(void)
{
	while (last.n > 0)
		close(last.of[--last.n].fd);
	free(last.group);
	last.group = NULL;
}

static int open_entries(const struct cg_trees *all, const char *group, bool foreign, struct err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct cg_tree *t = &all->trees[i];
		struct err failed = { 0 };
		if (!t->base)
			continue;
		if (entry(t, group, foreign, &last.of[last.n], &failed) == 0) {
			last.n++;
			continue;
		}
		/* Version 1: only those hierarchies in which the group has a limit. */
		if (failed.number == ENOENT && t != all->track)
			continue;
		if (err)
			*err = failed;
		return -1;
	}
	return 0;
}

int cg_entries(const char *group, const struct place *place, struct cg_entry entries[CG_ENTRIES], size_t *n, struct err *err)
{
	const struct cg_trees *all = cg_find(err);
	bool foreign = place && place->own[NS_USER];

	*n = 0;
	if (!all)
		return -1;
	if (!last.group || !streq(last.group, group) || last.foreign != foreign) {
		cg_forget_entries();
		if (open_entries(all, group, foreign, err) < 0) {
			cg_forget_entries();
			return -1;
		}
		last.group = xstrdup(group);
		last.foreign = foreign;
	}
	*n = last.n;
	memcpy(entries, last.of, last.n * sizeof *entries);
	return 0;
}

char **cg_paths(const char *group, struct err *err)
{
	const struct cg_trees *all = cg_find(err);
	size_t n = 0;

	if (!all)
		return NULL;
	char **paths = xcalloc(CG_TREES + 1, sizeof *paths);
	paths[n++] = cg_tree_path(all->track, group, NULL);
	for (size_t i = 0; i < all->n; i++)
		if (all->trees[i].base && &all->trees[i] != all->track)
			paths[n++] = cg_tree_path(&all->trees[i], group, NULL);
	return paths;
}

void cg_free_paths(char **paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		free(paths[i]);
	free(paths);
}
