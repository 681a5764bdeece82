/*
 * network_way.c - the way from the host to a bridge
 */
#include "config.h"

#include <errno.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/rootless.h"
#include "kern/sysctl.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_modes.h"
#include "sandbox/network_rules.h"
#include "sandbox/network_way.h"
#include "sandbox/store.h"

static const char forward4[] = "ipv4/ip_forward", forward6[] = "ipv6/conf/all/forwarding";

static char *without_prefix(const char *cidr)
{
	return xstrndup(cidr, strcspn(cidr, "/"));
}

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
	return on ? 0 : rules_step(s, (struct step){ .kind = STEP_SYSCTL, .place = &s->host, .to = path, .text = "1",
						   .from = s->store ? s->store->dir : NULL }, err);
}

int way_forward(struct session *s, struct place *p, bool v6, const char *value, struct err *err)
{
	return rules_step(s, (struct step){ .kind = STEP_SYSCTL, .place = p, .to = v6 ? forward6 : forward4, .text = value }, err);
}

int way_forward_all(struct sandbox *sb, bool on, struct err *err)
{
	if (network_need(sb, err) < 0 || way_forward(sb->session, &sb->place, false, on ? "1" : "0", err) < 0)
		return -1;
	/* A kernel without IPv6 has no switch for it. */
	char value[16];
	struct err none = { 0 };
	if (network_known(sb->session, &sb->place) && sysctl_get(&sb->place, forward6, value, sizeof value, &none) < 0)
		return 0;
	return way_forward(sb->session, &sb->place, true, on ? "1" : "0", err);
}

bool way_has_family(const struct pool_addresses *a, bool v6)
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
		if (rules_step(s, (struct step){ .kind = STEP_ROUTE, .place = &s->lab, .text = "default", .from = gateway, .to = "uplink" }, err) < 0 ||
		    way_forward(s, &s->lab, i == 1, "1", err) < 0)
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
		    rules_step(s, (struct step){ .kind = STEP_ROUTE, .place = &s->host, .text = subnet, .from = gateway, .to = w->link }, err) < 0)
			return -1;
	}
	return 0;
}

int way_need_privilege(const char *what, struct err *err)
{
	if (rootless_uid() == 0)
		return 0;
	err_set(err, EPERM, "%s: an ordinary user can't change the host's network", what);
	err_why(err, "a cable to the host, its forwarding and its rules need CAP_NET_ADMIN there; within the lab all else works");
	return err_try(err, "the same as root");
}

int way_no_gateway(const struct place *place, const char *bridge, struct err *err)
{
	err_set(err, EADDRNOTAVAIL, "%s has no address, so it is no gateway", bridge);
	return err_try(err, "addr %s:%s 10.0.0.1/24, for one", place->name, bridge);
}

int way_open(struct session *s, const char *what, const char *bridge, struct way *w, bool *switched, struct err *err)
{
	struct net_link uplink;

	*w = (struct way){ .bridge = bridge };
	if (way_need_privilege(what, err) < 0 || network_find_bridge(s, bridge, &w->place, err) < 0 || pool_of(s, w->place, bridge, &w->own, err) < 0)
		return -1;
	if (w->own.n == 0)
		return way_no_gateway(w->place, bridge, err);
	if (store_need(s, err) < 0 || (way_has_family(&w->own, false) && forward_on_host(s, forward4, switched, err) < 0) ||
	    (way_has_family(&w->own, true) && forward_on_host(s, forward6, switched, err) < 0))
		return -1;
	network_set_name(w->link, w->place == &s->host ? bridge : "");
	if (w->place == &s->host)
		return 0;
	int found = network_find(s, &s->lab, "uplink", &uplink, err);
	if (found < 0 || (!found && lay_cable(s, way_has_family(&w->own, true), err) < 0))
		return -1;
	if (pool_of(s, &s->lab, "uplink", &w->lab, err) < 0 || find_cable(s, w, err) < 0)
		return -1;
	return route_to(s, w, err);
}
