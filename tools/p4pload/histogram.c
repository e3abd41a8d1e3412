/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/histogram.h"

enum { STEP_BITS = 5 };

_Static_assert(HISTOGRAM_STEPS == 1 << STEP_BITS, "steps are a power of two");

/*
 * Small values stand for themselves. Of a larger one the highest bit chooses the doubling and the
 * five bits below it the step.
 */
static size_t bucket_of(uint64_t ns)
{
	if (ns < HISTOGRAM_STEPS)
		return (size_t)ns;
	const unsigned high = 63 - (unsigned)__builtin_clzll(ns);
	const unsigned shift = high - STEP_BITS;
	return (size_t)(shift + 1) * HISTOGRAM_STEPS + (size_t)(ns >> shift) - HISTOGRAM_STEPS;
}

/* The largest value of a bucket. */
static uint64_t top_of(size_t bucket)
{
	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	const size_t shift = bucket / HISTOGRAM_STEPS - 1;
	const uint64_t step = bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS;
	return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->buckets[bucket_of(ns)]++;
	h->total++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t histogram_percentile(const struct histogram *h, double part)
{
	const double rank = part * (double)h->total;
	uint64_t below = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += h->buckets[i];
		if (below > 0 && (double)below >= rank)
			return top_of(i);
	}
	return 0;
}
