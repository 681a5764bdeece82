/*
 * test_grammar.c - grammars: what they accept, what they say when they don't, what they offer
 *
 * Each case registers one command `t` with the grammar in question.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/command.h"
#include "lang/lex.h"

static int parse_kind(struct shell *sh, struct value *v, struct err *err)
{
	static const char *const kinds[] = { "mnt", "net", "pid", "of" };

	(void)sh;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i], v->text)) {
			v->num = (int64_t)i + 1;
			return 0;
		}
	return err_usage(err, "%s is no kind", v->text);
}

static void complete_kind(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	(void)sh;
	if (starts_with("mnt", prefix))
		add(arg, "mnt");
	if (starts_with("net", prefix))
		add(arg, "net");
}

static const struct type kind = { "kind", "a kind such as net", parse_kind, complete_kind, false };
static const struct type *const types[] = { &kind, NULL };

static int run_nothing(struct shell *sh, const struct args *args, struct err *err)
{
	(void)sh;
	(void)args;
	(void)err;
	return 0;
}

static struct command family[3];
static const struct command *const families[] = { family, NULL };

static void use(const char *grammar)
{
	static const struct command row = { .name = "t", .group = "g", .brief = "b", .text = "x", .run = run_nothing };

	family[0] = family[1] = row;
	family[0].grammar = grammar;
	family[1].name = "other";
	family[1].grammar = "(one | two)";
	command_register(families, types);
}

/* "NAME=TEXT ..." of what LINE is read as, or "COLUMN: error". */
static char *tell(const char *text)
{
	struct buf b = { 0 };
	struct lexer *l = lex_new(NULL, NULL);
	struct line line;
	struct args args;
	struct err err = { 0 };

	lex_feed(l, text, strlen(text), true);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	if (args_parse(NULL, &family[0], line.words, line.n, line.source, &args, &err) < 0) {
		assert_int_equal(err.status, EXIT_USAGE);
		buf_fmt(&b, "%d: %s", err.column, err.text);
	} else {
		for (const struct value *v = args.values; v < args.values + args.n; v++)
			buf_fmt(&b, "%s%s=%s", v == args.values ? "" : " ", v->name, v->text);
		if (args.rest)
			buf_fmt(&b, " {%s}", args.rest);
		args_free(&args);
	}
	line_free(&line);
	lex_free(l);
	return buf_take(&b);
}

static void expect(const char *line, const char *want)
{
	_cleanup_free_ char *got = tell(line);

	assert_string_equal(got, want);
}

static void test_plain(void **state)
{
	(void)state;
	use("");
	expect("t", "");
	expect("t x", "3: unexpected word: x");
	expect("t x y z", "3: unexpected words: x y z");
	expect("t 1 2 3 4 5 6", "3: unexpected words: 1 2 3 4 ...");
	use("NAME VALUE");
	expect("t a b", "NAME=a VALUE=b");
	expect("t", "2: expected NAME after t: any word");
	expect("t a", "4: expected VALUE after a: any word");
	expect("t a b c", "7: unexpected word: c");
	expect("t '' \"\"", "NAME= VALUE=");
}

static void test_optional(void **state)
{
	(void)state;
	use("[NAME]");
	expect("t", "");
	expect("t x", "NAME=x");
	use("NAME [like OTHER]");
	expect("t a", "NAME=a");
	expect("t a like b", "NAME=a like=like OTHER=b");
	expect("t like like like", "NAME=like like=like OTHER=like");
	expect("t a like", "9: expected OTHER after like: any word");
	expect("t a lke b", "5: unknown word lke, did you mean like?");
	expect("t a 'like' b", "5: like: expected like or the end");
	expect("t a zzzz", "5: zzzz: expected like or the end");
}

static void test_choice(void **state)
{
	(void)state;
	use("on | off");
	expect("t on", "on=on");
	expect("t off", "off=off");
	expect("t", "2: expected on or off after t");
	expect("t maybe", "3: maybe: expected on or off");
	use("[on | off]");
	expect("t", "");
	expect("t off", "off=off");
	use("(a X | b Y) Z");
	expect("t a 1 2", "a=a X=1 Z=2");
	expect("t b 1 2", "b=b Y=1 Z=2");
	expect("t b 1", "6: expected Z after 1: any word");
	use("a|b|KIND:kind");
	expect("t b", "b=b");
	expect("t net", "KIND=net");
	expect("t nut", "3: nut is no kind, did you mean net?");
}

static void test_repeat(void **state)
{
	(void)state;
	use("[TEXT...]");
	expect("t", "");
	expect("t a b c", "TEXT=a TEXT=b TEXT=c");
	use("KIND:kind... of WHERE");
	expect("t mnt of x", "KIND=mnt of=of WHERE=x");
	expect("t mnt net of of", "KIND=mnt KIND=net of=of WHERE=of");
	expect("t mnt 'of' of x", "KIND=mnt KIND=of of=of WHERE=x");
	expect("t mnt net", "10: expected KIND or of after net");
	expect("t mnt foo of x", "7: foo is no kind");
	expect("t nte of x", "3: nte is no kind, did you mean net?");
	expect("t mtn of x", "3: mtn is no kind, did you mean mnt?");
	use("KIND:kind... [of WHERE]");
	expect("t mnt net", "KIND=mnt KIND=net");
	expect("t mnt of y", "KIND=mnt of=of WHERE=y");
	use("(x A | y)...");
	expect("t x 1 y x 2", "x=x A=1 y=y x=x A=2");
	use("A [addr B]... [up]");
	expect("t l addr 1 addr 2 up", "A=l addr=addr B=1 addr=addr B=2 up=up");
	expect("t l up addr", "8: unexpected word: addr");
}

static void test_any_order(void **state)
{
	(void)state;
	use("[memory SIZE:sizemax | swap SIZE:sizemax | pids N:number]...");
	expect("t", "");
	expect("t pids 3 memory 1M", "pids=pids N=3 memory=memory SIZE=1M");
	expect("t memory 1M pids 2 memory 2M", "20: memory is given twice");
	expect("t memory 64Q", "10: memory: 64Q is not a size: use a number with K, M, G or T, such as 64M, or max");
	expect("t memry 1", "3: unknown word memry, did you mean memory?");
	expect("t memory 1M disk 3", "13: disk: expected swap, pids or the end");
	expect("t memory", "9: expected SIZE after memory: a size such as 64M, or max");
	use("[ro | size S [hard] | a...]... END");
	expect("t size 1 hard ro e", "size=size S=1 hard=hard ro=ro END=e");
	expect("t a a ro e", "a=a a=a ro=ro END=e");
	expect("t ro size 1 e", "ro=ro size=size S=1 END=e");
}

/* Where several readings are possible. */
static void test_ambiguous(void **state)
{
	(void)state;
	use("[SIGNAL:signal] PID:number");
	expect("t 15", "PID=15");
	expect("t 9 15", "SIGNAL=9 PID=15");
	expect("t TERM 15", "SIGNAL=TERM PID=15");
	expect("t TERM", "7: expected PID after TERM: a number such as 32");
	expect("t X 1", "3: X: expected SIGNAL or PID");
	expect("t 1 2 3", "7: unexpected word: 3");
	use("[KIND:kind | PID:number]");
	expect("t net", "KIND=net");
	expect("t 12", "PID=12");
	use("[A] [B] C D");
	expect("t 1 2", "C=1 D=2");
	expect("t 1 2 3", "A=1 C=2 D=3");
	expect("t 1 2 3 4", "A=1 B=2 C=3 D=4");
	use("A... B... C");
	expect("t 1 2 3 4 5", "A=1 A=2 A=3 B=4 C=5");
}

static void test_rest(void **state)
{
	(void)state;
	use("[-d] COMMAND:program");
	expect("t ls", "COMMAND=ls {ls}");
	expect("t -d ls -l 'a  b'  c", "-d=-d COMMAND=ls {ls -l 'a  b'  c}");
	expect("t '-d' ls", "COMMAND=-d {'-d' ls}");
	expect("t", "2: expected -d or COMMAND after t");
	use("[USER:number] COMMAND:rest");
	expect("t 5 ls", "USER=5 COMMAND=ls {ls}");
	expect("t 5", "COMMAND=5 {5}");
	expect("t ls 5", "COMMAND=ls {ls 5}");
	use("status N:number COMMAND:line | [not] (on | works COMMAND:line)");
	expect("t not works new x", "not=not works=works COMMAND=new {new x}");
	expect("t status 1 a b | c", "status=status N=1 COMMAND=a {a b}");
}

static void test_remark(void **state)
{
	_cleanup_buf_ struct buf usage = { 0 };

	(void)state;
	use("A[:IF]:word B[:IF] [addr CIDR:cidr]... [up|down]");
	expect("t x:y z", "A=x:y B=z");
	command_usage(&family[0], &usage);
	assert_string_equal(buf_text(&usage), "t A[:IF] B[:IF] [addr CIDR]... [up|down]");
}

static void test_hint(void **state)
{
	static const struct word words[] = { { .text = (char *)"t", .line = 1, .column = 1, .length = 1, .end = 1 } };
	struct args args;
	struct err err;

	(void)state;
	use("KIND:kind... [of WHERE]");
	assert_int_equal(args_parse(NULL, &family[0], words, 1, "t", &args, &err), -1);
	assert_string_equal(err.hint, "t KIND... [of WHERE]");
	assert_int_equal(args_parse(NULL, &family[0], words, 1, "t", &args, NULL), -1);
}

static void expect_malformed(const char *grammar, const char *what)
{
	struct err err = { 0 };

	use(grammar);
	assert_int_equal(command_check(&family[0], &err), -1);
	if (!strstr(err.text, what))
		fail_msg("%s: %s", grammar, err.text);
}

static void test_malformed(void **state)
{
	struct err err;
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	expect_malformed("[a", "does not close");
	expect_malformed("(a ]", "does not close");
	expect_malformed("a ]", "never opened");
	expect_malformed("a ) b", "never opened");
	expect_malformed("... a", "unexpected sign");
	expect_malformed("A:nosuch", "no type nosuch");
	expect_malformed("A:rest B", "takes all words");
	expect_malformed("A:rest...", "takes all words");
	expect_malformed("[[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]", "too deep");
	for (int i = 0; i < 300; i++)
		buf_str(&b, "a ");
	expect_malformed(buf_text(&b), "too long");
	buf_clear(&b);
	buf_str(&b, "[a");
	for (int i = 0; i < 70; i++)
		buf_str(&b, "|a");
	buf_str(&b, "]...");
	expect_malformed(buf_text(&b), "too");
	use("[[a]...]... B");
	assert_int_equal(command_check(&family[0], &err), 0);
	expect("t a a b", "a=a a=a B=b");
}

/* A hostile line must not cost more than its length: 400000 words with three ways to read each. */
static void test_cost(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	use("[A...] [B...] [C...] x");
	buf_str(&b, "t");
	for (int i = 0; i < 400000; i++)
		buf_str(&b, " a");
	_cleanup_free_ char *got = tell(b.data);
	assert_true(starts_with(got, "800002: expected A, B, C or x after a"));
}

static void collect(void *arg, const char *text)
{
	buf_fmt(arg, "%s ", text);
}

static void offers(const char *text, const char *want)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct line line;

	assert_true(lex_partial(NULL, NULL, text, strlen(text), &line));
	command_complete(NULL, line.words, line.n, collect, &b);
	assert_string_equal(buf_text(&b), want);
	line_free(&line);
}

static void test_complete(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	use("KIND:kind... of WHERE:kind");
	offers("", "t other ");
	offers("o", "other ");
	offers("x", "");
	offers("x ", "");
	offers("t ", "mnt net ");
	offers("t n", "net ");
	offers("t mnt ", "mnt net of ");
	offers("t nosuch ", "mnt net of ");
	offers("t mnt o", "of ");
	offers("t mnt of ", "mnt net ");
	offers("t mnt of x ", "");
	use("[memory SIZE:sizemax | swap SIZE:sizemax | pids N:number]...");
	offers("t ", "memory swap pids ");
	offers("t memory ", "max ");
	offers("t memory nonsense ", "swap pids ");
	offers("t memory 1 pids 2 s", "swap ");
	offers("t memory 1 'sw", "");
	use("on | COMMAND:line");
	offers("t o", "on other ");
	offers("t other ", "one two ");
	offers("t other t", "two ");
	offers("t t t other o", "one ");
	use("[-d] COMMAND:program");
	offers("t -d /proc/self/oom_score_a", "/proc/self/oom_score_adj ");
	offers("t ls /proc/self/fdinf", "/proc/self/fdinfo/ ");
	command_complete(NULL, NULL, 0, collect, &b);
	assert_string_equal(buf_text(&b), "t other ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_optional), cmocka_unit_test(test_choice),
		cmocka_unit_test(test_repeat), cmocka_unit_test(test_any_order), cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_rest), cmocka_unit_test(test_remark), cmocka_unit_test(test_hint),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_cost), cmocka_unit_test(test_complete),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	command_register(NULL, NULL);
	return failed;
}
