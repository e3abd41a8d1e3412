/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is in which swarm.
 *
 * A store has shards (by info-hash), each with one lock. Everything about a swarm happens inside a
 * *visit*: swarm_enter() locks its shard, swarm_leave() unlocks. Inside a visit the peers stand in
 * buckets, one for each place (a number whose meaning is the caller's; the tracker passes PIDs), so
 * that drawing "3 from this PID, 2 from that" costs what is drawn, not what the swarm holds.
 *
 * A peer is one client, known by `identity`. A peer with port 0 is counted and never drawn.
 *
 * A swarm without peers is forgotten at once, or, when it has snatches to remember, after a day.
 *
 * Ownership: the store owns all. Threading: any thread may enter; a visit belongs to one thread and
 * must not enter again. Time (`now`, seconds of any steady clock that fits 31 bits) and chance
 * (`seed`) are arguments.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"
#include "common/codec/announce.h"

enum swarm_role { SWARM_SEED, SWARM_LEECHER, SWARM_PARTIAL /* BEP 21: done, but not whole */ };

struct swarm_store;
struct swarm;
struct swarm_shard;

struct swarm_options {
	unsigned shards;   /* a power of two */
	size_t max_swarms; /* of the whole store, shared out evenly over the shards */
	size_t max_peers;
	uint64_t secret; /* of the hash tables: unknown to those who choose info-hashes */
};

struct swarm_store *swarm_store_new(const struct swarm_options *options); /* NULL: no memory */
void swarm_store_free(struct swarm_store *s);                             /* NULL is fine */

struct swarm_visit {
	struct swarm_store *store;
	struct swarm_shard *shard;
	struct swarm *swarm; /* NULL: unknown, and `create` was false */
	/* Where swarm_put() left the asker, so that buckets and draws need not search. */
	struct {
		bool known;
		uint8_t side;
		uint32_t bucket, position;
		uint64_t identity;
	} self;
};

/* ERR_BUSY: max_swarms is reached. ERR_NOMEM. On failure nothing is locked. */
enum err swarm_enter(struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE],
                     bool create, struct swarm_visit *out) must_check;
/* Unlocks; frees the swarm when it is empty and has no snatches to remember. */
void swarm_leave(struct swarm_visit *v);

struct swarm_peer {
	uint64_t identity;
	struct ip_addr addr;
	uint16_t port;
	enum swarm_role role;
	uint32_t place;
	uint32_t expires; /* the second after which it is gone */
	uint8_t peer_id[PEER_ID_SIZE];
};

struct swarm_change {
	bool joined;    /* was not here before */
	bool completed; /* one snatch was counted */
	uint32_t
		silent; /* seconds since its last announce, if both live equally long; 0 if joined */
};

/*
 * Adds the peer or updates it (role, address, port, place, expiry), O(1).
 * A snatch is counted once per peer: when somebody who was here without everything becomes a seed,
 * or, with `completed_now` (the client said event=completed), when it was here as a leecher or is
 * new. ERR_BUSY: max_peers is reached. ERR_NOMEM. Nothing changed then.
 */
enum err swarm_put(struct swarm_visit *v, const struct swarm_peer *peer, bool completed_now,
                   struct swarm_change *change) must_check;

/* False when it was not here. */
bool swarm_remove(struct swarm_visit *v, uint64_t identity);

struct swarm_counts {
	uint32_t complete;    /* seeds */
	uint32_t incomplete;  /* leechers and partial seeds */
	uint32_t downloaders; /* leechers only (BEP 21) */
	uint32_t downloaded;  /* snatches */
};
struct swarm_counts swarm_counts(const struct swarm_visit *v); /* zeros when unknown */

/* The map publication that the places of this swarm belong to; 0 for a new swarm. */
uint64_t swarm_map_number(const struct swarm_visit *v);

/* Puts every peer into the place that `place_of` gives for its address. ERR_NOMEM, ERR_BUSY: nothing
 * changed. */
typedef uint32_t swarm_place_fn(void *ctx, const struct ip_addr *addr);
enum err swarm_relocate(struct swarm_visit *v, uint64_t map_number, swarm_place_fn *place_of,
                        void *ctx) must_check;

/* Whom may the asker be given? */
struct swarm_asker {
	uint64_t identity;
	struct ip_addr
		addr; /* itself, and a ghost of itself at the same address and port, is never drawn */
	uint16_t port;
	uint8_t family; /* enum ip_family of the peers wanted */
	bool seeding;   /* a seed or partial seed: gets leechers only */
	bool compact;   /* peer ids are not wanted: saves a cache miss for each peer */
};

struct swarm_bucket {
	uint32_t place;
	uint32_t seeds;  /* candidates that have everything; 0 for a seeding asker */
	uint32_t others; /* leechers, and partial seeds unless the asker seeds */
	uint32_t handle; /* for swarm_draw(), valid inside this visit */
};

/*
 * The buckets that hold at least one candidate for the asker; at most `room`, from a random
 * one on when there are more.
 */
size_t swarm_buckets(const struct swarm_visit *v, const struct swarm_asker *asker,
                     struct swarm_bucket *out, size_t room, uint64_t *seed);

struct swarm_endpoint {
	struct ip_addr addr;
	uint16_t port;
	uint8_t peer_id[PEER_ID_SIZE];
};

/*
 * Draws up to `count` different peers of one bucket, every candidate equally likely, seeds and
 * others together; returns how many. `seeds_only`: seeds only. Costs O(count). At most
 * SWARM_DRAW_MAX at once. A ghost is still counted in its bucket, so a draw may come out one short.
 */
enum { SWARM_DRAW_MAX = 512 };
size_t swarm_draw(const struct swarm_visit *v, const struct swarm_asker *asker, uint32_t handle,
                  size_t count, bool seeds_only, uint64_t *seed, struct swarm_endpoint *out);

/* Forgets peers whose time is over in one shard; returns how many. Costs one look at each swarm, and
 * one at each peer of a swarm where somebody may have expired. Call shard by shard. */
size_t swarm_expire(struct swarm_store *s, unsigned shard, uint32_t now);

struct swarm_totals {
	uint64_t swarms, seeds, leechers, partial, peers_v4, peers_v6, bytes;
};
struct swarm_totals swarm_totals(struct swarm_store *s); /* locks one shard at a time */

/*
 * One shard as bytes for the snapshot file, and back. Lifetimes are stored relative to `now`.
 * Peers come back in place 0 and map number 0, so that the next visit relocates them.
 * swarm_import: ERR_TRUNCATED or ERR_MALFORMED; ERR_BUSY or ERR_NOMEM when the store is full. What
 * came before the fault is kept. The number of shards may differ.
 */
void swarm_export(struct swarm_store *s, unsigned shard, uint32_t now, struct text *out);
enum err swarm_import(struct swarm_store *s, struct reader *r, uint32_t now) must_check;
