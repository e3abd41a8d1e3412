/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A smaller set of PIDs for a topology, and what is lost with it.
 *
 * A map of few PIDs can steer better than one of many: in Comcast's trial 22 PIDs beat 1,182 (RFC 5632,
 * section 3), for swarms are too small to have peers in each of a thousand. PIDs are merged that are near in
 * link weight and alike: of the same access, uploads and monthly cap. A PID without prefixes is like all.
 * What no link names is near to nothing and stays.
 *
 * Method: agglomerative clustering with complete linkage (the nearest two become one, as far from others as
 * the farther of them), so that no PID is ever far from those it shares a name with; each keeps the name
 * of the member with most addresses.
 *
 * Ownership: coarse_done(); names are those of the topology, which must outlive it and the sketch. Pure.
 */

#include "tools/sketch/sketch.h"

struct coarse_pid {
	uint32_t of; /* the PID that it becomes; itself: it stands for others, or only for itself */
	size_t members;
	double addresses; /* of all members: IPv4 addresses, and /56s of IPv6, as subscribers get them */
	uint32_t farthest; /* the largest distance between two members, which vanishes */
};

struct coarse {
	struct table *numbers; /* of old PIDs, by name */
	struct coarse_pid
		*pids;     /* of each old PID; all but `of` only of those that stand for others */
	size_t n_pids, n;  /* old ones; new ones */
	size_t links_gone; /* inside new PIDs */
	double moved;      /* share of addresses whose PID gets another name */
	double inside;     /* mean distance to the PID that stands for one, over all addresses */
	double change,
		distance; /* mean change of the distance of two addresses in different new PIDs, and
	                            that distance before; over pairs of PIDs, weighted by addresses */
};

/*
 * `want` PIDs, or as few as there can be. `t` has passed map_topology_check(). ERR_NOT_FOUND: it has no
 * links, so that none is near another; ERR_NOMEM. coarse_done() it either way.
 */
enum err coarsen(const struct map_topology *t, size_t want, struct coarse *out) must_check;
void coarse_done(struct coarse *c);

/* The coarse topology as a sketch, its prefixes not yet minimized. What a new PID's members do not agree
 * on (the speeds of subscribers) is left out, with a warning. */
void coarse_draw(const struct map_topology *t, const struct coarse *c, struct sketch *s);
