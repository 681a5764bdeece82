/*
 * net_path.h - what decides where one packet goes, asked of the kernel piece by piece
 *
 * Part of the network module's interface (net.h). sandbox/network_path.c moves the packet from place to place and asks here what each would do
 * with it.
 */
#ifndef KERN_NET_PATH_H
#define KERN_NET_PATH_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct net_packet {
	int family;            /* AF_INET, AF_INET6 */
	unsigned char from[16], to[16];
	bool from_known;       /* FROM was chosen */
};

/* What the routing tables of a place say: of a packet that it sends (in 0), or that came in by the link of index IN. */
struct net_way {
	int number;            /* 0, or the errno that a sender would get: ENETUNREACH, EXDEV (reverse path filter) ... */
	char kind[16];         /* unicast, local, blackhole ... */
	char via[64], from[64];   /* "" = none */
	int dev;               /* index of the link it goes out by, */
	char dev_name[IFNAMSIZ];   /* and its name */
};

/* A port of a bridge. */
struct net_port {
	int state;             /* BR_STATE_*: 3 = forwarding */
	bool isolated;
	bool filters_vlans;    /* the bridge does */
	int pvid;              /* VLAN of what comes in without a tag, 0 = none (only read when it filters) */
};

#endif
