/*
 * network_modes.c - the four network modes that Docker has, as recipes of commands
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/namespaces.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_modes.h"
#include "sandbox/network_names.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"

void network_tell(struct session *s, const char *fmt, ...)
{
	FILE *out = s->gate.told ? s->gate.told : stdout;
	va_list ap;

	if (!s->gate.explain && !s->gate.dry)
		return;
	va_start(ap, fmt);
	fputs("# ", out);
	vfprintf(out, fmt, ap);
	fputc('\n', out);
	va_end(ap);
}

static uint64_t net_flag(void)
{
	return (uint64_t)ns_table[NS_NET].flag;
}

static int need_own(struct sandbox *sb, struct err *err)
{
	if (sb->place.own[NS_NET])
		return 0;
	network_tell(sb->session, "unshare net");
	return sandbox_unshare(sb, net_flag(), err);
}

/* ---- none ---- */

int network_mode_none(struct sandbox *sb, struct err *err)
{
	_cleanup_free_ struct net_link *links = NULL;
	const struct net_api *net = NULL;
	size_t n = 0;

	if (!sb->place.own[NS_NET])
		return need_own(sb, err);
	if (network_known(sb->session, &sb->place) && (!(net = net_api(err)) || net->links(&sb->place, &links, &n, err) < 0))
		return -1;
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *name = xasprintf("%s:%s", sb->name, links[i].name);
		struct net_link there;
		/* The other end may have been in it too. */
		if ((links[i].index == 1 && !links[i].kind[0]) || net->find(&sb->place, links[i].name, &there, err) == 0)
			continue;
		network_tell(sb->session, "unlink %s", name);
		if (network_unlink(sb->session, sb, name, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- host and container ---- */

int network_mode_host(struct sandbox *sb, struct err *err)
{
	network_tell(sb->session, "share net");
	return sandbox_share(sb, net_flag(), err) < 0 ? -1 : names_settle(sb, err);
}

int network_mode_container(struct sandbox *sb, struct sandbox *other, struct err *err)
{
	int fds[NS_KINDS] = { -1, -1, -1, -1, -1, -1, -1, -1 };

	if (sb == other)
		return err_usage(err, "%s has its own network already", sb->name);
	if (network_need(other, err) < 0)
		return -1;
	fds[NS_NET] = other->place.ns[NS_NET];
	network_tell(sb->session, "join net of %s", other->name);
	return sandbox_join(sb, net_flag(), fds, other->name, err) < 0 ? -1 : names_settle(sb, err);
}

/* ---- bridge ---- */

static int need_bridge(struct session *s, const char *name, struct place **place, struct err *err)
{
	char cidr[CIDR_ROOM];
	struct err none = { 0 };

	if (network_find_bridge(s, name, place, &none) == 0)
		return 0;
	if (none.number != ENODEV) {
		*err = none;
		return -1;
	}
	if (!session_lab(s, err) || pool_choose(s, cidr, err) < 0)
		return -1;
	network_tell(s, "bridge %s %s", name, cidr);
	*place = &s->lab;
	return network_bridge(s, name, cidr, false, err);
}

/* What has no other way goes to the bridge. */
static int add_default(struct sandbox *sb, const struct pool_addresses *own, bool v6, struct err *err)
{
	int has;

	for (size_t i = 0; i < own->n; i++) {
		if (network_v6(own->cidr[i]) != v6)
			continue;
		if ((has = network_has_default(sb, v6, err)))
			return has < 0 ? -1 : 0;
		_cleanup_free_ char *gateway = xstrndup(own->cidr[i], strcspn(own->cidr[i], "/"));
		network_tell(sb->session, "route default via %s", gateway);
		return network_route(sb, "default", gateway, NULL, true, err);
	}
	return 0;
}

int network_mode_bridge(struct sandbox *sb, const char *name, struct err *err)
{
	struct session *s = sb->session;
	struct link_wish wish = { .ends = { sb->name, name } };
	struct pool_addresses own;
	struct place *place;

	if (network_sandbox(s, name))
		return err_usage(err, "%s is a sandbox, no bridge", name);
	if (need_own(sb, err) < 0 || need_bridge(s, name, &place, err) < 0 || pool_of(s, place, name, &own, err) < 0)
		return -1;
	if (own.n == 0) {
		err_set(err, EADDRNOTAVAIL, "%s has no address, so it is no pool of addresses", name);
		return err_try(err, "addr %s:%s 10.0.0.1/24, for one", place->name, name);
	}
	network_tell(s, "link %s %s", sb->name, name);
	if (network_link(s, &wish, err) < 0 || add_default(sb, &own, false, err) < 0 || add_default(sb, &own, true, err) < 0)
		return -1;
	network_tell(s, "names %s", name);
	return names_join(sb, name, err);
}
