/*
 * cg_freeze.c - stopping all that runs in a group: for a while, or for good
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/cg_kill.h"
#include "kern/cg_tree.h"
#include "kern/step.h"

enum { PATIENCE_MS = 10000, RECHECK_MS = 5, ROUNDS = 100 };

/* Version 2 says it in cgroup.events, which can be polled. */
static bool wait_v2(const struct cg_tree *t, const char *group, bool frozen)
{
	_cleanup_free_ char *path = cg_tree_path(t, group, "cgroup.events");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	long long deadline = now_ms() + PATIENCE_MS;
	const char *want = frozen ? "frozen 1" : "frozen 0";
	char text[256];

	for (;;) {
		ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
		long long left = deadline - now_ms();
		if (n < 0 || left <= 0)
			return false;
		text[n] = '\0';
		if (strstr(text, want))
			return true;
		struct pollfd event = { .fd = fd, .events = POLLPRI };
		poll(&event, 1, left < 1000 ? (int)left : 1000);
	}
}

/* Version 1 freezes while its state is read (FREEZING until all are). */
static bool wait_v1(const struct cg_tree *t, const char *group, bool frozen)
{
	_cleanup_free_ char *path = cg_tree_path(t, group, "freezer.state");
	struct timespec moment = { .tv_nsec = RECHECK_MS * 1000000 };
	long long deadline = now_ms() + PATIENCE_MS;
	char line[32];

	while (now_ms() < deadline) {
		if (io_line(AT_FDCWD, path, line, sizeof line) <= 0)
			return false;
		if (streq(line, frozen ? "FROZEN" : "THAWED"))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

int cg_wait_frozen(const char *group, bool frozen, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	if (!all)
		return -1;
	const struct cg_tree *t = all->track->v2 ? all->track : all->of[CTL_FREEZER];
	if (t && (t->v2 ? wait_v2(t, group, frozen) : wait_v1(t, group, frozen)))
		return 0;
	err_set(err, EBUSY, "%s: not all is %s", group, frozen ? "frozen" : "thawed");
	return err_why(err, frozen ? "a program is in the kernel and can't be stopped there" : "a group above is frozen");
}

/* Each group by itself, until a round finds nobody. */
int cg_empty(struct step *s, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	if (!all)
		return -1;
	_cleanup_free_ char *dir = cg_tree_path(all->track, s->text, NULL);
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_buf_ struct buf left = { 0 };
		if (cg_list_dirs(dir, cg_empty_path, err) < 0)
			return -1;
		if (cg_list(dir, "cgroup.procs", &left) < 0 || left.len == 0)
			return 0;
	}
	return err_set(err, EBUSY, "%s: new processes keep coming", dir);
}
