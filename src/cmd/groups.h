/*
 * groups.h - commands about a group inside a sandbox's
 */
#ifndef CMD_GROUPS_H
#define CMD_GROUPS_H

#include "base/mem.h"

struct args;
struct err;
struct sandbox;
struct shell;

/* The sandbox of the argument GROUP ("batch", "web/batch"), aimed at that group (group_aim) until groups_done; without the argument the current
 * one. NULL with err. */
struct sandbox *groups_aim(struct shell *sh, const struct args *a, struct err *err);
void groups_done(struct sandbox **sb);
#define _cleanup_groups_ _cleanup_(groups_done)

#endif
