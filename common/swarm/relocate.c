/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

/* Records moved by a call, after the first. */
enum { AT_A_TIME = 4 };

union made {
	struct record record;
	uint8_t bytes[RECORD_MAX];
};

uint32_t swarm_map_number(const struct swarm_visit *v)
{
	return v->swarm != NULL ? v->swarm->map_number : 0;
}

static struct move *move_of(const struct swarm_shard *shard, const struct swarm *w)
{
	struct move *m = w->moving ? shard->moves : NULL;
	while (m != NULL && m->swarm != w)
		m = m->next;
	return m;
}

void relocate_tidy(struct swarm_shard *shard, struct swarm *w)
{
	if (!w->moving)
		return;
	for (struct move **at = &shard->moves; *at != NULL;) {
		struct move *m = *at;
		if (m->swarm == w && m->old[0].n + m->old[1].n == 0) {
			*at = m->next;
			shard->bytes -= sizeof(*m);
			free(m);
		} else {
			at = &m->next;
		}
	}
	w->moving = move_of(shard, w) != NULL;
}

/* The sequences become a move, and new ones begin. The count of seeds stays. */
static enum err begin(struct swarm_visit *v)
{
	struct swarm *w = v->swarm;
	struct move *m = malloc(sizeof(*m));
	if (m == NULL)
		return ERR_NOMEM;
	*m = (struct move){ .next = v->shard->moves, .swarm = w };
	v->shard->moves = m;
	v->shard->bytes += sizeof(*m);
	for (unsigned i = 0; i < 2; i++) {
		m->old[i] = w->of[i];
		w->of[i] = (struct sequence){ .wide = i & 1, .seeds = m->old[i].seeds };
	}
	w->moving = true;
	return ERR_OK;
}

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

static enum err insert_at(struct swarm_visit *v, const struct record *r, bool wide, uint32_t place)
{
	const unsigned class = key_class(r->key);
	union made made;
	struct spot at;
	memcpy(&made, r, (size_t)1 << record_shift(wide));
	if (class != CLASS_HIDDEN)
		made.record.key = key_of(class, place, key_identity(r->key)) | (r->key & FLAGS);
	return sequence_insert(&v->swarm->of[wide], &made.record, &at, &v->shard->bytes);
}

/* It announced before its turn came and was not found. Its past is dropped. */
static void merge(struct swarm_visit *v, const struct record *old, bool wide, struct spot at)
{
	struct record *r = sequence_record(&v->swarm->of[wide], at);
	union made past;
	memcpy(&past, old, (size_t)1 << record_shift(wide));
	if (memcmp(old->endpoint, r->endpoint, endpoint_size(wide)) == 0 && r->key & FLAG_PEER_ID)
		past.record.key &= ~(uint64_t)FLAG_PEER_ID; /* the id is its own now */
	r->key |= old->key & FLAG_SNATCHED;
	store_depart(v->store, v->shard, v->swarm, wide, &past.record);
	atomic_fetch_sub_explicit(&v->store->peers, 1, memory_order_relaxed);
}

/* The last record of a chunk, so that nothing moves up. */
static enum err move_last(struct swarm_visit *v, const struct move *m, struct sequence *q,
                          uint32_t chunk, swarm_place_fn *place_of, void *ctx)
{
	const uint32_t size = q->tall ? chunk_size(q->at, chunk) : q->n;
	const struct spot last = { .chunk = chunk, .position = size - 1 };
	const struct record *r = sequence_record(q, last);
	struct swarm_client c = client_of(r, q->wide);
	struct spot at;
	c.place = place_of(ctx, &c.addr);
	must(c.place < SWARM_PLACES_MAX);
	if (m->strangers && crowd_find(v->swarm, &c, record_role(r), &at))
		merge(v, r, q->wide, at);
	else if (insert_at(v, r, q->wide, c.place) != ERR_OK)
		return ERR_NOMEM;
	sequence_remove(q, last, &v->shard->bytes);
	relocate_tidy(v->shard, v->swarm);
	return ERR_OK;
}

/* From a random chunk of one move; a few calls take the same one. */
static enum err step(struct swarm_visit *v, swarm_place_fn *place_of, void *ctx)
{
	struct move *m = move_of(v->shard, v->swarm);
	must(m != NULL);
	struct sequence *q = &m->old[m->old[0].n == 0];
	const uint64_t chance = random_mix(q->n / AT_A_TIME);
	return move_last(v, m, q, (uint32_t)(chance % sequence_chunks(q)), place_of, ctx);
}

enum err swarm_relocate(struct swarm_visit *v, uint32_t map_number, swarm_place_fn *place_of,
                        void *ctx)
{
	struct swarm *w = v->swarm;
	unsigned steps = AT_A_TIME;
	map_number &= HEADER_FREE;
	if (w == NULL || (w->map_number == map_number && !w->moving))
		return ERR_OK;
	if (w->map_number != map_number) {
		if (swarm_size(v->shard, w) > 0 && begin(v) != ERR_OK)
			return ERR_NOMEM;
		w->map_number = map_number & HEADER_FREE;
		steps = SWARM_RELOCATED_AT_ONCE;
	}
	v->self.known = false;
	relocate_tidy(v->shard, w); /* a sweep may have emptied a move, or what became one */
	while (steps-- > 0 && w->moving && step(v, place_of, ctx) == ERR_OK)
		;
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
		const uint32_t size = q->tall ? chunk_size(q->at, chunk) : q->n;
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

bool relocate_client(struct swarm_visit *v, const struct swarm_client *c, enum swarm_role role)
{
	const bool wide = is_wide(c->addr.family);
	for (struct move *m = v->shard->moves; m != NULL; m = m->next) {
		struct sequence *q = &m->old[wide];
		struct spot at;
		if (m->swarm != v->swarm)
			continue;
		if (!crowd_find_in(q, c, role, &at) && !old_search(q, c, &at)) {
			m->strangers |= q->n > SWARM_OLD_SEARCH_MAX;
			continue;
		}
		if (insert_at(v, sequence_record(q, at), wide, c->place) != ERR_OK)
			return false;
		sequence_remove(q, at, &v->shard->bytes);
		relocate_tidy(v->shard, v->swarm);
		return true;
	}
	return false;
}
