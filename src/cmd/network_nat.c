/*
 * network_nat.c - commands: nat publish firewall forward
 */
#include "config.h"

#include <arpa/inet.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/table.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/network_firewall.h"
#include "sandbox/network_nat.h"
#include "sandbox/network_publish.h"
#include "sandbox/network_rules.h"
#include "sandbox/network_way.h"

/* ---- nat ---- */

static void say_switched(struct shell *sh, bool switched)
{
	if (switched && !sh->json && !sh->session->gate.dry)
		fputs("note: the host forwards packets between its links now; when the session ends, it does so no more\n", sh->out);
}

/* The words of tags that begin with WORD, one row each; the columns are filled in their order. */
static int list_tags(struct shell *sh, const char *word, const struct column *columns, size_t n_columns, struct err *err)
{
	_cleanup_table_ struct table *t = table_new(columns, n_columns);
	char **tags;
	size_t n;

	if (rules_tags(sh->session, word, &tags, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *at = tags[i] + strcspn(tags[i], " ");
		table_row(t);
		for (size_t k = 0; k < n_columns; k++) {
			at += strspn(at, " ");
			_cleanup_free_ char *cell = xstrndup(at, strcspn(at, " "));
			table_cell(t, *cell ? cell : NULL);
			at += strcspn(at, " ");
		}
	}
	rules_free_tags(tags, n);
	table_print(t, sh->out, sh->json);
	return 0;
}

static int run_nat(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = { { "BRIDGE", "bridge", COL_TEXT } };
	const char *bridge = arg_text(a, "BRIDGE");
	bool switched;

	if (!bridge)
		return list_tags(sh, "nat", columns, ARRAY_SIZE(columns), err);
	if (arg_has(a, "del"))
		return nat_off(sh->session, bridge, err);
	if (nat_on(sh->session, bridge, &switched, err) < 0)
		return -1;
	say_switched(sh, switched);
	return 0;
}

/* ---- publish ---- */

static int no_ports(const char *text, struct err *err)
{
	err_usage(err, "%.100s: not ports", text);
	return err_try(err, "HOSTPORT:PORT such as 8080:80, or 127.0.0.1:8080:80/tcp, or 5353:53/udp");
}

static bool read_port(const char *text, size_t n, unsigned *port)
{
	char digits[6] = "";

	if (n == 0 || n >= sizeof digits || strspn(text, "0123456789") < n)
		return false;
	memcpy(digits, text, n);
	*port = (unsigned)strtoul(digits, NULL, 10);
	return *port >= 1 && *port <= 65535;
}

/* "[HOSTIP:]HOSTPORT[:PORT][/PROTOCOL]", an IPv6 address in brackets. ROOM takes the address. */
static int read_published(const char *text, bool both, struct published *p, char room[INET6_ADDRSTRLEN], struct err *err)
{
	const char *at = text, *slash = strchr(text, '/'), *end = slash ? slash : text + strlen(text), *last = end;
	unsigned char bytes[16];

	*p = (struct published){ .protocol = !slash || streq(slash, "/tcp") ? "tcp" : streq(slash, "/udp") ? "udp" : NULL };
	if (!p->protocol)
		return no_ports(text, err);
	for (int i = 0; i < (both ? 2 : 1); i++) {
		const char *from = last == end && i == 0 ? end : last - 1;
		while (from > at && from[-1] != ':')
			from--;
		if (!read_port(from, (size_t)((i == 0 ? end : last - 1) - from), both && i == 0 ? &p->port : &p->host_port))
			return no_ports(text, err);
		last = from;
	}
	if (last == at)
		return 0;
	size_t n = (size_t)(last - 1 - at);
	if (n > 2 && at[0] == '[' && at[n - 1] == ']')
		at++, n -= 2;
	if (n == 0 || n >= INET6_ADDRSTRLEN)
		return no_ports(text, err);
	memcpy(room, at, n);
	room[n] = '\0';
	if (inet_pton(strchr(room, ':') ? AF_INET6 : AF_INET, room, bytes) != 1)
		return no_ports(text, err);
	p->host_ip = room;
	return 0;
}

static int run_publish(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = { { "SANDBOX", "sandbox", COL_TEXT }, { "HOST", "host", COL_TEXT },
						 { "PORT", "port", COL_TEXT } };
	const char *text = arg_text(a, "PORTS");
	char address[INET6_ADDRSTRLEN];
	struct published p;
	bool switched;

	if (!text)
		return list_tags(sh, "publish", columns, ARRAY_SIZE(columns), err);
	if (read_published(text, !arg_has(a, "del"), &p, address, err) < 0)
		return -1;
	if (arg_has(a, "del"))
		return publish_drop(sh->session, &p, err);
	struct sandbox *sb = shell_sandbox(sh, err);
	if (!sb || publish_add(sb, &p, &switched, err) < 0)
		return -1;
	say_switched(sh, switched);
	return 0;
}

/* ---- firewall, forward ---- */

static int run_firewall(struct shell *sh, const struct args *a, struct err *err)
{
	static const struct column columns[] = { { "BETWEEN", "between", COL_TEXT }, { "AND", "and", COL_TEXT } };
	const char *one = arg_text(a, "BRIDGE"), *other = arg_text(a, "OTHER");

	if (!one)
		return list_tags(sh, "firewall", columns, ARRAY_SIZE(columns), err);
	return arg_has(a, "del") ? firewall_allow(sh->session, one, other, err) : firewall_deny(sh->session, one, other, err);
}

static int run_forward(struct shell *sh, const struct args *a, struct err *err)
{
	struct sandbox *sb = shell_sandbox(sh, err);

	return sb ? way_forward_all(sb, !arg_has(a, "off"), err) : -1;
}

const struct command cmd_network_nat[] = {
	{ "nat", "network", "give a bridge's sandboxes a way out through the host", "[[del] BRIDGE:linkname]",
	  "What leaves the bridge's subnets goes out under the host's own address (masquerade). For a bridge in the lab a cable is laid between the lab "
	  "and the host, with two addresses of 100.64.0.0/10; the lab becomes a router, and the host gets a route to the bridge's subnets. Forwarding "
	  "is put on on the host where it is off, and put off when the last session that wants it ends. The rules stand in one nftables table that "
	  "belongs to the session, `belljar.ID`, and go with it, even when belljar is killed. A firewall of the host's own may still refuse to forward.\n\n"
	  "An ordinary user's way out goes through slirp4netns(1), if that is installed: a program that speaks on the host for those inside, of IPv4, and "
	  "ends with the session.\n\n"
	  "Without a bridge, those that have nat are listed.",
	  "new web\nnetwork bridge\nnat br0\nnat\nnat del br0\n", 0, run_nat },
	{ "publish", "network", "make a port of the sandbox one of the host", "[[del] PORTS:word]",
	  "*PORTS* is `HOSTPORT:PORT`, before it perhaps one address of the host and a colon (IPv6 in brackets), and behind it `/udp`: what comes to the "
	  "host's port goes to the sandbox's, from elsewhere, from the host itself (also as localhost, of IPv4) and from other sandboxes. The sandbox "
	  "must be on a bridge and have a default route. `publish del HOSTPORT` takes it back; without arguments what is published is listed.\n\n"
	  "How the bridge is reached, see *nat*. Needs root.",
	  "new web\nnetwork bridge\npublish 18080:80\npublish\npublish del 18080\n", 0, run_publish },
	{ "firewall", "network", "deny traffic between the sandboxes of a bridge", "[[del] BRIDGE [OTHER]]",
	  "With a bridge, nothing passes between any two of its sandboxes, those to come included; each still reaches the bridge itself, and what is "
	  "behind it. With two sandboxes, nothing passes between those. *del* takes it back; without arguments the walls are listed. The rules stand in "
	  "an nftables table of the session's, of the family bridge, where the bridge is.",
	  "bridge br0 10.0.0.1/24\nnew web\nnetwork bridge\nnew db\nnetwork bridge\nfirewall br0\nexpect fails run ping -c 1 -W 1 10.0.0.2\nfirewall\nfirewall del br0\n"
	  "firewall web db\n", 0, run_firewall },
	{ "forward", "network", "let the sandbox pass packets on between its links, as a router does", "[on | off]",
	  "Sets net.ipv4.ip_forward and net.ipv6.conf.all.forwarding in the sandbox's *net* namespace.",
	  "new router\nunshare net\nforward\n", 0, run_forward },
	{ .name = NULL },
};
