/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

enum { REMEMBER_SECONDS = 24 * 60 * 60, HEADER_WORTH = 8 /* a header costs as many records */ };

struct sweep {
	struct swarm_store *store;
	struct swarm_shard *shard;
	struct swarm *swarm;
	bool wide;
	uint32_t now;
};

static bool is_over(void *ctx, const struct record *r)
{
	const struct sweep *s = ctx;
	if (stamp_left(r->stamp, s->now) >= 0)
		return false;
	store_depart(s->store, s->shard, s->swarm, s->wide, r);
	return true;
}

/*
 * Sweeps one sequence from c->key on, as far as *budget reaches; true when it is at its end. A slice
 * ends between chunks, and the next begins at the chunk that has that key by then, so nobody is left
 * out when chunks come and go in between.
 */
static bool sweep_sequence(struct sweep *s, struct swarm_sweep *c, int64_t *budget, size_t *gone)
{
	struct sequence *q = swarm_sequence(s->shard, s->swarm, c->sequence);
	uint32_t chunk = c->key > 0 ? sequence_lower(q, c->key).chunk : 0;
	s->wide = q->wide;
	while (q->n > 0 && chunk < sequence_chunks(q)) {
		if (*budget <= 0) {
			c->key = sequence_first(q, chunk);
			return false;
		}
		*budget -= sequence_chunk_size(q, chunk);
		*gone += sequence_sift(q, chunk, is_over, s, &chunk, &s->shard->bytes);
	}
	sequence_trim(q, &s->shard->bytes);
	return true;
}

/* What is to become of a swarm without peers. */
static void forget_or_remember(struct sweep *s)
{
	struct swarm *w = s->swarm;
	if (swarm_size(s->shard, w) > 0)
		return;
	if (w->emptied == 0)
		w->emptied = s->now > 0 ? s->now : 1;
	if (w->snatches == 0 || s->now - w->emptied > REMEMBER_SECONDS)
		store_forget(s->store, s->shard, w);
}

/* True when the swarm is done with. */
static bool sweep_swarm(struct sweep *s, struct swarm_sweep *c, int64_t *budget, size_t *gone)
{
	*budget -= HEADER_WORTH;
	if (s->swarm->map_number == HEADER_FREE)
		return true;
	for (; swarm_sequence(s->shard, s->swarm, c->sequence) != NULL; c->sequence++) {
		if (!sweep_sequence(s, c, budget, gone))
			return false;
		c->key = 0;
	}
	relocate_tidy(s->shard, s->swarm);
	forget_or_remember(s);
	return true;
}

size_t swarm_sweep(struct swarm_store *store, struct swarm_sweep *c, uint32_t now)
{
	struct swarm_shard *shard = &store->shards[c->shards % store->options.shards];
	struct sweep s = { .store = store, .shard = shard, .now = now };
	int64_t budget = SWARM_SLICE;
	size_t gone = 0;
	must(pthread_mutex_lock(&shard->lock) == 0);
	while (budget > 0 && c->number < shard->headers) {
		s.swarm = store_header(shard, c->number);
		if (!sweep_swarm(&s, c, &budget, &gone))
			break;
		*c = (struct swarm_sweep){ .shards = c->shards, .number = c->number + 1 };
	}
	if (c->number >= shard->headers)
		*c = (struct swarm_sweep){ .shards = c->shards + 1 };
	must(pthread_mutex_unlock(&shard->lock) == 0);
	atomic_fetch_sub_explicit(&store->peers, gone, memory_order_relaxed);
	return gone;
}
