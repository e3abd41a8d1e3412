/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One shard of the ledger: a table of entries, found by linear probing, and one of what clients last
 * said. Private to the ledger.
 *
 * Threading: under the shard's lock, but for the two numbers and the pointer that say so.
 */

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Two to a cache line. */
struct entry {
	uint64_t key; /* 56 bits of hash, 0: empty; 8 of visits */
	uint64_t up, down;
	uint32_t seen; /* unix seconds */
	float wanted;  /* bytes it lacked at first */
};
_Static_assert(sizeof(struct entry) == 32, "entries do not straddle cache lines");

/* What a client last said of any swarm. Lossy: of two clients at one place the later stays. */
struct last {
	uint64_t client, said; /* a hash of both counters */
	uint32_t swarm;        /* the low half of it */
	uint32_t seen;
};

struct shard {
	alignas(64) pthread_mutex_t lock;
	/* Written under the lock; read without it too, to prefetch and to see that it is empty. */
	_Atomic(struct entry *) slots;
	_Atomic uint32_t n_slots;
	_Atomic uint32_t count;
	_Atomic(struct last *) lasts;
	_Atomic uint32_t n_lasts;
	uint32_t cursor; /* where the next search for somebody to displace begins */
	int64_t lost;    /* whoever announced until then may have been in it; 0: nobody */
};

static inline struct entry *shard_slots(const struct shard *s)
{
	return atomic_load_explicit(&s->slots, memory_order_relaxed);
}

static inline uint32_t shard_size(const struct shard *s)
{
	return atomic_load_explicit(&s->n_slots, memory_order_relaxed);
}

static inline uint32_t shard_count(const struct shard *s)
{
	return atomic_load_explicit(&s->count, memory_order_relaxed);
}

static inline bool entry_empty(const struct entry *e)
{
	return e->key >> 8 == 0;
}

/* A hash spread over [0, n). */
static inline uint32_t spread(uint64_t hash, uint32_t n)
{
	return (uint32_t)((hash >> 32) * n >> 32);
}

/* Brings nearer what is known of `key` and of `client`. Any thread. */
void shard_prefetch(const struct shard *s, uint64_t key, uint64_t client);

/* Where it is, or where it would go; NULL when there is no table. */
struct entry *shard_find(const struct shard *s, uint64_t key);

/* An empty slot for `key`, which is not there; the longest silent of some makes room when there are
 * `most` entries or no memory. NULL when there is no memory for the first. */
struct entry *shard_add(struct shard *s, uint32_t most, uint64_t key);
void shard_remove(struct shard *s, struct entry *e);

/* Where what `client` last said stands or would stand; NULL when out of memory. */
struct last *shard_last(struct shard *s, uint64_t client);

/* Forgets who was last seen before `then`, and gives back memory. */
void shard_expire(struct shard *s, int64_t then);
void shard_done(struct shard *s);
