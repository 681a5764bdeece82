/*
 * ns.c - acts on namespaces that belljar performs itself
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/holder.h"
#include "kern/joined.h"
#include "kern/net.h"
#include "kern/ns.h"
#include "kern/step.h"

static int put(const struct step *s, const char *name, const char *text, struct err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)s->place->pid, name);
	return io_put(AT_FDCWD, path, text) < 0 ? err_set(err, errno, "%s: %s", s->place->name, name) : 0;
}

int ns_idmap(struct step *s, int fd, struct err *err)
{
	(void)fd;
	/* Without CAP_SETGID over the parent namespace, gid_map is accepted only after setgroups was denied. */
	if ((s->flags & 1) && put(s, "setgroups", "deny", err) < 0)
		return -1;
	if (put(s, s->what, s->text, err) == 0)
		return 0;
	if (err->number == EPERM)
		err_why(err, "a map is written once, by someone with CAP_SETUID or CAP_SETGID in the parent namespace, and only with ids that exist there");
	if (err->number == EINVAL)
		err_why(err, "the kernel found ranges that overlap, are empty, or lie outside the parent's map");
	return -1;
}

int ns_clock(struct step *s, int fd, struct err *err)
{
	char path[64], text[64], now[256] = "";
	int64_t seconds = s->num / 1000000000, rest = s->num % 1000000000;

	(void)fd;
	/* The kernel wants the nanoseconds positive. */
	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	}
	snprintf(path, sizeof path, "/proc/%d/timens_offsets", (int)s->place->pid);
	_cleanup_close_ int old = open(path, O_RDONLY | O_CLOEXEC);
	if (old >= 0 && io_read(old, now, sizeof now - 1) > 0) {
		const char *at = strstr(now, s->what);
		int64_t sec = 0, ns = 0;
		if (at && sscanf(at + strlen(s->what), "%" SCNd64 " %" SCNd64, &sec, &ns) == 2)
			s->old_num = sec * 1000000000 + ns;
	}
	snprintf(text, sizeof text, "%s %" PRId64 " %" PRId64 "\n", s->what, seconds, rest);
	if (put(s, "timens_offsets", text, err) == 0)
		return 0;
	if (err->number == EACCES)
		err_why(err, "the offsets are fixed as soon as a process has entered the time namespace");
	if (err->number == ERANGE)
		err_why(err, "the clock would become negative, or run over in less than 146 years");
	return -1;
}

int ns_hostname(struct step *s, int fd, struct err *err)
{
	(void)fd;
	if (gethostname(s->old, sizeof s->old - 1) < 0)
		return err_set(err, errno, "%s: can't read the host name", s->place->name);
	return sethostname(s->text, strlen(s->text)) < 0 ? err_set(err, errno, "%s: host name %s", s->place->name, s->text) : 0;
}

int ns_holder(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return holder_start(s->place, err);
}

int ns_end(struct step *s, int fd, struct err *err)
{
	(void)fd;
	(void)err;
	holder_end(&s->place, 1);
	return 0;
}

int ns_spawn(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return holder_spawn(s->place, s->program, s->started, err);
}

int ns_signal(struct step *s, int fd, struct err *err)
{
	(void)fd;
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)s->flags, 0);
	if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, (int)s->num, NULL, 0) < 0)
		return err_set(err, errno, "%s: process %d", s->place->name, (int)s->flags);
	return 0;
}

/* The acts that bring a fresh holder FRESH into the namespaces of S's place, less what the step leaves out. */
static size_t respawn_acts(const struct step *s, struct wire_act *acts, int *fds, size_t *n_fds)
{
	const struct place *p = s->place;
	uint64_t out = s->flags, user = (uint64_t)ns_table[NS_USER].flag;
	size_t n = 0;

	/* The user namespace comes last: until then the holder has belljar's own privileges, so it may enter all the others. */
	for (int k = 0; k < NS_KINDS; k++) {
		int from = s->num == k ? s->fd[0] : p->own[k] ? p->ns[k] : -1;
		if (k == NS_USER || (k == NS_PID && s->num != k && p->init) || (out & (uint64_t)ns_table[k].flag) || from < 0)
			continue;
		fds[(*n_fds)++] = from;
		acts[n++] = (struct wire_act){ WIRE_JOIN, (uint32_t)*n_fds, (uint64_t)ns_table[k].flag };
		if (k == NS_PID)
			acts[n++] = (struct wire_act){ .op = WIRE_FORK };
	}
	if (p->jail >= 0 && s->num != NS_MNT && !(out & (uint64_t)ns_table[NS_MNT].flag)) {
		fds[(*n_fds)++] = p->jail;
		acts[n++] = (struct wire_act){ WIRE_CHROOT, (uint32_t)*n_fds, 0 };
	}
	/* A pid namespace whose first process ends is dead: the new holder needs a new one. */
	if (p->init && p->own[NS_PID] && s->num != NS_PID && !(out & (uint64_t)ns_table[NS_PID].flag))
		acts[n++] = (struct wire_act){ .op = WIRE_PID };
	if (s->num == NS_USER && s->fd[0] < 0) {
		acts[n++] = (struct wire_act){ WIRE_UNSHARE, 0, user };
	} else if (s->num == NS_USER || (p->own[NS_USER] && !(out & user))) {
		fds[(*n_fds)++] = s->num == NS_USER ? s->fd[0] : p->ns[NS_USER];
		acts[n++] = (struct wire_act){ WIRE_JOIN, (uint32_t)*n_fds, user };
		if (p->mapped || s->num == NS_USER)
			acts[n++] = (struct wire_act){ .op = WIRE_ROOT_ID };
	}
	return n;
}

int ns_respawn(struct step *s, int fd, struct err *err)
{
	struct place fresh, *old = &fresh, *p = s->place;
	struct wire_act acts[WIRE_ACTS] = { 0 };
	int fds[WIRE_FDS] = { 0 };
	size_t n_fds = 0, done = 0, n = respawn_acts(s, acts, fds, &n_fds);
	uint64_t before = place_flags(p), after;

	(void)fd;
	place_init(&fresh, p->name);
	if (holder_start(&fresh, err) < 0)
		return -1;
	if (n && holder_batch(&fresh, acts, n, fds, n_fds, &done, err) < 0) {
		holder_end(&old, 1);
		return -1;
	}
	/* Change places; what is in `fresh` then is the old holder. */
	pid_t pid = p->pid;
	int pidfd = p->pidfd, sock = p->sock;
	p->pid = fresh.pid, p->pidfd = fresh.pidfd, p->sock = fresh.sock;
	fresh.pid = pid, fresh.pidfd = pidfd, fresh.sock = sock, fresh.init = p->init;
	after = before & ~s->flags;
	if (s->num >= 0)
		after |= (uint64_t)ns_table[s->num].flag;
	for (int k = 0; k < NS_KINDS; k++)
		if (!(after & (uint64_t)ns_table[k].flag)) {
			close_fd(&p->ns[k]);
			p->own[k] = false;
		}
	if (p->net && (!p->own[NS_NET] || s->num == NS_NET)) {
		net_api(NULL)->close(p->net);
		p->net = NULL;
	}
	holder_end(&old, 1);
	return place_refresh(p, after, err);
}

struct lab {
	int ns;
};

static int lo_up(void)
{
	_cleanup_close_ int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	return sock < 0 || ioctl(sock, SIOCSIFFLAGS, &lo) < 0 ? -1 : 0;
}

static int make_lab(void *arg, struct err *err)
{
	struct lab *lab = arg;

	if (unshare(CLONE_NEWNET) < 0)
		return err_set(err, errno, "lab: no net namespace");
	lab->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (lab->ns < 0)
		return err_set(err, errno, "lab: can't open its net namespace");
	return lo_up() < 0 ? err_set(err, errno, "lab: can't bring lo up") : 0;
}

int ns_lab(struct step *s, int fd, struct err *err)
{
	struct lab lab = { -1 };
	struct place host;

	(void)fd;
	place_init(&host, "host");
	if (joined_run(&host, 0, 0, NULL, make_lab, &lab, err) < 0) {
		close_fd(&lab.ns);
		return -1;
	}
	s->place->ns[NS_NET] = lab.ns;
	return 0;
}
