/*
 * tell.c - steps in words
 *
 * The texts of step_table with the fields of a step put in: what explain and a dry run print, and what export writes.
 */
#include "config.h"

#include <inttypes.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/gate.h"
#include "kern/mnt.h"
#include "kern/net.h"
#include "kern/shape.h"

/* "net uts" with BEFORE each word and BETWEEN them. */
static void kinds(struct buf *b, uint64_t flags, const char *before, const char *between, bool upper)
{
	static const char *const constants[NS_KINDS] = { "NEWCGROUP", "NEWIPC", "NEWNS", "NEWNET", "NEWPID", "NEWTIME", "NEWUSER", "NEWUTS" };
	bool first = true;

	for (int k = 0; k < NS_KINDS; k++) {
		if (!(flags & (uint64_t)ns_table[k].flag))
			continue;
		buf_fmt(b, "%s%s%s", first ? "" : between, before,
			upper ? constants[k] : k == NS_MNT && before[0] ? "mount" : ns_table[k].name);
		first = false;
	}
	if (first)
		buf_str(b, upper ? "0" : "none");
}

static bool is_join(const struct step *s)
{
	return s->kind == STEP_JOIN || (s->kind == STEP_RESPAWN && s->num >= 0);
}

static uint64_t kind_flags(const struct step *s)
{
	return s->kind == STEP_JOIN ? (uint64_t)ns_table[s->num].flag : s->flags;
}

/* What the other version of control groups calls the file, if it has it. */
static void other_version(struct buf *b, const char *file)
{
	const char *words = file ? cg_other_words(file) : NULL;

	if (words)
		buf_fmt(b, "(version %d: %s)", cg_v1((enum cg_controller)cg_file_controller(file)) ? 2 : 1, words);
}

static void visible(struct buf *b, const char *s)
{
	_cleanup_free_ char *copy = xstrdup(s ? s : "");

	/* A map or option text may hold several lines. */
	size_t n = strlen(copy);
	while (n && copy[n - 1] == '\n')
		copy[--n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (copy[i] == '\n')
			copy[i] = ';';
	buf_visible(b, copy);
}

static void attributes(struct buf *b, uint64_t flags)
{
	static const struct { uint64_t flag; const char *name; } names[] = {
		{ 1, "MOUNT_ATTR_RDONLY" }, { 2, "MOUNT_ATTR_NOSUID" }, { 4, "MOUNT_ATTR_NODEV" }, { 8, "MOUNT_ATTR_NOEXEC" },
		{ 0x100000, "MOUNT_ATTR_IDMAP" },
	};
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag) {
			buf_fmt(b, "%s%s", first ? "" : " | ", names[i].name);
			first = false;
		}
	if (first)
		buf_char(b, '0');
}

/* "ro,exec": what a mount gets and what it loses, as mount(8) says it. */
static void remount(struct buf *b, const struct step *s)
{
	static const struct { uint64_t flag; const char *set, *clear; } words[] = {
		{ MOUNT_ATTR_RDONLY, "ro", "rw" }, { MOUNT_ATTR_NOSUID, "nosuid", "suid" }, { MOUNT_ATTR_NODEV, "nodev", "dev" },
		{ MOUNT_ATTR_NOEXEC, "noexec", "exec" },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if ((s->flags | (uint64_t)s->num) & words[i].flag) {
			buf_fmt(b, "%s%s", any ? "," : "", s->flags & words[i].flag ? words[i].set : words[i].clear);
			any = true;
		}
}

static bool is_overlay(const struct step *s)
{
	return s->kind == STEP_MOUNT && s->what && streq(s->what, "overlay") && s->from;
}

static void options(struct buf *b, const struct step *s)
{
	if (s->kind == STEP_UNSHARE) {
		kinds(b, s->flags, "--", " ", false);
		return;
	}
	if (is_overlay(s)) {
		buf_fmt(b, "-o %slowerdir=", s->flags & 1 ? "ro," : "");
		visible(b, s->from);
		buf_str(b, s->text ? "," : "");
		visible(b, s->text);
		return;
	}
	if ((s->flags & 1) || s->text) {
		buf_fmt(b, "-o %s%s", s->flags & 1 ? "ro" : "", (s->flags & 1) && s->text ? "," : "");
		visible(b, s->text);
	}
}

/* What only steps of the network need. {ip} is the ip command that works there, {netns} how it names the other end's namespace. */
static void network(struct buf *b, const struct step *s, const char *key)
{
	const char *place = s->place->name, *text = s->text ? s->text : "";

	if (streq(key, "ip") && s->place->pid)
		buf_fmt(b, "nsenter -t %d -n ip", (int)s->place->pid);
	else if (streq(key, "ip"))
		buf_fmt(b, streq(place, "host") ? "ip" : streq(place, "lab") ? "ip -n lab" : "nsenter -t $%s -n ip", place);
	else if (streq(key, "in") && s->place->pid)
		buf_fmt(b, "nsenter -t %d -n ", (int)s->place->pid);
	else if (streq(key, "in"))
		buf_fmt(b, streq(place, "host") ? "" : streq(place, "lab") ? "ip netns exec lab " : "nsenter -t $%s -n ", place);
	else if (streq(key, "chains"))
		buf_str(b, s->what && streq(s->what, "bridge") ? "{ chain forward { type filter hook forward priority 0; } }" :
			   "{ chain prerouting { type nat hook prerouting priority -100; } chain output { type nat hook output priority -100; } "
			   "chain postrouting { type nat hook postrouting priority 100; } }");
	else if (streq(key, "master") && s->from) {
		buf_str(b, "master ");
		visible(b, s->from);
		buf_fmt(b, " group %u ", net_group(s->from));
	} else if (streq(key, "netns"))
		buf_fmt(b, streq(text, "host") ? "1" : streq(text, "lab") ? "lab" : "$%s", text);
	else if (streq(key, "tcpdump") && s->place->pid)
		buf_fmt(b, "nsenter -t %d -n tcpdump", (int)s->place->pid);
	else if (streq(key, "tcpdump"))
		buf_fmt(b, streq(place, "host") ? "tcpdump" : streq(place, "lab") ? "ip netns exec lab tcpdump" : "nsenter -t $%s -n tcpdump", place);
	else if (streq(key, "here"))
		buf_fmt(b, streq(place, "host") ? "1" : streq(place, "lab") ? "lab" : "$%s", place);
	else if (streq(key, "guard"))
		buf_str(b, !s->place->own[NS_NET] || streq(text, "host") ? "; write(/proc/sys/net/ipv6/conf/LINK/accept_ra, accept_redirects, \"0\") on the host" : "");
	else if (streq(key, "nodad"))
		buf_str(b, strchr(text, ':') ? "nodad" : "");
	else if (streq(key, "dev") ? s->to : s->from) {
		buf_fmt(b, "%s ", key);
		visible(b, streq(key, "dev") ? s->to : s->from);
	}
}

static void fill(struct buf *b, const struct step *s, const char *text);

/* What only steps of privileges need. */
static void privilege(struct buf *b, const struct step *s, const char *key)
{
	const struct privilege_row *row = &privilege_table[s->num];

	if (streq(key, "priv"))
		buf_str(b, row->name);
	else if (streq(key, "value"))
		s->text ? privilege_words((enum privilege)s->num, s->text, b) : buf_str(b, "as its first process");
	else if (!s->text)
		buf_str(b, "none");
	else if (streq(key, "privlist"))
		for (const char *c = s->text; *c; c++)
			*c == ' ' ? buf_str(b, ",+") : buf_char(b, *c);
	else if (streq(key, "privoptions"))
		for (const char *c = s->text; *c; c++)
			*c == ' ' ? buf_str(b, " --") : buf_char(b, *c);
	else if (streq(key, "privlabel"))
		buf_fmt(b, starts_with(s->text, "apparmor ") ? "aa-exec -p %s ..." : "runcon %s ...", strchr(s->text, ' ') + 1);
	else
		fill(b, s, streq(key, "privcalls") ? row->calls : row->shell);
}

/* What only STEP_VXLAN needs: {over} is the ip command that works where it sends, and {dev over} the link there. */
static void overlay(struct buf *b, const struct step *s, const char *key)
{
	const char *what = s->what ? s->what : "", *colon = strchr(what, ':');
	int n = colon ? (int)(colon - what) : 0;

	if (streq(key, "dev over"))
		visible(b, colon ? colon + 1 : what);
	else if (starts_with(what, "host:"))
		buf_str(b, "ip");
	else
		buf_fmt(b, starts_with(what, "lab:") ? "ip -n %.*s" : "nsenter -t $%.*s -n ip", n, what);
}

/* What only STEP_SHAPE needs. */
static void shaping(struct buf *b, const struct step *s, const char *key)
{
	_cleanup_buf_ struct buf ip = { 0 };
	struct shape shape;

	shape_read(s->text, &shape);
	if (streq(key, "shape"))
		buf_str(b, shape_is_none(&shape) ? "not at all" : s->text);
	else if (streq(key, "queues"))
		buf_fmt(b, "%s%s", shape_has_netem(&shape) ? "; RTM_NEWQDISC netem" : "", shape.rate ? "; RTM_NEWQDISC tbf" : "");
	else {
		/* tc takes the same words for the namespace as ip does. */
		network(&ip, s, "ip");
		char *word = ip.data + (starts_with(ip.data, "ip") ? 0 : ip.len - 2);
		memcpy(word, "tc", 2);
		shape_tc(b, &shape, ip.data, s->to ? s->to : "");
	}
}

/* What only STEP_DEVICE and STEP_ALTER need. */
static void device(struct buf *b, const struct step *s, const char *key)
{
	const char *what = s->what ? s->what : "", *to = s->to ? s->to : "", *text = s->text ? s->text : "", *colon = s->from ? strchr(s->from, ':') : NULL;
	bool on = streq(text, "on");

	if (streq(key, "device")) {
		if (streq(what, "vlan"))
			buf_fmt(b, " %d", (int)s->num);
		if (s->from)
			buf_fmt(b, " over %s", s->from);
	} else if (streq(key, "alter")) {
		network(b, s, streq(what, "vlan") ? "in" : "ip");
		if (streq(what, "vlan"))
			buf_fmt(b, "bridge vlan add dev %s vid %s pvid untagged", to, text);
		else if (streq(what, "stp") || streq(what, "vlans"))
			buf_fmt(b, " link set dev %s type bridge %s %d", to, streq(what, "stp") ? "stp_state" : "vlan_filtering", on);
		else
			buf_fmt(b, " link set dev %s %s %s", to, streq(what, "mac") ? "address" : what, text);
	} else if (s->from) {
		if (starts_with(s->from, "host:"))
			buf_str(b, "ip");
		else
			buf_fmt(b, starts_with(s->from, "lab:") ? "ip -n lab" : "nsenter -t $%.*s -n ip", colon ? (int)(colon - s->from) : 0, s->from);
		buf_fmt(b, " link add link %s name %s netns $%s type %s", colon ? colon + 1 : s->from, to, s->place->name, what);
		if (streq(what, "vlan"))
			buf_fmt(b, " id %d", (int)s->num);
	} else {
		network(b, s, "ip");
		buf_fmt(b, what[0] == 't' ? " tuntap add dev %s mode %s" : " link add %s type %s", to, what);
	}
}

static void field(struct buf *b, const struct step *s, const char *name, size_t n)
{
	char key[16] = "";

	memcpy(key, name, n < sizeof key ? n : sizeof key - 1);
	if (streq(key, "place"))
		visible(b, s->place ? s->place->name : "host");
	else if (streq(key, "pid"))
		s->place && s->place->pid ? buf_fmt(b, "%d", (int)s->place->pid) : buf_fmt(b, "$%s", s->place ? s->place->name : "host");
	else if (streq(key, "what"))
		visible(b, s->what);
	else if (streq(key, "from"))
		visible(b, s->from);
	else if (streq(key, "to"))
		visible(b, s->to);
	else if (streq(key, "text"))
		visible(b, s->text);
	else if (streq(key, "num"))
		buf_fmt(b, "%" PRId64, s->num);
	else if (streq(key, "mode"))
		buf_fmt(b, "0%o", (unsigned)s->num);
	else if (streq(key, "target"))
		buf_fmt(b, "%d", (int)s->flags);
	else if (streq(key, "flags"))
		kinds(b, s->flags, "", " ", false);
	else if (streq(key, "kind"))
		is_join(s) ? buf_fmt(b, "%s%s", s->kind == STEP_JOIN ? "" : "; another ", ns_table[s->num].name) : (void)0;
	else if (streq(key, "clone"))
		kinds(b, kind_flags(s), "CLONE_", " | ", true);
	else if (streq(key, "source"))
		visible(b, is_overlay(s) ? "overlay" : s->from);
	else if (streq(key, "options"))
		options(b, s);
	else if (streq(key, "ns"))
		kinds(b, s->place ? place_flags(s->place) : 0, "--", " ", false);
	else if (streq(key, "attributes"))
		attributes(b, s->flags);
	else if (streq(key, "propagation"))
		buf_fmt(b, "%s%s", s->flags & MS_REC ? "MS_REC | " : "", s->flags & MS_SLAVE ? "MS_SLAVE" : s->flags & MS_SHARED ? "MS_SHARED" :
			s->flags & MS_UNBINDABLE ? "MS_UNBINDABLE" : "MS_PRIVATE");
	else if (streq(key, "make"))
		buf_fmt(b, "%s%s", s->flags & MS_REC ? "r" : "", s->flags & MS_SLAVE ? "slave" : s->flags & MS_SHARED ? "shared" :
			s->flags & MS_UNBINDABLE ? "unbindable" : "private");
	else if (streq(key, "cleared"))
		attributes(b, (uint64_t)s->num);
	else if (streq(key, "remount"))
		remount(b, s);
	else if (streq(key, "in") || streq(key, "chains") || streq(key, "ip") || streq(key, "guard") || streq(key, "netns") || streq(key, "via") || streq(key, "dev") || streq(key, "master") || streq(key, "nodad"))
		network(b, s, key);
	else if (starts_with(key, "priv") || streq(key, "value"))
		privilege(b, s, key);
	else if (streq(key, "other"))
		other_version(b, s->what);
	else if (streq(key, "missing"))
		buf_str(b, s->flags & 1 ? ", if it is there" : "");
	else if (streq(key, "rules"))
		buf_str(b, s->from ? s->from : "none");
	else if (streq(key, "devicecalls"))
		cg_v1(CTL_DEVICES) ? buf_fmt(b, "write(%s/devices.deny or devices.allow) for each", s->to) :
				     buf_fmt(b, "bpf(BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE); bpf(BPF_PROG_ATTACH, %s, BPF_CGROUP_DEVICE)", s->to);
	else if (streq(key, "deviceshell"))
		cg_v1(CTL_DEVICES) ? buf_fmt(b, "echo RULE > %s/devices.deny", s->to) :
				     buf_fmt(b, "bpftool cgroup attach %s cgroup_device pinned PROGRAM multi", s->to);
	else if (streq(key, "moved"))
		s->num ? buf_fmt(b, "process %lld", (long long)s->num) : buf_fmt(b, "all processes of the control group %s", s->from);
	else if (streq(key, "movedpid"))
		s->num ? buf_fmt(b, "%lld", (long long)s->num) : buf_str(b, "PID");
	else if (streq(key, "here") || streq(key, "tcpdump"))
		network(b, s, key);
	else if (streq(key, "over") || streq(key, "dev over"))
		overlay(b, s, key);
	else if (streq(key, "device") || streq(key, "alter") || streq(key, "add device"))
		device(b, s, key);
	else if (streq(key, "shape") || streq(key, "queues") || streq(key, "tc"))
		shaping(b, s, key);
	else
		buf_fmt(b, "{%.*s}", (int)n, name);
}

static void fill(struct buf *b, const struct step *s, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "{");
		buf_bytes(b, text, n);
		text += n;
		if (*text == '{') {
			size_t end = strcspn(text, "}");
			field(b, s, text + 1, end - 1);
			text += end + (text[end] == '}');
		}
	}
}

void gate_tell(const struct step *s, FILE *out)
{
	const struct step_row *row = &step_table[s->kind];
	struct { const char *before, *text; } lines[] = { { "", row->say }, { "    kernel: ", row->calls }, { "    shell:  ", row->shell } };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_buf_ struct buf b = { 0 };
		if (!lines[i].text)
			continue;
		fill(&b, s, lines[i].text);
		/* Fields that are empty leave blanks behind. */
		fprintf(out, "%s", lines[i].before);
		for (const char *c = buf_text(&b); *c; c++)
			if (*c != ' ' || (c[1] != ' ' && c[1] != '\0'))
				fputc(*c, out);
		fputc('\n', out);
	}
}
