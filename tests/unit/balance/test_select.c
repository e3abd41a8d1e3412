/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/select.h"
#include "common/base/random.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void is_what_sorting_says(void **state)
{
	(void)state;
	static const uint64_t kinds[] = { 1, 2, 7, 1000, UINT64_MAX };
	uint64_t seed = 3, values[300], sorted[300];
	for (int round = 0; round < 2000; round++) {
		const size_t n = 1 + random_below(&seed, 300);
		const uint64_t kind = kinds[round % 5];
		for (size_t i = 0; i < n; i++)
			sorted[i] = values[i] = random_next(&seed) % kind;
		qsort(sorted, n, sizeof(*sorted), by_size);
		const size_t k = 1 + random_below(&seed, (uint32_t)n);
		assert_true(select_smallest(values, n, k) == sorted[k - 1]);
		qsort(values, n, sizeof(*values), by_size);
		assert_memory_equal(values, sorted, n * sizeof(*values)); /* none was lost */
	}
}

static void order_and_ties_are_no_trouble(void **state)
{
	(void)state;
	enum { N = 1 << 20 };
	uint64_t *values = malloc(N * sizeof(*values));
	assert_non_null(values);
	/* Quadratic time would be hours here. */
	for (size_t i = 0; i < N; i++)
		values[i] = i;
	assert_int_equal(select_smallest(values, N, N - 5), N - 6);
	for (size_t i = 0; i < N; i++)
		values[i] = N - i;
	assert_int_equal(select_smallest(values, N, 1), 1);
	for (size_t i = 0; i < N; i++)
		values[i] = 42;
	assert_int_equal(select_smallest(values, N, N / 2), 42);
	free(values);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(is_what_sorting_says),
	cmocka_unit_test(order_and_ties_are_no_trouble),
};

RUN_TESTS(tests)
