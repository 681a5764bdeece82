/*
 * network_look.h - reading the session's links, for network.c
 */
#ifndef SANDBOX_NETWORK_LOOK_H
#define SANDBOX_NETWORK_LOOK_H

#include "kern/net.h"
#include "sandbox/session.h"

/* Can the place be asked? Not when it is only planned. */
bool network_known(const struct session *s, const struct place *p);

/* 1 found, 0 there is none (or it can't be known), or -1 with err. In a dry run, links that are planned are found too, with index 0.
 * LINK NULL: only whether it is there. */
int network_find(const struct session *s, struct place *p, const char *name, struct net_link *link, struct err *err);

/* The same for a link on the host that this session made: a bridge in its ledger, or the end of a pair whose other end is in the session. */
int network_find_own(struct session *s, const char *name, struct net_link *link, struct err *err);

/* The error for a name that is wanted and taken: on the host it says whose it is. -1. */
int network_taken(struct session *s, struct place *p, const char *name, struct err *err);

/* Is this link, in the lab or on the host, left from a sandbox that is gone? The kernel takes a moment to remove its end, and this one with
 * it. 1, 0, or -1 with err. */
int network_stale(struct session *s, struct place *p, const struct net_link *link, struct err *err);

/* The kernel's number of a link, chosen before it is made so that the ledger can name it. */
int network_choose_index(void);

/* Its line in the ledger, without newline. */
char *network_ledger_line(const char *name, int index);

#endif
