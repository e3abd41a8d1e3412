/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

struct peers_walk {
	swarm_peer_fn *each;
	void *ctx;
};

static void tell(const struct peers_walk *w, bool wide, const struct record *r)
{
	const size_t size = endpoint_size(wide) - sizeof(uint16_t);
	struct reader port = reader_over(r->endpoint + size, sizeof(uint16_t));
	const struct ip_addr addr = ip_from_bytes(r->endpoint, size);
	w->each(w->ctx, &addr, reader_u16(&port));
}

/* As sweep_sequence() in sweep.c: a slice ends between chunks, and goes on by key. */
static bool walk_sequence(const struct peers_walk *w, const struct sequence *q,
                          struct swarm_sweep *c, int64_t *budget)
{
	uint32_t chunk = c->key > 0 ? sequence_lower(q, c->key).chunk : 0;
	for (; q->n > 0 && chunk < sequence_chunks(q); chunk++) {
		const uint32_t n = sequence_chunk_size(q, chunk);
		if (*budget <= 0) {
			c->key = sequence_first(q, chunk);
			return false;
		}
		*budget -= n;
		for (uint32_t i = 0; i < n; i++)
			tell(w, q->wide,
			     sequence_record(q, (struct spot){ .chunk = chunk, .position = i }));
	}
	return true;
}

/* True when the swarm is done with. */
static bool walk_swarm(const struct peers_walk *w, struct swarm_shard *shard, struct swarm_sweep *c,
                       int64_t *budget)
{
	struct swarm *s = store_header(shard, c->number);
	const struct sequence *q;
	--*budget;
	if (s->map_number == HEADER_FREE)
		return true;
	for (; (q = swarm_sequence(shard, s, c->sequence)) != NULL; c->sequence++) {
		if (!walk_sequence(w, q, c, budget))
			return false;
		c->key = 0;
	}
	return true;
}

void swarm_peers(struct swarm_store *store, struct swarm_sweep *c, swarm_peer_fn *each, void *ctx)
{
	struct swarm_shard *shard = &store->shards[c->shards % store->options.shards];
	const struct peers_walk w = { .each = each, .ctx = ctx };
	int64_t budget = SWARM_SLICE;
	must(pthread_mutex_lock(&shard->lock) == 0);
	while (budget > 0 && c->number < shard->headers) {
		if (!walk_swarm(&w, shard, c, &budget))
			break;
		*c = (struct swarm_sweep){ .shards = c->shards, .number = c->number + 1 };
	}
	if (c->number >= shard->headers)
		*c = (struct swarm_sweep){ .shards = c->shards + 1 };
	must(pthread_mutex_unlock(&shard->lock) == 0);
}
