/*
 * spawn.c - programs inside
 *
 * The child inherits what the holder is: namespaces, identity, root. It is born in its control group, gets its three descriptors and no
 * other, its own session or process group, default signals, and then becomes the program. The holder stands still until that has
 * happened or failed (CLONE_VFORK), and learns of a failure through memory that both see.
 *
 * No memory is asked for where that can be helped: getting and giving back one page takes longer than all of the system calls here.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "holder/holder.h"
#include "holder/vfork.h"
#include "kern/sys.h"

/* Written by the child, read by the holder. */
struct report {
	volatile int32_t stage, number;
	volatile int32_t listener;     /* of the program's filter, in the descriptors that both have then; -1 = none */
	char call[40];
};

struct program {
	const struct wire_spawn *want;
	const struct sock_filter *filter;
	const struct wire_answer *answers;
	const char *cwd;
	char **argv, **envp;
	int std[3];            /* from outside; -1: the pty */
	int slave;             /* of the pty, -1 = none */
	pid_t parent;          /* the holder */
	const int *groups;
	int rules, proc;       /* of Landlock, and the host's; -1 = none */
};

/* The strings of the message as vectors, which are put behind it; false when the counts lie. */
static bool unpack(const struct message *m, struct program *p)
{
	const struct wire_spawn *w = (const struct wire_spawn *)m->data;
	char *at = m->data + sizeof *w, *end = m->data + m->n;
	uint32_t n = 0;
	size_t filter = (size_t)w->privileges.filter * sizeof *p->filter, answers = (size_t)w->privileges.answers * sizeof *p->answers;

	if (w->privileges.filter > BPF_MAXINSNS || filter + answers > (size_t)(end - at))
		return false;
	p->filter = (const struct sock_filter *)at;
	p->answers = (const struct wire_answer *)(at + filter);
	at += filter + answers;
	if (w->argc == 0 || w->argc > STRINGS || w->envc > STRINGS || (size_t)(end - at) != w->size || w->size == 0 || end[-1] != '\0')
		return false;
	p->want = w;
	p->argv = (char **)(void *)(m->data + (m->n / sizeof *p->argv + 1) * sizeof *p->argv);
	p->envp = p->argv + w->argc + 1;
	p->argv[w->argc] = p->envp[w->envc] = NULL;
	p->cwd = at;
	for (at += strlen(at) + 1; at < end; at += strlen(at) + 1, n++) {
		if (n < w->argc)
			p->argv[n] = at;
		else if (n < w->argc + w->envc)
			p->envp[n - w->argc] = at;
	}
	return n == w->argc + w->envc;
}

static bool take_fds(const struct message *m, struct program *p)
{
	size_t next = 0;

	for (int i = 0; i < 3; i++) {
		p->std[i] = -1;
		if (!(p->want->on_pty & 1u << i)) {
			if (next >= m->n_fds)
				return false;
			p->std[i] = m->fds[next++];
		}
	}
	p->groups = m->fds + next;
	if (p->want->groups > m->n_fds)
		return false;
	next += p->want->groups;
	p->rules = p->want->privileges.fences && next < m->n_fds ? m->fds[next++] : -1;
	p->proc = p->want->privileges.labels && next < m->n_fds ? m->fds[next++] : -1;
	return next == m->n_fds && (p->rules >= 0) == (p->want->privileges.fences != 0) && (p->proc >= 0) == (p->want->privileges.labels != 0);
}

/* A terminal of the sandbox's own devpts, or of the host's where it shares the host's. The root inside may have put anything at
 * /dev/ptmx, so what was opened is looked at before it is used. */
static int open_pty(const struct wire_spawn *w, int *slave, const char **call)
{
	struct winsize size = { .ws_row = w->rows, .ws_col = w->columns };
	struct stat st;
	int lock = 0, number;

	*call = "open(/dev/ptmx)";
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0)
		return -1;
	if (fstat(master, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2)) {
		errno = ENODEV;
	} else {
		*call = "ioctl(TIOCGPTPEER)";
		*slave = ioctl(master, TIOCSPTLCK, &lock) < 0 ? -1 : ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (*slave >= 0 && (w->rows == 0 || ioctl(*slave, TIOCSWINSZ, &size) == 0))
			return master;
	}
	number = errno;
	if (*slave >= 0)
		close(*slave);
	*slave = -1;
	close(master);
	errno = number;
	return -1;
}

static __attribute__((noreturn)) void stop(struct report *r, int stage)
{
	r->number = errno;
	r->stage = stage;
	_exit(127);
}

static __attribute__((noreturn)) void stop_at(struct report *r, const char *call)
{
	int number = errno;

	strncpy(r->call, call, sizeof r->call - 1);
	errno = number;
	stop(r, STAGE_SETUP);
}

static void set_signals(void)
{
	sigset_t none;

	/* Handlers went with CLONE_CLEAR_SIGHAND; what is ignored stays so. */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* They came when 0 to 3 were taken, so none is in the way of another. */
static int set_fds(const struct program *p)
{
	for (int i = 0; i < 3; i++)
		if (dup2(p->std[i] >= 0 ? p->std[i] : p->slave, i) < 0)
			return -1;
	/* Not closed at once: the holder may share them (start). */
	return (int)syscall(SYS_close_range, 3U, ~0U, SYS_CLOSE_ON_EXEC);
}

/* Its descriptor of the pty, -1 = none. */
static int terminal_of(const struct program *p)
{
	for (int i = 0; i < 3; i++)
		if (p->std[i] < 0)
			return i;
	return -1;
}

static int enter_groups(const struct program *p)
{
	for (uint32_t i = 0; i < p->want->groups; i++)
		if (!(p->want->group_dirs & 1u << i) && write(p->groups[i], "0", 1) != 1)
			return -1;
	return 0;
}

/* Said while the files of /proc can still be reached; it becomes true with execve. */
static int set_label(const struct program *p)
{
	const struct wire_privileges *w = &p->want->privileges;
	size_t n = strnlen(w->label, sizeof w->label);

	int fd = openat(p->proc, w->label_file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	bool done = write(fd, w->label, n) == (ssize_t)n;
	/* The descriptors may be the holder's, too. */
	int number = errno;
	close(fd);
	errno = number;
	return done ? 0 : -1;
}

/* The last thing before execve, which it must let pass. */
static int set_filter(const struct program *p, struct report *r)
{
	const struct wire_privileges *w = &p->want->privileges;
	struct sock_fprog program = { .len = (unsigned short)w->filter, .filter = (struct sock_filter *)p->filter };
	unsigned flags = w->listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0;
	long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);

	if (listener < 0)
		return -1;
	if (w->listens)
		r->listener = (int32_t)listener;
	return 0;
}

/* What the kernel said of the last place that held the program matters more than that others didn't. */
static int exec_program(const struct program *p)
{
	const char *name = p->argv[0], *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	int number = ENOENT;
	char full[4096];

	if (strchr(name, '/')) {
		execve(name, p->argv, p->envp);
		return -1;
	}
	for (char **e = p->envp; *e; e++)
		if (strncmp(*e, "PATH=", 5) == 0)
			path = *e + 5;
	while (*path) {
		size_t n = strcspn(path, ":");
		if (n && snprintf(full, sizeof full, "%.*s/%s", (int)n, path, name) < (int)sizeof full) {
			execve(full, p->argv, p->envp);
			if (errno != ENOENT && errno != ENOTDIR)
				number = errno;
		}
		path += n;
		path += *path == ':';
	}
	errno = number;
	return -1;
}

static __attribute__((noinline, noreturn)) void child(const struct holder *h, const struct program *p, struct report *r)
{
	const char *call = "";

	if (enter_groups(p) < 0 || (p->slave >= 0 ? setsid() < 0 || ioctl(p->slave, TIOCSCTTY, 0) < 0 : setpgid(0, 0) < 0))
		stop(r, STAGE_SETUP);
	if (set_fds(p) < 0)
		stop(r, STAGE_SETUP);
	set_signals();
	if (chdir(p->cwd) < 0)
		stop(r, STAGE_CHDIR);
	if (privilege_apply(&p->want->privileges, terminal_of(p), &call) < 0)
		stop_at(r, call);
	/* Without PID 1's death to take it along, it must die with the holder by itself; a change of ids makes the kernel forget that. */
	if (!h->init && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != p->parent))
		stop_at(r, "prctl(PR_SET_PDEATHSIG)");
	if (p->proc >= 0 && set_label(p) < 0)
		stop_at(r, CALL_LABEL);
	if (p->rules >= 0 && syscall(SYS_landlock_restrict_self, p->rules, 0) < 0)
		stop_at(r, "landlock_restrict_self");
	if (p->want->privileges.filter && set_filter(p, r) < 0)
		stop_at(r, "seccomp");
	exec_program(p);
	stop(r, STAGE_EXEC);
}

/* *REPORT: where the child says why it could not become the program. */
static __attribute__((noinline)) long start(const struct holder *h, const struct program *p, struct report **report, int *pidfd)
{
	static struct report here, *there;
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD, .pidfd = (uint64_t)(uintptr_t)pidfd };

	for (uint32_t i = 0; i < p->want->groups; i++)
		if (p->want->group_dirs & 1u << i) {
			args.flags |= CLONE_INTO_CGROUP;
			args.cgroup = (uint64_t)p->groups[i];
		}
	/* The listener of its filter is to be the holder's. execve gives the child a table of its own. */
	if (p->want->privileges.listens)
		args.flags |= CLONE_FILES;
	*report = &here;
	here = (struct report){ .stage = STAGE_DONE, .listener = -1 };
	long pid = clone3_share(&args);
	if (pid == 0)
		child(h, p, &here);
	if (pid > 0 || errno != EINVAL)
		return pid;
	/* The child will have a copy of the memory, but for this page. */
	if (!there && (there = mmap(NULL, sizeof *there, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED) {
		there = NULL;
		return -1;
	}
	*report = there;
	*there = (struct report){ .stage = STAGE_DONE, .listener = -1 };
	pid = clone3_copy(&args);
	if (pid == 0)
		child(h, p, there);
	return pid;
}

/* A child that shared the holder's descriptors has put its own in the place of the first three, and left a listener there. */
static void take_listener(struct holder *h, const struct program *p, const struct report *r, const struct wire_started *out)
{
	if (!p->want->privileges.listens)
		return;
	for (int i = 0; i < 3; i++)
		dup2(h->null, i);
	if (r->listener < 0)
		return;
	/* Without anybody to answer, the kernel refuses with ENOSYS. */
	if (out->stage != STAGE_DONE || !watch_add(h, r->listener, &p->want->privileges, p->answers, out->job))
		close(r->listener);
}

static struct holder_job *new_job(struct holder *h, pid_t pid, const struct program *p)
{
	struct holder_job *j = h->unused ? h->unused : malloc(sizeof *j), **at = &h->jobs;

	if (!j)
		return NULL;
	if (j == h->unused)
		h->unused = j->next;
	*j = (struct holder_job){ .next = NULL };
	j->info.detached = (p->want->flags & SPAWN_DETACHED) != 0;
	/* Only those in the background have numbers that anyone sees. */
	j->info.job = j->info.detached ? ++h->last_job : --h->last_foreground;
	j->info.pid = pid;
	strncpy(j->info.command, p->argv[0], sizeof j->info.command - 1);
	while (*at)
		at = &(*at)->next;
	*at = j;
	return j;
}

static void run(struct holder *h, struct program *p, struct wire_started *out, int fds[2], size_t *n_fds)
{
	struct report *report;
	const char *call = "";
	int master = -1, pidfd = -1;

	if (p->want->privileges.listens && !watch_room(h)) {
		out->number = EMFILE;
		return;
	}
	p->parent = getpid();
	if ((p->want->flags & SPAWN_PTY) && (master = open_pty(p->want, &p->slave, &call)) < 0) {
		out->stage = STAGE_PTY;
		out->number = errno;
		strncpy(out->call, call, sizeof out->call - 1);
		return;
	}
	long pid = start(h, p, &report, &pidfd);
	if (p->slave >= 0)
		close(p->slave);
	out->stage = pid < 0 ? STAGE_CLONE : (uint32_t)report->stage;
	out->number = pid < 0 ? errno : report->number;
	memcpy(out->call, report->call, sizeof out->call);
	if (out->stage == STAGE_DONE) {
		struct holder_job *j = new_job(h, (pid_t)pid, p);
		out->number = 0;
		out->job = j ? j->info.job : 0;
		out->pid = (int32_t)pid;
		if (master >= 0)
			fds[(*n_fds)++] = master;
		fds[(*n_fds)++] = pidfd;
		take_listener(h, p, report, out);
		return;
	}
	take_listener(h, p, report, out);
	if (master >= 0)
		close(master);
	if (pidfd >= 0)
		close(pidfd);
}

void spawn_program(struct holder *h, int conn, const struct message *m)
{
	struct wire_started out = { .type = WIRE_STARTED, .stage = STAGE_CLONE, .number = EBADMSG };
	struct program p = { .slave = -1 };
	int fds[2] = { -1, -1 };
	size_t n_fds = 0;

	if (unpack(m, &p) && take_fds(m, &p))
		run(h, &p, &out, fds, &n_fds);
	answer(conn, &out, sizeof out, fds, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
}
