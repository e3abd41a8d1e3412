/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Peer ids, for lists of dictionaries (BEP 3), which few clients still ask for over HTTP and none over
 * UDP. Private to common/swarm.
 *
 * One open-addressing table for each shard, by a keyed 64-bit hash of swarm and endpoint, so that a
 * peer that brought no id costs nothing. The hash stands for its peer: two of a shard's peers that
 * share one would share an id, and that happens once in 2^64 / n^2.
 *
 * Ownership: peer_ids_done(). Threading: the shard's lock.
 */

#include "common/swarm/swarm.h"

struct peer_id {
	uint64_t hash; /* 0: free */
	uint8_t bytes[PEER_ID_SIZE];
};

struct peer_ids {
	struct peer_id *slots; /* mask + 1; NULL: none yet */
	uint32_t mask, used;
};

/* False without memory: then it is not kept. */
bool peer_ids_put(struct peer_ids *t, uint64_t hash, const uint8_t id[static PEER_ID_SIZE],
                  size_t *bytes);
const uint8_t *peer_ids_find(const struct peer_ids *t, uint64_t hash); /* NULL: unknown */
void peer_ids_remove(struct peer_ids *t, uint64_t hash, size_t *bytes);
void peer_ids_done(struct peer_ids *t, size_t *bytes);
