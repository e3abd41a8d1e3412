/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Providers' books by pairs of places: of a window, for what another map would make of it, and of a bin.
 *
 * Errors and threading as in store.h.
 */

#include "server/store/matrix.h"

/* Places as in struct store_cell; both are "*" in the one row for each crossing of what has no row. */
struct store_replay_row {
	enum store_direction direction;
	char interconnect[65]; /* "": none */
	char from[STORE_PLACE_MAX], to[STORE_PLACE_MAX];
	uint64_t bytes;
};

/* The largest `limit` pairs have rows of their own. `bins`: of how many different starts there are
 * bins, of anybody. free() the list. */
enum err store_replay(struct store *s, const char *provider, int64_t from, int64_t to, size_t limit,
                      struct store_replay_row **out, size_t *count, uint64_t *bins) must_check;

/*
 * What all nodes have of one bin of that length, but what stayed inside a PID; by provider, direction and
 * interconnect. `observed_seconds`: of the node that watched longest; 0: there is no such bin, or it is
 * part of its hour by now. free() the list.
 */
struct store_flow {
	char provider[65];
	struct store_replay_row row;
};
enum err store_flows(struct store *s, int64_t start, uint32_t bin_seconds, struct store_flow **out,
                     size_t *count, uint32_t *observed_seconds) must_check;
