/*
 * lent.h - links of the host that a session has moved into a sandbox, and how they come home
 *
 * A link that moves to another net namespace loses its addresses and routes and goes down, and a virtual one ends with its namespace. So
 * before it moves, all of that is saved in the session's directory, as a file lent.NAME: a head, and behind it the addresses and routes as the
 * kernel listed them, each a request that brings it back (as `ip addr save` does it). The keeper holds the file and the namespace, so
 * that the link comes home after any end. The file is locked as long as somebody holds it who will do that, and goes when it is done.
 */
#ifndef KERN_LENT_H
#define KERN_LENT_H

#include <net/if.h>
#include <stdint.h>

#define LENT_FILE "lent."
#define LENT_NETNS "netns."     /* what the keeper calls the namespace that it holds */
#define LENT_MARK "lent 1\n"

struct lent_head {
	char mark[8];          /* LENT_MARK */
	char name[IFNAMSIZ];   /* what it is called on the host, */
	char to[IFNAMSIZ];     /* and in the sandbox, at first */
	int32_t index;         /* its number on the host, */
	int32_t there;         /* and in the sandbox's net namespace, */
	uint64_t dev, ino;     /* which is this one */
	uint32_t up, mtu;
	uint32_t mac_len;
	unsigned char mac[32];
};

/* Move the link that FILE tells of home, out of the net namespace that the rtnetlink socket THERE was opened in, and give it back what it had.
 * Home is the caller's net namespace. THERE -1: it has come home by itself, if it has. What can't be given back any more (an address that is
 * another's by now) is left. 0 or an errno: ENODEV when it is not there. */
int lent_bring_home(int file, int there);

/* The same for a socket that is opened in the net namespace NETNS. The caller must have one thread, and the right to return. */
int lent_bring_home_from(int file, int netns);

/* The ledger's line: the link NAME of the session whose directory is DIR, whose keeper is no more. EBUSY when the keeper will do it. */
int lent_clear(const char *dir, const char *name);

#endif
