/*
 * draw.c - a network graph as text, DOT, SVG and JSON
 *
 * The picture is laid out in layers: each connected part begins with the bridge (or node) that has most cables, below it stand the nodes one
 * cable away, and so on; a layer that is too wide goes on in the next row. So a bridge stands above its sandboxes, and a line of routers is a line.
 */
#include "config.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/draw.h"

/* ---- what is said of a link ---- */

static const char *state_of(const struct network_row *row)
{
	return !row->link.up ? "down" : row->link.carrier ? "" : "no carrier";
}

/* "eth0 10.0.0.2/24 fd00::2/64", with its kind when that is not the usual one and its state when it is not up. */
static char *describe(const struct network_row *row)
{
	struct buf b = { 0 };

	buf_visible(&b, row->link.name);
	if (!streq(row->link.kind, "veth") && !streq(row->link.kind, "bridge") && row->link.kind[0])
		buf_fmt(&b, " (%s)", row->link.kind);
	if (row->addresses[0])
		buf_fmt(&b, " %s", row->addresses);
	if (state_of(row)[0])
		buf_fmt(&b, " %s", state_of(row));
	return buf_take(&b);
}

static const char *kind_word(const struct graph_node *node)
{
	return node->kind == GRAPH_BRIDGE ? "bridge" : node->kind == GRAPH_HOST ? node->id : "sandbox";
}

/* ---- text ---- */

/* The edges that end at the node, as the far end of each and the near one. */
static size_t ends_at(const struct graph *g, size_t node, const struct graph_end **far)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_edges; i++) {
		if (g->edges[i].a.node == node && g->edges[i].a.port)
			far[n++] = &g->edges[i].b;
		else if (g->edges[i].b.node == node && g->edges[i].b.port)
			far[n++] = &g->edges[i].a;
	}
	return n;
}

static void text_bridge(const struct graph *g, size_t which, FILE *out)
{
	const struct graph_node *node = &g->nodes[which];
	_cleanup_free_ const struct graph_end **far = xcalloc(g->n_edges + 1, sizeof *far);
	_cleanup_free_ char *self = describe(node->bridge);
	size_t n = ends_at(g, which, far), widest = 0;

	fprintf(out, "%s, bridge in %s%s\n", self, streq(node->bridge->where, "lab") ? "the " : "", node->bridge->where);
	for (size_t i = 0; i < n; i++)
		if (strlen(g->nodes[far[i]->node].name) > widest)
			widest = strlen(g->nodes[far[i]->node].name);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *link = describe(far[i]->row);
		fprintf(out, "%s-- %-*s %s\n", i + 1 < n + node->n_links ? "|" : "`", (int)widest, g->nodes[far[i]->node].name, link);
	}
	for (size_t i = 0; i < node->n_links; i++) {
		_cleanup_free_ char *link = describe(node->links[i]);
		fprintf(out, "%s-- %s\n", i + 1 < node->n_links ? "|" : "`", link);
	}
}

static void text_cables(const struct graph *g, FILE *out)
{
	for (size_t i = 0; i < g->n_edges; i++) {
		const struct graph_edge *e = &g->edges[i];
		_cleanup_free_ char *a = describe(e->a.row), *b = describe(e->b.row);
		if (!e->a.port && !e->b.port)
			fprintf(out, "%s:%s --- %s:%s\n", g->nodes[e->a.node].id, a, g->nodes[e->b.node].id, b);
	}
}

/* Links without another end that is known here; a node without any link is said too. */
static void text_rest(const struct graph *g, const struct graph_node *node, FILE *out)
{
	if (node->kind != GRAPH_BRIDGE && node->n_links == 0)
		fprintf(out, "%s: no links\n", node->id);
	for (size_t i = 0; i < node->n_links && node->kind != GRAPH_BRIDGE; i++) {
		_cleanup_free_ char *link = describe(node->links[i]);
		bool drawn = false;
		for (size_t k = 0; k < g->n_edges; k++)
			drawn = drawn || g->edges[k].a.row == node->links[i] || g->edges[k].b.row == node->links[i];
		if (!drawn)
			fprintf(out, "%s:%s\n", node->id, link);
	}
}

void draw_text(const struct graph *g, FILE *out)
{
	for (size_t i = 0; i < g->n_nodes; i++)
		if (g->nodes[i].kind == GRAPH_BRIDGE)
			text_bridge(g, i, out);
	text_cables(g, out);
	for (size_t i = 0; i < g->n_nodes; i++)
		text_rest(g, &g->nodes[i], out);
}

/* ---- DOT ---- */

static void dot_string(FILE *out, const char *text)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_visible(&b, text);
	for (const char *c = buf_text(&b); *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		fputc(*c, out);
	}
}

static void dot_node(const struct graph_node *node, FILE *out)
{
	fputs("  \"", out);
	dot_string(out, node->id);
	fputs("\" [label=\"", out);
	dot_string(out, node->name);
	if (node->bridge && node->bridge->addresses[0]) {
		fputs("\\n", out);
		dot_string(out, node->bridge->addresses);
	}
	for (size_t i = 0; i < node->n_links; i++) {
		_cleanup_free_ char *link = describe(node->links[i]);
		fputs("\\n", out);
		dot_string(out, link);
	}
	fprintf(out, "\"%s];\n", node->kind == GRAPH_BRIDGE ? ", shape=ellipse" : node->kind == GRAPH_HOST ? ", style=dashed" : "");
}

static void dot_edge(const struct graph *g, const struct graph_edge *e, FILE *out)
{
	fputs("  \"", out);
	dot_string(out, g->nodes[e->a.node].id);
	fputs("\" -- \"", out);
	dot_string(out, g->nodes[e->b.node].id);
	fputs("\" [taillabel=\"", out);
	dot_string(out, e->a.row->link.name);
	fputs("\", headlabel=\"", out);
	dot_string(out, e->b.row->link.name);
	fprintf(out, "\"%s];\n", e->up ? "" : ", style=dashed");
}

void draw_dot(const struct graph *g, FILE *out)
{
	fputs("graph belljar {\n  node [shape=box, fontname=\"monospace\"];\n  edge [fontname=\"monospace\", fontsize=9];\n", out);
	for (size_t i = 0; i < g->n_nodes; i++)
		dot_node(&g->nodes[i], out);
	for (size_t i = 0; i < g->n_edges; i++)
		dot_edge(g, &g->edges[i], out);
	fputs("}\n", out);
}

/* ---- SVG: where things stand ---- */

enum { GAP = 30, ROW_GAP = 50, LINE = 16, LETTER = 8, PADDING = 10, WIDEST_ROW = 1400 };

struct box {
	int x, y, w, h;
	size_t layer;          /* 0 = not reached yet; else 1 + cables from the first node of its part */
};

struct layout {
	const struct graph *g;
	struct box *boxes;
	size_t *order;         /* nodes in the order they are reached */
	size_t n_order;
	int width, height;
};

static int columns(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void measure(const struct graph_node *node, struct box *box)
{
	int widest = columns(node->name), lines = 1;

	if (node->bridge && node->bridge->addresses[0]) {
		lines++;
		widest = columns(node->bridge->addresses) > widest ? columns(node->bridge->addresses) : widest;
	}
	for (size_t i = 0; i < node->n_links; i++, lines++) {
		_cleanup_free_ char *link = describe(node->links[i]);
		widest = columns(link) > widest ? columns(link) : widest;
	}
	box->w = widest * LETTER + 2 * PADDING;
	box->h = lines * LINE + PADDING;
}

/* Bridges stand above what is linked to them, and what has most cables above the rest. */
static size_t rank(const struct graph_node *node)
{
	return (node->kind == GRAPH_BRIDGE && node->degree ? (size_t)1 << 32 : 0) + node->degree;
}

/* Reach what is connected with the highest of the nodes that are not reached yet. Returns how many were reached. */
static size_t reach(struct layout *l)
{
	size_t first = l->g->n_nodes, begin = l->n_order;

	for (size_t i = 0; i < l->g->n_nodes; i++)
		if (!l->boxes[i].layer && (first == l->g->n_nodes || rank(&l->g->nodes[i]) > rank(&l->g->nodes[first])))
			first = i;
	if (first == l->g->n_nodes)
		return 0;
	l->boxes[first].layer = 1;
	l->order[l->n_order++] = first;
	for (size_t at = begin; at < l->n_order; at++)
		for (size_t i = 0; i < l->g->n_edges; i++) {
			size_t a = l->g->edges[i].a.node, b = l->g->edges[i].b.node, other = a == l->order[at] ? b : a;
			if ((a != l->order[at] && b != l->order[at]) || l->boxes[other].layer)
				continue;
			l->boxes[other].layer = l->boxes[l->order[at]].layer + 1;
			l->order[l->n_order++] = other;
		}
	return l->n_order - begin;
}

/* Stand the nodes FROM to TO of the order in one row, Y its upper edge. Its height. */
static int stand_row(struct layout *l, size_t from, size_t to, int y)
{
	int x = GAP, high = 0;

	for (size_t i = from; i < to; i++) {
		struct box *box = &l->boxes[l->order[i]];
		box->x = x;
		box->y = y;
		x += box->w + GAP;
		high = box->h > high ? box->h : high;
	}
	l->width = x > l->width ? x : l->width;
	return high;
}

/* Rows are centred when the widest is known. */
static void centre_rows(struct layout *l)
{
	for (size_t from = 0, to; from < l->n_order; from = to) {
		int y = l->boxes[l->order[from]].y;
		for (to = from; to < l->n_order && l->boxes[l->order[to]].y == y; to++)
			;
		const struct box *last = &l->boxes[l->order[to - 1]];
		int shift = (l->width - GAP - last->x - last->w) / 2;
		for (size_t i = from; i < to; i++)
			l->boxes[l->order[i]].x += shift;
	}
}

static void lay_out(struct layout *l)
{
	int y = GAP;

	for (size_t i = 0; i < l->g->n_nodes; i++)
		measure(&l->g->nodes[i], &l->boxes[i]);
	for (size_t n, from = 0; (n = reach(l)) > 0;)
		for (size_t end = from + n, to; from < end; from = to) {
			int wide = 0;
			for (to = from; to < end; to++) {
				const struct box *box = &l->boxes[l->order[to]];
				wide += box->w + GAP;
				if (to > from && (box->layer != l->boxes[l->order[from]].layer || wide > WIDEST_ROW))
					break;
			}
			y += stand_row(l, from, to, y) + ROW_GAP;
		}
	centre_rows(l);
	l->height = y - (l->n_order ? ROW_GAP : 0) + GAP;
}

/* ---- SVG: drawing ---- */

static void xml_text(FILE *out, const char *text)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_visible(&b, text);
	for (const char *c = buf_text(&b); *c; c++)
		switch (*c) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&quot;", out); break;
		default: fputc(*c, out);
		}
}

static void svg_line(FILE *out, const char *class, int x, int y, const char *text)
{
	fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
	xml_text(out, text);
	fputs("</text>\n", out);
}

static void svg_edge(const struct layout *l, const struct graph_edge *e, FILE *out)
{
	const struct box *a = &l->boxes[e->a.node], *b = &l->boxes[e->b.node];
	int ax = a->x + a->w / 2, ay = a->y + a->h / 2, bx = b->x + b->w / 2, by = b->y + b->h / 2;
	/* Of a link to a bridge the end inside tells more: it is the name the sandbox knows. */
	_cleanup_free_ char *label = e->a.port	 ? xstrdup(e->b.row->link.name)
				     : e->b.port ? xstrdup(e->a.row->link.name)
						 : xasprintf("%s - %s", e->a.row->link.name, e->b.row->link.name);

	fprintf(out, "<line%s x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", e->up ? "" : " class=\"down\"", ax, ay, bx, by);
	svg_line(out, "cable", (ax + bx) / 2, (ay + by) / 2, label);
}

static void svg_node(const struct graph_node *node, const struct box *box, FILE *out)
{
	int middle = box->x + box->w / 2, y = box->y + LINE;

	fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n", kind_word(node), box->x, box->y, box->w,
		box->h, node->kind == GRAPH_BRIDGE ? 12 : 3);
	svg_line(out, "name", middle, y, node->name);
	if (node->bridge && node->bridge->addresses[0])
		svg_line(out, "link", middle, y += LINE, node->bridge->addresses);
	for (size_t i = 0; i < node->n_links; i++) {
		_cleanup_free_ char *link = describe(node->links[i]);
		svg_line(out, "link", middle, y += LINE, link);
	}
}

void draw_svg(const struct graph *g, FILE *out)
{
	static const char style[] =
		"text { font: 12px monospace; text-anchor: middle; fill: #222 }\n.name { font-weight: bold }\n"
		".cable { font-size: 10px; fill: #666; stroke: #fff; stroke-width: 3px; paint-order: stroke }\n"
		"line { stroke: #446; stroke-width: 1.5 }\nline.down { stroke: #b44; stroke-dasharray: 5 4 }\n"
		"rect { fill: #fff; stroke: #446; stroke-width: 1.5 }\n.bridge { fill: #e6eefb }\n.host, .lab { fill: #eee; stroke-dasharray: 5 3 }\n";
	_cleanup_free_ struct box *boxes = xcalloc(g->n_nodes + 1, sizeof *boxes);
	_cleanup_free_ size_t *order = xcalloc(g->n_nodes + 1, sizeof *order);
	struct layout l = { .g = g, .boxes = boxes, .order = order, .width = 2 * GAP };

	lay_out(&l);
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<style>\n%s</style>\n",
		l.width, l.height, l.width, l.height, style);
	for (size_t i = 0; i < g->n_edges; i++)
		svg_edge(&l, &g->edges[i], out);
	for (size_t i = 0; i < g->n_nodes; i++)
		svg_node(&g->nodes[i], &boxes[i], out);
	fputs("</svg>\n", out);
}

/* ---- JSON ---- */

static void json_link(struct json *j, const struct network_row *row)
{
	json_open(j, '{');
	json_key(j, "link");
	json_str(j, row->link.name);
	json_key(j, "kind");
	json_str(j, row->link.kind);
	json_key(j, "up");
	json_bool(j, row->link.up);
	json_key(j, "addresses");
	json_words(j, row->addresses);
	json_close(j, '}');
}

static void json_node(struct json *j, const struct graph_node *node)
{
	json_open(j, '{');
	json_key(j, "id");
	json_str(j, node->id);
	json_key(j, "kind");
	json_str(j, kind_word(node));
	json_key(j, "addresses");
	json_words(j, node->bridge ? node->bridge->addresses : "");
	json_key(j, "links");
	json_open(j, '[');
	for (size_t i = 0; i < node->n_links; i++)
		json_link(j, node->links[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void json_end(struct json *j, const struct graph *g, const struct graph_end *end, const char *node, const char *link)
{
	json_key(j, node);
	json_str(j, g->nodes[end->node].id);
	json_key(j, link);
	json_str(j, end->row->link.name);
}

void draw_json(const struct graph *g, FILE *out)
{
	struct json j = { .out = out };

	json_open(&j, '{');
	json_key(&j, "nodes");
	json_open(&j, '[');
	for (size_t i = 0; i < g->n_nodes; i++)
		json_node(&j, &g->nodes[i]);
	json_close(&j, ']');
	json_key(&j, "edges");
	json_open(&j, '[');
	for (size_t i = 0; i < g->n_edges; i++) {
		json_open(&j, '{');
		json_end(&j, g, &g->edges[i].a, "from", "from_link");
		json_end(&j, g, &g->edges[i].b, "to", "to_link");
		json_key(&j, "up");
		json_bool(&j, g->edges[i].up);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}
