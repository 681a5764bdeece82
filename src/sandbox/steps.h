/*
 * steps.h - a list of steps under way, with the strings they borrow
 */
#ifndef SANDBOX_STEPS_H
#define SANDBOX_STEPS_H

#include <stddef.h>

#include "base/mem.h"
#include "kern/step.h"

struct steps {
	struct step *list;
	size_t n;
	char **strings;
	size_t n_strings;
};

#define _cleanup_steps_ _cleanup_(steps_free)

void steps_free(struct steps *s);

/* The next step, without descriptors; it may move when another is added. */
struct step *steps_add(struct steps *s, enum step_kind kind, struct place *place);

/* STRING is the list's from now on, and is returned. */
const char *steps_keep(struct steps *s, char *string);

#endif
