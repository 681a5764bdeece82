/*
 * can.c - may a program of a sandbox do something, and why
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/capability.h"
#include "kern/filter.h"
#include "kern/joined.h"
#include "kern/rootless.h"
#include "sandbox/can.h"
#include "sandbox/filters.h"
#include "sandbox/privileges.h"

static const struct can_operation operations[] = {
	{ "mount", "sys_admin", NS_MNT, "mount", 0 },
	{ "umount", "sys_admin", NS_MNT, "umount2", 0 },
	{ "pivot-root", "sys_admin", NS_MNT, "pivot_root", 0 },
	{ "chroot", "sys_chroot", OVER_OWN, "chroot", 0 },
	{ "hostname", "sys_admin", NS_UTS, "sethostname", 0 },
	{ "unshare", "sys_admin", OVER_OWN, "unshare", CLONE_NEWIPC },
	{ "unshare-user", NULL, OVER_OWN, "unshare", CLONE_NEWUSER },
	{ "links", "net_admin", NS_NET, "ioctl", 0 },
	{ "raw-socket", "net_raw", NS_NET, "socket", 2 },
	{ "low-port", "net_bind_service", NS_NET, "bind", 0 },
	{ "reboot", "sys_boot", NS_PID, "reboot", 0 },
	{ "setuid", "setuid", OVER_OWN, "setresuid", 0 },
	{ "setgroups", "setgid", OVER_OWN, "setgroups", 0 },
	{ "chown", "chown", OVER_OWN, "fchownat", 0 },
	{ "mknod", "mknod", OVER_HOST, "mknodat", 0 },
	{ "settime", "sys_time", OVER_HOST, "settimeofday", 0 },
	{ "module", "sys_module", OVER_HOST, "finit_module", 0 },
	{ "syslog", "syslog", OVER_HOST, "syslog", 0 },
	{ "swapon", "sys_admin", OVER_HOST, "swapon", 0 },
};

const struct can_operation *can_operation(size_t i)
{
	return i < ARRAY_SIZE(operations) ? &operations[i] : NULL;
}

void can_free(struct can *can)
{
	for (size_t i = 0; i < can->n; i++)
		free(can->reasons[i]);
	free(can->reasons);
}

/* The first thing that stands in the way throws out what spoke for it. */
static void reason(struct can *c, bool yes, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void reason(struct can *c, bool yes, const char *fmt, ...)
{
	va_list ap;

	if (yes && !c->yes)
		return;
	if (!yes && c->yes) {
		can_free(c);
		*c = (struct can){ .yes = false };
	}
	va_start(ap, fmt);
	*GROW(&c->reasons, &c->n) = xvasprintf(fmt, ap);
	va_end(ap);
}

/* Who asks. */
struct who {
	struct sandbox *sb;
	pid_t pid;             /* 0: the next program */
	struct privileges_now now;
	struct stat user;      /* its user namespace */
};

static int look_who(struct who *w, struct err *err)
{
	char path[64];
	pid_t pid = w->pid ? w->pid : w->sb->place.pid;

	if ((w->pid ? privileges_look(w->pid, &w->now, err) : privileges_next(w->sb, &w->now, err)) < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
	return stat(path, &w->user) < 0 ? err_set(err, errno, "%s: its user namespace can't be looked at", w->sb->name) : 0;
}

/* Seccomp */

static void ask_filter(const struct who *w, const struct can_operation *what, struct can *c, struct err *err)
{
	const char *value = w->sb->place.privileges[PRIV_SECCOMP];

	if (!what->call || w->now.seccomp == 0)
		return;
	if (!value) {
		reason(c, true, "it has a filter of system calls that belljar did not make and can't look into");
		return;
	}
	const struct filter_api *api = filter_api(err);
	const struct filter *f = api ? filter_compile(value, filters_caps(w->sb), FILTER_PLAIN, false, err) : NULL;
	if (!f)
		return;
	uint32_t verdict = api->verdict(f, what->call, what->first), action = verdict & SECCOMP_RET_ACTION_FULL;
	const char *when = w->pid ? " (as it is now; the process has the one it was started with)" : "";
	if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_USER_NOTIF)
		reason(c, true, "the filter of system calls allows %s%s", what->call, when);
	else if (action == SECCOMP_RET_ERRNO)
		reason(c, false, "the filter of system calls refuses %s with %s%s", what->call, err_name((int)(verdict & SECCOMP_RET_DATA)), when);
	else
		reason(c, false, "the filter of system calls ends a program that calls %s%s", what->call, when);
}

/* Landlock */

static void ask_paths(const struct who *w, const struct can_operation *what, struct can *c)
{
	if (what->over == NS_MNT && w->sb->place.privileges[PRIV_PATHS])
		reason(c, false, "programs that are limited to paths can change no mounts (allow-path)%s", w->pid ? ", if it was started since" : "");
}

/* Owners */

/* The namespace of KIND that counts: descriptor, or -1 when it can't be opened. */
static int open_namespace(const struct who *w, int kind, const struct can_object *on)
{
	const struct sandbox *sb = on->sb ? on->sb : w->sb;
	char path[64];

	if (!on->host && !on->sb && w->pid)
		snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)w->pid, ns_table[kind].name);
	else if (!on->host && sb->place.own[kind])
		return fcntl(sb->place.ns[kind], F_DUPFD_CLOEXEC, 3);
	else
		snprintf(path, sizeof path, "/proc/self/ns/%s", ns_table[kind].name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Does what belongs to the user namespace OWNER answer to W's capabilities? 2: W owns it, and has all of them. */
static int answers(const struct who *w, int owner)
{
	_cleanup_close_ int at = fcntl(owner, F_DUPFD_CLOEXEC, 3);
	struct stat st;

	while (at >= 0 && fstat(at, &st) == 0) {
		if (st.st_ino == w->user.st_ino && st.st_dev == w->user.st_dev)
			return 1;
		int parent = ioctl(at, NS_GET_PARENT);
		uid_t uid;
		if (parent >= 0 && fstat(parent, &st) == 0 && st.st_ino == w->user.st_ino && !w->sb->place.own[NS_USER] &&
		    ioctl(at, NS_GET_OWNER_UID, &uid) == 0 && uid == w->now.uid) {
			close(parent);
			return 2;
		}
		close(at);
		at = parent;
	}
	return 0;
}

static bool in_first_user_namespace(const struct who *w)
{
	return !w->sb->place.own[NS_USER] && !rootless_entered();
}

/* The capability's own reasons. */
static void ask_sets(const struct who *w, const char *name, struct can *c)
{
	uint64_t mask = 0;

	capability_parse(name, &mask);
	if (w->now.effective & mask)
		reason(c, true, "%s is among its effective capabilities", name);
	else if (w->now.permitted & mask)
		reason(c, true, "%s is permitted to it, and it can make it effective", name);
	else if (!(w->now.bounding & mask))
		reason(c, false, "%s is not in its bounding set, so no program can have it (cap add %s)", name, name);
	else if (w->now.no_new_privs)
		reason(c, false, "%s is not among its capabilities, and it can't gain privileges", name);
	else
		reason(c, false, "%s is not among its capabilities; a program with file capabilities or owned by root and set-user-ID could have it", name);
}

static void ask_owner(const struct who *w, const struct can_operation *what, const struct can_object *on, struct can *c)
{
	int kind = on->kind >= 0 ? on->kind : what->over;
	struct stat st = { 0 };

	if (what->over == OVER_HOST || (on->host && kind < 0)) {
		if (in_first_user_namespace(w))
			reason(c, true, "its user namespace is the machine's first, where this is asked");
		else
			reason(c, false, "it is asked in the machine's first user namespace, and it is in another");
		return ask_sets(w, what->capability, c);
	}
	if (kind < 0)
		return ask_sets(w, what->capability, c);
	_cleanup_close_ int ns = open_namespace(w, kind, on);
	_cleanup_close_ int owner = ns < 0 ? -1 : kind == NS_USER ? fcntl(ns, F_DUPFD_CLOEXEC, 3) : ioctl(ns, NS_GET_USERNS);
	int how = owner < 0 ? 0 : answers(w, owner);
	if (owner >= 0)
		fstat(owner, &st);
	if (how == 2) {
		reason(c, true, "it made user namespace %lu, which the %s namespace belongs to, and so has all capabilities over it", (unsigned long)st.st_ino,
		       ns_table[kind].name);
		return;
	}
	if (how == 1)
		reason(c, true, "the %s namespace belongs to user namespace %lu, where its capabilities count", ns_table[kind].name, (unsigned long)st.st_ino);
	else if (owner >= 0)
		reason(c, false, "the %s namespace belongs to user namespace %lu, where its capabilities don't count; they do in %lu and below",
		       ns_table[kind].name, (unsigned long)st.st_ino, (unsigned long)w->user.st_ino);
	else
		reason(c, false, "the %s namespace belongs to a user namespace above, where its capabilities don't count", ns_table[kind].name);
	ask_sets(w, what->capability, c);
}

/* What the capability is not needed for, or is not enough for. */

static int read_port(void *arg, struct err *err)
{
	char line[16];

	(void)err;
	if (io_line(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", line, sizeof line) > 0)
		*(long *)arg = strtol(line, NULL, 10);
	return 0;
}

/* True when it is settled. */
static bool ask_special(const struct who *w, const struct can_operation *what, struct can *c, struct err *err)
{
	char path[64], line[32];
	long port = 1024;

	if (streq(what->name, "low-port") && joined_run(&w->sb->place, 1u << NS_NET, 0, NULL, read_port, &port, err) == 0 && port <= 1) {
		reason(c, true, "net.ipv4.ip_unprivileged_port_start lets everybody in this net namespace bind to any port");
		return true;
	}
	if (streq(what->name, "setgroups")) {
		snprintf(path, sizeof path, "/proc/%d/setgroups", (int)(w->pid ? w->pid : w->sb->place.pid));
		if (io_line(AT_FDCWD, path, line, sizeof line) > 0 && streq(line, "deny"))
			reason(c, false, "setgroups is denied in its user namespace, which was mapped without privileges");
	}
	if (streq(what->name, "unshare-user")) {
		if (w->sb->place.own[NS_USER] && !w->sb->place.mapped)
			reason(c, false, "its ids are not mapped (map auto)");
		if (io_line(AT_FDCWD, "/proc/sys/user/max_user_namespaces", line, sizeof line) > 0 && strtol(line, NULL, 10) == 0)
			reason(c, false, "user.max_user_namespaces is 0");
		if (io_line(AT_FDCWD, "/proc/sys/kernel/unprivileged_userns_clone", line, sizeof line) > 0 && strtol(line, NULL, 10) == 0)
			ask_sets(w, "sys_admin", c);
	}
	return false;
}

static void ask_lsm(const struct who *w, struct can *c)
{
	char path[64], label[256];
	_cleanup_buf_ struct buf shown = { 0 };

	snprintf(path, sizeof path, "/proc/%d/attr/current", (int)(w->pid ? w->pid : w->sb->place.pid));
	if (io_line(AT_FDCWD, path, label, sizeof label) <= 0 || starts_with(label, "unconfined") || !label[0])
		return;
	buf_visible(&shown, label);
	reason(c, true, "its security label is %s, whose policy may still refuse it", buf_text(&shown));
}

int can_ask(struct sandbox *sb, pid_t pid, const struct can_operation *what, const struct can_object *on, struct can *can, struct err *err)
{
	struct who w = { .sb = sb, .pid = pid };

	*can = (struct can){ .yes = true };
	if (sb->session->gate.dry)
		return 0;
	err_clear(err);
	if (look_who(&w, err) < 0)
		return -1;
	ask_filter(&w, what, can, err);
	ask_paths(&w, what, can);
	if (!ask_special(&w, what, can, err) && what->capability)
		ask_owner(&w, what, on, can);
	ask_lsm(&w, can);
	if (!can->n)
		reason(can, true, "it takes no capability");
	return err->text[0] ? -1 : 0;
}
