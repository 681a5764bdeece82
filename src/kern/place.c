/*
 * place.c - the namespaces a place has of its own
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/net.h"
#include "kern/place.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

const struct ns_row ns_table[NS_KINDS] = {
	[NS_CGROUP] = { "cgroup", NULL, CLONE_NEWCGROUP, "the view of the control group tree" },
	[NS_IPC] = { "ipc", NULL, CLONE_NEWIPC, "System V IPC and POSIX message queues" },
	[NS_MNT] = { "mnt", "mount", CLONE_NEWNS, "the table of mounts" },
	[NS_NET] = { "net", "network", CLONE_NEWNET, "links, addresses, routes, ports and sockets" },
	[NS_PID] = { "pid", NULL, CLONE_NEWPID, "process numbers; its first process is number 1" },
	[NS_TIME] = { "time", NULL, CLONE_NEWTIME, "offsets of the monotonic and boot clocks" },
	[NS_USER] = { "user", NULL, CLONE_NEWUSER, "user and group numbers, and capabilities" },
	[NS_UTS] = { "uts", NULL, CLONE_NEWUTS, "the host name" },
};

int ns_kind(const char *name)
{
	for (int k = 0; k < NS_KINDS; k++)
		if (streq(name, ns_table[k].name) || (ns_table[k].alias && streq(name, ns_table[k].alias)))
			return k;
	return -1;
}

uint64_t place_flags(const struct place *p)
{
	uint64_t flags = 0;

	for (int k = 0; k < NS_KINDS; k++)
		if (p->own[k])
			flags |= (uint64_t)ns_table[k].flag;
	return flags;
}

const char *ns_words(uint64_t flags)
{
	static char words[64];
	size_t n = 0;

	words[0] = '\0';
	for (int k = 0; k < NS_KINDS; k++)
		if (flags & (uint64_t)ns_table[k].flag)
			n += (size_t)snprintf(words + n, sizeof words - n, "%s%s", n ? " " : "", ns_table[k].name);
	return words;
}

/* A namespace that children will get (time, pid) is named so before anyone has entered it. */
static int open_ns(const char *of, int k)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%s/ns/%s", of, k == NS_TIME ? "time_for_children" : ns_table[k].name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool same(int fd, int k)
{
	char path[64];
	struct stat a, b;

	snprintf(path, sizeof path, "/proc/self/ns/%s", ns_table[k].name);
	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int place_refresh(struct place *p, uint64_t flags, struct err *err)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%d", (int)p->pid);
	for (int k = 0; k < NS_KINDS; k++) {
		if (!(flags & (uint64_t)ns_table[k].flag))
			continue;
		_cleanup_close_ int fd = open_ns(pid, k);
		if (fd < 0)
			return err_set(err, errno, "%s: can't open its %s namespace", p->name, ns_table[k].name);
		close_fd(&p->ns[k]);
		p->own[k] = !same(fd, k);
		if (p->own[k])
			p->ns[k] = move_fd(&fd);
	}
	return 0;
}

void place_init(struct place *p, const char *name)
{
	*p = (struct place){ .name = name, .pidfd = -1, .sock = -1, .upper = -1, .next_upper = -1, .jail = -1 };
	for (int k = 0; k < NS_KINDS; k++)
		p->ns[k] = -1;
}

void place_release(struct place *p)
{
	if (p->net)
		net_api(NULL)->close(p->net);
	free(p->ended);
	for (int k = 0; k < PRIV_KEYS; k++)
		free(p->privileges[k]);
	free(p->devices);
	close_fd(&p->sock);
	close_fd(&p->pidfd);
	close_fd(&p->upper);
	close_fd(&p->next_upper);
	close_fd(&p->jail);
	for (int k = 0; k < NS_KINDS; k++)
		close_fd(&p->ns[k]);
	place_init(p, p->name);
}
