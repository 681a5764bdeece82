/*
 * mnt_upper.c - a directory of the host's as an upper layer
 *
 * In it are `upper`, the layer itself, and `work`, which overlayfs needs beside it. They stay for the next time.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"
#include "kern/step.h"
#include "kern/sys.h"
#include "kern/tree.h"

/* The root of an overlay is its upper layer's: have it look like the topmost layer's. Where owners can't be shown shifted they are stored so. */
static int be_like(int dir, const struct step *s)
{
	struct stat st = { .st_mode = 0755 };
	struct mnt_owner o = mnt_owner(s->place);
	_cleanup_close_ int tree = o.other ? sys_open_tree(dir, "", SYS_TREE_CLONE | AT_EMPTY_PATH) : -1;

	if (s->from)
		stat(s->from, &st);
	if (o.other && (tree < 0 || mnt_give(tree, &o, false) < 0))
		st.st_uid = o.uid, st.st_gid = o.gid;
	if (fchownat(dir, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM && errno != EINVAL)
		return -1;
	return fchmodat(dir, "upper", st.st_mode & 07777, 0);
}

/* 1 made, 0 there already. */
static int make(int dir, const char *name, struct step *s, struct err *err)
{
	struct stat st;

	if (mkdirat(dir, name, 0700) == 0) {
		snprintf(s->old + strlen(s->old), sizeof s->old - strlen(s->old), "%c", *name);
		return 1;
	}
	if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, errno, "%.500s/%s: can't be made", s->to, name);
	return S_ISDIR(st.st_mode) ? 0 : err_set(err, ENOTDIR, "%.500s/%s: it is no directory", s->to, name);
}

static int make_both(struct step *s, struct err *err)
{
	if (mkdir(s->to, 0700) == 0)
		s->old[0] = 'd';
	else if (errno != EEXIST)
		return err_set(err, errno, "%.500s: can't be made", s->to);
	_cleanup_close_ int dir = open(s->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, errno, "%.500s: can't be opened", s->to);
	int made = make(dir, "upper", s, err);
	if (made < 0 || make(dir, "work", s, err) < 0)
		return -1;
	return made && be_like(dir, s) < 0 ? err_set(err, errno, "%.500s/upper: its owner or mode can't be set", s->to) : 0;
}

int mnt_upper(struct step *s, int fd, struct err *err)
{
	(void)fd;
	memset(s->old, 0, sizeof s->old);
	if (make_both(s, err) == 0)
		return 0;
	struct step undo = *s;
	undo.text = s->old;
	mnt_no_upper(&undo, -1, NULL);
	return -1;
}

int mnt_no_upper(struct step *s, int fd, struct err *err)
{
	_cleanup_close_ int dir = open(s->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)fd;
	if (dir < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "%.500s: can't be opened", s->to);
	if (strchr(s->text, 'w') && tree_remove(dir, "work") < 0)
		return err_set(err, errno, "%.500s/work: can't be removed", s->to);
	/* What was written to it is somebody's. */
	if (strchr(s->text, 'u') && unlinkat(dir, "upper", AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
		return err_set(err, errno, "%.500s/upper: can't be removed", s->to);
	if (strchr(s->text, 'd') && rmdir(s->to) < 0 && errno != ENOTEMPTY)
		return err_set(err, errno, "%.500s: can't be removed", s->to);
	return 0;
}
