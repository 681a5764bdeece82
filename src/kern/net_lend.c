/*
 * net_lend.c - the network module: links of the host that move into a sandbox and back
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/lent.h"
#include "kern/net_conn.h"
#include "kern/step.h"

static int refuse(const struct step *s, const char *how, int number, const struct net_conn *c, struct err *err)
{
	err_set(err, number, "host: %s can't move %s", s->from, how);
	if (net_said(c))
		err_why(err, "the kernel says: %s", net_said(c));
	else if (number == EPERM)
		err_why(err, "it takes CAP_NET_ADMIN on the host, which an ordinary user has not");
	return -1;
}

int net_lend(struct step *s, struct err *err)
{
	struct place host = { .name = "host" };
	struct net_conn *c = net_open(&host, err);
	struct ifinfomsg link = { .ifi_change = IFF_UP };

	if (!c)
		return -1;
	link.ifi_index = net_index(c, s->from);
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWLINK, 0, &link, sizeof link);
	net_put_number(m, IFLA_NET_NS_FD, (uint32_t)s->place->ns[NS_NET]);
	net_put_text(m, IFLA_IFNAME, s->to);
	net_put_number(m, IFLA_NEW_IFINDEX, (uint32_t)s->num);
	int number = link.ifi_index ? net_ask(c, m, NULL, NULL) : ENODEV, result = 0;
	if (number == ENODEV)
		result = err_set(err, number, "host: no link %s", s->from);
	else if (number == EEXIST)
		result = err_set(err, number, "%s: there is a link %s already", s->place->name, s->to);
	else if (number)
		result = refuse(s, "into a sandbox", number, c, err);
	net_close(c);
	return result;
}

int net_return(struct step *s, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", s->fd[0]);
	char path[PATH_MAX];

	if (!c)
		return -1;
	int number = lent_bring_home(s->fd[0], net_socket(c));
	if (number && number != ENODEV)
		return err_set(err, number, "%s: %s can't move home to the host as %s", s->place->name, s->to, s->from);
	/* Its directory may have another name by now. */
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	if (n < 0 || unlink(path) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be removed", path);
	return 0;
}

/* ---- what it loses ---- */

struct saving {
	struct buf *file;
	size_t kept;           /* bytes of FILE from before this listing */
	int index;
	bool gateways;         /* this time only routes that have one: the others must be there first */
	bool odd;              /* it has what can't be brought back */
};

static void keep(struct saving *s, const struct nlmsghdr *head)
{
	static const char zero[NLMSG_ALIGNTO];

	buf_bytes(s->file, (const char *)head, head->nlmsg_len);
	buf_bytes(s->file, zero, NLMSG_ALIGN(head->nlmsg_len) - head->nlmsg_len);
}

static void on_link(const struct nlmsghdr *head, void *arg)
{
	struct lent_head *h = arg;
	struct nlattr *a[IFLA_MAX + 1];

	if (!head || head->nlmsg_type != RTM_NEWLINK || nlmsg_parse((struct nlmsghdr *)head, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) < 0)
		return;
	h->up = (((const struct ifinfomsg *)nlmsg_data(head))->ifi_flags & IFF_UP) != 0;
	h->mtu = (uint32_t)net_number(a[IFLA_MTU], 0);
	size_t n = a[IFLA_ADDRESS] ? (size_t)nla_len(a[IFLA_ADDRESS]) : 0;
	if (n <= sizeof h->mac) {
		h->mac_len = (uint32_t)n;
		memcpy(h->mac, n ? nla_data(a[IFLA_ADDRESS]) : h->mac, n);
	}
}

static void on_address(const struct nlmsghdr *head, void *arg)
{
	struct saving *s = arg;

	if (!head)
		s->file->len = s->kept;
	else if (head->nlmsg_type == RTM_NEWADDR && (int)((const struct ifaddrmsg *)nlmsg_data(head))->ifa_index == s->index)
		keep(s, head);
}

static bool is_over(const struct nlattr *multipath, int index)
{
	int left = multipath ? nla_len(multipath) : 0;

	for (const struct rtnexthop *h = left ? nla_data(multipath) : NULL; h && RTNH_OK(h, left); h = RTNH_NEXT(h)) {
		if (h->rtnh_ifindex == index)
			return true;
		left -= NLMSG_ALIGN(h->rtnh_len);
	}
	return false;
}

/* Routes that the kernel makes again by itself, or that a router will tell again, are left out. */
static void on_route(const struct nlmsghdr *head, void *arg)
{
	struct saving *s = arg;
	struct nlattr *a[RTA_MAX + 1];

	if (!head) {
		s->file->len = s->kept;
		return;
	}
	const struct rtmsg *info = nlmsg_data(head);
	if (head->nlmsg_type != RTM_NEWROUTE || (info->rtm_flags & RTM_F_CLONED) || info->rtm_type != RTN_UNICAST ||
	    info->rtm_protocol == RTPROT_KERNEL || info->rtm_protocol == RTPROT_RA || info->rtm_protocol == RTPROT_REDIRECT ||
	    nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, RTA_MAX, NULL) < 0)
		return;
	bool own = net_number(a[RTA_OIF], 0) == s->index;
	s->odd = s->odd || is_over(a[RTA_MULTIPATH], s->index) || (own && a[RTA_NH_ID]);
	if (own && (a[RTA_GATEWAY] || a[RTA_VIA]) == s->gateways)
		keep(s, head);
}

static int list(struct net_conn *c, struct saving *s, int type, const void *header, size_t n, void (*row)(const struct nlmsghdr *, void *))
{
	_cleanup_message_ struct nl_msg *m = net_message(type, NLM_F_DUMP, header, n);

	s->kept = s->file->len;
	int number = net_ask(c, m, row, s);
	/* A kernel without IPv6 has nothing of it. */
	return number == EOPNOTSUPP || number == EAFNOSUPPORT ? 0 : number;
}

int net_save(struct place *p, const char *name, struct buf *file, struct err *err)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	struct net_conn *c = net_open(p, err);
	struct lent_head h = { .mark = LENT_MARK };
	struct saving s = { .file = file };

	if (!c)
		return -1;
	struct ifinfomsg link = { .ifi_index = s.index = h.index = net_index(c, name) };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETLINK, 0, &link, sizeof link);
	snprintf(h.name, sizeof h.name, "%s", name);
	int number = net_ask(c, m, on_link, &h);
	buf_bytes(file, (const char *)&h, sizeof h);
	struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC };
	if (!number)
		number = list(c, &s, RTM_GETADDR, &addr, sizeof addr, on_address);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(families) && !number; i++) {
		struct rtmsg route = { .rtm_family = families[i % 2] };
		s.gateways = i >= 2;
		number = list(c, &s, RTM_GETROUTE, &route, sizeof route, on_route);
	}
	if (number)
		return net_unread(p, "addresses and routes", number, c, err);
	if (!s.odd)
		return 0;
	err_set(err, EOPNOTSUPP, "host: routes over %s have several next hops", name);
	return err_why(err, "belljar could not bring them back when the link comes home");
}
