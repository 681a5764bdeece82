/*
 * steps.c - a list of steps under way, with the strings they borrow
 */
#include "config.h"

#include "sandbox/steps.h"

void steps_free(struct steps *s)
{
	for (size_t i = 0; i < s->n_strings; i++)
		free(s->strings[i]);
	free(s->strings);
	free(s->list);
}

struct step *steps_add(struct steps *s, enum step_kind kind, struct place *place)
{
	struct step *step = GROW(&s->list, &s->n);

	*step = (struct step){ .kind = kind, .place = place, .fd = { -1, -1 } };
	return step;
}

const char *steps_keep(struct steps *s, char *string)
{
	return *GROW(&s->strings, &s->n_strings) = string;
}
