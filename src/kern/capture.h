/*
 * capture.h - seeing the packets of a link, and writing them down
 *
 * The file is in pcap-ng (draft-ietf-opsawg-pcapng), with nanoseconds, the link's name, and the direction of each packet as its end sees it.
 */
#ifndef KERN_CAPTURE_H
#define KERN_CAPTURE_H

#include <stdint.h>

#include "kern/place.h"

struct err;
struct step;

/* A socket (AF_PACKET, nonblocking) that gets what passes over LINK of the place from now on, both ways. -1 with err. */
int capture_socket(const struct place *p, const char *link, struct err *err);

/* The act of STEP_CAPTURE: ends after step.num packets (0 = no matter how many), step.flags nanoseconds (0 = no matter how long), or when
 * belljar is asked to stop, all of which are success. Then old_num is the number of packets written, and flags of those that the kernel had no
 * room for. */
int capture_run(struct step *s, int fd, struct err *err);

#endif
