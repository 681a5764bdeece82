/*
 * types.c - values of commands that are sandboxes and namespaces
 */
#include "config.h"

#include <sched.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cmd/list.h"
#include "cmd/shell.h"

/* What Docker gives a container by default. */
static const char *const docker[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup" };

static uint64_t docker_flags(void)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(docker); i++)
		flags |= (uint64_t)ns_table[ns_kind(docker[i])].flag;
	return flags;
}

static int parse_kind(struct shell *sh, struct value *v, struct err *err)
{
	int k = ns_kind(v->text);
	uint64_t all = 0;

	(void)sh;
	for (int i = 0; i < NS_KINDS; i++)
		all |= (uint64_t)ns_table[i].flag;
	if (k >= 0)
		v->num = (int64_t)ns_table[k].flag;
	else if (streq(v->text, "all"))
		v->num = (int64_t)all;
	else if (streq(v->text, "docker"))
		v->num = (int64_t)docker_flags();
	else {
		_cleanup_buf_ struct buf shown = { 0 };
		buf_visible(&shown, v->text);
		err_usage(err, "%.100s is no kind of namespace", buf_text(&shown));
		return err_try(err, "cgroup ipc mnt net pid time user uts, or all, or docker");
	}
	return 0;
}

static void complete_kind(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	(void)sh;
	for (int k = 0; k < NS_KINDS; k++)
		if (starts_with(ns_table[k].name, prefix))
			add(arg, ns_table[k].name);
	if (starts_with("all", prefix))
		add(arg, "all");
	if (starts_with("docker", prefix))
		add(arg, "docker");
}

static int parse_sandbox(struct shell *sh, struct value *v, struct err *err)
{
	v->object = sandbox_find(sh->session, v->text, err);
	return v->object ? 0 : -1;
}

static void complete_sandbox(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	for (size_t i = 0; i < sh->session->n_sandboxes; i++)
		if (starts_with(sh->session->sandboxes[i]->name, prefix))
			add(arg, sh->session->sandboxes[i]->name);
}

static int parse_name(struct shell *sh, struct value *v, struct err *err)
{
	(void)sh;
	return name_check("sandbox", v->text, err);
}

static const struct type kind = { .name = "kind", .what = "a kind of namespace such as net, or all, or docker", .parse = parse_kind,
				  .complete = complete_kind };
static const struct type sandbox = { .name = "sandbox", .what = "the name of a sandbox", .parse = parse_sandbox,
				     .complete = complete_sandbox };
static const struct type new_name = { .name = "newname", .what = "a name of letters, digits, dot, dash and underscore",
				      .parse = parse_name };
static const struct type ns_ref = { .name = "nsref", .what = "a sandbox, a process number or a path such as /proc/1/ns/net",
				    .complete = complete_sandbox };

const struct type *const cmd_types[] = {
	&kind,
	&sandbox,
	&new_name,
	&ns_ref,
	&files_inside,
	&files_options,
	&files_mode,
	&network_name,
	&network_there,
	&network_end,
	&network_of,
	&privilege_capability,
	&privilege_user,
	&privilege_umask,
	&privilege_rlimit,
	&privilege_bounds,
	&privilege_securebit,
	&privilege_reach,
	&can_asked,
	&filter_call,
	&filter_denied,
	&filter_profile,
	&limits_file,
	&limits_rate,
	&groups_name,
	&devices_access,
	NULL,
};
