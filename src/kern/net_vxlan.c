/*
 * net_vxlan.c - the network module: Ethernet over UDP between machines
 *
 * Such a link lies in one net namespace and sends its packets in another, the one it was made in. The request names that one by its number
 * (IFLA_LINK_NETNSID) and goes to the one where the link shall lie, so it is never seen elsewhere.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/net_conn.h"
#include "kern/step.h"

static void on_nsid(const struct nlmsghdr *head, void *arg)
{
	struct nlattr *a[NETNSA_MAX + 1];

	if (head && head->nlmsg_type == RTM_NEWNSID && nlmsg_parse((struct nlmsghdr *)head, sizeof(struct rtgenmsg), a, NETNSA_MAX, NULL) == 0)
		*(int *)arg = net_number(a[NETNSA_NSID], -1);
}

static int ask_nsid(struct net_conn *c, int type, int fd, int *nsid)
{
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	_cleanup_message_ struct nl_msg *m = net_message(type, 0, &head, sizeof head);

	net_put_number(m, NETNSA_FD, (uint32_t)fd);
	if (type == RTM_NEWNSID)
		net_put_number(m, NETNSA_NSID, UINT32_MAX);
	return net_ask(c, m, type == RTM_GETNSID ? on_nsid : NULL, nsid);
}

int net_number_place(struct net_conn *c, int fd, int *nsid)
{
	int number = ask_nsid(c, RTM_GETNSID, fd, nsid);

	if (number || *nsid >= 0)
		return number;
	number = ask_nsid(c, RTM_NEWNSID, fd, nsid);
	return number ? number : ask_nsid(c, RTM_GETNSID, fd, nsid);
}

static void put_far(struct nl_msg *m, const char *address)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1)
		net_put(m, IFLA_VXLAN_GROUP, bytes, 4);
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		net_put(m, IFLA_VXLAN_GROUP6, bytes, 16);
}

static void on_index(const struct nlmsghdr *head, void *arg)
{
	if (head && head->nlmsg_type == RTM_NEWLINK)
		*(int *)arg = ((const struct ifinfomsg *)nlmsg_data(head))->ifi_index;
}

int net_index_there(int nsid, struct net_conn *c, const char *name)
{
	struct ifinfomsg head = { 0 };
	int index = 0;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETLINK, 0, &head, sizeof head);

	net_put_text(m, IFLA_IFNAME, name);
	net_put_number(m, IFLA_TARGET_NETNSID, (uint32_t)nsid);
	return net_ask(c, m, on_index, &index) ? 0 : index;
}

static struct nl_msg *vxlan_message(const struct step *s, int bridge, int nsid, int dev)
{
	struct ifinfomsg link = { .ifi_index = s->fd[1] > 0 ? s->fd[1] : 0 };
	struct nl_msg *m = net_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
	/* The kernel's own default is the number from before there was a standard. */
	uint16_t port = htons((uint16_t)s->flags);

	net_put_text(m, IFLA_IFNAME, s->to);
	net_put_number(m, IFLA_MASTER, (uint32_t)bridge);
	if (nsid >= 0)
		net_put_number(m, IFLA_LINK_NETNSID, (uint32_t)nsid);
	struct nlattr *info = net_nest(m, IFLA_LINKINFO);
	net_put_text(m, IFLA_INFO_KIND, "vxlan");
	struct nlattr *data = net_nest(m, IFLA_INFO_DATA);
	net_put_number(m, IFLA_VXLAN_ID, (uint32_t)s->num);
	put_far(m, s->text);
	net_put_number(m, IFLA_VXLAN_LINK, (uint32_t)dev);
	net_put(m, IFLA_VXLAN_PORT, &port, sizeof port);
	net_nest_end(m, data);
	net_nest_end(m, info);
	return m;
}

static int vxlan_refused(const struct net_conn *c, const struct step *s, int number, struct err *err)
{
	if (number == EEXIST) {
		err_set(err, number, "%s: %s can't be made: its name, or its id %d on port %d over %s, is taken", s->place->name, s->to, (int)s->num,
			(int)s->flags, s->what);
		return err_try(err, "another name, id or port");
	}
	err_set(err, number, "%s: %s can't be made", s->place->name, s->to);
	if (net_said(c))
		err_why(err, "the kernel says: %s", net_said(c));
	return number == EOPNOTSUPP ? err_try(err, "!modprobe vxlan") : -1;
}

int net_vxlan(struct step *s, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct place host = { .name = "host" };
	_cleanup_close_ int own = c && s->fd[0] < 0 ? net_netns(&host, err) : -1;
	int bridge, nsid = -1, dev;

	if (!c || (s->fd[0] < 0 && own < 0))
		return -1;
	if (!(bridge = net_index(c, s->from)))
		return err_set(err, ENODEV, "%s: no bridge %s", s->place->name, s->from);
	int number = net_number_place(c, own >= 0 ? own : s->fd[0], &nsid);
	if (number || nsid < 0)
		return err_set(err, number ? number : ENOENT, "%s: can't number the net namespace that %s is in", s->place->name, s->what);
	const char *colon = strchr(s->what, ':');
	if (!(dev = net_index_there(nsid, c, colon ? colon + 1 : s->what)))
		return err_set(err, ENODEV, "there is no link %s, over which %s could send", s->what, s->to);
	_cleanup_message_ struct nl_msg *m = vxlan_message(s, bridge, nsid, dev);
	number = net_ask(c, m, NULL, NULL);
	return number ? vxlan_refused(c, s, number, err) : 0;
}
