/*
 * gaps.h - show --gaps
 */
#ifndef CMD_GAPS_H
#define CMD_GAPS_H

struct err;
struct sandbox;
struct shell;

/* SB beside Docker's and bubblewrap's defaults. */
int gaps_show(struct shell *sh, struct sandbox *sb, struct err *err);

#endif
