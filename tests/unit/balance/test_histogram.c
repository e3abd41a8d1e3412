/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/histogram.h"
#include "common/base/random.h"

#include <math.h>
#include <stdlib.h>

static const double bound = 1.0905077327; /* 2^(1/8) */

static void no_time_is_told_wrong_by_more_than_the_bound(void **state)
{
	(void)state;
	unsigned last = 0;
	for (uint32_t t = 1; t < HISTOGRAM_SPAN; t++) {
		const unsigned b = histogram_bucket(t);
		const double ratio = histogram_seconds(b) / t;
		assert_true(b >= last && b < HISTOGRAM_BUCKETS);
		assert_true(ratio <= bound && 1 / ratio <= bound);
		last = b;
	}
	assert_int_equal(last, HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(0), 0);
	assert_int_equal(histogram_bucket(HISTOGRAM_SPAN), last);
	assert_int_equal(histogram_bucket(UINT32_MAX), last);
}

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* The trivial model: all times, sorted. */
static void quantiles_are_those_of_the_times_themselves(void **state)
{
	(void)state;
	enum { MOST = 300 };
	static const double quantiles[] = { 0.01, 0.25, 0.5, 0.95, 1 };
	uint64_t seed = 1;
	for (unsigned round = 0; round < 500; round++) {
		uint32_t times[MOST];
		uint64_t counts[HISTOGRAM_BUCKETS] = { 0 };
		const unsigned n = 1 + random_below(&seed, MOST);
		for (unsigned i = 0; i < n; i++) {
			times[i] = 1 + random_below(&seed, 1U << random_below(&seed, 20));
			counts[histogram_bucket(times[i])]++;
		}
		qsort(times, n, sizeof(*times), by_size);
		assert_int_equal(histogram_count(counts), n);
		for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++) {
			const uint32_t exact = times[(unsigned)ceil(quantiles[i] * n) - 1];
			const double told = histogram_quantile(counts, quantiles[i]);
			assert_true(told / exact <= bound && exact / told <= bound);
		}
	}
}

static void no_times_have_no_quantile(void **state)
{
	(void)state;
	const uint64_t none[HISTOGRAM_BUCKETS] = { 0 };
	assert_int_equal(histogram_count(none), 0);
	assert_true(histogram_quantile(none, 0.5) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_time_is_told_wrong_by_more_than_the_bound),
		cmocka_unit_test(quantiles_are_those_of_the_times_themselves),
		cmocka_unit_test(no_times_have_no_quantile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
