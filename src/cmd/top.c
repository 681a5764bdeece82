/*
 * top.c - commands: top, watch
 *
 * On a terminal top takes the whole screen and a key at a time; off it, it is one sample.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/limits_watch.h"
#include "sandbox/run.h"

enum { SAMPLE_MS = 250, EVERY_MS = 1000, BAR = 10 };

struct row {
	struct sandbox *sb;
	struct cg_usage now;
	int64_t cpu_before, cpu_at;    /* when that was read, ns; 0: never */
	double cpu;            /* percent of one processor since it was read before */
	int64_t memory_max;    /* read once in a while: it takes longer */
	unsigned long looked;  /* the number of the sample in which that was */
};

struct screen {
	struct shell *sh;
	struct row *rows;
	size_t n, chosen;
	int64_t at;            /* of the last sample, ns; 0: there was none */
	unsigned long samples;
	char sort;             /* c m p n */
	char message[256];
};

static struct row *row_of(struct screen *s, struct sandbox *sb)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].sb == sb)
			return &s->rows[i];
	struct row *r = GROW(&s->rows, &s->n);
	*r = (struct row){ .sb = sb, .memory_max = -1 };
	memset(&r->now, 0xff, sizeof r->now);
	return r;
}

static void sample_row(struct screen *s, struct row *r, unsigned figures)
{
	struct cg_usage now;

	cg_sample(limits_group(r->sb), figures, &now);
	if (figures & SAMPLE_CPU) {
		int64_t at = now_ns(), passed = at - r->cpu_at;
		r->cpu = r->cpu_at && r->cpu_before >= 0 && now.cpu_ns >= 0 && passed > 0 ?
			 (double)(now.cpu_ns - r->cpu_before) * 100 / (double)passed : 0;
		r->cpu_before = now.cpu_ns;
		r->cpu_at = at;
	}
	if (figures & SAMPLE_MEMORY)
		r->now.memory = now.memory;
	if (figures & SAMPLE_PIDS)
		r->now.pids = now.pids;
	if (figures & SAMPLE_EVENTS) {
		r->now.oom_kills = now.oom_kills;
		r->now.frozen = now.frozen;
	}
	if (figures & SAMPLE_MEMORY && (!r->looked || s->samples - r->looked >= 5)) {
		char *where;
		r->memory_max = cg_least(limits_group(r->sb), CG_MEMORY, &where);
		r->looked = s->samples;
		free(where);
	}
}

static char sorted_by;         /* qsort has no argument of its own */

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (sorted_by == 'c' && x->cpu != y->cpu)
		return x->cpu < y->cpu ? 1 : -1;
	if (sorted_by == 'm' && x->now.memory != y->now.memory)
		return x->now.memory < y->now.memory ? 1 : -1;
	if (sorted_by == 'p' && x->now.pids != y->now.pids)
		return x->now.pids < y->now.pids ? 1 : -1;
	return strcmp(x->sb->name, y->sb->name);
}

static void sort_rows(struct screen *s)
{
	const struct sandbox *chosen = s->chosen < s->n ? s->rows[s->chosen].sb : NULL;

	sorted_by = s->sort;
	if (s->n)
		qsort(s->rows, s->n, sizeof *s->rows, compare);
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].sb == chosen)
			s->chosen = i;
}

/* The first row shown, where there is ROOM for so many. */
static size_t top_row(const struct screen *s, size_t room)
{
	return s->chosen >= room ? s->chosen - room + 1 : 0;
}

static unsigned sorted_figure(const struct screen *s)
{
	return s->sort == 'c' ? SAMPLE_CPU : s->sort == 'm' ? SAMPLE_MEMORY : s->sort == 'p' ? SAMPLE_PIDS : 0;
}

/* Of all sandboxes the figure that decides which rows are shown, and of these the rest: to read everything of a hundred sandboxes each
 * second would take a percent of a processor. */
static void sample(struct screen *s, size_t room)
{
	struct session *session = s->sh->session;
	unsigned first = room < session->n_sandboxes ? sorted_figure(s) : SAMPLE_ALL;

	s->samples++;
	s->at = now_ns();
	for (size_t i = 0; i < session->n_sandboxes; i++)
		sample_row(s, row_of(s, session->sandboxes[i]), first);
	sort_rows(s);
	for (size_t i = top_row(s, room); i < s->n && i < top_row(s, room) + room && first != SAMPLE_ALL; i++)
		sample_row(s, &s->rows[i], SAMPLE_ALL & ~first);
}

/* ---- one sample ---- */

static void one_sample(struct screen *s)
{
	static const struct column columns[] = {
		{ "SANDBOX", "sandbox", COL_TEXT }, { "CPU%", "cpu_percent", COL_NUMBER }, { "MEMORY", "memory", COL_TEXT },
		{ "LIMIT", "memory_limit", COL_TEXT }, { "PIDS", "pids", COL_NUMBER }, { "OOM KILLS", "oom_kills", COL_NUMBER },
		{ "STATE", "state", COL_TEXT },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < s->n; i++) {
		const struct row *r = &s->rows[i];
		char size[32];
		table_row(t);
		table_cell(t, r->sb->name);
		table_fmt(t, "%.1f", r->cpu);
		limit_size_text(r->now.memory, size);
		table_cell(t, size[0] ? size : NULL);
		limit_size_text(r->memory_max, size);
		table_cell(t, size[0] ? size : NULL);
		r->now.pids < 0 ? table_cell(t, NULL) : table_fmt(t, "%lld", (long long)r->now.pids);
		r->now.oom_kills < 0 ? table_cell(t, NULL) : table_fmt(t, "%lld", (long long)r->now.oom_kills);
		table_cell(t, r->now.frozen == 1 ? "frozen" : "runs");
	}
	table_print(t, s->sh->out, s->sh->json);
}

/* ---- the screen ---- */

static void bar(struct buf *b, double part)
{
	int full = part <= 0 ? 0 : part >= 1 ? BAR : (int)(part * BAR + 0.5);

	for (int i = 0; i < BAR; i++)
		buf_str(b, i < full ? "#" : ".");
}

static void draw_row(struct buf *b, const struct row *r, bool chosen)
{
	char memory[32], most[32];
	double part = r->memory_max > 0 && r->memory_max != INT64_MAX ? (double)r->now.memory / (double)r->memory_max : 0;

	limit_size_text(r->now.memory, memory);
	limit_size_text(r->memory_max, most);
	buf_fmt(b, "%s%-20.20s %6.1f ", chosen ? "\033[7m" : "", r->sb->name, r->cpu);
	bar(b, r->cpu / 100);
	buf_fmt(b, " %8s/%-8s ", memory[0] ? memory : "-", most[0] ? most : "-");
	bar(b, part);
	buf_fmt(b, " %5lld %4lld %s\033[0m\033[K\r\n", (long long)(r->now.pids > 0 ? r->now.pids : 0),
		(long long)(r->now.oom_kills > 0 ? r->now.oom_kills : 0), r->now.frozen == 1 ? "frozen" : "");
}

static size_t rows_shown(const struct screen *s)
{
	struct winsize size = { 0 };

	ioctl(fileno(s->sh->out), TIOCGWINSZ, &size);
	unsigned lines = size.ws_row ? size.ws_row : 24;
	return lines > 5 ? lines - 4 : 1;
}

static void draw(struct screen *s)
{
	_cleanup_buf_ struct buf b = { 0 };
	size_t room = rows_shown(s), first = top_row(s, room);

	buf_fmt(&b, "\033[H\033[1m%zu sandbox%s; sorted by %s\033[0m\033[K\r\n", s->n, s->n == 1 ? "" : "es",
		s->sort == 'c' ? "processor" : s->sort == 'm' ? "memory" : s->sort == 'p' ? "processes" : "name");
	buf_fmt(&b, "%-20s %6s %-10s %8s/%-8s %-10s %5s %4s\033[K\r\n", "SANDBOX", "CPU%", "", "MEMORY", "LIMIT", "", "PIDS", "OOM");
	for (size_t i = first; i < s->n && i < first + room; i++)
		draw_row(&b, &s->rows[i], i == s->chosen);
	buf_fmt(&b, "\033[J%s%sc m p n sort, j k choose, f freeze or thaw, K kill all, q quit", s->message, s->message[0] ? "; " : "");
	fputs(buf_text(&b), s->sh->out);
	fflush(s->sh->out);
}

/* What a key does; false to leave. */
static bool key(struct screen *s, char c)
{
	struct sandbox *sb = s->chosen < s->n ? s->rows[s->chosen].sb : NULL;
	struct err err = { 0 };

	s->message[0] = '\0';
	if (strchr("cmpn", c))
		s->sort = c;
	else if (c == 'j' && s->chosen + 1 < s->n)
		s->chosen++;
	else if (c == 'k' && s->chosen > 0)
		s->chosen--;
	else if (c == 'f' && sb)
		limits_freeze(sb, s->rows[s->chosen].now.frozen != 1, &err);
	else if (c == 'K' && sb)
		sandbox_signal(sb, 0, SIGKILL, &err);
	if (err.status)
		snprintf(s->message, sizeof s->message, "%.250s", err.text);
	return c != 'q' && c != 3 && c != 4;
}

static void full_screen(struct screen *s)
{
	struct termios before, raw;
	bool go_on = true;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	fputs("\033[?1049h\033[?25l", s->sh->out);
	while (go_on && !stop_asked() && !stop_interrupted()) {
		sort_rows(s);
		draw(s);
		int64_t left = s->at + EVERY_MS * 1000000LL - now_ns();
		struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
		int n = poll(&p, 1, left > 0 ? (int)(left / 1000000) + 1 : 0);
		char keys[32];
		ssize_t got = n > 0 ? read(STDIN_FILENO, keys, sizeof keys) : 0;
		for (ssize_t i = 0; i < got && go_on; i++)
			go_on = key(s, keys[i]);
		if (n > 0 && got <= 0)
			break;
		if (now_ns() - s->at >= EVERY_MS * 1000000LL)
			sample(s, rows_shown(s));
	}
	fputs("\033[?25h\033[?1049l", s->sh->out);
	fflush(s->sh->out);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

static int run_top(struct shell *sh, const struct args *args, struct err *err)
{
	struct screen s = { .sh = sh, .sort = 'c' };
	struct timespec moment = { .tv_nsec = SAMPLE_MS * 1000000 };
	bool screen = !sh->json && !sh->out_elsewhere && !sh->script_is_stdin && isatty(STDIN_FILENO) && isatty(fileno(sh->out));

	(void)args;
	if (sh->session->gate.dry)
		return 0;
	if (limits_know(sh->session, err) < 0)
		return -1;
	sample(&s, SIZE_MAX);
	nanosleep(&moment, NULL);
	sample(&s, SIZE_MAX);
	if (screen)
		full_screen(&s);
	else
		one_sample(&s);
	free(s.rows);
	return 0;
}

/* ---- watch ---- */

static void say(void *arg, const char *line)
{
	struct shell *sh = arg;
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &tm));
	fprintf(sh->out, "%s %s\n", clock, line);
	fflush(sh->out);
}

static int run_watch(struct shell *sh, const struct args *args, struct err *err)
{
	static const char *const kinds[WATCH_KINDS] = { "memory", "pids", "cpu", "pressure", "state" };
	struct sandbox *sb = shell_sandbox(sh, err);
	struct limits_watch w = { .times = arg_num(args, "COUNT", 0), .ns = arg_num(args, "TIME", 0), .say = say, .arg = sh };

	if (!sb)
		return -1;
	for (int i = 0; i < WATCH_KINDS; i++)
		w.kinds |= arg_has(args, kinds[i]) ? 1u << i : 0;
	if (!w.kinds)
		w.kinds = (1u << WATCH_KINDS) - 1;
	return limits_watch(sb, &w, err);
}

const struct command cmd_top[] = {
	{
		.name = "top",
		.group = "limits",
		.brief = "show what all sandboxes use, as it changes",
		.grammar = "",
		.text =
			"On a terminal it takes the whole screen and looks once a second. Keys: *c*, *m*, *p* and *n* sort by processor, memory, "
			"processes or name; *j* and *k* choose a sandbox, *f* freezes or thaws it, *K* kills all its programs; *q* leaves. "
			"Off a terminal it prints one sample: the processor's share is that of a quarter of a second.",
		.examples = "new web\nlimit memory 64M pids 32\nrun -d sleep 60\ntop\n",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_top,
	},
	{
		.name = "watch",
		.group = "limits",
		.brief = "say when a limit bites",
		.grammar = "[memory | pids | cpu | pressure | state | times COUNT:number | for TIME:time]...",
		.text =
			"Each event is a line: programs killed or slowed for *memory*, processes refused (*pids*), programs that had to wait "
			"because of a *cpu* limit (looked at once a second, since the kernel does not tell), *pressure* (programs waited for "
			"more than 15% of a second for processor, memory or disk), *state* (frozen or thawed). Without any, all. It ends at "
			"Ctrl-C, after so many *times*, or after a *TIME*; when both are given and there were not as many in time, it fails.\n\n"
			"Only what the limits' controllers count is seen: it begins with the first *limit* on each.",
		.examples = "new web\nlimit cpu 10%\nrun -d sh -c 'while :; do :; done'\nwatch cpu times 1 for 20s\nkill all\n",
		.flags = CMD_NO_UNDO,
		.run = run_watch,
	},
	{ .name = NULL },
};
