/*
 * test_gate.c - the table of steps is whole; the gate plans, fails and takes back in the right order
 *
 * In a dry run nothing is performed, but the journal is kept and the fault plan holds, so all of this is seen without privileges.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"

struct told {
	struct gate gate;
	struct place place;
	char *text;
	size_t len;
};

static int set_up(void **state)
{
	struct told *t = xcalloc(1, sizeof *t);

	t->gate.dry = true;
	t->gate.told = open_memstream(&t->text, &t->len);
	place_init(&t->place, "web");
	t->place.alive = true;
	*state = t;
	return t->gate.told ? 0 : -1;
}

static int tear_down(void **state)
{
	struct told *t = *state;

	gate_forget(&t->gate, 0, t->gate.n_done);
	fclose(t->gate.told);
	free(t->gate.done);
	free(t->text);
	free(t);
	return 0;
}

/* The first lines of what was told since the last call, one a step, joined by "; ". */
static const char *steps_told(struct told *t)
{
	static char said[1024];
	size_t n = 0;

	fclose(t->gate.told);
	said[0] = '\0';
	for (char *line = strtok(t->text, "\n"); line; line = strtok(NULL, "\n"))
		if (line[0] != ' ' && n < sizeof said)
			n += (size_t)snprintf(said + n, sizeof said - n, "%s%s", n ? "; " : "", line);
	free(t->text);
	t->gate.told = open_memstream(&t->text, &t->len);
	assert_non_null(t->gate.told);
	return said;
}

static void every_step_explains_itself(void **state)
{
	struct told *t = *state;

	for (int kind = 0; kind < STEP_KINDS; kind++) {
		const struct step_row *row = &step_table[kind];
		struct step s = { .kind = (enum step_kind)kind, .place = &t->place, .fd = { -1, -1 } };

		assert_non_null(row->name);
		assert_non_null(row->say);
		assert_non_null(row->calls);
		assert_non_null(row->shell);
		if (row->who == WHO_HOLDER)
			assert_int_not_equal(row->op, 0);
		else
			assert_true(row->act != NULL);
		assert_true(!row->make || row->who == WHO_JOINED);
		gate_tell(&s, t->gate.told);
		fflush(t->gate.told);
		/* A field that nobody fills would stay in its braces, which nft's own have a blank behind. */
		for (const char *brace = t->text; (brace = strchr(brace, '{')); brace++)
			assert_int_equal(brace[1], ' ');
		for (int other = 0; other < kind; other++)
			assert_string_not_equal(row->name, step_table[other].name);
	}
}

#define MOUNT(path) { .kind = STEP_MOUNT, .place = &t->place, .what = "tmpfs", .to = path, .fd = { -1, -1 } }

static void what_failed_is_taken_back_in_reverse(void **state)
{
	struct told *t = *state;
	struct step steps[] = { MOUNT("/a"), MOUNT("/b"), MOUNT("/c") };
	struct err err = { 0 };

	t->gate.fail_at = 3;
	t->gate.fail_errno = ENOSPC;
	assert_int_equal(gate_run(&t->gate, steps, 3, &err), -1);
	assert_int_equal(err.number, ENOSPC);
	assert_int_equal(err.status, EXIT_FAILED);
	assert_non_null(strstr(err.text, "failed on purpose"));
	assert_string_equal(steps_told(t), "mount tmpfs at /a; mount tmpfs at /b; mount tmpfs at /c; unmount /b; unmount /a");
	assert_int_equal(gate_mark(&t->gate), 0);
	/* Only that one step fails. */
	assert_int_equal(gate_run(&t->gate, steps, 3, &err), 0);
	assert_int_equal(gate_mark(&t->gate), 3);
}

static void a_mark_bounds_what_is_taken_back(void **state)
{
	struct told *t = *state;
	struct step steps[] = { MOUNT("/a"), MOUNT("/b") };
	struct err err = { 0 };

	assert_int_equal(gate_run(&t->gate, steps, 1, &err), 0);
	size_t mark = gate_mark(&t->gate);
	assert_int_equal(gate_run(&t->gate, steps + 1, 1, &err), 0);
	steps_told(t);
	assert_int_equal(gate_can_undo(&t->gate, mark, gate_mark(&t->gate), &err), 0);
	assert_int_equal(gate_rollback(&t->gate, mark, &err), 0);
	assert_string_equal(steps_told(t), "unmount /b");
	assert_int_equal(gate_mark(&t->gate), mark);
}

/* An act that found its work done already (the link was up) leaves no note for its inverse. */
static void what_was_so_before_stays(void **state)
{
	struct told *t = *state;
	struct step steps[] = { { .kind = STEP_UP, .place = &t->place, .to = "eth0", .fd = { -1, -1 } }, MOUNT("/a") };
	struct err err = { 0 };

	assert_int_equal(gate_run(&t->gate, steps, 2, &err), 0);
	steps_told(t);
	assert_int_equal(gate_can_undo(&t->gate, 0, 2, &err), 0);
	assert_int_equal(gate_rollback(&t->gate, 0, &err), 0);
	assert_string_equal(steps_told(t), "unmount /a");
}

static void what_cant_be_taken_back_says_so(void **state)
{
	struct told *t = *state;
	struct step steps[] = { MOUNT("/a"), { .kind = STEP_PIVOT, .place = &t->place, .to = "/", .fd = { -1, -1 } } };
	struct err err = { 0 };

	assert_int_equal(gate_run(&t->gate, steps, 2, &err), 0);
	assert_int_equal(gate_can_undo(&t->gate, 0, 1, &err), 0);
	assert_int_equal(gate_can_undo(&t->gate, 0, 2, &err), -1);
	assert_non_null(strstr(err.text, step_table[STEP_PIVOT].for_good));
	err_clear(&err);
	gate_forget_place(&t->gate, &t->place);
	assert_int_equal(gate_can_undo(&t->gate, 0, 1, &err), -1);
	assert_non_null(strstr(err.text, "its sandbox is gone"));
	gate_forget(&t->gate, 0, 1);
	assert_int_equal(gate_mark(&t->gate), 1);
}

static void the_plan_is_read_from_the_environment(void **state)
{
	struct told *t = *state;

	setenv("BELLJAR_FAULT", "7", 1);
	gate_plan(&t->gate);
	assert_int_equal(t->gate.fail_at, 7);
	assert_int_equal(t->gate.fail_errno, EPERM);
	assert_false(t->gate.fail_kill);
	setenv("BELLJAR_FAULT", "12:ENOMEM", 1);
	gate_plan(&t->gate);
	assert_int_equal(t->gate.fail_at, 12);
	assert_int_equal(t->gate.fail_errno, ENOMEM);
	setenv("BELLJAR_FAULT", "3:KILL", 1);
	gate_plan(&t->gate);
	assert_true(t->gate.fail_kill);
	unsetenv("BELLJAR_FAULT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_step_explains_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_failed_is_taken_back_in_reverse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_mark_bounds_what_is_taken_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_so_before_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cant_be_taken_back_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_plan_is_read_from_the_environment, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
