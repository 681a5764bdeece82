/*
 * mnt_commit.c - an upper layer as an archive, or as a directory
 *
 * A directory is made from the archive by who unpacks archives, so both have the same contents, and `root` takes both.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/module.h"
#include "kern/archive.h"
#include "kern/mnt_changes.h"
#include "kern/mnt_parts.h"
#include "kern/step.h"
#include "kern/tree.h"

struct ids {
	struct mnt_id_range uids[MNT_ID_RANGES], gids[MNT_ID_RANGES];
	size_t n_uids, n_gids;
};

enum { NOBODY = 65534 };

/* The layer of a sandbox with a user namespace has the owners that its numbers have outside. */
static uint32_t inside(const void *arg, bool group, uint32_t id)
{
	const struct ids *ids = arg;
	const struct mnt_id_range *r = group ? ids->gids : ids->uids;
	size_t n = group ? ids->n_gids : ids->n_uids;

	for (size_t i = 0; i < n; i++)
		if (id >= r[i].outside && id - r[i].outside < r[i].count)
			return r[i].inside + (id - r[i].outside);
	return n ? NOBODY : id;
}

/* A layer on the host has the owners that it is to have inside; who uses it shows them shifted. */
static bool outside(const void *arg, bool group, int64_t id, uint32_t *number)
{
	(void)arg;
	(void)group;
	*number = (uint32_t)id;
	return id >= 0 && id < UINT32_MAX;
}

static int pack(const struct step *s, const struct ids *ids, int fd, struct archive_report *r, struct err *err)
{
	struct archive_wish wish = { .name = s->to, .user_marks = !mnt_privileged(), .inside = inside, .arg = ids };
	void *symbol = module_symbol("archive", "archive_pack", err);
	archive_pack_function *function = NULL;

	if (!symbol)
		return -1;
	memcpy(&function, &symbol, sizeof function);
	return function(s->place->upper, &wish, fd, r, err);
}

static int unpack(const struct step *s, int archive, struct err *err)
{
	struct archive_how how = { .name = s->to, .most = INT64_MAX, .devices = mnt_privileged(), .user_marks = !mnt_privileged(), .outside = outside };
	void *symbol = module_symbol("archive", "archive_unpack", err);
	archive_unpack_function *function = NULL;
	struct archive_report unused;

	if (!symbol)
		return -1;
	memcpy(&function, &symbol, sizeof function);
	if (mkdir(s->what, 0755) < 0)
		return err_set(err, errno, "%.500s: can't be made", s->what);
	_cleanup_close_ int dir = open(s->what, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || lseek(archive, 0, SEEK_SET) < 0)
		return err_set(err, errno, "%.500s: can't be written to", s->what);
	return function(archive, &how, dir, &unused, err);
}

static int write_all(struct step *s, const struct ids *ids, struct err *err)
{
	struct archive_report r;
	_cleanup_close_ int fd = open(s->what, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_set(err, errno, "%.500s: can't be written", s->to);
	/* For a directory it only passes through. */
	if ((s->flags & 1) && unlink(s->what) < 0)
		return err_set(err, errno, "%.500s: can't be written", s->to);
	if (pack(s, ids, fd, &r, err) < 0)
		return -1;
	snprintf(s->old, sizeof s->old, "%s", r.digest);
	s->old_num = (int64_t)r.bytes;
	return s->flags & 1 ? unpack(s, fd, err) : 0;
}

/* What is there already is not replaced. */
static int give_name(const struct step *s, struct err *err)
{
	if (renameat2(AT_FDCWD, s->what, AT_FDCWD, s->to, RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system can make sure of it. */
	if (errno == EINVAL && access(s->to, F_OK) < 0 && rename(s->what, s->to) == 0)
		return 0;
	return err_set(err, errno, "%.500s: can't be written", s->to);
}

int mnt_commit(struct step *s, int fd, struct err *err)
{
	struct mnt_owner o = mnt_owner(s->place);
	_cleanup_free_ struct ids *ids = xcalloc(1, sizeof *ids);

	(void)fd;
	if (o.other) {
		ids->n_uids = mnt_id_ranges(s->place, "uid_map", ids->uids);
		ids->n_gids = mnt_id_ranges(s->place, "gid_map", ids->gids);
	}
	if (write_all(s, ids, err) == 0 && give_name(s, err) == 0)
		return 0;
	tree_remove(AT_FDCWD, s->what);
	return -1;
}
