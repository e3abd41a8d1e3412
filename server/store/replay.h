/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A provider's book of a window, by pairs of places, for what another map would make of it.
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
