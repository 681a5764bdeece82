/*
 * network_plan.c - lists of steps for the network, and names as users type them
 */
#include "config.h"

#include <errno.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"
#include "sandbox/store.h"

struct step *plan_add(struct plan *p, enum step_kind kind, struct place *place, const char *to)
{
	struct step *s = &p->steps[p->n++];

	*s = (struct step){ .kind = kind, .place = place, .to = to, .fd = { -1, -1 } };
	return s;
}

int plan_run(struct plan *p, struct err *err)
{
	return gate_run(&p->session->gate, p->steps, p->n, err);
}

void plan_up(struct plan *p, struct place *place, const char *link, const char *const *addresses, size_t n)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < n; i++)
			if (network_v6(addresses[i]) == v6)
				plan_add(p, STEP_ADDR, place, link)->text = addresses[i];
		if (!v6)
			plan_add(p, STEP_UP, place, link);
	}
}

void network_set_name(char to[IFNAMSIZ], const char *name)
{
	size_t n = strnlen(name, IFNAMSIZ - 1);

	memcpy(to, name, n);
	to[n] = '\0';
}

int network_split(const char *text, char who[NAME_LONGEST + 1], char link[IFNAMSIZ], struct err *err)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);

	if (n > NAME_LONGEST)
		return err_usage(err, "a name of %zu bytes: the longest has %d", n, NAME_LONGEST);
	memcpy(who, text, n);
	who[n] = '\0';
	link[0] = '\0';
	if (!colon)
		return 0;
	if (net_name_check(colon + 1, err) < 0)
		return -1;
	network_set_name(link, colon + 1);
	return 0;
}

struct sandbox *network_sandbox(struct session *s, const char *name)
{
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if (streq(s->sandboxes[i]->name, name))
			return s->sandboxes[i];
	return NULL;
}

int network_need(const struct sandbox *sb, struct err *err)
{
	if (sb->place.own[NS_NET])
		return 0;
	err_set(err, EINVAL, "%s: no network namespace of its own", sb->name);
	err_why(err, "it shares the host's network, and what is changed there would be the host's");
	return err_try(err, "unshare net");
}

int network_check_address(const char *cidr, struct err *err)
{
	bool v6 = network_v6(cidr);
	unsigned long first = v6 ? 0 : strtoul(cidr, NULL, 10);

	if (v6 ? strncasecmp(cidr, "ff", 2) == 0 && strcspn(cidr, ":") == 4 : first == 0 || first >= 224) {
		err_usage(err, "%s is no address that one link can have", cidr);
		return err_why(err, "%s", v6 ? "ff00::/8 is for multicast" : "0.0.0.0/8 means this network, 224.0.0.0 and up are for multicast and broadcast");
	}
	return 0;
}

int network_note_on_host(struct session *s, const char *name, int *index, struct err *err)
{
	*index = network_choose_index();
	_cleanup_free_ char *line = network_ledger_line(name, *index), *noted = xasprintf("%s\n", line);

	return store_need(s, err) < 0 ? -1 : store_note(s, noted, err);
}

/* A line that stays does no harm: only a link of that name and number would be removed. So it stays when the link does, because taking it back
 * failed as well. */
void network_forget_on_host(struct session *s, const char *name, int index)
{
	_cleanup_free_ char *line = network_ledger_line(name, index);
	struct net_link link;
	struct err none = { 0 };

	if (network_find(s, &s->host, name, &link, &none) == 0 || link.index != index)
		store_forget(s, line, NULL);
}

int network_has_default(struct sandbox *sb, bool v6, struct err *err)
{
	_cleanup_free_ struct net_route *routes = NULL;
	const struct step *done;
	size_t n;

	if (network_routes(sb, &routes, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (streq(routes[i].to, "default") && network_v6(routes[i].via) == v6)
			return 1;
	for (size_t i = 0; sb->session->gate.dry && (done = gate_done(&sb->session->gate, i)); i++)
		if (done->kind == STEP_ROUTE && done->place == &sb->place && streq(done->text, "default") && done->from &&
		    network_v6(done->from) == v6)
			return 1;
	return 0;
}
