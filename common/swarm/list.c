/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/store.h"

#include <string.h>

/* The headers from `walk` on, at most SWARM_LIST_SLICE of them, of one shard, whose lock is held. */
static size_t list_slice(struct swarm_shard *shard, struct swarm_walk *walk, uint8_t first,
                         uint8_t last, struct swarm_row *out)
{
	size_t n = 0;
	for (unsigned i = 0; i < SWARM_LIST_SLICE && walk->number < shard->headers; i++) {
		struct swarm *w = store_header(shard, walk->number++);
		if (w->map_number == HEADER_FREE || w->info_hash[0] < first ||
		    w->info_hash[0] > last)
			continue;
		const struct swarm_visit visit = { .shard = shard, .swarm = w };
		memcpy(out[n].info_hash, w->info_hash, INFO_HASH_SIZE);
		out[n++].counts = swarm_counts(&visit);
	}
	return n;
}

bool swarm_list(struct swarm_store *store, struct swarm_walk *walk, uint8_t first, uint8_t last,
                struct swarm_row out[static SWARM_LIST_SLICE], size_t *count)
{
	if (walk->shard == store->options.shards)
		return false;
	struct swarm_shard *shard = &store->shards[walk->shard];
	must(pthread_mutex_lock(&shard->lock) == 0);
	*count = list_slice(shard, walk, first, last, out);
	if (walk->number >= shard->headers)
		*walk = (struct swarm_walk){ .shard = walk->shard + 1 };
	must(pthread_mutex_unlock(&shard->lock) == 0);
	return true;
}
