/*
 * network_list.h - addresses, routes and neighbours of the session's places
 *
 * OF is a sandbox, "lab", "host" (only what is on links of this session there) or "all", as in network_links. Arrays are the caller's to
 * free. 0, or -1 with err.
 */
#ifndef SANDBOX_NETWORK_LIST_H
#define SANDBOX_NETWORK_LIST_H

#include "kern/net.h"
#include "sandbox/session.h"

struct network_addr_row {
	const char *where;     /* sandbox, "lab" or "host" */
	char link[IFNAMSIZ];
	struct net_addr addr;
};
int network_addrs(struct session *s, const char *of, struct network_addr_row **rows, size_t *n, struct err *err);

struct network_route_row {
	const char *where;
	struct net_table_route route;
};
int network_all_routes(struct session *s, const char *of, struct network_route_row **rows, size_t *n, struct err *err);

struct network_neighbour_row {
	const char *where;
	char link[IFNAMSIZ];
	struct net_neighbour neighbour;
};
int network_neighbours(struct session *s, const char *of, struct network_neighbour_row **rows, size_t *n, struct err *err);

/* The places of the session that can be asked: the lab if there is one, sandboxes with a net namespace of their own, the host. The array is
 * the caller's to free. */
struct network_place {
	struct place *place;
	const char *name;
};
void network_places(struct session *s, struct network_place **places, size_t *n);

#endif
