/*
 * limit_disk.c - how much may be written to a sandbox's root
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/limits.h"
#include "sandbox/steps.h"
#include "sandbox/upper.h"

/* What is no layer in memory has its size from the beginning, or none. */
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
	if (sb->wish.upper) {
		err_set(err, EINVAL, "%s: its upper layer is a directory of the host's, %s", sb->name, sb->wish.upper);
		err_why(err, "it shares its file system with others");
		return err_try(err, "root %s upper image size SIZE", sb->root);
	}
	err_set(err, EINVAL, "%s: its root has no upper layer", sb->name);
	return err_try(err, "root %s", sb->root);
}

int limit_disk_plan(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err)
{
	int64_t size = w->v[0].n == INT64_MAX ? sb->wish.size ? sb->wish.size : ROOT_SIZE : w->v[0].n;
	bool memory = sb->root && sb->wish.mode == ROOT_KEPT_APART && !sb->wish.upper && !sb->wish.image;
	struct mnt_room room;

	if (!memory)
		return refuse(sb, err);
	/* The layer must be at hand. */
	if (upper_room(sb, &room, err) < 0)
		return -1;
	if (size < 4096)
		return err_usage(err, "disk %s: 4K is the least", w->v[0].text);
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
	bool set = room.memory && room.total != (sb->wish.size ? sb->wish.size : ROOT_SIZE);
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
