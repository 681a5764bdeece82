/*
 * network.c - commands: bridge link unlink addr route up down links
 */
#include "config.h"

#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/network.h"

static int run_bridge(struct shell *sh, const struct args *a, struct err *err)
{
	return network_bridge(sh->session, arg_text(a, "NAME"), arg_text(a, "ADDRESS"), arg_has(a, "host"), err);
}

/* "10.0.0.1/32 peer 10.0.0.2", as a step has it; NULL when no peer was named. The caller's to free. */
static char *with_peer(const struct args *a, const char *own, const char *other)
{
	const struct value *v = arg(a, own);

	return v && arg(a, other) ? xasprintf("%s/%d peer %s", v->text, v->num == AF_INET ? 32 : 128, arg_text(a, other)) : NULL;
}

static int run_link(struct shell *sh, const struct args *a, struct err *err)
{
	_cleanup_free_ char *near = with_peer(a, "LOCAL", "PEER"), *far = with_peer(a, "PEER", "LOCAL");
	struct link_wish wish = {
		.ends = { arg_text(a, "A"), arg_text(a, "B") },
		.addresses = { near ? near : arg_text(a, "ADDRESS"), far ? far : arg_text(a, "OTHER") },
		.bare = arg_has(a, "noaddr"),
		.mac = arg_text(a, "MAC"),
		.mtu = arg_num(a, "N", 0),
	};

	return network_link(sh->session, &wish, err);
}

/* The current sandbox, if there is one: what is named fully, or is in the lab, needs none. */
static struct sandbox *current(struct shell *sh)
{
	struct err none = { 0 };

	return shell_sandbox(sh, &none);
}

static int run_unlink(struct shell *sh, const struct args *a, struct err *err)
{
	return network_unlink(sh->session, current(sh), arg_text(a, "LINK"), err);
}

static int run_addr(struct shell *sh, const struct args *a, struct err *err)
{
	_cleanup_free_ char *peer = with_peer(a, "LOCAL", "PEER");

	return network_addr(sh->session, current(sh), arg_text(a, "LINK"), peer ? peer : arg_text(a, "ADDRESS"), !arg_has(a, "del"), err);
}

static int run_up(struct shell *sh, const struct args *a, struct err *err)
{
	return network_up(sh->session, current(sh), arg_text(a, "LINK"), true, err);
}

static int run_down(struct shell *sh, const struct args *a, struct err *err)
{
	return network_up(sh->session, current(sh), arg_text(a, "LINK"), false, err);
}

static int list_routes(struct shell *sh, struct sandbox *sb, struct err *err)
{
	static const struct column columns[] = { { "TO", "to", COL_TEXT }, { "VIA", "via", COL_TEXT }, { "DEV", "dev", COL_TEXT } };
	_cleanup_free_ struct net_route *routes = NULL;
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	size_t n;

	if (network_routes(sb, &routes, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, routes[i].to);
		table_cell(t, routes[i].via[0] ? routes[i].via : NULL);
		table_cell(t, routes[i].dev[0] ? routes[i].dev : NULL);
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_route(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	if (a->n == 0)
		return list_routes(sh, sb, err);
	const char *to = arg_has(a, "default") ? "default" : arg_text(a, "TO");
	return network_route(sb, to, arg_text(a, "GATEWAY"), arg_text(a, "LINK"), !arg_has(a, "del"), err);
}

static void link_row(struct table *t, const struct network_row *row)
{
	table_row(t);
	table_cell(t, row->where);
	table_cell(t, row->link.name);
	table_cell(t, row->link.kind[0] ? row->link.kind : NULL);
	table_cell(t, !row->link.up ? "down" : row->link.carrier ? "up" : "no carrier");
	table_cell(t, row->addresses[0] ? row->addresses : NULL);
	table_cell(t, row->peer);
	table_cell(t, row->bridge);
	table_cell(t, row->link.mac[0] ? row->link.mac : NULL);
	table_fmt(t, "%d", row->link.mtu);
}

static int run_links(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "SANDBOX", "sandbox", COL_TEXT }, { "LINK", "link", COL_TEXT },     { "KIND", "kind", COL_TEXT },
		{ "STATE", "state", COL_TEXT },     { "ADDRESSES", "addresses", COL_LIST }, { "OTHER END", "peer", COL_TEXT },
		{ "BRIDGE", "bridge", COL_TEXT },   { NULL, "mac", COL_TEXT },        { NULL, "mtu", COL_NUMBER },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	const struct sandbox *sb = current(sh);
	struct network_row *rows;
	size_t n;
	const char *of = a->n ? a->values[0].text : sb && sb->place.own[NS_NET] ? sb->name : "all";

	if (network_links(sh->session, of, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		link_row(t, &rows[i]);
	network_free_rows(rows, n);
	table_print(t, sh->out, sh->json);
	return 0;
}

/* ---- types ---- */

static int parse_name(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	return net_name_check(v->text, err);
}

/* Whether it is there is known only when the command runs; what holds a slash is an address. */
static int parse_link(struct shell *sh, struct value *v, struct err *err)
{
	const char *colon = strchr(v->text, ':');

	(void)sh;
	return net_name_check(colon ? colon + 1 : v->text, err);
}

/* Names of the session's links: bare for the current sandbox and for bridges, and with the name of the place before them. */
static void complete_links(struct shell *sh, const char *prefix, bool bridges, void (*add)(void *arg, const char *text), void *arg)
{
	const struct sandbox *sb = current(sh);
	struct network_row *rows;
	struct err none = { 0 };
	size_t n;

	if (network_links(sh->session, "all", &rows, &n, &none) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *full = xasprintf("%s:%s", rows[i].where, rows[i].link.name);
		bool bridge = streq(rows[i].link.kind, "bridge");
		if ((bridge || (!bridges && sb && streq(rows[i].where, sb->name))) && starts_with(rows[i].link.name, prefix))
			add(arg, rows[i].link.name);
		if (!bridges && strchr(prefix, ':') && starts_with(full, prefix))
			add(arg, full);
	}
	network_free_rows(rows, n);
}

static void complete_link(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	complete_links(sh, prefix, false, add, arg);
}

static void complete_end(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	for (size_t i = 0; i < sh->session->n_sandboxes; i++)
		if (starts_with(sh->session->sandboxes[i]->name, prefix))
			add(arg, sh->session->sandboxes[i]->name);
	if (starts_with("host", prefix))
		add(arg, "host");
	complete_links(sh, prefix, true, add, arg);
}

const struct type network_name = { .name = "linkname", .what = "the name of a link, at most 15 bytes, such as br0", .parse = parse_name };
const struct type network_there = { .name = "link", .what = "a link such as eth0 or web:eth0", .parse = parse_link,
				    .complete = complete_link };
const struct type network_end = { .name = "end", .what = "a sandbox, a bridge or host, perhaps with a name such as web:eth1",
				  .complete = complete_end };

/* ---- commands ---- */

const struct command cmd_network[] = {
	{ "bridge", "network", "make a bridge, a switch that sandboxes are linked to", "NAME:linkname [ADDRESS:cidr] [host]",
	  "A bridge lives in the lab, a net namespace of the session in which no program runs, so that nothing of it is seen on the host. With an "
	  "address the bridge itself can be reached, as a router's port could, and its subnet is a pool that *link* hands out addresses of. With "
	  "*host* it is made on the host, and goes when the session ends.",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nrun ping -c 1 -W 5 10.0.0.1\n", 0, run_bridge },
	{ "link", "network", "lay a cable between two sandboxes, or from one to a bridge or the host", 
	  "A[:IF]:end B[:IF]:end [noaddr | LOCAL:address peer PEER:address | ADDRESS:cidr [OTHER:cidr]] [mtu N:number] [mac MAC:word]",
	  "Each end is a sandbox with a *net* namespace of its own, a bridge, or *host*. Inside a sandbox the link is called eth0, then eth1 and so "
	  "on, unless a name is given: `web:lan`. At a bridge and on the host it is called after the other end: `web.eth0`. Both ends are brought "
	  "up. A first address goes to the first end, a second one to the other; a link to a bridge takes one, for the end that is not at the "
	  "bridge. Without one, that end gets a free address of each of the bridge's subnets, or none with *noaddr*. Addresses of a bridge are its "
	  "own, see *bridge* and *addr*. With *peer* the two ends get one address each and need no subnet; a /31 serves as well. *mtu* is the longest "
	  "packet of both ends, *mac* the hardware address of the first end that is not at a bridge.\n\n"
	  "The link is a veth pair: it goes when either end is deleted, or its sandbox ends.\n\n"
	  "If `host:NAME` is a link that the host has already, no pair is made: that one moves into the sandbox. It comes home, with the name, "
	  "addresses, routes and state that it had, when it is unlinked, and with the end of the sandbox or session, whatever ends it. Its settings below "
	  "/proc/sys/net and its queues are then those of a new link. The link that the host's default route goes over stays.",
	  "new a\nunshare net\nnew b\nunshare net\nlink a b 10.0.0.1/24 10.0.0.2/24\nrun ping -c 1 -W 5 10.0.0.1\n"
	  "link a b 10.9.0.1 peer 10.9.0.2 mtu 1400 mac 02:00:00:00:00:0a\nrun ping -c 1 -W 5 10.9.0.1\n", 0, run_link },
	{ "unlink", "network", "delete a link or a bridge", "LINK:link",
	  "Deleting one end of a link deletes the other as well. *LINK* is a link of the sandbox, or a bridge of the lab; `NAME:LINK` names one of "
	  "another sandbox, of the *lab* or, if this session made it, of the *host*.",
	  "bridge br0\nnew web\nunshare net\nlink web br0\nunlink web:eth0\nunlink br0\n", 0, run_unlink },
	{ "addr", "network", "give a link an address, or take it away", "[del] [LINK:link] (LOCAL:address peer PEER:address | ADDRESS:cidr)",
	  "Without *LINK*, the only one the sandbox has. With *peer* the link leads to that one address. IPv6 addresses can be used at once: belljar does not wait for the network to object. When the "
	  "last IPv4 address goes, the routes over that link go with it; *undo* brings all of them back. The kernel would take the other addresses "
	  "of a subnet away together with the first one; belljar puts them back.",
	  "bridge br0\naddr br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 noaddr\naddr 10.0.0.2/24\naddr eth0 fd00::2/64\naddr del eth0 10.0.0.2/24\n",
	  0, run_addr },
	{ "route", "network", "add, delete or list routes of the sandbox", "[[del] (default | TO:cidr) [via GATEWAY:address] [dev LINK:linkname]]",
	  "The gateway must be in the subnet of an address on a link that is up. Without arguments the routes are listed, without those that an "
	  "address brings by itself.",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nroute default via 10.0.0.1\nroute 10.9.0.0/16 via 10.0.0.7 dev eth0\n"
	  "route\nroute del default\n", 0, run_route },
	{ "up", "network", "bring a link up", "LINK:link", "*LINK* is named as in *unlink*.",
	  "new web\nunshare net\ndown lo\nup lo\n", 0, run_up },
	{ "down", "network", "bring a link down", "LINK:link",
	  "Routes over the link go, and its IPv6 addresses; *up* does not bring them back, *undo* does. *LINK* is named as in *unlink*.",
	  "bridge br0\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nroute default via 10.0.0.1\ndown eth0\nundo\nroute\n", 0, run_down },
	{ "links", "network", "list links with their addresses and other ends", "[NAME:sandbox | all | lab | host]",
	  "Without a name, those of the current sandbox if it has a *net* namespace of its own, else all. Of the host's links only those of this session "
	  "are listed. Loopback is left out, and so are addresses the kernel gives by itself.",
	  "bridge br0\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nlinks\nlinks all\n", CMD_NO_UNDO, run_links },
	{ .name = NULL },
};
