/*
 * privilege.h - what the programs of a place are not allowed to do
 *
 * A place has one value for each key, or none: then programs inherit what the holder has. Values are text, in the words of the commands
 * that set them, so that a step, the journal, a named session's state and people have the same. Programs that run already keep what they
 * were started with, as the kernel wants it; the values are put to work by the holder for every program it starts (holder/privilege.c).
 */
#ifndef KERN_PRIVILEGE_H
#define KERN_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct place;
struct wire_privileges;
struct filter;

enum privilege {
	PRIV_USER,             /* "1000:1000,10,20" */
	PRIV_CAPS,             /* capabilities that can be had at all: "chown kill", "none" */
	PRIV_AMBIENT,          /* and those that a program has without being root */
	PRIV_SECUREBITS,       /* "noroot noroot-locked" */
	PRIV_NONEWPRIVS,       /* "on" */
	PRIV_UMASK,            /* "0027" */
	PRIV_RLIMITS,          /* "nofile=1024:4096 core=0:0" */
	PRIV_SECCOMP,          /* see filter.h */
	PRIV_PATHS,            /* see landlock.h */
	PRIV_LABEL,            /* "apparmor PROFILE", "selinux CONTEXT" */
	PRIV_KEYS
};

struct privilege_row {
	const char *name;
	const char *calls, *shell;     /* for explain; {text} is the value, {privlist} and {privoptions} it as options */
};
extern const struct privilege_row privilege_table[PRIV_KEYS];

/* Limits of setrlimit(2) by name, at their number: "cpu", "fsize" ... */
enum { RLIMITS = 16 };
extern const char *const rlimit_names[RLIMITS];

/* Flags of capabilities(7), at their bit: "noroot", "noroot-locked" ... */
enum { SECUREBITS = 8 };
extern const char *const securebit_names[SECUREBITS];

/* UID[:GID][,GROUP...]; the group is the user's number where none is given. 0, or -1 with err. */
enum { PRIV_GROUPS = 64 };
struct privilege_user {
	uint32_t uid, gid, n_groups, groups[PRIV_GROUPS];
};
int privilege_user_parse(const char *text, struct privilege_user *user, struct err *err);

/* SOFT[:HARD], numbers or max. */
int privilege_rlimit_parse(const char *text, uint64_t *soft, uint64_t *hard, struct err *err);

/* The security module "apparmor" or "selinux" runs, and it takes LABEL as one? 0, or -1 with err. */
int privilege_label_check(const char *module, const char *label, struct err *err);

/* What goes to the holder beside the values. */
struct privilege_pack {
	const struct filter *filter;   /* of system calls, borrowed, or NULL */
	int rules;                     /* descriptors or -1: of Landlock's rules, */
	int proc;                      /* and of the host's /proc */
};
#define PRIVILEGE_PACK { NULL, -1, -1 }
#define _cleanup_privileges_ _cleanup_(privilege_pack_free)
void privilege_pack_free(struct privilege_pack *pack);

/* All of the place's values as the holder wants them. The filter is one that notes all calls if LEARN. */
int privilege_pack(const struct place *p, bool learn, struct wire_privileges *w, struct privilege_pack *pack, struct err *err);

/* A value for people: sets of capabilities as short as can be, a filter without its profile's text. */
void privilege_words(enum privilege key, const char *value, struct buf *b);

/* The place's value for KEY becomes a copy of VALUE (NULL: inherited). */
void privilege_store(struct place *p, enum privilege key, const char *value);

#endif
