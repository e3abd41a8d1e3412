/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From a hash to spots: open addressing with linear probing, eight bytes for each entry.
 *
 * An entry is a spot and 23 bits of its hash. Those bits are enough to grow the table and to close
 * gaps without looking at what the spots hold, and to rule out nearly all strangers in a search; the
 * caller compares the rest. At most three quarters full.
 *
 * Ownership: index_done(). Threading: one thread at a time.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a peer stands. Names a position, not memory: it survives growth of the arrays. */
struct spot {
	uint32_t bucket;
	uint32_t position; /* in the bucket */
	uint8_t side;      /* 0: IPv4, 1: IPv6 */
};

enum { SPOT_BUCKETS_MAX = (1 << 18) - 1, SPOT_POSITIONS_MAX = 1 << 22, INDEX_MAX = 6 << 20 };

struct index {
	uint64_t *slots; /* NULL: nothing reserved yet */
	uint32_t mask;
	uint32_t used;
};

/* Room for `count` entries in all. ERR_NOMEM; ERR_BUSY above INDEX_MAX. Nothing changed then. */
enum err index_reserve(struct index *x, uint32_t count) must_check;
void index_done(struct index *x);

void index_add(struct index *x, uint64_t hash, const struct spot *spot); /* needs the room */
/* The entry must be there. */
void index_remove(struct index *x, uint64_t hash, const struct spot *spot);
void index_move(struct index *x, uint64_t hash, const struct spot *from, const struct spot *to);

/*
 * A search: start with *cursor = (uint32_t)hash, and call while it returns true and the spot is not
 * the one that was meant.
 */
bool index_next(const struct index *x, uint64_t hash, uint32_t *cursor, struct spot *out);
