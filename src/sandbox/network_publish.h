/*
 * network_publish.h - ports of the host that lead into a sandbox
 */
#ifndef SANDBOX_NETWORK_PUBLISH_H
#define SANDBOX_NETWORK_PUBLISH_H

#include <stdbool.h>

#include "sandbox/session.h"

/* HOSTIP may be NULL: any address of the host. PROTOCOL: tcp or udp. */
struct published {
	const char *host_ip;
	unsigned host_port, port;
	const char *protocol;
};

/* 0, or -1 with err. *SWITCHED as in network_way.h. */
int publish_add(struct sandbox *sb, const struct published *p, bool *switched, struct err *err);
int publish_drop(struct session *s, const struct published *p, struct err *err);

/* The sandbox is gone, and so are its ports. */
int publish_forget(struct session *s, const char *sandbox, struct err *err);

#endif
