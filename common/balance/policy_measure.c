/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/policy.h"
#include "common/balance/sums.h"

enum { DAY = 86400, HOUR = 3600 };

static void measure_volume(const struct percentile_scratch *s, size_t bins, uint32_t bin_seconds,
                           struct policy_amount *out)
{
	struct policy_amount a = { 0 };
	for (size_t b = 0; b < bins; b++) {
		a.out_bytes += s->sums[b].out;
		a.in_bytes += s->sums[b].in;
		a.seconds += s->sums[b].known > 0 ? bin_seconds : 0;
	}
	*out = a;
}

static void measure_p95(struct percentile_scratch *s, size_t bins, uint32_t bin_seconds,
                        struct policy_amount *out)
{
	size_t n = sums_values(s, bins, SUMS_OUT);
	if (n == 0)
		return;
	const size_t place = rank_of(RANK_NEAREST, 95, n).place;
	out->out_bytes = rank_select(s->values, n, place);
	n = sums_values(s, bins, SUMS_IN);
	out->in_bytes = rank_select(s->values, n, place);
	out->seconds = bin_seconds;
}

/* An hour of every day, from one bin of the day on. */
static struct policy_amount hour_at(const struct percentile_scratch *s, size_t bins,
                                    uint32_t bin_seconds, size_t slot)
{
	struct policy_amount a = { 0 };
	const size_t day = DAY / bin_seconds, hour = HOUR / bin_seconds;
	for (size_t i = 0; i < hour; i++)
		for (size_t b = (slot + i) % day; b < bins; b += day) {
			a.out_bytes += s->sums[b].out;
			a.in_bytes += s->sums[b].in;
			a.seconds += s->sums[b].known > 0 ? bin_seconds : 0;
		}
	return a;
}

/* By average rate, because not every hour has all its bins. */
static bool is_busier(const struct policy_amount *a, const struct policy_amount *b)
{
	return (a->out_bytes + a->in_bytes) * b->seconds >
	       (b->out_bytes + b->in_bytes) * a->seconds;
}

static enum err measure_busy_hour(const struct percentile_scratch *s, size_t bins,
                                  uint32_t bin_seconds, struct policy_figures *out)
{
	if (HOUR % bin_seconds != 0)
		return ERR_RANGE;
	struct policy_amount *best = &out->amounts[POLICY_BUSY_HOUR];
	for (size_t slot = 0; slot < DAY / bin_seconds; slot++) {
		const struct policy_amount a = hour_at(s, bins, bin_seconds, slot);
		if (a.seconds > 0 && (best->seconds == 0 || is_busier(&a, best))) {
			*best = a;
			out->busy_bin = slot;
		}
	}
	return ERR_OK;
}

/* NOLINTNEXTLINE(readability-function-size): a policy, its rows, the period, and two answers */
enum err policy_measure(const struct policy *p, const struct percentile_series *series,
                        size_t n_series, size_t bins, uint32_t bin_seconds,
                        struct percentile_scratch *scratch, struct policy_figures *out)
{
	must(bin_seconds > 0);
	struct sums_counts counts = { 0 };
	enum err e = sums_make(series, n_series, bins, COMBINE_PEAK_OF_SUMS, 0, FILL_NOTHING,
	                       scratch, &counts);
	if (e != ERR_OK)
		return e;
	struct policy_figures f = { .expected = bins * n_series,
		                    .known = counts.known,
		                    .partial = counts.partial };
	if (policy_wants(p, POLICY_VOLUME_AVG))
		measure_volume(scratch, bins, bin_seconds, &f.amounts[POLICY_VOLUME_AVG]);
	if (policy_wants(p, POLICY_P95))
		measure_p95(scratch, bins, bin_seconds, &f.amounts[POLICY_P95]);
	if (policy_wants(p, POLICY_BUSY_HOUR))
		e = measure_busy_hour(scratch, bins, bin_seconds, &f);
	if (e == ERR_OK)
		*out = f;
	return e;
}
