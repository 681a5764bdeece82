/*
 * self.c - what a holder changes about itself
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder/holder.h"
#include "holder/vfork.h"
#include "kern/sys.h"

void self_arm(struct holder *h)
{
	/* Only PID 1 may be killed at once: its processes go with it. The others must first see the end of their socket, to kill their
	 * descendants. A kept holder stays. */
	int signal = h->init && !h->kept ? SIGKILL : 0;

	prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

void self_sign(const struct holder *h)
{
	if (h->listening >= 0)
		listen(h->listening, WIRE_BACKLOG);
}

/* Go on in a child that is also belljar's child. The old process ends at once. */
static int successor(struct holder *h)
{
	struct clone_args args = { .flags = CLONE_PARENT };     /* exit_signal must be 0: the parent's is taken */

	if (clone3_successor(&args) < 0)
		return -1;
	/* Everything of the old life that the new one must not have: the host's process table. */
	if (h->proc >= 0)
		close(h->proc);
	h->proc = -1;
	self_sign(h);
	return 0;
}

/* In the control group whose entries were sent, for a moment: the namespace of one that is there, as descriptor NS. */
static __attribute__((noreturn)) void visit_group(const int *fds, uint64_t n, uint64_t dirs, int ns)
{
	int own;

	for (uint64_t i = 0; i < n; i++)
		if (!(dirs >> i & 1) && write(fds[i], "0", 1) != 1)
			_exit(errno);
	/* The /proc that was sent: the holder's own is hidden or, in the sandbox's root, not to be believed. */
	if (unshare(CLONE_NEWCGROUP) < 0 || (own = openat(fds[n], "self/ns/cgroup", O_RDONLY | O_CLOEXEC)) < 0 ||
	    dup3(own, ns, O_CLOEXEC) < 0)
		_exit(errno);
	close(own);
	_exit(0);
}

/* The root of a cgroup namespace is the group its maker is in. The holder stays outside the sandbox's group (it must not be counted there, nor
 * killed with what is), so a child that is born in the group makes the namespace, and the holder enters that. */
static int cgroup_ns(const struct wire_act *a, const struct message *m, const char **call)
{
	uint64_t n = a->flags & 0xffff, dirs = a->flags >> 16;
	const int *fds = m->fds + a->fd - 1;
	struct clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	int status = 0;

	*call = "fcntl(F_DUPFD)";
	if (a->fd == 0 || a->fd + n > m->n_fds) {
		errno = EBADMSG;
		return -1;
	}
	for (uint64_t i = 0; i < n; i++)
		if (dirs >> i & 1) {
			args.flags |= CLONE_INTO_CGROUP;
			args.cgroup = (uint64_t)fds[i];
		}
	/* A number that both know: the descriptors are shared even where the memory can't be. */
	int ns = fcntl(fds[n], F_DUPFD_CLOEXEC, 0);
	if (ns < 0)
		return -1;
	*call = "clone3(CLONE_INTO_CGROUP)";
	long pid = clone3_vfork(&args);
	if (pid == 0)
		visit_group(fds, n, dirs, ns);
	int result = -1, number = errno;
	if (pid > 0) {
		while (waitpid((pid_t)pid, &status, 0) < 0 && errno == EINTR)
			;
		*call = "unshare(CLONE_NEWCGROUP)";
		number = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	}
	if (pid > 0 && number == 0) {
		*call = "setns(CLONE_NEWCGROUP)";
		result = setns(ns, CLONE_NEWCGROUP);
		number = errno;
	}
	close(ns);
	errno = number;
	return result;
}

static int root_id(const char **call)
{
	*call = "setgroups";
	/* Refused where the user namespace was mapped without privileges; then there are no groups to drop that matter. */
	if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
		return -1;
	*call = "setresgid";
	if (syscall(SYS_setresgid, 0, 0, 0) < 0)
		return -1;
	*call = "setresuid";
	return (int)syscall(SYS_setresuid, 0, 0, 0);
}

static int loopback(const char **call)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	*call = "socket";
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -1;
	*call = "ioctl(SIOCSIFFLAGS)";
	int result = ioctl(sock, SIOCSIFFLAGS, &lo), number = errno;
	close(sock);
	errno = number;
	return result;
}

static int act(struct holder *h, const struct wire_act *a, const struct message *m, const char **call)
{
	switch (a->op) {
	case WIRE_UNSHARE:
		*call = "unshare";
		return unshare((int)a->flags);
	case WIRE_CGROUP_NS:
		return cgroup_ns(a, m, call);
	case WIRE_PID:
		*call = "unshare(CLONE_NEWPID)";
		if (unshare(CLONE_NEWPID) < 0)
			return -1;
		*call = "clone3(CLONE_PARENT)";
		if (successor(h) < 0)
			return -1;
		h->init = true;
		return 0;
	case WIRE_JOIN:
		*call = "setns";
		if (a->fd == 0 || a->fd > m->n_fds) {
			errno = EBADMSG;
			return -1;
		}
		return setns(m->fds[a->fd - 1], (int)a->flags);
	case WIRE_FORK:
		*call = "clone3(CLONE_PARENT)";
		return successor(h);
	case WIRE_ROOT_ID:
		return root_id(call);
	case WIRE_CHROOT:
		*call = "chroot";
		if (a->fd == 0 || a->fd > m->n_fds) {
			errno = EBADMSG;
			return -1;
		}
		return fchdir(m->fds[a->fd - 1]) < 0 ? -1 : chroot(".");
	case WIRE_LOOPBACK:
		return loopback(call);
	default:
		*call = "?";
		errno = EBADMSG;
		return -1;
	}
}

void self_batch(struct holder *h, int conn, const struct message *m)
{
	const struct wire_batch *b = (const struct wire_batch *)m->data;
	struct wire_reply r = { .type = WIRE_REPLY };
	const char *call = "";

	for (uint32_t i = 0; i < b->n && i < WIRE_ACTS; i++) {
		if (act(h, &b->acts[i], m, &call) < 0) {
			r.number = errno;
			strncpy(r.call, call, sizeof r.call - 1);
			break;
		}
		r.done++;
	}
	self_arm(h);
	/* A change of user namespace or identity makes the process dumpable again. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 && r.number == 0) {
		r.number = errno;
		strncpy(r.call, "prctl", sizeof r.call - 1);
	}
	answer(conn, &r, sizeof r, NULL, 0);
}
