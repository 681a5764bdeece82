/*
 * can.c - command: can
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "kern/capability.h"
#include "kern/filter.h"
#include "sandbox/can.h"
#include "sandbox/look.h"

/* What may be asked for: an operation of the table, a capability, a system call. */

static const struct can_operation *find_operation(const char *name)
{
	const struct can_operation *o;

	for (size_t i = 0; (o = can_operation(i)); i++)
		if (streq(o->name, name))
			return o;
	return NULL;
}

/* The name of the one capability that WORD means; NULL when it means none or several. */
static const char *one_capability(const char *word)
{
	uint64_t mask;

	if (capability_parse(word, &mask) < 0 || !mask || (mask & (mask - 1)))
		return NULL;
	int i = __builtin_ctzll(mask);
	return i < CAPABILITIES ? capability_names[i] : NULL;
}

static int parse_asked(struct shell *sh, struct value *v, struct err *err)
{
	const struct filter_api *api;

	(void)sh;
	if (find_operation(v->text) || one_capability(v->text) || ((api = filter_api(NULL)) && api->known(v->text)))
		return 0;
	_cleanup_buf_ struct buf shown = { 0 };
	buf_visible(&shown, v->text);
	return err_usage(err, "%.60s is no operation that can knows, no capability and no system call", buf_text(&shown));
}

static void complete_asked(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	const struct can_operation *o;

	(void)sh;
	for (size_t i = 0; (o = can_operation(i)); i++)
		if (starts_with(o->name, prefix))
			add(arg, o->name);
	for (size_t i = 0; i < CAPABILITIES; i++)
		if (starts_with(capability_names[i], prefix))
			add(arg, capability_names[i]);
}

const struct type can_asked = { .name = "asked", .what = "an operation such as mount, a capability such as net_raw, or a system call",
				.parse = parse_asked, .complete = complete_asked };

/* INNER as the sandbox numbers its processes. 0 with err. */
static pid_t find_process(struct sandbox *sb, int64_t inner, struct err *err)
{
	struct look_process *all;
	size_t n;
	pid_t found = 0;

	if (look_processes(sb, &all, &n, err) < 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (all[i].inner == inner)
			found = all[i].pid;
	look_free_processes(all, n);
	if (!found) {
		err_set(err, 0, "%lld: no such process in %s", (long long)inner, sb->name);
		err_try(err, "ps");
	}
	return found;
}

static void print(struct shell *sh, const struct can *c)
{
	struct json j = { .out = sh->out };

	if (!sh->json) {
		fprintf(sh->out, "%s\n", c->yes ? "yes" : "no");
		for (size_t i = 0; i < c->n; i++)
			fprintf(sh->out, "  %s\n", c->reasons[i]);
		return;
	}
	json_open(&j, '{');
	json_key(&j, "can"), json_bool(&j, c->yes);
	json_key(&j, "reasons"), json_open(&j, '[');
	for (size_t i = 0; i < c->n; i++)
		json_str(&j, c->reasons[i]);
	json_close(&j, ']');
	json_close(&j, '}');
}

static int run_can(struct shell *sh, const struct args *a, struct err *err)
{
	const struct value *name = arg(a, "NAME"), *other = arg(a, "OTHER"), *pid = arg(a, "PID"), *kind = arg(a, "KIND");
	struct sandbox *sb = name ? name->object : shell_sandbox(sh, err);
	const char *asked = arg_text(a, "WHAT");
	const struct can_operation *known = find_operation(asked);
	struct can_operation what = { asked, one_capability(asked), OVER_OWN, NULL, 0 };
	struct can_object on = { other ? other->object : NULL, arg_has(a, "host"), -1 };
	struct can c;

	if (known)
		what = *known;
	else if (!what.capability)
		what.call = asked;
	if (!sb)
		return -1;
	for (int k = 0; kind && k < NS_KINDS; k++)
		on.kind = kind->num == (int64_t)ns_table[k].flag ? k : on.kind;
	if (kind && on.kind < 0)
		return err_usage(err, "one kind of namespace only");
	if (on.sb && on.kind < 0 && what.over < 0) {
		err_usage(err, "say which namespace of %s is meant", on.sb->name);
		return err_try(err, "can %s %s on net of %s", sb->name, asked, on.sb->name);
	}
	pid_t process = pid && !sh->session->gate.dry ? find_process(sb, pid->num, err) : 0;
	if ((pid && !process && !sh->session->gate.dry) || can_ask(sb, process, &what, &on, &c, err) < 0)
		return -1;
	print(sh, &c);
	can_free(&c);
	return 0;
}

const struct command cmd_can[] = {
	{
		.name = "can",
		.group = "privileges",
		.brief = "tell whether a program may do something, and why",
		.grammar = "[NAME:sandbox | PID:number] WHAT:asked [on (host | OTHER:sandbox | KIND:kind [of OTHER:sandbox])]",
		.text =
			"Answers `yes` or `no` with what it rests on or what stands in its way: the filter of system calls; which user namespace owns the "
			"namespace that is changed, and whether capabilities count there; the effective, permitted and bounding sets; no new privileges; "
			"the paths it is limited to; and the label of a security module whose policy belljar can't ask. It is asked for the next program of the current sandbox, or "
			"of NAME, or for the process PID as the sandbox numbers it.\n\n"
			"WHAT is an operation: `mount` `umount` `pivot-root` `chroot` `hostname` `unshare` `unshare-user` `links` (change links, addresses, "
			"routes) `raw-socket` `low-port` `reboot` `setuid` `setgroups` `chown` `mknod` `settime` `module` `syslog` `swapon`; or a "
			"capability; or a system call, for which only the filter is asked. A capability is asked for in the program's own user namespace, "
			"or *on* the namespace of a KIND, the *host*, or another sandbox.",
		.examples =
			"new web\nunshare docker user\nmap auto\ncap set docker\n"
			"can mount\ncan web raw-socket\ncan net_admin on net\ncan sys_time on host\ncan web getppid\n",
		.flags = CMD_NO_UNDO,
		.run = run_can,
	},
	{ .name = NULL },
};
