/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The peers of one swarm. Private to common/swarm.
 *
 * A crowd has two sides, one for each address family. A side is one block of memory: its buckets,
 * then the peers, then their endpoints (address and port as on the wire, 6 or 18 bytes, which is all
 * that a draw touches). A bucket owns a stretch of slots in both arrays:
 *
 *   start          end[SEED]      end[LEECHER]    end[PARTIAL]   room
 *   | seeds        | leechers     | partial seeds | free         |
 *
 * so whatever an asker may get is one contiguous range. Joining a group moves the first of each later
 * group to that group's end; leaving closes the gap the same way: at most three moves. A full bucket
 * moves to the free slots behind the others, with more room; when those are used up, the block grows
 * and its holes go. Peers with port 0 stand in one hidden bucket of each side.
 *
 * Above a few peers an index leads from identities to spots (index.h), and above a few buckets one
 * leads from places to buckets.
 *
 * Invariant: count[] and `used` are the sums over the buckets; every spot in the index is right.
 * Ownership: crowd_done() frees what hangs off the struct. Threading: the shard's lock.
 */

#include "common/swarm/index.h"
#include "common/swarm/swarm.h"

enum { SIDES = 2, ROLES = 3 };

struct peer {
	uint64_t identity;
	uint32_t expires : 31;
	uint32_t snatched : 1; /* its snatch is counted */
	uint8_t id[PEER_ID_SIZE];
};

struct bucket {
	uint32_t place;
	bool hidden; /* port 0: never drawn, whatever the place */
	uint32_t start, room;
	uint32_t end[ROLES]; /* of each group, from `start` */
};

struct side {
	struct bucket *buckets;
	struct peer *peers;
	uint8_t *endpoints;
	struct index places; /* spot.bucket counts; reserved above PLACES_SMALL buckets */
	uint32_t n_buckets, buckets_room;
	uint32_t used, top, room; /* slots: with a peer, given to buckets, in all */
	uint32_t stride;          /* bytes of an endpoint */
};

struct swarm {
	uint64_t hash; /* keyed; salts the index too */
	uint64_t map_number;
	struct side *sides[SIDES]; /* NULL: never had a peer */
	struct index members;      /* reserved above MEMBERS_SMALL peers */
	uint32_t count[ROLES];
	uint32_t snatches;
	uint32_t soonest; /* nobody's time is over before this */
	uint32_t emptied; /* when an expiry pass first found nobody here; 0: it did not */
	uint8_t info_hash[INFO_HASH_SIZE];
};

static inline uint32_t bucket_size(const struct bucket *b)
{
	return b->end[ROLES - 1];
}

static inline enum swarm_role bucket_role(const struct bucket *b, uint32_t position)
{
	return position < b->end[SWARM_SEED]      ? SWARM_SEED
	       : position < b->end[SWARM_LEECHER] ? SWARM_LEECHER
	                                          : SWARM_PARTIAL;
}

static inline uint8_t side_of(uint8_t family)
{
	return family == IP_V6;
}

static inline struct peer *peer_at(const struct side *s, const struct bucket *b, uint32_t position)
{
	return &s->peers[b->start + position];
}

static inline uint8_t *endpoint_at(const struct side *s, const struct bucket *b, uint32_t position)
{
	return &s->endpoints[(size_t)(b->start + position) * s->stride];
}

static inline uint32_t crowd_size(const struct swarm *w)
{
	return w->count[SWARM_SEED] + w->count[SWARM_LEECHER] + w->count[SWARM_PARTIAL];
}

bool crowd_find(const struct swarm *w, uint64_t identity, struct spot *out);
struct peer *crowd_peer(const struct swarm *w, const struct spot *at);
enum swarm_role crowd_role(const struct swarm *w, const struct spot *at);

/* ERR_NOMEM, or ERR_BUSY beyond what a spot can name; nothing changed then. */
enum err crowd_add(struct swarm *w, const struct swarm_peer *p, bool snatched,
                   struct spot *out) must_check;
/* Makes the peer at *at what `p` says; *at follows it. */
enum err crowd_update(struct swarm *w, const struct swarm_peer *p, struct spot *at) must_check;
void crowd_remove(struct swarm *w, const struct spot *at);

/* Everything that is known of the peer at `at`. */
struct swarm_peer crowd_get(const struct swarm *w, const struct spot *at);

/* Forgets who expired before `now` and sets `soonest`; returns how many. */
uint32_t crowd_expire(struct swarm *w, uint32_t now);

/* Builds everything anew, without holes; place_of NULL: everybody keeps the place. */
enum err crowd_rebuild(struct swarm *w, swarm_place_fn *place_of, void *ctx) must_check;
bool crowd_is_sparse(const struct swarm *w); /* much more memory than peers */

size_t crowd_bytes(const struct swarm *w);
void crowd_done(struct swarm *w);
