/*
 * harden.c - commands: mask readonly harden, and `show --gaps`
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/gaps.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/gaps.h"
#include "sandbox/masks.h"

int gaps_show(struct shell *sh, struct sandbox *sb, struct err *err)
{
	static const struct column columns[] = {
		{ "WHAT", "what", COL_TEXT },     { "HERE", "here", COL_TEXT },       { "DOCKER", "docker", COL_TEXT },
		{ "BUBBLEWRAP", "bubblewrap", COL_TEXT }, { "CLOSED BY", "command", COL_TEXT },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	struct gap *list;
	size_t n, open = 0;

	if (gaps_list(sb, &list, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, list[i].what);
		table_cell(t, list[i].here);
		table_cell(t, list[i].docker);
		table_cell(t, list[i].bubblewrap);
		table_cell(t, list[i].command);
		open += list[i].command != NULL;
	}
	gaps_free(list, n);
	table_print(t, sh->out, sh->json);
	if (!sh->json)
		fprintf(sh->out, open ? "%zu gaps; harden closes all of them\n" : "no gaps\n", open);
	return 0;
}

static int add_masks(struct shell *sh, const struct args *a, bool readonly, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	_cleanup_free_ const char **paths = xcalloc(a->n + 1, sizeof *paths);
	size_t n = 0;

	if (!sb)
		return -1;
	if (arg_has(a, "docker"))
		return masks_docker(sb, err);
	for (const struct value *v = arg_next(a, "PATH", NULL); v; v = arg_next(a, "PATH", v))
		paths[n++] = v->text;
	return masks_add(sb, paths, n, readonly, err);
}

static int run_mask(struct shell *sh, const struct args *a, struct err *err)
{
	return add_masks(sh, a, false, err);
}

static int run_readonly(struct shell *sh, const struct args *a, struct err *err)
{
	return add_masks(sh, a, true, err);
}

/* Each command is said before it is done; it is undone by itself, too. */
static int run_harden(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	_cleanup_free_ char *recipe = sb ? gaps_recipe(sb, err) : NULL;
	char *rest = NULL;

	(void)a;
	if (!recipe)
		return -1;
	for (char *line = strtok_r(recipe, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		fprintf(sh->out, "%s\n", line);
		if (shell_text(sh, NULL, line, err) != 0)
			return err_wrap(err, "%s: ", line);
	}
	return 0;
}

const struct command cmd_harden[] = {
	{
		.name = "mask",
		.group = "privileges",
		.brief = "hide files and directories inside",
		.grammar = "(docker | PATH:inside...)",
		.text =
			"A file reads as empty and a directory has nothing in it; neither can be written to. The sandbox needs a mnt namespace. "
			"What PATH leads to must be there, and no part of PATH be a symbolic link, by which those inside could lead the mask away. "
			"*umount* PATH takes the mask off; where *unshare* mounts a new /proc or /sys, the masks in it are made again.\n\n"
			"*docker* hides what Docker hides by default, makes read-only what it makes read-only, /sys too, and leaves out what is not there: "
			"`/proc/acpi` `/proc/asound` `/proc/interrupts` `/proc/kcore` `/proc/keys` `/proc/latency_stats` `/proc/sched_debug` "
			"`/proc/scsi` `/proc/timer_list` `/proc/timer_stats` `/sys/firmware` `/sys/devices/virtual/powercap`, and read-only `/proc/bus` "
			"`/proc/fs` `/proc/irq` `/proc/sys` `/proc/sysrq-trigger`.\n\n"
			"Root inside who keeps the capability sys_admin over the mount namespace can take masks off: *cap drop* it.",
		.examples = "new web\nunshare docker\nroot host\nmask docker\nmask /etc/passwd\n",
		.run = run_mask,
	},
	{
		.name = "readonly",
		.group = "privileges",
		.brief = "make files and directories inside read-only",
		.grammar = "PATH:inside...",
		.text = "With all that is mounted below PATH. As with *mask*, PATH must be there without a link in it, and *umount* takes it off.",
		.examples = "new web\nunshare mnt\nroot host\nreadonly /etc\nrun sh -c '! touch /etc/x'\n",
		.run = run_readonly,
	},
	{
		.name = "harden",
		.group = "privileges",
		.brief = "close what is open in comparison with Docker and bubblewrap",
		.grammar = "",
		.text =
			"Has the commands done that `show --gaps` names, and says each of them: namespaces, a user namespace among them, with ids of their own; "
			"the root *host*, if the sandbox has none; Docker's masks; Docker's capabilities at most; no new privileges; the default filter of system "
			"calls. What is stricter already stays. No program may run in the sandbox. *undo* takes back the commands one by one.\n\n"
			"How much each of these is worth is told in belljar-privileges(7).",
		.examples = "new web\nexplain harden\nharden\nrun grep -E '^(Cap|NoNew|Seccomp)' /proc/self/status\nshow --gaps\n",
		.flags = CMD_NESTS,
		.run = run_harden,
	},
	{ .name = NULL },
};
