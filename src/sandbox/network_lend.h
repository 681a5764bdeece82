/*
 * network_lend.h - links of the host that are moved into a sandbox, and home again
 *
 * Such a link comes home, with the name, addresses and routes that it had, when it is unlinked, with the end of its sandbox or session, and
 * after belljar was killed (kern/lent.h). The files in the session's directory are all that is known of them.
 */
#ifndef SANDBOX_NETWORK_LEND_H
#define SANDBOX_NETWORK_LEND_H

#include "sandbox/session.h"

/* Move the host's link NAME, which this session did not make, into the sandbox's net namespace, where it is called TO, and bring it up with
 * the address CIDR unless that is NULL. 0, or -1 with err. */
int network_lend(struct sandbox *sb, const char *name, const char *to, const char *cidr, struct err *err);

/* Is the link with that index in the sandbox one of them? Its name on the host, the caller's to free, else NULL. */
char *network_lent(const struct sandbox *sb, int index);

/* Move home the link that is called NAME on the host, or all that are in the sandbox if that is NULL. 0, or -1 with err. */
int network_give_back(struct sandbox *sb, const char *name, struct err *err);

/* EBUSY with err when the sandbox has one, and so may not leave its net namespace. */
int network_lent_none(struct sandbox *sb, struct err *err);

/* Let the keeper forget those that are home again. */
void network_lent_settle(struct session *s);

#endif
