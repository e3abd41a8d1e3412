/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/bootstrap.h"

#include "common/base/random.h"

#include <stdlib.h>

double bootstrap_share(const struct bootstrap_arm *arm)
{
	double part = 0, whole = 0;
	for (size_t i = 0; i < arm->n; i++) {
		part += arm->units[i].part;
		whole += arm->units[i].whole;
	}
	return whole > 0 ? part / whole : 0;
}

static bool is_enough(const struct bootstrap_arm *arm)
{
	size_t n = 0;
	for (size_t i = 0; i < arm->n; i++)
		n += arm->units[i].whole > 0;
	return n >= BOOTSTRAP_LEAST && arm->n <= UINT32_MAX;
}

static bool are_enough(const struct bootstrap_times *arm)
{
	size_t n = 0;
	for (size_t i = 0; i < arm->n; i++)
		n += histogram_count(arm->units[i]) > 0;
	return n >= BOOTSTRAP_LEAST && arm->n <= UINT32_MAX;
}

/* The share of as many units as there are, drawn with replacement; again when all of them are empty. */
static double draw(const struct bootstrap_arm *arm, uint64_t *seed)
{
	double part = 0, whole = 0;
	while (whole <= 0) {
		for (size_t i = 0; i < arm->n; i++) {
			const struct bootstrap_unit *u =
				&arm->units[random_below(seed, (uint32_t)arm->n)];
			part += u->part;
			whole += u->whole;
		}
	}
	return part / whole;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static struct bootstrap_interval interval_of(double draws[static BOOTSTRAP_DRAWS])
{
	qsort(draws, BOOTSTRAP_DRAWS, sizeof(draws[0]), by_size);
	return (struct bootstrap_interval){ draws[BOOTSTRAP_DRAWS / 40 - 1],
		                            draws[BOOTSTRAP_DRAWS * 39 / 40 - 1] };
}

bool bootstrap_difference(const struct bootstrap_arm *a, const struct bootstrap_arm *b,
                          uint64_t seed, struct bootstrap_interval *out)
{
	double draws[BOOTSTRAP_DRAWS];
	if (!is_enough(a) || !is_enough(b))
		return false;
	for (unsigned i = 0; i < BOOTSTRAP_DRAWS; i++)
		draws[i] = draw(a, &seed) - draw(b, &seed);
	*out = interval_of(draws);
	return true;
}

static void add(uint64_t sum[static HISTOGRAM_BUCKETS],
                const uint64_t unit[static HISTOGRAM_BUCKETS])
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		sum[i] += unit[i];
}

double bootstrap_quantile(const struct bootstrap_times *arm, double quantile)
{
	uint64_t sum[HISTOGRAM_BUCKETS] = { 0 };
	for (size_t i = 0; i < arm->n; i++)
		add(sum, arm->units[i]);
	return histogram_quantile(sum, quantile);
}

static double draw_quantile(const struct bootstrap_times *arm, double quantile, uint64_t *seed)
{
	uint64_t sum[HISTOGRAM_BUCKETS] = { 0 };
	while (histogram_count(sum) == 0)
		for (size_t i = 0; i < arm->n; i++)
			add(sum, arm->units[random_below(seed, (uint32_t)arm->n)]);
	return histogram_quantile(sum, quantile);
}

bool bootstrap_ratio(const struct bootstrap_times *a, const struct bootstrap_times *b,
                     double quantile, uint64_t seed, struct bootstrap_interval *out)
{
	double draws[BOOTSTRAP_DRAWS];
	if (!are_enough(a) || !are_enough(b))
		return false;
	for (unsigned i = 0; i < BOOTSTRAP_DRAWS; i++) {
		draws[i] = draw_quantile(a, quantile, &seed);
		draws[i] /= draw_quantile(b, quantile, &seed);
	}
	*out = interval_of(draws);
	return true;
}
