/*
 * doctor.c - what this machine lets belljar do
 *
 * Each function looks at one thing and adds one finding. What the kernel says when something is tried counts more than what its switches
 * say; the switches then tell which command mends it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/doctor.h"
#include "kern/place.h"
#include "kern/rootless.h"
#include "kern/sys.h"

enum { KEYS_ENOUGH = 2000, BAD_NUMBER = 9999 };

struct look {
	struct doctor_finding *findings;
	size_t n;
};

static struct doctor_finding *add(struct look *l, const char *what, enum doctor_verdict verdict, char *seen)
{
	struct doctor_finding *f = GROW(&l->findings, &l->n);

	*f = (struct doctor_finding){ .what = what, .verdict = verdict, .seen = seen };
	return f;
}

/* The number in a file of /proc/sys; OTHERWISE when there is no such file. */
static long long sysctl_of(const char *name, long long otherwise)
{
	_cleanup_free_ char *path = xasprintf("/proc/sys/%s", name);
	char line[64];

	return io_line(AT_FDCWD, path, line, sizeof line) > 0 ? strtoll(line, NULL, 10) : otherwise;
}

static const char *user_name(void)
{
	const struct passwd *pw = getpwuid(rootless_uid());

	return pw ? pw->pw_name : "USER";
}

static void look_kernel(struct look *l)
{
	/* Asked in a way that can't do anything: only "no such call" counts. */
	static const struct { const char *name; long number; } calls[] = {
		{ "openat2", SYS_openat2 }, { "clone3", SYS_clone3 }, { "pidfd_open", SYS_pidfd_open }, { "fsopen", SYS_fsopen },
		{ "open_tree", SYS_open_tree }, { "move_mount", SYS_move_mount }, { "mount_setattr", SYS_mount_setattr },
		{ "close_range", SYS_close_range }, { "execveat", SYS_execveat },
	};
	struct utsname name;
	char *missing = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (syscall(calls[i].number, BAD_NUMBER, 1, NULL, 0, 0) < 0 && errno == ENOSYS) {
			char *more = xasprintf("%s%s%s", missing ? missing : "", missing ? ", " : "", calls[i].name);
			free(missing);
			missing = more;
		}
	uname(&name);
	struct doctor_finding *f = add(l, "kernel", missing ? DOCTOR_MISSING : DOCTOR_FINE,
				       xasprintf("Linux %s%s%s", name.release, missing ? ", without the system calls " : "", missing ? missing : ""));
	if (missing) {
		f->lost = "sandboxes: belljar needs these";
		f->fix = xstrdup("Linux 6.1 or later; in a container, one whose seccomp filter allows them");
	}
	free(missing);
}

static void look_kinds(struct look *l)
{
	for (int k = 0; k < NS_KINDS; k++) {
		_cleanup_free_ char *file = xasprintf("/proc/self/ns/%s", ns_table[k].name);
		_cleanup_free_ char *limit = xasprintf("user/max_%s_namespaces", ns_table[k].name);
		long long most = sysctl_of(limit, -1);
		struct doctor_finding *f;
		if (access(file, F_OK) < 0) {
			f = add(l, ns_table[k].name, DOCTOR_MISSING, xasprintf("the kernel has no %s namespaces", ns_table[k].name));
			f->lost = ns_table[k].isolates;
			f->fix = xstrdup("a kernel with them");
		} else if (most == 0) {
			f = add(l, ns_table[k].name, DOCTOR_MISSING, xasprintf("user.max_%s_namespaces is 0", ns_table[k].name));
			f->lost = ns_table[k].isolates;
			f->fix = xasprintf("sudo sysctl user.max_%s_namespaces=10000", ns_table[k].name);
			f->cost = "every user may make that many, and reach the kernel's code for them";
		} else {
			add(l, ns_table[k].name, DOCTOR_FINE, most < 0 ? xstrdup("there") : xasprintf("there, at most %lld", most));
		}
	}
}

/* A user namespace with privileges in it, as an ordinary user gets it? AppArmor lets the namespace be made and takes the privileges. */
static bool try_user_namespace(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNET) < 0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	return pid > 0 && status == 0;
}

static void look_ordinary(struct look *l)
{
	struct doctor_finding *f;
	bool debian = sysctl_of("kernel/unprivileged_userns_clone", 1) == 0;
	bool apparmor = sysctl_of("kernel/apparmor_restrict_unprivileged_userns", 0) == 1;
	bool works = try_user_namespace(), root = rootless_uid() == 0;

	/* Root is let through: for it only the switches say what others meet. */
	if (works && !(root && (debian || apparmor))) {
		add(l, "without root", DOCTOR_FINE, xstrdup("an ordinary user gets a user namespace"));
		return;
	}
	f = add(l, "without root", root ? DOCTOR_LESS : DOCTOR_MISSING, NULL);
	f->lost = "belljar of an ordinary user; root does not need it";
	if (debian) {
		f->seen = xstrdup("kernel.unprivileged_userns_clone is 0");
		f->fix = xstrdup("echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/50-belljar.conf && sudo sysctl --system");
		f->cost = "every program of every user may make user namespaces, and reach kernel code that root alone reached before";
	} else if (apparmor) {
		f->seen = xstrdup("kernel.apparmor_restrict_unprivileged_userns is 1: only programs with a profile get privileges in theirs");
		f->fix = xstrdup("sudo cp " PKGDATADIR "/apparmor/belljar /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/belljar");
		f->cost = "whoever may run belljar may make user namespaces with it";
	} else {
		f->seen = xstrdup("the kernel refuses an ordinary user a user namespace");
		f->fix = xstrdup("sudo belljar; or look for a container's seccomp filter, or a security module's rule");
	}
}

/* The first line of FILE for the user, by name or number. */
static bool has_line(const char *file, char *line, size_t room)
{
	_cleanup_file_ FILE *in = fopen(file, "re");
	_cleanup_free_ char *name = xasprintf("%s:", user_name()), *number = xasprintf("%u:", (unsigned)rootless_uid());

	while (in && fgets(line, (int)room, in))
		if (starts_with(line, name) || starts_with(line, number)) {
			line[strcspn(line, "\n")] = '\0';
			return true;
		}
	return false;
}

static void look_ids(struct look *l)
{
	static const struct { const char *what, *file, *program, *option; } kinds[] = {
		{ "user ids", "/etc/subuid", "/usr/bin/newuidmap", "uids" },
		{ "group ids", "/etc/subgid", "/usr/bin/newgidmap", "gids" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char line[256];
		bool has = has_line(kinds[i].file, line, sizeof line);
		if (rootless_uid() == 0) {
			add(l, kinds[i].what, DOCTOR_FINE, has ? xasprintf("%s: %s", kinds[i].file, line) : xstrdup("root has all of them"));
		} else if (has && access(kinds[i].program, X_OK) == 0) {
			add(l, kinds[i].what, DOCTOR_FINE, xasprintf("%s: %s", kinds[i].file, line));
		} else {
			struct doctor_finding *f = add(l, kinds[i].what, DOCTOR_LESS,
						       has ? xasprintf("%s is not there", kinds[i].program) :
							     xasprintf("%s has no line for %s", kinds[i].file, user_name()));
			f->lost = "more ids inside than 0: programs that change to another user, packages' own users";
			f->fix = has ? xstrdup("sudo apt install uidmap") :
				       xasprintf("sudo usermod --add-sub%s 100000-165535 %s", kinds[i].option, user_name());
			f->cost = has ? "two set-user-ID programs more on the machine" :
					"65536 ids that belong to this user from then on: take a range that nobody else has";
		}
	}
}

static void look_groups(struct look *l)
{
	struct err err = { 0 };
	const char *layout = cg_layout(&err);

	if (!layout && cg_scope_wanted("belljar.scope")) {
		add(l, "control groups", DOCTOR_FINE, xstrdup("version: v2; with the first limit systemd is asked for a scope"));
		return;
	}
	struct doctor_finding *f = add(l, "control groups", layout ? DOCTOR_FINE : DOCTOR_LESS,
				       layout ? xasprintf("version: %s", layout) : xstrdup(err.text));
	static const char delegate[] = "systemd-run --user --scope -p Delegate=yes belljar";

	if (!layout) {
		f->lost = "limits, usage, and finding what escaped its parent";
		f->fix = xstrdup(rootless_uid() ? delegate : "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
		f->cost = rootless_uid() ? "nothing: it is a part of your own session's tree" : "nothing";
	}
	for (int k = 0; layout && k < CG_KEYS; k++) {
		err_clear(&err);
		if (cg_can((enum cg_key)k, &err) == 0) {
			add(l, cg_table[k].name, DOCTOR_FINE, xstrdup("can be limited"));
			continue;
		}
		f = add(l, cg_table[k].name, DOCTOR_LESS, xstrdup(err.text));
		f->lost = "limits of it";
		f->fix = xstrdup(rootless_uid() ? delegate : "a kernel and a place in the tree with that controller");
		f->cost = rootless_uid() ? "nothing: it is a part of your own session's tree" : NULL;
	}
}

static void look_files(struct look *l)
{
	static const char *const types[] = { "overlay", "tmpfs", "proc", "devpts" };
	_cleanup_free_ char *text = NULL;
	_cleanup_file_ FILE *in = fopen("/proc/filesystems", "re");
	size_t room = 0;

	if (!in || getdelim(&text, &room, '\0', in) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_free_ char *word = xasprintf("\t%s\n", types[i]);
		bool has = strstr(text, word);
		struct doctor_finding *f = add(l, types[i], has ? DOCTOR_FINE : DOCTOR_LESS, xstrdup(has ? "there" : "not loaded"));
		if (!has) {
			f->lost = "roots whose writes are thrown away";
			f->fix = xasprintf("sudo modprobe %s", types[i]);
			f->cost = "the module's code in the kernel";
		}
	}
}

static void look_keys(struct look *l)
{
	long long most = sysctl_of(rootless_uid() == 0 ? "kernel/keys/root_maxkeys" : "kernel/keys/maxkeys", -1);

	if (most < 0 || most >= KEYS_ENOUGH) {
		add(l, "keyrings", DOCTOR_FINE, most < 0 ? xstrdup("the kernel has none") : xasprintf("at most %lld", most));
		return;
	}
	struct doctor_finding *f = add(l, "keyrings", DOCTOR_LESS, xasprintf("kernel.keys.maxkeys is %lld", most));
	f->lost = "more sandboxes at a time than about so many: each has a keyring of its own";
	f->fix = xstrdup("sudo sysctl kernel.keys.maxkeys=20000 kernel.keys.maxbytes=2000000");
	f->cost = "each user may hold so much of the kernel's memory";
}

void doctor_look(struct doctor_finding **findings, size_t *n)
{
	struct look l = { 0 };

	look_kernel(&l);
	look_kinds(&l);
	look_ordinary(&l);
	look_ids(&l);
	look_groups(&l);
	look_files(&l);
	look_keys(&l);
	*findings = l.findings;
	*n = l.n;
}

void doctor_free(struct doctor_finding *findings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(findings[i].seen);
		free(findings[i].fix);
	}
	free(findings);
}
