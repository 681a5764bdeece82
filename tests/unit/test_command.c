/*
 * test_command.c - finding commands, reading their arguments, help and man text
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/shell.h"
#include "lang/command.h"
#include "lang/lex.h"
#include "lang/near.h"

static int run_nothing(struct shell *sh, const struct args *args, struct err *err)
{
	(void)sh;
	(void)args;
	(void)err;
	return 0;
}

#define ROW(name_, group_, brief_, grammar_, text_, examples_)                                                                 \
	{ .name = name_, .group = group_, .brief = brief_, .grammar = grammar_, .text = text_, .examples = examples_,          \
	  .run = run_nothing }

static const struct command first[] = {
	ROW("new", "sandboxes", "make a sandbox", "NAME:name [like OTHER]",
	    "Makes one. *Nothing* is unshared yet, as with `unshare -x`; see (`show`). "
	    "Then it is\nused.\n\n.Second paragraph, \\n.",
	    "new web\nshow # it"),
	ROW("session", "sandboxes", "show the session", "", "x", NULL),
	ROW("sessions", "sandboxes", "list sessions", NULL, "x", NULL),
	{ .name = NULL },
};
static const struct command second[] = {
	ROW("limit", "limits", "limit what it uses", "[memory SIZE:sizemax | swap SIZE:sizemax]...", "x", NULL),
	ROW("set", "scripts", "set a variable", "NAME VALUE", "x", NULL),
	ROW("rm", "sandboxes", "remove a sandbox", "[NAME]", "x", NULL),
	{ .name = NULL },
};
static const struct command *const families[] = { first, second, NULL };
static const struct type *const types[] = { NULL };

static void expect_found(const char *name, bool abbreviate, const char *found)
{
	struct err err = { 0 };
	const struct command *c = command_find(name, abbreviate, &err);

	if (!c)
		fail_msg("%s: %s", name, err.text);
	assert_string_equal(c->name, found);
}

static void expect_unknown(const char *name, bool abbreviate, const char *text)
{
	struct err err = { 0 };

	assert_null(command_find(name, abbreviate, &err));
	assert_int_equal(err.status, EXIT_USAGE);
	assert_string_equal(err.text, text);
	assert_null(command_find(name, abbreviate, NULL));
}

static void test_find(void **state)
{
	(void)state;
	expect_found("new", false, "new");
	expect_found("session", false, "session");
	expect_found("session", true, "session");
	expect_found("li", true, "limit");
	expect_found("n", true, "new");
	expect_unknown("s", true, "s could be session, sessions, set");
	expect_unknown("sess", true, "sess could be session, sessions");
	expect_unknown("lim", false, "unknown command lim, did you mean limit?");
	expect_unknown("limti", false, "unknown command limti, did you mean limit?");
	expect_unknown("LIMIT", false, "unknown command LIMIT, did you mean limit?");
	expect_unknown("lmitt", true, "unknown command lmitt, did you mean limit?");
	expect_unknown("mr", false, "unknown command mr, did you mean rm?");
	expect_unknown("ps", false, "unknown command ps");
	expect_unknown("", true, "unknown command ''");
	expect_unknown("a\033b", false, "unknown command a\\x1bb");
}

static void test_find_none(void **state)
{
	struct err err;

	(void)state;
	command_register(NULL, NULL);
	assert_null(command_find("new", false, &err));
	assert_null(command_at(0));
	command_register(families, types);
}

static void test_order(void **state)
{
	static const char *const want[] = { "new", "session", "sessions", "rm", "limit", "set" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(command_at(i)->name, want[i]);
	assert_null(command_at(ARRAY_SIZE(want)));
}

static void test_check(void **state)
{
	static const struct command stranger = ROW("new", "g", "b", "", "x", NULL);
	struct err err;

	(void)state;
	for (size_t i = 0; command_at(i); i++)
		assert_int_equal(command_check(command_at(i), &err), 0);
	assert_int_equal(command_check(&stranger, &err), -1);
}

static void test_args(void **state)
{
	struct lexer *l = lex_new(NULL, NULL);
	struct line line;
	struct args args;
	struct err err;

	(void)state;
	lex_feed(l, "limit swap 1K memory max", 24, true);
	assert_int_equal(lex_next(l, &line, &err), LEX_LINE);
	assert_int_equal(args_parse(NULL, command_find("limit", false, &err), line.words, line.n, line.source, &args, &err), 0);
	assert_true(arg_has(&args, "swap"));
	assert_false(arg_has(&args, "pids"));
	assert_string_equal(arg_text(&args, "SIZE"), "1K");
	assert_null(arg_text(&args, "NAME"));
	assert_int_equal(arg_num(&args, "SIZE", 7), 1024);
	assert_int_equal(arg_num(&args, "NAME", 7), 7);
	const struct value *v = arg_next(&args, "SIZE", NULL);
	v = arg_next(&args, "SIZE", v);
	assert_string_equal(v->text, "max");
	assert_ptr_equal(v->word, &line.words[4]);
	assert_null(arg_next(&args, "SIZE", v));
	args_free(&args);
	assert_null(arg(&args, "SIZE"));
	line_free(&line);
	lex_free(l);
}

/* belljar's own: no name twice, and where one is another's plural it lists what that one makes, and changes nothing. */
static void test_names(void **state)
{
	(void)state;
	command_register(cmd_families, cmd_types);
	for (size_t i = 0; command_at(i); i++) {
		const struct command *one = command_at(i);
		_cleanup_free_ char *plural = xasprintf("%ss", one->name);
		for (size_t k = 0; command_at(k); k++) {
			const struct command *other = command_at(k);
			if (k != i && streq(one->name, other->name))
				fail_msg("%s is there twice", one->name);
			if (streq(plural, other->name) && (!(other->flags & CMD_NO_UNDO) || !streq(one->group, other->group)))
				fail_msg("%s is no list of what %s makes", other->name, one->name);
		}
	}
	command_register(families, types);
}

static char *captured(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	print(out);
	fclose(out);
	return text;
}

static void print_new(FILE *out)
{
	help_command(&first[0], out);
}

static void test_help(void **state)
{
	_cleanup_free_ char *all = captured(help_all), *one = captured(print_new);

	(void)state;
	assert_true(starts_with(all, "sandboxes\n    new       make a sandbox\n    session   show the session\n"));
	assert_non_null(strstr(all, "\n\nlimits\n    limit     limit what it uses\n"));
	assert_string_equal(one, "new NAME [like OTHER]\n"
				 "    make a sandbox\n"
				 "\n"
				 "Makes one. Nothing is unshared yet, as with unshare -x; see (show). Then it is\n"
				 "used.\n"
				 "\n"
				 ".Second paragraph, \\n.\n"
				 "\n"
				 "Examples:\n"
				 "    new web\n"
				 "    show # it\n");
}

static void test_mdoc(void **state)
{
	_cleanup_free_ char *text = captured(help_mdoc);

	(void)state;
	assert_true(starts_with(text, ".Ss Sandboxes\n"
				      ".Bl -tag -width indent\n"
				      ".It Ic new Ar NAME Oo Cm like Ar OTHER Oc\n"
				      "Make a sandbox.\n"
				      "Makes one.\n"
				      ".Em Nothing\n"
				      "is unshared yet, as with\n"
				      ".Ql unshare \\-x ;\n"
				      "see\n"
				      ".Ql ( show ) .\n"
				      "Then it is used.\n"
				      ".Pp\n"
				      "\\&.Second paragraph, \\en.\n"
				      ".Bd -literal -offset indent\n"
				      "new web\n"
				      "show # it\n"
				      ".Ed\n"
				      ".It Ic session\n"));
	assert_non_null(strstr(text, ".El\n.Ss Limits\n.Bl -tag -width indent\n"
				     ".It Ic limit Oo Cm memory Ar SIZE | Cm swap Ar SIZE Oc Ns ...\n"));
}

static void nearest(const char *word, const char *want)
{
	static const char *const candidates[] = { "memory", "swap", "cpu", "cpus", "ls", "memory-high" };
	struct near near;

	near_start(&near, word);
	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		near_offer(&near, candidates[i]);
	if (!want)
		assert_null(near.best);
	else
		assert_string_equal(near.best, want);
}

static void test_near(void **state)
{
	char longest[200];

	(void)state;
	nearest("memroy", "memory");
	nearest("mem", "memory");
	nearest("emory", "memory");
	nearest("memoryy", "memory");
	nearest("wsap", "swap");
	nearest("CPU", "cpu");
	nearest("cpux", "cpu");
	nearest("sl", "ls");
	nearest("ll", NULL);
	nearest("xyzzy", NULL);
	nearest("", NULL);
	memset(longest, 'm', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	nearest(longest, NULL);
}

static int set_up(void **state)
{
	(void)state;
	command_register(families, types);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	command_register(NULL, NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find), cmocka_unit_test(test_find_none), cmocka_unit_test(test_order),
		cmocka_unit_test(test_check), cmocka_unit_test(test_names), cmocka_unit_test(test_args), cmocka_unit_test(test_help),
		cmocka_unit_test(test_mdoc), cmocka_unit_test(test_near),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
