/*
 * terminal.c - the operator's terminal and the sandbox's
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/stop.h"
#include "sandbox/terminal.h"

enum { HUNG_UP_NS = 100000000 };

struct proxy {
	struct place *place;
	const struct holder_started *started;
	int in, out;           /* the operator's side, -1 = none */
	char typed[4096];      /* read from in, not yet taken by the pty */
	size_t n_typed;
	int status;
	bool hung_up;          /* nobody inside has the pty open */
	bool over;             /* the program has ended, so its end is being said */
	struct last_word word;
	bool ended;
};

static volatile sig_atomic_t resized;

static void on_resize(int signal)
{
	(void)signal;
	resized = 1;
}

void terminal_size(int fd, unsigned short *rows, unsigned short *columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
		*rows = size.ws_row;
		*columns = size.ws_col;
	}
}

static void follow_size(struct proxy *x)
{
	struct winsize size;
	int from = x->in >= 0 ? x->in : x->out;

	resized = 0;
	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		ioctl(x->started->master, TIOCSWINSZ, &size);
}

/* From the pty to the operator; false when nothing is there now. */
static bool copy_out(struct proxy *x)
{
	char data[16384];
	ssize_t n = read(x->started->master, data, sizeof data);

	if (n <= 0)
		return false;
	/* Output that can't be written is lost, as on a closed terminal; the program goes on. */
	if (x->out >= 0 && io_write(x->out, data, (size_t)n) < 0)
		x->out = -1;
	return true;
}

static void copy_in(struct proxy *x)
{
	ssize_t n = read(x->in, x->typed, sizeof x->typed);

	if (n > 0) {
		x->n_typed = (size_t)n;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		/* The terminal was hung up. */
		holder_signal(x->started->pidfd, SIGHUP);
		x->in = -1;
	}
}

/* Typed faster than the program reads: the rest waits until the pty takes it. */
static void push(struct proxy *x)
{
	ssize_t n = write(x->started->master, x->typed, x->n_typed);

	if (n > 0) {
		memmove(x->typed, x->typed + n, x->n_typed - (size_t)n);
		x->n_typed -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		x->n_typed = 0;
	}
}

static void listen_to_holder(struct proxy *x)
{
	bool gone = false;

	x->ended = holder_job_ended(x->place, x->started->job, &x->status, &gone) || gone;
}

static void turn(struct proxy *x, const sigset_t *mask)
{
	struct timespec moment = { .tv_sec = x->over ? LAST_WORD_MS / 1000 : 0, .tv_nsec = x->over ? 0 : HUNG_UP_NS };
	/* A pty that is hung up would wake us for ever while the program runs on; but it may be opened again. */
	struct pollfd fds[] = {
		{ .fd = x->n_typed ? -1 : x->in, .events = POLLIN },
		{ .fd = x->hung_up ? -1 : x->started->master, .events = (short)(POLLIN | (x->n_typed ? POLLOUT : 0)) },
		{ .fd = x->place->sock, .events = POLLIN },
		{ .fd = x->over ? -1 : x->started->pidfd, .events = POLLIN },
	};

	if (resized)
		follow_size(x);
	if (stop_asked())
		holder_signal(x->started->pidfd, SIGHUP);
	int ready = ppoll(fds, 4, x->over || x->hung_up ? &moment : NULL, mask);
	if (x->over && ready == 0 && holder_word_lost(&x->word, x->started->pidfd)) {
		x->status = NOT_TOLD;
		x->ended = true;
	}
	bool hung_up = ready > 0 && (fds[1].revents & (POLLHUP | POLLIN)) == POLLHUP;
	x->hung_up = hung_up || (x->hung_up && x->over);
	if (ready <= 0)
		return;
	if (fds[1].revents & POLLOUT)
		push(x);
	if (fds[1].revents & POLLIN)
		copy_out(x);
	if (fds[0].revents)
		copy_in(x);
	x->over = x->over || fds[3].revents;
	if (fds[2].revents)
		listen_to_holder(x);
}

int terminal_run(struct place *p, const struct holder_started *started, const int std[3])
{
	struct proxy x = { .place = p, .started = started, .in = isatty(std[0]) ? std[0] : -1, .status = SIGKILL };
	struct sigaction action = { .sa_handler = on_resize }, old_action;
	struct termios cooked, raw;
	sigset_t block, before;

	x.out = isatty(std[1]) ? std[1] : isatty(std[2]) ? std[2] : -1;
	bool is_raw = x.in >= 0 && tcgetattr(x.in, &cooked) == 0;
	pid_t restorer = 0;
	int to_restorer = is_raw ? holder_start_restorer(x.in, &restorer) : -1;
	fcntl(started->master, F_SETFL, O_RDWR | O_NONBLOCK);
	sigemptyset(&block);
	sigaddset(&block, SIGWINCH);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGWINCH, &action, &old_action);
	if (is_raw) {
		raw = cooked;
		cfmakeraw(&raw);
		tcsetattr(x.in, TCSADRAIN, &raw);
	}
	listen_to_holder(&x);
	while (!x.ended)
		turn(&x, &before);
	while (copy_out(&x))
		;
	if (is_raw)
		tcsetattr(x.in, TCSADRAIN, &cooked);
	holder_end_restorer(to_restorer, restorer);
	sigaction(SIGWINCH, &old_action, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return x.status;
}
