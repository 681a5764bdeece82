/*
 * io.h - whole reads and writes
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <sys/types.h>

struct buf;

/* Write all N bytes, restarting after signals. 0, or -1 with errno. */
int io_write(int fd, const void *data, size_t n);

/* Read up to N bytes until end of file; the number read, or -1 with errno. */
ssize_t io_read(int fd, void *data, size_t n);

/* Append the file NAME (below directory DIR, or AT_FDCWD) to B, at most LIMIT bytes (EFBIG past it). 0, or -1 with errno. */
int io_slurp(int dir, const char *name, size_t limit, struct buf *b);
int io_slurp_fd(int fd, size_t limit, struct buf *b);

/* The first line of a small file without its newline, into LINE; its length, or -1 with errno. */
ssize_t io_line(int dir, const char *name, char *line, size_t room);

/* Write TEXT in one write(2) to an existing file, as control files want it. 0, or -1 with errno. */
int io_put(int dir, const char *name, const char *text);

#endif
