/*
 * test_mnt.c - mount tables, sizes and owners
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/mnt.h"
#include "kern/mnt_parts.h"

static void parse(const char *text, struct mnt_info **mounts, size_t *n)
{
	_cleanup_free_ char *copy = xstrdup(text);

	mnt_parse(copy, mounts, n);
}

static void a_table(void **state)
{
	struct mnt_info *m;
	size_t n;

	(void)state;
	parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
	      "40 36 0:5 / /a\\040b\\134c\\012d ro shared:7 master:2 propagate_from:1 unbindable - tmpfs none rw\n", &m, &n);
	assert_int_equal(n, 2);
	assert_int_equal(m[0].id, 36);
	assert_int_equal(m[0].parent, 35);
	assert_string_equal(m[0].root, "/mnt1");
	assert_string_equal(m[0].target, "/mnt2");
	assert_string_equal(m[0].options, "rw,noatime");
	assert_string_equal(m[0].propagation, "master:1");
	assert_string_equal(m[0].type, "ext3");
	assert_string_equal(m[0].source, "/dev/root");
	assert_string_equal(m[0].super, "rw,errors=continue");
	assert_string_equal(m[1].target, "/a b\\c\nd");
	assert_string_equal(m[1].propagation, "shared:7 master:2 propagate_from:1 unbindable");
	mnt_free(m, n);
}

static void odd_lines(void **state)
{
	struct mnt_info *m;
	size_t n;

	(void)state;
	/* An empty source and no options of the file system are the kernel's way with some types; a source of one blank is escaped. */
	parse("1 2 0:1 / / rw - overlay  \n1 2 0:1 / /x rw - tmpfs \\040 rw\n", &m, &n);
	assert_int_equal(n, 2);
	assert_string_equal(m[0].source, "");
	assert_string_equal(m[0].super, "");
	assert_string_equal(m[1].source, " ");
	mnt_free(m, n);
	/* What is no line of a table is left out. */
	parse("\nx\n1\n1 2 0:1 / / rw\n1 2 0:1 / / rw shared:1\n1 2 0:1 / / rw - tmpfs\n-1 2 0:1 / / rw - t s\nx 2 0:1 / / rw - t s\n"
	      "99999999999 2 0:1 / / rw - t s\n", &m, &n);
	assert_int_equal(n, 0);
	mnt_free(m, n);
	/* Digits that are no octal number, or not three, stand for themselves; so does NUL. */
	parse("1 2 0:1 / /\\9\\04\\000\\777\\ rw - t s rw", &m, &n);
	assert_int_equal(n, 1);
	assert_string_equal(m[0].target, "/\\9\\04\\000\\777\\");
	mnt_free(m, n);
	mnt_parse(NULL, &m, &n);
	assert_int_equal(n, 0);
}

static void own_table(void **state)
{
	struct err err = { 0 };
	struct mnt_info *m;
	size_t n, roots = 0;

	(void)state;
	assert_int_equal(mnt_list(0, &m, &n, &err), 0);
	for (size_t i = 0; i < n; i++)
		roots += streq(m[i].target, "/");
	assert_true(roots >= 1);
	mnt_free(m, n);
	assert_int_equal(mnt_list(0x7fffffff, &m, &n, &err), -1);
	assert_int_equal(err.number, ENOENT);
}

static void assert_same_mount(const struct mnt_info *a, const struct mnt_info *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->parent, b->parent);
	assert_int_equal(a->device, b->device);
	assert_string_equal(a->target, b->target);
	assert_string_equal(a->type, b->type);
	assert_string_equal(a->source, b->source);
	assert_string_equal(a->options, b->options);
	assert_string_equal(a->super, b->super);
	assert_string_equal(a->propagation, b->propagation);
	assert_string_equal(a->root, b->root);
}

static size_t assert_same_table(pid_t pid, bool told)
{
	struct mnt_info *a, *b;
	size_t n_a, n_b;

	assert_int_equal(mnt_list_statmount(pid, &a, &n_a), told);
	if (!told)
		assert_int_equal(mnt_list(pid, &a, &n_a, NULL), 0);
	assert_int_equal(mnt_list_mountinfo(pid, &b, &n_b, NULL), 0);
	assert_int_equal(n_a, n_b);
	for (size_t i = 0; i < n_a; i++)
		assert_same_mount(&a[i], &b[i]);
	mnt_free(a, n_a);
	mnt_free(b, n_b);
	return n_a;
}

static bool statmount_tells(void)
{
	struct mnt_info *m;
	size_t n;
	bool told = mnt_list_statmount(0, &m, &n);

	mnt_free(m, n);
	return told;
}

static void both_sources(void **state)
{
	(void)state;
	if (!statmount_tells()) {
		print_message("statmount is not there, or does not tell the source of a mount (Linux 6.13)\n");
		skip();
	}
	assert_same_table(0, true);
	assert_same_table(getpid(), true);
}

enum { MANY = 600 };   /* more than are listed at once */

static int put(const char *name, const char *source, unsigned long flags, const char *options)
{
	return mkdir(name, 0755) == 0 && mount(source, name, "tmpfs", flags, options) == 0 ? 0 : -1;
}

/* Mounts of all kinds in a tmpfs on /tmp, in a namespace of its own. */
static int furnish(void)
{
	char name[32];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("t", "/tmp", "tmpfs", 0, NULL) < 0 || chdir("/tmp") < 0 ||
	    put("a b\n\\c\t#", "s p\n\\#", MS_NOATIME | MS_NODIRATIME | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=8k") < 0 ||
	    put("\xff\xfe,", "\xfe", MS_STRICTATIME | 256 /* MS_NOSYMFOLLOW */, "mode=700") < 0 ||
	    put("sync", "", MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME, NULL) < 0 || put("covered", "below", 0, NULL) < 0 ||
	    mount("above", "covered", "tmpfs", 0, NULL) < 0 || put("un", "un", 0, NULL) < 0 || mount(NULL, "un", NULL, MS_UNBINDABLE, NULL) < 0 ||
	    mkdir("part", 0755) < 0 || mkdir("part/of \n it", 0755) < 0 || mkdir("shown", 0755) < 0 ||
	    mount("part/of \n it", "shown", NULL, MS_BIND, NULL) < 0 || mkdir("many", 0755) < 0)
		return -1;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "many/%d", i);
		if (mkdir(name, 0755) < 0 || mount("part", name, NULL, MS_BIND, NULL) < 0)
			return -1;
	}
	return 0;
}

/* A chain of groups: "b" has its mounts from "a", which is shared. */
static int chain(void)
{
	return put("a", "a", 0, NULL) < 0 || mount(NULL, "a", NULL, MS_SHARED, NULL) < 0 || mkdir("b", 0755) < 0 ||
	       mount("a", "b", NULL, MS_BIND, NULL) < 0 || mount(NULL, "b", NULL, MS_SLAVE, NULL) < 0 ? -1 : 0;
}

static int narrow(void)
{
	return chroot("part");
}

/* Do one thing after the other, each when told so, and say how it went. */
static void inside(int fd, int (*const *things)(void), size_t n)
{
	_cleanup_free_ char *uids = xasprintf("0 %u 1", getuid()), *gids = xasprintf("0 %u 1", getgid());
	char go, went;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || io_put(AT_FDCWD, "/proc/self/uid_map", uids) < 0 ||
	    io_put(AT_FDCWD, "/proc/self/setgroups", "deny") < 0 || io_put(AT_FDCWD, "/proc/self/gid_map", gids) < 0)
		return;
	for (size_t i = 0; read(fd, &go, 1) == 1 && i < n; i++) {
		went = things[i]() == 0;
		if (write(fd, &went, 1) != 1)
			return;
	}
}

static bool have_done(int fd)
{
	char went = 0;

	return write(fd, "", 1) == 1 && read(fd, &went, 1) == 1 && went;
}

static void another_namespace(void **state)
{
	static int (*const things[])(void) = { furnish, chain, narrow };
	int fds[2];

	(void)state;
	if (!statmount_tells())
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		inside(fds[1], things, ARRAY_SIZE(things));
		_exit(0);
	}
	close(fds[1]);
	signal(SIGPIPE, SIG_IGN);
	if (have_done(fds[0])) {
		assert_true(assert_same_table(pid, true) > MANY);
		assert_true(have_done(fds[0]));
		assert_true(assert_same_table(pid, false) > MANY);
		assert_true(have_done(fds[0]));
		assert_same_table(pid, false);
	} else {
		print_message("no namespaces of one's own here\n");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fds[0]);
}

static void sizes(void **state)
{
	static const char *const bad[] = { "size=", "size=0", "size=4095", "size=-1", "size=1m", "size=99999999999999999999", "size=x" };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mnt_size(NULL, 7, &err), 7);
	assert_int_equal(mnt_size("", 7, &err), 7);
	assert_int_equal(mnt_size("mode=1,xsize=9", 7, &err), 7);
	assert_int_equal(mnt_size("a=b\\,size=1,size=8192", 7, &err), 8192);
	assert_int_equal(mnt_size("size=9223372036854775807", 7, &err), INT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err_clear(&err);
		assert_int_equal(mnt_size(bad[i], 7, &err), -1);
		assert_int_equal(err.number, EINVAL);
	}
}

static void owners(void **state)
{
	static const struct mnt_id_range r[] = { { 0, 100000, 1000 }, { 1000, 1000, 1 }, { 4294967290u, 5, 5 } };
	uint32_t n = 7;

	(void)state;
	assert_true(mnt_id_outside(r, 3, 0, &n) && n == 100000);
	assert_true(mnt_id_outside(r, 3, 999, &n) && n == 100999);
	assert_true(mnt_id_outside(r, 3, 1000, &n) && n == 1000);
	assert_true(mnt_id_outside(r, 3, 4294967294, &n) && n == 9);
	n = 7;
	assert_false(mnt_id_outside(r, 3, 1001, &n));
	assert_false(mnt_id_outside(r, 3, 4294967295, &n));
	assert_false(mnt_id_outside(r, 3, -1, &n));
	assert_false(mnt_id_outside(r, 0, 0, &n));
	assert_int_equal(n, 7);
}

static void nothing_there(void **state)
{
	struct mnt_owner none = mnt_owner(&(struct place){ .pid = 1 });
	struct err err = { 0 };
	int unused = -1;

	(void)state;
	assert_false(none.other);
	assert_int_equal(none.userns, -1);
	/* Errors name what was asked for, before anything is mounted. */
	assert_int_equal(mnt_make_overlay(NULL, NULL, false, &none, &unused, &err), -1);
	assert_int_equal(mnt_make_overlay("/nowhere/at/all", "size=65536", false, &none, &unused, &err), -1);
	assert_int_equal(err.number, ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_int_equal(mnt_make_overlay("/proc", NULL, false, &none, &unused, &err), -1);
	assert_int_equal(mnt_make_overlay("/etc/passwd", NULL, true, &none, &unused, &err), -1);
	assert_int_equal(err.number, ENOTDIR);
	assert_int_equal(mnt_busybox_tree("/nowhere", &none, &err), -1);
	assert_non_null(strstr(err.hint, "busybox-static"));
	err_clear(&err);
	assert_int_equal(mnt_busybox_tree("/etc/passwd", &none, &err), -1);
	assert_non_null(strstr(err.text, "statically"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table), cmocka_unit_test(odd_lines), cmocka_unit_test(own_table),
		cmocka_unit_test(sizes),   cmocka_unit_test(owners),    cmocka_unit_test(nothing_there),
		cmocka_unit_test(both_sources), cmocka_unit_test(another_namespace),
	};

	return cmocka_run_group_tests_name("mnt", tests, NULL, NULL);
}
