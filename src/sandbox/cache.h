/*
 * cache.h - archives that were unpacked
 */
#ifndef SANDBOX_CACHE_H
#define SANDBOX_CACHE_H

#include "kern/mnt_cache.h"
#include "sandbox/session.h"

/* cache_list and cache_free of kern/mnt_cache.h list them. Remove those whose name begins with WHICH, a digest or the beginning of one; or all
 * (NULL). Sandboxes that use one go on with what they have open. *N: how many. 0 or -1 with err. */
int cache_remove(struct session *s, const char *which, size_t *n, struct err *err);

#endif
