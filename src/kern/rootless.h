/*
 * rootless.h - belljar of an ordinary user
 *
 * Without privileges belljar itself goes into a user namespace of its own, where it is user 0 and has all privileges over what it makes,
 * and into a mount namespace that belongs to it, since detached mounts are only made for the owner of one's mount namespace. All else stays the
 * host's. Everything above is then the same code; what the kernel still refuses (the host's links, most control groups) fails there by name.
 */
#ifndef KERN_ROOTLESS_H
#define KERN_ROOTLESS_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

/* Nothing happens for root, nor the second time. Ids beyond 0 are mapped when /etc/subuid and /etc/subgid give some and newuidmap(1) is
 * there, else only the user's own to 0. 0 or -1 with err. */
int rootless_enter(struct err *err);

/* The same, into the namespaces of a process that is in already: a named session's. */
int rootless_join(pid_t pid, struct err *err);

/* Who belljar is outside. */
uid_t rootless_uid(void);
bool rootless_entered(void);

#endif
