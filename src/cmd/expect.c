/*
 * expect.c - turning a condition, or a command's success or failure, into the success or failure of a script
 */
#include "config.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/look.h"

enum { PRINTED_MOST = 1 << 20 };       /* bytes of output that `expect prints` looks at */

/* Conditions on the sandbox: 1 holds, 0 does not, and *WHAT says what is so instead; -1 with err. */

static int holds_own(struct shell *sh, const struct args *args, struct buf *what, struct err *err)
{
	const struct sandbox *sb = shell_sandbox(sh, err);
	bool all = true, some = false;

	if (!sb)
		return -1;
	for (const struct value *v = arg_next(args, "KIND", NULL); v; v = arg_next(args, "KIND", v))
		for (int k = 0; k < NS_KINDS; k++) {
			if (!(v->num & (int64_t)ns_table[k].flag))
				continue;
			unsigned long inside = look_ns(sb, (enum ns_kind)k), host = look_ns(NULL, (enum ns_kind)k);
			if (!inside || !host)
				return err_set(err, 0, "%s: its %s namespace can't be read", sb->name, ns_table[k].name);
			all = all && inside != host;
			some = some || inside != host;
			buf_fmt(what, "%s%s is %s", what->len ? ", " : "", ns_table[k].name, inside != host ? "its own" : "the host's");
		}
	/* "not own" means that it has none of them. */
	return arg_has(args, "not") ? some : all;
}

static int holds_same(struct shell *sh, const struct args *args, struct buf *what, struct err *err)
{
	const struct sandbox *sb = shell_sandbox(sh, err);
	const struct value *kind = arg(args, "KIND");
	const char *name = arg_text(args, "OTHER");
	const struct sandbox *other = sb && !streq(name, "host") ? sandbox_find(sh->session, name, err) : NULL;

	if (!sb || (!other && !streq(name, "host")))
		return -1;
	for (int k = 0; k < NS_KINDS; k++) {
		if (!(kind->num & (int64_t)ns_table[k].flag))
			continue;
		unsigned long one = look_ns(sb, (enum ns_kind)k), two = look_ns(other, (enum ns_kind)k);
		if (!one || !two)
			return err_set(err, 0, "the %s namespace of %s can't be read", ns_table[k].name, one ? name : sb->name);
		buf_fmt(what, "%s has %s:[%lu] and %s has %s:[%lu]", sb->name, ns_table[k].name, one, name, ns_table[k].name, two);
		if (one != two)
			return 0;
	}
	return 1;
}

static int holds_sandbox(struct shell *sh, const struct args *args, struct buf *what, struct err *err)
{
	const char *name = arg_text(args, "NAME");
	(void)err;

	for (size_t i = 0; i < sh->session->n_sandboxes; i++)
		if (streq(sh->session->sandboxes[i]->name, name)) {
			buf_fmt(what, "there is a sandbox %s", name);
			return 1;
		}
	buf_fmt(what, "there is no sandbox %s", name);
	return 0;
}

static int holds_running(struct shell *sh, const struct args *args, struct buf *what, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	int result = sb ? look_running(sb, err) : -1;
	(void)args;

	if (result >= 0)
		buf_fmt(what, "%s program runs in %s", result ? "a" : "no", sb->name);
	return result;
}

static int holds_mounted(struct shell *sh, const struct args *args, struct buf *what, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	const char *path = arg_text(args, "PATH"), *type = arg_text(args, "TYPE");
	int result = sb ? look_mounted(sb, path, type, err) : -1;

	if (result >= 0)
		buf_fmt(what, "%s%s is %smounted at %s", type ? "a file system of type " : "a file system", type ? type : "", result ? "" : "not ",
			path);
	return result;
}

static int holds_link(struct shell *sh, const struct args *args, struct buf *what, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	const char *name = arg_text(args, "IF");
	bool up = false;
	int result = sb ? look_link(sb, name, &up, err) : -1;

	if (result < 0)
		return -1;
	buf_fmt(what, result ? "link %s is %s" : "there is no link %s", name, up ? "up" : "down");
	return result && (up || !arg_has(args, "up"));
}

/* Commands within the command. */

/* What a failed inner command said, for our own error. */
static int quote_error(struct err *err, const struct err *inner)
{
	if (!inner->text[0])
		return -1;
	err_why(err, "%.600s%s%s%s", inner->text, inner->number ? " (" : "", err_name(inner->number), inner->number ? ")" : "");
	if (inner->hint[0])
		err_try(err, "%s", inner->hint);
	return -1;
}

/* Have SOURCE done. Its status; or -1 with err when it was not understood: a mistake in the script is neither success nor the failure
 * that is meant. */
static int status_of(struct shell *sh, const char *source, struct err *inner, struct err *err)
{
	int status = shell_text(sh, NULL, source, inner);

	sh->status = 0;
	if (status != EXIT_USAGE || sh->by_program || !inner->text[0])
		return status;
	*err = *inner;
	return -1;
}

static int check_works(struct shell *sh, const char *source, struct err *err)
{
	struct err inner = { 0 };
	int status = status_of(sh, source, &inner, err);

	if (status <= 0)
		return status;
	err_set(err, 0, "expected to work, but failed with status %d: %.300s", status, source);
	return quote_error(err, &inner);
}

static int check_fails(struct shell *sh, const char *source, struct err *err)
{
	struct err inner = { 0 };
	int status = status_of(sh, source, &inner, err);

	if (status < 0)
		return -1;
	return status ? 0 : err_set(err, 0, "expected to fail, but worked: %.300s", source);
}

static int check_status(struct shell *sh, int64_t wanted, const char *source, struct err *err)
{
	struct err inner = { 0 };
	int status = shell_text(sh, NULL, source, &inner);

	sh->status = 0;
	if (status == wanted)
		return 0;
	err_set(err, 0, "expected status %lld, got %d: %.300s", (long long)wanted, status, source);
	return quote_error(err, &inner);
}

/* Have SOURCE done with its output in a file that exists only in memory: programs need a descriptor. Its status. */
static int capture(struct shell *sh, const char *source, struct buf *printed, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("belljar-expect", MFD_CLOEXEC);
	FILE *before = sh->out;
	bool elsewhere = sh->out_elsewhere;

	if (fd < 0) {
		err_set(err, errno, "can't make a file in memory");
		return err->status;
	}
	shell_flush(sh);
	FILE *file = fdopen(dup(fd), "w");
	if (!file) {
		err_set(err, errno, "can't open a file in memory");
		return err->status;
	}
	sh->out = file;
	sh->out_elsewhere = true;
	int status = shell_text(sh, NULL, source, err);
	sh->out = before;
	sh->out_elsewhere = elsewhere;
	fclose(file);
	char *room = xmalloc(PRINTED_MOST);
	ssize_t n = lseek(fd, 0, SEEK_SET) == 0 ? io_read(fd, room, PRINTED_MOST) : 0;
	buf_bytes(printed, room, n > 0 ? (size_t)n : 0);
	free(room);
	return status;
}

static int check_prints(struct shell *sh, const struct args *args, struct err *err)
{
	const char *text = arg_text(args, "TEXT");
	_cleanup_buf_ struct buf printed = { 0 };
	struct err inner = { 0 };
	int status = capture(sh, args->rest, &printed, &inner);
	bool found = memmem(buf_text(&printed), printed.len, text, strlen(text)) != NULL, wanted = !arg_has(args, "not");

	sh->status = 0;
	if (status != 0) {
		err_set(err, 0, "failed with status %d: %.300s", status, args->rest);
		return quote_error(err, &inner);
	}
	if (found == wanted)
		return 0;
	err_set(err, 0, "expected %s\"%.100s\" in the output of: %.300s", wanted ? "" : "no ", text, args->rest);
	size_t end = printed.len;
	while (end && printed.data[end - 1] == '\n')
		end--;
	if (end == 0)
		return err_why(err, "it printed nothing");
	return err_why(err, "it printed: %.*s%s", end > 600 ? 600 : (int)end, printed.data, end > 600 ? "..." : "");
}

static int check_condition(struct shell *sh, const struct args *args, struct err *err)
{
	static const struct {
		const char *word;
		int (*holds)(struct shell *sh, const struct args *args, struct buf *what, struct err *err);
	} conditions[] = { { "own", holds_own },         { "same", holds_same },       { "sandbox", holds_sandbox },
			   { "running", holds_running }, { "mounted", holds_mounted }, { "link", holds_link } };
	_cleanup_buf_ struct buf what = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		if (!arg_has(args, conditions[i].word))
			continue;
		int result = conditions[i].holds(sh, args, &what, err);
		if (result < 0)
			return -1;
		return result == !arg_has(args, "not") ? 0 : err_set(err, 0, "not as expected: %s", buf_text(&what));
	}
	return 0;
}

/* In a dry run no condition on the machine holds, and whether a program would succeed is not known: commands are only planned. */
static int plan(struct shell *sh, const struct args *args, struct err *err)
{
	struct err inner = { 0 };

	return arg(args, "COMMAND") && status_of(sh, args->rest, &inner, err) < 0 ? -1 : 0;
}

static int run_expect(struct shell *sh, const struct args *args, struct err *err)
{
	bool dry = sh->session->gate.dry, not = arg_has(args, "not");

	if (dry && (not || !arg_has(args, "works")))
		return plan(sh, args, err);
	if (arg_has(args, "works"))
		return (not ? check_fails : check_works)(sh, args->rest, err);
	if (arg_has(args, "fails"))
		return (not ? check_works : check_fails)(sh, args->rest, err);
	if (arg_has(args, "prints"))
		return check_prints(sh, args, err);
	if (arg_has(args, "status"))
		return check_status(sh, arg_num(args, "N", 0), args->rest, err);
	return check_condition(sh, args, err);
}

const struct command cmd_expect[] = {
	{
		.name = "expect",
		.group = "scripts",
		.brief = "fail unless something is so",
		.grammar = "status N:number COMMAND:line | [not] (own KIND:kind... | same KIND:kind OTHER | sandbox NAME | running | "
			   "mounted PATH:path [TYPE] | link IF [up] | works COMMAND:line | fails COMMAND:line | prints TEXT COMMAND:line)",
		.text = "Succeeds when the condition holds, and fails, so that a script stops, when it does not; the error says what is so instead. "
			"The kernel is asked, not belljar's own books.\n\n"
			"`own`: the namespaces are not the host's. `same`: the namespace is that of another sandbox, or of `host`. `sandbox`: there "
			"is one of that name. `running`: a program runs in the current sandbox. `mounted`: a file system is mounted exactly "
			"there, of that type. `link`: there is such a network interface, and with `up` it is up.\n\n"
			"`works`, `fails` and `status` have a command done and look at its exit status; its output is printed as usual. A command that "
			"belljar does not understand is an error, not a failure as expected. `prints` has a command done and looks for *TEXT* in its "
			"output, which is not printed.",
		.examples = "new web\nexpect not own uts\nunshare uts\nexpect own uts\nexpect fails use db\nexpect prints hello echo hello, world",
		.flags = CMD_NO_UNDO | CMD_NESTS,
		.run = run_expect,
	},
	{ .name = NULL },
};
