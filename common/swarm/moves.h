/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The moves of swarms to a newer map: how they begin, and whom they may not know. Private to
 * common/swarm; see struct move. Threading: the shard's lock. */

#include "common/swarm/store.h"

/* The visit's sequences become a move, and new ones begin. ERR_NOMEM: nothing changed. */
enum err move_begin(struct swarm_visit *v, uint32_t map_number) must_check;

static inline bool move_is_empty(const struct move *m)
{
	return m->old[0].n + m->old[1].n == 0;
}

/*
 * By a record's key. Strangers are those who came, were not found among the peers under way, and joined
 * anew: only their old records may have a newer one. A bit for each peer, so few others seem to be some.
 */
void move_add_stranger(struct move *m, uint64_t key);
bool move_has_stranger(const struct move *m, uint64_t key);
