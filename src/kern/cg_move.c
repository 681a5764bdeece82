/*
 * cg_move.c - processes from one group into another, and groups inside groups
 *
 * On version 2 a group whose own groups have controllers can't have processes ("no internal processes", cgroup-v2.rst). belljar calls
 * such a group divided; who belongs to it itself is in the group CG_MAIN inside it. On version 1 nothing of the kind is needed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/cg_kill.h"
#include "kern/cg_tree.h"
#include "kern/step.h"

enum { PASSES = 1000, LIST_LIMIT = 1 << 22 };

static bool divided(const struct cg_tree *t, const char *group)
{
	_cleanup_free_ char *path = cg_tree_path(t, group, "cgroup.subtree_control");
	char line[256];

	return t->v2 && io_line(AT_FDCWD, path, line, sizeof line) > 0;
}

bool cg_divided(const char *group)
{
	const struct cg_trees *all = cg_find(NULL);

	return all && divided(all->track, group);
}

char *cg_tree_home(const struct cg_tree *t, const char *group)
{
	_cleanup_free_ char *at = xstrdup(group);

	for (;;) {
		_cleanup_free_ char *dir = cg_tree_path(t, at, NULL);
		if (access(dir, F_OK) == 0)
			return divided(t, at) ? xasprintf("%s/%s", at, CG_MAIN) : move_str(&at);
		char *slash = strrchr(at, '/');
		/* Not the session's own group: a sandbox without limits in this hierarchy stays where belljar is. */
		if (t->v2 || !slash || strchr(at, '/') == slash)
			return NULL;
		*slash = '\0';
	}
}

static bool ended(int pidfd)
{
	return pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
}

/* By its number, which is still its own as long as PIDFD says that it lives. 0, also when it has ended, or -1 with err. */
static int move_one(const struct cg_trees *all, const char *group, const char *pid, int pidfd, struct err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct cg_tree *t = &all->trees[i];
		_cleanup_free_ char *home = t->base ? cg_tree_home(t, group) : NULL;
		if (!home)
			continue;
		_cleanup_free_ char *path = cg_tree_path(t, home, "cgroup.procs");
		if (ended(pidfd))
			return 0;
		if (io_put(AT_FDCWD, path, pid) == 0 || errno == ESRCH)
			continue;
		err_set(err, errno, "%s: process %s can't enter it", path, pid);
		if (errno == EBUSY)
			err_why(err, "controllers were switched on in it for groups inside it, and then it can't hold processes itself");
		return -1;
	}
	return 0;
}

/* All that is in the directory DIR now, and with BELOW in those inside it. Number of processes, or -1. */
static int move_listed(const struct cg_trees *all, const char *dir, bool below, const char *group, struct err *err)
{
	_cleanup_free_ char *procs = xasprintf("%s/cgroup.procs", dir);
	_cleanup_buf_ struct buf list = { 0 };
	int n = 0;

	if ((below ? cg_list(dir, "cgroup.procs", &list) : io_slurp(AT_FDCWD, procs, LIST_LIMIT, &list)) < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : err_set(err, errno, "%s: its processes can't be read", dir);
	char *rest = (char *)buf_text(&list), *line;
	while (list.len && (line = strsep(&rest, "\n"))) {
		if (!*line || streq(line, "0"))
			continue;
		if (move_one(all, group, line, -1, err) < 0)
			return -1;
		n++;
	}
	return n;
}

/* Those that are forked meanwhile are found in the next pass; the last finds none. */
static int move_all(const struct cg_trees *all, const char *from, bool below, const char *group, struct err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct cg_tree *t = &all->trees[i];
		if (!t->base)
			continue;
		_cleanup_free_ char *dir = cg_tree_path(t, from, NULL);
		int n = -1, pass = 0;
		while (pass++ < PASSES && (n = move_listed(all, dir, below, group, err)) > 0)
			;
		if (n != 0)
			return n < 0 ? -1 : err_set(err, EBUSY, "%s: new processes keep coming", dir);
	}
	return 0;
}

int cg_move(struct step *s, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	if (!all)
		return -1;
	if (!s->num)
		return move_all(all, s->from, false, s->text, err);
	_cleanup_free_ char *pid = xasprintf("%lld", (long long)s->num);
	if (move_one(all, s->text, pid, s->fd[0], err) == 0)
		return 0;
	if (s->from)
		move_one(all, s->from, pid, s->fd[0], NULL);
	return -1;
}

int cg_dissolve(struct step *s, struct err *err)
{
	const struct cg_trees *all = cg_find(err);
	_cleanup_free_ char *above = xstrdup(s->text);
	char *slash = strrchr(above, '/');

	cg_forget_entries();
	if (!all || !slash)
		return -1;
	*slash = '\0';
	if (move_all(all, s->text, true, above, err) < 0)
		return -1;
	char **paths = cg_paths(s->text, err);
	int failed = paths ? 0 : -1;
	for (size_t i = 0; paths && paths[i]; i++)
		if (cg_kill_path(paths[i], failed ? NULL : err) < 0)
			failed = -1;
	cg_free_paths(paths);
	return failed;
}

char *cg_group_of(const char *group, int pid)
{
	const struct cg_trees *all = cg_find(NULL);
	_cleanup_free_ char *path = xasprintf("/proc/%d/cgroup", pid);
	_cleanup_buf_ struct buf text = { 0 };

	if (!all || io_slurp(AT_FDCWD, path, LIST_LIMIT, &text) < 0)
		return NULL;
	_cleanup_free_ char *own = cg_parse_own(buf_text(&text), all->track->v2 ? 0 : all->track->controllers);
	size_t n = strlen(group);
	for (const char *at = own; at && (at = strstr(at, group)); at++)
		if (at > own && at[-1] == '/' && (!at[n] || at[n] == '/'))
			return xstrdup(at);
	return NULL;
}

size_t cg_inner(const char *group, char ***groups)
{
	const struct cg_trees *all = cg_find(NULL);
	size_t n_dirs = 0, n = 0;

	*groups = NULL;
	if (!all)
		return 0;
	_cleanup_free_ char *top = cg_tree_path(all->track, group, NULL);
	char **dirs = cg_dirs(top, &n_dirs);
	for (size_t i = 0; i < n_dirs; i++) {
		if (i > 0)
			*GROW(groups, &n) = xstrdup(dirs[i] + strlen(top) + 1);
		free(dirs[i]);
	}
	free(dirs);
	return n;
}
