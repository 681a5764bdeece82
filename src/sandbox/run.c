/*
 * run.c - programs in a sandbox
 *
 * The holder starts them: they inherit its namespaces, identity and root, so the first program and the hundredth are under the same
 * rules. belljar only says what to run and waits for the holder to say that it ended.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "kern/cg.h"
#include "kern/holder.h"
#include "sandbox/limits.h"
#include "sandbox/look.h"
#include "sandbox/named.h"
#include "sandbox/privileges.h"
#include "sandbox/run.h"
#include "sandbox/terminal.h"


static int shell_status(int status)
{
	return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static const char *or(const char *value, const char *otherwise)
{
	return value && *value ? value : otherwise;
}

/* A small environment of its own: what the operator's shell has is none of the sandbox's business. */
static char **environment(const struct sandbox *sb)
{
	char **env = xcalloc(sb->n_env + 8, sizeof *env);
	size_t n = 0;

	env[n++] = xasprintf("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	env[n++] = xasprintf("HOME=%s", privileges_user(sb) ? "/" : sb->root ? "/root" : or(getenv("HOME"), "/"));
	env[n++] = xasprintf("TERM=%s", or(getenv("TERM"), "dumb"));
	env[n++] = xasprintf("LANG=%s", or(getenv("LANG"), "C.UTF-8"));
	env[n++] = xasprintf("BELLJAR_SANDBOX=%s", sb->name);
	/* Debian's bash shows this in its prompt. */
	env[n++] = xasprintf("debian_chroot=%s", sb->name);
	for (size_t i = 0; i < sb->n_env; i++) {
		size_t name = strcspn(sb->env[i], "=") + 1;
		for (size_t k = 0; k < n; k++)
			if (strncmp(env[k], sb->env[i], name) == 0) {
				free(env[k]);
				env[k] = env[--n];
				break;
			}
		env[n++] = xstrdup(sb->env[i]);
	}
	return env;
}

static void free_environment(char ***env)
{
	for (char **e = *env; e && *e; e++)
		free(*e);
	free(*env);
}

/* The words of the command, for explain. */
static char *in_words(char *const *argv)
{
	struct buf b = { 0 };

	for (char *const *a = argv; *a; a++) {
		if (a != argv)
			buf_char(&b, ' ');
		buf_quote(&b, *a);
	}
	return buf_take(&b);
}

/* Without a terminal, Ctrl-C and the like come to belljar, which hands them on; it goes on waiting for the end. */
static void hand_on(int pidfd, bool *asked)
{
	int signal = stop_asked();

	if (stop_interrupted())
		signal = SIGINT;
	else if (*asked)
		return;
	if (!signal)
		return;
	*asked = *asked || stop_asked();
	holder_signal(pidfd, signal);
}

/* Its wait status, or NOT_TOLD. */
static int wait_for(struct sandbox *sb, const struct holder_started *started)
{
	sigset_t block, before;
	struct last_word word = { 0 };
	bool gone = false, asked = false;
	int status = SIGKILL;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &before);
	while (!gone) {
		if (holder_job_ended(&sb->place, started->job, &status, &gone))
			break;
		struct pollfd p[] = { { .fd = sb->place.sock, .events = POLLIN }, { .fd = started->pidfd, .events = POLLIN } };
		hand_on(started->pidfd, &asked);
		if (gone || ppoll(p, 2, NULL, &before) <= 0 || !p[1].revents)
			continue;
		if (!p[0].revents && poll(p, 1, LAST_WORD_MS) == 0 && holder_word_lost(&word, started->pidfd)) {
			status = NOT_TOLD;
			break;
		}
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

static int start(struct sandbox *sb, const struct run_want *want, struct holder_started *started, int *terminal, struct err *err)
{
	_cleanup_(free_environment) char **env = environment(sb);
	_cleanup_free_ char *words = in_words(want->argv), *cwd = sb->root ? NULL : get_current_dir_name();
	struct holder_program program = { .argv = want->argv, .envp = env, .cwd = cwd ? cwd : "/", .detached = want->detached, .learn = want->learn };
	struct cg_entry groups[CG_ENTRIES];
	struct step step = { .kind = STEP_SPAWN, .place = &sb->place, .text = words, .program = &program, .started = started };

	*terminal = -1;
	for (int i = 0; i < 3; i++) {
		bool tty = isatty(want->std[i]);
		program.std[i] = tty ? -1 : want->std[i];
		if (tty && *terminal < 0)
			*terminal = want->std[i];
	}
	if (*terminal >= 0)
		terminal_size(*terminal, &program.rows, &program.columns);
	/* A process that shares the host's pid namespace is found again by its group; where none is to be had, by its parents alone. */
	if (!sb->place.init && !sb->group && cg_layout(NULL) && sandbox_group(sb, err) == NULL)
		return -1;
	/* Somebody else may have removed it: a descriptor that was kept would lead nowhere, and the kernel's word for that is another's. */
	if (sb->group && !sb->session->gate.dry && !cg_exists(limits_group(sb), CTL_TRACK))
		cg_forget_entries();
	if (sb->group && !sb->session->gate.dry && cg_entries(limits_group(sb), &sb->place, groups, &program.n_groups, err) < 0)
		return -1;
	program.groups = groups;
	return gate_run(&sb->session->gate, &step, 1, err);
}

static void started_close(struct holder_started *started)
{
	close_fd(&started->pidfd);
	close_fd(&started->master);
}

int sandbox_run(struct sandbox *sb, const struct run_want *want, int *status, int *job, struct err *err)
{
	_cleanup_(started_close) struct holder_started started = { .pidfd = -1, .master = -1 };
	struct cg_usage before, after;
	int terminal;

	*status = 0;
	*job = 0;
	if (limits_thawed(sb, err) < 0)
		return -1;
	bool watched = want->bitten && sb->group;
	if (watched)
		limits_bites(sb, &before);
	if (start(sb, want, &started, &terminal, err) < 0) {
		if (err->status == EXIT_FAILED)
			err->status = EXIT_OWN;
		return -1;
	}
	if (sb->session->gate.dry)
		return 0;
	*job = started.job;
	if (want->detached)
		return 0;
	if (named_release(sb->session, err) < 0)
		return -1;
	int ended = started.master >= 0 ? terminal_run(&sb->place, &started, want->std) : wait_for(sb, &started);
	if (ended == NOT_TOLD) {
		err_set(err, 0, "%s: %s has ended, and its holder does not say how", sb->name, want->argv[0]);
		err->status = EXIT_OWN;
		return -1;
	}
	*status = shell_status(ended);
	if (watched) {
		limits_bites(sb, &after);
		limits_bitten(sb, &before, &after, want->bitten);
	}
	return 0;
}

int sandbox_wait(struct sandbox *sb, int job, int *status, struct err *err)
{
	if (named_release(sb->session, err) < 0)
		return -1;
	for (;;) {
		_cleanup_free_ struct wire_job *jobs = NULL;
		size_t n = 0, running = 0, matched = 0;

		if (holder_jobs(&sb->place, &jobs, &n, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			if (job && jobs[i].job != job)
				continue;
			matched++;
			if (jobs[i].ended)
				*status = shell_status(jobs[i].status);
			else
				running++;
		}
		if (job && !matched) {
			err_set(err, ECHILD, "%s: no job %d", sb->name, job);
			return err_try(err, "ps, which lists them");
		}
		if (!running)
			return 0;
		struct pollfd p = { .fd = sb->place.sock, .events = POLLIN };
		bool gone;
		int ignored;
		if (poll(&p, 1, -1) < 0 && (stop_asked() || stop_interrupted()))
			return err_set(err, EINTR, "%s: stopped waiting", sb->name);
		holder_job_ended(&sb->place, 0, &ignored, &gone);
	}
}

/* Signal a process, and see it go where the signal can't be caught: what comes next may want it gone. */
static int signal_one(struct sandbox *sb, const struct look_process *process, int signal, struct err *err)
{
	struct step step = { .kind = STEP_SIGNAL, .place = &sb->place, .num = signal, .flags = (uint64_t)process->pid };
	_cleanup_close_ int pidfd = signal == SIGKILL ? holder_hold(process->pid) : -1;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (!process->ending && gate_run(&sb->session->gate, &step, 1, err) < 0)
		return -1;
	if (pidfd >= 0 && !sb->session->gate.dry)
		poll(&p, 1, LAST_WORD_MS);
	return 0;
}

static int signal_all(struct sandbox *sb, int signal, struct err *err)
{
	struct look_process *all = NULL;
	size_t n = 0;
	int result = 0;

	/* Whoever is in no group (the terminal's end, a program of another belljar) is signalled by number after that. */
	if ((signal == SIGKILL && limits_empty(sb, err) < 0) || look_processes(sb, &all, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && result == 0; i++) {
		result = signal_one(sb, &all[i], signal, err);
		/* Who ended meanwhile needs no signal. */
		if (result < 0 && err->number == ESRCH)
			result = 0;
	}
	look_free_processes(all, n);
	return result;
}

int sandbox_signal(struct sandbox *sb, pid_t pid, int signal, struct err *err)
{
	struct look_process process = { 0 };

	if (!pid)
		return signal_all(sb, signal, err);
	return look_process(sb, pid, &process, err) < 0 ? -1 : signal_one(sb, &process, signal, err);
}
