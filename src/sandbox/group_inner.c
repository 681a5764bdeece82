/*
 * group_inner.c - control groups inside a sandbox's
 *
 * They are called by their path below it ("batch", "batch/night"). Which there are and who is in them is read from the kernel.
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "kern/holder.h"
#include "sandbox/group.h"
#include "sandbox/limits.h"
#include "sandbox/look.h"
#include "sandbox/steps.h"

/* Names of control files have a dot, or are one of these on version 1. */
static int check_part(const char *name, struct err *err)
{
	static const char *const taken[] = { CG_MAIN, "tasks" };

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (streq(name, taken[i]))
			return err_usage(err, "%s: a group can't be called so", name);
	if (strchr(name, '.') || starts_with(name, "notify_on_release") || starts_with(name, "release_agent"))
		return err_usage(err, "%s: a group can't be called like a control file", name);
	return name_check("group", name, err);
}

int group_check(const char *inner, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(inner);
	char *rest = copy, *part;

	while ((part = strsep(&rest, "/")))
		if (check_part(part, err) < 0)
			return -1;
	return 0;
}

/* In a dry run nothing is made; what would have been stands in the journal. */
static bool there(struct session *s, const char *group)
{
	const struct step *done;

	for (size_t i = 0; s->gate.dry && (done = gate_done(&s->gate, i)); i++)
		if (done->kind == STEP_CGROUP && streq(done->text, group))
			return true;
	return cg_exists(group, CTL_TRACK);
}

static char *inner_path(struct sandbox *sb, const char *inner, struct err *err)
{
	const char *group = sandbox_group(sb, err);

	return group ? xasprintf("%s/%s", group, inner) : NULL;
}

int group_aim(struct sandbox *sb, const char *inner, struct err *err)
{
	free(sb->part);
	sb->part = NULL;
	if (!inner)
		return 0;
	_cleanup_free_ char *path = inner_path(sb, inner, err);
	if (!path)
		return -1;
	if (!there(sb->session, path)) {
		err_set(err, ENOENT, "%s: no group %s in it", sb->name, inner);
		return err_try(err, "group %s", inner);
	}
	sb->part = move_str(&path);
	return 0;
}

int group_new(struct sandbox *sb, const char *inner, struct err *err)
{
	_cleanup_free_ char *path = inner_path(sb, inner, err), *dir = path ? cg_dir(path, CTL_TRACK) : NULL;

	if (!path)
		return -1;
	if (there(sb->session, path))
		return err_set(err, EEXIST, "%s: there is a group %s in it", sb->name, inner);
	_cleanup_free_ char *above = xstrndup(inner, strrchr(inner, '/') ? (size_t)(strrchr(inner, '/') - inner) : 0);
	if (*above && group_aim(sb, above, err) < 0)
		return -1;
	group_aim(sb, NULL, NULL);
	struct step step = { .kind = STEP_CGROUP, .place = &sb->session->host, .text = path, .to = dir, .flags = CG_INNER };
	return gate_run(&sb->session->gate, &step, 1, err);
}

int group_del(struct sandbox *sb, const char *inner, struct err *err)
{
	if (group_aim(sb, inner, err) < 0)
		return -1;
	_cleanup_free_ char *path = xstrdup(sb->part), *dir = cg_dir(path, CTL_TRACK);
	struct step step = { .kind = STEP_DISSOLVE, .place = &sb->session->host, .text = path, .to = dir };
	group_aim(sb, NULL, NULL);
	return gate_run(&sb->session->gate, &step, 1, err);
}

static int move_process(struct sandbox *sb, const struct look_process *p, const char *to, struct err *err)
{
	_cleanup_free_ char *from = cg_group_of(sb->group, p->pid), *dir = cg_dir(to, CTL_TRACK);
	_cleanup_close_ int pidfd = holder_hold(p->pid);
	struct step step = { .kind = STEP_MOVE, .place = &sb->session->host, .text = to, .from = from, .to = dir, .num = p->pid,
			     .fd = { pidfd, -1 } };

	return pidfd < 0 ? 0 : gate_run(&sb->session->gate, &step, 1, err);
}

int group_move(struct sandbox *sb, pid_t inner, struct err *err)
{
	struct look_process process = { 0 };

	if (!sandbox_group(sb, err))
		return -1;
	if (sb->session->gate.dry) {
		_cleanup_free_ char *dir = cg_dir(limits_group(sb), CTL_TRACK);
		struct step step = { .kind = STEP_MOVE, .place = &sb->session->host, .text = limits_group(sb), .to = dir, .num = inner };
		return gate_run(&sb->session->gate, &step, 1, err);
	}
	return look_process(sb, inner, &process, err) < 0 ? -1 : move_process(sb, &process, limits_group(sb), err);
}

int group_adopt(struct sandbox *sb, struct err *err)
{
	_cleanup_steps_ struct steps steps = { 0 };
	struct look_process *all = NULL;
	size_t n = 0;
	int result = 0;

	if (sb->session->gate.dry || sb->place.sock < 0)
		return 0;
	if (look_processes(sb, &all, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && result == 0; i++) {
		_cleanup_close_ int pidfd = holder_hold(all[i].pid);
		_cleanup_free_ char *dir = cg_dir(sb->group, CTL_TRACK);
		struct step step = { .kind = STEP_MOVE, .place = &sb->session->host, .text = sb->group, .to = dir, .num = all[i].pid,
				     .fd = { pidfd, -1 } };
		result = pidfd < 0 ? 0 : group_run(sb->session, &step, 1, err);
	}
	look_free_processes(all, n);
	return result;
}

void group_add_main(struct steps *p, struct sandbox *sb, const char *level)
{
	const char *group = steps_keep(p, xasprintf("%s/" CG_MAIN, level)), *dir = steps_keep(p, cg_dir(group, CTL_TRACK));
	struct step *s = steps_add(p, STEP_CGROUP, &sb->session->host);

	s->text = group;
	s->to = dir;
	s->flags = CG_INNER;
	s = steps_add(p, STEP_MOVE, &sb->session->host);
	s->text = group;
	s->to = dir;
	s->from = steps_keep(p, xstrdup(level));
}
