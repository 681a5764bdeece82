/*
 * vfork.h - children that need no copy of the holder's memory
 */
#ifndef HOLDER_VFORK_H
#define HOLDER_VFORK_H

#include <errno.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The address sanitizer keeps an account of the stack that a second process using it upsets. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define VFORK_SHARES_MEMORY
#endif

/* clone3 in which the child runs in the caller's memory and on its stack until it becomes another program or ends, and the caller stands
 * still so long. Copying even a small process costs more than all that the child does. The child must not return from the calling function.
 * Always inlined: a function that returned in the child would lose the parent's return address. EINVAL where the kernel refuses (a time
 * namespace that waits for its first process, before 6.2) or the machine is another one: then only clone3_copy does. */
static inline __attribute__((always_inline)) long clone3_share(struct clone_args *args)
{
#ifdef VFORK_SHARES_MEMORY
	long pid;
	args->flags |= CLONE_VFORK | CLONE_VM;
	__asm__ volatile("syscall" : "=a"(pid) : "0"((long)SYS_clone3), "D"(args), "S"(sizeof *args) : "rcx", "r11", "memory");
	if (pid >= 0)
		return pid;
	errno = (int)-pid;
#else
	(void)args;
	errno = EINVAL;
#endif
	return -1;
}

/* The same with a child that has a copy of the memory. */
static inline long clone3_copy(struct clone_args *args)
{
	args->flags = (args->flags | CLONE_VFORK) & ~(unsigned long long)CLONE_VM;
	return syscall(SYS_clone3, args, sizeof *args);
}

/* Whichever can be had. */
static inline __attribute__((always_inline)) long clone3_vfork(struct clone_args *args)
{
	long pid = clone3_share(args);

	return pid < 0 && errno == EINVAL ? clone3_copy(args) : pid;
}

/* clone3 that the caller does not survive: the child goes on in its memory and on its stack, and the caller ends without touching either.
 * Returns 0 in the child; -1 in the caller when there is no child. */
static inline __attribute__((always_inline)) int clone3_successor(struct clone_args *args)
{
	long pid;

#ifdef VFORK_SHARES_MEMORY
	args->flags |= CLONE_VM;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jle 1f\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %3, %%eax\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(pid)
			 : "0"((long)SYS_clone3), "D"(args), "i"(SYS_exit_group), "S"(sizeof *args)
			 : "rcx", "r11", "memory");
	if (pid == 0)
		return 0;
	errno = (int)-pid;
	if (errno != EINVAL)
		return -1;
	args->flags &= ~(unsigned long long)CLONE_VM;
#endif
	pid = syscall(SYS_clone3, args, sizeof *args);
	if (pid > 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

#endif
