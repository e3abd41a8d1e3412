/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Walks over everything a store holds and fails the test where an invariant is broken. */

#include "tests/unit/test.h"

#include "common/swarm/crowd.h"
#include "common/swarm/limits.h"

#include <stdlib.h>

static inline size_t bytes_of_records(uint32_t room, bool wide)
{
	return (size_t)room << record_shift(wide);
}

/* The directory of a tall sequence; returns its memory. */
static inline size_t walk_directory(const struct sequence *s)
{
	const struct directory *d = s->at;
	size_t bytes = sizeof(*d) + d->room * (sizeof(*d->first) + sizeof(*d->chunks)) +
	               (d->room + 1) * sizeof(*d->start);
	assert_true(d->n <= d->room && d->n > 0);
	assert_int_equal(d->start[0], 0);
	assert_int_equal(d->start[d->n], s->n);
	for (uint32_t i = 0; i < d->n; i++) {
		const uint32_t size = chunk_size(d, i);
		assert_in_range(size, 1, BLOCK_MAX);
		assert_true(d->first[i] == key_plain(record_at(d->chunks[i], s->wide, 0)->key));
		bytes += bytes_of_records(chunk_room(size), s->wide);
	}
	return bytes;
}

/* Chunk by chunk. */
static inline struct spot spot_of_rank(const struct sequence *s, uint32_t rank)
{
	const struct directory *d = s->at;
	struct spot at = { .position = rank };
	for (; s->tall && at.position >= chunk_size(d, at.chunk); at.chunk++)
		at.position -= chunk_size(d, at.chunk);
	return at;
}

/* Order, ranks and searches; returns the memory of it. */
static inline size_t walk_sequence(const struct sequence *s)
{
	uint64_t before = 0;
	uint32_t rank = 0;
	for (struct spot at = { 0 }; !sequence_is_end(s, at); at = sequence_next(s, at), rank++) {
		const uint64_t key = key_plain(sequence_record(s, at)->key);
		assert_true(rank == 0 || key >= before);
		assert_int_equal(sequence_rank(s, at), rank);
		const struct spot low = sequence_lower(s, key);
		assert_true(key_plain(sequence_record(s, low)->key) == key);
		assert_true(rank == 0 || key == before || sequence_rank(s, low) == rank);
		assert_int_equal(sequence_rank(s, sequence_lower(s, key + FLAGS + 1)) > rank, 1);
		before = key;
	}
	assert_int_equal(rank, s->n);
	assert_true(s->tall || s->n <= BLOCK_MAX);
	assert_true((s->at == NULL) == (s->n == 0));
	return s->tall ? walk_directory(s) : bytes_of_records(block_room(s->n), s->wide);
}

static inline void walk_record(struct swarm_store *store, const struct swarm_shard *shard,
                               const struct swarm *w, bool wide, const struct record *r,
                               uint32_t *ids)
{
	const size_t address = endpoint_size(wide) - 2;
	const bool hidden = key_class(r->key) == CLASS_HIDDEN;
	assert_true(hidden == (r->endpoint[address] == 0 && r->endpoint[address + 1] == 0));
	if ((r->key & FLAG_PEER_ID) == 0)
		return;
	assert_non_null(peer_ids_find(&shard->ids, store_id_hash(store, w, wide, r)));
	++*ids;
}

/* Returns how many records. */
static inline uint32_t walk_swarm(struct swarm_store *store, const struct swarm_shard *shard,
                                  struct swarm *w, struct swarm_totals *t, uint32_t *ids)
{
	uint32_t count[2][3] = { 0 }, n = 0;
	const struct sequence *s;
	for (unsigned i = 0; (s = swarm_sequence(shard, w, i)) != NULL; i++) {
		assert_int_equal(s->wide, i % 2);
		for (struct spot at = { 0 }; !sequence_is_end(s, at); at = sequence_next(s, at)) {
			const struct record *r = sequence_record(s, at);
			walk_record(store, shard, w, s->wide, r, ids);
			count[i % 2][record_role(r)]++;
		}
		t->bytes += walk_sequence(s);
		n += s->n;
		*(i % 2 ? &t->peers_v6 : &t->peers_v4) += s->n;
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(count[i][SWARM_SEED], w->of[i].seeds);
		t->seeds += count[i][SWARM_SEED];
		t->leechers += count[i][SWARM_LEECHER];
		t->partial += count[i][SWARM_PARTIAL];
	}
	assert_int_equal(n, swarm_size(shard, w));
	if (n > 0)
		assert_int_equal(w->partial, count[0][SWARM_PARTIAL] + count[1][SWARM_PARTIAL]);
	return n;
}

static inline struct swarm_totals walk_shard(struct swarm_store *store, struct swarm_shard *shard)
{
	struct swarm_totals t = { 0 };
	uint32_t ids = 0, slots = 0, peers = 0;
	for (uint32_t i = 0; i < shard->headers; i++) {
		struct swarm *w = store_header(shard, i);
		if (w->map_number == HEADER_FREE)
			continue;
		struct swarm_visit v;
		assert_int_equal(swarm_enter(store, w->info_hash, false, &v), ERR_OK);
		assert_ptr_equal(v.swarm, w);
		assert_int_equal(pthread_mutex_unlock(&v.shard->lock), 0);
		t.swarms++;
		peers += walk_swarm(store, shard, w, &t, &ids);
	}
	for (uint32_t i = 0; i < shard->n_moves; i++) {
		const struct swarm *w = shard->moves[i]->swarm;
		assert_true(w->moving && w->move == i);
		for (const struct move *m = shard->moves[i]; m != NULL; m = m->next) {
			assert_true(m->swarm == w && m->old[0].n + m->old[1].n > 0);
			t.bytes += sizeof(*m) + (m->mask + 1) / 8;
		}
	}
	t.bytes += shard->moves_room * sizeof(struct move *);
	assert_int_equal(peers, t.peers_v4 + t.peers_v6);
	for (uint32_t i = 0; i <= shard->mask; i++)
		slots += ((struct store_slot *)shard->slots)[i].number != 0;
	assert_int_equal(slots, t.swarms);
	assert_int_equal(ids, shard->ids.used);
	if (shard->ids.slots != NULL)
		t.bytes += (shard->ids.mask + 1) * sizeof(*shard->ids.slots);
	t.bytes += sizeof(*shard) + (shard->mask + 1) * sizeof(struct store_slot) +
	           shard->n_pages * (PAGE_HEADERS * sizeof(struct swarm) + sizeof(void *));
	return t;
}

static inline void walk(struct swarm_store *store)
{
	struct swarm_totals sum = { .bytes = sizeof(*store) + limits_bytes(store) };
	for (unsigned i = 0; i < store->options.shards; i++) {
		const struct swarm_totals t = walk_shard(store, &store->shards[i]);
		sum.swarms += t.swarms;
		sum.seeds += t.seeds;
		sum.leechers += t.leechers;
		sum.partial += t.partial;
		sum.peers_v4 += t.peers_v4;
		sum.peers_v6 += t.peers_v6;
		sum.bytes += t.bytes;
	}
	const struct swarm_totals t = swarm_totals(store);
	assert_memory_equal(&sum, &t, sizeof(t));
	assert_int_equal(sum.peers_v4 + sum.peers_v6, store->peers);
}
