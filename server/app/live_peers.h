/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which peers of this daemon a change of a map has lost. It looks at every peer, a slice under a shard's
 * lock at a time; announces wait for no more than a slice.
 *
 * Threading: any thread.
 */

#include "common/map/publish.h"
#include "common/swarm/swarm.h"
#include "server/maps/maps.h"

struct live_peers {
	struct swarm_store *swarms;
	struct map_office *office;
	unsigned shards;
};

/* `ctx` is a struct live_peers. */
void live_peers_count(void *ctx, const char *provider, const struct lpm *former,
                      struct maps_peers *out);
