/*
 * test_lex.c - lines into words
 *
 * Every input is lexed whole and again in pieces of every small size: the results must be the same.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/lex.h"

static const char *look_up(void *arg, const char *name)
{
	(void)arg;
	return streq(name, "A") ? "val ue" : streq(name, "EMPTY") ? "" : streq(name, "QUOTE") ? "it's $A;" : NULL;
}

/* What is in a line, on one line: words in <>, q when quoted, positions as LINE:COLUMN. */
static void tell_line(struct buf *b, const struct line *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct word *w = &l->words[i];
		assert_int_equal(w->length, strlen(w->text));
		assert_true(w->start <= w->end && w->end <= strlen(l->source));
		buf_fmt(b, "<%s>%s", w->text, w->quoted ? "q" : "");
	}
	if (l->file)
		buf_fmt(b, " %s%s", l->append ? ">>" : ">", l->file);
	if (l->pipe)
		buf_fmt(b, " |%s", l->pipe);
	if (l->host)
		buf_fmt(b, " !%s", l->host);
	buf_str(b, "\n");
}

/* All of TEXT, fed in pieces of PIECE bytes. */
static char *tell(const char *text, size_t n, size_t piece)
{
	struct buf b = { 0 };
	struct lexer *l = lex_new(look_up, NULL);
	enum lex_result result = LEX_MORE;

	for (size_t fed = 0; result != LEX_END;) {
		size_t more = n - fed < piece ? n - fed : piece;
		lex_feed(l, text + fed, more, fed + more == n);
		fed += more;
		for (;;) {
			struct line line;
			struct err err = { 0 };
			result = lex_next(l, &line, &err);
			if (result == LEX_LINE)
				tell_line(&b, &line);
			if (result == LEX_ERROR) {
				assert_int_equal(err.status, EXIT_USAGE);
				buf_fmt(&b, "%d:%d: %s\n", line.line, err.column, err.text);
			}
			line_free(&line);
			if (result == LEX_MORE || result == LEX_END)
				break;
		}
	}
	lex_free(l);
	return buf_take(&b);
}

static void expect_bytes(const char *text, size_t n, const char *want)
{
	for (size_t piece = 1; piece <= n + 1; piece = piece < 9 ? piece + 1 : piece * 2 + 1) {
		_cleanup_free_ char *got = tell(text, n, piece);
		assert_string_equal(got, want);
	}
	_cleanup_free_ char *got = tell(text, n, n ? n : 1);
	assert_string_equal(got, want);
}

static void expect(const char *text, const char *want)
{
	expect_bytes(text, strlen(text), want);
}

static void test_words(void **state)
{
	(void)state;
	expect("", "");
	expect("\n\n  \n", "");
	expect("a", "<a>\n");
	expect("  new web\tx  \n", "<new><web><x>\n");
	expect("a;b ; c;;d\n", "<a>\n<b>\n<c>\n<d>\n");
	expect("a\r\nb\r\n\r\nc d\r\n", "<a>\n<b>\n<c><d>\n");
	expect("a\rb\n", "<a\rb>\n");
	expect("a|b c>d e#f g!h\n", "<a|b><c>d><e#f><g!h>\n");
	expect("caf\xc3\xa9 \xf0\x9f\x94\x94\n", "<caf\xc3\xa9><\xf0\x9f\x94\x94>\n");
	expect("@web run ls\n", "<@web><run><ls>\n");
}

static void test_comments(void **state)
{
	(void)state;
	expect("# all of it\na # b\n#", "<a>\n");
	expect("a '#' \\# x# \"#\"\n", "<a><#>q<#>q<x#><#>q\n");
	expect("a ;# b ; c\nd", "<a>\n<d>\n");
	expect("#!/usr/bin/belljar -f\nls\n", "<ls>\n");
	expect("a # it's open \\\nb", "<a>\n<b>\n");
}

static void test_quotes(void **state)
{
	(void)state;
	expect("'a b' \"c d\" e\\ f\n", "<a b>q<c d>q<e f>q\n");
	expect("a'b'\"c\"\\d\n", "<abcd>q\n");
	expect("'' \"\" x''\n", "<>q<>q<x>q\n");
	expect("'a\\b$A' \"a\\b\\\\ \\$A \\\" \\`\"\n", "<a\\b$A>q<a\\b\\ $A \" `>q\n");
	expect("'a\nb' \"c\nd\"\n", "<a\nb>q<c\nd>q\n");
	expect("\"a\\\nb\" c\\\nd \\\n e\n", "<ab>q<cd>q<e>\n");
	expect("a \\\r\n b\r\n", "<a><b>\n");
	expect("'a;b|c>d#e' \\; \\| \\>\n", "<a;b|c>d#e>q<;>q<|>q<>>q\n");
	expect("'\xff\xfe'\n", "<\xff\xfe>q\n");
}

static void test_variables(void **state)
{
	(void)state;
	expect("x $A ${A}y \"$A\" '$A' \\$A a$A\n", "<x><val ue><val uey><val ue>q<$A>q<$A>q<aval ue>\n");
	expect("x $EMPTY \"\"\n", "<x><><>q\n");
	expect("x $QUOTE\n", "<x><it's $A;>\n");
	expect("x a$ $ \"$\" $/ $.\n", "<x><a$><$><$>q<$/><$.>\n");
	expect("x $NOPE; y\nz", "1:3: NOPE is not set\n<z>\n");
	expect("x \"a ${NOPE}\"\nz", "1:6: NOPE is not set\n<z>\n");
	expect("x ${A\n", "1:3: ${ is not followed by NAME}\n");
	expect("x ${}\n", "1:3: ${ is not followed by NAME}\n");
	expect("x ${1}\n", "1:3: ${ is not followed by NAME}\n");
	expect("x $(date)\nx $1\nx \"$?\"\n", "1:3: $( is not supported\n2:3: $1 is not supported\n3:4: $? is not supported\n");
}

static void test_output(void **state)
{
	(void)state;
	expect("ls > f\nls >f;x\nls >> 'f g' # c\n", "<ls> >f\n<ls> >f\n<x>\n<ls> >>f g\n");
	expect("ls | grep 'x; y' # z\nb", "<ls> |grep 'x; y' # z\n<b>\n");
	expect("ls |a \\\n b\nc", "<ls> |a \\\n b\n<c>\n");
	expect("!ls -l; foo | bar \r\n ! x\n", " !ls -l; foo | bar\n !x\n");
	expect("a; !b; c\nd", "<a>\n !b; c\n<d>\n");
	expect("ls > $A\n", "<ls> >val ue\n");
	expect("> f\n", "1:1: no command before >\n");
	expect("| f\n", "1:1: no command before |\n");
	expect("ls >\nls > ; a\n", "1:4: a file name is missing after >\n2:4: a file name is missing after >\n");
	expect("ls |  \n!\n", "1:4: a host command is missing after |\n2:1: a host command is missing after !\n");
	expect("ls > a b\n", "1:8: only the end of the command may follow > FILE\n");
	expect("ls > a | b\nls > a > b\n", "1:8: output can go to one place only\n2:8: output can go to one place only\n");
}

static void test_not_sh(void **state)
{
	(void)state;
	expect("a && b\n", "1:3: && is not supported\n");
	expect("a &\n", "1:3: & is not supported\n");
	expect("a || b\n", "1:3: || is not supported\n");
	expect("a < b\n", "1:3: < is not supported: commands read no input\n");
	expect("a 2> b\n", "1:3: 2> is not supported: only a command's output can go to a file\n");
	expect("a 2>&1\n", "1:3: 2> is not supported: only a command's output can go to a file\n");
	expect("a &> b\n", "1:3: &> is not supported\n");
	expect("a >& b\n", "1:3: >& is not supported\n");
	expect("a '&&' \\< \"2>\" &x x& 5 10.0.0.1/8 -2\n", "<a><&&>q<<>q<2>>q<&x><x&><5><10.0.0.1/8><-2>\n");
}

static void test_errors(void **state)
{
	(void)state;
	expect("a 'b\nc", "1:3: unterminated ' (opened at 1:3)\n");
	expect("x\ny\nab cd \"b\n\n", "<x>\n<y>\n3:7: unterminated \" (opened at 3:7)\n");
	expect("a \\", "1:3: input ends after a backslash\n");
	expect("\"a\\", "1:1: unterminated \" (opened at 1:1)\n");
	expect("a\xff\nb\n", "1:2: byte 0xff is not UTF-8\n<b>\n");
	expect("\xc3\xa9 \xc3\xa9 \xc0\x80\n", "1:5: byte 0xc0 is not UTF-8\n");
	expect("'\xc3\xa9' \\\xff\n", "1:6: byte 0xff is not UTF-8\n");
	expect("a # \xff\nb\n", "1:5: byte 0xff is not UTF-8\n<b>\n");
	expect("a \xe2\x82", "1:3: byte 0xe2 is not UTF-8\n");
	expect_bytes("a\0b\nc", 5, "1:2: NUL byte\n<c>\n");
	expect_bytes("'a\0b'\n'c\0'", 10, "1:3: NUL byte\n2:3: NUL byte\n");
	expect_bytes("\"a\0b\"\n\\\0\n", 9, "1:3: NUL byte\n2:2: NUL byte\n");
	expect_bytes("!a\0b\n#\0\nc", 9, "1:3: NUL byte\n2:2: NUL byte\n<c>\n");
	expect_bytes("\0", 1, "1:1: NUL byte\n");
}

static void test_mark(void **state)
{
	(void)state;
	expect("\xef\xbb\xbfls x\n", "<ls><x>\n");
	expect("\xef\xbb\xbf", "");
	expect("\xef\xbb", "1:1: byte 0xef is not UTF-8\n");
	expect("\xef\xbb\xbf$NOPE\n", "1:1: NOPE is not set\n");
}

static void test_place(void **state)
{
	static const char text[] = "one\n  \xc3\xa9 two \\\n three 'fo\nur' five; six seven # c\n";
	struct lexer *l = lex_new(look_up, NULL);
	struct line line;
	struct err err;

	(void)state;
	lex_feed(l, text, sizeof text - 1, true);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	assert_int_equal(line.line, 1);
	assert_string_equal(line.source, "one");
	line_free(&line);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	assert_int_equal(line.line, 2);
	assert_int_equal(line.column, 3);
	assert_int_equal(line.n, 5);
	assert_int_equal(line.words[1].column, 5);
	assert_int_equal(line.words[2].line, 3);
	assert_int_equal(line.words[2].column, 2);
	assert_int_equal(line.words[4].line, 4);
	assert_int_equal(line.words[4].column, 5);
	assert_string_equal(line.source, "\xc3\xa9 two \\\n three 'fo\nur' five");
	assert_string_equal(line.source + line.words[4].start, "five");
	assert_int_equal(line.words[3].end - line.words[3].start, strlen("'fo\nur'"));
	line_free(&line);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	assert_int_equal(line.column, 11);
	assert_string_equal(line.source, "six seven");
	line_free(&line);
	assert_int_equal(lex_next(l, &line, &err), LEX_END);
	lex_free(l);
}

static void test_error_place(void **state)
{
	struct lexer *l = lex_new(look_up, NULL);
	struct line line;
	struct err err;

	(void)state;
	lex_feed(l, "ok\nset x $NOPE y\n", 17, true);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	line_free(&line);
	assert_int_equal(lex_next(l, &line, &err), LEX_ERROR);
	assert_int_equal(line.line, 2);
	assert_int_equal(line.column, 1);
	assert_int_equal(line.n, 0);
	assert_string_equal(line.source, "set x $NOPE y");
	assert_int_equal(err.column, 7);
	assert_string_equal(err.hint, "set NOPE VALUE");
	line_free(&line);
	lex_free(l);
}

static void test_inside(void **state)
{
	struct lexer *l = lex_new(look_up, NULL);
	struct line line;
	struct err err;

	(void)state;
	assert_int_equal(lex_next(l, &line, &err), LEX_MORE);
	assert_false(lex_inside(l));
	lex_feed(l, "ls 'a\n", 6, false);
	assert_int_equal(lex_next(l, &line, &err), LEX_MORE);
	assert_true(lex_inside(l));
	lex_feed(l, "b'\n", 3, false);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	assert_string_equal(line.words[1].text, "a\nb");
	line_free(&line);
	assert_int_equal(lex_next(l, &line, &err), LEX_MORE);
	assert_false(lex_inside(l));
	lex_feed(l, "ls \\\n", 5, false);
	assert_int_equal(lex_next(l, &line, &err), LEX_MORE);
	assert_true(lex_inside(l));
	lex_reset(l);
	lex_feed(l, "x\n", 2, false);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	assert_string_equal(line.words[0].text, "x");
	assert_int_equal(line.column, 1);
	line_free(&line);
	lex_free(l);
}

static long peak(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return use.ru_maxrss;
}

/* A line of 100 megabytes in blocks, then another: one error, and the line is not kept in memory. */
static void test_longest(void **state)
{
	enum { BLOCK = 65536, BLOCKS = 1600 };
	_cleanup_free_ char *block = xmalloc(BLOCK);
	struct lexer *l = lex_new(look_up, NULL);
	struct line line;
	struct err err;
	int errors = 0;
	long before = peak();

	(void)state;
	memset(block, 'x', BLOCK);
	for (int i = 0; i < BLOCKS; i++) {
		lex_feed(l, block, BLOCK, false);
		enum lex_result result = lex_next(l, &line, &err);
		if (result == LEX_ERROR) {
			assert_string_equal(err.text, "command is longer than 1048576 bytes");
			assert_true(strlen(line.source) < 4096);
			errors++;
		} else {
			assert_int_equal(result, LEX_MORE);
		}
		line_free(&line);
	}
	assert_int_equal(errors, 1);
	assert_true(peak() - before < 32 * 1024);
	lex_feed(l, "\nnext\n", 6, true);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	assert_string_equal(line.words[0].text, "next");
	assert_int_equal(line.line, 2);
	line_free(&line);
	lex_free(l);
}

static void test_longest_exact(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	for (int over = -1; over <= 1; over++) {
		buf_clear(&b);
		for (int i = 0; i < LINE_LONGEST + over - 1; i++)
			buf_char(&b, 'x');
		buf_str(&b, " \n'");
		_cleanup_free_ char *got = tell(b.data, b.len, b.len);
		bool error = strncmp(got, "1:1: command is longer", 22) == 0;
		assert_int_equal(error, over == 1);
		assert_non_null(strstr(got, "2:1: unterminated"));
	}
	buf_clear(&b);
	buf_str(&b, "a '");
	for (int i = 0; i < LINE_LONGEST; i += 8)
		buf_str(&b, "1234567\n");
	buf_str(&b, "'\nend\n");
	_cleanup_free_ char *got = tell(b.data, b.len, 4096);
	assert_non_null(strstr(got, "command is longer"));
}

static void test_expansion_is_bounded(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < 200000; i++)
		buf_str(&b, "$A");
	buf_str(&b, "\nnext\n");
	_cleanup_free_ char *got = tell(b.data, b.len, 65536);
	assert_non_null(strstr(got, "command is longer"));
	assert_non_null(strstr(got, "\n<next>\n"));
}

static void partial(const char *text, bool possible, const char *want)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct line line;

	assert_int_equal(lex_partial(look_up, NULL, text, strlen(text), &line), possible);
	if (possible) {
		tell_line(&b, &line);
		assert_string_equal(buf_text(&b), want);
	}
	line_free(&line);
}

static void test_partial(void **state)
{
	(void)state;
	partial("", true, "<>\n");
	partial("  ", true, "<>\n");
	partial("li", true, "<li>\n");
	partial("limit ", true, "<limit><>\n");
	partial("limit mem", true, "<limit><mem>\n");
	partial("a; limit mem", true, "<limit><mem>\n");
	partial("a;", true, "<>\n");
	partial("a\n", true, "<>\n");
	partial("new 'my na", true, "<new><my na>q\n");
	partial("new \"my ", true, "<new><my >q\n");
	partial("new my\\ ", true, "<new><my >q\n");
	partial("new my\\", true, "<new><my>q\n");
	partial("echo $NOPE ", true, "<echo><$NOPE><>\n");
	partial("echo $", true, "<echo><$>\n");
	partial("echo ${A", true, "<echo><${A>\n");
	partial("echo \xff", true, "<echo><\xff>\n");
	partial("ls # com", false, NULL);
	partial("# com", false, NULL);
	partial("# com\nls", true, "<ls>\n");
	partial("!ls", false, NULL);
	partial("ls | gr", false, NULL);
	partial("ls |", false, NULL);
	partial("ls > fi", false, NULL);
	partial("ls >", false, NULL);
}

static void test_argv(void **state)
{
	static const char *const argv[] = { "@web", "run", "a b", "", "it's", "|", NULL };
	struct line line;

	(void)state;
	line_from_argv(&line, argv, 6);
	assert_int_equal(line.n, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(line.words[i].text, argv[i]);
		assert_int_equal(line.words[i].length, strlen(argv[i]));
	}
	assert_string_equal(line.source, "'@web' run 'a b' '' 'it'\\''s' '|'");
	assert_string_equal(line.source + line.words[5].start, "'|'");
	assert_false(line.words[0].quoted);
	line_free(&line);
	line_from_argv(&line, argv, 0);
	assert_int_equal(line.n, 0);
	assert_string_equal(line.source, "");
	line_free(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_comments), cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_variables), cmocka_unit_test(test_output), cmocka_unit_test(test_not_sh),
		cmocka_unit_test(test_errors), cmocka_unit_test(test_mark), cmocka_unit_test(test_place),
		cmocka_unit_test(test_error_place), cmocka_unit_test(test_inside), cmocka_unit_test(test_longest),
		cmocka_unit_test(test_longest_exact), cmocka_unit_test(test_expansion_is_bounded), cmocka_unit_test(test_partial),
		cmocka_unit_test(test_argv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
