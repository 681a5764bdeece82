/*
 * namespaces.c - commands: unshare join share map hostname clock
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "base/err.h"
#include "base/mem.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/namespaces.h"

static uint64_t kinds(const struct args *a)
{
	uint64_t flags = 0;

	for (const struct value *v = arg_next(a, "KIND", NULL); v; v = arg_next(a, "KIND", v))
		flags |= (uint64_t)v->num;
	return flags;
}

static int run_unshare(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	return sb ? sandbox_unshare(sb, kinds(a), err) : -1;
}

static int run_share(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	uint64_t flags = kinds(a);

	if (!sb)
		return -1;
	/* "all" means all there are to give back. */
	if (a->n == 1 && streq(a->values[0].text, "all"))
		flags &= place_flags(&sb->place);
	return sandbox_share(sb, flags, err);
}

static void close_all(int (*fds)[NS_KINDS])
{
	for (int k = 0; k < NS_KINDS; k++)
		close_fd(&(*fds)[k]);
}

/* A path names one namespace, and must be one of the kind that was asked for. */
static int open_path(const char *path, uint64_t flags, int *fds, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "%s", path);
	int type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0) {
		err_set(err, EINVAL, "%s is no namespace", path);
		return err_try(err, "a path such as /proc/1/ns/net or /run/netns/NAME");
	}
	if ((uint64_t)type != flags)
		return err_set(err, EINVAL, "%s is a namespace of kind %s", path, ns_words((uint64_t)type));
	for (int k = 0; k < NS_KINDS; k++)
		if (ns_table[k].flag == type)
			fds[k] = move_fd(&fd);
	return 0;
}

static int open_process(const char *pid, uint64_t flags, int *fds, struct err *err)
{
	char path[64];

	for (int k = 0; k < NS_KINDS; k++) {
		if (!(flags & (uint64_t)ns_table[k].flag))
			continue;
		snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, ns_table[k].name);
		fds[k] = open(path, O_RDONLY | O_CLOEXEC);
		if (fds[k] < 0)
			return err_set(err, errno, "no %s namespace of process %s", ns_table[k].name, pid);
	}
	return 0;
}

static int open_sandbox(struct shell *sh, const char *name, uint64_t flags, int *fds, struct err *err)
{
	const struct sandbox *of = sandbox_find(sh->session, name, err);

	if (!of)
		return -1;
	uint64_t missing = flags & ~place_flags(&of->place);
	if (missing)
		return err_set(err, EINVAL, "%s shares the host's %s itself", of->name, ns_words(missing));
	for (int k = 0; k < NS_KINDS; k++)
		if ((flags & (uint64_t)ns_table[k].flag) && of->place.ns[k] >= 0)
			fds[k] = fcntl(of->place.ns[k], F_DUPFD_CLOEXEC, 3);
	return 0;
}

static int run_join(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	const char *of = arg_text(a, "OF");
	uint64_t flags = kinds(a);
	_cleanup_(close_all) int fds[NS_KINDS] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	int found;

	if (!sb)
		return -1;
	if (strchr(of, '/'))
		found = open_path(of, flags, fds, err);
	else if (of[strspn(of, "0123456789")] == '\0')
		found = open_process(of, flags, fds, err);
	else
		found = open_sandbox(sh, of, flags, fds, err);
	return found < 0 ? -1 : sandbox_join(sb, flags, fds, of, err);
}

/* All ranges of one side: INSIDE OUTSIDE COUNT after `uid` or `gid`. */
static int ranges(const struct args *a, const char *side, struct id_range *r, size_t *n, struct err *err)
{
	static const char *const names[] = { "INSIDE", "OUTSIDE", "COUNT" };
	size_t at = 0;
	bool mine = false;

	*n = 0;
	for (size_t i = 0; i < a->n; i++) {
		const struct value *v = &a->values[i];
		if (streq(v->name, "uid") || streq(v->name, "gid")) {
			mine = streq(v->name, side);
			at = 0;
			continue;
		}
		if (!mine || *n == ID_RANGES)
			continue;
		if (v->num < 0 || v->num > UINT32_MAX)
			return err_usage(err, "%s: %s is not from 0 to 4294967295", names[at], v->text);
		uint32_t id = (uint32_t)v->num;
		*(at == 0 ? &r[*n].inside : at == 1 ? &r[*n].outside : &r[*n].count) = id;
		if (++at == 3) {
			at = 0;
			(*n)++;
		}
	}
	return 0;
}

static int run_map(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	static struct id_range uids[ID_RANGES], gids[ID_RANGES];
	size_t n_uids, n_gids;

	if (!sb)
		return -1;
	if (arg_has(a, "auto"))
		return sandbox_map_auto(sb, err);
	if (ranges(a, "uid", uids, &n_uids, err) < 0 || ranges(a, "gid", gids, &n_gids, err) < 0)
		return -1;
	/* One side said means both. */
	if (n_uids == 0)
		return sandbox_map(sb, gids, n_gids, gids, n_gids, err);
	if (n_gids == 0)
		return sandbox_map(sb, uids, n_uids, uids, n_uids, err);
	return sandbox_map(sb, uids, n_uids, gids, n_gids, err);
}

static int run_hostname(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	return sb ? sandbox_hostname(sb, arg_text(a, "NAME"), err) : -1;
}

static int run_clock(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	return sandbox_clock(sb, arg_has(a, "monotonic") ? "monotonic" : "boottime", arg_num(a, "OFFSET", 0), err);
}

const struct command cmd_namespaces[] = {
	{ "unshare", "namespaces", "give the sandbox namespaces of its own", "KIND:kind...",
	  "Until then a sandbox shares all eight kinds with the host. The kinds are called as in `/proc/PID/ns`: *cgroup* *ipc* *mnt* *net* *pid* "
	  "*time* *user* *uts*; *all* is all eight, *docker* is what Docker unshares (all but *time* and *user*).\n\n"
	  "The kinds may come one after the other and in any order. What is unshared after *user* belongs to the new user namespace, what came "
	  "before belongs to belljar's own; in one command *user* comes first. A new *net* namespace has its `lo` up, a new *mnt* namespace is cut "
	  "off from the host's mounts, and as soon as *pid* and *mnt* are both there, `/proc` inside shows the sandbox's own processes.",
	  "new web\nunshare mnt pid net\nexpect own mnt pid net\nunshare uts   # one more, while it lives\n", 0, run_unshare },
	{ "join", "namespaces", "enter namespaces that exist already", "KIND:kind... of OF:nsref",
	  "The namespaces of another sandbox, of a process (by its number on the host), or the one that a path names. What is changed in a joined "
	  "namespace is changed for everybody in it.",
	  "new a\nunshare net\nnew b\njoin net of a\nexpect same net a\n", 0, run_join },
	{ "share", "namespaces", "go back to the host's namespaces", "KIND:kind...",
	  "Another first process takes the place of the sandbox's own, in the same namespaces but these. Programs of the sandbox would end with "
	  "the old one, so it is refused while any run. After `share mnt` the sandbox's own root is gone.",
	  "new web\nunshare net uts\nshare net\nexpect not own net\n", 0, run_share },
	{ "map", "namespaces", "map user and group numbers of the user namespace",
	  "(auto | [uid [INSIDE:number OUTSIDE:number COUNT:number]... | gid [INSIDE:number OUTSIDE:number COUNT:number]...]...)",
	  "Until its ids are mapped, everybody in a new user namespace is 65534 (nobody) and can't become anyone else. *map auto* maps 0 and up "
	  "inside to the subordinate ids that `/etc/subuid` and `/etc/subgid` give root; if they give none, to 65536 numbers from 1879048192 on, "
	  "and without root to what belljar's own user namespace has. Given only uid or only gid ranges, both are mapped so. The kernel takes "
	  "each map once. When 0 is mapped, programs run as the sandbox's root.",
	  "new web\nunshare user\nmap auto\nrun id\n", 0, run_map },
	{ "hostname", "namespaces", "name the sandbox's host", "NAME", "Needs a *uts* namespace of its own.",
	  "new web\nunshare uts\nhostname web\nexpect prints web run uname -n\n", 0, run_hostname },
	{ "clock", "namespaces", "shift a clock of the time namespace", "(monotonic | boottime) OFFSET:offset",
	  "Programs inside see the monotonic clock, or the time since boot, shifted by the offset: `clock boottime 7d` makes uptime a week longer. "
	  "The kernel fixes the offsets as soon as a process has entered the namespace: shift before the first program runs.",
	  "new web\nunshare time\nclock boottime 7d\nrun cat /proc/uptime\n", 0, run_clock },
	{ .name = NULL },
};
