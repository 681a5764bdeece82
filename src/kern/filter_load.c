/*
 * filter_load.c - the module of filters, seen from the program that loads it; and a filter as text
 */
#include "config.h"

#include <linux/seccomp.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/module.h"
#include "kern/filter.h"

const struct filter_api *filter_api(struct err *err)
{
	static const struct filter_api *api;

	if (!api)
		api = module_symbol("seccomp", "filter_module", err);
	return api;
}

static void list_return(uint32_t k, FILE *out)
{
	static const struct { uint32_t action; const char *name; } names[] = {
		{ SECCOMP_RET_ALLOW, "allow" }, { SECCOMP_RET_LOG, "log" }, { SECCOMP_RET_USER_NOTIF, "notify" },
		{ SECCOMP_RET_KILL_PROCESS, "kill process" }, { SECCOMP_RET_KILL_THREAD, "kill thread" }, { SECCOMP_RET_TRAP, "trap" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].action == (k & SECCOMP_RET_ACTION_FULL)) {
			fprintf(out, "ret %s\n", names[i].name);
			return;
		}
	if ((k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		fprintf(out, "ret errno %s\n", err_name((int)(k & SECCOMP_RET_DATA)));
	else
		fprintf(out, "ret 0x%08x\n", k);
}

static void list_load(uint32_t k, FILE *out)
{
	if (k == 0)
		fprintf(out, "ld nr\n");
	else if (k == 4)
		fprintf(out, "ld arch\n");
	else
		fprintf(out, "ld arg%u.%s\n", (k - 16) / 8, ((k - 16) % 8 == 0) == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) ? "low" : "high");
}

void filter_list(const struct filter *f, FILE *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct sock_filter *c = &f->code[i];
		const char *op = BPF_OP(c->code) == BPF_JEQ ? "jeq" : BPF_OP(c->code) == BPF_JGT ? "jgt" : "jge";
		fprintf(out, "%4zu  ", i);
		if (BPF_CLASS(c->code) == BPF_RET)
			list_return(c->k, out);
		else if (BPF_CLASS(c->code) == BPF_LD)
			list_load(c->k, out);
		else if (BPF_CLASS(c->code) == BPF_ALU)
			fprintf(out, "and 0x%x\n", c->k);
		else if (BPF_OP(c->code) == BPF_JA)
			fprintf(out, "ja %zu\n", i + 1 + c->k);
		else
			fprintf(out, "%s %s%x ? %zu : %zu\n", op, c->k > 9 ? "0x" : "", c->k, i + 1 + c->jt, i + 1 + c->jf);
	}
}
