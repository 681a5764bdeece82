/*
 * cg.h - control groups, version 2 and version 1
 *
 * belljar finds once how the machine's controllers are mounted: all on cgroup2 (v2), or each in its own v1 hierarchy, perhaps with a
 * cgroup2 beside them that serves only to track processes (hybrid). Both are served behind the same functions: a session has one
 * group, a sandbox one below it, which exists in every hierarchy that is needed. Groups are made below the group that belljar itself
 * runs in (v1: per controller), so a delegated subtree works as well as the machine's root.
 *
 * Processes enter a group while they are started (v2: CLONE_INTO_CGROUP, v1: the new process writes 0 to `tasks`). Only those that ran before
 * there was the group are moved by their pid, which on v2 and for cgroup.procs costs a grace period of up to 10 ms.
 */
#ifndef KERN_CG_H
#define KERN_CG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct place;
struct step;

enum cg_controller {
	CTL_MEMORY, CTL_CPU, CTL_CPUSET, CTL_PIDS, CTL_CPUACCT, CTL_FREEZER, CTL_IO, CTL_HUGETLB, CTL_DEVICES, CTL_NET_CLS,
	CTL_NET_PRIO, CTL_COUNT,
	CTL_TRACK = CTL_COUNT  /* where a directory is asked for: the hierarchy in which every group exists */
};
extern const char *const cg_controller_names[CTL_COUNT];   /* io is blkio on version 1; net_cls and net_prio are only there */

enum cg_key {
	CG_MEMORY, CG_SWAP, CG_MEMORY_LOW, CG_MEMORY_HIGH, CG_OOM, CG_CPU, CG_CPU_WEIGHT, CG_CPU_BURST, CG_CPUS, CG_MEMS, CG_PIDS, CG_IO,
	CG_IO_WEIGHT, CG_HUGETLB, CG_KEYS
};

struct cg_row {
	const char *name;      /* as limit has it */
	enum cg_controller controller;
	const char *v2_file, *v1_file;        /* NULL: there is no such limit in that version. io: the first of its files. hugetlb: see cg.c */
	/* How what is read is like what was written: the same word; a number, rounded to whole pages; a list of numbers; one line for each
	 * device; anything. */
	enum cg_check { CHECK_WORD, CHECK_PAGES, CHECK_LIST, CHECK_DEVICE, CHECK_NOTHING } check;
};
extern const struct cg_row cg_table[CG_KEYS];

/* "v2", "v1" or "hybrid"; NULL with err when there is no cgroup file system that belljar may write to. Found once and remembered. */
const char *cg_layout(struct err *err);

/* Name of the control file that key is written to on this machine ("memory.max"), or NULL when there is none. For io on version 1 the first
 * of four. */
const char *cg_file(enum cg_key key);

/* Can key be limited here? 0, or -1 with err: which controller is missing, and on which level. */
int cg_can(enum cg_key key, struct err *err);
/* Has belljar a place in the hierarchy of the controller? 0, or -1 with err, which begins with WHAT. */
int cg_has(enum cg_controller c, const char *what, struct err *err);

/* Is the controller in a version 1 hierarchy? Then a group must be made there (STEP_CGROUP with what = the controller's name) before a
 * limit, and swap is limited as the sum of memory and swap. On version 2 it must be switched on for the groups of a level first. */
bool cg_v1(enum cg_controller c);

/* The controller of a control file, by its name's beginning; CTL_COUNT for files of the group itself ("cgroup.freeze"). -1: no such. */
int cg_file_controller(const char *file);

/* Absolute path of the group's directory in the controller's hierarchy or of a control file. The caller's to free; NULL when there is no
 * such hierarchy. */
char *cg_dir(const char *group, enum cg_controller c);
char *cg_path(const char *group, const char *file);

/* Does the group exist there? Are the groups directly in GROUP ("": belljar's place) able to use the controller (version 2)? */
bool cg_exists(const char *group, enum cg_controller c);
bool cg_passes(const char *group, enum cg_controller c);

/* N in the words of key's control file: bytes, number of processes, a weight from 1 to 10000, or for cpu and cpu-burst the microseconds
 * in each 100 ms. INT64_MAX lifts the limit. Not for cpus, mems and io. And back; INT64_MAX when it is no limit. */
void cg_words(enum cg_key key, int64_t n, char words[64]);
int64_t cg_number(enum cg_key key, const char *words);

/* What the control file of GROUP says now, on one line; "" when there is no such file. 0 or -1. The same of all its lines. */
int cg_get(const char *group, const char *file, char *words, size_t room, struct err *err);
int cg_text(const char *group, const char *file, struct buf *text, struct err *err);

/* The least of a number that stands in key's file of GROUP and of those above it, up to where the hierarchy is mounted: there is what
 * holds. *WHERE: that directory, the caller's, or NULL when nothing is limited. */
int64_t cg_least(const char *group, enum cg_key key, char **where);

/* The file's name in the other version of control groups, or NULL. */
const char *cg_other_words(const char *file);

/* The disk that PATH (a file, directory, block device or "8:0") is on, as a whole: *NAME as in /sys/block, the caller's, and its number.
 * 0, or -1 with err. */
int cg_disk(const char *path, char **name, unsigned *major, unsigned *minor, struct err *err);

/* The processors (CG_CPUS) or memory nodes (CG_MEMS) that the group, or the nearest above it that exists, may use: "0-3". 0 or -1. */
int cg_set_of(const char *group, enum cg_key key, char *list, size_t room, struct err *err);

/* Acts of STEP_CGROUP, STEP_UNCGROUP, STEP_LIMIT. Groups are named relative to the place belljar has in the hierarchies:
 * "belljar.SESSION" and "belljar.SESSION/SANDBOX". Making leaves s->old empty when the group was there already. Removing kills what is
 * inside (cgroup.kill, or by descriptors of the processes), waits for the end of each by event, and takes "gone already" as done. */
int cg_make(struct step *s, struct err *err);
int cg_remove(struct step *s, struct err *err);
/* The directories of GROUP in which nothing is left, those alone. */
void cg_remove_empty(const char *group);
/* Writes, reads back, compares; fills s->old with the old value. Flag CG_RAW: the value is the user's own words, and not compared. */
int cg_limit(struct step *s, struct err *err);
enum { CG_RAW = 1 };
/* Flag of STEP_CGROUP: a group inside a sandbox's, whose processes go up when it is taken back. */
enum { CG_INNER = 1 };

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
	int64_t memory_high;                  /* how often programs were held back for memory-high (version 2) */
	int64_t forks_refused;                /* for pids */
	int64_t io_read, io_written;          /* bytes */
	int64_t pressure[3], pressure_us[3];  /* by cpu, memory, io: of the last 10 s, hundredths of a percent in which some program had to
	                                       * wait for it; and the whole time so far */
	int64_t frozen;
	char cpus[128];
};
int cg_usage(const char *group, struct cg_usage *usage, struct err *err);
/* Only what tells that a limit has bitten: oom_kills, memory_high, forks_refused and cpu_throttled_ns. */
void cg_bites(const char *group, struct cg_usage *usage);
/* Only what changes all the time, and of that only FIGURES: memory, cpu_ns, pids, or the counters (oom_kills, frozen). The rest is absent. */
enum { SAMPLE_MEMORY = 1, SAMPLE_CPU = 2, SAMPLE_PIDS = 4, SAMPLE_EVENTS = 8, SAMPLE_ALL = 15 };
void cg_sample(const char *group, unsigned figures, struct cg_usage *usage);

/* The control file that freezes GROUP and thaws it again, and what is written to it. */
const char *cg_freezer(bool freeze, const char **words);
/* Wait until all in GROUP is frozen (or thawed). 0, or -1 with err when it takes longer than 10 s. */
int cg_wait_frozen(const char *group, bool frozen, struct err *err);

/* Act of STEP_EMPTY: every process in the group and below ends at once, also those that are being forked; the groups stay. */
int cg_empty(struct step *s, struct err *err);

/* A group inside a sandbox's that takes its own processes when it is divided: version 2 lets a group have processes or controllers for the
 * groups inside it, not both. Processes that are put into a divided group go there. */
#define CG_MAIN "main"
bool cg_divided(const char *group);

/* Acts of STEP_MOVE and STEP_DISSOLVE. Moving a process whose descriptor says that it has ended is done. */
int cg_move(struct step *s, struct err *err);
int cg_dissolve(struct step *s, struct err *err);

/* Where systemd manages the control groups belljar asks it for a scope, a part of them in which it may make its own. Does it, and is belljar
 * not in the scope NAME yet? And the act of STEP_SCOPE. */
bool cg_scope_wanted(const char *name);
int cg_scope(struct step *s, struct err *err);

/* The group that a process is in, when that is GROUP or inside it, else NULL; the caller's. And all groups inside GROUP, relative to it; their
 * number. */
char *cg_group_of(const char *group, int pid);
size_t cg_inner(const char *group, char ***groups);

/* Something that wakes up (poll) when a limit bites in a group or its state changes: what is new is for cg_bites, cg_usage. */
enum cg_watch { WATCH_MEMORY, WATCH_PIDS, WATCH_CPU, WATCH_PRESSURE, WATCH_STATE, WATCH_KINDS };
enum { CG_EVENTS = 8 };
struct cg_event {
	enum cg_watch kind;
	int fd;                /* the caller's to close */
	short poll;            /* what to wait for */
	int of;                /* WATCH_PRESSURE: 0 cpu, 1 memory, 2 io */
};
/* Open those of KINDS (bits 1 << enum cg_watch) that there are here; returns their number. There are none for WATCH_CPU. */
size_t cg_watch(const char *group, unsigned kinds, struct cg_event events[CG_EVENTS]);
/* To be called before the first waiting and after each waking. */
void cg_watch_seen(const struct cg_event *e);

/* A session that another belljar began: its groups are where that one made them. PATHS are those of cg_paths for GROUP then. */
int cg_settle(const char *group, char *const *paths, struct err *err);

/* Processes in GROUP and below, as belljar numbers them. The array is the caller's to free. */
int cg_members(const char *group, int **pids, size_t *n, struct err *err);

#endif
