/*
 * shape.h - how a link is slowed down
 *
 * The words are those of the command shape ("rate 10mbit delay 50ms loss 1%"); a step carries them, and the kernel's state is read back into
 * them. In the kernel it is a tbf queueing discipline for the rate and a netem one for the rest; with both, tbf stands behind netem.
 */
#ifndef KERN_SHAPE_H
#define KERN_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct shape {
	uint64_t rate;         /* bits a second; 0 = no limit */
	uint64_t burst;        /* bytes that may pass at once; 0 = chosen from the rate */
	uint64_t delay, jitter;   /* ns */
	double loss, duplicate, reorder, corrupt;   /* percent */
};

enum { SHAPE_LONGEST = 192 };  /* of its words, with the NUL */

bool shape_is_none(const struct shape *s);
bool shape_has_netem(const struct shape *s);

/* Bytes that may pass at once: what was given, else what 10 ms bring, at least 16 KiB. */
uint64_t shape_burst(const struct shape *s);

/* The words, "" for none. */
void shape_words(const struct shape *s, char text[SHAPE_LONGEST]);
/* Words as shape_words makes them. False when they are not. */
bool shape_read(const char *text, struct shape *s);

/* "10mbit": the largest unit that leaves a whole number. */
void shape_rate_words(uint64_t rate, char text[32]);

/* The tc commands of the same effect. TC is the tc that works there, LINK's name is made visible. */
void shape_tc(struct buf *b, const struct shape *s, const char *tc, const char *link);

#endif
