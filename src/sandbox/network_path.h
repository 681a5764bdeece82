/*
 * network_path.h - the way of a packet, and where it would stop
 */
#ifndef SANDBOX_NETWORK_PATH_H
#define SANDBOX_NETWORK_PATH_H

#include "sandbox/session.h"

struct path_row {
	const char *where;     /* sandbox, "lab" or "host" */
	const char *asked;     /* route, link, bridge, forwarding, address, rule, probe */
	char *says;
	bool stops;            /* the packet goes no further */
};

struct path {
	struct path_row *rows;
	size_t n;
	bool arrives;          /* as the probe found */
};

/* From the sandbox to TO, a sandbox of the session or an address: a TCP connection to PORT, or with 0 an echo request. First what each place on
 * the way would do is read from the kernel; then one packet is sent and its way watched. 0, or -1 with err; that the packet stops is no error. */
int network_path(struct sandbox *from, const char *to, unsigned port, struct path *path, struct err *err);
void network_path_free(struct path *path);

#endif
