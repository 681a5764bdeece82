/*
 * limits_bite.c - limits that bite, and stopping what runs
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "sandbox/group.h"
#include "sandbox/limits.h"
#include "sandbox/steps.h"

/* Below this a limit on processor time was not felt. */
enum { FELT_NS = 10000000 };

int limits_freeze(struct sandbox *sb, bool freeze, struct err *err)
{
	_cleanup_steps_ struct steps steps = { 0 };
	const char *words, *file;

	if (!sandbox_group(sb, err))
		return -1;
	file = cg_freezer(freeze, &words);
	if (cg_v1(CTL_TRACK) && cg_has(CTL_FREEZER, "freeze", err) < 0)
		return -1;
	limit_add(&steps, sb, file, words);
	steps.list[0].flags = CG_RAW;
	if (gate_run(&sb->session->gate, steps.list, steps.n, err) < 0)
		return -1;
	return sb->session->gate.dry ? 0 : cg_wait_frozen(sb->group, freeze, err);
}

int limits_thawed(const struct sandbox *sb, struct err *err)
{
	const char *words, *file = cg_freezer(true, &words);
	char now[32];

	if (!sb->group || cg_get(sb->group, file, now, sizeof now, NULL) < 0 || !streq(now, words))
		return 0;
	err_set(err, EBUSY, "%s: it is frozen, and a program would not begin", sb->name);
	return err_try(err, "thaw");
}

int limits_empty(struct sandbox *sb, struct err *err)
{
	struct session *s = sb->session;

	if (!sb->group || group_know(s, err) < 0)
		return sb->group ? -1 : 0;
	_cleanup_free_ char *dir = cg_dir(sb->group, CTL_TRACK);
	struct step step = { .kind = STEP_EMPTY, .place = &s->host, .text = sb->group, .to = dir };
	return group_run(s, &step, 1, err) < 0 ? -1 : 1;
}

void limits_bites(const struct sandbox *sb, struct cg_usage *usage)
{
	cg_bites(limits_group(sb), usage);
}

/* "; limit memory 20M" */
static void allowed(struct sandbox *sb, const char *key, struct buf *words)
{
	_cleanup_(limit_now_free) struct limit_now now = { 0 };

	if (limits_get(sb, limit_key(key), &now, NULL) == 0 && now.n != INT64_MAX)
		buf_fmt(words, " (limit %s%s%s%s %s)", sb->part ? "in " : "", sb->part ? sb->part + strlen(sb->group) + 1 : "",
			sb->part ? " " : "", key, now.text);
	else
		buf_fmt(words, " (a limit above the sandbox's own)");
}

static int64_t grown(int64_t before, int64_t after)
{
	return after > 0 ? after - (before > 0 ? before : 0) : 0;
}

void limits_bitten(struct sandbox *sb, const struct cg_usage *before, const struct cg_usage *after, struct buf *words)
{
	long long kills = grown(before->oom_kills, after->oom_kills), forks = grown(before->forks_refused, after->forks_refused);
	long long high = grown(before->memory_high, after->memory_high), ns = grown(before->cpu_throttled_ns, after->cpu_throttled_ns);

	if (kills) {
		buf_fmt(words, "%s: killed for memory: %lld program%s", sb->name, kills, kills == 1 ? "" : "s");
		allowed(sb, "memory", words);
		buf_char(words, '\n');
	}
	if (forks) {
		buf_fmt(words, "%s: no more processes: refused %lld time%s", sb->name, forks, forks == 1 ? "" : "s");
		allowed(sb, "pids", words);
		buf_char(words, '\n');
	}
	if (high) {
		buf_fmt(words, "%s: slowed for memory: %lld time%s", sb->name, high, high == 1 ? "" : "s");
		allowed(sb, "memory-high", words);
		buf_char(words, '\n');
	}
	if (ns >= FELT_NS) {
		buf_fmt(words, "%s: slowed for processor time: programs waited %.2f s", sb->name, (double)ns / 1e9);
		allowed(sb, "cpu", words);
		buf_char(words, '\n');
	}
}
