/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include <string.h>

uint32_t swarm_map_number(const struct swarm_visit *v)
{
	return v->swarm != NULL ? v->swarm->map_number : 0;
}

struct move {
	struct sequence fresh;
	swarm_place_fn *place_of;
	void *ctx;
	size_t *bytes;
};

static enum err move_record(struct move *m, const struct record *r)
{
	union {
		struct record record;
		uint8_t bytes[RECORD_MAX];
	} moved;
	const bool wide = m->fresh.wide;
	const unsigned class = key_class(r->key);
	memcpy(&moved, r, (size_t)1 << record_shift(wide));
	if (class != CLASS_HIDDEN) {
		const struct ip_addr addr = ip_from_bytes(r->endpoint, wide ? 16 : 4);
		const uint32_t place = m->place_of(m->ctx, &addr);
		must(place < SWARM_PLACES_MAX);
		moved.record.key = key_of(class, place, key_identity(r->key)) | (r->key & FLAGS);
	}
	struct spot at;
	return sequence_insert(&m->fresh, &moved.record, &at, m->bytes);
}

static enum err move_all(const struct sequence *from, struct move *m)
{
	enum err e = ERR_OK;
	for (struct spot at = { 0 }; e == ERR_OK && !sequence_is_end(from, at);
	     at = sequence_next(from, at))
		e = move_record(m, sequence_record(from, at));
	m->fresh.seeds = from->seeds;
	return e;
}

enum err swarm_relocate(struct swarm_visit *v, uint32_t map_number, swarm_place_fn *place_of,
                        void *ctx)
{
	struct swarm *w = v->swarm;
	if (w == NULL)
		return ERR_OK;
	v->self.known = false;
	struct move m[2];
	enum err e = ERR_OK;
	for (unsigned i = 0; i < 2; i++) {
		m[i] = (struct move){ .fresh.wide = i & 1,
			              .place_of = place_of,
			              .ctx = ctx,
			              .bytes = &v->shard->bytes };
		if (e == ERR_OK)
			e = move_all(&w->of[i], &m[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		sequence_done(e == ERR_OK ? &w->of[i] : &m[i].fresh, &v->shard->bytes);
		if (e == ERR_OK)
			w->of[i] = m[i].fresh;
	}
	if (e == ERR_OK)
		w->map_number = map_number;
	return e;
}
