/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "tools/p4pload/histogram.h"

#include <stdlib.h>
#include <string.h>

static struct histogram h;

static void an_empty_one_has_no_percentiles(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	assert_int_equal(histogram_percentile(&h, 0.5), 0);
	assert_int_equal(histogram_percentile(&h, 1), 0);
}

static void a_single_value_is_every_percentile(void **state)
{
	(void)state;
	static const uint64_t rows[] = { 0,    1,     31,      32,         33,
		                         1000, 65535, 1234567, 1000000000, UINT64_MAX };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&h, 0, sizeof(h));
		histogram_add(&h, rows[i]);
		for (int p = 0; p <= 10; p++) {
			const uint64_t got = histogram_percentile(&h, p / 10.0);
			assert_true(got >= rows[i]);
			assert_true(got - rows[i] <= rows[i] / HISTOGRAM_STEPS);
		}
	}
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void agrees_with_sorting_everything(void **state)
{
	(void)state;
	enum { N = 20000 };
	static uint64_t all[N];
	static const double parts[] = { 0.0001, 0.5, 0.9, 0.99, 0.999, 1 };
	uint64_t seed = 7;
	memset(&h, 0, sizeof(h));
	for (size_t i = 0; i < N; i++) {
		all[i] = random_next(&seed) >> (20 + random_below(&seed, 40));
		histogram_add(&h, all[i]);
	}
	qsort(all, N, sizeof(all[0]), by_size);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const size_t rank = (size_t)(parts[i] * N + 0.5);
		const uint64_t exact = all[rank > 0 ? rank - 1 : 0];
		const uint64_t got = histogram_percentile(&h, parts[i]);
		assert_true(got >= exact && got - exact <= exact / HISTOGRAM_STEPS);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_single_value_is_every_percentile),
	cmocka_unit_test(agrees_with_sorting_everything),
	cmocka_unit_test(an_empty_one_has_no_percentiles),
};

RUN_TESTS(tests)
