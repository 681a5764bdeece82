/*
 * store.h - the session's directory: what must survive belljar
 *
 * The run directory is /run/belljar for root, $XDG_RUNTIME_DIR/belljar or else /tmp/belljar-UID for others; mode 0700, and refused when it
 * is somebody else's. An unnamed session gets a directory PID.STARTTIME in it only when something is to be made that the kernel
 * does not free by itself. In it is the ledger (kern/ledger.h), and beside it runs the keeper (holder/keeper.c). On the machine of a
 * session that made no such thing, nothing of all this exists.
 */
#ifndef SANDBOX_STORE_H
#define SANDBOX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;
struct err;
struct session;

struct store {
	char *id;              /* PID.STARTTIME of who began it; also part of the names of its control group and tables of rules */
	char *dir;             /* absolute path */
	int ledger;            /* open for appending */
	int keeper;            /* our end of the socket to the keeper, -1 = there is none */
	pid_t keeper_pid;      /* 0: it is not our child (a named session that was opened) */
	pid_t owner;           /* of a named session that was opened: its keeper */
	bool named;            /* it outlasts us */
	int lock;              /* -1 = not locked by us */
};

/* The run directory's path, whether there is one or not. The caller's to free. */
char *store_run_path(void);

/* The same, made and checked. NULL with err. The caller's to free. */
char *store_run_dir(struct err *err);

/* Make sure the session has its directory, ledger and keeper; the first time what dead sessions left is cleared. 0 or -1. Nothing is made
 * in a dry run (then s->store stays NULL). */
int store_need(struct session *s, struct err *err);

/* Note objects before they are made: one or more lines as in kern/ledger.h, each ended by newline; complete when it returns. A link
 * needs its number beforehand: choose it, and give it to the kernel as ifi_index when the link is made. */
int store_note(struct session *s, const char *lines, struct err *err);

/* An object is gone in good order. LINE without newline. */
int store_forget(struct session *s, const char *line, struct err *err);

/* Is there a line in the ledger that begins with PREFIX? */
bool store_noted(const struct session *s, const char *prefix);

/* The session ends: take down all that is noted, newest first, remove the directory, end the keeper. s->store is NULL after it. When
 * something could not be removed (err) the ledger stays for the next belljar. */
int store_clear(struct session *s, struct err *err);

/* belljar leaves the session: an unnamed one is cleared, a named one is only let go of. s->store is NULL after it. */
int store_leave(struct session *s, struct err *err);

/* Clear what dead sessions left. Errors are for the owner of that session, who is gone: they are only counted; the number of those that
 * could not be cleared, or -1 with err when the run directory can't be read. */
int store_sweep(struct err *err);

/*
 * Named sessions (store_named.c): the directory has the session's name, and the keeper lasts until store_end. Several belljars may work on
 * one session: what changes it or its state stands between store_lock and store_unlock.
 */

/* Could the unnamed session get that name? EEXIST when there is one; a dead one is cleared. */
int store_may_keep(struct session *s, const char *name, struct err *err);

/* Make it the session NAME (after store_need). s->name is set. On failure it is unnamed as before. */
int store_keep(struct session *s, const char *name, struct err *err);

/* Open the session NAME. 1 opened (s->name, s->group and s->store are set), 0 there is none that lives, -1 with err. */
int store_open(struct session *s, const char *name, struct err *err);

/* The end of a named session, whose sandboxes have ended: as store_clear, and the keeper goes. */
int store_end(struct session *s, struct err *err);

/* Alone with the session until store_unlock; waits for others. ESTALE with err when it was ended by another belljar. */
int store_lock(struct session *s, struct err *err);
void store_unlock(struct session *s);

/* The session's state, a text whose meaning is the caller's; replaced as a whole. Reading gives "" when there is none. */
int store_write_state(struct session *s, const char *text, struct err *err);
int store_read_state(struct session *s, struct buf *text, struct err *err);

/* Learn from the ledger where another belljar made the session's control groups, unless that is known. */
int store_find_groups(struct session *s, struct err *err);

/* Have the keeper hold CONN, a connection to a holder, which ends when its last connection does; it stays the caller's too. */
int store_hold(struct session *s, int conn, struct err *err);

/* Have the keeper hold FD, which stays the caller's too, under NAME ("lab", "upper/web"), in place of what it had there; or let go of it. */
int store_put(struct session *s, const char *name, int fd, struct err *err);
void store_drop(struct session *s, const char *name);

/* Have the keeper bring home the links that are lent (network_lend.h), also those whose sandbox is gone. */
void store_bring_home(struct session *s);

/* What the keeper has under NAME, the caller's to close; -1 when there is none (err untouched) or it can't be had (err filled). */
int store_get(struct session *s, const char *name, struct err *err);

/* A listening socket in the session's directory, reached by store_connect of the same NAME. -1 with err. */
int store_listen(struct session *s, const char *name, struct err *err);
int store_connect(struct session *s, const char *name, struct err *err);

/* The named sessions that live, in order of name. Free with store_free_list. */
struct store_entry {
	char *name, *dir;
	pid_t keeper;
};
int store_list(struct store_entry **entries, size_t *n, struct err *err);
void store_free_list(struct store_entry *entries, size_t n);

#endif
