/*
 * network_names.h - names of the sandboxes of a bridge, in files that its sandboxes see as /etc/hosts
 *
 * One file serves all sandboxes that are on the same bridges, so that one more sandbox is one more line, however many there are. It lies in
 * the session's directory as hosts.BRIDGE, or hosts.BRIDGE:BRIDGE for those on several, and is shown inside read-only: nobody there
 * can rename the others. The files, and which of them a sandbox sees (its mount table), are all that is known of names.
 */
#ifndef SANDBOX_NETWORK_NAMES_H
#define SANDBOX_NETWORK_NAMES_H

#include "sandbox/session.h"

/* Make the sandbox known on the bridge by its name, with its addresses in the bridge's subnets, and show it the names of the others and the
 * host's name servers, if it has a mount namespace of its own. 0, or -1 with err. */
int names_join(struct sandbox *sb, const char *bridge, struct err *err);

/* It has got another root: what it saw before is shown there too. 0, or -1 with err. */
int names_show_again(struct sandbox *sb, struct err *err);

/* The sandbox has lost addresses, or links: its name stands only for those that it has. 0, or -1 with err. */
int names_settle(struct sandbox *sb, struct err *err);

/* The sandbox NAME is gone, or is to be called TO from now on: so is its name. Not in the journal: what it goes with is not undone. 0, or -1 with
 * err. */
int names_forget(struct session *s, const char *name, const char *to, struct err *err);

#endif
