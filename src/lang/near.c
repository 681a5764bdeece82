/*
 * near.c - did you mean
 */
#include "config.h"

#include <limits.h>
#include <strings.h>

#include "base/mem.h"
#include "lang/near.h"

enum { LONGEST = 31 };         /* no word that can be suggested is longer */

static int least(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Typing mistakes between A and B: changed, missing and added letters, and two neighbours swapped (optimal string alignment). */
static int distance(const char *a, size_t n, const char *b, size_t m)
{
	int rows[3][LONGEST + 1], *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= m; j++)
		above[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		row[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		int *oldest = before;
		before = above;
		above = row;
		row = oldest;
	}
	return above[m];
}

void near_start(struct near *n, const char *word)
{
	*n = (struct near){ .word = word, .distance = INT_MAX };
}

void near_offer(struct near *n, const char *candidate)
{
	size_t word = strnlen(n->word, LONGEST + 1), other = strnlen(candidate, LONGEST + 1);

	if (word == 0 || word > LONGEST || other > LONGEST)
		return;
	int d = strcasecmp(n->word, candidate) == 0 ? 0 : distance(n->word, word, candidate, other);
	/* A word that was only begun counts as one mistake, if there is enough of it to tell. */
	if (d > 1 && word >= 3 && starts_with(candidate, n->word))
		d = 1;
	/* Of a short word too little is left after two mistakes; of two letters only both in the wrong order say something. */
	int most = other <= 4 ? 1 : 2;
	if (other <= 2 && !(word == 2 && n->word[0] == candidate[1] && n->word[1] == candidate[0]))
		most = 0;
	if (d <= most && d < n->distance) {
		n->distance = d;
		n->best = candidate;
	}
}
