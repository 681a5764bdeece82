/*
 * step.c - the table of steps: how each is said, performed and taken back
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/capture.h"
#include "kern/cg.h"
#include "kern/cg_device.h"
#include "kern/holder.h"
#include "kern/mnt.h"
#include "kern/mnt_cache.h"
#include "kern/mnt_changes.h"
#include "kern/mnt_disk.h"
#include "kern/net.h"
#include "kern/nft.h"
#include "kern/ns.h"
#include "kern/probe.h"
#include "kern/slirp.h"
#include "kern/sysctl.h"
#include "kern/step.h"
#include "kern/textfile.h"
#include "kern/tree.h"
#include "kern/wire.h"

void step_copy(struct step *to, const struct step *from)
{
	*to = *from;
	to->what = xstrdup(from->what);
	to->from = xstrdup(from->from);
	to->to = xstrdup(from->to);
	to->text = xstrdup(from->text);
	to->program = NULL;
	to->started = NULL;
	to->probe = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(to->fd); i++)
		to->fd[i] = from->fd[i] > 2 ? fcntl(from->fd[i], F_DUPFD_CLOEXEC, 3) : from->fd[i];
}

void step_free(struct step *s)
{
	free((char *)s->what);
	free((char *)s->from);
	free((char *)s->to);
	free((char *)s->text);
	for (size_t i = 0; i < ARRAY_SIZE(s->fd); i++)
		if (s->fd[i] > 2)
			close_fd(&s->fd[i]);
}

static void set_own(struct place *p, uint64_t flags, bool own)
{
	for (int k = 0; k < NS_KINDS; k++)
		if (flags & (uint64_t)ns_table[k].flag)
			p->own[k] = own, p->joined[k] = false;
}

/* What of proc and sysfs at /proc and /sys S puts in place, takes away, or makes stale. */
static void applied_views(const struct step *s)
{
	struct place *p = s->place;
	uint64_t mnt = (uint64_t)ns_table[NS_MNT].flag, pid = (uint64_t)ns_table[NS_PID].flag, net = (uint64_t)ns_table[NS_NET].flag;
	uint64_t changed = s->kind == STEP_UNSHARE ? s->flags & (pid | net) : s->kind == STEP_PID ? pid : 0;
	enum place_view view = s->kind == STEP_UMOUNT ? VIEW_NONE : VIEW_FITS;

	/* The host's counts as well. */
	bool proc = s->kind == STEP_MOUNT ? streq(s->what, "proc") : s->kind == STEP_BIND && streq(s->from, "/proc");
	if (proc || s->kind == STEP_UMOUNT)
		p->proc = streq(s->to, "/proc") ? view : p->proc;
	if ((s->kind == STEP_MOUNT && streq(s->what, "sysfs")) || s->kind == STEP_UMOUNT)
		p->sys = streq(s->to, "/sys") ? view : p->sys;
	if (s->kind == STEP_RESPAWN)
		changed = s->flags;
	if ((s->kind == STEP_RESPAWN || s->kind == STEP_JOIN) && s->num >= 0)
		changed |= (uint64_t)ns_table[s->num].flag;
	if (changed & mnt) {
		p->proc = p->sys = VIEW_NONE;
		close_fd(&p->upper);
		close_fd(&p->jail);
	}
	if ((changed & pid) && p->proc)
		p->proc = VIEW_STALE;
	if ((changed & net) && p->sys)
		p->sys = VIEW_STALE;
}

void step_applied(const struct step *s)
{
	struct place *p = s->place;
	uint64_t user = (uint64_t)ns_table[NS_USER].flag, pid = (uint64_t)ns_table[NS_PID].flag;

	if (p)
		applied_views(s);
	switch (s->kind) {
	case STEP_HOLDER:
		p->alive = true;
		break;
	case STEP_END:
		p->alive = false;
		break;
	case STEP_UNSHARE:
		set_own(p, s->flags, true);
		if (s->flags & (uint64_t)ns_table[NS_TIME].flag)
			p->clock_frozen = false;
		break;
	case STEP_CGROUP_NS:
		set_own(p, (uint64_t)ns_table[NS_CGROUP].flag, true);
		break;
	case STEP_PID:
		p->own[NS_PID] = p->init = true;
		p->clock_frozen = true;
		break;
	case STEP_JOIN:
		/* It may have been the host's own. */
		p->own[s->num] = p->joined[s->num] = p->pid == 0 || p->ns[s->num] >= 0;
		if (s->num == NS_TIME)
			p->clock_frozen = true;
		if (s->num == NS_PID)
			p->init = false;
		break;
	case STEP_RESPAWN:
		set_own(p, s->flags, false);
		if (s->num >= 0)
			p->own[s->num] = p->pid == 0 || p->ns[s->num] >= 0, p->joined[s->num] = p->own[s->num] && s->fd[0] >= 0;
		if ((s->flags & pid) || s->num == NS_PID)
			p->init = false;
		if ((s->flags & user) || (s->num == NS_USER && s->fd[0] < 0))
			p->mapped = false;
		else if (s->num == NS_USER)
			p->mapped = true;
		p->clock_frozen = true;
		break;
	case STEP_SPAWN:
		p->clock_frozen = true;
		break;
	case STEP_CHROOT:
		p->proc = p->sys = VIEW_FITS;
		/* fall through */
	case STEP_PIVOT:
		close_fd(&p->upper);
		p->upper = p->next_upper;
		p->next_upper = -1;
		break;
	case STEP_ROOT_ID:
		p->mapped = true;
		break;
	case STEP_PRIVILEGE:
		privilege_store(p, (enum privilege)s->num, s->text);
		break;
	case STEP_DEVICE_RULES:
		free(p->devices);
		p->devices = xstrdup(s->from);
		break;
	case STEP_LAB:
		p->own[NS_NET] = true;
		break;
	default:
		break;
	}
}

/* Inverses. */

static int undo_holder(const struct step *done, struct step *inverse)
{
	*inverse = (struct step){ .kind = STEP_END, .place = done->place };
	return 1;
}

/* The holder may be unable to go back by itself (its user namespace, its number), so another one takes its place. */
static int undo_ns(const struct step *done, struct step *inverse)
{
	enum ns_kind k = done->kind == STEP_PID ? NS_PID : done->kind == STEP_CGROUP_NS ? NS_CGROUP : (enum ns_kind)done->num;
	uint64_t flags = done->kind == STEP_UNSHARE ? done->flags : (uint64_t)ns_table[k].flag;

	*inverse = (struct step){ .kind = STEP_RESPAWN, .place = done->place, .flags = flags, .num = -1 };
	return 1;
}

/* A map is written once: back to a user namespace without one. */
static int undo_idmap(const struct step *done, struct step *inverse)
{
	*inverse = (struct step){ .kind = STEP_RESPAWN, .place = done->place, .num = NS_USER, .fd = { -1, -1 } };
	return 1;
}

static int undo_hostname(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->text = done->old;
	return 1;
}

static int undo_clock(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->num = done->old_num;
	return 1;
}

static int undo_mount(const struct step *done, struct step *inverse)
{
	*inverse = (struct step){ .kind = STEP_UMOUNT, .place = done->place, .to = done->to, .num = MNT_DETACH };
	return 1;
}

static int undo_mask(const struct step *done, struct step *inverse)
{
	return done->old[0] ? undo_mount(done, inverse) : 0;
}

static int undo_mkdir(const struct step *done, struct step *inverse)
{
	*inverse = (struct step){ .kind = STEP_RMDIR, .place = done->place, .to = done->to, .text = done->old };
	return done->old[0] ? 1 : 0;
}

static int undo_upper(const struct step *done, struct step *inverse)
{
	*inverse = (struct step){ .kind = STEP_NO_UPPER, .place = done->place, .to = done->to, .text = done->old };
	return done->old[0] ? 1 : 0;
}

static int undo_commit(const struct step *done, struct step *inverse)
{
	*inverse = (struct step){ .kind = STEP_RMTREE, .place = done->place, .from = done->to, .what = done->what };
	return 1;
}

static int undo_disk(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->num = done->old_num;
	return 1;
}

static int undo_project(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->kind = done->old_num ? STEP_PROJECT : STEP_NO_PROJECT;
	inverse->num = done->old_num;
	return done->kind == STEP_PROJECT || done->old_num ? 1 : 0;
}

static int undo_remount(const struct step *done, struct step *inverse)
{
	uint64_t spoken_of = done->flags | (uint64_t)done->num;

	*inverse = *done;
	inverse->flags = (uint64_t)done->old_num & spoken_of;
	inverse->num = (int64_t)(spoken_of & ~(uint64_t)done->old_num);
	return 1;
}

/* One that was private, alone, gets back what it had; a peer that left does not come back. */
static int undo_propagation(const struct step *done, struct step *inverse)
{
	if ((done->flags & MS_REC) || (!streq(done->from, "private") && !streq(done->from, "unbindable")))
		return -1;
	*inverse = *done;
	inverse->flags = streq(done->from, "private") ? MS_PRIVATE : MS_UNBINDABLE;
	inverse->from = "other";
	return 1;
}

static int undo_aside(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->from = done->to;
	inverse->to = done->from;
	return 1;
}

static int undo_link(const struct step *done, struct step *inverse)
{
	*inverse = (struct step){ .kind = STEP_UNLINK, .place = done->place, .to = done->to };
	return 1;
}

static int undo_lend(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->kind = STEP_RETURN;
	return 1;
}

static int undo_slirp(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->kind = STEP_UNSLIRP;
	inverse->fd[1] = -1;
	return 1;
}

static int undo_privilege(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->text = done->from;
	inverse->from = done->text;
	return 1;
}

/* The pairs whose inverse is the other one with the same fields. */
static int undo_pair(const struct step *done, struct step *inverse)
{
	static const enum step_kind other[STEP_KINDS] = {
		[STEP_UP] = STEP_DOWN,     [STEP_DOWN] = STEP_UP,         [STEP_ADDR] = STEP_UNADDR,     [STEP_UNADDR] = STEP_ADDR,
		[STEP_ROUTE] = STEP_UNROUTE, [STEP_UNROUTE] = STEP_ROUTE,
		[STEP_FILE] = STEP_UNFILE, [STEP_LINE] = STEP_UNLINE,     [STEP_UNLINE] = STEP_LINE,
		[STEP_TABLE] = STEP_UNTABLE, [STEP_RULE] = STEP_UNRULE,   [STEP_UNRULE] = STEP_RULE,
	};

	*inverse = *done;
	inverse->kind = other[done->kind];
	return done->old[0] ? 1 : 0;
}

static int undo_cgroup(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->kind = done->flags & CG_INNER ? STEP_DISSOLVE : STEP_UNCGROUP;
	return done->old[0] ? 1 : 0;
}

static int undo_move(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->text = done->from;
	inverse->from = done->text;
	return done->from ? 1 : 0;
}

static int undo_device_rules(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->from = done->what;
	inverse->what = done->from;
	return 1;
}

static int undo_sysctl(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->text = done->old;
	return done->old[0] ? 1 : 0;
}

/* A link that was renamed is found by its new name. */
static int undo_alter(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->text = done->old;
	if (streq(done->what, "name"))
		inverse->to = done->text;
	return 1;
}

static int undo_shape(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->text = done->old;
	return 1;
}

static int undo_limit(const struct step *done, struct step *inverse)
{
	*inverse = *done;
	inverse->from = done->old;
	return done->old[0] ? 1 : done->old_num ? -1 : 0;
}

/* It is the place's, and the holder's with the next program: step_applied does it. */
static int act_privilege(struct step *s, int fd, struct err *err)
{
	(void)s;
	(void)fd;
	(void)err;
	return 0;
}

/* Acts of the network module. */

#define NET(call)                                                                                                              \
	const struct net_api *net = net_api(err);                                                                              \
	(void)fd;                                                                                                              \
	return net ? net->call : -1

static int act_bridge(struct step *s, int fd, struct err *err) { NET(bridge(s, err)); }
static int act_veth(struct step *s, int fd, struct err *err) { NET(veth(s, err)); }
static int act_unlink(struct step *s, int fd, struct err *err) { NET(unlink(s, err)); }
static int act_up(struct step *s, int fd, struct err *err) { NET(set_up(s, true, err)); }
static int act_down(struct step *s, int fd, struct err *err) { NET(set_up(s, false, err)); }
static int act_addr(struct step *s, int fd, struct err *err) { NET(addr(s, true, err)); }
static int act_unaddr(struct step *s, int fd, struct err *err) { NET(addr(s, false, err)); }
static int act_route(struct step *s, int fd, struct err *err) { NET(route(s, true, err)); }
static int act_unroute(struct step *s, int fd, struct err *err) { NET(route(s, false, err)); }
static int act_vxlan(struct step *s, int fd, struct err *err) { NET(vxlan(s, err)); }
static int act_device(struct step *s, int fd, struct err *err) { NET(device(s, err)); }
static int act_lend(struct step *s, int fd, struct err *err) { NET(lend(s, err)); }
static int act_return(struct step *s, int fd, struct err *err) { NET(give_back(s, err)); }
static int act_alter(struct step *s, int fd, struct err *err) { NET(alter(s, err)); }
static int act_shape(struct step *s, int fd, struct err *err) { NET(reshape(s, err)); }

static int act_rmtree(struct step *s, int fd, struct err *err)
{
	(void)fd;
	if (rename(s->from, s->what) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "%.500s: can't be removed", s->from);
	return tree_remove(AT_FDCWD, s->what) < 0 ? err_set(err, errno, "%.500s: can't be removed", s->what) : 0;
}

static int act_aside(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return rename(s->from, s->to) < 0 && errno != ENOENT ? err_set(err, errno, "%.500s: can't be put aside", s->from) : 0;
}

static int act_cgroup(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_make(s, err);
}

static int act_uncgroup(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_remove(s, err);
}

static int act_scope(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_scope(s, err);
}

static int act_move(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_move(s, err);
}

static int act_dissolve(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_dissolve(s, err);
}

static int act_device_rules(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_device(s, err);
}

static int act_empty(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_empty(s, err);
}

static int act_limit(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return cg_limit(s, err);
}

const struct step_row step_table[STEP_KINDS] = {
	[STEP_HOLDER] = { .name = "holder", .who = WHO_HOST, .say = "start a first process for {place}, which shares everything with the host",
		.calls = "memfd_create(); clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD); setsid(); execveat()",
		.shell = "sleep infinity &", .act = ns_holder, .inverse = undo_holder },
	[STEP_END] = { .name = "end", .who = WHO_HOST, .say = "end {place}'s first process and all that lives with it",
		.calls = "pidfd_send_signal({pid}, SIGKILL); waitid()", .shell = "kill -9 {pid}", .act = ns_end,
		.for_good = "its processes are gone" },
	[STEP_RESPAWN] = { .name = "respawn", .who = WHO_HOST,
		.say = "put another first process into {place}'s namespaces, but the host's: {flags}{kind}",
		.calls = "clone(); setns() for each; clone3(CLONE_PARENT)", .shell = "nsenter {ns} sleep infinity &", .act = ns_respawn,
		.for_good = "the old namespaces are gone" },
	[STEP_SPAWN] = { .name = "spawn", .who = WHO_HOST, .say = "start in {place}: {text}",
		.calls = "clone3(CLONE_VFORK | CLONE_PIDFD); setpgid(); close_range(3, ~0); execve()", .shell = "nsenter -t {pid} {ns} {text}",
		.act = ns_spawn, .for_good = "a program has run" },
	[STEP_SIGNAL] = { .name = "signal", .who = WHO_HOST, .say = "send signal {num} to process {target}",
		.calls = "pidfd_open({target}); pidfd_send_signal({num})", .shell = "kill -{num} {target}", .act = ns_signal,
		.for_good = "a signal can't be called back" },

	[STEP_UNSHARE] = { .name = "unshare", .who = WHO_HOLDER, .say = "give {place} namespaces of its own: {flags}",
		.calls = "unshare({clone})", .shell = "unshare {options} sleep infinity", .op = WIRE_UNSHARE, .inverse = undo_ns },
	[STEP_CGROUP_NS] = { .name = "unshare cgroup", .who = WHO_HOLDER,
		.say = "give {place} a cgroup namespace of its own, in which the group {text} is the root",
		.calls = "clone3(CLONE_INTO_CGROUP); unshare(CLONE_NEWCGROUP); setns(pidfd, CLONE_NEWCGROUP)",
		.shell = "unshare --cgroup sleep infinity", .op = WIRE_CGROUP_NS, .inverse = undo_ns },
	[STEP_PID] = { .name = "unshare pid", .who = WHO_HOLDER,
		.say = "give {place} a pid namespace of its own; a successor of its first process becomes number 1 in it",
		.calls = "unshare(CLONE_NEWPID); clone3(CLONE_PARENT)", .shell = "unshare --pid --fork sleep infinity", .op = WIRE_PID,
		.inverse = undo_ns },
	[STEP_JOIN] = { .name = "join", .who = WHO_HOLDER, .say = "{place} enters the {kind} namespace of {from}",
		.calls = "setns(fd, {clone})", .shell = "nsenter --{kind}={from} sleep infinity", .op = WIRE_JOIN, .inverse = undo_ns },
	[STEP_IDMAP] = { .name = "map", .who = WHO_HOST, .say = "map ids of {place}'s user namespace: {what} = {text}",
		.calls = "write(/proc/{pid}/{what}, \"{text}\")", .shell = "echo '{text}' > /proc/{pid}/{what}", .act = ns_idmap,
		.inverse = undo_idmap },
	[STEP_ROOT_ID] = { .name = "become root", .who = WHO_HOLDER, .say = "{place}'s first process becomes user 0 of its user namespace",
		.calls = "setgroups(0, NULL); setresgid(0, 0, 0); setresuid(0, 0, 0)", .shell = "nsenter -t {pid} -U --setuid 0 --setgid 0",
		.op = WIRE_ROOT_ID },
	[STEP_HOSTNAME] = { .name = "hostname", .who = WHO_JOINED, .say = "name {place}'s host {text}", .calls = "sethostname(\"{text}\")",
		.shell = "nsenter -t {pid} -u hostname {text}", .act = ns_hostname, .inverse = undo_hostname },
	[STEP_CLOCK] = { .name = "clock", .who = WHO_HOST, .say = "shift {place}'s {what} clock by {num} ns",
		.calls = "write(/proc/{pid}/timens_offsets, \"{what} {num}\")", .shell = "unshare --time --{what} ...", .act = ns_clock,
		.inverse = undo_clock },

	[STEP_PRIVATE] = { .name = "propagation", .who = WHO_JOINED, .say = "cut {place}'s mounts off from the host's ({to})",
		.calls = "mount(NULL, \"{to}\", NULL, {propagation}, NULL)", .shell = "nsenter -t {pid} -m mount --make-rprivate {to}",
		.act = mnt_propagate },
	[STEP_MOUNT] = { .name = "mount", .who = WHO_JOINED, .say = "mount {what} at {to}",
		.calls = "fsopen(\"{what}\"); fsconfig(\"{text}\"); fsmount({attributes}); move_mount(\"{to}\")",
		.shell = "nsenter -t {pid} -m mount -t {what} {options} {source} {to}", .make = mnt_make_mount, .needs = mnt_needs_joined,
		.make_joined = mnt_make_joined, .act = mnt_attach, .inverse = undo_mount },
	[STEP_BIND] = { .name = "bind", .who = WHO_JOINED, .say = "show {from} at {to}",
		.calls = "open_tree(\"{from}\", OPEN_TREE_CLONE); mount_setattr({attributes}); move_mount(\"{to}\")",
		.shell = "nsenter -t {pid} -m mount --bind {from} {to}", .make = mnt_make_bind, .act = mnt_attach, .inverse = undo_mount },
	[STEP_MASK] = { .name = "mask", .who = WHO_JOINED, .say = "hide {to} in {place}{missing}",
		.calls = "open_tree(\"/dev/null\", OPEN_TREE_CLONE), or for a directory fsopen(\"tmpfs\"); openat2(RESOLVE_NO_SYMLINKS); move_mount(\"{to}\")",
		.shell = "nsenter -t {pid} -m sh -c 'if [ -d {to} ]; then mount -t tmpfs -o ro mask {to}; else mount --bind /dev/null {to}; fi'",
		.make = mnt_make_mask, .act = mnt_mask, .inverse = undo_mask },
	[STEP_READONLY] = { .name = "readonly", .who = WHO_JOINED, .say = "make {to} read-only in {place}{missing}",
		.calls = "openat2(\"{to}\", RESOLVE_NO_SYMLINKS); open_tree(OPEN_TREE_CLONE | AT_RECURSIVE); mount_setattr(MOUNT_ATTR_RDONLY); move_mount(\"{to}\")",
		.shell = "nsenter -t {pid} -m sh -c 'mount --rbind {to} {to} && mount -o remount,bind,ro {to}'", .act = mnt_readonly,
		.inverse = undo_mask },
	[STEP_REMOUNT] = { .name = "remount", .who = WHO_JOINED, .say = "change the flags of the mount at {to}: {remount}",
		.calls = "mount_setattr(\"{to}\", {attributes}, cleared: {cleared})", .shell = "nsenter -t {pid} -m mount -o remount,bind,{remount} {to}",
		.act = mnt_remount, .inverse = undo_remount },
	[STEP_PROPAGATION] = { .name = "propagate", .who = WHO_JOINED, .say = "make the mount at {to} {make}",
		.calls = "mount_setattr(\"{to}\", {propagation})", .shell = "nsenter -t {pid} -m mount --make-{make} {to}", .act = mnt_propagation,
		.inverse = undo_propagation, .for_good = "who leaves a peer group does not come back" },
	[STEP_UMOUNT] = { .name = "umount", .who = WHO_JOINED, .say = "unmount {to}", .calls = "umount2(\"{to}\", {num})",
		.shell = "nsenter -t {pid} -m umount {to}", .act = mnt_umount, .for_good = "what was mounted there is gone" },
	[STEP_DEVICES] = { .name = "devices", .who = WHO_JOINED,
		.say = "mount a small /dev at {to}: null zero full random urandom tty, pts, shm, links",
		.calls = "fsopen(\"tmpfs\"); fsmount(); mknodat() and symlinkat() for each; move_mount(\"{to}\")",
		.shell = "nsenter -t {pid} -m mount -t tmpfs tmpfs {to}", .make = mnt_make_devices, .act = mnt_attach, .inverse = undo_mount },
	[STEP_PIVOT] = { .name = "pivot", .who = WHO_JOINED, .say = "make the mount at {to} the root of {place}; let go of the old one",
		.calls = "pivot_root(\".\", \".\"); umount2(\".\", MNT_DETACH)", .shell = "nsenter -t {pid} -m pivot_root {to} {to}",
		.make = mnt_make_pivot, .act = mnt_pivot, .for_good = "the old root is gone" },
	[STEP_CHROOT] = { .name = "chroot", .who = WHO_HOST, .say = "lock {place} into {to}, where the mounts of the old root are still there",
		.calls = "in the holder: fchdir(\"{to}\"); chroot(\".\")", .shell = "nsenter -t {pid} -m chroot {to}", .act = mnt_chroot,
		.for_good = "its first process can't leave the directory the proper way" },
	[STEP_MKDIR] = { .name = "mkdir", .who = WHO_JOINED, .say = "make the directory {to}", .calls = "mkdirat(\"{to}\", {mode})",
		.shell = "nsenter -t {pid} -m mkdir -p {to}", .act = mnt_mkdir, .inverse = undo_mkdir },
	[STEP_RMDIR] = { .name = "rmdir", .who = WHO_JOINED, .say = "remove the directory {to}", .calls = "unlinkat(\"{to}\", AT_REMOVEDIR)",
		.shell = "nsenter -t {pid} -m rmdir {to}", .act = mnt_rmdir },
	[STEP_UPPER] = { .name = "upper", .who = WHO_HOST, .say = "have directories upper and work in {to}",
		.calls = "mkdirat(\"{to}\", \"upper\"); mkdirat(\"{to}\", \"work\")", .shell = "mkdir -p {to}/upper {to}/work", .act = mnt_upper,
		.inverse = undo_upper },
	[STEP_NO_UPPER] = { .name = "no upper", .who = WHO_HOST, .say = "remove what was made for an upper layer in {to}",
		.calls = "unlinkat(\"{to}/work\", AT_REMOVEDIR); unlinkat(\"{to}/upper\", AT_REMOVEDIR)",
		.shell = "rmdir {to}/work/work {to}/work {to}/upper", .act = mnt_no_upper },
	[STEP_UNPACK] = { .name = "unpack", .who = WHO_HOST, .say = "unpack {from} into the cache as {to}",
		.calls = "openat2(RESOLVE_IN_ROOT); openat(O_CREAT | O_EXCL); write() for each entry; rename(\"{what}\")",
		.shell = "mkdir -p {to}/root; tar -C {to}/root -xf {from}", .act = cache_unpack },
	[STEP_COMMIT] = { .name = "commit", .who = WHO_HOST, .say = "write what was changed in {place}'s root to {to}, as a layer",
		.calls = "openat(); read(); write() for each file of the upper layer; rename(\"{what}\")",
		.shell = "tar -C upper -cf {to} .", .act = mnt_commit, .inverse = undo_commit },
	[STEP_DISK] = { .name = "disk", .who = WHO_HOST, .say = "let the upper layer of {place}'s root hold {num} bytes",
		.calls = "fspick(upper); fsconfig(\"size={num}\"); fsconfig(FSCONFIG_CMD_RECONFIGURE)",
		.shell = "mount -o remount,size={num} upper", .act = mnt_disk, .inverse = undo_disk },
	[STEP_PROJECT] = { .name = "project", .who = WHO_HOST, .say = "let {to} hold {num} bytes, as project {from} of its file system",
		.calls = "ioctl(FS_IOC_FSSETXATTR, {from}) for each file; quotactl_fd(\"{to}\", Q_XSETQLIM, {from}, {num})",
		.shell = "chattr +P -p {from} {to}; chattr -R -f +P -p {from} {to}/upper {to}/work; "
			 "setquota -P {from} 0 $(({num} / 1024)) 0 0 $(findmnt -no TARGET -T {to})",
		.act = mnt_project, .inverse = undo_project },
	[STEP_NO_PROJECT] = { .name = "no project", .who = WHO_HOST, .say = "let {to} hold what there is room for, as no project any more",
		.calls = "quotactl_fd(\"{to}\", Q_XSETQLIM, {from}, 0); ioctl(FS_IOC_FSSETXATTR, 0) for each file",
		.shell = "setquota -P {from} 0 0 0 0 $(findmnt -no TARGET -T {to}); chattr -R -f -P -p 0 {to}/upper {to}/work; chattr -P -p 0 {to}",
		.act = mnt_no_project, .inverse = undo_project },
	[STEP_ASIDE] = { .name = "put aside", .who = WHO_HOST, .say = "rename {from} to {to}", .calls = "rename(\"{from}\", \"{to}\")",
		.shell = "mv {from} {to}", .act = act_aside, .inverse = undo_aside },
	[STEP_RMTREE] = { .name = "remove", .who = WHO_HOST, .say = "remove {from} and all in it",
		.calls = "rename(\"{from}\", \"{what}\"); unlinkat() for each", .shell = "rm -rf {from}", .act = act_rmtree,
		.for_good = "it is gone" },

	[STEP_PRIVILEGE] = { .name = "privilege", .who = WHO_HOST, .say = "start {place}'s programs from now on with {priv}: {value}",
		.calls = "{privcalls}", .shell = "{privshell}", .act = act_privilege, .inverse = undo_privilege },

	[STEP_LAB] = { .name = "lab", .who = WHO_HOST, .say = "make a net namespace for the session's bridges",
		.calls = "unshare(CLONE_NEWNET); open(\"/proc/thread-self/ns/net\"); ioctl(SIOCSIFFLAGS, lo up)", .shell = "ip netns add lab",
		.act = ns_lab },
	[STEP_LOOPBACK] = { .name = "loopback", .who = WHO_HOLDER, .say = "bring up lo in {place}", .calls = "ioctl(SIOCSIFFLAGS, lo up)",
		.shell = "nsenter -t {pid} -n ip link set lo up", .op = WIRE_LOOPBACK },
	[STEP_BRIDGE] = { .name = "bridge", .who = WHO_HOST, .say = "make the bridge {to} in {place}",
		.calls = "RTM_NEWLINK {to} kind bridge, with a random MAC of its own{guard}", .shell = "{ip} link add {to} type bridge",
		.act = act_bridge, .inverse = undo_link },
	[STEP_VETH] = { .name = "veth", .who = WHO_HOST, .say = "link {place}:{to} with {text}:{what}",
		.calls = "RTM_NEWLINK {to} up {master} kind veth, one queue; peer {what} in the net namespace of {text}, one queue{guard}",
		.shell = "{ip} link add {to} up {master} numtxqueues 1 numrxqueues 1 type veth peer name {what} numtxqueues 1 numrxqueues 1 netns {netns}",
		.act = act_veth, .inverse = undo_link },
	[STEP_UNLINK] = { .name = "unlink", .who = WHO_HOST, .say = "delete the link {to} in {place}", .calls = "RTM_DELLINK {to}",
		.shell = "{ip} link del {to}", .act = act_unlink, .for_good = "the link and its addresses are gone" },
	[STEP_UP] = { .name = "up", .who = WHO_HOST, .say = "bring up {to} in {place}", .calls = "RTM_NEWLINK {to} IFF_UP",
		.shell = "{ip} link set {to} up", .act = act_up, .inverse = undo_pair },
	[STEP_DOWN] = { .name = "down", .who = WHO_HOST, .say = "bring down {to} in {place}", .calls = "RTM_NEWLINK {to} ~IFF_UP",
		.shell = "{ip} link set {to} down", .act = act_down, .inverse = undo_pair },
	[STEP_ADDR] = { .name = "addr", .who = WHO_HOST, .say = "give {to} in {place} the address {text}",
		.calls = "RTM_NEWADDR {text} dev {to} {nodad}", .shell = "{ip} addr add {text} dev {to} {nodad}", .act = act_addr,
		.inverse = undo_pair },
	[STEP_UNADDR] = { .name = "addr del", .who = WHO_HOST, .say = "take the address {text} from {to} in {place}",
		.calls = "RTM_DELADDR {text} dev {to}", .shell = "{ip} addr del {text} dev {to}", .act = act_unaddr, .inverse = undo_pair },
	[STEP_ROUTE] = { .name = "route", .who = WHO_HOST, .say = "in {place}, send what goes to {text} {via} {dev}",
		.calls = "RTM_NEWROUTE {text} {via} {dev}", .shell = "{ip} route add {text} {via} {dev}", .act = act_route, .inverse = undo_pair },
	[STEP_UNROUTE] = { .name = "route del", .who = WHO_HOST, .say = "in {place}, forget the route to {text} {via} {dev}",
		.calls = "RTM_DELROUTE {text} {via} {dev}", .shell = "{ip} route del {text} {via} {dev}", .act = act_unroute,
		.inverse = undo_pair },
	[STEP_VXLAN] = { .name = "vxlan", .who = WHO_HOST, .say = "put {place}:{to} into the bridge {from}, which sends to {text} over {what}",
		.calls = "RTM_NEWLINK {to} master {from} kind vxlan id {num} group {text} link {what} port {target}, made where {what} is",
		.shell = "{over} link add {to} netns {here} type vxlan id {num} remote {text} dev {dev over} dstport {target}; {ip} link set {to} master {from}",
		.act = act_vxlan, .inverse = undo_link },
	[STEP_LEND] = { .name = "lend", .who = WHO_HOST, .say = "move the host's link {from} into {place} as {to}",
		.calls = "RTM_NEWLINK {from} IFLA_NET_NS_FD of {place}, IFLA_IFNAME {to}",
		.shell = "ip addr save dev {from} > {from}.addr; ip route save dev {from} > {from}.route; ip link set {from} netns {pid} name {to}",
		.act = act_lend, .inverse = undo_lend },
	[STEP_RETURN] = { .name = "return", .who = WHO_HOST, .say = "move {to} of {place} home to the host as {from}, with the addresses and routes it had",
		.calls = "RTM_NEWLINK {to} IFLA_NET_NS_FD of the host, IFLA_IFNAME {from}; RTM_NEWLINK IFF_UP; RTM_NEWADDR, RTM_NEWROUTE for each",
		.shell = "{ip} link set {to} netns 1 name {from}; ip link set {from} up; ip addr restore < {from}.addr; ip route restore < {from}.route",
		.act = act_return, .for_good = "link host:NAME SANDBOX moves it in again" },
	[STEP_SLIRP] = { .name = "slirp", .who = WHO_HOST, .say = "start slirp4netns, which speaks on the host for those in {place}, over the tap {to}",
		.calls = "posix_spawnp(slirp4netns): open(/dev/net/tun) in {place}; ioctl(TUNSETIFF, {to}); 10.0.2.100/24, default via 10.0.2.2",
		.shell = "slirp4netns --configure --disable-host-loopback --netns-type=path /run/netns/{place} {to} &",
		.act = slirp_start, .inverse = undo_slirp },
	[STEP_UNSLIRP] = { .name = "end slirp", .who = WHO_HOST, .say = "end slirp4netns, and the tap {to} in {place} with it",
		.calls = "pidfd_send_signal(SIGKILL)", .shell = "kill %1", .act = slirp_end, .for_good = "the program has ended" },
	[STEP_CAPTURE] = { .name = "capture", .who = WHO_HOST, .say = "write what passes over {to} in {place} into {from}",
		.calls = "socket(AF_PACKET) in the net namespace of {place}; bind({to}); recvmsg() and write({from}) for each packet",
		.shell = "{tcpdump} -i {to} -w {from}", .act = capture_run, .for_good = "what was captured is in the file" },
	[STEP_DEVICE] = { .name = "device", .who = WHO_HOST, .say = "make the link {to} ({what}{device}) in {place}",
		.calls = "RTM_NEWLINK {to} kind {what}{device}", .shell = "{add device}", .act = act_device, .inverse = undo_link },
	[STEP_ALTER] = { .name = "alter", .who = WHO_HOST, .say = "in {place}, set the {what} of {to} to {text}",
		.calls = "RTM_NEWLINK {to} {what} {text}", .shell = "{alter}", .act = act_alter, .inverse = undo_alter },
	[STEP_PROBE] = { .name = "probe", .who = WHO_HOST, .say = "send one packet from {place} to {to}, and see which rules it meets on its way",
		.calls = "socket(); sendto({to}) or connect({to}); NFT_MSG_NEWTABLE belljar-trace; NFT_MSG_TRACE", .shell = "{in}ping -c 1 {to}",
		.act = probe_run, .for_good = "the packet is gone" },
	[STEP_SHAPE] = { .name = "shape", .who = WHO_HOST, .say = "shape what is sent into {to} in {place}: {shape}",
		.calls = "RTM_DELQDISC {to} root{queues}", .shell = "{tc}", .act = act_shape, .inverse = undo_shape },

	[STEP_TABLE] = { .name = "table", .who = WHO_HOST, .say = "make the table of rules {to} in {place} ({what})",
		.calls = "NFT_MSG_NEWTABLE {what} {to}; NFT_MSG_NEWCHAIN for its chains", .shell = "{in}nft 'table {what} {to} {chains}'",
		.act = nft_table, .inverse = undo_pair },
	[STEP_UNTABLE] = { .name = "rm table", .who = WHO_HOST, .say = "delete the table of rules {to} in {place} ({what})",
		.calls = "NFT_MSG_DELTABLE {what} {to}", .shell = "{in}nft delete table {what} {to}", .act = nft_untable,
		.for_good = "its rules are gone" },
	[STEP_RULE] = { .name = "rule", .who = WHO_HOST, .say = "in {place}, for \"{from}\", add the rule {text}",
		.calls = "NFT_MSG_NEWRULE {what} {to}", .shell = "{in}nft add rule {what} {to} {text}", .act = nft_rule, .inverse = undo_pair },
	[STEP_UNRULE] = { .name = "rm rule", .who = WHO_HOST, .say = "in {place}, for \"{from}\", take out the rule {text}",
		.calls = "NFT_MSG_GETRULE; NFT_MSG_DELRULE {what} {to}", .shell = "{in}nft delete rule {what} {to} handle N", .act = nft_unrule,
		.inverse = undo_pair },
	[STEP_SYSCTL] = { .name = "sysctl", .who = WHO_HOST, .say = "in {place}, set {to} to {text}",
		.calls = "write(/proc/sys/net/{to}, \"{text}\")", .shell = "{in}sysctl net/{to}={text}", .act = sysctl_set,
		.inverse = undo_sysctl },

	[STEP_FILE] = { .name = "file", .who = WHO_HOST, .say = "write {what} into {to}", .calls = "open(\"{to}\", O_CREAT | O_TRUNC); write()",
		.shell = "cat > {to}", .act = textfile_write, .inverse = undo_pair },
	[STEP_UNFILE] = { .name = "rm file", .who = WHO_HOST, .say = "remove {to}", .calls = "unlink(\"{to}\")", .shell = "rm {to}",
		.act = textfile_remove, .for_good = "the file is gone" },
	[STEP_LINE] = { .name = "line", .who = WHO_HOST, .say = "add \"{text}\" to {to}",
		.calls = "open(\"{to}\", O_APPEND); write(\"{text}\")", .shell = "echo '{text}' >> {to}", .act = textfile_add_line,
		.inverse = undo_pair },
	[STEP_UNLINE] = { .name = "rm line", .who = WHO_HOST, .say = "take \"{text}\" out of {to}",
		.calls = "pwrite(); ftruncate()", .shell = "sed -i '/^{text}$/d' {to}", .act = textfile_drop_line, .inverse = undo_pair },

	[STEP_CGROUP] = { .name = "cgroup", .who = WHO_HOST, .say = "make the control group {text}", .calls = "mkdir({to})",
		.shell = "mkdir -p {to}", .act = act_cgroup, .inverse = undo_cgroup },
	[STEP_SCOPE] = { .name = "scope", .who = WHO_HOST,
		.say = "ask systemd for {text}, a part of the control groups where belljar may make its own, and put belljar and its sandboxes there",
		.calls = "org.freedesktop.systemd1.Manager.StartTransientUnit({text}, Delegate=yes, PIDs={from})",
		.shell = "systemd-run --scope -p Delegate=yes --unit={text} belljar", .act = act_scope,
		.for_good = "systemd ends the scope with the last process in it" },
	[STEP_DISSOLVE] = { .name = "dissolve", .who = WHO_HOST,
		.say = "remove the control group {text}; what is in it goes to the one above",
		.calls = "write({to}/../cgroup.procs, pid) for each; rmdir({to})",
		.shell = "for p in $(cat {to}/cgroup.procs); do echo $p > {to}/../cgroup.procs; done; rmdir {to}", .act = act_dissolve,
		.for_good = "its limits are gone" },
	[STEP_MOVE] = { .name = "move", .who = WHO_HOST, .say = "move {moved} to the control group {text}",
		.calls = "write({to}/cgroup.procs, pid)", .shell = "echo {movedpid} > {to}/cgroup.procs", .act = act_move, .inverse = undo_move },
	[STEP_UNCGROUP] = { .name = "rmcgroup", .who = WHO_HOST, .say = "end what is in the control group {text} and remove it",
		.calls = "write(cgroup.kill, 1); rmdir({to})", .shell = "rmdir {to}", .act = act_uncgroup,
		.for_good = "its processes are gone" },
	[STEP_EMPTY] = { .name = "empty", .who = WHO_HOST, .say = "end all that runs in the control group {text}",
		.calls = "freeze it; pidfd_send_signal(SIGKILL) to each process; thaw it",
		.shell = "kill -KILL $(cat {to}/cgroup.procs)", .act = act_empty,
		.for_good = "its processes are gone" },
	[STEP_DEVICE_RULES] = { .name = "device rules", .who = WHO_HOST, .say = "have these rules for devices in {text}: {rules}",
		.calls = "{devicecalls}", .shell = "{deviceshell}", .act = act_device_rules, .inverse = undo_device_rules },
	[STEP_LIMIT] = { .name = "limit", .who = WHO_HOST, .say = "set {what} {other} of {text} to {from}",
		.calls = "write({to}, \"{from}\")", .shell = "echo {from} > {to}", .act = act_limit, .inverse = undo_limit,
		.for_good = "what the control file said before can't be written back" },
};
