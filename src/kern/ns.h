/*
 * ns.h - acts on namespaces that belljar performs itself
 */
#ifndef KERN_NS_H
#define KERN_NS_H

struct err;
struct step;

/* STEP_IDMAP: write the map of the holder's user namespace from outside, where belljar has the privileges for it. */
int ns_idmap(struct step *s, int fd, struct err *err);

/* STEP_CLOCK: set an offset of the time namespace that the holder's children will get. */
int ns_clock(struct step *s, int fd, struct err *err);

/* STEP_HOSTNAME, joined. */
int ns_hostname(struct step *s, int fd, struct err *err);

/* STEP_HOLDER, STEP_END, STEP_RESPAWN, STEP_SPAWN, STEP_SIGNAL. */
int ns_holder(struct step *s, int fd, struct err *err);
int ns_end(struct step *s, int fd, struct err *err);
int ns_respawn(struct step *s, int fd, struct err *err);
int ns_spawn(struct step *s, int fd, struct err *err);
int ns_signal(struct step *s, int fd, struct err *err);

/* STEP_LAB: a net namespace that no process lives in. */
int ns_lab(struct step *s, int fd, struct err *err);

#endif
