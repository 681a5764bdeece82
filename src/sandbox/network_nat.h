/*
 * network_nat.h - ways out of a bridge
 */
#ifndef SANDBOX_NETWORK_NAT_H
#define SANDBOX_NETWORK_NAT_H

#include <stdbool.h>

#include "sandbox/session.h"

/* What goes out of the bridge's subnets leaves the host under the host's address. *SWITCHED: the host forwards packets now, and did not before.
 * 0, or -1 with err. */
int nat_on(struct session *s, const char *bridge, bool *switched, struct err *err);
int nat_off(struct session *s, const char *bridge, struct err *err);

/* belljar leaves the session. With ENDS it is waited for that an ordinary user's way out has gone with it. */
void nat_leave(struct session *s, bool ends);

#endif
