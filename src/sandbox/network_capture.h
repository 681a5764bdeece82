/*
 * network_capture.h - what passes over a link, written into a file
 */
#ifndef SANDBOX_NETWORK_CAPTURE_H
#define SANDBOX_NETWORK_CAPTURE_H

#include "sandbox/session.h"

struct capture_wish {
	const char *link;      /* as users name it, see network.h */
	const char *file;      /* on the host */
	int64_t count, ns;     /* at most so many packets, so long; 0 = no matter */
	int64_t packets, lost; /* filled: what was written, and what the kernel had no room for */
};

/* Waits until it is over. 0, or -1 with err. */
int network_capture(struct session *s, struct sandbox *sb, struct capture_wish *w, struct err *err);

#endif
