/*
 * test_shape.c - shapes in words and back, and the tc commands for them
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern/shape.h"

static void there_and_back(void **state)
{
	static const char *const texts[] = {
		"", "rate 10mbit", "rate 1500kbit burst 32768", "rate 8bit", "rate 40gbit", "delay 50ms", "delay 1500us jitter 10us loss 1%",
		"rate 1gbit delay 999ns loss 0.5% duplicate 2% reorder 25% corrupt 0.1%",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct shape s;
		char again[SHAPE_LONGEST];
		assert_true(shape_read(texts[i], &s));
		shape_words(&s, again);
		assert_string_equal(again, texts[i]);
	}
}

static void longest(void **state)
{
	struct shape s = { 7777777777777777, 4294967295, 1234567891, 1234567891, 12.3456, 12.3456, 12.3456, 12.3456 }, again;
	char text[SHAPE_LONGEST];

	(void)state;
	shape_words(&s, text);
	assert_true(shape_read(text, &again));
	assert_true(again.rate == s.rate && again.jitter == s.jitter);
	assert_true(again.corrupt > 12.3 && again.corrupt < 12.4);
}

static void not_words(void **state)
{
	static const char *const texts[] = { "rate", "rate 10mbyte", "speed 10mbit", "delay 50ms loss", "rate x" };
	struct shape s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(shape_read(texts[i], &s));
}

static void for_the_shell(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct shape s;

	(void)state;
	shape_read("rate 10mbit delay 50ms jitter 5ms", &s);
	shape_tc(&b, &s, "tc", "eth0");
	assert_string_equal(buf_text(&b), "tc qdisc replace dev eth0 root handle 1: netem limit 10000 delay 50ms 5ms; "
					  "tc qdisc add dev eth0 parent 1:1 handle 2: tbf rate 10mbit burst 16384 latency 50ms");
	buf_clear(&b);
	shape_read("", &s);
	shape_tc(&b, &s, "tc -n lab", "br0");
	assert_string_equal(buf_text(&b), "tc -n lab qdisc del dev br0 root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(longest),
		cmocka_unit_test(not_words),
		cmocka_unit_test(for_the_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
