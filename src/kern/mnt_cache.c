/*
 * mnt_cache.c - archives unpacked once
 *
 * A layer is unpacked beside the others under a name of the session's own, which is in its ledger, and renamed when it is whole.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/module.h"
#include "kern/mnt_cache.h"
#include "kern/mnt_parts.h"
#include "kern/rootless.h"
#include "kern/step.h"
#include "kern/sys.h"
#include "kern/tree.h"

enum { ABOUT_LARGEST = 16384 };

char *cache_path(void)
{
	const char *said = getenv("BELLJAR_CACHE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (said && said[0] == '/')
		return xstrdup(said);
	if (rootless_uid() == 0)
		return xstrdup("/var/cache/belljar");
	if (cache && cache[0] == '/')
		return xasprintf("%s/belljar", cache);
	return home && home[0] == '/' ? xasprintf("%s/.cache/belljar", home) : xasprintf("/tmp/belljar-%u.cache", (unsigned)rootless_uid());
}

char *cache_below(const char *name)
{
	_cleanup_free_ char *path = cache_path();

	return xasprintf("%s/%s", path, name);
}

static int make_parents(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *slash = copy + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return -1;
	}
	return 0;
}

/* A link that leads there must be the user's or root's: in /tmp another user's would lead to what is the user's alone as well. */
static bool is_strangers_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid != geteuid() && st.st_uid != 0;
}

int cache_open(bool create, struct err *err)
{
	_cleanup_free_ char *path = cache_path();
	struct stat st;

	if (create && (make_parents(path) < 0 || (mkdir(path, 0700) < 0 && errno != EEXIST))) {
		err_set(err, errno, "%s: the cache for unpacked archives can't be made", path);
		return err_try(err, "!export BELLJAR_CACHE=DIRECTORY, before belljar is started");
	}
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: can't be opened", path);
	/* Programs with the set-user-ID bit lie in it. */
	if (st.st_uid != geteuid() || (st.st_mode & 077) || is_strangers_link(path)) {
		err_set(err, EPERM, "%s: not a directory of yours alone", path);
		return err_try(err, "!chmod 700 %s", path);
	}
	return move_fd(&fd);
}

int cache_lock(bool alone, struct err *err)
{
	_cleanup_free_ char *path = cache_path();

	_cleanup_close_ int fd = cache_open(true, err);
	if (fd < 0)
		return -1;
	if ((mkdirat(fd, "layers", 0700) < 0 && errno != EEXIST) || (mkdirat(fd, "files", 0700) < 0 && errno != EEXIST))
		return err_set(err, errno, "%s: can't be written to", path);
	while (flock(fd, alone ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "%s: can't be locked", path);
	return move_fd(&fd);
}

/* Owners */

struct owners {
	struct mnt_owner owner;
	struct mnt_id_range uids[MNT_ID_RANGES], gids[MNT_ID_RANGES];
	size_t n_uids, n_gids;
};

/* The owners that the layer of place P must be stored with: those of the archive, if they can be shown shifted. NULL then. */
static struct owners *stored_owners(const struct place *p)
{
	_cleanup_free_ char *path = cache_path();
	struct mnt_owner o = mnt_owner(p);

	if (!o.other)
		return NULL;
	_cleanup_close_ int tree = sys_open_tree(AT_FDCWD, path, SYS_TREE_CLONE);
	if (tree >= 0 && mnt_give(tree, &o, false) == 0)
		return NULL;
	struct owners *owners = xcalloc(1, sizeof *owners);
	owners->owner = o;
	owners->n_uids = mnt_id_ranges(p, "uid_map", owners->uids);
	owners->n_gids = mnt_id_ranges(p, "gid_map", owners->gids);
	return owners;
}

static bool outside(const void *arg, bool group, int64_t id, uint32_t *number)
{
	const struct owners *o = arg;

	/* The last number means "leave it" to the kernel. */
	if (id < 0 || id >= UINT32_MAX)
		return false;
	*number = (uint32_t)id;
	if (!o)
		return true;
	return group ? mnt_id_outside(o->gids, o->n_gids, id, number) : mnt_id_outside(o->uids, o->n_uids, id, number);
}

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const struct mnt_id_range *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint32_t words[] = { r[i].inside, r[i].outside, r[i].count };
		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			hash = (hash ^ words[k]) * 1099511628211u;
	}
	return hash;
}

/* Keys */

static char *key_of(const struct stat *st, const struct owners *owners, bool devices)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_fmt(&b, "%u_%u.%ju.%jd.%jd.%09ld.%jd.%09ld", major(st->st_dev), minor(st->st_dev), (uintmax_t)st->st_ino, (intmax_t)st->st_size,
		(intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	if (devices)
		buf_str(&b, "-devices");
	if (owners)
		buf_fmt(&b, "-owners.%016" PRIx64, mix(mix(14695981039346656037u, owners->uids, owners->n_uids), owners->gids, owners->n_gids));
	return buf_take(&b);
}

static int open_archive(const char *path, struct stat *st, struct err *err)
{
	/* A fifo would block, a device might do anything. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, st) < 0)
		return err_set(err, errno, "%.500s: can't be opened", path);
	if (!S_ISREG(st->st_mode))
		return err_set(err, 0, "%.500s: it is neither a directory nor an archive", path);
	return move_fd(&fd);
}

char *cache_key(const char *archive, const struct place *p, bool devices, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = open_archive(archive, &st, err);

	if (fd < 0)
		return NULL;
	_cleanup_free_ struct owners *owners = stored_owners(p);
	_cleanup_free_ char *key = key_of(&st, owners, devices), *name = xasprintf("files/%s", key);
	return cache_below(name);
}

bool cache_has(const char *key, char digest[ARCHIVE_DIGEST])
{
	char link[256];
	ssize_t n = readlink(key, link, sizeof link - 1);
	_cleanup_free_ char *root = xasprintf("%s/root", key);

	if (n < 0 || access(root, F_OK) < 0)
		return false;
	link[n] = '\0';
	return sscanf(link, "../layers/%64[0-9a-f]", digest) == 1 && strlen(digest) == ARCHIVE_DIGEST - 1;
}

/* Unpacking */

static int put_about(int dir, const struct step *s, const struct archive_report *r, struct err *err)
{
	_cleanup_free_ char *text = xasprintf("%" PRIu64 " %" PRIu64 "\n%s\n", r->bytes, r->entries, s->from);
	_cleanup_close_ int fd = openat(dir, "about", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 || io_write(fd, text, strlen(text)) < 0 ? err_set(err, errno, "%s: can't be written", s->what) : 0;
}

/* Unpack into the directory S->what. */
static int unpack(const struct step *s, struct archive_report *r, struct err *err)
{
	_cleanup_free_ struct owners *owners = stored_owners(s->place);
	struct archive_how how = { .name = s->from, .most = (uint64_t)s->num, .devices = s->flags & 1, .user_marks = !mnt_privileged(),
				   .outside = outside, .arg = owners };
	archive_unpack_function *function = NULL;
	void *symbol = module_symbol("archive", "archive_unpack", err);
	struct stat before, after;
	uint32_t uid = 0, gid = 0;

	if (!symbol)
		return -1;
	memcpy(&function, &symbol, sizeof function);
	_cleanup_close_ int fd = open_archive(s->from, &before, err);
	if (fd < 0)
		return -1;
	if (mkdir(s->what, 0700) < 0)
		return err_set(err, errno, "%s: can't be made", s->what);
	_cleanup_close_ int dir = open(s->what, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || mkdirat(dir, "root", 0700) < 0 || fchmodat(dir, "root", 0755, 0) < 0)
		return err_set(err, errno, "%s: can't be written to", s->what);
	_cleanup_close_ int root = openat(dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || (outside(owners, false, 0, &uid) && outside(owners, true, 0, &gid) && fchown(root, uid, gid) < 0))
		return err_set(err, errno, "%s: can't be written to", s->what);
	if (function(fd, &how, root, r, err) < 0)
		return -1;
	_cleanup_free_ char *key = key_of(&before, owners, how.devices);
	if (!streq(key, strrchr(s->to, '/') + 1) || fstat(fd, &after) < 0 || before.st_ctim.tv_sec != after.st_ctim.tv_sec ||
	    before.st_ctim.tv_nsec != after.st_ctim.tv_nsec)
		return err_set(err, ESTALE, "%s: it was changed meanwhile", s->from);
	if (s->text && !streq(s->text, r->digest)) {
		err_set(err, EBADMSG, "%s: its digest is sha256:%s", s->from, r->digest);
		return err_why(err, "sha256:%s was asked for, so it is damaged, or another archive", s->text);
	}
	return put_about(dir, s, r, err);
}

/* Give the layer its name, and the archive its link to it. */
static int settle(const struct step *s, const char *digest, struct err *err)
{
	const char *suffix = strchr(strrchr(s->to, '/'), '-');
	_cleanup_free_ char *name = xasprintf("layers/%s%s", digest, suffix ? suffix : ""), *path = cache_below(name), *link = xasprintf("../%s", name);

	if (rename(s->what, path) < 0 && errno != ENOTEMPTY && errno != EEXIST)
		return err_set(err, errno, "%s: can't be put into the cache", s->from);
	if (symlink(link, s->to) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, errno, "%s: can't be put into the cache", s->from);
}

int cache_unpack(struct step *s, int fd, struct err *err)
{
	struct archive_report r;
	char there[ARCHIVE_DIGEST];

	(void)fd;
	/* A link to what was removed. */
	if (!cache_has(s->to, there))
		unlink(s->to);
	int result = unpack(s, &r, err) < 0 || settle(s, r.digest, err) < 0 ? -1 : 0;
	/* What is left there is half a layer, or one that was there already. */
	if (tree_remove(AT_FDCWD, s->what) < 0 && result == 0)
		return err_set(err, errno, "%s: can't be removed", s->what);
	return result;
}

/* Looking, and clearing up */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cache_entry *)a)->name, ((const struct cache_entry *)b)->name);
}

static struct cache_entry read_entry(const char *name)
{
	_cleanup_free_ char *about = xasprintf("layers/%s/about", name), *path = cache_below(about);
	_cleanup_buf_ struct buf text = { 0 };
	struct cache_entry e = { .name = xstrdup(name) };
	int at = 0;

	if (io_slurp(AT_FDCWD, path, ABOUT_LARGEST, &text) == 0)
		sscanf(buf_text(&text), "%" SCNd64 " %" SCNd64 "%n", &e.bytes, &e.entries, &at);
	e.archive = xstrndup(buf_text(&text) + at + (at > 0), strcspn(buf_text(&text) + at + (at > 0), "\n"));
	return e;
}

int cache_list(struct cache_entry **entries, size_t *n, struct err *err)
{
	_cleanup_free_ char *path = cache_below("layers"), *cache = cache_path();
	struct dirent *e;

	*entries = NULL;
	*n = 0;
	if (access(cache, F_OK) < 0 && errno == ENOENT)
		return 0;
	_cleanup_close_ int fd = cache_open(false, err);
	if (fd < 0)
		return -1;
	DIR *list = opendir(path);
	if (!list)
		return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be read", path);
	while ((e = readdir(list)))
		if (e->d_name[0] != '.')
			*GROW(entries, n) = read_entry(e->d_name);
	closedir(list);
	if (*n)
		qsort(*entries, *n, sizeof **entries, by_name);
	return 0;
}

void cache_free(struct cache_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(entries[i].name);
		free(entries[i].archive);
	}
	free(entries);
}

void cache_tidy(void)
{
	_cleanup_free_ char *path = cache_below("files");
	DIR *list = opendir(path);
	struct dirent *e;
	struct stat st;

	while (list && (e = readdir(list)))
		if (e->d_name[0] != '.' && fstatat(dirfd(list), e->d_name, &st, 0) < 0 && errno == ENOENT)
			unlinkat(dirfd(list), e->d_name, 0);
	if (list)
		closedir(list);
}
