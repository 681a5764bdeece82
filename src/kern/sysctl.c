/*
 * sysctl.c - switches of a net namespace
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/step.h"
#include "kern/sysctl.h"

struct visit {
	const char *path, *place, *text;       /* text NULL: only read */
	char *old;
	size_t room;
};

/* The files below /proc/sys/net are those of who opens them. */
static int visit(void *arg, struct err *err)
{
	struct visit *v = arg;

	if (io_line(AT_FDCWD, v->path, v->old, v->room) < 0)
		return err_set(err, errno, "%s: %s can't be read", v->place, v->path);
	if (v->text && io_put(AT_FDCWD, v->path, v->text) < 0)
		return err_set(err, errno, "%s: %s can't be written", v->place, v->path);
	return 0;
}

static int go(const struct place *p, struct visit *v, struct err *err)
{
	return p->own[NS_NET] ? joined_run(p, 1u << NS_NET, 0, NULL, visit, v, err) : visit(v, err);
}

int sysctl_get(const struct place *p, const char *path, char *value, size_t room, struct err *err)
{
	_cleanup_free_ char *full = xasprintf("/proc/sys/net/%s", path);
	struct visit v = { .path = full, .place = p->name, .old = value, .room = room };

	return go(p, &v, err);
}

/* What is put off in good order must not be put off once more at the session's end, when somebody else may have put it on. */
static void wanted_no_more(const char *dir, const char *line)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger", dir), *text = xasprintf("- %s\n", line);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd >= 0)
		io_write(fd, text, strlen(text));
}

int sysctl_set(struct step *s, int fd, struct err *err)
{
	_cleanup_free_ char *full = xasprintf("/proc/sys/net/%s", s->to);
	struct visit v = { .path = full, .place = s->place->name, .text = s->text, .old = s->old, .room = sizeof s->old };
	char line[192];

	(void)fd;
	sysctl_forward_line(line, sizeof line, s->to);
	if (s->from && streq(s->text, "0") && sysctl_forward_wanted(s->from, line)) {
		s->old[0] = '\0';
		return 0;
	}
	if (go(s->place, &v, err) < 0)
		return -1;
	if (s->from && streq(s->text, "0"))
		wanted_no_more(s->from, line);
	if (streq(s->old, s->text))
		s->old[0] = '\0';
	return 0;
}
