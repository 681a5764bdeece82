/*
 * network_way.h - the way from the host to a bridge
 *
 * A bridge in the lab has no way to the host by itself. The first `nat` or `publish` lays a cable, "uplink" in the lab and lab.uplink on the
 * host, with a small subnet of 100.64.0.0/10 that nobody uses; the lab becomes a router, and the host learns to reach the bridge's subnets
 * through it. All of it goes with the session. All functions return 0, or -1 with err.
 */
#ifndef SANDBOX_NETWORK_WAY_H
#define SANDBOX_NETWORK_WAY_H

#include <net/if.h>
#include <stdbool.h>

#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"
#include "sandbox/session.h"

struct way {
	struct place *place;           /* of the bridge */
	const char *bridge;
	struct pool_addresses own;     /* of the bridge */
	char link[IFNAMSIZ];           /* on the host: the bridge, or the cable's end */
	struct pool_addresses lab;     /* the cable's addresses in the lab */
};

/* All that packets between the host and the bridge need, for the command WHAT. *SWITCHED: the host forwards packets now, and did not before. */
int way_open(struct session *s, const char *what, const char *bridge, struct way *w, bool *switched, struct err *err);

/* EPERM with err for an ordinary user. */
int way_need_privilege(const char *what, struct err *err);

/* Why a bridge without addresses won't do: -1 with err. */
int way_no_gateway(const struct place *place, const char *bridge, struct err *err);

bool way_has_family(const struct pool_addresses *a, bool v6);

/* The place's own switch of one family; VALUE "1" or "0". */
int way_forward(struct session *s, struct place *p, bool v6, const char *value, struct err *err);

/* Does the sandbox pass packets on between its links, as a router does? */
int way_forward_all(struct sandbox *sb, bool on, struct err *err);

#endif
