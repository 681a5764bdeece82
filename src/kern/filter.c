/*
 * filter.c - the module of filters: values and profiles into policies, and names
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/capability.h"
#include "kern/filter_code.h"
#include "kern/wire.h"

enum { PROFILE_LARGEST = 1 << 20, NUMBERS = 600, X32 = 0x40000000 };

/* Calls newer than Debian 12's libseccomp; since 424 numbers are the same everywhere. */
static const struct { const char *name; int number; } newer[] = {
	{ "futex_waitv", 449 }, { "set_mempolicy_home_node", 450 }, { "cachestat", 451 }, { "fchmodat2", 452 }, { "map_shadow_stack", 453 },
	{ "futex_wake", 454 }, { "futex_wait", 455 }, { "futex_requeue", 456 }, { "statmount", 457 }, { "listmount", 458 },
	{ "lsm_get_self_attr", 459 }, { "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 }, { "setxattrat", 463 },
	{ "getxattrat", 464 }, { "listxattrat", 465 }, { "removexattrat", 466 }, { "open_tree_attr", 467 }, { "file_getattr", 468 },
	{ "file_setattr", 469 },
};

static bool is_x86(uint32_t arch)
{
	return arch == SCMP_ARCH_X86_64 || arch == SCMP_ARCH_X86 || arch == SCMP_ARCH_X32;
}

int filter_number(uint32_t arch, const char *call)
{
	int nr = seccomp_syscall_resolve_name_arch(arch, call);

	if (nr != __NR_SCMP_ERROR)
		return nr;
	for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
		if (streq(call, newer[i].name))
			return newer[i].number | (arch == SCMP_ARCH_X32 ? X32 : 0);
	if (streq(call, "uretprobe"))
		return arch == SCMP_ARCH_X86_64 ? 335 : -2;
	return streq(call, "riscv_hwprobe") ? (arch == SCMP_ARCH_RISCV64 ? 258 : -2) : -1;
}

/* -1 is a name that nobody knows; other negative numbers are calls of other architectures. */
static bool known(const char *call)
{
	return filter_number(seccomp_arch_native(), call) != -1;
}

static char *name(uint32_t arch, uint32_t nr)
{
	uint32_t token = arch == SCMP_ARCH_X86_64 && (nr & X32) ? SCMP_ARCH_X32 : arch;
	char *found = seccomp_syscall_resolve_num_arch(token, (int)nr);

	if (found)
		return found;
	for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
		if ((uint32_t)newer[i].number == (nr & ~(uint32_t)X32))
			return xstrdup(newer[i].name);
	return NULL;
}

static void each(void (*say)(void *arg, const char *name), void *arg)
{
	for (uint32_t nr = 0; nr < NUMBERS; nr++) {
		_cleanup_free_ char *call = name(seccomp_arch_native(), nr);
		if (call)
			say(arg, call);
	}
}

void policy_free(struct policy *p)
{
	for (size_t i = 0; i < p->n_rules; i++)
		free(p->rules[i].call);
	free(p->rules);
}

struct filter_rule *policy_add(struct policy *p, const char *call, uint32_t action)
{
	struct filter_rule *r = GROW(&p->rules, &p->n_rules);

	r->call = xstrdup(call);
	r->action = action;
	return r;
}

static void native_archs(struct policy *p)
{
	p->n_archs = 0;
	p->archs[p->n_archs++] = seccomp_arch_native();
	if (p->archs[0] == SCMP_ARCH_X86_64) {
		p->archs[p->n_archs++] = SCMP_ARCH_X86;
		p->archs[p->n_archs++] = SCMP_ARCH_X32;
	} else if (p->archs[0] == SCMP_ARCH_AARCH64) {
		p->archs[p->n_archs++] = SCMP_ARCH_ARM;
	}
}

/* ---- profiles in JSON ---- */

struct profile {
	struct policy *policy;
	const char *path, *text;       /* for errors; text NULL: it was checked before */
	uint64_t caps;
	struct err *err;
};

/* -1 with err, at the line where WORD stands in quotes first. */
static int complain(const struct profile *pr, const char *word, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int complain(const struct profile *pr, const char *word, const char *fmt, ...)
{
	_cleanup_free_ char *quoted = xasprintf("\"%s\"", word);
	const char *at = pr->text ? strstr(pr->text, quoted) : NULL;
	_cleanup_buf_ struct buf text = { 0 }, shown = { 0 };
	int line = 1;
	va_list ap;

	for (const char *c = pr->text; at && c < at; c++)
		line += *c == '\n';
	va_start(ap, fmt);
	buf_vfmt(&text, fmt, ap);
	va_end(ap);
	buf_visible(&shown, buf_text(&text));
	return err_set(pr->err, EINVAL, "%s:%d: %s", pr->path, line, buf_text(&shown));
}

static int get_action(const struct profile *pr, const char *word, json_int_t number, uint32_t *action)
{
	static const struct { const char *name; uint32_t action; bool data; } actions[] = {
		{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false },        { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true },
		{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false },   { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false },
		{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false }, { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false },
		{ "SCMP_ACT_LOG", SECCOMP_RET_LOG, false },            { "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true },
	};

	if (!word)
		return complain(pr, "action", "an action is missing");
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (streq(word, actions[i].name)) {
			if (number < 0 || number > 4095)
				return complain(pr, "errnoRet", "an error of %" JSON_INTEGER_FORMAT " is none", number);
			*action = actions[i].action | (actions[i].data ? (uint32_t)number : 0);
			return 0;
		}
	return complain(pr, word, "%s is no action%s", word, streq(word, "SCMP_ACT_NOTIFY") ? " for a profile here: nobody would answer" : "");
}

/* "SCMP_ARCH_X86_64" and the like. */
static uint32_t get_arch(const char *word)
{
	char name[32];
	size_t n = 0;

	if (!word || !starts_with(word, "SCMP_ARCH_"))
		return 0;
	for (const char *c = word + 10; *c && n + 1 < sizeof name; c++)
		name[n++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	name[n] = '\0';
	return seccomp_arch_resolve_name(name);
}

static int add_arch(const struct profile *pr, const char *word)
{
	struct policy *p = pr->policy;
	uint32_t arch = get_arch(word);

	if (!arch)
		return complain(pr, word ? word : "architectures", "%s is no architecture", word ? word : "what is there");
	for (size_t i = 0; i < p->n_archs; i++)
		if (p->archs[i] == arch)
			return 0;
	/* Those of other machines can't make calls here. */
	if (p->n_archs < ARRAY_SIZE(p->archs) && is_x86(arch) == is_x86(p->archs[0]))
		p->archs[p->n_archs++] = arch;
	return 0;
}

static int get_archs(const struct profile *pr, const json_t *root)
{
	const json_t *list = json_object_get(root, "architectures"), *map = json_object_get(root, "archMap"), *sub;
	struct policy *p = pr->policy;
	size_t i, k;
	json_t *one;

	p->archs[0] = seccomp_arch_native();
	p->n_archs = 1;
	if ((list && !json_is_array(list)) || (map && !json_is_array(map)))
		return complain(pr, list ? "architectures" : "archMap", "architectures are a list");
	json_array_foreach(list, i, one)
		if (add_arch(pr, json_string_value(one)) < 0)
			return -1;
	json_array_foreach(map, i, one) {
		uint32_t arch = get_arch(json_string_value(json_object_get(one, "architecture")));
		if (!arch)
			return complain(pr, "archMap", "an architecture in archMap is none");
		if (arch != p->archs[0])
			continue;
		json_t *each_sub;
		sub = json_object_get(one, "subArchitectures");
		json_array_foreach(sub, k, each_sub)
			if (add_arch(pr, json_string_value(each_sub)) < 0)
				return -1;
	}
	return 0;
}

static bool lists(const json_t *list, const char *word)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
		if (json_is_string(one) && streq(json_string_value(one), word))
			return true;
	return false;
}

static const char *machine(void)
{
	static const struct { uint32_t arch; const char *name; } names[] = {
		{ SCMP_ARCH_X86_64, "amd64" }, { SCMP_ARCH_X86, "x86" }, { SCMP_ARCH_AARCH64, "arm64" }, { SCMP_ARCH_ARM, "arm" },
		{ SCMP_ARCH_RISCV64, "riscv64" }, { SCMP_ARCH_S390X, "s390x" }, { SCMP_ARCH_PPC64LE, "ppc64le" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].arch == seccomp_arch_native())
			return names[i].name;
	return "?";
}

/* Its "includes" (ALL of the caps must be there) or "excludes" (ANY of them). 1 when it applies, 0, or -1 with err. */
static int applies(const struct profile *pr, const json_t *rule, const char *key, bool all)
{
	const json_t *filter = json_object_get(rule, key), *archs = json_object_get(filter, "arches"), *caps = json_object_get(filter, "caps");
	size_t i, hits = 0;
	json_t *one;
	uint64_t mask;

	if (filter && !json_is_object(filter))
		return complain(pr, key, "%s is not an object", key);
	json_array_foreach(caps, i, one) {
		const char *word = json_string_value(one);
		if (!word || capability_parse(word, &mask) < 0)
			return complain(pr, word ? word : "caps", "%s is no capability", word ? word : "what is there");
		hits += (pr->caps & mask) != 0;
	}
	bool here = archs && lists(archs, machine());
	/* The kernel is newer than every minKernel that is in use, 4.8. */
	if (all)
		return (!archs || here) && hits == json_array_size(caps);
	return here || hits || json_object_get(filter, "minKernel");
}

static int get_condition(const struct profile *pr, const json_t *arg, struct filter_condition *c)
{
	static const struct { const char *name; enum filter_op op; } ops[] = {
		{ "SCMP_CMP_EQ", OP_EQ }, { "SCMP_CMP_NE", OP_NE }, { "SCMP_CMP_GT", OP_GT }, { "SCMP_CMP_GE", OP_GE },
		{ "SCMP_CMP_LT", OP_LT }, { "SCMP_CMP_LE", OP_LE }, { "SCMP_CMP_MASKED_EQ", OP_MASKED_EQ },
	};
	const json_t *index = json_object_get(arg, "index");
	const char *word = json_string_value(json_object_get(arg, "op"));

	if (!json_is_integer(index) || json_integer_value(index) < 0 || json_integer_value(index) > 5)
		return complain(pr, "index", "the index of an argument is 0 to 5");
	c->index = (unsigned)json_integer_value(index);
	c->value = (uint64_t)json_integer_value(json_object_get(arg, "value"));
	c->value2 = (uint64_t)json_integer_value(json_object_get(arg, "valueTwo"));
	for (size_t i = 0; word && i < ARRAY_SIZE(ops); i++)
		if (streq(word, ops[i].name)) {
			c->op = ops[i].op;
			return 0;
		}
	return complain(pr, word ? word : "op", "%s is no comparison", word ? word : "what is there");
}

/* All that must hold of a rule's arguments. */
struct conditions {
	struct filter_condition list[32];
	size_t n;
	bool twice;                    /* two of them on one argument */
};

static int get_conditions(const struct profile *pr, const json_t *args, struct conditions *c)
{
	unsigned seen = 0;
	size_t i;
	json_t *one;

	c->n = 0;
	c->twice = false;
	if (args && !json_is_array(args) && !json_is_null(args))
		return complain(pr, "args", "args are not a list");
	json_array_foreach(args, i, one) {
		if (c->n == ARRAY_SIZE(c->list))
			return complain(pr, "args", "more than %zu conditions", c->n);
		if (get_condition(pr, one, &c->list[c->n]) < 0)
			return -1;
		c->twice = c->twice || (seen & 1u << c->list[c->n].index);
		seen |= 1u << c->list[c->n++].index;
	}
	return 0;
}

/* Two conditions on one argument are two rules, as the OCI's runtimes have it; on several arguments, one rule with all. */
static void add_rules(struct policy *p, const char *call, uint32_t action, const struct conditions *c)
{
	for (size_t k = 0; k < (c->twice ? c->n : 1); k++) {
		struct filter_rule *r = policy_add(p, call, action);
		r->n_conditions = c->twice ? 1 : c->n;
		memcpy(r->conditions, c->list + (c->twice ? k : 0), r->n_conditions * sizeof *c->list);
	}
}

/* All of a rule is checked also where it does not count now. */
static int get_calls(const struct profile *pr, const json_t *rule)
{
	const json_t *names = json_object_get(rule, "names"), *number = json_object_get(rule, "errnoRet");
	const char *single = json_string_value(json_object_get(rule, "name"));
	struct conditions conditions;
	uint32_t action;

	if (get_action(pr, json_string_value(json_object_get(rule, "action")), number ? json_integer_value(number) : EPERM, &action) < 0)
		return -1;
	int in = applies(pr, rule, "includes", true), out = in < 0 ? -1 : applies(pr, rule, "excludes", false);
	if (in < 0 || out < 0 || get_conditions(pr, json_object_get(rule, "args"), &conditions) < 0)
		return -1;
	if (!json_is_array(names) && !single)
		return complain(pr, "names", "a rule names no calls");
	for (size_t i = 0; i < (single ? 1 : json_array_size(names)); i++) {
		const char *call = single ? single : json_string_value(json_array_get(names, i));
		if (!call || !known(call))
			return complain(pr, call ? call : "names", "%s is no system call", call ? call : "what is there");
		if (in && !out)
			add_rules(pr->policy, call, action, &conditions);
	}
	return 0;
}

static int get_profile(const struct profile *pr, const json_t *root)
{
	const json_t *number = json_object_get(root, "defaultErrnoRet"), *calls = json_object_get(root, "syscalls");
	size_t i;
	json_t *one;

	if (!json_is_object(root))
		return complain(pr, "", "a profile is an object");
	if (!json_object_get(root, "defaultAction"))
		return complain(pr, "defaultAction", "defaultAction is missing");
	if (json_object_get(root, "listenerPath"))
		return complain(pr, "listenerPath", "listenerPath is not supported: nobody would answer");
	if (get_action(pr, json_string_value(json_object_get(root, "defaultAction")), number ? json_integer_value(number) : EPERM,
		       &pr->policy->otherwise) < 0 ||
	    get_archs(pr, root) < 0)
		return -1;
	if (calls && !json_is_array(calls))
		return complain(pr, "syscalls", "syscalls is not a list");
	json_array_foreach(calls, i, one)
		if (get_calls(pr, one) < 0)
			return -1;
	return 0;
}

static void put_json(json_t **root)
{
	json_decref(*root);
}

static int parse_profile(struct profile *pr, const char *text, size_t n, char **compact)
{
	json_error_t at;
	_cleanup_(put_json) json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);

	if (!root) {
		_cleanup_buf_ struct buf shown = { 0 };
		buf_visible(&shown, at.text);
		return err_set(pr->err, EINVAL, "%s:%d: %s", pr->path, at.line, buf_text(&shown));
	}
	if (get_profile(pr, root) < 0)
		return -1;
	if (compact)
		*compact = json_dumps(root, JSON_COMPACT);
	return 0;
}

static char *from_file(const char *path, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_(policy_free) struct policy policy = { 0 };
	struct profile pr = { .policy = &policy, .path = path, .caps = UINT64_MAX, .err = err };
	_cleanup_free_ char *json = NULL;

	if (io_slurp(AT_FDCWD, path, PROFILE_LARGEST, &text) < 0) {
		err_set(err, errno, "%s", path);
		return NULL;
	}
	pr.text = buf_text(&text);
	if (parse_profile(&pr, pr.text, text.len, &json) < 0)
		return NULL;
	return xasprintf("file %s\n%s\n", path, json);
}

/* ---- values ---- */

static uint32_t error_number(const char *word)
{
	for (int i = 1; i < 134; i++)
		if (streq(word, err_name(i)))
			return (uint32_t)i;
	return EPERM;
}

/* One "allow CALL..." line: in front of all that came before it. */
static void add_line(struct policy *p, const char *line)
{
	_cleanup_free_ char *copy = xstrdup(line);
	char *rest = NULL, *word = strtok_r(copy, " ", &rest);
	uint32_t action = SECCOMP_RET_ALLOW;
	size_t before = p->n_rules;

	if (!word)
		return;
	if (streq(word, "log"))
		action = SECCOMP_RET_LOG;
	else if (streq(word, "notify"))
		action = SECCOMP_RET_USER_NOTIF;
	else if (streq(word, "deny") && (word = strtok_r(NULL, " ", &rest)))
		action = SECCOMP_RET_ERRNO | error_number(word);
	while ((word = strtok_r(NULL, " ", &rest)))
		policy_add(p, word, action);
	size_t added = p->n_rules - before;
	if (!added)
		return;
	_cleanup_free_ struct filter_rule *moved = xcalloc(added, sizeof *moved);
	memcpy(moved, p->rules + before, added * sizeof *moved);
	memmove(p->rules + added, p->rules, before * sizeof *moved);
	memcpy(p->rules, moved, added * sizeof *moved);
}

static int read_base(struct policy *p, const char *first, const char *second, uint64_t caps, struct err *err)
{
	struct profile pr = { .policy = p, .path = first, .caps = caps, .err = err };

	native_archs(p);
	if (starts_with(first, "file "))
		return parse_profile(&pr, second ? second : "", second ? strlen(second) : 0, NULL);
	if (streq(first, "default"))
		policy_add_default(p, caps);
	else
		p->otherwise = streq(first, "only") ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW;
	return 0;
}

static int read_value(struct policy *p, const char *value, uint64_t caps, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = NULL, *first = strtok_r(copy, "\n", &rest), *line = strtok_r(NULL, "\n", &rest);

	if (!first)
		return err_set(err, EINVAL, "no filter");
	if (read_base(p, first, line, caps, err) < 0)
		return -1;
	if (starts_with(first, "file "))
		line = strtok_r(NULL, "\n", &rest);
	for (; line; line = strtok_r(NULL, "\n", &rest))
		add_line(p, line);
	return 0;
}

static int compile(const char *value, uint64_t caps, enum filter_mode mode, struct filter *f, struct err *err)
{
	_cleanup_(policy_free) struct policy policy = { 0 };

	*f = (struct filter){ 0 };
	if (read_value(&policy, value, caps, err) == 0 && filter_generate(&policy, mode, f, err) == 0)
		return 0;
	filter_free(f);
	return -1;
}

/* Only the instructions that filter_code.c makes. */
static uint32_t verdict(const struct filter *f, const char *call, uint64_t first)
{
	struct seccomp_data data = { .nr = filter_number(seccomp_arch_native(), call), .arch = seccomp_arch_native(), .args = { first } };
	uint32_t a = 0;

	for (size_t pc = 0; pc < f->n; pc++) {
		const struct sock_filter *c = &f->code[pc];
		bool yes = BPF_OP(c->code) == BPF_JEQ ? a == c->k : BPF_OP(c->code) == BPF_JGT ? a > c->k : a >= c->k;
		if (BPF_CLASS(c->code) == BPF_RET)
			return c->k;
		if (BPF_CLASS(c->code) == BPF_LD)
			memcpy(&a, (const char *)&data + c->k, sizeof a);
		else if (BPF_CLASS(c->code) == BPF_ALU)
			a &= c->k;
		else
			pc += BPF_OP(c->code) == BPF_JA ? c->k : yes ? c->jt : c->jf;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* ---- in words ---- */

static void tell_action(uint32_t action, FILE *out)
{
	uint32_t data = action & SECCOMP_RET_DATA;

	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW: fprintf(out, "allow"); break;
	case SECCOMP_RET_LOG: fprintf(out, "log"); break;
	case SECCOMP_RET_USER_NOTIF: fprintf(out, "notify"); break;
	case SECCOMP_RET_TRAP: fprintf(out, "trap"); break;
	case SECCOMP_RET_TRACE: fprintf(out, "trace %u", data); break;
	case SECCOMP_RET_KILL_PROCESS: fprintf(out, "kill process"); break;
	case SECCOMP_RET_KILL_THREAD: fprintf(out, "kill thread"); break;
	default: fprintf(out, "deny %s", err_name((int)data)); break;
	}
}

static void tell_conditions(const struct filter_rule *r, FILE *out)
{
	static const char *const ops[] = { "==", "!=", ">", ">=", "<", "<=", "&" };

	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct filter_condition *c = &r->conditions[i];
		fprintf(out, "%s arg%u %s 0x%llx", i ? " and" : " if", c->index, ops[c->op], (unsigned long long)c->value);
		if (c->op == OP_MASKED_EQ)
			fprintf(out, " == 0x%llx", (unsigned long long)c->value2);
	}
}

static bool same_rule(const struct filter_rule *a, const struct filter_rule *b)
{
	return a->action == b->action && a->n_conditions == 0 && b->n_conditions == 0;
}

static int tell(const char *value, uint64_t caps, FILE *out, struct err *err)
{
	_cleanup_(policy_free) struct policy p = { 0 };

	if (read_value(&p, value, caps, err) < 0)
		return -1;
	for (size_t i = 0; i < p.n_rules; i++) {
		const struct filter_rule *r = &p.rules[i];
		if (i == 0 || !same_rule(r, r - 1)) {
			fprintf(out, "%s", i ? "\n" : "");
			tell_action(r->action, out);
		}
		fprintf(out, " %s", r->call);
		tell_conditions(r, out);
	}
	fprintf(out, "%sall others: ", p.n_rules ? "\n" : "");
	tell_action(p.otherwise, out);
	fputc('\n', out);
	return 0;
}

__attribute__((visibility("default"))) extern const struct filter_api filter_module;
const struct filter_api filter_module = { .compile = compile, .from_file = from_file, .known = known, .name = name, .verdict = verdict,
					  .tell = tell, .each = each };
