/*
 * buf.h - text that grows
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/mem.h"

struct buf {
	char *data;            /* NUL-terminated as soon as anything was added; NULL before */
	size_t len, room;
};

#define _cleanup_buf_ _cleanup_(buf_free)

void buf_free(struct buf *b);
void buf_clear(struct buf *b);                /* keeps the room */
void buf_bytes(struct buf *b, const void *data, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* S as one word of a POSIX shell (and of belljar's language): quoted only where needed, '' when empty. */
void buf_quote(struct buf *b, const char *s);

/* S for a terminal: control characters, DEL, C1 controls, bidirectional overrides and bytes that are not UTF-8 appear as
 * \xHH or \u{HHHH}, so that a name from inside a sandbox can't drive the user's terminal. */
void buf_visible(struct buf *b, const char *s);

/* The same to a stream. */
void buf_print(FILE *out, const char *s);

/* Length of the UTF-8 sequence at S (1 to 4), 0 when the bytes there are none. */
size_t utf8_length(const char *s);

const char *buf_text(const struct buf *b);    /* never NULL */
char *buf_take(struct buf *b);                /* the text, now the caller's; the buffer is empty again */

#endif
