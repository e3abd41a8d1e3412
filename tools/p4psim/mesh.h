/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Peers, what they have, and who is connected to whom.
 *
 * A **tie** is a connection of two peers; it has two halves, one for each end: a half is about the
 * bytes towards its peer, and the other one is half ^ 1. A half is a **flow** while the other end
 * unchokes this one and has a piece that this one lacks. The mesh keeps, as pieces come and ties go:
 *
 *   wanted[half]           pieces that this end lacks and the other has
 *   rarity[row, piece]     how many of a peer's neighbours have it
 *   peer.n_interested      neighbours that want something of it; n_served: and are unchoked
 *   flows                  all of them, in one array, for the allocation of rates
 *
 * A leecher fetches several pieces at once. A started piece has one entry in `parts`; it may be filled
 * by several flows, as clients do with the blocks of a piece, and is kept when its flow ends.
 *
 * Ownership: mesh_done(). Threading: one thread.
 */

#include "tools/p4psim/maxmin.h"
#include "tools/p4psim/population.h"

#define NOBODY UINT32_MAX

struct half {
	uint32_t peer;      /* whose end it is */
	uint32_t at;        /* where it stands among the peer's neighbours */
	uint32_t flow;      /* its number, or NOBODY */
	uint32_t piece;     /* which the flow fetches, or NOBODY */
	uint32_t part;      /* where that probably is among the peer's parts */
	bool unchoked;      /* by the other end */
	float fresh, stale; /* bytes in this round of this end's choking, and in the one before */
	float since;        /* when it was unchoked last, seconds; below 0: never */
};

struct neighbour {
	uint32_t half; /* the peer's own end; the neighbour's is half ^ 1 */
	uint32_t row;  /* the neighbour's */
};

struct part {
	uint32_t piece, users; /* flows that fetch it */
	double left;           /* bytes */
};

enum peer_state { PEER_COMING, PEER_HERE, PEER_GONE };

struct peer {
	enum peer_state state;
	bool whole;
	uint32_t row;            /* while it is here: of its bits and its rarities */
	uint32_t n_have, n_told; /* pieces; by its last announce */
	struct neighbour *neighbours;
	uint32_t n_ties;
	struct part *parts;
	uint32_t n_parts;
	uint32_t n_interested, n_served;
	double joined, completed; /* seconds; below 0: not yet */
	double announced, last_piece, next_round, leaves;
	uint32_t interval; /* seconds from `announced` to the next time */
	unsigned rounds;
};

struct mesh {
	uint32_t n_peers, n_pieces, n_words, max_ties;
	double piece_bytes, last_bytes; /* the last piece may be short */
	const struct person *people;    /* of the peers */
	const struct network *network;
	struct peer *peers;
	/* By row: what a piece more costs is looking these up, so they lie close together. */
	uint64_t *have;    /* bits */
	uint64_t *started; /* those that it has or fetches */
	uint8_t *rarity;
	uint32_t n_rows, rows_room;
	uint32_t *free_rows, n_free_rows;
	struct half *halves;                       /* the two of a tie follow each other */
	uint16_t *wanted;                          /* of each half */
	uint32_t n_halves, halves_room, free_half; /* freed ties are chained by their first peer */
	uint32_t *flows;                           /* halves */
	struct maxmin_flow *lanes;                 /* of the flows, for the allocation */
	uint32_t n_flows;
	bool changed; /* flows came or went since somebody cleared it */
	uint64_t seed;
};

/* People and network must outlive the mesh. ERR_NOMEM. */
enum err mesh_init(struct mesh *m, const struct scenario *s, const struct population *p,
                   const struct network *network) must_check;
void mesh_done(struct mesh *m);

/* A peer comes, with everything or nothing. ERR_NOMEM. */
enum err mesh_join(struct mesh *m, uint32_t peer, double now) must_check;
/* And goes, with its ties. */
void mesh_leave(struct mesh *m, uint32_t peer);

/* A peer connects to another one of its swarm, unless they are tied already, need not know each other (both
 * have all), one has no room, or the other one cannot be reached. ERR_NOMEM. */
enum err mesh_tie(struct mesh *m, uint32_t from, uint32_t to) must_check;

/* A half is unchoked or choked by the other end. */
void mesh_unchoke(struct mesh *m, uint32_t half, bool unchoked, double now);

/* A peer has one piece more: its neighbours hear of it. Returns true when it was the last. */
bool mesh_have(struct mesh *m, uint32_t peer, uint32_t piece);

/* The bits of a peer that is here. */
static inline const uint64_t *mesh_bits(const struct mesh *m, const struct peer *p)
{
	return m->have + (size_t)p->row * m->n_words;
}

/* Resources of the allocation: the network's segments, then each peer's line, up and down. */
static inline uint32_t mesh_up(const struct network *n, uint32_t peer)
{
	return (uint32_t)n->n_segments + 2 * peer;
}
static inline uint32_t mesh_down(const struct network *n, uint32_t peer)
{
	return mesh_up(n, peer) + 1;
}
