/*
 * limits.c - limit, usage
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/groups.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "lang/grammar.h"
#include "sandbox/limits.h"
#include "sandbox/look.h"
#include "sandbox/upper.h"
#include "sandbox/network_shape.h"

/* The kernel has no more numbers for processes (PID_MAX_LIMIT), and refuses a higher limit. */
enum { MOST_PIDS = 4194304 };

/* Nanoseconds for people. */
static void time_text(int64_t ns, char text[32])
{
	if (ns < 0)
		text[0] = '\0';
	else if (ns < 1000000000)
		snprintf(text, 32, "%.1fms", (double)ns / 1e6);
	else
		snprintf(text, 32, "%.2fs", (double)ns / 1e9);
}

static void number_text(int64_t n, char text[32])
{
	text[0] = '\0';
	if (n >= 0)
		snprintf(text, 32, n == INT64_MAX ? "max" : "%lld", (long long)n);
}

/* The words of "net tx RATE rx RATE", which are no control group's. */
static bool is_net(const struct value *v)
{
	return streq(v->name, "net") || streq(v->name, "tx") || streq(v->name, "rx") || streq(v->name, "SENT") || streq(v->name, "RECEIVED");
}

/* A keyword of the grammar and the values behind it make a wish. Returns the number of values taken. */
static size_t parse_wish(const struct args *args, size_t at, struct limit_wish *w)
{
	size_t first = at;

	w->key = limit_key(args->values[at++].name);
	for (; at < args->n && w->n < LIMIT_VALUES && !limit_key(args->values[at].name) && !is_net(&args->values[at]); at++) {
		const struct value *v = &args->values[at];
		w->v[w->n++] = (struct limit_value){ v->name, v->text, streq(v->text, "max") ? INT64_MAX : v->num };
	}
	return at - first;
}

static int refuse(const struct args *args, const struct limit_wish *w, const char *what, struct err *err)
{
	const struct limit_value *v = &w->v[0];

	err_usage(err, "%s %s: %s", w->key->name, v->text, what);
	for (size_t i = 0; i < args->n; i++)
		if (args->values[i].text == v->text && args->values[i].word)
			err->column = args->values[i].word->column;
	return -1;
}

/* What the types of the grammar let pass. */
static int check_wish(const struct args *args, const struct limit_wish *w, struct err *err)
{
	int64_t n = w->v[0].n;

	switch (w->key->cg) {
	case CG_PIDS:
		return n == INT64_MAX || (n >= 1 && n <= MOST_PIDS) ? 0 : refuse(args, w, "not a number from 1 to 4194304, nor max", err);
	case CG_MEMORY:
	case CG_MEMORY_HIGH:
		return n > 0 ? 0 : refuse(args, w, "nothing can run without memory", err);
	case CG_CPU_WEIGHT:
	case CG_IO_WEIGHT:
		return n == INT64_MAX || (n >= 1 && n <= 10000) ? 0 : refuse(args, w, "not a weight from 1 to 10000, nor max", err);
	default:
		return 0;
	}
}

/* FILE VALUE...: the words of the value, with single blanks between them. */
static int set_raw(struct sandbox *sb, const struct args *args, struct err *err)
{
	_cleanup_buf_ struct buf words = { 0 };

	for (const struct value *v = arg_next(args, "VALUE", NULL); v; v = arg_next(args, "VALUE", v))
		buf_fmt(&words, "%s%s", words.len ? " " : "", v->text);
	struct limit_wish w = { limit_raw, { { "FILE", arg_text(args, "FILE"), 0 }, { "VALUE", buf_text(&words), 0 } }, 2 };
	return limits_set(sb, &w, 1, err);
}

/* What is used of what holds, "12M, 19%". */
static void used_cell(struct table *t, const struct limit_now *now)
{
	if (!now->used_text)
		table_cell(t, NULL);
	else if (now->holds == INT64_MAX || now->holds <= 0)
		table_cell(t, now->used_text);
	else
		table_fmt(t, "%s, %.0f%%", now->used_text, (double)now->used * 100 / (double)now->holds);
}

/* What holds, and where, unless that is the sandbox's own. */
static void holds_cell(struct table *t, const struct limit_now *now)
{
	size_t n = now->where ? strlen(now->where) : 0;

	if (!now->where || (now->file && strncmp(now->file, now->where, n) == 0 && strchr(now->file + n + 1, '/') == NULL))
		table_cell(t, now->holds_text);
	else
		table_fmt(t, "%s of %s", now->holds_text, now->where);
}

static int list_limits(struct shell *sh, struct sandbox *sb, struct err *err)
{
	static const struct column columns[] = {
		{ "LIMIT", "limit", COL_TEXT },         { "VALUE", "value", COL_TEXT },
		{ NULL, "set", COL_TEXT },              { "USED", "used", COL_TEXT },
		{ "EFFECTIVE", "effective", COL_TEXT }, { "CONTROL FILE", "file", COL_TEXT },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < LIMIT_KEYS; i++) {
		if (sb->part && limit_keys[i].cg == CG_KEYS)
			continue;
		_cleanup_(limit_now_free) struct limit_now now = { 0 };
		if (limits_get(sb, &limit_keys[i], &now, err) < 0)
			return -1;
		if (!limit_keys[i].common && now.n == INT64_MAX)
			continue;
		table_row(t);
		table_cell(t, limit_keys[i].name);
		table_cell(t, now.text);
		table_cell(t, now.words);
		used_cell(t, &now);
		holds_cell(t, &now);
		table_cell(t, now.file);
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

/* A limit above what the machine has is no mistake in a script for many machines, but on this one it limits nothing. */
static void say_never(const struct limit_wish *w)
{
	int64_t n = w->v[0].n, machine = w->key->machine && n != INT64_MAX ? w->key->machine() : INT64_MAX;

	if (n <= machine)
		return;
	_cleanup_free_ char *has = limit_text(w->key, machine);
	fprintf(stderr, "%s %s: the machine has no more than %s, so this limit never bites\n", w->key->name, w->v[0].text, has);
}

/* What is written through the cache of files is written back later, by the kernel, which version 1 counts for nobody. */
static void say_missed(const struct limit_wish *w)
{
	bool writes = false;

	for (size_t k = 1; k < w->n; k++)
		writes = writes || (w->v[k].n != INT64_MAX && w->v[k].text[0] == 'w');
	if (w->key->cg == CG_IO && writes && cg_v1(CTL_IO))
		fputs("io: control groups of version 1 hold direct writes to the rate, and miss what is written through the cache of files\n", stderr);
}

/* On version 2 a limit below what is in use is set, and the kernel makes room by killing: that is said. */
static int set_limits(struct shell *sh, struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err)
{
	struct cg_usage before = { 0 }, after = { 0 };
	unsigned long view = look_ns(sb, NS_CGROUP);
	bool memory = false;

	for (size_t i = 0; i < n; i++)
		memory = memory || wishes[i].key->cg == CG_MEMORY;
	memory = memory && sb->group && !sh->session->gate.dry;
	if (memory && limits_know(sh->session, err) < 0)
		return -1;
	if (memory)
		limits_bites(sb, &before);
	if (limits_set(sb, wishes, n, err) < 0)
		return -1;
	if (memory)
		limits_bites(sb, &after);
	if (memory && before.oom_kills >= 0 && after.oom_kills > before.oom_kills)
		fprintf(stderr, "%s: more memory was in use than is allowed now, and the kernel killed %lld\n", sb->name,
			(long long)(after.oom_kills - before.oom_kills));
	for (size_t i = 0; i < n; i++) {
		say_never(&wishes[i]);
		say_missed(&wishes[i]);
	}
	/* Version 1: a namespace shows of each tree what it showed when it was made, and nobody can put a process into another. */
	if (view != look_ns(sb, NS_CGROUP) && look_running(sb, NULL) > 0)
		fprintf(stderr, "%s: its cgroup namespace was made again, with this limit's tree; programs that run already are limited too, "
			"but stay in the old one, in which that tree's names are the host's\n", sb->name);
	return 0;
}

static uint64_t rate_of(const struct args *args, const char *name)
{
	int64_t n = arg_num(args, name, 0);

	return n == INT64_MAX ? UINT64_MAX : (uint64_t)n;
}

static int limit_net(struct sandbox *sb, const struct args *args, struct err *err)
{
	uint64_t tx = rate_of(args, "SENT"), rx = rate_of(args, "RECEIVED");

	if (tx || rx)
		return network_limit(sb, tx, rx, err);
	err_usage(err, "limit net: of what is sent (tx) or of what is received (rx)?");
	return err_try(err, "limit net tx 1mbit rx 2mbit");
}

static int run_limit(struct shell *sh, const struct args *args, struct err *err)
{
	_cleanup_groups_ struct sandbox *sb = groups_aim(sh, args, err);
	_cleanup_free_ struct limit_wish *wishes = NULL;
	size_t n = 0, first = arg_has(args, "GROUP") ? 2 : 0;

	if (!sb)
		return -1;
	if (args->n == first)
		return list_limits(sh, sb, err);
	if (first && arg_has(args, "net")) {
		err_usage(err, "net: a sandbox's links are limited as a whole");
		return err_try(err, "limit net, without in");
	}
	if (arg_has(args, "FILE"))
		return set_raw(sb, args, err);
	for (size_t at = first; at < args->n;) {
		if (is_net(&args->values[at])) {
			at++;
			continue;
		}
		struct limit_wish *w = GROW(&wishes, &n);
		at += parse_wish(args, at, w);
		if (check_wish(args, w, err) < 0)
			return -1;
	}
	if (n && set_limits(sh, sb, wishes, n, err) < 0)
		return -1;
	return arg_has(args, "net") ? limit_net(sb, args, err) : 0;
}

/* A control file by the look of its name. */
static int parse_control_file(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	if (cg_file_controller(v->text) >= 0 && strspn(v->text, "abcdefghijklmnopqrstuvwxyz0123456789._KMGB") == strlen(v->text))
		return 0;
	_cleanup_buf_ struct buf shown = { 0 };
	buf_visible(&shown, v->text);
	return err_usage(err, "%.100s is no limit, and no control file such as memory.high", buf_text(&shown));
}

/* rbps=10M and the like. */
static int parse_rate(struct shell *sh, struct value *v, struct err *err)
{
	static const char *const names[] = { "rbps=", "wbps=", "riops=", "wiops=" };

	if (streq(v->text, "max")) {
		v->num = INT64_MAX;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!starts_with(v->text, names[i]))
			continue;
		struct value number = { .text = v->text + strlen(names[i]) };
		if (type_builtin(i < 2 ? "sizemax" : "nummax")->parse(sh, &number, err) < 0)
			return -1;
		v->num = number.num;
		return v->num > 0 ? 0 : err_usage(err, "%s: nothing could be read or written", v->text);
	}
	_cleanup_buf_ struct buf shown = { 0 };
	buf_visible(&shown, v->text);
	return err_usage(err, "%.100s is no rate: use rbps=SIZE, wbps=SIZE, riops=COUNT, wiops=COUNT or max", buf_text(&shown));
}

const struct type limits_file = { .name = "controlfile", .what = "a control file such as memory.high", .parse = parse_control_file };
const struct type limits_rate = { .name = "rate", .what = "a rate such as rbps=10M or wiops=100, or max", .parse = parse_rate };

/* For people; and for programs, in plain numbers. */
static const struct column usage_columns[] = {
	{ "SANDBOX", "sandbox", COL_TEXT },      { "MEMORY", "memory", COL_TEXT },       { "PEAK", "memory_peak", COL_TEXT },
	{ "LIMIT", "memory_limit", COL_TEXT },   { "SWAP", "swap", COL_TEXT },           { "CPU TIME", "cpu_time", COL_TEXT },
	{ "THROTTLED", "throttled", COL_TEXT },  { "PIDS", "pids", COL_NUMBER },         { "LIMIT", "pids_limit", COL_TEXT },
	{ "READ", "io_read", COL_TEXT },         { "WRITTEN", "io_written", COL_TEXT },  { "OOM KILLS", "oom_kills", COL_NUMBER },
	{ "PRESSURE", "pressure", COL_TEXT },    { "STATE", "state", COL_TEXT },       { "DISK", "disk", COL_TEXT },
};
static const struct column usage_keys[] = {
	{ NULL, "sandbox", COL_TEXT },           { NULL, "memory", COL_NUMBER },         { NULL, "memory_peak", COL_NUMBER },
	{ NULL, "memory_limit", COL_NUMBER },    { NULL, "swap", COL_NUMBER },           { NULL, "swap_limit", COL_NUMBER },
	{ NULL, "cpu_ns", COL_NUMBER },          { NULL, "cpu_quota_us", COL_NUMBER },   { NULL, "cpu_period_us", COL_NUMBER },
	{ NULL, "throttled_periods", COL_NUMBER }, { NULL, "throttled_ns", COL_NUMBER }, { NULL, "pids", COL_NUMBER },
	{ NULL, "pids_limit", COL_NUMBER },      { NULL, "oom_kills", COL_NUMBER },      { NULL, "memory_high_events", COL_NUMBER },
	{ NULL, "forks_refused", COL_NUMBER },   { NULL, "io_read", COL_NUMBER },        { NULL, "io_written", COL_NUMBER },
	{ NULL, "cpu_pressure_us", COL_NUMBER }, { NULL, "memory_pressure_us", COL_NUMBER }, { NULL, "io_pressure_us", COL_NUMBER },
	{ NULL, "frozen", COL_NUMBER },          { NULL, "cpus", COL_TEXT },             { NULL, "disk", COL_NUMBER },
	{ NULL, "disk_free", COL_NUMBER },       { NULL, "disk_files", COL_NUMBER },     { NULL, "disk_files_free", COL_NUMBER },
};

/* Absent and unlimited are both null for programs. */
static void number_cell(struct table *t, int64_t n)
{
	if (n < 0 || n == INT64_MAX)
		table_cell(t, NULL);
	else
		table_fmt(t, "%lld", (long long)n);
}

static void text_cell(struct table *t, void (*make)(int64_t n, char text[32]), int64_t n)
{
	char text[32];

	make(n, text);
	table_cell(t, text[0] ? text : NULL);
}

/* "cpu 12% io 3%": what programs had to wait for in the last 10 s. */
static void pressure_cell(struct table *t, const struct cg_usage *u)
{
	static const char *const names[] = { "cpu", "memory", "io" };
	_cleanup_buf_ struct buf text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (u->pressure[i] >= 100)
			buf_fmt(&text, "%s%s %lld%%", text.len ? " " : "", names[i], (long long)u->pressure[i] / 100);
	table_cell(t, text.len ? buf_text(&text) : u->pressure[0] < 0 ? NULL : "none");
}

static void row_for_people(struct table *t, const struct cg_usage *u)
{
	text_cell(t, limit_size_text, u->memory);
	text_cell(t, limit_size_text, u->memory_peak);
	text_cell(t, limit_size_text, u->memory_max);
	text_cell(t, limit_size_text, u->swap);
	text_cell(t, time_text, u->cpu_ns);
	text_cell(t, time_text, u->cpu_throttled_ns);
	text_cell(t, number_text, u->pids);
	text_cell(t, number_text, u->pids_max);
	text_cell(t, limit_size_text, u->io_read);
	text_cell(t, limit_size_text, u->io_written);
	text_cell(t, number_text, u->oom_kills);
	pressure_cell(t, u);
	table_cell(t, u->frozen == 1 ? "frozen" : NULL);
}

static void row_for_programs(struct table *t, const struct cg_usage *u)
{
	const int64_t numbers[] = { u->memory, u->memory_peak, u->memory_max, u->swap, u->swap_max, u->cpu_ns, u->cpu_quota_us,
				    u->cpu_period_us, u->cpu_throttled, u->cpu_throttled_ns, u->pids, u->pids_max, u->oom_kills,
				    u->memory_high, u->forks_refused, u->io_read, u->io_written, u->pressure_us[0], u->pressure_us[1],
				    u->pressure_us[2], u->frozen };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		number_cell(t, numbers[i]);
	table_cell(t, u->cpus[0] ? u->cpus : NULL);
}

/* What is written to the upper layer of the root, and what of its size is left. */
static void disk_cells(struct table *t, const struct mnt_room *room, bool there, bool people)
{
	char used[32], total[32];

	if (people && there) {
		limit_size_text(room->total - room->free, used);
		limit_size_text(room->total, total);
		table_fmt(t, "%s of %s", used, total);
	} else if (people) {
		table_cell(t, NULL);
	} else {
		number_cell(t, there ? room->total - room->free : -1);
		number_cell(t, there ? room->free : -1);
		number_cell(t, there ? room->files - room->files_free : -1);
		number_cell(t, there ? room->files_free : -1);
	}
}

static int usage_row(struct shell *sh, struct table *t, struct sandbox *sb, struct err *err)
{
	struct mnt_room room = { 0 };
	struct cg_usage u;
	int there = upper_room(sb, &room, err);

	if (there < 0 || limits_usage(sb, &u, err) < 0)
		return -1;
	table_row(t);
	table_cell(t, sb->name);
	if (sh->json)
		row_for_programs(t, &u);
	else
		row_for_people(t, &u);
	disk_cells(t, &room, there, !sh->json);
	return 0;
}

static int run_usage(struct shell *sh, const struct args *args, struct err *err)
{
	const struct value *named = arg(args, "NAME");
	_cleanup_groups_ struct sandbox *aimed = arg_has(args, "GROUP") ? groups_aim(sh, args, err) : NULL;
	_cleanup_table_ struct table *t =
		sh->json ? table_new(usage_keys, ARRAY_SIZE(usage_keys)) : table_new(usage_columns, ARRAY_SIZE(usage_columns));

	if (arg_has(args, "GROUP") && (!aimed || usage_row(sh, t, aimed, err) < 0))
		return -1;
	if (arg_has(args, "all")) {
		for (size_t i = 0; i < sh->session->n_sandboxes; i++)
			if (usage_row(sh, t, sh->session->sandboxes[i], err) < 0)
				return -1;
	} else if (!aimed) {
		struct sandbox *sb = named ? named->object : shell_sandbox(sh, err);
		if (!sb || usage_row(sh, t, sb, err) < 0)
			return -1;
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_freeze(struct shell *sh, const struct args *args, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	(void)args;
	return sb ? limits_freeze(sb, true, err) : -1;
}

static int run_thaw(struct shell *sh, const struct args *args, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	(void)args;
	return sb ? limits_freeze(sb, false, err) : -1;
}

const struct command cmd_limits[] = {
	{
		.name = "limit",
		.group = "limits",
		.brief = "bound what the sandbox may use, or list its limits",
		.grammar =
			"[in GROUP:group] (FILE:controlfile VALUE... | [memory SIZE:sizemax | swap SIZE:sizemax | memory-low SIZE:sizemax | "
			"memory-high SIZE:sizemax | oom (group | off | max) | cpu SHARE:cpu | cpu-weight WEIGHT:nummax | "
			"cpu-burst (max | TIME:time) | cpus LIST | mems LIST | pids COUNT:nummax | io PATH:path RATE:rate... | "
			"io-weight WEIGHT:nummax | hugetlb PAGE:size SIZE:sizemax | "
			"disk SIZE:sizemax | net [tx SENT:bitratemax | rx RECEIVED:bitratemax]...]...)",
		.text =
			"The limits are kept by the kernel in the sandbox's control group, which is made by the first of "
			"them. Programs that run already come under them too. Several limits in one command are set all or "
			"none. `max` lifts a limit (`all` for *cpus* and *mems*). Without arguments the limits are listed: the "
			"value, how much of it is used, what is effective (a group above may allow less, and the machine may have "
			"less), and the control file. A limit above what the machine has is set, and it is said that it never bites. "
			"belljar-limits(7) has the control files of both versions side by side.\n\n"
			"*memory*: bytes that all programs together may have in memory, files in a tmpfs and cached files "
			"included, in whole pages. When there is no more, the kernel kills one of them; *usage* counts that. "
			"A limit below what is used now kills at once on control groups version 2, and is refused on version "
			"1.\n\n"
			"*swap*: bytes that may be swapped out in addition to *memory*. On version 1 only while *memory* is "
			"limited too.\n\n"
			"*memory-low*: as long as the sandbox has no more than this, its memory is taken last when the machine "
			"runs short. On version 1 it is the nearest thing there, the soft limit. *memory-high*: from this on "
			"programs are slowed and their memory is swapped out or dropped, but nobody is killed; version 2 only.\n\n"
			"*oom*: with `group` all programs of the sandbox are killed together when memory runs out (version 2); "
			"with `off` nobody is killed, who wants more waits (version 1).\n\n"
			"*cpu*: share of processor time, in each 100 ms: `50%` or `0.5` is half a processor, `2` is two. At "
			"least 1%. *cpu-burst*: processor time that was not used and may be caught up on, such as `20ms`, at most "
			"what *cpu* allows in 100 ms. *cpu-weight*: share when processors are scarce, 1 to 10000; who "
			"has not been given any has 100.\n\n"
			"*cpus*: the processors that may be used, such as `0-2,5`. *mems*: the memory nodes.\n\n"
			"*disk*: bytes that may be written to the root's upper layer in memory, and files in proportion; then "
			"writing fails with ENOSPC. `max` is the size that the root was given. An upper layer that is a directory of the "
			"host's is limited by a project quota, where ext4 or xfs is mounted with prjquota; then writing fails with "
			"EDQUOT, and `max` lifts the limit. An image has its size from *root* with *upper image size*.\n\n"
			"*pids*: number of processes and threads. When it is reached, fork fails with EAGAIN.\n\n"
			"*io*: bytes and operations a second that may be read from a disk and written to it. The disk is a "
			"block device or the one that a path is on, always the whole. Version 1 misses what is "
			"written through the cache of files and written back later. *io-weight*: share when a disk is busy, 1 to 10000, where "
			"its scheduler heeds it.\n\n"
			"*hugetlb*: bytes in huge pages of a size, such as `hugetlb 2M 64M`.\n\n"
			"A *FILE* is any control file of the sandbox's group, by its name in the version that the machine has: "
			"`limit memory.high 50M`. The value is written as it is.\n\n"
			"*net*: bits a second that the sandbox may send (*tx*) and receive (*rx*) over each of the links it "
			"has now, as `1mbit`. No control group does this: it is the rate of *shape*, at the sandbox's ends of "
			"its links for *tx*, and at their other ends for *rx*. So a program inside that may change links of the "
			"sandbox (CAP_NET_ADMIN) can lift *tx*, but not *rx*. *shape* lists what is set.\n\n"
			"A limit whose controller is not to be had on this machine is refused. On version 2 belljar switches "
			"the controller on for the groups beside its own, and leaves it on, because groups of others may come "
			"to rely on it.",
		.examples =
			"new web\n"
			"limit memory 64M pids 32 cpu 50%   # all three or none\n"
			"limit cpu-weight 50 cpu-burst 20ms\n"
			"limit                              # what is set, how close usage is, and in which files\n"
			"bridge br0\nunshare net\nlink web br0\nlimit net tx 1mbit rx 2mbit\n"
			"limit memory max\n",
		.run = run_limit,
	},
	{
		.name = "usage",
		.group = "limits",
		.brief = "show what a sandbox uses of memory, processor time and processes",
		.grammar = "[NAME:sandbox | all | in GROUP:group]",
		.text =
			"Figures are those of the sandbox's control group: memory now, its peak and its limit; processor "
			"time, and the time that programs had to wait because of a *cpu* limit; processes; bytes read from disks and "
			"written; how many programs the kernel killed for want of memory; what is written to the root's upper layer, "
			"of its size; and pressure: what part of the last ten "
			"seconds some program had to wait for processor, memory or disk (not on version 1 alone). A figure is absent as "
			"long as its controller does not count for "
			"the sandbox: that begins with the first *limit* on it, of which `limit memory max` limits nothing.\n\n"
			"After *run* and *sh*, a line on standard error says when a limit killed programs or slowed them, and which.",
		.examples =
			"new web\n"
			"limit memory 64M pids 32\n"
			"usage              # of the current sandbox\n"
			"usage all\n",
		.flags = CMD_NO_UNDO,
		.run = run_usage,
	},
	{
		.name = "freeze",
		.group = "limits",
		.brief = "stop all programs of the sandbox where they are",
		.grammar = "",
		.text =
			"They get no processor time until *thaw*, and don't notice. No program can be started meanwhile; "
			"*kill all* and *rm* end frozen ones too. By cgroup.freeze, or on version 1 by its freezer.",
		.examples =
			"new web\n"
			"run -d sleep 60\n"
			"freeze\n"
			"usage\n"
			"thaw\n",
		.run = run_freeze,
	},
	{
		.name = "thaw",
		.group = "limits",
		.brief = "let the programs of a frozen sandbox go on",
		.grammar = "",
		.text = "They never know that they were stopped, but that the clock went on.",
		.examples = "new web\nfreeze\nthaw\nrun echo again\n",
		.run = run_thaw,
	},
	{ .name = NULL },
};
