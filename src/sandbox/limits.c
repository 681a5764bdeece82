/*
 * limits.c - a sandbox's limits: its control group, setting, reading
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
#include "sandbox/steps.h"
#include "sandbox/store.h"

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

static void add_limit(struct steps *p, struct sandbox *sb, enum cg_key key, const char *words)
{
	struct step *s = steps_add(p, STEP_LIMIT, &sb->session->host);

	s->text = sb->group;
	s->what = cg_table[key].name;
	s->from = steps_keep(p, xstrdup(words));
	s->to = steps_keep(p, cg_path(sb->group, key));
}

/* Version 1: the sandbox's directory in the hierarchies of the keys. */
static void add_hierarchies(struct steps *p, struct sandbox *sb, const struct limit_wish *wishes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum cg_key key = wishes[i].key->cg;
		bool twice = false;
		if (key == CG_KEYS || !cg_v1(key) || cg_exists(sb->group, key))
			continue;
		const char *dir = steps_keep(p, cg_dir(sb->group, key));
		for (size_t j = 0; j < p->n; j++)
			twice = twice || streq(p->list[j].to, dir);
		if (twice)
			continue;
		struct step *s = steps_add(p, STEP_CGROUP, &sb->session->host);
		s->text = sb->group;
		s->what = cg_table[key].name;
		s->to = dir;
	}
}

/* Version 2: the groups directly in LEVEL get the controllers of the keys, in one write. */
static void add_controllers(struct steps *p, struct sandbox *sb, const char *level, const struct limit_wish *wishes, size_t n)
{
	_cleanup_buf_ struct buf words = { 0 };

	for (size_t i = 0; i < n; i++) {
		enum cg_key key = wishes[i].key->cg;
		const char *name = key == CG_KEYS ? NULL : cg_table[key].v2_controller;
		if (!name || cg_v1(key) || cg_passes(level, key) || (words.len && strstr(words.data, name)))
			continue;
		buf_fmt(&words, "%s+%s", words.len ? " " : "", name);
	}
	if (!words.len)
		return;
	_cleanup_free_ char *dir = cg_dir(level, CG_KEYS);
	struct step *s = steps_add(p, STEP_LIMIT, &sb->session->host);
	s->text = steps_keep(p, xstrdup(level));
	s->what = "controllers";
	s->from = steps_keep(p, buf_take(&words));
	s->to = steps_keep(p, xasprintf("%s/cgroup.subtree_control", dir));
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
		if (wishes[i].key->cg == key)
			return &wishes[i];
	return NULL;
}

/* Version 1 limits the sum of memory and swap, which must never be below memory alone: what grows goes first, what shrinks last. */
static int add_memory_v1(struct steps *p, struct sandbox *sb, const struct limit_wish *memory, const struct limit_wish *swap,
			 struct err *err)
{
	int64_t mem0 = current(sb, CG_MEMORY), sum0 = current(sb, CG_SWAP), mem1 = memory ? memory->v[0].n : mem0, sum1 = INT64_MAX;
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
		add_limit(p, sb, CG_SWAP, sum_words);
	if (memory)
		add_limit(p, sb, CG_MEMORY, mem_words);
	if (sum1 < sum0 || (swap && sum1 == sum0))
		add_limit(p, sb, CG_SWAP, sum_words);
	return 0;
}

static int add_value(struct steps *p, struct sandbox *sb, const struct limit_wish *w, struct err *err)
{
	char words[64], all[4096];

	if (w->key->plan)
		return w->key->plan(sb, w, p, err);
	if (w->key->cg != CG_CPUS) {
		cg_words(w->key->cg, w->v[0].n, words);
		add_limit(p, sb, w->key->cg, words);
		return 0;
	}
	bool lift = streq(w->v[0].text, "all") || streq(w->v[0].text, "max");
	if (lift && cg_cpus(sb->session->group ? sb->session->group : "", all, sizeof all, err) < 0)
		return -1;
	add_limit(p, sb, CG_CPUS, lift ? all : w->v[0].text);
	return 0;
}

static int add_values(struct steps *p, struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err)
{
	const struct limit_wish *memory = wish_for(CG_MEMORY, wishes, n), *swap = wish_for(CG_SWAP, wishes, n);
	bool sum = cg_v1(CG_SWAP) && (memory || swap);

	if (sum && add_memory_v1(p, sb, memory, swap, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((!sum || (&wishes[i] != memory && &wishes[i] != swap)) && add_value(p, sb, &wishes[i], err) < 0)
			return -1;
	return 0;
}

int limits_set(struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err)
{
	_cleanup_steps_ struct steps ground = { 0 }, values = { 0 };
	struct session *s = sb->session;
	bool grouped = false;

	for (size_t i = 0; i < n; i++) {
		if (wishes[i].key->cg == CG_KEYS)
			continue;
		grouped = true;
		if (cg_can(wishes[i].key->cg, err) < 0)
			return -1;
	}
	if (grouped) {
		if (!sandbox_group(sb, err))
			return -1;
		add_hierarchies(&ground, sb, wishes, n);
		add_controllers(&ground, sb, "", wishes, n);
		add_controllers(&ground, sb, s->group ? s->group : "belljar.SESSION", wishes, n);
	}
	if (run_for_good(s, ground.list, ground.n, err) < 0 || add_values(&values, sb, wishes, n, err) < 0)
		return -1;
	return gate_run(&s->gate, values.list, values.n, err);
}

/* A number of a control group's key as limit would take it. */
static char *value_text(enum cg_key key, int64_t n)
{
	char size[32];

	if (n == INT64_MAX)
		return xstrdup("max");
	if (key == CG_CPU)
		return xasprintf("%.4g%%", (double)n * 100 / LIMIT_PERIOD_US);
	if (key == CG_PIDS)
		return xasprintf("%lld", (long long)n);
	limit_size_text(n, size);
	return xstrdup(size);
}

static int get_group_key(struct sandbox *sb, enum cg_key key, struct limit_now *now, struct err *err)
{
	char words[4096] = "";

	if (sb->group && (know_groups(sb->session, err) < 0 || cg_get(sb->group, key, words, sizeof words, err) < 0))
		return -1;
	now->n = current(sb, key);
	if (key == CG_SWAP && cg_v1(CG_SWAP) && now->n != INT64_MAX)
		now->n -= current(sb, CG_MEMORY);
	if (words[0]) {
		now->words = xstrdup(words);
		now->file = cg_path(sb->group, key);
	}
	if (key == CG_CPUS) {
		now->n = words[0] ? 0 : INT64_MAX;
		now->text = xstrdup(words[0] ? words : "all");
	} else
		now->text = value_text(key, now->n);
	return 0;
}

int limits_get(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err)
{
	*now = (struct limit_now){ .n = INT64_MAX };
	return key->get ? key->get(sb, key, now, err) : get_group_key(sb, key->cg, now, err);
}

void limit_now_free(struct limit_now *now)
{
	free(now->text);
	free(now->words);
	free(now->file);
}

int limits_usage(struct sandbox *sb, struct cg_usage *usage, struct err *err)
{
	if (know_groups(sb->session, err) < 0)
		return -1;
	return cg_usage(sb->group ? sb->group : "belljar.none", usage, err);
}
