/*
 * probe.h - one real packet from inside a place, and what became of it
 */
#ifndef KERN_PROBE_H
#define KERN_PROBE_H

#include <stdint.h>

#include "kern/probe_trace.h"

struct err;
struct step;

struct probe {
	struct trace_wish packet;
	uint16_t port;         /* TCP: a connection is tried; 0: an echo request (ping) */
	int hops;              /* routers that it may pass; 0 = as usual */
	int wait_ms;           /* for the answer */
	struct place **watch;  /* places whose rules are watched meanwhile */
	size_t n_watch;

	/* What became of it. */
	enum { PROBE_ANSWERED, PROBE_REFUSED, PROBE_SILENT } result;
	int number;            /* REFUSED: the errno, as a program would get it */
	char by[64];           /* REFUSED: who said so; "" = the sending machine itself, or not known */
	int64_t ns;            /* until the answer came */
	struct trace_drop drop;
	struct place *dropped; /* where it was dropped by a rule; NULL = nowhere */
};

/* The act of STEP_PROBE (step.probe). That nothing comes back is no failure of it. */
int probe_run(struct step *s, int fd, struct err *err);

#endif
