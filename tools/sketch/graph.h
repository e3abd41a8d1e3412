/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A network as graphs have it: nodes with places on the globe, edges between them. What every format of
 * graphs has in common: nodes become PIDs, edges links. Private to the readers of such formats.
 *
 * Keys are the file's; an edge may come before its ends. A link that says no weight weighs the kilometres
 * between its ends, or the mean of the others where one has no place. A map is in one piece: what has
 * no way to the largest part is left out, with a warning, as are edges from a node to itself.
 *
 * Ownership: graph_done(). Threading: one thread.
 */

#include "tools/sketch/format.h"

struct graph_node {
	const char *key, *label; /* label NULL: the key */
	double x, y;             /* degrees east and north */
	bool has_x, has_y;
	struct sketch_origin from;
	uint32_t part, pid; /* the graph's own */
};

struct graph_edge {
	const char *a, *b; /* keys */
	double mbps;       /* 0: not said */
	uint32_t weight;   /* 0: not said */
	struct sketch_origin from;
	uint32_t ends[2]; /* the graph's own */
};

struct graph {
	struct sketch *s;
	struct table *keys;
	struct graph_node *nodes;
	struct graph_edge *edges;
	size_t n_nodes, nodes_room, n_edges, edges_room;
	struct graph_node spare_node;
	struct graph_edge spare_edge;
};

void graph_init(struct graph *g, struct sketch *s);
void graph_done(struct graph *g);

/* Zeroed; the caller fills it. Valid until the next one is added; never NULL. */
struct graph_node *graph_node(struct graph *g, const char *key, struct sketch_origin from);
struct graph_edge *graph_edge(struct graph *g, struct sketch_origin from);

/* Into the sketch, with what was asked (--net, --capacity-mbps, --transit). */
void graph_finish(struct graph *g, const struct sketch_ask *ask);

/* The PID of a node, SKETCH_NONE when there is none of that key, or it was left out. After graph_finish(). */
uint32_t graph_pid(const struct graph *g, const char *key);
