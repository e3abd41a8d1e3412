/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Series of bins for tests of what is ranked, and the plainest way to rank them.
 */

#include "tests/unit/test.h"

#include "common/balance/percentile.h"
#include "common/base/random.h"

#include <math.h>
#include <string.h>

enum { DAY_BINS = 288, MONTH_MAX = 31 * DAY_BINS };

/* Uniform in [0, 1). */
static inline double month_chance(uint64_t *seed)
{
	return (double)(random_next(seed) >> 11) * 0x1p-53;
}

/* Normal, mean 0 and deviation 1 (Box, Muller 1958). */
static inline double month_normal(uint64_t *seed)
{
	const double u = 1 - month_chance(seed), v = month_chance(seed);
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* Any bins at all: ties, gaps, quiet stretches. */
static inline void month_random(struct percentile_bin *bins, size_t n, uint64_t *seed)
{
	const uint32_t different = random_below(seed, 3) == 0 ? 6 : 1000000;
	const uint32_t unknown = random_below(seed, 4); /* in tenths of the bins */
	for (size_t i = 0; i < n; i++)
		bins[i] = (struct percentile_bin){ .out_bytes = random_below(seed, different),
			                           .in_bytes = random_below(seed, different),
			                           .known = random_below(seed, 10) >= unknown };
}

/* Between 40 and 80 Gbit/s out with the peak `phase` bins into the day, a third of it in, some noise. */
static inline void month_diurnal(struct percentile_bin *bins, size_t n, size_t phase,
                                 uint64_t *seed)
{
	for (size_t i = 0; i < n; i++) {
		const double angle = 2 * M_PI * ((double)i - (double)phase) / DAY_BINS;
		const double gbps = 60 + 20 * cos(angle) + month_normal(seed);
		bins[i] = (struct percentile_bin){ .out_bytes = (uint64_t)(gbps * 1e9 * 300 / 8),
			                           .in_bytes = (uint64_t)(gbps * 1e9 * 100 / 8),
			                           .known = true };
	}
}

static inline int month_by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x < y) - (x > y);
}
