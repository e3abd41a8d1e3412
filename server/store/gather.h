/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Figures of a window, from whatever says them with the least reading: packed months that lie wholly
 * inside it, packed days, and the bins themselves where a day is not packed yet. All say the same.
 */

#include "server/store/values.h"

/* The 95th percentiles are of bins, nearest rank. */
typedef void gather_figure(void *ctx, uint32_t interconnect, enum store_source source,
                           const struct digest *sums, uint64_t p95_out, uint64_t p95_in);

/*
 * Calls `figure` for each interconnect and source with bins in the window, in any order. `numbers`
 * ascend. The work must see one state of the database (REPEATABLE READ).
 */
void gather(struct work *w, const struct store_window *window, const uint32_t *numbers, size_t n,
            gather_figure *figure, void *ctx);
