/*
 * namespaces.c - taking a sandbox apart from the host, kind by kind
 *
 * The order in which kinds are unshared decides who owns them: what is unshared after user belongs to the sandbox's user namespace, what came
 * before belongs to belljar's. belljar keeps to the order of the user's words between commands; within one command user comes first, pid
 * before time (the successor that becomes PID 1 would enter the time namespace and so freeze its offsets), as unshare(1) does it.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/holder.h"
#include "sandbox/look.h"
#include "sandbox/namespaces.h"
#include "sandbox/network_lend.h"
#include "sandbox/root.h"

static uint64_t flag(enum ns_kind k)
{
	return (uint64_t)ns_table[k].flag;
}

struct plan {
	struct sandbox *sb;
	struct steps steps;
};

static void plan_free(struct plan *p)
{
	steps_free(&p->steps);
}

static struct step *add(struct plan *p, enum step_kind kind)
{
	struct step *s = steps_add(&p->steps, kind, &p->sb->place);

	s->num = kind == STEP_RESPAWN ? -1 : 0;
	return s;
}

/* With what makes /proc and /sys right again after it, in the same list: what is done inside needs one visit then. */
static int run(struct plan *p, struct err *err)
{
	struct place after = p->sb->place;

	/* What the steps let go of is the real one's. */
	after.upper = after.next_upper = after.jail = -1;
	for (size_t i = 0; i < p->steps.n; i++) {
		struct step s = p->steps.list[i];
		s.place = &after;
		step_applied(&s);
	}
	sandbox_settle(p->sb, &after, &p->steps);
	return gate_run(&p->sb->session->gate, p->steps.list, p->steps.n, err);
}

int sandbox_idle(struct sandbox *sb, const char *what, struct err *err)
{
	struct look_process *processes = NULL;
	size_t n = 0;

	if (sb->session->gate.dry || look_processes(sb, &processes, &n, err) < 0)
		return sb->session->gate.dry ? 0 : -1;
	look_free_processes(processes, n);
	if (n == 0)
		return 0;
	err_set(err, EBUSY, "%s: %zu program%s run%s in it", sb->name, n, n == 1 ? "" : "s", n == 1 ? "s" : "");
	err_why(err, "%s puts another first process into the sandbox, and the programs of the old one end with it", what);
	return err_try(err, "kill all, then again");
}

/* A cgroup namespace shows the group its maker is in as the root, so the sandbox's group must be there first. Where belljar may make no
 * groups, the root is the group belljar is in, as with unshare(1). */
static int plan_cgroup(struct plan *p, uint64_t *first, struct err *err)
{
	struct err none = { 0 };

	if (!cg_layout(&none))
		return 0;
	const char *group = sandbox_group(p->sb, err);
	if (!group)
		return -1;
	if (!p->sb->session->gate.dry && cg_divided(group)) {
		err_set(err, EBUSY, "%s: its control group can't be the root of a namespace any more", p->sb->name);
		err_why(err, "groups inside it have limits, and on version 2 nobody can be in it itself then, who would make the namespace");
		return err_try(err, "unshare cgroup first, and limit in GROUP after that");
	}
	add(p, STEP_CGROUP_NS)->text = group;
	*first &= ~flag(NS_CGROUP);
	return 0;
}

int sandbox_unshare(struct sandbox *sb, uint64_t flags, struct err *err)
{
	_cleanup_(plan_free) struct plan p = { .sb = sb };
	uint64_t twice = flags & place_flags(&sb->place), first = flags & ~(flag(NS_PID) | flag(NS_TIME));

	if (twice) {
		err_set(err, EEXIST, "%s: it has namespaces of its own already: %s", sb->name, ns_words(twice));
		return err_try(err, "share %s, then unshare again", ns_words(twice));
	}
	if (first & flag(NS_USER))
		add(&p, STEP_UNSHARE)->flags = flag(NS_USER);
	first &= ~flag(NS_USER);
	if ((first & flag(NS_CGROUP)) && plan_cgroup(&p, &first, err) < 0)
		return -1;
	if (first)
		add(&p, STEP_UNSHARE)->flags = first;
	if (flags & flag(NS_NET))
		add(&p, STEP_LOOPBACK);
	if (flags & flag(NS_PID))
		add(&p, STEP_PID);
	if (flags & flag(NS_TIME))
		add(&p, STEP_UNSHARE)->flags = flag(NS_TIME);
	if (flags & flag(NS_MNT)) {
		/* Otherwise what is mounted inside would appear on the host, where its mounts are shared (as under systemd). */
		struct step *s = add(&p, STEP_PRIVATE);
		s->to = "/";
		s->flags = MS_REC | MS_PRIVATE;
	}
	return run(&p, err);
}

int sandbox_join(struct sandbox *sb, uint64_t flags, const int fds[NS_KINDS], const char *whose, struct err *err)
{
	_cleanup_(plan_free) struct plan p = { .sb = sb };
	bool own_user = sb->place.own[NS_USER];

	if ((flags & flag(NS_NET)) && network_lent_none(sb, err) < 0)
		return -1;
	/* Inside its own user namespace the holder has no rights over those of others, so a new one enters all before it enters that. */
	if ((own_user || (flags & flag(NS_PID) & place_flags(&sb->place))) && sandbox_idle(sb, "join", err) < 0)
		return -1;
	/* The user namespace is entered last, when all the others have been. */
	static const enum ns_kind order[NS_KINDS] = { NS_CGROUP, NS_IPC, NS_NET, NS_TIME, NS_UTS, NS_MNT, NS_PID, NS_USER };
	for (int i = 0; i < NS_KINDS; i++) {
		enum ns_kind k = order[i];
		if (!(flags & flag(k)))
			continue;
		struct step *s = add(&p, own_user || (k == NS_PID && sb->place.own[k]) ? STEP_RESPAWN : STEP_JOIN);
		s->num = k;
		s->fd[0] = fds[k];
		s->from = whose;
	}
	if (!own_user && (flags & flag(NS_USER)))
		add(&p, STEP_ROOT_ID);
	return run(&p, err);
}

int sandbox_share(struct sandbox *sb, uint64_t flags, struct err *err)
{
	_cleanup_(plan_free) struct plan p = { .sb = sb };
	uint64_t already = flags & ~place_flags(&sb->place);

	if (already)
		return err_set(err, EINVAL, "%s: it shares the host's already: %s", sb->name, ns_words(already));
	if (((flags & flag(NS_NET)) && network_lent_none(sb, err) < 0) || sandbox_idle(sb, "share", err) < 0)
		return -1;
	add(&p, STEP_RESPAWN)->flags = flags;
	if (run(&p, err) < 0)
		return -1;
	if (flags & flag(NS_MNT)) {
		sandbox_note_root(sb, NULL);
		sb->own_dev = false;
	}
	return 0;
}

/* Ranges that overlap on one side, are empty or leave the 32 bits. */
static int check_ranges(const char *what, const struct id_range *r, size_t n, struct err *err)
{
	if (n == 0 || n > ID_RANGES)
		return err_set(err, EINVAL, "%s: 1 to %d ranges, not %zu", what, ID_RANGES, n);
	for (size_t i = 0; i < n; i++) {
		/* The last number means "no id" to the kernel. */
		if (r[i].count == 0 || r[i].inside > UINT32_MAX - r[i].count || r[i].outside > UINT32_MAX - r[i].count)
			return err_set(err, EINVAL, "%s: %" PRIu32 " %" PRIu32 " %" PRIu32 " is empty or goes past 4294967294", what, r[i].inside,
					 r[i].outside, r[i].count);
		for (size_t k = 0; k < i; k++) {
			bool in = r[i].inside < r[k].inside + r[k].count && r[k].inside < r[i].inside + r[i].count;
			bool out = r[i].outside < r[k].outside + r[k].count && r[k].outside < r[i].outside + r[i].count;
			if (in || out)
				return err_set(err, EINVAL, "%s: the ranges %" PRIu32 " %" PRIu32 " %" PRIu32 " and %" PRIu32 " %" PRIu32 " %" PRIu32
						      " overlap %s", what, r[k].inside, r[k].outside, r[k].count, r[i].inside, r[i].outside,
						 r[i].count, in ? "inside" : "outside");
		}
	}
	return 0;
}

static void map_text(struct buf *b, const struct id_range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", r[i].inside, r[i].outside, r[i].count);
}

static bool maps_root(const struct id_range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (r[i].inside == 0)
			return true;
	return false;
}

int sandbox_map(struct sandbox *sb, const struct id_range *uids, size_t n_uids, const struct id_range *gids, size_t n_gids,
		struct err *err)
{
	_cleanup_(plan_free) struct plan p = { .sb = sb };
	_cleanup_buf_ struct buf u = { 0 }, g = { 0 };

	if (check_ranges("uid", uids, n_uids, err) < 0 || check_ranges("gid", gids, n_gids, err) < 0)
		return -1;
	if (!sb->place.own[NS_USER]) {
		err_set(err, EPERM, "%s: no user namespace of its own", sb->name);
		return err_try(err, "unshare user");
	}
	if (sb->place.mapped) {
		err_set(err, EPERM, "%s: its ids are mapped already", sb->name);
		err_why(err, "the kernel takes each map of a user namespace once");
		return err_try(err, "share user, unshare user, then map again");
	}
	map_text(&u, uids, n_uids);
	map_text(&g, gids, n_gids);
	struct step *s = add(&p, STEP_IDMAP);
	s->what = "uid_map";
	s->text = buf_text(&u);
	s = add(&p, STEP_IDMAP);
	s->what = "gid_map";
	s->text = buf_text(&g);
	if (maps_root(uids, n_uids) && maps_root(gids, n_gids))
		add(&p, STEP_ROOT_ID);
	if (run(&p, err) < 0)
		return -1;
	sb->place.mapped = true;
	return 0;
}

/* The first subordinate range of the user NAME in /etc/subuid or /etc/subgid ("name:100000:65536"). */
static bool subordinate(const char *file, const char *name, struct id_range *r)
{
	_cleanup_buf_ struct buf text = { 0 };
	size_t n = strlen(name);

	if (io_slurp(-100 /* AT_FDCWD */, file, 1 << 20, &text) < 0)
		return false;
	for (const char *line = buf_text(&text); line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, name, n) == 0 && line[n] == ':' &&
		    sscanf(line + n + 1, "%" SCNu32 ":%" SCNu32, &r->outside, &r->count) == 2 && r->count)
			return true;
	return false;
}

/* Within a user namespace, what its map FILE has can be given on, range by range: the kernel wants each within one of them. None of the first user
 * namespace, which maps everything. */
static size_t own_ranges(const char *file, struct id_range *r)
{
	_cleanup_file_ FILE *own = fopen(file, "re");
	unsigned long first, outside, count;
	uint32_t next = 0;
	size_t n = 0;

	while (own && n < ID_RANGES && fscanf(own, "%lu %lu %lu", &first, &outside, &count) == 3 && count < UINT32_MAX) {
		r[n++] = (struct id_range){ next, (uint32_t)first, (uint32_t)count };
		next += (uint32_t)count;
	}
	return n;
}

int sandbox_map_auto(struct sandbox *sb, struct err *err)
{
	static struct id_range u[ID_RANGES], g[ID_RANGES];
	size_t n_u = own_ranges("/proc/self/uid_map", u), n_g = own_ranges("/proc/self/gid_map", g);

	if (n_u && n_g)
		return sandbox_map(sb, u, n_u, g, n_g, err);
	/* 0x70000000 and up is kept free of users by Debian's policy and others' (systemd uses it the same way). */
	u[0] = g[0] = (struct id_range){ 0, 0x70000000, 65536 };
	if (!subordinate("/etc/subuid", "root", &u[0]) || !subordinate("/etc/subgid", "root", &g[0]))
		u[0] = g[0] = (struct id_range){ 0, 0x70000000, 65536 };
	return sandbox_map(sb, u, 1, g, 1, err);
}

int sandbox_hostname(struct sandbox *sb, const char *name, struct err *err)
{
	_cleanup_(plan_free) struct plan p = { .sb = sb };
	size_t n = strlen(name);

	if (n == 0 || n > 64)
		return err_usage(err, "a host name has 1 to 64 bytes, this one %zu", n);
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 127 || *c == '/')
			return err_usage(err, "a host name has no blanks, slashes or control characters");
	if (!sb->place.own[NS_UTS]) {
		err_set(err, EPERM, "%s: no uts namespace of its own", sb->name);
		err_why(err, "the name would be the host's");
		return err_try(err, "unshare uts");
	}
	add(&p, STEP_HOSTNAME)->text = name;
	return gate_run(&sb->session->gate, p.steps.list, p.steps.n, err);
}

int sandbox_clock(struct sandbox *sb, const char *clock, int64_t offset, struct err *err)
{
	_cleanup_(plan_free) struct plan p = { .sb = sb };

	if (!sb->place.own[NS_TIME]) {
		err_set(err, EPERM, "%s: no time namespace of its own", sb->name);
		return err_try(err, "unshare time");
	}
	/* Once a process has entered, the offsets are fixed. If only the holder has, another namespace can take its place. */
	if (sb->place.clock_frozen) {
		struct err busy = { 0 };
		if (sandbox_idle(sb, "clock", &busy) < 0) {
			err_set(err, EACCES, "%s: programs run in its time namespace", sb->name);
			err_why(err, "the offsets of a time namespace are fixed as soon as a process has entered it");
			return err_try(err, "kill all, then clock again");
		}
		add(&p, STEP_UNSHARE)->flags = flag(NS_TIME);
	}
	struct step *s = add(&p, STEP_CLOCK);
	s->what = clock;
	s->num = offset;
	return gate_run(&sb->session->gate, p.steps.list, p.steps.n, err);
}
