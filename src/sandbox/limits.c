/*
 * limits.c - a sandbox's control group: limits and figures
 *
 * Groups are made by lists of steps of their own, which are then taken out of the journal: a group, once made, stays until its
 * sandbox goes, because undoing it would kill what runs in it. What undo takes back are the values.
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "sandbox/limits.h"
#include "sandbox/session.h"
#include "sandbox/store.h"

enum { STEPS = 16 };

/* Perform steps that no undo takes back. */
static int run_for_good(struct session *s, struct step *steps, size_t n, struct err *err)
{
	size_t mark = gate_mark(&s->gate);

	if (n == 0)
		return 0;
	if (gate_run(&s->gate, steps, n, err) < 0)
		return -1;
	gate_forget(&s->gate, mark, gate_mark(&s->gate));
	return 0;
}

/* In a named session another belljar may have made the groups, perhaps from another place in the hierarchies. */
static int know_groups(struct session *s, struct err *err)
{
	return s->store && s->store->named && !s->group ? store_find_groups(s, err) : 0;
}

/* The session's group gets its name, and the ledger all the directories that it and its sandboxes' groups may ever have. */
static int name_group(struct session *s, struct err *err)
{
	if (s->group)
		return 0;
	if (!cg_layout(err) || store_need(s, err) < 0)
		return -1;
	_cleanup_free_ char *group = xasprintf("belljar.%s", s->store ? s->store->id : "SESSION");
	_cleanup_buf_ struct buf lines = { 0 };
	char **paths = cg_paths(group, err);
	size_t n = 0;

	if (!paths)
		return -1;
	while (paths[n])
		n++;
	/* Cleared newest first, so the tracking hierarchy stands last: killing there empties all the others. */
	bool bad = false;
	while (n-- > 0) {
		bad = bad || strchr(paths[n], '\n');
		buf_fmt(&lines, "cgroup %s\n", paths[n]);
	}
	cg_free_paths(paths);
	if (bad)
		return err_set(err, EINVAL, "control groups are mounted at a path with a newline");
	if (store_note(s, buf_text(&lines), err) < 0)
		return -1;
	if (s->store)
		s->group = move_str(&group);
	return 0;
}

/* A directory's name for the sandbox. Control files lie beside it; they all have a dot or one of three names. A sandbox that was
 * renamed keeps its group, so the name may be taken too. */
static char *choose_group(const struct sandbox *sb)
{
	static const char *const files[] = { "tasks", "notify_on_release", "release_agent" };
	const char *session = sb->session->group ? sb->session->group : "belljar.SESSION";
	bool clash = strchr(sb->name, '.') != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		clash = clash || streq(sb->name, files[i]);
	char *group = xasprintf("%s/%s%s", session, sb->name, clash ? "~" : "");
	for (int i = 2; !sb->session->gate.dry && cg_exists(group, CG_KEYS); i++) {
		free(group);
		group = xasprintf("%s/%s~%d", session, sb->name, i);
	}
	return group;
}

const char *sandbox_group(struct sandbox *sb, struct err *err)
{
	struct session *s = sb->session;

	if (know_groups(s, err) < 0)
		return NULL;
	if (sb->group && (s->gate.dry || cg_exists(sb->group, CG_KEYS)))
		return sb->group;
	if (name_group(s, err) < 0)
		return NULL;
	if (!sb->group)
		sb->group = choose_group(sb);
	_cleanup_free_ char *dir = cg_dir(sb->group, CG_KEYS);
	struct step step = { .kind = STEP_CGROUP, .place = &s->host, .text = sb->group, .to = dir };
	if (run_for_good(s, &step, 1, err) < 0)
		return NULL;
	return sb->group;
}

int sandbox_ungroup(struct sandbox *sb, struct err *err)
{
	if (!sb->group)
		return 0;
	if (know_groups(sb->session, err) < 0)
		return -1;
	_cleanup_free_ char *dir = cg_dir(sb->group, CG_KEYS);
	struct step step = { .kind = STEP_UNCGROUP, .place = &sb->session->host, .text = sb->group, .to = dir };
	if (run_for_good(sb->session, &step, 1, err) < 0)
		return -1;
	free(sb->group);
	sb->group = NULL;
	return 0;
}

/* A list of steps under way, and the strings they borrow. */
struct plan {
	struct step steps[STEPS];
	size_t n;
	char *strings[3 * STEPS];
	size_t n_strings;
};

static void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_strings; i++)
		free(p->strings[i]);
}

static const char *keep(struct plan *p, char *string)
{
	return p->strings[p->n_strings++] = string;
}

static void add_limit(struct plan *p, struct sandbox *sb, enum cg_key key, const char *words)
{
	p->steps[p->n++] = (struct step){ .kind = STEP_LIMIT, .place = &sb->session->host, .text = sb->group, .what = cg_table[key].name,
					  .from = keep(p, xstrdup(words)), .to = keep(p, cg_path(sb->group, key)) };
}

/* Version 1: the sandbox's directory in the hierarchies of the keys. */
static void add_hierarchies(struct plan *p, struct sandbox *sb, const struct limit_wish *wishes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum cg_key key = wishes[i].key;
		bool twice = false;
		if (!cg_v1(key) || cg_exists(sb->group, key))
			continue;
		const char *dir = keep(p, cg_dir(sb->group, key));
		for (size_t j = 0; j < p->n; j++)
			twice = twice || streq(p->steps[j].to, dir);
		if (!twice)
			p->steps[p->n++] = (struct step){ .kind = STEP_CGROUP, .place = &sb->session->host, .text = sb->group,
							  .what = cg_table[key].name, .to = dir };
	}
}

/* Version 2: the groups directly in LEVEL get the controllers of the keys, in one write. */
static void add_controllers(struct plan *p, struct sandbox *sb, const char *level, const struct limit_wish *wishes, size_t n)
{
	_cleanup_buf_ struct buf words = { 0 };

	for (size_t i = 0; i < n; i++) {
		const char *name = cg_table[wishes[i].key].v2_controller;
		if (cg_v1(wishes[i].key) || cg_passes(level, wishes[i].key) || (words.len && strstr(words.data, name)))
			continue;
		buf_fmt(&words, "%s+%s", words.len ? " " : "", name);
	}
	if (!words.len)
		return;
	_cleanup_free_ char *dir = cg_dir(level, CG_KEYS);
	p->steps[p->n++] = (struct step){ .kind = STEP_LIMIT, .place = &sb->session->host, .text = keep(p, xstrdup(level)),
					  .what = "controllers", .from = keep(p, buf_take(&words)),
					  .to = keep(p, xasprintf("%s/cgroup.subtree_control", dir)) };
}

/* What the limit is now in a wish's numbers; INT64_MAX when there is none. */
static int64_t current(struct sandbox *sb, enum cg_key key)
{
	char words[4096];

	if (!sb->group || cg_get(sb->group, key, words, sizeof words, NULL) < 0 || !words[0])
		return INT64_MAX;
	errno = 0;
	long long n = strtoll(words, NULL, 10);
	return starts_with(words, "max") || errno || n < 0 || n >= INT64_MAX - 65536 ? INT64_MAX : n;
}

static const struct limit_wish *wish_for(enum cg_key key, const struct limit_wish *wishes, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (wishes[i].key == key)
			return &wishes[i];
	return NULL;
}

/* Version 1 limits the sum of memory and swap, which must never be below memory alone: what grows goes first, what shrinks last. */
static int add_memory_v1(struct plan *p, struct sandbox *sb, const struct limit_wish *memory, const struct limit_wish *swap,
			 struct err *err)
{
	int64_t mem0 = current(sb, CG_MEMORY), sum0 = current(sb, CG_SWAP), mem1 = memory ? memory->n : mem0, sum1 = INT64_MAX;
	int64_t swap1 = swap ? swap->n : sum0 == INT64_MAX ? INT64_MAX : sum0 - mem0;
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
		add_limit(p, sb, CG_SWAP, sum_words);
	if (memory)
		add_limit(p, sb, CG_MEMORY, mem_words);
	if (sum1 < sum0 || (swap && sum1 == sum0))
		add_limit(p, sb, CG_SWAP, sum_words);
	return 0;
}

static int add_values(struct plan *p, struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err)
{
	const struct limit_wish *memory = wish_for(CG_MEMORY, wishes, n), *swap = wish_for(CG_SWAP, wishes, n);
	bool sum = cg_v1(CG_SWAP) && (memory || swap);

	if (sum && add_memory_v1(p, sb, memory, swap, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct limit_wish *w = &wishes[i];
		char words[64];
		if (w != wish_for(w->key, wishes, n) || (sum && (w->key == CG_MEMORY || w->key == CG_SWAP)))
			continue;
		if (w->key != CG_CPUS) {
			cg_words(w->key, w->n, words);
			add_limit(p, sb, w->key, words);
			continue;
		}
		char all[4096];
		if (!w->list && cg_cpus(sb->session->group ? sb->session->group : "", all, sizeof all, err) < 0)
			return -1;
		add_limit(p, sb, CG_CPUS, w->list ? w->list : all);
	}
	return 0;
}

int limits_set(struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err)
{
	_cleanup_(plan_free) struct plan ground = { 0 }, values = { 0 };
	struct session *s = sb->session;

	if (n > CG_KEYS)
		return err_set(err, E2BIG, "%s: more limits than there are", sb->name);
	for (size_t i = 0; i < n; i++)
		if (cg_can(wishes[i].key, err) < 0)
			return -1;
	if (!sandbox_group(sb, err))
		return -1;
	const char *level = s->group ? s->group : "belljar.SESSION";
	add_hierarchies(&ground, sb, wishes, n);
	add_controllers(&ground, sb, "", wishes, n);
	add_controllers(&ground, sb, level, wishes, n);
	if (run_for_good(s, ground.steps, ground.n, err) < 0 || add_values(&values, sb, wishes, n, err) < 0)
		return -1;
	return gate_run(&s->gate, values.steps, values.n, err);
}

int limits_get(struct sandbox *sb, enum cg_key key, struct limit_now *now, struct err *err)
{
	now->n = INT64_MAX;
	now->words[0] = '\0';
	now->file = NULL;
	if (!sb->group)
		return 0;
	if (know_groups(sb->session, err) < 0)
		return -1;
	if (cg_get(sb->group, key, now->words, sizeof now->words, err) < 0)
		return -1;
	now->n = current(sb, key);
	if (key == CG_SWAP && cg_v1(CG_SWAP) && now->n != INT64_MAX)
		now->n -= current(sb, CG_MEMORY);
	if (now->words[0])
		now->file = cg_path(sb->group, key);
	return 0;
}

int limits_usage(struct sandbox *sb, struct cg_usage *usage, struct err *err)
{
	if (know_groups(sb->session, err) < 0)
		return -1;
	return cg_usage(sb->group ? sb->group : "belljar.none", usage, err);
}
