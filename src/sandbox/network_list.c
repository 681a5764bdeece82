/*
 * network_list.c - addresses, routes and neighbours of the session's places
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_list.h"
#include "sandbox/network_look.h"

static void add_place(const struct session *s, struct place *p, const char *name, struct network_place **places, size_t *n)
{
	if (network_known(s, p))
		*GROW(places, n) = (struct network_place){ p, name };
}

void network_places(struct session *s, struct network_place **places, size_t *n)
{
	*places = NULL;
	*n = 0;
	if (s->lab.own[NS_NET])
		add_place(s, &s->lab, "lab", places, n);
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if (s->sandboxes[i]->place.own[NS_NET])
			add_place(s, &s->sandboxes[i]->place, s->sandboxes[i]->name, places, n);
	add_place(s, &s->host, "host", places, n);
}

/* One place of which something is listed, with its links to give their names. */
struct visit {
	const char *where;
	struct place *place;
	struct net_link *links;
	size_t n_links;
	bool host;
	struct network_row *own;   /* on the host: the links of this session */
	size_t n_own;
};

static void end_visit(struct visit *v)
{
	free(v->links);
	network_free_rows(v->own, v->n_own);
}

static const char *link_name(const struct visit *v, int index)
{
	for (size_t i = 0; i < v->n_links; i++)
		if (v->links[i].index == index)
			return v->links[i].name;
	return "";
}

static bool is_listed(const struct visit *v, const char *link)
{
	if (!v->host)
		return !streq(link, "lo");
	for (size_t i = 0; i < v->n_own; i++)
		if (streq(v->own[i].link.name, link))
			return true;
	return false;
}

static int one(struct session *s, const struct network_place *p, int (*list)(struct visit *v, void *arg, struct err *err), void *arg,
	       struct err *err)
{
	_cleanup_(end_visit) struct visit v = { .where = p->name, .place = p->place, .host = p->place == &s->host };
	const struct net_api *net = net_api(err);

	if (!net || net->links(v.place, &v.links, &v.n_links, err) < 0)
		return -1;
	if (v.host && network_links(s, "host", &v.own, &v.n_own, err) < 0)
		return -1;
	return v.host && !v.n_own ? 0 : list(&v, arg, err);
}

/* Call LIST for each place that OF means. */
static int each(struct session *s, const char *of, int (*list)(struct visit *v, void *arg, struct err *err), void *arg, struct err *err)
{
	_cleanup_free_ struct network_place *places = NULL;
	bool found = streq(of, "all") || streq(of, "lab") || s->gate.dry;
	size_t n;

	network_places(s, &places, &n);
	for (size_t i = 0; i < n; i++) {
		if (!streq(of, "all") && !streq(of, places[i].name))
			continue;
		found = true;
		if (one(s, &places[i], list, arg, err) < 0)
			return -1;
	}
	if (found)
		return 0;
	err_set(err, EINVAL, "%s: no network namespace of its own", of);
	return err_try(err, "unshare net, or all instead of a name");
}

/* ---- what is listed ---- */

struct rows {
	void *rows;
	size_t n;
};

/* What was read so far is of no use when a later place can't be read. */
static int finish(int result, struct rows *found, void *rows, size_t *n)
{
	if (result < 0) {
		free(found->rows);
		*found = (struct rows){ 0 };
	}
	*(void **)rows = found->rows;
	*n = found->n;
	return result;
}

static int list_addrs(struct visit *v, void *arg, struct err *err)
{
	struct rows *found = arg;
	_cleanup_free_ struct net_addr *addrs = NULL;
	size_t n;

	if (net_api(NULL)->addrs(v->place, NULL, &addrs, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *link = link_name(v, addrs[i].index);
		if (!is_listed(v, link))
			continue;
		struct network_addr_row *row = GROW((struct network_addr_row **)&found->rows, &found->n);
		row->where = v->where;
		row->addr = addrs[i];
		snprintf(row->link, sizeof row->link, "%s", link);
	}
	return 0;
}

int network_addrs(struct session *s, const char *of, struct network_addr_row **rows, size_t *n, struct err *err)
{
	struct rows found = { 0 };

	return finish(each(s, of, list_addrs, &found, err), &found, rows, n);
}

/* A route that goes nowhere (blackhole) has no link, or lo; it is what one looks for when packets vanish. */
static int list_routes(struct visit *v, void *arg, struct err *err)
{
	struct rows *found = arg;
	_cleanup_free_ struct net_table_route *routes = NULL;
	size_t n;

	if (net_api(NULL)->table(v->place, &routes, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!is_listed(v, routes[i].dev) && (v->host || streq(routes[i].kind, "unicast")))
			continue;
		struct network_route_row *row = GROW((struct network_route_row **)&found->rows, &found->n);
		row->where = v->where;
		row->route = routes[i];
	}
	return 0;
}

int network_all_routes(struct session *s, const char *of, struct network_route_row **rows, size_t *n, struct err *err)
{
	struct rows found = { 0 };

	return finish(each(s, of, list_routes, &found, err), &found, rows, n);
}

static int list_neighbours(struct visit *v, void *arg, struct err *err)
{
	struct rows *found = arg;
	_cleanup_free_ struct net_neighbour *neighbours = NULL;
	size_t n;

	if (net_api(NULL)->neighbours(v->place, &neighbours, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *link = link_name(v, neighbours[i].index);
		if (!is_listed(v, link))
			continue;
		struct network_neighbour_row *row = GROW((struct network_neighbour_row **)&found->rows, &found->n);
		row->where = v->where;
		row->neighbour = neighbours[i];
		snprintf(row->link, sizeof row->link, "%s", link);
	}
	return 0;
}

int network_neighbours(struct session *s, const char *of, struct network_neighbour_row **rows, size_t *n, struct err *err)
{
	struct rows found = { 0 };

	return finish(each(s, of, list_neighbours, &found, err), &found, rows, n);
}
