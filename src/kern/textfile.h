/*
 * textfile.h - small text files of the session, which sandboxes are shown read-only (/etc/hosts, /etc/resolv.conf)
 *
 * They lie in the session's directory and go with it. A sandbox sees such a file through a bind mount, so it is changed in place: a file of the
 * same name that took its place would be seen by nobody.
 */
#ifndef KERN_TEXTFILE_H
#define KERN_TEXTFILE_H

struct err;
struct step;

/* STEP_FILE and STEP_UNFILE, STEP_LINE and STEP_UNLINE; fields as in step.h. */
int textfile_write(struct step *s, int fd, struct err *err);
int textfile_remove(struct step *s, int fd, struct err *err);
int textfile_add_line(struct step *s, int fd, struct err *err);
int textfile_drop_line(struct step *s, int fd, struct err *err);

#endif
