/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/balance/months.h"

#include "common/balance/names.h"

enum { SERIES = 4 };

static struct percentile_bin bins[SERIES][MONTH_MAX];
static struct percentile_series series[SERIES];
static struct percentile_scratch *scratch;

static int set_up(void **state)
{
	(void)state;
	scratch = percentile_scratch_new(MONTH_MAX);
	for (size_t i = 0; i < SERIES; i++)
		series[i] = (struct percentile_series){ .bins = bins[i] };
	return scratch == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	percentile_scratch_free(scratch);
	return 0;
}

static struct percentile_result result_of(const struct percentile_rule *rule, size_t n_series,
                                          size_t n)
{
	struct percentile_result r;
	assert_int_equal(percentile_of(rule, series, n_series, n, scratch, &r), ERR_OK);
	return r;
}

/* What a bin of a series counts as, by the plainest reading of the missing rule; false: as nothing. */
static bool plain_bin(const struct percentile_rule *rule, const struct percentile_bin *of, size_t b,
                      struct percentile_bin *out)
{
	*out = of[b];
	if (out->known)
		return true;
	if (rule->rank >= RANK_RRD_PERCENT || rule->missing == MISSING_DROP)
		return false;
	*out = (struct percentile_bin){ 0 };
	if (rule->missing == MISSING_ZERO)
		return true;
	while (b > 0)
		if (of[--b].known) {
			*out = of[b];
			return true;
		}
	return false;
}

/* The percentile of one set: `members` of them, out, in, the larger or both by `side`. */
static struct percentile_value plain_set(const struct percentile_rule *rule, const bool *members,
                                         size_t n_series, size_t n, unsigned side)
{
	static uint64_t sorted[MONTH_MAX];
	size_t ranked = 0;
	for (size_t b = 0; b < n; b++) {
		uint64_t out = 0, in = 0;
		bool any = false;
		for (size_t i = 0; i < n_series; i++) {
			struct percentile_bin bin;
			if (!members[i] || !plain_bin(rule, bins[i], b, &bin))
				continue;
			any = true;
			out += bin.out_bytes;
			in += bin.in_bytes;
		}
		const uint64_t values[] = { out, in, out > in ? out : in, out + in };
		if (any)
			sorted[ranked++] = values[side];
	}
	struct percentile_value v = { 0 };
	if (ranked == 0)
		return v;
	qsort(sorted, ranked, sizeof(sorted[0]), month_by_size);
	const struct rank r =
		rank_of(rule->rank, rule->percentile, rule->rank == RANK_RRD_PERCENT ? n : ranked);
	if (r.place > ranked)
		return v;
	const uint64_t high = sorted[r.place - 1], low = r.hundredths > 0 ? sorted[r.place] : 0;
	const uint64_t hundredths = high * (100 - r.hundredths) + low * r.hundredths;
	return (struct percentile_value){ true, hundredths / 100, (unsigned)(hundredths % 100) };
}

static struct percentile_value plain(const struct percentile_rule *rule, size_t n_series, size_t n,
                                     unsigned side)
{
	uint64_t hundredths = 0;
	bool known = false;
	for (size_t first = 0; first < n_series; first++) {
		bool members[SERIES] = { false }, leads = true;
		for (size_t i = 0; i < n_series; i++) {
			members[i] = rule->combine == COMBINE_PEAK_OF_SUMS || i == first ||
			             (rule->combine == COMBINE_SETS &&
			              series[i].set == series[first].set);
			leads = leads && (i >= first || !members[i]);
		}
		if (!leads)
			continue;
		const struct percentile_value v = plain_set(rule, members, n_series, n, side);
		known = known || v.known;
		hundredths += v.bytes * 100 + v.hundredths;
	}
	return (struct percentile_value){ known, hundredths / 100, (unsigned)(hundredths % 100) };
}

static void assert_value(struct percentile_value a, struct percentile_value b)
{
	assert_int_equal(a.known, b.known);
	assert_true(a.bytes == b.bytes);
	assert_int_equal(a.hundredths, b.hundredths);
}

static void assert_as_plain(const struct percentile_rule *rule, size_t n_series, size_t n)
{
	const struct percentile_result r = result_of(rule, n_series, n);
	const struct percentile_value out = plain(rule, n_series, n, 0);
	const struct percentile_value in = plain(rule, n_series, n, 1);
	assert_value(r.out, out);
	assert_value(r.in, in);
	switch (rule->direction) {
	case DIRECTION_MAX_IN_OUT: {
		const bool is_in =
			in.bytes * 100 + in.hundredths > out.bytes * 100 + out.hundredths;
		assert_value(r.billed, is_in ? in : out);
		assert_int_equal(r.side, is_in ? BILLED_IN : BILLED_OUT);
		break;
	}
	case DIRECTION_OUT:
		assert_value(r.billed, out);
		break;
	case DIRECTION_IN:
		assert_value(r.billed, in);
		break;
	case DIRECTION_MAX_PER_SAMPLE:
	case DIRECTION_SUM:
		assert_value(r.billed,
		             plain(rule, n_series, n, rule->direction == DIRECTION_SUM ? 3 : 2));
		assert_int_equal(r.side, BILLED_BOTH);
		break;
	case DIRECTIONS:
		fail();
	}
}

static void every_rule_is_what_a_plain_reading_says(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (unsigned round = 0; round < 6000; round++) {
		const size_t n_series = 1 + random_below(&seed, SERIES);
		const size_t n = 1 + random_below(&seed, round % 4 == 0 ? 3 : 60);
		for (size_t i = 0; i < n_series; i++) {
			month_random(bins[i], n, &seed);
			series[i].set = random_below(&seed, 2);
		}
		const struct percentile_rule rule = {
			.percentile =
				random_below(&seed, 2) == 0 ? 95 : 50 + random_below(&seed, 51),
			.rank = random_below(&seed, RANK_METHODS),
			.missing = random_below(&seed, MISSING_RULES),
			.direction = random_below(&seed, DIRECTIONS),
			.combine = random_below(&seed, COMBINES),
		};
		assert_as_plain(&rule, n_series, n);
	}
}

static void months_of_every_length_by_every_method(void **state)
{
	(void)state;
	uint64_t seed = 5;
	for (size_t days = 28; days <= 31; days++)
		for (enum rank_method m = 0; m < RANK_METHODS; m++) {
			month_random(bins[0], days * DAY_BINS, &seed);
			month_random(bins[1], days * DAY_BINS, &seed);
			for (enum percentile_missing missing = 0; missing < MISSING_RULES;
			     missing++) {
				const struct percentile_rule rule = { .percentile = 95,
					                              .rank = m,
					                              .missing = missing };
				assert_as_plain(&rule, 2, days * DAY_BINS);
			}
		}
}

static void what_is_not_known_is_counted(void **state)
{
	(void)state;
	/*           0        1        2        3
	 * first     5        -        -        9
	 * second    -        7        -        1   */
	memset(bins, 0, sizeof(bins));
	bins[0][0] = (struct percentile_bin){ 5, 0, true };
	bins[0][3] = (struct percentile_bin){ 9, 0, true };
	bins[1][1] = (struct percentile_bin){ 7, 0, true };
	bins[1][3] = (struct percentile_bin){ 1, 0, true };
	static const struct {
		enum percentile_missing missing;
		size_t filled, ranked;
		uint64_t median;
	} rows[] = {
		{ MISSING_DROP, 0, 3, 7 },  /* 5 7 10 */
		{ MISSING_ZERO, 4, 4, 5 },  /* 0 5 7 10 */
		{ MISSING_CARRY, 3, 4, 10 } /* 5, 5 + 7, 5 + 7, 10 */
	};
	for (size_t i = 0; i < 3; i++) {
		const struct percentile_rule rule = { .percentile = 50,
			                              .missing = rows[i].missing,
			                              .combine = COMBINE_PEAK_OF_SUMS };
		const struct percentile_result r = result_of(&rule, 2, 4);
		assert_int_equal(r.expected, 8);
		assert_int_equal(r.known, 4);
		assert_int_equal(r.filled, rows[i].filled);
		assert_int_equal(r.partial, 2);
		assert_int_equal(r.ranked, rows[i].ranked);
		assert_int_equal(r.out.bytes, rows[i].median);
	}
}

static void rrdtool_ranks_unknown_bins_last(void **state)
{
	(void)state;
	memset(bins, 0, sizeof(bins));
	for (size_t i = 0; i < 10; i++)
		bins[0][i] = (struct percentile_bin){ 10 + i, 1, i < 4 };
	struct percentile_rule rule = { .percentile = 60, .rank = RANK_RRD_PERCENT };
	/* round(0.6 * 9) = 5 are below it: all unknown, as the fifth still is. */
	struct percentile_result r = result_of(&rule, 1, 10);
	assert_false(r.out.known);
	assert_false(r.billed.known);
	assert_int_equal(percentile_bps(r.billed, 300), 0);
	rule.percentile = 70; /* six are below it */
	assert_int_equal(result_of(&rule, 1, 10).out.bytes, 10);
	rule.rank = RANK_RRD_PERCENTNAN; /* two of four are */
	assert_int_equal(result_of(&rule, 1, 10).out.bytes, 12);
}

static void nothing_known_is_no_value(void **state)
{
	(void)state;
	memset(bins, 0, sizeof(bins));
	struct percentile_rule rule = { .percentile = 95 };
	struct percentile_result r = result_of(&rule, 2, 100);
	assert_false(r.billed.known || r.out.known || r.in.known);
	assert_int_equal(r.ranked, 0);
	rule.missing = MISSING_CARRY;
	assert_false(result_of(&rule, 2, 100).billed.known);
	rule.missing = MISSING_ZERO;
	r = result_of(&rule, 2, 100);
	assert_true(r.billed.known);
	assert_int_equal(r.billed.bytes, 0);
}

static void sums_beyond_64_bits_are_an_error(void **state)
{
	(void)state;
	memset(bins, 0, sizeof(bins));
	bins[0][1] = (struct percentile_bin){ UINT64_MAX / 2 + 1, 0, true };
	bins[1][1] = (struct percentile_bin){ UINT64_MAX / 2 + 1, 0, true };
	struct percentile_rule rule = { .percentile = 100, .combine = COMBINE_PEAK_OF_SUMS };
	struct percentile_result r = { .known = 77 };
	assert_int_equal(percentile_of(&rule, series, 2, 2, scratch, &r), ERR_RANGE);
	rule.combine = COMBINE_SUM_OF_PEAKS;
	assert_int_equal(percentile_of(&rule, series, 2, 2, scratch, &r), ERR_RANGE);
	bins[0][1] = (struct percentile_bin){ UINT64_MAX, 1, true };
	assert_int_equal(percentile_of(&rule, series, 1, 2, scratch, &r), ERR_RANGE);
	assert_int_equal(r.known, 77);
	bins[0][1].in_bytes = 0;
	assert_true(result_of(&rule, 1, 2).out.bytes == UINT64_MAX);
}

static void bits_per_second_are_rounded_half_up(void **state)
{
	(void)state;
	assert_int_equal(percentile_bps((struct percentile_value){ true, 37500, 0 }, 300), 1000);
	assert_int_equal(percentile_bps((struct percentile_value){ true, 18, 74 }, 300), 0);
	assert_int_equal(percentile_bps((struct percentile_value){ true, 18, 75 }, 300), 1);
	assert_true(percentile_bps((struct percentile_value){ true, UINT64_MAX, 99 }, 1) ==
	            UINT64_MAX);
}

/* Gbit/s of one or three links. */
static double gbps(const struct percentile_rule *rule, size_t n_series, size_t n, uint32_t seconds)
{
	return (double)percentile_bps(result_of(rule, n_series, n).billed, seconds) / 1e9;
}

static void peaks_that_do_not_meet_cost_more_apart(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (size_t i = 0; i < 3; i++)
		month_diurnal(bins[i], 30 * DAY_BINS, i * DAY_BINS / 3, &seed);
	struct percentile_rule rule = { .percentile = 95, .combine = COMBINE_SUM_OF_PEAKS };
	const double apart = gbps(&rule, 3, 30 * DAY_BINS, 300);
	rule.combine = COMBINE_PEAK_OF_SUMS;
	const double together = gbps(&rule, 3, 30 * DAY_BINS, 300);
	assert_true(apart > 1.25 * together); /* 3 * 80 to 3 * 60 */
	series[0].set = series[1].set = 1;
	series[2].set = 2;
	rule.combine = COMBINE_SETS;
	const double sets = gbps(&rule, 3, 30 * DAY_BINS, 300);
	assert_true(sets < apart && sets > together);
	rule.direction = DIRECTION_SUM; /* a third more, as in is a third of out */
	assert_true(fabs(gbps(&rule, 3, 30 * DAY_BINS, 300) / sets - 4.0 / 3) < 0.001);
}

static void longer_bins_hide_peaks(void **state)
{
	(void)state;
	uint64_t seed = 4;
	const size_t n = 30 * DAY_BINS;
	const struct percentile_rule rule = { .percentile = 95 };
	month_diurnal(bins[0], n, 0, &seed);
	const double five = gbps(&rule, 1, n, 300);
	static const size_t lengths[] = { 12, DAY_BINS };
	double before = five;
	for (size_t l = 0; l < 2; l++) {
		const size_t each = lengths[l];
		for (size_t i = 0; i < n / each; i++) {
			struct percentile_bin sum = { .known = true };
			for (size_t j = 0; j < each; j++)
				sum.out_bytes += bins[0][i * each + j].out_bytes;
			bins[1][i] = sum;
		}
		series[0].bins = bins[1];
		const double longer = gbps(&rule, 1, n / each, (uint32_t)(each * 300));
		series[0].bins = bins[0];
		assert_true(longer < before);
		before = longer;
	}
	assert_true(before < 0.8 * five); /* of days: the mean, 60 of nearly 80 */
}

/* Bins of busy hours lost: zero is below drop, drop below what it was, and carry hardly off. */
static void busy_hours_that_are_missing(void **state)
{
	(void)state;
	const size_t n = 30 * DAY_BINS;
	static const uint32_t lost[] = { 5, 20 }; /* of 100 */
	double drop_before = 0;
	for (size_t k = 0; k < 2; k++) {
		uint64_t seed = 6;
		month_diurnal(bins[0], n, 0, &seed);
		struct percentile_rule rule = { .percentile = 95 };
		const double whole = gbps(&rule, 1, n, 300);
		for (size_t left = n * lost[k] / 100; left > 0;) {
			struct percentile_bin *b = &bins[0][random_below(&seed, (uint32_t)n)];
			const bool is_busy = b->out_bytes > 70000000000ULL * 300 / 8;
			left -= b->known && is_busy;
			b->known = b->known && !is_busy;
		}
		const double drop = gbps(&rule, 1, n, 300) / whole - 1;
		rule.missing = MISSING_ZERO;
		const double zero = gbps(&rule, 1, n, 300) / whole - 1;
		rule.missing = MISSING_CARRY;
		const double carry = gbps(&rule, 1, n, 300) / whole - 1;
		assert_true(zero < drop && drop < 0);
		assert_true(fabs(carry) < fabs(drop));
		assert_true(drop < drop_before);
		drop_before = drop;
	}
}

/* The percentile of the whole lies between what was promised at any moment before. */
static void floor_and_ceiling_hold_at_every_moment(void **state)
{
	(void)state;
	uint64_t seed = 9;
	static struct percentile_bin whole[SERIES][200];
	for (unsigned round = 0; round < 300; round++) {
		const size_t n_series = 1 + random_below(&seed, 3);
		const size_t n = 1 + random_below(&seed, 200);
		struct percentile_rule rule = {
			.percentile = 50 + random_below(&seed, 51),
			.rank = random_below(&seed, RANK_METHODS),
			.missing = random_below(&seed, MISSING_RULES),
			.direction = random_below(&seed, DIRECTIONS),
			.combine = random_below(&seed, COMBINES),
		};
		for (size_t i = 0; i < n_series; i++) {
			month_random(whole[i], n, &seed);
			memcpy(bins[i], whole[i], sizeof(whole[i]));
			series[i].set = random_below(&seed, 2);
			series[i].capacity_bytes = 1000000;
		}
		const struct percentile_value last = result_of(&rule, n_series, n).billed;
		const uint64_t exact = last.bytes * 100 + last.hundredths;
		uint64_t floor_before = 0;
		for (size_t i = 0; i < n_series; i++)
			for (size_t b = 0; b < n; b++)
				bins[i][b].known = false;
		for (size_t now = 0; now <= n; now += 1 + random_below(&seed, 9)) {
			for (size_t i = 0; i < n_series; i++)
				for (size_t b = 0; b < now; b++)
					bins[i][b].known = whole[i][b].known;
			struct percentile_bounds bounds;
			assert_int_equal(
				percentile_bounds(&rule, series, n_series, n, scratch, &bounds),
				ERR_OK);
			const uint64_t floor = bounds.floor.bytes * 100 + bounds.floor.hundredths;
			assert_true(floor >= floor_before);
			assert_true(floor <= exact);
			assert_true(bounds.ceiling.known);
			assert_true(bounds.ceiling.bytes * 100 + bounds.ceiling.hundredths >=
			            exact);
			floor_before = floor;
		}
	}
}

static void the_floor_of_a_month_is_its_433rd_largest_so_far(void **state)
{
	(void)state;
	memset(bins, 0, sizeof(bins));
	const struct percentile_rule rule = { .percentile = 95 };
	struct percentile_bounds b;
	for (size_t i = 0; i < 432; i++)
		bins[0][i] = (struct percentile_bin){ 100 + i, 0, true };
	assert_int_equal(percentile_bounds(&rule, series, 1, 8640, scratch, &b), ERR_OK);
	assert_int_equal(b.floor.bytes, 0);
	assert_false(b.ceiling.known); /* of no known capacity */
	bins[0][8639] = (struct percentile_bin){ 50, 0, true };
	assert_int_equal(percentile_bounds(&rule, series, 1, 8640, scratch, &b), ERR_OK);
	assert_int_equal(b.floor.bytes, 50);
	assert_int_equal(b.floor_side, BILLED_OUT);
	series[0].capacity_bytes = 1000;
	assert_int_equal(percentile_bounds(&rule, series, 1, 8640, scratch, &b), ERR_OK);
	assert_int_equal(b.ceiling.bytes, 1000);
}

/* Within the budget the percentile is not above the commit, with one bin more it is. */
static void the_burst_budget_is_exact(void **state)
{
	(void)state;
	uint64_t seed = 12;
	for (unsigned round = 0; round < 400; round++) {
		const size_t n = 1 + random_below(&seed, 300);
		struct percentile_rule rule = { .percentile = 50 + random_below(&seed, 51),
			                        .rank = random_below(&seed, RANK_METHODS),
			                        .direction = random_below(&seed, DIRECTIONS),
			                        .combine = COMBINE_PEAK_OF_SUMS };
		month_random(bins[0], n, &seed);
		if (round % 2 == 0)
			rule.missing = random_below(&seed, MISSING_RULES);
		for (size_t b = 0; b < n; b++) /* gaps are taken as the rule takes them */
			bins[0][b].known = bins[0][b].known || round % 2 == 1;
		bins[0][n - 1].known = true; /* later ones are still to come */
		const uint64_t commit = random_below(&seed, 2000000);
		struct percentile_budget budget;
		assert_int_equal(
			percentile_budget(&rule, series, 1, n, commit, 5, scratch, &budget),
			ERR_OK);
		const struct percentile_value v = result_of(&rule, 1, n).billed;
		const bool above = (v.bytes * 100 + v.hundredths) * 8 > commit * 5 * 100;
		if (rule.rank != RANK_INTERPOLATED)
			assert_int_equal(above, budget.used > budget.allowed);
		else if (budget.used <= budget.allowed)
			assert_false(above);
	}
	/* At the commit is not above it. */
	for (size_t b = 0; b < 20; b++)
		bins[0][b] = (struct percentile_bin){ 1000, 1000 + b % 2, true };
	const struct percentile_rule out = { .percentile = 95, .direction = DIRECTION_OUT };
	const struct percentile_rule in = { .percentile = 95, .direction = DIRECTION_IN };
	struct percentile_budget of_out, of_in;
	assert_int_equal(percentile_budget(&out, series, 1, 20, 1600, 5, scratch, &of_out), ERR_OK);
	assert_int_equal(percentile_budget(&in, series, 1, 20, 1600, 5, scratch, &of_in), ERR_OK);
	assert_int_equal(of_out.used, 0);
	assert_int_equal(of_in.used, 10);
	assert_int_equal(of_in.allowed, 1);

	const struct percentile_rule apart = { .percentile = 95 };
	struct percentile_budget budget;
	assert_int_equal(percentile_budget(&apart, series, 2, 10, 1, 300, scratch, &budget),
	                 ERR_NOT_FOUND);
}

static void words_are_constants(void **state)
{
	(void)state;
	assert_int_equal(name_find(percentile_missing_names, "carry"), MISSING_CARRY);
	assert_int_equal(name_find(percentile_direction_names, "max_per_sample"),
	                 DIRECTION_MAX_PER_SAMPLE);
	assert_int_equal(name_find(percentile_combine_names, "peak_of_sums"), COMBINE_PEAK_OF_SUMS);
	assert_int_equal(name_find(rank_method_names, "cacti"), RANK_CACTI);
	assert_int_equal(name_find(percentile_billed_names, "both"), BILLED_BOTH);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(every_rule_is_what_a_plain_reading_says),
	TEST(months_of_every_length_by_every_method),
	TEST(what_is_not_known_is_counted),
	TEST(rrdtool_ranks_unknown_bins_last),
	TEST(nothing_known_is_no_value),
	TEST(sums_beyond_64_bits_are_an_error),
	TEST(bits_per_second_are_rounded_half_up),
	TEST(peaks_that_do_not_meet_cost_more_apart),
	TEST(longer_bins_hide_peaks),
	TEST(busy_hours_that_are_missing),
	TEST(floor_and_ceiling_hold_at_every_moment),
	TEST(the_floor_of_a_month_is_its_433rd_largest_so_far),
	TEST(the_burst_budget_is_exact),
	TEST(words_are_constants),
};

RUN_TESTS(tests)
