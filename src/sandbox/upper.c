/*
 * upper.c - the layers of a sandbox's root: what they are, and what was written to the upper one
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "sandbox/named.h"
#include "sandbox/root_plan.h"
#include "sandbox/upper.h"

static int no_root(const struct sandbox *sb, struct err *err)
{
	err_set(err, EINVAL, "%s: it has the host's root, which has no layers", sb->name);
	return err_try(err, "root host, which lays a layer over it");
}

/* The upper layer at hand. */
static int need_upper(struct sandbox *sb, struct err *err)
{
	if (!sb->root)
		return no_root(sb, err);
	if (sb->wish.mode != ROOT_KEPT_APART) {
		err_set(err, EINVAL, "%s: its root has no upper layer", sb->name);
		return err_why(err, sb->wish.mode == ROOT_READ_ONLY ? "nothing can be written to it" : "what is written reaches the directory itself");
	}
	if (sb->session->gate.dry)
		return 0;
	if (named_upper(sb, err) < 0)
		return -1;
	return sb->place.upper >= 0 ? 0 : err_set(err, ENOENT, "%s: its upper layer can't be reached", sb->name);
}

/* Layers */

static struct upper_layer *add(struct upper_layer **layers, size_t *n, const char *kind, const char *what, const char *path)
{
	struct upper_layer *l = GROW(layers, n);

	*l = (struct upper_layer){ .kind = kind, .what = xstrdup(what), .path = xstrdup(path), .bytes = -1, .files = -1 };
	return l;
}

static int measure(const struct sandbox *sb, struct upper_layer *l, const char *path, struct err *err)
{
	struct mnt_amount a;

	if (mnt_measure(&sb->place, path, &a, err) < 0)
		return -1;
	l->bytes = a.bytes;
	l->files = a.files;
	return 0;
}

static int add_lower(struct file_plan *p, const char *word, const char *kind, struct upper_layer **layers, size_t *n, struct err *err)
{
	const char *path = layers_path(p, word, &p->sb->wish, err);

	if (!path)
		return -1;
	if (p->steps.n) {
		err_set(err, ENOENT, "%s: the archive was changed since, or is not in the cache any more", word);
		return err_try(err, "cache ls");
	}
	bool own = starts_with(path, "//");
	struct upper_layer *l = add(layers, n, kind, word, own ? NULL : path);
	/* The host's own root is what du takes minutes for. */
	return own || streq(path, "/") ? 0 : measure(p->sb, l, path, err);
}

static int list_layers(struct sandbox *sb, struct upper_layer **layers, size_t *n, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	const struct root_wish *w = &sb->wish;
	const char *kind = w->n > 1 || w->mode == ROOT_KEPT_APART ? "lower" : "directory";

	if (w->mode == ROOT_KEPT_APART) {
		if (need_upper(sb, err) < 0)
			return -1;
		_cleanup_free_ char *path = w->upper ? xasprintf("%s/upper", w->upper) : NULL;
		struct upper_layer *l = add(layers, n, "upper", w->upper ? w->upper : w->image ? "image" : "memory", path);
		struct mnt_room room;
		int there = upper_room(sb, &room, err);
		l->most = there > 0 ? room.total : 0;
		if (there < 0 || measure(sb, l, NULL, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < w->n; i++)
		if (add_lower(&p, w->layers[i], kind, layers, n, err) < 0)
			return -1;
	return 0;
}

int upper_layers(struct sandbox *sb, struct upper_layer **layers, size_t *n, struct err *err)
{
	*layers = NULL;
	*n = 0;
	if (!sb->root)
		return no_root(sb, err);
	if (sb->session->gate.dry || list_layers(sb, layers, n, err) == 0)
		return 0;
	upper_free_layers(*layers, *n);
	return -1;
}

void upper_free_layers(struct upper_layer *layers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(layers[i].what);
		free(layers[i].path);
	}
	free(layers);
}

int upper_changes(struct sandbox *sb, struct mnt_change **changes, size_t *n, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	const char *top;

	*changes = NULL;
	*n = 0;
	if (need_upper(sb, err) < 0)
		return -1;
	if (sb->session->gate.dry)
		return 0;
	const char *source = layers_source(&p, &sb->wish, true, &top, err);
	return source ? mnt_changes(&sb->place, source, changes, n, err) : -1;
}

int upper_room(struct sandbox *sb, struct mnt_room *room, struct err *err)
{
	if (!sb->root || sb->wish.mode != ROOT_KEPT_APART || sb->session->gate.dry)
		return 0;
	if (need_upper(sb, err) < 0)
		return -1;
	if (sb->wish.upper)
		return mnt_project_room(&sb->place, room);
	return mnt_room(&sb->place, room, err) < 0 ? -1 : 1;
}

int upper_size(struct sandbox *sb, int64_t *size, struct err *err)
{
	struct mnt_room room;
	int there = upper_room(sb, &room, err);

	if (there > 0 && room.memory)
		*size = room.total;
	return there < 0 ? -1 : 0;
}

int upper_commit(struct sandbox *sb, const char *path, bool directory, char **digest, int64_t *bytes, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	_cleanup_free_ char *absolute = layers_absolute(path);
	const char *slash = absolute ? strrchr(absolute, '/') : NULL;

	*digest = NULL;
	if (need_upper(sb, err) < 0)
		return -1;
	if (!slash)
		return err_set(err, errno, "%.500s: can't be found", path);
	if (access(absolute, F_OK) == 0)
		return err_set(err, EEXIST, "%.500s: it is there already", path);
	_cleanup_free_ char *dir = xstrndup(absolute, slash == absolute ? 1 : (size_t)(slash - absolute));
	const char *temporary = file_plan_temporary(&p, dir, err);
	if (!temporary)
		return -1;
	struct step *s = file_plan_add(&p, STEP_COMMIT, absolute);
	s->what = temporary;
	s->flags = directory;
	if (file_plan_run(&p, err) < 0)
		return -1;
	*digest = directory || sb->session->gate.dry ? NULL : xstrdup(p.steps.list[0].old);
	*bytes = p.steps.list[0].old_num;
	return 0;
}
