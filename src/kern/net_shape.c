/*
 * net_shape.c - the network module: queueing disciplines that slow a link down
 *
 * A rate is a tbf, whose bucket is filled 10 ms ahead so that segments offloaded by the sender pass; delay, loss and the like are a netem.
 * With both, netem is the root and tbf its only child: packets wait for their delay first and then for the rate, as on a long wire with a slow
 * end.
 */
#include "config.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <netlink/attr.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/net_conn.h"
#include "kern/shape.h"
#include "kern/step.h"

enum { NETEM_HANDLE = 0x10000, NETEM_CLASS = 0x10001, TBF_HANDLE = 0x20000, NETEM_PACKETS = 10000 };

/* A tick of the kernel's packet scheduler is 64 ns (PSCHED_SHIFT). */
enum { TICK_NS = 64 };

/* ---- what is there ---- */

struct queues {
	int index;             /* of the link */
	struct shape shape;
	struct net_queue stats;
	char foreign[16];      /* kind of a root discipline that a user chose, and that can't be said in our words */
};

static double percent_of(uint32_t share)
{
	return (double)share * 100 / UINT32_MAX;
}

static void read_tbf(struct queues *q, struct nlattr *options)
{
	struct nlattr *a[TCA_TBF_MAX + 1];
	uint64_t bytes;

	if (!options || nla_parse_nested(a, TCA_TBF_MAX, options, NULL) < 0 || !a[TCA_TBF_PARMS] ||
	    nla_len(a[TCA_TBF_PARMS]) < (int)sizeof(struct tc_tbf_qopt))
		return;
	const struct tc_tbf_qopt *parms = nla_data(a[TCA_TBF_PARMS]);
	bytes = a[TCA_TBF_RATE64] ? nla_get_u64(a[TCA_TBF_RATE64]) : parms->rate.rate;
	q->shape.rate = bytes * 8;
	q->shape.burst = (uint64_t)(((__int128)bytes * parms->buffer * TICK_NS + 500000000) / 1000000000);
	/* What is chosen anyway is not said; ticks round. */
	struct shape chosen = { .rate = q->shape.rate };
	uint64_t usual = shape_burst(&chosen);
	if (q->shape.burst + usual / 100 > usual && q->shape.burst < usual + usual / 100)
		q->shape.burst = 0;
}

static void read_netem(struct queues *q, struct nlattr *options)
{
	struct nlattr *a[TCA_NETEM_MAX + 1] = { NULL };
	const struct tc_netem_qopt *parms = options ? nla_data(options) : NULL;
	int size = NLA_ALIGN((int)sizeof *parms);

	if (!options || nla_len(options) < size)
		return;
	nla_parse(a, TCA_NETEM_MAX, (struct nlattr *)((char *)nla_data(options) + size), nla_len(options) - size, NULL);
	q->shape.delay = a[TCA_NETEM_LATENCY64] ? nla_get_u64(a[TCA_NETEM_LATENCY64]) : (uint64_t)parms->latency * TICK_NS;
	q->shape.jitter = a[TCA_NETEM_JITTER64] ? nla_get_u64(a[TCA_NETEM_JITTER64]) : (uint64_t)parms->jitter * TICK_NS;
	q->shape.loss = percent_of(parms->loss);
	q->shape.duplicate = percent_of(parms->duplicate);
	if (a[TCA_NETEM_REORDER] && nla_len(a[TCA_NETEM_REORDER]) >= 4)
		q->shape.reorder = percent_of(nla_get_u32(a[TCA_NETEM_REORDER]));
	if (a[TCA_NETEM_CORRUPT] && nla_len(a[TCA_NETEM_CORRUPT]) >= 4)
		q->shape.corrupt = percent_of(nla_get_u32(a[TCA_NETEM_CORRUPT]));
}

static void read_stats(struct queues *q, struct nlattr *stats)
{
	struct nlattr *a[TCA_STATS_MAX + 1];
	struct gnet_stats_basic basic;
	struct gnet_stats_queue queue;

	if (!stats || nla_parse_nested(a, TCA_STATS_MAX, stats, NULL) < 0)
		return;
	if (a[TCA_STATS_BASIC] && nla_len(a[TCA_STATS_BASIC]) >= 12) {
		/* The kernel's is 12 bytes, ours is rounded up. */
		memcpy(&basic, nla_data(a[TCA_STATS_BASIC]), 12);
		q->stats.bytes = basic.bytes;
		q->stats.packets = basic.packets;
	}
	if (a[TCA_STATS_QUEUE] && nla_len(a[TCA_STATS_QUEUE]) >= (int)sizeof queue) {
		memcpy(&queue, nla_data(a[TCA_STATS_QUEUE]), sizeof queue);
		q->stats.backlog = queue.backlog;
		q->stats.dropped += queue.drops;
	}
}

static void on_queue(const struct nlmsghdr *head, void *arg)
{
	struct queues *q = arg;
	struct nlattr *a[TCA_MAX + 1];

	if (!head) {
		*q = (struct queues){ .index = q->index };
		return;
	}
	const struct tcmsg *info = nlmsg_data(head);
	if (head->nlmsg_type != RTM_NEWQDISC || info->tcm_ifindex != q->index || info->tcm_parent == TC_H_INGRESS ||
	    nlmsg_parse((struct nlmsghdr *)head, sizeof *info, a, TCA_MAX, NULL) < 0 || !a[TCA_KIND])
		return;
	const char *kind = nla_get_string(a[TCA_KIND]);
	bool ours = true;
	if (streq(kind, "tbf"))
		read_tbf(q, a[TCA_OPTIONS]);
	else if (streq(kind, "netem"))
		read_netem(q, a[TCA_OPTIONS]);
	else
		ours = false;
	/* One that the kernel chose by itself has no number. */
	if (!ours && info->tcm_parent == TC_H_ROOT && TC_H_MAJ(info->tcm_handle))
		snprintf(q->foreign, sizeof q->foreign, "%s", kind);
	if (ours)
		read_stats(q, a[TCA_STATS2]);
}

static int read_queues(struct place *p, struct net_conn *c, struct queues *q, struct err *err)
{
	struct tcmsg head = { .tcm_family = AF_UNSPEC, .tcm_ifindex = q->index };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_GETQDISC, NLM_F_DUMP, &head, sizeof head);
	int number = net_ask(c, m, on_queue, q);

	return number ? net_unread(p, "queueing disciplines", number, c, err) : 0;
}

int net_shape(struct place *p, const char *link, struct net_queue *queue, struct err *err)
{
	struct net_conn *c = net_open(p, err);
	struct queues q = { .index = c ? net_index(c, link) : 0 };

	*queue = (struct net_queue){ 0 };
	if (!c)
		return -1;
	if (!q.index)
		return err_set(err, ENODEV, "%s: no link %s", p->name, link);
	if (read_queues(p, c, &q, err) < 0)
		return -1;
	*queue = q.stats;
	shape_words(&q.shape, queue->words);
	memcpy(queue->foreign, q.foreign, sizeof queue->foreign);
	return 0;
}

/* ---- changing it ---- */

static int remove_root(struct net_conn *c, int index)
{
	struct tcmsg head = { .tcm_family = AF_UNSPEC, .tcm_ifindex = index, .tcm_parent = TC_H_ROOT };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_DELQDISC, 0, &head, sizeof head);

	return net_ask(c, m, NULL, NULL);
}

static uint32_t share_of(double percent)
{
	return percent >= 100 ? UINT32_MAX : (uint32_t)(percent / 100 * UINT32_MAX + 0.5);
}

static int add_netem(struct net_conn *c, int index, const struct shape *s)
{
	struct tcmsg head = { .tcm_family = AF_UNSPEC, .tcm_ifindex = index, .tcm_parent = TC_H_ROOT, .tcm_handle = NETEM_HANDLE };
	/* Reordering means that a packet goes ahead of those that wait for their delay: gap 1 lets each have the chance. */
	struct tc_netem_qopt parms = { .limit = NETEM_PACKETS, .loss = share_of(s->loss), .duplicate = share_of(s->duplicate),
				       .gap = s->reorder > 0 };
	struct tc_netem_reorder reorder = { .probability = share_of(s->reorder) };
	struct tc_netem_corrupt corrupt = { .probability = share_of(s->corrupt) };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);

	net_put_text(m, TCA_KIND, "netem");
	struct nlattr *options = net_nest(m, TCA_OPTIONS);
	if (nlmsg_append(m, &parms, sizeof parms, NLMSG_ALIGNTO) < 0)
		abort();
	net_put(m, TCA_NETEM_LATENCY64, &s->delay, sizeof s->delay);
	net_put(m, TCA_NETEM_JITTER64, &s->jitter, sizeof s->jitter);
	if (s->reorder > 0)
		net_put(m, TCA_NETEM_REORDER, &reorder, sizeof reorder);
	if (s->corrupt > 0)
		net_put(m, TCA_NETEM_CORRUPT, &corrupt, sizeof corrupt);
	net_nest_end(m, options);
	return net_ask(c, m, NULL, NULL);
}

static int add_tbf(struct net_conn *c, int index, const struct shape *s)
{
	struct tcmsg head = { .tcm_family = AF_UNSPEC, .tcm_ifindex = index, .tcm_handle = TBF_HANDLE,
			      .tcm_parent = shape_has_netem(s) ? NETEM_CLASS : TC_H_ROOT };
	uint64_t bytes = s->rate / 8 ? s->rate / 8 : 1, burst = shape_burst(s), wait = bytes / 20;
	struct tc_tbf_qopt parms = { .rate = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes },
				     .limit = burst + wait > UINT32_MAX ? UINT32_MAX : (uint32_t)(burst + wait) };
	_cleanup_message_ struct nl_msg *m = net_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);

	net_put_text(m, TCA_KIND, "tbf");
	struct nlattr *options = net_nest(m, TCA_OPTIONS);
	net_put(m, TCA_TBF_PARMS, &parms, sizeof parms);
	net_put_number(m, TCA_TBF_BURST, burst > UINT32_MAX ? UINT32_MAX : (uint32_t)burst);
	if (bytes > UINT32_MAX)
		net_put(m, TCA_TBF_RATE64, &bytes, sizeof bytes);
	net_nest_end(m, options);
	return net_ask(c, m, NULL, NULL);
}

/* Put SHAPE where there is none. On failure nothing of it stays, and *WHAT is the discipline that was refused. */
static int add_shape(struct net_conn *c, int index, const struct shape *shape, const char **what)
{
	int number = 0;

	*what = "netem";
	if (shape_has_netem(shape))
		number = add_netem(c, index, shape);
	if (number || !shape->rate)
		return number;
	*what = "tbf";
	number = add_tbf(c, index, shape);
	return number;
}

static int shape_refused(const struct step *s, const char *what, int number, const char *said, struct err *err)
{
	bool netem = streq(what, "netem");

	err_set(err, number, "%s: %s can't be shaped", s->place->name, s->to);
	if (number == ENOENT || number == EOPNOTSUPP) {
		err_why(err, "this kernel has no %s (CONFIG_NET_SCH_%s), so it can't do %s", what, netem ? "NETEM" : "TBF",
			netem ? "delay, jitter, loss, duplicate, reorder or corrupt" : "rate");
		return err_try(err, netem ? "rate alone, or !modprobe sch_netem" : "!modprobe sch_tbf");
	}
	if (said[0])
		err_why(err, "the kernel says: %s", said);
	return -1;
}

int net_reshape(struct step *s, struct err *err)
{
	struct net_conn *c = net_open(s->place, err);
	struct queues q = { .index = c ? net_index(c, s->to) : 0 };
	struct shape wanted;
	const char *what = "";
	int number = 0;

	if (!c)
		return -1;
	/* What is to be lifted went with the link. */
	if (!q.index && !s->text[0])
		return 0;
	if (!q.index)
		return err_set(err, ENODEV, "%s: no link %s", s->place->name, s->to);
	if (!shape_read(s->text, &wanted))
		return err_set(err, EINVAL, "%s: %s is no shape", s->place->name, s->text);
	if (read_queues(s->place, c, &q, err) < 0)
		return -1;
	if (q.foreign[0]) {
		err_set(err, EBUSY, "%s: %s has a queueing discipline %s that belljar didn't make", s->place->name, s->to, q.foreign);
		return err_try(err, "tc qdisc del dev %s root, there", s->to);
	}
	bool shaped = !shape_is_none(&q.shape);
	if (shaped)
		number = remove_root(c, q.index);
	char said[256] = "";
	if (!number && (number = add_shape(c, q.index, &wanted, &what)) != 0) {
		snprintf(said, sizeof said, "%s", net_said(c) ? net_said(c) : "");
		remove_root(c, q.index);
		if (shaped)
			add_shape(c, q.index, &q.shape, &(const char *){ "" });
	}
	if (number)
		return shape_refused(s, what, number, said, err);
	shape_words(&q.shape, s->old);
	s->old_num = 1;
	return 0;
}
