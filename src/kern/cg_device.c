/*
 * cg_device.c - which devices the processes of a group may use
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg_device.h"
#include "kern/cg_tree.h"
#include "kern/step.h"

static bool read_number(const char **at, uint32_t *number)
{
	char *end;

	if (**at == '*') {
		*number = DEVICE_ANY;
		(*at)++;
		return true;
	}
	*number = (uint32_t)strtoul(*at, &end, 10);
	bool any = end > *at;
	*at = end;
	return any;
}

static bool read_rule(const char **at, struct device_rule *r)
{
	r->allow = starts_with(*at, "allow ");
	if (!r->allow && !starts_with(*at, "deny "))
		return false;
	*at = strchr(*at, ' ') + 1;
	r->type = **at;
	if (!strchr("abc", r->type) || (*at)[1] != ' ')
		return false;
	*at += 2;
	if (!read_number(at, &r->major) || *(*at)++ != ':' || !read_number(at, &r->minor) || *(*at)++ != ' ')
		return false;
	for (r->access = 0; **at && strchr("rwm", **at); (*at)++)
		r->access |= **at == 'r' ? DEVICE_READ : **at == 'w' ? DEVICE_WRITE : DEVICE_MKNOD;
	return r->access != 0;
}

size_t device_rules(const char *text, struct device_rule rules[DEVICE_RULES])
{
	size_t n = 0;

	while (text && n < DEVICE_RULES && read_rule(&text, &rules[n])) {
		n++;
		if (!starts_with(text, "; "))
			break;
		text += 2;
	}
	return n;
}

/* ---- version 2: a program ---- */

enum { PER_RULE = 6, MOST_CODE = DEVICE_RULES * PER_RULE + 8 };
/* What the registers hold all through the program; the kernel passes its question in r1. */
enum { QUESTION = BPF_REG_1, ACCESS = BPF_REG_2, TYPE = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5, SPARE = BPF_REG_6 };

struct code {
	struct bpf_insn insn[MOST_CODE];
	size_t n;
};

static void put(struct code *c, unsigned op, unsigned to, unsigned from, int off, int32_t number)
{
	c->insn[c->n++] = (struct bpf_insn){ .code = (uint8_t)op, .dst_reg = to & 15, .src_reg = from & 15, .off = (int16_t)off, .imm = number };
}

static void put_load(struct code *c, unsigned to, size_t offset)
{
	put(c, BPF_LDX | BPF_MEM | BPF_W, to, QUESTION, (int)offset, 0);
}

static void put_answer(struct code *c, int answer)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, answer);
	put(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A rule that does not fit is jumped over. An allowing one takes what it allows from what is asked, and nothing left is the answer yes; a
 * denying one that has any of it is the answer no. */
static void put_rule(struct code *c, const struct device_rule *r)
{
	size_t jumps[3], n = 0;

	if (r->type != 'a') {
		jumps[n++] = c->n;
		put(c, BPF_JMP | BPF_JNE | BPF_K, TYPE, 0, 0, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	}
	if (r->major != DEVICE_ANY) {
		jumps[n++] = c->n;
		put(c, BPF_JMP | BPF_JNE | BPF_K, MAJOR, 0, 0, (int32_t)r->major);
	}
	if (r->minor != DEVICE_ANY) {
		jumps[n++] = c->n;
		put(c, BPF_JMP | BPF_JNE | BPF_K, MINOR, 0, 0, (int32_t)r->minor);
	}
	if (r->allow) {
		put(c, BPF_ALU64 | BPF_AND | BPF_K, ACCESS, 0, 0, (int32_t)(DEVICE_ALL & ~r->access));
		put(c, BPF_JMP | BPF_JNE | BPF_K, ACCESS, 0, 2, 0);
		put_answer(c, 1);
	} else {
		put(c, BPF_ALU64 | BPF_MOV | BPF_X, SPARE, ACCESS, 0, 0);
		put(c, BPF_ALU64 | BPF_AND | BPF_K, SPARE, 0, 0, (int32_t)r->access);
		put(c, BPF_JMP | BPF_JEQ | BPF_K, SPARE, 0, 2, 0);
		put_answer(c, 0);
	}
	for (size_t i = 0; i < n; i++)
		c->insn[jumps[i]].off = (int16_t)(c->n - jumps[i] - 1);
}

static void compile(struct code *c, const struct device_rule *rules, size_t n)
{
	put_load(c, ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	put(c, BPF_ALU64 | BPF_MOV | BPF_X, TYPE, ACCESS, 0, 0);
	put(c, BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	put(c, BPF_ALU64 | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
	put_load(c, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	put_load(c, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	while (n-- > 0)
		put_rule(c, &rules[n]);
	put_answer(c, 1);
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

#define PROGRAM_NAME "belljar_dev"

static int load(const struct device_rule *rules, size_t n)
{
	struct code *c = xcalloc(1, sizeof *c);
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .expected_attach_type = BPF_CGROUP_DEVICE };

	compile(c, rules, n);
	attr.insns = (uintptr_t)c->insn;
	attr.insn_cnt = (uint32_t)c->n;
	attr.license = (uintptr_t)"GPL";
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof PROGRAM_NAME);
	int fd = bpf(BPF_PROG_LOAD, &attr), number = errno;
	free(c);
	errno = number;
	return fd;
}

/* Of those attached to the group itself the one that is belljar's; -1: none, or -2 with errno. */
static int ours(int dir)
{
	uint32_t ids[64] = { 0 };
	union bpf_attr query = { 0 };

	query.query.target_fd = (uint32_t)dir;
	query.query.attach_type = BPF_CGROUP_DEVICE;
	query.query.prog_ids = (uintptr_t)ids;
	query.query.prog_cnt = ARRAY_SIZE(ids);
	if (bpf(BPF_PROG_QUERY, &query) < 0)
		return -2;
	for (uint32_t i = 0; i < query.query.prog_cnt && i < ARRAY_SIZE(ids); i++) {
		struct bpf_prog_info info = { 0 };
		union bpf_attr get = { .prog_id = ids[i] }, ask = { 0 };
		int fd = bpf(BPF_PROG_GET_FD_BY_ID, &get);
		if (fd < 0)
			return -2;
		ask.info.bpf_fd = (uint32_t)fd;
		ask.info.info_len = sizeof info;
		ask.info.info = (uintptr_t)&info;
		if (bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) == 0 && streq(info.name, PROGRAM_NAME))
			return fd;
		close(fd);
	}
	return -1;
}

static int attach(int dir, const struct device_rule *rules, size_t n)
{
	_cleanup_close_ int old = ours(dir);
	_cleanup_close_ int new = old == -2 || n == 0 ? -1 : load(rules, n);
	union bpf_attr attr = { .target_fd = (uint32_t)dir, .attach_type = BPF_CGROUP_DEVICE };

	if (old == -2 || (n > 0 && new < 0))
		return -1;
	if (n == 0) {
		attr.attach_bpf_fd = (uint32_t)old;
		return old < 0 ? 0 : bpf(BPF_PROG_DETACH, &attr);
	}
	attr.attach_bpf_fd = (uint32_t)new;
	attr.attach_flags = BPF_F_ALLOW_MULTI | (old >= 0 ? BPF_F_REPLACE : 0U);
	attr.replace_bpf_fd = old >= 0 ? (uint32_t)old : 0;
	return bpf(BPF_PROG_ATTACH, &attr);
}

static int device_v2(const struct cg_tree *t, const struct step *s, struct err *err)
{
	struct device_rule rules[DEVICE_RULES];
	size_t n = device_rules(s->from, rules);
	_cleanup_free_ char *path = cg_tree_path(t, s->text, NULL);
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_set(err, errno, "%s: can't be opened", path);
	if (attach(dir, rules, n) == 0)
		return 0;
	err_set(err, errno, "%s: the program that decides about devices can't be attached", path);
	if (errno == EPERM)
		err_why(err, "on version 2 devices are decided by a program in the kernel (BPF), and only root may bring one in");
	else if (errno == ENOSYS || errno == EINVAL)
		err_why(err, "the kernel was built without CONFIG_CGROUP_BPF");
	return -1;
}

/* ---- version 1: a default and exceptions from it ---- */

static bool one_of(uint32_t a, uint32_t b)
{
	return a == b || a == DEVICE_ANY || b == DEVICE_ANY;
}

static bool meet(const struct device_rule *a, const struct device_rule *b)
{
	return (a->type == b->type || a->type == 'a' || b->type == 'a') && one_of(a->major, b->major) && one_of(a->minor, b->minor);
}

static bool whole(const struct device_rule *r)
{
	return r->type == 'a' && r->major == DEVICE_ANY && r->minor == DEVICE_ANY && r->access == DEVICE_ALL;
}

/* Behind the last rule that leaves nothing of the earlier ones. */
static size_t behind_whole(const struct device_rule *rules, size_t n)
{
	while (n > 0 && !whole(&rules[n - 1]))
		n--;
	return n;
}

static void write_number(char *text, uint32_t n)
{
	if (n == DEVICE_ANY)
		snprintf(text, 16, "*");
	else
		snprintf(text, 16, "%u", n);
}

static void rule_line(char line[64], char type, const struct device_rule *r)
{
	char major[16], minor[16];

	write_number(major, r->major);
	write_number(minor, r->minor);
	snprintf(line, 64, "%c %s:%s %s%s%s", type, major, minor, r->access & DEVICE_READ ? "r" : "", r->access & DEVICE_WRITE ? "w" : "",
		 r->access & DEVICE_MKNOD ? "m" : "");
}

/* What takes an exception back must be the very same devices, or the kernel keeps the exception as it is. 0, or the number (from 1) of the
 * rule that can't be said. */
static size_t unsayable(const struct device_rule *rules, size_t first, size_t n, int otherwise)
{
	for (size_t i = first; i < n; i++)
		for (size_t k = first; rules[i].allow == otherwise && k < i; k++) {
			const struct device_rule *a = &rules[i], *b = &rules[k];
			bool same = a->type == b->type && a->major == b->major && a->minor == b->minor;
			if (b->allow != otherwise && !same && a->access & b->access && meet(a, b))
				return i + 1;
		}
	return 0;
}

static int write_rule(const char *dir, const struct device_rule *r)
{
	_cleanup_free_ char *path = xasprintf("%s/devices.%s", dir, r->allow ? "allow" : "deny");
	char line[64];

	for (const char *type = r->type == 'a' ? "cb" : r->type == 'c' ? "c" : "b"; *type; type++) {
		rule_line(line, *type, r);
		if (io_put(AT_FDCWD, path, line) < 0)
			return -1;
	}
	return 0;
}

/* A group as it was made has its parent's rules; `a` in devices.allow asks for more than that where the parent has not everything, and is
 * written only when there is something to be taken back. */
static int write_rules(const char *dir, const struct device_rule *rules, size_t n, bool before)
{
	size_t first = behind_whole(rules, n);
	int otherwise = first ? rules[first - 1].allow : 1;
	_cleanup_free_ char *path = xasprintf("%s/devices.%s", dir, otherwise ? "allow" : "deny");
	if ((before || !otherwise) && io_put(AT_FDCWD, path, "a") < 0)
		return -1;
	for (size_t i = first; i < n; i++) {
		/* Taking back what there is no exception for would be a rule of its own in devices.allow. */
		bool any = rules[i].allow != otherwise;
		for (size_t k = first; k < i && !any; k++)
			any = rules[k].allow != otherwise && meet(&rules[i], &rules[k]);
		if (any && write_rule(dir, &rules[i]) < 0)
			return -1;
	}
	return 0;
}

static int device_v1(const struct cg_tree *t, const struct step *s, struct err *err)
{
	struct device_rule rules[DEVICE_RULES], old[DEVICE_RULES];
	size_t n = device_rules(s->from, rules), n_old = device_rules(s->what, old), first = behind_whole(rules, n);
	_cleanup_free_ char *dir = cg_tree_path(t, s->text, NULL);
	size_t bad = unsayable(rules, first, n, first ? rules[first - 1].allow : 1);

	if (bad) {
		char line[64];
		rule_line(line, rules[bad - 1].type, &rules[bad - 1]);
		err_set(err, ENOTSUP, "%s: version 1 can't %s %s", s->text, rules[bad - 1].allow ? "allow" : "deny", line);
		return err_why(err, "an earlier rule speaks of some of the same devices, and there an exception can only be taken back as a whole");
	}
	if (write_rules(dir, rules, n, n_old > 0) == 0)
		return 0;
	err_set(err, errno, "%s: its rules for devices can't be set", dir);
	if (errno == EPERM)
		err_why(err, "the group above does not allow all that is to be allowed");
	write_rules(dir, old, n_old, true);
	return -1;
}

int cg_device(struct step *s, struct err *err)
{
	const struct cg_trees *all = cg_find(err);

	if (!all)
		return -1;
	if (cg_v1(CTL_DEVICES))
		return device_v1(all->of[CTL_DEVICES], s, err);
	if (all->track->v2)
		return device_v2(all->track, s, err);
	return cg_has(CTL_DEVICES, "devices", err);
}
