/*
 * devices.c - command: device
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/devices.h"

static int parse_access(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	if (*v->text && strlen(v->text) <= 3 && strspn(v->text, "rwm") == strlen(v->text))
		return 0;
	_cleanup_buf_ struct buf shown = { 0 };
	buf_visible(&shown, v->text);
	return err_usage(err, "%.100s is no kind of access: use the letters r (read), w (write), m (make a node)", buf_text(&shown));
}

const struct type devices_access = { .name = "access", .what = "letters of rwm: read, write, make a node", .parse = parse_access };

/* "deny c 1:3 rw; allow ..." as rows, the first that holds at the top. */
static void list_rules(struct shell *sh, const struct sandbox *sb)
{
	static const struct column columns[] = {
		{ "RULE", "rule", COL_TEXT }, { "DEVICE", "device", COL_TEXT }, { "ACCESS", "access", COL_TEXT },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ char *copy = xstrdup(sb->place.devices ? sb->place.devices : "allow a *:* rwm");
	char *last;

	do {
		last = strrchr(copy, ';');
		char *rule = last ? last + 2 : copy, *word = strsep(&rule, " "), *kind = strsep(&rule, " "), *number = strsep(&rule, " ");
		table_row(t);
		table_cell(t, word);
		*kind == 'a' ? table_cell(t, "all") : table_fmt(t, "%s:%s", kind, number);
		table_cell(t, rule);
		if (last)
			*last = '\0';
	} while (last);
	table_print(t, sh->out, sh->json);
}

static int run_device(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	_cleanup_buf_ struct buf rules = { 0 };
	const char *access = arg_text(a, "ACCESS");
	bool allow = arg_has(a, "allow");

	if (!sb)
		return -1;
	if (a->n == 0) {
		list_rules(sh, sb);
		return 0;
	}
	if (arg_has(a, "free"))
		return devices_set(sb, NULL, err);
	for (const struct value *v = arg_next(a, "DEVICE", NULL); v; v = arg_next(a, "DEVICE", v))
		if (devices_rule(&rules, allow, v->text, access, err) < 0)
			return -1;
	return devices_set(sb, buf_text(&rules), err);
}

const struct command cmd_devices[] = {
	{
		.name = "device",
		.group = "limits",
		.brief = "say which devices programs may use, or list the rules",
		.grammar = "[free | (allow | deny) DEVICE:path... [for ACCESS:access]]",
		.text =
			"A *DEVICE* is a device node of the host, `c:1:3` or `b:7:*` (character or block device, major and minor number, `*` for any), `all`, or "
			"`usual`: null, zero, full, random, urandom, the terminals. *ACCESS* is one or more of the letters r, w and m (make a node with "
			"mknod); without it, all three. A later rule goes before an earlier one; what no rule speaks of is allowed. *free* takes all "
			"rules away. Without arguments the rules are listed, the last one first. Network devices are links: *interface* makes them.\n\n"
			"The kernel asks when a device is opened or a node made: what is open already stays open. On control groups version 2 the rules are a "
			"program that is attached to the sandbox's group (BPF, for root only); on version 1 lines of devices.allow and devices.deny, where an "
			"exception from a rule with `*` can't be had and is refused.",
		.examples =
			"new web\n"
			"device deny all\n"
			"device allow usual\n"
			"device deny /dev/zero for w\n"
			"device\n"
			"run head -c 1 /dev/zero > /dev/null\n",
		.run = run_device,
	},
	{ .name = NULL },
};
