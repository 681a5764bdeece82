/*
 * cg_disk.c - which disk something is on
 *
 * The limits of disk traffic are those of a whole disk: what is on a partition goes through its disk's queue.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"

enum { MOUNTS_LIMIT = 4 << 20 };

/* Some file systems (btrfs) have a device number that is no disk's: then the disk is what was mounted. 0 when that is none. */
static dev_t mounted_from(dev_t dev)
{
	_cleanup_buf_ struct buf mounts = { 0 };
	char where[32], source[PATH_MAX];
	struct stat st;

	snprintf(where, sizeof where, "%u:%u", major(dev), minor(dev));
	if (io_slurp(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_LIMIT, &mounts) < 0)
		return 0;
	for (const char *at = buf_text(&mounts); *at; at += strcspn(at, "\n"), at += *at == '\n') {
		char id[32];
		const char *dash = strstr(at, " - ");
		if (sscanf(at, "%*d %*d %31s", id) == 1 && streq(id, where) && dash && sscanf(dash, " - %*s %4095s", source) == 1 &&
		    stat(source, &st) == 0 && S_ISBLK(st.st_mode))
			return st.st_rdev;
	}
	return 0;
}

/* The device's directory in sysfs, which says whether it is a part of a disk. */
static char *sysfs_of(dev_t dev)
{
	_cleanup_free_ char *link = xasprintf("/sys/dev/block/%u:%u", major(dev), minor(dev));

	return realpath(link, NULL);
}

static bool is_partition(const char *dir)
{
	_cleanup_free_ char *file = xasprintf("%s/partition", dir);

	return access(file, F_OK) == 0;
}

static int find(const char *path, dev_t *dev, bool *named, struct err *err)
{
	struct stat st;
	unsigned ma, mi;
	char more;

	*named = true;
	if (sscanf(path, "%u:%u%c", &ma, &mi, &more) == 2) {
		*dev = makedev(ma, mi);
		return 0;
	}
	if (stat(path, &st) < 0)
		return err_set(err, errno, "%s: there is no such file or device", path);
	*named = S_ISBLK(st.st_mode);
	*dev = *named ? st.st_rdev : S_ISCHR(st.st_mode) ? 0 : st.st_dev;
	if (!*named && *dev && !major(*dev))
		*dev = mounted_from(*dev);
	if (*dev)
		return 0;
	err_set(err, ENODEV, "%s is on no disk", path);
	return err_why(err, "what it is on has no block device: memory, network, or layers of other file systems");
}

int cg_disk(const char *path, char **name, unsigned *major_to, unsigned *minor_to, struct err *err)
{
	dev_t dev;
	bool named;
	char line[32];

	if (find(path, &dev, &named, err) < 0)
		return -1;
	_cleanup_free_ char *dir = sysfs_of(dev);
	if (!dir)
		return err_set(err, ENODEV, "%s: the kernel knows no block device %u:%u", path, major(dev), minor(dev));
	if (is_partition(dir)) {
		*strrchr(dir, '/') = '\0';
		if (named) {
			err_set(err, EINVAL, "%s is a partition", path);
			err_why(err, "disk traffic is limited for whole disks");
			return err_try(err, "/dev/%s", strrchr(dir, '/') + 1);
		}
	}
	_cleanup_free_ char *file = xasprintf("%s/dev", dir);
	if (io_line(AT_FDCWD, file, line, sizeof line) <= 0 || sscanf(line, "%u:%u", major_to, minor_to) != 2)
		return err_set(err, ENODEV, "%s: its disk is not known", path);
	*name = xstrdup(strrchr(dir, '/') + 1);
	return 0;
}
