/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bins of the interconnects of a set, summed: what percentile.h's functions and policies rank.
 * Inside of common/balance.
 */

#include "common/balance/percentile.h"

struct sum_bin {
	uint64_t out, in;
	uint32_t known, filled; /* series that knew it, or were given a value; none: not ranked */
};

struct percentile_scratch {
	size_t room;
	struct sum_bin *sums;
	uint64_t *values;
};

enum sums_fill { FILL_NOTHING, FILL_ZERO, FILL_CARRY, FILL_CAPACITY };
enum sums_of { SUMS_OUT, SUMS_IN, SUMS_LARGER, SUMS_BOTH };

/* The set that series[i] is in under `combine`: its number is that of its first member. */
size_t sums_set(const struct percentile_series *series, size_t i, enum percentile_combine combine);

/* What a rule has instead of bins that are not known. */
enum sums_fill sums_fill_of(const struct percentile_rule *rule);

struct sums_counts {
	size_t known, filled; /* bins of series */
	size_t partial;       /* summed bins */
};

/*
 * Into scratch->sums: the series of set number `set`, their unknown bins filled. Adds to *counts.
 * ERR_RANGE: out and in of a bin are beyond 2^64 together.
 */
enum err sums_make(const struct percentile_series *series, size_t n_series, size_t bins,
                   enum percentile_combine combine, size_t set, enum sums_fill fill,
                   struct percentile_scratch *scratch, struct sums_counts *counts) must_check;

/* Into scratch->values: what is to be ranked. How many. */
size_t sums_values(struct percentile_scratch *scratch, size_t bins, enum sums_of of);
