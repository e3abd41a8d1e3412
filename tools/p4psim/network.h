/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which links and interconnects the bytes of a pair use.
 *
 * A **site** is a PID that has peers. A **segment** is one direction of a link or of an interconnect.
 * Between two PIDs of a provider bytes take the least link weight (common/map/ways.h); between two
 * providers they leave by the egress that the map books `out` and enter by the one it books `in`, with the
 * least weight to and from those. What no link reaches is crossed without any segment. Interconnects stand
 * in both providers' documents, so both capacities bind.
 *
 * Ownership: network_done(); names are those of the world, which must outlive it. Threading: immutable
 * once built.
 */

#include "tools/p4psim/world.h"

enum { SITES_MAX = 2000 };

struct segment {
	const char *provider, *id;
	bool interconnect;
	bool reverse;          /* link: from its b to its a. Interconnect: in */
	uint64_t capacity_bps; /* 0: not said */
	uint32_t weight;       /* of a link; 0: an interconnect's */
};

struct site {
	uint32_t place;
	uint32_t provider; /* index in the world */
};

struct network {
	const struct world *world;
	struct segment *segments; /* the two directions of a thing follow each other */
	size_t n_segments;
	size_t first_interconnect; /* segment of the map's interconnect 0, out; they are the last */
	struct site *sites;
	size_t n_sites;
	struct network_path {
		uint32_t at, n; /* in `steps` */
		enum map_tier tier;
	} * paths;       /* [from * n_sites + to] */
	uint32_t *steps; /* segments */
	size_t n_steps, room;
};

/* `places` are PIDs of the world's map, none twice. ERR_NOMEM. */
enum err network_build(struct network *n, const struct world *w, const uint32_t *places,
                       size_t n_places) must_check;
void network_done(struct network *n);

static inline const struct network_path *network_path(const struct network *n, uint32_t from,
                                                      uint32_t to)
{
	return &n->paths[from * n->n_sites + to];
}
