/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sketch_origin nowhere = { 0 };
static const double PI = 3.14159265358979323846, EARTH_KM = 6371;

void graph_init(struct graph *g, struct sketch *s)
{
	*g = (struct graph){ .s = s, .keys = table_new(64) };
	s->full |= g->keys == NULL;
}

void graph_done(struct graph *g)
{
	table_free(g->keys);
	free(g->nodes);
	free(g->edges);
}

/* `list` with room for one more, or as it was and the sketch is full. */
static void *grow(struct sketch *s, void *list, size_t n, size_t *room, size_t each)
{
	if (n < *room || s->full)
		return list;
	const size_t more = 2 * *room + 64;
	void *bigger = realloc(list, more * each);
	s->full = bigger == NULL;
	if (bigger == NULL)
		return list;
	*room = more;
	return bigger;
}

struct graph_node *graph_node(struct graph *g, const char *key, struct sketch_origin from)
{
	g->spare_node = (struct graph_node){ 0 };
	g->nodes = grow(g->s, g->nodes, g->n_nodes, &g->nodes_room, sizeof(*g->nodes));
	if (g->s->full)
		return &g->spare_node;
	const char *copy = sketch_string(g->s, key);
	const enum err e = table_add(g->keys, copy, (uint32_t)g->n_nodes, NULL);
	g->s->full |= e == ERR_NOMEM;
	if (e == ERR_EXISTS)
		sketch_fault(g->s, from, "duplicate",
		             "a node's id must come once, but \"%.60s\" is twice here", key);
	if (e != ERR_OK)
		return &g->spare_node;
	struct graph_node *node = &g->nodes[g->n_nodes++];
	*node = (struct graph_node){ .key = copy, .from = from, .pid = SKETCH_NONE };
	return node;
}

struct graph_edge *graph_edge(struct graph *g, struct sketch_origin from)
{
	g->spare_edge = (struct graph_edge){ 0 };
	g->edges = grow(g->s, g->edges, g->n_edges, &g->edges_room, sizeof(*g->edges));
	if (g->s->full)
		return &g->spare_edge;
	g->edges[g->n_edges] = (struct graph_edge){ .from = from };
	return &g->edges[g->n_edges++];
}

/* ---- edges: both ends there, and not the same ---- */

static bool find_end(struct graph *g, const struct graph_edge *e, const char *key, uint32_t *out)
{
	if (key != NULL && table_find(g->keys, key, out))
		return true;
	sketch_fault(g->s, e->from, "unknown-node",
	             "a link must end at a node, but \"%.60s\" is none", key != NULL ? key : "");
	return false;
}

static void resolve(struct graph *g)
{
	size_t kept = 0, loops = 0;
	for (size_t i = 0; i < g->n_edges; i++) {
		struct graph_edge e = g->edges[i];
		if (!find_end(g, &e, e.a, &e.ends[0]) || !find_end(g, &e, e.b, &e.ends[1]))
			continue;
		if (e.ends[0] == e.ends[1])
			loops++;
		else
			g->edges[kept++] = e;
	}
	g->n_edges = kept;
	if (loops > 0)
		sketch_warn(g->s, nowhere, "loop",
		            "%zu links end where they begin, and are left out", loops);
}

/* ---- the largest part ---- */

static uint32_t part_of(struct graph *g, uint32_t i)
{
	while (g->nodes[i].part != i) {
		g->nodes[i].part = g->nodes[g->nodes[i].part].part; /* shorter for the next one */
		i = g->nodes[i].part;
	}
	return i;
}

/* The root of the largest part; of equal ones, the first. */
static uint32_t largest_part(struct graph *g, size_t *size)
{
	uint32_t best = 0;
	size_t *sizes = calloc(g->n_nodes + 1, sizeof(*sizes));
	g->s->full |= sizes == NULL;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		g->nodes[i].part = i;
	for (size_t i = 0; i < g->n_edges; i++) {
		const uint32_t a = part_of(g, g->edges[i].ends[0]);
		const uint32_t b = part_of(g, g->edges[i].ends[1]);
		g->nodes[a > b ? a : b].part = a > b ? b : a;
	}
	for (uint32_t i = 0; i < g->n_nodes && sizes != NULL; i++)
		sizes[part_of(g, i)]++;
	for (uint32_t i = 0; i < g->n_nodes && sizes != NULL; i++)
		if (sizes[i] > sizes[best])
			best = i;
	*size = sizes != NULL ? sizes[best] : 0;
	free(sizes);
	return best;
}

/* ---- names ---- */

/* `base` cut to make room for a number, until nothing is called so. */
static void number_name(const char *base, unsigned n, char out[static MAP_NAME_MAX + 1])
{
	if (n < 2)
		(void)snprintf(out, MAP_NAME_MAX + 1, "%s", base);
	else
		(void)snprintf(out, MAP_NAME_MAX + 1, "%.*s-%u", MAP_NAME_MAX - 11, base, n);
}

/* Nodes of one label are several: "none", "none-2". */
static void name_nodes(struct graph *g, uint32_t part)
{
	char base[MAP_NAME_MAX + 1], name[MAP_NAME_MAX + 1];
	for (size_t i = 0; i < g->n_nodes; i++) {
		struct graph_node *node = &g->nodes[i];
		if (part_of(g, (uint32_t)i) != part)
			continue;
		sketch_name(node->label != NULL ? node->label : node->key, base);
		unsigned n = 1;
		do
			number_name(base, n++, name);
		while (!g->s->full && sketch_find_pid(g->s, name) != SKETCH_NONE);
		node->pid = sketch_pid(g->s, name);
		if (node->pid != SKETCH_NONE)
			g->s->pid_origins[node->pid] = node->from;
	}
}

/* ---- links ---- */

/* Great-circle kilometres, at least 1; 0: an end has no place. */
static uint32_t kilometres(const struct graph_node *a, const struct graph_node *b)
{
	if (!a->has_x || !a->has_y || !b->has_x || !b->has_y)
		return 0;
	const double rad = PI / 180, dx = (b->x - a->x) * rad, dy = (b->y - a->y) * rad;
	const double half =
		pow(sin(dy / 2), 2) + cos(a->y * rad) * cos(b->y * rad) * pow(sin(dx / 2), 2);
	const double km = 2 * EARTH_KM * asin(sqrt(fmax(0, fmin(1, half))));
	return km < 1 ? 1 : (uint32_t)lround(km);
}

static uint32_t usual_weight(const struct graph *g)
{
	double sum = 0;
	size_t n = 0;
	for (size_t i = 0; i < g->n_edges; i++) {
		const struct graph_edge *e = &g->edges[i];
		const uint32_t km = kilometres(&g->nodes[e->ends[0]], &g->nodes[e->ends[1]]);
		sum += km;
		n += km > 0;
	}
	return n > 0 ? (uint32_t)lround(sum / (double)n) : 1;
}

static void add_link(struct graph *g, struct table *ids, const struct graph_edge *e, uint32_t usual,
                     uint64_t mbps)
{
	const struct graph_node *a = &g->nodes[e->ends[0]], *b = &g->nodes[e->ends[1]];
	char base[MAP_NAME_MAX + 1], id[MAP_NAME_MAX + 1];
	uint32_t there;
	if (a->pid == SKETCH_NONE || b->pid == SKETCH_NONE)
		return;
	(void)snprintf(base, sizeof(base), "%.31s-%.31s", g->s->pids[a->pid].name,
	               g->s->pids[b->pid].name);
	unsigned n = 1;
	do
		number_name(base, n++, id);
	while (table_find(ids, id, &there));
	struct map_link *link = sketch_link(g->s, id, e->from);
	g->s->full |= table_add(ids, link->id != NULL ? link->id : "", 0, NULL) == ERR_NOMEM;
	link->a = g->s->pids[a->pid].name;
	link->b = g->s->pids[b->pid].name;
	const uint32_t km = kilometres(a, b);
	link->weight = e->weight > 0 ? e->weight : km > 0 ? km : usual;
	link->capacity_mbps = mbps > 0 ? mbps
	                      : e->mbps >= 0.5 && e->mbps < MAP_CAPACITY_MAX + 0.5
	                              ? (uint64_t)llround(e->mbps)
	                              : 0;
}

static void add_links(struct graph *g, const struct sketch_ask *ask)
{
	const uint32_t usual = usual_weight(g);
	struct table *ids = table_new(g->n_edges);
	uint64_t mbps = 0;
	if (ask->capacity_mbps != NULL &&
	    (!text_u64(ask->capacity_mbps, strlen(ask->capacity_mbps), &mbps) || mbps == 0 ||
	     mbps > MAP_CAPACITY_MAX))
		sketch_fault(g->s, nowhere, "range",
		             "--capacity-mbps must be a whole number from 1 to %d, not \"%.40s\"",
		             MAP_CAPACITY_MAX, ask->capacity_mbps);
	g->s->full |= ids == NULL;
	for (size_t i = 0; i < g->n_edges && !g->s->full; i++)
		add_link(g, ids, &g->edges[i], usual, mbps);
	table_free(ids);
}

/* ---- what is asked ---- */

/* The `i`th prefix of `length` bits in `net`. */
static struct ip_prefix share(const struct ip_prefix *net, unsigned length, uint32_t i)
{
	struct ip_prefix p = { net->addr, (uint8_t)length };
	for (unsigned bit = length; i > 0 && bit > net->length; i >>= 1)
		if (bit--, i & 1U)
			p.addr.bytes[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	return p;
}

/* Every PID gets as much of --net as each can have, but no more than 256 addresses. */
static void share_out(struct graph *g, const char *text)
{
	struct ip_prefix net;
	unsigned bits = 0;
	size_t n = 0;
	if (!sketch_read_prefix(g->s, nowhere, text, &net))
		return;
	for (size_t i = 0; i < g->n_nodes; i++)
		n += g->nodes[i].pid != SKETCH_NONE;
	while (bits < 32 && (size_t)1 << bits < n)
		bits++;
	const unsigned whole = net.addr.family == IP_V4 ? 32 : 128;
	const unsigned least = net.length + bits;
	if (least > whole) {
		sketch_fault(g->s, nowhere, "range",
		             "--net must have room for %zu nodes, but %.50s has not", n, text);
		return;
	}
	const unsigned length = least > whole - 8 ? least : whole - 8;
	for (size_t i = 0, k = 0; i < g->n_nodes; i++) {
		if (g->nodes[i].pid == SKETCH_NONE)
			continue;
		const struct ip_prefix p = share(&net, length, (uint32_t)k++);
		sketch_prefix(g->s, g->nodes[i].pid, &p, nowhere);
	}
}

static void add_transit(struct graph *g, const struct sketch_ask *ask)
{
	char id[40];
	if (ask->n_transit > 0 && ask->n_neighbors != 1)
		sketch_fault(g->s, nowhere, "asn",
		             "--transit must come with one --neighbor: whose it is");
	for (size_t i = 0; i < ask->n_transit && ask->n_neighbors == 1; i++) {
		const uint32_t pid = sketch_find_pid(g->s, ask->transit[i]);
		if (pid == SKETCH_NONE) {
			sketch_fault(g->s, nowhere, "unknown-pid",
			             "--transit must be a PID of the network, not \"%.64s\"",
			             ask->transit[i]);
			continue;
		}
		(void)snprintf(id, sizeof(id), "transit-%zu", i + 1);
		struct map_interconnect *x = sketch_interconnect(g->s, id, nowhere);
		x->pid = g->s->pids[pid].name;
		x->neighbor_asn = ask->neighbors[0];
		x->relation = RELATION_TRANSIT;
		x->reach = REACH_ANY;
	}
}

void graph_finish(struct graph *g, const struct sketch_ask *ask)
{
	size_t kept;
	if (g->s->full)
		return;
	if (g->n_nodes == 0) {
		sketch_fault(g->s, nowhere, "count", "must have nodes");
		return;
	}
	resolve(g);
	const uint32_t part = largest_part(g, &kept);
	if (kept < g->n_nodes)
		sketch_warn(g->s, nowhere, "disconnected",
		            "%zu of %zu nodes have no link to the others, and are left out",
		            g->n_nodes - kept, g->n_nodes);
	name_nodes(g, part);
	add_links(g, ask);
	if (ask->net != NULL)
		share_out(g, ask->net);
	add_transit(g, ask);
}

uint32_t graph_pid(const struct graph *g, const char *key)
{
	uint32_t i;
	return table_find(g->keys, key, &i) ? g->nodes[i].pid : SKETCH_NONE;
}
