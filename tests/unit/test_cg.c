/*
 * test_cg.c - finding control group hierarchies: what mountinfo and /proc/PID/cgroup say
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kern/cg_tree.h"

static const char hybrid[] =
	"22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
	"30 22 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
	"34 30 0:31 /docker/abc /sys/fs/cgroup/memory rw,relatime shared:1 master:2 - cgroup cgroup rw,memory\n"
	"39 30 0:36 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
	"40 30 0:37 / /sys/fs/cgroup/uni\\040fied\\134 rw,relatime - cgroup2 cgroup2 rw\n"
	"41 22 0:38 / /cgroup rw - tmpfs cgroup2 rw\n"
	"42 22 0:39 /\n"
	"no mount at all\n"
	"43 22 x:y / /c rw - cgroup cgroup rw,pids\n"
	"44 22 0:40 / /end rw - cgroup2";

static void mounts_are_found_by_type(void **state)
{
	size_t n;
	struct cg_mount *m = cg_parse_mounts(hybrid, &n);

	(void)state;
	assert_int_equal(n, 4);
	assert_string_equal(m[0].point, "/sys/fs/cgroup/cpu,cpuacct");
	assert_int_equal(m[0].controllers, 1u << CTL_CPU | 1u << CTL_CPUACCT);
	assert_int_equal(m[0].minor, 28);
	assert_false(m[0].v2);
	assert_string_equal(m[1].root, "/docker/abc");
	assert_int_equal(m[1].controllers, 1u << CTL_MEMORY);
	assert_true(m[2].named);
	assert_true(m[3].v2);
	assert_string_equal(m[3].point, "/sys/fs/cgroup/uni fied\\");
	cg_free_mounts(m, n);
}

static void nothing_in_nothing(void **state)
{
	size_t n = 9;

	(void)state;
	assert_null(cg_parse_mounts("", &n));
	assert_int_equal(n, 0);
	assert_null(cg_parse_own("", 1));
}

static const char own[] =
	"9:name=systemd:/user.slice\n"
	"4:memory:/machine/with:colon\n"
	"1:cpu,cpuacct:/\n"
	"0::/user.slice/user-1000.slice/session-3.scope\n";

static void own_place_in_each(void **state)
{
	_cleanup_free_ char *memory = cg_parse_own(own, 1u << CTL_MEMORY);
	_cleanup_free_ char *cpu = cg_parse_own(own, 1u << CTL_CPUACCT);
	_cleanup_free_ char *v2 = cg_parse_own(own, 0);

	(void)state;
	assert_string_equal(memory, "/machine/with:colon");
	assert_string_equal(cpu, "/");
	assert_string_equal(v2, "/user.slice/user-1000.slice/session-3.scope");
	assert_null(cg_parse_own(own, 1u << CTL_PIDS));
}

static void controllers_are_whole_words(void **state)
{
	(void)state;
	assert_int_equal(cg_parse_controllers("cpuset cpu io memory hugetlb pids rdma", " "),
			 1u << CTL_CPUSET | 1u << CTL_CPU | 1u << CTL_IO | 1u << CTL_MEMORY | 1u << CTL_HUGETLB | 1u << CTL_PIDS);
	assert_int_equal(cg_parse_controllers("cpux,xcpu,,pid", ","), 0);
	assert_int_equal(cg_parse_controllers("", ","), 0);
}

static void below_a_mounted_part(void **state)
{
	(void)state;
	assert_string_equal(cg_below("/a/b", "/"), "/a/b");
	assert_string_equal(cg_below("/", "/"), "");
	assert_string_equal(cg_below("/a/b", "/a"), "/b");
	assert_string_equal(cg_below("/a", "/a"), "");
	assert_null(cg_below("/ab", "/a"));
	assert_null(cg_below("/b", "/a"));
	/* The mount's root, or we, are above the cgroup namespace. */
	assert_null(cg_below("/", "/.."));
	assert_null(cg_below("/../x", "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_are_found_by_type),
		cmocka_unit_test(nothing_in_nothing),
		cmocka_unit_test(own_place_in_each),
		cmocka_unit_test(controllers_are_whole_words),
		cmocka_unit_test(below_a_mounted_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
