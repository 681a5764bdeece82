/*
 * restore.c - the operator's terminal, when belljar is killed while a program inside has it
 *
 * belljar puts the terminal into raw mode as long as a program runs on a pty (sandbox/terminal.h). A small process in a session of its own
 * has the terminal open beside it: when belljar's end of the socket closes without a word, it sets the modes back to what they were before
 * that. If somebody has changed them meanwhile (the shell that belljar was started from takes its terminal back itself), they stay.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "holder/holder.h"

/* Standard input is the terminal. */
int restore_main(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	struct termios before, raw, now;
	char byte = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "belljar-restore", 0, 0, 0);
	if (tcgetattr(STDIN_FILENO, &before) < 0 || send(WIRE_SOCKET, "", 1, MSG_NOSIGNAL) != 1)
		return EXIT_FAILED;
	raw = before;
	cfmakeraw(&raw);
	while ((n = recv(WIRE_SOCKET, &byte, 1, 0)) < 0 && errno == EINTR)
		;
	/* A byte: belljar has done it itself. */
	if (n <= 0 && tcgetattr(STDIN_FILENO, &now) == 0 && now.c_iflag == raw.c_iflag && now.c_oflag == raw.c_oflag &&
	    now.c_lflag == raw.c_lflag && now.c_cc[VMIN] == raw.c_cc[VMIN])
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return EXIT_DONE;
}
