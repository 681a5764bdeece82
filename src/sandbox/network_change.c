/*
 * network_change.c - changes to links that are there: unlink, up, down, addresses, routes
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_lend.h"
#include "sandbox/network_look.h"
#include "sandbox/network_names.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"

/* ---- links that are there ---- */

static int target_at(struct session *s, struct target *t, struct place *p, const char *label, struct err *err)
{
	t->place = p;
	t->label = label;
	return p == &s->host ? network_find_own(s, t->name, &t->link, err) : network_find(s, p, t->name, &t->link, err);
}

static int missing(const struct target *t, struct err *err)
{
	if (streq(t->label, "host")) {
		err_set(err, ENODEV, "host: this session has made no link %s there", t->name);
		return err_why(err, "links of the host that belljar did not make are left alone");
	}
	err_set(err, ENODEV, "%s: no link %s", t->label, t->name);
	return err_try(err, "links all, which lists them");
}

/* "web:eth0", "lab:br0", "host:br0". */
static int find_there(struct session *s, const char *who, struct target *t, struct err *err)
{
	struct sandbox *sb = network_sandbox(s, who);
	int found;

	if (sb && network_need(sb, err) < 0)
		return -1;
	if (sb)
		found = target_at(s, t, &sb->place, sb->name, err);
	else if (streq(who, "lab"))
		found = target_at(s, t, &s->lab, "lab", err);
	else if (streq(who, "host"))
		found = target_at(s, t, &s->host, "host", err);
	else
		return sandbox_find(s, who, err) ? 0 : -1;
	/* A place that is only planned has a lo too. */
	return found > 0 || (found == 0 && !network_known(s, t->place) && streq(t->name, "lo")) ? 0 : found < 0 ? -1 : missing(t, err);
}

/* "eth0": in the current sandbox, else a bridge in the lab, else ours on the host. */
static int find_here(struct session *s, struct sandbox *sb, struct target *t, struct err *err)
{
	struct place *places[] = { sb && sb->place.own[NS_NET] ? &sb->place : NULL, s->lab.own[NS_NET] ? &s->lab : NULL, &s->host };
	const char *const labels[] = { sb ? sb->name : NULL, "lab", "host" };
	int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places) && found == 0; i++) {
		/* Every place has its own lo: one that is not meant must be named. */
		if (!places[i] || (i > 0 && streq(t->name, "lo")))
			continue;
		found = target_at(s, t, places[i], labels[i], err);
	}
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (places[0] && !network_known(s, places[0]) && streq(t->name, "lo")) {
		t->place = places[0];
		return 0;
	}
	if (!sb)
		return sandbox_current(s, err) ? 0 : -1;
	if (network_need(sb, err) < 0)
		return -1;
	t->label = sb->name;
	return missing(t, err);
}

int network_target(struct session *s, struct sandbox *sb, const char *text, struct target *t, struct err *err)
{
	char who[NAME_LONGEST + 1];

	if (strchr(text, ':'))
		return network_split(text, who, t->name, err) < 0 ? -1 : find_there(s, who, t, err);
	if (net_name_check(text, err) < 0)
		return -1;
	network_set_name(t->name, text);
	return find_here(s, sb, t, err);
}

int network_target_used(struct session *s, struct sandbox *sb, const char *text, struct target *t, struct err *err)
{
	if (!starts_with(text, "host:"))
		return network_target(s, sb, text, t, err);
	t->place = &s->host;
	t->label = "host";
	network_set_name(t->name, text + strlen("host:"));
	int found = network_find(s, &s->host, t->name, &t->link, err);
	if (found == 0)
		err_set(err, ENODEV, "host: no link %s", t->name);
	return found > 0 ? 0 : -1;
}

/* The only link a sandbox has. */
static int find_only(struct session *s, struct sandbox *sb, struct target *t, struct err *err)
{
	_cleanup_free_ struct net_link *links = NULL;
	const struct net_api *net = net_api(err);
	size_t n = 0, found = 0;

	if (!net || !sb || network_need(sb, err) < 0)
		return sb || !net ? -1 : sandbox_current(s, err) ? 0 : -1;
	t->place = &sb->place;
	t->label = sb->name;
	if (!network_known(s, &sb->place)) {
		network_set_name(t->name, "eth0");
		return 0;
	}
	if (net->links(&sb->place, &links, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (links[i].index == 1)
			continue;
		t->link = links[i];
		network_set_name(t->name, links[i].name);
		found++;
	}
	if (found == 1)
		return 0;
	err_set(err, found ? EINVAL : ENODEV, found ? "%s: it has %zu links; say which" : "%s: it has no link", sb->name, found);
	return found ? err_try(err, "links, which lists them") : err_try(err, "link %s BRIDGE ADDRESS", sb->name);
}

/* ---- what the kernel would forget ---- */

/* What is lost with a link's going down or its last address: listed first, so that it is taken away (and brought back) by steps. */
struct lost {
	struct net_addr *addrs;
	size_t n_addrs;
	struct net_route *routes;
	size_t n_routes;
};

static void free_lost(struct lost *l)
{
	free(l->addrs);
	free(l->routes);
}

static int read_lost(struct session *s, const struct target *t, struct lost *l, struct err *err)
{
	const struct net_api *net = net_api(err);

	if (!net)
		return -1;
	if (!network_known(s, t->place) || t->place == &s->host)
		return 0;
	return net->addrs(t->place, NULL, &l->addrs, &l->n_addrs, err) < 0 || net->routes(t->place, &l->routes, &l->n_routes, err) < 0 ? -1 : 0;
}

static int plan_unroutes(struct plan *p, const struct target *t, const struct lost *l, bool v4, bool v6, struct err *err)
{
	for (size_t i = 0; i < l->n_routes; i++) {
		const struct net_route *r = &l->routes[i];
		if (!streq(r->dev, t->name) || !(network_v6(r->to) || network_v6(r->via) ? v6 : v4))
			continue;
		/* Room for the steps of the command itself. */
		if (p->n > PLAN_STEPS - 16)
			return err_set(err, E2BIG, "%s: more than %d routes go over %s", t->label, PLAN_STEPS - 16, t->name);
		struct step *s = plan_add(p, STEP_UNROUTE, t->place, r->dev);
		s->text = r->to;
		s->from = r->via[0] ? r->via : NULL;
	}
	return 0;
}

/* IPv6 addresses go when a link goes down (unless keep_addr_on_down is set). */
static void plan_unaddrs(struct plan *p, const struct target *t, const struct lost *l)
{
	for (size_t i = 0; i < l->n_addrs && p->n < PLAN_STEPS - 1; i++)
		if (l->addrs[i].index == t->link.index && !l->addrs[i].automatic && network_v6(l->addrs[i].cidr))
			plan_add(p, STEP_UNADDR, t->place, t->name)->text = l->addrs[i].text;
}

/* ---- commands ---- */

int network_up(struct session *s, struct sandbox *sb, const char *link, bool up, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };
	_cleanup_(free_lost) struct lost lost = { 0 };

	if (network_target(s, sb, link, &t, err) < 0)
		return -1;
	if (!up && t.link.up) {
		if (read_lost(s, &t, &lost, err) < 0 || plan_unroutes(&p, &t, &lost, true, true, err) < 0)
			return -1;
		plan_unaddrs(&p, &t, &lost);
	}
	plan_add(&p, up ? STEP_UP : STEP_DOWN, t.place, t.name);
	return plan_run(&p, err);
}

/* The subnet of an IPv4 CIDR. */
static uint32_t subnet(const char *cidr, unsigned long *length)
{
	const char *slash = strchr(cidr, '/');
	char text[INET_ADDRSTRLEN] = "";
	struct in_addr in = { 0 };

	*length = slash ? strtoul(slash + 1, NULL, 10) : 32;
	if (slash && (size_t)(slash - cidr) < sizeof text)
		memcpy(text, cidr, (size_t)(slash - cidr));
	inet_pton(AF_INET, text, &in);
	return *length ? ntohl(in.s_addr) & (uint32_t)(0xffffffffull << (32 - *length)) : 0;
}

/* Does A go when CIDR, the first address of its subnet, goes? */
static bool goes_with(const struct net_addr *a, const char *cidr)
{
	unsigned long la, lc;

	return a->secondary && !streq(a->cidr, cidr) && subnet(a->cidr, &la) == subnet(cidr, &lc) && la == lc;
}

/* With an address the kernel takes away the later ones of its subnet (unless promote_secondaries is set), and with the last one of a link
 * its routes. The routes and later addresses are taken away before, and what the user did not mean is given back behind it. */
static int plan_unaddr(struct plan *p, const struct target *t, const struct lost *l, const char *cidr, struct err *err)
{
	size_t more = 0, others = 0, first_route = p->n;
	bool is_first = true;
	const char *full = cidr;

	for (size_t i = 0; i < l->n_addrs; i++)
		if (l->addrs[i].index == t->link.index && streq(l->addrs[i].cidr, cidr)) {
			is_first = !l->addrs[i].secondary;
			full = l->addrs[i].text;
		}
	if (network_v6(cidr)) {
		plan_add(p, STEP_UNADDR, t->place, t->name)->text = full;
		return 0;
	}
	for (size_t i = 0; i < l->n_addrs; i++) {
		const struct net_addr *a = &l->addrs[i];
		if (a->index != t->link.index || network_v6(a->cidr) || streq(a->cidr, cidr))
			continue;
		is_first && goes_with(a, cidr) ? more++ : others++;
	}
	if (others == 0 && plan_unroutes(p, t, l, true, false, err) < 0)
		return -1;
	size_t end_route = p->n;
	if (p->n + 2 * more + (end_route - first_route) + 1 > PLAN_STEPS)
		return err_set(err, E2BIG, "%s: %s has too many addresses and routes to delete one that others stand on", t->label, t->name);
	for (int back = 0; back < 2; back++) {
		for (size_t i = 0; i < l->n_addrs && more; i++)
			if (l->addrs[i].index == t->link.index && goes_with(&l->addrs[i], cidr))
				plan_add(p, back ? STEP_ADDR : STEP_UNADDR, t->place, t->name)->text = l->addrs[i].text;
		if (!back)
			plan_add(p, STEP_UNADDR, t->place, t->name)->text = full;
	}
	for (size_t i = end_route; more && i-- > first_route;) {
		struct step *s = plan_add(p, STEP_ROUTE, p->steps[i].place, p->steps[i].to);
		s->text = p->steps[i].text;
		s->from = p->steps[i].from;
	}
	return 0;
}

/* Two bridges must be apart, and what a link of a bridge gets must be free. */
static int claim(struct session *s, const struct target *t, const char *cidr, struct err *err)
{
	if (streq(t->link.kind, "bridge") && pool_apart(s, t->place, t->name, cidr, err) < 0)
		return -1;
	return pool_claim_link(s, t->label, t->name, cidr, err);
}

int network_addr(struct session *s, struct sandbox *sb, const char *link, const char *cidr, bool add_it, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };
	_cleanup_(free_lost) struct lost lost = { 0 };

	if (add_it && network_check_address(cidr, err) < 0)
		return -1;
	if ((link ? network_target(s, sb, link, &t, err) : find_only(s, sb, &t, err)) < 0)
		return -1;
	if (add_it && claim(s, &t, cidr, err) < 0)
		return -1;
	if (add_it)
		plan_add(&p, STEP_ADDR, t.place, t.name)->text = cidr;
	else if (read_lost(s, &t, &lost, err) < 0 || plan_unaddr(&p, &t, &lost, cidr, err) < 0)
		return -1;
	sb = network_sandbox(s, t.label);
	return plan_run(&p, err) < 0 || (!add_it && sb && names_settle(sb, err) < 0) ? -1 : 0;
}

int network_unlink(struct session *s, struct sandbox *sb, const char *link, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };

	if (network_target(s, sb, link, &t, err) < 0)
		return -1;
	if (t.link.index == 1) {
		err_set(err, EOPNOTSUPP, "%s: %s can't be deleted", t.label, t.name);
		return err_try(err, "down %s", t.name);
	}
	struct sandbox *holds = network_sandbox(s, t.label);
	_cleanup_free_ char *lent = holds ? network_lent(holds, t.link.index) : NULL;
	if (lent)
		return network_give_back(holds, lent, err) < 0 ? -1 : names_settle(holds, err);
	plan_add(&p, STEP_UNLINK, t.place, t.name);
	if (plan_run(&p, err) < 0)
		return -1;
	if (t.place == &s->host)
		network_forget_on_host(s, t.name, t.link.index);
	/* Either end may have been named, and a bridge is the end of many. */
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if ((t.place == &s->sandboxes[i]->place || !network_sandbox(s, t.label)) && names_settle(s->sandboxes[i], err) < 0)
			return -1;
	return 0;
}

/* ---- routes ---- */

/* A destination has nothing behind its prefix. */
static int check_destination(const char *to, struct err *err)
{
	unsigned char bytes[16];
	char address[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN];
	const char *slash = strchr(to, '/');
	int family = network_v6(to) ? AF_INET6 : AF_INET;
	unsigned length = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0, size = family == AF_INET ? 4 : 16;
	bool more = false;

	if (!slash || (size_t)(slash - to) >= sizeof address)
		return 0;
	memcpy(address, to, (size_t)(slash - to));
	if (inet_pton(family, address, bytes) != 1)
		return 0;
	for (unsigned i = 0; i < size; i++) {
		unsigned keep = length >= 8 * (i + 1) ? 8 : length > 8 * i ? length - 8 * i : 0;
		unsigned char mask = (unsigned char)(0xff00u >> keep);
		more = more || (bytes[i] & ~mask & 0xff);
		bytes[i] &= mask;
	}
	if (!more)
		return 0;
	err_usage(err, "%s: the address has bits behind its prefix", to);
	return err_try(err, "%s/%u", inet_ntop(family, bytes, text, sizeof text), length);
}

/* The route as the kernel has it, so that it can be brought back. */
static int find_route(struct sandbox *sb, struct step *step, struct net_route *route, struct err *err)
{
	_cleanup_free_ struct net_route *routes = NULL;
	size_t n = 0;

	if (!network_known(sb->session, &sb->place))
		return 0;
	if (network_routes(sb, &routes, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct net_route *r = &routes[i];
		if (!streq(r->to, step->text) || (step->from && !streq(step->from, r->via)) || (step->to && !streq(step->to, r->dev)))
			continue;
		*route = *r;
		step->from = route->via[0] ? route->via : NULL;
		step->to = route->dev[0] ? route->dev : NULL;
		return 0;
	}
	err_set(err, ESRCH, "%s: no such route to %s", sb->name, step->text);
	return err_try(err, "route, which lists them");
}

int network_route(struct sandbox *sb, const char *to, const char *via, const char *dev, bool add_it, struct err *err)
{
	struct plan p = { .session = sb->session };
	struct net_route route;

	if (network_need(sb, err) < 0 || check_destination(to, err) < 0 || (dev && net_name_check(dev, err) < 0))
		return -1;
	if (add_it && !via && !dev) {
		err_usage(err, "a route goes by a gateway or over a link");
		return err_try(err, "route %s via ADDRESS, or route %s dev LINK", to, to);
	}
	struct step *s = plan_add(&p, add_it ? STEP_ROUTE : STEP_UNROUTE, &sb->place, dev);
	s->text = to;
	s->from = via;
	if (!add_it && find_route(sb, s, &route, err) < 0)
		return -1;
	return plan_run(&p, err);
}

int network_routes(struct sandbox *sb, struct net_route **routes, size_t *n, struct err *err)
{
	const struct net_api *net = net_api(err);

	*routes = NULL;
	*n = 0;
	if (!net || network_need(sb, err) < 0)
		return -1;
	return network_known(sb->session, &sb->place) ? net->routes(&sb->place, routes, n, err) : 0;
}
