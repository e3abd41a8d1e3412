/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/census.h"

#include <stdlib.h>

struct slice {
	struct ip_addr *list;
	size_t n, room;
	bool full; /* no memory for some */
};

static void copy(void *ctx, const struct ip_addr *addr, uint16_t port)
{
	struct slice *s = ctx;
	(void)port;
	if (s->n == s->room) {
		const size_t room = 2 * s->room + 2 * (size_t)SWARM_SLICE;
		struct ip_addr *list = realloc(s->list, room * sizeof(*list));
		s->full = s->full || list == NULL;
		if (list == NULL)
			return;
		s->list = list;
		s->room = room;
	}
	s->list[s->n++] = *addr;
}

/* As an announce is placed (server/tracker/announce.c). */
static uint32_t place(const struct map_snapshot *map, const struct ip_addr *addr, uint32_t asn)
{
	const uint32_t found = snapshot_locate(map, addr);
	return found == PLACE_UNKNOWN && asn != 0 ? snapshot_place_of_asn(map, asn) : found;
}

static enum err locate(const struct census *c, const struct slice *s,
                       const struct map_snapshot *before, const struct map_snapshot *after,
                       struct replay *out)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < s->n; i++) {
		snapshot_prefetch(before, &s->list[i]);
		snapshot_prefetch(after, &s->list[i]);
	}
	for (size_t i = 0; i < s->n && e == ERR_OK; i++) {
		const struct ip_addr *a = &s->list[i];
		const bool stranger = snapshot_locate(before, a) == PLACE_UNKNOWN ||
		                      snapshot_locate(after, a) == PLACE_UNKNOWN;
		const uint32_t asn = stranger ? geo_asn(c->geo, a) : 0;
		e = replay_peers(out, place(before, a, asn), place(after, a, asn), 1);
	}
	return e;
}

enum err census_take(void *ctx, const struct map_snapshot *before, const struct map_snapshot *after,
                     struct replay *out)
{
	const struct census *c = ctx;
	struct slice s = { 0 };
	struct swarm_sweep walk = { 0 };
	enum err e = ERR_OK;
	while (walk.shards < c->shards && e == ERR_OK) {
		s.n = 0;
		swarm_peers(c->swarms, &walk, copy, &s);
		e = s.full ? ERR_NOMEM : locate(c, &s, before, after, out);
	}
	free(s.list);
	return e;
}
