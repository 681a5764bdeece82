/*
 * network_device.c - links that are no pair, and what can be changed about links
 */
#include "config.h"

#include <errno.h>
#include <netinet/ether.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network_device.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"

enum { MOST_VLAN = 4094, MOST_MTU = 1000000 };

static int check_vlan(int64_t id, struct err *err)
{
	return id >= 1 && id <= MOST_VLAN ? 0 : err_usage(err, "VLAN %lld: not a number from 1 to %d", (long long)id, MOST_VLAN);
}

int network_device(struct sandbox *sb, const struct device_wish *w, struct err *err)
{
	struct session *s = sb->session;
	struct plan p = { .session = s };
	struct target over = { 0 };
	_cleanup_free_ char *below = NULL;

	if (network_need(sb, err) < 0 || net_name_check(w->name, err) < 0 || (streq(w->kind, "vlan") && check_vlan(w->id, err) < 0))
		return -1;
	int found = network_find(s, &sb->place, w->name, NULL, err);
	if (found)
		return found < 0 ? -1 : network_taken(s, &sb->place, w->name, err);
	if (w->over && network_target_used(s, sb, w->over, &over, err) < 0)
		return -1;
	struct step *step = plan_add(&p, STEP_DEVICE, &sb->place, w->name);
	step->what = w->kind;
	step->num = w->id;
	if (w->over) {
		below = xasprintf("%s:%s", over.label, over.name);
		step->from = below;
		step->fd[0] = over.place->own[NS_NET] ? over.place->ns[NS_NET] : -1;
	}
	plan_add(&p, STEP_UP, &sb->place, w->name);
	return plan_run(&p, err);
}

int network_check_mtu(int64_t mtu, struct err *err)
{
	if (mtu >= 68 && mtu <= MOST_MTU)
		return 0;
	return err_usage(err, "mtu %lld: no link has that; 68 is the least of IPv4, 1280 of IPv6", (long long)mtu);
}

int network_check_mac(const char *mac, struct err *err)
{
	struct ether_addr a;

	if (!ether_aton_r(mac, &a) || strlen(mac) < 11)
		return err_usage(err, "%.40s is no hardware address such as 02:00:00:00:00:01", mac);
	return a.ether_addr_octet[0] & 1 ? err_usage(err, "%s is an address of a group, not of one link", mac) : 0;
}

static int check_value(struct session *s, const struct target *t, const char *what, const char *value, struct err *err)
{
	if (streq(what, "mac"))
		return network_check_mac(value, err);
	if (streq(what, "mtu"))
		return network_check_mtu(strtoll(value, NULL, 10), err);
	if (streq(what, "name")) {
		if (net_name_check(value, err) < 0)
			return -1;
		/* The ledger and the other belljars of a session know a link of the host, and a bridge, by its name. */
		if (t->place == &s->host || streq(t->link.kind, "bridge"))
			return err_set(err, EOPNOTSUPP, "%s: %s keeps its name: the session knows it by that", t->label, t->name);
		int found = network_find(s, t->place, value, NULL, err);
		if (found)
			return found < 0 ? -1 : err_set(err, EEXIST, "%s: there is a link %s already", t->label, value);
	} else if (streq(what, "stp") && t->link.kind[0] && !streq(t->link.kind, "bridge")) {
		return err_set(err, EINVAL, "%s: %s is no bridge", t->label, t->name);
	}
	return 0;
}

int network_alter(struct session *s, struct sandbox *sb, const char *link, const char *what, const char *value, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };

	if (network_target(s, sb, link, &t, err) < 0 || check_value(s, &t, what, value, err) < 0)
		return -1;
	struct step *step = plan_add(&p, STEP_ALTER, t.place, t.name);
	step->what = what;
	step->text = value;
	return plan_run(&p, err);
}

/* The bridge that the link is a port of. */
static int find_master(struct session *s, const struct target *t, char bridge[IFNAMSIZ], struct err *err)
{
	_cleanup_free_ struct net_link *links = NULL;
	size_t n = 0;
	const struct step *done;

	bridge[0] = '\0';
	for (size_t i = 0; s->gate.dry && (done = gate_done(&s->gate, i)); i++)
		if (done->kind == STEP_VETH && done->place == t->place && streq(done->to, t->name) && done->from)
			network_set_name(bridge, done->from);
	if (t->link.master && net_api(err)->links(t->place, &links, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (links[i].index == t->link.master)
			network_set_name(bridge, links[i].name);
	if (bridge[0])
		return 0;
	err_set(err, EINVAL, "%s: %s is no port of a bridge", t->label, t->name);
	return err_try(err, "links lab, which lists ports: lab:web.eth0 is the one that web's eth0 is plugged into");
}

int network_vlan(struct session *s, struct sandbox *sb, const char *link, int64_t id, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };
	char bridge[IFNAMSIZ];

	if (check_vlan(id, err) < 0 || network_target(s, sb, link, &t, err) < 0 || find_master(s, &t, bridge, err) < 0)
		return -1;
	_cleanup_free_ char *number = xasprintf("%d", (int)id);
	struct step *filter = plan_add(&p, STEP_ALTER, t.place, bridge);
	filter->what = "vlans";
	filter->text = "on";
	struct step *port = plan_add(&p, STEP_ALTER, t.place, t.name);
	port->what = "vlan";
	port->text = number;
	return plan_run(&p, err);
}
