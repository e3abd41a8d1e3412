/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

enum { MEMBERS_SMALL = 16, PLACES_SMALL = 32, NO_BUCKET = -1 };

static uint64_t member_hash(const struct swarm *w, uint64_t identity)
{
	return random_mix(identity ^ w->hash);
}

static uint64_t place_hash(uint32_t place, bool hidden)
{
	return random_mix((uint64_t)place << 1 | hidden);
}

/* ---- a side: buckets and their slots ---- */

static size_t side_bytes(const struct side *s)
{
	return sizeof(*s) + s->buckets_room * sizeof(*s->buckets) +
	       s->room * (sizeof(*s->peers) + s->stride);
}

/* One block; peers before buckets before endpoints, by alignment. */
static struct side *side_new(uint8_t side, uint32_t buckets_room, uint32_t room)
{
	struct side shape = { .buckets_room = buckets_room,
		              .room = room,
		              .stride = side == side_of(IP_V6) ? 18 : 6 };
	struct side *s = malloc(side_bytes(&shape));
	if (s == NULL)
		return NULL;
	*s = shape;
	s->peers = (void *)(s + 1);
	s->buckets = (void *)(s->peers + room);
	s->endpoints = (void *)(s->buckets + buckets_room);
	return s;
}

static void side_free(struct side *s)
{
	if (s != NULL)
		index_done(&s->places);
	free(s);
}

static void slots_copy(struct side *to, uint32_t to_slot, const struct side *from,
                       uint32_t from_slot, uint32_t n)
{
	memcpy(to->peers + to_slot, from->peers + from_slot, n * sizeof(*to->peers));
	memcpy(to->endpoints + (size_t)to_slot * to->stride,
	       from->endpoints + (size_t)from_slot * to->stride, (size_t)n * to->stride);
}

/*
 * A new block without holes, in which bucket `crowded` has room for one more, or NO_BUCKET: in which
 * there is room for one more bucket with one peer. Everybody gets a quarter more than needed: the
 * price of copying rarely.
 */
static enum err side_grow(struct side **side, int64_t crowded)
{
	const struct side *old = *side;
	uint64_t room = (old->used + 2) / 4 + (crowded == NO_BUCKET);
	for (uint32_t i = 0; i < old->n_buckets; i++)
		room += bucket_size(&old->buckets[i]) + bucket_size(&old->buckets[i]) / 4 +
		        (i == crowded);
	uint32_t buckets_room = old->buckets_room;
	if (crowded == NO_BUCKET && old->n_buckets == buckets_room)
		buckets_room += buckets_room / 2 + 1;
	if (room > UINT32_MAX / 2)
		return ERR_BUSY;
	struct side *s = side_new(old->stride == 18, buckets_room, (uint32_t)room);
	if (s == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < old->n_buckets; i++) {
		struct bucket *b = &s->buckets[i];
		*b = old->buckets[i];
		const uint32_t size = bucket_size(b);
		slots_copy(s, s->top, old, b->start, size);
		b->start = s->top;
		b->room = size + size / 4 + (i == crowded);
		s->top += b->room;
	}
	s->n_buckets = old->n_buckets;
	s->used = old->used;
	s->places = old->places;
	free(*side);
	*side = s;
	return ERR_OK;
}

/* Makes the full bucket `i` larger, where it stands or behind the others. */
static enum err bucket_grow(struct side **side, uint32_t i)
{
	struct side *s = *side;
	struct bucket *b = &s->buckets[i];
	const uint32_t size = bucket_size(b), more = size / 2 + 1, spare = s->room - s->top;
	if (size >= SPOT_POSITIONS_MAX)
		return ERR_BUSY;
	if (b->start + b->room == s->top && spare > 0) {
		b->room += more < spare ? more : spare;
		s->top = b->start + b->room;
		return ERR_OK;
	}
	if (size + more > spare)
		return side_grow(side, i);
	slots_copy(s, s->top, s, b->start, size);
	b->start = s->top;
	b->room = size + more;
	s->top += b->room;
	return ERR_OK;
}

static bool bucket_find(const struct side *s, uint32_t place, bool hidden, uint32_t *out)
{
	if (s->places.slots == NULL) {
		for (uint32_t i = 0; i < s->n_buckets; i++)
			if (s->buckets[i].place == place && s->buckets[i].hidden == hidden) {
				*out = i;
				return true;
			}
		return false;
	}
	const uint64_t hash = place_hash(place, hidden);
	uint32_t cursor = (uint32_t)hash;
	struct spot at;
	while (index_next(&s->places, hash, &cursor, &at)) {
		const struct bucket *b = &s->buckets[at.bucket];
		if (b->place == place && b->hidden == hidden) {
			*out = at.bucket;
			return true;
		}
	}
	return false;
}

/* The index of places, when there are enough of them, with room for one more. */
static enum err places_reserve(struct side *s)
{
	if (s->n_buckets < PLACES_SMALL)
		return ERR_OK;
	const bool first = s->places.slots == NULL;
	const enum err e = index_reserve(&s->places, s->n_buckets + 1);
	for (uint32_t i = 0; e == ERR_OK && first && i < s->n_buckets; i++)
		index_add(&s->places, place_hash(s->buckets[i].place, s->buckets[i].hidden),
		          &(struct spot){ .bucket = i });
	return e;
}

static enum err bucket_new(struct side **side, uint32_t place, bool hidden, uint32_t *out)
{
	if ((*side)->n_buckets == SPOT_BUCKETS_MAX)
		return ERR_BUSY;
	enum err e = ERR_OK;
	if ((*side)->n_buckets == (*side)->buckets_room)
		e = side_grow(side, NO_BUCKET);
	if (e == ERR_OK)
		e = places_reserve(*side);
	if (e != ERR_OK)
		return e;
	struct side *s = *side;
	const uint32_t i = s->n_buckets++;
	s->buckets[i] = (struct bucket){ .place = place, .hidden = hidden, .start = s->top };
	if (s->places.slots != NULL)
		index_add(&s->places, place_hash(place, hidden), &(struct spot){ .bucket = i });
	*out = i;
	return ERR_OK;
}

/* The bucket of a place, with room for one more peer. */
static enum err bucket_reserve(struct side **side, uint32_t place, bool hidden, uint32_t *out)
{
	uint32_t i;
	enum err e = ERR_OK;
	if (!bucket_find(*side, place, hidden, &i))
		e = bucket_new(side, place, hidden, &i);
	if (e != ERR_OK)
		return e;
	if (bucket_size(&(*side)->buckets[i]) == (*side)->buckets[i].room)
		e = bucket_grow(side, i);
	if (e == ERR_OK)
		*out = i;
	return e;
}

/* ---- a crowd: sides and the index ---- */

static bool holds(const struct swarm *w, const struct spot *at, uint64_t identity)
{
	return crowd_peer(w, at)->identity == identity;
}

bool crowd_find(const struct swarm *w, uint64_t identity, struct spot *out)
{
	struct spot at;
	if (w->members.slots != NULL) {
		const uint64_t hash = member_hash(w, identity);
		uint32_t cursor = (uint32_t)hash;
		while (index_next(&w->members, hash, &cursor, &at))
			if (holds(w, &at, identity)) {
				*out = at;
				return true;
			}
		return false;
	}
	for (at.side = 0; at.side < SIDES; at.side++) {
		const struct side *s = w->sides[at.side];
		for (at.bucket = 0; s != NULL && at.bucket < s->n_buckets; at.bucket++) {
			const struct bucket *b = &s->buckets[at.bucket];
			for (at.position = 0; at.position < bucket_size(b); at.position++)
				if (peer_at(s, b, at.position)->identity == identity) {
					*out = at;
					return true;
				}
		}
	}
	return false;
}

struct peer *crowd_peer(const struct swarm *w, const struct spot *at)
{
	const struct side *s = w->sides[at->side];
	return peer_at(s, &s->buckets[at->bucket], at->position);
}

enum swarm_role crowd_role(const struct swarm *w, const struct spot *at)
{
	return bucket_role(&w->sides[at->side]->buckets[at->bucket], at->position);
}

/* The index, when there are enough peers, with room for one more. */
static enum err members_reserve(struct swarm *w)
{
	const uint32_t size = crowd_size(w);
	if (size < MEMBERS_SMALL)
		return ERR_OK;
	const bool first = w->members.slots == NULL;
	const enum err e = index_reserve(&w->members, size + 1);
	if (e != ERR_OK || !first)
		return e;
	struct spot at;
	for (at.side = 0; at.side < SIDES; at.side++) {
		const struct side *s = w->sides[at.side];
		for (at.bucket = 0; s != NULL && at.bucket < s->n_buckets; at.bucket++) {
			const struct bucket *b = &s->buckets[at.bucket];
			for (at.position = 0; at.position < bucket_size(b); at.position++)
				index_add(&w->members,
				          member_hash(w, peer_at(s, b, at.position)->identity),
				          &at);
		}
	}
	return ERR_OK;
}

/* The peer at `from` moves to position `to` of the same bucket. */
static void shift(struct swarm *w, const struct spot *from, uint32_t to)
{
	struct side *s = w->sides[from->side];
	const struct bucket *b = &s->buckets[from->bucket];
	slots_copy(s, b->start + to, s, b->start + from->position, 1);
	if (w->members.slots == NULL)
		return;
	struct spot there = *from;
	there.position = to;
	index_move(&w->members, member_hash(w, peer_at(s, b, to)->identity), from, &there);
}

/* Opens a gap at the end of group `role`; the bucket has the room. */
static struct spot gap_open(struct swarm *w, uint8_t side, uint32_t bucket, enum swarm_role role)
{
	struct side *s = w->sides[side];
	struct bucket *b = &s->buckets[bucket];
	struct spot gap = { .side = side, .bucket = bucket, .position = bucket_size(b) };
	must(gap.position < b->room);
	for (unsigned r = SWARM_PARTIAL; r > role; r--) {
		struct spot first = gap;
		first.position = b->end[r - 1];
		if (first.position != gap.position)
			shift(w, &first, gap.position);
		gap = first;
		b->end[r]++;
	}
	b->end[role]++;
	s->used++;
	w->count[role]++;
	return gap;
}

/* Closes the gap at `at`, whose peer is gone from the index. */
static void gap_close(struct swarm *w, const struct spot *at)
{
	struct side *s = w->sides[at->side];
	struct bucket *b = &s->buckets[at->bucket];
	struct spot gap = *at;
	const enum swarm_role role = bucket_role(b, at->position);
	for (unsigned r = role; r < ROLES; r++) {
		struct spot last = gap;
		last.position = --b->end[r];
		if (last.position != gap.position)
			shift(w, &last, gap.position);
		gap = last;
	}
	s->used--;
	w->count[role]--;
}

static void peer_write(struct swarm *w, const struct spot *at, const struct swarm_peer *p)
{
	const struct side *s = w->sides[at->side];
	const struct bucket *b = &s->buckets[at->bucket];
	struct peer *to = peer_at(s, b, at->position);
	to->identity = p->identity;
	to->expires = (p->expires < INT32_MAX ? p->expires : INT32_MAX) & INT32_MAX;
	memcpy(to->id, p->peer_id, sizeof(to->id));
	uint8_t *endpoint = endpoint_at(s, b, at->position);
	memcpy(endpoint, p->addr.bytes, s->stride - 2);
	endpoint[s->stride - 2] = (uint8_t)(p->port >> 8);
	endpoint[s->stride - 1] = (uint8_t)p->port;
	if (p->expires < w->soonest)
		w->soonest = p->expires;
}

static enum err crowd_reserve(struct swarm *w, const struct swarm_peer *p, uint32_t *bucket)
{
	const uint8_t side = side_of(p->addr.family);
	if (w->sides[side] == NULL && (w->sides[side] = side_new(side, 1, 1)) == NULL)
		return ERR_NOMEM;
	return bucket_reserve(&w->sides[side], p->port == 0 ? 0 : p->place, p->port == 0, bucket);
}

/* The bucket has the room, and the index too. */
static struct spot insert(struct swarm *w, uint32_t bucket, const struct swarm_peer *p,
                          bool snatched)
{
	const struct spot at = gap_open(w, side_of(p->addr.family), bucket, p->role);
	peer_write(w, &at, p);
	crowd_peer(w, &at)->snatched = snatched;
	if (w->members.slots != NULL)
		index_add(&w->members, member_hash(w, p->identity), &at);
	return at;
}

enum err crowd_add(struct swarm *w, const struct swarm_peer *p, bool snatched, struct spot *out)
{
	uint32_t bucket;
	enum err e = members_reserve(w);
	if (e == ERR_OK)
		e = crowd_reserve(w, p, &bucket);
	if (e == ERR_OK)
		*out = insert(w, bucket, p, snatched);
	return e;
}

void crowd_remove(struct swarm *w, const struct spot *at)
{
	if (w->members.slots != NULL)
		index_remove(&w->members, member_hash(w, crowd_peer(w, at)->identity), at);
	gap_close(w, at);
}

enum err crowd_update(struct swarm *w, const struct swarm_peer *p, struct spot *at)
{
	const struct bucket *b = &w->sides[at->side]->buckets[at->bucket];
	const bool stays = at->side == side_of(p->addr.family) && b->hidden == (p->port == 0) &&
	                   (b->hidden || b->place == p->place);
	if (stays && bucket_role(b, at->position) == p->role) {
		peer_write(w, at, p);
		return ERR_OK;
	}
	uint32_t bucket = at->bucket;
	const enum err e = stays ? ERR_OK : crowd_reserve(w, p, &bucket);
	if (e != ERR_OK)
		return e;
	const bool snatched = crowd_peer(w, at)->snatched;
	crowd_remove(w, at);
	*at = insert(w, bucket, p, snatched);
	return ERR_OK;
}

struct swarm_peer crowd_get(const struct swarm *w, const struct spot *at)
{
	const struct side *s = w->sides[at->side];
	const struct bucket *b = &s->buckets[at->bucket];
	const struct peer *from = peer_at(s, b, at->position);
	const uint8_t *endpoint = endpoint_at(s, b, at->position);
	struct swarm_peer p = {
		.identity = from->identity,
		.addr = ip_from_bytes(endpoint, s->stride - 2),
		.port = (uint16_t)(endpoint[s->stride - 2] << 8 | endpoint[s->stride - 1]),
		.role = bucket_role(b, at->position),
		.place = b->place,
		.expires = from->expires,
	};
	memcpy(p.peer_id, from->id, sizeof(p.peer_id));
	return p;
}

uint32_t crowd_expire(struct swarm *w, uint32_t now)
{
	uint32_t gone = 0, soonest = UINT32_MAX;
	struct spot at;
	for (at.side = 0; at.side < SIDES; at.side++) {
		const struct side *s = w->sides[at.side];
		for (at.bucket = 0; s != NULL && at.bucket < s->n_buckets; at.bucket++) {
			const struct bucket *b = &s->buckets[at.bucket];
			for (at.position = 0; at.position < bucket_size(b);) {
				const uint32_t expires = peer_at(s, b, at.position)->expires;
				if (expires < now) {
					crowd_remove(w, &at); /* somebody later comes here */
					gone++;
					continue;
				}
				soonest = expires < soonest ? expires : soonest;
				at.position++;
			}
		}
	}
	w->soonest = soonest;
	return gone;
}

enum err crowd_rebuild(struct swarm *w, swarm_place_fn *place_of, void *ctx)
{
	struct swarm fresh = *w;
	memset(fresh.sides, 0, sizeof(fresh.sides));
	memset(fresh.count, 0, sizeof(fresh.count));
	fresh.members = (struct index){ 0 };
	enum err e = ERR_OK;
	if (crowd_size(w) > MEMBERS_SMALL)
		e = index_reserve(&fresh.members, crowd_size(w));
	struct spot at;
	for (at.side = 0; at.side < SIDES; at.side++) {
		const struct side *s = w->sides[at.side];
		for (at.bucket = 0; s != NULL && at.bucket < s->n_buckets; at.bucket++) {
			const struct bucket *b = &s->buckets[at.bucket];
			for (at.position = 0; e == ERR_OK && at.position < bucket_size(b);
			     at.position++) {
				struct swarm_peer p = crowd_get(w, &at);
				if (place_of != NULL && p.port != 0)
					p.place = place_of(ctx, &p.addr);
				struct spot there;
				e = crowd_add(&fresh, &p, crowd_peer(w, &at)->snatched, &there);
			}
		}
	}
	if (e != ERR_OK) {
		crowd_done(&fresh);
		return e;
	}
	crowd_done(w);
	*w = fresh;
	return ERR_OK;
}

bool crowd_is_sparse(const struct swarm *w)
{
	for (unsigned i = 0; i < SIDES; i++) {
		const struct side *s = w->sides[i];
		if (s != NULL && (s->room / 4 > s->used + 4 || s->n_buckets / 4 > s->used + 4))
			return true;
	}
	return w->members.slots != NULL && w->members.mask / 16 > crowd_size(w) + 4;
}

size_t crowd_bytes(const struct swarm *w)
{
	size_t bytes = sizeof(*w);
	for (unsigned i = 0; i < SIDES; i++) {
		const struct side *s = w->sides[i];
		if (s == NULL)
			continue;
		bytes += side_bytes(s);
		bytes += s->places.slots != NULL ? (s->places.mask + 1) * sizeof(uint64_t) : 0;
	}
	return bytes + (w->members.slots != NULL ? (w->members.mask + 1) * sizeof(uint64_t) : 0);
}

void crowd_done(struct swarm *w)
{
	for (unsigned i = 0; i < SIDES; i++)
		side_free(w->sides[i]);
	index_done(&w->members);
}
