/*
 * network_modes.h - the four network modes that Docker has, as recipes of commands
 *
 * Each is what a user could type: where steps are told, the commands are told with them. All return 0, or -1 with err; what was done before
 * is then taken back with the command.
 */
#ifndef SANDBOX_NETWORK_MODES_H
#define SANDBOX_NETWORK_MODES_H

#include "sandbox/session.h"

/* A net namespace with nothing in it but lo. */
int network_mode_none(struct sandbox *sb, struct err *err);

/* The host's. */
int network_mode_host(struct sandbox *sb, struct err *err);

/* On the bridge NAME (made with a subnet that is free, if there is none): an address of its pool, the default route to the bridge, names. */
int network_mode_bridge(struct sandbox *sb, const char *name, struct err *err);

/* That of OTHER. */
int network_mode_container(struct sandbox *sb, struct sandbox *other, struct err *err);

/* Tell a command that a recipe is made of, where steps are told. */
void network_tell(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
