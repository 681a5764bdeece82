/*
 * network.h - bridges, links, addresses and routes between sandboxes
 *
 * Bridges live in the session's lab, a net namespace without processes, unless the user names the host. How users name things:
 *     an end of a new link    web   web:eth1   br0 (a bridge of the session)   host   host:veth0
 *     a link that is there    web:eth0   lab:br0   host:br0, or eth0: of the current sandbox SB, else of the lab. SB may be NULL.
 * On the host only links that this session made can be changed. All functions return 0, or -1 with err, and then nothing is changed.
 */
#ifndef SANDBOX_NETWORK_H
#define SANDBOX_NETWORK_H

#include <stdbool.h>

#include "kern/net.h"
#include "sandbox/session.h"

/* A bridge, up, with an address if CIDR is not NULL; with HOST on the host, where it goes with the session. */
int network_bridge(struct session *s, const char *name, const char *cidr, bool host, struct err *err);

/* A pair of virtual Ethernet links, both up. Of two addresses each goes to its end; a single one goes to the first end that is no bridge.
 * Without any, the end at a bridge gets a free one of each of the bridge's subnets. */
struct link_wish {
	const char *ends[2];
	const char *addresses[2];      /* NULL: none */
	bool bare;             /* no address from the bridge either */
	const char *mac;       /* of the first end that is no bridge's; NULL: the kernel's choice */
	int64_t mtu;           /* of both ends; 0: as usual */
};
int network_link(struct session *s, const struct link_wish *wish, struct err *err);

/* Delete a link: both ends of a pair. */
int network_unlink(struct session *s, struct sandbox *sb, const char *link, struct err *err);

/* Give or take away an address, "10.0.0.1/24" or "10.0.0.1/32 peer 10.0.0.2". LINK NULL: the sandbox's only link. */
int network_addr(struct session *s, struct sandbox *sb, const char *link, const char *cidr, bool add, struct err *err);

/* A route in the sandbox: TO is a CIDR or "default"; VIA and DEV may be NULL, when adding not both. */
int network_route(struct sandbox *sb, const char *to, const char *via, const char *dev, bool add, struct err *err);
int network_routes(struct sandbox *sb, struct net_route **routes, size_t *n, struct err *err);

/* Bring a link up or down. Static routes over it, and IPv6 addresses, which the kernel forgets with that, are taken away by steps of their
 * own, so that undo brings them back. */
int network_up(struct session *s, struct sandbox *sb, const char *link, bool up, struct err *err);

struct network_row {
	const char *where;     /* sandbox, "lab" or "host" */
	struct net_link link;
	char *addresses;       /* separated by blanks, without those the kernel gives by itself; "" = none */
	char *peer;            /* "web:eth0" */
	char *bridge;
	/* NULL where there is none */
};

/* The links of a sandbox, of "lab", of "host" (those of this session only), or of "all". Loopback is left out. */
int network_links(struct session *s, const char *of, struct network_row **rows, size_t *n, struct err *err);
void network_free_rows(struct network_row *rows, size_t n);

#endif
