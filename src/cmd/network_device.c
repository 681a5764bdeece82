/*
 * network_device.c - commands: interface alter vlan
 */
#include "config.h"

#include "base/err.h"
#include "base/mem.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/network_device.h"

static int run_device(struct shell *sh, const struct args *a, struct err *err)
{
	static const char *const kinds[] = { "dummy", "macvlan", "ipvlan", "vlan", "tun", "tap" };
	struct device_wish w = { .name = arg_text(a, "NAME"), .over = arg_text(a, "LINK"), .id = arg_num(a, "ID", 0) };
	struct sandbox *sb = shell_sandbox(sh, err);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (arg_has(a, kinds[i]))
			w.kind = kinds[i];
	return sb ? network_device(sb, &w, err) : -1;
}

static int run_alter(struct shell *sh, const struct args *a, struct err *err)
{
	struct err none = { 0 };
	struct sandbox *sb = shell_sandbox(sh, &none);
	_cleanup_free_ char *mtu = xasprintf("%lld", (long long)arg_num(a, "N", 0));
	const char *what = arg_has(a, "mtu") ? "mtu" : arg_has(a, "mac") ? "mac" : arg_has(a, "name") ? "name" : "stp";
	const char *value = arg_has(a, "mtu") ? mtu : arg_has(a, "mac") ? arg_text(a, "MAC") : arg_has(a, "name") ? arg_text(a, "NEW") :
		arg_has(a, "on") ? "on" : "off";

	return network_alter(sh->session, sb, arg_text(a, "LINK"), what, value, err);
}

static int run_vlan(struct shell *sh, const struct args *a, struct err *err)
{
	struct err none = { 0 };

	return network_vlan(sh->session, shell_sandbox(sh, &none), arg_text(a, "LINK"), arg_num(a, "ID", 0), err);
}

const struct command cmd_network_device[] = {
	{ "interface", "network", "make a link of another kind in the sandbox",
	  "NAME:linkname (dummy | tun | tap | macvlan over LINK:link | ipvlan over LINK:link | vlan ID:number over LINK:link)",
	  "*dummy* swallows what it is sent: a place for an address. *tun* and *tap* hand packets, or Ethernet frames, to the program that opens "
	  "/dev/net/tun. *macvlan* is a second card at the wire of *LINK*, with a hardware address of its own; *ipvlan* shares that of *LINK*; with *vlan* "
	  "packets get the tag *ID* there. *LINK* may be of the host, `host:eth0`, and is only used, not changed; so the sandbox is in the network that the "
	  "host is in, as with Docker's macvlan driver. The host itself can't be reached over it.",
	  "new web\nunshare net\nexplain interface d0 dummy\n", 0, run_device },
	{ "alter", "network", "change a link: its MTU, hardware address, name, or a bridge's STP",
	  "LINK:link (mtu N:number | mac MAC:word | name NEW:linkname | stp (on | off))",
	  "*mtu* is the longest packet that it sends; the other end has one of its own. *name*: links of the host and bridges keep theirs. *stp* has a "
	  "bridge speak the spanning tree protocol, which finds loops between bridges and cuts them; for the first 30 seconds its ports pass nothing.",
	  "bridge br0\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nalter eth0 mtu 1400\nalter eth0 mac 02:00:00:00:00:01\nalter lab:br0 stp on\nundo\n",
	  0, run_alter },
	{ "vlan", "network", "put a port of a bridge into a VLAN", "LINK:link ID:number",
	  "From then on the bridge keeps VLANs apart: who is in another one is not reached, not even with broadcasts, as if there were several bridges. "
	  "Ports that were not named are in VLAN 1, and so is the bridge itself. *LINK* is the bridge's side of a link, `lab:web.eth0`.",
	  "bridge br0\nnew web\nunshare net\nlink web br0 10.0.0.2/24\nnew db\nunshare net\nlink db br0 10.0.0.3/24\nexplain vlan lab:web.eth0 7\n", 0, run_vlan },
	{ .name = NULL },
};
