/*
 * keeper.c - the keeper of a session: it clears up when belljar can't, and keeps what a named session needs
 *
 * A small process beside belljar, in a session of its own so that no terminal reaches it. It waits for the end of belljar, or of the socket
 * that belljar has the other end of. belljar that leaves in order has cleared everything up itself, and its directory is gone; otherwise
 * (killed, crashed) the keeper takes down what the ledger names. Should the keeper be killed too, the next belljar does it.
 *
 * A named session has a second process like it, the guard, that waits for the end of the keeper and then does the keeper's work; should it be
 * killed first, the keeper makes another.
 *
 * A named session outlives its belljar, and lasts as long as its keeper: the keeper holds a connection to each holder, which ends
 * with its last connection, the lab's net namespace, and upper layers that are attached nowhere. It then listens on a socket in the
 * session's directory. Requests are words, each answered by "ok" or "no":
 *     name PATH      the directory is going to be renamed to PATH
 *     keep PATH      (descriptor: a listening socket)  the session is named now, its directory is PATH
 *     put NAME       (descriptor) keep it under that name, in place of another one
 *     get NAME       the answer has it, or is "no"
 *     drop NAME      let go of it
 *     home           bring home the links that are lent (kern/lent.h): what is kept as lent.NAME is the file of one, netns.NAME where it is
 *     hold           (descriptor: a connection to a holder)  keep it open
 *     end            it has been cleared; go
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "holder/holder.h"
#include "kern/ledger.h"
#include "kern/lent.h"
#include "kern/sys.h"

enum { REQUEST_ROOM = 4200, PATIENCE_MS = 20000, FEW = 8 };

/* A descriptor that is kept under a name. */
struct thing {
	struct thing *next;
	int fd;
	char name[];
};

enum kind { OWNER_SOCKET, OWNER_PROCESS, LISTENING, CONNECTION, HELD, GUARD };

struct keeper {
	const char *path;              /* of the directory, as it was at the start */
	char *renamed;                 /* as it is, or is going to be; NULL = as at the start */
	int dir;                       /* the directory, once it may be renamed; -1 before */
	struct thing *things;
	pid_t guard;                   /* 0 = none */
	bool kept, done;
	struct pollfd *fds, few[FEW];  /* fds: at first those few */
	enum kind *kinds, few_kinds[FEW];
	nfds_t n, room;
};

static void settle(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "belljar-keeper", 0, 0, 0);
	setsid();
	syscall(SYS_close_range, WIRE_SOCKET + 1, ~0u, 0);
}

/* poll was interrupted, or the kernel is short of memory: neither is a reason to clear anything up. */
static void pause_a_moment(void)
{
	struct timespec moment = { .tv_nsec = 1000000 };

	nanosleep(&moment, NULL);
}

/* Room for twice as many. */
static bool grow(struct keeper *k)
{
	struct pollfd *fds = malloc(2 * k->room * sizeof *fds);
	enum kind *kinds = malloc(2 * k->room * sizeof *kinds);

	if (!fds || !kinds) {
		free(fds);
		free(kinds);
		return false;
	}
	memcpy(fds, k->fds, k->n * sizeof *fds);
	memcpy(kinds, k->kinds, k->n * sizeof *kinds);
	if (k->fds != k->few) {
		free(k->fds);
		free(k->kinds);
	}
	k->fds = fds;
	k->kinds = kinds;
	k->room *= 2;
	return true;
}

static bool watch(struct keeper *k, int fd, enum kind kind)
{
	if (fd < 0 || (k->n == k->room && !grow(k)))
		return false;
	k->fds[k->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	k->kinds[k->n++] = kind;
	return true;
}

static void unwatch(struct keeper *k, nfds_t i)
{
	close(k->fds[i].fd);
	k->n--;
	k->fds[i] = k->fds[k->n];
	k->kinds[i] = k->kinds[k->n];
}

/* One request and its descriptor (-1 = none). Returns its length; 0 at the end, -1 when there is nothing yet. */
static ssize_t receive(int conn, char text[REQUEST_ROOM], int *fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = REQUEST_ROOM - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	ssize_t n = recvmsg(conn, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*fd = -1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;
	text[n] = '\0';
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return n;
}

/* The directory is held from now on, so that it is known again under the name it gets. */
static bool rename_to(struct keeper *k, const char *path)
{
	char *copy = strdup(path);

	if (k->dir < 0)
		k->dir = open(k->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (k->dir < 0 || !copy) {
		free(copy);
		return false;
	}
	free(k->renamed);
	k->renamed = copy;
	return true;
}

/* Take down what is left under the names the directory may have. A belljar that starts just now may be at it already; then it is done when
 * the lock is free. */
static void clear_up(const struct keeper *k)
{
	if (k->renamed)
		ledger_take_down(-1, k->renamed, k->dir, PATIENCE_MS, NULL);
	ledger_take_down(-1, k->path, k->dir, PATIENCE_MS, NULL);
}

static struct thing **find_thing(struct keeper *k, const char *name)
{
	struct thing **at = &k->things;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static void drop(struct keeper *k, const char *name)
{
	struct thing **at = find_thing(k, name), *gone = *at;

	if (!gone)
		return;
	*at = gone->next;
	close(gone->fd);
	free(gone);
}

static bool is_of_lent(const char *name)
{
	return strncmp(name, LENT_FILE, strlen(LENT_FILE)) == 0 || strncmp(name, LENT_NETNS, strlen(LENT_NETNS)) == 0;
}

/* What can't be brought home now stays noted in the ledger. */
static void bring_one_home(struct keeper *k, const char *file_name)
{
	char where[sizeof LENT_NETNS + IFNAMSIZ];
	int dir = k->dir >= 0 ? k->dir : open(k->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	snprintf(where, sizeof where, LENT_NETNS "%s", file_name + strlen(LENT_FILE));
	struct thing *file = *find_thing(k, file_name), *netns = *find_thing(k, where);
	int number = netns ? lent_bring_home_from(file->fd, netns->fd) : lent_bring_home(file->fd, -1);
	if (number == 0 || number == ENODEV)
		unlinkat(dir, file_name, 0);
	if (dir != k->dir)
		close(dir);
	drop(k, where);
	drop(k, file_name);
}

static void bring_home(struct keeper *k)
{
	for (struct thing *t = k->things; t;) {
		bool lent = strncmp(t->name, LENT_FILE, strlen(LENT_FILE)) == 0;
		if (lent)
			bring_one_home(k, t->name);
		t = lent ? k->things : t->next;
	}
}

/* The guard's life. It holds nothing of the session but its directory and the links that are lent: connections and the lab go with the keeper. */
static __attribute__((noreturn)) void guard(struct keeper *k, int keeper)
{
	struct pollfd p = { .fd = keeper, .events = POLLIN };

	prctl(PR_SET_NAME, "belljar-guard", 0, 0, 0);
	for (nfds_t i = 0; i < k->n; i++)
		close(k->fds[i].fd);
	for (struct thing *t = k->things; t; t = t->next)
		if (!is_of_lent(t->name))
			close(t->fd);
	while (poll(&p, 1, -1) <= 0)
		pause_a_moment();
	bring_home(k);
	clear_up(k);
	_exit(EXIT_DONE);
}

static void end_guard(struct keeper *k)
{
	if (k->guard <= 0)
		return;
	kill(k->guard, SIGKILL);
	while (waitpid(k->guard, NULL, 0) < 0 && errno == EINTR)
		;
	k->guard = 0;
	for (nfds_t i = k->n; i-- > 0;)
		if (k->kinds[i] == GUARD)
			unwatch(k, i);
}

/* Without a guard the next belljar clears up what a killed keeper leaves. */
static void start_guard(struct keeper *k)
{
	int keeper = (int)syscall(SYS_pidfd_open, getpid(), 0), pidfd = -1;

	k->guard = keeper < 0 ? -1 : fork();
	if (k->guard == 0)
		guard(k, keeper);
	close(keeper);
	if (k->guard < 0)
		k->guard = 0;
	else
		pidfd = (int)syscall(SYS_pidfd_open, k->guard, 0);
	if (pidfd >= 0 && !watch(k, pidfd, GUARD))
		close(pidfd);
}

static bool put(struct keeper *k, const char *name, int fd)
{
	struct thing *new = fd < 0 ? NULL : malloc(sizeof *new + strlen(name) + 1);

	if (!new)
		return false;
	drop(k, name);
	new->next = k->things;
	new->fd = fd;
	memcpy(new->name, name, strlen(name) + 1);
	k->things = new;
	return true;
}

/* Perform a request; what is not kept of *fd is closed by the caller. Returns whether it was done; *give: a descriptor for the answer. */
static bool perform(struct keeper *k, const char *text, int *fd, int *give)
{
	if (strncmp(text, "name ", 5) == 0)
		return rename_to(k, text + 5);
	if (strncmp(text, "keep ", 5) == 0) {
		if (!rename_to(k, text + 5) || !watch(k, *fd, LISTENING))
			return false;
		k->kept = true;
		/* One that is there already knows another name. */
		if (k->guard > 0)
			kill(k->guard, SIGKILL);
		else
			start_guard(k);
	} else if (strcmp(text, "hold") == 0) {
		if (!watch(k, *fd, HELD))
			return false;
	} else if (strncmp(text, "put ", 4) == 0) {
		if (!put(k, text + 4, *fd))
			return false;
		/* The guard has what the keeper had when it was made. */
		if (k->guard > 0 && strncmp(text + 4, LENT_FILE, strlen(LENT_FILE)) == 0) {
			end_guard(k);
			start_guard(k);
		}
	} else if (strncmp(text, "get ", 4) == 0) {
		struct thing *found = *find_thing(k, text + 4);
		*give = found ? found->fd : -1;
		return found;
	} else if (strncmp(text, "drop ", 5) == 0) {
		drop(k, text + 5);
		return true;
	} else if (strcmp(text, "home") == 0) {
		bring_home(k);
		return true;
	} else if (strcmp(text, "end") == 0) {
		k->done = true;
		return true;
	} else {
		return false;
	}
	*fd = -1;
	return true;
}

/* False at the end of the connection. */
static bool serve(struct keeper *k, int conn)
{
	char text[REQUEST_ROOM];
	int fd, give = -1;
	ssize_t n = receive(conn, text, &fd);

	if (n <= 0)
		return n < 0;
	bool ok = perform(k, text, &fd, &give);
	if (fd >= 0)
		close(fd);
	answer(conn, ok ? "ok" : "no", 2, &give, give >= 0 ? 1 : 0);
	return true;
}

/* A later belljar of the same user comes in. */
static void welcome(struct keeper *k, int listening)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	int conn = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

	if (conn < 0)
		return;
	bool ours = getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
	if (!ours || !watch(k, conn, CONNECTION))
		close(conn);
}

/* What a holder says to its belljars is not for us. */
static bool drain(int fd)
{
	char text[REQUEST_ROOM];
	int passed;
	ssize_t n = receive(fd, text, &passed);

	if (passed >= 0)
		close(passed);
	return n != 0;
}

/* One descriptor that has something. Returns false when it is to be watched no longer. */
static bool attend(struct keeper *k, nfds_t i)
{
	int fd = k->fds[i].fd;

	switch (k->kinds[i]) {
	case OWNER_PROCESS:
	case GUARD:
		return false;
	case LISTENING:
		welcome(k, fd);
		return true;
	case HELD:
		return drain(fd);
	default:
		return serve(k, fd);
	}
}

/* A named session whose directory was removed, by a belljar that was killed before it could say "end". */
static bool is_orphan(const struct keeper *k)
{
	struct stat st;

	return k->kept && fstat(k->dir, &st) == 0 && st.st_nlink == 0;
}

/* Until there is no reason to be here. A child that belljar forked may hold its end of the socket, so belljar itself is watched too. */
static void keep(struct keeper *k)
{
	struct ucred owner;
	socklen_t len = sizeof owner;

	if (!watch(k, WIRE_SOCKET, OWNER_SOCKET))
		return;
	if (getsockopt(WIRE_SOCKET, SOL_SOCKET, SO_PEERCRED, &owner, &len) == 0 && owner.pid > 0) {
		int pidfd = (int)syscall(SYS_pidfd_open, owner.pid, 0);
		if (pidfd < 0 && errno == ESRCH)
			return;
		watch(k, pidfd, OWNER_PROCESS);
	}
	while (!k->done) {
		if (poll(k->fds, k->n, -1) < 0) {
			pause_a_moment();
			continue;
		}
		for (nfds_t i = k->n; i-- > 0 && !k->done;) {
			bool owner_gone = k->kinds[i] <= OWNER_PROCESS, guard_gone = k->kinds[i] == GUARD;
			if (!k->fds[i].revents || attend(k, i))
				continue;
			unwatch(k, i);
			if (guard_gone) {
				end_guard(k);
				start_guard(k);
			}
			if (owner_gone && !k->kept)
				return;
			k->done = k->done || is_orphan(k);
		}
	}
}

int keeper_main(int argc, char **argv)
{
	struct keeper k = { .dir = -1, .room = FEW };

	if (argc < 3)
		return EXIT_USAGE;
	k.path = argv[2];
	k.fds = k.few;
	k.kinds = k.few_kinds;
	settle();
	keep(&k);
	end_guard(&k);
	bring_home(&k);
	if (!k.done)
		clear_up(&k);
	return EXIT_DONE;
}
