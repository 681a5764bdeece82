/*
 * net_load.c - the network module, seen from the program that loads it
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/module.h"
#include "kern/net.h"

const struct net_api *net_api(struct err *err)
{
	static const struct net_api *api;

	if (!api)
		api = module_symbol("net", "net_module", err);
	return api;
}

int net_name_check(const char *name, struct err *err)
{
	size_t n = strlen(name);
	bool good = !streq(name, ".") && !streq(name, "..");

	if (n == 0 || n >= IFNAMSIZ)
		return err_usage(err, "the name of a link has 1 to %d bytes, this one %zu", IFNAMSIZ - 1, n);
	/* The kernel lets control characters pass, and the no-break space of Latin-1 not. */
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		good = good && *c > ' ' && *c != 0x7f && *c != 0xa0 && !strchr("/:%", *c);
	if (!good) {
		_cleanup_buf_ struct buf shown = { 0 };
		buf_visible(&shown, name);
		return err_usage(err, "%s can't name a link: no blanks, control characters, / : or %%", buf_text(&shown));
	}
	return 0;
}

/* From the name alone, so that it is known before the bridge is there, and another belljar finds the same. */
unsigned net_group(const char *bridge)
{
	unsigned hash = 2166136261u;   /* FNV-1a */

	for (const unsigned char *c = (const unsigned char *)bridge; *c; c++)
		hash = (hash ^ *c) * 16777619u;
	return (hash & 0x3fffffff) | 0x40000000;
}
