/*
 * cg_tree.h - the hierarchies of control groups, for the files cg*.c only
 *
 * A tree is one mounted hierarchy and the directory in it below which belljar makes its groups (the base).
 */
#ifndef KERN_CG_TREE_H
#define KERN_CG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "kern/cg.h"

struct buf;
struct err;

struct cg_tree {
	bool v2;
	unsigned controllers;  /* bits 1 << enum cg_controller; v2: those the base can give to its children */
	char *mount;           /* where the hierarchy is mounted */
	char *root;            /* the directory of the hierarchy that is mounted there */
	char *own;             /* the directory belljar itself is in */
	char *base;            /* where groups are made; NULL when belljar may write nowhere on the way from own to mount */
};

enum { CG_TREES = 12 };

struct cg_trees {
	const char *layout;    /* "v2", "v1", "hybrid" */
	struct cg_tree trees[CG_TREES];
	size_t n;
	const struct cg_tree *of[CTL_COUNT];   /* the tree that has a controller and a base, or NULL */
	const struct cg_tree *track;           /* every group exists there: cgroup2, else the freezer, else any */
};

/* The machine's trees, found once. NULL with err when there is none that belljar may write to. */
const struct cg_trees *cg_find(struct err *err);

/* A line of mountinfo that is about control groups. */
struct cg_mount {
	unsigned major, minor;
	char *root, *point;
	bool v2;
	unsigned controllers;  /* v1 */
	bool named;            /* v1 without a controller of ours (name=systemd, devices, ...) */
};

/* Parsing, apart so that it can be tested: mountinfo's text; and from /proc/PID/cgroup the path in the cgroup2 hierarchy
 * (controllers 0) or in that of one of CONTROLLERS. NULL when there is none. Both results are the caller's. */
struct cg_mount *cg_parse_mounts(const char *mountinfo, size_t *n);
void cg_free_mounts(struct cg_mount *mounts, size_t n);
char *cg_parse_own(const char *cgroups, unsigned controllers);
unsigned cg_parse_controllers(const char *list, const char *separators);

/* Path of OWN below the directory ROOT of the hierarchy that is mounted ("" when they are the same); NULL when it is not below. */
const char *cg_below(const char *own, const char *root);

/* "/sys/fs/cgroup/memory/belljar.1/web/FILE"; file NULL: the directory. The caller's. */
char *cg_tree_path(const struct cg_tree *t, const char *group, const char *file);

/* Append FILE (cgroup.procs, cgroup.threads, tasks) of the directory DIR and of all below it to OUT. What goes away meanwhile is left out.
 * 0, or -1 with errno. */
int cg_list(const char *dir, const char *file, struct buf *out);

/* DIR and all directories below it, as far as they can be read; the array and its strings are the caller's. */
char **cg_dirs(const char *dir, size_t *n);

/* Where a process of GROUP is put in the tree (cg_move.c): the group, CG_MAIN inside it where it is divided, on version 1 the nearest one
 * above it that exists, but none above the sandbox's. NULL: nowhere. The caller's. */
char *cg_tree_home(const struct cg_tree *t, const char *group);

/* Call ACT for the directory DIR and all below it until one fails. 0 or -1. */
int cg_list_dirs(const char *dir, int (*act)(const char *path, struct err *err), struct err *err);

/* Is there but one hierarchy, of version 2, even if belljar may write nowhere in it? Groups are made from now on in its directory OWN, as
 * /proc/self/cgroup names it: 0 or -1. */
bool cg_v2_alone(void);
int cg_settle_v2(const char *own, struct err *err);

/* The tree of a controller, CTL_TRACK: the tracking tree; and of a control file, by its name. NULL when there is none. */
const struct cg_tree *cg_tree_of(enum cg_controller c);
const struct cg_tree *cg_tree_of_file(const char *file);

#endif
