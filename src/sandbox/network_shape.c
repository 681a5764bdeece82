/*
 * network_shape.c - links made slower, longer and worse than they are
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_list.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_shape.h"

/* What the kernel would take and nobody could mean. */
static int check_shape(const struct shape *s, struct err *err)
{
	if (s->rate && s->rate < 8)
		return err_usage(err, "rate: at least 8bit, a byte a second");
	if (s->burst && !s->rate)
		return err_usage(err, "burst means something only together with rate");
	if (s->burst && s->burst < 1600) {
		err_usage(err, "burst %llu: less than one packet, so that nothing would pass", (unsigned long long)s->burst);
		return err_try(err, "burst 16K");
	}
	if (s->burst > UINT32_MAX)
		return err_usage(err, "burst: less than 4G");
	if ((s->jitter || s->reorder > 0) && !s->delay)
		return err_usage(err, "%s means something only together with delay", s->jitter ? "jitter" : "reorder");
	if (s->jitter > s->delay)
		return err_usage(err, "jitter: not more than delay");
	return 0;
}

int network_shape(struct session *s, struct sandbox *sb, const char *link, const struct shape *wanted, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };
	char words[SHAPE_LONGEST];

	if (check_shape(wanted, err) < 0 || network_target(s, sb, link, &t, err) < 0)
		return -1;
	shape_words(wanted, words);
	plan_add(&p, STEP_SHAPE, t.place, t.name)->text = words;
	return plan_run(&p, err);
}

/* ---- a sandbox's limits ---- */

struct limited {
	struct place *place;
	char link[IFNAMSIZ];
	char words[SHAPE_LONGEST];
};

static struct place *place_of(struct session *s, const char *name)
{
	struct sandbox *sb = network_sandbox(s, name);

	return sb ? &sb->place : streq(name, "lab") ? &s->lab : &s->host;
}

/* The rest of the link's shape stays. */
static int plan_rate(struct plan *p, struct limited *l, uint64_t rate, struct err *err)
{
	struct net_queue now;
	struct shape shape;

	if (net_api(err)->shaped(l->place, l->link, &now, err) < 0)
		return -1;
	shape_read(now.words, &shape);
	shape.rate = rate == UINT64_MAX ? 0 : rate;
	shape.burst = 0;
	shape_words(&shape, l->words);
	struct step *s = plan_add(p, STEP_SHAPE, l->place, l->link);
	s->text = l->words;
	return 0;
}

/* Both ends of one link. */
static int plan_limit(struct plan *p, const struct network_row *row, struct limited ends[2], uint64_t tx, uint64_t rx, struct err *err)
{
	const char *colon = row->peer ? strchr(row->peer, ':') : NULL;

	ends[0].place = place_of(p->session, row->where);
	network_set_name(ends[0].link, row->link.name);
	if (tx && plan_rate(p, &ends[0], tx, err) < 0)
		return -1;
	if (!rx)
		return 0;
	if (!colon) {
		err_set(err, ENODEV, "%s: the other end of %s is none of this session's, so what comes in can't be held there", row->where, row->link.name);
		return err_try(err, "limit net tx RATE alone");
	}
	_cleanup_free_ char *where = xstrndup(row->peer, (size_t)(colon - row->peer));
	ends[1].place = place_of(p->session, where);
	network_set_name(ends[1].link, colon + 1);
	return plan_rate(p, &ends[1], rx, err);
}

int network_limit(struct sandbox *sb, uint64_t tx, uint64_t rx, struct err *err)
{
	struct plan p = { .session = sb->session };
	struct network_row *rows;
	struct limited *ends = NULL;
	size_t n;

	if (network_need(sb, err) < 0 || network_links(sb->session, sb->name, &rows, &n, err) < 0)
		return -1;
	int result = 0;
	if (n == 0 && network_known(sb->session, &sb->place)) {
		err_set(err, ENODEV, "%s: it has no link that could be limited", sb->name);
		result = err_try(err, "link %s BRIDGE ADDRESS, then again", sb->name);
	} else if (2 * n > PLAN_STEPS) {
		result = err_set(err, E2BIG, "%s: more than %d links", sb->name, PLAN_STEPS / 2);
	}
	ends = xcalloc(2 * n + 1, sizeof *ends);
	for (size_t i = 0; i < n && result == 0; i++)
		result = plan_limit(&p, &rows[i], &ends[2 * i], tx, rx, err);
	if (result == 0)
		result = plan_run(&p, err);
	free(ends);
	network_free_rows(rows, n);
	return result;
}

/* ---- listing ---- */

int network_shaped(struct session *s, const char *of, struct network_shaped **rows, size_t *n, struct err *err)
{
	struct network_row *links;
	size_t n_links;
	int result = 0;

	*rows = NULL;
	*n = 0;
	if (network_links(s, of, &links, &n_links, err) < 0)
		return -1;
	for (size_t i = 0; i < n_links && result == 0; i++) {
		struct net_queue queue;
		result = net_api(err)->shaped(place_of(s, links[i].where), links[i].link.name, &queue, err);
		if (result < 0 || !queue.words[0])
			continue;
		struct network_shaped *row = GROW(rows, n);
		row->where = links[i].where;
		network_set_name(row->link, links[i].link.name);
		row->queue = queue;
	}
	network_free_rows(links, n_links);
	if (result < 0)
		free(*rows);
	return result;
}
