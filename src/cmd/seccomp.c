/*
 * seccomp.c - command: seccomp
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cmd/list.h"
#include "cmd/program.h"
#include "cmd/shell.h"
#include "kern/filter.h"
#include "sandbox/filters.h"

/* Types */

static int check_call(const char *call, const char *given, struct err *err)
{
	const struct filter_api *api = filter_api(err);
	_cleanup_buf_ struct buf shown = { 0 };

	if (!api)
		return -1;
	if (api->known(call))
		return 0;
	buf_visible(&shown, given);
	return err_usage(err, "%.60s is no system call", buf_text(&shown));
}

static int parse_call(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	return check_call(v->text, v->text, err);
}

/* CALL[=ERRNO]; num: the error. */
static int parse_denied(struct shell *sh, struct value *v, struct err *err)
{
	size_t n = strcspn(v->text, "=");
	_cleanup_free_ char *call = xstrndup(v->text, n);

	(void)sh;
	v->num = 1;
	if (check_call(call, v->text, err) < 0)
		return -1;
	if (!v->text[n])
		return 0;
	for (v->num = 1; v->num < 134; v->num++)
		if (streq(err_name((int)v->num), v->text + n + 1))
			return 0;
	_cleanup_buf_ struct buf shown = { 0 };
	buf_visible(&shown, v->text + n + 1);
	return err_usage(err, "%.60s is no error: use a name such as EPERM or ENOSYS", buf_text(&shown));
}

static int parse_profile(struct shell *sh, struct value *v, struct err *err)
{
	size_t n = strlen(v->text);

	(void)sh;
	if (strchr(v->text, '/') || (n > 5 && streq(v->text + n - 5, ".json")))
		return 0;
	return err_usage(err, "a profile is a file that ends in .json, or a path with a slash");
}

struct adding {
	const char *prefix;
	void (*add)(void *arg, const char *text);
	void *arg;
};

static void add_matching(void *arg, const char *name)
{
	const struct adding *a = arg;

	if (starts_with(name, a->prefix))
		a->add(a->arg, name);
}

static void complete_call(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	const struct filter_api *api = filter_api(NULL);
	struct adding a = { prefix, add, arg };

	(void)sh;
	if (api)
		api->each(add_matching, &a);
}

const struct type filter_call = { .name = "syscall", .what = "a system call such as mount", .parse = parse_call, .complete = complete_call };
const struct type filter_denied = { .name = "denied", .what = "a system call, with an error or without: mount, mount=ENOSYS",
				     .parse = parse_denied, .complete = complete_call };
const struct type filter_profile = { .name = "profile", .what = "a profile in JSON, such as web.json", .parse = parse_profile };

/* Command */

static int add_calls(struct sandbox *sb, const char *what, const struct args *a, struct err *err)
{
	_cleanup_free_ const char **calls = xcalloc(a->n, sizeof *calls);
	size_t n = 0;

	for (const struct value *v = arg_next(a, "CALL", NULL); v; v = arg_next(a, "CALL", v))
		calls[n++] = v->text;
	return filters_add(sb, what, calls, n, err);
}

static int deny_calls(struct sandbox *sb, const struct args *a, struct err *err)
{
	for (const struct value *v = arg_next(a, "DENIED", NULL); v; v = arg_next(a, "DENIED", v)) {
		_cleanup_free_ char *what = xasprintf("deny %s", err_name((int)v->num)), *call = xstrndup(v->text, strcspn(v->text, "="));
		const char *calls[] = { call };
		if (filters_add(sb, what, calls, 1, err) < 0)
			return -1;
	}
	return 0;
}

static int learn(struct shell *sh, struct sandbox *sb, const struct args *a, struct err *err)
{
	_cleanup_free_ char **argv = xcalloc(a->n_words + 1, sizeof *argv);
	int job;

	for (size_t i = 2; i < a->n_words; i++)
		argv[i - 2] = a->words[i].text;
	if (program_run(sh, sb, argv, PROGRAM_LEARN, &job, err) < 0)
		return -1;
	if (!job)
		return 0;
	if (filters_learn(sb, job, err) < 0)
		return -1;
	fprintf(sh->out, "%s\n", sb->learned);
	return 0;
}

static int run_seccomp(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	if (arg_has(a, "default"))
		return filters_set(sb, "default", err);
	if (arg_has(a, "off"))
		return filters_set(sb, NULL, err);
	if (arg_has(a, "only"))
		return filters_set(sb, "only", err) < 0 ? -1 : add_calls(sb, "allow", a, err);
	if (arg_has(a, "allow") || arg_has(a, "log") || arg_has(a, "notify"))
		return add_calls(sb, a->values[0].text, a, err);
	if (arg_has(a, "deny"))
		return deny_calls(sb, a, err);
	if (arg_has(a, "learn"))
		return learn(sh, sb, a, err);
	if (arg_has(a, "lock"))
		return filters_lock(sb, err);
	if (arg(a, "FILE"))
		return filters_file(sb, arg_text(a, "FILE"), err);
	return arg_has(a, "bpf") ? filters_code(sb, sh->out, err) : filters_tell(sb, sh->out, err);
}

const struct command cmd_seccomp[] = {
	{
		.name = "seccomp",
		.group = "privileges",
		.brief = "filter the system calls of programs",
		.grammar = "[show | bpf | default | off | (only | allow | log | notify) CALL:syscall... | deny DENIED:denied... | lock | "
			   "learn PROGRAM:program | FILE:profile]",
		.text =
			"*default* is equal in effect to Docker's profile: what programs commonly use is allowed, the rest is refused with "
			"EPERM; calls that belong to a capability are allowed with it, so *cap* changes the filter too. FILE is a profile in "
			"JSON as Docker and the OCI have it, read once. *only* allows just the calls named. *off* takes the filter away.\n\n"
			"*allow*, *deny* (with EPERM, or the error behind `=`), *log* (allowed, and written to the kernel's audit log) and "
			"*notify* (allowed, and said after the program) change the filter that is there; without one, all calls are allowed "
			"to begin with. What was said last counts. Calls are filtered for all instruction sets of the machine.\n\n"
			"When a program has ended, the calls that were refused are named, but those refused with ENOSYS. `exit` is never "
			"refused. Programs get the filter when they are started; with *nonewprivs* `on` they need no privileges for it.\n\n"
			"*learn* runs a program while all the calls it makes are noted, and lists them with those learned before; the "
			"program is slower then. *lock* makes a filter of what was learned.\n\n"
			"*show* says the filter in words, *bpf* as the instructions that the kernel gets.",
		.examples =
			"new web\n"
			"seccomp default\n"
			"cap drop sys_admin\n"
			"run true\n"
			"seccomp allow unshare\n"
			"seccomp deny socket=EACCES bpf\n"
			"seccomp show\n"
			"seccomp off\n"
			"seccomp learn true\n"
			"seccomp lock\n"
			"run true\n",
		.run = run_seccomp,
	},
	{ .name = NULL },
};
