/*
 * err.c - filling and wrapping errors
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static __attribute__((format(printf, 3, 0))) void fill(char *to, size_t room, const char *fmt, va_list ap)
{
	int n = vsnprintf(to, room, fmt, ap);

	if (n >= (int)room)
		memcpy(to + room - 4, "...", 4);
}

#define FILL(to, fmt)                                                                                                          \
	do {                                                                                                                   \
		va_list ap_;                                                                                                   \
		va_start(ap_, fmt);                                                                                            \
		fill(to, sizeof(to), fmt, ap_);                                                                                \
		va_end(ap_);                                                                                                   \
	} while (0)

void err_clear(struct err *err)
{
	err->status = 0;
	err->number = 0;
	err->column = 0;
	err->text[0] = err->why[0] = err->hint[0] = '\0';
}

int err_set(struct err *err, int number, const char *fmt, ...)
{
	if (!err)
		return -1;
	err_clear(err);
	err->status = EXIT_FAILED;
	err->number = number;
	FILL(err->text, fmt);
	return -1;
}

int err_usage(struct err *err, const char *fmt, ...)
{
	if (!err)
		return -1;
	err_clear(err);
	err->status = EXIT_USAGE;
	FILL(err->text, fmt);
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char before[sizeof err->text];

	if (!err)
		return -1;
	FILL(before, fmt);
	size_t n = strlen(before), room = sizeof err->text - n - 1;
	if (n + 1 >= sizeof err->text)
		return -1;
	size_t keep = strnlen(err->text, room);
	memmove(err->text + n, err->text, keep);
	memcpy(err->text, before, n);
	err->text[n + keep] = '\0';
	return -1;
}

int err_why(struct err *err, const char *fmt, ...)
{
	if (err && !err->why[0])
		FILL(err->why, fmt);
	return -1;
}

int err_try(struct err *err, const char *fmt, ...)
{
	if (err && !err->hint[0])
		FILL(err->hint, fmt);
	return -1;
}
