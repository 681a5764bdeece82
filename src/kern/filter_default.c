/*
 * filter_default.c - the filter that is equal in effect to Docker's
 *
 * Written after Docker's documentation of what its default profile blocks and why, and the kernel's list of calls: all that programs
 * commonly use is allowed; what changes the kernel, other processes' memory, the clock, mounts and namespaces comes with the capability
 * that the kernel itself would ask for. The rest, new calls included, is refused with EPERM.
 */
#include "config.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/mem.h"
#include "kern/capability.h"
#include "kern/filter_code.h"

static const char common[] =
	/* files and directories */
	"access cachestat chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 "
	"fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr "
	"flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd "
	"getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 "
	"lgetxattr link linkat listxattr listxattrat llistxattr lremovexattr lseek _llseek lsetxattr lstat lstat64 mkdir mkdirat mknod "
	"mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read "
	"readahead readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile sendfile64 setxattr "
	"setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range sync_file_range2 syncfs tee truncate "
	"truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev "
	/* waiting for descriptors, asynchronous files */
	"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 io_cancel "
	"io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect poll ppoll ppoll_time64 pselect6 "
	"pselect6_time64 select signalfd signalfd4 "
	/* sockets, System V and POSIX IPC */
	"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg "
	"sendmsg sendto setsockopt shutdown socketcall socketpair ipc mq_getsetattr mq_notify mq_open mq_timedreceive "
	"mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop "
	"semtimedop_time64 shmat shmctl shmdt shmget "
	/* memory */
	"brk get_thread_area madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect "
	"mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages "
	/* processes, threads, signals */
	"alarm arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue futex_time64 futex_wait futex_waitv "
	"futex_wake get_robust_list getcpu getitimer getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid ioprio_get "
	"ioprio_set kill pause pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask "
	"rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max "
	"sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
	"sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield set_robust_list "
	"set_thread_area set_tid_address setitimer setpgid setpriority setrlimit setsid sigaltstack sigprocmask sigreturn sysinfo tgkill "
	"times tkill ugetrlimit uname uretprobe vfork wait4 waitid waitpid "
	/* ids */
	"getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid getresuid32 getuid "
	"getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 "
	"setresuid setresuid32 setreuid setreuid32 setuid setuid32 "
	/* time; setting a clock wants a capability anyway */
	"adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
	"clock_nanosleep_time64 getrandom gettimeofday nanosleep time timer_create timer_delete timer_getoverrun timer_gettime "
	"timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 "
	/* giving up more */
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp";

/* Only where these are what the machine is. */
static const struct { uint32_t arch; const char *calls; } machines[] = {
	{ SCMP_ARCH_X86_64, "modify_ldt" },
	{ SCMP_ARCH_X86, "modify_ldt" },
	{ SCMP_ARCH_ARM, "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls" },
	{ SCMP_ARCH_AARCH64, "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls" },
	{ SCMP_ARCH_RISCV64, "riscv_flush_icache riscv_hwprobe" },
	{ SCMP_ARCH_S390X, "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr" },
	{ SCMP_ARCH_PPC64LE, "swapcontext" },
};

/* With a capability; Linux since 4.8 lets seccomp see what a tracer changes, so ptrace is no way around a filter. */
static const struct { const char *capability, *calls; } with[] = {
	{ NULL, "process_vm_readv process_vm_writev ptrace" },
	{ "dac_read_search", "open_by_handle_at" },
	{ "sys_admin", "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listmount lookup_dcookie mount mount_setattr move_mount "
		       "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns statmount syslog umount umount2 unshare" },
	{ "sys_boot", "reboot" },
	{ "sys_chroot", "chroot" },
	{ "sys_module", "delete_module finit_module init_module" },
	{ "sys_pacct", "acct" },
	{ "sys_ptrace", "kcmp pidfd_getfd process_madvise" },
	{ "sys_rawio", "ioperm iopl" },
	{ "sys_time", "clock_settime clock_settime64 settimeofday stime" },
	{ "sys_tty_config", "vhangup" },
	{ "sys_nice", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node" },
	{ "syslog", "syslog" },
	{ "bpf", "bpf" },
	{ "perfmon", "perf_event_open" },
};

static void allow(struct policy *p, const char *calls)
{
	_cleanup_free_ char *copy = xstrdup(calls);
	char *rest = NULL;

	for (char *call = strtok_r(copy, " ", &rest); call; call = strtok_r(NULL, " ", &rest))
		policy_add(p, call, SECCOMP_RET_ALLOW);
}

static void add_if(struct policy *p, const char *call, uint32_t action, enum filter_op op, uint64_t value, uint64_t value2)
{
	struct filter_rule *r = policy_add(p, call, action);

	r->conditions[0] = (struct filter_condition){ 0, op, value, value2 };
	r->n_conditions = 1;
}

void policy_add_default(struct policy *p, uint64_t caps)
{
	/* PER_LINUX, PER_LINUX32, each also with UNAME26; and asking what it is. */
	static const uint64_t personalities[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };
	enum { NEW_NAMESPACES = 0x7e020000, VSOCK = 40 };
	uint64_t mask;

	p->otherwise = SECCOMP_RET_ERRNO | EPERM;
	allow(p, common);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].arch == p->archs[0])
			allow(p, machines[i].calls);
	for (size_t i = 0; i < ARRAY_SIZE(with); i++)
		if (!with[i].capability || (capability_parse(with[i].capability, &mask) == 0 && (caps & mask)))
			allow(p, with[i].calls);
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		add_if(p, "personality", SECCOMP_RET_ALLOW, OP_EQ, personalities[i], 0);
	/* Sockets to the hypervisor know no namespaces. The kernel looks at the lower half of the argument only. */
	add_if(p, "socket", SECCOMP_RET_ERRNO | EPERM, OP_MASKED_EQ, UINT32_MAX, VSOCK);
	policy_add(p, "socket", SECCOMP_RET_ALLOW);
	capability_parse("sys_admin", &mask);
	if (caps & mask)
		return;
	add_if(p, "clone", SECCOMP_RET_ALLOW, OP_MASKED_EQ, NEW_NAMESPACES, 0);
	/* Its flags lie in memory, where a filter can't look: programs take clone instead. */
	policy_add(p, "clone3", SECCOMP_RET_ERRNO | ENOSYS);
}
