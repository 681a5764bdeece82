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

/* The place where the session's groups are made is settled: where systemd manages them it is asked for a scope. 0, or -1 with err. */
int group_place(struct session *s, struct err *err);

/* Append what makes the controllers (bits 1 << enum cg_controller) count for GROUP, which is the sandbox's or one below it: its directories
 * in their version 1 hierarchies, and on version 2 the controllers switched on for the groups of each level above it. */
void group_add_controllers(struct steps *steps, struct sandbox *sb, const char *group, unsigned controllers);

/* Programs of the sandbox that ran before it had its group come into it. 0 or -1. */
int group_adopt(struct sandbox *sb, struct err *err);

/* Append what makes room in a group (the sandbox's or one inside it) for controllers on version 2: its processes go to CG_MAIN. */
void group_add_main(struct steps *p, struct sandbox *sb, const char *level);

/* ---- groups inside a sandbox's, by their path below it: group_inner.c ---- */

/* May a group be called so? 0, or -1 with err. */
int group_check(const char *inner, struct err *err);

/* Limits, figures and programs are those of that group from now on, until INNER is NULL. 0, or -1 with err: there is none. */
int group_aim(struct sandbox *sb, const char *inner, struct err *err);

/* Make it; or remove it, and what is in it goes to the group above. 0 or -1. */
int group_new(struct sandbox *sb, const char *inner, struct err *err);
int group_del(struct sandbox *sb, const char *inner, struct err *err);

/* The process that has number PID inside goes to the group that was aimed at, else to the sandbox's own. 0 or -1. */
int group_move(struct sandbox *sb, pid_t pid, struct err *err);

#endif
