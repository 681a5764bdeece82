/*
 * landlock.h - which files programs may reach, whatever their owners and modes say
 *
 * A place's value for PRIV_PATHS has a line "ACCESS PATH" for each path; what lies below it is meant too. A program and all that it starts
 * can then open, run, make and remove nothing else, and change no mounts. Landlock takes no privileges: it needs no_new_privs, or sys_admin
 * in the program's user namespace.
 *
 * belljar makes the set of rules and hands it to the holder as a descriptor, so nothing has to be read inside.
 */
#ifndef KERN_LANDLOCK_H
#define KERN_LANDLOCK_H

#include <stddef.h>

struct err;
struct place;

/* What a path allows: "ro", "rw", "exec", "all". */
enum { LANDLOCK_ACCESSES = 4 };
extern const char *const landlock_accesses[LANDLOCK_ACCESSES];

/* Version of the kernel's interface, from 1; 0 when there is none. */
int landlock_version(void);

/* What a kernel with that version lets programs do though no path allows it ("cut files short"); NULL when it is nothing. */
const char *landlock_lets_pass(int version);

/* The set of rules for VALUE, whose paths are looked for in the place P now, without following links. The descriptor, or -1 with err. */
int landlock_rules(const struct place *p, const char *value, struct err *err);

#endif
