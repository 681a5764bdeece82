/*
 * mem.h - memory that can't fail, and things released at the end of their scope
 *
 * Out of memory ends the program (abort): no sandbox is half-built because a string didn't fit. Declare first what is released
 * automatically: `_cleanup_free_ char *path = NULL;`, `_cleanup_close_ int fd = -1;`. To hand such a thing on, move it:
 * `return move_fd(&fd);`.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *old, size_t n, size_t size);
char *xstrdup(const char *s);                 /* NULL stays NULL */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* A large buffer that is mostly not needed: it lies behind all other variables, so that these share few pages. The first touch of a page
 * takes as long as twenty system calls. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define _large_ __attribute__((section(".lbss")))
#else
#define _large_
#endif

/* Make room for one more element in the array *ARRAY of *N elements (grown by doubling) and return the new, zeroed last one. */
#define GROW(array, n) (*(array) = grow(*(array), (n), sizeof **(array)), &(*(array))[(*(n))++])
void *grow(void *array, const size_t *n, size_t size);

static inline int move_fd(int *fd)
{
	int moved = *fd;
	*fd = -1;
	return moved;
}

static inline char *move_str(char **s)
{
	char *moved = *s;
	*s = NULL;
	return moved;
}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Close and forget; errno is kept. */
void close_fd(int *fd);

static inline void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(close_fd)
#define _cleanup_file_ _cleanup_(cleanup_file)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof *(a))
#define streq(a, b) (strcmp((a), (b)) == 0)

static inline int starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* With something before it: ".tar" alone does not end with ".tar". */
static inline int ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && streq(s + n - m, end);
}

/* Is WORD among the WORDS that stand between blanks? */
static inline int has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return 1;
	return 0;
}

#endif
