/*
 * net_link.c - the acts of the network module: links, addresses, routes
 *
 * A veth pair is one request: both ends are made where they belong, one queue each (a second one costs a grace period and 150 KiB for
 * nothing at these speeds), the near end in its bridge and up. So at no moment an end lies on the host that the host was not meant to have.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/random.h>

#include <netlink/attr.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/net_conn.h"
#include "kern/step.h"

/* ---- errors ---- */

/* Causes that are the same whatever was asked. */
static void add_cause(struct err *err, int number, const char *said)
{
	if (said && strstr(said, "policy validation"))
		err_why(err, "the kernel found a value of the request too long or of the wrong form");
	else if (said)
		err_why(err, "the kernel says: %s", said);
	else if (number == EPERM)
		err_why(err, "changing links takes CAP_NET_ADMIN in the user namespace that owns the net namespace");
	else if (number == EPROTO)
		err_why(err, "the kernel's answer was lost, for want of memory perhaps");
}

static int refuse(const struct net_conn *c, const struct step *s, const char *what, int number, struct err *err)
{
	err_set(err, number, "%s: %s can't be %s", s->place->name, s->to, what);
	add_cause(err, number, net_said(c));
	return -1;
}

static int no_link(const struct step *s, const char *name, struct err *err)
{
	err_set(err, ENODEV, "%s: no link %s", s->place->name, name);
	return err_try(err, "links all, which lists them");
}

/* The answer to a request that makes the link s->to was lost: what may have been made goes again. */
static void unmake(struct net_conn *c, const struct step *s)
{
	struct ifinfomsg link = { .ifi_index = net_index(c, s->to) };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_DELLINK, 0, &link, sizeof link);

	if (link.ifi_index)
		net_ask(c, m, NULL, NULL);
}

/* ---- links ---- */

/* A bridge without an address of its own takes the lowest of its ports', so that it changes as ports come, and neighbours send into the void
 * until they have asked anew. */
static void put_own_mac(struct nl_msg *m)
{
	unsigned char mac[6];

	if (getrandom(mac, sizeof mac, 0) != sizeof mac)
		return;
	mac[0] = (unsigned char)((mac[0] & 0xfe) | 0x02);
	net_put(m, IFLA_ADDRESS, mac, sizeof mac);
}

/*
 * A link on the host that those inside can send to: the host would believe what they say as a router (CVE-2020-10749). Only what the host
 * itself would do is lost. On failure the link goes.
 */
static int guard_host(struct net_conn *c, const struct step *s, const char *link, struct err *err)
{
	static const char *const files[] = { "accept_ra", "accept_redirects" };
	char path[64 + IFNAMSIZ];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", link, files[i]);
		/* Without IPv6 there is nothing to believe. */
		if (io_put(AT_FDCWD, path, "0") == 0 || errno == ENOENT)
			continue;
		err_set(err, errno, "%s: can't have the host ignore routers there", link);
		unmake(c, s);
		return -1;
	}
	return 0;
}

int net_bridge(struct step *s, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct ifinfomsg link = { .ifi_index = (int)s->num };

	if (!c || net_name_check(s->to, err) < 0)
		return -1;
	bool there = net_index(c, s->to) != 0;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
	net_put_text(m, IFLA_IFNAME, s->to);
	put_own_mac(m);
	struct nlattr *info = net_nest(m, IFLA_LINKINFO);
	net_put_text(m, IFLA_INFO_KIND, "bridge");
	net_nest_end(m, info);
	int number = net_ask(c, m, NULL, NULL);
	if (number == EPROTO && !there)
		unmake(c, s);
	if (number == EEXIST)
		return err_set(err, EEXIST, "%s: there is a link %s already", s->place->name, s->to);
	if (number == EOPNOTSUPP)
		err_try(err, "!modprobe bridge");
	if (number)
		return refuse(c, s, "made", number, err);
	return s->place->own[NS_NET] ? 0 : guard_host(c, s, s->to, err);
}

static void put_queues(struct nl_msg *m)
{
	net_put_number(m, IFLA_NUM_TX_QUEUES, 1);
	net_put_number(m, IFLA_NUM_RX_QUEUES, 1);
}

static struct nl_msg *veth_message(const struct step *s, int bridge, int peer_ns)
{
	struct ifinfomsg near = { .ifi_index = (int)s->num, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct ifinfomsg far = { .ifi_index = (int)s->flags };
	struct nl_msg *m = net_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &near, sizeof near);

	net_put_text(m, IFLA_IFNAME, s->to);
	if (bridge) {
		net_put_number(m, IFLA_MASTER, (uint32_t)bridge);
		net_put_number(m, IFLA_GROUP, net_group(s->from));
	}
	put_queues(m);
	struct nlattr *info = net_nest(m, IFLA_LINKINFO);
	net_put_text(m, IFLA_INFO_KIND, "veth");
	struct nlattr *data = net_nest(m, IFLA_INFO_DATA), *peer = net_nest(m, VETH_INFO_PEER);
	if (nlmsg_append(m, &far, sizeof far, NLMSG_ALIGNTO) < 0)
		abort();
	net_put_text(m, IFLA_IFNAME, s->what);
	put_queues(m);
	net_put_number(m, IFLA_NET_NS_FD, (uint32_t)peer_ns);
	net_nest_end(m, peer);
	net_nest_end(m, data);
	net_nest_end(m, info);
	return m;
}

static int veth_refused(const struct net_conn *c, const struct step *s, bool there, int number, struct err *err)
{
	if (number == EEXIST) {
		err_set(err, number, "%s: there is a link %s already", there ? s->place->name : s->text, there ? s->to : s->what);
		return err_try(err, "another name: A:NAME B:NAME");
	}
	err_set(err, number, "%s: %s can't be made", s->place->name, s->to);
	add_cause(err, number, net_said(c));
	if (number == EOPNOTSUPP)
		err_try(err, "!modprobe veth");
	return -1;
}

static bool is_bridge(struct place *p, const char *name)
{
	struct net_link link;

	return net_find(p, name, &link, NULL) > 0 && streq(link.kind, "bridge");
}

int net_veth(struct step *s, struct err *err)
{
	static const struct place host = { .name = "host" };
	struct net_conn *c = net_open(s->place, err);
	_cleanup_close_ int own = s->fd[0] < 0 ? net_netns(&host, err) : -1;

	if (!c || (s->fd[0] < 0 && own < 0) || net_name_check(s->to, err) < 0 || net_name_check(s->what, err) < 0)
		return -1;
	int bridge = s->from ? net_index(c, s->from) : 0;
	if (s->from && !bridge)
		return no_link(s, s->from, err);
	bool there = net_index(c, s->to) != 0;
	_cleanup_message_ struct nl_msg *m = veth_message(s, bridge, own >= 0 ? own : s->fd[0]);
	int number = net_ask(c, m, NULL, NULL);
	if (number == EPROTO && !there)
		unmake(c, s);
	if (number == EOPNOTSUPP && s->from && !is_bridge(s->place, s->from)) {
		err_set(err, number, "%s: %s is no bridge, but one end of a link", s->place->name, s->from);
		return err_try(err, "the name of a sandbox or of a bridge");
	}
	if (number)
		return veth_refused(c, s, there, number, err);
	if (s->place->own[NS_NET] && s->fd[0] >= 0)
		return 0;
	return guard_host(c, s, s->fd[0] < 0 ? s->what : s->to, err);
}

/* Who types unlink has looked whether it is there; what is taken back may have gone with its other end. */
int net_unlink(struct step *s, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct ifinfomsg link = { .ifi_index = c ? net_index(c, s->to) : 0 };

	if (!c)
		return -1;
	if (!link.ifi_index)
		return 0;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_DELLINK, 0, &link, sizeof link);
	int number = net_ask(c, m, NULL, NULL);
	return number && number != ENODEV ? refuse(c, s, "deleted", number, err) : 0;
}

int net_set_up(struct step *s, bool up, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct ifinfomsg link = { .ifi_index = c ? net_index(c, s->to) : 0, .ifi_change = IFF_UP, .ifi_flags = up ? IFF_UP : 0 };

	if (!c)
		return -1;
	int flags = net_flags(c, s->to);
	if (!link.ifi_index || flags < 0)
		return no_link(s, s->to, err);
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWLINK, 0, &link, sizeof link);
	int number = net_ask(c, m, NULL, NULL);
	if (number)
		return refuse(c, s, up ? "brought up" : "brought down", number, err);
	snprintf(s->old, sizeof s->old, "%s", !(flags & IFF_UP) == !up ? "" : "1");
	return 0;
}

/* ---- addresses ---- */

struct prefix {
	int family;            /* AF_UNSPEC: "default" */
	unsigned char bytes[16];
	unsigned size;         /* of an address, in bytes */
	unsigned length;       /* in bits */
};

/* TEXT is an address with or without "/LENGTH", or "default". */
static int read_prefix(const char *text, struct prefix *p, struct err *err)
{
	const char *slash = strchr(text, '/');
	char address[64] = "", *end = "";

	*p = (struct prefix){ 0 };
	if (streq(text, "default"))
		return 0;
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	if (n < sizeof address)
		memcpy(address, text, n);
	p->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	p->size = p->family == AF_INET ? 4 : 16;
	unsigned long length = slash ? strtoul(slash + 1, &end, 10) : p->size * 8;
	p->length = (unsigned)length;
	if (inet_pton(p->family, address, p->bytes) != 1 || length > p->size * 8 || *end || (slash && (slash[1] < '0' || slash[1] > '9')))
		return err_usage(err, "%.100s is not an address", text);
	return 0;
}

static int addr_refused(const struct net_conn *c, const struct step *s, int number, struct err *err)
{
	if (number == EEXIST)
		return err_set(err, number, "%s: %s has the address %s already", s->place->name, s->to, s->text);
	if (number == EADDRNOTAVAIL && (!net_said(c) || strstr(net_said(c), "Address not found"))) {
		err_set(err, number, "%s: %s has no address %s", s->place->name, s->to, s->text);
		return err_try(err, "links, which lists them");
	}
	err_set(err, number, "%s: %s can't have the address %s", s->place->name, s->to, s->text);
	add_cause(err, number, net_said(c));
	return -1;
}

int net_addr(struct step *s, bool add, struct err *err)
{
	static const char mark[] = " peer ";
	struct net_conn *c = net_open(s->place, err);
	const char *peer = strstr(s->text, mark);
	_cleanup_free_ char *own = xstrndup(s->text, strcspn(s->text, " "));
	struct prefix p, other;

	if (!c || read_prefix(own, &p, err) < 0 || read_prefix(peer ? peer + strlen(mark) : own, &other, err) < 0)
		return -1;
	if (p.family != other.family)
		return err_usage(err, "%s: not of one family", s->text);
	struct ifaddrmsg head = { .ifa_family = (unsigned char)p.family, .ifa_prefixlen = (unsigned char)p.length,
				  .ifa_index = (unsigned)net_index(c, s->to) };
	if (!head.ifa_index)
		return no_link(s, s->to, err);
	if (p.family == AF_INET && p.bytes[0] == 127)
		head.ifa_scope = RT_SCOPE_HOST;
	_cleanup_message_ struct nl_msg *m = net_message(add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof head);
	net_put(m, IFA_LOCAL, p.bytes, p.size);
	net_put(m, IFA_ADDRESS, other.bytes, other.size);
	/* The user chose the address; it can be used at once, not after a second of asking whether someone has it. */
	if (add && p.family == AF_INET6)
		net_put_number(m, IFA_FLAGS, IFA_F_NODAD);
	int number = net_ask(c, m, NULL, NULL);
	if (number)
		return addr_refused(c, s, number, err);
	snprintf(s->old, sizeof s->old, "1");
	return 0;
}

/* ---- routes ---- */

static int route_refused(const struct net_conn *c, const struct step *s, int number, struct err *err)
{
	const char *to = s->to ? s->to : "", *via = s->from ? s->from : "";

	if (number == EEXIST) {
		err_set(err, number, "%s: there is a route to %s already", s->place->name, s->text);
		return err_try(err, "route del %s, then again", s->text);
	}
	if (number == ESRCH) {
		err_set(err, number, "%s: no such route to %s", s->place->name, s->text);
		return err_try(err, "links, which lists the routes too");
	}
	err_set(err, number, "%s: no route to %s%s%s%s%s", s->place->name, s->text, *via ? " via " : "", via, *to ? " dev " : "", to);
	if (number == ENETUNREACH || number == EHOSTUNREACH || (number == EINVAL && net_said(c) && strstr(net_said(c), "gateway"))) {
		err_why(err, "the gateway %s can't be reached directly: it must be in the subnet of an address on a link that is up%s%s", via,
			net_said(c) ? "; the kernel says: " : "", net_said(c) ? net_said(c) : "");
		return err_try(err, "addr LINK ADDRESS/LENGTH in the gateway's subnet, or up LINK");
	}
	if (number == ENETDOWN)
		err_try(err, "up %s", *to ? to : "LINK");
	add_cause(err, number, net_said(c));
	return -1;
}

int net_route(struct step *s, bool add, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct prefix to, via = { 0 };

	if (!c || read_prefix(s->text, &to, err) < 0 || (s->from && read_prefix(s->from, &via, err) < 0))
		return -1;
	uint32_t dev = s->to ? (uint32_t)net_index(c, s->to) : 0;
	if (s->to && !dev)
		return no_link(s, s->to, err);
	int family = to.family ? to.family : via.family ? via.family : AF_INET;
	if (via.family && via.family != family)
		return err_usage(err, "%s and %s are not of one family", s->text, s->from);
	struct rtmsg head = { .rtm_family = (unsigned char)family, .rtm_dst_len = (unsigned char)to.length, .rtm_table = RT_TABLE_MAIN,
			      .rtm_scope = RT_SCOPE_NOWHERE };
	if (add) {
		head.rtm_protocol = RTPROT_BOOT;
		head.rtm_type = RTN_UNICAST;
		head.rtm_scope = via.family || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	}
	_cleanup_message_ struct nl_msg *m =
		net_message(add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof head);
	if (to.family)
		net_put(m, RTA_DST, to.bytes, to.size);
	if (via.family)
		net_put(m, RTA_GATEWAY, via.bytes, via.size);
	if (dev)
		net_put_number(m, RTA_OIF, dev);
	int number = net_ask(c, m, NULL, NULL);
	if (number)
		return route_refused(c, s, number, err);
	snprintf(s->old, sizeof s->old, "1");
	return 0;
}
