/*
 * floor_lab.c: the least that the kernel asks for a lab of N net namespaces on one bridge: raw netlink, one message for a
 * link with both ends in their places, every answer checked. It is the 1.0 that the lab table counts in.
 *
 *	floor_lab [-v] [-k] N
 *
 * The bridge lies in a net namespace of its own. Every node has eth0 (one queue, 10.0.0.0/16 and up) and lo up. Ending
 * takes it all down: nothing is deleted one by one, the kernel frees the namespaces with their last descriptors.
 *
 * -v  read back that all ports are up in the bridge and that each node has its address and lo up
 * -k  keep the lab until standard input ends
 */
#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define BRIDGE_INDEX 2
#define ETH0_INDEX 2
#define NODES_MAX 4000

struct message {
	size_t length;
	char bytes[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
};

struct node {
	int ns;
	int socket;
};

static struct nlmsghdr *message_begin(struct message *m, int type, int flags, const void *header, size_t size)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(m->bytes + m->length);

	memset(h, 0, NLMSG_SPACE(size));
	h->nlmsg_type = (unsigned short)type;
	h->nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(NLMSG_DATA(h), header, size);
	m->length += NLMSG_SPACE(size);
	return h;
}

static void message_end(struct message *m, struct nlmsghdr *h)
{
	h->nlmsg_len = (unsigned)(m->bytes + m->length - (char *)h);
}

static struct rtattr *put(struct message *m, int type, const void *data, size_t size)
{
	struct rtattr *a = (struct rtattr *)(m->bytes + m->length);

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
	m->length += RTA_SPACE(size);
	return a;
}

static void put_u32(struct message *m, int type, uint32_t value)
{
	put(m, type, &value, sizeof value);
}

static void put_string(struct message *m, int type, const char *text)
{
	put(m, type, text, strlen(text) + 1);
}

static void nest_end(struct message *m, struct rtattr *a)
{
	a->rta_len = (unsigned short)(m->bytes + m->length - (char *)a);
}

/* Sends all messages in one call and reads as many acknowledgements. */
static void message_send(int socket, struct message *m, int count)
{
	char answer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));

	must(send(socket, m->bytes, m->length, 0));
	while (count > 0) {
		unsigned got = (unsigned)must(recv(socket, answer, sizeof answer, 0));

		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got), count--) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_ERROR && e->error == 0)
				continue;
			errno = h->nlmsg_type == NLMSG_ERROR ? -e->error : EPROTO;
			must(-1);
		}
	}
	m->length = 0;
}

static void put_link_up(struct message *m, int index)
{
	struct ifinfomsg info = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nlmsghdr *h = message_begin(m, RTM_NEWLINK, 0, &info, sizeof info);

	message_end(m, h);
}

static void put_address(struct message *m, int index, uint32_t address)
{
	struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = (unsigned)index};
	struct nlmsghdr *h = message_begin(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);

	address = htonl(address);
	put(m, IFA_LOCAL, &address, sizeof address);
	put(m, IFA_ADDRESS, &address, sizeof address);
	message_end(m, h);
}

static void bridge_make(int socket)
{
	struct message m = {0};
	struct ifinfomsg info = {.ifi_index = BRIDGE_INDEX};
	struct nlmsghdr *h = message_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
	struct rtattr *linkinfo;

	put_string(&m, IFLA_IFNAME, "br0");
	linkinfo = put(&m, IFLA_LINKINFO, NULL, 0);
	put_string(&m, IFLA_INFO_KIND, "bridge");
	nest_end(&m, linkinfo);
	message_end(&m, h);
	message_send(socket, &m, 1);
}

/* Last, because every port that comes up under a running bridge is heard by all ports before it. */
static void bridge_start(int socket)
{
	struct message m = {0};

	put_address(&m, BRIDGE_INDEX, 0x0a00fffe);
	put_link_up(&m, BRIDGE_INDEX);
	message_send(socket, &m, 2);
}

/* One queue an end: more would cost the kernel a grace period for each device. */
static void veth_make(int socket, int number, int peer_ns)
{
	struct message m = {0};
	struct ifinfomsg info = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct ifinfomsg peer_info = {.ifi_index = ETH0_INDEX};
	struct nlmsghdr *h = message_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
	struct rtattr *linkinfo, *data, *peer;
	char name[IFNAMSIZ];

	snprintf(name, sizeof name, "n%d", number);
	put_string(&m, IFLA_IFNAME, name);
	put_u32(&m, IFLA_MASTER, BRIDGE_INDEX);
	put_u32(&m, IFLA_NUM_TX_QUEUES, 1);
	put_u32(&m, IFLA_NUM_RX_QUEUES, 1);
	linkinfo = put(&m, IFLA_LINKINFO, NULL, 0);
	put_string(&m, IFLA_INFO_KIND, "veth");
	data = put(&m, IFLA_INFO_DATA, NULL, 0);
	peer = put(&m, VETH_INFO_PEER, &peer_info, sizeof peer_info);
	put_string(&m, IFLA_IFNAME, "eth0");
	put_u32(&m, IFLA_NET_NS_FD, (uint32_t)peer_ns);
	put_u32(&m, IFLA_NUM_TX_QUEUES, 1);
	put_u32(&m, IFLA_NUM_RX_QUEUES, 1);
	nest_end(&m, peer);
	nest_end(&m, data);
	nest_end(&m, linkinfo);
	message_end(&m, h);
	message_send(socket, &m, 1);
}

static struct node ns_make(void)
{
	struct node node;

	must(unshare(CLONE_NEWNET));
	node.ns = (int)must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	node.socket = (int)must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	return node;
}

static struct node node_make(int lab, int number)
{
	struct node node = ns_make();
	struct message m = {0};

	veth_make(lab, number, node.ns);
	put_address(&m, ETH0_INDEX, 0x0a000000u + (unsigned)number);
	put_link_up(&m, ETH0_INDEX);
	put_link_up(&m, 1);
	message_send(node.socket, &m, 3);
	return node;
}

/* Counts the links that are up, and are ports of the bridge if so asked. */
static int links_up(int socket, bool ports)
{
	char answer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct message m = {0};
	struct ifinfomsg info = {0};
	struct nlmsghdr *request = message_begin(&m, RTM_GETLINK, NLM_F_DUMP, &info, sizeof info);
	int count = 0;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message_end(&m, request);
	must(send(socket, m.bytes, m.length, 0));
	for (;;) {
		unsigned got = (unsigned)must(recv(socket, answer, sizeof answer, 0));

		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got)) {
			const struct ifinfomsg *link = NLMSG_DATA(h);
			int rest = (int)IFLA_PAYLOAD(h);
			bool is_port = false;

			if (h->nlmsg_type != RTM_NEWLINK)
				return count;
			for (struct rtattr *a = IFLA_RTA(link); RTA_OK(a, rest); a = RTA_NEXT(a, rest))
				is_port |= a->rta_type == IFLA_MASTER && *(uint32_t *)RTA_DATA(a) == BRIDGE_INDEX;
			count += (link->ifi_flags & IFF_UP) && is_port == ports;
		}
	}
}

static void verify(struct node lab, const struct node *nodes, int count)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int ports = links_up(lab.socket, true);

	if (ports != count) {
		dprintf(2, "floor_lab: %d of %d ports are up\n", ports, count);
		_exit(1);
	}
	for (int i = 0; i < count; i++) {
		int fd;

		must(setns(nodes[i].ns, CLONE_NEWNET));
		if (links_up(nodes[i].socket, false) != 2) {
			dprintf(2, "floor_lab: node %d: lo and eth0 are not both up\n", i + 1);
			_exit(1);
		}
		fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		address.sin_addr.s_addr = htonl(0x0a000001u + (unsigned)i);
		must(bind(fd, (struct sockaddr *)&address, sizeof address));
		close(fd);
	}
}

/* For pair, which times the taking down from here on. */
static void built(void)
{
	const char *name = getenv("PAIR_BUILT");
	int fd = name ? open(name, O_WRONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		must((int)write(fd, "", 1));
		close(fd);
	}
}

int main(int argc, char **argv)
{
	static struct node nodes[NODES_MAX];
	struct rlimit files;
	bool check = false, keep = false;
	struct node lab;
	int count, option;
	char byte;

	while ((option = getopt(argc, argv, "vk")) != -1) {
		switch (option) {
		case 'v': check = true; break;
		case 'k': keep = true; break;
		default: return 2;
		}
	}
	count = optind < argc ? atoi(argv[optind]) : 0;
	if (count < 1 || count > NODES_MAX) {
		dprintf(2, "usage: floor_lab [-vk] N, with N from 1 to %d\n", NODES_MAX);
		return 2;
	}
	must(getrlimit(RLIMIT_NOFILE, &files));
	files.rlim_cur = files.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &files));
	lab = ns_make();
	bridge_make(lab.socket);
	for (int i = 0; i < count; i++)
		nodes[i] = node_make(lab.socket, i + 1);
	bridge_start(lab.socket);
	if (check)
		verify(lab, nodes, count);
	built();
	while (keep && read(0, &byte, 1) > 0)
		;
	return 0;
}
