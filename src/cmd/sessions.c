/*
 * sessions.c - commands: keep sessions end
 */
#include "config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/named.h"
#include "sandbox/store.h"

static int run_keep(struct shell *sh, const struct args *a, struct err *err)
{
	return named_keep(sh->session, arg_text(a, "NAME"), err);
}

static int run_sessions(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "SESSION", "name", COL_TEXT }, { "KEEPER", "keeper", COL_NUMBER }, { "DIRECTORY", "directory", COL_TEXT },
		{ NULL, "current", COL_BOOL },
	};
	struct store_entry *all = NULL;
	size_t n = 0;

	(void)a;
	if (store_list(&all, &n, err) < 0)
		return -1;
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, all[i].name);
		table_fmt(t, "%d", (int)all[i].keeper);
		table_cell(t, all[i].dir);
		table_cell(t, sh->session->name && streq(sh->session->name, all[i].name) ? "yes" : "no");
	}
	if (n || sh->json)
		table_print(t, sh->out, sh->json);
	store_free_list(all, n);
	return 0;
}

static int run_end(struct shell *sh, const struct args *a, struct err *err)
{
	return named_end(sh->session, arg_text(a, "NAME"), err);
}

const struct command cmd_sessions[] = {
	{ "keep", "sandboxes", "give the session a name, so that it lasts", "NAME",
	  "A session without a name ends with its belljar. A named one lasts until *end*: any later `belljar -s NAME` opens it, also while others "
	  "work on it.",
	  "new web\nkeep demo-keep\nend\n", CMD_OUTSIDE | CMD_NO_UNDO, run_keep },
	{ "sessions", "sandboxes", "list the named sessions", "", "With the process that keeps each, and its directory.", "sessions\n",
	  CMD_OUTSIDE | CMD_NO_UNDO, run_sessions },
	{ "end", "sandboxes", "end a named session and all that is in it", "[NAME:word]", "This one, or the one that is named.",
	  "keep demo-end\nend demo-end\n", CMD_OUTSIDE | CMD_NO_UNDO, run_end },
	{ .name = NULL },
};
