/*
 * mnt_stat.c - reading mount tables from the kernel's own records (listmount(2), statmount(2))
 *
 * One call for 256 ids, then one for each mount. The numbers a mount has in mountinfo are kept as its ids, because descriptors are known by
 * them. The kernel tells the source of a mount, and options of security modules, since 6.13; another namespace can be named since 6.11.
 *
 * Another namespace is asked by its id, without entering it. The answer is then as seen from its topmost mount and with belljar's own
 * root in mind, and mountinfo is the better source where a process inside sees something else: after chroot(2), and of mounts whose
 * master has a master in the same namespace (propagate_from).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kern/mnt.h"
#include "kern/sys.h"

/* <linux/mount.h> and <linux/nsfs.h> of 6.13; Debian 12 has those of 6.1. */
#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

#define GET_MNTNS_ID _IOR(0xb7, 5, uint64_t)
#define ALL_FROM_ROOT UINT64_MAX       /* LSMT_ROOT */

enum {
	SB_BASIC = 1, MNT_BASIC = 2, PROPAGATE_FROM = 4, MNT_ROOT = 8, MNT_POINT = 0x10, FS_TYPE = 0x20, MNT_OPTS = 0x80, FS_SUBTYPE = 0x100,
	SB_SOURCE = 0x200, OPT_SEC_ARRAY = 0x800,
	WANTED = SB_BASIC | MNT_BASIC | PROPAGATE_FROM | MNT_ROOT | MNT_POINT | FS_TYPE | MNT_OPTS | FS_SUBTYPE | SB_SOURCE | OPT_SEC_ARRAY,
};
enum { ATTR_STRICTATIME = 0x20, ATTR_NOSYMFOLLOW = 0x200000 };
enum { IDS_AT_ONCE = 256, ROOM_FIRST = 2048, ROOM_LARGEST = 1 << 24 };

struct request {
	uint32_t size, spare;
	uint64_t id, param, ns;
};

/* struct statmount; strings are offsets in text. */
struct answer {
	uint32_t size, options;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t sb_flags, type;
	uint64_t id, parent;
	uint32_t old_id, old_parent;
	uint64_t attributes, propagation, group, master, from;
	uint32_t root, target;
	uint64_t ns;
	uint32_t subtype, source, n_options, option_array, n_security, security;
	uint64_t supported, spare[45];
	char text[];
};
_Static_assert(sizeof(struct answer) == 512, "the kernel's size");

struct reader {
	uint64_t ns;           /* 0: belljar's own */
	uint64_t top;          /* the mount that is the root of who is asked about; 0: not to be checked */
	uint64_t above_top;    /* what that is mounted in */
	uint64_t propagation;  /* all kinds seen */
	uint64_t *ids;
	size_t n_ids;
	struct answer *answer;
	size_t room;
};

static int list_ids(struct reader *r)
{
	struct request q = { .size = sizeof q, .id = ALL_FROM_ROOT, .ns = r->ns };
	long got;

	do {
		uint64_t some[IDS_AT_ONCE];
		got = syscall(SYS_listmount, &q, some, (size_t)IDS_AT_ONCE, 0);
		for (long i = 0; i < got; i++)
			*GROW(&r->ids, &r->n_ids) = q.param = some[i];
	} while (got == IDS_AT_ONCE);
	return got < 0 ? -1 : 0;
}

static int ask(struct reader *r, uint64_t id)
{
	struct request q = { .size = sizeof q, .id = id, .param = WANTED, .ns = r->ns };

	for (;;) {
		if (syscall(SYS_statmount, &q, r->answer, r->room, 0) == 0)
			return 0;
		if (errno != EOVERFLOW || r->room >= ROOM_LARGEST)
			return -1;
		free(r->answer);
		r->answer = xmalloc(r->room *= 2);
	}
}

static const char *text_of(const struct answer *a, uint64_t what, uint32_t offset)
{
	return a->mask & what ? a->text + offset : "";
}

struct word {
	uint64_t flag;
	const char *text;
};

static void add_words(struct buf *b, const struct word *words, size_t n, uint64_t flags)
{
	for (size_t i = 0; i < n; i++)
		if (flags & words[i].flag)
			buf_str(b, words[i].text);
}

/* The words of mountinfo, in its order. */
static char *options_of(uint64_t attributes)
{
	enum { RELATIME = 1 << 30 };   /* for the kernel no flag, but the lack of two */
	static const struct word words[] = {
		{ MOUNT_ATTR_NOSUID, ",nosuid" },         { MOUNT_ATTR_NODEV, ",nodev" },     { MOUNT_ATTR_NOEXEC, ",noexec" },
		{ MOUNT_ATTR_NOATIME, ",noatime" },       { MOUNT_ATTR_NODIRATIME, ",nodiratime" }, { RELATIME, ",relatime" },
		{ ATTR_NOSYMFOLLOW, ",nosymfollow" }, { MOUNT_ATTR_IDMAP, ",idmapped" },
	};
	struct buf b = { 0 };

	buf_str(&b, attributes & MOUNT_ATTR_RDONLY ? "ro" : "rw");
	if (!(attributes & (MOUNT_ATTR_NOATIME | ATTR_STRICTATIME)))
		attributes |= RELATIME;
	add_words(&b, words, ARRAY_SIZE(words), attributes);
	return buf_take(&b);
}

static char *super_of(const struct answer *a)
{
	static const struct word words[] = { { MS_SYNCHRONOUS, ",sync" }, { MS_DIRSYNC, ",dirsync" }, { MS_LAZYTIME, ",lazytime" } };
	const char *security = text_of(a, OPT_SEC_ARRAY, a->security), *options = text_of(a, MNT_OPTS, a->options);
	struct buf b = { 0 };

	buf_str(&b, a->sb_flags & MS_RDONLY ? "ro" : "rw");
	add_words(&b, words, ARRAY_SIZE(words), a->sb_flags);
	for (uint32_t i = 0; a->mask & OPT_SEC_ARRAY && i < a->n_security; i++, security += strlen(security) + 1)
		buf_fmt(&b, ",%s", security);
	if (*options)
		buf_fmt(&b, ",%s", options);
	return buf_take(&b);
}

static char *propagation_of(const struct answer *a)
{
	struct buf b = { 0 };

	if (a->propagation & MS_SHARED)
		buf_fmt(&b, "shared:%llu ", (unsigned long long)a->group);
	if (a->propagation & MS_SLAVE)
		buf_fmt(&b, "master:%llu ", (unsigned long long)a->master);
	if (a->propagation & MS_SLAVE && a->from && a->from != a->master)
		buf_fmt(&b, "propagate_from:%llu ", (unsigned long long)a->from);
	if (a->propagation & MS_UNBINDABLE)
		buf_str(&b, "unbindable ");
	char *text = buf_take(&b);
	if (*text)
		text[strlen(text) - 1] = '\0';
	return text;
}

static struct mnt_info to_info(const struct answer *a)
{
	const char *subtype = text_of(a, FS_SUBTYPE, a->subtype);

	return (struct mnt_info){
		.id = (int)a->old_id,
		.parent = (int)a->old_parent,
		.device = makedev(a->major, a->minor),
		.root = xstrdup(text_of(a, MNT_ROOT, a->root)),
		.target = xstrdup(text_of(a, MNT_POINT, a->target)),
		.options = options_of(a->attributes),
		.propagation = propagation_of(a),
		.type = xasprintf("%s%s%s", text_of(a, FS_TYPE, a->type), *subtype ? "." : "", subtype),
		.source = xstrdup(text_of(a, SB_SOURCE, a->source)),
		.super = super_of(a),
	};
}

/* Whose table is that of process PID? And what is its root? */
static bool find_process(struct reader *r, pid_t pid)
{
	_cleanup_free_ char *ns = xasprintf("/proc/%d/ns/mnt", (int)pid), *root = xasprintf("/proc/%d/root", (int)pid);
	_cleanup_close_ int fd = open(ns, O_RDONLY | O_CLOEXEC);
	struct statx st;

	if (fd < 0 || ioctl(fd, GET_MNTNS_ID, &r->ns) < 0 || statx(AT_FDCWD, root, 0, STATX_MNT_ID_UNIQUE, &st) < 0)
		return false;
	r->top = st.stx_mnt_id;
	return st.stx_mask & STATX_MNT_ID_UNIQUE && st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Would the process itself see the same? */
static bool same_inside(const struct reader *r)
{
	if (!r->top)
		return true;
	for (size_t i = 0; i < r->n_ids; i++)
		if (r->ids[i] == r->above_top && r->ids[i] != r->top)
			return false;
	return r->above_top && (r->propagation & (MS_SHARED | MS_SLAVE)) != (MS_SHARED | MS_SLAVE);
}

static bool read_all(struct reader *r, struct mnt_info **mounts, size_t *n)
{
	for (size_t i = 0; i < r->n_ids; i++) {
		if (ask(r, r->ids[i]) < 0) {
			if (errno == ENOENT)   /* gone since it was listed */
				continue;
			return false;
		}
		const struct answer *a = r->answer;
		if (*n == 0 && !(a->mask & SB_SOURCE))
			return false;
		r->propagation |= a->propagation;
		if (a->id == r->top)
			r->above_top = a->parent;
		if (a->mask & MNT_POINT)
			*GROW(mounts, n) = to_info(a);
	}
	return *n > 0 && same_inside(r);
}

bool mnt_list_statmount(pid_t pid, struct mnt_info **mounts, size_t *n)
{
	struct reader r = { .room = ROOM_FIRST };

	*mounts = NULL;
	*n = 0;
	if ((pid > 0 && !find_process(&r, pid)) || list_ids(&r) < 0) {
		free(r.ids);
		return false;
	}
	r.answer = xmalloc(r.room);
	bool all = read_all(&r, mounts, n);
	free(r.ids);
	free(r.answer);
	if (!all) {
		mnt_free(*mounts, *n);
		*mounts = NULL;
		*n = 0;
	}
	return all;
}
