/*
 * slirp.c - an ordinary user's way out of the lab
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/slirp.h"
#include "kern/step.h"
#include "kern/sys.h"

/* The descriptors it finds. Those that belljar has for it lie above them, so that none is overwritten before it is passed on. */
enum { NETNS_FD = 3, EXIT_FD, READY_FD, ABOVE = 16 };

extern char **environ;

static int spawn(const struct step *s, const int fds[3], pid_t *pid)
{
	char name[] = "slirp4netns", configure[] = "--configure", lonely[] = "--disable-host-loopback", type[] = "--netns-type=path";
	char exit_fd[] = "--exit-fd=4", ready_fd[] = "--ready-fd=5", netns[] = "/proc/self/fd/3";
	_cleanup_free_ char *tap = xstrdup(s->to);
	char *argv[] = { name, configure, lonely, type, exit_fd, ready_fd, netns, tap, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;

	posix_spawn_file_actions_init(&files);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_addopen(&files, i, "/dev/null", O_RDWR, 0);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&files, fds[i], NETNS_FD + i);
	/* No terminal's signal reaches it. */
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	int number = posix_spawnp(pid, name, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return number;
}

static int above(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
}

static int missing(struct err *err)
{
	err_set(err, ENOENT, "nat: an ordinary user can't change the host's network, and slirp4netns is not installed");
	err_why(err, "a way out without privileges goes through a program that speaks for those inside");
	return err_try(err, "install slirp4netns, or the same as root");
}

/* Wait until it says that the tap is there. */
static int wait_ready(int ready, pid_t pid, struct err *err)
{
	char byte;
	ssize_t n;

	while ((n = read(ready, &byte, 1)) < 0 && errno == EINTR)
		;
	if (n == 1)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	err_set(err, EIO, "nat: slirp4netns has ended at once");
	return access("/dev/net/tun", R_OK | W_OK) < 0 ? err_why(err, "/dev/net/tun can't be opened: %s", strerror(errno)) : -1;
}

int slirp_start(struct step *s, int fd, struct err *err)
{
	int stop[2], ready[2];
	pid_t pid;

	(void)fd;
	if (pipe2(stop, O_CLOEXEC) < 0)
		return err_set(err, errno, "no pipe");
	_cleanup_close_ int stop_read = stop[0], stop_write = stop[1];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_set(err, errno, "no pipe");
	_cleanup_close_ int ready_read = ready[0], ready_write = ready[1];
	_cleanup_close_ int netns = above(s->place->ns[NS_NET]), its_stop = above(stop_read), its_ready = above(ready_write);
	if (netns < 0 || its_stop < 0 || its_ready < 0)
		return err_set(err, errno, "no descriptors for slirp4netns");
	int number = spawn(s, (int[]){ netns, its_stop, its_ready }, &pid);
	if (number)
		return number == ENOENT ? missing(err) : err_set(err, number, "slirp4netns can't be started");
	close_fd(&ready_write);
	close_fd(&its_ready);
	if (wait_ready(ready_read, pid, err) < 0)
		return -1;
	s->fd[0] = (int)syscall(SYS_pidfd_open, pid, 0);
	s->fd[1] = move_fd(&stop_write);
	return 0;
}

int slirp_end(struct step *s, int fd, struct err *err)
{
	siginfo_t info;

	(void)fd;
	if (syscall(SYS_pidfd_send_signal, s->fd[0], SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_set(err, errno, "slirp4netns can't be ended");
	while (waitid(P_PIDFD, (id_t)s->fd[0], &info, WEXITED) < 0 && errno == EINTR)
		;
	return 0;
}
