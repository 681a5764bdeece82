/*
 * network_nat.h - ways out of a bridge and into a sandbox, and walls between sandboxes
 *
 * A bridge in the lab has no way to the host by itself. The first `nat` or `publish` lays a cable, "uplink" in the lab and lab.uplink on the
 * host, with a small subnet of 100.64.0.0/10 that nobody uses; the lab becomes a router, and the host learns to reach the bridge's subnets
 * through it. Rules stand in the session's table belljar.ID of the host (inet), and of the place of the bridge (bridge). All of it goes with the
 * session. All functions return 0, or -1 with err.
 */
#ifndef SANDBOX_NETWORK_NAT_H
#define SANDBOX_NETWORK_NAT_H

#include <stdbool.h>

#include "sandbox/session.h"

/* What goes out of the bridge's subnets leaves the host under the host's address. *SWITCHED: the host forwards packets now, and did not before. */
int nat_on(struct session *s, const char *bridge, bool *switched, struct err *err);
int nat_off(struct session *s, const char *bridge, struct err *err);

/* HOSTIP may be NULL: any address of the host. PROTOCOL: tcp or udp. */
struct published {
	const char *host_ip;
	unsigned host_port, port;
	const char *protocol;
};
int nat_publish(struct sandbox *sb, const struct published *p, bool *switched, struct err *err);
int nat_unpublish(struct session *s, const struct published *p, struct err *err);

/* belljar leaves the session. With ENDS it is waited for that an ordinary user's way out has gone with it. */
void nat_leave(struct session *s, bool ends);

/* The sandbox is gone, and so are its ports. */
int nat_forget(struct session *s, const char *sandbox, struct err *err);

/* Nothing passes between the sandboxes of a bridge (B NULL: A is the bridge), or between the sandboxes A and B. */
int nat_deny(struct session *s, const char *a, const char *b, struct err *err);
int nat_allow(struct session *s, const char *a, const char *b, struct err *err);

/* The tags of the session's rules that begin with WORD ("nat", "publish", "firewall"), each once. Free with nat_free_tags. */
int nat_tags(struct session *s, const char *word, char ***tags, size_t *n, struct err *err);
void nat_free_tags(char **tags, size_t n);

/* Does the sandbox pass packets on between its links, as a router does? */
int nat_forward(struct sandbox *sb, bool on, struct err *err);

#endif
