/*
 * walk.h - looking at all that is in a directory
 */
#ifndef KERN_WALK_H
#define KERN_WALK_H

#include <sys/stat.h>

struct err;

enum { WALK_DEPTH = 200 };     /* directories in one another: nobody needs more, but whoever is hostile makes more */
enum { WALK_ON, WALK_PAST };   /* what EACH returns: go on, into a directory too; or past it. -1 stops with err */

struct walk_entry {
	int dir;               /* the directory it is in, open for reading, */
	const char *name;      /* and its name there */
	const char *path;      /* from the top on: "etc/passwd" */
	unsigned depth;        /* 0: it lies in the top */
	struct stat st;
};

/* Call EACH for everything in the directory TOP, whose own path is BELOW ("", or "etc"), a directory before what is in it, names in the order of
 * their bytes. No link is followed and no other file system entered. What vanishes meanwhile is left out. 0, or -1 with err. */
int walk(int top, const char *below, int (*each)(void *arg, const struct walk_entry *e, struct err *err), void *arg, struct err *err);

#endif
