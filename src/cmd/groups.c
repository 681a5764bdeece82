/*
 * groups.c - commands: group, move
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/table.h"
#include "cmd/groups.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/group.h"
#include "sandbox/limits.h"

/* "batch" and "batch/night" are in the current sandbox, "web/batch" in the sandbox web if there is one. */
static int parse_group(struct shell *sh, struct value *v, struct err *err)
{
	const char *slash = strchr(v->text, '/');

	_cleanup_free_ char *name = xstrndup(v->text, strcspn(v->text, "/"));
	v->object = slash ? sandbox_find(sh->session, name, NULL) : NULL;
	return group_check(v->object ? slash + 1 : v->text, err);
}

static void complete_group(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	struct session *s = sh->session;
	char **inner;

	for (size_t i = 0; i < s->n_sandboxes; i++) {
		size_t n = s->sandboxes[i]->group ? cg_inner(s->sandboxes[i]->group, &inner) : 0;
		for (size_t k = 0; k < n; k++) {
			_cleanup_free_ char *full = xasprintf("%s/%s", s->sandboxes[i]->name, inner[k]);
			const char *word = s->sandboxes[i] == s->current && !strchr(inner[k], '/') ? inner[k] : full;
			if (starts_with(word, prefix) && group_check(inner[k], NULL) == 0)
				add(arg, word);
			free(inner[k]);
		}
		if (n)
			free(inner);
	}
}

const struct type groups_name = { .name = "group", .what = "a group inside a sandbox's, such as batch or web/batch", .parse = parse_group,
				  .complete = complete_group };

static const char *inner_of(const struct value *v)
{
	return v->object ? strchr(v->text, '/') + 1 : v->text;
}

static struct sandbox *sandbox_of(struct shell *sh, const struct value *v, struct err *err)
{
	return v && v->object ? v->object : shell_sandbox(sh, err);
}

struct sandbox *groups_aim(struct shell *sh, const struct args *a, struct err *err)
{
	const struct value *v = arg(a, "GROUP");
	struct sandbox *sb = sandbox_of(sh, v, err);

	return sb && v && group_aim(sb, inner_of(v), err) < 0 ? NULL : sb;
}

void groups_done(struct sandbox **sb)
{
	if (*sb)
		group_aim(*sb, NULL, NULL);
}

/* ---- group ---- */

static void group_row(struct table *t, struct sandbox *sb, const char *inner, bool divided)
{
	_cleanup_free_ char *group = inner ? xasprintf("%s/%s", sb->group, inner) : xstrdup(sb->group);
	_cleanup_buf_ struct buf shown = { 0 };
	_cleanup_free_ int *pids = NULL;
	struct cg_usage u;
	size_t n = 0;
	char size[32];

	if (cg_members(group, &pids, &n, NULL) < 0 || cg_usage(group, &u, NULL) < 0)
		return;
	buf_visible(&shown, inner ? inner : "-");
	table_row(t);
	table_cell(t, buf_text(&shown));
	table_fmt(t, "%zu", n);
	limit_size_text(u.memory, size);
	table_cell(t, size[0] ? size : NULL);
	limit_size_text(u.memory_max, size);
	table_cell(t, size[0] ? size : NULL);
	table_cell(t, divided ? "divided" : u.frozen == 1 ? "frozen" : NULL);
}

static int list_groups(struct shell *sh, struct sandbox *sb, struct err *err)
{
	static const struct column columns[] = {
		{ "GROUP", "group", COL_TEXT }, { "PROCESSES", "processes", COL_NUMBER }, { "MEMORY", "memory", COL_TEXT },
		{ "LIMIT", "memory_limit", COL_TEXT }, { "STATE", "state", COL_TEXT },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	char **inner = NULL;

	if (limits_know(sh->session, err) < 0)
		return -1;
	size_t n = sb->group ? cg_inner(sb->group, &inner) : 0;
	if (sb->group)
		group_row(t, sb, NULL, cg_divided(sb->group));
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *group = xasprintf("%s/%s", sb->group, inner[i]);
		group_row(t, sb, inner[i], cg_divided(group));
		free(inner[i]);
	}
	free(inner);
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_group(struct shell *sh, const struct args *a, struct err *err)
{
	const struct value *v = arg(a, "GROUP");
	struct sandbox *sb = sandbox_of(sh, v, err);

	if (!sb)
		return -1;
	if (!v)
		return list_groups(sh, sb, err);
	return (arg_has(a, "del") ? group_del : group_new)(sb, inner_of(v), err);
}

static int run_move(struct shell *sh, const struct args *a, struct err *err)
{
	_cleanup_groups_ struct sandbox *sb = groups_aim(sh, a, err);

	if (!sb)
		return -1;
	for (const struct value *v = arg_next(a, "PID", NULL); v; v = arg_next(a, "PID", v)) {
		if (v->num <= 0 || v->num > INT32_MAX)
			return err_usage(err, "%s is no process number", v->text);
		if (group_move(sb, (pid_t)v->num, err) < 0)
			return -1;
	}
	return 0;
}

const struct command cmd_groups[] = {
	{
		.name = "group",
		.group = "limits",
		.brief = "make a control group inside the sandbox's, or list them",
		.grammar = "[[del] GROUP:group]",
		.text =
			"A group has limits of its own, below those of the sandbox: `limit in batch memory 20M` bounds the programs that *run --group* "
			"started in it or *move* brought there. *GROUP* is a name, `batch`, in the current sandbox, or `web/batch` in the sandbox "
			"web; there may be groups in groups, `batch/night`. With *del* it is removed, and what is in it goes to the group above. "
			"Without arguments the groups are listed; `-` is the sandbox's own.\n\n"
			"On version 2 a group can hold processes or give controllers to the groups inside it, not both. With the first limit in a "
			"group inside it a group is therefore divided: belljar makes a group `main` in it, moves its own processes there, and only then "
			"switches the controllers on (cgroup.subtree_control); programs that belong to it start in `main` from then on. *explain* "
			"shows that. On version 1 a group may have both, and it is not needed.",
		.examples =
			"new web\n"
			"group batch\n"
			"limit in batch pids 10\n"
			"run -d --group batch sleep 60\n"
			"group\n"
			"kill all\n"
			"group del batch\n",
		.run = run_group,
	},
	{
		.name = "move",
		.group = "limits",
		.brief = "put processes into another group of the sandbox",
		.grammar = "PID:number... [to GROUP:group]",
		.text =
			"By the numbers that *ps* shows first; without *to* into the sandbox's own group. The children that a process has already stay "
			"where they are. Memory that it has in use stays charged to the group in which it got it.",
		.examples = "new web\nunshare pid\ngroup batch\nrun -d sleep 60\nmove 2 to batch\nusage in batch\nkill all\n",
		.run = run_move,
	},
	{ .name = NULL },
};
