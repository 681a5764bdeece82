/*
 * archive_pack.c - an upper layer as a tar archive in the form of the OCI image format
 *
 * What the kernel keeps as devices and attributes becomes names: a deleted file `.wh.NAME`, a directory that hides what is below
 * `.wh..wh..opq` in it. Programs may write meanwhile: a file is as long in the archive as it was when its turn came.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/archive.h"
#include "kern/digest.h"
#include "kern/walk.h"

enum { BLOCK = 256 * 1024, VALUE_LONGEST = 65536 };

struct link {
	dev_t dev;
	ino_t ino;
	char *path;
};

struct pack {
	struct archive *out;
	const struct archive_wish *wish;
	int fd;
	struct digest *digest;
	char *block;
	void *links;           /* files with several names: the first of them, a tree (tsearch(3)) of struct link */
	struct archive_report *report;
	const struct walk_entry *part; /* a directory that is written before the first thing in it; NULL = none */
};

static const char *mark(const struct pack *p, const char *key, char name[64])
{
	snprintf(name, 64, "%s.overlay.%s", p->wish->user_marks ? "user" : "trusted", key);
	return name;
}

/* libarchive's writer. */
static ssize_t write_block(struct archive *out, void *arg, const void *block, size_t n)
{
	struct pack *p = arg;

	if (io_write(p->fd, block, n) < 0) {
		archive_set_error(out, errno, "it can't be written");
		return -1;
	}
	digest_add(p->digest, block, n);
	return (ssize_t)n;
}

static int trouble(const struct pack *p, struct err *err)
{
	return err_set(err, archive_errno(p->out), "%.500s: %s", p->wish->name,
		       archive_error_string(p->out) ? archive_error_string(p->out) : "it can't be written");
}

static int refuse(const struct pack *p, const struct walk_entry *e, const char *why, struct err *err)
{
	_cleanup_buf_ struct buf shown = { 0 };

	buf_visible(&shown, e->path);
	return err_set(err, EINVAL, "%.500s: %.300s %s", p->wish->name, buf_text(&shown), why);
}

static void cleanup_entry(struct archive_entry **e)
{
	archive_entry_free(*e);
}
#define _cleanup_entry_ _cleanup_(cleanup_entry)

static struct archive_entry *new_entry(const struct pack *p, const struct walk_entry *e)
{
	struct archive_entry *a = archive_entry_new();

	archive_entry_copy_stat(a, &e->st);
	archive_entry_copy_pathname(a, e->path);
	archive_entry_set_uid(a, p->wish->inside(p->wish->arg, false, e->st.st_uid));
	archive_entry_set_gid(a, p->wish->inside(p->wish->arg, true, e->st.st_gid));
	/* Of the times only that of the contents is anybody's. */
	archive_entry_unset_atime(a);
	archive_entry_unset_ctime(a);
	archive_entry_unset_birthtime(a);
	return a;
}

static int put_header(struct pack *p, struct archive_entry *a, struct err *err)
{
	p->report->entries++;
	return archive_write_header(p->out, a) < ARCHIVE_WARN ? trouble(p, err) : 0;
}

/* An empty file of that name in the directory PATH. */
static int put_mark(struct pack *p, const char *path, const char *before, const char *name, struct err *err)
{
	_cleanup_entry_ struct archive_entry *a = archive_entry_new();
	_cleanup_free_ char *whole = xasprintf("%s%s%s%s", path, *path ? "/" : "", before, name);

	archive_entry_copy_pathname(a, whole);
	archive_entry_set_filetype(a, AE_IFREG);
	archive_entry_set_perm(a, 0644);
	archive_entry_set_size(a, 0);
	return put_header(p, a, err);
}

static int put_whiteout(struct pack *p, const struct walk_entry *e, struct err *err)
{
	const char *slash = strrchr(e->path, '/');
	_cleanup_free_ char *parent = xstrndup(e->path, slash ? (size_t)(slash - e->path) : 0);

	return put_mark(p, parent, ".wh.", e->name, err);
}

static void add_xattrs(struct archive_entry *a, int fd)
{
	char names[4096], value[VALUE_LONGEST];
	ssize_t n = flistxattr(fd, names, sizeof names);

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1) {
		const char *name = names + at;
		if (!streq(name, "security.capability") && (!starts_with(name, "user.") || starts_with(name, "user.overlay.")))
			continue;
		ssize_t len = fgetxattr(fd, name, value, sizeof value);
		if (len >= 0)
			archive_entry_xattr_add_entry(a, name, value, (size_t)len);
	}
}

static int copy_data(struct pack *p, int fd, int64_t size, struct err *err)
{
	while (size > 0) {
		ssize_t n = io_read(fd, p->block, size < BLOCK ? (size_t)size : BLOCK);
		/* One that became shorter meanwhile is filled up by libarchive. */
		if (n <= 0)
			break;
		if (archive_write_data(p->out, p->block, (size_t)n) < 0)
			return trouble(p, err);
		p->report->bytes += (uint64_t)n;
		size -= n;
	}
	return archive_write_finish_entry(p->out) < ARCHIVE_WARN ? trouble(p, err) : 0;
}

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->ino != y->ino ? (x->ino < y->ino ? -1 : 1) : x->dev != y->dev ? (x->dev < y->dev ? -1 : 1) : 0;
}

static void free_link(void *link)
{
	free(((struct link *)link)->path);
	free(link);
}

/* The first name of a file that has several; NULL when this is it. */
static const char *linked(struct pack *p, const struct walk_entry *e)
{
	const struct link wanted = { .dev = e->st.st_dev, .ino = e->st.st_ino };

	if (e->st.st_nlink < 2)
		return NULL;
	struct link *const *found = tfind(&wanted, &p->links, compare_links);
	if (found)
		return (*found)->path;
	struct link *first = xcalloc(1, sizeof *first);
	*first = (struct link){ wanted.dev, wanted.ino, xstrdup(e->path) };
	if (!tsearch(first, &p->links, compare_links))
		abort();
	return NULL;
}

static int put_file(struct pack *p, const struct walk_entry *e, struct err *err)
{
	_cleanup_entry_ struct archive_entry *a = new_entry(p, e);
	_cleanup_close_ int fd = openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *first = linked(p, e);
	char key[64];
	struct stat st;

	if (first) {
		archive_entry_copy_hardlink(a, first);
		archive_entry_unset_size(a);
		return put_header(p, a, err);
	}
	/* It was replaced a moment ago. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_ino != e->st.st_ino)
		return fd >= 0 || errno == ENOENT || errno == ELOOP ? 0 : refuse(p, e, "can't be read", err);
	if (st.st_size == 0 && fgetxattr(fd, mark(p, "whiteout", key), NULL, 0) >= 0)
		return put_whiteout(p, e, err);
	if (fgetxattr(fd, mark(p, "metacopy", key), NULL, 0) >= 0)
		return refuse(p, e, "has its contents in a layer below", err);
	archive_entry_set_size(a, st.st_size);
	add_xattrs(a, fd);
	return put_header(p, a, err) < 0 ? -1 : copy_data(p, fd, st.st_size, err);
}

static int put_directory(struct pack *p, const struct walk_entry *e, struct err *err)
{
	_cleanup_entry_ struct archive_entry *a = new_entry(p, e);
	_cleanup_close_ int fd = openat(e->dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char key[64], value[8];

	if (fd < 0)
		return errno == ENOENT ? 0 : refuse(p, e, "can't be read", err);
	if (fgetxattr(fd, mark(p, "redirect", key), NULL, 0) >= 0)
		return refuse(p, e, "is a renamed directory of a layer below, which no archive can tell", err);
	archive_entry_set_size(a, 0);
	add_xattrs(a, fd);
	if (put_header(p, a, err) < 0)
		return -1;
	if (fgetxattr(fd, mark(p, "opaque", key), value, sizeof value) == 1 && value[0] == 'y')
		return put_mark(p, e->path, ".wh..wh.", ".opq", err);
	return 0;
}

static int put_symlink(struct pack *p, const struct walk_entry *e, struct err *err)
{
	_cleanup_entry_ struct archive_entry *a = new_entry(p, e);
	char target[4097];
	ssize_t n = readlinkat(e->dir, e->name, target, sizeof target - 1);

	if (n < 0)
		return errno == ENOENT ? 0 : refuse(p, e, "can't be read", err);
	target[n] = '\0';
	archive_entry_copy_symlink(a, target);
	archive_entry_set_size(a, 0);
	return put_header(p, a, err);
}

static int put_waiting(struct pack *p, struct err *err)
{
	const struct walk_entry *part = p->part;

	p->part = NULL;
	return part ? put_directory(p, part, err) : 0;
}

static int put(void *arg, const struct walk_entry *e, struct err *err)
{
	struct pack *p = arg;

	if (put_waiting(p, err) < 0)
		return -1;
	if (S_ISCHR(e->st.st_mode) && e->st.st_rdev == makedev(0, 0))
		return put_whiteout(p, e, err);
	if (starts_with(e->name, ".wh."))
		return refuse(p, e, "has a name that means a deleted file in an archive", err);
	if (S_ISDIR(e->st.st_mode))
		return put_directory(p, e, err);
	if (S_ISREG(e->st.st_mode))
		return put_file(p, e, err);
	if (S_ISLNK(e->st.st_mode))
		return put_symlink(p, e, err);
	if (S_ISSOCK(e->st.st_mode)) {
		p->report->devices++;
		return WALK_ON;
	}
	_cleanup_entry_ struct archive_entry *a = new_entry(p, e);
	archive_entry_set_size(a, 0);
	return put_header(p, a, err);
}

static int open_archive(struct pack *p, struct err *err)
{
	const char *name = p->wish->name;

	archive_write_set_format_pax_restricted(p->out);
	if (ends_with(name, ".gz") || ends_with(name, ".tgz"))
		archive_write_add_filter_gzip(p->out);
	else if (ends_with(name, ".xz"))
		archive_write_add_filter_xz(p->out);
	else if (ends_with(name, ".zst"))
		archive_write_add_filter_zstd(p->out);
	return archive_write_open(p->out, p, NULL, write_block, NULL) < ARCHIVE_WARN ? trouble(p, err) : 0;
}

/* One of the directories of a root that is put together from them (mnt_whole.c). Where nothing was changed, nothing is written. */
static int put_part(void *arg, const struct walk_entry *e, struct err *err)
{
	struct pack *p = arg;
	struct walk_entry whole = { .dir = -1, .name = "upper", .path = e->name };
	_cleanup_close_ int part = openat(e->dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int up = part < 0 ? -1 : openat(part, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (up < 0)
		return WALK_PAST;
	if (fstat(up, &whole.st) < 0)
		return refuse(p, e, "can't be looked at", err);
	whole.dir = part;
	p->part = &whole;
	int result = walk(up, e->name, put, p, err);
	p->part = NULL;
	return result < 0 ? -1 : WALK_PAST;
}

/* The layer's own root (OWN: it is to be belljar's user's), which also makes an archive of an empty layer one that can be read. */
static int put_top(struct pack *p, int top, bool own, struct err *err)
{
	struct walk_entry e = { .dir = top, .name = ".", .path = "." };

	if (fstat(top, &e.st) < 0)
		return err_set(err, errno, "%.500s: the layer can't be looked at", p->wish->name);
	if (own)
		e.st.st_uid = geteuid(), e.st.st_gid = getegid();
	return put_directory(p, &e, err);
}

static int put_layer(struct pack *p, int top, struct err *err)
{
	_cleanup_close_ int up = openat(top, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (up >= 0)
		return put_top(p, up, false, err) < 0 ? -1 : walk(up, "", put, p, err);
	if (errno != ENOENT)
		return err_set(err, errno, "%.500s: the upper layer can't be opened", p->wish->name);
	_cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0 || put_top(p, root, true, err) < 0 ? -1 : walk(top, "", put_part, p, err);
}

int archive_pack(int top, const struct archive_wish *wish, int fd, struct archive_report *report, struct err *err)
{
	_cleanup_free_ char *block = xmalloc(BLOCK);
	struct pack p = { .out = archive_write_new(), .wish = wish, .fd = fd, .block = block, .digest = digest_new(false), .report = report };

	*report = (struct archive_report){ 0 };
	int result = open_archive(&p, err) < 0 || put_layer(&p, top, err) < 0 ? -1 : 0;
	if (result == 0 && archive_write_close(p.out) < ARCHIVE_WARN)
		result = trouble(&p, err);
	archive_write_free(p.out);
	digest_end(p.digest, report->digest);
	tdestroy(p.links, free_link);
	return result;
}
