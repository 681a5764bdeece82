/*
 * limits.c - a sandbox's limits: setting and reading
 *
 * What undo takes back are the values; the group and its controllers stay (group.c).
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "sandbox/group.h"
#include "sandbox/limits.h"
#include "sandbox/session.h"
#include "sandbox/steps.h"

static unsigned controllers_of(const struct limit_wish *w)
{
	int c = w->key->cg != CG_KEYS ? (int)cg_table[w->key->cg].controller : w->key == limit_raw ? cg_file_controller(w->v[0].text) : -1;

	return c < 0 || c == CTL_COUNT ? 0 : 1u << c;
}

void limit_add(struct steps *p, struct sandbox *sb, const char *file, const char *words)
{
	struct step *s = steps_add(p, STEP_LIMIT, &sb->session->host);

	s->text = limits_group(sb);
	s->what = steps_keep(p, xstrdup(file));
	s->from = steps_keep(p, xstrdup(words));
	s->to = steps_keep(p, cg_path(limits_group(sb), file));
}

/* What the limit is now in the control file's numbers; INT64_MAX when there is none. 0 or -1. */
static int current(struct sandbox *sb, enum cg_key key, int64_t *n, struct err *err)
{
	char words[4096];
	const char *file = cg_file(key);

	*n = INT64_MAX;
	if (!sb->group || !file)
		return 0;
	if (cg_get(limits_group(sb), file, words, sizeof words, err) < 0)
		return -1;
	if (words[0])
		*n = cg_number(key, words);
	return 0;
}

static const struct limit_wish *wish_for(enum cg_key key, const struct limit_wish *wishes, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (wishes[i].key->cg == key)
			return &wishes[i];
	return NULL;
}

/* Version 1 limits the sum of memory and swap, which must never be below memory alone: what grows goes first, what shrinks last. */
static int add_memory_v1(struct steps *p, struct sandbox *sb, const struct limit_wish *memory, const struct limit_wish *swap,
			 struct err *err)
{
	int64_t mem0, sum0, sum1 = INT64_MAX;

	if (current(sb, CG_MEMORY, &mem0, err) < 0 || current(sb, CG_SWAP, &sum0, err) < 0)
		return -1;
	int64_t mem1 = memory ? memory->v[0].n : mem0;
	int64_t swap1 = swap ? swap->v[0].n : sum0 == INT64_MAX ? INT64_MAX : sum0 - mem0;
	char mem_words[64], sum_words[64];

	if (swap1 != INT64_MAX && mem1 == INT64_MAX) {
		err_set(err, 0, "%s: swap can't be limited while memory is not", sb->name);
		err_why(err, "control groups of version 1 limit the sum of memory and swap");
		return err_try(err, swap ? "limit memory SIZE swap SIZE" : "limit memory max swap max");
	}
	if (swap1 != INT64_MAX && __builtin_add_overflow(mem1, swap1, &sum1))
		sum1 = INT64_MAX;
	cg_words(CG_MEMORY, mem1, mem_words);
	cg_words(CG_SWAP, sum1, sum_words);
	if (sum1 > sum0)
		limit_add(p, sb, cg_file(CG_SWAP), sum_words);
	if (memory)
		limit_add(p, sb, cg_file(CG_MEMORY), mem_words);
	if (sum1 < sum0 || (swap && sum1 == sum0))
		limit_add(p, sb, cg_file(CG_SWAP), sum_words);
	return 0;
}

static int add_value(struct steps *p, struct sandbox *sb, const struct limit_wish *w, struct err *err)
{
	enum cg_key key = w->key->cg;
	char words[64], all[4096];
	bool list = key == CG_CPUS || key == CG_MEMS;

	if (w->key->plan)
		return w->key->plan(sb, w, p, err);
	if (!list) {
		cg_words(key, key == CG_CPU_BURST && w->v[0].n != INT64_MAX ? w->v[0].n / 1000 : w->v[0].n, words);
		limit_add(p, sb, cg_file(key), words);
		return 0;
	}
	bool lift = streq(w->v[0].text, "all") || streq(w->v[0].text, "max");
	if (lift && cg_set_of(sb->session->group ? sb->session->group : "", key, all, sizeof all, err) < 0)
		return -1;
	limit_add(p, sb, cg_file(key), lift ? all : w->v[0].text);
	return 0;
}

/* A burst is never longer than the time that cpu allows: when that becomes less, the burst goes first. 1 when so, 0, or -1. */
static int burst_first(struct sandbox *sb, const struct limit_wish *cpu, const struct limit_wish *burst, struct err *err)
{
	int64_t now = INT64_MAX;

	if (burst && current(sb, CG_CPU_BURST, &now, err) < 0)
		return -1;
	return cpu && now != INT64_MAX && cpu->v[0].n < now;   /* both in microseconds */
}

static int add_values(struct steps *p, struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err)
{
	const struct limit_wish *memory = wish_for(CG_MEMORY, wishes, n), *swap = wish_for(CG_SWAP, wishes, n);
	const struct limit_wish *cpu = wish_for(CG_CPU, wishes, n), *burst = wish_for(CG_CPU_BURST, wishes, n);
	bool sum = cg_v1(CTL_MEMORY) && (memory || swap);
	int early = burst_first(sb, cpu, burst, err);

	if (early < 0 || (sum && add_memory_v1(p, sb, memory, swap, err) < 0))
		return -1;
	if (early && add_value(p, sb, burst, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct limit_wish *w = &wishes[i];
		if ((sum && (w == memory || w == swap)) || w == burst)
			continue;
		if (add_value(p, sb, w, err) < 0)
			return -1;
	}
	return burst && !early ? add_value(p, sb, burst, err) : 0;
}

int limits_set(struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err)
{
	_cleanup_steps_ struct steps ground = { 0 }, values = { 0 };
	bool grouped = false;
	unsigned controllers = 0;

	for (size_t i = 0; i < n; i++)
		grouped = grouped || wishes[i].key->cg != CG_KEYS || wishes[i].key == limit_raw;
	if (grouped && group_place(sb->session, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct limit_wish *w = &wishes[i];
		int c = w->key == limit_raw ? cg_file_controller(w->v[0].text) : CTL_COUNT;
		controllers |= controllers_of(w);
		if (sb->part && w->key->cg == CG_KEYS && w->key != limit_raw)
			return err_set(err, EINVAL, "%s is limited for a sandbox as a whole", w->key->name);
		if (w->key->cg != CG_KEYS && cg_can(w->key->cg, err) < 0)
			return -1;
		if (c != CTL_COUNT && cg_has((enum cg_controller)c, w->v[0].text, err) < 0)
			return -1;
	}
	if (grouped) {
		if (!sandbox_group(sb, err))
			return -1;
		group_add_controllers(&ground, sb, limits_group(sb), controllers);
	}
	if (group_run(sb->session, ground.list, ground.n, err) < 0 || add_values(&values, sb, wishes, n, err) < 0)
		return -1;
	return gate_run(&sb->session->gate, values.list, values.n, err);
}

/* ---- reading ---- */

char *limit_text(const struct limit_key *key, int64_t n)
{
	char size[32];

	if (n == INT64_MAX)
		return xstrdup("max");
	switch (key->cg) {
	case CG_CPU:
		return xasprintf("%.4g%%", (double)n * 100 / LIMIT_PERIOD_US);
	case CG_CPU_BURST:
		return xasprintf("%.4gms", (double)n / 1e6);
	case CG_PIDS:
	case CG_CPU_WEIGHT:
	case CG_IO_WEIGHT:
		return xasprintf("%lld", (long long)n);
	default:
		limit_size_text(n, size);
		return xstrdup(size);
	}
}

/* How close usage is, and what really holds: the tightest limit on the way up, at last the machine itself. */
static void closeness(struct sandbox *sb, const struct limit_key *row, struct limit_now *now)
{
	enum cg_key key = row->cg;
	struct cg_usage u;
	char list[4096];

	if (key == CG_CPUS || key == CG_MEMS) {
		if (cg_set_of(limits_group(sb), key, list, sizeof list, NULL) == 0)
			now->holds_text = xstrdup(list);
		return;
	}
	/* On version 1 swap is a part of a sum. */
	if (!row->machine || (key == CG_SWAP && cg_v1(CTL_MEMORY)))
		return;
	now->holds = cg_least(limits_group(sb), key, &now->where);
	int64_t machine = row->machine();
	if (machine < now->holds) {
		now->holds = machine;
		free(now->where);
		now->where = xstrdup("the machine");
	}
	now->holds_text = limit_text(row, now->holds);
	if (key == CG_CPU || cg_usage(limits_group(sb), &u, NULL) < 0)
		return;
	now->used = key == CG_SWAP ? u.swap : key == CG_PIDS ? u.pids : u.memory;
	if (now->used >= 0)
		now->used_text = limit_text(row, now->used);
}

static int get_group_key(struct sandbox *sb, const struct limit_key *row, struct limit_now *now, struct err *err)
{
	enum cg_key key = row->cg;
	const char *file = cg_file(key);
	char words[4096] = "";

	if (sb->group && file && cg_get(limits_group(sb), file, words, sizeof words, err) < 0)
		return -1;
	bool list = key == CG_CPUS || key == CG_MEMS;
	if (words[0])
		now->n = list ? 0 : cg_number(key, words);
	if (key == CG_SWAP && cg_v1(CTL_MEMORY) && now->n != INT64_MAX) {
		int64_t memory;
		if (current(sb, CG_MEMORY, &memory, err) < 0)
			return -1;
		now->n -= memory;
	}
	if (key == CG_CPU_BURST && now->n != INT64_MAX)
		now->n *= 1000;
	if (words[0]) {
		now->words = xstrdup(words);
		now->file = cg_path(limits_group(sb), file);
		closeness(sb, row, now);
	}
	now->text = list ? xstrdup(words[0] ? words : "all") : limit_text(row, now->n);
	return 0;
}

int limits_get(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err)
{
	*now = (struct limit_now){ .n = INT64_MAX, .used = -1, .holds = INT64_MAX };
	if (key->cg != CG_KEYS && sb->group && group_know(sb->session, err) < 0)
		return -1;
	if (key->get)
		return key->get(sb, key, now, err);
	if (key->cg != CG_KEYS)
		return get_group_key(sb, key, now, err);
	now->text = xstrdup("max");
	return 0;
}

void limit_now_free(struct limit_now *now)
{
	free(now->text);
	free(now->words);
	free(now->file);
	free(now->used_text);
	free(now->holds_text);
	free(now->where);
}

const char *limits_group(const struct sandbox *sb)
{
	return sb->part ? sb->part : sb->group ? sb->group : "belljar.none";
}

int limits_know(struct session *s, struct err *err)
{
	return group_know(s, err);
}

int limits_usage(struct sandbox *sb, struct cg_usage *usage, struct err *err)
{
	if (group_know(sb->session, err) < 0)
		return -1;
	return cg_usage(limits_group(sb), usage, err);
}
