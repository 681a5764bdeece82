/*
 * privilege.c - a program gives up what it is not to have
 *
 * In the child, just before it becomes the program. The order is the kernel's: limits and the bounding set while all capabilities are
 * there, then groups and ids, then what is left of the capabilities, no_new_privs last. Every failure is fatal, and what the kernel says
 * afterwards is compared with what was asked for: a program that is allowed more than it should be never starts.
 *
 * The child may share the holder's memory, so nothing here may change it, and all calls are the kernel's own: a libc's setuid would try to
 * change the holder's other threads.
 */
#include "config.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "holder/holder.h"

/* rlimits as prlimit64(2) takes them on every machine. */
struct limit {
	uint64_t soft, hard;
};

struct sets {
	uint64_t effective, permitted, inheritable;
};

static bool has(const struct wire_privileges *w, enum privilege key)
{
	return w->set & 1u << key;
}

static int get_sets(struct sets *s)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	s->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	s->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	s->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int set_sets(uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)permitted, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(permitted >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};
	struct sets now;

	if (syscall(SYS_capset, &head, data) < 0 || get_sets(&now) < 0)
		return -1;
	if (now.permitted == permitted && now.effective == permitted && now.inheritable == inheritable)
		return 0;
	errno = EPROTO;
	return -1;
}

static int set_limits(const struct wire_privileges *w)
{
	for (int i = 0; i < RLIMITS; i++) {
		struct limit limit = { w->soft[i], w->hard[i] };
		if ((w->limits & 1u << i) && syscall(SYS_prlimit64, 0, i, &limit, NULL) < 0)
			return -1;
	}
	return 0;
}

static int drop_bounding(uint64_t keep)
{
	for (int c = 0; c < 64; c++) {
		int there = prctl(PR_CAPBSET_READ, c, 0, 0, 0);
		if (there < 0)
			return 0;      /* past the last one */
		if (there == 0 || (keep >> c & 1))
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return -1;
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) != 0) {
			errno = EPROTO;
			return -1;
		}
	}
	return 0;
}

static int set_ids(const struct wire_privileges *w, const char **call)
{
	uint32_t r, e, s;

	*call = "setgroups";
	/* Where a user namespace was mapped without privileges no group can be dropped, and none can be had. */
	if (syscall(SYS_setgroups, w->n_groups, w->groups) < 0 && !(errno == EPERM && w->groups_denied && !w->n_groups))
		return -1;
	*call = "setresgid";
	if (syscall(SYS_setresgid, w->gid, w->gid, w->gid) < 0)
		return -1;
	*call = "setresuid";
	if (syscall(SYS_setresuid, w->uid, w->uid, w->uid) < 0)
		return -1;
	if (syscall(SYS_getresuid, &r, &e, &s) < 0 || r != w->uid || e != w->uid || s != w->uid || syscall(SYS_getresgid, &r, &e, &s) < 0 ||
	    r != w->gid || e != w->gid || s != w->gid) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

static int raise_ambient(uint64_t ambient)
{
	for (int c = 0; c < 64; c++)
		if ((ambient >> c & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
			return -1;
	return 0;
}

/* What is left is what an execve(2) that gives nothing would leave. */
static int set_capabilities(const struct wire_privileges *w, const char **call)
{
	struct sets now;
	uint64_t keep = has(w, PRIV_CAPS) ? w->caps : UINT64_MAX;

	*call = "capget";
	if (get_sets(&now) < 0)
		return -1;
	*call = "capset";
	/* A change of ids has emptied the effective set, which what follows needs. */
	if (set_sets(now.permitted, 0) < 0)
		return -1;
	*call = "prctl(PR_SET_SECUREBITS)";
	if (has(w, PRIV_SECUREBITS) && prctl(PR_SET_SECUREBITS, w->securebits, 0, 0, 0) < 0)
		return -1;
	*call = "capset";
	keep &= syscall(SYS_geteuid) == 0 ? now.permitted : w->ambient & now.permitted;
	/* The filter and Landlock want it, unless there are no new privileges; execve(2) makes the sets anew and takes it away. */
	if ((w->filter || w->fences) && !has(w, PRIV_NONEWPRIVS))
		keep |= now.permitted & UINT64_C(1) << CAP_SYS_ADMIN;
	if (set_sets(keep, w->ambient & keep) < 0)
		return -1;
	*call = "prctl(PR_CAP_AMBIENT_RAISE)";
	return raise_ambient(w->ambient);
}

int privilege_apply(const struct wire_privileges *w, int terminal, const char **call)
{
	bool ids = has(w, PRIV_USER);

	*call = "setrlimit";
	if (set_limits(w) < 0)
		return -1;
	if (has(w, PRIV_UMASK))
		umask((mode_t)w->umask);
	*call = "fchown";
	if (ids && terminal >= 0 && fchown(terminal, w->uid, (gid_t)-1) < 0)
		return -1;
	*call = "prctl(PR_CAPBSET_DROP)";
	if (has(w, PRIV_CAPS) && drop_bounding(w->caps) < 0)
		return -1;
	*call = "prctl(PR_SET_KEEPCAPS)";
	if (ids && (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || set_ids(w, call) < 0 || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0))
		return -1;
	if ((ids || has(w, PRIV_CAPS) || has(w, PRIV_AMBIENT) || has(w, PRIV_SECUREBITS)) && set_capabilities(w, call) < 0)
		return -1;
	*call = "prctl(PR_SET_NO_NEW_PRIVS)";
	if (has(w, PRIV_NONEWPRIVS) && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1))
		return -1;
	return 0;
}

int privilege_shed(void)
{
	struct sets now;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || get_sets(&now) < 0)
		return -1;
	return now.inheritable ? set_sets(now.permitted, 0) : 0;
}
