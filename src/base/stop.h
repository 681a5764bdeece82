/*
 * stop.h - being asked to stop
 *
 * Signals are noted, not obeyed: whoever waits sees EINTR, and the loops that run commands ask here between two of them, so that
 * belljar leaves in an orderly way. A second signal ends it at once.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

/* Note SIGTERM and SIGHUP, and SIGINT: at a prompt it only interrupts, elsewhere it stops too. Signals that were ignored when belljar
 * began stay so. */
void stop_watch(bool prompt);

int stop_asked(void);          /* the signal that asked to stop, or 0 */
bool stop_interrupted(void);   /* has there been a SIGINT at the prompt since this was last called? */

#endif
