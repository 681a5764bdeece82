/*
 * stop.c - being asked to stop
 */
#include "config.h"

#include <signal.h>
#include <stddef.h>

#include "base/stop.h"

/* Set by signal handlers, which can reach nothing else. */
static volatile sig_atomic_t asked, interrupted;
static bool at_prompt;

static void note(int number)
{
	if (number == SIGINT && at_prompt) {
		interrupted = 1;
		return;
	}
	if (asked) {
		signal(number, SIG_DFL);
		raise(number);
	}
	asked = number;
}

void stop_watch(bool prompt)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	/* Without SA_RESTART: what waits must notice. */
	struct sigaction action = { .sa_handler = note }, before;

	at_prompt = prompt;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

int stop_asked(void)
{
	return asked;
}

bool stop_interrupted(void)
{
	bool was = interrupted;

	interrupted = 0;
	return was;
}
