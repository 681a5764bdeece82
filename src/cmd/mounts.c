/*
 * mounts.c - overlay, volume, remount, propagate, mounts
 */
#include "config.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/files.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/mounts.h"
#include "sandbox/root.h"

static int run_overlay(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	struct root_wish wish = {
		.mode = arg_has(a, "ro") ? ROOT_READ_ONLY : ROOT_KEPT_APART,
		.upper = (char *)arg_text(a, "DIR"),
		.image = arg_has(a, "image"),
		.size = arg_num(a, "SIZE", 0),
	};

	if (!sb)
		return -1;
	files_take_layers(a, &wish);
	int result = mounts_overlay(sb, arg_text(a, "DST"), &wish, err);
	files_free_layers(&wish);
	return result;
}

static int list_volumes(struct shell *sh, struct err *err)
{
	static const struct column columns[] = {
		{ "VOLUME", "volume", COL_TEXT }, { "BYTES", "bytes", COL_NUMBER }, { "FILES", "files", COL_NUMBER },
		{ "USED BY", "used_by", COL_LIST }, { "DIRECTORY", "directory", COL_TEXT },
	};
	struct volume *volumes;
	size_t n;
	int result = volume_list(sh->session, &volumes, &n, err);

	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < n && result == 0; i++) {
		table_row(t);
		table_cell(t, volumes[i].name);
		table_fmt(t, "%" PRId64, volumes[i].bytes);
		table_fmt(t, "%" PRId64, volumes[i].files);
		table_cell(t, volumes[i].used);
		table_cell(t, volumes[i].path);
	}
	volume_free(volumes, n);
	if (result == 0)
		table_print(t, sh->out, sh->json);
	return result;
}

static int run_volume(struct shell *sh, const struct args *a, struct err *err)
{
	uint64_t attributes = files_attributes(a);

	if (arg_has(a, "ls"))
		return list_volumes(sh, err);
	if (arg_has(a, "rm"))
		return volume_remove(sh->session, arg_text(a, "NAME"), err);
	struct sandbox *sb = shell_sandbox(sh, err);
	return sb ? volume_mount(sb, arg_text(a, "NAME"), arg_text(a, "DST"), attributes, err) : -1;
}

static int run_remount(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct { const char *set, *clear; } words[] = { { "ro", "rw" }, { "noexec", "exec" }, { "nosuid", "suid" }, { "nodev", "dev" } };
	struct sandbox *sb = shell_sandbox(sh, err);
	uint64_t set = files_attributes(a), clear = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (arg_has(a, words[i].set) && arg_has(a, words[i].clear))
			return err_usage(err, "%s and %s exclude one another", words[i].set, words[i].clear);
		clear |= arg_has(a, words[i].clear) ? sandbox_mount_attribute(words[i].set) : 0;
	}
	return sb ? mounts_flags(sb, arg_text(a, "DST"), set, clear, err) : -1;
}

static int run_propagate(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	return sb ? mounts_propagate(sb, arg_text(a, "DST"), a->values[1].name, arg_has(a, "rec"), err) : -1;
}

/* What belongs to the mount and what belongs to its file system, as mount(8) shows them: one list that begins with ro or rw. */
static void all_options(struct buf *b, const struct mnt_info *m)
{
	const char *super = m->super;

	buf_str(b, m->options);
	if (strncmp(super, "rw", 2) == 0 || strncmp(super, "ro", 2) == 0)
		super += super[2] == ',' ? 3 : super[2] == '\0' ? 2 : 0;
	if (*super)
		buf_fmt(b, ",%s", super);
}

/* "    /dev/pts": as deep as it stands. */
static char *indented(const struct mounts_row *r)
{
	return xasprintf("%*s%s", 2 * r->depth, "", r->info->target);
}

static char *state_of(const struct mounts_row *r)
{
	struct buf b = { 0 };

	if (r->locked)
		buf_str(&b, "locked");
	if (r->covered)
		buf_fmt(&b, "%scovered by %s", b.len ? ", " : "", r->covered->target);
	return buf_take(&b);
}

static const char *or_none(const char *text)
{
	return *text ? text : NULL;
}

static void row_for_people(struct table *t, const struct mounts_row *r)
{
	_cleanup_buf_ struct buf options = { 0 }, sharing = { 0 };
	_cleanup_free_ char *target = indented(r), *state = state_of(r);

	all_options(&options, r->info);
	buf_str(&sharing, r->info->propagation[0] ? r->info->propagation : "private");
	if (*r->peers)
		buf_fmt(&sharing, ", with %s", r->peers);
	if (*r->masters)
		buf_fmt(&sharing, ", from %s", r->masters);
	table_row(t);
	table_cell(t, target);
	table_cell(t, r->info->type);
	table_cell(t, r->info->source);
	table_cell(t, or_none(state));
	table_cell(t, buf_text(&sharing));
	table_cell(t, buf_text(&options));
}

static void row_for_programs(struct table *t, const struct mounts_row *r)
{
	const struct mnt_info *m = r->info;
	_cleanup_buf_ struct buf options = { 0 };

	all_options(&options, m);
	table_row(t);
	table_cell(t, m->target);
	table_cell(t, m->type);
	table_cell(t, m->source);
	table_cell(t, buf_text(&options));
	table_cell(t, m->propagation[0] ? m->propagation : "private");
	table_cell(t, m->root);
	table_fmt(t, "%d", m->id);
	table_fmt(t, "%d", m->parent);
	table_cell(t, r->locked ? "yes" : "no");
	table_cell(t, r->covered ? r->covered->target : NULL);
	table_cell(t, r->peers);
	table_cell(t, r->masters);
}

static int run_mounts(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column people[] = {
		{ "TARGET", "target", COL_TEXT }, { "TYPE", "type", COL_TEXT },     { "SOURCE", "source", COL_TEXT },
		{ "STATE", "state", COL_TEXT },   { "SHARING", "sharing", COL_TEXT }, { "OPTIONS", "options", COL_TEXT },
	};
	static const struct column programs[] = {
		{ NULL, "target", COL_TEXT },  { NULL, "type", COL_TEXT },        { NULL, "source", COL_TEXT },
		{ NULL, "options", COL_TEXT }, { NULL, "propagation", COL_LIST }, { NULL, "root", COL_TEXT },
		{ NULL, "id", COL_NUMBER },    { NULL, "parent", COL_NUMBER },    { NULL, "locked", COL_BOOL },
		{ NULL, "covered_by", COL_TEXT }, { NULL, "peers", COL_LIST },    { NULL, "masters", COL_LIST },
	};
	struct sandbox *sb = shell_sandbox(sh, err);
	struct mounts_tree tree;

	(void)a;
	if (!sb || mounts_tree(sb, &tree, err) < 0)
		return -1;
	_cleanup_table_ struct table *t = sh->json ? table_new(programs, ARRAY_SIZE(programs)) : table_new(people, ARRAY_SIZE(people));
	for (size_t i = 0; i < tree.n; i++)
		if (tree.rows[i].info)
			sh->json ? row_for_programs(t, &tree.rows[i]) : row_for_people(t, &tree.rows[i]);
	mounts_free_tree(&tree);
	table_print(t, sh->out, sh->json);
	return 0;
}

const struct command cmd_mounts[] = {
	{ .name = "overlay", .group = "file system", .brief = "mount a union of layers inside",
	  .grammar = "DST:inside (host | busybox | LAYER:path)... [ro | upper (tmpfs | image | DIR:path) | size SIZE:size]...",
	  .text = "As *root* does it, but at DST: the first layer is on top, writes go to memory, to an image, or to the directory `upper` of DIR.",
	  .examples = "new web ; unshare mnt\nroot host\n!mkdir -p /tmp/belljar-top && echo hello > /tmp/belljar-top/motd\n"
		      "overlay /mnt/both /tmp/belljar-top /etc\nrun cat /mnt/both/motd /mnt/both/hostname\n!rm -r /tmp/belljar-top",
	  .run = run_overlay },
	{ .name = "volume", .group = "file system", .brief = "show a named directory that outlives sandboxes, list or remove such",
	  .grammar = "ls | rm NAME | NAME DST:inside [ro | noexec | nosuid | nodev]...",
	  .text = "The volume NAME is made if it is not there, and is shown at DST, as *bind* would show it; with the sandbox's own owners if it has a "
		  "mapped user namespace. Volumes lie in `$BELLJAR_VOLUMES`, or else in /var/lib/belljar/volumes (for others than root "
		  "~/.local/share/belljar/volumes), and belong to no session. *rm* removes one with all that is in it, for good; not while a sandbox of "
		  "this session has it.",
	  .examples = "new web ; unshare mnt\nroot host\nvolume belljar-example /data\nrun sh -c 'echo kept > /data/f'\nvolume ls\nrm web\n"
		      "volume rm belljar-example",
	  .run = run_volume },
	{ .name = "remount", .group = "file system", .brief = "change flags of a mount inside",
	  .grammar = "DST:inside [ro | rw | noexec | exec | nosuid | suid | nodev | dev]...",
	  .text = "Only this mount is changed, not its file system. Programs that have a file in it open for writing keep it from becoming read-only.",
	  .examples = "new web ; unshare mnt\nroot host\ntmpfs /mnt\nremount /mnt ro noexec\nremount /mnt rw",
	  .run = run_remount },
	{ .name = "propagate", .group = "file system", .brief = "say who else gets what is mounted in a mount",
	  .grammar = "DST:inside (private | slave | shared | unbindable) [rec]",
	  .text = "*shared*: what is mounted below it appears in its peers, copies of it that were made while it was shared, and the other way round. "
		  "*slave*: the peers' mounts still appear here, not the other way round. *private*: neither. *unbindable*: private, and it can't be "
		  "shown in another place. With *rec* all mounts below DST too. A sandbox's mounts are private from the start.",
	  .examples = "new web ; unshare mnt\nroot host\ntmpfs /mnt\npropagate /mnt shared\nmounts",
	  .run = run_propagate },
	{ .name = "mounts", .group = "file system", .brief = "show what is mounted inside, as a tree",
	  .grammar = "",
	  .text = "A mount stands below the one it is mounted in. Targets are as the sandbox sees them. STATE: *locked*, it came from the host with the "
		  "namespace, which belongs to another user namespace, so it can't be unmounted alone; *covered by*, another mount lies over it, so it can't be "
		  "reached. SHARING: *shared:N* is the number of its peer group, *master:N* that of the group it gets mounts from; with the names of "
		  "the mounts, here, in other sandboxes and on the host, that are in them.",
	  .examples = "new web ; unshare mnt\nmounts",
	  .flags = CMD_NO_UNDO,
	  .run = run_mounts },
	{ .name = NULL },
};
