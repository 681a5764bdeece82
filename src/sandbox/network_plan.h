/*
 * network_plan.h - what the two halves of network.c's work share: lists of steps, and names as users type them
 */
#ifndef SANDBOX_NETWORK_PLAN_H
#define SANDBOX_NETWORK_PLAN_H

#include <stdbool.h>
#include <string.h>

#include "kern/net.h"
#include "sandbox/session.h"

enum { PLAN_STEPS = 128 };

struct plan {
	struct session *session;
	struct step steps[PLAN_STEPS];
	size_t n;
};

/* The next step, for a link TO of the place; the caller sees to it that there is room. */
struct step *plan_add(struct plan *p, enum step_kind kind, struct place *place, const char *to);

/* A link with its addresses, up: IPv6 ones last, because they would go with the link's going down before they could be taken back. */
void plan_up(struct plan *p, struct place *place, const char *link, const char *const *addresses, size_t n);

int plan_run(struct plan *p, struct err *err);

/* A name that was checked; one that is too long is cut. */
void network_set_name(char to[IFNAMSIZ], const char *name);

/* Is ADDRESS, with a prefix or without, one of IPv6? */
static inline bool network_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* "web:eth0" into its halves; LINK is "" when there is no colon. 0, or -1 with err. */
int network_split(const char *text, char who[NAME_LONGEST + 1], char link[IFNAMSIZ], struct err *err);

/* The sandbox of that name, or NULL. */
struct sandbox *network_sandbox(struct session *s, const char *name);

/* Where the session's bridge NAME is: in the lab, else on the host. ENODEV with err when there is none, EINVAL when it is no bridge. */
int network_find_bridge(struct session *s, const char *name, struct place **place, struct err *err);

/* Lay the cable between the host and the lab, "uplink" there, with N pairs of ADDRESSES (the host's, the lab's, ...). 0, or -1 with err. */
int network_uplink(struct session *s, const char *const *addresses, size_t n, struct err *err);

/* A link that is there, found by the name that users give it ("web:eth0", "br0"; see network.h). On the host only the session's own. 0, or -1
 * with err. */
struct target {
	struct place *place;
	const char *label;     /* sandbox, "lab" or "host" */
	char name[IFNAMSIZ];
	struct net_link link;  /* index 0: not known (planned only) */
};
int network_target(struct session *s, struct sandbox *sb, const char *text, struct target *t, struct err *err);

/* The same for a link that is only used, not changed: on the host it may be anybody's. */
int network_target_used(struct session *s, struct sandbox *sb, const char *text, struct target *t, struct err *err);

/* Has it a net namespace of its own? 0, or -1 with err. */
int network_need(const struct sandbox *sb, struct err *err);

/* Has the sandbox a default route of that family, in a dry run also one that is planned? 1, 0 or -1 with err. */
int network_has_default(struct sandbox *sb, bool v6, struct err *err);

/* Can CIDR be the address of a link? The kernel takes some that stand for many or for none, and then nothing works. 0, or -1 with err. */
int network_check_address(const char *cidr, struct err *err);

/* What is made on the host is noted first, with the number it will have (*INDEX). Ends of pairs would go by themselves, but not before the
 * kernel has had the time to clear the other end's namespace. 0, or -1 with err. */
int network_note_on_host(struct session *s, const char *name, int *index, struct err *err);

/* A link on the host was deleted, or not made after all. */
void network_forget_on_host(struct session *s, const char *name, int index);

#endif
