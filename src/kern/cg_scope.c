/*
 * cg_scope.c - a place for groups from systemd
 *
 * belljar and all its sandboxes' processes go into the scope, because a process may only be born in a group when its parent may write to
 * what is above both, and because the scope lasts as long as somebody is in it. They stand in the group CG_MAIN inside it, so that the scope's
 * own group is free to give controllers on. systemd removes all that when the last of them has ended. Another belljar that works on the session
 * comes into the scope as well.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/module.h"
#include "kern/cg.h"
#include "kern/cg_tree.h"
#include "kern/step.h"
#include "kern/systemd.h"

enum { TEXT_LIMIT = 1 << 16 };

/* The directory of version 2 that a process ("self" or a number) is in; the caller's, or NULL. */
static char *place_of(const char *pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/cgroup", pid);
	_cleanup_buf_ struct buf text = { 0 };

	return io_slurp(AT_FDCWD, path, TEXT_LIMIT, &text) < 0 ? NULL : cg_parse_own(buf_text(&text), 0);
}

/* Is the scope NAME in the path? What is below it then, else NULL. */
static const char *below_scope(const char *path, const char *name)
{
	const char *at = path ? strstr(path, name) : NULL, *end = at ? at + strlen(name) : NULL;

	return at && at > path && at[-1] == '/' && (!*end || *end == '/') ? end : NULL;
}

bool cg_scope_wanted(const char *name)
{
	if (access("/run/systemd/system", F_OK) < 0 || !cg_v2_alone())
		return false;
	_cleanup_free_ char *own = place_of("self");
	return !below_scope(own, name);
}

/* Those of the list that are not in the scope yet: they may be in a group there. Their number. */
static size_t newcomers(const char *list, const char *name, pid_t **pids)
{
	_cleanup_free_ char *copy = xstrdup(list);
	char *rest = copy, *pid;
	size_t n = 0;

	*pids = NULL;
	while ((pid = strsep(&rest, " "))) {
		_cleanup_free_ char *place = place_of(pid);
		if (place && !below_scope(place, name))
			*GROW(pids, &n) = (pid_t)strtol(pid, NULL, 10);
	}
	return n;
}

/* The scope is new: all that came into it make room for groups. */
static int settle(char *own, const pid_t *pids, size_t n, struct err *err)
{
	if (cg_settle_v2(own, err) < 0)
		return -1;
	_cleanup_free_ char *main = cg_dir(CG_MAIN, CTL_TRACK), *procs = xasprintf("%s/cgroup.procs", main);
	if (mkdir(main, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "%s: the group can't be made", main);
	for (size_t i = 0; i < n; i++) {
		char pid[16];
		snprintf(pid, sizeof pid, "%d", (int)pids[i]);
		if (io_put(AT_FDCWD, procs, pid) < 0 && errno != ESRCH)
			return err_set(err, errno, "%s: process %s can't enter it", procs, pid);
	}
	return 0;
}

int cg_scope(struct step *s, struct err *err)
{
	systemd_scope_function *ask = NULL;
	void *symbol = module_symbol("systemd", "systemd_scope", err);
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = newcomers(s->from, s->text, &pids);

	cg_forget_entries();
	if (!symbol)
		return -1;
	memcpy(&ask, &symbol, sizeof ask);
	if (ask(s->text, "/" CG_MAIN, pids, n, err) < 0)
		return -1;
	_cleanup_free_ char *own = place_of("self");
	const char *below = below_scope(own, s->text);
	if (!below)
		return err_set(err, 0, "systemd: belljar is in %s, and not in %s", own ? own : "no group", s->text);
	return *below ? 0 : settle(own, pids, n, err);
}
