/*
 * doctor.c - command: doctor
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "kern/doctor.h"

static const char *const verdicts[] = { [DOCTOR_FINE] = "ok", [DOCTOR_LESS] = "less", [DOCTOR_MISSING] = "missing" };

static void print_json(const struct doctor_finding *all, size_t n, FILE *out)
{
	struct json j = { .out = out };

	json_open(&j, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&j, '{');
		json_key(&j, "what"), json_str(&j, all[i].what);
		json_key(&j, "verdict"), json_str(&j, verdicts[all[i].verdict]);
		json_key(&j, "seen"), json_str(&j, all[i].seen);
		json_key(&j, "lost"), json_str(&j, all[i].lost);
		json_key(&j, "fix"), json_str(&j, all[i].fix);
		json_key(&j, "cost"), json_str(&j, all[i].cost);
		json_close(&j, '}');
	}
	json_close(&j, ']');
}

static void print_part(FILE *out, const char *label, const char *text)
{
	if (!text)
		return;
	fprintf(out, "%25s%s", "", label);
	buf_print(out, text);
	fputc('\n', out);
}

static int run_doctor(struct shell *sh, const struct args *args, struct err *err)
{
	struct doctor_finding *all;
	size_t n;

	(void)args, (void)err;
	doctor_look(&all, &n);
	if (sh->json)
		print_json(all, n, sh->out);
	for (size_t i = 0; i < n && !sh->json; i++) {
		fprintf(sh->out, "%-8s %-15s ", verdicts[all[i].verdict], all[i].what);
		buf_print(sh->out, all[i].seen);
		fputc('\n', sh->out);
		print_part(sh->out, "lost: ", all[i].lost);
		print_part(sh->out, "fix:  ", all[i].fix);
		print_part(sh->out, "cost: ", all[i].cost);
	}
	doctor_free(all, n);
	return 0;
}

const struct command cmd_doctor[] = {
	{
		.name = "doctor",
		.group = "teaching",
		.brief = "say what this machine lets belljar do, and how to mend what it doesn't",
		.grammar = "",
		.text = "Looks at the kernel, its limits of namespaces, the switches that keep user namespaces from ordinary users, subordinate ids, "
			"control groups, file systems and keyrings. Each line begins with `ok`, `less` (something is not to be had) or `missing` "
			"(belljar does not work so); below it stand what is lost, the command that mends it, and what that costs. Nothing is changed.",
		.examples = "doctor",
		.flags = CMD_OUTSIDE | CMD_NO_UNDO,
		.run = run_doctor,
	},
	{ .name = NULL },
};
