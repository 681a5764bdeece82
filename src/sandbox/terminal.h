/*
 * terminal.h - the operator's terminal and the sandbox's
 *
 * A program inside never holds the operator's own terminal: with that it could type into it (TIOCSTI), switch its modes or keep it. It
 * gets a pty of the sandbox's devpts; belljar copies between the two, and puts the operator's terminal back as it was, whatever happens.
 */
#ifndef SANDBOX_TERMINAL_H
#define SANDBOX_TERMINAL_H

#include "kern/holder.h"

void terminal_size(int fd, unsigned short *rows, unsigned short *columns);

enum { NOT_TOLD = -1 };

/* Copy until the program has ended. Its wait status, or NOT_TOLD when the holder does not say how. STD are the descriptors it was meant to have: of those that are terminals,
 * input is read from the first and output written to the second or third. */
int terminal_run(struct place *p, const struct holder_started *started, const int std[3]);

#endif
