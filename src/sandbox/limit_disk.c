/*
 * limit_disk.c - how much may be written to a sandbox's root
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/limits.h"
#include "sandbox/steps.h"
#include "sandbox/store.h"
#include "sandbox/upper.h"

/* What is neither in memory nor a directory has its size from the beginning, or none. */
static int refuse(const struct sandbox *sb, struct err *err)
{
	if (!sb->root) {
		err_set(err, EINVAL, "%s: disk can't be limited while it has the host's root", sb->name);
		return err_try(err, "root host, then limit disk SIZE");
	}
	if (sb->wish.image) {
		err_set(err, EINVAL, "%s: its upper layer is an image, which keeps the size it was made with", sb->name);
		return err_try(err, "root %s upper image size SIZE", sb->root);
	}
	err_set(err, EINVAL, "%s: its root has no upper layer", sb->name);
	return err_try(err, "root %s", sb->root);
}

/* The project of the directory is ours when the ledger says so; if it has none it gets one, and the ledger knows before. NULL with err. */
static const char *know_project(struct sandbox *sb, uint32_t id, bool own, struct steps *steps, struct err *err)
{
	const char *dir = sb->wish.upper, *number = steps_keep(steps, xasprintf("%u", id));
	_cleanup_free_ char *line = xasprintf("project %s %s\n", number, dir);

	if (own) {
		if (store_noted(sb->session, line))
			return number;
		err_set(err, EBUSY, "%s: %s is limited already, as the host's project %s", sb->name, dir, number);
		return err_try(err, "root %s upper image size SIZE", sb->root), NULL;
	}
	if (strchr(dir, '\n'))
		return err_set(err, EINVAL, "%s: a path with a newline can't stand in the session's ledger", dir), NULL;
	return store_need(sb->session, err) < 0 || store_note(sb->session, line, err) < 0 ? NULL : number;
}

/* A directory of the host's. */
static int plan_project(struct sandbox *sb, int64_t size, struct steps *steps, struct err *err)
{
	const char *number = "PROJECT";
	uint32_t id = 0;
	bool own = true, lift = size == INT64_MAX;

	if (!sb->session->gate.dry) {
		if (mnt_project_find(sb->wish.upper, &id, &own, err) < 0)
			return -1;
		/* It may be what a session that was killed with its keeper left, which is cleared now. */
		if (own && !sb->session->store &&
		    (store_need(sb->session, err) < 0 || mnt_project_find(sb->wish.upper, &id, &own, err) < 0))
			return -1;
		if (lift && !own)
			return 0;
		number = know_project(sb, id, own, steps, err);
	}
	if (!number)
		return -1;
	struct step *s = steps_add(steps, lift ? STEP_NO_PROJECT : STEP_PROJECT, &sb->place);
	s->to = sb->wish.upper;
	s->from = number;
	s->num = lift ? 0 : size;
	return 0;
}

int limit_disk_plan(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err)
{
	int64_t size = w->v[0].n == INT64_MAX ? sb->wish.size ? sb->wish.size : ROOT_SIZE : w->v[0].n;
	struct mnt_room room;

	if (!sb->root || sb->wish.mode != ROOT_KEPT_APART || sb->wish.image)
		return refuse(sb, err);
	if (size < 4096)
		return err_usage(err, "disk %s: 4K is the least", w->v[0].text);
	if (sb->wish.upper)
		return plan_project(sb, w->v[0].n, steps, err);
	/* The layer must be at hand. */
	if (upper_room(sb, &room, err) < 0)
		return -1;
	steps_add(steps, STEP_DISK, &sb->place)->num = size;
	return 0;
}

int limit_disk_get(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err)
{
	struct mnt_room room;
	int there = upper_room(sb, &room, err);
	char text[32];

	(void)key;
	if (there < 0)
		return -1;
	now->text = xstrdup("max");
	if (there == 0)
		return 0;
	/* Of a root's own size nothing is to be set for another sandbox: its root has the same. */
	bool set = sb->wish.upper || (room.memory && room.total != (sb->wish.size ? sb->wish.size : ROOT_SIZE));
	free(now->text);
	now->text = limit_exact_size(room.total);
	now->n = room.total;
	now->words = set ? limit_exact_size(room.total) : NULL;
	now->holds = room.total;
	now->used = room.total - room.free;
	limit_size_text(room.total, text);
	now->holds_text = xstrdup(text);
	limit_size_text(now->used, text);
	now->used_text = xstrdup(text);
	return 0;
}
