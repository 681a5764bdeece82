/*
 * can.h - may a program of a sandbox do something, and why
 *
 * The kernel's rule (capabilities(7), user_namespaces(7)): a capability counts for what belongs to the user namespace that it is held in, or to
 * one below that; and who owns a user namespace has all of them over it from above. Before that, a filter may refuse the call.
 */
#ifndef SANDBOX_CAN_H
#define SANDBOX_CAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/session.h"

/* Something that takes a capability, or only a system call. */
struct can_operation {
	const char *name;
	const char *capability;        /* NULL: none is needed */
	int over;                      /* a kind of namespace (enum ns_kind) whose owner counts, or one of these */
#define OVER_OWN (-1)                  /* the program's own user namespace */
#define OVER_HOST (-2)                 /* the machine's first user namespace */
	const char *call;              /* the call that does it; NULL: a capability alone */
	uint64_t first;                /* its first argument */
};

/* The Ith operation, NULL past the last. */
const struct can_operation *can_operation(size_t i);

/* Where it is to be done. */
struct can_object {
	const struct sandbox *sb;      /* its namespaces; NULL: those of who asks */
	bool host;                     /* the machine's */
	int kind;                      /* for a capability: the namespace of this kind; -1 = not said */
};

struct can {
	bool yes;
	char **reasons;                /* of a no: all that stands in its way; of a yes: what it rests on */
	size_t n;
};

/* PID: a process of the sandbox, as belljar numbers it; 0: the next program. 0 or -1 with err. */
int can_ask(struct sandbox *sb, pid_t pid, const struct can_operation *what, const struct can_object *on, struct can *can, struct err *err);
void can_free(struct can *can);

#endif
