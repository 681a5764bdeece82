/*
 * landlock.c - which files programs may reach, whatever their owners and modes say
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/landlock.h"
#include "kern/mnt_parts.h"
#include "kern/sys.h"

/* Rights of <linux/landlock.h>, which older systems have without the newer ones. */
enum {
	EXECUTE = 1 << 0, WRITE_FILE = 1 << 1, READ_FILE = 1 << 2, READ_DIR = 1 << 3,
	CHANGE_DIR = 0x1ff0,           /* make and remove what there is: a bit for each kind */
	REFER = 1 << 13,               /* give a file a name in another directory; version 2 */
	TRUNCATE = 1 << 14,            /* version 3 */
	IOCTL_DEV = 1 << 15,           /* version 5 */
	READ = READ_FILE | READ_DIR,
	WRITE = WRITE_FILE | CHANGE_DIR | REFER | TRUNCATE | IOCTL_DEV,
	OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV,
};

const char *const landlock_accesses[LANDLOCK_ACCESSES] = { "ro", "rw", "exec", "all" };
static const unsigned rights[LANDLOCK_ACCESSES] = { READ, READ | WRITE, READ | EXECUTE, READ | WRITE | EXECUTE };

/* As in linux/landlock.h; the kernel takes the first member alone. */
struct ruleset {
	uint64_t access;
};
struct rule {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));
enum { ASK_VERSION = 1, BENEATH = 1 };

int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	return version < 0 ? 0 : (int)version;
}

const char *landlock_lets_pass(int version)
{
	return version < 3 ? "cut files short" : NULL;
}

static uint64_t handled(int version)
{
	uint64_t all = READ | WRITE | EXECUTE;

	return all & ~(uint64_t)((version < 2 ? REFER : 0) | (version < 3 ? TRUNCATE : 0) | (version < 5 ? IOCTL_DEV : 0));
}

/* What is done inside: paths into rules. */
struct inside {
	const struct place *place;
	char *lines;                   /* cut into words meanwhile */
	int rules;
	uint64_t handled;
};

static int access_of(const char *word)
{
	for (int i = 0; i < LANDLOCK_ACCESSES; i++)
		if (streq(word, landlock_accesses[i]))
			return i;
	return -1;
}

static int add_rule(const struct inside *in, int root, const char *path, uint64_t access, struct err *err)
{
	struct stat st;

	_cleanup_close_ int fd = mnt_beneath(root, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mnt_no_target(in->place, path, err);
	struct rule rule = { .access = access & in->handled & (S_ISDIR(st.st_mode) ? ~UINT64_C(0) : OF_FILES), .fd = fd };
	if (syscall(SYS_landlock_add_rule, in->rules, BENEATH, &rule, 0) < 0)
		return err_set(err, errno, "%s: can't be made an allowed path of %s", path, in->place->name);
	return 0;
}

static int add_rules(void *arg, struct err *err)
{
	const struct inside *in = arg;
	char *rest = NULL;

	_cleanup_close_ int root = mnt_top(in->place, err);
	if (root < 0)
		return -1;
	for (char *line = strtok_r(in->lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *path = strchr(line, ' ');
		if (path)
			*path++ = '\0';
		int access = access_of(line);
		if (!path || access < 0)
			return err_set(err, EINVAL, "%s: its allowed paths make no sense", in->place->name);
		if (add_rule(in, root, path, rights[access], err) < 0)
			return -1;
	}
	return 0;
}

int landlock_rules(const struct place *p, const char *value, struct err *err)
{
	_cleanup_free_ char *lines = xstrdup(value);
	struct ruleset set = { handled(landlock_version()) };

	_cleanup_close_ int rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
	if (rules < 0)
		return err_set(err, errno, "%s: Landlock gives no set of rules", p->name);
	struct inside in = { .place = p, .lines = lines, .rules = rules, .handled = set.access };
	return joined_run(p, 1u << NS_MNT, 0, NULL, add_rules, &in, err) < 0 ? -1 : move_fd(&rules);
}
