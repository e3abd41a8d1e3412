/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a map would have made of bytes that were moved under another: two snapshots beside each other.
 *
 * First it is told who is where in both: how many live peers in place a of the map of before are in place
 * b of the one after, and for PIDs where nobody is, how many addresses. That is a matrix T, each row of
 * which says into which places a place of before is split; a place that nothing was said of stays what
 * it is called, or becomes the unknown one. Then it is given bytes by pairs of places, M, and books
 * T'MT on the map after beside M on the one before.
 *
 * So it is assumed that those who exchanged bytes go on to, and that the two ends of a byte are
 * independent of each other within their places. Steering would choose others, as a rule nearer ones: what
 * comes out is what the map alone changes.
 *
 * Bytes are split without remainder: all that is booked before is booked after, or has left the provider's
 * book because neither end is in one of its PIDs any more. Of places that are split into very many the
 * largest parts stand for all (REPLAY_PAIRS_MAX).
 *
 * Pure. Ownership: replay_free(); the snapshots are borrowed. Threading: one thread.
 */

#include "common/map/snapshot.h"

struct replay;

enum { REPLAY_PAIRS_MAX = 1 << 23 };

/* `before` may be NULL: no map was in force. Of places that are the provider's. NULL: no memory. */
struct replay *replay_new(const struct map_snapshot *before, const struct map_snapshot *after,
                          const char *provider);
void replay_free(struct replay *r); /* NULL is fine */

/* ERR_NOMEM. Addresses count where a place has no peers; their unit is the caller's. */
enum err replay_peers(struct replay *r, uint32_t before, uint32_t after, uint64_t peers) must_check;
enum err replay_addresses(struct replay *r, uint32_t before, uint32_t after,
                          uint64_t addresses) must_check;

/*
 * The provider's peers: those who are in a PID or an ASN of it on either map. In the default PID is who
 * is in no PID of anybody's.
 */
struct replay_live {
	uint64_t peers, moved; /* moved: to a place of another name */
	uint64_t default_before, default_after;
};
struct replay_live replay_live(struct replay *r);

/* Bytes in the provider's book. */
enum replay_direction { REPLAY_INSIDE, REPLAY_OUT, REPLAY_IN };
struct replay_cell {
	bool placed;       /* false: nobody knows its places, but its crossing, which stays */
	uint32_t from, to; /* if placed; of the map before */
	enum replay_direction direction; /* if not placed, as is */
	uint32_t interconnect;           /* of the map before, or NO_INTERCONNECT */
	uint64_t bytes;
};

/* Of one map. */
struct replay_crossing {
	uint64_t out, in;
};
struct replay_book {
	uint64_t local;                 /* inside the provider */
	struct replay_crossing all;     /* across the provider's edge */
	struct replay_crossing unknown; /* of them, across no interconnect of the map */
	uint64_t left;                  /* in its book no more */
	double cost;                    /* 10^9 bytes times the documented cost of their crossing */
	struct replay_crossing *crossings; /* [n], by interconnect of that map */
	size_t n;
};

struct replay_outcome {
	struct replay_book before, after;
	uint64_t bytes;    /* of all cells */
	uint64_t unplaced; /* of them, not placed */
	uint64_t
		changed; /* of them, with an end in another place, or across another interconnect */
};

/* Last of all; once. ERR_NOMEM. */
enum err replay_run(struct replay *r, const struct replay_cell *cells, size_t n,
                    struct replay_outcome *out) must_check;
void replay_outcome_done(struct replay_outcome *o); /* all zero is fine */
