/*
 * network_firewall.h - walls between sandboxes
 */
#ifndef SANDBOX_NETWORK_FIREWALL_H
#define SANDBOX_NETWORK_FIREWALL_H

#include "sandbox/session.h"

/* Nothing passes between the sandboxes of a bridge (B NULL: A is the bridge), or between the sandboxes A and B. 0, or -1 with err. */
int firewall_deny(struct session *s, const char *a, const char *b, struct err *err);
int firewall_allow(struct session *s, const char *a, const char *b, struct err *err);

#endif
