/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shards: a lock, a table, and the headers of the swarms. Private to common/swarm.
 *
 * The table is open addressing, at most three quarters full. A slot is the lower half of the hash,
 * by which it is placed, and a number, so that a search or a growing table looks at no header but the
 * one that is meant. Headers stand in a slab, pages that never move: a number is a page and a place in
 * it. A slab keeps its pages for the next swarms when the present ones go.
 *
 * Totals are kept as records come and go (store_arrive(), store_depart()), so nobody ever walks a
 * shard to count it.
 */

#include "common/swarm/peer_ids.h"
#include "common/swarm/sequence.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

/* The header of a swarm: one cache line. */
struct swarm {
	uint8_t info_hash[INFO_HASH_SIZE];
	uint32_t snatches;
	/* HEADER_FREE: nobody's header; `snatches` is the next free one's */
	union {
		struct {
			uint32_t map_number : 31;
			uint32_t moving : 1; /* some of its peers are in moves */
		};
		struct {
			uint32_t move : 31; /* while moving: of `moves` of the shard, its latest */
			uint32_t : 1;
		};
	};
	union {
		uint32_t partial; /* partial seeds, while somebody is here */
		uint32_t emptied; /* else: when a sweep first found nobody; 0: none did */
	};
	struct sequence of[2]; /* IPv4, IPv6 */
};
_Static_assert(sizeof(struct swarm) == 64, "a header is a cache line");

#define HEADER_FREE 0x7fffffffU
enum { PAGE_HEADERS = 16 };

/*
 * Peers of a swarm whose places are an older map's (relocate.c). `of` of the swarm has the others, and
 * all seeds are counted there. A swarm has several when maps came faster than its announces.
 */
struct move {
	struct move *next; /* an older one of the swarm */
	struct swarm *swarm;
	uint32_t map_number; /* of the swarm; the latest has it */
	uint32_t mask;       /* bits of `strangers` - 1 */
	struct sequence old[2];
	uint64_t strangers[]; /* by tag: of those who came, were not found here, and may be here */
};

struct store_slot {
	uint32_t hash;
	uint32_t number; /* + 1; 0: free */
};

struct swarm_shard {
	alignas(64) pthread_mutex_t lock;
	/* Read without the lock by swarm_prefetch() stage 0, which only computes an address. */
	_Atomic(struct store_slot *) slots; /* mask + 1 */
	_Atomic uint32_t mask;
	uint32_t n_pages;
	struct swarm **pages;
	uint32_t headers; /* ever used */
	uint32_t free;    /* the first header to use again, + 1; 0: none */
	struct peer_ids ids;
	struct move **moves; /* the latest of each swarm that is moving */
	uint32_t n_moves, moves_room;
	struct swarm_sweep oldest;  /* where to look for somebody who may go */
	struct swarm_totals totals; /* but for `bytes` */
	size_t bytes;
};

struct swarm_store {
	struct swarm_options options;
	uint32_t max_used;   /* swarms of one shard */
	atomic_size_t peers; /* of all shards; kept for max_peers */
	atomic_uint *crowds; /* limits.c; NULL: no limits but those of the store */
	/* relocate.c: for each place, what place a record that came there had been in. Of its 4 MB only
	 * those pages are touched where places are. */
	atomic_uint *was;
	struct swarm_shard shards[];
};

static inline struct swarm *store_header(const struct swarm_shard *shard, uint32_t number)
{
	return &shard->pages[number / PAGE_HEADERS][number % PAGE_HEADERS];
}

/* The latest, NULL: none. */
static inline struct move *store_moves(const struct swarm_shard *shard, const struct swarm *w)
{
	return w->moving ? shard->moves[w->move] : NULL;
}

/* The sequences of a swarm one after the other, those under way too; NULL behind the last. Even ones
 * are IPv4's. */
struct sequence *swarm_sequence(const struct swarm_shard *shard, struct swarm *w, unsigned i);
uint32_t swarm_size(const struct swarm_shard *shard, const struct swarm *w);

/* The swarm's slot and header are free again; its sequences must be empty. */
void store_forget(struct swarm_store *s, struct swarm_shard *shard, struct swarm *w);

/* A record was put into one of the swarm's sequences, or is about to leave it. */
void store_arrive(struct swarm_store *s, struct swarm_shard *shard, struct swarm *w, bool wide,
                  const struct record *r);
void store_depart(struct swarm_store *s, struct swarm_shard *shard, struct swarm *w, bool wide,
                  const struct record *r);

/* The hash of a peer in peer_ids.h. */
uint64_t store_id_hash(const struct swarm_store *s, const struct swarm *w, bool wide,
                       const struct record *r);
