/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/decimal.h"
#include "common/base/random.h"

#include <string.h>

static struct decimal parsed(const char *s)
{
	struct decimal d = { 0 };
	if (!decimal_parse(s, strlen(s), &d))
		fail_msg("%s is no decimal", s);
	return d;
}

static void assert_prints(struct decimal d, const char *text)
{
	char printed[DECIMAL_TEXT_SIZE];
	assert_int_equal(decimal_print(d, printed), !d.bad);
	assert_string_equal(printed, text);
}

static void prints_what_it_read(void **state)
{
	(void)state;
	static const char *const rows[] = { "0",    "0.80",       "-12.5",
		                            "250",  "0.00",       "-0.01",
		                            "1000", "0.70000000", "999999999999999999999999",
		                            "1.5",  "10.05",      "999999999999.999999999999" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_prints(parsed(rows[i]), rows[i]);
}

static void refuses_what_is_no_decimal(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"-",
		".",
		"1.",
		".5",
		"-.5",
		"+1",
		" 1",
		"1 ",
		"1e3",
		"0x1",
		"1.2.3",
		"1..2",
		"01",
		"00",
		"-01",
		"--1",
		"1,5",
		"1.-5",
		"NaN",
		"1000000000000000000000000", /* 25 digits */
		"0.1234567890123",           /* 13 places */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decimal d = decimal_of(7, 0);
		if (decimal_parse(rows[i], strlen(rows[i]), &d))
			fail_msg("'%s' was taken", rows[i]);
		assert_prints(d, "7");
	}
	struct decimal d = { 0 };
	assert_false(decimal_parse("1\0002", 3, &d));
	assert_true(decimal_parse("0.809", 4, &d)); /* no more than it was told */
	assert_prints(d, "0.80");
}

static void sums_and_products_are_exact(void **state)
{
	(void)state;
	assert_prints(decimal_add(parsed("0.1"), parsed("0.25")), "0.35");
	assert_prints(decimal_add(parsed("1.10"), parsed("-1.1")), "0.00");
	assert_prints(decimal_subtract(parsed("5"), parsed("7.5")), "-2.5");
	assert_prints(decimal_multiply(parsed("0.1"), parsed("0.2")), "0.02");
	assert_prints(decimal_multiply(parsed("-1.50"), parsed("1.5")), "-2.25");
	assert_prints(decimal_multiply(decimal_of(9990000000, 6), parsed("0.80")), "7992.0");
	assert_prints(decimal_multiply(parsed("0"), parsed("0.000000000001")), "0.000000000000");
	assert_prints(decimal_multiply(parsed("999999999999"), parsed("999999999999")),
	              "999999999998000000000001");
}

static void what_does_not_fit_is_bad_and_stays_bad(void **state)
{
	(void)state;
	const struct decimal big = parsed("999999999999999999999999");
	const struct decimal bad = decimal_multiply(big, big);
	assert_true(bad.bad);
	assert_prints(bad, "");
	assert_true(decimal_add(bad, parsed("1")).bad);
	assert_true(decimal_subtract(parsed("1"), bad).bad);
	assert_true(decimal_add(parsed("1"), bad).bad);
	assert_true(decimal_subtract(bad, parsed("1")).bad);
	assert_true(decimal_multiply(bad, parsed("0")).bad);
	assert_true(decimal_multiply(parsed("0"), bad).bad);
	assert_true(decimal_divide(bad, parsed("1"), 2, DECIMAL_HALF_UP).bad);
	assert_true(decimal_divide(parsed("1"), bad, 2, DECIMAL_HALF_UP).bad);
	assert_true(decimal_divide(parsed("1"), parsed("0.00"), 2, DECIMAL_HALF_UP).bad);
	assert_true(decimal_round(bad, 2, DECIMAL_HALF_UP).bad);
	/* Places that cannot be aligned. */
	const struct decimal fine = decimal_multiply(
		decimal_multiply(parsed("0.000000000001"), parsed("0.000000000001")),
		parsed("0.000000000001"));
	assert_prints(fine, "0.000000000000000000000000000000000001");
	assert_true(decimal_add(fine, parsed("1000")).bad);
	assert_true(decimal_multiply(fine, parsed("0.1")).bad);
	/* Bad things of both signs may not cancel out. */
	assert_true(decimal_subtract(bad, bad).bad);
}

static void divides_with_the_rounding_it_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		unsigned places;
		const char *up, *even;
	} rows[] = {
		{ "100", "12", 2, "8.33", "8.33" },
		{ "1", "3", 0, "0", "0" },
		{ "2", "3", 4, "0.6667", "0.6667" },
		{ "1", "8", 2, "0.13", "0.12" },
		{ "3", "8", 2, "0.38", "0.38" },
		{ "-1", "8", 2, "-0.13", "-0.12" },
		{ "1", "-8", 2, "-0.13", "-0.12" },
		{ "-1", "-8", 2, "0.13", "0.12" },
		{ "0.5", "1", 0, "1", "0" },
		{ "1.5", "1", 0, "2", "2" },
		{ "2.5", "1", 0, "3", "2" },
		{ "8700", "11000", 6, "0.790909", "0.790909" },
		{ "0.000000000001", "1", 2, "0.00", "0.00" },
		{ "1", "0.000000000001", 0, "1000000000000", "1000000000000" },
		{ "999999999999999999999999", "1", 2, "999999999999999999999999.00",
		  "999999999999999999999999.00" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct decimal a = parsed(rows[i].a), b = parsed(rows[i].b);
		assert_prints(decimal_divide(a, b, rows[i].places, DECIMAL_HALF_UP), rows[i].up);
		assert_prints(decimal_divide(a, b, rows[i].places, DECIMAL_HALF_EVEN),
		              rows[i].even);
	}
	assert_prints(decimal_round(parsed("7"), 2, DECIMAL_HALF_UP), "7.00");
	assert_prints(decimal_round(parsed("7.005"), 2, DECIMAL_HALF_UP), "7.01");
}

static void compares_by_value(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{ "0.80", "0.8", 0 }, { "0", "-0.00", 0 },  { "1", "0.999", 1 },
		{ "-1", "0.5", -1 },  { "-2", "-1.5", -1 }, { "2", "10", -1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int order = decimal_compare(parsed(rows[i].a), parsed(rows[i].b));
		assert_int_equal((order > 0) - (order < 0), rows[i].order);
		const int back = decimal_compare(parsed(rows[i].b), parsed(rows[i].a));
		assert_int_equal((back > 0) - (back < 0), -rows[i].order);
	}
	/* Too far apart to be written with the same places. */
	const struct decimal fine = { .units = 3, .places = 36 };
	const struct decimal big = parsed("1000"), small = parsed("-1000");
	assert_true(decimal_compare(fine, big) < 0);
	assert_true(decimal_compare(big, fine) > 0);
	assert_true(decimal_compare((struct decimal){ .units = -3, .places = 36 }, small) > 0);
	assert_true(decimal_compare(small, (struct decimal){ .units = -3, .places = 36 }) < 0);
}

/* Against plain integers of a common scale. */
static void agrees_with_integers(void **state)
{
	(void)state;
	uint64_t seed = 7;
	static const int64_t scale[] = { 1, 10, 100, 1000 };
	for (unsigned i = 0; i < 20000; i++) {
		const unsigned p = random_below(&seed, 4), q = random_below(&seed, 4);
		const int64_t x = (int64_t)random_below(&seed, 2000000) - 1000000;
		const int64_t y = (int64_t)random_below(&seed, 2000000) - 1000000;
		const struct decimal a = { .units = x, .places = (uint8_t)p };
		const struct decimal b = { .units = y, .places = (uint8_t)q };
		const int64_t u = x * scale[3 - p], v = y * scale[3 - q]; /* thousandths */
		const struct decimal sum = { .units = u + v, .places = 3 };
		const struct decimal difference = { .units = u - v, .places = 3 };
		const struct decimal product = { .units = u * v, .places = 6 };
		assert_int_equal(decimal_compare(decimal_add(a, b), sum), 0);
		assert_int_equal(decimal_compare(decimal_subtract(a, b), difference), 0);
		assert_int_equal(decimal_compare(decimal_multiply(a, b), product), 0);
		assert_int_equal(decimal_compare(a, b) > 0, u > v);
		if (v == 0)
			continue;
		/* To hundredths: |quotient - result| is at most half of one. */
		const struct decimal r = decimal_divide(a, b, 2, DECIMAL_HALF_UP);
		const int64_t rest = u * 100 - (int64_t)r.units * v;
		assert_true(2 * llabs(rest) <= llabs(v));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(prints_what_it_read),
	cmocka_unit_test(refuses_what_is_no_decimal),
	cmocka_unit_test(sums_and_products_are_exact),
	cmocka_unit_test(what_does_not_fit_is_bad_and_stays_bad),
	cmocka_unit_test(divides_with_the_rounding_it_is_told),
	cmocka_unit_test(compares_by_value),
	cmocka_unit_test(agrees_with_integers),
};

RUN_TESTS(tests)
