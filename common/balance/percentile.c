/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/percentile.h"

#include "common/balance/ratio.h"
#include "common/balance/sums.h"

const char *const percentile_missing_names[MISSING_RULES + 1] = {
	[MISSING_DROP] = "drop",
	[MISSING_ZERO] = "zero",
	[MISSING_CARRY] = "carry",
};

const char *const percentile_direction_names[DIRECTIONS + 1] = {
	[DIRECTION_MAX_IN_OUT] = "max_in_out",
	[DIRECTION_MAX_PER_SAMPLE] = "max_per_sample",
	[DIRECTION_SUM] = "sum",
	[DIRECTION_OUT] = "out",
	[DIRECTION_IN] = "in",
};

const char *const percentile_combine_names[COMBINES + 1] = {
	[COMBINE_SUM_OF_PEAKS] = "sum_of_peaks",
	[COMBINE_PEAK_OF_SUMS] = "peak_of_sums",
	[COMBINE_SETS] = "sets",
};

const char *const percentile_billed_names[BILLED_BOTH + 2] = {
	[BILLED_OUT] = "out",
	[BILLED_IN] = "in",
	[BILLED_BOTH] = "both",
};

/* One call: the sets one after the other, in one scratch. */
struct job {
	const struct percentile_rule *rule;
	const struct percentile_series *series;
	size_t n_series, bins;
	enum sums_fill fill;
	struct percentile_scratch *scratch;
	struct sums_counts counts;
	struct percentile_value totals[SUMS_BOTH + 1];
	struct rank rank; /* of the first set */
	size_t ranked;
};

/* Of `bins` bins with no value for those that are not among the n. */
static struct percentile_value of_values(const struct percentile_rule *rule, uint64_t *values,
                                         size_t n, size_t bins, struct rank *rank)
{
	*rank = (struct rank){ 0 };
	if (n == 0)
		return (struct percentile_value){ 0 };
	*rank = rank_of(rule->rank, rule->percentile, rule->rank == RANK_RRD_PERCENT ? bins : n);
	if (rank->place > n)
		return (struct percentile_value){ 0 };
	struct percentile_value v = { .known = true, .bytes = rank_select(values, n, rank->place) };
	if (rank->hundredths == 0)
		return v;
	uint64_t next = 0;
	for (size_t i = rank->place; i < n; i++)
		next = values[i] > next ? values[i] : next;
	/* bytes - down / 100, where down is the way to `next` in hundredths of a byte. */
	const ratio_wide down = (ratio_wide)(v.bytes - next) * rank->hundredths;
	const ratio_wide exact = (ratio_wide)v.bytes * 100 - down;
	v.bytes = (uint64_t)(exact / 100);
	v.hundredths = (unsigned)(exact % 100);
	return v;
}

static enum err add(struct percentile_value *total, struct percentile_value v)
{
	if (!v.known)
		return ERR_OK;
	const unsigned hundredths = total->hundredths + v.hundredths;
	uint64_t bytes;
	if (__builtin_add_overflow(total->bytes, v.bytes, &bytes) ||
	    __builtin_add_overflow(bytes, hundredths / 100, &bytes))
		return ERR_RANGE;
	*total = (struct percentile_value){ .known = true,
		                            .bytes = bytes,
		                            .hundredths = hundredths % 100 };
	return ERR_OK;
}

/* Out and in are told of every period; the other two cost a selection each, so only when billed. */
static bool is_wanted(const struct percentile_rule *rule, enum sums_of of)
{
	return of == SUMS_OUT || of == SUMS_IN ||
	       (of == SUMS_LARGER && rule->direction == DIRECTION_MAX_PER_SAMPLE) ||
	       (of == SUMS_BOTH && rule->direction == DIRECTION_SUM);
}

static enum err rank_set(struct job *j, size_t set)
{
	enum err e = sums_make(j->series, j->n_series, j->bins, j->rule->combine, set, j->fill,
	                       j->scratch, &j->counts);
	for (enum sums_of of = SUMS_OUT; of <= SUMS_BOTH && e == ERR_OK; of++) {
		if (!is_wanted(j->rule, of))
			continue;
		struct rank rank;
		const size_t n = sums_values(j->scratch, j->bins, of);
		e = add(&j->totals[of], of_values(j->rule, j->scratch->values, n, j->bins, &rank));
		if (set == 0) {
			j->rank = rank;
			j->ranked = n;
		}
	}
	return e;
}

static enum err rank_all(struct job *j)
{
	must(j->n_series > 0 && j->bins > 0);
	enum err e = ERR_OK;
	for (size_t i = 0; i < j->n_series && e == ERR_OK; i++)
		if (sums_set(j->series, i, j->rule->combine) == i)
			e = rank_set(j, i);
	return e;
}

static bool is_below(struct percentile_value a, struct percentile_value b)
{
	return a.bytes < b.bytes || (a.bytes == b.bytes && a.hundredths < b.hundredths);
}

static struct percentile_value billed(const struct job *j, enum percentile_billed *side)
{
	const struct percentile_value out = j->totals[SUMS_OUT], in = j->totals[SUMS_IN];
	*side = BILLED_BOTH;
	switch (j->rule->direction) {
	case DIRECTION_MAX_IN_OUT:
		*side = is_below(out, in) ? BILLED_IN : BILLED_OUT;
		return *side == BILLED_IN ? in : out;
	case DIRECTION_MAX_PER_SAMPLE:
		return j->totals[SUMS_LARGER];
	case DIRECTION_SUM:
		return j->totals[SUMS_BOTH];
	case DIRECTION_OUT:
		*side = BILLED_OUT;
		return out;
	case DIRECTION_IN:
		*side = BILLED_IN;
		return in;
	case DIRECTIONS:
		break;
	}
	must(false);
	return out;
}

enum err percentile_of(const struct percentile_rule *rule, const struct percentile_series *series,
                       size_t n_series, size_t bins, struct percentile_scratch *scratch,
                       struct percentile_result *out)
{
	struct job j = { .rule = rule,
		         .series = series,
		         .n_series = n_series,
		         .bins = bins,
		         .fill = sums_fill_of(rule),
		         .scratch = scratch };
	const enum err e = rank_all(&j);
	if (e != ERR_OK)
		return e;
	*out = (struct percentile_result){ .out = j.totals[SUMS_OUT],
		                           .in = j.totals[SUMS_IN],
		                           .rank = j.rank,
		                           .ranked = j.ranked,
		                           .expected = bins * n_series,
		                           .known = j.counts.known,
		                           .filled = j.counts.filled,
		                           .partial = j.counts.partial };
	out->billed = billed(&j, &out->side);
	return ERR_OK;
}

/* Of the known bins and the same value in all others. */
static enum err bound(const struct job *like, enum sums_fill fill, struct percentile_value *value,
                      enum percentile_billed *side)
{
	struct job j = *like;
	j.fill = fill;
	const enum err e = rank_all(&j);
	if (e == ERR_OK)
		*value = billed(&j, side);
	return e;
}

enum err percentile_bounds(const struct percentile_rule *rule,
                           const struct percentile_series *series, size_t n_series, size_t bins,
                           struct percentile_scratch *scratch, struct percentile_bounds *out)
{
	const struct job j = { .rule = rule,
		               .series = series,
		               .n_series = n_series,
		               .bins = bins,
		               .scratch = scratch };
	struct percentile_bounds b = { 0 };
	enum percentile_billed side;
	bool limited = true;
	for (size_t i = 0; i < n_series; i++)
		limited = limited && series[i].capacity_bytes > 0;
	enum err e = bound(&j, FILL_ZERO, &b.floor, &b.floor_side);
	if (e == ERR_OK && limited)
		e = bound(&j, FILL_CAPACITY, &b.ceiling, &side);
	if (e == ERR_OK)
		*out = b;
	return e;
}

static size_t count_above(struct percentile_scratch *scratch, size_t bins, enum sums_of of,
                          ratio_wide commit_bits)
{
	size_t above = 0;
	const size_t n = sums_values(scratch, bins, of);
	for (size_t i = 0; i < n; i++)
		above += (ratio_wide)scratch->values[i] * 8 > commit_bits;
	return above;
}

/* How many bins there are up to the newest that anybody knows. */
static size_t seen_bins(const struct percentile_series *series, size_t n_series, size_t bins)
{
	for (size_t b = bins; b > 0; b--)
		for (size_t i = 0; i < n_series; i++)
			if (series[i].bins[b - 1].known)
				return b;
	return 0;
}

/* NOLINTNEXTLINE(readability-function-size): two states, what is known of each, and what is left */
enum err percentile_budget(const struct percentile_rule *rule,
                           const struct percentile_series *series, size_t n_series, size_t bins,
                           uint64_t commit_bps, uint32_t bin_seconds,
                           struct percentile_scratch *scratch, struct percentile_budget *out)
{
	static const enum sums_of sides[DIRECTIONS][2] = {
		[DIRECTION_MAX_IN_OUT] = { SUMS_OUT, SUMS_IN },
		[DIRECTION_MAX_PER_SAMPLE] = { SUMS_LARGER, SUMS_LARGER },
		[DIRECTION_SUM] = { SUMS_BOTH, SUMS_BOTH },
		[DIRECTION_OUT] = { SUMS_OUT, SUMS_OUT },
		[DIRECTION_IN] = { SUMS_IN, SUMS_IN },
	};
	struct sums_counts counts = { 0 };
	for (size_t i = 0; i < n_series; i++)
		if (sums_set(series, i, rule->combine) != 0)
			return ERR_NOT_FOUND;
	const size_t seen = seen_bins(series, n_series, bins);
	const enum err e = seen > 0 ? sums_make(series, n_series, seen, rule->combine, 0,
	                                        sums_fill_of(rule), scratch, &counts)
	                            : ERR_OK;
	if (e != ERR_OK)
		return e;
	const ratio_wide commit = (ratio_wide)commit_bps * bin_seconds;
	const size_t a = count_above(scratch, seen, sides[rule->direction][0], commit);
	const size_t b = count_above(scratch, seen, sides[rule->direction][1], commit);
	const size_t gaps =
		rule->rank == RANK_RRD_PERCENT ? 0 : seen - sums_values(scratch, seen, SUMS_OUT);
	out->allowed = rank_of(rule->rank, rule->percentile, bins - gaps).place - 1;
	out->used = a > b ? a : b;
	return ERR_OK;
}

uint64_t percentile_bps(struct percentile_value v, uint32_t bin_seconds)
{
	must(bin_seconds > 0);
	if (!v.known)
		return 0;
	const ratio_wide part = (ratio_wide)bin_seconds * 100;
	const ratio_wide bps = (((ratio_wide)v.bytes * 100 + v.hundredths) * 8 + part / 2) / part;
	return bps < UINT64_MAX ? (uint64_t)bps : UINT64_MAX;
}
