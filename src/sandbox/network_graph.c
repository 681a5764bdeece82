/*
 * network_graph.c - the session's network as nodes and edges, for drawing
 */
#include "config.h"

#include "base/mem.h"
#include "sandbox/network_graph.h"
#include "sandbox/network_list.h"

static struct graph_node *add_node(struct graph *g, char *id, const char *name, int kind)
{
	struct graph_node *node = GROW(&g->nodes, &g->n_nodes);

	node->id = id;
	node->name = name;
	node->kind = kind;
	return node;
}

static void add_nodes(struct graph *g, struct session *s)
{
	_cleanup_free_ struct network_place *places = NULL;
	size_t n;

	for (size_t i = 0; i < g->n_rows; i++) {
		const struct network_row *row = &g->rows[i];
		if (streq(row->link.kind, "bridge"))
			add_node(g, xasprintf("%s:%s", row->where, row->link.name), row->link.name, GRAPH_BRIDGE)->bridge = row;
	}
	network_places(s, &places, &n);
	for (size_t i = 0; i < n; i++)
		if (!streq(places[i].name, "lab") && !streq(places[i].name, "host"))
			add_node(g, xstrdup(places[i].name), places[i].name, GRAPH_SANDBOX);
	/* Links in the lab that are in no bridge have to lie somewhere too. */
	for (size_t i = 0; i < g->n_rows; i++) {
		const struct network_row *row = &g->rows[i];
		bool seen = false;
		if (row->bridge || streq(row->link.kind, "bridge"))
			continue;
		for (size_t k = 0; k < g->n_nodes; k++)
			seen = seen || streq(g->nodes[k].id, row->where);
		if (!seen)
			add_node(g, xstrdup(row->where), row->where, GRAPH_HOST);
	}
}

/* The node a link is drawn at: its bridge if it is a port, else the place it is in. */
static struct graph_node *node_of(struct graph *g, const struct network_row *row)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct graph_node *node = &g->nodes[i];
		if (node->bridge ? streq(node->bridge->where, row->where) && row->bridge && streq(node->name, row->bridge)
				 : !row->bridge && streq(node->id, row->where))
			return node;
	}
	return NULL;
}

static const struct network_row *find_row(const struct graph *g, const char *full)
{
	const char *colon = strchr(full, ':');
	size_t n = colon ? (size_t)(colon - full) : 0;

	for (size_t i = 0; colon && i < g->n_rows; i++)
		if (streq(g->rows[i].link.name, colon + 1) && strlen(g->rows[i].where) == n && strncmp(g->rows[i].where, full, n) == 0)
			return &g->rows[i];
	return NULL;
}

/* Put a link where it is drawn: into its node, and as an edge when its other end is drawn too. */
static void add_link(struct graph *g, const struct network_row *row, struct graph_node *node)
{
	const struct network_row *other = row->peer ? find_row(g, row->peer) : NULL;
	struct graph_node *far = other ? node_of(g, other) : NULL;

	if (!far) {
		*GROW(&node->links, &node->n_links) = row;
		return;
	}
	if (!node->bridge)
		*GROW(&node->links, &node->n_links) = row;
	/* Each cable is met from both of its ends. */
	if (other < row)
		return;
	struct graph_edge *edge = GROW(&g->edges, &g->n_edges);
	edge->a = (struct graph_end){ (size_t)(node - g->nodes), row, node->bridge != NULL };
	edge->b = (struct graph_end){ (size_t)(far - g->nodes), other, far->bridge != NULL };
	edge->up = row->link.up && other->link.up;
	node->degree++;
	far->degree++;
}

int network_graph(struct session *s, struct graph *g, struct err *err)
{
	*g = (struct graph){ 0 };
	if (network_links(s, "all", &g->rows, &g->n_rows, err) < 0) {
		*g = (struct graph){ 0 };
		return -1;
	}
	add_nodes(g, s);
	for (size_t i = 0; i < g->n_rows; i++) {
		struct graph_node *node = streq(g->rows[i].link.kind, "bridge") ? NULL : node_of(g, &g->rows[i]);
		if (node)
			add_link(g, &g->rows[i], node);
	}
	return 0;
}

void network_graph_free(struct graph *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		free(g->nodes[i].id);
		free(g->nodes[i].links);
	}
	free(g->nodes);
	free(g->edges);
	network_free_rows(g->rows, g->n_rows);
}
