/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The traffic matrix of a closed bin: bytes from place to place, summed over swarms, in the book of each
 * provider that one of the two belongs to; and each provider's swarms.
 *
 * Bounded: of each provider the MATRIX_CELLS largest cells and the MATRIX_SWARMS largest swarms have rows
 * of their own. The others are one row for each direction, interconnect and tier, and one for all
 * swarms, so that what a provider's rows add up to is what its interconnects are booked with. In memory
 * there are at most MATRIX_PAIRS_MAX pairs; what comes after them goes straight to the others,
 * which are added up as they become many.
 *
 * Places are PIDs, ASNs and zones: no address. A zone smaller than a /24 or a /48 is the unknown place
 * here, for it may stand for one subscriber.
 *
 * Cost is in cost units: billions of bytes times what the interconnect's documented cost in their
 * direction is. It is no money.
 *
 * Threading: one thread.
 */

#include "server/accounting/accounting.h"

enum { MATRIX_CELLS = 256, MATRIX_SWARMS = 64, MATRIX_PAIRS_MAX = 1 << 20 };
#define MATRIX_COST_BYTES 1e9

struct matrix;

/* Of a `map` that is NULL nothing is kept. NULL when out of memory. */
struct matrix *matrix_new(const struct map_snapshot *map);
void matrix_free(struct matrix *m); /* NULL is fine */

/* Bytes of the swarm at hand between two places of the map; many at once cost less. ERR_NOMEM. */
struct matrix_bytes {
	uint32_t from, to;
	struct map_pair pair;
	uint64_t bytes;
	double variance; /* bytes^2 */
	bool sure;       /* the swarm is known to be private */
	bool unmet;      /* no contact of ours explains them */
};
enum err matrix_add(struct matrix *m, const struct matrix_bytes *b, size_t n) must_check;

/* Clients (tally_row) of the swarm at hand reported from a place. */
void matrix_clients(struct matrix *m, uint32_t place, uint64_t clients);

/* The swarm at hand is complete; what follows is another's. */
struct matrix_swarm {
	uint64_t swarm;    /* its keyed hash */
	uint64_t up, down; /* as reported */
	bool sure;
};
void matrix_swarm_done(struct matrix *m, const struct matrix_swarm *s);

/* Into the bin. ERR_NOMEM. */
enum err matrix_rows(struct matrix *m, struct accounting_bin *out) must_check;
