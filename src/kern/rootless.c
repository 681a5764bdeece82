/*
 * rootless.c - belljar of an ordinary user
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/rootless.h"

static bool entered;
static uid_t outside;

uid_t rootless_uid(void)
{
	return entered ? outside : geteuid();
}

bool rootless_entered(void)
{
	return entered;
}

struct range {
	uint32_t first, count;
};

/* The user's first line in FILE: by name or by number. */
static bool subordinate(const char *file, const char *name, uid_t uid, struct range *r)
{
	_cleanup_buf_ struct buf text = { 0 };
	char number[16];

	snprintf(number, sizeof number, "%u", (unsigned)uid);
	if (io_slurp(AT_FDCWD, file, 1 << 20, &text) < 0)
		return false;
	for (char *line = text.data, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		char *rest = strchr(line, ':');
		if (!rest)
			continue;
		*rest++ = '\0';
		if ((streq(line, number) || (name && streq(line, name))) &&
		    sscanf(rest, "%" SCNu32 ":%" SCNu32, &r->first, &r->count) == 2 && r->count)
			return true;
	}
	return false;
}

/* Run newuidmap or newgidmap for process PID: 0 is the user, 1 and up its subordinate ids. */
static bool run_mapper(const char *program, pid_t pid, unsigned id, const struct range *r)
{
	char p[16], own[16], first[16], count[16];
	char *argv[] = { (char *)program, p, (char *)"0", own, (char *)"1", (char *)"1", first, count, NULL };
	char *env[] = { (char *)"PATH=/usr/bin:/bin", NULL };
	int status;

	snprintf(p, sizeof p, "%d", (int)pid);
	snprintf(own, sizeof own, "%u", id);
	snprintf(first, sizeof first, "%" PRIu32, r->first);
	snprintf(count, sizeof count, "%" PRIu32, r->count);
	pid_t child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0)
			dup2(null, STDERR_FILENO);
		execve(program, argv, env);
		_exit(127);
	}
	if (child < 0)
		return false;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The one who maps must stay outside: a child that waits until its parent is in the new user namespace. Its exit status says whether the
 * ranges were mapped. */
static pid_t start_mapper(int go, uid_t uid, gid_t gid)
{
	struct range u, g;
	const struct passwd *pw = getpwuid(uid);
	const char *name = pw ? pw->pw_name : NULL;
	pid_t parent = getpid();
	char byte;

	if (access("/usr/bin/newuidmap", X_OK) < 0 || access("/usr/bin/newgidmap", X_OK) < 0 ||
	    !subordinate("/etc/subuid", name, uid, &u) || !subordinate("/etc/subgid", name, uid, &g))
		return 0;
	pid_t child = fork();
	if (child != 0)
		return child;
	if (io_read(go, &byte, 1) != 1)
		_exit(1);
	_exit(run_mapper("/usr/bin/newuidmap", parent, uid, &u) && run_mapper("/usr/bin/newgidmap", parent, gid, &g) ? 0 : 1);
}

static int map_self(uid_t uid, gid_t gid, struct err *err)
{
	char line[32];

	/* Without privileges the kernel takes a group map only where setgroups is denied. */
	if (io_put(AT_FDCWD, "/proc/self/setgroups", "deny") < 0)
		return err_set(err, errno, "can't deny setgroups in a user namespace");
	snprintf(line, sizeof line, "0 %u 1", (unsigned)uid);
	if (io_put(AT_FDCWD, "/proc/self/uid_map", line) < 0)
		return err_set(err, errno, "can't map your user id into a user namespace");
	snprintf(line, sizeof line, "0 %u 1", (unsigned)gid);
	if (io_put(AT_FDCWD, "/proc/self/gid_map", line) < 0)
		return err_set(err, errno, "can't map your group id into a user namespace");
	return 0;
}

static bool is_on(const char *file, const char *value)
{
	char line[32] = "";

	return io_line(AT_FDCWD, file, line, sizeof line) >= 0 && streq(line, value);
}

static int refused(struct err *err)
{
	err_set(err, errno, "you are not root, and the kernel refuses you a user namespace");
	if (is_on("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		err_why(err, "AppArmor lets only programs with a profile make user namespaces (kernel.apparmor_restrict_unprivileged_userns)");
	else if (is_on("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		err_why(err, "kernel.unprivileged_userns_clone is 0");
	else if (is_on("/proc/sys/user/max_user_namespaces", "0"))
		err_why(err, "user.max_user_namespaces is 0");
	return err_try(err, "sudo belljar");
}

static int unshare_user(int go, pid_t mapper, uid_t uid, gid_t gid, struct err *err)
{
	int status = 1;

	if (unshare(CLONE_NEWUSER) < 0)
		return refused(err);
	if (mapper > 0) {
		if (io_write(go, "", 1) < 0)
			return err_set(err, errno, "can't tell newuidmap to begin");
		while (waitpid(mapper, &status, 0) < 0 && errno == EINTR)
			;
	}
	return status == 0 ? 0 : map_self(uid, gid, err);
}

static int enter_new(struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int go[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(err, errno, "no pipe");
	_cleanup_close_ int in = go[0], out = go[1];
	pid_t mapper = start_mapper(in, uid, gid);
	if (mapper < 0)
		return err_set(err, errno, "can't start a process for newuidmap");
	int result = unshare_user(out, mapper, uid, gid, err);
	close_fd(&out);
	if (result < 0) {
		if (mapper > 0)
			waitpid(mapper, NULL, 0);
		return -1;
	}
	/* newuidmap maps 0 but makes nobody it. */
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return err_set(err, errno, "can't become user 0 of a user namespace");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(err, errno, "can't get a mount namespace");
	outside = uid;
	return 0;
}

int rootless_enter(struct err *err)
{
	if (entered || geteuid() == 0)
		return 0;
	if (enter_new(err) < 0)
		return -1;
	entered = true;
	return 0;
}

int rootless_join(pid_t pid, struct err *err)
{
	uid_t uid = geteuid();

	if (entered || uid == 0)
		return 0;
	_cleanup_close_ int process = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process < 0 || setns(process, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_set(err, errno, "can't enter the session's user namespace (process %d)", (int)pid);
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		return err_set(err, errno, "can't become user 0 of the session's user namespace");
	outside = uid;
	entered = true;
	return 0;
}
