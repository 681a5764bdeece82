/*
 * archive.c - unpacking an archive beneath a directory, with a writer of our own
 *
 * The archive is hostile. libarchive reads it; what is written, and where, is decided here: a name has no "..", its directory is resolved
 * beneath the root (openat2 RESOLVE_IN_ROOT, so a link of the archive's leads nowhere but inside), and the last part of it is made new in that
 * directory, never opened: what was there before is unlinked. A hard link is made between two names found in the same way. Fifos and sockets
 * are left out, device nodes unless they are asked for. Bytes, entries and the depth of names are bounded.
 *
 * Marks of deleted files are those of the OCI image format in the archive, and become those of overlayfs: a character device 0:0 in place of
 * the file, an attribute of the directory.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/archive.h"
#include "kern/digest.h"
#include "kern/sys.h"

enum { BLOCK = 256 * 1024, ENTRIES_MOST = 1 << 22, DEPTH_MOST = 200, XATTRS_MOST = 32 };
/* What an entry costs on a disk beside its contents. */
enum { ENTRY_COSTS = 512, DIRECTORY_COSTS = 4096 };

struct stamp {
	char *path;
	struct timespec time;
};

struct unpack {
	struct archive *in;
	struct archive_entry *entry;
	const struct archive_how *how;
	int fd;                /* of the archive, */
	char *blocks[2];       /* what was read of it last, and before that, */
	struct digest *digest; /* and the digest of all of that */
	const char *shown;     /* the entry's name as it may be printed */
	int root;
	int dir;               /* the directory last written into, */
	char *dir_path;        /* and its name; NULL = none */
	struct stamp *stamps;  /* directories, whose times are set when they are full */
	size_t n_stamps;
	uint64_t cost;         /* so far, as `most` counts */
	struct archive_report *report;
	struct err *err;
};

static int refuse(struct unpack *u, int number, const char *why)
{
	return err_set(u->err, number, "%s: entry %.300s: %s", u->how->name, u->shown, why);
}

static int trouble(struct unpack *u, const char *what)
{
	int number = errno;

	refuse(u, number, what);
	if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
		err_why(u->err, "archives are unpacked into $BELLJAR_CACHE, or else belljar's directory below /var/cache, and that disk is full");
	}
	return -1;
}

/* Count BYTES of an entry before they are written. */
static int spend(struct unpack *u, uint64_t bytes)
{
	if (bytes <= u->how->most && u->cost <= u->how->most - bytes) {
		u->cost += bytes;
		return 0;
	}
	refuse(u, EFBIG, "can't be written, the archive holds more than may be unpacked");
	return err_try(u->err, "root %s unpack %lluG", u->how->name, (unsigned long long)((u->how->most >> 30) + 1) * 2);
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

	if (spend(u, DIRECTORY_COSTS) < 0 || mkdirat(dir, name, 0755) < 0)
		return -1;
	if (u->how->outside(u->how->arg, false, 0, &uid) && u->how->outside(u->how->arg, true, 0, &gid) &&
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
			if (!u->err->status)
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

	if (!u->how->outside(u->how->arg, false, archive_entry_uid(u->entry), &uid) ||
	    !u->how->outside(u->how->arg, true, archive_entry_gid(u->entry), &gid)) {
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

/* The directory FD hides what the layers below have in its place. */
static int mark_opaque(struct unpack *u, int fd)
{
	if (fsetxattr(fd, u->how->user_marks ? "user.overlay.opaque" : "trusted.overlay.opaque", "y", 1, 0) == 0)
		return 0;
	return trouble(u, "can't be marked as hiding what is below it");
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* Make the directory NAME. *HIDES: it takes the place of a mark that it was deleted below. */
static int make_new_directory(struct unpack *u, const char *name, bool *hides)
{
	struct stat st;

	if (mkdirat(u->dir, name, 0700) == 0)
		return 0;
	if (errno != EEXIST || fstatat(u->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return 0;
	*hides = is_whiteout(&st);
	return unlinkat(u->dir, name, 0) < 0 || mkdirat(u->dir, name, 0700) < 0 ? -1 : 0;
}

static int put_directory(struct unpack *u, const char *path)
{
	const char *name = *path ? enter_parent(u, path) : "";
	bool hides = false;

	if (!name || spend(u, DIRECTORY_COSTS) < 0)
		return -1;
	if (*path && make_new_directory(u, name, &hides) < 0)
		return trouble(u, "can't be made");
	_cleanup_close_ int fd = *path ? openat(u->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				       : openat(u->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return trouble(u, "can't be opened");
	if (hides && mark_opaque(u, fd) < 0)
		return -1;
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

/* A new file; most names are new, so they are tried first. */
static int create(struct unpack *u, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(u->dir, name, flags, 0600);

	if (fd < 0 && errno == EEXIST)
		return make_way(u, name) < 0 ? -1 : openat(u->dir, name, flags, 0600);
	return fd;
}

static int put_file(struct unpack *u, const char *name)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, entry_time(u) };
	_cleanup_close_ int fd = create(u, name);

	if (fd < 0)
		return u->err->status ? -1 : trouble(u, "can't be made");
	if (copy_data(u, fd) < 0 || finish(u, fd) < 0)
		return -1;
	if (archive_entry_mtime_is_set(u->entry))
		futimens(fd, times);
	return 0;
}

static int put_device(struct unpack *u, const char *name, mode_t type)
{
	if (mknodat(u->dir, name, type | (archive_entry_perm(u->entry) & 07777), archive_entry_rdev(u->entry)) < 0)
		return trouble(u, "the device can't be made");
	return set_owner(u, u->dir, name);
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

/* The mark that NAME of this directory is deleted. A file of that name in the same archive is newer than what is deleted. */
static int put_whiteout(struct unpack *u, const char *name)
{
	if (!*name || streq(name, ".") || streq(name, ".."))
		return refuse(u, EINVAL, "a mark that nothing is deleted");
	if (mknodat(u->dir, name, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
		return trouble(u, "the mark of a deleted file can't be made");
	return 0;
}

/* `.wh.NAME` and `.wh..wh..opq`; other names that begin with `.wh..wh.` were an older file system's own. */
static int put_mark(struct unpack *u, const char *path)
{
	const char *mark = enter_parent(u, path);

	if (!mark)
		return -1;
	if (!starts_with(mark, ".wh..wh."))
		return put_whiteout(u, mark + strlen(".wh."));
	if (!streq(mark, ".wh..wh..opq"))
		return 0;
	_cleanup_close_ int fd = openat(u->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? trouble(u, "can't be opened") : mark_opaque(u, fd);
}

static bool is_mark(const char *path)
{
	const char *slash = strrchr(path, '/');

	return starts_with(slash ? slash + 1 : path, ".wh.");
}

/* What is neither a directory nor a hard link. */
static int put_other(struct unpack *u, const char *path, mode_t type)
{
	bool device = type == AE_IFCHR || type == AE_IFBLK;

	/* In an archive this would be a mark in the kernel's own form. */
	if (type == AE_IFCHR && archive_entry_rdev(u->entry) == makedev(0, 0))
		device = false;
	if (type != AE_IFREG && type != AE_IFLNK && !(device && u->how->devices)) {
		u->report->devices++;
		return 0;
	}
	const char *name = enter_parent(u, path);
	if (!name || (type != AE_IFREG && make_way(u, name) < 0))
		return -1;
	return type == AE_IFREG ? put_file(u, name) : type == AE_IFLNK ? put_symlink(u, name) : put_device(u, name, type);
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
	if (spend(u, ENTRY_COSTS + (archive_entry_size(u->entry) > 0 ? (uint64_t)archive_entry_size(u->entry) : 0)) < 0)
		return -1;
	if (*path && is_mark(path))
		return put_mark(u, path);
	if (!link && type == AE_IFDIR)
		return put_directory(u, path);
	if (!*path)
		return refuse(u, EINVAL, "the root itself can only be a directory");
	if (link)
		return put_hardlink(u, path, link);
	return put_other(u, path, type);
}

/* libarchive's reader: what it gets is what the digest is of. */
static ssize_t read_block(struct archive *in, void *arg, const void **block)
{
	struct unpack *u = arg;
	char *now = u->blocks[0];
	ssize_t n;

	while ((n = read(u->fd, now, BLOCK)) < 0 && errno == EINTR)
		;
	if (n < 0)
		archive_set_error(in, errno, "it can't be read");
	else
		digest_add(u->digest, now, (size_t)n);
	u->blocks[0] = u->blocks[1];
	*block = u->blocks[1] = now;
	return n;
}

static int open_archive(struct unpack *u)
{
	archive_read_support_format_tar(u->in);
	archive_read_support_filter_gzip(u->in);
	archive_read_support_filter_bzip2(u->in);
	archive_read_support_filter_xz(u->in);
	archive_read_support_filter_lzma(u->in);
	archive_read_support_filter_zstd(u->in);
	/* Names are bytes, in whatever locale. */
	archive_read_set_options(u->in, "tar:hdrcharset=BINARY");
	if (archive_read_open(u->in, u, NULL, read_block, NULL) == ARCHIVE_OK)
		return 0;
	err_set(u->err, 0, "%s: it is no archive that can be read: %s", u->how->name, archive_error_string(u->in));
	return err_try(u->err, "root DIRECTORY, or a tar archive (plain, gzip, bzip2, xz, zstd)");
}

/* The digest is of the whole file, so what comes behind the archive's end is read too. */
static int read_rest(struct unpack *u)
{
	const void *block;
	ssize_t n;

	while ((n = read_block(u->in, u, &block)) > 0)
		;
	if (n < 0)
		return err_set(u->err, errno, "%s: can't be read", u->how->name);
	return 0;
}

static int read_all(struct unpack *u)
{
	int result;

	while ((result = archive_read_next_header(u->in, &u->entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
		if (++u->report->entries > ENTRIES_MOST)
			return err_set(u->err, E2BIG, "%s: more than %d entries", u->how->name, ENTRIES_MOST);
		if (put_entry(u) < 0)
			return -1;
	}
	if (result == ARCHIVE_EOF && u->report->entries)
		return 0;
	if (result == ARCHIVE_EOF)
		return err_set(u->err, EINVAL, "%s: the archive is empty", u->how->name);
	return err_set(u->err, EBADMSG, "%s: after %llu entries: %s", u->how->name, (unsigned long long)u->report->entries,
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

int archive_unpack(int fd, const struct archive_how *how, int root, struct archive_report *report, struct err *err)
{
	_cleanup_free_ char *room = xmalloc(2 * BLOCK);
	struct err ignored = { 0 };
	struct unpack u = { .in = archive_read_new(), .how = how, .fd = fd, .blocks = { room, room + BLOCK }, .digest = digest_new(true), .shown = "", .root = root, .dir = -1,
			    .report = report, .err = err ? err : &ignored };
	mode_t old = umask(0);

	*report = (struct archive_report){ 0 };
	int result = open_archive(&u) < 0 || read_all(&u) < 0 || read_rest(&u) < 0 ? -1 : 0;
	digest_end(u.digest, report->digest);
	if (result == 0)
		stamp_directories(&u);
	report->bytes = u.cost;
	umask(old);
	forget_dir(&u);
	for (size_t i = 0; i < u.n_stamps; i++)
		free(u.stamps[i].path);
	free(u.stamps);
	archive_read_free(u.in);
	return result;
}
