/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Live prices in a simulation: after each bin those of all links and interconnects follow what crossed them
 * (common/steer/prices.h), as p4pd's do.
 *
 * Ownership: pricing_done(). Threading: one thread.
 */

#include "common/steer/prices.h"
#include "tools/p4psim/outcome.h"

struct pricing {
	const struct network *network;
	const struct scenario *scenario;
	struct prices_edge
		*edges; /* the network's segments, two in one: links, then interconnects */
	struct prices_state *states;
	struct map_crossing *prices;
	size_t n, n_links;
	struct map_snapshot *map; /* at the prices in force; NULL: as documented */
};

enum err pricing_init(struct pricing *p, const struct network *n,
                      const struct scenario *s) must_check;
void pricing_done(struct pricing *p);

/* Takes account of the bin that was closed last. p->map is another one then. ERR_NOMEM. */
enum err pricing_follow(struct pricing *p, const struct outcome *o) must_check;
