/*
 * network_look.c - the session's links, read from the kernel
 *
 * Which sandbox holds the other end of a link: the kernel names the other end's net namespace by a number that counts only in the namespace
 * one asks from, so for each pair of places the number is asked once, when it is first needed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/store.h"

enum { LEDGER_LIMIT = 4 << 20 };

bool network_known(const struct session *s, const struct place *p)
{
	return p->own[NS_NET] ? p->ns[NS_NET] >= 0 : p == &s->host || !s->gate.dry;
}

int network_find(const struct session *s, struct place *p, const char *name, struct net_link *link, struct err *err)
{
	if (link)
		*link = (struct net_link){ 0 };
	if (network_known(s, p)) {
		const struct net_api *net = net_api(err);
		int found = net ? net->find(p, name, link, err) : -1;
		if (found)
			return found;
	}
	int planned = s->gate.dry ? gate_planned_link(&s->gate, p, name) : -1;
	if (planned < 0)
		return 0;
	if (link)
		snprintf(link->kind, sizeof link->kind, "%s", planned == STEP_BRIDGE ? "bridge" : "veth");
	return 1;
}

/* ---- places and what is in them ---- */

enum { NOT_ASKED = -2 };

struct view {
	struct place *place;
	const char *name;
	bool read;
	struct net_link *links;
	size_t n_links;
	struct net_addr *addrs;
	size_t n_addrs;
	int *numbers;          /* how this one numbers the namespaces of the other views, or NOT_ASKED */
};

struct views {
	struct view *views;
	size_t n;
};

static void add_view(struct views *v, const struct session *s, struct place *p, const char *name)
{
	if (!network_known(s, p))
		return;
	struct view *view = GROW(&v->views, &v->n);
	view->place = p;
	view->name = name;
}

/* The lab first: it is the other side of most links. */
static void open_views(struct views *v, struct session *s)
{
	if (s->lab.own[NS_NET])
		add_view(v, s, &s->lab, "lab");
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if (s->sandboxes[i]->place.own[NS_NET])
			add_view(v, s, &s->sandboxes[i]->place, s->sandboxes[i]->name);
	add_view(v, s, &s->host, "host");
}

static void close_views(struct views *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->views[i].links);
		free(v->views[i].addrs);
		free(v->views[i].numbers);
	}
	free(v->views);
}

static int read_view(struct view *v, struct err *err)
{
	const struct net_api *net = net_api(err);

	if (v->read)
		return 0;
	if (!net || net->links(v->place, &v->links, &v->n_links, err) < 0 || net->addrs(v->place, NULL, &v->addrs, &v->n_addrs, err) < 0)
		return -1;
	v->read = true;
	return 0;
}

static const struct net_link *by_index(const struct view *v, int index)
{
	for (size_t i = 0; i < v->n_links; i++)
		if (v->links[i].index == index)
			return &v->links[i];
	return NULL;
}

static int number_of(struct views *all, struct view *v, size_t other, int *number, struct err *err)
{
	if (!v->numbers) {
		v->numbers = xcalloc(all->n, sizeof *v->numbers);
		for (size_t i = 0; i < all->n; i++)
			v->numbers[i] = NOT_ASKED;
	}
	if (v->numbers[other] == NOT_ASKED && net_api(NULL)->nsid(v->place, all->views[other].place, &v->numbers[other], err) < 0)
		return -1;
	*number = v->numbers[other];
	return 0;
}

/* The other end of the link L of the view V: its view and link, or NULL when it is none of the session's. 0 or -1. */
static int find_peer(struct views *all, struct view *v, const struct net_link *l, const struct view **where, const struct net_link **peer,
		     struct err *err)
{
	*where = NULL;
	*peer = NULL;
	if (!l->peer || !streq(l->kind, "veth"))
		return 0;
	if (l->peer_ns < 0) {
		/* A net namespace that is being cleared has no number any more, and is then not to be told from this one. */
		if (read_view(v, err) < 0)
			return -1;
		*peer = by_index(v, l->peer);
		*peer = *peer && (*peer)->peer == l->index ? *peer : NULL;
		*where = *peer ? v : NULL;
		return 0;
	}
	for (size_t i = 0; i < all->n; i++) {
		int number;
		if (&all->views[i] == v)
			continue;
		if (number_of(all, v, i, &number, err) < 0)
			return -1;
		if (number != l->peer_ns)
			continue;
		if (read_view(&all->views[i], err) < 0)
			return -1;
		*where = &all->views[i];
		*peer = by_index(*where, l->peer);
		return 0;
	}
	return 0;
}

/* ---- what is ours on the host ---- */

char *network_ledger_line(const char *name, int index)
{
	return xasprintf("link %s %d", name, index);
}

int network_choose_index(void)
{
	unsigned n = 0;

	if (getrandom(&n, sizeof n, 0) != sizeof n)
		n = (unsigned)getpid();
	/* Far above what the kernel counts up to, so that it meets nobody else's. */
	return (int)(1u << 24 | n >> 6);
}

/* Does the session's ledger say that it made this link? */
static bool in_ledger(const struct session *s, const struct net_link *l)
{
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_free_ char *path = s->store ? xasprintf("%s/ledger", s->store->dir) : NULL;
	_cleanup_free_ char *line = network_ledger_line(l->name, l->index);
	bool noted = false;

	if (!path || io_slurp(AT_FDCWD, path, LEDGER_LIMIT, &text) < 0)
		return false;
	for (char *at = text.data, *end; at && (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		if (streq(at, line))
			noted = true;
		else if (starts_with(at, "- ") && streq(at + 2, line))
			noted = false;
	}
	return noted;
}

static int is_own(const struct session *s, struct views *all, struct view *host, const struct net_link *l, struct err *err)
{
	const struct view *where;
	const struct net_link *peer;

	if (find_peer(all, host, l, &where, &peer, err) < 0)
		return -1;
	return (where && where != host) || in_ledger(s, l);
}

int network_find_own(struct session *s, const char *name, struct net_link *link, struct err *err)
{
	_cleanup_(close_views) struct views all = { 0 };
	int found = network_find(s, &s->host, name, link, err);

	/* What is only planned is ours, and has no number yet. */
	if (found <= 0 || link->index == 0)
		return found;
	open_views(&all, s);
	return is_own(s, &all, &all.views[all.n - 1], link, err);
}

int network_taken(struct session *s, struct place *p, const char *name, struct err *err)
{
	struct net_link link;
	struct err none = { 0 };

	err_set(err, EEXIST, "%s: there is a link %s already", p->name, name);
	if (p == &s->host)
		err_why(err, network_find_own(s, name, &link, &none) > 0 ? "this session made it" : "this session did not make it, and leaves it alone");
	return -1;
}

int network_stale(struct session *s, struct place *p, const struct net_link *link, struct err *err)
{
	_cleanup_(close_views) struct views all = { 0 };
	const struct view *where = NULL;
	const struct net_link *peer;

	if (!link->index || !streq(link->kind, "veth") || (p == &s->host && !in_ledger(s, link)))
		return 0;
	open_views(&all, s);
	for (size_t i = 0; i < all.n; i++)
		if (all.views[i].place == p && find_peer(&all, &all.views[i], link, &where, &peer, err) < 0)
			return -1;
	return !where;
}

/* ---- the table ---- */

static char *addresses_of(const struct view *v, int index)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < v->n_addrs; i++)
		if (v->addrs[i].index == index && !v->addrs[i].automatic)
			buf_fmt(&text, "%s%s", text.len ? " " : "", v->addrs[i].cidr);
	return text.len ? buf_take(&text) : xstrdup("");
}

static int add_row(struct views *all, struct view *v, const struct net_link *l, struct network_row *row, struct err *err)
{
	const struct net_link *peer, *bridge = l->master ? by_index(v, l->master) : NULL;
	const struct view *where;

	row->where = v->name;
	row->link = *l;
	row->addresses = addresses_of(v, l->index);
	row->bridge = bridge ? xstrdup(bridge->name) : NULL;
	if (find_peer(all, v, l, &where, &peer, err) < 0)
		return -1;
	if (peer)
		row->peer = xasprintf("%s:%s", where->name, peer->name);
	return 0;
}

static int add_rows(struct session *s, struct views *all, struct view *v, struct network_row **rows, size_t *n, struct err *err)
{
	if (read_view(v, err) < 0)
		return -1;
	for (size_t i = 0; i < v->n_links; i++) {
		const struct net_link *l = &v->links[i];
		int own = 1;
		if (l->index == 1 && !l->kind[0])
			continue;
		if (v->place == &s->host && (own = is_own(s, all, v, l, err)) < 0)
			return -1;
		if (own && add_row(all, v, l, GROW(rows, n), err) < 0)
			return -1;
	}
	return 0;
}

int network_links(struct session *s, const char *of, struct network_row **rows, size_t *n, struct err *err)
{
	_cleanup_(close_views) struct views all = { 0 };
	bool found = false;

	*rows = NULL;
	*n = 0;
	open_views(&all, s);
	for (size_t i = 0; i < all.n; i++) {
		if (!streq(of, "all") && !streq(of, all.views[i].name))
			continue;
		found = true;
		if (add_rows(s, &all, &all.views[i], rows, n, err) < 0) {
			network_free_rows(*rows, *n);
			return -1;
		}
	}
	if (found || streq(of, "all") || streq(of, "lab") || s->gate.dry)
		return 0;
	err_set(err, EINVAL, "%s: no network namespace of its own", of);
	return err_try(err, "unshare net, or links all");
}

void network_free_rows(struct network_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].addresses);
		free(rows[i].peer);
		free(rows[i].bridge);
	}
	free(rows);
}
