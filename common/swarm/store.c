/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"
#include "common/swarm/limits.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 16 };

struct swarm_store *swarm_store_new(const struct swarm_options *options)
{
	must(options->shards > 0 && (options->shards & (options->shards - 1)) == 0);
	struct swarm_store *s = NULL;
	const size_t size = sizeof(*s) + options->shards * sizeof(*s->shards);
	s = aligned_alloc(alignof(struct swarm_store), size);
	if (s == NULL)
		return NULL;
	memset(s, 0, size);
	s->options = *options;
	const size_t each = (options->max_swarms + options->shards - 1) / options->shards;
	s->max_used = each < UINT32_MAX / 4 ? (uint32_t)each : UINT32_MAX / 4;
	for (unsigned i = 0; i < options->shards; i++) {
		struct swarm_shard *shard = &s->shards[i];
		must(pthread_mutex_init(&shard->lock, NULL) == 0);
		shard->mask = SLOTS_MIN - 1;
		shard->slots = calloc(SLOTS_MIN, sizeof(*shard->slots));
		shard->bytes = sizeof(*shard) + SLOTS_MIN * sizeof(*shard->slots);
		if (shard->slots == NULL) {
			s->options.shards = i + 1;
			swarm_store_free(s);
			return NULL;
		}
	}
	s->was = calloc(SWARM_PLACES_MAX, sizeof(*s->was));
	if (s->was == NULL || limits_init(s) != ERR_OK) {
		swarm_store_free(s);
		return NULL;
	}
	return s;
}

void swarm_store_free(struct swarm_store *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->options.shards; i++) {
		struct swarm_shard *shard = &s->shards[i];
		for (uint32_t j = 0; j < shard->headers; j++) {
			struct swarm *w = store_header(shard, j);
			struct sequence *q;
			if (w->map_number == HEADER_FREE)
				continue;
			for (unsigned k = 0; (q = swarm_sequence(shard, w, k)) != NULL; k++)
				sequence_done(q, &shard->bytes);
			relocate_tidy(shard, w);
		}
		free(shard->moves);
		for (uint32_t j = 0; j < shard->n_pages; j++)
			free(shard->pages[j]);
		free(shard->pages);
		free(shard->slots);
		peer_ids_done(&shard->ids, &shard->bytes);
		must(pthread_mutex_destroy(&shard->lock) == 0);
	}
	free(s->was);
	free(s->crowds);
	free(s);
}

/* ---- the table ---- */

/* The lower half places it in its shard's table, the upper half chooses the shard. */
static uint64_t hash_of(const struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE])
{
	uint64_t a, b;
	uint32_t c;
	memcpy(&a, info_hash, sizeof(a));
	memcpy(&b, info_hash + 8, sizeof(b));
	memcpy(&c, info_hash + 16, sizeof(c));
	return random_mix(random_mix(random_mix(s->options.secret ^ a) ^ b) ^ c);
}

static unsigned shard_of(const struct swarm_store *s, uint64_t hash)
{
	return (unsigned)(hash >> 32) & (s->options.shards - 1);
}

/* The slot of the swarm, or the free one where it belongs. */
static uint32_t slot_of(const struct swarm_shard *shard, uint32_t hash, const uint8_t *info_hash)
{
	const struct store_slot *slots = shard->slots;
	const uint32_t mask = shard->mask;
	for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
		const struct store_slot *slot = &slots[i];
		if (slot->number == 0 ||
		    (slot->hash == hash && memcmp(store_header(shard, slot->number - 1)->info_hash,
		                                  info_hash, INFO_HASH_SIZE) == 0))
			return i;
	}
}

static enum err table_grow(struct swarm_shard *shard)
{
	struct store_slot *old = shard->slots;
	const uint32_t was = shard->mask, mask = 2 * was + 1;
	struct store_slot *slots = calloc((size_t)mask + 1, sizeof(*slots));
	if (slots == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i <= was; i++) {
		if (old[i].number == 0)
			continue;
		uint32_t j = old[i].hash & mask;
		while (slots[j].number != 0)
			j = (j + 1) & mask;
		slots[j] = old[i];
	}
	shard->slots = slots;
	shard->mask = mask;
	shard->bytes += ((size_t)mask - was) * sizeof(*slots);
	free(old);
	return ERR_OK;
}

/* ---- the slab ---- */

static enum err page_add(struct swarm_shard *shard)
{
	if ((shard->n_pages & (shard->n_pages - 1)) == 0) { /* the array doubles */
		const uint32_t more = shard->n_pages > 0 ? shard->n_pages : 1;
		const size_t room = (size_t)(shard->n_pages + more) * sizeof(struct swarm *);
		struct swarm **pages = realloc(shard->pages, room);
		if (pages == NULL)
			return ERR_NOMEM;
		shard->pages = pages;
	}
	struct swarm *page = NULL;
	page = aligned_alloc(sizeof(*page), PAGE_HEADERS * sizeof(*page));
	if (page == NULL)
		return ERR_NOMEM;
	shard->pages[shard->n_pages++] = page;
	shard->bytes += PAGE_HEADERS * sizeof(*page) + sizeof(struct swarm *);
	return ERR_OK;
}

static enum err header_take(struct swarm_shard *shard, uint32_t *out)
{
	if (shard->free != 0) {
		*out = shard->free - 1;
		shard->free = store_header(shard, *out)->snatches;
		return ERR_OK;
	}
	if (shard->headers == shard->n_pages * PAGE_HEADERS && page_add(shard) != ERR_OK)
		return ERR_NOMEM;
	*out = shard->headers++;
	return ERR_OK;
}

static enum err swarm_new(struct swarm_store *s, struct swarm_shard *shard, uint32_t hash,
                          const uint8_t *info_hash, struct swarm_visit *v)
{
	uint32_t number;
	if (shard->totals.swarms >= s->max_used && !limits_forget_swarm(v))
		return ERR_BUSY;
	if (shard->totals.swarms >= (uint64_t)(shard->mask / 4) * 3 && table_grow(shard) != ERR_OK)
		return ERR_NOMEM;
	if (header_take(shard, &number) != ERR_OK)
		return ERR_NOMEM;
	struct swarm *w = store_header(shard, number);
	*w = (struct swarm){ .of[1].wide = true };
	memcpy(w->info_hash, info_hash, INFO_HASH_SIZE);
	struct store_slot *slots = shard->slots;
	slots[slot_of(shard, hash, info_hash)] =
		(struct store_slot){ .hash = hash, .number = number + 1 };
	shard->totals.swarms++;
	v->swarm = w;
	return ERR_OK;
}

/* What follows moves up when the gap lies between it and its home. */
void store_forget(struct swarm_store *s, struct swarm_shard *shard, struct swarm *w)
{
	const uint32_t hash = (uint32_t)hash_of(s, w->info_hash), mask = shard->mask;
	uint32_t gap = slot_of(shard, hash, w->info_hash);
	struct store_slot *slots = shard->slots;
	const uint32_t number = slots[gap].number;
	must(number != 0 && swarm_size(shard, w) == 0 && !w->moving);
	for (uint32_t i = (gap + 1) & mask; slots[i].number != 0; i = (i + 1) & mask) {
		if (((i - slots[i].hash) & mask) < ((i - gap) & mask))
			continue;
		slots[gap] = slots[i];
		gap = i;
	}
	slots[gap] = (struct store_slot){ 0 };
	w->map_number = HEADER_FREE;
	w->snatches = shard->free;
	shard->free = number;
	shard->totals.swarms--;
}

struct sequence *swarm_sequence(const struct swarm_shard *shard, struct swarm *w, unsigned i)
{
	if (i < 2)
		return &w->of[i];
	for (struct move *m = store_moves(shard, w); m != NULL; m = m->next) {
		i -= 2;
		if (i < 2)
			return &m->old[i];
	}
	return NULL;
}

uint32_t swarm_size(const struct swarm_shard *shard, const struct swarm *w)
{
	uint32_t n = w->of[0].n + w->of[1].n;
	for (const struct move *m = store_moves(shard, w); m != NULL; m = m->next)
		n += m->old[0].n + m->old[1].n;
	return n;
}

/* ---- visits ---- */

enum err swarm_enter(struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE],
                     bool create, struct swarm_visit *out)
{
	const uint64_t hash = hash_of(s, info_hash);
	struct swarm_shard *shard = &s->shards[shard_of(s, hash)];
	must(pthread_mutex_lock(&shard->lock) == 0);
	const struct store_slot *slots = shard->slots;
	const uint32_t number = slots[slot_of(shard, (uint32_t)hash, info_hash)].number;
	*out = (struct swarm_visit){ .store = s, .shard = shard };
	enum err e = ERR_OK;
	if (number != 0)
		out->swarm = store_header(shard, number - 1);
	else if (create)
		e = swarm_new(s, shard, (uint32_t)hash, info_hash, out);
	if (e != ERR_OK)
		must(pthread_mutex_unlock(&shard->lock) == 0);
	return e;
}

void swarm_leave(struct swarm_visit *v)
{
	struct swarm *w = v->swarm;
	if (w != NULL && swarm_size(v->shard, w) == 0 && w->snatches == 0)
		store_forget(v->store, v->shard, w);
	must(pthread_mutex_unlock(&v->shard->lock) == 0);
	*v = (struct swarm_visit){ 0 };
}

void swarm_hold(struct swarm_store *s, unsigned shard)
{
	must(pthread_mutex_lock(&s->shards[shard].lock) == 0);
}

void swarm_release(struct swarm_store *s, unsigned shard)
{
	must(pthread_mutex_unlock(&s->shards[shard].lock) == 0);
}

struct swarm_where swarm_where(const struct swarm_visit *v)
{
	return (struct swarm_where){ .shard = (unsigned)(v->shard - v->store->shards),
		                     .hash = hash_of(v->store, v->swarm->info_hash) };
}

/* A small block, or the directory of a tall sequence: what searches and draws begin with. */
static void records_prefetch(const struct swarm *w)
{
	enum { LINE = 64, LINES_MAX = 16 };
	const struct sequence *s = &w->of[w->of[0].n == 0];
	const size_t size = s->tall ? LINES_MAX * LINE : (size_t)s->n << record_shift(s->wide);
	for (size_t i = 0; i < size && i < LINES_MAX * LINE; i += LINE)
		__builtin_prefetch((const char *)s->at + i);
}

/* Only stage 0 can do without the lock: the others read what may be freed. */
void swarm_prefetch(struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE],
                    unsigned stage)
{
	const uint64_t hash = hash_of(s, info_hash);
	struct swarm_shard *shard = &s->shards[shard_of(s, hash)];
	if (stage == 0) {
		const struct store_slot *slots =
			atomic_load_explicit(&shard->slots, memory_order_relaxed);
		__builtin_prefetch(
			&slots[(uint32_t)hash &
		               atomic_load_explicit(&shard->mask, memory_order_relaxed)]);
		return;
	}
	if (pthread_mutex_trylock(&shard->lock) != 0)
		return;
	const struct store_slot *slots = shard->slots;
	if (stage == 1) {
		const uint32_t number = slots[(uint32_t)hash & shard->mask].number;
		if (number != 0)
			__builtin_prefetch(store_header(shard, number - 1));
	} else {
		const uint32_t number = slots[slot_of(shard, (uint32_t)hash, info_hash)].number;
		if (number != 0)
			records_prefetch(store_header(shard, number - 1));
	}
	must(pthread_mutex_unlock(&shard->lock) == 0);
}

/* ---- totals ---- */

uint64_t store_id_hash(const struct swarm_store *s, const struct swarm *w, bool wide,
                       const struct record *r)
{
	uint64_t words[3] = { 0 };
	memcpy(words, r->endpoint, endpoint_size(wide));
	uint64_t h = hash_of(s, w->info_hash) ^ key_identity(r->key);
	for (unsigned i = 0; i < 3; i++)
		h = random_mix(h ^ words[i]) + s->options.secret;
	return h;
}

static void count(struct swarm_shard *shard, struct swarm *w, bool wide, enum swarm_role role,
                  uint32_t by)
{
	struct swarm_totals *t = &shard->totals;
	const uint64_t by64 = (uint64_t)(int64_t)(int32_t)by;
	if (role == SWARM_SEED) {
		w->of[wide].seeds += by;
		t->seeds += by64;
	} else if (role == SWARM_PARTIAL) {
		w->partial += by;
		t->partial += by64;
	} else {
		t->leechers += by64;
	}
	*(wide ? &t->peers_v6 : &t->peers_v4) += by64;
}

void store_arrive(struct swarm_store *s, struct swarm_shard *shard, struct swarm *w, bool wide,
                  const struct record *r)
{
	limits_count(s, r->endpoint, wide, 1);
	count(shard, w, wide, record_role(r), 1);
}

void store_depart(struct swarm_store *s, struct swarm_shard *shard, struct swarm *w, bool wide,
                  const struct record *r)
{
	if (r->key & FLAG_PEER_ID)
		peer_ids_remove(&shard->ids, store_id_hash(s, w, wide, r), &shard->bytes);
	limits_count(s, r->endpoint, wide, -1);
	count(shard, w, wide, record_role(r), (uint32_t)-1);
}

struct swarm_totals swarm_totals(struct swarm_store *s)
{
	struct swarm_totals sum = { .bytes = sizeof(*s) + limits_bytes(s) };
	for (unsigned i = 0; i < s->options.shards; i++) {
		struct swarm_shard *shard = &s->shards[i];
		must(pthread_mutex_lock(&shard->lock) == 0);
		const struct swarm_totals t = shard->totals;
		const size_t bytes = shard->bytes;
		must(pthread_mutex_unlock(&shard->lock) == 0);
		sum.swarms += t.swarms;
		sum.seeds += t.seeds;
		sum.leechers += t.leechers;
		sum.partial += t.partial;
		sum.peers_v4 += t.peers_v4;
		sum.peers_v6 += t.peers_v6;
		sum.bytes += bytes;
	}
	return sum;
}
