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
 * Where there are costs, they come first: PIDs are merged whose costs differ least, link weight decides among
 * equals, and who has costs to others needs no link. A PID that has neither these nor prefixes differs from
 * none. A cost of what comes of it is the mean of those that become one, weighted by addresses; what the
 * document says of no member stays unsaid.
 *
 * Method: agglomerative clustering with complete linkage (the nearest two become one, as far from others as
 * the farther of them, and their costs as different as those of the more different), so that no PID is ever
 * far from those it shares a name with; each keeps the name of the member with most addresses.
 *
 * Ownership: coarse_done(); names are those of the topology, which must outlive it and the sketch, and so
 * must the costs. Pure.
 */

#include "tools/sketch/cost_matrix.h"
#include "tools/sketch/sketch.h"

struct coarse_ask {
	size_t want;                   /* so many PIDs */
	const struct map_costs *costs; /* NULL: none; else they have passed map_costs_check() */
	uint32_t accept;               /* merge none whose costs differ by more (cost_matrix.h) */
};

struct coarse_pid {
	uint32_t of; /* the PID that it becomes; itself: it stands for others, or only for itself */
	size_t members;
	double addresses; /* of all members: IPv4 addresses, and /56s of IPv6, as subscribers get them */
	uint32_t farthest; /* the largest distance between two members, which vanishes */
	uint32_t differ;   /* the most that the costs of two members differ */
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
	const struct map_costs *given; /* NULL: none, and `costs` is empty */
	struct cost_merged costs;      /* between new PIDs, in the order of those that name them */
};

/*
 * As many PIDs as are wanted, or as few as there can be. `t` has passed map_topology_check(). ERR_NOT_FOUND:
 * it has no links, nor costs between PIDs, so that none is near another; ERR_NOMEM. coarse_done() it either
 * way.
 */
enum err coarsen(const struct map_topology *t, const struct coarse_ask *ask,
                 struct coarse *out) must_check;
void coarse_done(struct coarse *c);

/* The coarse topology and its costs as a sketch, its prefixes not yet minimized. What a new PID's members do
 * not agree on (the speeds of subscribers) is left out, with a warning. */
void coarse_draw(const struct map_topology *t, const struct coarse *c, struct sketch *s);
