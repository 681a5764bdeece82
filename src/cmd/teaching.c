/*
 * teaching.c - explain, undo, why
 */
#include "config.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/why.h"

/*
 * A dry run of one command changes what belljar believes of its sandboxes, as if it had been done. It is therefore planned in a
 * child: all that the child believes is forgotten with it. Its error comes back through shared memory.
 */
static int plan_in_child(struct shell *sh, const char *source, struct err *shared, struct err *err)
{
	shell_flush(sh);
	pid_t pid = fork();
	if (pid < 0)
		return err_set(err, errno, "can't make a child to plan in");
	if (pid == 0) {
		sh->session->gate.dry = true;
		sh->session->gate.explain = true;
		int status = shell_text(sh, NULL, source, shared);
		shell_flush(sh);
		_exit(status);
	}
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "can't wait for the child that plans");
	if (WIFSIGNALED(status))
		return err_set(err, 0, "the child that plans was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 0)
		return 0;
	*err = *shared;
	return -1;
}

static int explain_command(struct shell *sh, const char *source, struct err *err)
{
	struct err *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return err_set(err, errno, "can't map memory");
	int result = plan_in_child(sh, source, shared, err);
	munmap(shared, sizeof *shared);
	return result;
}

static int run_explain(struct shell *sh, const struct args *args, struct err *err)
{
	if (arg_has(args, "on") || arg_has(args, "off")) {
		sh->session->gate.explain = arg_has(args, "on");
		return 0;
	}
	if (arg(args, "COMMAND"))
		return explain_command(sh, args->rest, err);
	fprintf(sh->out, "explain is %s\n", sh->session->gate.explain ? "on" : "off");
	return 0;
}

static int run_undo(struct shell *sh, const struct args *args, struct err *err)
{
	_cleanup_free_ char *source = NULL;
	_cleanup_buf_ struct buf shown = { 0 };
	(void)args;

	if (sh->session->gate.dry)
		return err_set(err, 0, "a dry run has done nothing that could be taken back");
	int result = shell_undo(sh, &source, err);
	if (!source)
		return -1;
	buf_visible(&shown, source);
	if (result < 0)
		return err_wrap(err, "not all of \"%.200s\" could be taken back: ", buf_text(&shown));
	fprintf(sh->out, "took back: %s\n", buf_text(&shown));
	return 0;
}

/* Paragraphs, each line led by two spaces and at most 78 characters wide. */
static void print_paragraphs(FILE *out, const char *text)
{
	enum { WIDTH = 78 };
	size_t column = 0;

	while (*text) {
		size_t blank = strspn(text, " \n"), word = strcspn(text + blank, " \n");
		if (memmem(text, blank, "\n\n", 2)) {
			fputs("\n\n", out);
			column = 0;
		}
		if (column && column + 1 + word > WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (word)
			column += (size_t)fprintf(out, "%s%.*s", column ? " " : "  ", (int)word, text + blank);
		text += blank + word;
	}
	fputc('\n', out);
}

static void print_visible(FILE *out, const char *label, const char *text)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_visible(&b, text);
	fprintf(out, "%s%s\n", label, buf_text(&b));
}

/* The command's name in the text of a command, without @NAME before it. */
static char *name_in(const char *source)
{
	if (*source == '@')
		source += strcspn(source, " \t");
	source += strspn(source, " \t");
	return xstrndup(source, strcspn(source, " \t\n;|>"));
}

static int run_why(struct shell *sh, const struct args *args, struct err *err)
{
	const struct err *e = sh->last_error;
	(void)args;

	if (!e || !e->status) {
		fputs("nothing has failed yet\n", sh->out);
		return 0;
	}
	(void)err;
	_cleanup_free_ char *typed = name_in(sh->last_failed);
	const struct command *c = command_find(typed, true, NULL);
	const struct why *w = why_find(c ? c->name : typed, e);
	print_visible(sh->out, "", sh->last_failed);
	print_visible(sh->out, "  ", e->text);
	if (e->number)
		fprintf(sh->out, "  the kernel said: %s, %s\n", err_name(e->number), strerror(e->number));
	if (e->why[0])
		print_visible(sh->out, "  why: ", e->why);
	if (w && w->more) {
		fputc('\n', sh->out);
		print_paragraphs(sh->out, w->more);
	} else if (!e->why[0]) {
		fputs("  belljar knows no more about it than this\n", sh->out);
	}
	if (e->hint[0])
		print_visible(sh->out, w && w->more ? "\n  try: " : "  try: ", e->hint);
	return 0;
}

const struct command cmd_teaching[] = {
	{
		.name = "explain",
		.group = "teaching",
		.brief = "tell the steps of a command, or of all from now on",
		.grammar = "[on | off | COMMAND:command]",
		.text = "With a command, tells each step that it would take: in words, as calls of the kernel, and as a command of the host's shell that "
			"does the same where there is one. Nothing is changed.\n\n"
			"`explain on` tells the steps of every command just before they are taken, until `explain off`.",
		.examples = "new web\nexplain unshare uts\nunshare uts\nexplain hostname web",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO | CMD_NESTS,
		.run = run_explain,
	},
	{
		.name = "undo",
		.group = "teaching",
		.brief = "take back the last command",
		.text = "Takes back what the last command changed, newest step first, and says which command that was. Given again, it takes back the one "
			"before. Commands that only look, variables, and programs that were run are not counted. Where a step can't be taken "
			"back, `undo` says which and why, and changes nothing. The last 100 commands are remembered.",
		.grammar = "",
		.examples = "new web\nundo",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO | CMD_NESTS,
		.run = run_undo,
	},
	{
		.name = "why",
		.group = "teaching",
		.brief = "explain the last error",
		.grammar = "",
		.text = "Shows the last error again with what the kernel said, what is behind it, and what to type instead.",
		.examples = "why",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_why,
	},
	{ .name = NULL },
};
