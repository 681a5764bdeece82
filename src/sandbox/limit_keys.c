/*
 * limit_keys.c - what can be limited
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysinfo.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "sandbox/limits.h"
#include "sandbox/session.h"
#include "sandbox/steps.h"

/* What limit_exact_size has written; *TEXT moves behind it. */
static int64_t exact_number(const char **text)
{
	char *end;
	long long n = strtoll(*text, &end, 10);

	*text = end + (*end == 'K' || *end == 'M' || *end == 'G');
	return n << (*end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0);
}

/* ---- disk traffic: control files that have a line for each disk ---- */

enum { RATES = 4 };
static const char *const rates[RATES] = { "rbps", "wbps", "riops", "wiops" };
static const char *const v1_files[RATES] = {
	"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device", "blkio.throttle.read_iops_device",
	"blkio.throttle.write_iops_device",
};

struct disk_limit {
	unsigned major, minor;
	int64_t rate[RATES];   /* INT64_MAX: not limited; 0: not spoken of */
};

static int rate_of(const char *text)
{
	for (int i = 0; i < RATES; i++)
		if (starts_with(text, rates[i]) && text[strlen(rates[i])] == '=')
			return i;
	return -1;
}

static void add_disk(struct steps *steps, struct sandbox *sb, const struct disk_limit *d)
{
	_cleanup_buf_ struct buf words = { 0 };

	buf_fmt(&words, "%u:%u", d->major, d->minor);
	for (int i = 0; i < RATES; i++) {
		if (!d->rate[i])
			continue;
		if (!cg_v1(CTL_IO)) {
			buf_fmt(&words, d->rate[i] == INT64_MAX ? " %s=max" : " %s=%lld", rates[i], (long long)d->rate[i]);
			continue;
		}
		_cleanup_free_ char *line = xasprintf("%u:%u %lld", d->major, d->minor, d->rate[i] == INT64_MAX ? 0 : (long long)d->rate[i]);
		limit_add(steps, sb, v1_files[i], line);
	}
	if (!cg_v1(CTL_IO))
		limit_add(steps, sb, "io.max", buf_text(&words));
}

/* What get_io has written, of another sandbox: "8:0 rbps=1M wbps=max ..., 8:16 ...". */
static void plan_io_text(struct sandbox *sb, const char *text, struct steps *steps)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *one;

	while ((one = strsep(&rest, ","))) {
		struct disk_limit d = { 0 };
		char *word;
		one += *one == ' ';
		if (sscanf(one, "%u:%u", &d.major, &d.minor) != 2)
			continue;
		while ((word = strsep(&one, " "))) {
			int i = rate_of(word);
			const char *number = strchr(word, '=') + 1;
			if (i >= 0)
				d.rate[i] = exact_number(&number);
		}
		add_disk(steps, sb, &d);
	}
}

static int plan_io(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err)
{
	struct disk_limit d = { 0 };
	_cleanup_free_ char *name = NULL;

	if (w->n == 1) {
		plan_io_text(sb, w->v[0].text, steps);
		return 0;
	}
	if (cg_disk(w->v[0].text, &name, &d.major, &d.minor, err) < 0)
		return -1;
	for (size_t k = 1; k < w->n; k++) {
		int i = rate_of(w->v[k].text);
		for (int all = 0; i < 0 && all < RATES; all++)
			d.rate[all] = INT64_MAX;
		if (i >= 0)
			d.rate[i] = w->v[k].n;
	}
	add_disk(steps, sb, &d);
	return 0;
}

static struct disk_limit *disk_in(struct disk_limit **disks, size_t *n, unsigned ma, unsigned mi)
{
	for (size_t i = 0; i < *n; i++)
		if ((*disks)[i].major == ma && (*disks)[i].minor == mi)
			return &(*disks)[i];
	struct disk_limit *d = GROW(disks, n);
	*d = (struct disk_limit){ ma, mi, { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX } };
	return d;
}

/* Lines of io.max, or those of the version 1 file of one RATE. */
static void read_disks(const char *text, int rate, struct disk_limit **disks, size_t *n)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line, *word;
	unsigned ma, mi;

	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%u:%u ", &ma, &mi) != 2)
			continue;
		struct disk_limit *d = disk_in(disks, n, ma, mi);
		while ((word = strsep(&line, " "))) {
			int i = rate >= 0 && strspn(word, "0123456789") == strlen(word) ? rate : rate_of(word);
			const char *value = i < 0 ? "" : rate >= 0 ? word : strchr(word, '=') + 1;
			if (i >= 0)
				d->rate[i] = streq(value, "max") ? INT64_MAX : strtoll(value, NULL, 10);
		}
	}
}

static int get_io(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err)
{
	_cleanup_free_ struct disk_limit *disks = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	bool v1 = cg_v1(CTL_IO);
	size_t n = 0;

	(void)key;
	for (int i = 0; sb->group && i < (v1 ? RATES : 1); i++) {
		buf_clear(&text);
		if (cg_text(limits_group(sb), v1 ? v1_files[i] : "io.max", &text, err) < 0)
			return -1;
		read_disks(buf_text(&text), v1 ? i : -1, &disks, &n);
	}
	buf_clear(&text);
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&text, "%s%u:%u", i ? ", " : "", disks[i].major, disks[i].minor);
		for (int r = 0; r < RATES; r++) {
			if (disks[i].rate[r] == INT64_MAX)
				continue;
			_cleanup_free_ char *size = limit_exact_size(disks[i].rate[r]);
			buf_fmt(&text, " %s=%s", rates[r], size);
		}
	}
	now->text = xstrdup(n ? buf_text(&text) : "max");
	if (n) {
		now->n = 0;
		now->words = xstrdup(buf_text(&text));
		now->file = cg_path(limits_group(sb), v1 ? v1_files[0] : "io.max");
	}
	return 0;
}

/* ---- weights of disk traffic: which file there is depends on the scheduler the kernel has ---- */

static const char *weight_file(struct sandbox *sb)
{
	_cleanup_free_ char *usual = cg_path(limits_group(sb), cg_file(CG_IO_WEIGHT));
	_cleanup_free_ char *bfq = cg_path(limits_group(sb), "io.bfq.weight");

	if (!usual || access(usual, F_OK) == 0 || cg_v1(CTL_IO) || access(bfq, F_OK) < 0)
		return cg_file(CG_IO_WEIGHT);
	return "io.bfq.weight";
}

static int plan_io_weight(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err)
{
	const char *file = weight_file(sb);
	char words[64];

	if (strstr(file, "bfq") && w->v[0].n != INT64_MAX && w->v[0].n > 1000) {
		err_set(err, ERANGE, "io-weight %s: the most is 1000 here", w->v[0].text);
		return err_why(err, "%s serves it, of the disk scheduler bfq", file);
	}
	cg_words(CG_IO_WEIGHT, w->v[0].n, words);
	limit_add(steps, sb, file, streq(file, "io.bfq.weight") && starts_with(words, "default ") ? words + 8 : words);
	return 0;
}

static int get_io_weight(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err)
{
	char words[64] = "";

	(void)key;
	if (sb->group && cg_file(CG_IO_WEIGHT) && cg_get(limits_group(sb), weight_file(sb), words, sizeof words, err) < 0)
		return -1;
	if (words[0]) {
		now->n = cg_number(CG_IO_WEIGHT, words);
		now->words = xstrdup(words);
		now->file = cg_path(limits_group(sb), weight_file(sb));
	}
	now->text = now->n == INT64_MAX ? xstrdup("max") : xasprintf("%lld", (long long)now->n);
	return 0;
}

/* ---- who is killed ---- */

static int plan_oom(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err)
{
	bool v1 = cg_v1(CTL_MEMORY), lift = streq(w->v[0].text, "max");

	if (!lift && v1 != streq(w->v[0].text, "off")) {
		err_set(err, ENOENT, "oom %s can't be had here", w->v[0].text);
		if (v1)
			return err_why(err, "control groups of version 1 can't kill a group as a whole (that is memory.oom.group of version 2)");
		return err_why(err, "control groups of version 2 can't do without the killing (that is memory.oom_control of version 1)");
	}
	limit_add(steps, sb, cg_file(CG_OOM), lift ? "0" : "1");
	return 0;
}

static int get_oom(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err)
{
	char words[64] = "";

	(void)key;
	if (sb->group && cg_file(CG_OOM) && cg_get(limits_group(sb), cg_file(CG_OOM), words, sizeof words, err) < 0)
		return -1;
	now->n = words[0] ? cg_number(CG_OOM, words) : INT64_MAX;
	if (words[0]) {
		now->words = xstrdup(words);
		now->file = cg_path(limits_group(sb), cg_file(CG_OOM));
	}
	now->text = xstrdup(now->n == INT64_MAX ? "max" : cg_v1(CTL_MEMORY) ? "off" : "group");
	return 0;
}

/* ---- huge pages: a file for each size ---- */

static void huge_words(int64_t size, char words[32])
{
	if (size >= 1 << 30)
		snprintf(words, 32, "%lldGB", (long long)size >> 30);
	else if (size >= 1 << 20)
		snprintf(words, 32, "%lldMB", (long long)size >> 20);
	else
		snprintf(words, 32, "%lldKB", (long long)size >> 10);
}

static void add_huge(struct steps *steps, struct sandbox *sb, int64_t page, int64_t n)
{
	char size[32], words[64];

	huge_words(page, size);
	_cleanup_free_ char *file = xasprintf("hugetlb.%s.%s", size, cg_v1(CTL_HUGETLB) ? "limit_in_bytes" : "max");
	cg_words(CG_HUGETLB, n == INT64_MAX ? n : n / page * page, words);
	limit_add(steps, sb, file, words);
}

/* What get_hugetlb has written, of another sandbox: "2M 64M,1G 2G". */
static void plan_huge_text(struct sandbox *sb, const char *text, struct steps *steps)
{
	while (*text) {
		int64_t page = exact_number(&text), n = exact_number(&text);
		add_huge(steps, sb, page, n);
		text += *text == ',';
	}
}

static int plan_hugetlb(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err)
{
	if (w->n == 1) {
		plan_huge_text(sb, w->v[0].text, steps);
		return 0;
	}
	_cleanup_free_ char *dir = xasprintf("/sys/kernel/mm/hugepages/hugepages-%lldkB", (long long)w->v[0].n >> 10);
	if (w->v[0].n < 1024 || access(dir, F_OK) < 0) {
		err_set(err, EINVAL, "hugetlb %s: the machine has no pages of that size", w->v[0].text);
		return err_try(err, "2M; ls /sys/kernel/mm/hugepages shows all");
	}
	add_huge(steps, sb, w->v[0].n, w->v[1].n);
	return 0;
}

static int get_hugetlb(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err)
{
	static const int64_t sizes[] = { 64 << 10, 2 << 20, 32 << 20, 1 << 30 };
	_cleanup_buf_ struct buf text = { 0 };
	char words[64], size[32];

	(void)key;
	for (size_t i = 0; sb->group && i < ARRAY_SIZE(sizes); i++) {
		huge_words(sizes[i], size);
		_cleanup_free_ char *file = xasprintf("hugetlb.%s.%s", size, cg_v1(CTL_HUGETLB) ? "limit_in_bytes" : "max");
		if (cg_get(limits_group(sb), file, words, sizeof words, err) < 0)
			return -1;
		int64_t n = words[0] ? cg_number(CG_HUGETLB, words) : INT64_MAX;
		if (n == INT64_MAX)
			continue;
		_cleanup_free_ char *page = limit_exact_size(sizes[i]), *most = limit_exact_size(n);
		buf_fmt(&text, "%s%s %s", text.len ? "," : "", page, most);
		free(now->file);
		now->file = cg_path(limits_group(sb), file);
		now->n = 0;
	}
	now->text = xstrdup(text.len ? buf_text(&text) : "max");
	now->words = text.len ? xstrdup(buf_text(&text)) : NULL;
	return 0;
}

/* ---- any control file ---- */

static int plan_raw(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err)
{
	static const char *const ours[] = { "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "cgroup.type", "cgroup.kill" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (streq(w->v[0].text, ours[i])) {
			err_set(err, EPERM, "%s is no limit", ours[i]);
			return err_why(err, "belljar itself writes it, to put processes and controllers where they belong");
		}
	limit_add(steps, sb, w->v[0].text, w->v[1].text);
	steps->list[steps->n - 1].flags = CG_RAW;
	return 0;
}

/* ---- what the machine has of it ---- */

static int64_t machine_memory(void)
{
	return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static int64_t machine_swap(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? INT64_MAX : (int64_t)info.totalswap * info.mem_unit;
}

static int64_t machine_cpu(void)
{
	return (int64_t)sysconf(_SC_NPROCESSORS_ONLN) * LIMIT_PERIOD_US;
}

/* Threads count, and each has a number. */
static int64_t machine_pids(void)
{
	static const char *const files[] = { "/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max" };
	int64_t least = INT64_MAX;
	char line[32];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (io_line(AT_FDCWD, files[i], line, sizeof line) > 0 && strtoll(line, NULL, 10) < least)
			least = strtoll(line, NULL, 10);
	return least;
}

const struct limit_key limit_keys[LIMIT_KEYS] = {
	{ .name = "memory", .cg = CG_MEMORY, .common = true, .machine = machine_memory },
	{ .name = "swap", .cg = CG_SWAP, .common = true, .machine = machine_swap },
	{ .name = "memory-low", .cg = CG_MEMORY_LOW },
	{ .name = "memory-high", .cg = CG_MEMORY_HIGH, .machine = machine_memory },
	{ .name = "oom", .cg = CG_OOM, .plan = plan_oom, .get = get_oom },
	{ .name = "cpu", .cg = CG_CPU, .common = true, .machine = machine_cpu },
	{ .name = "cpu-weight", .cg = CG_CPU_WEIGHT },
	{ .name = "cpu-burst", .cg = CG_CPU_BURST },
	{ .name = "cpus", .cg = CG_CPUS, .common = true },
	{ .name = "mems", .cg = CG_MEMS },
	{ .name = "pids", .cg = CG_PIDS, .common = true, .machine = machine_pids },
	{ .name = "io", .cg = CG_IO, .plan = plan_io, .get = get_io },
	{ .name = "io-weight", .cg = CG_IO_WEIGHT, .plan = plan_io_weight, .get = get_io_weight },
	{ .name = "hugetlb", .cg = CG_HUGETLB, .plan = plan_hugetlb, .get = get_hugetlb },
	{ .name = "disk", .cg = CG_KEYS, .plan = limit_disk_plan, .get = limit_disk_get,
	  .machine = machine_memory },
};

static const struct limit_key raw = { .name = "FILE", .cg = CG_KEYS, .plan = plan_raw };
const struct limit_key *const limit_raw = &raw;

const struct limit_key *limit_key(const char *name)
{
	for (size_t i = 0; i < LIMIT_KEYS; i++)
		if (streq(limit_keys[i].name, name))
			return &limit_keys[i];
	return NULL;
}

void limit_size_text(int64_t n, char text[32])
{
	static const char units[] = "KMGTPE";
	double value = (double)n;
	int unit = -1;

	if (n == INT64_MAX || n < 0) {
		snprintf(text, 32, "%s", n < 0 ? "" : "max");
		return;
	}
	for (; value >= 1024 && unit < 5; unit++)
		value /= 1024;
	if (unit < 0)
		snprintf(text, 32, "%lld", (long long)n);
	else
		snprintf(text, 32, value == (double)(int64_t)value ? "%.0f%c" : "%.1f%c", value, units[unit]);
}

char *limit_exact_size(int64_t n)
{
	static const char units[] = "\0KMG";
	int unit = 0;

	while (n && unit < 3 && n % 1024 == 0) {
		n /= 1024;
		unit++;
	}
	return xasprintf("%lld%.1s", (long long)n, &units[unit]);
}
