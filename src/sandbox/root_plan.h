/*
 * root_plan.h - what root.c and its neighbours share: lists of steps for a sandbox's files
 */
#ifndef SANDBOX_ROOT_PLAN_H
#define SANDBOX_ROOT_PLAN_H

#include "sandbox/root.h"
#include "sandbox/steps.h"

struct file_plan {
	struct sandbox *sb;
	struct steps steps;
	char *noted;           /* lines of the ledger, to be forgotten when the steps are done; NULL = none */
	size_t after;          /* of the steps, the last that are a list of their own: what came before can't be taken back when they fail */
	int cache;             /* the cache's lock, -1 = not needed */
};
#define _cleanup_file_plan_ _cleanup_(file_plan_free)
void file_plan_free(struct file_plan *p);

/* The next step of the sandbox's place. It is good until the next one is added. */
struct step *file_plan_add(struct file_plan *p, enum step_kind kind, const char *to);
/* Have the plan own TEXT, and return it. */
const char *file_plan_keep(struct file_plan *p, char *text);
/* A path beside or in DIR that the ledger names from when the plan is run until that is done: ".belljar.ID.N". NULL with err. */
const char *file_plan_temporary(struct file_plan *p, const char *dir, struct err *err);
int file_plan_run(struct file_plan *p, struct err *err);

/* An error unless it has a mount namespace of its own; WHY says what would happen. */
int sandbox_need_mnt(const struct sandbox *sb, const char *why, struct err *err);

/* The steps for a union of the layers of W at TO, or for FROM of the host's at TO: what is missing of TO is made, if the sandbox has a root of its
 * own. A MOUNT_ATTR_IDMAP must be possible. */
int root_plan_overlay(struct file_plan *p, const char *to, const struct root_wish *w, struct err *err);
void root_plan_bind(struct file_plan *p, const char *from, const char *to, uint64_t attributes, bool recursive);
/* file_plan_run, with advice when TO is not there. */
int root_plan_run(struct file_plan *p, struct err *err);

/* Layers (layers.c). The source of an overlay of the layers in W, topmost first, as STEP_MOUNT wants it; archives among them are unpacked by steps
 * that are added to the plan. TOP: the path of the topmost, NULL for one of belljar's own. With BASE there is what is to be mounted on.
 * Owned by the plan; NULL with err. */
const char *layers_source(struct file_plan *p, const struct root_wish *w, bool base, const char **top, struct err *err);

/* The directory that one of the words of W means; as layers_source. */
const char *layers_path(struct file_plan *p, const char *word, const struct root_wish *w, struct err *err);

/* Does the directory UPPER lie in one of the layers, or one in it? What is written would then change a layer. The host's root is no such layer:
 * there is no place outside of it. 0, or -1 with err. */
int layers_overlap(const struct root_wish *w, const char *upper, struct err *err);

/* Might belljar's run directory be seen in the host's root? Then a layer hides it. */
bool layers_show_run(void);

/* Is the layer WORD a path, and not host or busybox? */
bool layers_is_path(const char *word);

/* PATH of the host from the root on, without links; its last part need not be there. The caller's; NULL with errno. */
char *layers_absolute(const char *path);

#endif
