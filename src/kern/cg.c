/*
 * cg.c - making groups and entering them
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
#include "kern/rootless.h"
#include "kern/step.h"

enum { MOVES = 1000, LIST_LIMIT = 1 << 22 };

const struct cg_tree *cg_tree_of(enum cg_controller c)
{
	const struct cg_trees *all = cg_find(NULL);

	if (!all)
		return NULL;
	return c == CTL_TRACK ? all->track : all->of[c];
}

bool cg_v1(enum cg_controller c)
{
	const struct cg_tree *t = cg_tree_of(c);

	return t && !t->v2;
}

static bool lacks(const char *dir, const char *file, enum cg_controller c)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	char line[256];

	return io_line(AT_FDCWD, path, line, sizeof line) < 0 || !(cg_parse_controllers(line, " ") & 1u << c);
}

/* Version 2: at which level on the way from the root to belljar's place the controller stops. */
static int explain_level(const struct cg_tree *t, enum cg_controller c, struct err *err)
{
	_cleanup_free_ char *dir = xstrdup(t->base);
	const char *name = cg_controller_names[c];
	size_t at = strlen(t->mount);

	if (lacks(t->mount, "cgroup.controllers", c)) {
		err_why(err, "%s/cgroup.controllers does not have %s: the kernel has it not, a hierarchy of version 1 has taken it, or the "
			"level above keeps it", t->mount, name);
		return -1;
	}
	for (; at <= strlen(t->base); at++) {
		if (t->base[at] && t->base[at] != '/')
			continue;
		dir[at] = '\0';
		if (at < strlen(t->base) && lacks(dir, "cgroup.subtree_control", c)) {
			err_why(err, "%s/cgroup.subtree_control does not have %s, so the levels below it don't get it", dir, name);
			/* The slices above a user's manager are systemd's: it writes their files anew. */
			if (strstr(t->base, "user@"))
				return err_try(err, "as root: systemctl edit user@.service, there [Service] Delegate=%s and the others wanted; "
					       "then log in anew", name);
			return err_try(err, "as root: echo +%s > %s/cgroup.subtree_control", name, dir);
		}
		dir[at] = t->base[at];
	}
	return -1;
}

/* As in a container that has only its own subtree, whose root the container's processes are in. */
static int explain_own(const struct cg_tree *t, struct err *err)
{
	err_why(err, "the group %s holds processes itself, so it can't give controllers on, and above it nothing may be written to", t->base);
	return err_try(err, "mkdir %s/init; for p in $(cat %s/cgroup.procs); do echo $p > %s/init/cgroup.procs; done", t->base, t->base, t->base);
}

/* Why a controller is in no tree that groups can be made in. */
static int explain_absence(const struct cg_trees *all, enum cg_controller c, struct err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct cg_tree *t = &all->trees[i];
		if (!t->v2 && t->controllers & 1u << c) {
			err_why(err, "%s may not be written to", t->own);
			return err_try(err, "as root: chown -R %u %s", (unsigned)rootless_uid(), t->own);
		}
		if (t->v2 && t->base && !t->controllers && !lacks(t->base, "cgroup.controllers", c))
			return explain_own(t, err);
	}
	if (c == CTL_NET_CLS || c == CTL_NET_PRIO) {
		err_why(err, "only control groups of version 1 have the controller %s, and no hierarchy with it is mounted here",
			cg_controller_names[c]);
		return err_try(err, "limit net tx 1mbit, which needs no control group");
	}
	for (size_t i = 0; i < all->n; i++)
		if (all->trees[i].v2 && all->trees[i].base && !streq(all->layout, "hybrid"))
			return explain_level(&all->trees[i], c, err);
	return err_why(err, "no control group hierarchy that is mounted here has the controller %s", cg_controller_names[c]);
}

int cg_has(enum cg_controller c, const char *what, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	if (!all)
		return -1;
	if (cg_tree_of(c))
		return 0;
	err_set(err, ENOENT, "%s can't be limited here", what);
	return explain_absence(all, c, err);
}

char *cg_dir(const char *group, enum cg_controller c)
{
	const struct cg_tree *t = cg_tree_of(c);

	return t ? cg_tree_path(t, group, NULL) : NULL;
}

char *cg_path(const char *group, const char *file)
{
	const struct cg_tree *t = cg_tree_of_file(file);

	return t ? cg_tree_path(t, group, file) : NULL;
}

bool cg_exists(const char *group, enum cg_controller c)
{
	_cleanup_free_ char *dir = cg_dir(group, c);

	return dir && access(dir, F_OK) == 0;
}

bool cg_passes(const char *group, enum cg_controller c)
{
	const struct cg_tree *t = cg_tree_of(c);

	if (!t || !t->v2)
		return t != NULL;
	_cleanup_free_ char *dir = cg_tree_path(t, group, NULL);
	return !lacks(dir, "cgroup.subtree_control", c);
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

/* The tree of a controller, and for cpu that which counts the time. */
static size_t trees_of(enum cg_controller c, const struct cg_tree *trees[2])
{
	const struct cg_tree *count = cg_tree_of(CTL_CPUACCT);
	size_t n = 0;

	if ((trees[0] = cg_tree_of(c)))
		n++;
	if (n && c == CTL_CPU && count && count != trees[0] && !count->v2)
		trees[n++] = count;
	return n;
}

static int controller_of_name(const char *name)
{
	for (int i = 0; i < CTL_COUNT; i++)
		if (streq(cg_controller_names[i], name))
			return i;
	return -1;
}

int cg_make(struct step *s, struct err *err)
{
	const struct cg_trees *all = cg_find(err);
	const struct cg_tree *trees[2];
	int c = s->what ? controller_of_name(s->what) : CTL_TRACK;
	bool made = false;

	s->old[0] = '\0';
	cg_forget_entries();
	if (!all || c < 0)
		return all ? err_set(err, EINVAL, "no controller is called %s", s->what) : -1;
	size_t n = trees_of((enum cg_controller)c, trees);
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

/* A descriptor through which processes come into the tree's directory of GROUP. 0; 1 when it has none there; or -1 with err. */
static int entry(const struct cg_tree *t, const char *group, bool foreign, struct cg_entry *e, struct err *err)
{
	bool dir = t->v2 && !foreign;
	_cleanup_free_ char *home = cg_tree_home(t, group);

	if (!home)
		return 1;
	_cleanup_free_ char *path = cg_tree_path(t, home, dir ? NULL : t->v2 ? "cgroup.procs" : "tasks");
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
		if (!t->base)
			continue;
		int there = entry(t, group, foreign, &last.of[last.n], err);
		if (there < 0)
			return -1;
		/* Version 1: only those hierarchies in which the sandbox has a limit. */
		if (there > 0 && t == all->track) {
			_cleanup_free_ char *dir = cg_tree_path(t, group, NULL);
			err_set(err, ENOENT, "%s: can't be entered", dir);
			return err_why(err, "somebody else removed the group, and its limits with it; the next limit makes it anew");
		}
		last.n += there == 0;
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
