/*
 * mnt_base.c - the layer that lies below all others of a root: what is to be mounted on
 *
 * A root may lack /proc or /etc/hosts, and be read-only. This small tree has them, so nothing has to be made in the upper layer, and what is
 * there later was written by the sandbox.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/mnt_parts.h"

int mnt_put_etc(int root)
{
	static const char *const files[] = { "etc/hostname", "etc/hosts", "etc/resolv.conf" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_close_ int fd = openat(root, files[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0)
			return -1;
	}
	return 0;
}

static int put_tree(int root)
{
	static const struct { const char *name; mode_t mode; } directories[] = { { "proc", 0555 }, { "dev", 0755 }, { "sys", 0555 },
										  { "etc", 0755 } };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdirat(root, directories[i].name, directories[i].mode) < 0)
			return -1;
	return mnt_put_etc(root);
}

int mnt_base_tree(const struct mnt_owner *o, struct err *err)
{
	/* Kept for the next root of the same owner. */
	static int kept = -1;
	static uint32_t uid, gid;

	if (kept >= 0 && uid == o->uid && gid == o->gid)
		return kept;
	_cleanup_close_ int root = mnt_tmpfs(1 << 16, 0755, o, err);
	if (root < 0)
		return -1;
	mode_t old = umask(0);
	mnt_become(o->uid, o->gid);
	int result = put_tree(root), number = errno;
	mnt_become(geteuid(), getegid());
	umask(old);
	if (result < 0)
		return err_set(err, number, "what is mounted on in a root can't be made");
	close_fd(&kept);
	uid = o->uid;
	gid = o->gid;
	return kept = move_fd(&root);
}
