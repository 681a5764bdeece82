/*
 * cg_kill.h - the end of a control group
 *
 * Needs nothing but the C library and base/err, because the session's keeper (holder/keeper.c) is linked with it too.
 */
#ifndef KERN_CG_KILL_H
#define KERN_CG_KILL_H

struct err;

/* Kill every process in the group whose directory is PATH (absolute) and in the groups below it, wait for the end of each, and
 * remove the directories. Works on version 1 and 2, on frozen groups too. Gone already is done. Processes that the kernel can't end
 * within 10 s (EBUSY) are an error; the groups that are empty are gone even then. */
int cg_kill_path(const char *path, struct err *err);

/* Kill every process in the group whose directory is PATH, not those in groups below, and wait for their end; the group stays, thawed. */
int cg_empty_path(const char *path, struct err *err);

/* Before several directories of one group are removed: lift the processor limit of the group whose directory is PATH and of those directly
 * below, and thaw them, so that dying does not take as long as running. Nothing happens where there is neither. */
void cg_ease_path(const char *path);

#endif
