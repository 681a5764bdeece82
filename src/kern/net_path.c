/*
 * net_path.c - the network module: what routing and bridges would do with one packet
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <strings.h>

#include <netlink/attr.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/net_conn.h"

static size_t size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* ---- routes ---- */

struct asked_way {
	struct net_conn *conn;
	struct net_way *way;
};

static void on_way(const struct nlmsghdr *head, void *arg)
{
	static const char *const kinds[] = { "unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable",
					     "prohibit", "throw" };
	struct asked_way *asked = arg;
	struct net_way *way = asked->way;
	struct nlattr *a[RTA_MAX + 1];

	if (!head || head->nlmsg_type != RTM_NEWROUTE)
		return;
	const struct rtmsg *info = nlmsg_data(head);
	if (nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, RTA_MAX, NULL) < 0)
		return;
	snprintf(way->kind, sizeof way->kind, "%s", info->rtm_type < ARRAY_SIZE(kinds) ? kinds[info->rtm_type] : "?");
	net_address(way->via, sizeof way->via, info->rtm_family, a[RTA_GATEWAY]);
	/* An IPv4 route may have an IPv6 gateway. */
	if (a[RTA_VIA] && nla_len(a[RTA_VIA]) == 18)
		inet_ntop(AF_INET6, (const char *)nla_data(a[RTA_VIA]) + 2, way->via, sizeof way->via);
	net_address(way->from, sizeof way->from, info->rtm_family, a[RTA_PREFSRC]);
	way->dev = net_number(a[RTA_OIF], 0);
	if (!net_name(asked->conn, way->dev, way->dev_name))
		way->dev_name[0] = '\0';
}

int net_way(struct place *p, const struct net_packet *packet, int in, struct net_way *way, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct asked_way asked = { c, way };
	size_t size = size_of(packet->family);
	struct rtmsg head = { .rtm_family = (unsigned char)packet->family, .rtm_dst_len = (unsigned char)(size * 8) };

	*way = (struct net_way){ 0 };
	if (!c)
		return -1;
	if (packet->from_known)
		head.rtm_src_len = head.rtm_dst_len;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETROUTE, 0, &head, sizeof head);
	net_put(m, RTA_DST, packet->to, size);
	if (packet->from_known)
		net_put(m, RTA_SRC, packet->from, size);
	if (in)
		net_put_number(m, RTA_IIF, (uint32_t)in);
	way->number = net_ask(c, m, on_way, &asked);
	/* IPv6 answers with a route that refuses, IPv4 with the error. */
	if (!way->number && !way->kind[0])
		way->number = ENETUNREACH;
	return 0;
}

struct asked_switch {
	int in;
	int on;
};

static void on_netconf(const struct nlmsghdr *head, void *arg)
{
	struct asked_switch *asked = arg;
	struct nlattr *a[NETCONFA_MAX + 1];

	if (head && head->nlmsg_type == RTM_NEWNETCONF && nlmsg_parse((struct nlmsghdr *)head, sizeof(struct netconfmsg), a, NETCONFA_MAX, NULL) == 0 &&
	    net_number(a[NETCONFA_IFINDEX], 0) == asked->in)
		asked->on = net_number(a[NETCONFA_FORWARDING], 0);
}

/* IPv4 has a switch for each link that packets come in by; of IPv6's only the one for all counts. */
int net_forwards(struct place *p, int family, int in, bool *does, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct netconfmsg head = { .ncm_family = (unsigned char)family };
	struct asked_switch asked = { .in = family == AF_INET ? in : NETCONFA_IFINDEX_ALL };

	if (!c)
		return -1;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETNETCONF, 0, &head, sizeof head);
	net_put_number(m, NETCONFA_IFINDEX, (uint32_t)asked.in);
	int number = net_ask(c, m, on_netconf, &asked);
	*does = asked.on != 0;
	return number ? net_unread(p, "forwarding switches", number, c, err) : 0;
}

/* ---- bridges ---- */

static void read_slave(struct nlattr *info, struct net_port *port)
{
	struct nlattr *a[IFLA_INFO_MAX + 1], *b[IFLA_BRPORT_MAX + 1];

	if (!info || nla_parse_nested(a, IFLA_INFO_MAX, info, NULL) < 0 || !a[IFLA_INFO_SLAVE_DATA] ||
	    nla_parse_nested(b, IFLA_BRPORT_MAX, a[IFLA_INFO_SLAVE_DATA], NULL) < 0)
		return;
	port->state = b[IFLA_BRPORT_STATE] ? nla_get_u8(b[IFLA_BRPORT_STATE]) : BR_STATE_FORWARDING;
	port->isolated = b[IFLA_BRPORT_ISOLATED] && nla_get_u8(b[IFLA_BRPORT_ISOLATED]);
}

static void on_port(const struct nlmsghdr *head, void *arg)
{
	struct nlattr *a[IFLA_MAX + 1];

	if (head && head->nlmsg_type == RTM_NEWLINK && nlmsg_parse((struct nlmsghdr *)head, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) == 0)
		read_slave(a[IFLA_LINKINFO], arg);
}

static void on_bridge(const struct nlmsghdr *head, void *arg)
{
	struct net_port *port = arg;
	struct nlattr *a[IFLA_MAX + 1], *b[IFLA_INFO_MAX + 1], *c[IFLA_BR_MAX + 1];

	if (head && head->nlmsg_type == RTM_NEWLINK && nlmsg_parse((struct nlmsghdr *)head, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) == 0 &&
	    a[IFLA_LINKINFO] && nla_parse_nested(b, IFLA_INFO_MAX, a[IFLA_LINKINFO], NULL) == 0 && b[IFLA_INFO_DATA] &&
	    nla_parse_nested(c, IFLA_BR_MAX, b[IFLA_INFO_DATA], NULL) == 0 && c[IFLA_BR_VLAN_FILTERING])
		port->filters_vlans = nla_get_u8(c[IFLA_BR_VLAN_FILTERING]);
}

struct asked_vlans {
	int index, pvid;
};

static void on_vlans(const struct nlmsghdr *head, void *arg)
{
	struct asked_vlans *asked = arg;
	struct nlattr *a[IFLA_MAX + 1], *each;
	int left;

	if (!head || head->nlmsg_type != RTM_NEWLINK || ((const struct ifinfomsg *)nlmsg_data(head))->ifi_index != asked->index ||
	    nlmsg_parse((struct nlmsghdr *)head, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) < 0 || !a[IFLA_AF_SPEC])
		return;
	nla_for_each_nested(each, a[IFLA_AF_SPEC], left) {
		const struct bridge_vlan_info *v = nla_data(each);
		if (nla_type(each) == IFLA_BRIDGE_VLAN_INFO && nla_len(each) >= (int)sizeof *v && (v->flags & BRIDGE_VLAN_INFO_PVID))
			asked->pvid = v->vid;
	}
}

static int ask_link(struct net_conn *c, int index, void (*row)(const struct nlmsghdr *head, void *arg), void *arg)
{
	struct ifinfomsg head = { .ifi_index = index };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETLINK, 0, &head, sizeof head);

	return net_ask(c, m, row, arg);
}

struct asked_master {
	int master;
};

static void on_master(const struct nlmsghdr *head, void *arg)
{
	struct nlattr *a[IFLA_MAX + 1];

	if (head && head->nlmsg_type == RTM_NEWLINK && nlmsg_parse((struct nlmsghdr *)head, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) == 0)
		((struct asked_master *)arg)->master = net_number(a[IFLA_MASTER], 0);
}

int net_port(struct place *p, int index, struct net_port *port, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct asked_master asked = { 0 };

	*port = (struct net_port){ .state = BR_STATE_FORWARDING };
	if (!c)
		return -1;
	int number = ask_link(c, index, on_port, port);
	if (!number)
		number = ask_link(c, index, on_master, &asked);
	if (!number && asked.master)
		number = ask_link(c, asked.master, on_bridge, port);
	if (number)
		return net_unread(p, "links", number, c, err);
	if (!port->filters_vlans)
		return 0;
	struct asked_vlans vlans = { .index = index };
	struct ifinfomsg head = { .ifi_family = AF_BRIDGE };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETLINK, NLM_F_DUMP, &head, sizeof head);
	net_put_number(m, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN);
	number = net_ask(c, m, on_vlans, &vlans);
	port->pvid = vlans.pvid;
	return number ? net_unread(p, "VLANs", number, c, err) : 0;
}

struct asked_mac {
	const char *mac;
	int bridge, port;
};

static void on_mac(const struct nlmsghdr *head, void *arg)
{
	struct asked_mac *asked = arg;
	struct nlattr *a[NDA_MAX + 1];
	char mac[18];

	if (!head) {
		asked->port = 0;
		return;
	}
	const struct ndmsg *info = nlmsg_data(head);
	if (head->nlmsg_type != RTM_NEWNEIGH || nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, NDA_MAX, NULL) < 0)
		return;
	net_mac(mac, a[NDA_LLADDR]);
	/* An address of a port itself is permanent and means the bridge. */
	if (strcasecmp(mac, asked->mac) == 0 && (net_number(a[NDA_MASTER], 0) == asked->bridge || info->ndm_ifindex == asked->bridge))
		asked->port = info->ndm_state & NUD_PERMANENT ? -2 : info->ndm_ifindex;
}

int net_learnt(struct place *p, int bridge, const char *mac, int *port, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct ndmsg head = { .ndm_family = AF_BRIDGE };
	struct asked_mac asked = { .mac = mac, .bridge = bridge };

	if (!c)
		return -1;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETNEIGH, NLM_F_DUMP, &head, sizeof head);
	int number = net_ask(c, m, on_mac, &asked);
	*port = asked.port;
	return number ? net_unread(p, "forwarding database", number, c, err) : 0;
}
