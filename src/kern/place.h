/*
 * place.h - where a step runs, seen from belljar
 *
 * A place is a set of namespaces that belljar holds descriptors of: the host, the session's lab network, or a sandbox, whose
 * holder process can also be asked to change itself. The kernel layer knows places and steps; what a sandbox is, it does not know.
 */
#ifndef KERN_PLACE_H
#define KERN_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kern/privilege.h"

/* In the order of /proc/PID/ns, which is also the alphabet's. */
enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_KINDS };

struct ns_row {
	const char *name;      /* as in /proc/PID/ns */
	const char *alias;     /* the long word that is accepted too; NULL = none */
	int flag;              /* CLONE_NEW* */
	const char *isolates;  /* half a sentence for help and show */
};
extern const struct ns_row ns_table[NS_KINDS];

/* The kind called NAME (either word), or -1. */
int ns_kind(const char *name);

struct net_conn;               /* kern/net.h */
struct wire_ended;             /* kern/wire.h */
struct err;

struct place {
	const char *name;      /* the sandbox's name, "host" or "lab"; not owned */
	pid_t pid;             /* the holder, as belljar numbers it; 0: no holder (host, lab, dry run) */
	int pidfd;             /* of the holder, or -1 */
	int sock;              /* to the holder (SOCK_SEQPACKET), or -1 */
	bool alive;            /* it has a holder; true in a dry run too */
	bool own[NS_KINDS];    /* not belljar's own namespace; true in a dry run too, where ns[] stays -1 */
	bool joined[NS_KINDS]; /* of the own ones: it was somebody's before, so what is changed in it is changed for them too */
	int ns[NS_KINDS];      /* descriptor of each own namespace, -1 otherwise */
	pid_t kept;            /* the holder that outlives belljar (a named session's), 0 = none */
	bool init;             /* the holder is PID 1 of a pid namespace made for it (not one it joined) */
	bool mapped;           /* the user namespace has its maps, so the holder can be root in it */
	/* The proc at /proc and the sysfs at /sys that belljar mounted inside, as far as it remembers. STALE: it shows namespaces that the
	 * holder is not in any more. */
	enum place_view { VIEW_NONE, VIEW_FITS, VIEW_STALE } proc, sys;
	/* What holds the upper layer of its root, a directory with "upper" in it, or -1; and that of a root that is being put together. */
	int upper, next_upper;
	int jail;              /* the directory that its holder was locked into with chroot, which is no root of the mount namespace; or -1 */
	bool clock_frozen;     /* a process has entered the time namespace: its offsets can't change */
	struct wire_ended *ended;      /* what its holder said of ended jobs while another answer was awaited (holder.c) */
	size_t n_ended;
	char *privileges[PRIV_KEYS];      /* of its programs; NULL = as the holder has it */
	char *devices;         /* rules for its programs' group (cg_device.h); NULL = none */
	struct net_conn *net;  /* netlink connection, opened on first use (net.h) */
};

/* The kinds of OWN as CLONE_NEW* flags, and flags in words ("net uts", static buffer). */
uint64_t place_flags(const struct place *p);
const char *ns_words(uint64_t flags);

/* Open anew the descriptors of the kinds in FLAGS from the holder's /proc/PID/ns, and mark them own where they differ from belljar's.
 * 0 or -1 with err. */
int place_refresh(struct place *p, uint64_t flags, struct err *err);

/* A place that is the host (no holder, nothing of its own). */
void place_init(struct place *p, const char *name);

/* Close all that it holds; its holder then sees the end of its socket and ends. */
void place_release(struct place *p);

#endif
