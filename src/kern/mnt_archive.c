/*
 * mnt_archive.c - a root from an archive: a tmpfs that it is unpacked into
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/module.h"
#include "kern/archive.h"
#include "kern/mnt_parts.h"

enum { SIZE_DEFAULT = 512 * 1024 * 1024 };

struct owners {
	const struct mnt_owner *owner;
	struct mnt_id_range uids[MNT_ID_RANGES], gids[MNT_ID_RANGES];
	size_t n_uids, n_gids;
};

static bool outside(const void *arg, bool group, int64_t id, uint32_t *number)
{
	const struct owners *o = arg;

	/* The last number means "leave it" to the kernel. */
	if (id < 0 || id >= UINT32_MAX)
		return false;
	*number = (uint32_t)id;
	if (!o->owner->other)
		return true;
	return group ? mnt_id_outside(o->gids, o->n_gids, id, number) : mnt_id_outside(o->uids, o->n_uids, id, number);
}

static int open_archive(const char *path, struct err *err)
{
	struct stat st;
	/* A fifo would block, a device might do anything. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: can't be opened", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, 0, "%s: it is neither a directory nor an archive", path);
	return move_fd(&fd);
}

static int unpack(const char *from, int root, const struct mnt_owner *o, struct err *err)
{
	_cleanup_free_ struct owners *map = xcalloc(1, sizeof *map);
	struct archive_owners owners = { outside, map };
	struct archive_report report;
	archive_unpack_function *function = NULL;
	_cleanup_close_ int fd = open_archive(from, err);
	void *symbol = fd < 0 ? NULL : module_symbol("archive", "archive_unpack", err);

	if (!symbol)
		return -1;
	memcpy(&function, &symbol, sizeof function);
	map->owner = o;
	if (o->other) {
		map->n_uids = mnt_id_ranges(o->place, "uid_map", map->uids);
		map->n_gids = mnt_id_ranges(o->place, "gid_map", map->gids);
	}
	return function(fd, from, root, &owners, &report, err);
}

int mnt_make_archive(const char *from, const char *options, const struct mnt_owner *o, struct err *err)
{
	static const char *const needed[] = { "proc", "dev", "sys" };
	int64_t size = mnt_size(options, SIZE_DEFAULT, err);
	_cleanup_close_ int root = size < 0 ? -1 : mnt_tmpfs(size, 0755, o, err);

	if (root < 0 || unpack(from, root, o, err) < 0)
		return -1;
	/* What is to be mounted on, because the root may be read-only from its first moment. Something else of that name is told later. */
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (mkdirat(root, needed[i], 0755) < 0 && errno != EEXIST)
			return err_set(err, errno, "/%s: can't be made in the root from %s", needed[i], from);
	return move_fd(&root);
}
