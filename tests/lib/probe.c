/*
 * probe.c - what a program in a sandbox sees and can do
 *
 * A static program, so it runs in any root. Tests start it inside and compare what it prints with what they see from outside.
 *
 *   probe facts              one NAME=VALUE a line: ids, namespaces, host name, descriptors, file of PID 1, capabilities, mounts, links
 *   probe eat MIB            touch so much memory, then say "ate"
 *   probe burn MS            use the processor for so long; prints the milliseconds of processor time it got
 *   probe fork N             start N children that wait; prints how many could be started
 *   probe serve PORT TEXT [TIMES]   accept so many connections (1), send TEXT to each
 *   probe ask ADDRESS PORT   connect, print what comes
 *   probe calls NAME...      make each of these system calls (nrN: number N); prints NAME=ok or the error's name
 *   probe escape FILE        walk out of a chroot (a directory held open, chroot again, chdir up), then print FILE as it is there
 *   probe clock NAME         seconds of the monotonic or boottime clock
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 1;
}

static void link_fact(const char *name, const char *path)
{
	char text[4096];
	ssize_t n = readlink(path, text, sizeof text - 1);

	if (n < 0)
		printf("%s=-%s\n", name, strerror(errno));
	else
		printf("%s=%.*s\n", name, (int)n, text);
}

static void namespaces(void)
{
	static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
	char name[32], path[64];

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		snprintf(name, sizeof name, "ns.%s", kinds[i]);
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
		link_fact(name, path);
	}
}

/* Open descriptors but the one that lists them. */
static void descriptors(void)
{
	char path[64], name[32];
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || atoi(e->d_name) == dirfd(dir))
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%.16s", e->d_name);
		snprintf(name, sizeof name, "fd.%.16s", e->d_name);
		link_fact(name, path);
	}
	if (dir)
		closedir(dir);
}

static void status_lines(void)
{
	static const char *const wanted[] = { "Cap", "NoNewPrivs", "Seccomp:", "NSpid", "Groups", "SigBlk", "SigIgn" };
	char line[1024];
	FILE *in = fopen("/proc/self/status", "re");

	while (in && fgets(line, sizeof line, in))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) {
				char *value = strchr(line, ':');
				*value++ = '\0';
				printf("status.%s=%s", line, value + strspn(value, " \t"));
			}
	if (in)
		fclose(in);
}

static void count_lines(const char *name, const char *path)
{
	int n = 0, c;
	FILE *in = fopen(path, "re");

	while (in && (c = fgetc(in)) != EOF)
		n += c == '\n';
	printf("%s=%d\n", name, in ? n : -1);
	if (in)
		fclose(in);
}

static int facts(void)
{
	char host[256] = "", cwd[4096];
	struct if_nameindex *links = if_nameindex();

	gethostname(host, sizeof host - 1);
	printf("pid=%d\nppid=%d\nuid=%d\ngid=%d\nhost=%s\n", getpid(), getppid(), getuid(), getgid(), host);
	printf("cwd=%s\ntty=%d%d%d\n", getcwd(cwd, sizeof cwd) ? cwd : "-", isatty(0), isatty(1), isatty(2));
	link_fact("root", "/proc/self/root");
	link_fact("init.exe", "/proc/1/exe");
	link_fact("init.root", "/proc/1/root");
	link_fact("init.cwd", "/proc/1/cwd");
	namespaces();
	descriptors();
	status_lines();
	count_lines("mounts", "/proc/self/mountinfo");
	for (struct if_nameindex *l = links; l && l->if_index; l++)
		printf("link.%s\n", l->if_name);
	if (links)
		if_freenameindex(links);
	return 0;
}

static int eat(size_t mib)
{
	for (size_t i = 0; i < mib; i++) {
		char *p = malloc(1 << 20);
		if (!p)
			return die("malloc");
		memset(p, (int)i + 1, 1 << 20);
		__asm__ volatile("" : : "r"(p) : "memory");
	}
	puts("ate");
	return 0;
}

static long ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int burn(long wanted)
{
	long end = ms(CLOCK_MONOTONIC) + wanted;

	while (ms(CLOCK_MONOTONIC) < end)
		;
	printf("%ld\n", ms(CLOCK_PROCESS_CPUTIME_ID));
	return 0;
}

static int fork_many(int n)
{
	int done = 0;

	for (; done < n; done++) {
		pid_t pid = fork();
		if (pid < 0)
			break;
		if (pid == 0)
			for (;;)
				pause();
	}
	printf("%d\n", done);
	fflush(stdout);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return 0;
}

/* Of both families, where there is IPv6. */
static int listen_at(int port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port) };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	int on = 1, sock = socket(AF_INET6, SOCK_STREAM, 0), v6 = sock >= 0;

	if (!v6)
		sock = socket(AF_INET, SOCK_STREAM, 0);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(sock, v6 ? (void *)&a6 : (void *)&a, v6 ? sizeof a6 : sizeof a) < 0 || listen(sock, 8) < 0)
		return -1;
	return sock;
}

static int serve(int port, const char *text, int times)
{
	int sock = listen_at(port);

	if (sock < 0)
		return die("listen");
	for (int i = 0; i < times; i++) {
		int conn = accept(sock, NULL, NULL);
		if (conn < 0 || write(conn, text, strlen(text)) < 0)
			return die("accept");
		close(conn);
	}
	return 0;
}

/* The server may not listen yet: asked again until it does, for ten seconds. */
static int ask(const char *address, int port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port) };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	char text[4096];
	ssize_t n;
	long end = ms(CLOCK_MONOTONIC) + 10000;
	int v6 = strchr(address, ':') != NULL;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, address, v6 ? (void *)&a6.sin6_addr : (void *)&a.sin_addr) != 1)
		return die("address");
	for (;;) {
		int sock = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
		if (sock < 0)
			return die("socket");
		if (connect(sock, v6 ? (void *)&a6 : (void *)&a, v6 ? sizeof a6 : sizeof a) == 0) {
			while ((n = read(sock, text, sizeof text)) > 0)
				fwrite(text, 1, (size_t)n, stdout);
			putchar('\n');
			return 0;
		}
		close(sock);
		if (errno != ECONNREFUSED || ms(CLOCK_MONOTONIC) > end)
			return die("connect");
		usleep(20000);
	}
}

/* Those two ask only when all else is well. */
static long make_file(const char *name)
{
	char path[64];
	long result = 0;

	snprintf(path, sizeof path, "/tmp/probe-%s.%d", name, getpid());
	if (strcmp(name, "mknod") == 0)
		result = syscall(SYS_mknodat, AT_FDCWD, path, S_IFCHR | 0600, 0x103);
	else if (close(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) == 0)
		result = syscall(SYS_fchownat, AT_FDCWD, path, getuid() + 1, -1, 0);
	int number = errno;
	unlink(path);
	errno = number;
	return result;
}

/* Arguments of each call that do no harm where it is allowed, and let the kernel ask for the privilege before it looks at them. */
static long make_call(const char *name)
{
	char host[65] = "";
	struct ifreq lo = { .ifr_name = "lo" };
	struct sockaddr_in low = { .sin_family = AF_INET, .sin_port = htons(7) };
	int sock;

	gethostname(host, sizeof host - 1);
	if (strcmp(name, "getppid") == 0)
		return syscall(SYS_getppid);
	if (strcmp(name, "unshare") == 0)
		return syscall(SYS_unshare, 0x08000000 /* CLONE_NEWIPC */);
	if (strcmp(name, "unshare-user") == 0)
		return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
	if (strcmp(name, "mount") == 0)
		return syscall(SYS_mount, "none", "/etc", "nosuchfs", 0, NULL);
	if (strcmp(name, "umount") == 0)
		return syscall(SYS_umount2, "/etc", 0);
	if (strcmp(name, "pivot-root") == 0)
		return syscall(SYS_pivot_root, "/no/such/directory", "/no/such/directory");
	if (strcmp(name, "chroot") == 0)
		return syscall(SYS_chroot, "/");
	if (strcmp(name, "hostname") == 0)
		return syscall(SYS_sethostname, host, strlen(host));
	if (strcmp(name, "keyctl") == 0)
		return syscall(SYS_keyctl, 0, -3, 0);
	if (strcmp(name, "raw-socket") == 0)
		return syscall(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (strcmp(name, "reboot") == 0)
		return syscall(SYS_reboot, 0, 0, 0, NULL);
	if (strcmp(name, "setuid") == 0)
		return syscall(SYS_setresuid, -1, getuid() ? 0 : 1, -1);
	if (strcmp(name, "setgroups") == 0)
		return syscall(SYS_setgroups, 0, NULL);
	if (strcmp(name, "chown") == 0 || strcmp(name, "mknod") == 0)
		return make_file(name);
	if (strcmp(name, "settime") == 0)
		return syscall(SYS_settimeofday, NULL, NULL);
	if (strcmp(name, "module") == 0)
		return syscall(SYS_finit_module, -1, "", 0);
	if (strcmp(name, "syslog") == 0)
		return syscall(SYS_syslog, 9 /* SYSLOG_ACTION_SIZE_UNREAD */, NULL, 0);
	if (strcmp(name, "swapon") == 0)
		return syscall(SYS_swapon, "/no/such/file", 0);
	if (strcmp(name, "vsock") == 0)
		return syscall(SYS_socket, 40 /* AF_VSOCK */, SOCK_STREAM, 0);
	if (strcmp(name, "vsock-high") == 0)
		return syscall(SYS_socket, 0xdead000000000000 | 40, SOCK_STREAM, 0);
	if (strncmp(name, "nr", 2) == 0)
		return syscall(strtol(name + 2, NULL, 0), -1L, 0L, 0L, 0L);
#ifdef __x86_64__
	if (strcmp(name, "mount-i386") == 0) {
		long result;
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(21), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory", "r8", "r9", "r10", "r11");
		errno = (int)-result;
		return result < 0 ? -1 : 0;
	}
#endif
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (strcmp(name, "low-port") == 0)
		return bind(sock, (struct sockaddr *)&low, sizeof low);
	if (strcmp(name, "links") == 0)
		return ioctl(sock, SIOCGIFFLAGS, &lo) < 0 ? -1 : ioctl(sock, SIOCSIFFLAGS, &lo);
	errno = EDOM;
	return -1;
}

/* Each in a process of its own, so that none changes what the next one meets. */
static int make_calls(int n, char **names)
{
	for (int i = 0; i < n; i++) {
		int status = 0, number;
		pid_t pid = fork();
		if (pid == 0) {
			errno = 0;
			number = make_call(names[i]) < 0 ? errno : 0;
			_exit(number);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			return die("fork");
		number = WEXITSTATUS(status);
		if (number == EDOM)
			return die("no such call here");
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
			raise(SIGSYS);
		printf("%s=%s\n", names[i], WIFSIGNALED(status) ? "killed" : number == 0 ? "ok" : strerrorname_np(number));
		fflush(stdout);
	}
	return 0;
}

/* The classic way out of a chroot. */
static int escape(const char *file)
{
	char text[256];
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	mkdir("way-out", 0700);
	if (here < 0 || chroot("way-out") < 0 || fchdir(here) < 0)
		return die("way-out");
	rmdir("way-out");
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return die("..");
	if (chroot(".") < 0)
		return die("chroot");
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (n < 0)
		return die(file);
	printf("%.*s", (int)n, text);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "facts") == 0)
		return facts();
	if (strcmp(what, "calls") == 0)
		return make_calls(argc - 2, argv + 2);
	if (strcmp(what, "eat") == 0 && argc == 3)
		return eat(strtoul(argv[2], NULL, 10));
	if (strcmp(what, "burn") == 0 && argc == 3)
		return burn(strtol(argv[2], NULL, 10));
	if (strcmp(what, "fork") == 0 && argc == 3)
		return fork_many(atoi(argv[2]));
	if (strcmp(what, "serve") == 0 && (argc == 4 || argc == 5))
		return serve(atoi(argv[2]), argv[3], argc == 5 ? atoi(argv[4]) : 1);
	if (strcmp(what, "ask") == 0 && argc == 4)
		return ask(argv[2], atoi(argv[3]));
	if (strcmp(what, "escape") == 0 && argc == 3)
		return escape(argv[2]);
	if (strcmp(what, "clock") == 0 && argc == 3) {
		printf("%ld\n", ms(strcmp(argv[2], "boottime") == 0 ? CLOCK_BOOTTIME : CLOCK_MONOTONIC) / 1000);
		return 0;
	}
	fprintf(stderr, "probe: facts | eat MIB | burn MS | fork N | serve PORT TEXT [TIMES] | ask ADDRESS PORT | calls NAME... | escape FILE | clock NAME\n");
	return 2;
}
