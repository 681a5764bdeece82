/*
 * outside.c - a command's output to other places, and programs of the host
 *
 * How the terminal is handed over: at the prompt a host command is the leader of a process group of its own, which the new process
 * makes the terminal's foreground group before it runs anything (so there is no moment in which the two compete for it). When it
 * ends, or is stopped, belljar takes the terminal back and restores its modes. A host command can't stay behind stopped: it is
 * continued at once. Programs behind a pipe stay in belljar's own group, because belljar itself still needs the terminal.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/outside.h"
#include "cmd/shell.h"

extern char **environ;

/* Signals that belljar ignores or catches, which a program must find as they usually are. */
static void spawn_signals(posix_spawnattr_t *attr)
{
	static const int usual[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD };
	sigset_t set, none;

	sigemptyset(&none);
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		sigaddset(&set, usual[i]);
	posix_spawnattr_setsigdefault(attr, &set);
	posix_spawnattr_setsigmask(attr, &none);
}

/* Start /bin/sh -c COMMAND. STD_IN and STD_OUT replace belljar's own where they are not -1; with FOREGROUND it gets the terminal. */
static int spawn_shell(const char *command, int std_in, int std_out, bool foreground, pid_t *pid, struct err *err)
{
	char shell[] = "sh", option[] = "-c";
	_cleanup_free_ char *copy = xstrdup(command);
	char *argv[] = { shell, option, copy, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;

	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&files);
	spawn_signals(&attr);
	if (std_in >= 0)
		posix_spawn_file_actions_adddup2(&files, std_in, STDIN_FILENO);
	if (std_out >= 0)
		posix_spawn_file_actions_adddup2(&files, std_out, STDOUT_FILENO);
	if (foreground) {
		flags |= POSIX_SPAWN_SETPGROUP;
		posix_spawn_file_actions_addtcsetpgrp_np(&files, STDIN_FILENO);
	}
	posix_spawnattr_setflags(&attr, flags);
	int failed = posix_spawn(pid, "/bin/sh", &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return failed ? err_set(err, failed, "can't start /bin/sh") : 0;
}

int outside_failed(const char *command, int status, struct err *err)
{
	int n = (int)strcspn(command, "\n");

	err_set(err, 0, "%.*s%s: exit status %d", n > 200 ? 200 : n, command, n > 200 || command[n] ? "..." : "", status);
	if (status > EXIT_SIGNAL && status < EXIT_SIGNAL + NSIG)
		err_why(err, "ended by signal %d (%s)", status - EXIT_SIGNAL, strsignal(status - EXIT_SIGNAL));
	err->status = status;
	return -1;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static void take_terminal(const struct termios *modes)
{
	sigset_t block, before;

	sigemptyset(&block);
	sigaddset(&block, SIGTTOU);
	sigprocmask(SIG_BLOCK, &block, &before);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	tcsetattr(STDIN_FILENO, TCSADRAIN, modes);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int wait_for(pid_t pid, bool foreground)
{
	int status = 0;

	for (;;) {
		pid_t got = waitpid(pid, &status, foreground ? WUNTRACED : 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return EXIT_OWN;
		if (!WIFSTOPPED(status))
			return exit_status(status);
		kill(-pid, SIGCONT);
	}
}

int outside_run(struct shell *sh, const char *command, struct err *err)
{
	struct termios modes;
	pid_t pid;

	shell_flush(sh);
	bool foreground = sh->interactive && tcgetattr(STDIN_FILENO, &modes) == 0 && tcgetpgrp(STDIN_FILENO) == getpgrp();
	_cleanup_close_ int nothing = sh->script_is_stdin ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	if (spawn_shell(command, nothing, sh->out_elsewhere ? fileno(sh->out) : -1, foreground, &pid, err) < 0)
		return -1;
	int status = wait_for(pid, foreground);
	if (foreground)
		take_terminal(&modes);
	return status;
}

static int open_pipe(const char *command, struct target *t, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "can't make a pipe");
	_cleanup_close_ int from = ends[0];
	_cleanup_close_ int to = ends[1];
	if (spawn_shell(command, from, -1, false, &t->pid, err) < 0)
		return -1;
	t->file = fdopen(move_fd(&to), "w");
	t->name = command;
	return 0;
}

int target_open(struct shell *sh, const struct line *line, struct target *t, struct err *err)
{
	*t = (struct target){ 0 };
	shell_flush(sh);
	if (line->pipe && open_pipe(line->pipe, t, err) < 0)
		return -1;
	if (line->file) {
		t->name = line->file;
		int fd = open(line->file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (line->append ? O_APPEND : O_TRUNC), 0666);
		if (fd < 0)
			return err_set(err, errno, "can't write to %s", line->file);
		t->file = fdopen(fd, "w");
	}
	sh->out = t->file;
	sh->out_elsewhere = true;
	return 0;
}

int target_close(struct shell *sh, struct target *t, FILE *before, int *status, struct err *err)
{
	struct pollfd reader = { .fd = fileno(t->file), .events = POLLOUT };

	*status = 0;
	/* A reader that has gone has had enough; only then is it no error that not all was written. */
	fflush(t->file);
	bool gone = t->pid && poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR);
	/* A stream that failed earlier has lost its errno; ENOSPC is by far the likeliest cause then. */
	bool failed = ferror(t->file);
	errno = failed ? ENOSPC : 0;
	failed = (fclose(t->file) != 0) | failed;
	int cause = errno;
	sh->out = before;
	sh->out_elsewhere = before != stdout;
	if (t->pid)
		*status = wait_for(t->pid, false);
	return failed && !gone ? err_set(err, cause, "can't write to %s", t->name) : 0;
}
