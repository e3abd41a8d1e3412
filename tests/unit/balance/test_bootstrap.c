/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/bootstrap.h"
#include "common/base/random.h"

#include <stdlib.h>

enum { FEW = BOOTSTRAP_LEAST, ALL = 3125 /* FEW ^ FEW */ };

static const struct bootstrap_unit some[FEW] = {
	{ 1, 10 }, { 3, 5 }, { 0, 2 }, { 40, 100 }, { 8, 9 }
};
static const struct bootstrap_unit same[FEW] = {
	{ 1, 4 }, { 2, 8 }, { 5, 20 }, { 1, 4 }, { 3, 12 }
};

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The trivial model: the shares of every possible draw, sorted. */
static void every_draw(const struct bootstrap_unit *units, double out[static ALL])
{
	for (unsigned i = 0; i < ALL; i++) {
		double part = 0, whole = 0;
		for (unsigned k = 0, rest = i; k < FEW; k++, rest /= FEW) {
			part += units[rest % FEW].part;
			whole += units[rest % FEW].whole;
		}
		out[i] = part / whole;
	}
	qsort(out, ALL, sizeof(*out), by_size);
}

/* `same` has no spread, so the difference has that of `some`, moved by its share of a quarter. */
static void agrees_with_every_possible_draw(void **state)
{
	(void)state;
	static double model[ALL];
	const struct bootstrap_arm a = { some, FEW }, b = { same, FEW };
	every_draw(some, model);
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct bootstrap_interval i;
		assert_true(bootstrap_difference(&a, &b, seed, &i));
		assert_true(i.low >= model[ALL * 15 / 1000] - 0.25 - 1e-9);
		assert_true(i.low <= model[ALL * 35 / 1000] - 0.25 + 1e-9);
		assert_true(i.high >= model[ALL * 965 / 1000] - 0.25 - 1e-9);
		assert_true(i.high <= model[ALL * 985 / 1000] - 0.25 + 1e-9);
		assert_true(bootstrap_difference(&b, &a, seed, &i)); /* and the other way round */
		assert_true(i.high <= 0.25 - model[ALL * 15 / 1000] + 1e-9);
		assert_true(i.high >= 0.25 - model[ALL * 35 / 1000] - 1e-9);
	}
}

static void the_same_seed_gives_the_same_interval(void **state)
{
	(void)state;
	const struct bootstrap_arm a = { some, FEW }, b = { same, FEW };
	struct bootstrap_interval first, second, other;
	assert_true(bootstrap_difference(&a, &b, 7, &first));
	assert_true(bootstrap_difference(&a, &b, 7, &second));
	assert_true(bootstrap_difference(&a, &a, 7, &other));
	assert_memory_equal(&first, &second, sizeof(first));
	assert_true(other.low < 0 && other.high > 0); /* drawn apart: two arms, not one */
}

/* Sixteen units each, as reports have them: 95 % should hold the truth, and nearly do. */
static void holds_the_truth_about_as_often_as_it_says(void **state)
{
	(void)state;
	enum { UNITS = 16, TRIALS = 400 };
	uint64_t seed = 3;
	unsigned held = 0;
	for (unsigned t = 0; t < TRIALS; t++) {
		struct bootstrap_unit units[2][UNITS];
		struct bootstrap_interval i;
		for (unsigned k = 0; k < 2 * UNITS; k++) {
			const double share =
				(k < UNITS ? 0.2 : 0.5) + random_below(&seed, 2001) / 10000.0 - 0.1;
			units[k / UNITS][k % UNITS] = (struct bootstrap_unit){ 1000 * share, 1000 };
		}
		assert_true(bootstrap_difference(&(struct bootstrap_arm){ units[0], UNITS },
		                                 &(struct bootstrap_arm){ units[1], UNITS }, t,
		                                 &i));
		held += i.low <= -0.3 && -0.3 <= i.high;
	}
	assert_in_range(held, TRIALS * 88 / 100, TRIALS * 98 / 100);
}

static void gives_none_for_too_few_units(void **state)
{
	(void)state;
	const struct bootstrap_unit hollow[FEW] = {
		{ 1, 10 }, { 0, 0 }, { 0, 2 }, { 4, 10 }, { 8, 9 }
	};
	const struct bootstrap_arm all = { some, FEW }, few = { some, FEW - 1 }, none = { NULL, 0 };
	const struct bootstrap_arm part = { hollow, FEW };
	struct bootstrap_interval i = { 1, 2 };
	assert_false(bootstrap_difference(&all, &few, 1, &i));
	assert_false(bootstrap_difference(&few, &all, 1, &i));
	assert_false(bootstrap_difference(&all, &none, 1, &i));
	assert_false(bootstrap_difference(&all, &part, 1, &i));
	assert_true(i.low == 1 && i.high == 2);
	assert_true(bootstrap_share(&none) == 0);
	assert_true(bootstrap_share(&(struct bootstrap_arm){ same, FEW }) == 0.25);
}

/* Each unit has one time, so a median of a draw is that of its numbers. */
static void quantiles_are_drawn_as_shares_are(void **state)
{
	(void)state;
	static uint64_t fast[FEW][HISTOGRAM_BUCKETS], slow[FEW][HISTOGRAM_BUCKETS];
	for (unsigned i = 0; i < FEW; i++) {
		fast[i][20 + i] = 1;
		slow[i][40] = 1 + i;
	}
	const struct bootstrap_times a = { fast, FEW }, b = { slow, FEW }, few = { fast, FEW - 1 };
	const double base = histogram_seconds(40);
	struct bootstrap_interval i, again;
	assert_true(bootstrap_quantile(&a, 0.5) == histogram_seconds(22));
	assert_true(bootstrap_quantile(&(struct bootstrap_times){ NULL, 0 }, 0.5) == 0);
	assert_true(bootstrap_ratio(&a, &b, 0.5, 1, &i));
	/* Of five drawn, three or more are the first with a chance of 5.8 %: 2.5 % is inside that. */
	assert_true(i.low == histogram_seconds(20) / base);
	assert_true(i.high == histogram_seconds(24) / base);
	assert_true(bootstrap_ratio(&a, &b, 0.5, 1, &again));
	assert_memory_equal(&i, &again, sizeof(i));
	assert_true(bootstrap_ratio(&b, &b, 0.5, 1, &i));
	assert_true(i.low == 1 && i.high == 1);
	assert_false(bootstrap_ratio(&a, &few, 0.5, 1, &again));
	assert_false(bootstrap_ratio(&few, &a, 0.5, 1, &again));
	fast[0][20] = 0; /* a unit without times is none */
	assert_false(bootstrap_ratio(&a, &b, 0.5, 1, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_every_possible_draw),
		cmocka_unit_test(the_same_seed_gives_the_same_interval),
		cmocka_unit_test(holds_the_truth_about_as_often_as_it_says),
		cmocka_unit_test(gives_none_for_too_few_units),
		cmocka_unit_test(quantiles_are_drawn_as_shares_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
