/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bin's books: each swarm's matrix fitted, each pair's bytes booked on its interconnects.
 *
 * The prior is the number of *different* client pairs that the tracker brought together, in either
 * direction of the hand-out, because bytes flow both ways over one connection.
 *
 * Rows are this bin's uploads and the places' credits. Where they fall short of what was
 * downloaded, the rest comes from whoever the downloaders have contacts with.
 *
 * Every interconnect of the map gets a row: no traffic in a watched bin is a zero, not a gap.
 */

#include "server/accounting/accounting.h"
#include "server/accounting/bin.h"
#include "server/accounting/trial.h"

/* `map` may be NULL: no rows. accounting_bin_done() the result. ERR_NOMEM, ERR_RANGE. */
enum err close_books(const struct bin *b, const struct map_snapshot *map, struct trial *trial,
                     struct accounting_bin *out) must_check;

/* The same, and the rows' credits become what is left after it; their bytes zero. */
enum err close_settle(struct bin *b, const struct map_snapshot *map, struct trial *trial,
                      struct accounting_bin *out) must_check;
