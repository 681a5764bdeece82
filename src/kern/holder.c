/*
 * holder.c - belljar's side of a holder
 *
 * The holder's program is part of belljar's own file (holder_image.S). The first start writes it into a memory file, which is sealed: what
 * runs inside sees "memfd:" as the file of its PID 1, never a path of the host, and can't change it. All holders share its pages.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/filter.h"
#include "kern/holder.h"
#include "kern/sys.h"

extern const char holder_image[], holder_image_end[];

enum { STACK = 64 * 1024, PATIENCE_MS = 3000, SILENCES = 30 };

/* The sealed memory file, made once; -1 with err. */
static int image(struct err *err)
{
	static int sealed = -1;
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	if (sealed >= 0)
		return sealed;
	_cleanup_close_ int fd = memfd_create("belljar-holder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_set(err, errno, "holder: no memory file for its program");
	if (io_write(fd, holder_image, (size_t)(holder_image_end - holder_image)) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return err_set(err, errno, "holder: can't fill the memory file of its program");
	/* Not where the child's socket goes (start below). */
	sealed = fcntl(fd, F_DUPFD_CLOEXEC, WIRE_SOCKET + 1);
	return sealed < 0 ? err_set(err, errno, "holder: no descriptor for its program") : sealed;
}

/* Descriptors the child needs, all of them low: belljar has several for each sandbox, and the child gets no copy of those. */
struct start {
	int image, null, sock, in;
	int highest;
	char *const *argv;
	int number;            /* errno of what failed */
};

static int become(void *arg)
{
	struct start *s = arg;
	char *const none[] = { NULL };
	/* Until then the table is belljar's own. */
	bool ok = syscall(SYS_close_range, (unsigned)s->highest + 1, ~0U, SYS_CLOSE_UNSHARE) == 0;

	ok = ok && dup2(s->in, 0) >= 0 && dup2(s->null, 1) >= 0 && dup2(s->null, 2) >= 0 && dup2(s->sock, WIRE_SOCKET) >= 0;
	/* In /: pivot_root(2) moves only who stands on the old root. */
	if (ok && setsid() >= 0 && chdir("/") == 0)
		syscall(SYS_execveat, s->image, "", s->argv, none, AT_EMPTY_PATH);
	s->number = errno;
	return 0;   /* not _exit: see joined.c */
}

/* What a child needs but for its socket, made once: before there is a sandbox, so with low numbers. */
static int prepare(struct start *s, struct err *err)
{
	static int null = -1, slot = -1;

	if (null < 0) {
		_cleanup_close_ int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		/* Not where the child's socket goes. */
		null = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, WIRE_SOCKET + 1);
	}
	if (slot < 0 && null >= 0)
		slot = fcntl(null, F_DUPFD_CLOEXEC, WIRE_SOCKET + 1);
	if (slot < 0)
		return err_set(err, errno, "holder: can't open /dev/null");
	s->null = null;
	s->sock = slot;
	s->image = image(err);
	s->highest = s->image > slot ? s->image : slot;
	s->highest = null > s->highest ? null : s->highest;
	return s->image < 0 ? -1 : 0;
}

/* A child of ours that becomes the holder's program in some role, with IN (-1: nothing) as its standard input; its pid, or -1. */
static pid_t start(int sock, int in, char *const *argv, int flags, int *pidfd, struct err *err)
{
	static char *stack;
	sigset_t all, old;
	struct start s = { .argv = argv };

	if (prepare(&s, err) < 0)
		return -1;
	s.in = in >= 0 ? in : s.null;
	s.highest = s.in > s.highest ? s.in : s.highest;
	if (!stack)
		stack = xmalloc(STACK);
	if (dup3(sock, s.sock, O_CLOEXEC) < 0)
		return err_set(err, errno, "holder: can't place its socket");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid_t pid = clone(become, stack + STACK, flags | CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | SIGCHLD, &s, pidfd);
	int number = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	/* The child alone has it now: when that ends, the socket does. */
	dup3(s.null, s.sock, O_CLOEXEC);
	if (pid < 0)
		return err_set(err, number, "holder: can't start a process");
	if (s.number) {
		waitpid(pid, NULL, 0);
		close_fd(pidfd);
		return err_set(err, s.number, "holder: can't start its program");
	}
	return pid;
}

/* Wait for the end of a process that was told to end, and see to it that it does. */
static void reap(pid_t pid, int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int ready = 0;

	/* It may be hindered, even stopped, by what it holds. */
	if (pidfd >= 0)
		while ((ready = poll(&p, 1, PATIENCE_MS)) < 0 && errno == EINTR)
			;
	if (pidfd >= 0 && ready == 0)
		holder_signal(pidfd, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	/* Not our child (a named session's): its descriptor says when it has ended. */
	while (pidfd >= 0 && ready == 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
		;
}

int holder_start(struct place *p, struct err *err)
{
	char *argv[] = { (char *)"belljar-holder", NULL };
	int sv[2], on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_set(err, errno, "%s: no socket for its holder", p->name);
	_cleanup_close_ int ours = sv[0], theirs = sv[1];
	if (setsockopt(ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return err_set(err, errno, "%s: no socket for its holder", p->name);
	int pidfd = -1;
	pid_t pid = start(theirs, -1, argv, 0, &pidfd, err);
	if (pid < 0)
		return err_wrap(err, "%s: ", p->name);
	p->pid = pid;
	p->pidfd = pidfd;
	p->sock = move_fd(&ours);
	return 0;
}

int holder_hold(pid_t pid)
{
	/* CLOEXEC, as every pidfd is. */
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int holder_start_keeper(int sock, const char *directory, pid_t *pid, struct err *err)
{
	char *argv[] = { (char *)"belljar-keeper", (char *)"keeper", (char *)directory, NULL };
	int pidfd = -1;

	/* A tracer that ends may take all that it traces along (PTRACE_O_EXITKILL); the keeper must be left. */
	*pid = start(sock, -1, argv, CLONE_UNTRACED, &pidfd, err);
	close_fd(&pidfd);
	return *pid < 0 ? -1 : 0;
}

int holder_start_restorer(int tty, pid_t *pid)
{
	char *argv[] = { (char *)"belljar-restore", (char *)"restore", NULL };
	int sv[2], pidfd = -1;
	char byte;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -1;
	_cleanup_close_ int ours = sv[0], theirs = sv[1];
	*pid = start(theirs, tty, argv, CLONE_UNTRACED, &pidfd, NULL);
	close_fd(&pidfd);
	close_fd(&theirs);
	if (*pid < 0)
		return -1;
	/* When it knows the modes it says so. */
	if (io_read(ours, &byte, 1) == 1)
		return move_fd(&ours);
	waitpid(*pid, NULL, 0);
	return -1;
}

void holder_end_restorer(int sock, pid_t pid)
{
	if (sock < 0)
		return;
	send(sock, "", 1, MSG_NOSIGNAL);
	close(sock);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* One message into DATA; descriptors into FDS (*n_fds of them, room for WIRE_FDS). Its length, 0 when the holder is gone, -1 when there
 * is none now. *sender is the pid the kernel names. */
static ssize_t receive(const struct place *p, void *data, size_t room, int *fds, size_t *n_fds, pid_t *sender, int flags)
{
	union {
		char room[CMSG_SPACE(sizeof(int) * WIRE_FDS) + CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = room };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	ssize_t n;

	*n_fds = 0;
	do
		n = recvmsg(p->sock, &msg, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -1 : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && sender) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(c), sizeof who);
			*sender = who.pid;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			size_t more = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds + *n_fds, CMSG_DATA(c), more * sizeof(int));
			*n_fds += more;
		}
	}
	return n;
}

static int send_to(const struct place *p, const void *data, size_t n, const int *fds, size_t n_fds, struct err *err)
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
	while (sendmsg(p->sock, &msg, MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EPIPE || errno == ECONNRESET)
			break;         /* the answer will say that it is gone */
		return err_set(err, errno, "%s: can't reach its holder", p->name);
	}
	return 0;
}

static int gone(const struct place *p, struct err *err)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_code == CLD_EXITED &&
	    info.si_status == EXIT_NO_KEYRING) {
		err_set(err, EDQUOT, "%s: the kernel gives its holder no keyring", p->name);
		err_why(err, "with yours its programs could use your keys, and each user may have only so many (kernel.keys.maxkeys)");
		return err_try(err, "!sudo sysctl kernel.keys.maxkeys=20000 kernel.keys.maxbytes=2000000, or fewer sandboxes");
	}
	err_set(err, 0, "%s: its holder (process %d) has ended", p->name, (int)p->pid);
	err_why(err, "something outside killed the first process of the sandbox, and with it went all that was in it");
	return err_try(err, "rm %s", p->name);
}

/* The answer of type TYPE; what has ended in between is no answer, and kept for holder_job_ended. Its length, or -1 with err. */
static ssize_t await(struct place *p, uint32_t type, void *data, size_t room, int *fds, size_t *n_fds, pid_t *sender, struct err *err)
{
	for (;;) {
		uint32_t got = 0;
		ssize_t n = receive(p, data, room, fds, n_fds, sender, 0);
		if (n <= 0)
			return gone(p, err);
		if ((size_t)n >= sizeof got)
			memcpy(&got, data, sizeof got);
		if (got == type)
			return n;
		if (got == WIRE_ENDED && n == sizeof(struct wire_ended))
			memcpy(GROW(&p->ended, &p->n_ended), data, sizeof *p->ended);
		for (size_t i = 0; i < *n_fds; i++)
			close(fds[i]);
	}
}

/* PID took over from the place's old holder, which has ended. */
static int succeed(struct place *p, pid_t pid, struct err *err)
{
	if (pid == p->pid)
		return 0;
	reap(p->pid, p->pidfd);
	close_fd(&p->pidfd);
	p->kept = p->kept == p->pid ? pid : 0;
	p->pid = pid;
	p->pidfd = holder_hold(pid);
	return p->pidfd < 0 ? err_set(err, errno, "%s: can't hold its new first process", p->name) : 0;
}

int holder_batch(struct place *p, const struct wire_act *acts, size_t n, const int *fds, size_t n_fds, size_t *done, struct err *err)
{
	struct wire_batch b = { .type = WIRE_BATCH, .n = (uint32_t)n };
	struct wire_reply r;
	int none[WIRE_FDS];
	size_t n_none;
	pid_t sender = p->pid;

	*done = 0;
	memcpy(b.acts, acts, n * sizeof *acts);
	if (send_to(p, &b, sizeof b, fds, n_fds, err) < 0 ||
	    await(p, WIRE_REPLY, &r, sizeof r, none, &n_none, &sender, err) < 0 || succeed(p, sender, err) < 0)
		return -1;
	*done = (size_t)r.done;
	r.call[sizeof r.call - 1] = '\0';
	return r.number ? err_set(err, r.number, "%s: %s", p->name, r.call) : 0;
}

bool holder_gone(const struct place *p)
{
	struct pollfd fd = { .fd = p->pidfd, .events = POLLIN };

	return p->pidfd >= 0 && poll(&fd, 1, 0) > 0;
}

void holder_end(struct place **places, size_t n)
{
	uint32_t end = WIRE_END;

	for (size_t i = 0; i < n; i++) {
		struct place *p = places[i];
		if (p->pidfd < 0)
			continue;
		/* One that shares a pid namespace with others has its descendants to end first. */
		if (p->init || p->sock < 0 || send(p->sock, &end, sizeof end, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			holder_signal(p->pidfd, SIGKILL);
		holder_signal(p->pidfd, SIGCONT);
	}
	for (size_t i = 0; i < n; i++) {
		if (places[i]->pidfd >= 0)
			reap(places[i]->pid, places[i]->pidfd);
		place_release(places[i]);
	}
}

/* The strings of the message; the caller frees. */
static char *pack(const struct holder_program *w, const struct filter *filter, struct wire_spawn *head, size_t *size)
{
	char *data = NULL;
	FILE *out = open_memstream(&data, size);

	if (!out)
		abort();
	fwrite(head, sizeof *head, 1, out);
	if (filter)
		fwrite(filter->code, sizeof *filter->code, filter->n, out);
	if (filter && filter->n_answers)
		fwrite(filter->answers, sizeof *filter->answers, filter->n_answers, out);
	size_t filtered = filter ? filter->n * sizeof *filter->code + filter->n_answers * sizeof *filter->answers : 0;
	fwrite(w->cwd, strlen(w->cwd) + 1, 1, out);
	for (char *const *a = w->argv; *a; a++, head->argc++)
		fwrite(*a, strlen(*a) + 1, 1, out);
	for (char *const *e = w->envp; *e; e++, head->envc++)
		fwrite(*e, strlen(*e) + 1, 1, out);
	fclose(out);
	head->size = (uint32_t)(*size - sizeof *head - filtered);
	memcpy(data, head, sizeof *head);
	return data;
}

static int explain_start(const struct place *p, const struct holder_program *w, const struct wire_started *s, struct err *err)
{
	static const char *const stages[] = { "", "can't make a terminal", "can't start a process", "can't set up the process",
					      "can't enter the directory", "can't execute" };
	const char *stage = s->stage < ARRAY_SIZE(stages) ? stages[s->stage] : "?";

	err_set(err, s->number, "%s: %s %s%s%s", p->name, stage, s->stage == STAGE_CHDIR ? w->cwd : w->argv[0], *s->call ? ": " : "", s->call);
	err->status = EXIT_OWN;
	if (s->stage == STAGE_SETUP && s->number == EPERM && (streq(s->call, "seccomp") || streq(s->call, "landlock_restrict_self"))) {
		err_why(err, "without no_new_privs this takes the capability sys_admin, and a program that is started here has it not");
		return err_try(err, "nonewprivs on");
	}
	if (s->stage == STAGE_SETUP && streq(s->call, CALL_LABEL))
		return err_why(err, "the security module does not let a program of this sandbox become %s, or knows no such label", p->privileges[PRIV_LABEL]);
	if (s->stage != STAGE_EXEC)
		return -1;
	err->status = s->number == ENOENT || s->number == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANT_EXEC;
	if (s->number == ENOENT && strchr(w->argv[0], '/'))
		err_why(err, "there is no such file inside, or its interpreter (the first line of a script, the loader of a dynamic program) is missing");
	else if (s->number == ENOENT)
		err_why(err, "no directory of PATH inside has it");
	else if (s->number == EACCES && p->privileges[PRIV_PATHS])
		err_why(err, "it, its loader or its libraries may not be among the paths that allow exec (allow-path)");
	else if (p->privileges[PRIV_SECCOMP] && s->number != EACCES && s->number != ENOEXEC)
		err_why(err, "the sandbox's filter of system calls may refuse execve (seccomp show)");
	return -1;
}

int holder_spawn(struct place *p, const struct holder_program *w, struct holder_started *started, struct err *err)
{
	struct wire_spawn head = { .type = WIRE_SPAWN, .rows = w->rows, .columns = w->columns, .groups = (uint32_t)w->n_groups };
	struct wire_started s = { 0 };
	int fds[WIRE_FDS];
	size_t n_fds = 0, size = 0, at = 0;

	/* Of what ended before, nobody waits for a word. */
	free(p->ended);
	p->ended = NULL;
	p->n_ended = 0;
	head.flags = w->detached ? SPAWN_DETACHED : 0;
	for (int i = 0; i < 3; i++) {
		if (w->std[i] >= 0) {
			fds[n_fds++] = w->std[i];
		} else {
			head.flags |= SPAWN_PTY;
			head.on_pty |= 1u << i;
		}
	}
	for (size_t i = 0; i < w->n_groups; i++) {
		head.group_dirs |= w->groups[i].kind == 'd' ? 1u << i : 0;
		fds[n_fds++] = w->groups[i].fd;
	}
	_cleanup_privileges_ struct privilege_pack more = PRIVILEGE_PACK;
	if (privilege_pack(p, w->learn, &head.privileges, &more, err) < 0) {
		err->status = EXIT_OWN;
		return -1;
	}
	if (more.rules >= 0)
		fds[n_fds++] = more.rules;
	if (more.proc >= 0)
		fds[n_fds++] = more.proc;
	_cleanup_free_ char *data = pack(w, more.filter, &head, &size);
	if (size > WIRE_LARGEST) {
		err_set(err, E2BIG, "%s: the arguments and environment of %s are over %d KiB", p->name, w->argv[0], WIRE_LARGEST / 1024);
		err->status = EXIT_OWN;
		return -1;
	}
	if (send_to(p, data, size, fds, n_fds, err) < 0 || await(p, WIRE_STARTED, &s, sizeof s, fds, &n_fds, NULL, err) < 0) {
		err->status = EXIT_OWN;
		return -1;
	}
	s.call[sizeof s.call - 1] = '\0';
	if (s.stage != STAGE_DONE)
		return explain_start(p, w, &s, err);
	*started = (struct holder_started){ .job = s.job, .inner = s.pid, .pidfd = -1, .master = -1 };
	if (n_fds > 1)
		started->master = fds[at++];
	if (at < n_fds)
		started->pidfd = fds[at];
	return 0;
}

/* One word of the holder: 1, 0 when there is none now, -1 when it is gone. */
static int next_word(struct place *p, struct wire_ended *e)
{
	int fds[WIRE_FDS];
	size_t n_fds = 0;

	*e = (struct wire_ended){ 0 };
	if (p->n_ended) {
		*e = p->ended[--p->n_ended];
		return 1;
	}
	ssize_t n = receive(p, e, sizeof *e, fds, &n_fds, NULL, MSG_DONTWAIT);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return n > 0 ? 1 : n < 0 ? 0 : -1;
}

bool holder_job_ended(struct place *p, int job, int *status, bool *is_gone)
{
	struct wire_ended e;
	bool ended = false;
	int got;

	while ((got = next_word(p, &e)) > 0)
		if (e.type == WIRE_ENDED && e.job == job) {
			*status = e.status;
			ended = true;
		}
	*is_gone = got < 0;
	return ended;
}

bool holder_word_lost(struct last_word *w, int pidfd)
{
	/* It says so right after it has waited, so once more after that. */
	bool lost = w->reaped || ++w->silences == SILENCES;

	w->reaped = syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
	return lost;
}

void holder_signal(int pidfd, int signal)
{
	syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int holder_jobs(struct place *p, struct wire_job **jobs, size_t *n, struct err *err)
{
	size_t room = sizeof(struct wire_jobs) + WIRE_JOBS_LARGEST * sizeof(struct wire_job);
	_cleanup_free_ struct wire_jobs *got = xmalloc(room);
	struct wire_jobs ask = { .type = WIRE_JOBS };
	int fds[WIRE_FDS];
	size_t n_fds;

	if (send_to(p, &ask, sizeof ask, NULL, 0, err) < 0 || await(p, WIRE_JOBS, got, room, fds, &n_fds, NULL, err) < 0)
		return -1;
	*n = got->n;
	*jobs = xcalloc(got->n + 1, sizeof **jobs);
	memcpy(*jobs, got->jobs, got->n * sizeof **jobs);
	return 0;
}

int holder_calls(struct place *p, int job, struct wire_call **calls, size_t *n, struct err *err)
{
	size_t room = sizeof(struct wire_calls) + WIRE_CALLS_LARGEST * sizeof(struct wire_call);
	_cleanup_free_ struct wire_calls *got = xmalloc(room);
	struct wire_ask ask = { .type = WIRE_CALLS, .job = job };
	int fds[WIRE_FDS];
	size_t n_fds;

	if (send_to(p, &ask, sizeof ask, NULL, 0, err) < 0 || await(p, WIRE_CALLS, got, room, fds, &n_fds, NULL, err) < 0)
		return -1;
	*n = got->n;
	*calls = xcalloc(got->n + 1, sizeof **calls);
	memcpy(*calls, got->calls, got->n * sizeof **calls);
	return 0;
}

int holder_keep(struct place *p, int sock, struct err *err)
{
	struct wire_batch ask = { .type = WIRE_KEEP };
	struct wire_reply r;
	int fds[WIRE_FDS];
	size_t n_fds;

	if (send_to(p, &ask, sizeof ask, &sock, 1, err) < 0 || await(p, WIRE_REPLY, &r, sizeof r, fds, &n_fds, NULL, err) < 0)
		return -1;
	return r.number ? err_set(err, r.number, "%s: its holder won't be kept", p->name) : 0;
}

int holder_take(struct place *p, int conn, struct err *err)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	int on = 1;

	/* Else the socket and the process would be two different ones. */
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid != p->pid)
		return err_set(err, 0, "%s: process %d is not its holder", p->name, (int)p->pid);
	if (setsockopt(conn, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return err_set(err, errno, "%s: can't use the connection to its holder", p->name);
	p->sock = conn;
	return 0;
}
