/*
 * cache.c - archives that were unpacked
 *
 * A layer that goes gets a name first that the session's ledger has, so half of one is never taken for the whole.
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "sandbox/cache.h"
#include "sandbox/store.h"

static int remove_one(struct session *s, const char *name, size_t number, struct err *err)
{
	_cleanup_free_ char *below = xasprintf("layers/%s", name), *path = cache_below(below), *cache = cache_path();
	_cleanup_free_ char *gone = xasprintf("%s/.belljar.%s.%zu", cache, s->store ? s->store->id : "SESSION", number);
	_cleanup_free_ char *line = xasprintf("tree %s", gone), *lines = xasprintf("%s\n", line);
	struct step step = { .kind = STEP_RMTREE, .place = &s->host, .from = path, .what = gone };

	if (store_note(s, lines, err) < 0 || gate_run(&s->gate, &step, 1, err) < 0)
		return -1;
	return store_forget(s, line, err);
}

int cache_remove(struct session *s, const char *which, size_t *n, struct err *err)
{
	struct cache_entry *entries;
	size_t all;
	int result = 0;

	*n = 0;
	if (cache_list(&entries, &all, err) < 0)
		return -1;
	/* Others are just taking layers into use, or putting some there. */
	_cleanup_close_ int lock = all && !s->gate.dry ? cache_lock(true, err) : -1;
	if (all && !s->gate.dry && (lock < 0 || store_need(s, err) < 0))
		result = -1;
	for (size_t i = 0; i < all && result == 0; i++)
		if (!which || starts_with(entries[i].name, which))
			result = remove_one(s, entries[i].name, (*n)++, err);
	cache_free(entries, all);
	if (result == 0 && !s->gate.dry)
		cache_tidy();
	if (result == 0 && which && !*n) {
		err_set(err, ENOENT, "%.100s: no layer in the cache begins with that", which);
		return err_try(err, "cache ls");
	}
	return result;
}
