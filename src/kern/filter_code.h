/*
 * filter_code.h - inside the module of filters: a policy, and making code of it
 */
#ifndef KERN_FILTER_CODE_H
#define KERN_FILTER_CODE_H

#include "kern/filter.h"

enum filter_op { OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE, OP_MASKED_EQ };

/* On one argument of the call; all of a rule's must hold. MASKED_EQ: (argument & value) == value2. */
struct filter_condition {
	unsigned index;
	enum filter_op op;
	uint64_t value, value2;
};
enum { CONDITIONS = 6 };

struct filter_rule {
	char *call;
	uint32_t action;               /* SECCOMP_RET_... with its data */
	struct filter_condition conditions[CONDITIONS];
	size_t n_conditions;
};

/* Of several rules for a call the first whose conditions hold counts. */
struct policy {
	uint32_t otherwise;
	uint32_t archs[8];             /* libseccomp's tokens; the machine's own first */
	size_t n_archs;
	struct filter_rule *rules;
	size_t n_rules;
};

void policy_free(struct policy *p);
struct filter_rule *policy_add(struct policy *p, const char *call, uint32_t action);

/* Number of a call; negative when the architecture doesn't have it. */
int filter_number(uint32_t arch, const char *call);

/* What Docker allows a container with these capabilities. */
void policy_add_default(struct policy *p, uint64_t caps);

/* The program. 0, or -1 with err when it is longer than the kernel takes. */
int filter_generate(const struct policy *p, enum filter_mode mode, struct filter *f, struct err *err);

#endif
