/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who comes, when, and with which line: drawn once from a scenario's seed, so that all policies are
 * tried on the same people.
 *
 * Ownership: population_done(). Threading: immutable once drawn.
 */

#include "tools/p4psim/network.h"
#include "tools/p4psim/scenario.h"

struct person {
	uint32_t site, swarm;
	double up_bps, down_bps;
	double delay_ms;                 /* of its line, one way */
	double arrives, stays, patience; /* seconds; `stays` and `patience` may be INFINITY */
	bool seed;
	bool unreachable; /* takes no connection, but makes them: behind a NAT */
	uint32_t number;  /* among all, before they were sorted: no two are equal */
};

struct population {
	uint32_t *places; /* of the sites */
	size_t n_sites;
	struct person *people; /* by arrival; of those who come together first the seeds */
	size_t n, n_seeds;
};

/* ERR_MALFORMED (unknown PIDs, no access speed): see `faults`. ERR_NOMEM. */
enum err population_draw(struct population *p, const struct scenario *s,
                         const struct map_snapshot *map, struct faults *faults) must_check;
void population_done(struct population *p);
