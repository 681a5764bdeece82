/*
 * privileges.c - commands: cap user nonewprivs securebits umask rlimit allow-path label dumpable
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "kern/capability.h"
#include "kern/landlock.h"
#include "sandbox/look.h"
#include "sandbox/privileges.h"

/* Types */

static int refuse(const struct value *v, const char *what, struct err *err)
{
	_cleanup_buf_ struct buf shown = { 0 };

	buf_visible(&shown, v->text);
	return err_usage(err, "%.60s is not %s", buf_text(&shown), what);
}

static int parse_capability(struct shell *sh, struct value *v, struct err *err)
{
	uint64_t mask;

	(void)sh;
	if (capability_parse(v->text, &mask) < 0)
		return refuse(v, "a capability: use a name such as net_raw, or all, docker, none", err);
	v->num = (int64_t)mask;
	return 0;
}

typedef void (*add_fn)(void *arg, const char *text);

static void complete_names(const char *const *names, size_t n, const char *prefix, add_fn add, void *arg)
{
	for (size_t i = 0; i < n; i++)
		if (starts_with(names[i], prefix))
			add(arg, names[i]);
}

static void complete_capability(struct shell *sh, const char *prefix, add_fn add, void *arg)
{
	static const char *const sets[] = { "all", "docker", "none" };

	(void)sh;
	complete_names(capability_names, CAPABILITIES, prefix, add, arg);
	complete_names(sets, ARRAY_SIZE(sets), prefix, add, arg);
}

static int parse_user(struct shell *sh, struct value *v, struct err *err)
{
	struct privilege_user user;

	(void)sh;
	return privilege_user_parse(v->text, &user, err);
}

static int parse_umask(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	if (!v->text[0] || strspn(v->text, "01234567") != strlen(v->text) || strlen(v->text) > 4 || strtol(v->text, NULL, 8) > 0777)
		return refuse(v, "an octal mask of at most 777, such as 027", err);
	v->num = strtol(v->text, NULL, 8);
	return 0;
}

/* One of the N names; num: its place among them. */
static int parse_name(const char *const *names, size_t n, struct value *v, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (streq(v->text, names[i])) {
			v->num = (int64_t)i;
			return 0;
		}
	return refuse(v, what, err);
}

static int parse_rlimit(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	return parse_name(rlimit_names, RLIMITS, v, privilege_rlimit.what, err);
}

static void complete_rlimit(struct shell *sh, const char *prefix, add_fn add, void *arg)
{
	(void)sh;
	complete_names(rlimit_names, RLIMITS, prefix, add, arg);
}

static int parse_bounds(struct shell *sh, struct value *v, struct err *err)
{
	uint64_t soft, hard;

	(void)sh;
	return streq(v->text, "inherit") ? 0 : privilege_rlimit_parse(v->text, &soft, &hard, err);
}

static int parse_securebit(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	return parse_name(securebit_names, SECUREBITS, v, privilege_securebit.what, err);
}

static void complete_securebit(struct shell *sh, const char *prefix, add_fn add, void *arg)
{
	(void)sh;
	complete_names(securebit_names, SECUREBITS, prefix, add, arg);
}

static int parse_reach(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	return parse_name(landlock_accesses, LANDLOCK_ACCESSES, v, privilege_reach.what, err);
}

static void complete_reach(struct shell *sh, const char *prefix, add_fn add, void *arg)
{
	(void)sh;
	complete_names(landlock_accesses, LANDLOCK_ACCESSES, prefix, add, arg);
}

const struct type privilege_capability = { .name = "capability", .what = "a capability such as net_raw, or all, docker, none",
					   .parse = parse_capability, .complete = complete_capability };
const struct type privilege_user = { .name = "user", .what = "a user by number, such as 1000:1000,27", .parse = parse_user };
const struct type privilege_umask = { .name = "umask", .what = "an octal mask, such as 027", .parse = parse_umask };
const struct type privilege_rlimit = { .name = "rlimit", .what = "a limit of setrlimit(2), such as nofile", .parse = parse_rlimit,
				       .complete = complete_rlimit };
const struct type privilege_bounds = { .name = "bounds", .what = "SOFT[:HARD], numbers or max, or inherit", .parse = parse_bounds };
const struct type privilege_securebit = { .name = "securebit", .what = "a securebit such as noroot", .parse = parse_securebit,
					  .complete = complete_securebit };
const struct type privilege_reach = { .name = "reach", .what = "what a path allows: ro, rw, exec or all", .parse = parse_reach,
				       .complete = complete_reach };

/* Commands */

static void set_cell(struct shell *sh, struct table *t, uint64_t mask)
{
	_cleanup_buf_ struct buf b = { 0 };

	/* For programs every name, an empty list for none. */
	if (!sh->json)
		capability_short(mask, &b);
	else
		for (int i = 0; i < 64; i++)
			if (mask >> i & 1)
				i < CAPABILITIES ? buf_fmt(&b, "%s%s", b.len ? " " : "", capability_names[i]) : buf_fmt(&b, "%s%d", b.len ? " " : "", i);
	table_cell(t, buf_text(&b));
}

static void show_row(struct shell *sh, struct table *t, const struct look_process *p, const struct privileges_now *now)
{
	table_row(t);
	p ? table_fmt(t, "%d", (int)p->inner) : table_cell(t, NULL);
	set_cell(sh, t, now->effective);
	set_cell(sh, t, now->permitted);
	set_cell(sh, t, now->inheritable);
	set_cell(sh, t, now->bounding);
	set_cell(sh, t, now->ambient);
	table_fmt(t, "%lu", now->user_ns);
	table_cell(t, p ? p->command : "(programs from now on)");
}

/* Which namespaces the capabilities count for: those that belong to the user namespace they are held in. */
static void show_reach(struct shell *sh, struct sandbox *sb, unsigned long user_ns)
{
	_cleanup_buf_ struct buf within = { 0 }, outside = { 0 };

	for (int k = 0; k < NS_KINDS; k++) {
		struct buf *b = k == NS_USER ? NULL : sb->place.own[k] && look_owner(sb, (enum ns_kind)k) == user_ns ? &within : &outside;
		if (b)
			buf_fmt(b, "%s%s", b->len ? " " : "", ns_table[k].name);
	}
	fprintf(sh->out, "They are held in user namespace %lu, %s.\n", user_ns,
		sb->place.own[NS_USER] ? "the sandbox's own" : "which is the host's, so they count on the host as well");
	if (sb->place.own[NS_USER])
		fprintf(sh->out, "They count for what belongs to it: %s; not for: %s.\n", within.len ? within.data : "no other namespace",
			outside.len ? outside.data : "none");
}

static int show_caps(struct shell *sh, struct sandbox *sb, struct err *err)
{
	static const struct column columns[] = {
		{ "PID", "pid", COL_NUMBER },
		{ "EFFECTIVE", "effective", COL_LIST },
		{ "PERMITTED", "permitted", COL_LIST },
		{ "INHERITABLE", "inheritable", COL_LIST },
		{ "BOUNDING", "bounding", COL_LIST },
		{ "AMBIENT", "ambient", COL_LIST },
		{ NULL, "user_namespace", COL_NUMBER },
		{ "COMMAND", "command", COL_TEXT },
	};
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	struct look_process *all = NULL;
	struct privileges_now now;
	size_t n = 0;

	if (look_processes(sb, &all, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		/* One that ended meanwhile is no error. */
		if (privileges_look(all[i].pid, &now, NULL) == 0)
			show_row(sh, t, &all[i], &now);
	look_free_processes(all, n);
	if (privileges_next(sb, &now, err) < 0)
		return -1;
	show_row(sh, t, NULL, &now);
	table_print(t, sh->out, sh->json);
	if (!sh->json && now.user_ns)
		show_reach(sh, sb, now.user_ns);
	return 0;
}

static int run_cap(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	uint64_t mask = 0;

	if (!sb)
		return -1;
	for (const struct value *v = arg_next(a, "CAP", NULL); v; v = arg_next(a, "CAP", v))
		mask |= (uint64_t)v->num;
	if (arg_has(a, "drop"))
		return privileges_set_caps(sb, privileges_caps(sb) & ~mask, err);
	if (arg_has(a, "add"))
		return privileges_set_caps(sb, privileges_caps(sb) | mask, err);
	if (arg_has(a, "set"))
		return privileges_set_caps(sb, mask, err);
	if (arg_has(a, "ambient"))
		return privileges_set_ambient(sb, mask, err);
	if (arg_has(a, "inherit"))
		return privileges_set(sb, PRIV_AMBIENT, NULL, err) < 0 ? -1 : privileges_set(sb, PRIV_CAPS, NULL, err);
	return show_caps(sh, sb, err);
}

/* The value that a command without arguments shows. */
static int show_value(struct shell *sh, const struct sandbox *sb, enum privilege key)
{
	const char *value = sb->place.privileges[key];
	static const struct column columns[] = { { NULL, "value", COL_TEXT } };

	if (sh->json) {
		_cleanup_table_ struct table *t = table_new(columns, 1);
		table_row(t);
		table_cell(t, value);
		table_print(t, sh->out, true);
	} else {
		fprintf(sh->out, "%s\n", value ? value : "as its first process");
	}
	return 0;
}

static int run_user(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	return a->n == 0 ? show_value(sh, sb, PRIV_USER) : privileges_set(sb, PRIV_USER, arg_text(a, "ID"), err);
}

static int run_nonewprivs(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	return a->n == 0 ? show_value(sh, sb, PRIV_NONEWPRIVS) : privileges_set(sb, PRIV_NONEWPRIVS, arg_has(a, "on") ? "on" : NULL, err);
}

static int run_securebits(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	_cleanup_buf_ struct buf text = { 0 };

	if (!sb)
		return -1;
	if (a->n == 0)
		return show_value(sh, sb, PRIV_SECUREBITS);
	for (const struct value *v = arg_next(a, "BIT", NULL); v; v = arg_next(a, "BIT", v))
		buf_fmt(&text, "%s%s", text.len ? " " : "", v->text);
	return privileges_set(sb, PRIV_SECUREBITS, text.len ? buf_text(&text) : NULL, err);
}

static int run_umask(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	const struct value *mask = arg(a, "MASK");
	char text[8];

	if (!sb)
		return -1;
	if (a->n == 0)
		return show_value(sh, sb, PRIV_UMASK);
	if (mask)
		snprintf(text, sizeof text, "%04o", (unsigned)mask->num & 0777);
	return privileges_set(sb, PRIV_UMASK, mask ? text : NULL, err);
}

static int list_rlimits(struct shell *sh, const struct sandbox *sb)
{
	static const struct column columns[] = { { "LIMIT", "limit", COL_TEXT }, { "SOFT", "soft", COL_TEXT }, { "HARD", "hard", COL_TEXT } };
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));

	for (int i = 0; i < RLIMITS; i++) {
		_cleanup_free_ char *value = privileges_rlimit(sb, i);
		char *colon = value ? strchr(value, ':') : NULL;
		if (!value)
			continue;
		if (colon)
			*colon++ = '\0';
		table_row(t);
		table_cell(t, rlimit_names[i]);
		table_cell(t, value);
		table_cell(t, colon ? colon : value);
	}
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_rlimit(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	if (a->n == 0)
		return list_rlimits(sh, sb);
	for (size_t i = 0; i + 1 < a->n; i += 2) {
		const char *bounds = a->values[i + 1].text;
		if (privileges_set_rlimit(sb, (int)a->values[i].num, streq(bounds, "inherit") ? NULL : bounds, err) < 0)
			return -1;
	}
	return 0;
}

static int list_paths(struct shell *sh, const struct sandbox *sb)
{
	static const struct column columns[] = { { "PATH", "path", COL_TEXT }, { "ACCESS", "access", COL_TEXT } };
	_cleanup_table_ struct table *t = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ char *lines = xstrdup(sb->place.privileges[PRIV_PATHS]);
	const char *passes = landlock_lets_pass(landlock_version());
	char *rest = NULL;

	if (!lines)
		return show_value(sh, sb, PRIV_PATHS);
	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *path = strchr(line, ' ');
		*path++ = '\0';
		table_row(t);
		table_cell(t, path);
		table_cell(t, line);
	}
	table_print(t, sh->out, sh->json);
	if (passes && !sh->json)
		fprintf(sh->out, "This kernel lets programs %s all the same.\n", passes);
	return 0;
}

static int run_allow_path(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	_cleanup_free_ struct privilege_path *paths = xcalloc(a->n + 1, sizeof *paths);
	size_t n = 0;

	if (!sb)
		return -1;
	if (a->n == 0)
		return list_paths(sh, sb);
	if (arg_has(a, "any"))
		return privileges_set(sb, PRIV_PATHS, NULL, err);
	for (size_t i = 0; i + 1 < a->n; i += 2)
		paths[n++] = (struct privilege_path){ a->values[i].text, a->values[i + 1].text };
	return privileges_allow(sb, paths, n, err);
}

static int run_label(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	if (a->n == 0)
		return show_value(sh, sb, PRIV_LABEL);
	if (arg_has(a, "inherit"))
		return privileges_set(sb, PRIV_LABEL, NULL, err);
	const char *module = arg_has(a, "apparmor") ? "apparmor" : "selinux";
	_cleanup_free_ char *value = xasprintf("%s %s", module, arg_text(a, "LABEL"));
	return privilege_label_check(module, arg_text(a, "LABEL"), err) < 0 ? -1 : privileges_set(sb, PRIV_LABEL, value, err);
}

static int run_dumpable(struct shell *sh, const struct args *a, struct err *err)
{
	const struct sandbox *sb = shell_sandbox(sh, err);

	if (!sb)
		return -1;
	if (arg_has(a, "off")) {
		err_set(err, 0, "%s: its programs can't be made undumpable", sb->name);
		err_why(err, "the kernel makes every program dumpable when it starts (execve), so only the program itself can change that");
		return err_try(err, "rlimit core 0; seccomp deny ptrace process_vm_readv process_vm_writev");
	}
	if (a->n == 0)
		fprintf(sh->out, "on\n");
	return 0;
}

const struct command cmd_privileges[] = {
	{
		.name = "cap",
		.group = "privileges",
		.brief = "show or change the capabilities of programs",
		.grammar = "[show | (drop | add | set | ambient) CAP:capability... | inherit]",
		.text =
			"What root may do is divided into capabilities, see capabilities(7). *drop* takes some away from the programs that "
			"are started from now on, *add* gives some back, *set* leaves just those, *inherit* all that the first process has. A "
			"dropped capability leaves the bounding set, so no program can come by it again, as root or by a file. "
			"`docker` stands for the 14 that Docker leaves a container.\n\n"
			"*ambient* sets those that programs have even without being root, so together with *user*; `none` empties the set. "
			"Nothing is inheritable but what is ambient.\n\n"
			"*show* lists the five sets of every process, and what the next program will get; then for which namespaces "
			"they count: a capability is worth something only for what belongs to the user namespace it is held in. Programs "
			"that run already keep what they were started with.",
		.examples =
			"new web\n"
			"cap drop sys_admin net_raw\n"
			"cap show\n"
			"cap set docker\n"
			"user 65534\n"
			"cap ambient net_bind_service   # port 80 without root\n",
		.run = run_cap,
	},
	{
		.name = "user",
		.group = "privileges",
		.brief = "say as which user programs are started",
		.grammar = "[ID:user | inherit]",
		.text =
			"`UID[:GID][,GROUP...]`, all numbers as they are inside. Without a group it is the user's number. Other groups are "
			"only those given. A user other than root has no capabilities but ambient ones (*cap*). The terminal of a program "
			"becomes the user's. Without arguments the command says what is set; *inherit* goes back to the first process's user.",
		.examples = "new web\nuser 1000:1000,27\nrun id\nuser inherit\n",
		.run = run_user,
	},
	{
		.name = "nonewprivs",
		.group = "privileges",
		.brief = "keep programs from gaining privileges",
		.grammar = "[on | off]",
		.text =
			"With *on* no program started from now on, nor any it starts, can come by more privileges than it was started with: "
			"setuid bits and file capabilities are ignored. See `no_new_privs` in prctl(2).",
		.examples = "new web\nnonewprivs on\nrun grep NoNewPrivs /proc/self/status\n",
		.run = run_nonewprivs,
	},
	{
		.name = "securebits",
		.group = "privileges",
		.brief = "change how the kernel treats root's capabilities",
		.grammar = "[BIT:securebit... | none]",
		.text =
			"The flags of capabilities(7): `noroot` (being root gives no capabilities), `no-setuid-fixup`, `keep-caps`, "
			"`no-ambient-raise`, and each with `-locked` behind it. `none` is as the first process has them. `keep-caps` is "
			"cleared by the kernel when a program starts.",
		.examples = "new web\nsecurebits noroot noroot-locked\nrun grep CapEff /proc/self/status   # none, though root\n",
		.run = run_securebits,
	},
	{
		.name = "umask",
		.group = "privileges",
		.brief = "set the file mode mask of programs",
		.grammar = "[MASK:umask | inherit]",
		.text = "An octal number; its bits are taken from the mode of every file a program makes.",
		.examples = "new web\numask 027\nrun sh -c umask\n",
		.run = run_umask,
	},
	{
		.name = "rlimit",
		.group = "privileges",
		.brief = "set limits of each program, as ulimit does",
		.grammar = "[NAME:rlimit BOUNDS:bounds]...",
		.text =
			"The limits of setrlimit(2), for each process by itself: `as` `core` `cpu` `data` `fsize` `locks` `memlock` "
			"`msgqueue` `nice` `nofile` `nproc` `rss` `rtprio` `rttime` `sigpending` `stack`, in the kernel's units (bytes, "
			"seconds, microseconds for `rttime`). One number sets the soft and the hard limit; `inherit` lifts one. `nproc` counts all processes "
			"of the user. Without arguments those that are set are listed. To bound a whole sandbox use *limit*.",
		.examples = "new web\nrlimit nofile 256:512 core 0\nrun sh -c 'ulimit -n'\nrlimit nofile inherit\n",
		.run = run_rlimit,
	},
	{
		.name = "allow-path",
		.group = "privileges",
		.brief = "let programs reach some files only",
		.grammar = "[any | (PATH:inside ACCESS:reach)...]",
		.text =
			"From the first PATH on, programs reach no files but those named, and what is below them, whoever they run as. ACCESS is `ro` "
			"(read), `rw` (read and write, make and remove), `exec` (read and run) or `all`. What a directory allows can't be taken away "
			"again below it. Programs need `exec` for themselves, their loader and their libraries, mostly all in `/usr`. "
			"What they hold open already, such as the terminal, stays with them. They can't mount anything, whatever their capabilities.\n\n"
			"This is the kernel's Landlock (landlock(7)). It takes no privileges and no namespace, only *nonewprivs* `on` where a program "
			"lacks the capability sys_admin. PATH must be there when a program is started, and no part of it be a symbolic link, by "
			"which those inside could lead it elsewhere. Before Linux 6.2 files can be cut short all the same.\n\n"
			"*any* lifts it. Without arguments the paths are listed.",
		.examples =
			"new web\n"
			"nonewprivs on\n"
			"allow-path /usr exec /etc ro /tmp rw\n"
			"run sh -c '! ls /home'\n"
			"allow-path\n"
			"allow-path any\n",
		.run = run_allow_path,
	},
	{
		.name = "label",
		.group = "privileges",
		.brief = "start programs with a label of AppArmor or SELinux",
		.grammar = "[(apparmor | selinux) LABEL:word | inherit]",
		.text =
			"Programs started from now on get the AppArmor profile, or the SELinux context, of that name, if the module runs on this "
			"machine, knows it and allows the change; else they don't start. *can* says which label counts. *inherit* goes back to "
			"what the module gives a program by itself. Without arguments the command says what is set.",
		.examples = "new web\nlabel\nlabel inherit\n",
		.run = run_label,
	},
	{
		.name = "dumpable",
		.group = "privileges",
		.brief = "say why programs can't be made undumpable from outside",
		.grammar = "[on | off]",
		.text =
			"A process that is not dumpable (PR_SET_DUMPABLE in prctl(2)) leaves no core file, and others of its user can't look into it. "
			"The kernel makes every program dumpable when it starts, so only the program itself can change it, and *off* is refused. "
			"For the same effect use `rlimit core 0`, `seccomp deny ptrace process_vm_readv process_vm_writev`, and a *user* of its own. "
			"belljar and the first process of a sandbox are not dumpable.",
		.examples = "new web\ndumpable on\nrlimit core 0\n",
		.run = run_dumpable,
	},
	{ .name = NULL },
};
