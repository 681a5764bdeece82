/*
 * like.h - a sandbox after another's pattern
 */
#ifndef SANDBOX_LIKE_H
#define SANDBOX_LIKE_H

struct err;
struct sandbox;

/* Give SB, which is new, what MODEL has: kinds of namespaces, maps, root, limits and variables. Links and mounts are not copied, and
 * joined namespaces are joined too. 0 or -1 with err. */
int sandbox_like(struct sandbox *sb, struct sandbox *model, struct err *err);

#endif
