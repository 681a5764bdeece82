/*
 * gate.h - the one door between commands and the kernel
 *
 * gate_run() takes a list of steps in order. For each it: tells it (explain), stops (dry run), fails it (the fault plan of a
 * test), performs it, and notes its inverse in the journal. Neighbouring steps for the same performer and place go in one trip.
 * If a step fails, the inverses of those before it in the list run in reverse order, so a list happens whole or not at all; what
 * can't be taken back (step_row.for_good) must therefore stand last.
 */
#ifndef KERN_GATE_H
#define KERN_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kern/step.h"

struct err;

struct gate {
	bool dry;              /* plan only: nothing is performed, all succeeds */
	bool explain;          /* say each step before it is performed */
	FILE *told;            /* where explain and dry run write; NULL = standard output */
	unsigned long count;   /* steps performed so far */
	unsigned long fail_at; /* fault plan: fail the step of this number (1 = first) with fail_errno; 0 = none */
	int fail_errno;
	bool fail_kill;        /* ... by killing belljar itself just before it */
	bool fail_back;        /* ... and the next one as well: the first that would take back what came before */
	struct change *done;   /* the journal: what was performed, oldest first, with its inverse */
	size_t n_done;
};

/* Perform N steps. 0, or -1 with err; then none of them is in effect. */
int gate_run(struct gate *g, struct step *steps, size_t n, struct err *err);

/* The journal. A mark is a length: take back everything after it, newest first, going on after errors (the first is reported);
 * or forget it. gate_can_undo says whether all of it can be taken back, and if not, fills err with the step that can't. */
size_t gate_mark(const struct gate *g);
int gate_rollback(struct gate *g, size_t mark, struct err *err);
void gate_forget(struct gate *g, size_t mark, size_t end);
/* A place is about to go: what was done there can't be taken back any more. */
void gate_forget_place(struct gate *g, const struct place *p);
int gate_can_undo(const struct gate *g, size_t mark, size_t end, struct err *err);

/* Does the link NAME exist in the place as far as the journal knows? The step that made it (STEP_BRIDGE, STEP_VETH), or -1. For planning
 * without asking the kernel. */
int gate_planned_link(const struct gate *g, const struct place *p, const char *name);

/* The Ith step of the journal, oldest first, whose place may be gone (NULL); NULL past the end. For planning: what a dry run would have done
 * so far stands only there. */
const struct step *gate_done(const struct gate *g, size_t i);

/* One step in words, as kernel calls, and as a shell command (three lines). */
void gate_tell(const struct step *s, FILE *out);

/* The fault plan from the environment variable BELLJAR_FAULT: "N", "N:ERRNAME" or "N:KILL". */
void gate_plan(struct gate *g);

#endif
