/*
 * cg_find.c - which control group hierarchies there are, and where in them belljar may make groups
 *
 * Mounts are recognised by their type in /proc/self/mountinfo, wherever they are, and only when they can still be reached by their
 * path (a later mount may cover them). Where belljar stands in each is in /proc/self/cgroup.
 *
 * Version 1: groups are made below belljar's own group, so the limits that hold for belljar hold for its sandboxes too.
 * Version 2 does not allow that: a group that has processes can't give the usual controllers to its children ("no internal
 * processes", cgroup-v2.rst), and belljar's own group has at least belljar. Only the root of the hierarchy may have both. So groups
 * are made beside belljar's: in the nearest ancestor that belljar may write to and that has the most of our controllers. For root
 * in a login session that is user.slice or the root; in a delegated scope of an ordinary user it is the slice around it. The walk up
 * ends at the first directory that belljar may not write to, because a process may only be born in a group when its parent may
 * write to the common ancestor of both.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg_tree.h"
#include "kern/rootless.h"

enum { PROC_LIMIT = 4 << 20 };

const char *const cg_controller_names[CTL_COUNT] = {
	"memory", "cpu", "cpuset", "pids", "cpuacct", "freezer", "io", "hugetlb", "devices", "net_cls", "net_prio",
};

unsigned cg_parse_controllers(const char *list, const char *separators)
{
	unsigned found = 0;

	while (*list) {
		size_t len = strcspn(list, separators);
		for (size_t i = 0; i < CTL_COUNT; i++)
			if (len == strlen(cg_controller_names[i]) && memcmp(list, cg_controller_names[i], len) == 0)
				found |= 1u << i;
		if (len == 5 && memcmp(list, "blkio", len) == 0)
			found |= 1u << CTL_IO;
		list += len;
		list += strspn(list, separators);
	}
	return found;
}

/* Mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* One line, which is taken apart in place; false when it is not about control groups. */
static bool parse_mount(char *line, struct cg_mount *m)
{
	char *fields[6], *rest = line;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	char *dash = starts_with(rest, "- ") ? rest + 2 : strstr(rest, " - ");
	if (!dash)
		return false;
	if (dash != rest + 2)
		dash += 3;
	char *type = strsep(&dash, " ");
	char *source = dash ? strsep(&dash, " ") : NULL;
	if (!source || !dash || (!streq(type, "cgroup") && !streq(type, "cgroup2")))
		return false;
	if (sscanf(fields[2], "%u:%u", &m->major, &m->minor) != 2)
		return false;
	unescape(fields[3]);
	unescape(fields[4]);
	m->v2 = streq(type, "cgroup2");
	m->controllers = m->v2 ? 0 : cg_parse_controllers(dash, ",");
	m->named = !m->v2 && !m->controllers;
	m->root = xstrdup(fields[3]);
	m->point = xstrdup(fields[4]);
	return true;
}

struct cg_mount *cg_parse_mounts(const char *mountinfo, size_t *n)
{
	_cleanup_free_ char *copy = xstrdup(mountinfo);
	struct cg_mount *mounts = NULL;
	char *rest = copy, *line;

	*n = 0;
	while ((line = strsep(&rest, "\n"))) {
		struct cg_mount m = { 0 };
		if (parse_mount(line, &m))
			*GROW(&mounts, n) = m;
	}
	return mounts;
}

void cg_free_mounts(struct cg_mount *mounts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(mounts[i].root);
		free(mounts[i].point);
	}
	free(mounts);
}

char *cg_parse_own(const char *cgroups, unsigned controllers)
{
	_cleanup_free_ char *copy = xstrdup(cgroups);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *id = strsep(&line, ":");
		char *list = line ? strsep(&line, ":") : NULL;
		if (!list || !line)
			continue;
		if (controllers ? (cg_parse_controllers(list, ",") & controllers) != 0 : streq(id, "0") && !*list)
			return xstrdup(line);
	}
	return NULL;
}

const char *cg_below(const char *own, const char *root)
{
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	/* "/.." is how a hierarchy that begins above our cgroup namespace looks: our place in it can't be named. */
	if (strncmp(own, root, len) != 0 || (own[len] && own[len] != '/') || strstr(own, "/.."))
		return NULL;
	return streq(own + len, "/") ? "" : own + len;
}

char *cg_tree_path(const struct cg_tree *t, const char *group, const char *file)
{
	return xasprintf("%s%s%s%s%s", t->base, *group ? "/" : "", group, file ? "/" : "", file ? file : "");
}

/* Can the mount still be reached by its path? */
static bool visible(const struct cg_mount *m)
{
	struct stat st;

	return stat(m->point, &st) == 0 && st.st_dev == makedev(m->major, m->minor);
}

static bool has_text(const char *dir, const char *file)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	char line[32];

	return io_line(AT_FDCWD, path, line, sizeof line) > 0;
}

static unsigned v2_controllers(const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/cgroup.controllers", dir);
	char line[256];

	return io_line(AT_FDCWD, path, line, sizeof line) < 0 ? 0 : cg_parse_controllers(line, " ");
}

/* May groups with limits be made in DIR? Only the root of all has no cgroup.type; others must be free of processes. */
static bool v2_fit(const char *dir)
{
	_cleanup_free_ char *type = xasprintf("%s/cgroup.type", dir);

	return access(type, F_OK) < 0 || !has_text(dir, "cgroup.procs");
}

static bool may_write(const char *dir, bool v2)
{
	_cleanup_free_ char *procs = xasprintf("%s/cgroup.procs", dir);

	return access(dir, W_OK | X_OK) == 0 && (!v2 || access(procs, W_OK) == 0);
}

/* One directory up, not above the mount point. */
static bool go_up(char *dir, const char *mount)
{
	char *slash = strrchr(dir, '/');

	if (!slash || (size_t)(slash - dir) < strlen(mount))
		return false;
	*slash = '\0';
	return true;
}

static void choose_v1(struct cg_tree *t)
{
	_cleanup_free_ char *dir = xstrdup(t->own);

	do {
		if (may_write(dir, false)) {
			t->base = move_str(&dir);
			return;
		}
	} while (go_up(dir, t->mount));
}

static void choose_v2(struct cg_tree *t)
{
	_cleanup_free_ char *dir = xstrdup(t->own);
	int best = -1;

	do {
		if (!may_write(dir, true))
			break;
		/* Where processes are, no controller can be given on; such a place is better than none. */
		unsigned controllers = v2_fit(dir) ? v2_controllers(dir) : 0;
		int score = __builtin_popcount(controllers);
		if (score <= best)
			continue;
		best = score;
		free(t->base);
		t->base = xstrdup(dir);
		t->controllers = controllers;
	} while (go_up(dir, t->mount));
}

static void add_tree(struct cg_trees *all, const struct cg_mount *m, const char *cgroups)
{
	_cleanup_free_ char *own = cg_parse_own(cgroups, m->controllers);

	for (size_t i = 0; i < all->n; i++)
		if (all->trees[i].v2 == m->v2 && (m->v2 || all->trees[i].controllers == m->controllers))
			return;
	if (!own || all->n == CG_TREES || m->named || !visible(m))
		return;
	const char *below = cg_below(own, m->root);
	struct cg_tree *t = &all->trees[all->n++];
	*t = (struct cg_tree){ .v2 = m->v2, .controllers = m->controllers, .mount = xstrdup(m->point), .root = xstrdup(m->root),
			       .own = xasprintf("%s%s", m->point, below ? below : "") };
	if (m->v2)
		choose_v2(t);
	else
		choose_v1(t);
}

/* Which tree serves what. */
static void sort_out(struct cg_trees *all)
{
	bool v1 = false, v2 = false;

	for (size_t i = 0; i < all->n; i++) {
		const struct cg_tree *t = &all->trees[i];
		if (t->v2)
			v2 = true;
		else
			v1 = true;
		if (!t->base)
			continue;
		if (t->v2)
			all->track = t;
		for (size_t c = 0; c < CTL_COUNT; c++)
			if (t->controllers & 1u << c && !all->of[c])
				all->of[c] = t;
	}
	all->layout = v1 && v2 ? "hybrid" : v2 ? "v2" : "v1";
	if (!all->track)
		all->track = all->of[CTL_FREEZER] ? all->of[CTL_FREEZER] : all->of[CTL_PIDS];
	for (size_t i = 0; i < all->n && !all->track; i++)
		if (all->trees[i].base)
			all->track = &all->trees[i];
}

static int refuse(const struct cg_trees *all, struct err *err)
{
	if (all->n == 0) {
		err_set(err, ENOENT, "control groups: no cgroup file system is mounted");
		return err_try(err, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	}
	const struct cg_tree *t = &all->trees[0];
	for (size_t i = 0; i < all->n; i++)
		t = all->trees[i].v2 ? &all->trees[i] : t;
	err_set(err, EACCES, "control groups: %s may not be written to", t->own);
	err_why(err, "a group can only be made below or beside belljar's own, in a part of the tree that was delegated to you");
	if (rootless_uid() != 0 && access("/run/systemd/system", F_OK) == 0)
		err_try(err, "systemd-run --user --scope -p Delegate=yes belljar");
	return -1;
}

/* Found once: mounts of control groups do not change while belljar runs, and each limit and each run asks. */
static struct cg_trees found;

static int look(struct err *err)
{
	_cleanup_buf_ struct buf mountinfo = { 0 }, cgroups = { 0 };
	size_t n;

	if (found.n > 0)
		return 0;
	if (io_slurp(AT_FDCWD, "/proc/self/mountinfo", PROC_LIMIT, &mountinfo) < 0 ||
	    io_slurp(AT_FDCWD, "/proc/self/cgroup", PROC_LIMIT, &cgroups) < 0)
		return err_set(err, errno, "control groups: /proc/self can't be read");
	struct cg_mount *mounts = cg_parse_mounts(buf_text(&mountinfo), &n);
	for (size_t i = 0; i < n; i++)
		add_tree(&found, &mounts[i], buf_text(&cgroups));
	cg_free_mounts(mounts, n);
	sort_out(&found);
	return 0;
}

const struct cg_trees *cg_find(struct err *err)
{
	if (!found.track && look(err) < 0)
		return NULL;
	if (!found.track)
		return refuse(&found, err), NULL;
	return &found;
}

const char *cg_layout(struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	return all ? all->layout : NULL;
}

/* The tree that PATH is in: the one with the longest mount point before it. */
static struct cg_tree *tree_at(const char *path)
{
	struct cg_tree *best = NULL;

	for (size_t i = 0; i < found.n; i++) {
		struct cg_tree *t = &found.trees[i];
		size_t len = strlen(t->mount);
		if (starts_with(path, t->mount) && path[len] == '/' && (!best || len > strlen(best->mount)))
			best = t;
	}
	return best;
}

/* Groups are made in DIR from now on. */
static void settle(struct cg_tree *t, char *dir)
{
	free(t->base);
	t->base = dir;
	if (t->v2)
		t->controllers = v2_controllers(dir);
	memset(found.of, 0, sizeof found.of);
	found.track = NULL;
	sort_out(&found);
}

int cg_settle(const char *group, char *const *paths, struct err *err)
{
	if (look(err) < 0)
		return -1;
	for (; *paths; paths++) {
		size_t len = strlen(*paths), tail = strlen(group) + 1;
		struct cg_tree *t = tree_at(*paths);
		if (!t || len <= tail || (*paths)[len - tail] != '/' || !streq(*paths + len - tail + 1, group))
			return err_set(err, 0, "control groups: %s is in no hierarchy that is mounted here", *paths);
		settle(t, xstrndup(*paths, len - tail));
	}
	return 0;
}

bool cg_v2_alone(void)
{
	return look(NULL) == 0 && found.n == 1 && found.trees[0].v2;
}

int cg_settle_v2(const char *own, struct err *err)
{
	struct cg_tree *t = &found.trees[0];
	const char *below = cg_v2_alone() ? cg_below(own, t->root) : NULL;

	if (!below)
		return err_set(err, ENOENT, "%s: that part of the control groups is not mounted here", own);
	settle(t, xasprintf("%s%s", t->mount, below));
	return 0;
}
