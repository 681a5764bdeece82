/*
 * walk.c - looking at all that is in a directory
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/walk.h"

struct walker {
	int (*each)(void *arg, const struct walk_entry *e, struct err *err);
	void *arg;
	struct buf path;
	struct err *err;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* The names in DIR, which is closed, in order. 0, or -1 with errno. */
static int read_names(int dir, char ***names, size_t *n)
{
	DIR *list = fdopendir(dir);
	struct dirent *e;

	*names = NULL;
	*n = 0;
	if (!list) {
		close_fd(&dir);
		return -1;
	}
	errno = 0;
	while ((e = readdir(list)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			*GROW(names, n) = xstrdup(e->d_name);
	int number = errno;
	closedir(list);
	if (*n)
		qsort(*names, *n, sizeof **names, by_name);
	errno = number;
	return number ? -1 : 0;
}

static int walk_directory(struct walker *w, int dir, dev_t device, unsigned depth);

static int walk_one(struct walker *w, int dir, const char *name, dev_t device, unsigned depth)
{
	struct walk_entry e = { .dir = dir, .name = name, .path = buf_text(&w->path), .depth = depth };

	if (fstatat(dir, name, &e.st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return errno == ENOENT ? 0 : err_set(w->err, errno, "%.500s: can't be looked at", e.path);
	int next = w->each(w->arg, &e, w->err);
	if (next != WALK_ON || !S_ISDIR(e.st.st_mode) || e.st.st_dev != device)
		return next < 0 ? -1 : 0;
	_cleanup_close_ int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(w->err, errno, "%.500s: can't be opened", buf_text(&w->path));
	return walk_directory(w, below, device, depth + 1);
}

static int walk_directory(struct walker *w, int dir, dev_t device, unsigned depth)
{
	size_t n, before = w->path.len;
	char **names;
	int result = 0;

	if (depth > WALK_DEPTH)
		return err_set(w->err, ENAMETOOLONG, "%.500s...: more than %d directories in one another", buf_text(&w->path), WALK_DEPTH);
	if (read_names(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), &names, &n) < 0)
		result = err_set(w->err, errno, "%.500s: can't be read", before ? buf_text(&w->path) : ".");
	for (size_t i = 0; i < n && result == 0; i++) {
		buf_fmt(&w->path, "%s%s", before ? "/" : "", names[i]);
		result = walk_one(w, dir, names[i], device, depth);
		w->path.len = before;
		w->path.data[before] = '\0';
	}
	free_names(names, n);
	return result;
}

int walk(int top, const char *below, int (*each)(void *arg, const struct walk_entry *e, struct err *err), void *arg, struct err *err)
{
	struct walker w = { .each = each, .arg = arg, .err = err };
	struct stat st;

	if (fstat(top, &st) < 0)
		return err_set(err, errno, "a directory can't be looked at");
	buf_str(&w.path, below);
	int result = walk_directory(&w, top, st.st_dev, 0);
	buf_free(&w.path);
	return result;
}
