/*
 * mnt_project.c - a limit for an upper layer that is a directory of the host's
 *
 * Its file system has room for others too; so it becomes a project of its own, whose quota is the limit. Overlayfs writes without the right to
 * pass a quota, whoever mounted it: the limit holds for root inside as well.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/mnt.h"
#include "kern/mnt_disk.h"
#include "kern/mnt_parts.h"
#include "kern/project.h"
#include "kern/step.h"

/* Does a line of /etc/projid ("NAME:ID") or /etc/projects ("ID:PATH") say that somebody means it? */
static bool is_meant(uint32_t id)
{
	static const char *const files[] = { "/etc/projid", "/etc/projects" };
	_cleanup_free_ char *number = xasprintf("%u", id);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_buf_ struct buf text = { 0 };
		if (io_slurp(AT_FDCWD, files[i], 1 << 20, &text) < 0)
			continue;
		const char *all = buf_text(&text);
		for (const char *at = strstr(all, number); at; at = strstr(at + 1, number))
			if ((at == all || strchr(":\n", at[-1])) && strchr(":\n", at[strlen(number)]))
				return true;
	}
	return false;
}

static int refuse(int dir, const char *path, struct err *err)
{
	_cleanup_free_ char *known = mnt_type_of(dir);
	const char *type = known ? known : "a file system";
	bool able = streq(type, "ext4") || streq(type, "xfs");

	err_set(err, EOPNOTSUPP, "%.500s: a directory there can't be limited", path);
	err_why(err, able ? "it is on %s, where no project quotas are kept: it was mounted without them, or the kernel has none" :
			    "it is on %s, which has no project quotas", type);
	return err_try(err, "root with upper image size SIZE%s", able ? "; or mount that file system with prjquota" : "");
}

int mnt_project_find(const char *path, uint32_t *id, bool *own, struct err *err)
{
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct project p;

	if (dir < 0)
		return err_set(err, errno, "%.500s: can't be opened", path);
	if (!project_counted(dir))
		return refuse(dir, path, err);
	if (!mnt_privileged()) {
		err_set(err, EPERM, "%.500s: a directory can't be limited", path);
		err_why(err, "only root may set quotas");
		return err_try(err, "root with size SIZE, in memory");
	}
	*id = project_of(dir);
	*own = *id != 0;
	if (*own)
		return 0;
	for (uint32_t i = 0; i < PROJECT_COUNT; i++) {
		*id = PROJECT_FIRST + ((uint32_t)getpid() + i) % PROJECT_COUNT;
		if (project_get(dir, *id, &p) < 0)
			return err_set(err, errno, "%.500s: its quotas can't be read", path);
		if (!p.bytes && !p.files && !p.used && !p.files_used && !is_meant(*id))
			return 0;
	}
	return err_set(err, EBUSY, "%.500s: belljar's project numbers are all in use there", path);
}

bool mnt_project_room(const struct place *p, struct mnt_room *room)
{
	/* The place's own descriptor is only for paths. */
	_cleanup_close_ int dir = openat(p->upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t id = dir < 0 ? 0 : project_of(dir);
	struct project now;

	if (!id || project_get(dir, id, &now) < 0 || !now.bytes)
		return false;
	*room = (struct mnt_room){ .total = now.bytes, .free = now.bytes > now.used ? now.bytes - now.used : 0, .files = now.files,
				   .files_free = now.files > now.files_used ? now.files - now.files_used : 0 };
	return true;
}

static int open_directory(const struct step *s, struct project *p, uint32_t *id, struct err *err)
{
	int dir = open(s->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*id = (uint32_t)strtoul(s->from, NULL, 10);
	if (dir < 0)
		return err_set(err, errno, "%.500s: can't be opened", s->to);
	if (project_get(dir, *id, p) < 0) {
		err_set(err, errno, "%.500s: its quota can't be read", s->to);
		close_fd(&dir);
	}
	return dir;
}

static int set(const struct step *s, int dir, uint32_t id, struct err *err)
{
	struct project p;

	if (project_get(dir, id, &p) < 0 || (p.used <= s->num && project_limit(dir, id, s->num, mnt_tmpfs_files(s->num)) < 0))
		return err_set(err, errno, "%.500s: its quota can't be set", s->to);
	if (p.used <= s->num)
		return 0;
	err_set(err, EINVAL, "%.500s: it can't be limited to %lld bytes", s->to, (long long)s->num);
	return err_why(err, "more than that is written there already");
}

int mnt_project(struct step *s, int fd, struct err *err)
{
	struct project p;
	uint32_t id;
	_cleanup_close_ int dir = open_directory(s, &p, &id, err);

	(void)fd;
	if (dir < 0)
		return -1;
	s->old_num = p.bytes;
	if ((p.bytes || project_pass(dir, 0, id, err) == 0) && set(s, dir, id, err) == 0)
		return 0;
	if (!p.bytes)
		project_end(dir, id, NULL);
	return -1;
}

int mnt_no_project(struct step *s, int fd, struct err *err)
{
	struct project p;
	uint32_t id;
	_cleanup_close_ int dir = open_directory(s, &p, &id, err);

	(void)fd;
	s->old_num = p.bytes;
	return dir < 0 ? -1 : project_end(dir, id, err);
}
