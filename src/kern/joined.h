/*
 * joined.h - being inside a sandbox for an instant
 *
 * A child that shares belljar's memory (CLONE_VM | CLONE_VFORK: 40 us at any size of belljar) enters some namespaces of a place,
 * calls one function and ends. belljar stands still meanwhile, so the function may use its data but should not allocate. The descriptors are
 * belljar's too (a copy of them all would cost more than the visit): what the function opens it closes or hands over. It never
 * enters the user namespace (it keeps the operator's privileges) and never becomes a process of the sandbox's pid namespace (its
 * memory is belljar's): for pid only the namespace of children is set, which is what mounting proc looks at.
 */
#ifndef KERN_JOINED_H
#define KERN_JOINED_H

#include "kern/place.h"

struct err;

enum {
	JOINED_OWN = 1,        /* enter the user namespace as well: act as the sandbox's own root */
};

/* BEFORE (may be NULL) runs when the namespaces of KINDS (bits 1 << enum ns_kind; those the place shares are skipped) are entered but for mnt,
 * FN when that is, too. 0, or -1 with err; a child that was killed is an error too. */
int joined_run(const struct place *p, unsigned kinds, unsigned how, int (*before)(void *arg, struct err *err),
	       int (*fn)(void *arg, struct err *err), void *arg, struct err *err);

#endif
