/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/live_peers.h"

#include "common/ip/lpm.h"
#include "common/map/snapshot.h"

#include <string.h>

struct counting {
	const struct map_snapshot *map;
	const struct lpm *former;
	const char *provider;
	struct maps_peers found;
};

static bool is_in(const struct counting *c, const struct ip_addr *addr)
{
	if (c->map == NULL)
		return false;
	const uint32_t provider = snapshot_place(c->map, snapshot_locate(c->map, addr)).provider;
	return provider != NO_PROVIDER &&
	       strcmp(snapshot_provider_name(c->map, provider), c->provider) == 0;
}

static void count(void *ctx, const struct ip_addr *addr, uint16_t port)
{
	struct counting *c = ctx;
	(void)port; /* who is hidden because of the new map is lost, too */
	if (lpm_find(c->former, addr) == 0)
		return;
	c->found.all++;
	c->found.lost += !is_in(c, addr);
}

void live_peers_count(void *ctx, const char *provider, const struct lpm *former,
                      struct maps_peers *out)
{
	const struct live_peers *live = ctx;
	struct map_lease lease = { 0 };
	struct swarm_sweep walk = { 0 };
	struct counting c = { .map = map_renew(live->office, &lease),
		              .former = former,
		              .provider = provider };
	while (walk.shards < live->shards)
		swarm_peers(live->swarms, &walk, count, &c);
	map_end(&lease);
	*out = c.found;
}
