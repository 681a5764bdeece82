/*
 * network_publish.c - ports of the host that lead into a sandbox
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/nft.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_modes.h"
#include "sandbox/network_publish.h"
#include "sandbox/network_rules.h"
#include "sandbox/network_way.h"
#include "sandbox/store.h"

/* The first bridge the sandbox is on, and its address there. */
struct inside {
	char bridge[IFNAMSIZ], address[CIDR_ROOM];
};

static void find_planned(struct sandbox *sb, bool v6, struct inside *t)
{
	const struct step *done;

	for (size_t i = 0; (done = gate_done(&sb->session->gate, i)); i++) {
		if (done->kind == STEP_VETH && done->from && streq(done->text, sb->name))
			network_set_name(t->bridge, done->from);
		if (done->kind == STEP_ADDR && done->place == &sb->place && network_v6(done->text) == v6)
			snprintf(t->address, sizeof t->address, "%.*s", (int)strcspn(done->text, "/"), done->text);
	}
}

static int find_target(struct sandbox *sb, bool v6, struct inside *t, struct err *err)
{
	struct network_row *rows;
	size_t n;

	*t = (struct inside){ .bridge = "" };
	if (sb->session->gate.dry)
		find_planned(sb, v6, t);
	if (t->bridge[0] && t->address[0])
		return 0;
	*t = (struct inside){ .bridge = "" };
	if (network_links(sb->session, "all", &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && !t->bridge[0]; i++) {
		if (!streq(rows[i].where, sb->name) || !rows[i].peer)
			continue;
		for (const char *at = rows[i].addresses; *at && !t->address[0]; at += strcspn(at, " "), at += *at == ' ')
			if ((memchr(at, ':', strcspn(at, " ")) != NULL) == v6)
				snprintf(t->address, sizeof t->address, "%.*s", (int)strcspn(at, "/ "), at);
		for (size_t k = 0; k < n && t->address[0]; k++) {
			_cleanup_free_ char *full = xasprintf("%s:%s", rows[k].where, rows[k].link.name);
			if (rows[k].bridge && streq(full, rows[i].peer))
				network_set_name(t->bridge, rows[k].bridge);
		}
		if (!t->bridge[0])
			t->address[0] = '\0';
	}
	network_free_rows(rows, n);
	if (t->bridge[0])
		return 0;
	err_set(err, EADDRNOTAVAIL, "%s: it has no IPv%d address on a bridge", sb->name, v6 ? 6 : 4);
	return err_try(err, "network bridge");
}

/* Answers to the host's side go by the default route. */
static int need_default(struct sandbox *sb, bool v6, struct err *err)
{
	int has = network_known(sb->session, &sb->place) ? network_has_default(sb, v6, err) : 1;

	if (has != 0)
		return has < 0 ? -1 : 0;
	err_set(err, ENETUNREACH, "%s: it has no default route, so no answer would leave it", sb->name);
	return err_try(err, "route default via the bridge's address, or network bridge from the start");
}

static char *place_of(const struct published *p)
{
	bool v6 = p->host_ip && network_v6(p->host_ip);

	return xasprintf("%s%s%s:%u/%s", v6 ? "[" : "", p->host_ip ? p->host_ip : "*", v6 ? "]" : "", p->host_port, p->protocol);
}

/* Does a program of the host listen there? */
static bool host_listens(const struct published *p, bool v6)
{
	_cleanup_close_ int fd = socket(v6 ? AF_INET6 : AF_INET, (streq(p->protocol, "udp") ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)p->host_port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)p->host_port) };

	if (p->host_ip)
		inet_pton(v6 ? AF_INET6 : AF_INET, p->host_ip, v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr);
	return fd >= 0 && bind(fd, v6 ? (void *)&in6 : (void *)&in, v6 ? sizeof in6 : sizeof in) < 0 && errno == EADDRINUSE;
}

/* Is the port free, of programs and of what any session has published? */
static int need_port(struct session *s, const struct published *p, bool v6, struct err *err)
{
	_cleanup_free_ struct nft_row *rows = NULL;
	_cleanup_free_ char *end = xasprintf(":%u/%s", p->host_port, p->protocol);
	size_t n = 0;

	if (s->gate.dry)
		return 0;
	if (host_listens(p, v6)) {
		err_set(err, EADDRINUSE, "port %u/%s of the host is taken by a program", p->host_port, p->protocol);
		return err_try(err, "another port: publish %u:%u", p->host_port + 8000 > 65535 ? 20000 : p->host_port + 8000, p->port);
	}
	if (nft_rows(&s->host, NFPROTO_INET, NULL, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char who[NAME_LONGEST + 1], where[TAG_ROOM];
		if (sscanf(rows[i].tag, "publish %63s %127s", who, where) != 2)
			continue;
		size_t len = strlen(where), tail = strlen(end);
		if (len > tail && streq(where + len - tail, end))
			return err_set(err, EADDRINUSE, "port %u/%s of the host is published already, for %s", p->host_port, p->protocol, who);
	}
	return 0;
}

static int publish_rules(struct session *s, const struct way *w, const struct inside *t, const struct published *p, const char *tag,
			 struct err *err)
{
	bool v6 = network_v6(t->address);
	const char *ip = v6 ? "ip6" : "ip";
	_cleanup_free_ char *where = p->host_ip ? xasprintf("%s daddr %s", ip, p->host_ip) : xstrdup("fib daddr type local");
	_cleanup_free_ char *target = xasprintf(v6 ? "[%s]:%u" : "%s:%u", t->address, p->port);
	char subnet[CIDR_ROOM] = "";

	for (size_t i = 0; i < w->own.n; i++)
		if (pool_is_inside(t->address, w->own.cidr[i]))
			pool_subnet(w->own.cidr[i], subnet);
	/* Packets from elsewhere; the host's own; and both from where they could not be answered: localhost, and the same bridge. */
	char *texts[4] = {
		xasprintf("prerouting %s %s dport %u dnat %s to %s", where, p->protocol, p->host_port, ip, target),
		xasprintf("output %s %s dport %u dnat %s to %s", where, p->protocol, p->host_port, ip, target),
		xasprintf("postrouting %s saddr %s oifname \"%s\" masquerade", ip, subnet, w->link),
		v6 ? NULL : xasprintf("postrouting ip saddr 127.0.0.0/8 oifname \"%s\" masquerade", w->link),
	};
	int result = 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts) && result == 0; i++)
		if (texts[i])
			result = rules_add(s, &s->host, "inet", tag, texts[i], err);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	if (result < 0 || v6)
		return result;
	/* Packets of localhost may leave over this one link. */
	_cleanup_free_ char *path = xasprintf("ipv4/conf/%s/route_localnet", w->link);
	return rules_step(s, (struct step){ .kind = STEP_SYSCTL, .place = &s->host, .to = path, .text = "1" }, err);
}

int publish_add(struct sandbox *sb, const struct published *p, bool *switched, struct err *err)
{
	struct session *s = sb->session;
	_cleanup_free_ char *where = place_of(p);
	bool v6 = p->host_ip && network_v6(p->host_ip);
	struct inside t;
	struct way w;

	*switched = false;
	if (way_need_privilege("publish", err) < 0 || network_need(sb, err) < 0)
		return -1;
	if (find_target(sb, v6, &t, err) < 0 || need_default(sb, v6, err) < 0 || need_port(s, p, v6, err) < 0 ||
	    way_open(s, "publish", t.bridge, &w, switched, err) < 0 || rules_need(s, &s->host, "inet", err) < 0)
		return -1;
	_cleanup_free_ char *tag = xasprintf("publish %s %s %u", sb->name, where, p->port);
	return publish_rules(s, &w, &t, p, tag, err);
}

/* Rules of the host whose tag fits; how many, or -1. */
static int drop_published(struct session *s, const char *sandbox, const char *where, struct err *err)
{
	char **tags;
	size_t n;
	int found = 0, one = 0;

	if (rules_tags(s, "publish", &tags, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && one >= 0; i++) {
		char who[NAME_LONGEST + 1], its[TAG_ROOM];
		if (sscanf(tags[i], "publish %63s %127s", who, its) != 2 || (sandbox && !streq(who, sandbox)) || (where && !streq(its, where)))
			continue;
		one = rules_drop(s, &s->host, "inet", tags[i], err);
		found += one;
	}
	rules_free_tags(tags, n);
	return one < 0 ? -1 : found;
}

int publish_drop(struct session *s, const struct published *p, struct err *err)
{
	_cleanup_free_ char *where = place_of(p);
	int found = drop_published(s, NULL, where, err);

	if (found != 0 || s->gate.dry)
		return found < 0 ? -1 : 0;
	err_set(err, ENOENT, "nothing is published at %s", where);
	return err_try(err, "publish, which lists what is");
}

int publish_forget(struct session *s, const char *sandbox, struct err *err)
{
	size_t mark = gate_mark(&s->gate);

	if (!s->store || s->gate.dry || !store_noted(s, "nft "))
		return 0;
	int found = drop_published(s, sandbox, NULL, err);
	gate_forget(&s->gate, mark, gate_mark(&s->gate));
	return found < 0 ? -1 : 0;
}
