/*
 * limits.h - a sandbox's limits: set, read, measured
 *
 * limit_keys is the one list of what can be limited (limit_keys.c). Most keys are files of the sandbox's control group; a key of another
 * kind brings its own functions. A key is one row there, one alternative in the grammar of `limit` and one paragraph of its text
 * (cmd/limits.c).
 */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/cg.h"

struct buf;
struct err;
struct limit_key;
struct sandbox;
struct session;
struct steps;

enum { LIMIT_VALUES = 6, LIMIT_PERIOD_US = 100000 };

/* One of the values that stand behind a key in the grammar of `limit`: its name there, as typed, and what its type made of it. */
struct limit_value {
	const char *name, *text;
	int64_t n;
};

/* What is wanted of a key. The first value's number is INT64_MAX to lift the limit. */
struct limit_wish {
	const struct limit_key *key;
	struct limit_value v[LIMIT_VALUES];
	size_t n;
};

/* How a key is set now. */
struct limit_now {
	int64_t n;             /* as in the first value of a wish; INT64_MAX = no limit */
	char *text;            /* as `limit` would take it: "64M"; never NULL once filled */
	char *words;           /* as the kernel says it; NULL when it has nothing to say */
	char *file;            /* control file or the like, or NULL when there is none on this machine */
	/* What really holds, the tightest on the way up, and where; how much is used. Absent: NULL, INT64_MAX, -1. */
	int64_t holds, used;
	char *holds_text, *where, *used_text;
};
void limit_now_free(struct limit_now *now);

struct limit_key {
	const char *name;      /* the keyword */
	enum cg_key cg;        /* of a control group; CG_KEYS: of something else, then the functions are its own */
	bool common;           /* listed even when it is not set */
	/* What the machine has of it, in the unit of a wish's first value: a limit above that never bites. NULL: that can't be said. */
	int64_t (*machine)(void);
	/* Append the steps that set W, all of which can be taken back. Nothing is done here, but that the ledger is told. 0 or -1 with err. */
	int (*plan)(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err);
	/* Fill *now from the kernel. 0, or -1 with err and nothing to free. */
	int (*get)(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err);
};

enum { LIMIT_KEYS = CG_KEYS + 1 };
extern const struct limit_key limit_keys[LIMIT_KEYS];
/* Any control file: the values are its name and what is to be written. In no list. */
extern const struct limit_key *const limit_raw;

/* The key of that name, or NULL. */
const struct limit_key *limit_key(const char *name);

/* The upper layer of the root (limit_disk.c). */
int limit_disk_plan(struct sandbox *sb, const struct limit_wish *w, struct steps *steps, struct err *err);
int limit_disk_get(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err);

/* For plan: append the step that writes WORDS to the sandbox's control file FILE; and the name of the group that limits are about, which is the
 * sandbox's or one inside it (group_aim). */
void limit_add(struct steps *p, struct sandbox *sb, const char *file, const char *words);
const char *limits_group(const struct sandbox *sb);

/* Set N limits: all of them, or none and -1 with err. The group is made if there is none; processes of the sandbox that run already
 * come under the limits too. */
int limits_set(struct sandbox *sb, const struct limit_wish *wishes, size_t n, struct err *err);

/* What is set for KEY now; limit_now_free it. */
int limits_get(struct sandbox *sb, const struct limit_key *key, struct limit_now *now, struct err *err);

/* A limit of KEY in words, as `limit` takes them. The caller's. */
char *limit_text(const struct limit_key *key, int64_t n);

/* Where groups are, when another belljar made them: to be called before limits_group is used for reading. 0 or -1. */
int limits_know(struct session *s, struct err *err);

/* Figures of the sandbox's group; all absent (-1) when it has none. */
int limits_usage(struct sandbox *sb, struct cg_usage *usage, struct err *err);

/* Stop all its programs where they are, or let them go on; returns when they have. 0 or -1 with err. */
int limits_freeze(struct sandbox *sb, bool freeze, struct err *err);
/* May a program be started in it? -1 with err when it is frozen. */
int limits_thawed(const struct sandbox *sb, struct err *err);

/* End all programs in its group at once, also those that are being forked. 1 done, 0 it has no group, -1 with err. */
int limits_empty(struct sandbox *sb, struct err *err);

/* What limits have done between two readings, in words, one a line: "web: slowed: ...". Nothing when they did nothing. */
void limits_bites(const struct sandbox *sb, struct cg_usage *usage);
void limits_bitten(struct sandbox *sb, const struct cg_usage *before, const struct cg_usage *after, struct buf *words);

/* Bytes as limit takes them back without loss: 64M, 1536K, 1000. */
char *limit_exact_size(int64_t n);

/* Bytes for people: 64M when it is whole, else one decimal; "max", and "" for what is absent (negative). */
void limit_size_text(int64_t n, char text[32]);

#endif
