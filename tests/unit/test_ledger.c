/*
 * test_ledger.c - whose a ledger is, and that clearing touches only what it may
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/ledger.h"

struct place {
	char top[64], run[80], dir[96];
};

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);

	strcpy(p->top, "/tmp/ledger-test-XXXXXX");
	if (!mkdtemp(p->top))
		return -1;
	snprintf(p->run, sizeof p->run, "%s/run", p->top);
	snprintf(p->dir, sizeof p->dir, "%s/1.2", p->run);
	*state = p;
	return mkdir(p->run, 0700) < 0 || mkdir(p->dir, 0700) < 0 ? -1 : 0;
}

static void put(const struct place *p, const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", p->dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int tear_down(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *ledger = xasprintf("%s/ledger", p->dir), *kept = xasprintf("%s/belljar.kept", p->top);

	unlink(ledger);
	rmdir(kept);
	rmdir(p->dir);
	rmdir(p->run);
	int left = rmdir(p->top);
	free(p);
	return left;
}

static bool alive(const struct place *p)
{
	int dir = ledger_lock(p->dir, false);

	assert_true(dir >= 0);
	bool is = ledger_alive(dir);
	close(dir);
	return is;
}

static void alive_by_number_and_start_time(void **state)
{
	struct place *p = *state;
	char line[256], other[300], boot[40];
	unsigned long space;
	unsigned long long start;
	struct err err = { 0 };
	int pid;

	assert_false(alive(p));
	assert_int_equal(ledger_header(getpid(), line, sizeof line, &err), 0);
	snprintf(other, sizeof other, "%s\n", line);
	put(p, "ledger", other);
	assert_true(alive(p));
	put(p, "ledger", line);         /* cut off: nothing was made yet */
	assert_false(alive(p));
	assert_int_equal(sscanf(line, "belljar 1 %39s %lu %d %llu", boot, &space, &pid, &start), 4);
	snprintf(other, sizeof other, "belljar 1 %s %lu %d %llu\n", boot, space, pid, start + 1);
	put(p, "ledger", other);
	assert_false(alive(p));
	snprintf(other, sizeof other, "belljar 1 %s %lu 1 %llu\n", boot, space, start);
	put(p, "ledger", other);
	assert_false(alive(p));
	snprintf(other, sizeof other, "belljar 1 %s %lu %d %llu\n", "0-0", space, pid, start);
	put(p, "ledger", other);
	assert_false(alive(p));
	snprintf(other, sizeof other, "belljar 1 %s %lu %d %llu\n", boot, space + 1, 999999999, start);
	put(p, "ledger", other);
	assert_true(alive(p));          /* another pid namespace: can't be told, so not to be touched */
}

static void a_zombie_is_dead(void **state)
{
	pid_t pid = fork();
	siginfo_t info;

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(ledger_start_time(pid), 0);
	waitpid(pid, NULL, 0);
	assert_int_equal(ledger_start_time(-1), 0);
	assert_true(ledger_start_time(getpid()) > 0);
}

static int clear(const struct place *p, struct err *err)
{
	int dir = ledger_lock(p->dir, false);

	assert_true(dir >= 0);
	int done = ledger_clear(dir, p->dir, err);
	close(dir);
	return done;
}

static void clears_its_directory(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };

	put(p, "ledger", "belljar 1 x 1 1 1\ncgroup /nowhere/belljar.1\nlink nosuchlink 2147483647\nlink lo 0\ncgroup /no/end/to/th");
	put(p, "state", "");
	assert_int_equal(clear(p, &err), 0);
	assert_int_equal(access(p->dir, F_OK), -1);
	assert_int_equal(access(p->run, F_OK), -1);     /* it was the last one */
	assert_int_equal(access(p->top, F_OK), 0);
}

static void refuses_what_is_not_belljars(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	char victim[128], text[512];

	snprintf(victim, sizeof victim, "%s/victim", p->top);
	assert_int_equal(mkdir(victim, 0700), 0);
	snprintf(text, sizeof text, "belljar 1 x 1 1 1\ncgroup %s\n", victim);
	put(p, "ledger", text);
	assert_int_equal(clear(p, &err), -1);
	assert_int_equal(access(victim, F_OK), 0);
	assert_int_equal(access(p->dir, F_OK), 0);      /* the ledger stays */
	snprintf(text, sizeof text, "belljar 1 x 1 1 1\ncgroup %s/../belljar.kept\nfile %s\n", victim, victim);
	put(p, "ledger", text);
	assert_int_equal(clear(p, &err), -1);
	snprintf(text, sizeof text, "belljar 1 x 1 1 1\nproject 5 %s\n", victim);
	put(p, "ledger", text);
	assert_int_equal(clear(p, &err), -1);
	snprintf(text, sizeof text, "belljar 1 x 1 1 1\nproject 1651113984 %s\nproject 1651113985 %s/nowhere\n", victim, victim);
	put(p, "ledger", text);
	assert_int_equal(clear(p, &err), 0);    /* it is in no project, and there is no such directory */
	rmdir(victim);
}

static void forgotten_lines_do_not_count(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };
	char kept[128], text[512];

	snprintf(kept, sizeof kept, "%s/belljar.kept", p->top);
	assert_int_equal(mkdir(kept, 0700), 0);
	snprintf(text, sizeof text, "belljar 1 x 1 1 1\ncgroup %s\nlink a 0\n- cgroup %s\n", kept, kept);
	put(p, "ledger", text);
	assert_int_equal(clear(p, &err), 0);
	assert_int_equal(access(kept, F_OK), 0);
}

static void one_at_a_time(void **state)
{
	struct place *p = *state;
	int dir = ledger_lock(p->dir, false);

	assert_true(dir >= 0);
	assert_int_equal(ledger_lock(p->dir, false), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(dir);
	dir = ledger_lock(p->dir, false);
	assert_true(dir >= 0);
	close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alive_by_number_and_start_time, set_up, tear_down),
		cmocka_unit_test(a_zombie_is_dead),
		cmocka_unit_test_setup_teardown(clears_its_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_is_not_belljars, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forgotten_lines_do_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
