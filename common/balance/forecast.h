/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a period will end: the percentile that is billed, the ratio of a policy, and how likely either goes
 * beyond its limit. (What it cannot end below or above is certain: percentile_bounds().)
 *
 * The bins to come are drawn FORECAST_DRAWS times from the days that are known, before the period and in
 * it:
 *
 *   shape   of a day to come, that of a day of the same weekday, drawn with equal chance, at the same
 *           time of the day
 *   level   how far known days were from what is usual for their weekday; drawn in runs of FORECAST_RUN
 *           days on average, because such days come together (stationary bootstrap)
 *   usual   of a weekday is itself a mean of few days: a drawn mean of as many levels is multiplied in
 *
 * All interconnects and both directions take the same days, so that what went together stays together. A
 * drawn period is ranked, measured and judged as a real one; the range is from the 10th to the 90th
 * percentile of the results, so it should hold the truth 80 times of 100, as it did between 70 and 90
 * times in the synthetic months of the unit test. It knows no trend and no releases: give it four to
 * eight weeks, not a year.
 *
 * Days are 24 hours from the first bin on: the caller lets history begin at midnight. Where the clock
 * changes, its evenings are an hour off for the days before.
 *
 * Source: Politis, Romano, "The stationary bootstrap", JASA 89, 1994.
 *
 * Pure, and the same every time: the seed is an argument. Allocates.
 */

#include "common/balance/policy.h"

enum {
	FORECAST_DRAWS = 200,
	FORECAST_RUN = 3, /* days */
	FORECAST_DAYS_LEAST =
		14 /* at least half known, of every interconnect and with each weekday among them */
};

struct forecast_input {
	const struct percentile_series
		*series; /* bins: those of `history`, then those of the period */
	size_t n_series;
	size_t history;       /* whole days of bins before the period */
	size_t bins;          /* of the period */
	size_t now;           /* so many of these are over; of the rest nothing is looked at */
	uint32_t bin_seconds; /* a day has a whole number of them */
	const struct percentile_rule *rule; /* NULL: no percentile is asked for */
	uint64_t commit_bps;                /* that it should not exceed; 0: none */
	const struct policy *policy;        /* NULL: no ratio is asked for */
	uint64_t seed;
};

struct forecast_range {
	uint64_t low, middle, high; /* 10th, 50th and 90th percentile of the draws */
};

struct forecast {
	size_t days; /* that were known enough to draw from, of the interconnect with fewest */
	struct forecast_range billed_bps; /* 0 without a rule */
	struct forecast_range
		ratio_milli; /* out:in of the policy's metric; UINT64_MAX: nothing came in */
	unsigned over_commit_permille; /* of the draws: billed above the commit, */
	unsigned breach_permille;      /* the policy's ratio broken, */
	unsigned below_permille;       /* its minimum missed */
};

/*
 * ERR_NOT_FOUND: too few days are known. ERR_RANGE: history or bins that are no whole days' or too large
 * sums. ERR_NOMEM. *out is untouched by all of them.
 */
enum err forecast_run(const struct forecast_input *in, struct forecast *out) must_check;
