/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

/* Chunks moved by the first call, so that there is a choice at once, and by each of the others. */
enum { FIRST_STEPS = 8 };

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

struct step {
	struct swarm_visit *visit;
	swarm_place_fn *place_of;
	void *ctx;
	bool wide, full; /* full: no memory for more */
};

/* True when the record is in its new place. */
static bool moves_on(void *ctx, const struct record *r)
{
	struct step *s = ctx;
	struct spot at;
	struct swarm_client c = client_of(r, s->wide);
	if (s->full)
		return false;
	c.place = s->place_of(s->ctx, &c.addr);
	must(c.place < SWARM_PLACES_MAX);
	if (crowd_find(s->visit->swarm, &c, record_role(r), &at)) {
		merge(s->visit, r, s->wide, at);
		return true;
	}
	s->full = insert_at(s->visit, r, s->wide, c.place) != ERR_OK;
	return !s->full;
}

/* One chunk of one move, a random one. */
static void step(struct step *s)
{
	struct swarm_shard *shard = s->visit->shard;
	struct move *m = move_of(shard, s->visit->swarm);
	must(m != NULL);
	struct sequence *q = &m->old[m->old[0].n == 0];
	s->wide = q->wide;
	uint32_t chunk = (uint32_t)(random_mix(q->n) % sequence_chunks(q));
	(void)sequence_sift(q, chunk, moves_on, s, &chunk, &shard->bytes);
	sequence_trim(q, &shard->bytes);
	relocate_tidy(shard, s->visit->swarm);
}

enum err swarm_relocate(struct swarm_visit *v, uint32_t map_number, swarm_place_fn *place_of,
                        void *ctx)
{
	struct swarm *w = v->swarm;
	map_number &= HEADER_FREE;
	if (w == NULL || (w->map_number == map_number && !w->moving))
		return ERR_OK;
	struct step s = { .visit = v, .place_of = place_of, .ctx = ctx };
	uint32_t steps = 1;
	if (w->map_number != map_number) {
		const uint32_t size = swarm_size(v->shard, w);
		if (size > 0 && begin(v) != ERR_OK)
			return ERR_NOMEM;
		w->map_number = map_number & HEADER_FREE;
		steps = size <= SWARM_RELOCATED_AT_ONCE ? SWARM_RELOCATED_AT_ONCE : FIRST_STEPS;
	}
	v->self.known = false;
	for (; steps > 0 && w->moving && !s.full; steps--)
		step(&s);
	return ERR_OK;
}

/* The record of a client in an old sequence, wherever that was. */
static bool old_find(const struct sequence *q, const struct swarm_client *c, struct spot *out)
{
	const uint64_t tag = key_of(0, 0, c->identity), mask = key_of(0, 0, UINT64_MAX);
	if (q->n > SWARM_OLD_SEARCH_MAX)
		return false;
	for (struct spot at = { 0 }; !sequence_is_end(q, at); at = sequence_next(q, at)) {
		const struct record *r = sequence_record(q, at);
		if ((r->key & mask) == tag &&
		    (c->keyed || memcmp(r->endpoint, c->addr.bytes, q->wide ? 16 : 4) == 0)) {
			*out = at;
			return true;
		}
	}
	return false;
}

bool relocate_client(struct swarm_visit *v, const struct swarm_client *c)
{
	const bool wide = is_wide(c->addr.family);
	struct sequence *q;
	for (unsigned i = 2 + wide; (q = swarm_sequence(v->shard, v->swarm, i)) != NULL; i += 2) {
		struct spot at;
		if (!old_find(q, c, &at) ||
		    insert_at(v, sequence_record(q, at), wide, c->place) != ERR_OK)
			continue;
		sequence_remove(q, at, &v->shard->bytes);
		relocate_tidy(v->shard, v->swarm);
		return true;
	}
	return false;
}
