/*
 * net_list.c - the network module: neighbours, and routes: as they are listed for people, and those that somebody made
 */
#include "config.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/net_conn.h"

/* ---- neighbours ---- */

struct neighbours {
	struct net_neighbour *rows;
	size_t n;
};

static const char *state_word(unsigned state)
{
	static const struct { unsigned bit; const char *word; } words[] = {
		{ NUD_PERMANENT, "permanent" }, { NUD_REACHABLE, "reachable" }, { NUD_STALE, "stale" }, { NUD_DELAY, "delay" },
		{ NUD_PROBE, "probe" }, { NUD_INCOMPLETE, "incomplete" }, { NUD_FAILED, "failed" }, { NUD_NOARP, "noarp" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (state & words[i].bit)
			return words[i].word;
	return "none";
}

static void on_neighbour(const struct nlmsghdr *head, void *arg)
{
	struct neighbours *found = arg;
	struct nlattr *a[NDA_MAX + 1];
	char address[64];

	if (!head) {
		free(found->rows);
		*found = (struct neighbours){ 0 };
		return;
	}
	const struct ndmsg *info = nlmsg_data(head);
	/* Multicast and addresses of one's own are in the table too (noarp); nobody asked for them. */
	if (head->nlmsg_type != RTM_NEWNEIGH || (info->ndm_state & NUD_NOARP) || (info->ndm_family != AF_INET && info->ndm_family != AF_INET6) ||
	    nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, NDA_MAX, NULL) < 0 ||
	    !net_address(address, sizeof address, info->ndm_family, a[NDA_DST]))
		return;
	struct net_neighbour *row = GROW(&found->rows, &found->n);
	row->index = info->ndm_ifindex;
	memcpy(row->address, address, sizeof address);
	net_mac(row->mac, a[NDA_LLADDR]);
	snprintf(row->state, sizeof row->state, "%s", state_word(info->ndm_state));
	row->router = info->ndm_flags & NTF_ROUTER;
}

int net_neighbours(struct place *p, struct net_neighbour **neighbours, size_t *n, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct ndmsg head = { .ndm_family = AF_UNSPEC };
	struct neighbours found = { 0 };

	if (!c)
		return -1;
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETNEIGH, NLM_F_DUMP, &head, sizeof head);
	int number = net_ask(c, m, on_neighbour, &found);
	if (number) {
		free(found.rows);
		return net_unread(p, "neighbours", number, c, err);
	}
	*neighbours = found.rows;
	*n = found.n;
	return 0;
}

/* ---- routes ---- */

struct table {
	struct net_conn *conn;
	struct net_table_route *rows;
	size_t n, kept;        /* kept: of the family that was read before */
};

static void word_of(char *text, size_t room, const char *const *words, size_t n, unsigned which)
{
	if (which < n && words[which])
		snprintf(text, room, "%s", words[which]);
	else
		snprintf(text, room, "%u", which);
}

static void read_route(const struct rtmsg *info, struct nlattr **a, struct net_conn *c, struct net_table_route *r)
{
	static const char *const kinds[] = { "unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable",
					     "prohibit", "throw", "nat" };
	static const char *const makers[] = { [RTPROT_REDIRECT] = "redirect", [RTPROT_KERNEL] = "kernel", [RTPROT_BOOT] = "boot",
					      [RTPROT_STATIC] = "static", [RTPROT_RA] = "ra", [RTPROT_DHCP] = "dhcp" };
	char text[64];
	int dev = net_number(a[RTA_OIF], 0);

	if (net_address(text, sizeof text, info->rtm_family, a[RTA_DST]))
		snprintf(r->to, sizeof r->to, "%.50s/%u", text, (unsigned)info->rtm_dst_len);
	else
		snprintf(r->to, sizeof r->to, "default");
	net_address(r->via, sizeof r->via, info->rtm_family, a[RTA_GATEWAY]);
	net_address(r->from, sizeof r->from, info->rtm_family, a[RTA_PREFSRC]);
	if (dev <= 0 || !net_name(c, dev, r->dev))
		r->dev[0] = '\0';
	word_of(r->kind, sizeof r->kind, kinds, ARRAY_SIZE(kinds), info->rtm_type);
	word_of(r->maker, sizeof r->maker, makers, ARRAY_SIZE(makers), info->rtm_protocol);
	r->table = (unsigned)net_number(a[RTA_TABLE], info->rtm_table);
	r->metric = (unsigned)net_number(a[RTA_PRIORITY], 0);
}

static void on_route(const struct nlmsghdr *head, void *arg)
{
	struct table *found = arg;
	struct nlattr *a[RTA_MAX + 1];

	if (!head) {
		found->n = found->kept;
		return;
	}
	const struct rtmsg *info = nlmsg_data(head);
	/* Routes that only remember what was asked (IPv6 exceptions) are clones. */
	if (head->nlmsg_type != RTM_NEWROUTE || (info->rtm_flags & RTM_F_CLONED) || info->rtm_type == RTN_MULTICAST ||
	    nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, RTA_MAX, NULL) < 0 ||
	    net_number(a[RTA_TABLE], info->rtm_table) == RT_TABLE_LOCAL)
		return;
	read_route(info, a, found->conn, GROW(&found->rows, &found->n));
}

int net_table(struct place *p, struct net_table_route **routes, size_t *n, struct err *err)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	struct net_conn *c = net_open(p, err);
	struct table found = { .conn = c };

	if (!c)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct rtmsg head = { .rtm_family = families[i] };
		_cleanup_message_ struct nl_msg *m = net_message(RTM_GETROUTE, NLM_F_DUMP, &head, sizeof head);
		found.kept = found.n;
		int number = net_ask(c, m, on_route, &found);
		/* A kernel without IPv6 has no routes of it. */
		if (number && number != EOPNOTSUPP && number != EAFNOSUPPORT) {
			free(found.rows);
			return net_unread(p, "routes", number, c, err);
		}
	}
	*routes = found.rows;
	*n = found.n;
	return 0;
}

int net_routes(struct place *p, struct net_route **routes, size_t *n, struct err *err)
{
	_cleanup_free_ struct net_table_route *all = NULL;
	size_t n_all = 0;

	*routes = NULL;
	*n = 0;
	if (net_table(p, &all, &n_all, err) < 0)
		return -1;
	for (size_t i = 0; i < n_all; i++) {
		const struct net_table_route *from = &all[i];
		if (from->table != RT_TABLE_MAIN || !streq(from->kind, "unicast") || streq(from->maker, "kernel") || streq(from->maker, "ra"))
			continue;
		struct net_route *r = GROW(routes, n);
		memcpy(r->to, from->to, sizeof r->to);
		memcpy(r->via, from->via, sizeof r->via);
		memcpy(r->dev, from->dev, sizeof r->dev);
	}
	return 0;
}
