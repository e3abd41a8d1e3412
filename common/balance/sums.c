/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/sums.h"

#include <stdlib.h>

struct percentile_scratch *percentile_scratch_new(size_t bins)
{
	struct percentile_scratch *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->room = bins;
	s->sums = calloc(bins, sizeof(*s->sums));
	s->values = calloc(bins, sizeof(*s->values));
	if (s->sums == NULL || s->values == NULL) {
		percentile_scratch_free(s);
		return NULL;
	}
	return s;
}

void percentile_scratch_free(struct percentile_scratch *s)
{
	if (s == NULL)
		return;
	free(s->sums);
	free(s->values);
	free(s);
}

size_t sums_set(const struct percentile_series *series, size_t i, enum percentile_combine combine)
{
	if (combine == COMBINE_SUM_OF_PEAKS)
		return i;
	if (combine == COMBINE_PEAK_OF_SUMS)
		return 0;
	size_t first = 0;
	while (series[first].set != series[i].set)
		first++;
	return first;
}

enum sums_fill sums_fill_of(const struct percentile_rule *rule)
{
	if (rule->rank == RANK_RRD_PERCENT || rule->rank == RANK_RRD_PERCENTNAN)
		return FILL_NOTHING;
	switch (rule->missing) {
	case MISSING_DROP:
		return FILL_NOTHING;
	case MISSING_ZERO:
		return FILL_ZERO;
	case MISSING_CARRY:
		return FILL_CARRY;
	case MISSING_RULES:
		break;
	}
	must(false);
	return FILL_NOTHING;
}

/* What a series has in place of a bin that it does not know; NULL: nothing. `last` is its last known one. */
static const struct percentile_bin *filling(enum sums_fill fill, const struct percentile_bin *last,
                                            const struct percentile_bin *full)
{
	static const struct percentile_bin zero = { .known = true };
	switch (fill) {
	case FILL_ZERO:
		return &zero;
	case FILL_CARRY:
		return last;
	case FILL_CAPACITY:
		return full;
	case FILL_NOTHING:
		break;
	}
	return NULL;
}

static bool add(struct sum_bin *sum, const struct percentile_bin *bin)
{
	uint64_t both;
	return !__builtin_add_overflow(sum->out, bin->out_bytes, &sum->out) &&
	       !__builtin_add_overflow(sum->in, bin->in_bytes, &sum->in) &&
	       !__builtin_add_overflow(sum->out, sum->in, &both);
}

static enum err add_series(const struct percentile_series *series, size_t bins, enum sums_fill fill,
                           struct sum_bin *sums)
{
	const struct percentile_bin full = { .out_bytes = series->capacity_bytes,
		                             .in_bytes = series->capacity_bytes,
		                             .known = true };
	const struct percentile_bin *last = NULL;
	for (size_t b = 0; b < bins; b++) {
		const struct percentile_bin *bin = &series->bins[b];
		if (bin->known)
			last = bin;
		else
			bin = filling(fill, last, &full);
		if (bin == NULL)
			continue;
		if (!add(&sums[b], bin))
			return ERR_RANGE;
		if (bin == &series->bins[b])
			sums[b].known++;
		else
			sums[b].filled++;
	}
	return ERR_OK;
}

/* NOLINTNEXTLINE(readability-function-size): what to add up, how, and where to */
enum err sums_make(const struct percentile_series *series, size_t n_series, size_t bins,
                   enum percentile_combine combine, size_t set, enum sums_fill fill,
                   struct percentile_scratch *scratch, struct sums_counts *counts)
{
	must(bins > 0 && bins <= scratch->room && n_series > 0 && n_series < UINT32_MAX);
	for (size_t b = 0; b < bins; b++)
		scratch->sums[b] = (struct sum_bin){ 0 };
	uint32_t members = 0;
	for (size_t i = set; i < n_series; i++) {
		if (sums_set(series, i, combine) != set)
			continue;
		members++;
		const enum err e = add_series(&series[i], bins, fill, scratch->sums);
		if (e != ERR_OK)
			return e;
	}
	for (size_t b = 0; b < bins; b++) {
		const struct sum_bin *sum = &scratch->sums[b];
		counts->known += sum->known;
		counts->filled += sum->filled;
		counts->partial += sum->known > 0 && sum->known < members;
	}
	return ERR_OK;
}

static uint64_t value(const struct sum_bin *sum, enum sums_of of)
{
	switch (of) {
	case SUMS_OUT:
		return sum->out;
	case SUMS_IN:
		return sum->in;
	case SUMS_LARGER:
		return sum->out > sum->in ? sum->out : sum->in;
	case SUMS_BOTH:
		break;
	}
	return sum->out + sum->in;
}

size_t sums_values(struct percentile_scratch *scratch, size_t bins, enum sums_of of)
{
	size_t n = 0;
	for (size_t b = 0; b < bins; b++)
		if (scratch->sums[b].known + scratch->sums[b].filled > 0)
			scratch->values[n++] = value(&scratch->sums[b], of);
	return n;
}
