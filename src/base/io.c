/*
 * io.c - whole reads and writes
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/io.h"

int io_write(int fd, const void *data, size_t n)
{
	const char *at = data;

	while (n > 0) {
		ssize_t done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

ssize_t io_read(int fd, void *data, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t more = read(fd, (char *)data + got, n - got);
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -1;
		if (more == 0)
			break;
		got += (size_t)more;
	}
	return (ssize_t)got;
}

int io_slurp(int dir, const char *name, size_t limit, struct buf *b)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : io_slurp_fd(fd, limit, b);
}

int io_slurp_fd(int fd, size_t limit, struct buf *b)
{
	size_t before = b->len;
	char chunk[8192];

	for (;;) {
		ssize_t n = io_read(fd, chunk, sizeof chunk);
		if (n < 0)
			return -1;
		buf_bytes(b, chunk, (size_t)n);
		if (b->len - before > limit) {
			errno = EFBIG;
			return -1;
		}
		if ((size_t)n < sizeof chunk)
			return 0;
	}
}

ssize_t io_line(int dir, const char *name, char *line, size_t room)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -1;
	/* Not to the end of the file: asking whether there is more takes a quarter of the time that a control file takes. */
	while (got < room - 1 && n > 0 && !memchr(line, '\n', got)) {
		n = read(fd, line + got, room - 1 - got);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return -1;
		else
			got += (size_t)n;
	}
	line[got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return (ssize_t)strlen(line);
}

int io_put(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, len);
	if (n >= 0 && (size_t)n != len) {
		errno = EIO;
		return -1;
	}
	return n < 0 ? -1 : 0;
}
