/*
 * overlay.c - command: vxlan
 */
#include "config.h"

#include "base/err.h"
#include "cmd/list.h"
#include "cmd/shell.h"
#include "sandbox/network_vxlan.h"

/* As IANA has assigned it; the kernel's own default is older. */
enum { VXLAN_PORT = 4789 };

static int run_vxlan(struct shell *sh, const struct args *a, struct err *err)
{
	struct err none = { 0 };
	const struct vxlan_wish w = {
		.name = arg_text(a, "NAME"),
		.id = arg_num(a, "ID", 0),
		.far = arg_has(a, "group") ? arg_text(a, "GROUP") : arg_text(a, "ADDRESS"),
		.group = arg_has(a, "group"),
		.dev = arg_text(a, "LINK"),
		.bridge = arg_text(a, "BRIDGE"),
		.port = arg_num(a, "PORT", VXLAN_PORT),
	};

	return network_vxlan(sh->session, shell_sandbox(sh, &none), &w, err);
}

const struct command cmd_overlay[] = {
	{ "vxlan", "network", "join a bridge with one of another machine",
	  "NAME:linkname id ID:number (remote ADDRESS:address | group GROUP:address) dev LINK:link bridge BRIDGE:linkname [port PORT:port]",
	  "What the bridge sends to *NAME* travels in UDP packets to the other machine, which must do the same with the same *ID* and *port* (4789 if "
	  "nothing is said) towards this one. Then sandboxes at both bridges are in one network, as in an overlay network of Docker's. *remote* is the "
	  "other machine; a multicast *group* reaches several.\n\n"
	  "*LINK* is the one that the packets go out by: `host:eth0` on a real machine (it is only used, not changed, so it need not be this session's), "
	  "or one of a sandbox that plays a machine. *NAME* lies where the bridge is, mostly in the lab, and goes with *unlink*, with the session, or "
	  "when the namespace of *LINK* ends.\n\n"
	  "Each packet grows by 50 bytes (70 over IPv6), and the link knows it: its MTU is that much smaller. A bridge does not tell its sandboxes; where "
	  "packets are as long as their links allow, give those the same MTU.",
	  "new left\nunshare net\nnew right\nunshare net\nlink left right 192.0.2.1/24 192.0.2.2/24\nbridge brl\nbridge brr\n"
	  "vxlan vxl id 42 remote 192.0.2.2 dev left:eth0 bridge brl\nvxlan vxr id 42 remote 192.0.2.1 dev right:eth0 bridge brr\n"
	  "new a\nunshare net\nlink a brl 10.0.0.1/24\nnew b\nunshare net\nlink b brr 10.0.0.2/24\nrun ping -c 1 -W 5 10.0.0.1\n", 0, run_vxlan },
	{ .name = NULL },
};
