/*
 * limits_watch.h - waiting for limits to bite
 */
#ifndef SANDBOX_LIMITS_WATCH_H
#define SANDBOX_LIMITS_WATCH_H

#include <stdint.h>

#include "sandbox/limits.h"

struct limits_watch {
	unsigned kinds;        /* bits 1 << enum cg_watch */
	int64_t times;         /* how many events, 0: without end */
	int64_t ns;            /* for how long, 0: without end */
	void (*say)(void *arg, const char *line);      /* each event in words */
	void *arg;
};

/* Say each event until there were enough, time is up, or somebody asks to stop. 0, or -1 with err: nothing of the kind can be watched here,
 * or time was up before there were as many as wanted. */
int limits_watch(struct sandbox *sb, const struct limits_watch *w, struct err *err);

#endif
