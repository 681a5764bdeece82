/*
 * cg_watch.c - descriptors that wake up when something happens in a group
 *
 * Version 2 tells by its event files (POLLPRI), and by pressure files into which a threshold was written; version 1 tells only of memory
 * that has run out, through an eventfd, and pids.events. That programs were held back from the processor nobody tells: who waits looks
 * from time to time.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/cg_tree.h"

static void add(struct cg_event *events, size_t *n, enum cg_watch kind, int of, int fd, short poll)
{
	if (fd >= 0 && *n < CG_EVENTS)
		events[(*n)++] = (struct cg_event){ kind, fd, poll, of };
	else if (fd >= 0)
		close(fd);
}

static int open_in(const struct cg_tree *t, const char *group, const char *file, int flags)
{
	if (!t)
		return -1;
	_cleanup_free_ char *path = cg_tree_path(t, group, file);
	return open(path, flags | O_CLOEXEC);
}

/* Version 1: an eventfd that counts how often memory ran out. */
static int oom_v1(const struct cg_tree *t, const char *group)
{
	_cleanup_close_ int control = open_in(t, group, "memory.oom_control", O_RDONLY);
	_cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (control < 0 || event < 0)
		return -1;
	_cleanup_free_ char *path = cg_tree_path(t, group, "cgroup.event_control"), *line = xasprintf("%d %d", event, control);
	return io_put(AT_FDCWD, path, line) < 0 ? -1 : move_fd(&event);
}

/* A pressure file wakes up who wrote a threshold into it: here 150 ms of waiting in a second, or, for who may not have that, in two. */
static int pressure(const struct cg_tree *t, const char *group, const char *file)
{
	static const char *const thresholds[] = { "some 150000 1000000", "some 300000 2000000" };
	_cleanup_close_ int fd = t->v2 ? open_in(t, group, file, O_RDWR | O_NONBLOCK) : -1;

	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(thresholds); i++)
		if (write(fd, thresholds[i], strlen(thresholds[i]) + 1) >= 0)
			return move_fd(&fd);
	return -1;
}

size_t cg_watch(const char *group, unsigned kinds, struct cg_event events[CG_EVENTS])
{
	const struct cg_trees *all = cg_find(NULL);
	size_t n = 0;

	if (!all)
		return 0;
	const struct cg_tree *memory = all->of[CTL_MEMORY], *pids = all->of[CTL_PIDS];
	if (kinds & 1u << WATCH_MEMORY && memory && memory->v2)
		add(events, &n, WATCH_MEMORY, 0, open_in(memory, group, "memory.events", O_RDONLY), POLLPRI);
	else if (kinds & 1u << WATCH_MEMORY && memory)
		add(events, &n, WATCH_MEMORY, 0, oom_v1(memory, group), POLLIN);
	if (kinds & 1u << WATCH_PIDS)
		add(events, &n, WATCH_PIDS, 0, open_in(pids, group, "pids.events", O_RDONLY), POLLPRI);
	if (kinds & 1u << WATCH_STATE && all->track->v2)
		add(events, &n, WATCH_STATE, 0, open_in(all->track, group, "cgroup.events", O_RDONLY), POLLPRI);
	for (int i = 0; i < 3 && kinds & 1u << WATCH_PRESSURE; i++) {
		static const char *const files[] = { "cpu.pressure", "memory.pressure", "io.pressure" };
		add(events, &n, WATCH_PRESSURE, i, pressure(all->track, group, files[i]), POLLPRI);
	}
	return n;
}

/* The kernel remembers with each descriptor what its reader has seen; before the first reading all counts as news. */
void cg_watch_seen(const struct cg_event *e)
{
	char text[512];

	while (e->kind != WATCH_PRESSURE && (e->poll == POLLIN ? read(e->fd, text, sizeof text) : pread(e->fd, text, sizeof text, 0)) < 0 &&
	       errno == EINTR)
		;
}
