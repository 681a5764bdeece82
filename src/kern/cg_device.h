/*
 * cg_device.h - which devices the processes of a group may use
 *
 * Rules are one line of text, "deny a *:* rwm; allow c 1:3 rw": allow or deny; b, c or a (both kinds); major and minor number, * for any;
 * the kinds of access. A later rule goes before an earlier one, for each kind of access; what no rule speaks of is allowed. Version 2 has
 * no control file for it: the rules become a program that the kernel asks (BPF_PROG_TYPE_CGROUP_DEVICE) and frees with the group. On version 1
 * they become lines of devices.allow and devices.deny.
 */
#ifndef KERN_CG_DEVICE_H
#define KERN_CG_DEVICE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct step;

enum { DEVICE_RULES = 256, DEVICE_ANY = UINT32_MAX };
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4, DEVICE_ALL = 7 };      /* as the kernel numbers them */

struct device_rule {
	int allow;
	char type;             /* 'a', 'b', 'c' */
	uint32_t major, minor; /* DEVICE_ANY */
	unsigned access;
};

/* The rules in TEXT (NULL: none); their number. What is not well formed ends them. */
size_t device_rules(const char *text, struct device_rule rules[DEVICE_RULES]);

/* Act of STEP_DEVICE_RULES. All rules or, with err, those that were there before. */
int cg_device(struct step *s, struct err *err);

#endif
