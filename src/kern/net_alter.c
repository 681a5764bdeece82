/*
 * net_alter.c - the network module: other kinds of links, and what can be changed about a link that is there
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <sys/ioctl.h>

#include <netlink/attr.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/net_conn.h"
#include "kern/step.h"

static int refuse(const struct net_conn *c, const struct step *s, const char *what, int number, struct err *err)
{
	err_set(err, number, "%s: %s can't be %s", s->place->name, s->to, what);
	if (net_said(c))
		err_why(err, "the kernel says: %s", net_said(c));
	return -1;
}

/* ---- other kinds of links ---- */

struct tunnel {
	const char *name;
	int flags;
};

/* It stays when the descriptor is closed; with its net namespace it goes. */
static int make_tunnel(void *arg, struct err *err)
{
	const struct tunnel *t = arg;
	struct ifreq r = { .ifr_flags = (short)(t->flags | IFF_NO_PI) };
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", t->name);
	if (fd < 0)
		return err_set(err, errno, "/dev/net/tun can't be opened");
	if (ioctl(fd, TUNSETIFF, &r) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		return err_set(err, errno, "%s can't be made", t->name);
	return 0;
}

static int tunnel(struct step *s, struct err *err)
{
	struct tunnel t = { s->to, streq(s->what, "tun") ? IFF_TUN : IFF_TAP };
	struct net_link there;
	int found = net_find(s->place, s->to, &there, err);

	/* The driver would take the one that is there. */
	if (found)
		return found < 0 ? -1 : err_set(err, EEXIST, "%s: there is a link %s already", s->place->name, s->to);
	if (joined_run(s->place, 1u << NS_NET, 0, NULL, make_tunnel, &t, err) < 0)
		return err_wrap(err, "%s: ", s->place->name);
	return 0;
}

/* What lies over another link (from) may have it in another net namespace; the request goes to where the new one shall lie. */
static int put_lower(struct net_conn *c, struct nl_msg *m, const struct step *s, struct err *err)
{
	static const struct place host = { .name = "host" };
	const char *colon = strchr(s->from, ':'), *name = colon ? colon + 1 : s->from;
	_cleanup_close_ int own = s->fd[0] < 0 ? net_netns(&host, err) : -1;
	int nsid = -1, index;

	if (s->fd[0] < 0 && own < 0)
		return -1;
	int number = net_number_place(c, own >= 0 ? own : s->fd[0], &nsid);
	if (number || nsid < 0)
		return err_set(err, number ? number : ENOENT, "%s: can't number the net namespace that %s is in", s->place->name, s->from);
	if (!(index = net_index_there(nsid, c, name)))
		return err_set(err, ENODEV, "there is no link %s, over which %s could lie", s->from, s->to);
	net_put_number(m, IFLA_LINK, (uint32_t)index);
	net_put_number(m, IFLA_LINK_NETNSID, (uint32_t)nsid);
	return 0;
}

static void put_kind(struct nl_msg *m, const struct step *s)
{
	struct nlattr *info = net_nest(m, IFLA_LINKINFO);
	uint16_t id = (uint16_t)s->num, mode = IPVLAN_MODE_L2;

	net_put_text(m, IFLA_INFO_KIND, s->what);
	struct nlattr *data = net_nest(m, IFLA_INFO_DATA);
	if (streq(s->what, "macvlan"))
		net_put_number(m, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	else if (streq(s->what, "ipvlan"))
		net_put(m, IFLA_IPVLAN_MODE, &mode, sizeof mode);
	else if (streq(s->what, "vlan"))
		net_put(m, IFLA_VLAN_ID, &id, sizeof id);
	net_nest_end(m, data);
	net_nest_end(m, info);
}

int net_device(struct step *s, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct ifinfomsg link = { 0 };

	if (!c || net_name_check(s->to, err) < 0)
		return -1;
	if (streq(s->what, "tun") || streq(s->what, "tap"))
		return tunnel(s, err);
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
	net_put_text(m, IFLA_IFNAME, s->to);
	if (s->from && put_lower(c, m, s, err) < 0)
		return -1;
	put_kind(m, s);
	int number = net_ask(c, m, NULL, NULL);
	if (number == EEXIST)
		return err_set(err, EEXIST, "%s: there is a link %s already, or one of that id over %s", s->place->name, s->to, s->from ? s->from : "it");
	if (!number)
		return 0;
	refuse(c, s, "made", number, err);
	return number == EOPNOTSUPP ? err_try(err, "!modprobe %s", streq(s->what, "vlan") ? "8021q" : s->what) : -1;
}

/* ---- what can be changed ---- */

/* A VLAN of a port: what comes in without a tag is in it, and what goes out loses its tag. */
static int change_vlan(struct net_conn *c, int index, int type, unsigned id)
{
	struct ifinfomsg head = { .ifi_family = AF_BRIDGE, .ifi_index = index };
	struct bridge_vlan_info v = { .flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, .vid = (uint16_t)id };
	_cleanup_message_ struct nl_msg *m = net_message(type, 0, &head, sizeof head);
	struct nlattr *spec = net_nest(m, IFLA_AF_SPEC);

	net_put(m, IFLA_BRIDGE_VLAN_INFO, &v, sizeof v);
	net_nest_end(m, spec);
	return net_ask(c, m, NULL, NULL);
}

static int alter_vlan(struct net_conn *c, struct step *s, const struct net_link *l, struct err *err)
{
	struct net_port port;
	unsigned id = (unsigned)strtoul(s->text, NULL, 10);

	if (net_port(s->place, l->index, &port, err) < 0)
		return -1;
	snprintf(s->old, sizeof s->old, "%d", port.pvid);
	if (port.pvid == (int)id)
		return 0;
	int number = id ? change_vlan(c, l->index, RTM_SETLINK, id) : 0;
	if (!number && port.pvid)
		number = change_vlan(c, l->index, RTM_DELLINK, (unsigned)port.pvid);
	return number ? refuse(c, s, "put into the VLAN", number, err) : 0;
}

struct switches {
	int stp, vlans;
};

static void on_switches(const struct nlmsghdr *head, void *arg)
{
	struct switches *is = arg;
	struct nlattr *a[IFLA_MAX + 1], *b[IFLA_INFO_MAX + 1], *c[IFLA_BR_MAX + 1];

	if (!head || head->nlmsg_type != RTM_NEWLINK || nlmsg_parse((struct nlmsghdr *)head, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) < 0 ||
	    !a[IFLA_LINKINFO] || nla_parse_nested(b, IFLA_INFO_MAX, a[IFLA_LINKINFO], NULL) < 0 || !b[IFLA_INFO_DATA] ||
	    nla_parse_nested(c, IFLA_BR_MAX, b[IFLA_INFO_DATA], NULL) < 0)
		return;
	is->stp = net_number(c[IFLA_BR_STP_STATE], 0);
	is->vlans = c[IFLA_BR_VLAN_FILTERING] ? nla_get_u8(c[IFLA_BR_VLAN_FILTERING]) : 0;
}

static int alter_bridge(struct net_conn *c, struct step *s, const struct net_link *l, struct err *err)
{
	struct ifinfomsg head = { .ifi_index = l->index };
	struct switches is = { 0 };
	bool stp = streq(s->what, "stp");
	uint8_t on = streq(s->text, "on");
	_cleanup_message_ struct nl_msg *ask = net_message(RTM_GETLINK, 0, &head, sizeof head);
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWLINK, 0, &head, sizeof head);
	int number = net_ask(c, ask, on_switches, &is);

	if (number)
		return refuse(c, s, "read", number, err);
	snprintf(s->old, sizeof s->old, "%s", (stp ? is.stp : is.vlans) ? "on" : "off");
	struct nlattr *info = net_nest(m, IFLA_LINKINFO);
	net_put_text(m, IFLA_INFO_KIND, "bridge");
	struct nlattr *data = net_nest(m, IFLA_INFO_DATA);
	if (stp)
		net_put_number(m, IFLA_BR_STP_STATE, on);
	else
		net_put(m, IFLA_BR_VLAN_FILTERING, &on, sizeof on);
	net_nest_end(m, data);
	net_nest_end(m, info);
	number = net_ask(c, m, NULL, NULL);
	if (!number)
		return 0;
	refuse(c, s, "changed", number, err);
	if (number == EOPNOTSUPP && !stp)
		err_why(err, "this kernel's bridges know no VLANs (CONFIG_BRIDGE_VLAN_FILTERING)");
	return -1;
}

static int alter_link(struct net_conn *c, struct step *s, const struct net_link *l, struct err *err)
{
	struct ifinfomsg head = { .ifi_index = l->index };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWLINK, 0, &head, sizeof head);
	struct ether_addr mac;

	if (streq(s->what, "mtu")) {
		snprintf(s->old, sizeof s->old, "%d", l->mtu);
		net_put_number(m, IFLA_MTU, (uint32_t)strtoul(s->text, NULL, 10));
	} else if (streq(s->what, "name")) {
		snprintf(s->old, sizeof s->old, "%s", s->to);
		net_put_text(m, IFLA_IFNAME, s->text);
	} else {
		snprintf(s->old, sizeof s->old, "%s", l->mac);
		if (!ether_aton_r(s->text, &mac))
			return err_usage(err, "%.40s is no hardware address", s->text);
		net_put(m, IFLA_ADDRESS, &mac, sizeof mac);
	}
	int number = net_ask(c, m, NULL, NULL);
	if (!number)
		return 0;
	refuse(c, s, "changed", number, err);
	if (number == EBUSY && streq(s->what, "name"))
		err_try(err, "down %s first: before Linux 6.2 a link that is up keeps its name", s->to);
	return -1;
}

int net_alter(struct step *s, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct net_link l;

	if (!c)
		return -1;
	int found = net_find(s->place, s->to, &l, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ENODEV, "%s: no link %s", s->place->name, s->to);
	if (streq(s->what, "vlan"))
		return alter_vlan(c, s, &l, err);
	return streq(s->what, "stp") || streq(s->what, "vlans") ? alter_bridge(c, s, &l, err) : alter_link(c, s, &l, err);
}
