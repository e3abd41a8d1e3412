/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/histogram.h"

#include <math.h>

enum { PER_DOUBLING = 4 };

unsigned histogram_bucket(uint32_t seconds)
{
	if (seconds < 2)
		return 0;
	if (seconds >= HISTOGRAM_SPAN)
		return HISTOGRAM_BUCKETS - 1;
	return (unsigned)(PER_DOUBLING * log2(seconds));
}

double histogram_seconds(unsigned bucket)
{
	return exp2((bucket + 0.5) / PER_DOUBLING);
}

uint64_t histogram_count(const uint64_t counts[static HISTOGRAM_BUCKETS])
{
	uint64_t n = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += counts[i];
	return n;
}

double histogram_quantile(const uint64_t counts[static HISTOGRAM_BUCKETS], double quantile)
{
	const uint64_t n = histogram_count(counts);
	const double rank = ceil(quantile * (double)n);
	uint64_t seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && n > 0; i++) {
		seen += counts[i];
		if ((double)seen >= rank)
			return histogram_seconds(i);
	}
	return 0;
}
