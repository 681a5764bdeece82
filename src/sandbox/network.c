/*
 * network.c - bridges, links, addresses and routes between sandboxes: plans of steps
 *
 * What the kernel can check it checks: most mistakes are found by the step that runs into them, and the gate takes back those before it. Here is
 * only what the kernel can't know (names of sandboxes, what is the session's own) or would say in a way nobody understands.
 * A place can be asked about its links unless it is only planned (dry run); then the usual names are assumed.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/net.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/store.h"

enum { STEPS = 128 };

struct plan {
	struct session *session;
	struct step steps[STEPS];
	size_t n;
};

static struct step *add(struct plan *p, enum step_kind kind, struct place *place, const char *to)
{
	struct step *s = &p->steps[p->n++];

	*s = (struct step){ .kind = kind, .place = place, .to = to, .fd = { -1, -1 } };
	return s;
}

static int run(struct plan *p, struct err *err)
{
	return gate_run(&p->session->gate, p->steps, p->n, err);
}

/* ---- names ---- */

/* A name that was checked, or one that is cut. */
static void set_name(char to[IFNAMSIZ], const char *name)
{
	size_t n = strnlen(name, IFNAMSIZ - 1);

	memcpy(to, name, n);
	to[n] = '\0';
}

/* "web:eth0" into its halves; LINK is "" when there is no colon. */
static int split(const char *text, char who[NAME_LONGEST + 1], char link[IFNAMSIZ], struct err *err)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);

	if (n > NAME_LONGEST)
		return err_usage(err, "a name of %zu bytes: the longest has %d", n, NAME_LONGEST);
	memcpy(who, text, n);
	who[n] = '\0';
	link[0] = '\0';
	if (!colon)
		return 0;
	if (net_name_check(colon + 1, err) < 0)
		return -1;
	set_name(link, colon + 1);
	return 0;
}

static struct sandbox *by_name(struct session *s, const char *name)
{
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if (streq(s->sandboxes[i]->name, name))
			return s->sandboxes[i];
	return NULL;
}

static int need_net(const struct sandbox *sb, struct err *err)
{
	if (sb->place.own[NS_NET])
		return 0;
	err_set(err, EINVAL, "%s: no network namespace of its own", sb->name);
	err_why(err, "it shares the host's network, and what is changed there would be the host's");
	return err_try(err, "unshare net");
}

static bool same_netns(const struct place *a, const struct place *b)
{
	struct stat sa, sb;

	if (a == b)
		return true;
	return a->ns[NS_NET] >= 0 && b->ns[NS_NET] >= 0 && fstat(a->ns[NS_NET], &sa) == 0 && fstat(b->ns[NS_NET], &sb) == 0 &&
	       sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

/* ---- the host ---- */

/* What is made on the host is noted first, with the number it will have. Ends of pairs would go by themselves, but not before the kernel
 * has had the time to clear the other end's namespace. */
static int note_on_host(struct session *s, const char *name, int *index, struct err *err)
{
	*index = network_choose_index();
	_cleanup_free_ char *line = network_ledger_line(name, *index), *noted = xasprintf("%s\n", line);

	return store_need(s, err) < 0 ? -1 : store_note(s, noted, err);
}

/* A line that stays does no harm: only a link of that name and number would be removed. */
static void forget_on_host(struct session *s, const char *name, int index)
{
	_cleanup_free_ char *line = network_ledger_line(name, index);

	store_forget(s, line, NULL);
}

/* ---- ends of a new link ---- */

struct end {
	struct place *place;
	const char *label;     /* sandbox, "host" or "lab": what names of other ends are made of */
	char bridge[IFNAMSIZ]; /* it becomes a port of this bridge; "" = it doesn't */
	char port[IFNAMSIZ];   /* the link's name here; "" until chosen */
	const char *address;
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
	set_name(e->bridge, name);
	e->place = &s->lab;
	e->label = "lab";
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

/* "lab:br0" is that bridge, "host:br0" too if it is one of ours there. */
static int find_in(struct session *s, struct place *p, struct end *e, struct err *err)
{
	struct net_link link = { 0 };
	int found = p == &s->lab ? network_find(s, p, e->port, &link, err) : network_find_own(s, e->port, &link, err);

	e->place = p;
	e->label = p->name;
	if (found < 0 || (p == &s->host && !streq(link.kind, "bridge")))
		return found < 0 ? -1 : 0;
	set_name(e->bridge, e->port);
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

	if (split(text, who, e->port, err) < 0)
		return -1;
	struct sandbox *sb = by_name(s, who);
	if (sb) {
		e->place = &sb->place;
		e->label = sb->name;
		return need_net(sb, err);
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
		set_name(e->port, name);
		is = is_free(s, e->place, e->port, err);
	}
	return is < 0 ? -1 : 0;
}

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

static int check_ends(const char *texts[2], const struct end e[2], struct err *err)
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

/* Addresses that stand for many, or for none. The kernel takes some of them, and then nothing works. */
static int check_address(const char *cidr, struct err *err)
{
	bool v6 = strchr(cidr, ':') != NULL;
	unsigned long first = v6 ? 0 : strtoul(cidr, NULL, 10);

	if (v6 ? strncasecmp(cidr, "ff", 2) == 0 && strcspn(cidr, ":") == 4 : first == 0 || first >= 224) {
		err_usage(err, "%s is no address that one link can have", cidr);
		return err_why(err, "%s", v6 ? "ff00::/8 is for multicast" : "0.0.0.0/8 means this network, 224.0.0.0 and up are for multicast and broadcast");
	}
	return 0;
}

/* Addresses in the order of the ends; a bridge's port has none. */
static int give_addresses(struct end e[2], const char *addresses[2], struct err *err)
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
		if (check_address(addresses[i], err) < 0)
			return -1;
	e[e[0].bridge[0] ? 1 : 0].address = addresses[0];
	if (n == 2)
		e[1].address = addresses[1];
	return 0;
}

/* The near end comes up with the making; the far one can't, before both are there. */
static void plan_pair(struct plan *p, const struct end *near, const struct end *far)
{
	struct step *s = add(p, STEP_VETH, near->place, near->port);

	s->what = far->port;
	s->fd[0] = far->place->own[NS_NET] ? far->place->ns[NS_NET] : -1;
	s->from = near->bridge[0] ? near->bridge : NULL;
	s->text = far->label;
	s->num = near->index;
	s->flags = (uint64_t)far->index;
	if (near->address)
		add(p, STEP_ADDR, near->place, near->port)->text = near->address;
	if (far->address)
		add(p, STEP_ADDR, far->place, far->port)->text = far->address;
	add(p, STEP_UP, far->place, far->port);
}

int network_link(struct session *s, const char *texts[2], const char *addresses[2], struct err *err)
{
	struct plan p = { .session = s };
	struct end e[2] = { 0 };

	for (int i = 0; i < 2; i++)
		if (find_end(s, texts[i], &e[i], err) < 0)
			return -1;
	if (check_ends(texts, e, err) < 0 || give_addresses(e, addresses, err) < 0 || choose_names(s, e, err) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		if (e[i].place == &s->host && note_on_host(s, e[i].port, &e[i].index, err) < 0)
			return -1;
	/* Only the near end can be put into a bridge. It also is the one that may have a chosen number alone: the kernel looks at the far one's
	 * only if both have one (veth_newlink). */
	bool turned = !e[0].bridge[0] && (e[1].bridge[0] || e[1].place == &s->host);
	if (e[!turned].index && !e[turned].index)
		e[turned].index = network_choose_index();
	plan_pair(&p, &e[turned], &e[!turned]);
	if (run(&p, err) == 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (e[i].place == &s->host)
			forget_on_host(s, e[i].port, e[i].index);
	return -1;
}

/* ---- bridges ---- */

int network_bridge(struct session *s, const char *name, const char *cidr, bool host, struct err *err)
{
	struct plan p = { .session = s };
	struct net_link link;

	if (net_name_check(name, err) < 0)
		return -1;
	if (by_name(s, name) || streq(name, "host") || streq(name, "lab") || streq(name, "all"))
		return err_usage(err, "%s is the name of %s, and a bridge of that name could not be linked", name,
				 by_name(s, name) ? "a sandbox" : "something else");
	if (cidr && check_address(cidr, err) < 0)
		return -1;
	struct place *place = host ? &s->host : session_lab(s, err);
	int found = place ? network_find(s, place, name, &link, err) : -1;
	if (found < 0)
		return -1;
	if (found)
		return err_set(err, EEXIST, "%s: there is a link %s already", place->name, name);
	struct step *step = add(&p, STEP_BRIDGE, place, name);
	if (cidr)
		add(&p, STEP_ADDR, place, name)->text = cidr;
	add(&p, STEP_UP, place, name);
	if (!host)
		return run(&p, err);
	int index;
	if (note_on_host(s, name, &index, err) < 0)
		return -1;
	step->num = index;
	if (run(&p, err) == 0)
		return 0;
	forget_on_host(s, name, index);
	return -1;
}

/* ---- links that are there ---- */

struct target {
	struct place *place;
	const char *label;
	char name[IFNAMSIZ];
	struct net_link link;  /* index 0: not known (planned only) */
};

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
	struct sandbox *sb = by_name(s, who);
	int found;

	if (sb && need_net(sb, err) < 0)
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
	if (need_net(sb, err) < 0)
		return -1;
	t->label = sb->name;
	return missing(t, err);
}

static int find_target(struct session *s, struct sandbox *sb, const char *text, struct target *t, struct err *err)
{
	char who[NAME_LONGEST + 1];

	if (strchr(text, ':'))
		return split(text, who, t->name, err) < 0 ? -1 : find_there(s, who, t, err);
	if (net_name_check(text, err) < 0)
		return -1;
	set_name(t->name, text);
	return find_here(s, sb, t, err);
}

/* The only link a sandbox has. */
static int find_only(struct session *s, struct sandbox *sb, struct target *t, struct err *err)
{
	_cleanup_free_ struct net_link *links = NULL;
	const struct net_api *net = net_api(err);
	size_t n = 0, found = 0;

	if (!net || !sb || need_net(sb, err) < 0)
		return sb || !net ? -1 : sandbox_current(s, err) ? 0 : -1;
	t->place = &sb->place;
	t->label = sb->name;
	if (!network_known(s, &sb->place)) {
		set_name(t->name, "eth0");
		return 0;
	}
	if (net->links(&sb->place, &links, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (links[i].index == 1)
			continue;
		t->link = links[i];
		set_name(t->name, links[i].name);
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
	return net->addrs(t->place, &l->addrs, &l->n_addrs, err) < 0 || net->routes(t->place, &l->routes, &l->n_routes, err) < 0 ? -1 : 0;
}

static bool is_v6(const char *text, const char *via)
{
	return strchr(text, ':') || (via && strchr(via, ':'));
}

static int plan_unroutes(struct plan *p, const struct target *t, const struct lost *l, bool v4, bool v6, struct err *err)
{
	for (size_t i = 0; i < l->n_routes; i++) {
		const struct net_route *r = &l->routes[i];
		if (!streq(r->dev, t->name) || !(is_v6(r->to, r->via) ? v6 : v4))
			continue;
		/* Room for the steps of the command itself. */
		if (p->n > STEPS - 16)
			return err_set(err, E2BIG, "%s: more than %d routes go over %s", t->label, STEPS - 16, t->name);
		struct step *s = add(p, STEP_UNROUTE, t->place, r->dev);
		s->text = r->to;
		s->from = r->via[0] ? r->via : NULL;
	}
	return 0;
}

/* IPv6 addresses go when a link goes down (unless keep_addr_on_down is set). */
static void plan_unaddrs(struct plan *p, const struct target *t, const struct lost *l)
{
	for (size_t i = 0; i < l->n_addrs && p->n < STEPS - 1; i++)
		if (l->addrs[i].index == t->link.index && !l->addrs[i].automatic && is_v6(l->addrs[i].cidr, NULL))
			add(p, STEP_UNADDR, t->place, t->name)->text = l->addrs[i].cidr;
}

/* ---- commands ---- */

int network_up(struct session *s, struct sandbox *sb, const char *link, bool up, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };
	_cleanup_(free_lost) struct lost lost = { 0 };

	if (find_target(s, sb, link, &t, err) < 0)
		return -1;
	if (!up && t.link.up) {
		if (read_lost(s, &t, &lost, err) < 0 || plan_unroutes(&p, &t, &lost, true, true, err) < 0)
			return -1;
		plan_unaddrs(&p, &t, &lost);
	}
	add(&p, up ? STEP_UP : STEP_DOWN, t.place, t.name);
	return run(&p, err);
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

	for (size_t i = 0; i < l->n_addrs; i++)
		if (l->addrs[i].index == t->link.index && streq(l->addrs[i].cidr, cidr))
			is_first = !l->addrs[i].secondary;
	for (size_t i = 0; i < l->n_addrs; i++) {
		const struct net_addr *a = &l->addrs[i];
		if (a->index != t->link.index || is_v6(a->cidr, NULL) || streq(a->cidr, cidr))
			continue;
		is_first && goes_with(a, cidr) ? more++ : others++;
	}
	if (others == 0 && plan_unroutes(p, t, l, true, false, err) < 0)
		return -1;
	size_t end_route = p->n;
	if (p->n + 2 * more + (end_route - first_route) + 1 > STEPS)
		return err_set(err, E2BIG, "%s: %s has too many addresses and routes to delete one that others stand on", t->label, t->name);
	for (int back = 0; back < 2; back++) {
		for (size_t i = 0; i < l->n_addrs && more; i++)
			if (l->addrs[i].index == t->link.index && goes_with(&l->addrs[i], cidr))
				add(p, back ? STEP_ADDR : STEP_UNADDR, t->place, t->name)->text = l->addrs[i].cidr;
		if (!back)
			add(p, STEP_UNADDR, t->place, t->name)->text = cidr;
	}
	for (size_t i = end_route; more && i-- > first_route;) {
		struct step *s = add(p, STEP_ROUTE, p->steps[i].place, p->steps[i].to);
		s->text = p->steps[i].text;
		s->from = p->steps[i].from;
	}
	return 0;
}

int network_addr(struct session *s, struct sandbox *sb, const char *link, const char *cidr, bool add_it, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };
	_cleanup_(free_lost) struct lost lost = { 0 };

	if (add_it && check_address(cidr, err) < 0)
		return -1;
	if ((link ? find_target(s, sb, link, &t, err) : find_only(s, sb, &t, err)) < 0)
		return -1;
	if (add_it || is_v6(cidr, NULL))
		add(&p, add_it ? STEP_ADDR : STEP_UNADDR, t.place, t.name)->text = cidr;
	else if (read_lost(s, &t, &lost, err) < 0 || plan_unaddr(&p, &t, &lost, cidr, err) < 0)
		return -1;
	return run(&p, err);
}

int network_unlink(struct session *s, struct sandbox *sb, const char *link, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };

	if (find_target(s, sb, link, &t, err) < 0)
		return -1;
	if (t.link.index == 1) {
		err_set(err, EOPNOTSUPP, "%s: %s can't be deleted", t.label, t.name);
		return err_try(err, "down %s", t.name);
	}
	add(&p, STEP_UNLINK, t.place, t.name);
	if (run(&p, err) < 0)
		return -1;
	if (t.place == &s->host)
		forget_on_host(s, t.name, t.link.index);
	return 0;
}

/* ---- routes ---- */

/* A destination has nothing behind its prefix. */
static int check_destination(const char *to, struct err *err)
{
	unsigned char bytes[16];
	char address[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN];
	const char *slash = strchr(to, '/');
	int family = strchr(to, ':') ? AF_INET6 : AF_INET;
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

	if (need_net(sb, err) < 0 || check_destination(to, err) < 0 || (dev && net_name_check(dev, err) < 0))
		return -1;
	if (add_it && !via && !dev) {
		err_usage(err, "a route goes by a gateway or over a link");
		return err_try(err, "route %s via ADDRESS, or route %s dev LINK", to, to);
	}
	struct step *s = add(&p, add_it ? STEP_ROUTE : STEP_UNROUTE, &sb->place, dev);
	s->text = to;
	s->from = via;
	if (!add_it && find_route(sb, s, &route, err) < 0)
		return -1;
	return run(&p, err);
}

int network_routes(struct sandbox *sb, struct net_route **routes, size_t *n, struct err *err)
{
	const struct net_api *net = net_api(err);

	*routes = NULL;
	*n = 0;
	if (!net || need_net(sb, err) < 0)
		return -1;
	return network_known(sb->session, &sb->place) ? net->routes(&sb->place, routes, n, err) : 0;
}
