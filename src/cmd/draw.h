/*
 * draw.h - a network graph as text, DOT, SVG and JSON
 *
 * Names of links come from inside sandboxes; each form has its own way of making them harmless.
 */
#ifndef CMD_DRAW_H
#define CMD_DRAW_H

#include <stdio.h>

#include "sandbox/network_graph.h"

void draw_text(const struct graph *g, FILE *out);
void draw_dot(const struct graph *g, FILE *out);     /* for graphviz */
void draw_svg(const struct graph *g, FILE *out);     /* complete by itself: nothing is loaded by who shows it */
void draw_json(const struct graph *g, FILE *out);

#endif
