/*
 * named.h - sessions that last
 *
 * A named session outlives its belljar: the session's keeper is connected to its holders and has the lab's net namespace, holders listen
 * on sockets in the session's directory (store.h), and a state file there says what the kernel can't tell: names, roots, variables.
 *
 * Several belljars may work on one session: each command has the session to itself, reads the state first if another has changed it, and
 * writes it afterwards.
 */
#ifndef SANDBOX_NAMED_H
#define SANDBOX_NAMED_H

#include "sandbox/session.h"

/* Before and after a command; nothing happens in an unnamed session or in a dry run. named_begin: 1 when another belljar has changed the
 * session (what was done before can't be undone any more), 0, or -1 with err. */
int named_begin(struct session *s, struct err *err);
int named_commit(struct session *s, struct err *err);

/* Let others have the session already, because what the command does from now on (waiting for a program) does not change it, or is other
 * commands that take the session each for itself (source). */
int named_release(struct session *s, struct err *err);

/* Give an unnamed session a name: it lasts from now on. */
int named_keep(struct session *s, const char *name, struct err *err);

/* End a named session from inside (S) or by its name. */
int named_end(struct session *s, const char *name, struct err *err);

/* Have sb->place.upper be what it is now: in a named session another belljar may have given the sandbox its root. */
int named_upper(struct sandbox *sb, struct err *err);
/* What the keeper has of it is of no use any more: it goes, or gets another root or name. */
void named_drop_upper(struct sandbox *sb);

/* Let go of a named session. */
void named_leave(struct session *s);

#endif
