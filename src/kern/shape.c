/*
 * shape.c - how a link is slowed down, in words
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kern/shape.h"

enum { LEAST_BURST = 16 * 1024 };

bool shape_has_netem(const struct shape *s)
{
	return s->delay || s->jitter || s->loss > 0 || s->duplicate > 0 || s->reorder > 0 || s->corrupt > 0;
}

bool shape_is_none(const struct shape *s)
{
	return !s->rate && !shape_has_netem(s);
}

uint64_t shape_burst(const struct shape *s)
{
	uint64_t ten_ms = s->rate / 8 / 100;

	return s->burst ? s->burst : ten_ms > LEAST_BURST ? ten_ms : LEAST_BURST;
}

void shape_rate_words(uint64_t rate, char text[32])
{
	static const struct { uint64_t factor; const char *unit; } units[] = { { 1000000000, "gbit" }, { 1000000, "mbit" }, { 1000, "kbit" }, { 1, "bit" } };
	size_t i = 0;

	while (rate % units[i].factor)
		i++;
	snprintf(text, 32, "%" PRIu64 "%s", rate / units[i].factor, units[i].unit);
}

static void time_words(uint64_t ns, char text[32])
{
	bool ms = ns % 1000000 == 0, us = ns % 1000 == 0;

	snprintf(text, 32, "%" PRIu64 "%s", ms ? ns / 1000000 : us ? ns / 1000 : ns, ms ? "ms" : us ? "us" : "ns");
}

/* What netem is asked for, in words that tc has too. */
static void netem_words(struct buf *b, const struct shape *s, bool tc)
{
	const struct { const char *name; double percent; } parts[] = {
		{ "loss", s->loss }, { "duplicate", s->duplicate }, { "reorder", s->reorder }, { "corrupt", s->corrupt },
	};
	char text[32];

	/* Without a delay there is nothing that jitter or reordering could change, and tc wants one before the jitter. */
	if (s->delay || s->jitter) {
		time_words(s->delay, text);
		buf_fmt(b, " delay %s", text);
	}
	if (s->jitter) {
		time_words(s->jitter, text);
		buf_fmt(b, "%s %s", tc ? "" : " jitter", text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].percent > 0)
			buf_fmt(b, " %s %.6g%%", parts[i].name, parts[i].percent);
}

void shape_words(const struct shape *s, char text[SHAPE_LONGEST])
{
	_cleanup_buf_ struct buf b = { 0 };
	char rate[32];

	if (s->rate) {
		shape_rate_words(s->rate, rate);
		buf_fmt(&b, " rate %s", rate);
		if (s->burst)
			buf_fmt(&b, " burst %" PRIu64, s->burst);
	}
	netem_words(&b, s, false);
	snprintf(text, SHAPE_LONGEST, "%s", b.len ? b.data + 1 : "");
}

/* ---- back from words ---- */

static bool read_value(const char *name, const char *value, struct shape *s)
{
	static const struct { const char *unit; double factor; } units[] = {
		{ "", 1 },      { "bit", 1 },   { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 },
		{ "ns", 1 },    { "us", 1e3 },  { "ms", 1e6 },   { "%", 1 },
	};
	const struct { const char *name; uint64_t *whole; double *percent; } fields[] = {
		{ "rate", &s->rate, NULL },     { "burst", &s->burst, NULL },   { "delay", &s->delay, NULL },       { "jitter", &s->jitter, NULL },
		{ "loss", NULL, &s->loss },     { "duplicate", NULL, &s->duplicate }, { "reorder", NULL, &s->reorder }, { "corrupt", NULL, &s->corrupt },
	};
	char *unit;
	double n = strtod(value, &unit);

	for (size_t u = 0; u < ARRAY_SIZE(units); u++)
		for (size_t i = 0; streq(unit, units[u].unit) && i < ARRAY_SIZE(fields); i++) {
			if (!streq(name, fields[i].name))
				continue;
			if (fields[i].whole)
				*fields[i].whole = (uint64_t)(n * units[u].factor);
			else
				*fields[i].percent = n;
			return true;
		}
	return false;
}

bool shape_read(const char *text, struct shape *s)
{
	_cleanup_free_ char *copy = xstrdup(text ? text : "");
	char *rest = NULL;

	*s = (struct shape){ 0 };
	for (char *name = strtok_r(copy, " ", &rest), *value; name; name = strtok_r(NULL, " ", &rest)) {
		value = strtok_r(NULL, " ", &rest);
		if (!value || !read_value(name, value, s))
			return false;
	}
	return true;
}

/* ---- for the shell ---- */

void shape_tc(struct buf *b, const struct shape *s, const char *tc, const char *link)
{
	char rate[32];

	bool netem = shape_has_netem(s);

	buf_fmt(b, "%s qdisc %s dev ", tc, shape_is_none(s) ? "del" : "replace");
	buf_visible(b, link);
	buf_str(b, " root");
	if (netem) {
		buf_str(b, " handle 1: netem limit 10000");
		netem_words(b, s, true);
	}
	if (netem && s->rate) {
		buf_fmt(b, "; %s qdisc add dev ", tc);
		buf_visible(b, link);
		buf_str(b, " parent 1:1");
	}
	if (s->rate) {
		shape_rate_words(s->rate, rate);
		buf_fmt(b, " handle 2: tbf rate %s burst %" PRIu64 " latency 50ms", rate, shape_burst(s));
	}
}
