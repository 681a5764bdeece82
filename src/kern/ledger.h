/*
 * ledger.h - what a session put on the machine that does not go by itself
 *
 * A session's directory holds a file "ledger". Its first line says whose it is, each other line names one object, and was complete before
 * the object was made:
 *     belljar 1 BOOT-ID PID-NAMESPACE PID STARTTIME
 *     cgroup PATH             a control group and all in it; the last part of PATH begins with "belljar."
 *     link NAME IFINDEX       a link in the host's net namespace
 *     lent NAME               a link of the host's that was moved into a sandbox, with what it had in a file (lent.h)
 *     tree PATH               a file or directory with all in it; the last part of PATH begins with ".belljar."
 *     project ID PATH         a directory that is that project (project.h) with a limit
 *     nft NETNS NAME          tables of rules (inet, bridge) in the net namespace of that number; NAME begins with "belljar."
 *     forward NETNS SWITCH    a switch below /proc/sys/net that is put off, unless another session wants it (sysctl.h)
 *     - LINE                  that line no longer counts
 * Needs little, because the session's keeper (holder/keeper.c) is linked with it too.
 */
#ifndef KERN_LEDGER_H
#define KERN_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/* Start time of a process in clock ticks since boot (proc_pid_stat(5), field 22); 0 when there is none, or it has ended (a zombie too). */
unsigned long long ledger_start_time(pid_t pid);

/* The first line for process PID, without newline. 0, or -1 with err. */
int ledger_header(pid_t pid, char *line, size_t room, struct err *err);

/* Is the owner of the ledger in the directory still there? false when it has ended, when the machine was started anew, or when there is
 * no ledger that says; true when that can't be told, because it lives in another pid namespace. */
bool ledger_alive(int dir);

/* Process number of the owner, 0 when there is no ledger that says. */
pid_t ledger_owner(int dir);

/* The session's directory locked for the caller alone (flock on it), -1 with errno: EWOULDBLOCK when another has it and BLOCK is false,
 * ENOENT when it is gone. The end of the caller lets it go. */
int ledger_lock(const char *path, bool block);

/* Take down what the ledger in PATH names, newest first, then remove the files in PATH and PATH itself, and the directory it is in if
 * that is empty. DIR is its lock. Objects that are gone already are done. After an error it goes on with the rest, but keeps the ledger,
 * so that the next belljar can try again. 0, or -1 with err (the first). */
int ledger_clear(int dir, const char *path, struct err *err);

/* The whole of it: lock, clear, and try again a few times what failed, with pauses of up to PATIENCE milliseconds in all. LOCK: the lock
 * when the caller has it already, else -1; it is let go in any case. A directory that is gone is done. When OWN >= 0 it must be
 * the same directory, else nothing is done. */
int ledger_take_down(int lock, const char *path, int own, int patience, struct err *err);

#endif
