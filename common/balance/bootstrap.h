/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How sure is a difference of two shares: the percentile bootstrap.
 *
 * A share is a ratio of sums over units that were drawn by lot as wholes (groups of swarms), so units are
 * what is drawn again, with replacement, as many as there are, in each arm by itself. The interval is from
 * the 2.5th to the 97.5th percentile (nearest rank) of the differences of BOOTSTRAP_DRAWS such draws. With
 * few units it is a little too narrow; with fewer than BOOTSTRAP_LEAST in an arm none is given.
 *
 * Source: Efron, Tibshirani, "An introduction to the bootstrap", 1993, chapters 8 and 13.
 *
 * Pure, and the same every time: the seed is an argument.
 */

#include "common/balance/histogram.h"

#include <stdbool.h>
#include <stddef.h>

enum { BOOTSTRAP_DRAWS = 2000, BOOTSTRAP_LEAST = 5 };

/* `part` of `whole`, not below 0; of one measure, or the one per the other. */
struct bootstrap_unit {
	double part, whole;
};

struct bootstrap_arm {
	const struct bootstrap_unit *units;
	size_t n;
};

struct bootstrap_interval {
	double low, high;
};

/* Of all its units together; 0 when the whole is. */
double bootstrap_share(const struct bootstrap_arm *arm);

/* Around share(a) - share(b). False: too few units with a whole above 0; *out is untouched. */
bool bootstrap_difference(const struct bootstrap_arm *a, const struct bootstrap_arm *b,
                          uint64_t seed, struct bootstrap_interval *out);

/* The same of a quantile of times that were counted in each unit. */
struct bootstrap_times {
	uint64_t (*units)[HISTOGRAM_BUCKETS];
	size_t n;
};

double bootstrap_quantile(const struct bootstrap_times *arm, double quantile); /* 0 of no times */

/* Around quantile(a) / quantile(b). False: too few units with times; *out is untouched. */
bool bootstrap_ratio(const struct bootstrap_times *a, const struct bootstrap_times *b,
                     double quantile, uint64_t seed, struct bootstrap_interval *out);
