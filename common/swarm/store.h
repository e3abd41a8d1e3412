/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shards: a lock and an open-addressing table of swarms each. Private to common/swarm.
 *
 * A slot keeps the whole hash beside the pointer, so that a search or a growing table looks at no
 * swarm but the one that is meant. At most three quarters full.
 */

#include "common/swarm/crowd.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

struct store_slot {
	uint64_t hash;
	struct swarm *swarm; /* NULL: free */
};

struct swarm_shard {
	alignas(64) pthread_mutex_t lock;
	struct store_slot *slots; /* mask + 1 */
	uint32_t mask;
	uint32_t used;
};

struct swarm_store {
	struct swarm_options options;
	uint32_t max_used;   /* swarms of one shard */
	atomic_size_t peers; /* of all shards; kept for max_peers */
	struct swarm_shard shards[];
};

/* Takes peers out of the store's count. */
static inline void store_lost(struct swarm_store *s, size_t peers)
{
	atomic_fetch_sub_explicit(&s->peers, peers, memory_order_relaxed);
}
