/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Least link weight between all PIDs of one provider.
 *
 * Dijkstra over a binary heap from each PID that is no mere end of others' links: a backbone is sparse,
 * and 4096 PIDs would make the cubic algorithms take minutes.
 *
 * Pure; allocates only scratch memory.
 */

#include "common/base/err.h"

#include <stdint.h>

struct distance_link {
	uint32_t a, b; /* below n; both ways */
	uint32_t weight;
};

/*
 * Fills out[from * n + to], 0 when they are one. No distance passes MAP_COST_MAX, and what no
 * link reaches is as far as the farthest pair that links do reach, at least 1. ERR_NOMEM.
 */
enum err distance_all(const struct distance_link *links, size_t n_links, uint32_t n,
                      uint32_t *out) must_check;
