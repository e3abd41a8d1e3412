/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/store.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 16, REMEMBER_SECONDS = 24 * 60 * 60 };

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
		if (shard->slots == NULL) {
			s->options.shards = i + 1;
			swarm_store_free(s);
			return NULL;
		}
	}
	return s;
}

void swarm_store_free(struct swarm_store *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->options.shards; i++) {
		struct swarm_shard *shard = &s->shards[i];
		for (uint32_t j = 0; shard->slots != NULL && j <= shard->mask; j++)
			if (shard->slots[j].swarm != NULL) {
				crowd_done(shard->slots[j].swarm);
				free(shard->slots[j].swarm);
			}
		free(shard->slots);
		must(pthread_mutex_destroy(&shard->lock) == 0);
	}
	free(s);
}

static uint64_t hash_of(const struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE])
{
	uint64_t a, b;
	uint32_t c;
	memcpy(&a, info_hash, sizeof(a));
	memcpy(&b, info_hash + 8, sizeof(b));
	memcpy(&c, info_hash + 16, sizeof(c));
	return random_mix(random_mix(random_mix(s->options.secret ^ a) ^ b) ^ c);
}

/* The slot of the swarm, or the free one where it belongs. */
static uint32_t slot_of(const struct swarm_shard *shard, uint64_t hash, const uint8_t *info_hash)
{
	uint32_t i = (uint32_t)hash & shard->mask;
	for (;; i = (i + 1) & shard->mask) {
		const struct store_slot *slot = &shard->slots[i];
		if (slot->swarm == NULL ||
		    (slot->hash == hash &&
		     memcmp(slot->swarm->info_hash, info_hash, INFO_HASH_SIZE) == 0))
			return i;
	}
}

static enum err shard_grow(struct swarm_shard *shard)
{
	const uint32_t mask = 2 * shard->mask + 1;
	struct store_slot *slots = calloc((size_t)mask + 1, sizeof(*slots));
	if (slots == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i <= shard->mask; i++) {
		if (shard->slots[i].swarm == NULL)
			continue;
		uint32_t j = (uint32_t)shard->slots[i].hash & mask;
		while (slots[j].swarm != NULL)
			j = (j + 1) & mask;
		slots[j] = shard->slots[i];
	}
	free(shard->slots);
	shard->slots = slots;
	shard->mask = mask;
	return ERR_OK;
}

static enum err swarm_new(const struct swarm_store *s, struct swarm_shard *shard, uint64_t hash,
                          const uint8_t *info_hash, struct swarm **out)
{
	if (shard->used >= s->max_used)
		return ERR_BUSY;
	if (shard->used >= shard->mask / 4 * 3 && shard_grow(shard) != ERR_OK)
		return ERR_NOMEM;
	struct swarm *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return ERR_NOMEM;
	w->hash = hash;
	w->soonest = UINT32_MAX;
	memcpy(w->info_hash, info_hash, INFO_HASH_SIZE);
	shard->slots[slot_of(shard, hash, info_hash)] =
		(struct store_slot){ .hash = hash, .swarm = w };
	shard->used++;
	*out = w;
	return ERR_OK;
}

/* What follows moves up when the gap lies between it and its home. */
static void swarm_forget(struct swarm_shard *shard, struct swarm *w)
{
	uint32_t gap = slot_of(shard, w->hash, w->info_hash);
	const struct store_slot *slots = shard->slots;
	for (uint32_t i = (gap + 1) & shard->mask; slots[i].swarm != NULL;
	     i = (i + 1) & shard->mask) {
		if (((i - (uint32_t)slots[i].hash) & shard->mask) < ((i - gap) & shard->mask))
			continue;
		shard->slots[gap] = slots[i];
		gap = i;
	}
	shard->slots[gap] = (struct store_slot){ 0 };
	shard->used--;
	crowd_done(w);
	free(w);
}

enum err swarm_enter(struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE],
                     bool create, struct swarm_visit *out)
{
	const uint64_t hash = hash_of(s, info_hash);
	struct swarm_shard *shard = &s->shards[hash >> 32 & (s->options.shards - 1)];
	must(pthread_mutex_lock(&shard->lock) == 0);
	struct swarm *w = shard->slots[slot_of(shard, hash, info_hash)].swarm;
	enum err e = ERR_OK;
	if (w == NULL && create)
		e = swarm_new(s, shard, hash, info_hash, &w);
	if (e == ERR_OK)
		*out = (struct swarm_visit){ .store = s, .shard = shard, .swarm = w };
	else
		must(pthread_mutex_unlock(&shard->lock) == 0);
	return e;
}

void swarm_leave(struct swarm_visit *v)
{
	struct swarm *w = v->swarm;
	if (w != NULL && crowd_size(w) == 0 && w->snatches == 0)
		swarm_forget(v->shard, w);
	must(pthread_mutex_unlock(&v->shard->lock) == 0);
	*v = (struct swarm_visit){ 0 };
}

/* True when the swarm is to be forgotten. */
static bool expire(struct swarm *w, uint32_t now, size_t *gone)
{
	if (now > w->soonest)
		*gone += crowd_expire(w, now);
	/* Without memory it stays as it is; the next pass tries again. */
	if (crowd_is_sparse(w) && crowd_rebuild(w, NULL, NULL) != ERR_OK)
		return false;
	if (crowd_size(w) > 0) {
		w->emptied = 0;
		return false;
	}
	if (w->emptied == 0)
		w->emptied = now;
	return w->snatches == 0 || now - w->emptied > REMEMBER_SECONDS;
}

size_t swarm_expire(struct swarm_store *s, unsigned shard_number, uint32_t now)
{
	struct swarm_shard *shard = &s->shards[shard_number];
	size_t gone = 0;
	must(pthread_mutex_lock(&shard->lock) == 0);
	for (uint32_t i = 0; i <= shard->mask;) {
		struct swarm *w = shard->slots[i].swarm;
		if (w != NULL && expire(w, now, &gone))
			swarm_forget(shard, w); /* another may have come to this slot */
		else
			i++;
	}
	must(pthread_mutex_unlock(&shard->lock) == 0);
	store_lost(s, gone);
	return gone;
}

struct swarm_totals swarm_totals(struct swarm_store *s)
{
	struct swarm_totals t = { .bytes = sizeof(*s) + s->options.shards * sizeof(*s->shards) };
	for (unsigned i = 0; i < s->options.shards; i++) {
		struct swarm_shard *shard = &s->shards[i];
		must(pthread_mutex_lock(&shard->lock) == 0);
		t.swarms += shard->used;
		t.bytes += ((size_t)shard->mask + 1) * sizeof(*shard->slots);
		for (uint32_t j = 0; j <= shard->mask; j++) {
			const struct swarm *w = shard->slots[j].swarm;
			if (w == NULL)
				continue;
			t.seeds += w->count[SWARM_SEED];
			t.leechers += w->count[SWARM_LEECHER];
			t.partial += w->count[SWARM_PARTIAL];
			t.peers_v4 += w->sides[0] != NULL ? w->sides[0]->used : 0;
			t.peers_v6 += w->sides[1] != NULL ? w->sides[1]->used : 0;
			t.bytes += crowd_bytes(w);
		}
		must(pthread_mutex_unlock(&shard->lock) == 0);
	}
	return t;
}
