/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"
#include "common/swarm/limits.h"

#include <string.h>

void endpoint_write(const struct swarm_client *c, uint8_t out[static ENDPOINT_V6])
{
	const size_t size = is_wide(c->addr.family) ? 16 : 4;
	memcpy(out, c->addr.bytes, size);
	out[size] = (uint8_t)(c->port >> 8);
	out[size + 1] = (uint8_t)c->port;
}

/* ---- who is who ---- */

static uint64_t key_for(const struct swarm_client *c, enum swarm_role role)
{
	return c->port == 0 ? key_of(CLASS_HIDDEN, 0, c->identity)
	                    : key_of(role, c->place, c->identity);
}

/* The records of this key: one, but for clients without a key whose tags happen to be equal. */
static bool find_key(const struct sequence *s, const struct swarm_client *c, uint64_t key,
                     struct spot *out)
{
	const size_t address = s->wide ? 16 : 4;
	struct spot at = sequence_lower(s, key);
	for (; !sequence_is_end(s, at); at = sequence_next(s, at)) {
		const struct record *r = sequence_record(s, at);
		if (key_plain(r->key) != key)
			return false;
		if (c->keyed || memcmp(r->endpoint, c->addr.bytes, address) == 0) {
			*out = at;
			return true;
		}
	}
	return false;
}

bool crowd_find_as(const struct sequence *s, const struct swarm_client *c, enum swarm_role role,
                   struct spot *out)
{
	return s->n > 0 && find_key(s, c, key_for(c, role), out);
}

bool crowd_find_in(const struct sequence *s, const struct swarm_client *c, enum swarm_role role,
                   struct spot *out)
{
	if (s->n == 0)
		return false;
	const uint64_t likely = key_for(c, role);
	if (find_key(s, c, likely, out))
		return true;
	for (unsigned class = 0; class < CLASSES; class ++) {
		const uint64_t key =
			key_of(class, class == CLASS_HIDDEN ? 0 : c->place, c->identity);
		if (key != likely && find_key(s, c, key, out))
			return true;
	}
	return false;
}

bool crowd_find(const struct swarm *w, const struct swarm_client *c, enum swarm_role role,
                struct spot *out)
{
	return crowd_find_in(&w->of[is_wide(c->addr.family)], c, role, out);
}

/* A keyed client in every place, in a small swarm. */
static bool search_places(const struct swarm *w, const struct swarm_client *c, struct spot *out)
{
	const struct sequence *s = &w->of[is_wide(c->addr.family)];
	if (!c->keyed || s->n > SWARM_SEARCH_MAX)
		return false;
	const uint64_t tag = key_of(0, 0, c->identity), mask = key_of(0, 0, UINT64_MAX);
	for (struct spot at = { 0 }; !sequence_is_end(s, at); at = sequence_next(s, at))
		if ((sequence_record(s, at)->key & mask) == tag) {
			*out = at;
			return true;
		}
	return false;
}

/* While the swarm is moving, whoever is asked for comes first. */
static bool search(struct swarm_visit *v, const struct swarm_client *c, enum swarm_role role,
                   struct spot *out)
{
	const struct swarm *w = v->swarm;
	const struct sequence *s = &w->of[is_wide(c->addr.family)];
	if (!w->moving)
		return crowd_find(w, c, role, out) || search_places(w, c, out);
	return crowd_find_as(s, c, role, out) || relocate_likely(v, c, role, out) ||
	       crowd_find(w, c, role, out) || relocate_client(v, c, role, out) ||
	       search_places(w, c, out);
}

/* ---- coming, changing, going ---- */

/* A record and room for the longer endpoint. */
union made {
	struct record record;
	uint8_t bytes[RECORD_MAX];
};

static void make_record(const struct swarm_peer *p, uint64_t flags, union made *out)
{
	*out = (union made){ .bytes = { 0 } };
	if (p->client.port == 0)
		flags |= (uint64_t)p->role << FLAG_ROLE_SHIFT;
	out->record.key = key_for(&p->client, p->role) | flags;
	out->record.stamp = (uint16_t)p->expires;
	endpoint_write(&p->client, out->record.endpoint);
}

static void remember_self(struct swarm_visit *v, const struct swarm_client *c, struct spot at)
{
	v->self.known = true;
	v->self.wide = is_wide(c->addr.family);
	v->self.identity = c->identity;
	v->self.chunk = at.chunk;
	v->self.position = at.position;
}

static void take_out(struct swarm_visit *v, bool wide, struct spot at)
{
	struct sequence *s = &v->swarm->of[wide];
	store_depart(v->store, v->shard, v->swarm, wide, sequence_record(s, at));
	sequence_remove(s, at, &v->shard->bytes);
}

/* Gives the record at `at` the peer id that came along, unless it must be there already. */
static void keep_id(struct swarm_visit *v, const struct swarm_peer *p, bool wide, struct spot at)
{
	struct record *r = sequence_record(&v->swarm->of[wide], at);
	if (p->peer_id == NULL || (p->client.keyed && (r->key & FLAG_PEER_ID) != 0))
		return;
	const uint64_t hash = store_id_hash(v->store, v->swarm, wide, r);
	if (peer_ids_put(&v->shard->ids, hash, p->peer_id, &v->shard->bytes))
		r->key |= FLAG_PEER_ID;
}

static enum err put_in(struct swarm_visit *v, const struct record *r, bool wide, struct spot *at)
{
	struct swarm *w = v->swarm;
	if (swarm_size(v->shard, w) == 0)
		w->emptied = 0;
	const enum err e = sequence_insert(&w->of[wide], r, at, &v->shard->bytes);
	if (e == ERR_OK)
		store_arrive(v->store, v->shard, w, wide, r);
	return e;
}

/*
 * Nobody else can be where somebody is who was not there yet: who was is the same, with another key, and
 * went without a word. Looked for in small swarms only. True: somebody went, so records may have moved.
 */
static bool drop_ghost(struct swarm_visit *v, const struct swarm_client *c)
{
	const bool wide = is_wide(c->addr.family);
	const struct sequence *s = &v->swarm->of[wide];
	uint8_t endpoint[ENDPOINT_V6];
	if (c->port == 0 || s->n > SWARM_SEARCH_MAX)
		return false;
	endpoint_write(c, endpoint);
	for (struct spot at = { 0 }; !sequence_is_end(s, at); at = sequence_next(s, at))
		if (endpoint_equal(sequence_record(s, at)->endpoint, endpoint, wide)) {
			take_out(v, wide, at);
			atomic_fetch_sub_explicit(&v->store->peers, 1, memory_order_relaxed);
			return true;
		}
	return false;
}

static bool is_where(const struct sequence *s, struct spot at, const struct swarm_client *c)
{
	uint8_t endpoint[ENDPOINT_V6];
	endpoint_write(c, endpoint);
	return endpoint_equal(sequence_record(s, at)->endpoint, endpoint, s->wide);
}

/* A newcomer takes its place in the store's count before it is let in. */
static enum err join(struct swarm_visit *v, const struct swarm_peer *p, uint64_t flags,
                     struct spot *at)
{
	struct swarm_store *s = v->store;
	union made made;
	enum err e = ERR_BUSY;
	make_record(p, flags, &made);
	const size_t peers = atomic_fetch_add_explicit(&s->peers, 1, memory_order_relaxed);
	if (limits_admit(v, &p->client) && (peers < s->options.max_peers || limits_make_room(v)))
		e = put_in(v, &made.record, is_wide(p->client.addr.family), at);
	if (e != ERR_OK)
		atomic_fetch_sub_explicit(&s->peers, 1, memory_order_relaxed);
	return e;
}

/* The new record is put in first, because that may fail; the old one is looked for where it is then. */
static enum err move_to(struct swarm_visit *v, const struct swarm_peer *p, const union made *made,
                        struct spot *at)
{
	const bool wide = is_wide(p->client.addr.family);
	const struct sequence *s = &v->swarm->of[wide];
	const size_t size = (size_t)1 << record_shift(wide);
	union made old;
	memcpy(&old, sequence_record(s, *at), size);
	const enum err e = put_in(v, &made->record, wide, at);
	if (e != ERR_OK)
		return e;
	struct spot was = sequence_lower(s, key_plain(old.record.key));
	while (memcmp(sequence_record(s, was), &old, size) != 0)
		was = sequence_next(s, was);
	take_out(v, wide, was);
	must(crowd_find(v->swarm, &p->client, p->role, at));
	return ERR_OK;
}

/* The peer at *at becomes what `p` says. */
static enum err change_to(struct swarm_visit *v, const struct swarm_peer *p, uint64_t flags,
                          struct spot *at)
{
	const bool wide = is_wide(p->client.addr.family);
	struct record *r = sequence_record(&v->swarm->of[wide], *at);
	union made made;
	make_record(p, flags, &made);
	if (key_plain(made.record.key) != key_plain(r->key)) {
		const enum err e = move_to(v, p, &made, at);
		if (e != ERR_OK)
			return e;
	} else if (made.record.key != (r->key & ~(uint64_t)FLAG_PEER_ID) ||
	           !endpoint_equal(made.record.endpoint, r->endpoint, wide)) {
		store_depart(v->store, v->shard, v->swarm, wide, r);
		memcpy(r, &made, (size_t)1 << record_shift(wide));
		store_arrive(v->store, v->shard, v->swarm, wide, r);
	} else {
		r->stamp = made.record.stamp; /* as nearly always */
	}
	return ERR_OK;
}

/* Who is hidden stands in none. */
static uint32_t place_before(const struct sequence *s, struct spot at, uint32_t own)
{
	const uint64_t key = sequence_record(s, at)->key;
	return key_class(key) != CLASS_HIDDEN ? key_place(key) : own;
}

enum err swarm_put(struct swarm_visit *v, const struct swarm_peer *p, bool completed_now,
                   struct swarm_change *change)
{
	struct swarm *w = v->swarm;
	const bool wide = is_wide(p->client.addr.family);
	struct spot at;
	must(w != NULL && p->client.addr.family != IP_NONE && p->client.place < SWARM_PLACES_MAX);
	const bool joined = !search(v, &p->client, p->role, &at);
	const bool arrives = joined || !is_where(&w->of[wide], at, &p->client);
	if (arrives && drop_ghost(v, &p->client) && !joined)
		must(search(v, &p->client, p->role, &at));
	enum swarm_role before = SWARM_LEECHER;
	uint64_t flags = 0;
	int16_t silent = 0;
	uint32_t from = p->client.place;
	if (!joined) {
		const struct record *r = sequence_record(&w->of[wide], at);
		before = record_role(r);
		flags = r->key & FLAG_SNATCHED;
		silent = (int16_t)(uint16_t)(p->expires - r->stamp);
		from = place_before(&w->of[wide], at, from);
	}
	const bool became_seed = !joined && before != SWARM_SEED && p->role == SWARM_SEED;
	const bool completed =
		flags == 0 && (became_seed || (completed_now && before == SWARM_LEECHER));
	if (completed)
		flags = FLAG_SNATCHED;

	v->self.known = false; /* what follows may move it */
	const enum err e = joined ? join(v, p, flags, &at) : change_to(v, p, flags, &at);
	if (e != ERR_OK)
		return e;
	keep_id(v, p, wide, at);
	remember_self(v, &p->client, at);
	w->snatches += completed && w->snatches < UINT32_MAX;
	*change = (struct swarm_change){ .joined = joined,
		                         .completed = completed,
		                         .silent = silent > 0 ? (uint32_t)silent : 0,
		                         .from = from };
	return ERR_OK;
}

bool swarm_remove(struct swarm_visit *v, const struct swarm_client *c, uint32_t *from)
{
	struct spot at;
	if (v->swarm == NULL || !search(v, c, SWARM_LEECHER, &at))
		return false;
	v->self.known = false;
	if (from != NULL)
		*from = place_before(&v->swarm->of[is_wide(c->addr.family)], at, c->place);
	take_out(v, is_wide(c->addr.family), at);
	atomic_fetch_sub_explicit(&v->store->peers, 1, memory_order_relaxed);
	return true;
}

struct swarm_counts swarm_counts(const struct swarm_visit *v)
{
	const struct swarm *w = v->swarm;
	const uint32_t size = w != NULL ? swarm_size(v->shard, w) : 0;
	if (size == 0)
		return (struct swarm_counts){ .downloaded = w != NULL ? w->snatches : 0 };
	const uint32_t seeds = w->of[0].seeds + w->of[1].seeds, others = size - seeds;
	return (struct swarm_counts){
		.complete = seeds,
		.incomplete = others,
		.downloaders = others - w->partial,
		.downloaded = w->snatches,
	};
}

uint32_t swarm_population(const struct swarm_visit *v, uint8_t family)
{
	return v->swarm != NULL ? v->swarm->of[is_wide(family)].n : 0;
}
