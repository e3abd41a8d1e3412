/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/collector/prorate.h"

static void rounds_down_and_ends_with_all(void **state)
{
	(void)state;
	assert_int_equal(prorate_due(10, 0, 3), 0);
	assert_int_equal(prorate_due(10, 1, 3), 3);
	assert_int_equal(prorate_due(10, 2, 3), 6);
	assert_int_equal(prorate_due(10, 3, 3), 10);
	assert_int_equal(prorate_due(10, 4, 3), 10);
	assert_int_equal(prorate_due(10, 0, 0), 10);
	assert_int_equal(prorate_due(UINT64_MAX, 1, 2), UINT64_MAX / 2);
	assert_int_equal(prorate_due(UINT64_MAX, UINT64_MAX - 1, UINT64_MAX), UINT64_MAX - 1);
}

/* No part is off by one or more, and all of them are the whole. */
static void random_parts_are_fair_and_add_up(void **state)
{
	(void)state;
	uint64_t seed = 3;
	for (unsigned round = 0; round < 20000; round++) {
		const uint64_t total = random_next(&seed) >> random_below(&seed, 64);
		const uint64_t duration = 1 + (random_next(&seed) >> (8 + random_below(&seed, 56)));
		uint64_t at = 0, sum = 0;
		while (at < duration) {
			const uint64_t from = at, left = duration - at;
			at += 1 + (left > 1 ? random_next(&seed) % left : 0);
			const uint64_t part = prorate_due(total, at, duration) -
			                      prorate_due(total, from, duration);
			const long double fair = (long double)total *
			                         ((long double)(at - from) / (long double)duration);
			const long double off = (long double)part - fair;
			assert_true(off < 1.001L + fair * 1e-15L && off > -1.001L - fair * 1e-15L);
			sum += part;
		}
		assert_int_equal(sum, total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_down_and_ends_with_all),
		cmocka_unit_test(random_parts_are_fair_and_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
