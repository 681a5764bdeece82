/*
 * sandboxes.c - commands: new use ls show rename rm
 */
#include "config.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/gaps.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "kern/mnt.h"
#include "kern/net.h"
#include "sandbox/like.h"
#include "sandbox/limits.h"
#include "sandbox/look.h"

static int run_new(struct shell *sh, const struct args *a, struct err *err)
{
	const struct value *like = arg(a, "OTHER");
	struct sandbox *sb = sandbox_new(sh->session, arg_text(a, "NAME"), err);

	if (!sb)
		return -1;
	return like ? sandbox_like(sb, like->object, err) : 0;
}

static int run_use(struct shell *sh, const struct args *a, struct err *err)
{
	(void)err;
	sh->session->current = arg(a, "NAME")->object;
	return 0;
}

static int run_rename(struct shell *sh, const struct args *a, struct err *err)
{
	const struct value *of = arg(a, "OLD");
	struct sandbox *sb = of ? of->object : shell_sandbox(sh, err);

	return sb ? sandbox_rename(sb, arg_text(a, "NAME"), err) : -1;
}

static int run_rm(struct shell *sh, const struct args *a, struct err *err)
{
	if (arg_has(a, "all")) {
		while (sh->session->n_sandboxes)
			if (sandbox_remove(sh->session->sandboxes[sh->session->n_sandboxes - 1], err) < 0)
				return -1;
		return 0;
	}
	/* By name each time: the same one may have been given twice. */
	for (const struct value *v = arg_next(a, "NAME", NULL); v; v = arg_next(a, "NAME", v)) {
		struct sandbox *sb = sandbox_find(sh->session, v->text, err);
		if (!sb || sandbox_remove(sb, err) < 0)
			return -1;
	}
	return 0;
}

static int run_ls(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "NAME", "name", COL_TEXT },   { NULL, "current", COL_BOOL },      { "PID", "pid", COL_NUMBER },
		{ "ROOT", "root", COL_TEXT },   { "PROCESSES", "processes", COL_NUMBER }, { "OWN NAMESPACES", "own", COL_LIST },
	};
	const struct session *s = sh->session;

	(void)a;
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < s->n_sandboxes; i++) {
		struct sandbox *sb = s->sandboxes[i];
		struct look_process *all = NULL;
		size_t n = 0;
		if (look_processes(sb, &all, &n, err) < 0)
			return -1;
		look_free_processes(all, n);
		table_row(t);
		table_cell(t, sb->name);
		table_cell(t, sb == s->current ? "yes" : "no");
		sb->place.pid ? table_fmt(t, "%d", (int)sb->place.pid) : table_cell(t, NULL);
		table_cell(t, sb->root);
		table_fmt(t, "%zu", n);
		table_cell(t, ns_words(place_flags(&sb->place)));
	}
	if (s->n_sandboxes || sh->json)
		table_print(t, sh->out, sh->json);
	return 0;
}

/* What `show` says, gathered before anything is printed. */
struct picture {
	struct sandbox *sb;
	struct look_process *processes;
	struct mnt_info *mounts;
	struct net_link *links;
	struct net_addr *addrs;
	size_t n_processes, n_mounts, n_links, n_addrs;
	char hostname[65], uid_map[512], gid_map[512];
	struct limit_now limits[LIMIT_KEYS];
};

static void picture_free(struct picture *p)
{
	look_free_processes(p->processes, p->n_processes);
	mnt_free(p->mounts, p->n_mounts);
	free(p->links);
	free(p->addrs);
	for (int k = 0; k < LIMIT_KEYS; k++)
		limit_now_free(&p->limits[k]);
}

static void read_map(pid_t pid, const char *name, char *to, size_t room)
{
	_cleanup_buf_ struct buf text = { 0 };
	char path[64];
	size_t n = 0;
	bool blank = true;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	if (io_slurp(-100 /* AT_FDCWD */, path, 65536, &text) < 0)
		return;
	/* The kernel pads its columns; one blank between numbers, a semicolon between lines. */
	for (const char *c = buf_text(&text); *c && n + 3 < room; c++) {
		if (*c == '\n' && c[1]) {
			to[n++] = ';';
			blank = false;
		}
		if (*c == ' ' || *c == '\n') {
			if (!blank)
				to[n++] = ' ';
			blank = true;
		} else {
			to[n++] = *c;
			blank = false;
		}
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

static int gather(struct sandbox *sb, struct picture *p, struct err *err)
{
	const struct net_api *net;

	p->sb = sb;
	if (!sb->place.pid)
		return 0;
	if (look_processes(sb, &p->processes, &p->n_processes, err) < 0 || mnt_list(sb->place.pid, &p->mounts, &p->n_mounts, err) < 0)
		return -1;
	/* The host's links are many and no news. */
	if (sb->place.own[NS_NET]) {
		net = net_api(err);
		if (!net || net->links(&sb->place, &p->links, &p->n_links, err) < 0 ||
		    net->addrs(&sb->place, NULL, &p->addrs, &p->n_addrs, err) < 0)
			return -1;
	}
	if (look_hostname(sb, p->hostname, sizeof p->hostname, err) < 0)
		return -1;
	if (sb->place.own[NS_USER]) {
		read_map(sb->place.pid, "uid_map", p->uid_map, sizeof p->uid_map);
		read_map(sb->place.pid, "gid_map", p->gid_map, sizeof p->gid_map);
	}
	for (int k = 0; k < LIMIT_KEYS; k++)
		if (limits_get(sb, &limit_keys[k], &p->limits[k], err) < 0)
			return -1;
	return 0;
}

static bool limited(const struct picture *p, int k)
{
	return p->limits[k].words && p->limits[k].n != INT64_MAX;
}

static void addresses(const struct picture *p, int link, struct buf *b)
{
	for (size_t i = 0; i < p->n_addrs; i++)
		if (p->addrs[i].index == link)
			buf_fmt(b, "%s%s", b->len ? " " : "", p->addrs[i].cidr);
}

static void show_json(const struct picture *p, FILE *out)
{
	struct json j = { .out = out };
	const struct sandbox *sb = p->sb;

	json_open(&j, '{');
	json_key(&j, "name"), json_str(&j, sb->name);
	json_key(&j, "pid"), json_int(&j, sb->place.pid);
	json_key(&j, "root"), json_str(&j, sb->root);
	json_key(&j, "hostname"), json_str(&j, p->hostname);
	json_key(&j, "namespaces"), json_open(&j, '[');
	for (int k = 0; k < NS_KINDS; k++) {
		json_open(&j, '{');
		json_key(&j, "kind"), json_str(&j, ns_table[k].name);
		json_key(&j, "own"), json_bool(&j, sb->place.own[k]);
		json_key(&j, "joined"), json_bool(&j, sb->place.joined[k]);
		json_key(&j, "id"), json_int(&j, (int64_t)look_ns(sb, (enum ns_kind)k));
		json_key(&j, "owner"), json_int(&j, (int64_t)look_owner(sb, (enum ns_kind)k));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_key(&j, "uid_map"), json_str(&j, p->uid_map[0] ? p->uid_map : NULL);
	json_key(&j, "gid_map"), json_str(&j, p->gid_map[0] ? p->gid_map : NULL);
	json_key(&j, "mounts"), json_int(&j, (int64_t)p->n_mounts);
	json_key(&j, "links"), json_open(&j, '[');
	for (size_t i = 0; i < p->n_links; i++) {
		_cleanup_buf_ struct buf b = { 0 };
		addresses(p, p->links[i].index, &b);
		json_open(&j, '{');
		json_key(&j, "name"), json_str(&j, p->links[i].name);
		json_key(&j, "kind"), json_str(&j, p->links[i].kind);
		json_key(&j, "up"), json_bool(&j, p->links[i].up);
		json_key(&j, "addresses"), json_str(&j, buf_text(&b));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_key(&j, "limits"), json_open(&j, '{');
	for (int k = 0; k < LIMIT_KEYS; k++)
		if (limited(p, k))
			json_key(&j, limit_keys[k].name), json_str(&j, p->limits[k].words);
	json_close(&j, '}');
	json_key(&j, "programs"), json_open(&j, '{');
	for (int k = 0; k < PRIV_KEYS; k++)
		if (sb->place.privileges[k])
			json_key(&j, privilege_table[k].name), json_str(&j, sb->place.privileges[k]);
	json_close(&j, '}');
	json_key(&j, "processes"), json_int(&j, (int64_t)p->n_processes);
	json_close(&j, '}');
}

static void show_namespaces(const struct picture *p, FILE *out)
{
	const struct sandbox *sb = p->sb;
	unsigned long user = look_ns(NULL, NS_USER);

	for (int k = 0; k < NS_KINDS; k++) {
		unsigned long owner = look_owner(sb, (enum ns_kind)k);
		fprintf(out, "  %-7s %-11lu %s", ns_table[k].name, look_ns(sb, (enum ns_kind)k), sb->place.joined[k] ? "joined" : sb->place.own[k] ? "own   " : "host's");
		fprintf(out, "  %s", ns_table[k].isolates);
		if (owner && owner != user)
			fprintf(out, " (owner: user namespace %lu)", owner);
		fputc('\n', out);
	}
}

/* What programs are started with. */
static void show_programs(const struct sandbox *sb, FILE *out)
{
	bool any = false;

	for (int k = 0; k < PRIV_KEYS; k++) {
		const char *value = sb->place.privileges[k];
		_cleanup_buf_ struct buf b = { 0 };
		if (!value)
			continue;
		privilege_words((enum privilege)k, value, &b);
		fprintf(out, "%s%s %s", any ? ", " : "", privilege_table[k].name, buf_text(&b));
		any = true;
	}
	fprintf(out, "%s", any ? "" : "as its first process");
}

static void show_text(const struct picture *p, FILE *out)
{
	const struct sandbox *sb = p->sb;
	const char *own = ns_words(place_flags(&sb->place));
	bool any = false;

	fprintf(out, "%s: ", sb->name);
	if (*own)
		fprintf(out, "own namespaces: %s; ", own);
	else
		fprintf(out, "shares all 8 namespaces with the host; ");
	fprintf(out, "first process %d\n", (int)sb->place.pid);
	show_namespaces(p, out);
	fprintf(out, "root:      ");
	buf_print(out, sb->root ? sb->root : "the host's");
	fprintf(out, "\nhost name: ");
	buf_print(out, p->hostname);
	fputc('\n', out);
	if (sb->place.own[NS_USER])
		fprintf(out, "ids:       uid %s, gid %s\n", p->uid_map[0] ? p->uid_map : "not mapped yet",
			p->gid_map[0] ? p->gid_map : "not mapped yet");
	fprintf(out, "mounts:    %zu (mounts lists them)\n", p->n_mounts);
	fprintf(out, "links:     %s", sb->place.own[NS_NET] ? "" : "the host's");
	for (size_t i = 0; i < p->n_links; i++) {
		_cleanup_buf_ struct buf b = { 0 };
		addresses(p, p->links[i].index, &b);
		fputs(i ? ", " : "", out);
		buf_print(out, p->links[i].name);
		fprintf(out, " %s%s%s", p->links[i].up ? "up" : "down", b.len ? " " : "", buf_text(&b));
	}
	fprintf(out, "\nlimits:    ");
	for (int k = 0; k < LIMIT_KEYS; k++)
		if (limited(p, k)) {
			fprintf(out, "%s%s %s", any ? ", " : "", limit_keys[k].name, p->limits[k].words);
			any = true;
		}
	fprintf(out, "%s\nprograms:  ", any ? "" : "none");
	show_programs(sb, out);
	fprintf(out, "\nprocesses: %zu%s\n", p->n_processes, p->n_processes ? " (ps lists them)" : "");
}

static int run_show(struct shell *sh, const struct args *a, struct err *err)
{
	const struct value *named = arg(a, "NAME");
	struct sandbox *sb = named ? named->object : shell_sandbox(sh, err);
	_cleanup_(picture_free) struct picture p = { .sb = sb };

	if (sb && arg_has(a, "--gaps"))
		return gaps_show(sh, sb, err);
	if (!sb || gather(sb, &p, err) < 0)
		return -1;
	if (sh->json)
		show_json(&p, sh->out);
	else
		show_text(&p, sh->out);
	return 0;
}

const struct command cmd_sandboxes[] = {
	{ "new", "sandboxes", "make a sandbox", "NAME:newname [like OTHER:sandbox]",
	  "A sandbox begins as one small process that shares everything with the host; commands take it apart from the host one piece at a time. "
	  "It becomes the current one. With *like* it gets what another has: the same kinds of namespaces, the same root, limits, variables and privileges.",
	  "new web\nshow\n", 0, run_new },
	{ "use", "sandboxes", "go to another sandbox", "NAME:sandbox",
	  "The commands that follow act on it. For a single command write `@NAME command` instead.", "new a\nnew b\nuse a\n@b show\n",
	  CMD_OUTSIDE | CMD_NO_UNDO, run_use },
	{ "ls", "sandboxes", "list the sandboxes", "", "With the process that holds each, its root, and the namespaces of its own.",
	  "new a\nnew b\nls\n", CMD_OUTSIDE | CMD_NO_UNDO, run_ls },
	{ "show", "sandboxes", "show what is isolated and what is shared", "[NAME:sandbox] [--gaps]",
	  "All eight kinds of namespaces with their ids (as `ls -l /proc/PID/ns` shows them) and owners, the root, ids, mounts, links, limits, what "
	  "programs are started with, and processes, as the kernel says now.\n\n"
	  "*--gaps* compares it with what Docker and bubblewrap do by default instead, and names the command that closes each gap; *harden* closes all.",
	  "new web\nunshare net uts\nshow\nshow --gaps\n", CMD_NO_UNDO, run_show },
	{ "rename", "sandboxes", "give a sandbox another name", "[OLD:sandbox to] NAME:newname", "The current one, or the one named first.",
	  "new web\nrename www\nrename www to shop\n", CMD_OUTSIDE | CMD_NO_UNDO, run_rename },
	{ "rm", "sandboxes", "remove sandboxes and all that is in them", "(all | NAME:sandbox...)",
	  "Their processes are killed; namespaces, mounts, links and control groups go with them.", "new a\nnew b\nrm a\nrm all\n",
	  0, run_rm },
	{ .name = NULL },
};
