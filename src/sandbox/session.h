/*
 * session.h - what belljar knows: a session and its sandboxes
 *
 * A session is what a belljar works on: sandboxes, the lab network between them, and a journal of what was done. An unnamed session
 * ends with its belljar. A named one is a directory below the run directory (see store.h) and lasts until `end`.
 *
 * Facts that the kernel knows are read from the kernel when they are needed (namespaces, mounts, links, limits, processes); what is
 * kept here is only what the kernel can't tell: names, which root was asked for, the environment of programs.
 */
#ifndef SANDBOX_SESSION_H
#define SANDBOX_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/gate.h"
#include "kern/place.h"

struct err;

enum { NAME_LONGEST = 63 };

/* A root as asked for; see root.h. */
enum { ROOT_UNPACKS = 4 };     /* GiB that an archive may hold if not said, */
enum { ROOT_SIZE = 256 << 20 };        /* and bytes of an upper layer in memory */

struct root_wish {
	char **layers;         /* the topmost first: "host", "busybox", or the path of a directory or archive on the host, which has a slash */
	size_t n;
	enum root_mode { ROOT_KEPT_APART, ROOT_READ_ONLY, ROOT_WRITES_REACH } mode;   /* what becomes of writes */
	bool image;            /* they go to a file system in a file of the host's, which goes with the sandbox */
	char *upper;           /* directory on the host that keeps them; NULL: they are thrown away */
	int64_t size;          /* of what can be written, in bytes; 0 = as usual */
	int64_t unpack;        /* bytes that an archive may hold; 0 = as usual */
	bool devices;          /* make an archive's device nodes too */
	bool chroot;           /* only the view of its programs is changed, not the root of the mount namespace */
};

struct sandbox {
	char *name;
	struct session *session;
	struct place place;
	char *root;            /* as asked for ("host", "busybox", "/srv/root"), several with blanks between; NULL = no root of its own */
	struct root_wish wish; /* the same in full */
	bool upper_kept;       /* of a named session: the keeper has place.upper */
	bool own_dev;          /* /dev, /proc, /sys inside are belljar's work (it has a root of its own) */
	char *group;           /* its control group "belljar.ID/web", NULL before it is needed; see sandbox_group */
	char *part;            /* the group inside it that a command is about ("belljar.ID/web/batch"), else NULL; see group_aim */
	char *learned;         /* calls that its programs made (filters.h), NULL = none */
	char **env;            /* NAME=VALUE that its programs get beside the fixed ones */
	size_t n_env;
};

struct session {
	char *name;            /* NULL: unnamed */
	struct gate gate;
	struct place host;
	struct place lab;      /* the net namespace of the bridges, made when first needed (session_lab) */
	struct sandbox **sandboxes;   /* in the order they were made */
	size_t n_sandboxes;
	struct sandbox *current;      /* NULL before the first `new` and after its rm */
	char *group;           /* control group "belljar.ID", NULL before it is needed */
	struct named *named;   /* of a named session (named.h), else NULL */
	char **lent;           /* links of the host that this belljar has moved into sandboxes (network_lend.h) */
	size_t n_lent;
	int out[2];            /* slirp4netns of an ordinary user's lab, started here: its pidfd, and what it ends with when nobody has it; else -1 */
	struct pools *pools;   /* addresses that bridges have handed out (network_pool.h), or NULL */
	struct store *store;   /* run directory, ledger, keeper; NULL before they are needed */
};

/* An unnamed session; nothing is done to the machine before a command needs it. */
struct session *session_new(void);

/* Make S, in which nothing was done yet, the named session NAME: one that exists is opened, else it is made. 0 or -1 with err. */
int session_open(struct session *s, const char *name, struct err *err);

/* End it: an unnamed session's sandboxes and all they left go, a named one is only let go of. Errors are reported once all is done. */
int session_leave(struct session *s, struct err *err);

/* Look after the sandboxes: those that are no more (undone) are forgotten; one whose holder was killed from outside is said once,
 * by name, and then forgotten too (not looked for when SAY is NULL). Returns how many were said. To be called before each prompt and
 * after anything was taken back. */
int session_check(struct session *s, void (*say)(void *arg, const char *text), void *arg);

/* By name; NULL with err ("no sandbox web", with a suggestion). */
struct sandbox *sandbox_find(struct session *s, const char *name, struct err *err);
/* The current one, or an error that says how to make one. */
struct sandbox *sandbox_current(struct session *s, struct err *err);

/* May a sandbox, session or volume be called so? Letters, digits, . _ - ; not first . or -; at most NAME_LONGEST bytes; a sandbox not one
 * of the words host, lab, all. 0 or -1 with err. */
int name_check(const char *what, const char *name, struct err *err);

struct sandbox *sandbox_new(struct session *s, const char *name, struct err *err);
int sandbox_remove(struct sandbox *sb, struct err *err);

/* It has WISH as its root from now on; NULL: none of its own. */
void sandbox_note_root(struct sandbox *sb, const struct root_wish *wish);

/* Let go of a sandbox, or of all and the lab, without ending anything. */
void sandbox_free(struct sandbox *sb);
void session_drop(struct session *s);

/* End all sandboxes: every holder is killed before any is waited for. */
void session_end_sandboxes(struct session *s);

int sandbox_rename(struct sandbox *sb, const char *name, struct err *err);

/* NAME=VALUE for its programs; VALUE NULL takes it away. */
void sandbox_env(struct sandbox *sb, const char *name, const char *value);

/* The lab's place, made on first use. NULL with err. */
struct place *session_lab(struct session *s, struct err *err);

/* The sandbox's control group ("belljar.ID/web"), made on first use. NULL with err. */
const char *sandbox_group(struct sandbox *sb, struct err *err);

/* Kill what is in the sandbox's control group and remove it; nothing happens when it has none. 0 or -1. */
int sandbox_ungroup(struct sandbox *sb, struct err *err);

#endif
