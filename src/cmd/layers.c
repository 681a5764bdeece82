/*
 * layers.c - layers, changes, commit, reset, cache
 */
#include "config.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/cache.h"
#include "sandbox/root.h"
#include "sandbox/upper.h"

static void number_or_none(struct table *t, int64_t n)
{
	if (n < 0)
		table_cell(t, NULL);
	else
		table_fmt(t, "%" PRId64, n);
}

static int run_layers(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "LAYER", "layer", COL_TEXT },   { "KIND", "kind", COL_TEXT }, { "BYTES", "bytes", COL_NUMBER },
		{ "FILES", "files", COL_NUMBER }, { "MOST", "most", COL_NUMBER }, { "DIRECTORY", "directory", COL_TEXT },
	};
	struct sandbox *sb = shell_sandbox(sh, err);
	struct upper_layer *layers;
	size_t n;

	(void)a;
	if (!sb || upper_layers(sb, &layers, &n, err) < 0)
		return -1;
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, layers[i].what);
		table_cell(t, layers[i].kind);
		number_or_none(t, layers[i].bytes);
		number_or_none(t, layers[i].files);
		number_or_none(t, layers[i].most ? layers[i].most : -1);
		table_cell(t, layers[i].path);
	}
	upper_free_layers(layers, n);
	table_print(t, sh->out, sh->json);
	return 0;
}

static const char *type_word(mode_t type)
{
	static const struct { mode_t type; const char *word; } types[] = {
		{ S_IFREG, "file" },  { S_IFDIR, "directory" }, { S_IFLNK, "link" },  { S_IFIFO, "fifo" },
		{ S_IFSOCK, "socket" }, { S_IFCHR, "device" },  { S_IFBLK, "device" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].word;
	return NULL;
}

static int run_changes(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = {
		{ "CHANGE", "change", COL_TEXT }, { "HOW", "how", COL_TEXT },   { "TYPE", "type", COL_TEXT },
		{ "BYTES", "bytes", COL_NUMBER }, { "PATH", "path", COL_TEXT }, { NULL, "from", COL_TEXT },
	};
	static const char *const words[] = { [MNT_ADDED] = "added", [MNT_MODIFIED] = "modified", [MNT_DELETED] = "deleted" };
	struct sandbox *sb = shell_sandbox(sh, err);
	struct mnt_change *changes;
	size_t n;

	(void)a;
	if (!sb || upper_changes(sb, &changes, &n, err) < 0)
		return -1;
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < n; i++) {
		const struct mnt_change *c = &changes[i];
		table_row(t);
		table_cell(t, words[c->kind]);
		table_cell(t, c->how);
		table_cell(t, type_word(c->type));
		number_or_none(t, S_ISREG(c->type) ? c->size : -1);
		table_cell(t, c->path);
		table_cell(t, c->from);
	}
	mnt_free_changes(changes, n);
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_commit(struct shell *sh, const struct args *a, struct err *err)
{
	static const char *const ends[] = { ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst" };
	struct sandbox *sb = shell_sandbox(sh, err);
	const char *to = arg_text(a, "TO");
	_cleanup_free_ char *digest = NULL;
	bool archive = false;
	int64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		archive = archive || ends_with(to, ends[i]);
	if (!sb || upper_commit(sb, to, !archive, &digest, &bytes, err) < 0)
		return -1;
	if (digest)
		fprintf(sh->out, "sha256:%s\n", digest);
	return 0;
}

static int run_reset(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	(void)a;
	return sb ? sandbox_reset(sb, err) : -1;
}

static int list_cache(struct shell *sh, struct err *err)
{
	static const struct column columns[] = {
		{ "LAYER", "layer", COL_TEXT }, { "BYTES", "bytes", COL_NUMBER }, { "FILES", "files", COL_NUMBER }, { "FROM", "from", COL_TEXT },
	};
	struct cache_entry *entries;
	size_t n;

	if (cache_list(&entries, &n, err) < 0)
		return -1;
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < n; i++) {
		table_row(t);
		if (sh->json)
			table_cell(t, entries[i].name);
		else
			table_fmt(t, "%.16s", entries[i].name);
		table_fmt(t, "%" PRId64, entries[i].bytes);
		table_fmt(t, "%" PRId64, entries[i].entries);
		table_cell(t, entries[i].archive);
	}
	cache_free(entries, n);
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_cache(struct shell *sh, const struct args *a, struct err *err)
{
	const char *which = arg_text(a, "LAYER");
	size_t n;

	if (!arg_has(a, "rm"))
		return list_cache(sh, err);
	if (which && strspn(which, "0123456789abcdef") != strlen(which))
		return err_usage(err, "%.100s is no beginning of a digest", which);
	return cache_remove(sh->session, which, &n, err);
}

const struct command cmd_layers[] = {
	{ .name = "layers", .group = "file system", .brief = "list the layers of the sandbox's root",
	  .grammar = "",
	  .text = "The topmost first: a file is found in the first layer that has it. BYTES is the room it takes, in blocks of its file system, and "
		  "MOST what it may take. Of the host's root, and of busybox's small one, nothing is counted. What is mounted inside is no layer: "
		  "see *mounts*.",
	  .examples = "new web ; unshare mnt pid\nroot busybox size 16M\nrun sh -c 'echo hello > /motd'\nlayers",
	  .flags = CMD_NO_UNDO,
	  .run = run_layers },
	{ .name = "changes", .group = "file system", .brief = "list what was changed in the sandbox's root",
	  .grammar = "",
	  .text = "Read from the upper layer, in order of paths. HOW tells what the kernel did:\n\n"
		  "*new*: nothing of that name is in the layers below. *copy-up*: it was opened for writing, or its owner, mode or name was changed, so "
		  "all of it was copied to the upper layer first; a directory is copied up, without its contents, when something in it changes. "
		  "*replaced*: it was deleted, and made anew. *whiteout*: it was deleted; a mark in the upper layer hides it. *opaque*: the directory "
		  "was deleted and made anew; a mark on it hides what was in it. *redirect*: the directory was renamed; its contents are still below, under "
		  "the name that `--json` gives as *from*. *metacopy*: only owner, mode or times were copied up.",
	  .examples = "new web ; unshare mnt pid\nroot busybox\nrun sh -c 'echo hello > /motd; rm /etc/group; echo x >> /etc/passwd'\nchanges",
	  .flags = CMD_NO_UNDO,
	  .run = run_changes },
	{ .name = "commit", .group = "file system", .brief = "write what was changed as a layer",
	  .grammar = "TO:path",
	  .text = "TO ending in .tar, .tar.gz (.tgz), .tar.xz or .tar.zst becomes an archive as the OCI image format has it: a deleted file stands in it as "
		  "`.wh.NAME`, a directory that hides what is below has `.wh..wh..opq` in it. The archive's digest is printed. Any other TO becomes a "
		  "directory with the kernel's own marks. *root* takes both as a layer. Owners are as the sandbox numbers them; sockets are "
		  "left out. TO must not be there yet.",
	  .examples = "new web ; unshare mnt pid\nroot busybox\nrun sh -c 'echo hello > /motd; rm /etc/group'\ncommit /tmp/belljar-layer.tar\n"
		      "new web2 ; unshare mnt pid\nroot /tmp/belljar-layer.tar busybox\nrun cat /motd\n!rm /tmp/belljar-layer.tar",
	  .run = run_commit },
	{ .name = "reset", .group = "file system", .brief = "empty the upper layer of the sandbox's root",
	  .grammar = "",
	  .text = "The root is made anew from the same layers, with nothing written to it; what was mounted inside since is gone. A directory given with "
		  "*upper* is emptied too. No program may run in the sandbox. This can't be undone.",
	  .examples = "new web ; unshare mnt pid\nroot busybox\nrun sh -c 'rm -r /bin /etc'\nreset\nrun ls /",
	  .run = run_reset },
	{ .name = "cache", .group = "file system", .brief = "list or remove archives that were unpacked",
	  .grammar = "[ls | rm (all | LAYER)]",
	  .text = "LAYER is the SHA-256 digest of the archive, or the beginning of it; FROM is where it was first found. BYTES counts what was written, with "
		  "something for each file. What is removed is unpacked again when *root* needs it; a sandbox that has it as a layer goes on with what it "
		  "has open, so end that before. This can't be undone.",
	  .examples = "cache ls",
	  .flags = CMD_NO_UNDO,
	  .run = run_cache },
	{ .name = NULL },
};
