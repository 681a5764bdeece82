/*
 * network_nat.c - ways out of a bridge and into a sandbox, and walls between sandboxes
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/nft.h"
#include "kern/rootless.h"
#include "kern/slirp.h"
#include "kern/sysctl.h"
#include "sandbox/look.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_modes.h"
#include "sandbox/network_nat.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"
#include "sandbox/store.h"

static const char forward4[] = "ipv4/ip_forward", forward6[] = "ipv6/conf/all/forwarding";

static int run_step(struct session *s, struct step step, struct err *err)
{
	step.fd[0] = step.fd[1] = -1;
	return gate_run(&s->gate, &step, 1, err);
}

static char *without_prefix(const char *cidr)
{
	return xstrndup(cidr, strcspn(cidr, "/"));
}

/* ---- tables ---- */

static char *table_name(const struct session *s)
{
	return xasprintf("belljar.%s", s->store ? s->store->id : "SESSION");
}

static unsigned long netns_of_host(void)
{
	return look_ns(NULL, NS_NET);
}

static bool done_before(const struct session *s, enum step_kind kind, const struct place *p, const char *what)
{
	const struct step *done;

	for (size_t i = 0; (done = gate_done(&s->gate, i)); i++)
		if (done->kind == kind && done->place == p && streq(done->what, what))
			return true;
	return false;
}

/* The table is there when it holds a rule, or when the ledger says so; trying to make it says it most simply. */
static int need_table(struct session *s, struct place *p, const char *family, struct err *err)
{
	_cleanup_free_ char *name = table_name(s), *line = xasprintf("nft %lu %s\n", netns_of_host(), name);
	struct err one = { 0 };

	if (done_before(s, STEP_TABLE, p, family))
		return 0;
	if (p == &s->host && store_note(s, line, err) < 0)
		return -1;
	if (run_step(s, (struct step){ .kind = STEP_TABLE, .place = p, .what = family, .to = name }, &one) == 0 || one.number == EEXIST)
		return 0;
	*err = one;
	return -1;
}

static int rule(struct session *s, struct place *p, const char *family, const char *tag, const char *text, struct err *err)
{
	_cleanup_free_ char *name = table_name(s);

	return run_step(s, (struct step){ .kind = STEP_RULE, .place = p, .what = family, .to = name, .text = text, .from = tag }, err);
}

/* All rules with that tag; how many, or -1 with err. */
static int unrule(struct session *s, struct place *p, const char *family, const char *tag, struct err *err)
{
	_cleanup_free_ char *name = table_name(s);
	_cleanup_free_ struct nft_row *rows = NULL;
	size_t n = 0;
	int found = 0;

	if (!network_known(s, p) || nft_rows(p, streq(family, "bridge") ? NFPROTO_BRIDGE : NFPROTO_INET, name, &rows, &n, err) < 0)
		return network_known(s, p) ? -1 : 0;
	for (size_t i = 0; i < n; i++) {
		if (!streq(rows[i].tag, tag))
			continue;
		if (run_step(s, (struct step){ .kind = STEP_UNRULE, .place = p, .what = family, .to = name, .text = rows[i].text, .from = tag }, err) < 0)
			return -1;
		found++;
	}
	return found;
}

/* ---- switches ---- */

/* Forwarding on the host: put on, and noted when it was off, or is on only because another session wants it. */
static int forward_on_host(struct session *s, const char *path, bool *switched, struct err *err)
{
	char value[16] = "", line[192];

	sysctl_forward_line(line, sizeof line, path);
	if (!s->gate.dry && sysctl_get(&s->host, path, value, sizeof value, err) < 0)
		return -1;
	bool on = streq(value, "1");
	if (on && !(s->store && sysctl_forward_wanted(s->store->dir, line)))
		return 0;
	_cleanup_free_ char *noted = xasprintf("%s\n", line);
	if (store_note(s, noted, err) < 0)
		return -1;
	*switched = *switched || !on;
	return on ? 0 : run_step(s, (struct step){ .kind = STEP_SYSCTL, .place = &s->host, .to = path, .text = "1",
						   .from = s->store ? s->store->dir : NULL }, err);
}

static int forward_in(struct session *s, struct place *p, bool v6, const char *value, struct err *err)
{
	return run_step(s, (struct step){ .kind = STEP_SYSCTL, .place = p, .to = v6 ? forward6 : forward4, .text = value }, err);
}

int nat_forward(struct sandbox *sb, bool on, struct err *err)
{
	if (network_need(sb, err) < 0 || forward_in(sb->session, &sb->place, false, on ? "1" : "0", err) < 0)
		return -1;
	/* A kernel without IPv6 has no switch for it. */
	char value[16];
	struct err none = { 0 };
	if (network_known(sb->session, &sb->place) && sysctl_get(&sb->place, forward6, value, sizeof value, &none) < 0)
		return 0;
	return forward_in(sb->session, &sb->place, true, on ? "1" : "0", err);
}

/* ---- the way from the host to a bridge ---- */

struct way {
	struct place *place;           /* of the bridge */
	const char *bridge;
	struct pool_addresses own;     /* of the bridge */
	char link[IFNAMSIZ];           /* on the host: the bridge, or the cable's end */
	struct pool_addresses lab;     /* the cable's addresses in the lab */
};

static bool has_family(const struct pool_addresses *a, bool v6)
{
	for (size_t i = 0; i < a->n; i++)
		if (network_v6(a->cidr[i]) == v6)
			return true;
	return false;
}

/* Two addresses of a subnet that the host does not use. */
static int choose_subnet(struct session *s, bool v6, char host[CIDR_ROOM], char lab[CIDR_ROOM], struct err *err)
{
	for (int i = 0; i < 64; i++) {
		struct err taken = { 0 };
		uint32_t r = 0;
		if (getrandom(&r, sizeof r, 0) != sizeof r || s->gate.dry)
			r = 0;
		if (v6) {
			snprintf(host, CIDR_ROOM, "fd62:656c:%x:%x::1/64", r >> 16, r & 0xffff);
			snprintf(lab, CIDR_ROOM, "fd62:656c:%x:%x::2/64", r >> 16, r & 0xffff);
		} else {
			unsigned second = 64 + (r >> 16) % 64, third = r >> 8 & 0xff, last = r & 0xfc;
			snprintf(host, CIDR_ROOM, "100.%u.%u.%u/30", second, third, last + 1);
			snprintf(lab, CIDR_ROOM, "100.%u.%u.%u/30", second, third, last + 2);
		}
		if (pool_apart(s, &s->host, "", host, &taken) == 0)
			return 0;
		if (taken.number != EEXIST) {
			*err = taken;
			return -1;
		}
	}
	return err_set(err, EADDRNOTAVAIL, "host: no subnet of 100.64.0.0/10 is free");
}

static int lay_cable(struct session *s, bool v6, struct err *err)
{
	char texts[4][CIDR_ROOM];
	const char *addresses[4] = { texts[0], texts[1], texts[2], texts[3] };

	if (choose_subnet(s, false, texts[0], texts[1], err) < 0 || (v6 && choose_subnet(s, true, texts[2], texts[3], err) < 0))
		return -1;
	network_tell(s, "a cable between host and lab");
	if (network_uplink(s, addresses, v6 ? 2 : 1, err) < 0)
		return -1;
	for (int i = 0; i < (v6 ? 2 : 1); i++) {
		_cleanup_free_ char *gateway = without_prefix(addresses[2 * i]);
		if (run_step(s, (struct step){ .kind = STEP_ROUTE, .place = &s->lab, .text = "default", .from = gateway, .to = "uplink" }, err) < 0 ||
		    forward_in(s, &s->lab, i == 1, "1", err) < 0)
			return -1;
	}
	return 0;
}

/* The host's end of the cable. */
static int find_cable(struct session *s, struct way *w, struct err *err)
{
	struct network_row *rows;
	const struct step *done;
	size_t n;

	for (size_t i = 0; s->gate.dry && (done = gate_done(&s->gate, i)); i++)
		if (done->kind == STEP_VETH && streq(done->what, "uplink"))
			network_set_name(w->link, done->to);
	if (s->gate.dry && w->link[0])
		return 0;
	if (network_links(s, "lab", &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (streq(rows[i].link.name, "uplink") && rows[i].peer && starts_with(rows[i].peer, "host:"))
			network_set_name(w->link, rows[i].peer + strlen("host:"));
	network_free_rows(rows, n);
	return w->link[0] ? 0 : err_set(err, ENODEV, "lab: its cable to the host is gone");
}

/* The host reaches the subnets through the lab. */
static int route_to(struct session *s, const struct way *w, struct err *err)
{
	_cleanup_free_ struct net_route *routes = NULL;
	size_t n = 0;

	if (!s->gate.dry && net_api(err)->routes(&s->host, &routes, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < w->own.n; i++) {
		char subnet[CIDR_ROOM];
		_cleanup_free_ char *gateway = NULL;
		bool there = false;
		pool_subnet(w->own.cidr[i], subnet);
		for (size_t k = 0; k < n; k++)
			there = there || (streq(routes[k].to, subnet) && streq(routes[k].dev, w->link));
		for (size_t k = 0; k < w->lab.n && !gateway; k++)
			if (network_v6(w->lab.cidr[k]) == network_v6(subnet))
				gateway = without_prefix(w->lab.cidr[k]);
		if (there || !gateway)
			continue;
		if (pool_apart(s, &s->host, w->link, subnet, err) < 0 ||
		    run_step(s, (struct step){ .kind = STEP_ROUTE, .place = &s->host, .text = subnet, .from = gateway, .to = w->link }, err) < 0)
			return -1;
	}
	return 0;
}

static int need_privilege(const char *what, struct err *err)
{
	if (rootless_uid() == 0)
		return 0;
	err_set(err, EPERM, "%s: an ordinary user can't change the host's network", what);
	err_why(err, "a cable to the host, its forwarding and its rules need CAP_NET_ADMIN there; within the lab all else works");
	return err_try(err, "the same as root");
}

static int no_gateway(const struct place *place, const char *bridge, struct err *err)
{
	err_set(err, EADDRNOTAVAIL, "%s has no address, so it is no gateway", bridge);
	return err_try(err, "addr %s:%s 10.0.0.1/24, for one", place->name, bridge);
}

/* All that packets between the host and the bridge need. */
static int open_way(struct session *s, const char *what, const char *bridge, struct way *w, bool *switched, struct err *err)
{
	struct net_link uplink;

	*w = (struct way){ .bridge = bridge };
	if (need_privilege(what, err) < 0 || network_find_bridge(s, bridge, &w->place, err) < 0 || pool_of(s, w->place, bridge, &w->own, err) < 0)
		return -1;
	if (w->own.n == 0)
		return no_gateway(w->place, bridge, err);
	if (store_need(s, err) < 0 || (has_family(&w->own, false) && forward_on_host(s, forward4, switched, err) < 0) ||
	    (has_family(&w->own, true) && forward_on_host(s, forward6, switched, err) < 0))
		return -1;
	network_set_name(w->link, w->place == &s->host ? bridge : "");
	if (w->place == &s->host)
		return 0;
	int found = network_find(s, &s->lab, "uplink", &uplink, err);
	if (found < 0 || (!found && lay_cable(s, has_family(&w->own, true), err) < 0))
		return -1;
	if (pool_of(s, &s->lab, "uplink", &w->lab, err) < 0 || find_cable(s, w, err) < 0)
		return -1;
	return route_to(s, w, err);
}

/* ---- nat ---- */

static int refuse_twice(struct session *s, const char *word, const char *tag, struct err *err)
{
	char **tags;
	size_t n;
	bool twice = false;

	if (nat_tags(s, word, &tags, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		twice = twice || streq(tags[i], tag);
	nat_free_tags(tags, n);
	return twice ? err_set(err, EEXIST, "%s: that holds already", tag) : 0;
}

/* Where the rules for IP stand: an ordinary user may have none on the host. */
static struct place *place_of_rules(struct session *s)
{
	return rootless_uid() == 0 ? &s->host : &s->lab;
}

static int start_slirp(struct session *s, struct err *err)
{
	struct step step = { .kind = STEP_SLIRP, .place = &s->lab, .to = "uplink", .fd = { -1, -1 } };

	if (gate_run(&s->gate, &step, 1, err) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		close_fd(&s->out[i]);
		s->out[i] = step.fd[i];
	}
	if (s->gate.dry || store_put(s, "out", s->out[1], err) == 0)
		return forward_in(s, &s->lab, false, "1", err);
	return -1;
}

void nat_leave(struct session *s, bool ends)
{
	struct step step = { .kind = STEP_UNSLIRP, .place = &s->lab, .to = "uplink", .fd = { s->out[0], -1 } };

	if (ends && s->out[0] >= 0)
		slirp_end(&step, -1, NULL);
	close_fd(&s->out[0]);
	close_fd(&s->out[1]);
}

/* An ordinary user's way out: through a program that speaks for those inside, of IPv4. */
static int nat_rootless(struct session *s, const char *bridge, const char *tag, struct err *err)
{
	struct pool_addresses own;
	struct place *place;

	if (network_find_bridge(s, bridge, &place, err) < 0 || pool_of(s, place, bridge, &own, err) < 0)
		return -1;
	if (!has_family(&own, false))
		return no_gateway(place, bridge, err);
	if (store_need(s, err) < 0)
		return -1;
	int found = network_find(s, &s->lab, "uplink", NULL, err);
	if (found < 0 || (!found && start_slirp(s, err) < 0) || need_table(s, &s->lab, "inet", err) < 0)
		return -1;
	for (size_t i = 0; i < own.n; i++) {
		char subnet[CIDR_ROOM];
		pool_subnet(own.cidr[i], subnet);
		_cleanup_free_ char *text = xasprintf("postrouting ip saddr %s oifname \"uplink\" masquerade", subnet);
		if (!network_v6(subnet) && rule(s, &s->lab, "inet", tag, text, err) < 0)
			return -1;
	}
	return 0;
}

int nat_on(struct session *s, const char *bridge, bool *switched, struct err *err)
{
	_cleanup_free_ char *tag = xasprintf("nat %s", bridge);
	struct way w;

	*switched = false;
	if (refuse_twice(s, "nat", tag, err) < 0)
		return -1;
	if (rootless_uid() != 0)
		return nat_rootless(s, bridge, tag, err);
	if (open_way(s, "nat", bridge, &w, switched, err) < 0 || need_table(s, &s->host, "inet", err) < 0)
		return -1;
	for (size_t i = 0; i < w.own.n; i++) {
		char subnet[CIDR_ROOM];
		pool_subnet(w.own.cidr[i], subnet);
		_cleanup_free_ char *text = xasprintf("postrouting %s saddr %s oifname != \"%s\" masquerade", network_v6(subnet) ? "ip6" : "ip", subnet,
						      w.link);
		if (rule(s, &s->host, "inet", tag, text, err) < 0)
			return -1;
	}
	return 0;
}

int nat_off(struct session *s, const char *bridge, struct err *err)
{
	_cleanup_free_ char *tag = xasprintf("nat %s", bridge);
	int found = unrule(s, place_of_rules(s), "inet", tag, err);

	if (found != 0 || s->gate.dry)
		return found < 0 ? -1 : 0;
	err_set(err, ENOENT, "%s has no nat", bridge);
	return err_try(err, "nat, which lists those that have");
}

/* ---- publish ---- */

/* The first bridge the sandbox is on, and its address there. */
struct inside {
	char bridge[IFNAMSIZ], address[CIDR_ROOM];
};

static void find_planned(struct sandbox *sb, bool v6, struct inside *t)
{
	const struct step *done;

	for (size_t i = 0; (done = gate_done(&sb->session->gate, i)); i++) {
		if (done->kind == STEP_VETH && done->from && streq(done->text, sb->name))
			network_set_name(t->bridge, done->from);
		if (done->kind == STEP_ADDR && done->place == &sb->place && network_v6(done->text) == v6)
			snprintf(t->address, sizeof t->address, "%.*s", (int)strcspn(done->text, "/"), done->text);
	}
}

static int find_target(struct sandbox *sb, bool v6, struct inside *t, struct err *err)
{
	struct network_row *rows;
	size_t n;

	*t = (struct inside){ .bridge = "" };
	if (sb->session->gate.dry)
		find_planned(sb, v6, t);
	if (t->bridge[0] && t->address[0])
		return 0;
	*t = (struct inside){ .bridge = "" };
	if (network_links(sb->session, "all", &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && !t->bridge[0]; i++) {
		if (!streq(rows[i].where, sb->name) || !rows[i].peer)
			continue;
		for (const char *at = rows[i].addresses; *at && !t->address[0]; at += strcspn(at, " "), at += *at == ' ')
			if ((memchr(at, ':', strcspn(at, " ")) != NULL) == v6)
				snprintf(t->address, sizeof t->address, "%.*s", (int)strcspn(at, "/ "), at);
		for (size_t k = 0; k < n && t->address[0]; k++) {
			_cleanup_free_ char *full = xasprintf("%s:%s", rows[k].where, rows[k].link.name);
			if (rows[k].bridge && streq(full, rows[i].peer))
				network_set_name(t->bridge, rows[k].bridge);
		}
		if (!t->bridge[0])
			t->address[0] = '\0';
	}
	network_free_rows(rows, n);
	if (t->bridge[0])
		return 0;
	err_set(err, EADDRNOTAVAIL, "%s: it has no IPv%d address on a bridge", sb->name, v6 ? 6 : 4);
	return err_try(err, "network bridge");
}

/* Answers to the host's side go by the default route. */
static int need_default(struct sandbox *sb, bool v6, struct err *err)
{
	int has = network_known(sb->session, &sb->place) ? network_has_default(sb, v6, err) : 1;

	if (has != 0)
		return has < 0 ? -1 : 0;
	err_set(err, ENETUNREACH, "%s: it has no default route, so no answer would leave it", sb->name);
	return err_try(err, "route default via the bridge's address, or network bridge from the start");
}

static char *place_of(const struct published *p)
{
	bool v6 = p->host_ip && network_v6(p->host_ip);

	return xasprintf("%s%s%s:%u/%s", v6 ? "[" : "", p->host_ip ? p->host_ip : "*", v6 ? "]" : "", p->host_port, p->protocol);
}

/* Does a program of the host listen there? */
static bool host_listens(const struct published *p, bool v6)
{
	_cleanup_close_ int fd = socket(v6 ? AF_INET6 : AF_INET, (streq(p->protocol, "udp") ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)p->host_port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)p->host_port) };

	if (p->host_ip)
		inet_pton(v6 ? AF_INET6 : AF_INET, p->host_ip, v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr);
	return fd >= 0 && bind(fd, v6 ? (void *)&in6 : (void *)&in, v6 ? sizeof in6 : sizeof in) < 0 && errno == EADDRINUSE;
}

/* Is the port free, of programs and of what any session has published? */
static int need_port(struct session *s, const struct published *p, bool v6, struct err *err)
{
	_cleanup_free_ struct nft_row *rows = NULL;
	_cleanup_free_ char *end = xasprintf(":%u/%s", p->host_port, p->protocol);
	size_t n = 0;

	if (s->gate.dry)
		return 0;
	if (host_listens(p, v6)) {
		err_set(err, EADDRINUSE, "port %u/%s of the host is taken by a program", p->host_port, p->protocol);
		return err_try(err, "another port: publish %u:%u", p->host_port + 8000 > 65535 ? 20000 : p->host_port + 8000, p->port);
	}
	if (nft_rows(&s->host, NFPROTO_INET, NULL, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char who[NAME_LONGEST + 1], where[TAG_ROOM];
		if (sscanf(rows[i].tag, "publish %63s %127s", who, where) != 2)
			continue;
		size_t len = strlen(where), tail = strlen(end);
		if (len > tail && streq(where + len - tail, end))
			return err_set(err, EADDRINUSE, "port %u/%s of the host is published already, for %s", p->host_port, p->protocol, who);
	}
	return 0;
}

static int publish_rules(struct session *s, const struct way *w, const struct inside *t, const struct published *p, const char *tag,
			 struct err *err)
{
	bool v6 = network_v6(t->address);
	const char *ip = v6 ? "ip6" : "ip";
	_cleanup_free_ char *where = p->host_ip ? xasprintf("%s daddr %s", ip, p->host_ip) : xstrdup("fib daddr type local");
	_cleanup_free_ char *target = xasprintf(v6 ? "[%s]:%u" : "%s:%u", t->address, p->port);
	char subnet[CIDR_ROOM] = "";

	for (size_t i = 0; i < w->own.n; i++)
		if (pool_is_inside(t->address, w->own.cidr[i]))
			pool_subnet(w->own.cidr[i], subnet);
	/* Packets from elsewhere; the host's own; and both from where they could not be answered: localhost, and the same bridge. */
	char *texts[4] = {
		xasprintf("prerouting %s %s dport %u dnat %s to %s", where, p->protocol, p->host_port, ip, target),
		xasprintf("output %s %s dport %u dnat %s to %s", where, p->protocol, p->host_port, ip, target),
		xasprintf("postrouting %s saddr %s oifname \"%s\" masquerade", ip, subnet, w->link),
		v6 ? NULL : xasprintf("postrouting ip saddr 127.0.0.0/8 oifname \"%s\" masquerade", w->link),
	};
	int result = 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts) && result == 0; i++)
		if (texts[i])
			result = rule(s, &s->host, "inet", tag, texts[i], err);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	if (result < 0 || v6)
		return result;
	/* Packets of localhost may leave over this one link. */
	_cleanup_free_ char *path = xasprintf("ipv4/conf/%s/route_localnet", w->link);
	return run_step(s, (struct step){ .kind = STEP_SYSCTL, .place = &s->host, .to = path, .text = "1" }, err);
}

int nat_publish(struct sandbox *sb, const struct published *p, bool *switched, struct err *err)
{
	struct session *s = sb->session;
	_cleanup_free_ char *where = place_of(p);
	bool v6 = p->host_ip && network_v6(p->host_ip);
	struct inside t;
	struct way w;

	*switched = false;
	if (need_privilege("publish", err) < 0 || network_need(sb, err) < 0)
		return -1;
	if (find_target(sb, v6, &t, err) < 0 || need_default(sb, v6, err) < 0 || need_port(s, p, v6, err) < 0 ||
	    open_way(s, "publish", t.bridge, &w, switched, err) < 0 || need_table(s, &s->host, "inet", err) < 0)
		return -1;
	_cleanup_free_ char *tag = xasprintf("publish %s %s %u", sb->name, where, p->port);
	return publish_rules(s, &w, &t, p, tag, err);
}

/* Rules of the host whose tag fits; how many, or -1. */
static int drop_published(struct session *s, const char *sandbox, const char *where, struct err *err)
{
	char **tags;
	size_t n;
	int found = 0, one = 0;

	if (nat_tags(s, "publish", &tags, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && one >= 0; i++) {
		char who[NAME_LONGEST + 1], its[TAG_ROOM];
		if (sscanf(tags[i], "publish %63s %127s", who, its) != 2 || (sandbox && !streq(who, sandbox)) || (where && !streq(its, where)))
			continue;
		one = unrule(s, &s->host, "inet", tags[i], err);
		found += one;
	}
	nat_free_tags(tags, n);
	return one < 0 ? -1 : found;
}

int nat_unpublish(struct session *s, const struct published *p, struct err *err)
{
	_cleanup_free_ char *where = place_of(p);
	int found = drop_published(s, NULL, where, err);

	if (found != 0 || s->gate.dry)
		return found < 0 ? -1 : 0;
	err_set(err, ENOENT, "nothing is published at %s", where);
	return err_try(err, "publish, which lists what is");
}

int nat_forget(struct session *s, const char *sandbox, struct err *err)
{
	size_t mark = gate_mark(&s->gate);

	if (!s->store || s->gate.dry || !store_noted(s, "nft "))
		return 0;
	int found = drop_published(s, sandbox, NULL, err);
	gate_forget(&s->gate, mark, gate_mark(&s->gate));
	return found < 0 ? -1 : 0;
}

/* ---- walls ---- */

/* The port of the sandbox at a bridge that both are on. */
static int find_ports(struct session *s, const char *names[2], char ports[2][IFNAMSIZ], struct place **place, struct err *err)
{
	struct network_row *rows;
	size_t n;
	bool found = false;

	if (network_links(s, "all", &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && !found; i++)
		for (size_t k = 0; k < n && !found; k++) {
			const struct network_row *a = &rows[i], *b = &rows[k];
			size_t la = strlen(names[0]), lb = strlen(names[1]);
			if (!a->bridge || !b->bridge || !a->peer || !b->peer || !streq(a->bridge, b->bridge) || !streq(a->where, b->where) ||
			    strncmp(a->peer, names[0], la) != 0 || a->peer[la] != ':' || strncmp(b->peer, names[1], lb) != 0 || b->peer[lb] != ':')
				continue;
			network_set_name(ports[0], a->link.name);
			network_set_name(ports[1], b->link.name);
			*place = streq(a->where, "lab") ? &s->lab : &s->host;
			found = true;
		}
	network_free_rows(rows, n);
	if (found)
		return 0;
	err_set(err, EINVAL, "%s and %s are not on one bridge", names[0], names[1]);
	return err_try(err, "links all, which shows where they are");
}

static char *deny_tag(const char *a, const char *b)
{
	return xasprintf("firewall %s%s%s", a, b ? " " : "", b ? b : "");
}

int nat_deny(struct session *s, const char *a, const char *b, struct err *err)
{
	_cleanup_free_ char *tag = deny_tag(a, b), *first = NULL, *second = NULL;
	const char *names[2] = { a, b };
	char ports[2][IFNAMSIZ];
	struct place *place;

	if (b ? !sandbox_find(s, a, err) || !sandbox_find(s, b, err) || find_ports(s, names, ports, &place, err) < 0 :
		network_find_bridge(s, a, &place, err) < 0)
		return -1;
	if (refuse_twice(s, "firewall", tag, err) < 0 || (place == &s->host && store_need(s, err) < 0) || need_table(s, place, "bridge", err) < 0)
		return -1;
	if (b) {
		first = xasprintf("forward iifname \"%s\" oifname \"%s\" drop", ports[0], ports[1]);
		second = xasprintf("forward iifname \"%s\" oifname \"%s\" drop", ports[1], ports[0]);
	} else {
		first = xasprintf("forward iifgroup %u oifgroup %u drop", net_group(a), net_group(a));
	}
	return rule(s, place, "bridge", tag, first, err) < 0 || (second && rule(s, place, "bridge", tag, second, err) < 0) ? -1 : 0;
}

int nat_allow(struct session *s, const char *a, const char *b, struct err *err)
{
	_cleanup_free_ char *tag = deny_tag(a, b);
	int found = s->lab.own[NS_NET] ? unrule(s, &s->lab, "bridge", tag, err) : 0;

	if (found == 0)
		found = unrule(s, &s->host, "bridge", tag, err);
	if (found != 0 || s->gate.dry)
		return found < 0 ? -1 : 0;
	err_set(err, ENOENT, "%s: there is no such wall", tag);
	return err_try(err, "firewall, which lists them");
}

/* ---- what there is ---- */

static int add_tags(struct session *s, struct place *p, int family, const char *word, char ***tags, size_t *n, struct err *err)
{
	_cleanup_free_ char *name = table_name(s);
	_cleanup_free_ struct nft_row *rows = NULL;
	size_t n_rows = 0, len = strlen(word);

	if (!network_known(s, p) || nft_rows(p, family, name, &rows, &n_rows, err) < 0)
		return network_known(s, p) ? -1 : 0;
	for (size_t i = 0; i < n_rows; i++) {
		bool twice = false;
		for (size_t k = 0; k < *n; k++)
			twice = twice || streq((*tags)[k], rows[i].tag);
		if (!twice && strncmp(rows[i].tag, word, len) == 0 && (rows[i].tag[len] == ' ' || rows[i].tag[len] == '\0'))
			*GROW(tags, n) = xstrdup(rows[i].tag);
	}
	return 0;
}

int nat_tags(struct session *s, const char *word, char ***tags, size_t *n, struct err *err)
{
	*tags = NULL;
	*n = 0;
	bool walls = streq(word, "firewall"), host = rootless_uid() == 0 && store_noted(s, "nft ");
	bool lab = s->lab.own[NS_NET] && (walls || rootless_uid() != 0);
	int family = walls ? NFPROTO_BRIDGE : NFPROTO_INET;
	if ((host && add_tags(s, &s->host, family, word, tags, n, err) < 0) ||
	    (lab && add_tags(s, &s->lab, family, word, tags, n, err) < 0)) {
		nat_free_tags(*tags, *n);
		return -1;
	}
	return 0;
}

void nat_free_tags(char **tags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(tags[i]);
	free(tags);
}
