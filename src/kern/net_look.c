/*
 * net_look.c - the network module: reading links and addresses
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/net_conn.h"

/* Statistics are most of what the kernel says of a link. */
#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

static void copy_text(char *to, size_t room, const struct nlattr *a)
{
	if (a)
		nla_strlcpy(to, a, room);
}

void net_mac(char mac[18], const struct nlattr *a)
{
	mac[0] = '\0';
	if (!a || nla_len(a) != 6)
		return;
	const unsigned char *b = nla_data(a);
	snprintf(mac, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

int net_number(const struct nlattr *a, int otherwise)
{
	return a && nla_len(a) >= 4 ? (int)nla_get_u32(a) : otherwise;
}

static void read_link(const struct nlmsghdr *head, struct net_link *l)
{
	const struct ifinfomsg *info = nlmsg_data(head);
	struct nlattr *a[IFLA_MAX + 1], *kind[IFLA_INFO_MAX + 1];

	*l = (struct net_link){ .peer_ns = -1 };
	if (nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, IFLA_MAX, NULL) < 0)
		return;
	l->index = info->ifi_index;
	l->up = info->ifi_flags & IFF_UP;
	/* IFF_RUNNING says the same, but only when the kernel comes to it. */
	l->carrier = a[IFLA_CARRIER] ? nla_get_u8(a[IFLA_CARRIER]) != 0 : (info->ifi_flags & IFF_RUNNING) != 0;
	copy_text(l->name, sizeof l->name, a[IFLA_IFNAME]);
	l->mtu = net_number(a[IFLA_MTU], 0);
	l->master = net_number(a[IFLA_MASTER], 0);
	l->peer = net_number(a[IFLA_LINK], 0);
	l->peer_ns = net_number(a[IFLA_LINK_NETNSID], -1);
	net_mac(l->mac, a[IFLA_ADDRESS]);
	if (a[IFLA_LINKINFO] && nla_parse_nested(kind, IFLA_INFO_MAX, a[IFLA_LINKINFO], NULL) == 0)
		copy_text(l->kind, sizeof l->kind, kind[IFLA_INFO_KIND]);
}

/* ---- links ---- */

struct links {
	struct net_link *links;
	size_t n;
};

static void on_link(const struct nlmsghdr *head, void *arg)
{
	struct links *found = arg;

	if (!head) {
		free(found->links);
		*found = (struct links){ 0 };
	} else if (head->nlmsg_type == RTM_NEWLINK) {
		read_link(head, GROW(&found->links, &found->n));
	}
}

int net_unread(const struct place *p, const char *what, int number, const struct net_conn *c, struct err *err)
{
	err_set(err, number, "%s: can't read its %s", p->name, what);
	if (net_said(c))
		err_why(err, "the kernel says: %s", net_said(c));
	return -1;
}

int net_links(struct place *p, struct net_link **links, size_t *n, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct ifinfomsg head = { 0 };
	struct links found = { 0 };

	if (!c)
		return -1;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETLINK, NLM_F_DUMP, &head, sizeof head);
	net_put_number(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int number = net_ask(c, m, on_link, &found);
	if (number) {
		free(found.links);
		return net_unread(p, "links", number, c, err);
	}
	*links = found.links;
	*n = found.n;
	return 0;
}

int net_find(struct place *p, const char *name, struct net_link *link, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct ifinfomsg head = { 0 };
	struct links found = { 0 };

	if (link)
		*link = (struct net_link){ 0 };
	if (!c)
		return -1;
	head.ifi_index = net_index(c, name);
	if (!head.ifi_index || !link)
		return head.ifi_index != 0;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETLINK, 0, &head, sizeof head);
	net_put_number(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int number = net_ask(c, m, on_link, &found);
	if (number == 0 && found.n)
		*link = found.links[0];
	free(found.links);
	if (number && number != ENODEV)
		return net_unread(p, "links", number, c, err);
	return link->index != 0;
}

static void on_nsid(const struct nlmsghdr *head, void *arg)
{
	struct nlattr *a[NETNSA_MAX + 1];

	if (head && head->nlmsg_type == RTM_NEWNSID && nlmsg_parse((struct nlmsghdr *)head, sizeof(struct rtgenmsg), a, NETNSA_MAX, NULL) == 0)
		*(int *)arg = net_number(a[NETNSA_NSID], -1);
}

int net_nsid(struct place *p, struct place *other, int *nsid, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	_cleanup_close_ int fd = c ? net_netns(other, err) : -1;
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };

	*nsid = -1;
	if (fd < 0)
		return -1;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETNSID, 0, &head, sizeof head);
	net_put_number(m, NETNSA_FD, (uint32_t)fd);
	int number = net_ask(c, m, on_nsid, nsid);
	return number ? net_unread(p, "neighbours", number, c, err) : 0;
}

/* ---- addresses ---- */

struct addrs {
	struct net_addr *addrs;
	size_t n;
};

bool net_address(char *text, size_t room, int family, const struct nlattr *a)
{
	text[0] = '\0';
	return a && nla_len(a) == (family == AF_INET ? 4 : 16) && inet_ntop(family, nla_data(a), text, (socklen_t)room);
}

static void on_addr(const struct nlmsghdr *head, void *arg)
{
	struct addrs *found = arg;
	struct nlattr *a[IFA_MAX + 1];
	char text[INET6_ADDRSTRLEN];

	if (!head) {
		free(found->addrs);
		*found = (struct addrs){ 0 };
		return;
	}
	const struct ifaddrmsg *info = nlmsg_data(head);
	if (head->nlmsg_type != RTM_NEWADDR || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, IFA_MAX, NULL) < 0 ||
	    !net_address(text, sizeof text, info->ifa_family, a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS]))
		return;
	struct net_addr *addr = GROW(&found->addrs, &found->n);
	addr->index = (int)info->ifa_index;
	addr->automatic = info->ifa_scope == RT_SCOPE_HOST || (info->ifa_family == AF_INET6 && info->ifa_scope == RT_SCOPE_LINK) ||
			  !(info->ifa_flags & IFA_F_PERMANENT);
	addr->secondary = info->ifa_family == AF_INET && (info->ifa_flags & IFA_F_SECONDARY);
	snprintf(addr->cidr, sizeof addr->cidr, "%s/%u", text, (unsigned)info->ifa_prefixlen);
	if (a[IFA_LOCAL] && net_address(addr->peer, sizeof addr->peer, info->ifa_family, a[IFA_ADDRESS]) && streq(addr->peer, text))
		addr->peer[0] = '\0';
	snprintf(addr->text, sizeof addr->text, "%s%s%s", addr->cidr, addr->peer[0] ? " peer " : "", addr->peer);
}

int net_addrs(struct place *p, const char *link, struct net_addr **addrs, size_t *n, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	struct addrs found = { 0 };

	*addrs = NULL;
	*n = 0;
	if (!c)
		return -1;
	head.ifa_index = link ? (unsigned)net_index(c, link) : 0;
	if (link && !head.ifa_index)
		return 0;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETADDR, NLM_F_DUMP, &head, sizeof head);
	int number = net_ask(c, m, on_addr, &found);
	if (number) {
		free(found.addrs);
		return net_unread(p, "addresses", number, c, err);
	}
	*addrs = found.addrs;
	*n = found.n;
	return 0;
}
