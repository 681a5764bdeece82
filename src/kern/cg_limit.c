/*
 * cg_limit.c - control files: which there are, what stands in them, writing and reading back
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/cg_tree.h"
#include "kern/step.h"

enum { PERIOD_US = 100000, TEXT_LIMIT = 1 << 20, WEIGHT = 100, SHARES = 1024 };

const struct cg_row cg_table[CG_KEYS] = {
	[CG_MEMORY] = { "memory", CTL_MEMORY, "memory.max", "memory.limit_in_bytes", CHECK_PAGES },
	[CG_SWAP] = { "swap", CTL_MEMORY, "memory.swap.max", "memory.memsw.limit_in_bytes", CHECK_PAGES },
	[CG_MEMORY_LOW] = { "memory-low", CTL_MEMORY, "memory.low", "memory.soft_limit_in_bytes", CHECK_PAGES },
	[CG_MEMORY_HIGH] = { "memory-high", CTL_MEMORY, "memory.high", NULL, CHECK_PAGES },
	[CG_OOM] = { "oom", CTL_MEMORY, "memory.oom.group", "memory.oom_control", CHECK_WORD },
	[CG_CPU] = { "cpu", CTL_CPU, "cpu.max", "cpu.cfs_quota_us", CHECK_WORD },
	[CG_CPU_WEIGHT] = { "cpu-weight", CTL_CPU, "cpu.weight", "cpu.shares", CHECK_WORD },
	[CG_CPU_BURST] = { "cpu-burst", CTL_CPU, "cpu.max.burst", "cpu.cfs_burst_us", CHECK_WORD },
	[CG_CPUS] = { "cpus", CTL_CPUSET, "cpuset.cpus", "cpuset.cpus", CHECK_LIST },
	[CG_MEMS] = { "mems", CTL_CPUSET, "cpuset.mems", "cpuset.mems", CHECK_LIST },
	[CG_PIDS] = { "pids", CTL_PIDS, "pids.max", "pids.max", CHECK_WORD },
	[CG_IO] = { "io", CTL_IO, "io.max", "blkio.throttle.read_bps_device", CHECK_DEVICE },
	[CG_IO_WEIGHT] = { "io-weight", CTL_IO, "io.weight", "blkio.bfq.weight", CHECK_WORD },
	/* What stands between is the size of the pages. */
	[CG_HUGETLB] = { "hugetlb", CTL_HUGETLB, "hugetlb.2MB.max", "hugetlb.2MB.limit_in_bytes", CHECK_PAGES },
};

int cg_file_controller(const char *file)
{
	size_t n = strcspn(file, ".");

	if (!file[n])
		return -1;
	if (n == 6 && starts_with(file, "cgroup"))
		return CTL_COUNT;
	if (n == 5 && starts_with(file, "blkio"))
		return CTL_IO;
	for (int i = 0; i < CTL_COUNT; i++)
		if (n == strlen(cg_controller_names[i]) && starts_with(file, cg_controller_names[i]))
			return i;
	return -1;
}

const struct cg_tree *cg_tree_of_file(const char *file)
{
	int c = cg_file_controller(file);

	return c < 0 ? NULL : cg_tree_of((enum cg_controller)c);
}

const char *cg_file(enum cg_key key)
{
	const struct cg_tree *t = cg_tree_of(cg_table[key].controller);

	return !t ? NULL : t->v2 ? cg_table[key].v2_file : cg_table[key].v1_file;
}

/* The key that FILE belongs to; CG_KEYS when it is none's. */
static enum cg_key key_of(const char *file)
{
	for (int k = 0; k < CG_KEYS; k++) {
		const struct cg_row *row = &cg_table[k];
		if ((row->v2_file && streq(file, row->v2_file)) || (row->v1_file && streq(file, row->v1_file)))
			return (enum cg_key)k;
	}
	if (starts_with(file, "blkio.throttle."))
		return CG_IO;
	if (starts_with(file, "hugetlb.") && (strstr(file, "B.max") || strstr(file, "B.limit_in_bytes")))
		return CG_HUGETLB;
	return CG_KEYS;
}

const char *cg_other_words(const char *file)
{
	enum cg_key key = key_of(file);

	if (key == CG_KEYS)
		return NULL;
	const struct cg_row *row = &cg_table[key];
	const char *other = cg_v1(row->controller) ? row->v2_file : row->v1_file;
	return other && !streq(other, file) ? other : NULL;
}

int cg_can(enum cg_key key, struct err *err)
{
	const struct cg_row *row = &cg_table[key];

	if (cg_has(row->controller, row->name, err) < 0)
		return -1;
	const struct cg_tree *t = cg_tree_of(row->controller);
	if (!cg_file(key)) {
		err_set(err, ENOENT, "%s can't be limited here", row->name);
		return err_why(err, "control groups of version %d have nothing like it; it is %s of version %d", t->v2 ? 2 : 1,
			       t->v2 ? row->v1_file : row->v2_file, t->v2 ? 1 : 2);
	}
	if (key == CG_SWAP && !t->v2) {
		_cleanup_free_ char *path = xasprintf("%s/%s", t->mount, row->v1_file);
		if (access(path, F_OK) < 0) {
			err_set(err, errno, "swap can't be limited here");
			return err_why(err, "the kernel does not account for swap (boot option swapaccount=1)");
		}
	}
	return 0;
}

/* ---- numbers and words ---- */

void cg_words(enum cg_key key, int64_t n, char words[64])
{
	bool v1 = cg_v1(cg_table[key].controller), max = n == INT64_MAX;
	long long number = (long long)n;

	if (key == CG_CPU && !v1 && max)
		snprintf(words, 64, "max %d", PERIOD_US);
	else if (key == CG_CPU && !v1)
		snprintf(words, 64, "%lld %d", number, PERIOD_US);
	else if (key == CG_CPU_WEIGHT && v1)
		snprintf(words, 64, "%lld", max ? SHARES : number * SHARES / WEIGHT < 2 ? 2 : number * SHARES / WEIGHT);
	else if (key == CG_CPU_WEIGHT || key == CG_IO_WEIGHT)
		snprintf(words, 64, "%s%lld", key == CG_IO_WEIGHT && !v1 ? "default " : "", max ? WEIGHT : number);
	else if (max && (key == CG_CPU_BURST || key == CG_OOM || (key == CG_MEMORY_LOW && !v1)))
		snprintf(words, 64, "0");
	else if (max)
		snprintf(words, 64, "%s", v1 && key != CG_PIDS ? "-1" : "max");
	else
		snprintf(words, 64, "%lld", number);
}

int64_t cg_number(enum cg_key key, const char *words)
{
	bool v1 = cg_v1(cg_table[key].controller);
	const char *digits = strpbrk(words, "0123456789-");

	errno = 0;
	long long n = starts_with(words, "max") || !digits ? INT64_MAX : strtoll(digits, NULL, 10);
	/* Version 1 says "no limit" by the largest multiple of the size of a page, or of a huge one. */
	if (errno || n < 0 || n >= INT64_MAX - (1LL << 31))
		return INT64_MAX;
	if (key == CG_CPU_WEIGHT && v1)
		n = (n * WEIGHT + SHARES / 2) / SHARES;
	if ((key == CG_CPU_WEIGHT || key == CG_IO_WEIGHT) && n == WEIGHT)
		return INT64_MAX;
	if (n == 0 && (key == CG_CPU_BURST || key == CG_OOM || key == CG_MEMORY_LOW))
		return INT64_MAX;
	/* In each 100 ms, whatever period it was written with. */
	const char *period = key == CG_CPU && !v1 ? strchr(words, ' ') : NULL;
	long long us = period ? strtoll(period, NULL, 10) : PERIOD_US;
	return us > 0 && us != PERIOD_US && n < INT64_MAX / PERIOD_US ? n * PERIOD_US / us : n;
}

/* ---- reading ---- */

int cg_get(const char *group, const char *file, char *words, size_t room, struct err *err)
{
	_cleanup_free_ char *path = cg_path(group, file);

	words[0] = '\0';
	if (!path || io_line(AT_FDCWD, path, words, room) >= 0)
		return 0;
	words[0] = '\0';
	return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be read", path);
}

int cg_text(const char *group, const char *file, struct buf *text, struct err *err)
{
	_cleanup_free_ char *path = cg_path(group, file);

	if (!path || io_slurp(AT_FDCWD, path, TEXT_LIMIT, text) == 0)
		return 0;
	return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be read", path);
}

/* The directory above DIR, not above the mount point. */
static bool up(char *dir, const char *mount)
{
	char *slash = strrchr(dir, '/');

	if (!slash || (size_t)(slash - dir) < strlen(mount))
		return false;
	*slash = '\0';
	return true;
}

int64_t cg_least(const char *group, enum cg_key key, char **where)
{
	const struct cg_tree *t = cg_tree_of(cg_table[key].controller);
	int64_t least = INT64_MAX;
	char words[256];

	*where = NULL;
	if (!t || !cg_file(key))
		return least;
	_cleanup_free_ char *dir = cg_tree_path(t, group, NULL);
	do {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, cg_file(key));
		if (io_line(AT_FDCWD, path, words, sizeof words) <= 0)
			continue;
		int64_t n = cg_number(key, words);
		if (n < least) {
			least = n;
			free(*where);
			*where = xstrdup(dir);
		}
	} while (up(dir, t->mount));
	return least;
}

int cg_set_of(const char *group, enum cg_key key, char *list, size_t room, struct err *err)
{
	const struct cg_tree *t = cg_tree_of(CTL_CPUSET);
	const char *what = key == CG_MEMS ? "mems" : "cpus";
	_cleanup_free_ char *at = xstrdup(group);

	if (!t)
		return cg_can(key, err);
	_cleanup_free_ char *file = t->v2 ? xasprintf("cpuset.%s.effective", what) : xasprintf("cpuset.effective_%s", what);
	for (;;) {
		_cleanup_free_ char *path = cg_tree_path(t, at, file);
		if (io_line(AT_FDCWD, path, list, room) > 0)
			return 0;
		if (!*at)
			return err_set(err, errno, "%s: can't be read", path);
		char *slash = strrchr(at, '/');
		*(slash ? slash : at) = '\0';
	}
}

/* ---- writing ---- */

/* "0-2,5" as bits; false when it is not such a list or names a number past 1023. */
static bool parse_list(const char *list, unsigned char bits[128])
{
	memset(bits, 0, 128);
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;
		if (end == list)
			return false;
		if (*end == '-') {
			list = end + 1;
			last = strtoul(list, &end, 10);
			if (end == list)
				return false;
		}
		if (last < first || last > 1023 || (*end && *end != ','))
			return false;
		for (unsigned long i = first; i <= last; i++)
			bits[i / 8] |= (unsigned char)(1u << i % 8);
		list = *end ? end + 1 : end;
	}
	return true;
}

static bool same_list(const char *one, const char *other)
{
	unsigned char a[128], b[128];

	return parse_list(one, a) && parse_list(other, b) && memcmp(a, b, sizeof a) == 0;
}

/* "oom_kill_disable 1" is 1, too. */
static bool same_word(const char *written, const char *read)
{
	size_t n = strlen(written), m = strlen(read);

	return streq(written, read) || (m > n && read[m - n - 1] == ' ' && streq(read + m - n, written));
}

static bool same_pages(enum cg_key key, const char *written, const char *read)
{
	long long want = strtoll(written, NULL, 10), got = strtoll(read, NULL, 10), page = sysconf(_SC_PAGESIZE);

	if (streq(written, "max") || streq(written, "-1") || streq(read, "max"))
		return cg_number(key, read) == INT64_MAX && cg_number(key, written) == INT64_MAX;
	return want - got < page && got - want < page;
}

/* Does what the kernel says now mean what was written? */
static bool same(enum cg_key key, const char *written, const char *read)
{
	switch (cg_table[key].check) {
	case CHECK_WORD:
		return same_word(written, read);
	case CHECK_PAGES:
		return same_word(written, read) || same_pages(key, written, read);
	case CHECK_LIST:
		return same_list(written, read);
	default:
		return true;
	}
}

static int list_failed(const struct step *s, enum cg_key key, struct err *err)
{
	const char *what = key == CG_CPUS ? "processors" : "memory nodes";
	const char *slash = strrchr(s->text, '/');
	_cleanup_free_ char *above = xstrndup(s->text, slash ? (size_t)(slash - s->text) : 0);
	char list[256];

	if (s->from[strspn(s->from, "0123456789,-")])
		return err_why(err, "it is no list of %s such as 0-2,5", what);
	if (cg_set_of(above, key, list, sizeof list, NULL) < 0)
		return err_why(err, "the group above does not have all of these %s", what);
	return err_why(err, "the group above has only the %s %s", what, list);
}

static int write_failed(int number, const struct step *s, enum cg_key key, struct err *err)
{
	const char *name = strrchr(s->text, '/');
	bool v1 = key < CG_KEYS && cg_v1(cg_table[key].controller);

	err_set(err, number, "%s: %s can't be set to %s", name ? name + 1 : s->text, s->what, s->from);
	if (number == EROFS || (number == EACCES && key != CG_CPUS && key != CG_MEMS))
		return err_why(err, "the control file may not be written to");
	if (number == ENOENT)
		return err_why(err, key == CG_SWAP ? "the kernel does not account for swap" : "there is no such control file here");
	if (number == EBUSY && key == CG_MEMORY)
		return err_why(err, "more is in use, and control groups of version 1 then refuse a lower limit instead of killing");
	if ((key == CG_CPUS || key == CG_MEMS) && (number == EACCES || number == EINVAL || number == ERANGE))
		return list_failed(s, key, err);
	if (number == EINVAL && (key == CG_MEMORY || key == CG_SWAP) && v1)
		return err_why(err, "memory.limit_in_bytes can't be above memory.memsw.limit_in_bytes");
	if (number == EINVAL && key == CG_CPU)
		return err_why(err, "the kernel takes at least 1 ms in each 100 ms, no more than the group above has, and no less than the "
			       "burst is");
	if (number == EINVAL && key == CG_CPU_BURST)
		return err_why(err, "a burst can't be longer than the processor time in each 100 ms that cpu allows");
	if (key == CG_IO && (number == ENODEV || number == ENXIO || number == EINVAL))
		return err_why(err, "the device is no whole disk with a queue of its own");
	if (number == EINVAL || number == ERANGE)
		return err_why(err, "the kernel takes no such value for this file");
	return -1;
}

/* The line of the file that begins with the device or link that the words begin with, or what stands for no limit. */
static void old_device(const struct step *s, const char *text, char *old, size_t room)
{
	size_t n = strcspn(s->from, " ") + 1;
	bool v2 = streq(s->what, "io.max");

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, s->from, n) == 0) {
			snprintf(old, room, "%.*s", (int)strcspn(at, "\n"), at);
			return;
		}
	snprintf(old, room, "%.*s%s", (int)n, s->from, v2 ? "rbps=max wbps=max riops=max wiops=max" : "0");
}

/* The value to come back to, into s->old; old_num 1 when there is none that could be written. */
static int old_value(struct step *s, enum cg_key key, const char *path, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 };
	char set[4096];
	bool raw = key == CG_KEYS;

	if (io_slurp(AT_FDCWD, path, TEXT_LIMIT, &text) < 0) {
		s->old_num = 1;        /* some can only be written */
		return raw && (errno == EINVAL || errno == EACCES) ? 0 : write_failed(errno, s, key, err);
	}
	const char *old = buf_text(&text);
	size_t n = strcspn(old, "\n");
	bool device = raw && s->from[strspn(s->from, "0123456789")] == ':';
	if (device || (!raw && cg_table[key].check == CHECK_DEVICE) || streq(s->what, "net_prio.ifpriomap")) {
		old_device(s, old, s->old, sizeof s->old);
		return 0;
	}
	/* An empty list (all of those above) can't be written while there are processes in the group, so it is what the list stands for. */
	if (n == 0 && (key == CG_CPUS || key == CG_MEMS)) {
		if (cg_set_of(s->text, key, set, sizeof set, err) < 0)
			return -1;
		old = set;
		n = strlen(set);
	}
	if (key == CG_OOM && memchr(old, ' ', n)) {
		old += strcspn(old, " ") + 1;
		n = strcspn(old, "\n");
	}
	if (raw && old[n] && old[n + 1])
		s->old_num = 1;
	else if (n >= sizeof s->old)
		return err_set(err, E2BIG, "%s: its old value is too long to be kept", path);
	else
		snprintf(s->old, sizeof s->old, "%.*s", (int)n, old);
	return 0;
}

/* Version 2 takes any list for cpuset.cpus; what really holds is in another file, and differs when a processor is not to be had. */
static bool effective(const struct step *s, enum cg_key key)
{
	char list[4096];

	if (cg_table[key].check != CHECK_LIST || cg_v1(CTL_CPUSET))
		return true;
	return cg_set_of(s->text, key, list, sizeof list, NULL) < 0 || same_list(s->from, list);
}

static int verify(struct step *s, enum cg_key key, const char *path, struct err *err)
{
	char now[4096];

	if (key == CG_KEYS || cg_table[key].check == CHECK_DEVICE)
		return 0;
	if (io_line(AT_FDCWD, path, now, sizeof now) < 0)
		return err_set(err, errno, "%s: can't be read back", path);
	bool whole = effective(s, key);
	if (whole && same(key, s->from, now))
		return 0;
	io_put(AT_FDCWD, path, s->old);
	err_set(err, 0, "%s: the kernel took %s instead of %s", path, whole ? now : "less", s->from);
	return whole ? -1 : list_failed(s, key, err);
}

int cg_limit(struct step *s, struct err *err)
{
	_cleanup_free_ char *path = cg_path(s->text, s->what);
	enum cg_key key = s->flags & CG_RAW ? CG_KEYS : key_of(s->what);

	s->old[0] = '\0';
	s->old_num = 0;
	if (!path)
		return err_set(err, ENOENT, "%s: there is no such control file here", s->what);
	/* Never switched off again: groups of others on the same level may have come to rely on it, and lose their limits with it. */
	if (streq(s->what, "cgroup.subtree_control")) {
		if (io_put(AT_FDCWD, path, s->from) == 0)
			return 0;
		err_set(err, errno, "%s: %s refused", path, s->from);
		return errno == EBUSY ? err_why(err, "the group holds processes itself, and then can't give controllers on") : -1;
	}
	if (old_value(s, key, path, err) < 0)
		return -1;
	if (io_put(AT_FDCWD, path, s->from) < 0)
		return write_failed(errno, s, key, err);
	return verify(s, key, path, err);
}
