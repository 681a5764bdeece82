/*
 * mem.c - memory that can't fail
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>

#include "base/mem.h"

static void *must(void *p)
{
	if (!p) {
		static const char text[] = "belljar: out of memory\n";
		ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
		(void)n;
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return must(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		must(NULL);
	return must(realloc(old, bytes ? bytes : 1));
}

char *xstrdup(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		must(NULL);
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void *grow(void *array, const size_t *n, size_t size)
{
	/* Room is a power of two, so it is full exactly when n is one (or 0). */
	if ((*n & (*n - 1)) == 0)
		array = xreallocarray(array, *n ? *n * 2 : 1, size);
	memset((char *)array + *n * size, 0, size);
	return array;
}

void close_fd(int *fd)
{
	if (*fd < 0)
		return;
	int saved = errno;
	close(*fd);
	errno = saved;
	*fd = -1;
}
