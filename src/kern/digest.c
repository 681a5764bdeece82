/*
 * digest.c - the SHA-256 of a file as it goes by
 *
 * One block is handed over at a time, and the next waits until it is counted: two blocks used by turns are enough.
 */
#include "config.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>

#include <nettle/sha2.h>

#include "base/mem.h"
#include "kern/digest.h"

struct digest {
	struct sha256_ctx sum;
	bool beside;
	pthread_t thread;
	sem_t given, taken;    /* a block is there; none is */
	const void *bytes;     /* NULL: no more come */
	size_t n;
};

static void wait_for(sem_t *s)
{
	while (sem_wait(s) < 0)
		;
}

static void *count(void *arg)
{
	struct digest *d = arg;

	for (;;) {
		wait_for(&d->given);
		if (!d->bytes)
			return NULL;
		sha256_update(&d->sum, d->n, d->bytes);
		sem_post(&d->taken);
	}
}

static void give(struct digest *d, const void *bytes, size_t n)
{
	wait_for(&d->taken);
	d->bytes = bytes;
	d->n = n;
	sem_post(&d->given);
}

struct digest *digest_new(bool beside)
{
	struct digest *d = xcalloc(1, sizeof *d);
	sigset_t all, old;

	sha256_init(&d->sum);
	if (!beside)
		return d;
	sem_init(&d->given, 0, 0);
	sem_init(&d->taken, 0, 1);
	/* belljar's handlers run in its first thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	d->beside = pthread_create(&d->thread, NULL, count, d) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return d;
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
	if (d->beside && n)
		give(d, bytes, n);
	else if (n)
		sha256_update(&d->sum, n, bytes);
}

void digest_end(struct digest *d, char text[ARCHIVE_DIGEST])
{
	uint8_t bytes[SHA256_DIGEST_SIZE];

	if (d->beside) {
		give(d, NULL, 0);
		pthread_join(d->thread, NULL);
	}
	sha256_digest(&d->sum, sizeof bytes, bytes);
	for (size_t i = 0; text && i < sizeof bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	free(d);
}
