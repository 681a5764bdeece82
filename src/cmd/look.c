/*
 * look.c - commands: addrs routes neighbours graph capture path
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/draw.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/network_capture.h"
#include "sandbox/network_list.h"
#include "sandbox/network_path.h"

/* Whose: what was typed, else the current sandbox if it has a network of its own, else all. */
static const char *whose(struct shell *sh, const struct args *a)
{
	struct err none = { 0 };
	const struct sandbox *sb = a->n ? NULL : shell_sandbox(sh, &none);

	return a->n ? a->values[0].text : sb && sb->place.own[NS_NET] ? sb->name : "all";
}

static int run_addrs(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "SANDBOX", "sandbox", COL_TEXT }, { "LINK", "link", COL_TEXT },          { "ADDRESS", "address", COL_TEXT },
		{ NULL, "peer", COL_TEXT },         { "BY", "by", COL_TEXT },           { NULL, "secondary", COL_BOOL },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ struct network_addr_row *rows = NULL;
	size_t n;

	if (network_addrs(sh->session, whose(sh, a), &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, rows[i].where);
		table_cell(t, rows[i].link);
		table_cell(t, sh->json ? rows[i].addr.cidr : rows[i].addr.text);
		table_cell(t, rows[i].addr.peer[0] ? rows[i].addr.peer : NULL);
		table_cell(t, rows[i].addr.automatic ? "kernel" : "user");
		table_cell(t, rows[i].addr.secondary ? "yes" : "no");
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

static void text_or_none(struct table *t, const char *text)
{
	table_cell(t, text[0] ? text : NULL);
}

static int run_routes(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "SANDBOX", "sandbox", COL_TEXT }, { "TO", "to", COL_TEXT },     { "VIA", "via", COL_TEXT },      { "DEV", "dev", COL_TEXT },
		{ "FROM", "from", COL_TEXT },       { "KIND", "kind", COL_TEXT }, { "BY", "by", COL_TEXT },        { NULL, "metric", COL_NUMBER },
		{ NULL, "table", COL_NUMBER },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ struct network_route_row *rows = NULL;
	size_t n;

	if (network_all_routes(sh->session, whose(sh, a), &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct net_table_route *r = &rows[i].route;
		table_row(t);
		table_cell(t, rows[i].where);
		table_cell(t, r->to);
		text_or_none(t, r->via);
		text_or_none(t, r->dev);
		text_or_none(t, r->from);
		table_cell(t, r->kind);
		table_cell(t, r->maker);
		table_fmt(t, "%u", r->metric);
		table_fmt(t, "%u", r->table);
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_neighbours(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "SANDBOX", "sandbox", COL_TEXT }, { "LINK", "link", COL_TEXT },   { "ADDRESS", "address", COL_TEXT },
		{ "MAC", "mac", COL_TEXT },         { "STATE", "state", COL_TEXT }, { NULL, "router", COL_BOOL },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ struct network_neighbour_row *rows = NULL;
	size_t n;

	if (network_neighbours(sh->session, whose(sh, a), &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, rows[i].where);
		table_cell(t, rows[i].link);
		table_cell(t, rows[i].neighbour.address);
		text_or_none(t, rows[i].neighbour.mac);
		table_cell(t, rows[i].neighbour.state);
		table_cell(t, rows[i].neighbour.router ? "yes" : "no");
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_graph(struct shell *sh, const struct args *a, struct err *err)
{
	_cleanup_(network_graph_free) struct graph g;

	if (network_graph(sh->session, &g, err) < 0)
		return -1;
	if (arg_has(a, "dot"))
		draw_dot(&g, sh->out);
	else if (arg_has(a, "svg"))
		draw_svg(&g, sh->out);
	else if (sh->json)
		draw_json(&g, sh->out);
	else
		draw_text(&g, sh->out);
	return 0;
}

static int run_capture(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = { { "FILE", "file", COL_TEXT }, { "PACKETS", "packets", COL_NUMBER }, { "LOST", "lost", COL_NUMBER } };
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	struct capture_wish w = { .link = arg_text(a, "LINK"), .file = arg_text(a, "FILE"), .count = arg_num(a, "N", 0), .ns = arg_num(a, "TIME", 0) };
	struct err none = { 0 };

	if ((arg_has(a, "count") && !w.count) || (arg_has(a, "for") && !w.ns))
		return err_usage(err, "%s: more than 0", arg_has(a, "count") && !w.count ? "count" : "for");
	if (network_capture(sh->session, shell_sandbox(sh, &none), &w, err) < 0)
		return -1;
	if (sh->session->gate.dry)
		return 0;
	table_row(t);
	table_cell(t, w.file);
	table_fmt(t, "%lld", (long long)w.packets);
	table_fmt(t, "%lld", (long long)w.lost);
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_path(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "WHERE", "where", COL_TEXT }, { "ASKED", "asked", COL_TEXT }, { "ANSWER", "answer", COL_TEXT }, { NULL, "stops", COL_BOOL },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_(network_path_free) struct path path = { 0 };
	const struct path_row *stop = NULL;

	struct sandbox *from = sandbox_find(sh->session, arg_text(a, "FROM"), err);
	if (!from || network_path(from, arg_text(a, "TO"), (unsigned)arg_num(a, "PORT", 0), &path, err) < 0)
		return -1;
	if (sh->session->gate.dry)
		return 0;
	for (size_t i = 0; i < path.n; i++) {
		table_row(t);
		table_cell(t, path.rows[i].where);
		table_cell(t, path.rows[i].asked);
		table_cell(t, path.rows[i].says);
		table_cell(t, path.rows[i].stops ? "yes" : "no");
		if (path.rows[i].stops && !stop)
			stop = &path.rows[i];
	}
	table_print(t, sh->out, sh->json);
	if (path.arrives || !stop)
		return 0;
	return err_set(err, EHOSTUNREACH, "it stops at %s: %s", stop->where, stop->says);
}

const struct command cmd_look[] = {
	{ "addrs", "network", "list the addresses of links", "[NAME:sandbox | all | lab | host]",
	  "As *links* chooses them, but one address a line, and with those that the kernel gives by itself (*by* kernel: link-local ones, and those "
	  "that a router announced).",
	  "new web\nunshare net\nbridge br0 10.0.0.1/24\nlink web br0 10.0.0.2/24\naddrs\naddrs all\n", CMD_NO_UNDO, run_addrs },
	{ "routes", "network", "list routes", "[NAME:sandbox | all | lab | host]",
	  "All that decides where packets go, but the table of the own addresses: routes of the user (*by* boot, as `ip route` calls it), those that an "
	  "address brings (*by* kernel), those that a router announced (*by* ra), and those that only refuse (*kind* blackhole, unreachable, "
	  "prohibit). *from* is the address that packets get which have none. Of the host, only routes over links of this session.",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nroute default via 10.0.0.1\nroutes\nroutes all\n", CMD_NO_UNDO,
	  run_routes },
	{ "neighbours", "network", "list whose hardware addresses are known", "[NAME:sandbox | all | lab | host]",
	  "Before a packet goes out over a link, the kernel asks there who has the next address (ARP, or IPv6 neighbour discovery) and remembers the "
	  "answer. *state* tells how sure it is: reachable, stale (not confirmed for a while; still used), incomplete (asked, no answer yet), failed "
	  "(nobody answers), permanent (set by hand).",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nrun ping -c 1 -W 5 10.0.0.1\nneighbours all\n", CMD_NO_UNDO,
	  run_neighbours },
	{ "graph", "network", "draw sandboxes, links, bridges and addresses", "[text | dot | svg]",
	  "As text for the terminal; as *dot*, the language of graphviz; or as *svg*, a picture for a browser that needs nothing else. Links that are "
	  "down are said to be, and drawn dashed. Of the host, only what this session made there. With `--json`, nodes and edges.",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nnew db\nunshare net\nlink db br0 10.0.0.3/24\nlink web db 10.1.0.1/24 "
	  "10.1.0.2/24\ngraph\ngraph dot | cat\n", CMD_NO_UNDO, run_graph },
	{ "capture", "network", "write the packets that pass over a link into a file", "LINK:link FILE:path [count N:number | for TIME:time]...",
	  "Until *N* packets have passed, or for a while, or until Ctrl-C, whichever comes first. *FILE* is on the host; it is in pcap-ng, which tcpdump "
	  "and wireshark read: nanoseconds, the name of the link, and for each packet its direction as the end that was named sees it. Only root (or who "
	  "started belljar) can read it. *LINK* is named as in *unlink*; the bridge itself, `lab:br0`, sees what is sent to it and what it floods, its "
	  "ports see all. How many packets the kernel had no room for is told.",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nrun -d ping -c 50 -i 0.2 10.0.0.1\n"
	  "capture eth0 /tmp/belljar-example.pcap count 2 for 5s\n!rm /tmp/belljar-example.pcap\n", CMD_NO_UNDO, run_capture },
	{ "path", "network", "find out where a packet stops", "FROM:sandbox TO:word [PORT:port]",
	  "What each place on the way would do with a packet is asked of the kernel: the route it takes (*route*), whether the next machine is known "
	  "(*neighbour*), what is at the other end of the link (*link*), to which port a bridge hands it (*bridge*), whether a router forwards "
	  "(*forwarding*). Then a real packet is sent from inside (*probe*): an echo request, or with *PORT* a TCP connection; if a rule of nftables drops "
	  "it, or its answer, anywhere on the way, that rule is named (*rule*). If nothing answers, packets that may pass one router, two and so on tell "
	  "how far they come. The command fails when the packet stops, and names the first place where it does.",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nnew db\nunshare net\nlink db br0 10.0.0.3/24\npath web db\n"
	  "path web 10.0.0.1\n", CMD_NO_UNDO, run_path },
	{ .name = NULL },
};
