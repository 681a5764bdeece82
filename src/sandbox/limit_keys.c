/*
 * limit_keys.c - what can be limited
 */
#include "config.h"

#include "base/mem.h"
#include "sandbox/limits.h"

const struct limit_key limit_keys[LIMIT_KEYS] = {
	{ "memory", CG_MEMORY, NULL, NULL },
	{ "swap", CG_SWAP, NULL, NULL },
	{ "cpu", CG_CPU, NULL, NULL },
	{ "cpus", CG_CPUS, NULL, NULL },
	{ "pids", CG_PIDS, NULL, NULL },
};

const struct limit_key *limit_key(const char *name)
{
	for (size_t i = 0; i < LIMIT_KEYS; i++)
		if (streq(limit_keys[i].name, name))
			return &limit_keys[i];
	return NULL;
}

void limit_size_text(int64_t n, char text[32])
{
	static const char units[] = "KMGTPE";
	double value = (double)n;
	int unit = -1;

	if (n == INT64_MAX || n < 0) {
		snprintf(text, 32, "%s", n < 0 ? "" : "max");
		return;
	}
	for (; value >= 1024 && unit < 5; unit++)
		value /= 1024;
	if (unit < 0)
		snprintf(text, 32, "%lld", (long long)n);
	else
		snprintf(text, 32, value == (double)(int64_t)value ? "%.0f%c" : "%.1f%c", value, units[unit]);
}
