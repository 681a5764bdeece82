/*
 * sysctl.h - switches of a net namespace, below /proc/sys/net
 *
 * Those of a namespace of the session's own go with it. Forwarding on the host is a switch that several sessions may need: each that finds it
 * off, or put on by another session, says so in its ledger ("forward NETNS SWITCH"), and the last one that leaves puts it off.
 * Needs little, because the session's keeper (holder/keeper.c) is linked with it too (sysctl_forward.c).
 */
#ifndef KERN_SYSCTL_H
#define KERN_SYSCTL_H

#include <stdbool.h>

#include "kern/place.h"

struct err;
struct step;

/* STEP_SYSCTL; fields as in step.h. */
int sysctl_set(struct step *s, int fd, struct err *err);

/* The value of the switch PATH in the place; 0, or -1 with err. */
int sysctl_get(const struct place *p, const char *path, char *value, size_t room, struct err *err);

/* The line of a ledger: the caller's own net namespace, and the switch. */
void sysctl_forward_line(char *line, size_t room, const char *path);

/* Does the ledger of a living session other than that in the directory DIR (beside it) hold LINE? */
bool sysctl_forward_wanted(const char *dir, const char *line);

/* Put the switch of LINE off, if it is one of the caller's net namespace and no session but that of DIR wants it on. 0 or an errno. */
int sysctl_forward_off(const char *dir, const char *line);

#endif
