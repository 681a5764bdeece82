/*
 * devices.h - which devices a sandbox's programs may use
 */
#ifndef SANDBOX_DEVICES_H
#define SANDBOX_DEVICES_H

#include <stdbool.h>

#include "sandbox/session.h"

struct buf;

/* Append the rule that allows or denies WHICH (a device node of the host, c:MAJOR:MINOR or b:MAJOR:MINOR with * for any, "all", or "usual", the
 * devices that every program expects) ACCESS (of the letters rwm; NULL: all) to RULES, as kern/cg_device.h has them. 0, or -1 with err. */
int devices_rule(struct buf *rules, bool allow, const char *which, const char *access, struct err *err);

/* Add RULES to those of the sandbox; NULL: it has none any more. They hold for what runs already, but not for what is open. 0 or -1. */
int devices_set(struct sandbox *sb, const char *rules, struct err *err);

#endif
