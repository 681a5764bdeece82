/*
 * test_types.c - the built-in types of values
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/grammar.h"

static struct value made(const char *type, const char *text)
{
	struct value v = { .text = text };
	struct err err = { 0 };
	const struct type *t = type_builtin(type);

	assert_non_null(t);
	if (t->parse && t->parse(NULL, &v, &err) < 0)
		fail_msg("%s %s: %s", type, text, err.text);
	return v;
}

static void good(const char *type, const char *text, int64_t num)
{
	int64_t got = made(type, text).num;

	if (got != num)
		fail_msg("%s %s: %lld", type, text, (long long)got);
}

static void bad(const char *type, const char *text, const char *why)
{
	struct value v = { .text = text };
	struct err err = { 0 };

	if (type_builtin(type)->parse(NULL, &v, &err) == 0)
		fail_msg("%s %s is accepted as %lld", type, text, (long long)v.num);
	assert_int_equal(err.status, EXIT_USAGE);
	if (!strstr(err.text, why))
		fail_msg("%s %s: %s", type, text, err.text);
}

static void test_size(void **state)
{
	(void)state;
	good("size", "0", 0);
	good("size", "1", 1);
	good("size", "512B", 512);
	good("size", "64K", 65536);
	good("size", "64k", 65536);
	good("size", "64KiB", 65536);
	good("size", "64M", 64 << 20);
	good("size", "64MiB", 64 << 20);
	good("size", "1G", 1 << 30);
	good("size", "1.5G", 3LL << 29);
	good("size", "0.1K", 102);
	good("size", "2T", 2LL << 40);
	good("size", "8388607T", 8388607LL << 40);
	good("size", "9223372036854775807", INT64_MAX);
	good("size", "007", 7);
	bad("size", "8388608T", "too large");
	bad("size", "9223372036854775808", "too large");
	bad("size", "99999999999999999999999999999K", "too large");
	bad("size", "8388607.9999999999999999999999T9", "not a size");
	bad("size", "max", "not a size");
	bad("size", "-1", "not a size: use a number with K, M, G or T, such as 64M");
	bad("size", "+1", "not a size");
	bad("size", "", "'' is not a size");
	bad("size", " 1", "not a size");
	bad("size", "1 ", "not a size");
	bad("size", "1 K", "not a size");
	bad("size", "0x10", "not a size");
	bad("size", "64Q", "64Q is not a size");
	bad("size", "64KB", "not a size");
	bad("size", "K", "not a size");
	bad("size", "1.", "not a size");
	bad("size", ".5K", "not a size");
	bad("size", "1.5", "fraction");
	bad("size", "1.5B", "fraction");
	bad("size", "0.0001K", "fraction");
	bad("size", "1e3", "not a size");
	bad("size", "nan", "not a size");
	good("sizemax", "max", INT64_MAX);
	good("sizemax", "1M", 1 << 20);
	bad("sizemax", "Max", "such as 64M, or max");
}

static void test_time(void **state)
{
	(void)state;
	good("time", "2", 2000000000);
	good("time", "2s", 2000000000);
	good("time", "100ms", 100000000);
	good("time", "5us", 5000);
	good("time", "7ns", 7);
	good("time", "2m", 120000000000);
	good("time", "1.5h", 5400000000000);
	good("time", "1d", 86400000000000);
	good("time", "0.25", 250000000);
	good("time", "106751d", 106751LL * 86400000000000);
	bad("time", "106752d", "too large");
	bad("time", "0.5ns", "fraction");
	bad("time", "1M", "not a time");
	bad("time", "-1s", "not a time");
	bad("time", "1s ", "not a time");
	good("offset", "+2d", 172800000000000);
	good("offset", "-5s", -5000000000);
	good("offset", "3", 3000000000);
	bad("offset", "--5s", "not an offset");
	bad("offset", "-", "not an offset");
	bad("offset", "", "not an offset");
}

static void test_cpu(void **state)
{
	struct value v;

	(void)state;
	v = made("cpu", "0.5");
	assert_true(v.real > 0.4999 && v.real < 0.5001);
	assert_int_equal(v.num, 50000);
	v = made("cpu", "50%");
	assert_true(v.real > 0.4999 && v.real < 0.5001);
	v = made("cpu", "150%");
	assert_int_equal(v.num, 150000);
	v = made("cpu", "2");
	assert_int_equal(v.num, 200000);
	good("cpu", "1%", 1000);
	good("cpu", "max", INT64_MAX);
	bad("cpu", "0", "too little");
	bad("cpu", "0%", "too little");
	bad("cpu", "0.5%", "too little");
	bad("cpu", "-1", "not a share");
	bad("cpu", "50 %", "not a share");
	bad("cpu", "1c", "not a share");
	bad("cpu", "99999999999999999999", "too large");
	bad("cpu", "9999999999999", "too large");
}

static void test_number(void **state)
{
	(void)state;
	good("number", "0", 0);
	good("number", "32", 32);
	good("number", "9223372036854775807", INT64_MAX);
	bad("number", "9223372036854775808", "too large");
	bad("number", "", "not a number");
	bad("number", "-1", "not a number");
	bad("number", "+1", "not a number");
	bad("number", " 1", "not a number");
	bad("number", "1\n", "not a number");
	bad("number", "0x1", "not a number");
	bad("number", "1.0", "not a number");
	bad("number", "max", "not a number");
	good("nummax", "max", INT64_MAX);
	good("nummax", "5", 5);
	good("integer", "-5", -5);
	good("integer", "-9223372036854775807", -INT64_MAX);
	bad("integer", "-", "not a number");
	bad("integer", "--5", "not a number");
	good("port", "1", 1);
	good("port", "65535", 65535);
	bad("port", "0", "1 to 65535");
	bad("port", "65536", "1 to 65535");
	bad("port", "http", "1 to 65535");
}

static void test_addresses(void **state)
{
	struct value v = { .text = "10.0.0.1" };
	struct err err = { 0 };

	(void)state;
	good("cidr", "10.0.0.1/24", 24);
	good("cidr", "10.0.0.1/0", 0);
	good("cidr", "10.0.0.1/32", 32);
	good("cidr", "fd00::1/64", 64);
	good("cidr", "::/128", 128);
	bad("cidr", "10.0.0.1/33", "at most 32");
	bad("cidr", "fd00::1/129", "at most 128");
	bad("cidr", "10.0.0.256/24", "not an address");
	bad("cidr", "10.0.0/24", "not an address");
	bad("cidr", "10.0.0.1/", "not an address");
	bad("cidr", "10.0.0.1/ 24", "not an address");
	bad("cidr", "10.0.0.1/-1", "not an address");
	bad("cidr", "10.0.0.1/24/8", "not an address");
	bad("cidr", "/24", "not an address");
	bad("cidr", "", "not an address");
	assert_int_equal(type_builtin("cidr")->parse(NULL, &v, &err), -1);
	assert_string_equal(err.hint, "10.0.0.1/24");
	good("address", "10.0.0.1", AF_INET);
	good("address", "::1", AF_INET6);
	bad("address", "10.0.0.1/24", "not an address");
	bad("address", "localhost", "not an address");
}

static void test_names(void **state)
{
	char longest[65];

	(void)state;
	memset(longest, 'a', 64);
	longest[64] = '\0';
	bad("name", longest, "64 bytes");
	longest[63] = '\0';
	good("name", longest, 0);
	good("name", "web", 0);
	good("name", "web-1.a_b", 0);
	good("name", "1", 0);
	good("name", "a--", 0);
	bad("name", "", "not a name");
	bad("name", ".", "not a name");
	bad("name", "..", "not a name");
	bad("name", "-x", "not a name");
	bad("name", "a/b", "not a name");
	bad("name", "a b", "not a name");
	bad("name", "a\033[1m", "a\\x1b[1m is not a name");
	bad("name", "caf\xc3\xa9", "not a name");
	bad("path", "", "empty");
	good("path", "a b/c", 0);
}

static void test_signals(void **state)
{
	(void)state;
	good("signal", "TERM", SIGTERM);
	good("signal", "term", SIGTERM);
	good("signal", "SIGKILL", SIGKILL);
	good("signal", "9", 9);
	good("signal", "64", 64);
	bad("signal", "0", "not a signal");
	bad("signal", "65", "not a signal");
	bad("signal", "SIG", "not a signal");
	bad("signal", "-9", "not a signal");
	bad("signal", "9x", "not a signal");
	bad("signal", "", "not a signal");
}

static void collect(void *arg, const char *text)
{
	buf_fmt(arg, "%s ", text);
}

static void test_complete(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	type_builtin("signal")->complete(NULL, "te", collect, &b);
	assert_string_equal(buf_text(&b), "TERM ");
	buf_clear(&b);
	type_builtin("sizemax")->complete(NULL, "m", collect, &b);
	type_builtin("path")->complete(NULL, "/no/such/place/", collect, &b);
	type_builtin("path")->complete(NULL, "/etc/passw", collect, &b);
	assert_non_null(strstr(buf_text(&b), "max "));
	assert_non_null(strstr(buf_text(&b), "/etc/passwd "));
	assert_null(type_builtin("nosuch"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size), cmocka_unit_test(test_time), cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_number), cmocka_unit_test(test_addresses), cmocka_unit_test(test_names),
		cmocka_unit_test(test_signals), cmocka_unit_test(test_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
