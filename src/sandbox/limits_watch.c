/*
 * limits_watch.c - waiting for limits to bite
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "sandbox/group.h"
#include "sandbox/limits_watch.h"
#include "sandbox/named.h"

/* How often is looked at what nobody tells; and, after an event, at counters that follow it. */
enum { LOOK_MS = 1000, SOON_MS = 100 };

struct watching {
	struct sandbox *sb;
	const struct limits_watch *w;
	struct cg_event events[CG_EVENTS];
	size_t n;
	struct cg_usage seen;  /* of the counters, up to what was said; state: frozen, pids 0 or more */
	int64_t said;
};

static void say_lines(struct watching *x, const char *lines)
{
	for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		_cleanup_free_ char *line = xstrndup(at, strcspn(at, "\n"));
		if (x->w->times && x->said >= x->w->times)
			return;
		x->w->say(x->w->arg, line);
		x->said++;
	}
}

static bool watched(const struct watching *x, enum cg_watch kind)
{
	return x->w->kinds & 1u << kind;
}

/* What the counters say that was not said before. */
static void look(struct watching *x)
{
	_cleanup_buf_ struct buf words = { 0 };
	struct cg_usage now;

	limits_bites(x->sb, &now);
	if (!watched(x, WATCH_MEMORY))
		now.oom_kills = now.memory_high = -1;
	if (!watched(x, WATCH_PIDS))
		now.forks_refused = -1;
	if (!watched(x, WATCH_CPU))
		now.cpu_throttled_ns = -1;
	limits_bitten(x->sb, &x->seen, &now, &words);
	x->seen = now;
	say_lines(x, buf_text(&words));
}

static void look_state(struct watching *x, int64_t *frozen)
{
	struct cg_usage now;

	cg_sample(limits_group(x->sb), SAMPLE_EVENTS, &now);
	if (now.frozen < 0 || now.frozen == *frozen)
		return;
	*frozen = now.frozen;
	_cleanup_free_ char *line = xasprintf("%s: %s", x->sb->name, now.frozen ? "frozen" : "thawed");
	say_lines(x, line);
}

static void say_pressure(struct watching *x, const struct cg_event *e)
{
	static const char *const of[] = { "the processor", "memory", "a disk" };
	_cleanup_free_ char *line = xasprintf("%s: pressure: programs had to wait for %s for more than 15%% of the time", x->sb->name, of[e->of]);

	say_lines(x, line);
}

static void woken(struct watching *x, const struct pollfd *p)
{
	for (size_t i = 0; i < x->n; i++) {
		if (!(p[i].revents & (POLLIN | POLLPRI)))
			continue;
		cg_watch_seen(&x->events[i]);
		if (x->events[i].kind == WATCH_PRESSURE)
			say_pressure(x, &x->events[i]);
	}
}

/* The signals that ask to stop are let in only while waiting, so that none is missed. */
static int wait_loop(struct watching *x, const sigset_t *mask)
{
	int64_t begin = now_ns(), frozen = 0, left = INT64_MAX;
	int soon = 0;

	look(x);
	while (!(x->w->times && x->said >= x->w->times) && !stop_asked() && !stop_interrupted()) {
		struct pollfd p[CG_EVENTS];
		if (x->w->ns && (left = x->w->ns - (now_ns() - begin)) <= 0)
			return x->w->times ? -1 : 0;
		for (size_t i = 0; i < x->n; i++)
			p[i] = (struct pollfd){ .fd = x->events[i].fd, .events = x->events[i].poll };
		int64_t ns = (soon > 0 ? SOON_MS : LOOK_MS) * 1000000LL;
		ns = ns < left ? ns : left;
		struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
		int n = ppoll(p, x->n, &t, mask);
		soon = n > 0 ? 5 : soon - 1;
		if (n > 0)
			woken(x, p);
		look(x);
		if (watched(x, WATCH_STATE))
			look_state(x, &frozen);
	}
	return 0;
}

int limits_watch(struct sandbox *sb, const struct limits_watch *w, struct err *err)
{
	struct watching x = { .sb = sb, .w = w };
	sigset_t block, before;

	if (!sandbox_group(sb, err))
		return -1;
	if (sb->session->gate.dry)
		return 0;
	if (named_release(sb->session, err) < 0)
		return -1;
	x.n = cg_watch(sb->group, w->kinds, x.events);
	if (x.n == 0 && !(w->kinds & 1u << WATCH_CPU)) {
		err_set(err, ENOENT, "%s: there is nothing of the kind to be watched", sb->name);
		return err_try(err, "limit memory max pids max cpu max, so that its controllers count for it");
	}
	for (size_t i = 0; i < x.n; i++)
		cg_watch_seen(&x.events[i]);
	limits_bites(sb, &x.seen);
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &before);
	int result = wait_loop(&x, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	for (size_t i = 0; i < x.n; i++)
		close(x.events[i].fd);
	return result < 0 ? err_set(err, ETIMEDOUT, "%s: %lld of %lld events came in time", sb->name, (long long)x.said, (long long)w->times) : 0;
}
