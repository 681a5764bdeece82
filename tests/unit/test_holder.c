/*
 * test_holder.c - what a holder says of ended jobs is not lost while another answer is awaited
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/holder.h"

/* A place whose holder is the other end of a socket. */
static int holder_of(struct place *p)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	place_init(p, "web");
	p->sock = sv[0];
	return sv[1];
}

static void say_ended(int holder, int job, int status)
{
	struct wire_ended e = { WIRE_ENDED, job, status };

	assert_int_equal(send(holder, &e, sizeof e, 0), sizeof e);
}

static void say_reply(int holder)
{
	struct wire_reply r = { .type = WIRE_REPLY };

	assert_int_equal(send(holder, &r, sizeof r, 0), sizeof r);
}

static void kept_beside_an_answer(void **state)
{
	struct place p;
	struct err err = { 0 };
	struct wire_act act = { 0 };
	struct wire_batch request;
	size_t done;
	int status = -1;
	bool gone;
	_cleanup_close_ int holder = holder_of(&p);

	(void)state;
	say_ended(holder, -1, 7 << 8);
	say_ended(holder, 2, 0);
	say_reply(holder);
	assert_int_equal(holder_batch(&p, &act, 1, NULL, 0, &done, &err), 0);
	assert_false(holder_job_ended(&p, -2, &status, &gone) || gone);
	assert_int_equal(status, -1);

	/* Asked for the right one: kept and from the socket. */
	say_ended(holder, -3, 3 << 8);
	say_reply(holder);
	assert_int_equal(holder_batch(&p, &act, 1, NULL, 0, &done, &err), 0);
	say_ended(holder, -4, 4 << 8);
	assert_true(holder_job_ended(&p, -3, &status, &gone));
	assert_false(gone);
	assert_int_equal(status, 3 << 8);
	say_ended(holder, -5, 5 << 8);
	assert_true(holder_job_ended(&p, -5, &status, &gone));
	assert_int_equal(status, 5 << 8);

	/* The end of the holder: the last word counts all the same. (With a request unread the kernel would say so first.) */
	for (int i = 0; i < 2; i++)
		assert_true(recv(holder, &request, sizeof request, 0) > 0);
	say_ended(holder, -6, 6 << 8);
	close_fd(&holder);
	assert_true(holder_job_ended(&p, -6, &status, &gone));
	assert_true(gone);
	assert_int_equal(status, 6 << 8);
	place_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_beside_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
