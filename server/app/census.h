/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the live peers are on two maps: what an operator is told of a map before it comes into force.
 *
 * All peers of the swarms are walked in slices (swarm_peers()), and of each slice the addresses are copied
 * under the lock of its shard and looked up behind it, so that no announce waits for more than a copy of
 * SWARM_SLICE records or so. Addresses stay in this function's memory; what comes out are counts by pairs
 * of places.
 */

#include "common/map/replay.h"
#include "common/swarm/swarm.h"
#include "server/geo/geo.h"

struct census {
	struct swarm_store *swarms;
	unsigned shards;
	const struct geo *geo;
};

/* `ctx` is the census. Any thread; `before` may be NULL. ERR_NOMEM. */
enum err census_take(void *ctx, const struct map_snapshot *before, const struct map_snapshot *after,
                     struct replay *out) must_check;
