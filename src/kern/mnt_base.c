/*
 * mnt_base.c - layers of belljar's own: what is to be mounted on, and what is to be hidden
 *
 * The first lies below all others of a root. A root may lack /proc or /etc/hosts, and be read-only. This small tree has them, so nothing has to be made in the upper layer, and what is
 * there later was written by the sandbox.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

/* Where the host's root is seen, belljar's sockets and ledgers are not: a mark says that they are deleted. */
static int put_run(int root)
{
	struct stat top, run;

	if (stat("/", &top) < 0 || fchmodat(root, ".", top.st_mode & 07777, 0) < 0)
		return -1;
	if (stat("/run", &run) < 0)
		run.st_mode = 0755;
	if (mkdirat(root, "run", run.st_mode & 07777) < 0)
		return -1;
	return mknodat(root, "run/belljar", S_IFCHR, makedev(0, 0));
}

struct kept {
	int tree;
	uint32_t uid, gid;
};

/* A tree, kept for the next root of the same owner. */
static int keep(struct kept *k, int (*put)(int root), const struct mnt_owner *o, struct err *err)
{
	if (k->tree > 0 && k->uid == o->uid && k->gid == o->gid)
		return k->tree;
	_cleanup_close_ int root = mnt_tmpfs(1 << 16, 0755, o, err);
	if (root < 0)
		return -1;
	mode_t old = umask(0);
	mnt_become(o->uid, o->gid);
	int result = put(root), number = errno;
	mnt_become(geteuid(), getegid());
	umask(old);
	if (result < 0)
		return err_set(err, number, "a layer of belljar's own can't be made");
	if (k->tree > 0)
		close_fd(&k->tree);
	*k = (struct kept){ .tree = move_fd(&root), .uid = o->uid, .gid = o->gid };
	return k->tree;
}

int mnt_base_tree(const struct mnt_owner *o, struct err *err)
{
	static struct kept base;

	return keep(&base, put_tree, o, err);
}

int mnt_run_tree(const struct mnt_owner *o, struct err *err)
{
	static struct kept run;

	return keep(&run, put_run, o, err);
}
