/*
 * network_modes.c - commands: network names
 */
#include "config.h"

#include "base/err.h"
#include "base/mem.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "kern/net.h"
#include "sandbox/network_modes.h"
#include "sandbox/network_names.h"

static const char container[] = "container:";

static int run_network(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);
	const char *bridge = arg_text(a, "BRIDGE");
	const struct value *other = arg(a, "OTHER");

	if (!sb)
		return -1;
	if (arg_has(a, "none"))
		return network_mode_none(sb, err);
	if (arg_has(a, "host"))
		return network_mode_host(sb, err);
	if (other)
		return network_mode_container(sb, other->object, err);
	return network_mode_bridge(sb, bridge ? bridge : "br0", err);
}

static int run_names(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	return sb ? names_join(sb, arg_text(a, "BRIDGE"), err) : -1;
}

/* ---- types ---- */

static int parse_container(struct shell *sh, struct value *v, struct err *err)
{
	if (!starts_with(v->text, container))
		return err_usage(err, "%s is no network mode", v->text);
	v->object = sandbox_find(sh->session, v->text + strlen(container), err);
	return v->object ? 0 : -1;
}

static void complete_container(struct shell *sh, const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	for (size_t i = 0; i < sh->session->n_sandboxes; i++) {
		_cleanup_free_ char *text = xasprintf("%s%s", container, sh->session->sandboxes[i]->name);
		if (starts_with(text, prefix))
			add(arg, text);
	}
}

const struct type network_of = { .name = "container", .what = "the network of another sandbox, such as container:web",
				 .parse = parse_container, .complete = complete_container };

/* ---- commands ---- */

const struct command cmd_network_modes[] = {
	{ "network", "network", "give the sandbox a network of one of four modes", "(none | host | bridge [BRIDGE:linkname] | OTHER:container)",
	  "Each mode is a recipe of commands that could be typed one by one; *explain* tells them, each with its steps.\n\n"
	  "*none*: a *net* namespace with nothing in it but lo. *host*: the host's own. `container:NAME`: that of the sandbox *NAME*; both then have the "
	  "same links, addresses and ports.\n\n"
	  "*bridge*: a *net* namespace, a link to the bridge (br0, if none is named) with a free address of each of its subnets, the default route to the "
	  "bridge, and names (see *names*). A bridge that is not there is made with the first of 172.17.0.0/16 to 172.31.0.0/16 that is free. "
	  "From the bridge a way out is made by *nat*. belljar-network(7) has the modes side by side with Docker's.",
	  "new web\nunshare mnt\nroot busybox\nnetwork bridge\nnew db\nunshare mnt\nroot busybox\nnetwork bridge\nrun ping -c 1 -W 5 web\n"
	  "new spy\nnetwork container:db\nrun ip addr\n", 0, run_network },
	{ "names", "network", "make the sandbox known by name to the others of a bridge", "BRIDGE:linkname",
	  "The sandbox's name with its addresses in the bridge's subnets becomes a line of a file that all sandboxes of the bridge see as /etc/hosts. If "
	  "the sandbox has a *mnt* namespace, it sees that file from now on, read-only, and a /etc/resolv.conf with those of the host's name servers "
	  "that can be reached from elsewhere. Of several bridges it sees the names of all. When it is removed, or renamed, the file is changed.",
	  "bridge br0 10.0.0.1/24\nnew web\nunshare mnt net\nroot busybox\nlink web br0\nnames br0\nrun cat /etc/hosts\n", 0, run_names },
	{ .name = NULL },
};
