/*
 * mnt_list.c - reading mount tables: from mnt_stat.c where the kernel tells enough, else from proc_pid_mountinfo(5)
 *
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue
 *     id parent device root target options [propagation...] - type source super-options
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/mnt.h"

enum { TABLE_LARGEST = 64 * 1024 * 1024 };

/* Blanks and the like stand as \ooo. In place. */
static char *unescape(char *s)
{
	char *to = s;

	for (const char *from = s; *from; to++) {
		unsigned n = 0;
		int digits = 0;
		if (*from == '\\')
			for (; digits < 3 && from[1 + digits] >= '0' && from[1 + digits] <= '7'; digits++)
				n = n * 8 + (unsigned)(from[1 + digits] - '0');
		*to = digits == 3 && n > 0 && n < 256 ? (char)n : *from;
		from += digits == 3 && n > 0 && n < 256 ? 4 : 1;
	}
	*to = '\0';
	return s;
}

/* The next field of a line, which is cut there; NULL at its end. */
static char *field(char **line)
{
	return strsep(line, " ");
}

static int number(const char *s, int *n)
{
	char *end;
	long value = s ? strtol(s, &end, 10) : -1;

	if (!s || end == s || *end || value < 0 || value > 0x7fffffff)
		return -1;
	*n = (int)value;
	return 0;
}

static bool parse_line(char *line, struct mnt_info *m)
{
	char *id = field(&line), *parent = field(&line), *device = field(&line), *root = field(&line), *target = field(&line);
	char *options = field(&line), *tag;
	_cleanup_buf_ struct buf propagation = { 0 };

	if (!device || !options || number(id, &m->id) < 0 || number(parent, &m->parent) < 0)
		return false;
	unsigned major = 0, minor = 0;
	if (sscanf(device, "%u:%u", &major, &minor) == 2)
		m->device = makedev(major, minor);
	while ((tag = field(&line)) && !streq(tag, "-"))
		buf_fmt(&propagation, "%s%s", propagation.len ? " " : "", tag);
	char *type = field(&line), *source = field(&line), *super = field(&line);
	if (!tag || !source)
		return false;
	m->root = xstrdup(unescape(root));
	m->target = xstrdup(unescape(target));
	m->options = xstrdup(options);
	m->propagation = xstrdup(buf_text(&propagation));
	m->type = xstrdup(unescape(type));
	m->source = xstrdup(unescape(source));
	m->super = xstrdup(super ? super : "");
	return true;
}

void mnt_parse(char *text, struct mnt_info **mounts, size_t *n)
{
	char *line;

	*mounts = NULL;
	*n = 0;
	while ((line = strsep(&text, "\n"))) {
		struct mnt_info m = { 0 };
		if (parse_line(line, &m))
			*GROW(mounts, n) = m;
	}
}

int mnt_list_mountinfo(pid_t pid, struct mnt_info **mounts, size_t *n, struct err *err)
{
	char path[64] = "/proc/self/mountinfo";
	_cleanup_buf_ struct buf text = { 0 };

	if (pid > 0)
		snprintf(path, sizeof path, "/proc/%d/mountinfo", (int)pid);
	if (io_slurp(AT_FDCWD, path, TABLE_LARGEST, &text) < 0)
		return err_set(err, errno, "%s: can't be read", path);
	mnt_parse(text.data, mounts, n);
	return 0;
}

int mnt_list(pid_t pid, struct mnt_info **mounts, size_t *n, struct err *err)
{
	return mnt_list_statmount(pid, mounts, n) ? 0 : mnt_list_mountinfo(pid, mounts, n, err);
}

void mnt_free(struct mnt_info *mounts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(mounts[i].root);
		free(mounts[i].target);
		free(mounts[i].options);
		free(mounts[i].propagation);
		free(mounts[i].type);
		free(mounts[i].source);
		free(mounts[i].super);
	}
	free(mounts);
}

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000
#endif

char *mnt_type_of(int fd)
{
	struct mnt_info *mounts = NULL;
	struct statx st;
	size_t n = 0;
	char *type = NULL;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID) || mnt_list(0, &mounts, &n, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < n && !type; i++)
		if ((uint64_t)mounts[i].id == st.stx_mnt_id)
			type = xstrdup(mounts[i].type);
	mnt_free(mounts, n);
	return type;
}
