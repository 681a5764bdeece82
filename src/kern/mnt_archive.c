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

int mnt_make_archive(const char *from, const char *options, struct err *err)
{
	static const char *const needed[] = { "proc", "dev", "sys" };
	/* A fifo would block, a device might do anything. */
	_cleanup_close_ int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int64_t size = mnt_size(options, SIZE_DEFAULT, err);
	struct archive_report report;
	struct stat st;

	if (size < 0)
		return -1;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: can't be opened", from);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s: it is neither a directory nor an archive", from);
	archive_unpack_function *unpack = NULL;
	void *symbol = module_symbol("archive", "archive_unpack", err);
	if (!symbol)
		return -1;
	memcpy(&unpack, &symbol, sizeof unpack);
	_cleanup_close_ int root = mnt_tmpfs(size, 0755, err);
	if (root < 0 || unpack(fd, from, root, &report, err) < 0)
		return -1;
	/* What is to be mounted on, because the root may be read-only from its first moment. Something else of that name is told later. */
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (mkdirat(root, needed[i], 0755) < 0 && errno != EEXIST)
			return err_set(err, errno, "/%s: can't be made in the root from %s", needed[i], from);
	return move_fd(&root);
}
