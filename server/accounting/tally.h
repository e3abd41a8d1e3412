/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Two tables of what was noted: bytes by (swarm, place), contacts by (swarm, from, to); and a list of
 * completed downloads.
 *
 * Workers fill small ones, in which places are a snapshot's numbers; the open bin is a large one, in
 * which places are names (names.h). Entries stand densely in the order they came, so that a reader
 * walks an array; the indexes are open addressing, at most half full. They have room from the start,
 * and touch it, so that nothing allocates or faults while little is noted; then they grow.
 *
 * Swarms are keyed hashes of info-hashes, so nobody outside can make entries collide.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct tally_row {
	uint64_t swarm;
	uint64_t up, down; /* bytes reported */
	double credit;     /* of earlier bins: uploads reported less uploads booked */
	/* A bit for each client that reported, by a keyed hash: at least so many were there. */
	uint64_t clients;
	uint32_t place;
	float size; /* of the content in bytes, as far as its clients told; 0: not known */
};

struct tally_cell {
	uint64_t swarm;
	uint32_t from, to;
	uint32_t candidates; /* peers the place `to` held, as last seen */
	/*
	 * Different pairs of clients that met, asker in `from`. Through first lists: no pair twice,
	 * for of two clients only the later can be given the other then. Through later lists: the
	 * two may have met before through the other's.
	 */
	float first, later;
	float noted; /* of both, those that were noted; the others are what their weights stand for */
};

/* A client has completed its download. */
struct tally_time {
	uint64_t swarm;
	uint32_t place;
	uint32_t bucket; /* of the time it took (common/balance/histogram.h) */
};

struct tally_index {
	uint32_t *slots; /* 0: empty; else 1 + position */
	uint32_t mask;
};

struct tally {
	struct tally_row *rows;
	struct tally_cell *cells;
	struct tally_time *times;
	size_t n_rows, n_cells, n_times;
	size_t rows_room, cells_room, times_room;
	size_t rows_max, cells_max, times_max;
	struct tally_index row_index, cell_index;
};

/* Room for so many at once, and at most; powers of two (no times: 0). ERR_NOMEM: nothing to undo. */
struct tally_size {
	size_t rows, cells, times;
};
enum err tally_init(struct tally *t, struct tally_size room, struct tally_size max) must_check;
void tally_touch(struct tally *t); /* an empty one: all its memory is there from now on */
void tally_done(struct tally *t);
void tally_clear(struct tally *t);

/* Multiplies the contacts of cell i with factors[i]; 0: it goes. The others change positions. */
void tally_thin(struct tally *t, const float *factors);

/* Found or added, all zero; NULL when the table is full. Valid until the next is added. */
struct tally_row *tally_row(struct tally *t, uint64_t swarm, uint32_t place);
struct tally_cell *tally_cell(struct tally *t, uint64_t swarm, uint32_t from, uint32_t to);

/* False when the list is full. */
bool tally_time(struct tally *t, const struct tally_time *add);
