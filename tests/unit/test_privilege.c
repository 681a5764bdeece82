/*
 * test_privilege.c - the words of capabilities, users and limits
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/capability.h"
#include "kern/place.h"
#include "kern/privilege.h"
#include "kern/wire.h"

static void names_stand_at_their_numbers(void **state)
{
	static const struct { const char *name; int n; } some[] = {
		{ "chown", CAP_CHOWN }, { "CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE }, { "sys_admin", CAP_SYS_ADMIN }, { "Mknod", CAP_MKNOD },
		{ "setfcap", CAP_SETFCAP }, { "audit_read", CAP_AUDIT_READ }, { "checkpoint_restore", CAP_CHECKPOINT_RESTORE }, { "12", 12 },
	};
	uint64_t mask;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		assert_int_equal(capability_parse(some[i].name, &mask), 0);
		assert_true(mask == UINT64_C(1) << some[i].n);
	}
	assert_true(capability_docker() == UINT64_C(0xa80425fb));
	static const char *const bad[] = { "", "cap_", "chowns", "64", "63", "-1", "1x", "0x1" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(capability_parse(bad[i], &mask), -1);
}

static void words_come_back(void **state)
{
	static const uint64_t masks[] = { 0, 1, 0x3000, UINT64_C(0xa80425fb), UINT64_C(1) << 40 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		_cleanup_buf_ struct buf b = { 0 };
		uint64_t again = 77;
		capability_words(masks[i], &b);
		assert_int_equal(capability_parse_list(buf_text(&b), &again), 0);
		assert_true(again == masks[i]);
	}
	_cleanup_buf_ struct buf b = { 0 };
	capability_short(capability_all() & ~(UINT64_C(1) << CAP_SYS_TIME), &b);
	assert_string_equal(buf_text(&b), "all but sys_time");
}

static void users_and_limits(void **state)
{
	struct privilege_user u;
	uint64_t soft, hard;
	struct err err;

	(void)state;
	assert_int_equal(privilege_user_parse("5", &u, &err), 0);
	assert_true(u.uid == 5 && u.gid == 5 && u.n_groups == 0);
	assert_int_equal(privilege_user_parse("4294967294:0,1,2", &u, &err), 0);
	assert_true(u.uid == 4294967294u && u.gid == 0 && u.n_groups == 2 && u.groups[1] == 2);
	static const char *const bad[] = { "", "a", "-1", "1:", ":1", "1,", "1,2,", "1:2:3", "1 ", "4294967295", "18446744073709551616" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(privilege_user_parse(bad[i], &u, &err), -1);
	assert_int_equal(privilege_rlimit_parse("10", &soft, &hard, &err), 0);
	assert_true(soft == 10 && hard == 10);
	assert_int_equal(privilege_rlimit_parse("0:max", &soft, &hard, &err), 0);
	assert_true(soft == 0 && hard == UINT64_MAX);
	static const char *const worse[] = { "", ":", "1:", ":1", "max:1", "2:1", "-1", "1k", "maximum", "18446744073709551616" };
	for (size_t i = 0; i < ARRAY_SIZE(worse); i++)
		assert_int_equal(privilege_rlimit_parse(worse[i], &soft, &hard, &err), -1);
}

/* More groups than there is room for are refused, not cut. */
static void many_groups(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct privilege_user u;
	struct err err;

	(void)state;
	buf_str(&b, "1:1");
	for (int i = 0; i < PRIV_GROUPS; i++)
		buf_fmt(&b, ",%d", i);
	assert_int_equal(privilege_user_parse(buf_text(&b), &u, &err), 0);
	buf_str(&b, ",1");
	assert_int_equal(privilege_user_parse(buf_text(&b), &u, &err), -1);
}

static void a_place_is_packed(void **state)
{
	struct wire_privileges w;
	struct privilege_pack more = PRIVILEGE_PACK;
	struct place p;
	struct err err;

	(void)state;
	place_init(&p, "a");
	assert_int_equal(privilege_pack(&p, false, &w, &more, &err), 0);
	assert_true(w.set == 0);
	privilege_store(&p, PRIV_CAPS, "chown kill");
	privilege_store(&p, PRIV_RLIMITS, "core=0 nofile=1:2");
	privilege_store(&p, PRIV_SECUREBITS, "noroot no-ambient-raise-locked");
	privilege_store(&p, PRIV_UMASK, "0027");
	assert_int_equal(privilege_pack(&p, false, &w, &more, &err), 0);
	assert_true(w.set == (1u << PRIV_CAPS | 1u << PRIV_RLIMITS | 1u << PRIV_SECUREBITS | 1u << PRIV_UMASK));
	assert_true(w.caps == (1u << CAP_CHOWN | 1u << CAP_KILL) && w.umask == 027 && w.securebits == 0x81);
	assert_true(w.limits == (1u << 4 | 1u << 7) && w.soft[7] == 1 && w.hard[7] == 2 && w.hard[4] == 0);
	privilege_store(&p, PRIV_CAPS, "chown nothing");
	assert_int_equal(privilege_pack(&p, false, &w, &more, &err), -1);
	place_release(&p);
	assert_null(p.privileges[PRIV_CAPS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stand_at_their_numbers), cmocka_unit_test(words_come_back), cmocka_unit_test(users_and_limits),
		cmocka_unit_test(many_groups), cmocka_unit_test(a_place_is_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
