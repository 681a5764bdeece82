/*
 * project.h - directories whose contents are counted together, and limited (project quotas of ext4 and xfs)
 *
 * Each file of such a file system has a project, a number: 0, or that of the directory it was made in. For belljar and for the session's keeper,
 * so it needs the C library only.
 */
#ifndef KERN_PROJECT_H
#define KERN_PROJECT_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* Belljar's own numbers: from this one on, so many. */
enum { PROJECT_FIRST = 0x626a0000, PROJECT_COUNT = 0x10000 };

struct project {
	int64_t bytes, files;  /* at most; 0 = as many as there is room for */
	int64_t used, files_used;
};

/* Are projects counted and limited on the file system of FD? */
bool project_counted(int fd);

/* The project that what is made in the directory gets; 0 = none of its own. */
uint32_t project_of(int dir);

/* What project ID has, all 0 for one that nobody uses; and its limits set, of which 0 lifts one. 0, or -1 with errno. */
int project_get(int fd, uint32_t id, struct project *p);
int project_limit(int fd, uint32_t id, int64_t bytes, int64_t files);

/* The directory, and upper and work in it with all below, pass from one project to the other (0 = none), what is in a third one not. The kernel
 * does that for files and directories only: links and devices keep what they have. 0, or -1 with err; then some have passed. */
int project_pass(int dir, uint32_t from, uint32_t to, struct err *err);

/* Undo it all: the directory, if it is in project ID, belongs to none, and the limits of that are lifted. */
int project_end(int dir, uint32_t id, struct err *err);

/* The same for a line of the ledger, "ID PATH". What is gone is done. */
int project_clear(const char *line, struct err *err);

#endif
