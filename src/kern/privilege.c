/*
 * privilege.c - what the programs of a place are not allowed to do: from text to what the holder wants
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/capability.h"
#include "kern/filter.h"
#include "kern/landlock.h"
#include "kern/place.h"
#include "kern/privilege.h"
#include "kern/wire.h"

const struct privilege_row privilege_table[PRIV_KEYS] = {
	[PRIV_USER] = { "user", "setgroups(); setresgid(); setresuid(): {text}", "setpriv --reuid {text} ..." },
	[PRIV_CAPS] = { "capabilities", "prctl(PR_CAPBSET_DROP) for all but {text}; capset()", "setpriv --bounding-set -all,+{privlist} ..." },
	[PRIV_AMBIENT] = { "ambient capabilities", "capset(); prctl(PR_CAP_AMBIENT_RAISE): {text}", "setpriv --inh-caps -all,+{privlist} --ambient-caps -all,+{privlist} ..." },
	[PRIV_SECUREBITS] = { "securebits", "prctl(PR_SET_SECUREBITS): {text}", "setpriv --securebits -all,+{privlist} ..." },
	[PRIV_NONEWPRIVS] = { "no new privileges", "prctl(PR_SET_NO_NEW_PRIVS, 1)", "setpriv --no-new-privs ..." },
	[PRIV_UMASK] = { "umask", "umask({text})", "umask {text}" },
	[PRIV_SECCOMP] = { "seccomp", "seccomp(SECCOMP_SET_MODE_FILTER)", "bwrap --seccomp FD ..." },
	[PRIV_PATHS] = { "allowed paths", "landlock_create_ruleset(); landlock_add_rule(): {value}; landlock_restrict_self()",
			 "setpriv --landlock-access fs --landlock-rule path-beneath:... ..." },
	[PRIV_LABEL] = { "label", "write(/proc/thread-self/attr/exec): {value}", "{privlabel}" },
	[PRIV_RLIMITS] = { "rlimits", "setrlimit(): {text}", "prlimit --{privoptions} ..." },
};

/* The numbers of the kernel's generic table; the few machines that number five of them otherwise are not among ours. */
const char *const rlimit_names[RLIMITS] = { "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks",
					    "sigpending", "msgqueue", "nice", "rtprio", "rttime" };

const char *const securebit_names[SECUREBITS] = { "noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "keep-caps",
						  "keep-caps-locked", "no-ambient-raise", "no-ambient-raise-locked" };

static bool digits(const char **s, uint64_t *n)
{
	const char *at = *s;

	*n = 0;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(*n, 10u, n) || __builtin_add_overflow(*n, (unsigned)(*at - '0'), n))
			return false;
	bool some = at != *s;
	*s = at;
	return some;
}

/* An id; 4294967295 is the kernel's "no change". */
static bool id(const char **s, uint32_t *n)
{
	uint64_t value;

	if (!digits(s, &value) || value >= UINT32_MAX)
		return false;
	*n = (uint32_t)value;
	return true;
}

int privilege_user_parse(const char *text, struct privilege_user *user, struct err *err)
{
	const char *s = text;
	bool good = id(&s, &user->uid);

	user->gid = user->uid;
	user->n_groups = 0;
	if (good && *s == ':') {
		s++;
		good = id(&s, &user->gid);
	}
	while (good && *s == ',' && user->n_groups < PRIV_GROUPS) {
		s++;
		good = id(&s, &user->groups[user->n_groups++]);
	}
	if (good && !*s)
		return 0;
	_cleanup_buf_ struct buf shown = { 0 };
	buf_visible(&shown, text);
	return err_usage(err, "%.60s is not a user: use numbers, UID[:GID][,GROUP...] with at most %d groups", buf_text(&shown), PRIV_GROUPS);
}

static bool limit(const char **s, uint64_t *n)
{
	if (starts_with(*s, "max")) {
		*s += 3;
		*n = UINT64_MAX;
		return true;
	}
	return digits(s, n);
}

int privilege_rlimit_parse(const char *text, uint64_t *soft, uint64_t *hard, struct err *err)
{
	const char *s = text;
	bool good = limit(&s, soft);

	*hard = *soft;
	if (good && *s == ':') {
		s++;
		good = limit(&s, hard);
	}
	if (good && !*s && *soft <= *hard)
		return 0;
	_cleanup_buf_ struct buf shown = { 0 };
	buf_visible(&shown, text);
	return err_usage(err, "%.60s is not a limit: use SOFT[:HARD], numbers or max, the soft one not above the hard one", buf_text(&shown));
}

static int pack_user(struct wire_privileges *w, const struct place *p, struct err *err)
{
	struct privilege_user user;
	char path[64], line[16] = "";

	if (privilege_user_parse(p->privileges[PRIV_USER], &user, err) < 0)
		return -1;
	w->uid = user.uid;
	w->gid = user.gid;
	w->n_groups = user.n_groups;
	memcpy(w->groups, user.groups, sizeof w->groups);
	snprintf(path, sizeof path, "/proc/%d/setgroups", (int)p->pid);
	w->groups_denied = io_line(AT_FDCWD, path, line, sizeof line) > 0 && streq(line, "deny");
	return 0;
}

static int pack_rlimits(struct wire_privileges *w, const char *value, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = NULL;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *equals = strchr(word, '=');
		for (int i = 0; equals && i < RLIMITS; i++) {
			if (strncmp(word, rlimit_names[i], (size_t)(equals - word)) != 0 || rlimit_names[i][equals - word])
				continue;
			if (privilege_rlimit_parse(equals + 1, &w->soft[i], &w->hard[i], err) < 0)
				return -1;
			w->limits |= 1u << i;
		}
	}
	return 0;
}

static uint32_t securebits(const char *value)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = NULL;
	uint32_t bits = 0;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		for (int i = 0; i < SECUREBITS; i++)
			bits |= streq(word, securebit_names[i]) ? 1u << i : 0;
	return bits;
}

static int pack_filter(const struct place *p, bool learn, struct wire_privileges *w, const struct filter **filter, struct err *err)
{
	const char *value = p->privileges[PRIV_SECCOMP];

	if (!value && !learn)
		return 0;
	*filter = filter_compile(value ? value : "any", w->set & 1u << PRIV_CAPS ? w->caps : UINT64_MAX, learn ? FILTER_LEARN : FILTER_NAMED,
				 !learn, err);
	if (!*filter)
		return -1;
	w->filter = (uint32_t)(*filter)->n;
	w->listens = (*filter)->listens;
	w->otherwise = (*filter)->otherwise;
	w->answers = (uint32_t)(*filter)->n_answers;
	return 0;
}

/* Security modules, and where a process says what a program it becomes is to be labelled; what is written there. */
static const struct { const char *name, *there, *file, *word; } modules[] = {
	{ "apparmor", "/proc/self/attr/apparmor/exec", "thread-self/attr/apparmor/exec", "exec " },
	{ "selinux", "/sys/fs/selinux/enforce", "thread-self/attr/exec", "" },
};

int privilege_label_check(const char *module, const char *label, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (!streq(module, modules[i].name))
			continue;
		if (strlen(modules[i].word) + strlen(label) >= WIRE_LABEL)
			return err_usage(err, "a label has at most %zu characters", WIRE_LABEL - 1 - strlen(modules[i].word));
		if (access(modules[i].there, F_OK) == 0)
			return 0;
		err_set(err, 0, "%s does not run on this machine, so programs can't have a label of it", i ? "SELinux" : "AppArmor");
		return err_why(err, "there is no %s", modules[i].there);
	}
	return err_usage(err, "a label is one of AppArmor's or SELinux's");
}

/* "apparmor NAME" */
static int pack_label(struct wire_privileges *w, const char *value, struct privilege_pack *pack, struct err *err)
{
	_cleanup_free_ char *module = xstrndup(value, strcspn(value, " "));
	const char *label = value + strlen(module) + (value[strlen(module)] == ' ');

	if (privilege_label_check(module, label, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (streq(module, modules[i].name)) {
			snprintf(w->label_file, sizeof w->label_file, "%s", modules[i].file);
			snprintf(w->label, sizeof w->label, "%s%s", modules[i].word, label);
		}
	w->labels = 1;
	pack->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return pack->proc < 0 ? err_set(err, errno, "/proc: the host's can't be opened") : 0;
}

static int pack_paths(const struct place *p, struct wire_privileges *w, struct privilege_pack *pack, struct err *err)
{
	w->fences = 1;
	pack->rules = landlock_rules(p, p->privileges[PRIV_PATHS], err);
	return pack->rules < 0 ? -1 : 0;
}

void privilege_pack_free(struct privilege_pack *pack)
{
	close_fd(&pack->rules);
	close_fd(&pack->proc);
}

int privilege_pack(const struct place *p, bool learn, struct wire_privileges *w, struct privilege_pack *pack, struct err *err)
{
	char *const *v = p->privileges;

	memset(w, 0, sizeof *w);
	for (int k = 0; k < PRIV_KEYS; k++)
		w->set |= v[k] ? 1u << k : 0;
	if ((v[PRIV_USER] && pack_user(w, p, err) < 0) || (v[PRIV_RLIMITS] && pack_rlimits(w, v[PRIV_RLIMITS], err) < 0))
		return -1;
	if ((v[PRIV_CAPS] && capability_parse_list(v[PRIV_CAPS], &w->caps) < 0) ||
	    (v[PRIV_AMBIENT] && capability_parse_list(v[PRIV_AMBIENT], &w->ambient) < 0))
		return err_set(err, EINVAL, "%s: a capability that this kernel does not have", p->name);
	if (v[PRIV_SECUREBITS])
		w->securebits = securebits(v[PRIV_SECUREBITS]);
	if (v[PRIV_UMASK])
		w->umask = (uint32_t)strtoul(v[PRIV_UMASK], NULL, 8);
	if ((v[PRIV_LABEL] && pack_label(w, v[PRIV_LABEL], pack, err) < 0) || (v[PRIV_PATHS] && pack_paths(p, w, pack, err) < 0))
		return -1;
	return pack_filter(p, learn, w, &pack->filter, err);
}

/* "file web.json" without the line behind it, which is the profile; lines with semicolons between them. */
static void filter_words(const char *value, struct buf *b)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = NULL;
	bool profile = false;

	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!profile)
			buf_fmt(b, "%s%s", b->len ? "; " : "", line);
		profile = starts_with(line, "file ");
	}
}

/* "/usr exec; /tmp rw" */
static void path_words(const char *value, struct buf *b)
{
	for (const char *line = value; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		int access = (int)strcspn(line, " "), whole = (int)strcspn(line, "\n");
		buf_fmt(b, "%s%.*s %.*s", b->len ? "; " : "", whole - access - 1, line + access + 1, access, line);
	}
}

void privilege_words(enum privilege key, const char *value, struct buf *b)
{
	_cleanup_buf_ struct buf words = { 0 };
	uint64_t mask;

	if ((key == PRIV_CAPS || key == PRIV_AMBIENT) && capability_parse_list(value, &mask) == 0)
		capability_short(mask, b);
	else if (key == PRIV_SECCOMP)
		filter_words(value, &words);
	else if (key == PRIV_PATHS)
		path_words(value, &words);
	else
		buf_str(&words, value);
	buf_visible(b, buf_text(&words));
}

void privilege_store(struct place *p, enum privilege key, const char *value)
{
	char *copy = xstrdup(value);

	free(p->privileges[key]);
	p->privileges[key] = copy;
}
