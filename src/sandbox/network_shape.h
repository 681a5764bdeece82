/*
 * network_shape.h - links made slower, longer and worse than they are
 */
#ifndef SANDBOX_NETWORK_SHAPE_H
#define SANDBOX_NETWORK_SHAPE_H

#include "kern/net.h"
#include "kern/shape.h"
#include "sandbox/session.h"

/* Shape what is sent into LINK (named as in network.h) as wanted, instead of what was there; none at all lifts it. 0, or -1 with err. */
int network_shape(struct session *s, struct sandbox *sb, const char *link, const struct shape *wanted, struct err *err);

/* Limit what the sandbox sends (TX) and receives (RX), in bits a second, over each of the links that it has now; 0 leaves as it is, UINT64_MAX
 * lifts. What it sends is held at its own ends, what it receives at the other ends. 0, or -1 with err. */
int network_limit(struct sandbox *sb, uint64_t tx, uint64_t rx, struct err *err);

struct network_shaped {
	const char *where;     /* sandbox, "lab" or "host" */
	char link[IFNAMSIZ];
	struct net_queue queue;
};

/* The links that are shaped, of a sandbox, "lab", "host" (ours) or "all". The array is the caller's to free. */
int network_shaped(struct session *s, const char *of, struct network_shaped **rows, size_t *n, struct err *err);

#endif
