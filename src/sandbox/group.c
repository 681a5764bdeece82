/*
 * group.c - a sandbox's control group: made when it is needed, removed with the sandbox
 *
 * Groups are made by lists of steps of their own, which are then taken out of the journal: a group, once made, stays until its
 * sandbox goes, because undoing it would kill what runs in it.
 */
#include "config.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "sandbox/group.h"
#include "sandbox/look.h"
#include "sandbox/steps.h"
#include "sandbox/store.h"

int group_run(struct session *s, struct step *steps, size_t n, struct err *err)
{
	size_t mark = gate_mark(&s->gate);

	if (n == 0)
		return 0;
	if (gate_run(&s->gate, steps, n, err) < 0)
		return -1;
	gate_forget(&s->gate, mark, gate_mark(&s->gate));
	return 0;
}

int group_know(struct session *s, struct err *err)
{
	return s->store && s->store->named && !s->group ? store_find_groups(s, err) : 0;
}

/* The processes that come into the scope: belljar and all of its sandboxes'. The caller's text. */
static char *all_processes(struct session *s)
{
	struct buf pids = { 0 };

	buf_fmt(&pids, "%d", (int)getpid());
	for (size_t i = 0; i < s->n_sandboxes && !s->gate.dry; i++) {
		struct look_process *all = NULL;
		size_t n = 0;
		if (s->sandboxes[i]->place.pid <= 0)
			continue;
		buf_fmt(&pids, " %d", (int)s->sandboxes[i]->place.pid);
		if (look_processes(s->sandboxes[i], &all, &n, NULL) < 0)
			continue;
		for (size_t k = 0; k < n; k++)
			buf_fmt(&pids, " %d", (int)all[k].pid);
		look_free_processes(all, n);
	}
	return buf_take(&pids);
}

int group_place(struct session *s, struct err *err)
{
	struct err refused = { 0 };

	if (group_know(s, err) < 0 || store_need(s, err) < 0)
		return -1;
	/* Another belljar may have made the session's groups, in a scope that is called like them or in none. */
	_cleanup_free_ char *name = xasprintf("belljar-%s.scope", s->group ? s->group + strlen("belljar.") : s->store ? s->store->id : "SESSION");
	_cleanup_free_ char *dir = s->group ? cg_dir(s->group, CTL_TRACK) : NULL;
	if ((dir && !strstr(dir, name)) || !cg_scope_wanted(name))
		return 0;
	_cleanup_free_ char *pids = all_processes(s);
	struct step step = { .kind = STEP_SCOPE, .place = &s->host, .text = name, .from = pids };
	/* If systemd refuses, a place that belljar finds by itself will do. */
	if (group_run(s, &step, 1, &refused) == 0 || (!s->group && cg_layout(NULL)))
		return 0;
	if (err)
		*err = refused;
	return -1;
}

/* The session's group gets its name, and the ledger all the directories that it and its sandboxes' groups may ever have. */
static int name_group(struct session *s, struct err *err)
{
	if (group_place(s, err) < 0)
		return -1;
	if (s->group)
		return 0;
	if (!cg_layout(err))
		return -1;
	_cleanup_free_ char *group = xasprintf("belljar.%s", s->store ? s->store->id : "SESSION");
	_cleanup_buf_ struct buf lines = { 0 };
	char **paths = cg_paths(group, err);
	size_t n = 0;

	if (!paths)
		return -1;
	while (paths[n])
		n++;
	/* Cleared newest first, so the tracking hierarchy stands last: killing there empties all the others. */
	bool bad = false;
	while (n-- > 0) {
		bad = bad || strchr(paths[n], '\n');
		buf_fmt(&lines, "cgroup %s\n", paths[n]);
	}
	cg_free_paths(paths);
	if (bad)
		return err_set(err, EINVAL, "control groups are mounted at a path with a newline");
	if (store_note(s, buf_text(&lines), err) < 0)
		return -1;
	if (s->store)
		s->group = move_str(&group);
	return 0;
}

/* A directory's name for the sandbox. Control files lie beside it; they all have a dot or one of three names. A sandbox that was
 * renamed keeps its group, so the name may be taken too. */
static char *choose_group(const struct sandbox *sb)
{
	static const char *const files[] = { "tasks", "notify_on_release", "release_agent" };
	const char *session = sb->session->group ? sb->session->group : "belljar.SESSION";
	bool clash = strchr(sb->name, '.') != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		clash = clash || streq(sb->name, files[i]);
	char *group = xasprintf("%s/%s%s", session, sb->name, clash ? "~" : "");
	for (int i = 2; !sb->session->gate.dry && cg_exists(group, CTL_TRACK); i++) {
		free(group);
		group = xasprintf("%s/%s~%d", session, sb->name, i);
	}
	return group;
}

const char *sandbox_group(struct sandbox *sb, struct err *err)
{
	struct session *s = sb->session;

	if (group_know(s, err) < 0)
		return NULL;
	if (sb->group && (s->gate.dry || cg_exists(sb->group, CTL_TRACK)))
		return sb->group;
	if (name_group(s, err) < 0)
		return NULL;
	if (!sb->group)
		sb->group = choose_group(sb);
	_cleanup_free_ char *dir = cg_dir(sb->group, CTL_TRACK);
	struct step step = { .kind = STEP_CGROUP, .place = &s->host, .text = sb->group, .to = dir };
	if (group_run(s, &step, 1, err) < 0 || group_adopt(sb, err) < 0)
		return NULL;
	return sb->group;
}

int sandbox_ungroup(struct sandbox *sb, struct err *err)
{
	if (!sb->group)
		return 0;
	if (group_know(sb->session, err) < 0)
		return -1;
	_cleanup_free_ char *dir = cg_dir(sb->group, CTL_TRACK);
	struct step step = { .kind = STEP_UNCGROUP, .place = &sb->session->host, .text = sb->group, .to = dir };
	if (group_run(sb->session, &step, 1, err) < 0)
		return -1;
	free(sb->group);
	sb->group = NULL;
	return 0;
}

/* Version 1: the group's directory in the hierarchies, each once. */
static void add_hierarchies(struct steps *p, struct sandbox *sb, const char *group, unsigned controllers)
{
	for (int c = 0; c < CTL_COUNT; c++) {
		bool twice = false;
		if (!(controllers & 1u << c) || !cg_v1((enum cg_controller)c) || cg_exists(group, (enum cg_controller)c))
			continue;
		const char *dir = steps_keep(p, cg_dir(group, (enum cg_controller)c));
		for (size_t j = 0; j < p->n; j++)
			twice = twice || streq(p->list[j].to, dir);
		if (twice)
			continue;
		struct step *s = steps_add(p, STEP_CGROUP, &sb->session->host);
		s->text = steps_keep(p, xstrdup(group));
		s->what = cg_controller_names[c];
		s->to = dir;
	}
}

/* Version 2: the groups directly in LEVEL get the controllers, in one write. */
static void add_level(struct steps *p, struct sandbox *sb, const char *level, unsigned controllers)
{
	_cleanup_buf_ struct buf words = { 0 };

	for (int c = 0; c < CTL_COUNT; c++)
		if (controllers & 1u << c && cg_has((enum cg_controller)c, "", NULL) == 0 && !cg_v1((enum cg_controller)c) &&
		    !cg_passes(level, (enum cg_controller)c))
			buf_fmt(&words, "%s+%s", words.len ? " " : "", cg_controller_names[c]);
	if (!words.len)
		return;
	_cleanup_free_ char *dir = cg_dir(level, CTL_TRACK);
	if (sb->group && starts_with(level, sb->group) && !cg_divided(level))
		group_add_main(p, sb, level);
	struct step *s = steps_add(p, STEP_LIMIT, &sb->session->host);
	s->text = steps_keep(p, xstrdup(level));
	s->what = "cgroup.subtree_control";
	s->from = steps_keep(p, buf_take(&words));
	s->to = steps_keep(p, xasprintf("%s/cgroup.subtree_control", dir));
}

void group_add_controllers(struct steps *p, struct sandbox *sb, const char *group, unsigned controllers)
{
	_cleanup_free_ char *level = xstrdup(group);

	size_t before = p->n;
	add_hierarchies(p, sb, group, controllers);
	/* A namespace shows of each hierarchy what was its maker's group then; so it is made again for the programs that come. */
	if (p->n > before && sb->place.own[NS_CGROUP] && !sb->place.joined[NS_CGROUP])
		steps_add(p, STEP_CGROUP_NS, &sb->place)->text = steps_keep(p, xstrdup(sb->group));
	add_level(p, sb, "", controllers);
	for (char *slash = strchr(level, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		add_level(p, sb, level, controllers);
		*slash = '/';
	}
}
