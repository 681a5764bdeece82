/*
 * textfile.c - small text files of the session
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "kern/step.h"
#include "kern/textfile.h"

enum { TEXT_LIMIT = 16 << 20 };

static int failed(const struct step *s, struct err *err)
{
	return err_set(err, errno, "%s: can't be written", s->to);
}

int textfile_write(struct step *s, int fd, struct err *err)
{
	struct stat st;

	(void)fd;
	bool there = lstat(s->to, &st) == 0;
	_cleanup_close_ int file = open(s->to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	/* Whatever belljar's umask: it is for everybody inside to read. */
	if (file < 0 || fchmod(file, 0644) < 0 || io_write(file, s->text, strlen(s->text)) < 0) {
		failed(s, err);
		if (!there)
			unlink(s->to);
		return -1;
	}
	snprintf(s->old, sizeof s->old, "%s", there ? "" : "1");
	return 0;
}

int textfile_remove(struct step *s, int fd, struct err *err)
{
	(void)fd;
	return unlink(s->to) < 0 && errno != ENOENT ? failed(s, err) : 0;
}

int textfile_add_line(struct step *s, int fd, struct err *err)
{
	_cleanup_free_ char *line = xasprintf("%s\n", s->text);
	_cleanup_close_ int file = open(s->to, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

	(void)fd;
	/* One write, so that who reads meanwhile sees no half of a line. */
	if (file < 0 || io_write(file, line, strlen(line)) < 0)
		return failed(s, err);
	snprintf(s->old, sizeof s->old, "1");
	return 0;
}

int textfile_drop_line(struct step *s, int fd, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_close_ int file = open(s->to, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t n = strlen(s->text);

	(void)fd;
	s->old[0] = '\0';
	if (file < 0 || io_slurp(AT_FDCWD, s->to, TEXT_LIMIT, &text) < 0)
		return errno == ENOENT ? 0 : failed(s, err);
	for (const char *at = buf_text(&text), *end; (end = strchr(at, '\n')); at = end + 1) {
		if ((size_t)(end - at) != n || memcmp(at, s->text, n) != 0)
			continue;
		off_t from = at - text.data;
		size_t rest = strlen(end + 1);
		if (lseek(file, from, SEEK_SET) < 0 || io_write(file, end + 1, rest) < 0 || ftruncate(file, from + (off_t)rest) < 0)
			return failed(s, err);
		snprintf(s->old, sizeof s->old, "1");
		return 0;
	}
	return 0;
}
