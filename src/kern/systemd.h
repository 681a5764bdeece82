/*
 * systemd.h - a scope from systemd
 *
 * Where systemd manages the control groups, others may make groups only in a part that it has delegated. The module systemd.so (sd-bus) asks
 * for one: a transient scope, of the system's manager for root, of the user's for others.
 */
#ifndef KERN_SYSTEMD_H
#define KERN_SYSTEMD_H

#include <stddef.h>
#include <sys/types.h>

struct err;

/* Start the scope NAME with Delegate=yes, and have systemd put the processes into it; where it is there already, into its group INSIDE ("/main").
 * Returns when that is done. 0 or -1 with err. */
typedef int systemd_scope_function(const char *name, const char *inside, const pid_t *pids, size_t n, struct err *err);
systemd_scope_function systemd_scope;

#endif
