/*
 * network_vxlan.h - bridges of several machines made one
 */
#ifndef SANDBOX_NETWORK_VXLAN_H
#define SANDBOX_NETWORK_VXLAN_H

#include <stdbool.h>

#include "sandbox/session.h"

struct vxlan_wish {
	const char *name;      /* of the link */
	int64_t id;            /* 1 to 16777215 */
	const char *far;       /* the other machine's address, or that of a multicast group */
	bool group;
	const char *dev;       /* the link that packets go out by, as users name it; on the host it may be anybody's */
	const char *bridge;    /* in the lab, else on the host */
	int64_t port;          /* UDP */
};

/* 0, or -1 with err. */
int network_vxlan(struct session *s, struct sandbox *sb, const struct vxlan_wish *w, struct err *err);

#endif
