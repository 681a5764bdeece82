/*
 * floor_oneshot.c: the least that the kernel asks for one sandbox from nothing to nothing: the system calls of the job and
 * no others, every return value checked. It is the 1.0 that the one-shot table counts in.
 *
 *	floor_oneshot [-o] [-m] [-n] [-H] [-r TIMES] ROOT PROGRAM ARG...
 *
 * The sandbox has mnt, pid, net, ipc, uts and cgroup namespaces, ROOT as its read-only root with /proc, a read-only /sys
 * and a /dev (six nodes, the links, pts, shm), 64 MiB of memory and 32 processes. ROOT, an absolute
 * path, has empty proc, sys, dev and tmp.
 *
 * -o  the root is an overlay over ROOT whose writes go to a tmpfs
 * -m  no /sys, and a /dev without pts and shm
 * -n  no limits and no cgroup
 * -H  hardened: a user namespace with its maps, which owns the other namespaces (so the nodes in /dev are the host's, bound), Docker's masks and
 *     capabilities, no_new_privs, and a filter of the length of belljar's default, which is there already as instructions
 * -r  so many sandboxes one after the other; the program prints the median time of one in microseconds
 * -p  print the process id of the sandbox's first process, and do not mind how it ends
 *
 * One process clones the sandbox's only process as vfork would and sleeps until that executes PROGRAM. The limits go to the
 * memory and pids hierarchies of version 1 where they exist, which the child joins by writing 0 to "tasks"; that takes no
 * global lock, unlike "cgroup.procs". With version 2 the clone places the child.
 */
#define _GNU_SOURCE
#include "floor.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TIMES_MAX 100000

struct cgroup {
	bool unified;
	int tasks[2]; /* version 1: the files to join through */
	int dir; /* version 2: the directory to be cloned into */
	char path[2][96];
};

struct job {
	bool overlay;
	bool minimal;
	bool limited;
	bool hardened;
	bool print_pid;
	const char *root;
	char **argv;
	struct cgroup cgroup;
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[160];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = (int)must(open(path, O_WRONLY | O_CLOEXEC));
	must(write(fd, text, strlen(text)));
	close(fd);
}

/* Version 2: lets the root's children have the two controllers; needed once for a machine's life. */
static void cgroup_enable(void)
{
	write_file("/sys/fs/cgroup", "cgroup.subtree_control", "+memory +pids");
}

static void cgroup_make(struct cgroup *cgroup, int number)
{
	static const char *const controller[2] = {"memory", "pids"};
	char path[128];

	if (cgroup->unified) {
		snprintf(cgroup->path[0], sizeof cgroup->path[0], "/sys/fs/cgroup/floor-%d-%d", getpid(), number);
		must(mkdir(cgroup->path[0], 0755));
		write_file(cgroup->path[0], "memory.max", "67108864");
		write_file(cgroup->path[0], "pids.max", "32");
		cgroup->dir = (int)must(open(cgroup->path[0], O_PATH | O_DIRECTORY | O_CLOEXEC));
		return;
	}
	for (int i = 0; i < 2; i++) {
		snprintf(cgroup->path[i], sizeof cgroup->path[i], "/sys/fs/cgroup/%s/floor-%d-%d", controller[i], getpid(), number);
		must(mkdir(cgroup->path[i], 0755));
		write_file(cgroup->path[i], i ? "pids.max" : "memory.limit_in_bytes", i ? "32" : "67108864");
		snprintf(path, sizeof path, "%s/tasks", cgroup->path[i]);
		cgroup->tasks[i] = (int)must(open(path, O_WRONLY | O_CLOEXEC));
	}
}

static void cgroup_remove(struct cgroup *cgroup)
{
	if (cgroup->unified) {
		close(cgroup->dir);
		must(rmdir(cgroup->path[0]));
		return;
	}
	for (int i = 0; i < 2; i++) {
		close(cgroup->tasks[i]);
		must(rmdir(cgroup->path[i]));
	}
}

static void dev_node(const char *path, unsigned minor, bool hardened)
{
	char host[32];

	if (hardened) {
		snprintf(host, sizeof host, "/%s", path);
		close((int)must(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666)));
		must(mount(host, path, NULL, MS_BIND, NULL));
		return;
	}
	must(mknod(path, S_IFCHR | 0666, makedev(minor == 0 ? 5 : 1, minor)));
	must(chmod(path, 0666));
}

/* Fills `dev` (relative to the new root) as containers do. */
static void dev_fill(const struct job *job)
{
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k"));
	dev_node("dev/null", 3, job->hardened);
	dev_node("dev/zero", 5, job->hardened);
	dev_node("dev/full", 7, job->hardened);
	dev_node("dev/random", 8, job->hardened);
	dev_node("dev/urandom", 9, job->hardened);
	dev_node("dev/tty", 0, job->hardened);
	must(symlink("/proc/self/fd", "dev/fd"));
	must(symlink("/proc/self/fd/0", "dev/stdin"));
	must(symlink("/proc/self/fd/1", "dev/stdout"));
	must(symlink("/proc/self/fd/2", "dev/stderr"));
	if (job->minimal)
		return;
	must(mkdir("dev/pts", 0755));
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"));
	must(symlink("pts/ptmx", "dev/ptmx"));
	must(mkdir("dev/shm", 01777));
	must(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m"));
}

/* Puts the root in its place; the current directory is then the new root. */
static void root_mount(const struct job *job)
{
	char options[512];

	if (!job->overlay) {
		must(mount(job->root, job->root, NULL, MS_BIND | MS_REC, NULL));
		must(chdir(job->root));
		return;
	}
	/* The tmpfs lies on the lower root's own /tmp: an overlay does not look at what is mounted on its layers. */
	must(chdir(job->root));
	must(mount("tmpfs", "tmp", "tmpfs", MS_NODEV, "mode=755,size=100m"));
	must(chdir("tmp"));
	must(mkdir("upper", 0755));
	must(mkdir("work", 0755));
	must(mkdir("root", 0755));
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=upper,workdir=work%s", job->root, job->hardened ? ",userxattr" : "");
	must(mount("overlay", "root", "overlay", 0, options));
	must(chdir("root"));
}

static void make_readonly(const char *path)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	must(syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &attr, sizeof attr));
}

/* The child maps itself: the parent sleeps until it executes a program. */
static void map_self(void)
{
	write_file("/proc/self", "uid_map", "0 0 1");
	write_file("/proc/self", "setgroups", "deny");
	write_file("/proc/self", "gid_map", "0 0 1");
}

/* Those of Docker's paths that are there, as this kernel has them. In the new root, whose /dev is filled. */
static void mask(void)
{
	static const char *const file[] = {"proc/interrupts", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list", "proc/sched_debug"};
	static const char *const directory[] = {"proc/acpi", "proc/scsi", "proc/asound", "sys/firmware", "sys/devices/virtual/powercap"};
	static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};

	for (size_t i = 0; i < sizeof file / sizeof *file; i++)
		if (access(file[i], F_OK) == 0)
			must(mount("dev/null", file[i], NULL, MS_BIND, NULL));
	for (size_t i = 0; i < sizeof directory / sizeof *directory; i++)
		if (access(directory[i], F_OK) == 0)
			must(mount("tmpfs", directory[i], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0"));
	for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++) {
		if (access(readonly[i], F_OK) < 0)
			continue;
		must(mount(readonly[i], readonly[i], NULL, MS_BIND, NULL));
		make_readonly(readonly[i]);
	}
}

/* A search tree over the numbers LOW to HIGH, each of which ends in an answer of its own; returns where the next instruction goes. */
static struct sock_filter *filter_tree(struct sock_filter *at, unsigned low, unsigned high)
{
	unsigned middle = low + (high - low + 1) / 2;
	struct sock_filter *jump = at + 1;

	if (low == high) {
		*at = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		return at + 1;
	}
	*at = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, middle, 0, 1);
	at = filter_tree(jump + 1, low, middle - 1);
	*jump = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (unsigned)(at - jump - 1));
	return filter_tree(at, middle, high);
}

/* The instructions are there before the time is taken. */
static const struct sock_fprog *filter(void)
{
	enum { ANSWERS = 230, HEAD = 4 };
	static struct sock_filter code[HEAD + 3 * ANSWERS - 2];
	static const struct sock_fprog program = {sizeof code / sizeof *code, code};
	static const struct sock_filter head[HEAD] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};

	if (!code[0].code) {
		memcpy(code, head, sizeof head);
		filter_tree(code + HEAD, 0, ANSWERS - 1);
	}
	return &program;
}

static void give_up_privileges(void)
{
	/* Docker's 14. */
	const uint64_t kept = 0xa80425fb;
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{(uint32_t)kept, (uint32_t)kept, 0}};

	for (int c = 0; c <= CAP_LAST_CAP; c++)
		if (!(kept >> c & 1))
			must(prctl(PR_CAPBSET_DROP, c, 0, 0, 0));
	must(syscall(SYS_capset, &head, data));
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter()));
}

static __attribute__((noreturn)) void child(const struct job *job)
{
	if (job->limited && !job->cgroup.unified)
		for (int i = 0; i < 2; i++)
			must(write(job->cgroup.tasks[i], "0", 1));
	if (job->limited)
		must(syscall(SYS_unshare, CLONE_NEWCGROUP));
	if (job->hardened)
		map_self();
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	root_mount(job);
	must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	dev_fill(job);
	if (!job->minimal)
		must(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL));
	if (job->hardened)
		mask();
	if (!job->overlay)
		make_readonly(".");
	must(syscall(SYS_pivot_root, ".", "."));
	must(umount2(".", MNT_DETACH));
	must(chdir("/"));
	if (job->hardened)
		give_up_privileges();
	must(execv(job->argv[0], job->argv));
	_exit(1);
}

static void oneshot(struct job *job, int number)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	long pid;

	args.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	if (job->hardened) {
		args.flags |= CLONE_NEWUSER;
		filter();
	}
	if (job->limited)
		cgroup_make(&job->cgroup, number);
	if (job->limited && job->cgroup.unified) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)job->cgroup.dir;
	}
	pid = must(clone_vfork(&args));
	if (pid == 0)
		child(job);
	if (job->print_pid && dprintf(1, "%ld\n", pid) > 0)
		must(waitpid((pid_t)pid, NULL, 0));
	else
		must_end_well(pid);
	if (job->limited)
		cgroup_remove(&job->cgroup);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void oneshot_repeated(struct job *job, int times)
{
	static double took[TIMES_MAX];

	for (int i = 0; i < times; i++) {
		double start = now_us();

		oneshot(job, i);
		took[i] = now_us() - start;
	}
	qsort(took, (size_t)times, sizeof *took, compare);
	printf("%.1f\n", took[times / 2]);
}

int main(int argc, char **argv)
{
	struct job job = {.limited = true};
	int times = 0, option;

	while ((option = getopt(argc, argv, "+omnpHr:")) != -1) {
		switch (option) {
		case 'o': job.overlay = true; break;
		case 'm': job.minimal = true; break;
		case 'n': job.limited = false; break;
		case 'H': job.hardened = true; break;
		case 'p': job.print_pid = true; break;
		case 'r': times = atoi(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind < 2 || times < 0 || times > TIMES_MAX) {
		dprintf(2, "usage: floor_oneshot [-omnpH] [-r TIMES] ROOT PROGRAM ARG...\n");
		return 2;
	}
	job.root = argv[optind];
	job.argv = argv + optind + 1;
	job.cgroup.unified = access("/sys/fs/cgroup/memory/tasks", F_OK) != 0;
	if (job.limited && job.cgroup.unified && access("/sys/fs/cgroup/cgroup.subtree_control", F_OK) == 0)
		cgroup_enable();
	if (times > 0)
		oneshot_repeated(&job, times);
	else
		oneshot(&job, 0);
	return 0;
}
