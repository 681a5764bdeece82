/*
 * processes.c - commands: sh run ps kill wait env
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/groups.h"
#include "cmd/list.h"
#include "cmd/program.h"
#include "cmd/shell.h"
#include "kern/holder.h"
#include "sandbox/look.h"
#include "sandbox/run.h"

static int run_program(struct shell *sh, struct sandbox *sb, char *const *argv, bool detached, struct err *err)
{
	int job;

	if (program_run(sh, sb, argv, detached ? PROGRAM_DETACHED : PROGRAM_FOREGROUND, &job, err) < 0)
		return -1;
	if (detached && sh->interactive && job)
		fprintf(sh->out, "job %d\n", job);
	return 0;
}

static int run_run(struct shell *sh, const struct args *a, struct err *err)
{
	_cleanup_groups_ struct sandbox *sb = groups_aim(sh, a, err);
	_cleanup_free_ char **argv = xcalloc(a->n_words + 1, sizeof *argv);
	const struct word *end = a->words + a->n_words;
	size_t n = 0;

	if (!sb)
		return -1;
	for (const struct word *w = arg(a, "COMMAND")->word; w < end; w++)
		argv[n++] = w->text;
	return run_program(sh, sb, argv, arg_has(a, "-d"), err);
}

static int run_sh(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	char *bash[] = { (char *)"bash", NULL }, *plain[] = { (char *)"sh", NULL };

	(void)a;
	if (!sb)
		return -1;
	if (run_program(sh, sb, bash, false, err) == 0)
		return 0;
	return err->status == EXIT_NOT_FOUND ? run_program(sh, sb, plain, false, err) : -1;
}

static int run_ps(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "PID", "pid", COL_NUMBER },     { "HOST-PID", "host_pid", COL_NUMBER }, { "UID", "uid", COL_NUMBER },
		{ "STATE", "state", COL_TEXT },   { "CPU", "cpu", COL_NUMBER },           { "ALLOWED", "cpus_allowed", COL_TEXT },
		{ "JOB", "job", COL_NUMBER },     { "COMMAND", "command", COL_TEXT },
	};
	struct sandbox *sb = shell_sandbox(sh, err);
	struct look_process *all = NULL;
	_cleanup_free_ struct wire_job *jobs = NULL;
	size_t n = 0, n_jobs = 0;

	(void)a;
	if (!sb)
		return -1;
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	if (sb->place.sock >= 0 && (look_processes(sb, &all, &n, err) < 0 || holder_jobs(&sb->place, &jobs, &n_jobs, err) < 0))
		return -1;
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_fmt(t, "%d", (int)all[i].inner);
		table_fmt(t, "%d", (int)all[i].pid);
		table_fmt(t, "%u", all[i].uid);
		table_fmt(t, "%c", all[i].state);
		table_fmt(t, "%d", all[i].cpu);
		table_cell(t, all[i].cpus);
		const struct wire_job *job = NULL;
		for (size_t k = 0; k < n_jobs; k++)
			if (jobs[k].pid == all[i].inner && !jobs[k].ended)
				job = &jobs[k];
		job ? table_fmt(t, "%d", job->job) : table_cell(t, NULL);
		table_cell(t, all[i].command);
	}
	for (size_t k = 0; k < n_jobs; k++) {
		if (!jobs[k].ended)
			continue;
		jobs[k].command[sizeof jobs[k].command - 1] = '\0';
		table_row(t);
		table_cell(t, NULL);
		table_cell(t, NULL);
		table_cell(t, NULL);
		table_cell(t, "ended");
		table_cell(t, NULL);
		table_cell(t, NULL);
		table_fmt(t, "%d", jobs[k].job);
		table_cell(t, jobs[k].command);
	}
	table_print(t, sh->out, sh->json);
	look_free_processes(all, n);
	return 0;
}

static int run_kill(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	int signal = (int)arg_num(a, "SIGNAL", SIGTERM);

	if (!sb)
		return -1;
	if (arg_has(a, "all"))
		return sandbox_signal(sb, 0, arg(a, "SIGNAL") ? signal : SIGKILL, err);
	for (const struct value *v = arg_next(a, "PID", NULL); v; v = arg_next(a, "PID", v)) {
		if (v->num <= 0 || v->num > INT32_MAX)
			return err_usage(err, "%s is no process number", v->text);
		if (sandbox_signal(sb, (pid_t)v->num, signal, err) < 0)
			return -1;
	}
	return 0;
}

static int run_wait(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	sh->status = 0;
	if (sh->session->gate.dry)
		return 0;
	return sandbox_wait(sb, (int)arg_num(a, "JOB", 0), &sh->status, err);
}

static int run_env(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	for (const struct value *v = arg_next(a, "VARIABLE", NULL); v; v = arg_next(a, "VARIABLE", v)) {
		size_t n = strcspn(v->text, "=");
		if (v->text[n] != '=' || n == 0) {
			err_usage(err, "%s is not NAME=VALUE", v->text);
			return err_try(err, "env %s=..., or env del %s", v->text, v->text);
		}
		_cleanup_free_ char *name = xstrndup(v->text, n);
		sandbox_env(sb, name, v->text + n + 1);
	}
	for (const struct value *v = arg_next(a, "NAME", NULL); v; v = arg_next(a, "NAME", v))
		sandbox_env(sb, v->text, NULL);
	if (a->n == 0)
		for (size_t i = 0; i < sb->n_env; i++) {
			_cleanup_buf_ struct buf b = { 0 };
			buf_visible(&b, sb->env[i]);
			fprintf(sh->out, "%s\n", buf_text(&b));
		}
	return 0;
}

const struct command cmd_processes[] = {
	{ "sh", "processes", "open a shell inside", "",
	  "bash where the sandbox has it, else sh. It runs as PID 1's child in all of the sandbox's namespaces, on a terminal of the sandbox's own: "
	  "belljar copies what is typed and shown, so the program never holds yours. Its exit status becomes belljar's.",
	  "new web\nunshare docker\nroot host\nsh\n", CMD_PROGRAM | CMD_NO_UNDO, run_sh },
	{ "run", "processes", "run a program inside", "[-d | --group GROUP:group]... COMMAND:rest",
	  "The words are the program and its arguments, as they are; there is no shell in between. In the foreground belljar waits, and its exit "
	  "status is the program's: 125 when belljar failed before it ran, 126 when it can't be executed, 127 when it is not there, 128 + n after "
	  "signal n. With *--group* it begins in a group inside the sandbox's (see *group*). With *-d* it runs in the background as a job (see *ps*, *wait*, *kill*), its output going where > or | say, else nowhere.\n\n"
	  "Programs get a small environment of their own; see *env*.",
	  "new web\nrun echo hello\nrun -d sleep 60\nps\nkill all\n", CMD_PROGRAM | CMD_NO_UNDO, run_run },
	{ "ps", "processes", "list the processes inside", "",
	  "With the number each has inside and on the host. *CPU* is the processor it is or was last on, *ALLOWED* are those that it may be on: "
	  "what *limit cpus* has set, as the kernel sees it. Jobs that were started with *run -d* and have ended are listed too.",
	  "new web\nrun -d sleep 60\nps\nkill all\n", CMD_NO_UNDO, run_ps },
	{ "kill", "processes", "send a signal to processes inside", "(all | PID:number...) [with SIGNAL:signal]",
	  "By the numbers that *ps* shows first. The signal is TERM, or KILL for *all*, unless another is given.",
	  "new web\nrun -d sleep 60\nkill all with TERM\nexpect status 143 wait\n", CMD_NO_UNDO, run_kill },
	{ "wait", "processes", "wait for programs in the background", "[JOB:number]",
	  "For one job or for all; the exit status is that of the last one that ended.",
	  "new web\nrun -d true\nwait 1\n", CMD_PROGRAM | CMD_NO_UNDO, run_wait },
	{ "env", "processes", "set variables for programs inside", "[del NAME... | VARIABLE...]",
	  "A *VARIABLE* is written `NAME=VALUE`. Beside these, programs get only PATH, HOME, TERM, LANG, BELLJAR_SANDBOX and debian_chroot (which Debian's bash shows in its prompt). "
	  "Without arguments the variables are listed.",
	  "new web\nenv COLOUR=blue\nexpect prints blue run sh -c 'echo $COLOUR'\n", CMD_NO_UNDO, run_env },
	{ .name = NULL },
};
