/*
 * probe_trace.h - which rule of nftables drops a packet, as the kernel itself says
 *
 * The kernel can report each rule that a packet meets (nft monitor trace). Packets are marked for that by a table that belongs to the socket
 * which made it (NFT_TABLE_F_OWNER, Linux 5.12): the kernel deletes it with the socket, so it never stays, whatever becomes of belljar.
 */
#ifndef KERN_PROBE_TRACE_H
#define KERN_PROBE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/place.h"

struct err;

/* Packets between two addresses. */
struct trace_wish {
	int family;            /* AF_INET, AF_INET6 */
	int protocol;          /* IPPROTO_* */
	unsigned char from[16], to[16];
};

struct trace_drop {
	char family[8], table[64], chain[64];
	uint64_t handle;       /* of the rule; 0: the chain's policy */
	bool answer;           /* it came from the other side */
};

/* A place that is watched. */
struct trace {
	int sock;
	uint32_t known[16];    /* numbers of packets that were seen, */
	signed char whose[16]; /* and what they are: 0 = somebody else's, 1 = ours, 2 = an answer */
	unsigned next;
};

/* Watch from now on; close the socket to end it. 0, or -1 with err: ENOENT and the like when the kernel has no nftables, so no rules. */
int trace_open(struct trace *t, struct place *p, const struct trace_wish *w, struct err *err);

/* Read what was reported. True: a packet was dropped, for the first time. Never waits. */
bool trace_read(struct trace *t, const struct trace_wish *w, struct trace_drop *drop);

#endif
