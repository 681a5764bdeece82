/*
 * archive.c - unpacking an archive beneath a directory, with a writer of our own
 *
 * The archive is hostile. libarchive reads it; what is written, and where, is decided here: a name has no "..", its directory is resolved
 * beneath the root (openat2 RESOLVE_IN_ROOT, so a link of the archive's leads nowhere but inside), and the last part of it is made new in that
 * directory, never opened: what was there before is unlinked. A hard link is made between two names found in the same way. Device nodes,
 * fifos and sockets are left out. Room is bounded by the file system unpacked into, the number of entries and the depth of names here.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/archive.h"
#include "kern/sys.h"

enum { BLOCK = 64 * 1024, ENTRIES_MOST = 1 << 22, DEPTH_MOST = 200, XATTRS_MOST = 32 };

struct stamp {
	char *path;
	struct timespec time;
};

struct unpack {
	struct archive *in;
	struct archive_entry *entry;
	const char *archive;   /* its name, for errors */
	const char *shown;     /* the entry's name as it may be printed */
	int root;
	int dir;               /* the directory last written into, */
	char *dir_path;        /* and its name; NULL = none */
	struct stamp *stamps;  /* directories, whose times are set when they are full */
	size_t n_stamps;
	const struct archive_owners *owners;
	struct archive_report *report;
	struct err *err;
};

static int refuse(struct unpack *u, int number, const char *why)
{
	return err_set(u->err, number, "%s: entry %.300s: %s", u->archive, u->shown, why);
}

static int trouble(struct unpack *u, const char *what)
{
	int number = errno;

	refuse(u, number, what);
	if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
		err_why(u->err, "the root's file system is full");
		err_try(u->err, "root %s size 1G", u->archive);
	}
	return -1;
}

static void forget_dir(struct unpack *u)
{
	close_fd(&u->dir);
	free(u->dir_path);
	u->dir_path = NULL;
}

static int beneath(int root, const char *path, uint64_t flags, uint64_t more)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | more };

	return sys_openat2(root, *path ? path : ".", &how);
}

/* The name without "/" and "." in it, so "./a//b/" is "a/b" and the root is "". The caller's; NULL when it is refused. */
static char *clean_name(struct unpack *u, const char *name)
{
	size_t n = strlen(name), depth = 0;

	if (n >= PATH_MAX) {
		refuse(u, ENAMETOOLONG, "the name is too long");
		return NULL;
	}
	_cleanup_free_ char *clean = xmalloc(n + 1);
	size_t used = 0;
	while (*(name += strspn(name, "/"))) {
		size_t part = strcspn(name, "/");
		bool nothing = part == 1 && name[0] == '.';
		if (part == 2 && name[0] == '.' && name[1] == '.') {
			refuse(u, EXDEV, "it would lie outside (..)");
			return NULL;
		}
		if (part > NAME_MAX || (!nothing && ++depth > DEPTH_MOST)) {
			refuse(u, ENAMETOOLONG, part > NAME_MAX ? "a part of the name is too long" : "directories too deep in one another");
			return NULL;
		}
		if (!nothing) {
			if (used)
				clean[used++] = '/';
			memcpy(clean + used, name, part);
			used += part;
		}
		name += part;
	}
	clean[used] = '\0';
	return move_str(&clean);
}

/* Make the directory NAME, which the archive has not, in DIR: root's. */
static int make_missing(struct unpack *u, int dir, const char *name)
{
	uint32_t uid, gid;

	if (mkdirat(dir, name, 0755) < 0)
		return -1;
	if (u->owners->outside(u->owners->arg, false, 0, &uid) && u->owners->outside(u->owners->arg, true, 0, &gid) &&
	    fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		u->report->owners++;
	return 0;
}

/* Open the directory PATH, making what is missing of it. */
static int make_directory(struct unpack *u, const char *path)
{
	int fd = beneath(u->root, path, O_PATH | O_DIRECTORY, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	_cleanup_free_ char *part = xstrdup(path);
	_cleanup_close_ int dir = fcntl(u->root, F_DUPFD_CLOEXEC, 3);
	for (char *at = part, *slash; at; at = slash ? slash + 1 : NULL) {
		slash = strchr(at, '/');
		if (slash)
			*slash = '\0';
		int next = beneath(u->root, part, O_PATH | O_DIRECTORY, 0);
		if (next < 0 && errno == ENOENT) {
			/* A link to what is not there can't be made a directory: EEXIST. */
			if (make_missing(u, dir, at) < 0)
				return -1;
			next = beneath(dir, at, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
		}
		if (next < 0)
			return -1;
		close_fd(&dir);
		dir = next;
		if (slash)
			*slash = '/';
	}
	return move_fd(&dir);
}

/* Have u->dir be the directory PATH lies in; its last part, or NULL after an error. */
static const char *enter_parent(struct unpack *u, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	if (!u->dir_path || !streq(u->dir_path, parent)) {
		forget_dir(u);
		u->dir = make_directory(u, parent);
		if (u->dir < 0) {
			trouble(u, errno == EEXIST || errno == ELOOP || errno == ENOTDIR ?
					   "what should be its directory is a file, or a link that leads nowhere" : "its directory can't be made");
			return NULL;
		}
		u->dir_path = move_str(&parent);
	}
	return slash ? slash + 1 : path;
}

/* Attributes, when the contents are there: owner before mode (a change of owner clears set-user-ID) and before capabilities. */

static void set_xattrs(struct unpack *u, int fd)
{
	const char *name;
	const void *value;
	size_t size;
	int n = archive_entry_xattr_reset(u->entry);

	/* Not every kernel's tmpfs has user.*; what it does not take is left out. trusted.* is overlayfs's own. */
	for (int i = 0; i < n && i < XATTRS_MOST && archive_entry_xattr_next(u->entry, &name, &value, &size) == ARCHIVE_OK; i++)
		if (name && (streq(name, "security.capability") || starts_with(name, "user.")) && fsetxattr(fd, name, value, size, 0) < 0 &&
		    errno == ENOSPC)
			break;
}

static int set_owner(struct unpack *u, int dir, const char *name)
{
	uint32_t uid, gid;

	if (!u->owners->outside(u->owners->arg, false, archive_entry_uid(u->entry), &uid) ||
	    !u->owners->outside(u->owners->arg, true, archive_entry_gid(u->entry), &gid)) {
		u->report->owners++;
		return 0;
	}
	if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)) == 0)
		return 0;
	if (errno != EPERM && errno != EINVAL)
		return trouble(u, "its owner can't be set");
	u->report->owners++;
	return 0;
}

static struct timespec entry_time(struct unpack *u)
{
	return (struct timespec){ .tv_sec = archive_entry_mtime(u->entry), .tv_nsec = archive_entry_mtime_nsec(u->entry) };
}

static int finish(struct unpack *u, int fd)
{
	if (set_owner(u, fd, "") < 0)
		return -1;
	if (fchmod(fd, archive_entry_perm(u->entry) & 07777) < 0)
		return trouble(u, "its mode can't be set");
	set_xattrs(u, fd);
	return 0;
}

/* Kinds of entries */

static int put_directory(struct unpack *u, const char *path)
{
	const char *name = *path ? enter_parent(u, path) : "";

	if (!name)
		return -1;
	if (*path && mkdirat(u->dir, name, 0700) < 0) {
		struct stat st;
		if (errno != EEXIST || fstatat(u->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return trouble(u, "can't be made");
		if (!S_ISDIR(st.st_mode)) {
			if (unlinkat(u->dir, name, 0) < 0 || mkdirat(u->dir, name, 0700) < 0)
				return trouble(u, "can't be made");
		}
	}
	_cleanup_close_ int fd = *path ? openat(u->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				       : openat(u->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return trouble(u, "can't be opened");
	if (archive_entry_mtime_is_set(u->entry))
		*GROW(&u->stamps, &u->n_stamps) = (struct stamp){ xstrdup(path), entry_time(u) };
	return finish(u, fd);
}

/* What bears the name already makes way, except a directory that is not empty. */
static int make_way(struct unpack *u, const char *name)
{
	if (unlinkat(u->dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR && unlinkat(u->dir, name, AT_REMOVEDIR) == 0)
		return 0;
	return trouble(u, "a directory of the same name is in its place");
}

static int copy_data(struct unpack *u, int fd)
{
	const void *block;
	size_t size;
	int64_t offset, end = 0;
	int result;

	while ((result = archive_read_data_block(u->in, &block, &size, &offset)) == ARCHIVE_OK) {
		const char *at = block;
		while (size) {
			ssize_t n = pwrite(fd, at, size, offset);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return trouble(u, "can't be written");
			at += n;
			offset += n;
			size -= (size_t)n;
		}
		end = offset > end ? offset : end;
	}
	if (result != ARCHIVE_EOF)
		return refuse(u, EBADMSG, archive_error_string(u->in) ? archive_error_string(u->in) : "the archive is damaged");
	/* It may end in a hole. */
	if (archive_entry_size(u->entry) > end && ftruncate(fd, archive_entry_size(u->entry)) < 0)
		return trouble(u, "can't be written");
	return 0;
}

static int put_file(struct unpack *u, const char *name)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, entry_time(u) };
	_cleanup_close_ int fd = openat(u->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return trouble(u, "can't be made");
	if (copy_data(u, fd) < 0 || finish(u, fd) < 0)
		return -1;
	if (archive_entry_mtime_is_set(u->entry))
		futimens(fd, times);
	return 0;
}

static int put_symlink(struct unpack *u, const char *name)
{
	const char *target = archive_entry_symlink(u->entry);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, entry_time(u) };

	if (!target || !*target)
		return refuse(u, EINVAL, "a symbolic link to nothing");
	if (symlinkat(target, u->dir, name) < 0)
		return trouble(u, "can't be made");
	if (archive_entry_mtime_is_set(u->entry))
		utimensat(u->dir, name, times, AT_SYMLINK_NOFOLLOW);
	return set_owner(u, u->dir, name);
}

static int put_hardlink(struct unpack *u, const char *path, const char *target)
{
	_cleanup_free_ char *clean = clean_name(u, target);

	if (!clean)
		return -1;
	if (streq(clean, path) || !*clean)
		return refuse(u, EINVAL, "a hard link to itself or to the root");
	char *slash = strrchr(clean, '/');
	if (slash)
		*slash = '\0';
	_cleanup_close_ int dir = beneath(u->root, slash ? clean : "", O_PATH | O_DIRECTORY, 0);
	/* The name makes way only when there is something to take its place. */
	struct stat st;
	if (dir < 0 || fstatat(dir, slash ? slash + 1 : clean, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return trouble(u, "a hard link to what is not in the archive before it");
	const char *name = enter_parent(u, path);
	if (!name || make_way(u, name) < 0)
		return -1;
	return linkat(dir, slash ? slash + 1 : clean, u->dir, name, 0) < 0 ? trouble(u, "the hard link can't be made") : 0;
}

static bool is_whiteout(const char *path)
{
	const char *slash = strrchr(path, '/');

	return starts_with(slash ? slash + 1 : path, ".wh.");
}

static int put_entry(struct unpack *u)
{
	const char *raw = archive_entry_pathname(u->entry), *link = archive_entry_hardlink(u->entry);
	mode_t type = archive_entry_filetype(u->entry);
	_cleanup_buf_ struct buf shown = { 0 };

	buf_visible(&shown, raw ? raw : "");
	u->shown = buf_text(&shown);
	if (!raw)
		return refuse(u, EILSEQ, "the name can't be read");
	_cleanup_free_ char *path = clean_name(u, raw);
	if (!path)
		return -1;
	if (is_whiteout(path)) {
		u->report->whiteouts++;
		return 0;
	}
	if (!link && type == AE_IFDIR)
		return put_directory(u, path);
	if (!*path)
		return refuse(u, EINVAL, "the root itself can only be a directory");
	if (link)
		return put_hardlink(u, path, link);
	if (type != AE_IFREG && type != AE_IFLNK) {
		u->report->devices++;
		return 0;
	}
	const char *name = enter_parent(u, path);
	if (!name || make_way(u, name) < 0)
		return -1;
	return type == AE_IFLNK ? put_symlink(u, name) : put_file(u, name);
}

static int open_archive(struct unpack *u, int fd)
{
	archive_read_support_format_tar(u->in);
	archive_read_support_filter_gzip(u->in);
	archive_read_support_filter_bzip2(u->in);
	archive_read_support_filter_xz(u->in);
	archive_read_support_filter_lzma(u->in);
	archive_read_support_filter_zstd(u->in);
	/* Names are bytes, in whatever locale. */
	archive_read_set_options(u->in, "tar:hdrcharset=BINARY");
	if (archive_read_open_fd(u->in, fd, BLOCK) == ARCHIVE_OK)
		return 0;
	err_set(u->err, 0, "%s: it is no archive that can be read: %s", u->archive, archive_error_string(u->in));
	return err_try(u->err, "root DIRECTORY, or a tar archive (plain, gzip, bzip2, xz, zstd)");
}

static int read_all(struct unpack *u)
{
	int result;

	while ((result = archive_read_next_header(u->in, &u->entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
		if (++u->report->entries > ENTRIES_MOST)
			return err_set(u->err, E2BIG, "%s: more than %d entries", u->archive, ENTRIES_MOST);
		if (put_entry(u) < 0)
			return -1;
	}
	if (result == ARCHIVE_EOF && u->report->entries)
		return 0;
	if (result == ARCHIVE_EOF)
		return err_set(u->err, EINVAL, "%s: the archive is empty", u->archive);
	return err_set(u->err, EBADMSG, "%s: after %llu entries: %s", u->archive, (unsigned long long)u->report->entries,
		       archive_error_string(u->in) ? archive_error_string(u->in) : "the archive is damaged");
}

static void stamp_directories(struct unpack *u)
{
	for (size_t i = u->n_stamps; i-- > 0;) {
		struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, u->stamps[i].time };
		_cleanup_close_ int fd = beneath(u->root, u->stamps[i].path, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
		if (fd >= 0)
			futimens(fd, times);
	}
}

int archive_unpack(int fd, const char *name, int root, const struct archive_owners *owners, struct archive_report *report, struct err *err)
{
	struct unpack u = { .in = archive_read_new(), .archive = name, .shown = "", .root = root, .dir = -1, .owners = owners,
			    .report = report, .err = err };
	mode_t old = umask(0);

	*report = (struct archive_report){ 0 };
	int result = open_archive(&u, fd) < 0 || read_all(&u) < 0 ? -1 : 0;
	if (result == 0)
		stamp_directories(&u);
	umask(old);
	forget_dir(&u);
	for (size_t i = 0; i < u.n_stamps; i++)
		free(u.stamps[i].path);
	free(u.stamps);
	archive_read_free(u.in);
	return result;
}
