/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is in which swarm.
 *
 * A store has shards (by info-hash), each with one lock. Everything about a swarm happens inside a
 * *visit*: swarm_enter() locks its shard, swarm_leave() unlocks.
 *
 * The structure. A swarm is two sequences of records, one for each address family, kept in order:
 * seeds first, then leechers, then partial seeds, and inside each of them by place (a number whose
 * meaning is the caller's; the tracker passes PIDs and keeps a provider's next to each other). So a
 * PID, a provider or everybody is one range of ranks in each class: counting a range is two searches,
 * and drawing from it is drawing numbers. Nobody builds a list of places, and nothing that an announce
 * does grows with the swarm, but for the logarithm of a search.
 *
 *   up to 128 peers     one block of records, 16 bytes each (IPv6: 32)
 *   more                blocks of up to 128 under a directory: first keys, and exact prefix sums
 *
 * (An order-statistic B+ tree of two levels; see sequence.h.) Records are small because they keep what
 * an announce needs and nothing else (record.h): no peer id and no byte counters, and 38 bits of the
 * identity. Peer ids are kept beside, for those who came with one to keep.
 *
 * Who is the same peer? Of a client that sent a key: the tag. When its role, address or port changed
 * it is found again in its place; after it moved to another place it is found in swarms of up to
 * SEARCH_MAX peers of its family, and in larger ones its old record stays until its time is over. Of a
 * client without: tag and address. Who is new in a swarm of so many, or at another address or port than
 * before, takes the place of who was there, which is how one comes back that crashed. A peer with port 0
 * is counted and never drawn.
 *
 * Costs, with n peers of a family in a swarm: entering O(1); putting O(log n) and, for a newcomer, one
 * pass over n / 90 numbers; a draw of k O(k + log n). Memory: 64 bytes a swarm, 8 to 16 in the shard's
 * table, and 16 to 18 a peer (IPv6: twice that).
 *
 * A swarm without peers is forgotten at once, or, when it has snatches to remember, after a day.
 *
 * Ownership: the store owns all. Threading: any thread may enter; a visit belongs to one thread and
 * must not enter again. Time (`now`, seconds of any steady clock) and chance (`seed`) are arguments.
 */

#include "common/base/cursor.h"
#include "common/base/text.h"
#include "common/codec/announce.h"

enum swarm_role { SWARM_SEED, SWARM_LEECHER, SWARM_PARTIAL /* BEP 21: done, but not whole */ };

enum {
	SWARM_PLACES_MAX = 1 << 20,
	SWARM_LIFETIME_MAX = 32000, /* seconds from an announce to its end */
	SWARM_SEARCH_MAX = 1000,
	SWARM_RELOCATED_AT_ONCE = 64,
	SWARM_OLD_SEARCH_MAX = 1024,
	SWARM_SLICE = 512 /* records in one call of those that look at all */
};

struct swarm_store;
struct swarm;
struct record;
struct swarm_shard;

struct swarm_options {
	unsigned shards;   /* a power of two */
	size_t max_swarms; /* of the whole store, shared out evenly over the shards */
	size_t max_peers;
	uint32_t max_per_address; /* peers of one IPv4 address or IPv6 /64; 0: any number */
	uint32_t max_per_prefix;  /* of one /24, or /48 */
	uint64_t secret;          /* of the hash tables: unknown to those who choose info-hashes */
};

/*
 * What a full store does. A newcomer takes the place of the oldest (by its end) of the next 64 peers
 * that a cursor comes to; a new swarm that of one among the next 64 swarms that has a few peers at
 * most, all of them older than those of the others. A newcomer whose address or prefix has its number
 * takes the place of the oldest from there in its own swarm and place, and is refused when there is
 * none. Addresses are counted in 2^20 numbers by a keyed hash, prefixes too, so that two may share one:
 * a limit much below the peers of the store divided by that refuses the wrong ones.
 */
enum swarm_limit { SWARM_LIMIT_STORE, SWARM_LIMIT_ADDRESS, SWARM_LIMIT_PREFIX, SWARM_LIMITS };

struct swarm_store *swarm_store_new(const struct swarm_options *options); /* NULL: no memory */
void swarm_store_free(struct swarm_store *s);                             /* NULL is fine */

struct swarm_visit {
	struct swarm_store *store;
	struct swarm_shard *shard;
	struct swarm *swarm;            /* NULL: unknown, and `create` was false */
	uint32_t evicted[SWARM_LIMITS]; /* peers that had to go, by reason */
	/* Where swarm_put() left the asker, so that draws need not search. */
	struct {
		bool known, wide;
		uint32_t chunk, position;
		uint64_t identity;
	} self;
};

/* ERR_BUSY: max_swarms is reached, and nobody can go. ERR_NOMEM. On failure nothing is locked. */
enum err swarm_enter(struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE],
                     bool create, struct swarm_visit *out) must_check;
/* Unlocks; forgets the swarm when it is empty and has no snatches to remember. */
void swarm_leave(struct swarm_visit *v);

/* What a caller keeps about swarms beside the store: of the swarm of a visit, the shard (its lock covers
 * the caller's memory, too) and a hash that nobody outside can aim at. */
struct swarm_where {
	unsigned shard;
	uint64_t hash;
};
struct swarm_where swarm_where(const struct swarm_visit *v);

/*
 * Brings nearer what a visit will touch. A batch calls stage 0 for all of its announces, then stage 1,
 * then 2, so that the cache misses of different announces overlap: slot, header, records. Never waits.
 */
enum { SWARM_PREFETCH_STAGES = 3 };
void swarm_prefetch(struct swarm_store *s, const uint8_t info_hash[static INFO_HASH_SIZE],
                    unsigned stage);

/* One client at one address. */
struct swarm_client {
	uint64_t identity; /* its upper 38 bits are kept, so they must be well mixed */
	bool keyed;        /* the identity holds wherever it is; else only at this address */
	struct ip_addr addr;
	uint16_t port;
	uint32_t place; /* < SWARM_PLACES_MAX */
};

struct swarm_peer {
	struct swarm_client client;
	enum swarm_role role;
	uint32_t expires; /* the second after which it is gone, at most SWARM_LIFETIME_MAX away */
	/* PEER_ID_SIZE bytes to keep, or NULL. A keyed client's identity is of them: the first stay. */
	const uint8_t *peer_id;
};

struct swarm_change {
	bool joined;     /* was not here before */
	bool completed;  /* one snatch was counted */
	uint32_t silent; /* by how many seconds the announce put off its end; 0 when it joined */
	uint32_t from;   /* the place it was found in; its own when it joined, or was in none */
};

/*
 * Adds the peer or updates it (role, address, port, place, expiry).
 * A snatch is counted once per peer: when somebody who was here without everything becomes a seed,
 * or, with `completed_now` (the client said event=completed), when it was here as a leecher or is
 * new. ERR_BUSY: a limit is reached, and nobody can go. ERR_NOMEM. The swarm is as it was then.
 */
enum err swarm_put(struct swarm_visit *v, const struct swarm_peer *peer, bool completed_now,
                   struct swarm_change *change) must_check;

/* False when it was not here. *from (NULL is fine): the place it was found in, as in swarm_change. */
bool swarm_remove(struct swarm_visit *v, const struct swarm_client *client, uint32_t *from);

struct swarm_counts {
	uint32_t complete;    /* seeds */
	uint32_t incomplete;  /* leechers and partial seeds */
	uint32_t downloaders; /* leechers only (BEP 21) */
	uint32_t downloaded;  /* snatches */
};
struct swarm_counts swarm_counts(const struct swarm_visit *v); /* zeros when unknown */

/* How many peers of a family are here, the hidden ones too. */
uint32_t swarm_population(const struct swarm_visit *v, uint8_t family);

/* The map publication that the places of this swarm belong to; 0 for a new swarm. */
uint32_t swarm_map_number(const struct swarm_visit *v);

/*
 * Brings the places up to date: each peer's becomes what `place_of` says for its address. Call it in
 * every visit, with the number of the caller's map; when nothing is to be done it does nothing.
 *
 * The first call moves up to SWARM_RELOCATED_AT_ONCE peers, all of a small swarm, and each of the others
 * a few, from random spots, so that the swarms of a busy tracker do not all have the cost at once and
 * nobody waits for it. Those under way are counted and expire, but are not drawn until it is their turn.
 * A client that announces or stops is moved first. It is found by its key where those now in its place
 * were before (which the store learns from those it moves, and at first from samples of a large swarm),
 * in a place of the same number, or among no more than SWARM_OLD_SEARCH_MAX who are yet to be moved. Else,
 * as when one place is made of several, it joins as a new one, and what was known of it, when its turn
 * comes, is dropped but for its snatch; and a stop leaves that to its expiry.
 *
 * ERR_NOMEM: nothing changed.
 */
typedef uint32_t swarm_place_fn(void *ctx, const struct ip_addr *addr);
enum err swarm_relocate(struct swarm_visit *v, uint32_t map_number, swarm_place_fn *place_of,
                        void *ctx) must_check;
bool swarm_is_moving(const struct swarm_visit *v); /* some are under way */

/* Whom may the asker be given? */
struct swarm_asker {
	/* Itself, and a ghost of itself at the same address and port, is never drawn. When `family` is
	 * not its address's, only a keyed client can be told from others there. */
	struct swarm_client client;
	uint8_t family;  /* enum ip_family of the peers wanted */
	bool seeding;    /* a seed or partial seed: gets leechers only */
	bool seeds_only; /* gets seeds only; with `seeding`, nobody */
	bool counted;    /* a survey says who is near, candidate or not */
};

struct swarm_places {
	uint32_t first, end; /* first <= place < end */
};

/*
 * All candidates in three parts: those in the asker's place, those in the places around it (which has
 * to be one of them), and those elsewhere; when nothing is around it, all are elsewhere. Valid until
 * this visit changes the swarm. O(log n).
 */
enum swarm_part { SWARM_OWN_PLACE, SWARM_AROUND, SWARM_ELSEWHERE, SWARM_PARTS };
enum { SWARM_RUNS_MAX = 6 };
struct swarm_range {
	uint32_t n;      /* candidates, the asker not among them; a ghost of it is */
	unsigned n_runs; /* from here on for swarm_draw() */
	int64_t self;    /* the asker's number among them, or negative */
	struct {
		uint32_t first, n; /* ranks */
		uint32_t chunk;    /* of the first */
	} runs[SWARM_RUNS_MAX];
};
struct swarm_strength {
	uint32_t seeds, leechers, partial; /* without the hidden ones */
};
struct swarm_survey {
	struct swarm_asker asker;
	struct swarm_range part[SWARM_PARTS];
	/* If `counted`, of that family: all who stand in the asker's place and around it, the asker too if
	 * it does. Zeros when nothing is around it. */
	struct swarm_strength near;
};
void swarm_survey(const struct swarm_visit *v, const struct swarm_asker *asker,
                  struct swarm_places around, struct swarm_survey *out);

/* Valid until this visit changes the swarm. */
struct swarm_candidate {
	const struct record *record; /* for swarm_endpoint() and swarm_compact() */
	uint32_t place;
	bool seed;    /* has everything */
	bool partial; /* wants no more, but has not everything */
	bool wide;    /* IPv6 */
};

/* What a caller keeps to find a peer again: the upper half of its identity. */
static inline uint32_t swarm_tag_of(uint64_t identity)
{
	return (uint32_t)(identity >> 32);
}
uint32_t swarm_tag(const struct swarm_candidate *c);

/*
 * The peer of this tag in a place. Of several, a seed before a leecher before a partial seed; never one
 * with port 0, nor one whose place is an older map's. False, and `out` as it was: there is none. O(log n).
 */
bool swarm_find(const struct swarm_visit *v, uint8_t family, uint32_t place, uint32_t tag,
                struct swarm_candidate *out);

/*
 * Who announced from this address, in its place? `port` 0: any. Looks at SWARM_SLICE records a call, from
 * where the last one stopped; *cursor begins as 0, and the caller may leave the swarm in between. What it
 * tells of the one found: an identity that is as good as its own, its port and its role.
 */
enum swarm_search { SWARM_FOUND, SWARM_NOBODY, SWARM_MORE };
enum swarm_search swarm_search(const struct swarm_visit *v, const struct ip_addr *addr,
                               uint16_t port, uint32_t place, uint64_t *cursor,
                               struct swarm_peer *out);

/*
 * Draws up to `want` different candidates from one part of a survey, each equally likely, and returns
 * how many. When there are no more than that, all come, without chance, in the order of their sequence:
 * class, then place. Else their order means nothing: it is neither sorted nor random, and neighbours in
 * that sequence may come together (of 30 and more in pairs, of 60 in fours, of 120 in eights). A ghost
 * costs another draw, so that a draw may come out short by one. At most SWARM_DRAW_MAX at once.
 */
enum { SWARM_DRAW_MAX = 1024 };
size_t swarm_draw(const struct swarm_visit *v, const struct swarm_survey *survey,
                  enum swarm_part part, size_t want, uint64_t *seed, struct swarm_candidate *out);

/* For those who keep something beside each shard: its lock, which every visit of its swarms holds. */
void swarm_hold(struct swarm_store *s, unsigned shard);
void swarm_release(struct swarm_store *s, unsigned shard);

struct swarm_endpoint {
	struct ip_addr addr;
	uint16_t port;
	bool has_peer_id;
	uint8_t peer_id[PEER_ID_SIZE];
};
/* `with_id`: look for the peer id, too. */
void swarm_endpoint(const struct swarm_visit *v, const struct swarm_candidate *c, bool with_id,
                    struct swarm_endpoint *out);
/* The compact form (BEP 23, BEP 7) of `n` of them: 6 or 18 bytes each. Returns where it ends. */
uint8_t *swarm_compact(const struct swarm_candidate *c, size_t n, uint8_t *at);

/*
 * Forgets the peers whose time is over, in slices: each call does a bounded piece of work (about
 * SWARM_SLICE records) under one shard's lock, from where the last one stopped. Begin with a zeroed
 * cursor. Returns how many are gone; `shards` counts shards that were finished, so that a whole round
 * is over when it has grown by their number.
 */
struct swarm_sweep {
	uint64_t shards;
	uint32_t number;   /* of the swarm in its shard */
	uint64_t key;      /* of the first record to look at */
	unsigned sequence; /* in which of its sequences */
};
size_t swarm_sweep(struct swarm_store *s, struct swarm_sweep *cursor, uint32_t now);

/*
 * Tells where each peer listens, in slices and with a cursor like those of swarm_sweep(); the hidden ones
 * have port 0. Who is here all the time comes at least once in a round, who comes or goes in between
 * maybe not. `each` is called under the shard's lock.
 */
typedef void swarm_peer_fn(void *ctx, const struct ip_addr *addr, uint16_t port);
void swarm_peers(struct swarm_store *s, struct swarm_sweep *cursor, swarm_peer_fn *each, void *ctx);

struct swarm_totals {
	uint64_t swarms, seeds, leechers, partial, peers_v4, peers_v6, bytes;
};
struct swarm_totals swarm_totals(struct swarm_store *s); /* locks one shard at a time; O(shards) */

/*
 * Lists swarms for statistics, a slice of at most SWARM_LIST_SLICE under one shard's lock with each
 * call, in no order: those whose info-hash begins with a byte from `first` to `last`. Begin with a
 * zeroed walk. False: there are no more. A swarm that is there all the time comes exactly once.
 */
enum { SWARM_LIST_SLICE = 1024 };
struct swarm_walk {
	unsigned shard;
	uint32_t number;
};
struct swarm_row {
	uint8_t info_hash[INFO_HASH_SIZE];
	struct swarm_counts counts;
};
bool swarm_list(struct swarm_store *s, struct swarm_walk *walk, uint8_t first, uint8_t last,
                struct swarm_row out[static SWARM_LIST_SLICE], size_t *count);

/*
 * One shard as bytes for the snapshot file, and back, `elapsed` seconds later: whose time has run out
 * by then is left out, and so are the peers of a swarm that has some. They come back in place 0 and map
 * number 0, so that the next visit relocates them. swarm_import: ERR_TRUNCATED or ERR_MALFORMED; ERR_BUSY
 * when no more swarms fit; ERR_NOMEM. What came before the fault is kept. Peers beyond a limit are left
 * out. The number of shards may differ.
 */
void swarm_export(struct swarm_store *s, unsigned shard, uint32_t now, struct text *out);
enum err swarm_import(struct swarm_store *s, struct reader *r, uint32_t now,
                      uint64_t elapsed) must_check;
