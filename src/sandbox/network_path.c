/*
 * network_path.c - the way of a packet, and where it would stop
 *
 * The packet is thought from place to place. What each would do with it the kernel is asked: its routes, its neighbours, the other end of a link,
 * the ports of a bridge, the switch for forwarding. What rules of nftables would do only a real packet shows (kern/probe_trace.h), so one is
 * sent in the end, while all the places on the way are watched.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <stdarg.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/net.h"
#include "kern/nft.h"
#include "kern/probe.h"
#include "sandbox/network.h"
#include "sandbox/network_list.h"
#include "sandbox/network_look.h"
#include "sandbox/network_path.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"

enum { HOPS_LIMIT = 64, ANSWER_MS = 1000, HOP_MS = 300 };

struct walk {
	struct session *session;
	struct path *path;
	struct network_row *links;
	size_t n_links;
	struct network_place *places;
	size_t n_places;
	struct net_packet packet;
	unsigned port;         /* TCP, 0 = none; with the packet's address changed where a published port is */
	const struct network_place *at;
	int in;                /* index of the link that it came in by, 0 = it begins here */
	struct place *visited[HOPS_LIMIT];
	size_t n_visited;
	struct {
		const struct network_place *at;
		int in;
	} routed[HOPS_LIMIT];          /* where it was routed before */
	int routers;
	bool over;             /* it arrived, stops, or leaves what can be seen */
};

static void say(struct walk *w, const char *asked, bool stops, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void say(struct walk *w, const char *asked, bool stops, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	*GROW(&w->path->rows, &w->path->n) = (struct path_row){ w->at->name, asked, xstrdup(text), stops };
	w->over = w->over || stops;
}

static void visit(struct walk *w)
{
	for (size_t i = 0; i < w->n_visited; i++)
		if (w->visited[i] == w->at->place)
			return;
	if (w->n_visited < ARRAY_SIZE(w->visited))
		w->visited[w->n_visited++] = w->at->place;
}

/* ---- links and who is on them ---- */

static const struct network_row *link_named(const struct walk *w, const char *where, const char *name)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (streq(w->links[i].where, where) && streq(w->links[i].link.name, name))
			return &w->links[i];
	return NULL;
}

/* The link at the other end, NULL when it is not of this session. */
static const struct network_row *peer_of(const struct walk *w, const struct network_row *link)
{
	char where[NAME_LONGEST + 1], name[IFNAMSIZ];
	struct err none = { 0 };

	return link->peer && network_split(link->peer, where, name, &none) == 0 ? link_named(w, where, name) : NULL;
}

static bool has_address(const struct network_row *link, const char *address)
{
	size_t n = strlen(address);

	for (const char *at = link->addresses; *at; at += strcspn(at, " "), at += *at == ' ')
		if (strncmp(at, address, n) == 0 && (at[n] == '/' || at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static const struct network_place *place_named(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->n_places; i++)
		if (streq(w->places[i].name, name))
			return &w->places[i];
	return NULL;
}

static void arrive(struct walk *w, const struct network_row *link)
{
	w->at = place_named(w, link->where);
	w->in = link->link.index;
	visit(w);
}

/* What the place knows of the next machine; "" when it has not asked yet. */
static int neighbour(struct walk *w, int dev, const char *address, struct net_neighbour *found, struct err *err)
{
	_cleanup_free_ struct net_neighbour *rows = NULL;
	size_t n = 0;

	*found = (struct net_neighbour){ 0 };
	if (net_api(NULL)->neighbours(w->at->place, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (rows[i].index == dev && streq(rows[i].address, address))
			*found = rows[i];
	return 0;
}

/* ---- bridges ---- */

static bool may_pass(struct walk *w, const struct network_row *port, struct net_port *is, struct err *err)
{
	static const char *const states[] = { "disabled", "listening", "learning", "forwarding", "blocking" };

	if (net_api(NULL)->port(w->at->place, port->link.index, is, err) < 0)
		return false;
	if (is->state != BR_STATE_FORWARDING)
		say(w, "bridge", true, "the port %s of %s is %s", port->link.name, port->bridge,
		    (size_t)is->state < ARRAY_SIZE(states) ? states[is->state] : "not forwarding");
	else if (is->filters_vlans && !is->pvid)
		say(w, "bridge", true, "the port %s of %s drops what has no VLAN tag", port->link.name, port->bridge);
	return true;
}

/* The port behind which the next machine is: as the bridge has learnt it, else by its address. */
static int find_port(struct walk *w, const struct network_row *bridge, const char *next, const char *mac, const struct network_row **port,
		     bool *learnt, struct err *err)
{
	int index = 0;

	*port = NULL;
	*learnt = false;
	if (mac[0] && net_api(NULL)->learnt(w->at->place, bridge->link.index, mac, &index, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n_links; i++) {
		const struct network_row *l = &w->links[i], *peer;
		if (!streq(l->where, w->at->name) || !l->bridge || !streq(l->bridge, bridge->link.name))
			continue;
		if (l->link.index == index) {
			*learnt = true;
			*port = l;
			return 0;
		}
		if (!*port && (peer = peer_of(w, l)) && has_address(peer, next))
			*port = l;
	}
	return 0;
}

/* Out of the bridge towards the machine NEXT; IN is the port it came in by, NULL = the place itself sends. */
static int cross(struct walk *w, const struct network_row *bridge, const struct network_row *in, const char *next, const char *mac, struct err *err)
{
	const struct network_row *port;
	struct net_port is = { .isolated = false }, was = { .isolated = false };
	bool learnt;

	if (!bridge->link.up) {
		say(w, "bridge", true, "%s is down", bridge->link.name);
		return 0;
	}
	if (in && !may_pass(w, in, &was, err))
		return -1;
	if (w->over)
		return 0;
	if (in && has_address(bridge, next)) {
		say(w, "bridge", false, "%s from %s to %s itself", bridge->link.name, in->link.name, w->at->name);
		w->in = bridge->link.index;
		return 0;
	}
	if (find_port(w, bridge, next, mac, &port, &learnt, err) < 0)
		return -1;
	if (!port || port == in) {
		say(w, "bridge", true, "nobody at %s has the address %s", bridge->link.name, next);
		return 0;
	}
	if (!port->link.up) {
		say(w, "bridge", true, "%s: the port %s is down", bridge->link.name, port->link.name);
		return 0;
	}
	if (!may_pass(w, port, &is, err))
		return -1;
	if (w->over)
		return 0;
	if (in && is.isolated && was.isolated) {
		say(w, "bridge", true, "the ports %s and %s of %s are isolated from each other", in->link.name, port->link.name, bridge->link.name);
		return 0;
	}
	if (is.filters_vlans && in && is.pvid != was.pvid) {
		say(w, "bridge", true, "%s: %s is in VLAN %d, %s in VLAN %d", bridge->link.name, in->link.name, was.pvid, port->link.name, is.pvid);
		return 0;
	}
	const struct network_row *peer = peer_of(w, port);
	say(w, "bridge", false, "%s%s%s to %s%s", bridge->link.name, in ? " from " : "", in ? in->link.name : "", port->link.name,
	    learnt ? "" : " (not learnt yet: to all ports)");
	if (!peer) {
		w->over = true;
		return 0;
	}
	arrive(w, peer);
	return 0;
}

/* ---- from place to place ---- */

/* Out by the link DEV, to the machine NEXT. */
static int leave(struct walk *w, const struct net_way *way, const char *next, struct err *err)
{
	const struct network_row *link = link_named(w, w->at->name, way->dev_name), *peer;
	struct net_neighbour known;

	if (neighbour(w, way->dev, next, &known, err) < 0)
		return -1;
	if (streq(known.state, "failed")) {
		/* It is asked anew with each packet: what it was then is not what it is now. */
		say(w, "neighbour", false, "nobody answered for %s over %s before", next, way->dev_name);
	} else if (known.mac[0]) {
		say(w, "neighbour", false, "%s is %s (%s)", next, known.mac, known.state);
	}
	if (!link) {
		say(w, "link", false, "it leaves by %s, which is not of this session", way->dev_name);
		w->over = true;
		return 0;
	}
	if (!link->link.up) {
		say(w, "link", true, "%s is down", link->link.name);
		return 0;
	}
	if (streq(link->link.kind, "bridge"))
		return cross(w, link, NULL, next, known.mac, err);
	if (!(peer = peer_of(w, link))) {
		say(w, "link", false, "it leaves by %s, whose other end is not of this session", way->dev_name);
		w->over = true;
		return 0;
	}
	if (!peer->link.up) {
		say(w, "link", true, "the other end of %s, %s, is down", link->link.name, link->peer);
		return 0;
	}
	say(w, "link", false, "%s to %s", link->link.name, link->peer);
	arrive(w, peer);
	if (!peer->bridge)
		return 0;
	const struct network_row *bridge = link_named(w, peer->where, peer->bridge);
	return bridge ? cross(w, bridge, peer, next, known.mac, err) : 0;
}

static const char *cause(int number)
{
	return number == ENETUNREACH ? "there is no route" : number == EHOSTUNREACH ? "the route says unreachable" :
		number == EACCES ? "the route says prohibited" : number == EINVAL ? "the route throws it away (blackhole), or its sender's address is bad" :
		number == EXDEV ? "it came in by another link than answers would leave by (rp_filter)" : strerror(number);
}

/* Is it a rule of publish that is for this packet? TARGET is where it sends it ("10.0.0.2:80", "[fd00::2]:80"). */
static bool is_published(const struct walk *w, const struct nft_row *row, const char *to, bool local, char target[96])
{
	char where[96];
	unsigned port;

	if (!starts_with(row->text, w->in ? "prerouting " : "output ") || !strstr(row->text, " tcp dport ") ||
	    sscanf(strstr(row->text, " tcp dport "), " tcp dport %u dnat %*s to %95s", &port, target) != 2 || port != w->port)
		return false;
	if (strstr(row->text, " fib daddr type local "))
		return local;
	const char *daddr = strstr(row->text, " daddr ");
	return daddr && sscanf(daddr, " daddr %95s", where) == 1 && streq(where, to);
}

/* A published port: the packet goes on to another address and port. 1 it does, 0, or -1 with err. */
static int translate(struct walk *w, const char *to, bool local, struct err *err)
{
	_cleanup_free_ struct nft_row *rows = NULL;
	char target[96], address[INET6_ADDRSTRLEN] = "";
	size_t n = 0;

	if (!w->port || w->at->place != &w->session->host)
		return 0;
	if (nft_rows(w->at->place, NFPROTO_INET, NULL, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *colon;
		if (!is_published(w, &rows[i], to, local, target) || !(colon = strrchr(target, ':')))
			continue;
		bool brackets = target[0] == '[';
		snprintf(address, sizeof address, "%.*s", (int)(colon - target) - 2 * brackets, target + brackets);
		if (inet_pton(w->packet.family, address, w->packet.to) != 1)
			continue;
		w->port = (unsigned)strtoul(colon + 1, NULL, 10);
		say(w, "rule", false, "\"%s\" sends it on to %s", rows[i].tag, target);
		return 1;
	}
	return 0;
}

/* The sender is the host from here on. */
static int take_own_address(struct walk *w, struct err *err)
{
	struct net_way own;

	w->packet.from_known = false;
	if (net_api(NULL)->way(w->at->place, &w->packet, 0, &own, err) < 0)
		return -1;
	w->packet.from_known = inet_pton(w->packet.family, own.from, w->packet.from) == 1;
	return 0;
}

/* What came out of the host behind a published port has the host's address by then, where its answer would not come back else. */
static int masquerade(struct walk *w, const struct net_way *way, struct err *err)
{
	_cleanup_free_ struct nft_row *rows = NULL;
	char from[INET6_ADDRSTRLEN], subnet[96], link[64], end[64];
	size_t n = 0;

	if (w->at->place != &w->session->host)
		return 0;
	if (nft_rows(w->at->place, NFPROTO_INET, NULL, &rows, &n, err) < 0)
		return -1;
	inet_ntop(w->packet.family, w->packet.from, from, sizeof from);
	snprintf(end, sizeof end, "\"%s\"", way->dev_name);
	for (size_t i = 0; i < n; i++) {
		const char *saddr = strstr(rows[i].text, " saddr "), *oif = strstr(rows[i].text, " oifname ");
		if (!starts_with(rows[i].text, "postrouting ") || !saddr || !oif || sscanf(saddr, " saddr %95s", subnet) != 1)
			continue;
		bool other = sscanf(oif, " oifname != %63s", link) == 1;
		if ((!other && sscanf(oif, " oifname %63s", link) != 1) || streq(link, end) == other || !pool_is_inside(from, subnet))
			continue;
		say(w, "rule", false, "\"%s\" gives it the host's own address as its sender", rows[i].tag);
		return take_own_address(w, err);
	}
	return 0;
}

static int route(struct walk *w, struct err *err)
{
	const struct net_api *net = net_api(NULL);
	char to[INET6_ADDRSTRLEN];
	struct net_way way;
	bool forwards = true;

	inet_ntop(w->packet.family, w->packet.to, to, sizeof to);
	if (net->way(w->at->place, &w->packet, w->in, &way, err) < 0)
		return -1;
	int elsewhere = translate(w, to, !way.number && streq(way.kind, "local"), err);
	if (elsewhere < 0)
		return -1;
	if (elsewhere) {
		inet_ntop(w->packet.family, w->packet.to, to, sizeof to);
		if (net->way(w->at->place, &w->packet, w->in, &way, err) < 0)
			return -1;
	}
	if (!way.number && streq(way.kind, "local")) {
		say(w, "address", false, "%s is its own", to);
		w->over = true;
		return 0;
	}
	if (w->in && net->forwards(w->at->place, w->packet.family, w->in, &forwards, err) < 0)
		return -1;
	if (!forwards) {
		say(w, "forwarding", true, "%s is not its own, and it does not forward", to);
		return 0;
	}
	if (way.number || !streq(way.kind, "unicast")) {
		say(w, "route", true, "to %s: %s", to, way.number ? cause(way.number) : way.kind);
		return 0;
	}
	if (!w->packet.from_known && inet_pton(w->packet.family, way.from, w->packet.from) == 1)
		w->packet.from_known = true;
	say(w, "route", false, "to %s over %s%s%s%s%s", to, way.dev_name, way.via[0] ? " via " : "", way.via, way.from[0] && !w->in ? ", from " : "",
	    w->in ? "" : way.from);
	w->routers += w->in != 0;
	if (w->in && w->packet.from_known && masquerade(w, &way, err) < 0)
		return -1;
	return leave(w, &way, way.via[0] ? way.via : to, err);
}

static int walk(struct walk *w, struct err *err)
{
	visit(w);
	for (size_t i = 0; !w->over && i < HOPS_LIMIT; i++) {
		for (size_t k = 0; k < i && !w->over; k++)
			if (w->routed[k].at == w->at && w->routed[k].in == w->in)
				say(w, "route", true, "it was here before, so it goes round in circles");
		w->routed[i].at = w->at;
		w->routed[i].in = w->in;
		if (!w->over && route(w, err) < 0)
			return -1;
	}
	if (!w->over)
		say(w, "route", true, "it has passed %d places, and few packets may pass more", HOPS_LIMIT);
	return 0;
}

/* ---- the real packet ---- */

/* What stands at the rule with that number, when belljar made it. */
static void say_drop(struct walk *w, const struct probe *p)
{
	_cleanup_free_ struct nft_row *rows = NULL;
	struct err none = { 0 };
	size_t n = 0;
	const char *whose = p->drop.answer ? "the answer" : "it";

	for (size_t i = 0; i < w->n_places; i++)
		if (w->places[i].place == p->dropped)
			w->at = &w->places[i];
	if (!p->drop.handle) {
		say(w, "rule", true, "%s is dropped by the policy of chain %s, table %s %s", whose, p->drop.chain, p->drop.family, p->drop.table);
		return;
	}
	nft_rows(p->dropped, streq(p->drop.family, "bridge") ? NFPROTO_BRIDGE : NFPROTO_INET, p->drop.table, &rows, &n, &none);
	for (size_t i = 0; i < n; i++)
		if (rows[i].handle == p->drop.handle && rows[i].tag[0]) {
			say(w, "rule", true, "%s is dropped by \"%s\" (%s)", whose, rows[i].tag, rows[i].text);
			return;
		}
	say(w, "rule", true, "%s is dropped by the rule with handle %llu of chain %s, table %s %s", whose, (unsigned long long)p->drop.handle,
	    p->drop.chain, p->drop.family, p->drop.table);
}

static int send_probe(struct walk *w, struct place *from, struct probe *p, const char *to, struct err *err)
{
	struct step step = { .kind = STEP_PROBE, .place = from, .to = to, .num = p->port, .probe = p, .fd = { -1, -1 } };
	size_t mark = gate_mark(&w->session->gate);

	if (gate_run(&w->session->gate, &step, 1, err) < 0)
		return -1;
	/* It has changed nothing that undo could take back. */
	gate_forget(&w->session->gate, mark, gate_mark(&w->session->gate));
	return 0;
}

/* How far do packets come that may pass so many routers only? */
static int count_hops(struct walk *w, struct place *from, const struct probe *whole, const char *to, struct err *err)
{
	char last[64] = "";
	int hops = 1;

	for (; hops <= w->routers + 1 && hops < HOPS_LIMIT; hops++) {
		struct probe p = { .packet = whole->packet, .hops = hops, .wait_ms = HOP_MS };
		p.packet.protocol = p.packet.family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		if (send_probe(w, from, &p, to, err) < 0)
			return -1;
		if (p.result != PROBE_REFUSED || p.number != ETIME)
			break;
		snprintf(last, sizeof last, "%s", p.by);
	}
	if (last[0])
		say(w, "probe", false, "routers answer up to %s, the %d. of them", last, hops - 1);
	return 0;
}

static int confirm(struct walk *w, const struct network_place *from, const struct net_packet *packet, unsigned port, struct err *err)
{
	char to[INET6_ADDRSTRLEN], place[64];
	bool six = packet->family == AF_INET6, stopped = w->path->n && w->path->rows[w->path->n - 1].stops;
	struct probe p = { .packet = { .family = packet->family, .protocol = port ? IPPROTO_TCP : six ? IPPROTO_ICMPV6 : IPPROTO_ICMP },
			   .port = (uint16_t)port, .wait_ms = ANSWER_MS, .watch = w->visited, .n_watch = w->n_visited };

	memcpy(p.packet.from, w->packet.from, sizeof p.packet.from);
	memcpy(p.packet.to, packet->to, sizeof p.packet.to);
	inet_ntop(packet->family, packet->to, to, sizeof to);
	snprintf(place, sizeof place, port ? "%s port %u" : "%s", to, port);
	if (send_probe(w, from->place, &p, to, err) < 0 || w->session->gate.dry)
		return w->session->gate.dry ? 0 : -1;
	w->path->arrives = p.result == PROBE_ANSWERED;
	if (p.dropped && p.result != PROBE_ANSWERED)
		say_drop(w, &p);
	w->at = from;
	if (p.result == PROBE_ANSWERED)
		say(w, "probe", false, "%s answers after %.1f ms", place, (double)p.ns / 1e6);
	else if (p.result == PROBE_REFUSED && p.number == ECONNREFUSED)
		say(w, "probe", true, "%s refuses: it is reached, and no program listens there", place);
	else if (p.result == PROBE_REFUSED)
		say(w, "probe", true, "%s%s: %s", p.by[0] ? p.by : place, p.by[0] ? " answers for it" : "", strerror(p.number));
	else
		say(w, "probe", true, "no answer of %s", place);
	return p.result == PROBE_SILENT && !stopped && !p.dropped && w->routers ? count_hops(w, from->place, &p, to, err) : 0;
}

/* ---- the beginning ---- */

/* The first address of the sandbox. */
static int choose_address(const struct walk *w, const char *to, char address[64], struct err *err)
{
	address[0] = '\0';
	for (size_t i = 0; i < w->n_links && !address[0]; i++)
		if (streq(w->links[i].where, to) && w->links[i].addresses[0])
			snprintf(address, 64, "%.*s", (int)strcspn(w->links[i].addresses, " /"), w->links[i].addresses);
	if (address[0])
		return 0;
	err_set(err, EADDRNOTAVAIL, "%s has no address", to);
	return err_try(err, "addrs %s, which lists them", to);
}

static int read_target(struct walk *w, const char *to, struct err *err)
{
	char address[64];

	if (network_sandbox(w->session, to) ? choose_address(w, to, address, err) < 0 : snprintf(address, sizeof address, "%.63s", to) < 0)
		return -1;
	if (inet_pton(AF_INET, address, w->packet.to) == 1)
		w->packet.family = AF_INET;
	else if (inet_pton(AF_INET6, address, w->packet.to) == 1)
		w->packet.family = AF_INET6;
	else
		return err_usage(err, "%.60s is neither a sandbox nor an address", to);
	return 0;
}

static void forget(struct walk *w)
{
	network_free_rows(w->links, w->n_links);
	free(w->places);
}

int network_path(struct sandbox *from, const char *to, unsigned port, struct path *path, struct err *err)
{
	_cleanup_(forget) struct walk w = { .session = from->session, .path = path, .port = port };
	struct net_packet asked;
	const struct network_place *begin;

	*path = (struct path){ 0 };
	if (network_need(from, err) < 0)
		return -1;
	/* A plan has nothing that could be asked. */
	if (!network_known(from->session, &from->place)) {
		struct probe p = { .port = (uint16_t)port };
		return send_probe(&w, &from->place, &p, to, err);
	}
	network_places(from->session, &w.places, &w.n_places);
	w.at = begin = place_named(&w, from->name);
	if (network_links(from->session, "all", &w.links, &w.n_links, err) < 0 || read_target(&w, to, err) < 0) {
		network_path_free(path);
		return -1;
	}
	asked = w.packet;
	if (walk(&w, err) == 0 && confirm(&w, begin, &asked, port, err) == 0)
		return 0;
	network_path_free(path);
	return -1;
}

void network_path_free(struct path *path)
{
	for (size_t i = 0; i < path->n; i++)
		free(path->rows[i].says);
	free(path->rows);
	*path = (struct path){ 0 };
}
