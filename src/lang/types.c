/*
 * types.c - the built-in types of values
 *
 * What each puts into struct value beside the text:
 *     size       num: bytes                            sizemax    the same, or INT64_MAX for `max`
 *     time       num: nanoseconds, not negative        offset     num: nanoseconds, may be negative
 *     cpu        real: CPUs, more than 0; num: the same in microseconds of each 100 ms. `max`: 0 and INT64_MAX
 *     bitrate    num: bits a second, at least 8        bitratemax the same, or INT64_MAX for `max`
 *     percent    real: 0 to 100
 *     number     num, not negative                     nummax     the same, or INT64_MAX for `max`
 *     integer    num, may be negative                  port       num: 1 to 65535
 *     cidr       num: length of the prefix; real: 4 or 6
 *     address    num: AF_INET or AF_INET6              signal     num
 *     name       a name for something new              path       not empty
 *     word       anything
 *     rest, program, command    all words that are left (see command.h), as text, a program's or one of our own commands
 * Numbers are decimal digits only: no sign where none makes sense, no blanks, no hexadecimal, nothing behind them.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/grammar.h"

enum { NAME_LONGEST_WORD = 63 };

/* Digits at *S, into *N. False when there are none or they are too many. */
static bool digits(const char **s, int64_t *n)
{
	const char *at = *s;

	*n = 0;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, *at - '0', n))
			return false;
	bool some = at != *s;
	*s = at;
	return some;
}

struct unit {
	const char *name;
	int64_t factor;
};

/* "1.5" and one of UNITS behind it, as a whole number of the smallest unit: *N is rounded down. Returns NULL, or why not. */
static const char *scaled(const char *text, const struct unit *units, size_t n_units, bool fold, int64_t *n)
{
	const char *s = text;
	int64_t whole, part = 0, of = 1, more;

	if (!isdigit((unsigned char)*s))
		return "";
	if (!digits(&s, &whole))
		return "too large";
	if (*s == '.') {
		s++;
		if (!isdigit((unsigned char)*s))
			return "";
		for (; isdigit((unsigned char)*s); s++)
			if (of < 1000000000) {
				part = part * 10 + (*s - '0');
				of *= 10;
			}
	}
	for (size_t i = 0; i < n_units; i++) {
		if (fold ? strcasecmp(s, units[i].name) != 0 : !streq(s, units[i].name))
			continue;
		if (part && units[i].factor == 1)
			return "a fraction of the smallest unit";
		if (__builtin_mul_overflow(whole, units[i].factor, n))
			return "too large";
		/* part < of <= 10^9, so that this fits whatever the factor. */
		more = (int64_t)((__int128)part * units[i].factor / of);
		if (part && *n == 0 && more == 0)
			return "a fraction of the smallest unit";
		return __builtin_add_overflow(*n, more, n) ? "too large" : NULL;
	}
	return "";
}

/* TEXT in a message: made visible and cut. */
static char *shown(const char *text)
{
	struct buf b = { 0 };
	_cleanup_free_ char *start = xstrndup(text, 60);

	buf_visible(&b, *start ? start : "''");
	return buf_take(&b);
}

static int refuse(const char *text, const char *why, const char *what, const char *advice, struct err *err)
{
	_cleanup_free_ char *word = shown(text);

	if (*why)
		return err_usage(err, "%s is %s", word, why);
	return err_usage(err, "%s is not %s: use %s", word, what, advice);
}

/* ---- sizes and times ---- */

static const struct unit sizes[] = {
	{ "", 1 }, { "B", 1 }, { "K", 1LL << 10 }, { "KiB", 1LL << 10 }, { "M", 1LL << 20 }, { "MiB", 1LL << 20 },
	{ "G", 1LL << 30 }, { "GiB", 1LL << 30 }, { "T", 1LL << 40 }, { "TiB", 1LL << 40 },
};

static const struct unit times[] = {
	{ "", 1000000000 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "m", 60000000000 },
	{ "h", 3600000000000 }, { "d", 86400000000000 },
};

static int parse_size(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	const char *why = scaled(v->text, sizes, ARRAY_SIZE(sizes), true, &v->num);
	return why ? refuse(v->text, why, "a size", "a number with K, M, G or T, such as 64M", err) : 0;
}

static int parse_sizemax(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	if (streq(v->text, "max")) {
		v->num = INT64_MAX;
		return 0;
	}
	const char *why = scaled(v->text, sizes, ARRAY_SIZE(sizes), true, &v->num);
	return why ? refuse(v->text, why, "a size", "a number with K, M, G or T, such as 64M, or max", err) : 0;
}

static int parse_time(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	const char *why = scaled(v->text, times, ARRAY_SIZE(times), false, &v->num);
	return why ? refuse(v->text, why, "a time", "a number with ms, s, m, h or d, such as 1.5h", err) : 0;
}

static int parse_offset(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	bool sign = *v->text == '-' || *v->text == '+';
	const char *why = scaled(v->text + sign, times, ARRAY_SIZE(times), false, &v->num);
	if (why)
		return refuse(v->text, why, "an offset", "+ or - and a time, such as +2d or -5s", err);
	if (*v->text == '-')
		v->num = -v->num;
	return 0;
}

static const struct unit rates[] = {
	{ "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 },
};

static int parse_rate(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	const char *why = scaled(v->text, rates, ARRAY_SIZE(rates), true, &v->num);
	if (!why && v->num < 8)
		why = "too little: the least is 8bit";
	return why ? refuse(v->text, why, "a rate", "bits a second with bit, kbit, mbit or gbit, such as 10mbit", err) : 0;
}

static int parse_ratemax(struct shell *sh, struct value *v, struct err *err)
{
	if (!streq(v->text, "max"))
		return parse_rate(sh, v, err);
	v->num = INT64_MAX;
	return 0;
}

static int parse_percent(struct shell *sh, struct value *v, struct err *err)
{
	static const struct unit units[] = { { "%", 1000000 } };
	int64_t millionths;

	(void)sh;
	const char *why = scaled(v->text, units, ARRAY_SIZE(units), false, &millionths);
	if (!why && millionths > 100000000)
		why = "more than 100%";
	if (why)
		return refuse(v->text, why, "a share", "percent, such as 1% or 0.5%", err);
	v->real = (double)millionths / 1e6;
	return 0;
}

static int parse_cpu(struct shell *sh, struct value *v, struct err *err)
{
	static const struct unit units[] = { { "", 1000000000 }, { "%", 10000000 } };
	int64_t billionths = 0;

	(void)sh;
	if (streq(v->text, "max")) {
		v->num = INT64_MAX;
		return 0;
	}
	const char *why = scaled(v->text, units, ARRAY_SIZE(units), false, &billionths);
	if (!why && billionths < 10000000)
		why = "too little: the least is 1%";
	if (why)
		return refuse(v->text, why, "a share of CPU time", "CPUs or percent of one, such as 0.5 or 50%, or max", err);
	v->real = (double)billionths / 1e9;
	v->num = billionths / 10000;
	return 0;
}

/* ---- numbers ---- */

static int parse_number(struct shell *sh, struct value *v, struct err *err)
{
	const char *s = v->text;

	(void)sh;
	if (!digits(&s, &v->num) || *s)
		return refuse(v->text, *s && !s[strspn(s, "0123456789")] ? "too large" : "", "a number",
			      "digits only, such as 32", err);
	return 0;
}

static int parse_nummax(struct shell *sh, struct value *v, struct err *err)
{
	if (!streq(v->text, "max"))
		return parse_number(sh, v, err);
	v->num = INT64_MAX;
	return 0;
}

static int parse_integer(struct shell *sh, struct value *v, struct err *err)
{
	const char *s = v->text + (*v->text == '-');

	(void)sh;
	if (!digits(&s, &v->num) || *s)
		return refuse(v->text, "", "a number", "digits, with - before them if need be, such as -5", err);
	if (*v->text == '-')
		v->num = -v->num;
	return 0;
}

static int parse_port(struct shell *sh, struct value *v, struct err *err)
{
	const char *s = v->text;

	(void)sh;
	if (!digits(&s, &v->num) || *s || v->num < 1 || v->num > 65535)
		return refuse(v->text, "", "a port", "a number from 1 to 65535", err);
	return 0;
}

/* ---- addresses ---- */

static int family_of(const char *text)
{
	unsigned char to[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, to) == 1 ? AF_INET : inet_pton(AF_INET6, text, to) == 1 ? AF_INET6 : 0;
}

static int parse_address(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	v->num = family_of(v->text);
	return v->num ? 0 : refuse(v->text, "", "an address", "IPv4 or IPv6, such as 10.0.0.1", err);
}

static int parse_cidr(struct shell *sh, struct value *v, struct err *err)
{
	static const char advice[] = "an address and the length of its prefix, such as 10.0.0.1/24";
	const char *slash = strchr(v->text, '/'), *s = slash ? slash + 1 : "";
	_cleanup_free_ char *address = xstrndup(v->text, slash ? (size_t)(slash - v->text) : strlen(v->text));
	int family = family_of(address);

	(void)sh;
	if (family && !slash) {
		refuse(v->text, "", "complete", advice, err);
		return err_try(err, "%s/%d", address, family == AF_INET ? 24 : 64);
	}
	if (!family || !digits(&s, &v->num) || *s)
		return refuse(v->text, "", "an address with a prefix", advice, err);
	int most = family == AF_INET ? 32 : 128;
	v->real = family == AF_INET ? 4 : 6;
	if (v->num > most)
		return err_usage(err, "%s: the prefix of an IPv%g address is at most %d", v->text, v->real, most);
	return 0;
}

/* ---- names, paths, signals ---- */

static int parse_name(struct shell *sh, struct value *v, struct err *err)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t n = strlen(v->text);

	(void)sh;
	if (n > NAME_LONGEST_WORD)
		return err_usage(err, "name of %zu bytes: the longest has %d", n, NAME_LONGEST_WORD);
	if (n == 0 || strspn(v->text, good) < n || *v->text == '.' || *v->text == '-')
		return refuse(v->text, "", "a name", "letters, digits, and . _ -, not first a dot or dash, such as web-1", err);
	return 0;
}

static int parse_path(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	return *v->text ? 0 : err_usage(err, "a path is empty");
}

static void complete_path(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	const char *slash = strrchr(prefix, '/'), *last = slash ? slash + 1 : prefix;
	_cleanup_free_ char *directory = xstrndup(prefix, (size_t)(last - prefix));
	DIR *d = opendir(*directory ? directory : ".");
	struct dirent *entry;

	(void)sh;
	while (d && (entry = readdir(d))) {
		struct stat st;
		if (!starts_with(entry->d_name, last) || (entry->d_name[0] == '.' && last[0] != '.'))
			continue;
		bool is_directory = fstatat(dirfd(d), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
		_cleanup_free_ char *text = xasprintf("%s%s%s", directory, entry->d_name, is_directory ? "/" : "");
		add(arg, text);
	}
	if (d)
		closedir(d);
}

static int parse_signal(struct shell *sh, struct value *v, struct err *err)
{
	const char *s = v->text, *name = strncasecmp(s, "SIG", 3) == 0 ? s + 3 : s;

	(void)sh;
	if (digits(&s, &v->num) && !*s && v->num >= 1 && v->num <= SIGRTMAX)
		return 0;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strcasecmp(name, sigabbrev_np(i)) == 0) {
			v->num = i;
			return 0;
		}
	return refuse(v->text, "", "a signal", "a name or number, such as TERM or 15", err);
}

static void complete_signal(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	(void)sh;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strncasecmp(prefix, sigabbrev_np(i), strlen(prefix)) == 0)
			add(arg, sigabbrev_np(i));
}

static void complete_max(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	(void)sh;
	if (starts_with("max", prefix))
		add(arg, "max");
}

static const struct type types[] = {
	{ "word", "any word", NULL, NULL, false },
	{ "size", "a size such as 64M", parse_size, NULL, false },
	{ "sizemax", "a size such as 64M, or max", parse_sizemax, complete_max, false },
	{ "time", "a time such as 100ms or 1.5h", parse_time, NULL, false },
	{ "offset", "an offset such as +2d or -5s", parse_offset, NULL, false },
	{ "cpu", "CPUs or percent of one, such as 0.5 or 50%, or max", parse_cpu, complete_max, false },
	{ "bitrate", "a rate such as 10mbit", parse_rate, NULL, false },
	{ "bitratemax", "a rate such as 10mbit, or max", parse_ratemax, complete_max, false },
	{ "percent", "percent such as 1%", parse_percent, NULL, false },
	{ "number", "a number such as 32", parse_number, NULL, false },
	{ "nummax", "a number such as 32, or max", parse_nummax, complete_max, false },
	{ "integer", "a number such as 32 or -5", parse_integer, NULL, false },
	{ "port", "a port, 1 to 65535", parse_port, NULL, false },
	{ "cidr", "an address with its prefix, such as 10.0.0.1/24", parse_cidr, NULL, false },
	{ "address", "an address such as 10.0.0.1", parse_address, NULL, false },
	{ "path", "a path", parse_path, complete_path, false },
	{ "name", "a name such as web", parse_name, NULL, false },
	{ "signal", "a signal such as TERM", parse_signal, complete_signal, false },
	{ "command", "a command with its arguments", NULL, NULL, true },
	{ "line", "a command with its arguments", NULL, NULL, true },
	{ "program", "a program with its arguments", NULL, complete_path, true },
	{ "rest", "the rest of the line", NULL, complete_path, true },
};

const struct type *type_builtin(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, name))
			return &types[i];
	return NULL;
}

bool type_is_command(const struct type *t)
{
	return t->all && !t->complete;
}
