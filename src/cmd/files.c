/*
 * files.c - root, mount, bind, tmpfs, umount
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/files.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/root.h"

enum { TMPFS_SIZE = 64 * 1024 * 1024, TMPFS_LEAST = 4096 };

/* Types */

static int parse_inside(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	if (v->text[0] != '/')
		return err_usage(err, "%s: a path inside begins with /", v->text);
	for (const char *c = v->text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return err_usage(err, "%s: no control characters in a path inside", v->text);
	for (const char *part = v->text; (part = strstr(part, "/..")); part += 3)
		if (!part[3] || part[3] == '/')
			return err_usage(err, "%s: no .. in a path inside", v->text);
	return 0;
}

static int parse_options(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	if (v->text[0] == '/' || !v->text[0])
		return err_usage(err, "%s: options are words such as ro,size=1m", v->text);
	return 0;
}

static int parse_mode(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	if (strspn(v->text, "01234567") != strlen(v->text) || !v->text[0] || strlen(v->text) > 5)
		return err_usage(err, "%s: a mode is octal, such as 1777", v->text);
	v->num = strtol(v->text, NULL, 8);
	return v->num <= 07777 ? 0 : err_usage(err, "%s: a mode is at most 7777", v->text);
}

const struct type files_inside = { .name = "inside", .what = "a path inside, such as /mnt", .parse = parse_inside };
const struct type files_options = { .name = "options", .what = "options, such as ro,size=1m", .parse = parse_options };
const struct type files_mode = { .name = "mode", .what = "an octal mode, such as 1777", .parse = parse_mode };

/* Commands */

void files_take_layers(const struct args *a, struct root_wish *w)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct value *v = &a->values[i];
		if (streq(v->name, "host") || streq(v->name, "busybox"))
			*GROW(&w->layers, &w->n) = xstrdup(v->name);
		else if (streq(v->name, "LAYER"))
			*GROW(&w->layers, &w->n) = strchr(v->text, '/') ? xstrdup(v->text) : xasprintf("./%s", v->text);
	}
}

void files_free_layers(struct root_wish *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->layers[i]);
	free(w->layers);
}

uint64_t files_attributes(const struct args *a)
{
	static const char *const words[] = { "ro", "noexec", "nosuid", "nodev" };
	uint64_t attributes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		attributes |= arg_has(a, words[i]) ? sandbox_mount_attribute(words[i]) : 0;
	return attributes;
}

/* What is in it is nobody's inside then. */
static void say_unshifted(struct shell *sh, const struct sandbox *sb)
{
	_cleanup_free_ char *type = NULL;
	const char *layer;

	if (!sh->json && sandbox_root_unshifted(sb, &layer, &type))
		fprintf(sh->out, "note: %s is on %s, which can't show its owners as %s numbers users: inside, its files are nobody's\n"
			"  try: !cp -a %s COPY, on ext4, xfs or btrfs, and root COPY; or !tar -C %s -cf COPY.tar . and root COPY.tar\n",
			layer, type, sb->name, layer, layer);
}

static int run_root(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	struct root_wish wish = {
		.mode = arg_has(a, "ro") ? ROOT_READ_ONLY : arg_has(a, "rw") ? ROOT_WRITES_REACH : ROOT_KEPT_APART,
		.upper = (char *)arg_text(a, "DIR"),
		.image = arg_has(a, "image"),
		.size = arg_num(a, "SIZE", 0),
		.unpack = arg_num(a, "BYTES", 0),
		.devices = arg_has(a, "devices"),
		.chroot = arg_has(a, "chroot"),
	};

	if (!sb)
		return -1;
	if (arg_has(a, "SIZE") && wish.size == 0)
		return err_usage(err, "size 0 leaves no room");
	if (arg_has(a, "ro") && arg_has(a, "rw"))
		return err_usage(err, "ro and rw exclude one another");
	files_take_layers(a, &wish);
	int result = sandbox_root(sb, &wish, err);
	files_free_layers(&wish);
	if (result == 0)
		say_unshifted(sh, sb);
	return result;
}

static int run_mount(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	return sb ? sandbox_mount(sb, arg_text(a, "TYPE"), arg_text(a, "SOURCE"), arg_text(a, "DST"), arg_text(a, "OPTIONS"), err) : -1;
}

static int run_bind(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	uint64_t attributes = files_attributes(a);

	if (sb && arg_has(a, "idmap") && !sb->place.mapped) {
		err_set(err, EINVAL, "%s: it numbers users as the host does", sb->name);
		return err_try(err, "unshare user, map auto, then bind with idmap; or bind without it");
	}
	return sb ? sandbox_bind(sb, arg_text(a, "SRC"), arg_text(a, "DST"), attributes, arg_has(a, "rec"), arg_has(a, "idmap"), err) : -1;
}

static int run_tmpfs(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	int64_t size = arg_num(a, "SIZE", TMPFS_SIZE), files = size / 4096 + 1024;
	char options[160];

	if (!sb)
		return -1;
	if (size < TMPFS_LEAST)
		return err_usage(err, "a size of %" PRId64 " bytes leaves no room; %d are the least", size, TMPFS_LEAST);
	/* The number of files is bounded as well: each takes memory that `size` does not count. */
	snprintf(options, sizeof options, "nosuid,nodev,size=%" PRId64 ",nr_inodes=%" PRId64 ",mode=%" PRIo64, size, files,
		 arg_num(a, "MODE", 01777));
	return sandbox_mount(sb, "tmpfs", NULL, arg_text(a, "DST"), options, err);
}

static int run_umount(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	return sb ? sandbox_umount(sb, arg_text(a, "DST"), arg_has(a, "lazy"), err) : -1;
}

const struct command cmd_files[] = {
	{ .name = "root", .group = "file system", .brief = "give the sandbox another root",
	  .grammar = "(host | busybox | LAYER:path)... [ro | rw | upper (tmpfs | image | DIR:path) | size SIZE:size | unpack BYTES:size | devices | chroot]...",
	  .text = "*host* is the host's own root, *busybox* a small root made from the host's static busybox, LAYER a directory or a tar archive "
		  "(plain, gzip, bzip2, xz or zstd) on the host. Several lie on one another, the first on top: a file is found in the topmost "
		  "layer that has it or a mark that it is deleted. belljar-files(7) tells how that works.\n\n"
		  "What is written goes to an upper layer: in memory, at most SIZE (256M if not said), and thrown away with the sandbox; with "
		  "*upper image* to a file system of SIZE (1G if not said, some of it for the file system itself) in a file on the host's disk, which goes "
		  "with the sandbox too; or with *upper* DIR in the directory `upper` of DIR, where it stays. With *ro* nothing can be written. With *rw* the one directory itself is "
		  "the root, and writes reach it; the directories to mount on are made in it.\n\n"
		  "The new root gets /proc, a small /dev, and a read-only /sys if the sandbox has a net namespace. Only the file system of the "
		  "directory itself is shown, not what is mounted below it. The old root can't be reached any more, so this can't be undone, and "
		  "no program may run in the sandbox meanwhile. It needs a mnt namespace.\n\n"
		  "With *chroot* the new root is put together at its place in the old one, and only the sandbox's programs are locked into it, with chroot(2). "
		  "That is for teaching: the old root is still there, and whoever is root inside can get out to it. belljar-files(7) shows how.\n\n"
		  "Without root, *host* is put together from an overlay for each directory of `/`; a directory with other mounts below it is shown with "
		  "them, read-only. What belongs to other users can be read if they let you, not changed.\n\n"
		  "If the sandbox has a user namespace, map its ids first. The root's files then belong inside to whom they belong outside: what is "
		  "the host's root's is the sandbox's root's, to read and, where writes are kept, to change. Without a map they are nobody's.\n\n"
		  "An archive is unpacked once, into `$BELLJAR_CACHE` or else /var/cache/belljar (for others than root ~/.cache/belljar), and is found "
		  "there the next time, until *cache rm* removes it. It may hold BYTES, 4G if not said. "
		  "Nothing is written outside of its directory whatever its names and links say; device nodes are left out unless *devices* asks for "
		  "them; `.wh.NAME` marks a file of the layers below as deleted. `FILE@sha256:DIGEST` is refused unless the file has that digest.",
	  .examples = "new web ; unshare mnt pid\nroot busybox size 16M\nrun ls /\n!mkdir -p /tmp/belljar-top && echo hello > /tmp/belljar-top/motd\n"
		      "root /tmp/belljar-top busybox\nrun cat /motd\n!rm -r /tmp/belljar-top",
	  .run = run_root },
	{ .name = "mount", .group = "file system", .brief = "mount a file system inside",
	  .grammar = "TYPE [SOURCE] DST:inside [OPTIONS:options]",
	  .text = "TYPE is a type the kernel knows, SOURCE what it is on. OPTIONS stand between commas: `ro`, `nosuid`, `nodev`, `noexec`, `noatime` "
		  "and those of the type. DST is made if it is not there and the sandbox has a root of its own.\n\n"
		  "For *overlay*, SOURCE names the lower directories on the host, with colons between them, the topmost first; writes go to memory "
		  "(`size=`, in bytes) and are thrown away. The file system is made on the host and attached inside; proc, sysfs and mqueue are made "
		  "inside, because they show the namespaces of whoever makes them.",
	  .examples = "new web ; unshare mnt\nroot host\nmount tmpfs /mnt size=1m,noexec\nmount overlay /usr /mnt/usr\nmounts",
	  .run = run_mount },
	{ .name = "bind", .group = "file system", .brief = "show a file or directory of the host inside",
	  .grammar = "SRC:path DST:inside [ro | rec | noexec | nosuid | nodev | idmap]...",
	  .text = "With *ro* it can't be written to, with *noexec* no program in it be started, with *nosuid* none gains privileges, with *nodev* no "
		  "device node be used. With *rec* what is mounted below SRC is shown as well. DST is made if it is not there "
		  "and the sandbox has a root of its own. Owners are shown as the host numbers them, or with *idmap* as the sandbox does: what is "
		  "root's on the host is root's inside, to read and to write, and nothing is changed on the disk. That is for a sandbox with a mapped "
		  "user namespace, and not every file system can do it.",
	  .examples = "new web ; unshare mnt\nroot host\nbind /etc /mnt/etc ro noexec",
	  .run = run_bind },
	{ .name = "tmpfs", .group = "file system", .brief = "mount an empty file system in memory inside",
	  .grammar = "DST:inside [size SIZE:size | mode MODE:mode]...",
	  .text = "It holds 64M if SIZE is not given; the root directory's mode is 1777 if MODE is not given.",
	  .examples = "new web ; unshare mnt\ntmpfs /mnt size 1M mode 700",
	  .run = run_tmpfs },
	{ .name = "umount", .group = "file system", .brief = "unmount inside",
	  .grammar = "DST:inside [lazy]",
	  .text = "With *lazy* it goes from the tree at once, and really when the last program has left it.",
	  .examples = "new web ; unshare mnt\ntmpfs /mnt\numount /mnt",
	  .run = run_umount },
	{ .name = NULL },
};
