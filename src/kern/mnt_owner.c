/*
 * mnt_owner.c - whose the files of a mount are
 *
 * A sandbox with a user namespace of its own numbers users otherwise: what is root's on the host is nobody's inside. A mount that is made for
 * it is therefore given to its root: a new tmpfs by its options, what is there already by an id-mapped copy of its mount (mount_setattr(2)),
 * which shows, and stores, every owner shifted.
 */
#include "config.h"

#include <inttypes.h>
#include <sys/fsuid.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"
#include "kern/place.h"
#include "kern/sys.h"

size_t mnt_id_ranges(const struct place *p, const char *map, struct mnt_id_range ranges[MNT_ID_RANGES])
{
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)p->pid, map);
	_cleanup_file_ FILE *in = fopen(path, "re");
	while (in && n < MNT_ID_RANGES &&
	       fscanf(in, "%" SCNu32 " %" SCNu32 " %" SCNu32, &ranges[n].inside, &ranges[n].outside, &ranges[n].count) == 3)
		n++;
	return n;
}

bool mnt_id_outside(const struct mnt_id_range *ranges, size_t n, int64_t inside, uint32_t *outside)
{
	for (size_t i = 0; i < n; i++)
		if (inside >= ranges[i].inside && inside - ranges[i].inside < ranges[i].count) {
			*outside = ranges[i].outside + (uint32_t)(inside - ranges[i].inside);
			return true;
		}
	return false;
}

struct mnt_owner mnt_owner(const struct place *p)
{
	struct mnt_owner o = { .userns = -1, .place = p };
	struct mnt_id_range ranges[MNT_ID_RANGES];

	if (!p->own[NS_USER] || !p->mapped || p->ns[NS_USER] < 0)
		return o;
	if (!mnt_id_outside(ranges, mnt_id_ranges(p, "uid_map", ranges), 0, &o.uid) ||
	    !mnt_id_outside(ranges, mnt_id_ranges(p, "gid_map", ranges), 0, &o.gid)) {
		o.uid = o.gid = 0;
		return o;
	}
	/* Without root, belljar's own 0 is often the sandbox's too. */
	o.other = o.uid != 0 || o.gid != 0;
	o.userns = o.other ? p->ns[NS_USER] : -1;
	return o;
}

int mnt_give(int tree, const struct mnt_owner *o, bool recursive)
{
	struct sys_mount_attr attr = { .set = MOUNT_ATTR_IDMAP, .userns = (uint64_t)o->userns };

	return o->other ? sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) : 0;
}

char *mnt_unshifted(const struct place *p, const char *path)
{
	struct mnt_owner o = mnt_owner(p);
	_cleanup_close_ int tree = o.other ? sys_open_tree(AT_FDCWD, path, SYS_TREE_CLONE) : -1;

	if (tree < 0 || mnt_give(tree, &o, false) == 0)
		return NULL;
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	char *type = fd < 0 ? NULL : mnt_type_of(fd);
	return type ? type : xstrdup("a file system");
}

/* All that is permitted is in effect. */
static void restore_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted;
	syscall(SYS_capset, &head, data);
}

void mnt_become_able(uint32_t uid, uint32_t gid)
{
	mnt_become(uid, gid);
	restore_capabilities();
}

void mnt_become(uint32_t uid, uint32_t gid)
{
	/* The privileges over files go and come with the user. */
	if (uid == geteuid())
		setfsuid(uid);
	setfsgid(gid);
	setfsuid(uid);
}
