/*
 * like.c - a sandbox after another's pattern
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/like.h"
#include "sandbox/limits.h"
#include "sandbox/masks.h"
#include "sandbox/namespaces.h"
#include "sandbox/privileges.h"
#include "sandbox/root.h"

/* One map of the model's user namespace. */
static int read_map(const struct sandbox *model, const char *name, struct id_range *r, size_t *n, struct err *err)
{
	char path[64];

	*n = 0;
	snprintf(path, sizeof path, "/proc/%d/%s", (int)model->place.pid, name);
	_cleanup_file_ FILE *in = fopen(path, "re");
	if (!in)
		return err_set(err, errno, "%s: %s", model->name, name);
	while (*n < ID_RANGES && fscanf(in, "%" SCNu32 " %" SCNu32 " %" SCNu32, &r[*n].inside, &r[*n].outside, &r[*n].count) == 3)
		(*n)++;
	return 0;
}

static int like_ids(struct sandbox *sb, const struct sandbox *model, struct err *err)
{
	static struct id_range uids[ID_RANGES], gids[ID_RANGES];
	size_t n_uids, n_gids;

	if (sb->session->gate.dry)
		return sandbox_map_auto(sb, err);
	if (read_map(model, "uid_map", uids, &n_uids, err) < 0 || read_map(model, "gid_map", gids, &n_gids, err) < 0)
		return -1;
	return sandbox_map(sb, uids, n_uids, gids, n_gids, err);
}

static int like_limits(struct sandbox *sb, struct sandbox *model, struct err *err)
{
	struct limit_wish wishes[LIMIT_KEYS];
	struct limit_now now[LIMIT_KEYS] = { 0 };
	size_t n = 0;
	int result = 0;

	for (int k = 0; k < LIMIT_KEYS && result == 0; k++) {
		result = limits_get(model, &limit_keys[k], &now[k], err);
		if (result == 0 && now[k].words && now[k].n != INT64_MAX)
			wishes[n++] = (struct limit_wish){ &limit_keys[k], { { "", now[k].text, now[k].n } }, 1 };
	}
	if (result == 0 && n)
		result = limits_set(sb, wishes, n, err);
	for (int k = 0; k < LIMIT_KEYS; k++)
		limit_now_free(&now[k]);
	return result;
}

int sandbox_like(struct sandbox *sb, struct sandbox *model, struct err *err)
{
	uint64_t joined = 0, flags = place_flags(&model->place);
	int fds[NS_KINDS];

	for (int k = 0; k < NS_KINDS; k++) {
		fds[k] = model->place.joined[k] ? model->place.ns[k] : -1;
		joined |= model->place.joined[k] ? (uint64_t)ns_table[k].flag : 0;
	}
	/* Its own user namespace last but for what belongs to it is not known any more; first is what `unshare` does in one command. */
	if (joined && sandbox_join(sb, joined, fds, model->name, err) < 0)
		return -1;
	if ((flags & ~joined) && sandbox_unshare(sb, flags & ~joined, err) < 0)
		return -1;
	if (model->place.mapped && !model->place.joined[NS_USER] && like_ids(sb, model, err) < 0)
		return -1;
	if (model->root && model->wish.upper) {
		err_set(err, EBUSY, "%s: its root keeps what is written in %s", model->name, model->wish.upper);
		return err_why(err, "two sandboxes can't write to one upper layer");
	}
	if (model->root && sandbox_root(sb, &model->wish, err) < 0)
		return -1;
	if (masks_like(sb, model, err) < 0 || like_limits(sb, model, err) < 0)
		return -1;
	for (size_t i = 0; i < model->n_env; i++) {
		size_t n = strcspn(model->env[i], "=");
		_cleanup_free_ char *name = xstrndup(model->env[i], n);
		sandbox_env(sb, name, model->env[i] + n + 1);
	}
	for (int k = 0; k < PRIV_KEYS; k++)
		if (privileges_set(sb, (enum privilege)k, model->place.privileges[k], err) < 0)
			return -1;
	return 0;
}
