/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/live_peers.h"

#include "common/map/snapshot.h"

#include <string.h>

struct counting {
	const struct map_snapshot *map;
	uint32_t provider; /* NO_PROVIDER: none of the map */
	struct maps_peers found;
};

static void count(void *ctx, const struct ip_addr *addr, uint16_t port)
{
	struct counting *c = ctx;
	(void)port;
	const struct map_place place = snapshot_place(c->map, snapshot_locate(c->map, addr));
	c->found.nobodys += place.provider == NO_PROVIDER;
	c->found.own += place.provider != NO_PROVIDER && place.provider == c->provider;
}

static uint32_t provider_index(const struct map_snapshot *map, const char *name)
{
	const size_t n = map != NULL ? snapshot_counts(map).providers : 0;
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(snapshot_provider_name(map, i), name) == 0)
			return i;
	return NO_PROVIDER;
}

void live_peers_count(void *ctx, const char *provider, struct maps_peers *out)
{
	const struct live_peers *live = ctx;
	struct map_lease lease = { 0 };
	struct swarm_sweep walk = { 0 };
	struct counting c = { .map = map_renew(live->office, &lease) };
	c.provider = provider_index(c.map, provider);
	while (walk.shards < live->shards)
		swarm_peers(live->swarms, &walk, count, &c);
	map_end(&lease);
	*out = c.found;
}
