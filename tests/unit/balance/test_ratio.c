/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/ratio.h"

#include <stdio.h>
#include <string.h>

static void a_ratio_has_three_places_rounded_half_up(void **state)
{
	(void)state;
	static const struct {
		const char *out, *in, *ratio; /* NULL: none */
	} rows[] = {
		{ "0", "1", "0.000" },
		{ "1", "1", "1.000" },
		{ "2", "3", "0.667" },
		{ "1", "3", "0.333" },
		{ "1", "2000", "0.001" }, /* 0.0005 */
		{ "1", "2001", "0.000" },
		{ "28500", "10000", "2.850" },
		{ "18446744073709551615", "9223372036854775808", "2.000" },
		{ "9007199254740993", "9007199254740992", "1.000" },
		{ "1267650600228229401496703205375", "1", "1267650600228229401496703205375.000" },
		{ "1267650600228229401496703205376", "1", NULL }, /* 2^100 */
		{ "999999999999999999999999999999999999999999999", "1", NULL },
		{ "1", "0", NULL },
		{ "0", "0", NULL },
		{ "", "1", NULL },
		{ "-1", "1", NULL },
		{ "1.5", "1", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[RATIO_TEXT_SIZE] = "untouched";
		const bool any = ratio_print(rows[i].out, rows[i].in, text);
		assert_string_equal(text, rows[i].ratio != NULL ? rows[i].ratio : "untouched");
		assert_int_equal(any, rows[i].ratio != NULL);
	}
}

static void a_verdict_looks_at_the_totals_in_both_directions(void **state)
{
	(void)state;
	static const struct {
		const char *out, *in;
		uint64_t limit_milli;
		enum ratio_verdict verdict;
	} rows[] = {
		{ "0", "0", 2000, RATIO_NO_DATA },
		{ "0", "0", 0, RATIO_NO_DATA },
		{ "", "1", 2000, RATIO_NO_DATA },
		{ "5", "1", 0, RATIO_NO_LIMIT },
		{ "100", "100", 2000, RATIO_OK },
		{ "169", "100", 2000, RATIO_OK },
		{ "170", "100", 2000, RATIO_WARN }, /* 85 % of 2:1 */
		{ "200", "100", 2000, RATIO_WARN }, /* "must not exceed 2:1" */
		{ "201", "100", 2000, RATIO_BREACH },
		{ "100", "169", 2000, RATIO_OK },
		{ "100", "170", 2000, RATIO_WARN },
		{ "100", "200", 2000, RATIO_WARN },
		{ "100", "201", 2000, RATIO_BREACH },
		{ "1", "0", 2000, RATIO_BREACH },
		{ "0", "1", 2000, RATIO_BREACH },
		/* One byte too many, which no double and no three places would show. */
		{ "20000000000000000000000", "10000000000000000000000", 2000, RATIO_WARN },
		{ "20000000000000000000001", "10000000000000000000000", 2000, RATIO_BREACH },
		{ "1267650600228229401496703205375", "1", UINT64_MAX, RATIO_BREACH },
		{ "1267650600228229401496703205375", "1267650600228229401496703205375", UINT64_MAX,
		  RATIO_OK },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(ratio_verdict_name(ratio_verdict(rows[i].out, rows[i].in,
		                                                     rows[i].limit_milli)),
		                    ratio_verdict_name(rows[i].verdict));
}

static void bytes_of_a_bin_become_bits_per_second(void **state)
{
	(void)state;
	assert_int_equal(ratio_bps(0, 300), 0);
	assert_int_equal(ratio_bps(37500, 300), 1000);
	assert_int_equal(ratio_bps(1, 300), 0); /* 0.027 */
	assert_int_equal(ratio_bps(1, 16), 1);  /* 0.5 */
	assert_int_equal(ratio_bps(1, 17), 0);
	assert_true(ratio_bps(UINT64_MAX, 300) == 491913175298921376U);
	assert_true(ratio_bps(UINT64_MAX, 1) == UINT64_MAX);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_ratio_has_three_places_rounded_half_up),
	cmocka_unit_test(a_verdict_looks_at_the_totals_in_both_directions),
	cmocka_unit_test(bytes_of_a_bin_become_bits_per_second),
};

RUN_TESTS(tests)
