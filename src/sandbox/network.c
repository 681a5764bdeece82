/*
 * network.c - new bridges and links between sandboxes: plans of steps
 *
 * What the kernel can check it checks: most mistakes are found by the step that runs into them, and the gate takes back those before it. Here
 * is only what the kernel can't know (names of sandboxes, what is the session's own) or would say in a way nobody understands.
 * A place can be asked about its links unless it is only planned (dry run); then the usual names are assumed.
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_device.h"
#include "sandbox/network_lend.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"
#include "sandbox/store.h"

static bool same_netns(const struct place *a, const struct place *b)
{
	struct stat sa, sb;

	if (a == b)
		return true;
	return a->ns[NS_NET] >= 0 && b->ns[NS_NET] >= 0 && fstat(a->ns[NS_NET], &sa) == 0 && fstat(b->ns[NS_NET], &sb) == 0 &&
	       sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

/* ---- ends of a new link ---- */

struct end {
	struct place *place;
	const char *label;     /* sandbox, "host" or "lab": what names of other ends are made of */
	char bridge[IFNAMSIZ]; /* it becomes a port of this bridge; "" = it doesn't */
	char port[IFNAMSIZ];   /* the link's name here; "" until chosen */
	const char *addresses[POOL_ADDRESSES];
	size_t n_addresses;
	int index;             /* on the host: its number, chosen beforehand; else mostly 0 */
};

static int no_bridge(const struct end *e, struct err *err)
{
	err_set(err, EINVAL, "%s: %s is no bridge, but one end of a link", e->label, e->bridge);
	return err_try(err, "the name of a sandbox or of a bridge");
}

/* A bridge of the session: in the lab, else on the host. */
static int find_bridge(struct session *s, const char *name, struct end *e, struct err *err)
{
	struct net_link link = { 0 };
	int found;

	if (net_name_check(name, err) < 0)
		return -1;
	network_set_name(e->bridge, name);
	e->place = &s->lab;
	e->label = "lab";
	/* Whether a link that is there is a bridge, the kernel says by itself (a question less for each of hundreds of links). */
	if (s->lab.own[NS_NET] && network_known(s, &s->lab) && network_find(s, &s->lab, name, NULL, err) > 0)
		return 0;
	found = s->lab.own[NS_NET] ? network_find(s, &s->lab, name, &link, err) : 0;
	if (found == 0) {
		e->place = &s->host;
		e->label = "host";
		found = network_find_own(s, name, &link, err);
	}
	if (found < 0)
		return -1;
	if (!found) {
		err_set(err, ENODEV, "no sandbox and no bridge is called %s", name);
		return err_try(err, "new %s, or bridge %s", name, name);
	}
	return streq(link.kind, "bridge") ? 0 : no_bridge(e, err);
}

int network_find_bridge(struct session *s, const char *name, struct place **place, struct err *err)
{
	struct net_link link = { 0 };
	struct end e = { 0 };

	if (find_bridge(s, name, &e, err) < 0)
		return -1;
	*place = e.place;
	if (network_find(s, e.place, name, &link, err) < 0)
		return -1;
	return streq(link.kind, "bridge") ? 0 : no_bridge(&e, err);
}

/* "lab:br0" is that bridge, "host:br0" too if it is one of ours there. */
static int find_in(struct session *s, struct place *p, struct end *e, struct err *err)
{
	struct net_link link = { 0 };
	int found = p == &s->lab ? network_find(s, p, e->port, &link, err) : network_find_own(s, e->port, &link, err);

	e->place = p;
	e->label = p->name;
	if (found < 0 || (p == &s->host && (!found || !streq(link.kind, "bridge"))))
		return found < 0 ? -1 : 0;
	network_set_name(e->bridge, e->port);
	e->port[0] = '\0';
	if (!found) {
		err_set(err, ENODEV, "lab: no bridge %s", e->bridge);
		return err_try(err, "bridge %s", e->bridge);
	}
	return streq(link.kind, "bridge") ? 0 : no_bridge(e, err);
}

/* An end as the user typed it. */
static int find_end(struct session *s, const char *text, struct end *e, struct err *err)
{
	char who[NAME_LONGEST + 1];

	if (network_split(text, who, e->port, err) < 0)
		return -1;
	struct sandbox *sb = network_sandbox(s, who);
	if (sb) {
		e->place = &sb->place;
		e->label = sb->name;
		return network_need(sb, err);
	}
	if (e->port[0] && (streq(who, "lab") || streq(who, "host")))
		return find_in(s, streq(who, "lab") ? &s->lab : &s->host, e, err);
	if (streq(who, "host")) {
		e->place = &s->host;
		e->label = "host";
		return 0;
	}
	if (streq(who, "lab") || e->port[0]) {
		err_usage(err, streq(who, "lab") ? "a link can't end in the lab itself" : "no sandbox is called %s", who);
		return err_try(err, "the name of a sandbox or of a bridge");
	}
	return find_bridge(s, who, e, err);
}

/* Perform a step that no undo takes back. */
static int run_for_good(struct session *s, struct step step, struct err *err)
{
	size_t mark = gate_mark(&s->gate);

	if (gate_run(&s->gate, &step, 1, err) < 0)
		return -1;
	gate_forget(&s->gate, mark, gate_mark(&s->gate));
	return 0;
}

/* Is NAME free in the place, where it can be known? What a sandbox left that is gone is removed. 1, 0, or -1. */
static int is_free(struct session *s, struct place *p, const char *name, struct err *err)
{
	struct net_link link;
	int found = network_find(s, p, name, &link, err), stale;

	if (found <= 0)
		return found < 0 ? -1 : 1;
	if (p != &s->lab && p != &s->host)
		return 0;
	stale = network_stale(s, p, &link, err);
	if (stale <= 0)
		return stale;
	return run_for_good(s, (struct step){ .kind = STEP_UNLINK, .place = p, .to = name }, err) < 0 ? -1 : 1;
}

/* A sandbox's own links are eth0, eth1 ... */
static int choose_inside(struct session *s, struct end *e, struct err *err)
{
	int is = 0;

	for (unsigned i = 0; is == 0; i++) {
		snprintf(e->port, sizeof e->port, "eth%u", i);
		is = is_free(s, e->place, e->port, err);
	}
	return is < 0 ? -1 : 0;
}

/* In the lab and on the host a link is named after the other end: web.eth0. What is too long loses letters of the sandbox's name. */
static int choose_outside(struct session *s, struct end *e, const struct end *other, struct err *err)
{
	const char *inner = other->port[0] ? other->port : other->bridge;
	int is = 0;

	for (unsigned i = 1; is == 0; i++) {
		_cleanup_free_ char *number = i > 1 ? xasprintf("~%u", i) : xstrdup(""), *tail = xasprintf("%s.%s", number, inner);
		int most = strlen(tail) < IFNAMSIZ - 1 ? (int)(IFNAMSIZ - 1 - strlen(tail)) : 1;
		_cleanup_free_ char *name = xasprintf("%.*s%s", most, other->label, tail);
		network_set_name(e->port, name);
		is = is_free(s, e->place, e->port, err);
	}
	return is < 0 ? -1 : 0;
}

struct looks {
	const char *mac;
	const struct end *of;  /* the end that gets it */
	char mtu[16];          /* "" = as usual */
};

static bool inside(const struct session *s, const struct end *e)
{
	return e->place != &s->host && e->place != &s->lab;
}

static int choose_names(struct session *s, struct end e[2], struct err *err)
{
	/* The name the user chose may be taken: the step will say so. */
	for (int i = 0; i < 2; i++)
		if (e[i].port[0] && is_free(s, e[i].place, e[i].port, err) < 0)
			return -1;
	for (int i = 0; i < 2; i++)
		if (inside(s, &e[i]) && !e[i].port[0] && choose_inside(s, &e[i], err) < 0)
			return -1;
	for (int i = 0; i < 2; i++)
		if (!e[i].port[0] && choose_outside(s, &e[i], &e[!i], err) < 0)
			return -1;
	return 0;
}

static int check_ends(const char *const texts[2], const struct end e[2], struct err *err)
{
	if (e[0].bridge[0] && e[1].bridge[0]) {
		err_set(err, ELOOP, "%s and %s are both bridges", texts[0], texts[1]);
		err_why(err, "two bridges with two ways between them send every broadcast round for ever, so belljar links no bridges");
		return err_try(err, "one bridge for all of their sandboxes");
	}
	if (!e[0].bridge[0] && !e[1].bridge[0] && same_netns(e[0].place, e[1].place)) {
		if (e[0].place == e[1].place)
			err_set(err, EINVAL, "%s: both ends of the link would be in it", e[0].label);
		else
			err_set(err, EINVAL, "%s and %s are in one network namespace", e[0].label, e[1].label);
		return err_try(err, "two different sandboxes, or a sandbox and a bridge");
	}
	return 0;
}

static void add_address(struct end *e, const char *cidr)
{
	e->addresses[e->n_addresses++] = cidr;
}

/* Addresses in the order of the ends; a bridge's port has none. */
static int give_addresses(struct end e[2], const char *const addresses[2], struct err *err)
{
	size_t n = addresses[1] ? 2 : addresses[0] ? 1 : 0;
	bool port = e[0].bridge[0] || e[1].bridge[0];

	if (port && n == 2) {
		const char *bridge = e[0].bridge[0] ? e[0].bridge : e[1].bridge;
		err_usage(err, "a link to the bridge %s takes one address", bridge);
		return err_try(err, "addr lab:%s %s, for an address of the bridge", bridge, addresses[1]);
	}
	if (n == 2 && strncmp(addresses[0], addresses[1], strcspn(addresses[0], "/") + 1) == 0)
		return err_usage(err, "both ends would have the address %s", addresses[1]);
	for (size_t i = 0; i < n; i++)
		if (network_check_address(addresses[i], err) < 0)
			return -1;
	if (n > 0)
		add_address(&e[e[0].bridge[0] ? 1 : 0], addresses[0]);
	if (n == 2)
		add_address(&e[1], addresses[1]);
	return 0;
}

/* At a bridge: what the user gave must be free, and who got nothing gets a free one. POOL holds the texts. */
static int pool_addresses(struct session *s, struct end e[2], bool bare, struct pool_addresses *pool, struct err *err)
{
	const struct end *port = e[0].bridge[0] ? &e[0] : e[1].bridge[0] ? &e[1] : NULL;
	struct end *other = port == &e[0] ? &e[1] : &e[0];

	if (!port)
		return 0;
	if (other->n_addresses)
		return pool_claim(s, port->place, port->bridge, other->addresses[0], err);
	if (bare)
		return 0;
	if (pool_take(s, port->place, port->bridge, pool, err) < 0)
		return -1;
	for (size_t i = 0; i < pool->n; i++)
		add_address(other, pool->cidr[i]);
	return 0;
}

/* What differs from a link as the kernel makes it. */
static void plan_looks(struct plan *p, const struct end *near, const struct end *far, const struct looks *l)
{
	const struct end *ends[] = { near, far };

	for (size_t i = 0; i < 2; i++) {
		struct step *s = l->mtu[0] ? plan_add(p, STEP_ALTER, ends[i]->place, ends[i]->port) : NULL;
		if (s) {
			s->what = "mtu";
			s->text = l->mtu;
		}
		if (!l->mac || ends[i] != l->of)
			continue;
		s = plan_add(p, STEP_ALTER, ends[i]->place, ends[i]->port);
		s->what = "mac";
		s->text = l->mac;
	}
}

/* The near end comes up with the making; the far one can't, before both are there. */
static void plan_pair(struct plan *p, const struct end *near, const struct end *far, const struct looks *l)
{
	struct step *s = plan_add(p, STEP_VETH, near->place, near->port);

	s->what = far->port;
	s->fd[0] = far->place->own[NS_NET] ? far->place->ns[NS_NET] : -1;
	s->from = near->bridge[0] ? near->bridge : NULL;
	s->text = far->label;
	s->num = near->index;
	s->flags = (uint64_t)far->index;
	plan_looks(p, near, far, l);
	for (size_t i = 0; i < near->n_addresses; i++)
		plan_add(p, STEP_ADDR, near->place, near->port)->text = near->addresses[i];
	plan_up(p, far->place, far->port, far->addresses, far->n_addresses);
}

/* Make the pair of the two ends, which have their names and addresses. */
static int make_pair(struct session *s, struct end e[2], const struct looks *l, struct err *err)
{
	struct plan p = { .session = s };

	for (int i = 0; i < 2; i++)
		if (e[i].place == &s->host && network_note_on_host(s, e[i].port, &e[i].index, err) < 0)
			return -1;
	/* Only the near end can be put into a bridge. It also is the one that may have a chosen number alone: the kernel looks at the far one's
	 * only if both have one (veth_newlink). */
	bool turned = !e[0].bridge[0] && (e[1].bridge[0] || e[1].place == &s->host);
	if (e[!turned].index && !e[turned].index)
		e[turned].index = network_choose_index();
	plan_pair(&p, &e[turned], &e[!turned], l);
	if (plan_run(&p, err) == 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (e[i].place == &s->host)
			network_forget_on_host(s, e[i].port, e[i].index);
	return -1;
}

/* Does the end name a link that is on the host already, and not by this session? Then it is not made, but moved. 1, 0, or -1. */
static int is_there(struct session *s, const struct end *e, struct err *err)
{
	struct net_link link;

	if (e->place != &s->host || !e->port[0] || e->bridge[0])
		return 0;
	int found = network_find(s, &s->host, e->port, &link, err);
	/* What is only planned has no number. */
	return found <= 0 || !link.index ? found < 0 ? -1 : 0 : !network_find_own(s, e->port, &link, err);
}

static int lend(struct session *s, const struct link_wish *wish, const struct end *from, struct end *to, struct err *err)
{
	struct sandbox *sb = to->bridge[0] ? NULL : network_sandbox(s, to->label);

	if (!sb) {
		network_taken(s, from->place, from->port, err);
		return err_try(err, "link host:%s SANDBOX, which moves it in, or another name", from->port);
	}
	if (wish->mtu || wish->mac) {
		err_usage(err, "a link that is moved keeps its mtu and mac");
		return err_try(err, "alter, once it is there");
	}
	if (wish->addresses[1])
		return err_usage(err, "a link that is moved takes one address: it has one end in the session");
	if (!to->port[0] && choose_inside(s, to, err) < 0)
		return -1;
	return network_lend(sb, from->port, to->port, wish->addresses[0], err);
}

int network_link(struct session *s, const struct link_wish *wish, struct err *err)
{
	struct end e[2] = { 0 };
	struct pool_addresses pool;
	struct looks looks = { .mac = wish->mac, .of = &e[0] };

	if ((wish->mtu && network_check_mtu(wish->mtu, err) < 0) || (wish->mac && network_check_mac(wish->mac, err) < 0))
		return -1;
	if (wish->mtu)
		snprintf(looks.mtu, sizeof looks.mtu, "%d", (int)wish->mtu);

	for (int i = 0; i < 2; i++)
		if (find_end(s, wish->ends[i], &e[i], err) < 0)
			return -1;
	if (check_ends(wish->ends, e, err) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		int there = is_there(s, &e[i], err);
		if (there)
			return there < 0 ? -1 : lend(s, wish, &e[i], &e[!i], err);
	}
	if (give_addresses(e, wish->addresses, err) < 0 ||
	    pool_addresses(s, e, wish->bare, &pool, err) < 0 || choose_names(s, e, err) < 0)
		return -1;
	looks.of = &e[e[0].bridge[0] ? 1 : 0];
	return make_pair(s, e, &looks, err);
}

int network_uplink(struct session *s, const char *const *addresses, size_t n, struct err *err)
{
	struct end e[2] = {
		{ .place = &s->host, .label = "host" },
		{ .place = session_lab(s, err), .label = "lab", .port = "uplink" },
	};

	if (!e[1].place || choose_names(s, e, err) < 0)
		return -1;
	for (size_t i = 0; i < 2 * n; i++)
		add_address(&e[i % 2], addresses[i]);
	return make_pair(s, e, &(struct looks){ 0 }, err);
}

/* ---- bridges ---- */

int network_bridge(struct session *s, const char *name, const char *cidr, bool host, struct err *err)
{
	struct plan p = { .session = s };
	struct net_link link;

	if (net_name_check(name, err) < 0)
		return -1;
	if (network_sandbox(s, name) || streq(name, "host") || streq(name, "lab") || streq(name, "all"))
		return err_usage(err, "%s is the name of %s, and a bridge of that name could not be linked", name,
				 network_sandbox(s, name) ? "a sandbox" : "something else");
	if (cidr && network_check_address(cidr, err) < 0)
		return -1;
	struct place *place = host ? &s->host : session_lab(s, err);
	int found = place ? network_find(s, place, name, &link, err) : -1;
	if (found < 0)
		return -1;
	if (found)
		return network_taken(s, place, name, err);
	if (cidr && pool_apart(s, place, name, cidr, err) < 0)
		return -1;
	/* Up at once, as everything is. Building hundreds of ports would be up to 1.6 times as fast if it came up last: until then the new
	 * neighbours' IPv6 duplicate address detection has nobody to go to. Leaving multicast snooping off changes nothing (measured). */
	struct step *step = plan_add(&p, STEP_BRIDGE, place, name);
	plan_up(&p, place, name, &cidr, cidr ? 1 : 0);
	if (!host)
		return plan_run(&p, err);
	int index;
	if (network_note_on_host(s, name, &index, err) < 0)
		return -1;
	step->num = index;
	if (plan_run(&p, err) == 0)
		return 0;
	network_forget_on_host(s, name, index);
	return -1;
}
