/*
 * network_firewall.c - walls between sandboxes
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_firewall.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_rules.h"
#include "sandbox/store.h"

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

int firewall_deny(struct session *s, const char *a, const char *b, struct err *err)
{
	_cleanup_free_ char *tag = deny_tag(a, b), *first = NULL, *second = NULL;
	const char *names[2] = { a, b };
	char ports[2][IFNAMSIZ];
	struct place *place;

	if (b ? !sandbox_find(s, a, err) || !sandbox_find(s, b, err) || find_ports(s, names, ports, &place, err) < 0 :
		network_find_bridge(s, a, &place, err) < 0)
		return -1;
	if (rules_once(s, "firewall", tag, err) < 0 || (place == &s->host && store_need(s, err) < 0) || rules_need(s, place, "bridge", err) < 0)
		return -1;
	if (b) {
		first = xasprintf("forward iifname \"%s\" oifname \"%s\" drop", ports[0], ports[1]);
		second = xasprintf("forward iifname \"%s\" oifname \"%s\" drop", ports[1], ports[0]);
	} else {
		first = xasprintf("forward iifgroup %u oifgroup %u drop", net_group(a), net_group(a));
	}
	return rules_add(s, place, "bridge", tag, first, err) < 0 || (second && rules_add(s, place, "bridge", tag, second, err) < 0) ? -1 : 0;
}

int firewall_allow(struct session *s, const char *a, const char *b, struct err *err)
{
	_cleanup_free_ char *tag = deny_tag(a, b);
	int found = s->lab.own[NS_NET] ? rules_drop(s, &s->lab, "bridge", tag, err) : 0;

	if (found == 0)
		found = rules_drop(s, &s->host, "bridge", tag, err);
	if (found != 0 || s->gate.dry)
		return found < 0 ? -1 : 0;
	err_set(err, ENOENT, "%s: there is no such wall", tag);
	return err_try(err, "firewall, which lists them");
}
