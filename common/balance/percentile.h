/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The percentile of a period that a contract bills: of which bins, by which rank, of which direction,
 * of several interconnects together.
 *
 * A series has one bin for every bin that the period should have, in the order of time, known or not;
 * all series of a call have the same bins. What is not known is treated by the missing rule, for each
 * interconnect by itself, before anything is summed:
 *
 *   drop    it adds nothing; a bin that no interconnect of its set knows is not ranked
 *   zero    it is 0 bytes; every bin is ranked
 *   carry   it is the last known value of that interconnect; before the first one, as drop
 *
 * Bins of one set are summed first and ranked then; the percentiles of the sets are added. So a bin that
 * only some of a set know counts with what those know, and is told in `partial`.
 * The rank methods of rrdtool have a rule of their own in their names: RANK_RRD_PERCENT ranks all bins
 * of the period, the unknown ones last (its value may be one of those: then it is not known),
 * RANK_RRD_PERCENTNAN drops.
 *
 * Directions: max-in-out ranks both, adds up the sets of each, and bills the higher (out when they are
 * equal); max-per-sample takes the higher one of each bin, sum both together, before the rank; out and
 * in only that one.
 *
 * Source: accounting practice as in Kentik's "sum of peaks", "peak of sums", max in/out per sample (TATA).
 *
 * Pure. A scratch serves one call at a time; everything else is the caller's and only read.
 */

#include "common/balance/rank.h"
#include "common/base/err.h"

#include <stdbool.h>

struct percentile_bin {
	uint64_t out_bytes, in_bytes;
	bool known;
};

struct percentile_series {
	const struct percentile_bin *bins; /* as many as the call says */
	unsigned set;                      /* for COMBINE_SETS */
	uint64_t capacity_bytes; /* at most so many in a bin and direction; 0: not known */
};

enum percentile_missing { MISSING_DROP, MISSING_ZERO, MISSING_CARRY, MISSING_RULES };
enum percentile_direction {
	DIRECTION_MAX_IN_OUT,
	DIRECTION_MAX_PER_SAMPLE,
	DIRECTION_SUM,
	DIRECTION_OUT,
	DIRECTION_IN,
	DIRECTIONS
};
enum percentile_combine {
	COMBINE_SUM_OF_PEAKS, /* every series a set of its own */
	COMBINE_PEAK_OF_SUMS, /* all in one */
	COMBINE_SETS,         /* by their `set` */
	COMBINES
};

extern const char *const percentile_missing_names[MISSING_RULES + 1];
extern const char *const percentile_direction_names[DIRECTIONS + 1];
extern const char *const percentile_combine_names[COMBINES + 1];

/* { .percentile = 95 } is the usual one. */
struct percentile_rule {
	unsigned percentile; /* RANK_PERCENTILE_MIN .. RANK_PERCENTILE_MAX */
	enum rank_method rank;
	enum percentile_missing missing;
	enum percentile_direction direction;
	enum percentile_combine combine;
};

struct percentile_value {
	bool known;
	uint64_t bytes;      /* of a bin */
	unsigned hundredths; /* of a byte more; 0 but for RANK_INTERPOLATED */
};

enum percentile_billed { BILLED_OUT, BILLED_IN, BILLED_BOTH };
extern const char *const percentile_billed_names[BILLED_BOTH + 2]; /* "out", "in", "both" */

struct percentile_result {
	struct percentile_value billed;  /* by the direction rule */
	struct percentile_value out, in; /* each by itself, whatever the rule */
	enum percentile_billed side;     /* BILLED_BOTH: max-per-sample and sum */
	struct rank rank;                /* of the first set; place 0: nothing was ranked */
	size_t ranked;                   /* bins of the first set that were ranked */
	size_t expected, known;          /* bins of all series */
	size_t filled;  /* of those not known, how many were 0 or carried by the rule */
	size_t partial; /* summed bins that only some of their set knew */
};

/* For periods of at most `bins` bins. NULL: out of memory. */
struct percentile_scratch *percentile_scratch_new(size_t bins);
void percentile_scratch_free(struct percentile_scratch *s);

/* `bins` and `n_series` are above 0. ERR_RANGE: sums beyond 2^64; *out is untouched. */
enum err percentile_of(const struct percentile_rule *rule, const struct percentile_series *series,
                       size_t n_series, size_t bins, struct percentile_scratch *scratch,
                       struct percentile_result *out) must_check;

/*
 * What the percentile of the period will be at least and at most, whatever the bins that are not known
 * turn out to be: those still to come as those that are late. The least is the value of the known bins with
 * nothing in the others (of nearest rank, 30 days: the 433rd largest so far); the most has
 * capacity_bytes in them, and holds while no bin is larger than that.
 */
struct percentile_bounds {
	struct percentile_value floor,
		ceiling; /* ceiling not known: of some series the capacity is not */
	enum percentile_billed floor_side;
};

/* As percentile_of(). */
enum err percentile_bounds(const struct percentile_rule *rule,
                           const struct percentile_series *series, size_t n_series, size_t bins,
                           struct percentile_scratch *scratch,
                           struct percentile_bounds *out) must_check;

/*
 * The burst budget: bins that may be above the commit while the percentile of the whole period is not, and
 * how many are; of the direction that used more. Compared as bits, so nothing is rounded. Gaps before the
 * newest known bin are taken as they are, by the missing rule: those it drops allow for fewer. All later bins
 * are taken as still to come.
 */
struct percentile_budget {
	size_t allowed,
		used; /* used > allowed: it is above the commit (interpolated: nearly), while gaps stay */
};

/* ERR_NOT_FOUND: there are several sets, so no bin is above or below the commit by itself. Else as
 * percentile_of(). */
enum err percentile_budget(const struct percentile_rule *rule,
                           const struct percentile_series *series, size_t n_series, size_t bins,
                           uint64_t commit_bps, uint32_t bin_seconds,
                           struct percentile_scratch *scratch,
                           struct percentile_budget *out) must_check;

/* Bits per second, rounded half up, at most UINT64_MAX; 0 when not known. */
uint64_t percentile_bps(struct percentile_value v, uint32_t bin_seconds);
