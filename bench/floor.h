/*
 * floor.h: what the floor programs have in common: a failed system call ends the program at once, so that a row of the
 * table is either the time of the whole job or void.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define must(call) must_report((long)(call), #call, __LINE__)

static inline long must_report(long result, const char *what, int line)
{
	if (result < 0) {
		dprintf(2, "floor: line %d: %s: %s\n", line, what, strerror(errno));
		_exit(1);
	}
	return result;
}

static inline double now_us(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_MONOTONIC, &t));
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/*
 * Clones as vfork does: the child runs in the caller's memory and on its stack, and the caller sleeps until the child
 * executes a program or ends. Inlined, because a function that returned in the child would lose the parent's return
 * address. The child must call no more than functions that never return here.
 */
static inline __attribute__((always_inline)) long clone_vfork(struct clone_args *args)
{
	long pid;

#if defined(__x86_64__)
	args->flags |= CLONE_VM | CLONE_VFORK;
	__asm__ volatile("syscall" : "=a"(pid) : "0"((long)SYS_clone3), "D"(args), "S"(sizeof *args) : "rcx", "r11", "memory");
	if (pid < 0) {
		errno = (int)-pid;
		return -1;
	}
#else
	args->flags |= CLONE_VFORK;
	pid = syscall(SYS_clone3, args, sizeof *args);
#endif
	return pid;
}

/* Reaps `pid`; anything but exit status 0 ends the program. */
static inline void must_end_well(long pid)
{
	int status;

	must(waitpid((pid_t)pid, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		dprintf(2, "floor: the child ended with wait status 0x%x\n", (unsigned)status);
		_exit(1);
	}
}

#endif
