/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/distance.h"

#include "common/map/document.h"

#include <stdlib.h>

/*
 * Every way out of a PID goes over one of its neighbours, so its row is the least of theirs, each one
 * link longer. Rows of PIDs with few links are made so, as long as no two of them are neighbours;
 * Dijkstra is left for the others. In a network of access PIDs that hang from routers, those are the
 * routers.
 */

#define FAR UINT32_MAX /* not reached */

enum { FEW_WAYS = 8 }; /* each costs as much as a thirtieth of Dijkstra's walk, or so */

struct way {
	uint32_t to, weight, link;
};

struct event {
	uint32_t distance, pid;
};

struct distance_graph {
	uint32_t n;
	size_t *first;      /* the ways out of PID i are ways[first[i]] .. ways[first[i + 1]] */
	struct way *ways;   /* two for each link */
	struct event *heap; /* a PID stands in it once for each way that improved it */
	size_t n_heap, heap_room;
	bool *derived; /* by PID: its row is made from its neighbours' */
};

static void graph_done(struct distance_graph *g)
{
	free(g->first);
	free(g->ways);
	free(g->heap);
	free(g->derived);
}

static enum err graph_init(struct distance_graph *g, const struct distance_link *links,
                           size_t n_links, uint32_t n)
{
	*g = (struct distance_graph){ .n = n, .heap_room = 2 * n_links + 1 };
	g->first = calloc((size_t)n + 2, sizeof(*g->first));
	g->ways = malloc((2 * n_links + 1) * sizeof(*g->ways));
	g->heap = malloc(g->heap_room * sizeof(*g->heap));
	g->derived = calloc((size_t)n + 1, sizeof(*g->derived));
	if (g->first == NULL || g->ways == NULL || g->heap == NULL || g->derived == NULL) {
		graph_done(g);
		return ERR_NOMEM;
	}
	/* Counts go one place up, so that filling leaves first[i] where PID i begins. */
	for (size_t i = 0; i < n_links; i++) {
		g->first[links[i].a + 2]++;
		g->first[links[i].b + 2]++;
	}
	for (size_t i = 2; i <= (size_t)n + 1; i++)
		g->first[i] += g->first[i - 1];
	for (size_t i = 0; i < n_links; i++) {
		const struct distance_link *l = &links[i];
		const uint32_t weight = l->weight < MAP_COST_MAX ? l->weight : MAP_COST_MAX;
		g->ways[g->first[l->a + 1]++] = (struct way){ l->b, weight, (uint32_t)i };
		g->ways[g->first[l->b + 1]++] = (struct way){ l->a, weight, (uint32_t)i };
	}
	return ERR_OK;
}

static void heap_add(struct distance_graph *g, struct event e)
{
	must(g->n_heap < g->heap_room);
	size_t i = g->n_heap++;
	for (; i > 0 && g->heap[(i - 1) / 2].distance > e.distance; i = (i - 1) / 2)
		g->heap[i] = g->heap[(i - 1) / 2];
	g->heap[i] = e;
}

static struct event heap_take(struct distance_graph *g)
{
	const struct event top = g->heap[0], last = g->heap[--g->n_heap];
	size_t i = 0;
	for (size_t child = 1; child < g->n_heap; child = 2 * i + 1) {
		if (child + 1 < g->n_heap && g->heap[child + 1].distance < g->heap[child].distance)
			child++;
		if (g->heap[child].distance >= last.distance)
			break;
		g->heap[i] = g->heap[child];
		i = child;
	}
	g->heap[i] = last;
	return top;
}

/* `tree` may be NULL. */
static void from_one(struct distance_graph *g, uint32_t source, uint32_t *distance,
                     struct distance_tree *tree)
{
	for (uint32_t i = 0; i < g->n; i++)
		distance[i] = FAR;
	distance[source] = 0;
	heap_add(g, (struct event){ 0, source });
	while (g->n_heap > 0) {
		const struct event e = heap_take(g);
		if (e.distance > distance[e.pid])
			continue; /* improved since */
		if (tree != NULL)
			tree->order[tree->reached++] = e.pid;
		for (size_t i = g->first[e.pid]; i < g->first[e.pid + 1]; i++) {
			const struct way *w = &g->ways[i];
			uint32_t d = e.distance + w->weight;
			d = d < MAP_COST_MAX ? d : MAP_COST_MAX;
			if (d < distance[w->to]) {
				distance[w->to] = d;
				if (tree != NULL)
					tree->steps[w->to] =
						(struct distance_step){ e.pid, w->link };
				heap_add(g, (struct event){ d, w->to });
			}
		}
	}
}

/* Those with the fewest ways first: they are the cheapest, and in the way of the fewest others. */
static void choose_derived(struct distance_graph *g)
{
	for (size_t ways = 0; ways <= FEW_WAYS; ways++)
		for (uint32_t pid = 0; pid < g->n; pid++) {
			bool fits = g->first[pid + 1] - g->first[pid] == ways;
			for (size_t i = g->first[pid]; fits && i < g->first[pid + 1]; i++)
				fits = !g->derived[g->ways[i].to];
			g->derived[pid] |= fits;
		}
}

static void from_neighbours(const struct distance_graph *g, uint32_t source, uint32_t *all)
{
	uint32_t *distance = all + (size_t)source * g->n;
	for (uint32_t i = 0; i < g->n; i++)
		distance[i] = FAR;
	for (size_t k = g->first[source]; k < g->first[source + 1]; k++) {
		const struct way w = g->ways[k];
		const uint32_t *further = all + (size_t)w.to * g->n;
		for (uint32_t i = 0; i < g->n; i++) {
			uint32_t d = further[i] + w.weight;
			d = d < MAP_COST_MAX ? d : MAP_COST_MAX;
			d = further[i] == FAR ? FAR : d;
			distance[i] = d < distance[i] ? d : distance[i];
		}
	}
	distance[source] = 0;
}

enum err distance_all(const struct distance_link *links, size_t n_links, uint32_t n, uint32_t *out)
{
	struct distance_graph g;
	if (graph_init(&g, links, n_links, n) != ERR_OK)
		return ERR_NOMEM;
	choose_derived(&g);
	for (uint32_t source = 0; source < n; source++)
		if (!g.derived[source])
			from_one(&g, source, out + (size_t)source * n, NULL);
	for (uint32_t source = 0; source < n; source++)
		if (g.derived[source])
			from_neighbours(&g, source, out);
	graph_done(&g);

	uint32_t farthest = 1;
	for (size_t i = 0; i < (size_t)n * n; i++)
		if (out[i] != FAR && out[i] > farthest)
			farthest = out[i];
	for (size_t i = 0; i < (size_t)n * n; i++)
		if (out[i] == FAR)
			out[i] = farthest;
	return ERR_OK;
}

/* ---- trees ---- */

enum err distance_tree_init(struct distance_tree *t, const struct distance_link *links,
                            size_t n_links, uint32_t n)
{
	*t = (struct distance_tree){ .graph = malloc(sizeof(*t->graph)) };
	if (t->graph == NULL || graph_init(t->graph, links, n_links, n) != ERR_OK) {
		free(t->graph);
		t->graph = NULL;
		return ERR_NOMEM;
	}
	t->order = malloc(((size_t)n + 1) * sizeof(*t->order));
	t->steps = malloc(((size_t)n + 1) * sizeof(*t->steps));
	t->distance = malloc(((size_t)n + 1) * sizeof(*t->distance));
	if (t->order != NULL && t->steps != NULL && t->distance != NULL)
		return ERR_OK;
	distance_tree_done(t);
	return ERR_NOMEM;
}

void distance_tree_done(struct distance_tree *t)
{
	if (t->graph != NULL)
		graph_done(t->graph);
	free(t->graph);
	free(t->order);
	free(t->steps);
	free(t->distance);
	*t = (struct distance_tree){ 0 };
}

void distance_tree_grow(struct distance_tree *t, uint32_t root)
{
	t->reached = 0;
	for (uint32_t i = 0; i < t->graph->n; i++)
		t->steps[i] = (struct distance_step){ UINT32_MAX, UINT32_MAX };
	from_one(t->graph, root, t->distance, t);
}
