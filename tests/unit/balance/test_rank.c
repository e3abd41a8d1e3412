/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/rank.h"
#include "common/base/random.h"

#include <math.h>
#include <string.h>

enum { MONTH_MAX = 31 * 288 };

static void the_table_of_months(void **state)
{
	(void)state;
	static const struct {
		enum rank_method method;
		unsigned hundredths[4]; /* of the place, 28 to 31 days */
	} rows[] = {
		{ RANK_NEAREST, { 40400, 41800, 43300, 44700 } },
		{ RANK_LIBRENMS, { 40400, 41900, 43300, 44700 } },
		{ RANK_CACTI, { 40500, 41900, 43300, 44800 } },
		{ RANK_INTERPOLATED, { 40415, 41855, 43295, 44735 } },
		{ RANK_RRD_PERCENT, { 40400, 41900, 43300, 44700 } },
		{ RANK_RRD_PERCENTNAN, { 40400, 41900, 43300, 44700 } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t days = 28; days <= 31; days++) {
			const struct rank r = rank_of(rows[i].method, 95, days * 288);
			assert_int_equal(r.place * 100 + r.hundredths,
			                 rows[i].hundredths[days - 28]);
		}
}

/* As the tools compute it, in doubles; 95 % is where they and exact arithmetic agree for every n. */
static void agrees_with_the_formulas_of_the_tools(void **state)
{
	(void)state;
	for (size_t n = 1; n <= MONTH_MAX; n++) {
		const double d = (double)n;
		const size_t nearest =
			(size_t)ceil(0.95 * d) - 1; /* places from the smallest, from 0 */
		assert_int_equal(rank_of(RANK_NEAREST, 95, n).place, n - nearest);
		const size_t rrd = (size_t)round(95.0 * (d - 1) / 100.0);
		assert_int_equal(rank_of(RANK_RRD_PERCENTNAN, 95, n).place, n - rrd);
		const size_t top = (n * 5 + 99) / 100; /* ceil(n * .05), from the largest, from 0 */
		assert_int_equal(rank_of(RANK_CACTI, 95, n).place, top < n ? top + 1 : n);
		const size_t half_up = (n * 95 + 50) / 100;
		assert_int_equal(rank_of(RANK_LIBRENMS, 95, n).place, n - (half_up - 1));
		const struct rank r = rank_of(RANK_INTERPOLATED, 95, n);
		const double place = d - 0.95 * (d - 1);
		assert_true(fabs((double)r.place + r.hundredths / 100.0 - place) < 1e-6);
	}
}

static void every_percentile_of_every_method_names_a_value(void **state)
{
	(void)state;
	for (enum rank_method m = 0; m < RANK_METHODS; m++)
		for (unsigned p = RANK_PERCENTILE_MIN; p <= RANK_PERCENTILE_MAX; p++)
			for (size_t n = 1; n < 700; n++) {
				const struct rank r = rank_of(m, p, n);
				assert_in_range(r.place, 1, n);
				assert_in_range(r.hundredths, 0, r.place < n ? 99 : 0);
				if (p == 100)
					assert_int_equal(r.place, 1);
			}
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x < y) - (x > y);
}

static void selects_what_sorting_finds(void **state)
{
	(void)state;
	static uint64_t values[MONTH_MAX], sorted[MONTH_MAX];
	uint64_t seed = 3;
	for (unsigned round = 0; round < 300; round++) {
		const size_t n = 1 + random_below(&seed, round % 3 == 0 ? MONTH_MAX : 40);
		const uint32_t different = 1 + random_below(&seed, round % 2 == 0 ? 5 : 1000000);
		for (size_t i = 0; i < n; i++)
			values[i] = random_below(&seed, different) * 1000003ULL;
		memcpy(sorted, values, n * sizeof(values[0]));
		qsort(sorted, n, sizeof(sorted[0]), by_size);
		const size_t place = 1 + random_below(&seed, (uint32_t)n);
		const uint64_t found = rank_select(values, n, place);
		assert_true(found == sorted[place - 1]);
		for (size_t i = 0; i < n; i++)
			assert_true(i < place - 1   ? values[i] >= found
			            : i > place - 1 ? values[i] <= found
			                            : values[i] == found);
		qsort(values, n, sizeof(values[0]), by_size);
		assert_memory_equal(values, sorted, n * sizeof(values[0]));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_table_of_months),
	cmocka_unit_test(agrees_with_the_formulas_of_the_tools),
	cmocka_unit_test(every_percentile_of_every_method_names_a_value),
	cmocka_unit_test(selects_what_sorting_finds),
};

RUN_TESTS(tests)
