/*
 * network_device.h - links that are no pair, and what can be changed about links
 */
#ifndef SANDBOX_NETWORK_DEVICE_H
#define SANDBOX_NETWORK_DEVICE_H

#include "sandbox/session.h"

struct device_wish {
	const char *name;
	const char *kind;      /* dummy, macvlan, ipvlan, vlan, tun, tap */
	const char *over;      /* the link below it, as users name it; NULL = none. On the host it need not be this session's: it is only used. */
	int64_t id;            /* of a vlan */
};

/* A link in the sandbox, up. 0, or -1 with err. */
int network_device(struct sandbox *sb, const struct device_wish *w, struct err *err);

/* WHAT: mtu, mac, name, stp; the same words as in STEP_ALTER. SB may be NULL. 0, or -1 with err. */
int network_alter(struct session *s, struct sandbox *sb, const char *link, const char *what, const char *value, struct err *err);

/* The port LINK of a bridge is in the VLAN ID; from then on the bridge keeps its VLANs apart. 0, or -1 with err. */
int network_vlan(struct session *s, struct sandbox *sb, const char *link, int64_t id, struct err *err);

/* May a link have that? 0, or -1 with err (usage). */
int network_check_mtu(int64_t mtu, struct err *err);
int network_check_mac(const char *mac, struct err *err);

#endif
