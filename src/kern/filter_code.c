/*
 * filter_code.c - BPF from a policy
 *
 * For each architecture the numbers fall into ranges with one verdict each; the code finds the range of a number by halving, so it is
 * about twice as long as there are ranges, and a call takes the logarithm of it. A verdict is an action, or a chain of rules that look at
 * arguments. For calls that are always allowed the kernel runs nothing at all (its action cache).
 */
#include "config.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/filter_code.h"
#include "kern/wire.h"

enum { X32_BIT = 0x40000000 };

/* The verdict on numbers from FROM on: an action, or the rules of a call. */
struct range {
	uint32_t from, action;
	const char *call;              /* NULL: action */
};

struct generator {
	const struct policy *policy;
	enum filter_mode mode;
	uint32_t arch;                 /* libseccomp's token */
	uint32_t *hashes, *by;         /* of the rules' calls, and of what does their work on i386: all rules are looked through for each call */
	struct filter *f;
	struct range *ranges;
	size_t n;
};

static struct sock_filter *emit(struct filter *f, uint16_t code, uint32_t k)
{
	struct sock_filter *c = GROW(&f->code, &f->n);

	*c = (struct sock_filter){ .code = code, .k = k };
	return c;
}

static void emit_jump(struct filter *f, uint16_t op, uint32_t k, size_t yes, size_t no)
{
	struct sock_filter *c = emit(f, (uint16_t)(BPF_JMP | op | BPF_K), k);

	c->jt = (uint8_t)yes;
	c->jf = (uint8_t)no;
}

static void emit_argument(struct filter *f, unsigned index, bool high)
{
	bool second = high == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

	emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args) + index * 8 + (second ? 4 : 0));
}

static size_t condition_size(const struct filter_condition *c)
{
	return c->op == OP_MASKED_EQ ? 6 : c->op == OP_EQ || c->op == OP_NE ? 4 : 5;
}

/* Falls through when C holds; else jumps over AFTER instructions behind it. */
static void emit_condition(struct filter *f, const struct filter_condition *c, size_t after)
{
	uint32_t high = (uint32_t)(c->value >> 32), low = (uint32_t)c->value;
	bool less = c->op == OP_LT || c->op == OP_LE;

	emit_argument(f, c->index, true);
	switch (c->op) {
	case OP_EQ:
		emit_jump(f, BPF_JEQ, high, 0, after + 2);
		emit_argument(f, c->index, false);
		emit_jump(f, BPF_JEQ, low, 0, after);
		break;
	case OP_NE:
		emit_jump(f, BPF_JEQ, high, 0, 2);
		emit_argument(f, c->index, false);
		emit_jump(f, BPF_JEQ, low, after, 0);
		break;
	case OP_MASKED_EQ:
		emit(f, BPF_ALU | BPF_AND | BPF_K, high);
		emit_jump(f, BPF_JEQ, (uint32_t)(c->value2 >> 32), 0, after + 3);
		emit_argument(f, c->index, false);
		emit(f, BPF_ALU | BPF_AND | BPF_K, low);
		emit_jump(f, BPF_JEQ, (uint32_t)c->value2, 0, after);
		break;
	default:
		/* Less is not greater or equal. */
		emit_jump(f, BPF_JGT, high, less ? after + 3 : 3, 0);
		emit_jump(f, BPF_JEQ, high, 0, less ? 2 : after + 2);
		emit_argument(f, c->index, false);
		emit_jump(f, c->op == OP_GT || c->op == OP_LE ? BPF_JGT : BPF_JGE, low, less ? after : 0, less ? 0 : after);
		break;
	}
}

static bool is_exec(const char *call)
{
	return streq(call, "execve") || streq(call, "execveat");
}

/* A program that can't even end would keep the holder waiting for it. */
static bool is_end(const char *call)
{
	return streq(call, "exit") || streq(call, "exit_group");
}

static bool is_refusal(uint32_t action)
{
	uint32_t number = action & SECCOMP_RET_DATA;

	return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && number && number != ENOSYS;
}

/* i386 has two calls that do the work of many others, by a number in their first argument. libseccomp has no number for these, but newer
 * kernels have one for most of them. */
struct other_way {
	const char *call;
	int number;                    /* the argument */
	int direct;                    /* its own number, negative: none */
	const char *by;
};

static const struct other_way *other_way(const char *call)
{
	static const struct other_way calls[] = {
		{ "socket", 1, 359, "socketcall" }, { "bind", 2, 361, "socketcall" }, { "connect", 3, 362, "socketcall" },
		{ "listen", 4, 363, "socketcall" }, { "accept", 5, -2, "socketcall" }, { "getsockname", 6, 367, "socketcall" },
		{ "getpeername", 7, 368, "socketcall" }, { "socketpair", 8, 360, "socketcall" }, { "send", 9, -2, "socketcall" },
		{ "recv", 10, -2, "socketcall" }, { "sendto", 11, 369, "socketcall" }, { "recvfrom", 12, 371, "socketcall" },
		{ "shutdown", 13, 373, "socketcall" }, { "setsockopt", 14, 366, "socketcall" },
		{ "getsockopt", 15, 365, "socketcall" }, { "sendmsg", 16, 370, "socketcall" },
		{ "recvmsg", 17, 372, "socketcall" }, { "accept4", 18, 364, "socketcall" }, { "recvmmsg", 19, 337, "socketcall" },
		{ "sendmmsg", 20, 345, "socketcall" }, { "semop", 1, -2, "ipc" }, { "semget", 2, 393, "ipc" },
		{ "semctl", 3, 394, "ipc" }, { "semtimedop", 4, -2, "ipc" }, { "msgsnd", 11, 400, "ipc" },
		{ "msgrcv", 12, 401, "ipc" }, { "msgget", 13, 399, "ipc" }, { "msgctl", 14, 402, "ipc" },
		{ "shmat", 21, 397, "ipc" }, { "shmdt", 22, 398, "ipc" }, { "shmget", 23, 395, "ipc" },
		{ "shmctl", 24, 396, "ipc" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (streq(call, calls[i].call))
			return &calls[i];
	return NULL;
}

static int number_of(uint32_t arch, const char *call)
{
	const struct other_way *other = arch == SCMP_ARCH_X86 ? other_way(call) : NULL;

	return other ? other->direct : filter_number(arch, call);
}

static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

/* Does the rule at I speak of CALL? */
static bool covers(const struct generator *g, size_t i, const char *call, uint32_t hashed)
{
	const struct filter_rule *r = &g->policy->rules[i];

	if (g->hashes[i] == hashed && streq(r->call, call))
		return true;
	return g->by[i] == hashed && g->arch == SCMP_ARCH_X86 && r->n_conditions == 0 && streq(other_way(r->call)->by, call);
}

/* All refusals of the rules for CALL, and what holds otherwise, give the same error: that error, or 0. */
static uint32_t one_error(const struct generator *g, const char *call)
{
	uint32_t number = 0, action, hashed = hash(call);

	for (size_t i = 0; i <= g->policy->n_rules; i++) {
		const struct filter_rule *r = i < g->policy->n_rules ? &g->policy->rules[i] : NULL;
		if (r && !covers(g, i, call, hashed))
			continue;
		action = r ? r->action : g->policy->otherwise;
		if (is_refusal(action)) {
			if (number && number != (action & SECCOMP_RET_DATA))
				return 0;
			number = action & SECCOMP_RET_DATA;
		}
		if (r && r->n_conditions == 0)
			break;
	}
	return number;
}

/* What the kernel is told instead of ACTION. CALL NULL: a number without a rule. While a program is started nobody answers, so execve is
 * never asked about. */
static uint32_t told(const struct generator *g, uint32_t action, const char *call, bool named)
{
	bool allows = action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;

	if (call && is_end(call))
		return SECCOMP_RET_ALLOW;
	if (call && is_exec(call))
		return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF ? SECCOMP_RET_ALLOW : action;
	if ((g->mode == FILTER_NAMED && named && is_refusal(action)) || (g->mode == FILTER_LEARN && allows))
		action = SECCOMP_RET_USER_NOTIF;
	if ((action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF) {
		if (g->mode == FILTER_PLAIN)
			return SECCOMP_RET_ALLOW;
		g->f->listens = true;
	}
	return action;
}

/* The rule as it is for CALL, which may be one that does the work of the rule's. */
static struct filter_rule as_for(const struct filter_rule *r, const char *call)
{
	struct filter_rule copy = *r;

	if (!streq(r->call, call)) {
		copy.conditions[0] = (struct filter_condition){ 0, OP_EQ, (uint64_t)other_way(r->call)->number, 0 };
		copy.n_conditions = 1;
	}
	return copy;
}

/* The rules for CALL that can come to count, and what holds after them in *LAST. Conditions in front of it with the same outcome are none. */
static size_t chain(const struct generator *g, const char *call, struct filter_rule *rules, uint32_t *last)
{
	uint32_t hashed = hash(call);
	size_t n = 0;

	*last = g->policy->otherwise;
	for (size_t i = 0; i < g->policy->n_rules; i++) {
		if (!covers(g, i, call, hashed))
			continue;
		rules[n] = as_for(&g->policy->rules[i], call);
		if (rules[n].n_conditions == 0) {
			*last = rules[n].action;
			break;
		}
		n++;
	}
	while (n && rules[n - 1].action == *last)
		n--;
	return n;
}

static void emit_chain(struct generator *g, const char *call)
{
	_cleanup_free_ struct filter_rule *rules = xcalloc(g->policy->n_rules + 1, sizeof *rules);
	uint32_t last;
	bool named = one_error(g, call) != 0;
	size_t n = chain(g, call, rules, &last);

	for (size_t i = 0; i < n; i++) {
		size_t left = 1;
		for (size_t k = 0; k < rules[i].n_conditions; k++)
			left += condition_size(&rules[i].conditions[k]);
		for (size_t k = 0; k < rules[i].n_conditions; k++) {
			left -= condition_size(&rules[i].conditions[k]);
			emit_condition(g->f, &rules[i].conditions[k], left);
		}
		emit(g->f, BPF_RET | BPF_K, told(g, rules[i].action, call, named));
	}
	emit(g->f, BPF_RET | BPF_K, told(g, last, call, named));
}

/* Which of the ranges LOW to HIGH is it? */
static void emit_search(struct generator *g, size_t low, size_t high)
{
	struct filter *f = g->f;
	size_t middle = (low + high) / 2, at = f->n;

	if (high - low == 1) {
		if (g->ranges[low].call)
			emit_chain(g, g->ranges[low].call);
		else
			emit(f, BPF_RET | BPF_K, g->ranges[low].action);
		return;
	}
	emit_jump(f, BPF_JGE, g->ranges[middle].from, 0, 0);
	emit_search(g, low, middle);
	size_t size = f->n - at - 1;
	if (size <= 255) {
		f->code[at].jt = (uint8_t)size;
	} else {
		/* Too far for a conditional jump; those behind it are relative and stay right. */
		emit(f, 0, 0);
		memmove(&f->code[at + 2], &f->code[at + 1], size * sizeof *f->code);
		f->code[at].jt = 0;
		f->code[at].jf = 1;
		f->code[at + 1] = (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = (uint32_t)size };
	}
	emit_search(g, middle, high);
}

/* The answer to a call the holder is asked about, where it is not the common one. */
static void note_answer(struct generator *g, uint32_t nr, const char *call, uint32_t action)
{
	bool only_noted = (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF;
	uint32_t answer = only_noted ? 0 : one_error(g, call);

	if (g->mode == FILTER_NAMED && answer != g->f->otherwise && (answer || only_noted))
		*GROW(&g->f->answers, &g->f->n_answers) =
			(struct wire_answer){ g->arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : g->arch, nr, answer };
}

static int by_number(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* The verdict on one call. */
static void add_call(struct generator *g, const char *call)
{
	int nr = number_of(g->arch, call);
	_cleanup_free_ struct filter_rule *rules = xcalloc(g->policy->n_rules + 1, sizeof *rules);
	uint32_t last;

	if (nr < 0)
		return;
	for (size_t i = 0; i < g->n; i++)
		if (g->ranges[i].from == (uint32_t)nr)
			return;
	size_t n = chain(g, call, rules, &last);
	note_answer(g, (uint32_t)nr, call, n ? rules[0].action : last);
	*GROW(&g->ranges, &g->n) = (struct range){ (uint32_t)nr, n ? 0 : told(g, last, call, true), n ? call : NULL };
}

/* From single numbers to ranges that leave nothing out, from FIRST on. */
static void close_ranges(struct generator *g, uint32_t first)
{
	uint32_t otherwise = told(g, g->policy->otherwise, NULL, true), next = first;
	struct range *all = NULL;
	size_t n = 0;

	qsort(g->ranges, g->n, sizeof *g->ranges, by_number);
	for (size_t i = 0; i <= g->n; i++) {
		struct range r = i < g->n ? g->ranges[i] : (struct range){ UINT32_MAX, otherwise, NULL };
		if (r.from > next && (n == 0 || all[n - 1].call || all[n - 1].action != otherwise))
			*GROW(&all, &n) = (struct range){ next, otherwise, NULL };
		if (i < g->n && (n == 0 || r.call || all[n - 1].call || all[n - 1].action != r.action))
			*GROW(&all, &n) = r;
		next = r.from + 1;
	}
	free(g->ranges);
	g->ranges = all;
	g->n = n;
}

static void emit_arch(struct generator *g, uint32_t arch)
{
	static const char *const always[] = { "execve", "execveat", "exit", "exit_group" };

	g->arch = arch;
	g->ranges = NULL;
	g->n = 0;
	for (size_t i = 0; i < g->policy->n_rules; i++)
		add_call(g, g->policy->rules[i].call);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add_call(g, always[i]);
	if (arch == SCMP_ARCH_X86) {
		add_call(g, "socketcall");
		add_call(g, "ipc");
	}
	close_ranges(g, arch == SCMP_ARCH_X32 ? X32_BIT : 0);
	emit_search(g, 0, g->n);
	free(g->ranges);
}

static bool has_arch(const struct policy *p, uint32_t arch)
{
	for (size_t i = 0; i < p->n_archs; i++)
		if (p->archs[i] == arch)
			return true;
	return false;
}

/* x32 is x86_64 with a bit in its numbers. */
static void emit_both(struct generator *g)
{
	emit_jump(g->f, BPF_JGE, X32_BIT, 0, 1);
	size_t at = g->f->n;
	emit(g->f, BPF_JMP | BPF_JA, 0);
	emit_arch(g, SCMP_ARCH_X86_64);
	g->f->code[at].k = (uint32_t)(g->f->n - at - 1);
	if (has_arch(g->policy, SCMP_ARCH_X32))
		emit_arch(g, SCMP_ARCH_X32);
	else
		emit(g->f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
}

int filter_generate(const struct policy *p, enum filter_mode mode, struct filter *f, struct err *err)
{
	_cleanup_free_ uint32_t *hashes = xcalloc(p->n_rules + 1, sizeof *hashes), *by = xcalloc(p->n_rules + 1, sizeof *by);
	struct generator g = { .policy = p, .mode = mode, .f = f, .hashes = hashes, .by = by };

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct other_way *other = other_way(p->rules[i].call);
		hashes[i] = hash(p->rules[i].call);
		by[i] = other ? hash(other->by) : 0;
	}

	*f = (struct filter){ .otherwise = is_refusal(p->otherwise) && mode == FILTER_NAMED ? p->otherwise & SECCOMP_RET_DATA : 0 };
	emit(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < p->n_archs; i++) {
		uint32_t arch = p->archs[i];
		if (arch == SCMP_ARCH_X32)
			continue;
		/* Not this one: over its part. */
		emit_jump(f, BPF_JEQ, arch, 1, 0);
		size_t at = f->n;
		emit(f, BPF_JMP | BPF_JA, 0);
		emit(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
		if (arch == SCMP_ARCH_X86_64)
			emit_both(&g);
		else
			emit_arch(&g, arch);
		f->code[at].k = (uint32_t)(f->n - at - 1);
	}
	emit(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	if (f->n > BPF_MAXINSNS)
		return err_set(err, E2BIG, "the filter has %zu instructions, and the kernel takes %d", f->n, BPF_MAXINSNS);
	return 0;
}
