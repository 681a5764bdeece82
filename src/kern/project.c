/*
 * project.c - directories whose contents are counted together, and limited
 *
 * The directory itself is the last to leave its project: as long as it is in it, there may be something left to do.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>

#include "base/err.h"
#include "kern/project.h"

/* linux/quota.h and sys/quota.h exclude each other, and differ with the C library. */
enum { PROJECTS = 2, DEPTH_MOST = 200, BLOCK = 512 };
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

/* The calls of xfs; the kernel serves them for ext4 too. */
static int quota(int fd, unsigned call, uint32_t id, void *data)
{
	return (int)syscall(SYS_quotactl_fd, fd, call << 8 | PROJECTS, id, data);
}

bool project_counted(int fd)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	return quota(fd, Q_XGETQSTATV, 0, &state) == 0 && state.qs_flags & FS_QUOTA_PDQ_ENFD;
}

uint32_t project_of(int dir)
{
	struct fsxattr x;

	return ioctl(dir, FS_IOC_FSGETXATTR, &x) == 0 ? x.fsx_projid : 0;
}

int project_get(int fd, uint32_t id, struct project *p)
{
	struct fs_disk_quota q = { 0 };

	*p = (struct project){ 0 };
	if (quota(fd, Q_XGETQUOTA, id, &q) < 0)
		return errno == ENOENT ? 0 : -1;
	*p = (struct project){ .bytes = (int64_t)q.d_blk_hardlimit * BLOCK, .files = (int64_t)q.d_ino_hardlimit,
			       .used = (int64_t)q.d_bcount * BLOCK, .files_used = (int64_t)q.d_icount };
	return 0;
}

int project_limit(int fd, uint32_t id, int64_t bytes, int64_t files)
{
	struct fs_disk_quota q = {
		.d_version = FS_DQUOT_VERSION, .d_flags = FS_PROJ_QUOTA, .d_id = id, .d_fieldmask = FS_DQ_BHARD | FS_DQ_IHARD,
		.d_blk_hardlimit = (uint64_t)bytes / BLOCK, .d_ino_hardlimit = (uint64_t)files,
	};

	return quota(fd, Q_XSETQLIM, id, &q);
}

/* ---- passing ---- */

struct passage {
	uint32_t from, to;
	dev_t device;
	int number;            /* the first errno */
};

static void failed(struct passage *p, int number)
{
	p->number = p->number ? p->number : number;
}

static void pass(struct passage *p, int fd, bool directory)
{
	struct fsxattr x;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0) {
		failed(p, errno);
		return;
	}
	if (x.fsx_projid != p->from)
		return;
	x.fsx_projid = p->to;
	if (directory)
		x.fsx_xflags = p->to ? x.fsx_xflags | FS_XFLAG_PROJINHERIT : x.fsx_xflags & ~(uint32_t)FS_XFLAG_PROJINHERIT;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &x) < 0)
		failed(p, errno);
}

/* Opened when it is a file or directory of the same file system: opening a device does something, and what is there is others' choice. */
static int open_entry(const struct passage *p, int dir, const char *name, bool *directory)
{
	int at = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	char path[48];
	struct stat st;

	if (at < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", at);
	if (fstat(at, &st) == 0 && st.st_dev == p->device && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	*directory = S_ISDIR(st.st_mode);
	close(at);
	return fd;
}

static void pass_entry(struct passage *p, int dir, const char *name, unsigned depth);

/* FD is closed. */
static void pass_entries(struct passage *p, int fd, unsigned depth)
{
	DIR *list = depth <= DEPTH_MOST ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!list) {
		failed(p, depth <= DEPTH_MOST ? errno : ELOOP);
		close(fd);
		return;
	}
	while ((e = readdir(list)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			pass_entry(p, fd, e->d_name, depth);
	closedir(list);
}

/* A directory before what is in it: what is made there meanwhile is born in its project. */
static void pass_entry(struct passage *p, int dir, const char *name, unsigned depth)
{
	bool directory = false;
	int fd = open_entry(p, dir, name, &directory);

	if (fd < 0)
		return;
	pass(p, fd, directory);
	if (directory)
		pass_entries(p, fd, depth + 1);
	else
		close(fd);
}

static void pass_layer(struct passage *p, int dir)
{
	pass_entry(p, dir, "upper", 0);
	pass_entry(p, dir, "work", 0);
}

int project_pass(int dir, uint32_t from, uint32_t to, struct err *err)
{
	struct passage p = { .from = from, .to = to };
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_set(err, errno, "the upper layer's directory can't be looked at");
	p.device = st.st_dev;
	if (to)
		pass(&p, dir, true);
	if (!p.number || !to)
		pass_layer(&p, dir);
	if (!to)
		pass(&p, dir, true);
	return p.number ? err_set(err, p.number, "the upper layer can't pass from project %u to %u", from, to) : 0;
}

int project_end(int dir, uint32_t id, struct err *err)
{
	if (project_of(dir) != id)
		return 0;
	if (project_limit(dir, id, 0, 0) < 0)
		return err_set(err, errno, "the limits of project %u can't be lifted", id);
	return project_pass(dir, id, 0, err);
}

int project_clear(const char *line, struct err *err)
{
	char *path;
	unsigned long id = strtoul(line, &path, 10);

	if (id - PROJECT_FIRST >= PROJECT_COUNT || path[0] != ' ' || path[1] != '/')
		return err_set(err, 0, "ledger: %s is no project of belljar", line);
	int dir = open(path + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : err_set(err, errno, "%s: can't be opened", path + 1);
	int done = project_end(dir, (uint32_t)id, err);
	close(dir);
	return done;
}
