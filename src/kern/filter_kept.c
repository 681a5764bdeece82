/*
 * filter_kept.c - filters that were compiled before
 *
 * Loading the libraries and compiling take most of the time of a short program's filter, so what was compiled is kept: in this process, and in
 * the cache directory for the next. There it is a file for each value, named by a digest of all that it depends on: the value, capabilities,
 * mode, and the build of the module. The file holds that text in full, and is only taken when it is the very same; when it is this user's, and
 * nobody else can write to it; and when it is whole. Whatever else lies there counts as nothing there.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/module.h"
#include "kern/filter.h"
#include "kern/mnt_cache.h"
#include "kern/wire.h"

enum { KEPT = 16, FILE_LARGEST = 4 << 20, FILES_MOST = 64 };

/* A file: this, the text it depends on, instructions, answers. */
struct head {
	char magic[8];
	uint64_t sum;                  /* of all that follows it */
	uint32_t key, n, n_answers, listens, otherwise, unused;
};
static const char magic[8] = "bjfilt1";

struct kept {
	char *value;
	uint64_t caps;
	enum filter_mode mode;
	bool lasts;                    /* is in the cache directory, or can't be */
	struct filter filter;
};

void filter_free(struct filter *f)
{
	free(f->code);
	free(f->answers);
	*f = (struct filter){ 0 };
}

/* FNV-1a. */
static uint64_t digest(const void *data, size_t n)
{
	const unsigned char *c = data;
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ c[i]) * 1099511628211u;
	return hash;
}

static char *key_of(const char *value, uint64_t caps, enum filter_mode mode, struct err *err)
{
	_cleanup_free_ char *stamp = module_stamp("seccomp", err);

	return stamp ? xasprintf("%s %s %" PRIx64 " %d\n%s", PACKAGE_VERSION, stamp, caps, (int)mode, value) : NULL;
}

static bool is_ours(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() && !(st.st_mode & 022);
}

/* Where they lie; -1 when there is no such place, or it is not ours. */
static int open_directory(bool create)
{
	struct err none;
	_cleanup_close_ int cache = cache_open(create, &none);

	if (cache < 0 || (create && mkdirat(cache, "filters", 0700) < 0 && errno != EEXIST))
		return -1;
	_cleanup_close_ int fd = openat(cache, "filters", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_ours(fd, S_IFDIR) ? move_fd(&fd) : -1;
}

static void name_of(const char *key, char name[24])
{
	snprintf(name, 24, "%016" PRIx64, digest(key, strlen(key)));
}

/* TEXT is a file's: into F, unless anything about it is wrong. */
static bool unpack(const char *text, size_t size, const char *key, struct filter *f)
{
	struct head head;

	if (size < sizeof head)
		return false;
	memcpy(&head, text, sizeof head);
	size_t code = (size_t)head.n * sizeof *f->code, answers = (size_t)head.n_answers * sizeof *f->answers;
	if (memcmp(head.magic, magic, sizeof magic) != 0 || head.sum != digest(text + 16, size - 16) || head.key != strlen(key) || head.n == 0 ||
	    head.n > BPF_MAXINSNS || size != sizeof head + head.key + code + answers || memcmp(text + sizeof head, key, head.key) != 0)
		return false;
	*f = (struct filter){ .code = xmalloc(code), .n = head.n, .listens = head.listens != 0, .otherwise = head.otherwise,
			      .answers = xcalloc(head.n_answers, sizeof *f->answers), .n_answers = head.n_answers };
	memcpy(f->code, text + sizeof head + head.key, code);
	if (answers)
		memcpy(f->answers, text + sizeof head + head.key + code, answers);
	return true;
}

static bool take(const char *key, struct filter *f)
{
	_cleanup_close_ int directory = open_directory(false);
	_cleanup_buf_ struct buf text = { 0 };
	char name[24];

	if (directory < 0)
		return false;
	name_of(key, name);
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_ours(fd, S_IFREG) || io_slurp_fd(fd, FILE_LARGEST, &text) < 0)
		return false;
	return unpack(text.data, text.len, key, f);
}

static void make_room(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int n = 0;

	if (!dir)
		close_fd(&fd);
	while (dir && readdir(dir))
		n++;
	if (n >= FILES_MOST)
		rewinddir(dir);
	for (struct dirent *e; n >= FILES_MOST && (e = readdir(dir));)
		unlinkat(directory, e->d_name, 0);
	if (dir)
		closedir(dir);
}

/* It has no name until it is whole. Where that can't be, it is compiled again the next time. */
static void leave(const char *key, const struct filter *f)
{
	_cleanup_close_ int directory = open_directory(true);
	_cleanup_close_ int fd = directory < 0 ? -1 : openat(directory, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	_cleanup_buf_ struct buf b = { 0 };
	struct head head = { .key = (uint32_t)strlen(key), .n = (uint32_t)f->n, .n_answers = (uint32_t)f->n_answers, .listens = f->listens,
			     .otherwise = f->otherwise };
	char name[24], self[32];

	if (fd < 0)
		return;
	memcpy(head.magic, magic, sizeof magic);
	buf_bytes(&b, &head, sizeof head);
	buf_bytes(&b, key, head.key);
	buf_bytes(&b, f->code, f->n * sizeof *f->code);
	if (f->n_answers)
		buf_bytes(&b, f->answers, f->n_answers * sizeof *f->answers);
	head.sum = digest(b.data + 16, b.len - 16);
	memcpy(b.data, &head, sizeof head);
	if (b.len > FILE_LARGEST || io_write(fd, b.data, b.len) < 0)
		return;
	make_room(directory);
	name_of(key, name);
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	/* What is there already was not fit to be taken. */
	for (int i = 0; i < 2; i++)
		if (linkat(AT_FDCWD, self, directory, name, AT_SYMLINK_FOLLOW) == 0 || errno != EEXIST || unlinkat(directory, name, 0) < 0)
			return;
}

static int fetch(struct kept *k, const char *value, uint64_t caps, enum filter_mode mode, struct err *err)
{
	_cleanup_free_ char *key = key_of(value, caps, mode, err);

	if (!key)
		return -1;
	k->lasts = take(key, &k->filter);
	if (k->lasts)
		return 0;
	const struct filter_api *api = filter_api(err);
	return api ? api->compile(value, caps, mode, &k->filter, err) : -1;
}

static struct kept *find(const char *value, uint64_t caps, enum filter_mode mode, struct err *err)
{
	static struct kept kept[KEPT];
	static size_t next;

	for (size_t i = 0; i < KEPT; i++)
		if (kept[i].value && kept[i].caps == caps && kept[i].mode == mode && streq(kept[i].value, value))
			return &kept[i];
	struct kept *k = &kept[next];
	free(k->value);
	k->value = NULL;
	filter_free(&k->filter);
	if (fetch(k, value, caps, mode, err) < 0)
		return NULL;
	k->value = xstrdup(value);
	k->caps = caps;
	k->mode = mode;
	next = (next + 1) % KEPT;
	return k;
}

const struct filter *filter_compile(const char *value, uint64_t caps, enum filter_mode mode, bool keep, struct err *err)
{
	struct kept *k = find(value, caps, mode, err);

	if (k && keep && !k->lasts) {
		_cleanup_free_ char *key = key_of(value, caps, mode, NULL);
		if (key)
			leave(key, &k->filter);
		k->lasts = true;
	}
	return k ? &k->filter : NULL;
}
