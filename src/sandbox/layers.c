/*
 * layers.c - the layers of a root: from words to directories
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/mnt_cache.h"
#include "kern/rootless.h"
#include "sandbox/root_plan.h"
#include "sandbox/store.h"

enum { LAYERS_MOST = 499 };    /* and one to mount on */
static const char at_digest[] = "@sha256:";

/* Plans */

void file_plan_free(struct file_plan *p)
{
	steps_free(&p->steps);
	free(p->noted);
	close_fd(&p->cache);
}

struct step *file_plan_add(struct file_plan *p, enum step_kind kind, const char *to)
{
	struct step *s = steps_add(&p->steps, kind, &p->sb->place);

	s->to = to;
	return s;
}

const char *file_plan_keep(struct file_plan *p, char *text)
{
	return steps_keep(&p->steps, text);
}

const char *file_plan_temporary(struct file_plan *p, const char *dir, struct err *err)
{
	struct session *s = p->sb->session;

	if (strchr(dir, '\n'))
		return err_set(err, EINVAL, "%s: a path with a newline can't stand in the session's ledger", dir), NULL;
	if (store_need(s, err) < 0)
		return NULL;
	const char *path = file_plan_keep(p, xasprintf("%s/.belljar.%s.%zu", streq(dir, "/") ? "" : dir, s->store ? s->store->id : "SESSION",
						       p->steps.n_strings));
	char *lines = xasprintf("%stree %s\n", p->noted ? p->noted : "", path);
	free(p->noted);
	p->noted = lines;
	return path;
}

/* What the steps put there for a time is gone, or has another name; if not, it stays the ledger's. */
static void forget(struct file_plan *p)
{
	char *rest = p->noted, *line;

	while (rest && (line = strsep(&rest, "\n")))
		if (*line && access(line + strlen("tree "), F_OK) < 0)
			store_forget(p->sb->session, line, NULL);
}

int file_plan_run(struct file_plan *p, struct err *err)
{
	struct gate *g = &p->sb->session->gate;
	size_t mark = gate_mark(g), n = p->steps.n - p->after;

	if (p->noted && store_note(p->sb->session, p->noted, err) < 0)
		return -1;
	int result = gate_run(g, p->steps.list, n, err);
	if (result == 0 && p->after) {
		/* What came before stays, whatever becomes of these; what they leave is the ledger's. */
		gate_forget(g, mark, gate_mark(g));
		if (gate_run(g, p->steps.list + n, p->after, err) < 0)
			return -1;
	}
	forget(p);
	return result;
}

/* Layers */

bool layers_is_path(const char *word)
{
	return strchr(word, '/') != NULL;
}

char *layers_absolute(const char *path)
{
	char *real = realpath(path, NULL);
	_cleanup_free_ char *copy = xstrdup(path);
	size_t n = strlen(copy);

	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	if (real || errno != ENOENT)
		return real;
	char *slash = strrchr(copy, '/'), *last = slash ? slash + 1 : copy;
	if (streq(last, ".") || streq(last, "..") || !*last)
		return NULL;
	_cleanup_free_ char *name = xstrdup(last);
	if (slash)
		slash[slash == copy] = '\0';
	_cleanup_free_ char *parent = realpath(slash ? copy : ".", NULL);
	return parent ? xasprintf("%s/%s", streq(parent, "/") ? "" : parent, name) : NULL;
}

static bool lies_in(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return strncmp(path, directory, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

int layers_overlap(const struct root_wish *w, const char *upper, struct err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		_cleanup_free_ char *path = layers_is_path(w->layers[i]) ? realpath(w->layers[i], NULL) : NULL;
		if (path && (lies_in(upper, path) || lies_in(path, upper))) {
			err_set(err, ELOOP, "%.500s: it can't be the upper layer", upper);
			return err_why(err, "the layer %.500s and it lie in one another", path);
		}
	}
	return 0;
}

/* Where a static busybox may be. */
static const char *find_busybox(void)
{
	static const char *const places[] = { "/bin/busybox", "/usr/bin/busybox", "/usr/lib/busybox/busybox", "/usr/local/bin/busybox",
					      "/bin/busybox.static", "/sbin/busybox" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return places[0];
}

/* PATH may end in the digest that it must have. Returns where that begins, or NULL. */
static const char *wanted_digest(const char *path)
{
	const char *at = strstr(path, at_digest), *digits = at ? at + strlen(at_digest) : NULL;

	return at && access(path, F_OK) < 0 && strspn(digits, "0123456789abcdef") == ARCHIVE_DIGEST - 1 && !digits[ARCHIVE_DIGEST - 1] ? at : NULL;
}

/* The directory the archive PATH is, or is going to be, unpacked in. */
static const char *archive_layer(struct file_plan *p, const char *path, const char *digest, const struct root_wish *w, struct err *err)
{
	char there[ARCHIVE_DIGEST];

	if (p->cache < 0 && !p->sb->session->gate.dry && (p->cache = cache_lock(false, err)) < 0)
		return NULL;
	char *key = cache_key(path, &p->sb->place, w->devices, err);
	if (!key)
		return NULL;
	file_plan_keep(p, key);
	bool has = cache_has(key, there);
	if (has && digest && !streq(digest, there)) {
		err_set(err, EBADMSG, "%.500s: its digest is sha256:%s", path, there);
		return err_why(err, "sha256:%s was asked for, so it is damaged, or another archive", digest), NULL;
	}
	if (!has) {
		_cleanup_free_ char *cache = cache_path();
		const char *temporary = file_plan_temporary(p, cache, err);
		if (!temporary)
			return NULL;
		struct step *s = file_plan_add(p, STEP_UNPACK, key);
		s->from = path;
		s->what = temporary;
		s->text = digest;
		s->num = w->unpack ? w->unpack : (int64_t)ROOT_UNPACKS << 30;
		s->flags = w->devices ? 1 : 0;
	}
	return file_plan_keep(p, xasprintf("%s/root", key));
}

static int not_there(const char *path, int number, struct err *err)
{
	err_set(err, number, "%.500s: %s", path, number == ENOENT ? "there is no such directory or archive" : "can't be looked at");
	return number == ENOENT ? err_try(err, "root host, root busybox, root DIRECTORY or root ARCHIVE") : -1;
}

/* The directory that a word means. */
const char *layers_path(struct file_plan *p, const char *word, const struct root_wish *w, struct err *err)
{
	const char *at = layers_is_path(word) ? wanted_digest(word) : NULL;
	_cleanup_free_ char *file = at ? xstrndup(word, (size_t)(at - word)) : xstrdup(word);
	struct stat st;

	if (streq(word, "host"))
		return "/";
	if (streq(word, "busybox"))
		return file_plan_keep(p, xasprintf("%s%s", MNT_LAYER_BUSYBOX, find_busybox()));
	char *path = realpath(file, NULL);
	if (!path || stat(path, &st) < 0) {
		int number = errno;
		free(path);
		return not_there(word, number, err), NULL;
	}
	file_plan_keep(p, path);
	if (S_ISDIR(st.st_mode))
		return path;
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		return archive_layer(p, path, at ? at + strlen(at_digest) : NULL, w, err);
	return err_set(err, 0, "%.500s: it is neither a directory nor an archive%s", path, S_ISREG(st.st_mode) ? ": it is empty" : ""), NULL;
}

static void add_source(struct buf *b, const char *path)
{
	if (b->len)
		buf_char(b, ':');
	for (; *path; path++) {
		if (*path == ':' || *path == '\\')
			buf_char(b, '\\');
		buf_char(b, *path);
	}
}

/* Also where something is mounted on /run: what is below that is what a root shows. */
bool layers_show_run(void)
{
	return rootless_uid() == 0;
}

const char *layers_source(struct file_plan *p, const struct root_wish *w, bool base, const char **top, struct err *err)
{
	_cleanup_buf_ struct buf b = { 0 };

	if (w->n > LAYERS_MOST)
		return err_set(err, E2BIG, "%zu layers: the kernel lets at most %d lie below one another", w->n, LAYERS_MOST), NULL;
	for (size_t i = 0; i < w->n; i++) {
		const char *path = layers_path(p, w->layers[i], w, err);
		if (!path)
			return NULL;
		if (i == 0)
			*top = starts_with(path, "//") ? NULL : path;
		/* It has what is to be mounted on. */
		base = base && !starts_with(path, MNT_LAYER_BUSYBOX);
		if (streq(path, "/") && layers_show_run())
			add_source(&b, MNT_LAYER_RUN);
		add_source(&b, path);
	}
	if (base)
		add_source(&b, MNT_LAYER_BASE);
	return file_plan_keep(p, buf_take(&b));
}
