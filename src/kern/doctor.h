/*
 * doctor.h - what this machine lets belljar do
 */
#ifndef KERN_DOCTOR_H
#define KERN_DOCTOR_H

#include <stddef.h>

enum doctor_verdict { DOCTOR_FINE, DOCTOR_LESS, DOCTOR_MISSING };

/* One finding. SEEN says what is so; where that is not fine, LOST says what doesn't work, FIX is the command that mends it and COST what
 * that gives away. All but SEEN may be NULL. */
struct doctor_finding {
	const char *what;
	enum doctor_verdict verdict;
	char *seen;
	const char *lost;
	char *fix;
	const char *cost;
};

/* Look at everything. Changes nothing; tries what can only be tried in a child. The array is the caller's, see doctor_free. */
void doctor_look(struct doctor_finding **findings, size_t *n);
void doctor_free(struct doctor_finding *findings, size_t n);

#endif
