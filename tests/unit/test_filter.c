/*
 * test_filter.c - the code of a filter does what its policy says, and what libseccomp's code for the same policy does
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/capability.h"
#include "kern/filter_code.h"
#include "kern/wire.h"

extern const struct filter_api filter_module;

/* What the kernel would do with a call; UINT32_MAX where the program is wrong. */
static uint32_t verdict(const struct sock_filter *code, size_t n, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, mem[16] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *c = &code[pc];
		uint32_t k = c->k;
		bool yes;
		switch (c->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (k % 4 || k >= sizeof *data)
				return UINT32_MAX;
			memcpy(&a, (const char *)data + k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K: a &= k; continue;
		case BPF_ST: mem[k] = a; continue;
		case BPF_LD | BPF_MEM: a = mem[k]; continue;
		case BPF_MISC | BPF_TAX: x = a; continue;
		case BPF_RET | BPF_K: return k;
		case BPF_JMP | BPF_JA: pc += k; continue;
		case BPF_JMP | BPF_JEQ | BPF_K: yes = a == k; break;
		case BPF_JMP | BPF_JGT | BPF_K: yes = a > k; break;
		case BPF_JMP | BPF_JGE | BPF_K: yes = a >= k; break;
		default: (void)x; return UINT32_MAX;
		}
		pc += yes ? c->jt : c->jf;
	}
	return UINT32_MAX;
}

static uint32_t scmp_action(uint32_t action)
{
	return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO ? SCMP_ACT_ERRNO(action & SECCOMP_RET_DATA) :
	       action == SECCOMP_RET_LOG ? SCMP_ACT_LOG : SCMP_ACT_ALLOW;
}

/* libseccomp's program for the policy. */
static struct sock_filter *theirs(const struct policy *p, size_t *n)
{
	static const int ops[] = { SCMP_CMP_EQ, SCMP_CMP_NE, SCMP_CMP_GT, SCMP_CMP_GE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_MASKED_EQ };
	scmp_filter_ctx ctx = seccomp_init(scmp_action(p->otherwise));
	int fd = memfd_create("filter", MFD_CLOEXEC);

	assert_true(ctx && fd >= 0);
	for (size_t i = 1; i < p->n_archs; i++)
		assert_int_equal(seccomp_arch_add(ctx, p->archs[i]), 0);
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct filter_rule *r = &p->rules[i];
		struct scmp_arg_cmp args[CONDITIONS];
		int nr = seccomp_syscall_resolve_name(r->call);
		if (nr == __NR_SCMP_ERROR || scmp_action(r->action) == scmp_action(p->otherwise))
			continue;
		for (size_t k = 0; k < r->n_conditions; k++)
			args[k] = (struct scmp_arg_cmp){ r->conditions[k].index, (enum scmp_compare)ops[r->conditions[k].op], r->conditions[k].value,
							 r->conditions[k].value2 };
		assert_int_equal(seccomp_rule_add_array(ctx, scmp_action(r->action), nr, (unsigned)r->n_conditions, args), 0);
	}
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	*n = (size_t)lseek(fd, 0, SEEK_END) / sizeof(struct sock_filter);
	struct sock_filter *code = xcalloc(*n, sizeof *code);
	assert_true(pread(fd, code, *n * sizeof *code, 0) == (ssize_t)(*n * sizeof *code));
	close(fd);
	return code;
}

static void native(struct policy *p)
{
	p->archs[p->n_archs++] = seccomp_arch_native();
	if (p->archs[0] == SCMP_ARCH_X86_64) {
		p->archs[p->n_archs++] = SCMP_ARCH_X86;
		p->archs[p->n_archs++] = SCMP_ARCH_X32;
	}
}

static bool is_socket(uint32_t arch, int nr)
{
	return nr == (arch == SCMP_ARCH_X86 ? 359 : seccomp_syscall_resolve_name_arch(arch, "socket"));
}

/* Every number of every architecture, with arguments at the edges of the conditions. Numbers that libseccomp may not know are left out. */
static void compare(const struct policy *p)
{
	static const uint64_t edges[] = { 0, 1, 7, 8, 9, 39, 40, 41, 0x20000, 0x20008, 0x10000000, 0x7e020000, 0x80000000, 0xffffffff,
					  0x100000000, 0x100000008, 0x2800000028, UINT64_MAX };
	struct filter f;
	struct err err;
	size_t n, differ = 0;
	struct sock_filter *code = theirs(p, &n);

	assert_int_equal(filter_generate(p, FILTER_PLAIN, &f, &err), 0);
	for (size_t a = 0; a < p->n_archs; a++) {
		bool x32 = p->archs[a] == SCMP_ARCH_X32;
		for (int nr = 0; nr < 449; nr++)
			for (size_t e = 0; e < ARRAY_SIZE(edges); e++) {
				struct seccomp_data data = { .nr = nr | (x32 ? 0x40000000 : 0), .arch = x32 ? SCMP_ARCH_X86_64 : p->archs[a] };
				for (int i = 0; i < 6; i++)
					data.args[i] = a ? (uint32_t)edges[(e + (size_t)i) % ARRAY_SIZE(edges)] : edges[(e + (size_t)i) % ARRAY_SIZE(edges)];
				/* Our rule for socket looks at half of the argument, as the kernel does. */
				if ((a == 0 && nr == 335 /* uretprobe */) || (is_socket(p->archs[a], data.nr) && (uint32_t)data.args[0] == 40))
					continue;
				uint32_t us = verdict(f.code, f.n, &data), them = verdict(code, n, &data);
				if (us == them)
					continue;
				char *name = seccomp_syscall_resolve_num_arch(p->archs[a], data.nr);
				print_message("%s (%d) on %#x with %#llx: %#x, libseccomp says %#x\n", name ? name : "?", nr, p->archs[a],
					      (unsigned long long)data.args[0], us, them);
				free(name);
				differ++;
			}
	}
	assert_int_equal(differ, 0);
	free(code);
	free(f.code);
	free(f.answers);
}

static void the_default_is_libseccomps(void **state)
{
	const uint64_t caps[] = { 0, capability_docker(), UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		struct policy p = { 0 };
		native(&p);
		policy_add_default(&p, caps[i]);
		compare(&p);
		policy_free(&p);
	}
}

/* Conditions of every kind, alone and together, against libseccomp. */
static void conditions_are_libseccomps(void **state)
{
	(void)state;
	for (int op = OP_EQ; op <= OP_MASKED_EQ; op++) {
		static const uint64_t values[] = { 0, 8, 40, 0xffffffff, 0x100000008 };
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			struct policy p = { .otherwise = SECCOMP_RET_ALLOW };
			native(&p);
			/* libseccomp cuts it for machines of 32 bits, so that it means something else. */
			if (values[v] > UINT32_MAX)
				p.n_archs = 1;
			struct filter_rule *r = policy_add(&p, "prctl", SECCOMP_RET_ERRNO | EINVAL);
			r->conditions[0] = (struct filter_condition){ 0, (enum filter_op)op, values[v], values[v] & 8 };
			r->n_conditions = 1;
			r = policy_add(&p, "fcntl", SECCOMP_RET_ERRNO | EBADF);
			r->conditions[0] = (struct filter_condition){ 1, (enum filter_op)op, values[v], values[v] & 8 };
			r->conditions[1] = (struct filter_condition){ 2, OP_NE, 8, 0 };
			r->n_conditions = 2;
			policy_add(&p, "getppid", SECCOMP_RET_ERRNO | EPERM);
			compare(&p);
			policy_free(&p);
		}
	}
}

static uint32_t ask(const struct filter *f, uint32_t arch, const char *call, uint64_t arg0)
{
	struct seccomp_data data = { .nr = filter_number(arch, call), .arch = arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : arch, .args = { arg0 } };

	return verdict(f->code, f->n, &data);
}

/* Good until the next one. */
static const struct filter *compiled(const char *value, uint64_t caps, enum filter_mode mode, struct err *err)
{
	static struct filter f;

	filter_free(&f);
	return filter_module.compile(value, caps, mode, &f, err) < 0 ? NULL : &f;
}

static void modes_and_changes(void **state)
{
	const uint32_t native_arch = seccomp_arch_native();
	struct err err;
	const struct filter *f;

	(void)state;
	f = compiled("default\n", 0, FILTER_NAMED, &err);
	assert_non_null(f);
	assert_true(f->listens && f->otherwise == EPERM);
	assert_true(ask(f, native_arch, "mount", 0) == SECCOMP_RET_USER_NOTIF);
	assert_true(ask(f, native_arch, "clone", 0x10000000) == SECCOMP_RET_USER_NOTIF);
	assert_true(ask(f, native_arch, "clone", 17) == SECCOMP_RET_ALLOW);
	assert_true(ask(f, native_arch, "clone3", 0) == (SECCOMP_RET_ERRNO | ENOSYS));
	assert_true(ask(f, native_arch, "read", 0) == SECCOMP_RET_ALLOW);
	assert_true(ask(f, native_arch, "socket", 2) == SECCOMP_RET_ALLOW && ask(f, native_arch, "socket", 40) == SECCOMP_RET_USER_NOTIF);
	assert_true(ask(f, native_arch, "socket", 0x100000028) == SECCOMP_RET_USER_NOTIF);
	assert_true(f->n < 800);
	f = compiled("default\nallow mount\ndeny EACCES read write\nlog close\nnotify open\n", 0, FILTER_NAMED, &err);
	assert_true(ask(f, native_arch, "mount", 0) == SECCOMP_RET_ALLOW && ask(f, native_arch, "close", 0) == SECCOMP_RET_LOG);
	assert_true(ask(f, native_arch, "read", 0) == SECCOMP_RET_USER_NOTIF);
	/* What the holder says to those that are not EPERM. */
	size_t found = 0;
	for (size_t i = 0; i < f->n_answers; i++)
		if (f->answers[i].arch == native_arch && (int)f->answers[i].nr == filter_number(native_arch, "read"))
			found += f->answers[i].error == EACCES;
		else if (f->answers[i].arch == native_arch && (int)f->answers[i].nr == filter_number(native_arch, "open"))
			found += f->answers[i].error == 0;
	assert_int_equal(found, native_arch == SCMP_ARCH_AARCH64 ? 1 : 2);
	/* The holder stands still while a program starts, so it is never asked about execve; and what can't end would never let it go on. */
	f = compiled("only\nnotify execve\ndeny EPERM exit exit_group\n", 0, FILTER_NAMED, &err);
	assert_true(ask(f, native_arch, "execve", 0) == SECCOMP_RET_ALLOW && ask(f, native_arch, "exit_group", 0) == SECCOMP_RET_ALLOW);
	f = compiled("any\ndeny EPERM execve\n", 0, FILTER_NAMED, &err);
	assert_true(ask(f, native_arch, "execve", 0) == (SECCOMP_RET_ERRNO | EPERM) && !f->listens);
	f = compiled("any\n", 0, FILTER_LEARN, &err);
	assert_true(f->listens && ask(f, native_arch, "read", 0) == SECCOMP_RET_USER_NOTIF && ask(f, native_arch, "execve", 0) == SECCOMP_RET_ALLOW);
	assert_true(f->otherwise == 0 && f->n_answers == 0);
}

/* What does the work of a call on i386 is refused with it. */
static void other_ways_in(void **state)
{
	struct err err;
	const struct filter *f = compiled("any\ndeny EPERM socket\n", 0, FILTER_PLAIN, &err);

	(void)state;
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		skip();
	assert_true(ask(f, SCMP_ARCH_X86_64, "socket", 2) == (SECCOMP_RET_ERRNO | EPERM));
	assert_true(ask(f, SCMP_ARCH_X32, "socket", 2) == (SECCOMP_RET_ERRNO | EPERM));
	struct seccomp_data direct = { .nr = 359, .arch = SCMP_ARCH_X86, .args = { 2 } };
	assert_true(verdict(f->code, f->n, &direct) == (SECCOMP_RET_ERRNO | EPERM));
	assert_true(ask(f, SCMP_ARCH_X86, "socketcall", 1) == (SECCOMP_RET_ERRNO | EPERM));
	assert_true(ask(f, SCMP_ARCH_X86, "socketcall", 2) == SECCOMP_RET_ALLOW);
	struct seccomp_data foreign = { .nr = 0, .arch = AUDIT_ARCH_AARCH64 };
	assert_true(verdict(f->code, f->n, &foreign) == SECCOMP_RET_KILL_PROCESS);
}

static char *profile(const char *text, struct err *err)
{
	char path[] = "/tmp/bjprofile.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	char *value = filter_module.from_file(path, err);
	unlink(path);
	return value;
}

static void profiles(void **state)
{
	static const char good[] =
		"{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,\n"
		"  \"archMap\": [ { \"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [ \"SCMP_ARCH_X86\" ] },\n"
		"                 { \"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [ \"SCMP_ARCH_ARM\" ] } ],\n"
		"  \"syscalls\": [ { \"names\": [ \"read\", \"write\" ], \"action\": \"SCMP_ACT_ALLOW\" },\n"
		"    { \"names\": [ \"mount\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"caps\": [ \"CAP_SYS_ADMIN\" ] } },\n"
		"    { \"names\": [ \"umount2\" ], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 13, \"excludes\": { \"caps\": [ \"CAP_SYS_ADMIN\" ] } },\n"
		"    { \"names\": [ \"acct\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"arches\": [ \"mips\" ] } },\n"
		"    { \"names\": [ \"personality\" ], \"action\": \"SCMP_ACT_ALLOW\",\n"
		"      \"args\": [ { \"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_EQ\" }, { \"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\" } ] } ] }\n";
	const uint32_t arch = seccomp_arch_native();
	struct err err;
	char *value = profile(good, &err);

	(void)state;
	assert_non_null(value);
	const struct filter *f = compiled(value, 0, FILTER_PLAIN, &err);
	assert_true(ask(f, arch, "read", 0) == SECCOMP_RET_ALLOW && ask(f, arch, "mount", 0) == (SECCOMP_RET_ERRNO | ENOSYS));
	assert_true(ask(f, arch, "umount2", 0) == (SECCOMP_RET_ERRNO | EACCES) && ask(f, arch, "acct", 0) == (SECCOMP_RET_ERRNO | ENOSYS));
	assert_true(ask(f, arch, "personality", 8) == SECCOMP_RET_ALLOW && ask(f, arch, "personality", 1) == (SECCOMP_RET_ERRNO | ENOSYS));
	if (arch == SCMP_ARCH_X86_64)
		assert_true(ask(f, SCMP_ARCH_X32, "read", 0) == SECCOMP_RET_KILL_PROCESS && ask(f, SCMP_ARCH_X86, "read", 0) == SECCOMP_RET_ALLOW);
	f = compiled(value, UINT64_MAX, FILTER_PLAIN, &err);
	assert_true(ask(f, arch, "mount", 0) == SECCOMP_RET_ALLOW && ask(f, arch, "umount2", 0) == (SECCOMP_RET_ERRNO | ENOSYS));
	free(value);
}

static void bad_profiles(void **state)
{
#define CALLS(rest) "{ \"defaultAction\": \"SCMP_ACT_ALLOW\",\n \"syscalls\": [\n { " rest " } ] }"
	static const struct { const char *text, *says; } bad[] = {
		{ "", ":1: " }, { "[]", ":1: a profile is an object" }, { "{\n\n x", ":3: " }, { "{}", "defaultAction is missing" },
		{ "{\n\"defaultAction\": \"SCMP_ACT_PERHAPS\" }", ":2: SCMP_ACT_PERHAPS is no action" },
		{ "{ \"defaultAction\": \"SCMP_ACT_NOTIFY\" }", "is no action for a profile here" },
		{ "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"defaultAction\": \"SCMP_ACT_ALLOW\" }", ":1: " },
		{ "{ \"defaultAction\": \"SCMP_ACT_ALLOW\",\n \"architectures\": [\n \"SCMP_ARCH_Z80\" ] }", ":3: SCMP_ARCH_Z80 is no architecture" },
		{ CALLS("\"names\": [ \"read\", \"reed\" ], \"action\": \"SCMP_ACT_LOG\""), ":3: reed is no system call" },
		{ CALLS("\"names\": [ \"read\" ]"), "an action is missing" },
		{ CALLS("\"action\": \"SCMP_ACT_LOG\""), "names no calls" },
		{ CALLS("\"names\": [ 7 ], \"action\": \"SCMP_ACT_LOG\""), "is no system call" },
		{ CALLS("\"names\": [ \"read\" ], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 5000"), "an error of 5000 is none" },
		{ CALLS("\"names\": [ \"read\" ], \"action\": \"SCMP_ACT_LOG\", \"args\": [ { \"index\": 6 } ]"), "0 to 5" },
		{ CALLS("\"names\": [ \"read\" ], \"action\": \"SCMP_ACT_LOG\", \"args\": [ { \"index\": 0, \"op\": \"EQ\" } ]"), "EQ is no comparison" },
		{ CALLS("\"names\": [ \"read\" ], \"action\": \"SCMP_ACT_LOG\", \"includes\": { \"caps\": [ \"CAP_FLY\" ] }"), "CAP_FLY is no capability" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = { 0 };
		char *value = profile(bad[i].text, &err);
		if (value || !strstr(err.text, bad[i].says))
			fail_msg("%s: %s", bad[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_is_libseccomps), cmocka_unit_test(conditions_are_libseccomps), cmocka_unit_test(modes_and_changes),
		cmocka_unit_test(other_ways_in), cmocka_unit_test(profiles), cmocka_unit_test(bad_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
