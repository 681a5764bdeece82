/*
 * lent.c - how links of the host come home
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kern/lent.h"
#include "kern/netlink.h"

enum { LENT_LIMIT = 1 << 20 };

struct request {
	struct nlmsghdr head;
	struct ifinfomsg link;
	char room[256];
};

static void begin(struct request *r, int index)
{
	*r = (struct request){ .head = { .nlmsg_len = NLMSG_LENGTH(sizeof r->link), .nlmsg_type = RTM_NEWLINK }, .link = { .ifi_index = index } };
}

static void put(struct request *r, int type, const void *data, size_t n)
{
	netlink_put(&r->head, sizeof *r, type, data, n);
}

/* What somebody inside may have changed. Not every driver lets it be changed back. */
static void settle(const struct lent_head *h, int there)
{
	struct request r;

	begin(&r, h->there);
	put(&r, IFLA_MTU, &h->mtu, sizeof h->mtu);
	netlink_ask(there, &r.head);
	begin(&r, h->there);
	if (h->mac_len && h->mac_len <= sizeof h->mac) {
		put(&r, IFLA_ADDRESS, h->mac, h->mac_len);
		netlink_ask(there, &r.head);
	}
}

/* Should its number or its name have been taken meanwhile, it gets others, as the kernel itself does it. */
static int move_home(const struct lent_head *h, int there)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), number = 0;
	bool same_index = true, same_name = true;

	if (home < 0)
		return errno;
	settle(h, there);
	for (int i = 0; i < 3; i++) {
		const char *name = same_name ? h->name : "dev%d";
		struct request r;
		begin(&r, h->there);
		r.link.ifi_change = IFF_UP;
		put(&r, IFLA_NET_NS_FD, &home, sizeof home);
		put(&r, IFLA_IFNAME, name, strlen(name) + 1);
		if (same_index)
			put(&r, IFLA_NEW_IFINDEX, &h->index, sizeof h->index);
		number = netlink_ask(there, &r.head);
		if (number == EBUSY && same_index)
			same_index = false;
		else if (number == EEXIST && same_name)
			same_name = false;
		else
			break;
	}
	close(home);
	return number;
}

/* Make the saved message the request that brings back what it tells of, for the link's number of now. False: it is damaged. */
static bool readdress(struct nlmsghdr *m, int index)
{
	if (m->nlmsg_type == RTM_NEWADDR && m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifaddrmsg))) {
		((struct ifaddrmsg *)NLMSG_DATA(m))->ifa_index = (unsigned)index;
	} else if (m->nlmsg_type == RTM_NEWROUTE && m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct rtmsg))) {
		struct rtmsg *route = NLMSG_DATA(m);
		int left = (int)RTM_PAYLOAD(m);
		route->rtm_flags = 0;
		for (struct rtattr *a = RTM_RTA(route); RTA_OK(a, left); a = RTA_NEXT(a, left))
			if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof index)
				memcpy(RTA_DATA(a), &index, sizeof index);
	} else {
		return false;
	}
	m->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	m->nlmsg_pid = 0;
	return true;
}

static int index_of(int sock, const char *name)
{
	struct ifreq r = { 0 };

	memcpy(r.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	return ioctl(sock, SIOCGIFINDEX, &r) < 0 ? 0 : r.ifr_ifindex;
}

/* At home: up, with its addresses and then its routes. */
static int give_back(struct lent_head *h, size_t n)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), index = sock < 0 ? 0 : index_of(sock, h->name);
	char *at = (char *)(h + 1), *end = (char *)h + n;
	struct request r;

	if (!index) {
		int number = sock < 0 ? errno : ENODEV;
		close(sock);
		return number;
	}
	begin(&r, index);
	r.link.ifi_flags = r.link.ifi_change = IFF_UP;
	int number = h->up ? netlink_ask(sock, &r.head) : 0;
	while (end - at >= (ptrdiff_t)sizeof(struct nlmsghdr)) {
		struct nlmsghdr *m = (struct nlmsghdr *)(void *)at;
		if (m->nlmsg_len < sizeof *m || m->nlmsg_len > (size_t)(end - at) || !readdress(m, index))
			break;
		at += NLMSG_ALIGN(m->nlmsg_len);
		netlink_ask(sock, m);
	}
	close(sock);
	return number;
}

static struct lent_head *read_file(int file, size_t *n)
{
	struct stat st;

	if (fstat(file, &st) < 0 || st.st_size < (off_t)sizeof(struct lent_head) || st.st_size > LENT_LIMIT)
		return NULL;
	struct lent_head *h = malloc((size_t)st.st_size);
	if (h && pread(file, h, (size_t)st.st_size, 0) == st.st_size && memcmp(h->mark, LENT_MARK, sizeof h->mark) == 0 &&
	    !h->name[IFNAMSIZ - 1]) {
		*n = (size_t)st.st_size;
		return h;
	}
	free(h);
	return NULL;
}

int lent_bring_home(int file, int there)
{
	size_t n = 0;
	struct lent_head *h = read_file(file, &n);

	if (!h)
		return EBADMSG;
	int number = there < 0 ? 0 : move_home(h, there);
	/* A real one comes home by itself, when its namespace ends. */
	if (number == 0 || number == ENODEV)
		number = give_back(h, n);
	free(h);
	return number;
}

int lent_bring_home_from(int file, int netns)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = -1;

	if (home >= 0 && setns(netns, CLONE_NEWNET) == 0) {
		there = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
		if (setns(home, CLONE_NEWNET) < 0)
			abort();
	}
	int number = lent_bring_home(file, there);
	close(there);
	close(home);
	return number;
}

int lent_clear(const char *dir, const char *name)
{
	char path[4200];
	int n = snprintf(path, sizeof path, "%s/" LENT_FILE "%s", dir, name);
	int file = n < 0 || (size_t)n >= sizeof path ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), number;

	if (file < 0)
		return errno == ENOENT ? 0 : errno;
	/* Held by its keeper, which has the namespace as well. */
	if (flock(file, LOCK_EX | LOCK_NB) < 0)
		number = EBUSY;
	else
		number = lent_bring_home(file, -1);
	close(file);
	/* A virtual one has ended with its namespace: nothing of it can be brought back. */
	return number == ENODEV ? 0 : number;
}
