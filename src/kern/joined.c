/*
 * joined.c - being inside a sandbox for an instant
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/joined.h"

enum { STACK = 256 * 1024 };

struct visit {
	const struct place *place;
	unsigned kinds;
	int (*before)(void *, struct err *);
	int (*fn)(void *, struct err *);
	void *arg;
	struct err *err;
	int result;            /* 1 until the child has come to its end */
};

static int enter(const struct place *p, unsigned kinds, struct err *err)
{
	int flags = 0;

	for (int k = 0; k < NS_KINDS; k++)
		if ((kinds & 1u << k) && p->own[k])
			flags |= ns_table[k].flag;
	if (!flags)
		return 0;
	if (p->pidfd >= 0)
		return setns(p->pidfd, flags) < 0 ? err_set(err, errno, "%s: can't enter its namespaces (%s)", p->name, ns_words((uint64_t)flags)) : 0;
	for (int k = 0; k < NS_KINDS; k++)
		if ((flags & ns_table[k].flag) && setns(p->ns[k], ns_table[k].flag) < 0)
			return err_set(err, errno, "%s: can't enter its %s namespace", p->name, ns_table[k].name);
	return 0;
}

static int visit(void *arg)
{
	struct visit *v = arg;

	unsigned mnt = v->before ? 1u << NS_MNT : 0;

	if (v->before && (enter(v->place, v->kinds & ~mnt, v->err) < 0 || v->before(v->arg, v->err) < 0))
		v->result = -1;
	else if (enter(v->place, mnt ? v->kinds & mnt : v->kinds, v->err) < 0 || v->fn(v->arg, v->err) < 0)
		v->result = -1;
	else
		v->result = 0;
	/* clone(2)'s wrapper ends the process. _exit would have AddressSanitizer clean up a stack that it does not know. */
	return 0;
}

int joined_run(const struct place *p, unsigned kinds, unsigned how, int (*before)(void *arg, struct err *err),
	       int (*fn)(void *arg, struct err *err), void *arg, struct err *err)
{
	static char *stack;
	struct visit v = { p, how & JOINED_OWN ? kinds | 1u << NS_USER : kinds & ~(1u << NS_USER), before, fn, arg, err, 1 };
	sigset_t all, old;

	if (!stack) {
		stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		if (stack == MAP_FAILED) {
			stack = NULL;
			return err_set(err, errno, "%s: no memory for a stack", p->name);
		}
	}
	/* A handler that ran in the child would run on our data. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid_t pid = clone(visit, stack + STACK, CLONE_VM | CLONE_VFORK | CLONE_FILES, &v);
	int number = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return err_set(err, number, "%s: can't start a process to enter it", p->name);
	int status = 0;
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "%s: lost the process that entered it", p->name);
	/* What it had open then stays open until belljar ends: nobody knows which descriptors those are. */
	if (v.result == 1)
		return err_set(err, 0, "%s: the process that entered it was killed (signal %d)", p->name, WTERMSIG(status));
	return v.result;
}
