/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The open bin: bytes and completed downloads of this bin by (swarm, place), and what outlives bins because
 * connections do:
 * contacts by (swarm, from, to), and each place's credit.
 *
 * A client announces twice an hour, so the two ends of a transfer seldom report in one bin. Credit
 * is what a place reported as uploaded and no bin has booked on it yet (negative: booked ahead of the
 * report). It makes the books of a place right over time where those of one bin cannot be.
 *
 * Contacts and credits halve every CONTACT_HALF_LIFE; what has faded away is forgotten when the next
 * bin is opened, a swarm with its last contact. When the table of contacts is full, half of them go
 * and the others stand for them (thin.h); newcomers are refused only when it has hardly more room than
 * there are swarms. The table of bytes refuses newcomers when it is full.
 *
 * Everything enters as journal items, so that a replay is the same calls again.
 *
 * Threading: one thread.
 */

#include "server/accounting/journal.h"
#include "server/accounting/names.h"

/* What its tables have room for from the start, and at most. */
struct bin_room {
	struct tally_size first, most;
};

struct bin {
	int64_t start;
	uint32_t seconds, observed;
	struct names *names;
	struct tally tally;
	size_t swarms;   /* that the bin began with */
	uint8_t thinned; /* times */
	bool crowded;    /* and it will not be again */
};

/* ERR_NOMEM: nothing to undo. */
enum err bin_open(struct bin *b, int64_t start, uint32_t seconds,
                  const struct bin_room *room) must_check;
void bin_done(struct bin *b);

/* ERR_BUSY: a table is full. ERR_MALFORMED: the item names what no item before it did. */
enum err bin_add(struct bin *b, const struct journal_item *item) must_check;

/* All of it as items, into a checkpoint. */
void bin_save(const struct bin *b, struct journal *j);

/* Into an empty bin, what outlives `old`. ERR_NOMEM. */
enum err bin_carry(const struct bin *old, struct bin *next) must_check;

/* ---- swarm by swarm ---- */

struct bin_walk {
	const struct tally *tally;
	uint32_t *rows, *cells; /* positions, by swarm */
	size_t row, cell;
};

struct bin_swarm {
	const uint32_t *rows, *cells;
	size_t n_rows, n_cells;
};

enum err bin_walk_init(struct bin_walk *w, const struct bin *b) must_check; /* ERR_NOMEM */
bool bin_walk_next(struct bin_walk *w, struct bin_swarm *out);
void bin_walk_done(struct bin_walk *w);
