/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"
#include "common/swarm/moves.h"

#include "common/base/random.h"

#include <string.h>

enum {
	AT_A_TIME = 2,   /* records moved by a call, after the first */
	STEP_MAX = 4,    /* of one chunk */
	SAME_CHUNK = 16, /* that many go from about one chunk, which is in the cache then */
	SAMPLES = 256    /* records of a large swarm that are looked at first */
};

union made {
	struct record record;
	uint8_t bytes[RECORD_MAX];
};

static struct swarm_client client_of(const struct record *r, bool wide)
{
	const size_t size = wide ? 16 : 4;
	return (struct swarm_client){
		.identity = key_identity(r->key),
		.keyed = true, /* of equal tags in one place, one is the other's past */
		.addr = ip_from_bytes(r->endpoint, size),
		.port = (uint16_t)(r->endpoint[size] << 8 | r->endpoint[size + 1]),
	};
}

/*
 * Most of those who are in a place now were in one and the same before. Places are the map's, so what
 * one swarm teaches is true of all; where it is not, a client is not found there, and no harm is done.
 */
static void learn(const struct swarm_store *s, uint32_t place, const struct record *r)
{
	const uint32_t was = key_place(r->key);
	if (key_class(r->key) != CLASS_HIDDEN &&
	    atomic_load_explicit(&s->was[place], memory_order_relaxed) != was)
		atomic_store_explicit(&s->was[place], was, memory_order_relaxed);
}

/* One record of each of some chunks, for the clients that come before anybody has moved. */
static void sample(const struct swarm_visit *v, const struct sequence *q, swarm_place_fn *place_of,
                   void *ctx)
{
	const uint32_t chunks = sequence_chunks(q), n = chunks < SAMPLES ? chunks : SAMPLES;
	if (q->n <= SWARM_OLD_SEARCH_MAX)
		return;
	for (uint32_t i = 0; i < n; i++) {
		const struct spot first = { .chunk = (uint32_t)((uint64_t)i * chunks / n) };
		const struct record *r = sequence_record(q, first);
		const struct swarm_client c = client_of(r, q->wide);
		const uint32_t place = place_of(ctx, &c.addr);
		must(place < SWARM_PLACES_MAX);
		learn(v->store, place, r);
	}
}

static enum err insert_at(struct swarm_visit *v, const struct record *r, bool wide, uint32_t place,
                          struct spot *out)
{
	const unsigned class = key_class(r->key);
	union made made;
	memcpy(&made, r, (size_t)1 << record_shift(wide));
	if (class != CLASS_HIDDEN)
		made.record.key = key_of(class, place, key_identity(r->key)) | (r->key & FLAGS);
	return sequence_insert(&v->swarm->of[wide], &made.record, out, &v->shard->bytes);
}

/* It announced before its turn came and was not found. Its past is dropped. */
static void merge(struct swarm_visit *v, const struct record *old, bool wide, struct spot at)
{
	struct record *r = sequence_record(&v->swarm->of[wide], at);
	union made past;
	memcpy(&past, old, (size_t)1 << record_shift(wide));
	if (endpoint_equal(old->endpoint, r->endpoint, wide) && r->key & FLAG_PEER_ID)
		past.record.key &= ~(uint64_t)FLAG_PEER_ID; /* the id is its own now */
	r->key |= old->key & FLAG_SNATCHED;
	store_depart(v->store, v->shard, v->swarm, wide, &past.record);
	atomic_fetch_sub_explicit(&v->store->peers, 1, memory_order_relaxed);
}

static enum err move_record(struct swarm_visit *v, const struct move *m, bool wide,
                            const struct record *r, const struct swarm_client *c)
{
	struct spot at;
	learn(v->store, c->place, r);
	if (!move_has_stranger(m, r->key) || !crowd_find(v->swarm, c, record_role(r), &at))
		return insert_at(v, r, wide, c->place, &at);
	merge(v, r, wide, at);
	return ERR_OK;
}

/* The last `n` records of a chunk, so that nothing moves up. Returns how many have moved; 0: no
 * memory. */
/* NOLINTNEXTLINE(readability-function-size): a move's, and the caller's to tell */
static unsigned move_last(struct swarm_visit *v, struct move *m, struct sequence *q, uint32_t chunk,
                          unsigned n, swarm_place_fn *place_of, void *ctx)
{
	const uint32_t size = sequence_chunk_size(q, chunk);
	unsigned moved = 0;
	for (; moved < n && moved < size; moved++) {
		const struct spot last = { .chunk = chunk, .position = size - 1 - moved };
		const struct record *r = sequence_record(q, last);
		struct swarm_client c = client_of(r, q->wide);
		c.place = place_of(ctx, &c.addr);
		must(c.place < SWARM_PLACES_MAX);
		if (move_record(v, m, q->wide, r, &c) != ERR_OK)
			break;
	}
	if (moved > 0)
		sequence_cut(q, chunk, moved, &v->shard->bytes);
	return moved;
}

/* From a random chunk of the latest move; the calls for about `same` records take the same one. */
static unsigned step(struct swarm_visit *v, unsigned n, unsigned same, swarm_place_fn *place_of,
                     void *ctx)
{
	struct move *m = store_moves(v->shard, v->swarm);
	must(m != NULL);
	struct sequence *q = &m->old[m->old[0].n == 0];
	const uint64_t chance = random_mix(q->n / same);
	const uint32_t chunk = (uint32_t)(chance % sequence_chunks(q));
	const unsigned moved = move_last(v, m, q, chunk, n, place_of, ctx);
	if (move_is_empty(m))
		relocate_tidy(v->shard, v->swarm);
	return moved;
}

/* The first call under a map. */
static enum err start(struct swarm_visit *v, uint32_t map_number, swarm_place_fn *place_of,
                      void *ctx)
{
	struct swarm *w = v->swarm;
	if (w->of[0].n + w->of[1].n > 0) {
		for (unsigned i = 0; i < 2; i++)
			sample(v, &w->of[i], place_of, ctx);
		return move_begin(v, map_number);
	}
	if (w->moving)
		store_moves(v->shard, w)->map_number = map_number;
	else
		w->map_number = map_number & HEADER_FREE;
	return ERR_OK;
}

enum err swarm_relocate(struct swarm_visit *v, uint32_t map_number, swarm_place_fn *place_of,
                        void *ctx)
{
	struct swarm *w = v->swarm;
	unsigned left = AT_A_TIME, same = SAME_CHUNK, moved = 1;
	map_number &= HEADER_FREE;
	if (w == NULL || (w->map_number == map_number && !w->moving))
		return ERR_OK;
	relocate_tidy(v->shard, w); /* a sweep may have emptied a move */
	if (swarm_map_number(v) != map_number) {
		if (start(v, map_number, place_of, ctx) != ERR_OK)
			return ERR_NOMEM;
		left = SWARM_RELOCATED_AT_ONCE;
		same = STEP_MAX;
	}
	v->self.known = false;
	for (; left > 0 && moved > 0 && w->moving; left -= moved)
		moved = step(v, left < STEP_MAX ? left : STEP_MAX, same, place_of, ctx);
	return ERR_OK;
}

static bool is_at(const struct record *r, bool wide, const struct swarm_client *c)
{
	return memcmp(r->endpoint, c->addr.bytes, wide ? 16 : 4) == 0;
}

/* Wherever it was. */
static bool old_search(const struct sequence *q, const struct swarm_client *c, struct spot *out)
{
	const uint64_t tag = key_of(0, 0, c->identity), mask = key_of(0, 0, UINT64_MAX);
	if (q->n == 0 || q->n > SWARM_OLD_SEARCH_MAX)
		return false;
	for (uint32_t chunk = 0; chunk < sequence_chunks(q); chunk++) {
		const uint32_t size = sequence_chunk_size(q, chunk);
		void *block = sequence_record(q, (struct spot){ .chunk = chunk });
		for (uint32_t i = 0; i < size; i++) {
			const struct record *r = record_at(block, q->wide, i);
			if ((r->key & mask) != tag || !(c->keyed || is_at(r, q->wide, c)))
				continue;
			*out = (struct spot){ .chunk = chunk, .position = i };
			return true;
		}
	}
	return false;
}

/* As it was before the map, if its place is one that was learned. */
static struct swarm_client as_before(const struct swarm_visit *v, const struct swarm_client *c)
{
	struct swarm_client before = *c;
	before.place = atomic_load_explicit(&v->store->was[c->place], memory_order_relaxed);
	return before;
}

/* By its key in the place it had, or has; else wherever it was. */
static bool find_old(const struct swarm_visit *v, const struct sequence *q,
                     const struct swarm_client *c, enum swarm_role role, struct spot *out)
{
	const struct swarm_client before = as_before(v, c);
	return crowd_find_in(q, &before, role, out) ||
	       (before.place != c->place && crowd_find_in(q, c, role, out)) ||
	       old_search(q, c, out);
}

static bool move_client(struct swarm_visit *v, struct move *m, const struct swarm_client *c,
                        struct spot old, struct spot *out)
{
	const bool wide = is_wide(c->addr.family);
	struct sequence *q = &m->old[wide];
	if (insert_at(v, sequence_record(q, old), wide, c->place, out) != ERR_OK)
		return false;
	sequence_remove(q, old, &v->shard->bytes);
	if (move_is_empty(m))
		relocate_tidy(v->shard, v->swarm);
	return true;
}

/* Whoever is no stranger to the only move has one record, so this need not be in another class. */
bool relocate_likely(struct swarm_visit *v, const struct swarm_client *c, enum swarm_role role,
                     struct spot *out)
{
	struct move *m = store_moves(v->shard, v->swarm);
	if (m == NULL || m->next != NULL || move_has_stranger(m, key_of(0, 0, c->identity)))
		return false;
	const struct sequence *q = &m->old[is_wide(c->addr.family)];
	const struct swarm_client before = as_before(v, c);
	struct spot at;
	return crowd_find_as(q, &before, role, &at) && move_client(v, m, c, at, out);
}

bool relocate_client(struct swarm_visit *v, const struct swarm_client *c, enum swarm_role role,
                     struct spot *out)
{
	for (struct move *m = store_moves(v->shard, v->swarm); m != NULL; m = m->next) {
		const struct sequence *q = &m->old[is_wide(c->addr.family)];
		struct spot at;
		if (find_old(v, q, c, role, &at))
			return move_client(v, m, c, at, out);
		if (q->n > SWARM_OLD_SEARCH_MAX)
			move_add_stranger(m, key_of(0, 0, c->identity));
	}
	return false;
}
