/*
 * shape.c - command: shape
 */
#include "config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/network_shape.h"

static double percent(const struct args *a, const char *name)
{
	const struct value *v = arg(a, name);

	return v ? v->real : 0;
}

static int list_shaped(struct shell *sh, const char *of, struct err *err)
{
	static const struct column columns[] = {
		{ "SANDBOX", "sandbox", COL_TEXT }, { "LINK", "link", COL_TEXT },        { "SHAPE", "shape", COL_TEXT },
		{ "PACKETS", "packets", COL_NUMBER }, { "BYTES", "bytes", COL_NUMBER },  { "DROPPED", "dropped", COL_NUMBER },
		{ "WAITING", "waiting", COL_NUMBER },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ struct network_shaped *rows = NULL;
	size_t n;

	if (network_shaped(sh->session, of, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, rows[i].where);
		table_cell(t, rows[i].link);
		table_cell(t, rows[i].queue.words);
		table_fmt(t, "%llu", (unsigned long long)rows[i].queue.packets);
		table_fmt(t, "%llu", (unsigned long long)rows[i].queue.bytes);
		table_fmt(t, "%u", rows[i].queue.dropped);
		table_fmt(t, "%u", rows[i].queue.backlog);
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_shape(struct shell *sh, const struct args *a, struct err *err)
{
	struct shape wanted = {
		.rate = (uint64_t)arg_num(a, "RATE", 0),
		.burst = (uint64_t)arg_num(a, "SIZE", 0),
		.delay = (uint64_t)arg_num(a, "TIME", 0),
		.jitter = (uint64_t)arg_num(a, "MORE", 0),
		.loss = percent(a, "LOST"),
		.duplicate = percent(a, "TWICE"),
		.reorder = percent(a, "AHEAD"),
		.corrupt = percent(a, "SPOILT"),
	};
	struct err none = { 0 };

	if (a->n == 0)
		return list_shaped(sh, "all", err);
	if (shape_is_none(&wanted) && !wanted.burst && !arg_has(a, "off")) {
		err_usage(err, "shape %s: how?", arg_text(a, "LINK"));
		return err_try(err, "shape %s rate 10mbit, or shape %s off", arg_text(a, "LINK"), arg_text(a, "LINK"));
	}
	return network_shape(sh->session, shell_sandbox(sh, &none), arg_text(a, "LINK"), &wanted, err);
}

const struct command cmd_shape[] = {
	{ "shape", "network", "make a link slower, longer and worse, or list which are",
	  "[LINK:link (off | [rate RATE:bitrate | burst SIZE:size | delay TIME:time | jitter MORE:time | loss LOST:percent | duplicate TWICE:percent | "
	  "reorder AHEAD:percent | corrupt SPOILT:percent]...)]",
	  "Works on what is sent *into* the link at the end that is named: `web:eth0` is what web sends, `lab:web.eth0` what it receives. What is said "
	  "replaces what was said before; *off* lifts it. Without arguments, the links that are shaped are listed, with what passed and what was thrown "
	  "away.\n\n"
	  "*rate*: bits a second, as `10mbit`; *burst* bytes may pass at once (as many as 10 ms bring, and at least 16K, if nothing is said). The kernel "
	  "does it with the queueing discipline tbf.\n\n"
	  "*delay*: how long each packet is held; *jitter*: how much longer or shorter at random. *loss*, *duplicate*, *corrupt*: share of the packets "
	  "that are lost, sent twice, or get a wrong bit. *reorder*: share that goes ahead of those which are held by *delay*. For these the kernel "
	  "needs netem, which not every one has; without it they are refused, and nothing is changed.\n\n"
	  "A queueing discipline of another kind that somebody chose for the link is not replaced. To limit a whole sandbox see *limit* net.",
	  "bridge br0\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nshape eth0 rate 10mbit\nshape lab:web.eth0 rate 1.5mbit burst 32K\nshape\n"
	  "shape eth0 off\n", 0, run_shape },
	{ .name = NULL },
};
