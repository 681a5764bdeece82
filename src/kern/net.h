/*
 * net.h - links, addresses and routes through libnl
 *
 * This is the interface of a module (net.so) that is loaded when a command first needs the network: scripts that don't, never pay
 * for libnl. All functions act through a connection, which is a netlink socket opened in the net namespace of a place. The kernel's
 * own explanation (extended acknowledgement) is kept in the error's text.
 */
#ifndef KERN_NET_H
#define KERN_NET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/net_path.h"
#include "kern/place.h"

struct buf;
struct err;
struct net_conn;
struct step;

struct net_link {
	int index;
	char name[IFNAMSIZ];
	char kind[16];         /* veth, bridge, ... "" for loopback and hardware */
	bool up, carrier;
	int mtu;
	char mac[18];
	int master;            /* index of its bridge, 0 = none */
	int peer;              /* index of the other end (IFLA_LINK), 0 = none */
	int peer_ns;           /* IFLA_LINK_NETNSID, -1 = same namespace */
};

struct net_addr {
	int index;             /* of its link */
	char cidr[64];         /* 10.0.0.1/24 */
	char peer[48];         /* the other end of a cable for two, "" = none; then the prefix is the peer's */
	char text[128];        /* as STEP_ADDR has it: 10.0.0.1/32 peer 10.0.0.2 */
	bool automatic;        /* set by the kernel: loopback's own, link-local */
	bool secondary;        /* IPv4: not the first of its subnet, so that the kernel takes it away with the first */
};

struct net_route {
	char to[64];           /* CIDR or "default" */
	char via[64];          /* "" = on the link */
	char dev[IFNAMSIZ];
};

struct net_neighbour {
	int index;             /* of the link it is reached over */
	char address[64];
	char mac[18];          /* "" = not known (yet) */
	char state[32];        /* reachable, stale, failed ... */
	bool router;           /* IPv6: it says that it is one */
};

/* A route as the kernel lists it, those that it made itself too. */
struct net_table_route {
	char to[64];           /* CIDR or "default" */
	char via[64], dev[IFNAMSIZ], from[64];   /* "" = none; from: the address that packets get */
	char kind[16];         /* unicast, local, blackhole, unreachable, prohibit ... */
	char maker[16];        /* who made it: kernel, boot, static, ra, dhcp, or a number */
	unsigned table, metric;
};

/* How a link is shaped (shape.h), and what its queue did. */
struct net_queue {
	char words[192];       /* SHAPE_LONGEST; "" = not shaped */
	char foreign[16];      /* a queueing discipline of another kind, which somebody else chose */
	uint64_t bytes, packets;
	uint32_t dropped, backlog;
};

struct net_api {
	/* The connection of a place, opened on its first use (p->net) and closed with it. */
	struct net_conn *(*conn)(struct place *p, struct err *err);
	void (*close)(struct net_conn *conn);

	/* Acts of the network steps; fields as in step.h. */
	int (*bridge)(struct step *s, struct err *err);
	int (*veth)(struct step *s, struct err *err);
	int (*unlink)(struct step *s, struct err *err);
	int (*set_up)(struct step *s, bool up, struct err *err);
	int (*addr)(struct step *s, bool add, struct err *err);
	int (*route)(struct step *s, bool add, struct err *err);
	int (*device)(struct step *s, struct err *err);
	int (*alter)(struct step *s, struct err *err);
	int (*lend)(struct step *s, struct err *err);
	int (*give_back)(struct step *s, struct err *err);

	/* Reading. Arrays are the caller's to free. 0 or -1. */
	/* By name: 1 found, 0 there is none, or -1. With LINK NULL it is only looked for, which takes 1 us and no lock. */
	int (*find)(struct place *p, const char *name, struct net_link *link, struct err *err);
	/* How the place's kernel side numbers the net namespace of OTHER (compare with peer_ns); -1 when it has no number, so no link there. */
	int (*nsid)(struct place *p, struct place *other, int *nsid, struct err *err);
	int (*links)(struct place *p, struct net_link **links, size_t *n, struct err *err);
	/* Of one link, or with LINK NULL of all; none of a link that is not there. */
	int (*addrs)(struct place *p, const char *link, struct net_addr **addrs, size_t *n, struct err *err);
	int (*routes)(struct place *p, struct net_route **routes, size_t *n, struct err *err);   /* main table, not the automatic ones */

	/* What a link loses when it moves (kern/lent.h), appended to FILE behind room for its head, which is filled but for where it goes. */
	int (*save)(struct place *p, const char *name, struct buf *file, struct err *err);

	/* Listing for people (net_list.c): without multicast and addresses of one's own; routes of all tables but the local one. */
	int (*neighbours)(struct place *p, struct net_neighbour **neighbours, size_t *n, struct err *err);
	int (*table)(struct place *p, struct net_table_route **routes, size_t *n, struct err *err);

	/* The way of a packet (net_path.c). 0, or -1 with err. */
	int (*way)(struct place *p, const struct net_packet *packet, int in, struct net_way *way, struct err *err);
	int (*forwards)(struct place *p, int family, int in, bool *does, struct err *err);
	int (*port)(struct place *p, int index, struct net_port *port, struct err *err);
	/* The port of a bridge behind which it has seen MAC; 0 = not seen (lately), -2 = it is the bridge's own. */
	int (*learnt)(struct place *p, int bridge, const char *mac, int *port, struct err *err);

	/* Shaping (net_shape.c). */
	int (*reshape)(struct step *s, struct err *err);
	int (*vxlan)(struct step *s, struct err *err);
	int (*shaped)(struct place *p, const char *link, struct net_queue *queue, struct err *err);
};

/* May a link be called so? 1 to 15 bytes, no blank, control character, slash, colon or percent sign (which the kernel would replace by a
 * number); not . or .. . 0, or -1 with err (usage). */
int net_name_check(const char *name, struct err *err);

/* The group that all ports of the bridge of that name are in, by which rules know them. Never 0. */
unsigned net_group(const char *bridge);

/* Load the module; NULL with err when it is not there. */
const struct net_api *net_api(struct err *err);

#endif
