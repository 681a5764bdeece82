/*
 * group.h - what the files that work on control groups share
 */
#ifndef SANDBOX_GROUP_H
#define SANDBOX_GROUP_H

#include "kern/cg.h"
#include "sandbox/session.h"

struct steps;

/* Perform steps that no undo takes back. 0 or -1. */
int group_run(struct session *s, struct step *steps, size_t n, struct err *err);

/* In a named session another belljar may have made the groups, perhaps from another place in the hierarchies. 0 or -1. */
int group_know(struct session *s, struct err *err);

/* Append what makes the controllers (bits 1 << enum cg_controller) count for GROUP, which is the sandbox's or one below it: its directories
 * in their version 1 hierarchies, and on version 2 the controllers switched on for the groups of each level above it. */
void group_add_controllers(struct steps *steps, struct sandbox *sb, const char *group, unsigned controllers);

#endif
