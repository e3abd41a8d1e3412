/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/limits.h"

#include "common/base/random.h"
#include "common/swarm/crowd.h"

#include <stdlib.h>
#include <string.h>

enum {
	CROWD_BITS = 20,
	CROWDS = 1 << CROWD_BITS, /* of addresses; and as many of prefixes behind them */
	LOOKED_AT = 64,           /* peers, or swarms */
	HEADERS_MAX = 256,        /* on the way to so many peers */
	SHARDS_MAX = 16,
	SMALL = 8 /* peers of a swarm that may be forgotten */
};

/* ---- how many of an address and a prefix ---- */

enum err limits_init(struct swarm_store *s)
{
	const size_t size = (size_t)2 * CROWDS * sizeof(*s->crowds);
	if (s->options.max_per_address == 0 && s->options.max_per_prefix == 0)
		return ERR_OK;
	s->crowds = aligned_alloc(64, size);
	if (s->crowds == NULL)
		return ERR_NOMEM;
	memset(s->crowds, 0, size); /* touched now, not by the first million peers */
	return ERR_OK;
}

size_t limits_bytes(const struct swarm_store *s)
{
	return s->crowds != NULL ? (size_t)2 * CROWDS * sizeof(*s->crowds) : 0;
}

/* Bytes of an address that count: all four or the /64; of a prefix: the /24 or the /48. */
static size_t group_size(bool wide, bool prefix)
{
	return wide ? (prefix ? 6 : 8) : (prefix ? 3 : 4);
}

static atomic_uint *crowd_of(const struct swarm_store *s, const uint8_t *address, bool wide,
                             bool prefix)
{
	uint64_t bits = 0;
	memcpy(&bits, address, group_size(wide, prefix));
	const uint64_t hash = random_mix(random_mix(bits ^ s->options.secret) + wide);
	return &s->crowds[(prefix ? CROWDS : 0) + (hash >> (64 - CROWD_BITS))];
}

void limits_count(struct swarm_store *s, const uint8_t *endpoint, bool wide, int by)
{
	if (s->crowds == NULL)
		return;
	for (unsigned prefix = 0; prefix < 2; prefix++)
		atomic_fetch_add_explicit(crowd_of(s, endpoint, wide, prefix), (unsigned)by,
		                          memory_order_relaxed);
}

/* ---- who has to go ---- */

struct victim {
	struct swarm *swarm; /* NULL: nobody yet */
	unsigned sequence;
	struct spot at;
	uint16_t stamp;
};

static bool is_older(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b) < 0;
}

static void consider(struct victim *best, struct swarm *w, unsigned sequence, struct spot at,
                     const struct record *r)
{
	if (best->swarm == NULL || is_older(r->stamp, best->stamp))
		*best = (struct victim){ w, sequence, at, r->stamp };
}

/* `keep`: the swarm of a visit, which is not forgotten under it. */
static void evict(struct swarm_store *s, struct swarm_shard *shard, const struct victim *who,
                  const struct swarm *keep)
{
	struct swarm *w = who->swarm;
	struct sequence *q = swarm_sequence(shard, w, who->sequence);
	store_depart(s, shard, w, q->wide, sequence_record(q, who->at));
	sequence_remove(q, who->at, &shard->bytes);
	atomic_fetch_sub_explicit(&s->peers, 1, memory_order_relaxed);
	relocate_tidy(shard, w);
	if (w != keep && w->snatches == 0 && swarm_size(shard, w) == 0)
		store_forget(s, shard, w);
}

/* Goes on from the cursor through one swarm; true when the swarm is through. */
static bool look_at_swarm(struct swarm_shard *shard, struct swarm *w, unsigned *left,
                          struct victim *best)
{
	struct swarm_sweep *c = &shard->oldest;
	const struct sequence *q;
	for (; (q = swarm_sequence(shard, w, c->sequence)) != NULL; c->sequence++, c->key = 0) {
		struct spot at = sequence_lower(q, c->key);
		for (; !sequence_is_end(q, at); at = sequence_next(q, at), --*left) {
			const struct record *r = sequence_record(q, at);
			c->key = key_plain(r->key);
			if (*left == 0)
				return false;
			consider(best, w, c->sequence, at, r);
		}
	}
	return true;
}

/* The oldest of the next ones in the shard. */
static struct victim look(struct swarm_shard *shard)
{
	struct swarm_sweep *c = &shard->oldest;
	struct victim best = { .swarm = NULL };
	unsigned left = LOOKED_AT;
	for (unsigned i = 0; i < HEADERS_MAX && left > 0; i++) {
		if (c->number >= shard->headers)
			*c = (struct swarm_sweep){ 0 };
		if (shard->headers == 0)
			break;
		struct swarm *w = store_header(shard, c->number);
		if (w->map_number == HEADER_FREE || look_at_swarm(shard, w, &left, &best))
			*c = (struct swarm_sweep){ .number = c->number + 1 };
	}
	return best;
}

bool limits_make_room(struct swarm_visit *v)
{
	struct swarm_store *s = v->store;
	const unsigned mask = s->options.shards - 1, mine = (unsigned)(v->shard - s->shards);
	struct victim who = look(v->shard);
	if (who.swarm != NULL)
		evict(s, v->shard, &who, v->swarm);
	for (unsigned i = 1; who.swarm == NULL && i <= mask && i <= SHARDS_MAX; i++) {
		struct swarm_shard *other = &s->shards[(mine + i) & mask];
		if (pthread_mutex_trylock(&other->lock) != 0)
			continue;
		who = look(other);
		if (who.swarm != NULL)
			evict(s, other, &who, NULL);
		must(pthread_mutex_unlock(&other->lock) == 0);
	}
	v->evicted[SWARM_LIMIT_STORE] += who.swarm != NULL;
	return who.swarm != NULL;
}

/* The oldest of that address or prefix among those in the client's place. */
static bool evict_near(struct swarm_visit *v, const struct swarm_client *c, bool prefix)
{
	struct swarm *w = v->swarm;
	const bool wide = is_wide(c->addr.family);
	const struct sequence *q = &w->of[wide];
	const size_t size = group_size(wide, prefix);
	struct victim who = { .swarm = NULL };
	unsigned left = SWARM_SEARCH_MAX;
	for (unsigned class = 0; class < CLASS_HIDDEN; class ++) {
		const uint64_t end = key_of_place(class, c->place + 1);
		struct spot at = sequence_lower(q, key_of_place(class, c->place));
		for (; left > 0 && !sequence_is_end(q, at); at = sequence_next(q, at), left--) {
			const struct record *r = sequence_record(q, at);
			if (r->key >= end)
				break;
			if (memcmp(r->endpoint, c->addr.bytes, size) == 0)
				consider(&who, w, wide, at, r);
		}
	}
	if (who.swarm == NULL)
		return false;
	evict(v->store, v->shard, &who, w);
	v->evicted[prefix ? SWARM_LIMIT_PREFIX : SWARM_LIMIT_ADDRESS]++;
	return true;
}

bool limits_admit(struct swarm_visit *v, const struct swarm_client *c)
{
	const struct swarm_store *s = v->store;
	const bool wide = is_wide(c->addr.family);
	const uint32_t limits[] = { s->options.max_per_address, s->options.max_per_prefix };
	for (unsigned prefix = 0; prefix < 2; prefix++) {
		if (limits[prefix] == 0)
			continue;
		const unsigned here = atomic_load_explicit(crowd_of(s, c->addr.bytes, wide, prefix),
		                                           memory_order_relaxed);
		if (here >= limits[prefix] && !evict_near(v, c, prefix))
			return false;
	}
	return true;
}

/* ---- which swarm has to go ---- */

/* The end of the last to go of a small swarm. False: it is not small. */
static bool newest_of(const struct swarm_shard *shard, struct swarm *w, uint16_t *out)
{
	bool any = false;
	if (w->moving || swarm_size(shard, w) > SMALL)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		const struct sequence *q = &w->of[i];
		for (struct spot at = { 0 }; !sequence_is_end(q, at); at = sequence_next(q, at)) {
			const uint16_t stamp = sequence_record(q, at)->stamp;
			if (!any || is_older(*out, stamp))
				*out = stamp;
			any = true;
		}
	}
	return any;
}

bool limits_forget_swarm(struct swarm_visit *v)
{
	struct swarm_shard *shard = v->shard;
	struct swarm *best = NULL;
	uint16_t oldest = 0, newest = 0;
	for (unsigned i = 0; i < LOOKED_AT && i < shard->headers; i++) {
		const uint32_t next = shard->oldest.number + 1;
		shard->oldest = (struct swarm_sweep){ .number = next < shard->headers ? next : 0 };
		struct swarm *w = store_header(shard, shard->oldest.number);
		if (w->map_number == HEADER_FREE)
			continue;
		if (swarm_size(shard, w) == 0) { /* only its snatches are remembered */
			best = w;
			break;
		}
		if (newest_of(shard, w, &newest) && (best == NULL || is_older(newest, oldest))) {
			best = w;
			oldest = newest;
		}
	}
	if (best == NULL)
		return false;
	for (unsigned i = 0; i < 2; i++)
		while (best->of[i].n > 0) {
			const struct victim who = { .swarm = best, .sequence = i };
			evict(v->store, shard, &who, best);
			v->evicted[SWARM_LIMIT_STORE]++;
		}
	store_forget(v->store, shard, best);
	return true;
}
