/*
 * network_pool.h - a bridge as a pool of addresses
 *
 * The pool of a bridge is the subnet of each address it has. What is taken is read from the kernel when a pool is first needed, and then
 * counted on, so that the hundredth link costs no more than the first. An address that was given back may still be counted as taken; before
 * a pool is called used up, or an address in use, the kernel is asked again.
 */
#ifndef SANDBOX_NETWORK_POOL_H
#define SANDBOX_NETWORK_POOL_H

#include "kern/net.h"
#include "sandbox/session.h"

enum { POOL_ADDRESSES = 4, CIDR_ROOM = 64 };

struct pool_addresses {
	size_t n;
	char cidr[POOL_ADDRESSES][CIDR_ROOM];
};

/* The addresses of the bridge NAME in the place that are not the kernel's own, in a dry run the planned ones. 0, or -1 with err. */
int pool_of(struct session *s, struct place *p, const char *bridge, struct pool_addresses *own, struct err *err);

/* A free address of each subnet of the bridge; n is 0 when it has none. ENOSPC with err when one is used up. */
int pool_take(struct session *s, struct place *p, const char *bridge, struct pool_addresses *given, struct err *err);

/* The user gives CIDR to a link of that bridge: EADDRINUSE with err (whose it is) when another link of the bridge has it. */
int pool_claim(struct session *s, struct place *p, const char *bridge, const char *cidr, struct err *err);

/* The same for the link LINK of the place WHERE, whatever bridge it is at, if any. */
int pool_claim_link(struct session *s, const char *where, const char *link, const char *cidr, struct err *err);

/* May a link of the place, on which bridges are routers' ports, get the address CIDR? EEXIST with err when its subnet overlaps with that of
 * another link there: nobody could say which of them a packet is for. LINK is the one it is meant for. */
int pool_apart(struct session *s, struct place *p, const char *link, const char *cidr, struct err *err);

/* A subnet for a bridge that the user gave none, as the bridge's own address in it: the first of 172.17.0.0/16 to 172.31.0.0/16 that
 * neither the lab nor the host uses. 0, or -1 with err. */
int pool_choose(struct session *s, char cidr[CIDR_ROOM], struct err *err);

/* Is the address CIDR in the subnet of the address OF? */
bool pool_is_inside(const char *cidr, const char *of);

/* The subnet of an address: 10.0.0.0/24 of 10.0.0.1/24. */
void pool_subnet(const char *cidr, char subnet[CIDR_ROOM]);

/* Forget what was counted: another belljar may have changed it, or the session ends. */
void pool_forget(struct session *s);

#endif
