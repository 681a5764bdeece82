/*
 * cg.h - control groups, version 2 and version 1
 *
 * belljar finds once how the machine's controllers are mounted: all on cgroup2 (v2), or each in its own v1 hierarchy, perhaps with a
 * cgroup2 beside them that serves only to track processes (hybrid). Both are served behind the same functions: a session has one
 * group, a sandbox one below it, which exists in every hierarchy that is needed. Groups are made below the group that belljar itself
 * runs in (v1: per controller), so a delegated subtree works as well as the machine's root.
 *
 * Processes enter a group while they are started (v2: CLONE_INTO_CGROUP, v1: the new process writes 0 to `tasks`); nothing is ever
 * moved by its pid, which on v2 and for cgroup.procs costs a grace period of up to 10 ms.
 */
#ifndef KERN_CG_H
#define KERN_CG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct place;
struct step;

enum cg_key { CG_MEMORY, CG_SWAP, CG_CPU, CG_CPUS, CG_PIDS, CG_KEYS };

struct cg_row {
	const char *name;      /* memory swap cpu cpus pids */
	const char *v2_controller, *v2_file;
	const char *v1_controller, *v1_file;
};
extern const struct cg_row cg_table[CG_KEYS];

/* "v2", "v1" or "hybrid"; NULL with err when there is no cgroup file system that belljar may write to. Found once and remembered. */
const char *cg_layout(struct err *err);

/* Name of the control file that key is written to on this machine ("memory.max"), or NULL when no hierarchy has its controller. */
const char *cg_file(enum cg_key key);

/* Can key be limited here? 0, or -1 with err: which controller is missing, and on which level. */
int cg_can(enum cg_key key, struct err *err);

/* Is key served by a version 1 hierarchy? Then a group must be made there (STEP_CGROUP with what = the key's name) before the limit,
 * and swap is limited as the sum of memory and swap. On version 2 the controller must be switched on for the groups of a level first. */
bool cg_v1(enum cg_key key);

/* Absolute path of the group's directory (key CG_KEYS: in the tracking hierarchy) or of the key's control file. The caller's to
 * free; NULL when there is no such hierarchy. */
char *cg_dir(const char *group, enum cg_key key);
char *cg_path(const char *group, enum cg_key key);

/* Does the group exist (key as for cg_dir)? Are the groups directly in GROUP ("": belljar's place) able to limit key (version 2)? */
bool cg_exists(const char *group, enum cg_key key);
bool cg_passes(const char *group, enum cg_key key);

/* N in the words of key's control file: bytes, number of processes, or for cpu the microseconds in each 100 ms. INT64_MAX lifts the limit.
 * Not for cpus. */
void cg_words(enum cg_key key, int64_t n, char words[64]);

/* What the control file says now, on one line; "" when the group is not limited by key. 0 or -1. */
int cg_get(const char *group, enum cg_key key, char *words, size_t room, struct err *err);

/* The same by the key's name; "" for a name that is no key. */
const char *cg_file_of(const char *name);

/* The processors that the group, or the nearest above it that exists, may use: "0-3". 0 or -1. */
int cg_cpus(const char *group, char *list, size_t room, struct err *err);

/* Acts of STEP_CGROUP, STEP_UNCGROUP, STEP_LIMIT. Groups are named relative to the place belljar has in the hierarchies:
 * "belljar.SESSION" and "belljar.SESSION/SANDBOX". Making leaves s->old empty when the group was there already. Removing kills what is
 * inside (cgroup.kill, or by descriptors of the processes), waits for the end of each by event, and takes "gone already" as done. */
int cg_make(struct step *s, struct err *err);
int cg_remove(struct step *s, struct err *err);
/* The directories of GROUP in which nothing is left, those alone. */
void cg_remove_empty(const char *group);
int cg_limit(struct step *s, struct err *err);      /* reads back what was written and compares; fills s->old with the old value */

/* Descriptors a new process needs to be born inside GROUP, started by the holder of PLACE: at most CG_ENTRIES. v2 and hybrid: kind 'd',
 * the directory for CLONE_INTO_CGROUP (at most one); v1: kind 't', a `tasks` file to write "0" to. Where the holder has a user namespace of
 * its own the kernel refuses it CLONE_INTO_CGROUP (it has no rights over the groups' common ancestor); then v2 too has kind 't', its
 * `cgroup.procs`, which is judged by who opened it but costs a grace period. 0 or -1. The descriptors are the module's, good until the next
 * call: for the same group and a like place they are the same, as long as nobody made or removed a group. Where others may (a named
 * session), each turn begins with cg_forget_entries. */
enum { CG_ENTRIES = 12 };
struct cg_entry { char kind; int fd; };
int cg_entries(const char *group, const struct place *place, struct cg_entry entries[CG_ENTRIES], size_t *n, struct err *err);
void cg_forget_entries(void);

/* The directories in which GROUP exists or may come to exist, one a hierarchy, as absolute paths, for the ledger (NULL-terminated array,
 * free with cg_free_paths). The tracking hierarchy is the first: who clears up kills there, and the others are empty then. */
char **cg_paths(const char *group, struct err *err);
void cg_free_paths(char **paths);

/* What is used and allowed now. Absent figures are -1. */
struct cg_usage {
	int64_t memory, memory_peak, memory_max, swap, swap_max;   /* bytes; INT64_MAX = no limit */
	int64_t cpu_ns, cpu_quota_us, cpu_period_us;
	int64_t cpu_periods, cpu_throttled, cpu_throttled_ns;
	int64_t pids, pids_max;
	int64_t oom_kills;
	char cpus[128];
};
int cg_usage(const char *group, struct cg_usage *usage, struct err *err);

/* A session that another belljar began: its groups are where that one made them. PATHS are those of cg_paths for GROUP then. */
int cg_settle(const char *group, char *const *paths, struct err *err);

/* Processes in GROUP and below, as belljar numbers them. The array is the caller's to free. */
int cg_members(const char *group, int **pids, size_t *n, struct err *err);

#endif
