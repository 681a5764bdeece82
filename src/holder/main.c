/*
 * main.c - a holder's life
 *
 * It waits for messages and for the end of children. When its last belljar is gone (the end of the socket) it ends, and with it all that
 * lives in its sandbox: as PID 1 by the kernel's rule, otherwise by killing its descendants one generation after the other, which works
 * because orphans come back to it (it is their subreaper).
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "holder/holder.h"

enum { ATTEMPTS = 100 };

#ifdef __SANITIZE_ADDRESS__
/* A signal with a handler reaches PID 1 from inside too. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0";
}
#endif

/* Send; where that is not to be done, end the connection: who waits for the message must not wait for ever. A full queue (with MSG_DONTWAIT)
 * means that nobody waits; if belljar is gone, the end of the socket says so next. */
static void deliver(int conn, const struct msghdr *msg, int flags)
{
	struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; i < ATTEMPTS; i++) {
		if (sendmsg(conn, msg, MSG_NOSIGNAL | flags) >= 0 || errno == EAGAIN || errno == EPIPE)
			return;
		if (errno == ENOBUFS || errno == ENOMEM)
			nanosleep(&moment, NULL);
		else if (errno != EINTR)
			break;
	}
	shutdown(conn, SHUT_RDWR);
}

void answer(int conn, const void *data, size_t n, const int *fds, size_t n_fds)
{
	union {
		char room[CMSG_SPACE(sizeof(int) * WIRE_FDS)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = (void *)data, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds) {
		memset(&control, 0, sizeof control);
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	deliver(conn, &msg, 0);
}

static void message_free(struct message *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		close(m->fds[i]);
}

/* Nothing is trusted to fit. Returns false at the end of the connection. */
static bool receive(int conn, struct message *m)
{
	/* One message at a time, and only the pages that were ever used are there. */
	static _large_ _Alignas(16) char room[WIRE_LARGEST + (2 * STRINGS + 3) * sizeof(char *)];
	union {
		char room[CMSG_SPACE(sizeof(int) * WIRE_FDS)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = room, .iov_len = WIRE_LARGEST };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	ssize_t size = recvmsg(conn, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (size <= 0)
		return false;
	room[size] = '\0';
	m->data = room;
	m->n = (size_t)size;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(m->fds + m->n_fds, CMSG_DATA(c), n * sizeof(int));
		m->n_fds += n;
	}
	m->cut = msg.msg_flags & MSG_CTRUNC;
	return !(msg.msg_flags & MSG_TRUNC);
}

/* The answer takes the place of the message M, which is said. */
static void list_jobs(struct holder *h, int conn, struct message *m)
{
	struct wire_jobs *out = (struct wire_jobs *)(void *)m->data;

	out->type = WIRE_JOBS;
	out->n = 0;
	for (struct holder_job *j = h->jobs; j && out->n < WIRE_JOBS_LARGEST; j = j->next)
		out->jobs[out->n++] = j->info;
	answer(conn, out, sizeof *out + out->n * sizeof(struct wire_job), NULL, 0);
}

/* A socket to listen on: from now on the holder outlives its belljar, as long as anyone (the session's keeper) is connected. */
static void keep(struct holder *h, int conn, struct message *m)
{
	struct wire_reply r = { .type = WIRE_REPLY, .done = 1 };

	if (m->n_fds == 1) {
		if (h->listening >= 0)
			close(h->listening);
		h->listening = m->fds[0];
		m->n_fds = 0;
		h->kept = true;
		self_arm(h);
		self_sign(h);
	} else {
		r.done = 0;
		r.number = EBADMSG;
	}
	answer(conn, &r, sizeof r, NULL, 0);
}

/* The parent of PID as /proc says; -1 when it has ended. */
static pid_t parent_of(int proc, const char *pid)
{
	char path[32], text[512], *end;
	int parent = -1;

	snprintf(path, sizeof path, "%.16s/stat", pid);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* The name in parentheses may hold anything, parentheses too. */
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
		return -1;
	return parent;
}

/* Kill every child there is. */
static void kill_children(struct holder *h)
{
	int copy = fcntl(h->proc, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;

	if (!dir)
		return;
	rewinddir(dir);
	for (struct dirent *e; (e = readdir(dir));)
		if (isdigit((unsigned char)e->d_name[0]) && parent_of(h->proc, e->d_name) == getpid())
			kill((pid_t)atol(e->d_name), SIGKILL);
	closedir(dir);
}

static void end(struct holder *h)
{
	siginfo_t info;

	if (!h->init && h->proc >= 0 && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
		/* Each generation that ends hands its children to us. */
		do
			kill_children(h);
		while (waitpid(-1, NULL, 0) > 0);
	}
	_exit(0);
}

static void refuse_cut(int conn, uint32_t type)
{
	struct wire_started no_program = { .type = WIRE_STARTED, .stage = STAGE_CLONE, .number = EMFILE, .call = "recvmsg" };
	struct wire_reply no_act = { .type = WIRE_REPLY, .number = EMFILE, .call = "recvmsg" };

	if (type == WIRE_SPAWN)
		answer(conn, &no_program, sizeof no_program, NULL, 0);
	else
		answer(conn, &no_act, sizeof no_act, NULL, 0);
}

static uid_t peer_uid(int conn)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	return getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 ? peer.uid : (uid_t)-1;
}

static void handle(struct holder *h, int *conn)
{
	struct message m = { 0 };
	uint32_t type = 0;

	if (!receive(*conn, &m)) {
		message_free(&m);
		close(*conn);
		*conn = -1;
		return;
	}
	if (m.n >= sizeof type)
		memcpy(&type, m.data, sizeof type);
	if (m.cut)
		refuse_cut(*conn, type);
	else if (type == WIRE_BATCH && m.n == sizeof(struct wire_batch))
		self_batch(h, *conn, &m);
	else if (type == WIRE_SPAWN && m.n >= sizeof(struct wire_spawn))
		spawn_program(h, *conn, &m);
	else if (type == WIRE_JOBS)
		list_jobs(h, *conn, &m);
	else if (type == WIRE_KEEP)
		keep(h, *conn, &m);
	else if (type == WIRE_CALLS && m.n == sizeof(struct wire_ask))
		watch_tell(h, *conn, &m);
	else if (type == WIRE_END)
		end(h);
	/* A user namespace gives it another number. */
	if (type == WIRE_BATCH || type == WIRE_KEEP)
		h->owner = peer_uid(*conn);
	message_free(&m);
}

static void come_in(struct holder *h)
{
	int conn = accept4(h->listening, NULL, NULL, SOCK_CLOEXEC);

	if (conn < 0)
		return;
	/* The socket lies in a directory only its owner may enter; this is the second lock on the door. */
	if (peer_uid(conn) == h->owner)
		for (int i = 0; i < CONNECTIONS; i++)
			if (h->conns[i] < 0) {
				h->conns[i] = conn;
				return;
			}
	close(conn);
}

static void reap(struct holder *h)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	/* There is at most one: SIGCHLD does not queue. */
	read(h->signals, &info, sizeof info);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0 || (pid < 0 && errno != ECHILD)) {
		for (struct holder_job **at = &h->jobs; *at; at = &(*at)->next) {
			struct holder_job *j = *at;
			if (j->info.pid != pid || j->info.ended)
				continue;
			struct wire_ended e = { WIRE_ENDED, j->info.job, status };
			j->info.ended = 1;
			j->info.status = status;
			struct iovec iov = { .iov_base = &e, .iov_len = sizeof e };
			struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
			for (int i = 0; i < CONNECTIONS; i++)
				if (h->conns[i] >= 0)
					deliver(h->conns[i], &msg, MSG_DONTWAIT);
			/* Nobody asks again after a program that ran in the foreground. */
			if (!j->info.detached) {
				*at = j->next;
				j->next = h->unused;
				h->unused = j;
			}
			break;
		}
	}
}

/* What to wait for: the signals, the listening socket, and the connections there are (OF says which). poll takes no more entries than the
 * process may have descriptors, so there are none for nothing. Returns how many connections. */
static nfds_t watched(const struct holder *h, struct pollfd fds[CONNECTIONS + 2], int of[CONNECTIONS])
{
	nfds_t n = 0;

	fds[0] = (struct pollfd){ .fd = h->signals, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = h->listening, .events = POLLIN };
	for (int i = 0; i < CONNECTIONS; i++)
		if (h->conns[i] >= 0) {
			of[n] = i;
			fds[2 + n++] = (struct pollfd){ .fd = h->conns[i], .events = POLLIN };
		}
	return n;
}

/* And the filters that may ask. Returns how many. */
static nfds_t listeners(const struct holder *h, struct pollfd *fds, struct watch *watches[WATCHES])
{
	nfds_t n = 0;

	for (struct watch *w = h->watches; w && n < WATCHES; w = w->next)
		if (w->fd >= 0) {
			fds[n] = (struct pollfd){ .fd = w->fd, .events = POLLIN };
			watches[n++] = w;
		}
	return n;
}

static void loop(struct holder *h)
{
	struct pollfd fds[CONNECTIONS + 2 + WATCHES];
	struct watch *watches[WATCHES];
	int of[CONNECTIONS];
	nfds_t n;

	while ((n = watched(h, fds, of))) {
		nfds_t asking = listeners(h, fds + 2 + n, watches);
		if (poll(fds, n + 2 + asking, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		for (nfds_t i = 0; i < asking; i++)
			if (fds[2 + n + i].revents)
				watch_serve(watches[i], fds[2 + n + i].revents);
		/* Ends first: who asks for the jobs next gets the truth. */
		if (fds[0].revents)
			reap(h);
		for (nfds_t i = 0; i < n; i++)
			if (fds[2 + i].revents)
				handle(h, &h->conns[of[i]]);
		if (fds[1].revents)
			come_in(h);
	}
	end(h);
}

/* A session keyring of its own: with the operator's, a program inside could read the operator's keys, and sandboxes each other's. Where the
 * kernel has no keys, or who runs belljar may not use them, nobody inside can either. */
static bool leave_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS || errno == EPERM;
}

int main(int argc, char **argv)
{
	struct holder_job first;
	struct holder h = { .listening = -1, .owner = peer_uid(WIRE_SOCKET), .unused = &first };
	sigset_t mask;

	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_main(argc, argv);
	if (argc > 1 && strcmp(argv[1], "restore") == 0)
		return restore_main();
	for (int i = 1; i < CONNECTIONS; i++)
		h.conns[i] = -1;
	h.conns[0] = WIRE_SOCKET;
	first.next = NULL;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	h.null = fcntl(0, F_DUPFD_CLOEXEC, WIRE_SOCKET + 1);
	h.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	h.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!leave_keyring())
		return EXIT_NO_KEYRING;
	/* If any of these fails, the end of the socket tells belljar that there is no holder. */
	if (h.signals < 0 || h.null < 0 || h.proc < 0 || sigprocmask(SIG_SETMASK, &mask, NULL) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    privilege_shed() < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || prctl(PR_SET_NAME, "belljar-holder", 0, 0, 0) < 0)
		return 1;
	self_arm(&h);
	loop(&h);
}
