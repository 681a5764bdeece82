/*
 * network_graph.h - the session's network as nodes and edges, for drawing
 *
 * A node is a sandbox with a net namespace of its own, a bridge (in the lab, on the host or inside), or the host where the session reaches
 * it. An edge is a pair of links: a cable. Strings may come from inside a sandbox: whoever draws them escapes them.
 */
#ifndef SANDBOX_NETWORK_GRAPH_H
#define SANDBOX_NETWORK_GRAPH_H

#include "sandbox/network.h"

struct graph_end {
	size_t node;
	const struct network_row *row;
	bool port;             /* it is a port of the bridge that the node is */
};

struct graph_node {
	char *id;              /* "web", "host", "lab:br0" */
	const char *name;      /* "web", "host", "br0" */
	enum { GRAPH_SANDBOX, GRAPH_BRIDGE, GRAPH_HOST } kind;
	const struct network_row *bridge;   /* of a bridge: itself */
	const struct network_row **links;   /* links that lie in it and are no bridges; of a bridge: ports without another end here */
	size_t n_links;
	size_t degree;         /* edges that end here */
};

struct graph_edge {
	struct graph_end a, b;
	bool up;               /* both ends are */
};

struct graph {
	struct network_row *rows;   /* what nodes and edges point to */
	size_t n_rows;
	struct graph_node *nodes;   /* bridges first, then sandboxes in the order they were made, the host last */
	size_t n_nodes;
	struct graph_edge *edges;
	size_t n_edges;
};

/* 0, or -1 with err; free with network_graph_free in both cases. */
int network_graph(struct session *s, struct graph *g, struct err *err);
void network_graph_free(struct graph *g);

#endif
