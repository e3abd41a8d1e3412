/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What one worker notes between two drains.
 *
 * A slot has a few tallies. The worker fills one; the drain, a change of map inside a second, or a
 * table of bytes that is full seals it and the worker goes on with a free one. A sealed tally belongs
 * to the drain until slot_release(). Each holds a lease on the map that its places belong to.
 *
 * Places handed out are all noted while a second brings few of them: SLOT_CELLS_EACH for one worker
 * are 1,000 announces with 20 places each, what two million peers do. Beyond that one announce of
 * 2^k is noted, chosen by lot, and weighs 2^k: k so that the last second would have kept to the
 * limit, and one more for each SLOT_CELLS_STEP above it. The lot is drawn before anything of the
 * announce is looked at, so sums stay right on the average; only chance grows. Bytes are never left
 * out.
 *
 * Threading: accounting_enter() .. accounting_leave() by the worker, slot_seal() and slot_release()
 * by the background thread; the slot's lock guards whose a tally is, and the one being filled.
 */

#include "server/accounting/accounting.h"
#include "server/accounting/firsts.h"
#include "server/accounting/ledger.h"
#include "server/accounting/tally.h"

#include <pthread.h>

enum {
	SLOT_TALLIES = 3,
	SLOT_ROWS = 1 << 13, /* swarms x places with bytes in one second; grows to */
	SLOT_ROWS_MAX = 1 << 17,
	SLOT_CELLS = 1 << 15,
	SLOT_TIMES = 1 << 10, /* downloads completed in one second; grows to */
	SLOT_TIMES_MAX = 1 << 16,
	SLOT_CELLS_EACH = 20000, /* noted in a second without leaving any out */
	SLOT_CELLS_STEP = 800,
	SLOT_SHARE_MAX = 14 /* the least share: one of 2^14 */
};

struct slot_tally {
	struct tally tally;
	struct map_lease lease;
	enum { TALLY_FREE, TALLY_FILLING, TALLY_SEALED } state;
};

struct accounting_slot {
	pthread_mutex_t lock;
	struct slot_tally tallies[SLOT_TALLIES];
	struct slot_tally *filling; /* NULL: none is free; what is noted is dropped and counted */
	struct ledger *ledger;
	struct firsts *firsts;
	struct metrics_slot *metrics;
	uint64_t max_bytes; /* per second and peer; 0: no limit */
	bool no_lines;      /* what the maps say of subscribers' lines limits nobody */
	uint64_t seed;
	/* Of the second since the last drain. */
	bool drained;
	uint64_t offered; /* places handed out */
	uint32_t usual;   /* in the last list that was noted */
	bool wanted;      /* accounting_wants_handed() said so of the coming list */
	uint32_t noted;   /* of them */
	unsigned share;   /* one announce of 2^share is noted */
	/* Of the announce being noted. */
	uint64_t swarm;
	uint64_t client; /* its bit in tally_row */
	uint32_t place;
	unsigned visits;
	uint32_t elapsed;
	float weight; /* of the contacts it is given */
};

/* How fast old contacts and credits fade: clients come and go. */
enum { CONTACT_HALF_LIFE = 3600 };
double contact_decay(double seconds);

enum err slot_init(struct accounting_slot *s) must_check; /* the other members are set */
void slot_done(struct accounting_slot *s);

/* Seals what is being filled and hands out all that is sealed; returns how many. */
size_t slot_seal(struct accounting_slot *s, struct slot_tally *out[static SLOT_TALLIES]);
void slot_release(struct accounting_slot *s, struct slot_tally *t);
