/*
 * watch.c - calls that filters refuse are refused by the holder, and noted
 *
 * A program's filter asks about calls that it refuses (SECCOMP_RET_USER_NOTIF). The answer was fixed when the filter was made: an error,
 * or to go on where a call is only to be noted. So nothing that the program could change after it was asked matters, and what is inside
 * costs only itself by asking often.
 */
#include "config.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "holder/holder.h"

/* The kernel writes as much as its own record has, which may be more than ours. */
union notice {
	struct seccomp_notif notice;
	char room[512];
};

static void drop(struct watch **at)
{
	struct watch *w = *at;

	*at = w->next;
	free(w->calls);
	free(w);
}

bool watch_room(struct holder *h)
{
	int n = 0;

	for (struct watch **at = &h->watches; *at;) {
		/* What nobody asks for is not kept for ever. */
		if ((*at)->fd < 0 && n >= WATCHES / 2) {
			drop(at);
		} else {
			at = &(*at)->next;
			n++;
		}
	}
	return n < WATCHES;
}

bool watch_add(struct holder *h, int listener, const struct wire_privileges *want, const struct wire_answer *answers, int job)
{
	struct watch *w = calloc(1, sizeof *w + want->answers * sizeof *answers);

	if (!w)
		return false;
	w->fd = listener;
	w->job = job;
	w->otherwise = want->otherwise;
	w->n_answers = want->answers;
	memcpy(w->answers, answers, want->answers * sizeof *answers);
	w->next = h->watches;
	h->watches = w;
	return true;
}

static uint32_t answer_to(const struct watch *w, uint32_t arch, uint32_t nr)
{
	for (uint32_t i = 0; i < w->n_answers; i++)
		if (w->answers[i].nr == nr && w->answers[i].arch == arch)
			return w->answers[i].error;
	return w->otherwise;
}

static void note(struct watch *w, uint32_t arch, uint32_t nr, uint32_t error)
{
	for (uint32_t i = 0; i < w->n_calls; i++)
		if (w->calls[i].nr == nr && w->calls[i].arch == arch) {
			w->calls[i].count++;
			return;
		}
	/* More kinds of calls than there are: somebody makes up numbers. */
	if (w->n_calls == WIRE_CALLS_LARGEST)
		return;
	struct wire_call *calls = realloc(w->calls, (w->n_calls + 1) * sizeof *calls);
	if (!calls)
		return;
	w->calls = calls;
	w->calls[w->n_calls++] = (struct wire_call){ arch, nr, error, 1 };
}

/* The last program under the filter has ended. What was noted stays until it is asked for. */
static void ended(struct watch *w)
{
	close(w->fd);
	w->fd = -1;
}

void watch_serve(struct watch *w, short events)
{
	union notice in = { .room = { 0 } };
	struct seccomp_notif_resp out = { 0 };

	/* Before Linux 6.6 it would be waited for a question although nobody is left to ask. */
	if (!(events & POLLIN)) {
		if (events & (POLLHUP | POLLERR))
			ended(w);
		return;
	}
	/* Whoever asked may have been killed meanwhile: ENOENT. */
	if (ioctl(w->fd, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return;
	uint32_t error = answer_to(w, in.notice.data.arch, (uint32_t)in.notice.data.nr);
	out.id = in.notice.id;
	out.error = -(int32_t)error;
	out.flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	note(w, in.notice.data.arch, (uint32_t)in.notice.data.nr, error);
	ioctl(w->fd, SECCOMP_IOCTL_NOTIF_SEND, &out);
}

void watch_tell(struct holder *h, int conn, struct message *m)
{
	struct wire_calls *out = (struct wire_calls *)(void *)m->data;
	int job = ((const struct wire_ask *)m->data)->job;

	out->type = WIRE_CALLS;
	out->n = 0;
	for (struct watch **at = &h->watches; *at;) {
		struct watch *w = *at;
		if (job == w->job) {
			for (uint32_t i = 0; i < w->n_calls && out->n < WIRE_CALLS_LARGEST; i++)
				out->calls[out->n++] = w->calls[i];
			w->n_calls = 0;
		}
		if (w->fd < 0 && job == w->job)
			drop(at);
		else
			at = &w->next;
	}
	answer(conn, out, sizeof *out + out->n * sizeof *out->calls, NULL, 0);
}
