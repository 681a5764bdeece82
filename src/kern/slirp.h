/*
 * slirp.h - an ordinary user's way out of the lab: slirp4netns(1), a TCP/IP stack in a program
 *
 * It holds one end of a tap in the lab and speaks for those inside with sockets of its own on the host, as any program of the user may. It
 * ends when nobody holds the other end of its pipe any more, so with the session, however that ends.
 */
#ifndef KERN_SLIRP_H
#define KERN_SLIRP_H

struct err;
struct step;

/* STEP_SLIRP and STEP_UNSLIRP; fields as in step.h. */
int slirp_start(struct step *s, int fd, struct err *err);
int slirp_end(struct step *s, int fd, struct err *err);

#endif
