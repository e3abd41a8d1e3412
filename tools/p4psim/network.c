/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/network.h"

#include "common/map/ways.h"

#include <stdlib.h>

struct building {
	struct network *n;
	struct ways *ways;
};

/* ---- segments ---- */

static void add_segments(struct network *n, struct segment one)
{
	for (unsigned i = 0; i < 2; i++) {
		one.reverse = i > 0;
		n->segments[n->n_segments++] = one;
	}
}

static enum err add_all(struct network *n)
{
	const struct map_snapshot *map = n->world->map;
	const struct map_counts counts = snapshot_counts(map);
	n->segments =
		malloc((2 * (counts.links + counts.interconnects) + 1) * sizeof(*n->segments));
	if (n->segments == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < counts.links; i++) {
		const struct map_link_info info = snapshot_link(map, i);
		add_segments(n, (struct segment){ .provider = info.provider,
		                                  .id = info.id,
		                                  .capacity_bps = info.capacity_mbps * 1000000,
		                                  .weight = info.weight });
	}
	n->first_interconnect = n->n_segments;
	for (uint32_t i = 0; i < counts.interconnects; i++) {
		const struct map_interconnect_info info = snapshot_interconnect(map, i);
		add_segments(n, (struct segment){ .provider = info.provider,
		                                  .id = info.id,
		                                  .interconnect = true,
		                                  .capacity_bps = info.capacity_mbps * 1000000 });
	}
	return ERR_OK;
}

/* ---- paths ---- */

static bool append(struct network *n, struct network_path *p, uint32_t segment)
{
	if (n->n_steps == n->room) {
		const size_t room = 2 * n->room + 1024;
		uint32_t *steps = realloc(n->steps, room * sizeof(*steps));
		if (steps == NULL)
			return false;
		n->steps = steps;
		n->room = room;
	}
	n->steps[n->n_steps++] = segment;
	p->n++;
	return true;
}

/* From one PID of a provider to another; segments of links are numbered as steps of ways. */
static enum err append_way(const struct building *b, struct network_path *p, uint32_t from,
                           uint32_t to)
{
	struct ways_list way;
	enum err e = ways_between(b->ways, from, to, &way);
	for (size_t i = 0; e == ERR_OK && i < way.n; i++)
		e = append(b->n, p, way.steps[i]) ? ERR_OK : ERR_NOMEM;
	return e;
}

/* From a site out of its provider by an interconnect, or in by it and to a site. */
static enum err append_border(const struct building *b, struct network_path *p, uint32_t site,
                              uint32_t interconnect, bool in)
{
	if (interconnect == NO_INTERCONNECT)
		return ERR_OK;
	const uint32_t place = b->n->sites[site].place;
	const uint32_t edge = snapshot_interconnect(b->n->world->map, interconnect).place;
	const size_t segment = b->n->first_interconnect + 2 * (size_t)interconnect + in;
	const enum err e = append_way(b, p, in ? edge : place, in ? place : edge);
	if (e != ERR_OK)
		return e;
	return append(b->n, p, (uint32_t)segment) ? ERR_OK : ERR_NOMEM;
}

static enum err lay_path(const struct building *b, uint32_t from, uint32_t to)
{
	struct network *n = b->n;
	const struct site *a = &n->sites[from], *z = &n->sites[to];
	struct network_path *p = &n->paths[from * n->n_sites + to];
	const struct map_pair pair = snapshot_pair(n->world->map, a->place, z->place);
	*p = (struct network_path){ .at = (uint32_t)n->n_steps, .tier = pair.tier };
	if (a->provider == z->provider)
		return append_way(b, p, a->place, z->place);
	const enum err e = append_border(b, p, from, pair.out, false);
	return e == ERR_OK ? append_border(b, p, to, pair.in, true) : e;
}

static enum err build(struct building *b, const uint32_t *places)
{
	struct network *n = b->n;
	const struct map_snapshot *map = n->world->map;
	enum err e = add_all(n);
	/* Segments of the two directions differ in the last bit. */
	must(n->first_interconnect % 2 == 0);
	for (uint32_t i = 0; i < n->n_sites; i++)
		n->sites[i] = (struct site){ places[i], snapshot_place(map, places[i]).provider };
	for (uint32_t from = 0; from < n->n_sites; from++)
		for (uint32_t to = 0; to < n->n_sites && e == ERR_OK; to++)
			e = lay_path(b, from, to);
	return e;
}

enum err network_build(struct network *n, const struct world *w, const uint32_t *places,
                       size_t n_places)
{
	must(n_places <= SITES_MAX);
	*n = (struct network){ .world = w, .n_sites = n_places };
	struct building b = { .n = n, .ways = ways_new(w->map) };
	n->sites = malloc((n_places + 1) * sizeof(*n->sites));
	n->paths = malloc((n_places * n_places + 1) * sizeof(*n->paths));
	enum err e = ERR_NOMEM;
	if (b.ways != NULL && n->sites != NULL && n->paths != NULL)
		e = build(&b, places);
	ways_free(b.ways);
	if (e != ERR_OK)
		network_done(n);
	return e;
}

void network_done(struct network *n)
{
	free(n->segments);
	free(n->sites);
	free(n->paths);
	free(n->steps);
	*n = (struct network){ 0 };
}
