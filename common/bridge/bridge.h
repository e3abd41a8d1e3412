/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which peers of different providers have met: the memory of the policy `bridge`.
 *
 * An **edge** is a pair of peers of one swarm in different providers, one of whom was given the other's
 * address. From then on bytes may flow both ways, whoever asked, and a tracker cannot take it back; so
 * what is handed out is counted, and the same peer gets the same far ones again. A **book** has the edges
 * of one provider in one swarm, seen from its peers. An edge between two providers stands in the books
 * of both, an entry for each end; of an edge to a stranger only one end is known.
 *
 *   alive    an entry until its near peer's time is over (`ends`). What becomes of the far one is the
 *            caller's to find out, when the near one announces: an edge whose far end is gone is then
 *            replaced, so a lost bridge is mended within one announce interval
 *   bounded  an entry has 12 bytes; a book at most BRIDGE_EDGES_MAX of them; a store `max_bytes`.
 *            Books that nobody opened for an hour and in which nothing lives make room for others
 *   small    of the near peer's tag 27 bits are kept: in a full book one asker in 2^19 is taken for
 *            another one, too, and gets that one's far peers. A book goes by one number for its swarm and
 *            provider: that any two of ten million have the same, and so share their entries, has a
 *            chance of three in a million
 *
 * A book outlives a map. Where a new one gave the far peer's place another number, that peer is not found
 * there, and counts as gone.
 *
 * Ownership: the store owns its books; a pointer holds until bridge_add() on that book, and at most to
 * the end of the visit. Threading: a shard belongs to whoever holds the lock of the swarm store's shard with
 * the same number; bridge_totals() may be called by anybody. Time is an argument, in seconds of any
 * steady clock.
 */

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "common/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BRIDGE_EDGES_MAX = 256,
	BRIDGE_IDLE_SECONDS = 3600,
	BRIDGE_TICK = 16, /* seconds; `ends` counts in these */
	BRIDGE_TICKS = 1 << 12,
	BRIDGE_ENDS_MAX = (BRIDGE_TICKS / 2 - 1) * BRIDGE_TICK, /* so far away an entry may end */
	BRIDGE_NEAR = (1 << 27) - 1                             /* what is kept of the near tag */
};

struct bridge_store;

/* `shards` as of the swarm store. NULL: no memory. */
struct bridge_store *bridge_store_new(unsigned shards, size_t max_bytes);
void bridge_store_free(struct bridge_store *s); /* NULL is fine */

struct bridge_edge {
	uint32_t far;            /* tag of the far peer */
	uint32_t near : 27;      /* BRIDGE_NEAR of the near one's */
	uint32_t wide : 1;       /* IPv6 peers */
	uint32_t pulls : 1;      /* the near one wants data */
	uint32_t far_seed : 1;   /* the far one has everything */
	uint32_t asked : 1;      /* the near one was given the far one's address */
	uint32_t starved : 1;    /* the near one was, when it announced last */
	uint32_t far_place : 20; /* where the far one was when they met */
	uint32_t ends : 12;      /* bridge_last() */
};
_Static_assert(sizeof(struct bridge_edge) == 12, "three words");

/* The tick of a second, rounded up: an entry outlives its end by less than a tick, and never ends before. */
static inline uint32_t bridge_tick(uint32_t second)
{
	return (second + BRIDGE_TICK - 1) / BRIDGE_TICK % BRIDGE_TICKS;
}

/* The last second of an entry is that of its near peer or, until that one announces, of the peer that it
 * was given to; at most BRIDGE_ENDS_MAX from now. */
static inline void bridge_last(struct bridge_edge *e, uint32_t second)
{
	e->ends = bridge_tick(second) & (BRIDGE_TICKS - 1);
}

struct bridge_book {
	uint64_t key;     /* of the page: swarm + provider */
	uint32_t born;    /* when somebody of this provider first came here */
	uint32_t touched; /* when it was opened last */
	uint16_t n, room;
	struct bridge_edge edges[];
};
enum {
	BRIDGE_BOOK_BYTES =
		sizeof(struct bridge_book) + BRIDGE_EDGES_MAX * sizeof(struct bridge_edge)
};

/* Which book; without a store, none. Whose sums of swarm and provider are the same are the same. */
struct bridge_page {
	struct bridge_store *store;
	unsigned shard;
	uint64_t swarm;    /* a hash of the info-hash that nobody can aim at */
	uint64_t provider; /* a number that a new map does not change */
	uint32_t now;
};

/* Brings nearer what bridge_find() will read: stage 0 where the book stands, stage 1 the book. Stage 1 reads
 * what stage 0 asked for, so there should be other work between them. */
void bridge_prefetch(const struct bridge_page *page, unsigned stage);

/* NULL: there is none. Entries that have ended are dropped from what comes. */
struct bridge_book *bridge_find(const struct bridge_page *page);
/* The same as a copy in `room`, of BRIDGE_BOOK_BYTES, and nothing changes: for a question. What a copy has
 * may be written to, but neither grow nor be given to bridge_drop(). */
struct bridge_book *bridge_copy(const struct bridge_page *page, struct bridge_book *room);
/* Made when there is none; NULL: the store is full, or no memory. */
struct bridge_book *bridge_open(const struct bridge_page *page);
/* False: the book or the store is full. *book may have moved. */
bool bridge_add(const struct bridge_page *page, struct bridge_book **book,
                const struct bridge_edge *edge);
/* The last entry takes the place of entry `i`. */
void bridge_drop(const struct bridge_page *page, struct bridge_book *book, unsigned i);

/* The number of the first entry from `i` on whose near peer has the tag `near`, or book->n. */
unsigned bridge_next(const struct bridge_book *book, unsigned i, uint32_t near);

/* The books of a shard, in no order; begin with a zeroed walk. NULL: there are no more. */
struct bridge_walk {
	uint32_t slot;
};
const struct bridge_book *bridge_walk(const struct bridge_store *s, unsigned shard,
                                      struct bridge_walk *walk);

/*
 * One shard as bytes for a file, and back, `elapsed` seconds later: entries whose time has run out by then
 * are left out, and so are those of a book that is there already, or for which there is no room. The
 * shard is the same one when the swarm store has as many of them and the same secret. bridge_import():
 * ERR_TRUNCATED or ERR_MALFORMED; what came before the fault is kept. It takes the format before, too.
 */
void bridge_export(const struct bridge_store *s, unsigned shard, uint32_t now, struct text *out);
enum err bridge_import(struct bridge_store *s, unsigned shard, struct reader *r, uint32_t now,
                       uint64_t elapsed) must_check;

struct bridge_totals {
	uint64_t books, entries, bytes;
	uint64_t refused; /* entries and books that there was no room for, ever */
};
struct bridge_totals bridge_totals(const struct bridge_store *s);
