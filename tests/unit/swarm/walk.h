/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Walks over everything a store holds and fails the test where an invariant is broken. */

#include "tests/unit/test.h"

#include "common/swarm/store.h"

#include <stdlib.h>

static inline void walk_bucket(const struct swarm *w, uint8_t side, uint32_t i, bool *taken)
{
	const struct side *s = w->sides[side];
	const struct bucket *b = &s->buckets[i];
	assert_true(b->end[0] <= b->end[1] && b->end[1] <= b->end[2]);
	assert_true(bucket_size(b) <= b->room && b->start + b->room <= s->top);
	for (uint32_t j = b->start; j < b->start + b->room; j++) {
		assert_false(taken[j]);
		taken[j] = true;
	}
	for (uint32_t j = 0; j < i; j++)
		assert_true(s->buckets[j].place != b->place || s->buckets[j].hidden != b->hidden);
	for (uint32_t j = 0; j < bucket_size(b); j++) {
		const struct spot at = { .side = side, .bucket = i, .position = j };
		const struct peer *p = peer_at(s, b, j);
		struct spot found;
		assert_true(crowd_find(w, p->identity, &found));
		assert_true(found.side == side && found.bucket == i && found.position == j);
		assert_true(p->expires >= w->soonest);
		assert_true((crowd_get(w, &at).port == 0) == b->hidden);
	}
}

static inline void walk_side(const struct swarm *w, uint8_t side, uint32_t count[static ROLES])
{
	const struct side *s = w->sides[side];
	uint32_t used = 0;
	bool *taken = calloc(s->room + 1, sizeof(*taken));
	assert_non_null(taken);
	assert_true(s->top <= s->room && s->n_buckets <= s->buckets_room);
	for (uint32_t i = 0; i < s->n_buckets; i++) {
		walk_bucket(w, side, i, taken);
		const struct bucket *b = &s->buckets[i];
		used += bucket_size(b);
		for (uint32_t j = 0; j < bucket_size(b); j++)
			count[bucket_role(b, j)]++;
	}
	assert_int_equal(used, s->used);
	if (s->places.slots != NULL)
		assert_int_equal(s->places.used, s->n_buckets);
	free(taken);
}

static inline void walk(struct swarm_store *store)
{
	size_t peers = 0;
	for (unsigned i = 0; i < store->options.shards; i++) {
		const struct swarm_shard *shard = &store->shards[i];
		uint32_t used = 0;
		for (uint32_t j = 0; j <= shard->mask; j++) {
			const struct swarm *w = shard->slots[j].swarm;
			if (w == NULL)
				continue;
			used++;
			struct swarm_visit v;
			assert_int_equal(swarm_enter(store, w->info_hash, false, &v), ERR_OK);
			assert_ptr_equal(v.swarm, w);
			assert_int_equal(pthread_mutex_unlock(&v.shard->lock), 0);
			uint32_t count[ROLES] = { 0 };
			for (uint8_t side = 0; side < SIDES; side++)
				if (w->sides[side] != NULL)
					walk_side(w, side, count);
			for (unsigned r = 0; r < ROLES; r++)
				assert_int_equal(count[r], w->count[r]);
			if (w->members.slots != NULL)
				assert_int_equal(w->members.used, crowd_size(w));
			peers += crowd_size(w);
		}
		assert_int_equal(used, shard->used);
	}
	assert_int_equal(peers, store->peers);
}
