/*
 * privileges.c - what a sandbox's programs are not allowed to do
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/capability.h"
#include "kern/landlock.h"
#include "sandbox/privileges.h"

int privileges_set(struct sandbox *sb, enum privilege key, const char *value, struct err *err)
{
	const char *old = sb->place.privileges[key];
	struct step step = { .kind = STEP_PRIVILEGE, .place = &sb->place, .num = key, .text = value, .from = old };

	if (value ? old && streq(value, old) : !old)
		return 0;
	_cleanup_free_ char *kept = xstrdup(old);
	step.from = kept;
	return gate_run(&sb->session->gate, &step, 1, err);
}

/* What the holder could hand on. */
static uint64_t available(const struct sandbox *sb)
{
	struct privileges_now now;
	struct err none;

	if (sb->place.pid == 0 || privileges_look(sb->place.pid, &now, &none) < 0)
		return capability_all();
	return now.bounding;
}

uint64_t privileges_caps(const struct sandbox *sb)
{
	uint64_t mask, all = available(sb);

	if (!sb->place.privileges[PRIV_CAPS] || capability_parse_list(sb->place.privileges[PRIV_CAPS], &mask) < 0)
		return all;
	return mask & all;
}

uint64_t privileges_ambient(const struct sandbox *sb)
{
	uint64_t mask;

	if (!sb->place.privileges[PRIV_AMBIENT] || capability_parse_list(sb->place.privileges[PRIV_AMBIENT], &mask) < 0)
		return 0;
	return mask;
}

static int set_mask(struct sandbox *sb, enum privilege key, uint64_t mask, struct err *err)
{
	_cleanup_buf_ struct buf words = { 0 };

	capability_words(mask, &words);
	return privileges_set(sb, key, key == PRIV_AMBIENT && !mask ? NULL : buf_text(&words), err);
}

int privileges_set_caps(struct sandbox *sb, uint64_t mask, struct err *err)
{
	uint64_t missing = mask & ~available(sb), ambient = privileges_ambient(sb);

	if (missing) {
		_cleanup_buf_ struct buf words = { 0 };
		capability_words(missing, &words);
		return err_set(err, EPERM, "%s: belljar was started without %.500s and can't hand it on", sb->name, buf_text(&words));
	}
	if ((ambient & ~mask) && set_mask(sb, PRIV_AMBIENT, ambient & mask, err) < 0)
		return -1;
	return set_mask(sb, PRIV_CAPS, mask, err);
}

int privileges_set_ambient(struct sandbox *sb, uint64_t mask, struct err *err)
{
	uint64_t missing = mask & ~privileges_caps(sb);

	if (missing) {
		_cleanup_buf_ struct buf words = { 0 };
		capability_words(missing, &words);
		err_set(err, EPERM, "%s: its programs can't have %.500s at all, so not as ambient", sb->name, buf_text(&words));
		return err_try(err, "cap add %.300s", buf_text(&words));
	}
	return set_mask(sb, PRIV_AMBIENT, mask, err);
}

/* The value for LIMIT within "core=0:0 nofile=1024:4096"; NULL when it is not there. */
static const char *find_rlimit(const char *text, int limit, size_t *n)
{
	size_t name = strlen(rlimit_names[limit]);

	for (const char *at = text; at && *at; at += strspn(at, " ")) {
		*n = strcspn(at, " ");
		if (strncmp(at, rlimit_names[limit], name) == 0 && at[name] == '=') {
			*n -= name + 1;
			return at + name + 1;
		}
		at += *n;
	}
	return NULL;
}

char *privileges_rlimit(const struct sandbox *sb, int limit)
{
	size_t n;
	const char *value = find_rlimit(sb->place.privileges[PRIV_RLIMITS], limit, &n);

	return value ? xstrndup(value, n) : NULL;
}

int privileges_set_rlimit(struct sandbox *sb, int limit, const char *bounds, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (int i = 0; i < RLIMITS; i++) {
		_cleanup_free_ char *value = i == limit ? xstrdup(bounds) : privileges_rlimit(sb, i);
		if (value)
			buf_fmt(&text, "%s%s=%s", text.len ? " " : "", rlimit_names[i], value);
	}
	return privileges_set(sb, PRIV_RLIMITS, text.len ? buf_text(&text) : NULL, err);
}

int privileges_allow(struct sandbox *sb, const struct privilege_path *paths, size_t n, struct err *err)
{
	const char *old = sb->place.privileges[PRIV_PATHS];
	_cleanup_buf_ struct buf text = { 0 };

	if (!landlock_version()) {
		err_set(err, 0, "%s: paths can't be allowed one by one", sb->name);
		return err_why(err, "this kernel has no Landlock, or it is not among the security modules that it was started with (lsm=)");
	}
	for (const char *line = old; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *path = strchr(line, ' ') + 1;
		bool again = false;
		for (size_t i = 0; i < n && !again; i++)
			again = strlen(paths[i].path) == strcspn(path, "\n") && starts_with(path, paths[i].path);
		if (!again)
			buf_fmt(&text, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
	for (size_t i = 0; i < n; i++)
		buf_fmt(&text, "%s %s\n", paths[i].access, paths[i].path);
	return privileges_set(sb, PRIV_PATHS, buf_text(&text), err);
}

unsigned privileges_user(const struct sandbox *sb)
{
	return sb->place.privileges[PRIV_USER] ? (unsigned)strtoul(sb->place.privileges[PRIV_USER], NULL, 10) : 0;
}

int privileges_next(struct sandbox *sb, struct privileges_now *now, struct err *err)
{
	const char *bits = sb->place.privileges[PRIV_SECUREBITS];

	if (!sb->place.pid)
		*now = (struct privileges_now){ .permitted = capability_all() };
	else if (privileges_look(sb->place.pid, now, err) < 0)
		return -1;
	now->bounding = privileges_caps(sb);
	now->ambient = now->inheritable = privileges_ambient(sb);
	now->uid = privileges_user(sb);
	bool root = now->uid == 0 && !(sb->place.own[NS_USER] && !sb->place.mapped) && !(bits && strstr(bits, "noroot"));
	now->permitted = now->effective = root ? now->bounding : now->ambient;
	now->no_new_privs |= sb->place.privileges[PRIV_NONEWPRIVS] != NULL;
	now->seccomp = sb->place.privileges[PRIV_SECCOMP] ? 2 : now->seccomp;
	return 0;
}

/* The value of a line of /proc/PID/status. */
static const char *line_of(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : "";
}

int privileges_look(pid_t pid, struct privileges_now *now, struct err *err)
{
	_cleanup_buf_ struct buf status = { 0 };
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if (io_slurp(AT_FDCWD, path, 65536, &status) < 0)
		return err_set(err, errno, "process %d", (int)pid);
	const char *text = buf_text(&status);
	struct { const char *name; uint64_t *to; } sets[] = {
		{ "\nCapInh:", &now->inheritable }, { "\nCapPrm:", &now->permitted }, { "\nCapEff:", &now->effective },
		{ "\nCapBnd:", &now->bounding }, { "\nCapAmb:", &now->ambient },
	};
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		*sets[i].to = strtoull(line_of(text, sets[i].name), NULL, 16);
	/* The second number is the effective one. */
	char *uids = (char *)line_of(text, "\nUid:");
	strtoul(uids, &uids, 10);
	now->uid = (unsigned)strtoul(uids, NULL, 10);
	now->no_new_privs = (int)strtol(line_of(text, "\nNoNewPrivs:"), NULL, 10);
	now->seccomp = (int)strtol(line_of(text, "\nSeccomp:"), NULL, 10);
	snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
	now->user_ns = stat(path, &st) == 0 ? (unsigned long)st.st_ino : 0;
	return 0;
}
