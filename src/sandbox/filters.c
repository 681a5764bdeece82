/*
 * filters.c - which system calls a sandbox's programs may make
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/filter.h"
#include "kern/holder.h"
#include "sandbox/filters.h"
#include "sandbox/privileges.h"

static const char *value_of(const struct sandbox *sb)
{
	return sb->place.privileges[PRIV_SECCOMP];
}

uint64_t filters_caps(const struct sandbox *sb)
{
	return sb->place.privileges[PRIV_CAPS] ? privileges_caps(sb) : UINT64_MAX;
}

/* For a dry run it is compiled, too: that changes nothing. */
static const struct filter *compile(const struct sandbox *sb, const char *value, struct err *err)
{
	return filter_compile(value, filters_caps(sb), FILTER_NAMED, false, err);
}

static int set(struct sandbox *sb, const char *value, struct err *err)
{
	if (value && !compile(sb, value, err))
		return -1;
	return privileges_set(sb, PRIV_SECCOMP, value, err);
}

int filters_set(struct sandbox *sb, const char *base, struct err *err)
{
	_cleanup_free_ char *value = base ? xasprintf("%s\n", base) : NULL;

	return set(sb, value, err);
}

int filters_file(struct sandbox *sb, const char *path, struct err *err)
{
	const struct filter_api *api = filter_api(err);
	_cleanup_free_ char *value = api ? api->from_file(path, err) : NULL;

	return value ? set(sb, value, err) : -1;
}

int filters_add(struct sandbox *sb, const char *what, const char *const *calls, size_t n, struct err *err)
{
	_cleanup_buf_ struct buf value = { 0 };

	buf_str(&value, value_of(sb) ? value_of(sb) : "any\n");
	buf_str(&value, what);
	for (size_t i = 0; i < n; i++)
		buf_fmt(&value, " %s", calls[i]);
	buf_char(&value, '\n');
	return set(sb, buf_text(&value), err);
}

static int no_filter(const struct sandbox *sb, struct err *err)
{
	err_set(err, 0, "%s: no filter of system calls", sb->name);
	return err_try(err, "seccomp default");
}

int filters_tell(const struct sandbox *sb, FILE *out, struct err *err)
{
	const struct filter_api *api = filter_api(err);

	if (!value_of(sb))
		return no_filter(sb, err);
	return api ? api->tell(value_of(sb), filters_caps(sb), out, err) : -1;
}

int filters_code(const struct sandbox *sb, FILE *out, struct err *err)
{
	const struct filter *f = value_of(sb) ? compile(sb, value_of(sb), err) : NULL;

	if (!value_of(sb))
		return no_filter(sb, err);
	if (!f)
		return -1;
	filter_list(f, out);
	return 0;
}

int filters_learn(struct sandbox *sb, int job, struct err *err)
{
	_cleanup_free_ struct wire_call *calls = NULL;
	_cleanup_buf_ struct buf all = { 0 };
	size_t n = 0;
	const struct filter_api *api = filter_api(err);

	if (!api || holder_calls(&sb->place, job, &calls, &n, err) < 0)
		return -1;
	/* The filter never asks about these two, and nothing starts or ends without them. */
	buf_str(&all, sb->learned ? sb->learned : "execve exit_group");
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *name = api->name(calls[i].arch, calls[i].nr);
		if (name && !has_word(buf_text(&all), name))
			buf_fmt(&all, " %s", name);
	}
	free(sb->learned);
	sb->learned = buf_take(&all);
	return 0;
}

int filters_lock(struct sandbox *sb, struct err *err)
{
	if (!sb->learned) {
		err_set(err, 0, "%s: nothing was learned yet", sb->name);
		return err_try(err, "seccomp learn PROGRAM");
	}
	_cleanup_free_ char *value = xasprintf("only\nallow %s\n", sb->learned);
	return set(sb, value, err);
}

char *filters_blocked(struct sandbox *sb, int job, struct err *err)
{
	_cleanup_free_ struct wire_call *calls = NULL;
	struct buf text = { 0 };
	size_t n = 0;

	if (holder_calls(&sb->place, job, &calls, &n, err) < 0)
		return NULL;
	/* Most programs are refused nothing, and need no names. */
	const struct filter_api *api = n ? filter_api(err) : NULL;
	if (n && !api)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *name = api->name(calls[i].arch, calls[i].nr);
		buf_str(&text, i ? ", " : "");
		name ? buf_str(&text, name) : buf_fmt(&text, "call %u", calls[i].nr);
		buf_fmt(&text, " (%s", calls[i].error ? err_name((int)calls[i].error) : "let through");
		if (calls[i].count > 1)
			buf_fmt(&text, ", %u times", calls[i].count);
		buf_char(&text, ')');
	}
	buf_str(&text, "");
	return buf_take(&text);
}
