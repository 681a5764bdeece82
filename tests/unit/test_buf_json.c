/*
 * test_buf_json.c - text that grows, JSON, tables, errors
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/table.h"

static void test_buf(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_text(&b), "");
	buf_str(&b, "");
	buf_bytes(&b, NULL, 0);
	buf_char(&b, 'a');
	buf_fmt(&b, "%d%s", 12, "");
	assert_string_equal(buf_text(&b), "a12");
	buf_bytes(&b, "\0x", 2);
	assert_int_equal(b.len, 5);
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "%03d", i);
	assert_int_equal(b.len, 3000);
	assert_string_equal(b.data + 2997, "999");
	char *taken = buf_take(&b);
	assert_int_equal(strlen(taken), 3000);
	free(taken);
	assert_int_equal(b.len, 0);
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	free(taken);
}

static void quoted(const char *text, const char *want)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_quote(&b, text);
	assert_string_equal(buf_text(&b), want);
}

static void test_quote(void **state)
{
	(void)state;
	quoted("plain-1.2/x:y,z=+%@^", "plain-1.2/x:y,z=+%@^");
	quoted("", "''");
	quoted("a b", "'a b'");
	quoted("it's", "'it'\\''s'");
	quoted("@web", "'@web'");
	quoted("$x", "'$x'");
	quoted("a\nb", "'a\nb'");
	quoted("#", "'#'");
	quoted("!ls", "'!ls'");
	quoted("a;b", "'a;b'");
	quoted("|", "'|'");
	quoted("caf\xc3\xa9", "'caf\xc3\xa9'");
}

static void visible(const char *text, const char *want)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_visible(&b, text);
	assert_string_equal(buf_text(&b), want);
}

static void test_visible(void **state)
{
	(void)state;
	visible("web caf\xc3\xa9 \xf0\x9f\x94\x94", "web caf\xc3\xa9 \xf0\x9f\x94\x94");
	visible("a\033[31mb\n\t\x7f", "a\\x1b[31mb\\x0a\\x09\\x7f");
	visible("\xc2\x9b" "0m", "\\u{9b}0m");
	visible("a\xe2\x80\xae" "b\xe2\x81\xa6", "a\\u{202e}b\\u{2066}");
	visible("\xff\xc3", "\\xff\\xc3");
	visible("\xed\xa0\x80", "\\xed\\xa0\\x80");
	visible("\xc0\xaf", "\\xc0\\xaf");
	visible("\xef\xbb\xbf", "\\u{feff}");
}

static void test_utf8(void **state)
{
	(void)state;
	assert_int_equal(utf8_length("a"), 1);
	assert_int_equal(utf8_length("\xc3\xa9"), 2);
	assert_int_equal(utf8_length("\xe2\x82\xac"), 3);
	assert_int_equal(utf8_length("\xf4\x8f\xbf\xbf"), 4);
	assert_int_equal(utf8_length("\xf4\x90\x80\x80"), 0);
	assert_int_equal(utf8_length("\xf8\x88\x80\x80\x80"), 0);
	assert_int_equal(utf8_length("\x80"), 0);
	assert_int_equal(utf8_length("\xe2\x82"), 0);
	assert_int_equal(utf8_length("\xe0\x80\xaf"), 0);
}

static void test_json(void **state)
{
	char *text = NULL;
	size_t n = 0;
	struct json j = { .out = open_memstream(&text, &n) };

	(void)state;
	json_open(&j, '{');
	json_key(&j, "name");
	json_str(&j, "a\"b\\c\n\x1b\x7f\xc3\xa9\xff");
	json_key(&j, "none");
	json_str(&j, NULL);
	json_key(&j, "list");
	json_open(&j, '[');
	json_int(&j, INT64_MIN);
	json_int(&j, 0);
	json_bool(&j, true);
	json_open(&j, '{');
	json_close(&j, '}');
	json_open(&j, '[');
	json_close(&j, ']');
	json_close(&j, ']');
	json_key(&j, "last");
	json_bool(&j, false);
	json_close(&j, '}');
	json_open(&j, '[');
	json_close(&j, ']');
	fclose(j.out);
	assert_string_equal(text, "{\"name\":\"a\\\"b\\\\c\\u000a\\u001b\\u007f\xc3\xa9\\ufffd\",\"none\":null,"
				  "\"list\":[-9223372036854775808,0,true,{},[]],\"last\":false}\n[]\n");
	free(text);
}

static const struct column columns[] = {
	{ "NAME", "name", COL_TEXT }, { "PIDS", "pids", COL_NUMBER }, { NULL, "own", COL_BOOL }, { "KINDS", "kinds", COL_LIST },
};

static char *printed(bool rows, bool json)
{
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (rows) {
		table_row(t);
		table_cell(t, "caf\xc3\xa9\033");
		table_fmt(t, "%d", 5);
		table_cell(t, "yes");
		table_cell(t, "mnt net");
		table_row(t);
		table_cell(t, "w");
		table_fmt(t, "%d", 12345);
		table_row(t);
		table_cell(t, "short");
	}
	table_print(t, out, json);
	fclose(out);
	return text;
}

static void test_table(void **state)
{
	_cleanup_free_ char *people = printed(true, false), *json = printed(true, true);
	_cleanup_free_ char *none = printed(false, false), *none_json = printed(false, true);

	(void)state;
	assert_string_equal(people, "NAME       PIDS  KINDS\n"
				    "caf\xc3\xa9\\x1b      5  mnt net\n"
				    "w         12345  -\n"
				    "short         -  -\n");
	assert_string_equal(json, "[{\"name\":\"caf\xc3\xa9\\u001b\",\"pids\":5,\"own\":true,\"kinds\":[\"mnt\",\"net\"]},"
				  "{\"name\":\"w\",\"pids\":12345,\"own\":null,\"kinds\":null},"
				  "{\"name\":\"short\",\"pids\":null,\"own\":null,\"kinds\":null}]\n");
	assert_string_equal(none, "NAME  PIDS  KINDS\n");
	assert_string_equal(none_json, "[]\n");
}

static void test_err(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, EINVAL, "%s: no", "web"), -1);
	assert_int_equal(err.status, EXIT_FAILED);
	assert_int_equal(err.number, EINVAL);
	err_wrap(&err, "link: ");
	assert_string_equal(err.text, "link: web: no");
	err_why(&err, "first %d", 1);
	err_why(&err, "second");
	err_try(&err, "this");
	err_try(&err, "that");
	assert_string_equal(err.why, "first 1");
	assert_string_equal(err.hint, "this");
	err.column = 4;
	assert_int_equal(err_usage(&err, "what"), -1);
	assert_int_equal(err.status, EXIT_USAGE);
	assert_int_equal(err.number, 0);
	assert_int_equal(err.column, 0);
	assert_string_equal(err.why, "");
	assert_string_equal(err.hint, "");
	err_clear(&err);
	assert_int_equal(err.status, 0);
	assert_int_equal(err_set(NULL, 1, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	assert_int_equal(err_try(NULL, "x"), -1);
}

static void test_err_long(void **state)
{
	struct err err = { 0 };
	char text[3000];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	err_set(&err, 0, "%s", text);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
	assert_string_equal(err.text + sizeof err.text - 4, "...");
	err_wrap(&err, "before: ");
	assert_true(starts_with(err.text, "before: xxx"));
	assert_true(strlen(err.text) < sizeof err.text);
	err_wrap(&err, "%s", text);
	assert_true(strlen(err.text) < sizeof err.text);
	err_why(&err, "%s", text);
	assert_int_equal(strlen(err.why), sizeof err.why - 1);
	err_try(&err, "%s", text);
	assert_int_equal(strlen(err.hint), sizeof err.hint - 1);
}

static void test_err_name(void **state)
{
	(void)state;
	assert_string_equal(err_name(EINVAL), "EINVAL");
	assert_string_equal(err_name(EAGAIN), "EAGAIN");
	assert_string_equal(err_name(0), "");
	assert_string_equal(err_name(9999), "errno 9999");
	assert_string_equal(err_name(-1), "errno -1");
}

static void test_grow(void **state)
{
	int *list = NULL;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int *last = GROW(&list, &n);
		assert_int_equal(*last, 0);
		*last = i;
	}
	assert_int_equal(n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf), cmocka_unit_test(test_quote), cmocka_unit_test(test_visible),
		cmocka_unit_test(test_utf8), cmocka_unit_test(test_json), cmocka_unit_test(test_table),
		cmocka_unit_test(test_err), cmocka_unit_test(test_err_long), cmocka_unit_test(test_err_name),
		cmocka_unit_test(test_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
