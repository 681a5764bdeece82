/*
 * network_nat.c - ways out of a bridge
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/rootless.h"
#include "kern/slirp.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_nat.h"
#include "sandbox/network_rules.h"
#include "sandbox/network_way.h"
#include "sandbox/store.h"

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
		return way_forward(s, &s->lab, false, "1", err);
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
	if (!way_has_family(&own, false))
		return way_no_gateway(place, bridge, err);
	if (store_need(s, err) < 0)
		return -1;
	int found = network_find(s, &s->lab, "uplink", NULL, err);
	if (found < 0 || (!found && start_slirp(s, err) < 0) || rules_need(s, &s->lab, "inet", err) < 0)
		return -1;
	for (size_t i = 0; i < own.n; i++) {
		char subnet[CIDR_ROOM];
		pool_subnet(own.cidr[i], subnet);
		_cleanup_free_ char *text = xasprintf("postrouting ip saddr %s oifname \"uplink\" masquerade", subnet);
		if (!network_v6(subnet) && rules_add(s, &s->lab, "inet", tag, text, err) < 0)
			return -1;
	}
	return 0;
}

int nat_on(struct session *s, const char *bridge, bool *switched, struct err *err)
{
	_cleanup_free_ char *tag = xasprintf("nat %s", bridge);
	struct way w;

	*switched = false;
	if (rules_once(s, "nat", tag, err) < 0)
		return -1;
	if (rootless_uid() != 0)
		return nat_rootless(s, bridge, tag, err);
	if (way_open(s, "nat", bridge, &w, switched, err) < 0 || rules_need(s, &s->host, "inet", err) < 0)
		return -1;
	for (size_t i = 0; i < w.own.n; i++) {
		char subnet[CIDR_ROOM];
		pool_subnet(w.own.cidr[i], subnet);
		_cleanup_free_ char *text = xasprintf("postrouting %s saddr %s oifname != \"%s\" masquerade", network_v6(subnet) ? "ip6" : "ip", subnet,
						      w.link);
		if (rules_add(s, &s->host, "inet", tag, text, err) < 0)
			return -1;
	}
	return 0;
}

int nat_off(struct session *s, const char *bridge, struct err *err)
{
	_cleanup_free_ char *tag = xasprintf("nat %s", bridge);
	int found = rules_drop(s, place_of_rules(s), "inet", tag, err);

	if (found != 0 || s->gate.dry)
		return found < 0 ? -1 : 0;
	err_set(err, ENOENT, "%s has no nat", bridge);
	return err_try(err, "nat, which lists those that have");
}
