/*
 * masks.c - what is hidden in a sandbox, or read-only
 */
#include "config.h"

#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "sandbox/look.h"
#include "sandbox/masks.h"
#include "sandbox/root_plan.h"

/* What Docker's documentation and the OCI's default configuration name. */
static const struct mask docker[] = {
	{ (char *)"/proc/acpi", false },          { (char *)"/proc/asound", false },        { (char *)"/proc/interrupts", false },
	{ (char *)"/proc/kcore", false },         { (char *)"/proc/keys", false },          { (char *)"/proc/latency_stats", false },
	{ (char *)"/proc/sched_debug", false },   { (char *)"/proc/scsi", false },          { (char *)"/proc/timer_list", false },
	{ (char *)"/proc/timer_stats", false },   { (char *)"/proc/bus", true },            { (char *)"/proc/fs", true },
	{ (char *)"/proc/irq", true },            { (char *)"/proc/sys", true },            { (char *)"/proc/sysrq-trigger", true },
	{ (char *)"/sys", true },                 { (char *)"/sys/firmware", false },       { (char *)"/sys/devices/virtual/powercap", false },
};

void masks_free(struct mask *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].path);
	free(list);
}

static void add(struct mask **list, size_t *n, const char *path, bool readonly)
{
	*GROW(list, n) = (struct mask){ xstrdup(path), readonly };
}

static void planned(struct sandbox *sb, struct mask **list, size_t *n)
{
	const struct step *s;

	for (size_t i = 0; (s = gate_done(&sb->session->gate, i)); i++)
		if ((s->kind == STEP_MASK || s->kind == STEP_READONLY) && s->place == &sb->place)
			add(list, n, s->to, s->kind == STEP_READONLY);
}

static const char *past(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (streq(prefix, "/"))
		return text;
	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* Is M the very part of its parent's file system that it lies on? */
static bool on_itself(const struct mnt_info *m, const struct mnt_info *mounts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mnt_info *p = &mounts[i];
		if (p->id != m->parent)
			continue;
		const char *target = past(m->target, p->target), *root = past(m->root, p->root);
		return streq(p->type, m->type) && streq(p->source, m->source) && target && root &&
		       (streq(target, root) || (!*target && streq(root, "/")) || (!*root && streq(target, "/")));
	}
	return false;
}

static bool ends_in_null(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && streq(slash, "/null");
}

static bool is_hidden(const struct mnt_info *m)
{
	if (streq(m->type, "tmpfs") && streq(m->source, MNT_MASK))
		return true;
	return ends_in_null(m->root) && !ends_in_null(m->target);
}

static bool is_readonly(const struct mnt_info *m)
{
	return strncmp(m->options, "ro", 2) == 0 && (m->options[2] == ',' || !m->options[2]);
}

int masks_list(struct sandbox *sb, struct mask **list, size_t *n, struct err *err)
{
	struct mnt_info *mounts = NULL;
	size_t n_mounts = 0;

	*list = NULL;
	*n = 0;
	if (sb->session->gate.dry)
		planned(sb, list, n);
	if (!sb->place.own[NS_MNT])
		return 0;
	if (sandbox_mounts(sb, &mounts, &n_mounts, err) < 0)
		return -1;
	for (size_t i = 0; i < n_mounts; i++)
		if (is_hidden(&mounts[i]) || (is_readonly(&mounts[i]) && on_itself(&mounts[i], mounts, n_mounts)))
			add(list, n, mounts[i].target, !is_hidden(&mounts[i]));
	mnt_free(mounts, n_mounts);
	return 0;
}

static bool has(const struct mask *list, size_t n, const char *path, bool readonly)
{
	for (size_t i = 0; i < n; i++)
		if (streq(list[i].path, path) && (!list[i].readonly || readonly))
			return true;
	return false;
}

/* A plan for those of WANTED that are not there. */
static int run(struct sandbox *sb, const struct mask *wanted, size_t n_wanted, uint64_t flags, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	struct mask *list;
	size_t n;

	if (sandbox_need_mnt(sb, "the host's files would be changed for all", err) < 0 || masks_list(sb, &list, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n_wanted; i++)
		if (!has(list, n, wanted[i].path, wanted[i].readonly) && !has(wanted, i, wanted[i].path, wanted[i].readonly))
			file_plan_add(&p, wanted[i].readonly ? STEP_READONLY : STEP_MASK, wanted[i].path)->flags = flags;
	masks_free(list, n);
	return file_plan_run(&p, err);
}

int masks_add(struct sandbox *sb, const char *const *paths, size_t n, bool readonly, struct err *err)
{
	_cleanup_free_ struct mask *wanted = xcalloc(n, sizeof *wanted);

	for (size_t i = 0; i < n; i++)
		wanted[i] = (struct mask){ (char *)paths[i], readonly };
	return run(sb, wanted, n, 0, err);
}

/* Docker's list without /sys where that is read-only by itself; returns its length. */
static int docker_list(struct sandbox *sb, struct mask wanted[ARRAY_SIZE(docker)], struct err *err)
{
	struct mnt_info *mounts = NULL;
	size_t n_mounts = 0;
	bool readonly = false;
	int n = 0;

	if (sandbox_mounts(sb, &mounts, &n_mounts, err) < 0)
		return -1;
	for (size_t i = 0; i < n_mounts; i++)
		readonly = streq(mounts[i].target, "/sys") ? is_readonly(&mounts[i]) : readonly;
	mnt_free(mounts, n_mounts);
	for (size_t i = 0; i < ARRAY_SIZE(docker); i++)
		if (!(readonly && streq(docker[i].path, "/sys")))
			wanted[n++] = docker[i];
	return n;
}

int masks_docker(struct sandbox *sb, struct err *err)
{
	struct mask wanted[ARRAY_SIZE(docker)];
	int n = docker_list(sb, wanted, err);

	return n < 0 ? -1 : run(sb, wanted, (size_t)n, 1, err);
}

int masks_missing(struct sandbox *sb, size_t *there, size_t *missing, struct err *err)
{
	struct mask wanted[ARRAY_SIZE(docker)], *list;
	size_t n;
	int n_wanted = docker_list(sb, wanted, err);

	*there = *missing = 0;
	if (n_wanted < 0 || masks_list(sb, &list, &n, err) < 0)
		return -1;
	for (int i = 0; i < n_wanted; i++)
		if (!sb->place.pid || mnt_there(&sb->place, wanted[i].path)) {
			++*there;
			*missing += !has(list, n, wanted[i].path, wanted[i].readonly);
		}
	masks_free(list, n);
	return 0;
}

int masks_like(struct sandbox *sb, struct sandbox *model, struct err *err)
{
	struct mask *list;
	size_t n;

	if (masks_list(model, &list, &n, err) < 0)
		return -1;
	int result = n ? run(sb, list, n, 1, err) : 0;
	masks_free(list, n);
	return result;
}

void masks_again(struct file_plan *p, const char *dir)
{
	struct mask *list;
	size_t n, len = strlen(dir);

	if (masks_list(p->sb, &list, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *path = file_plan_keep(p, list[i].path);
		if (strncmp(path, dir, len) == 0 && path[len] == '/')
			file_plan_add(p, list[i].readonly ? STEP_READONLY : STEP_MASK, path)->flags = 1;
	}
	free(list);
}
