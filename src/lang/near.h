/*
 * near.h - did you mean
 */
#ifndef LANG_NEAR_H
#define LANG_NEAR_H

/* Looks among candidates, offered one by one, for the one that WORD was most likely meant to be. */
struct near {
	const char *word;
	const char *best;      /* NULL: none is near */
	int distance;
};

void near_start(struct near *n, const char *word);
void near_offer(struct near *n, const char *candidate);

#endif
