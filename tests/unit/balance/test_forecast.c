/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/balance/months.h"

#include "common/balance/forecast.h"

/* Half-hours, so that many months are judged in a second. */
enum { BIN = 1800, DAY = 86400 / BIN, HISTORY = 28 * DAY, MONTH = 30 * DAY, ALL = HISTORY + MONTH };

static struct percentile_bin bins[2][ALL];

static const struct percentile_rule p95 = { .percentile = 95 };
static const struct policy balanced = {
	.ratio = { .orientation = RATIO_EITHER, .limit_milli = 2000, .warn_milli = 850 },
};

/* How the days of a made-up world differ. */
struct world {
	double of_days; /* deviation of a day's level, both directions; half of it of each by itself */
	double of_bins;   /* of a bin */
	double memory;    /* how much of a day's level is the last one's */
	unsigned unknown; /* of 1000 bins */
};

static void make(struct percentile_bin *out, const struct world *w, uint64_t *seed)
{
	static const double week[] = { 1, 0.95, 1, 1.05, 1.2, 1.5, 1.4 };
	double both = 0, own[2] = { 0, 0 };
	const double fresh = sqrt(1 - w->memory * w->memory);
	for (size_t b = 0; b < ALL; b++) {
		if (b % DAY == 0) {
			both = w->memory * both + fresh * w->of_days * month_normal(seed);
			for (size_t i = 0; i < 2; i++)
				own[i] = w->memory * own[i] +
				         fresh * w->of_days / 2 * month_normal(seed);
		}
		const double angle = 2 * M_PI * (double)(b % DAY) / DAY;
		double side[2];
		for (size_t i = 0; i < 2; i++) {
			const double usual = (i == 0 ? 1.7e9 : 1e9) * (1 - 0.5 * cos(angle));
			side[i] = usual * week[b / DAY % 7] *
			          exp(both + own[i] + w->of_bins * month_normal(seed));
		}
		out[b] = (struct percentile_bin){ .out_bytes = (uint64_t)side[0],
			                          .in_bytes = (uint64_t)side[1],
			                          .known = random_below(seed, 1000) >= w->unknown };
	}
}

static struct forecast_input input_of(const struct percentile_series *series, size_t n, size_t days)
{
	return (struct forecast_input){ .series = series,
		                        .n_series = n,
		                        .history = HISTORY,
		                        .bins = MONTH,
		                        .now = days * DAY + 7,
		                        .bin_seconds = BIN,
		                        .rule = &p95,
		                        .policy = &balanced,
		                        .seed = 5 };
}

/* What came of it. */
static void truth(const struct percentile_series *series, size_t n, uint64_t *billed, double *ratio)
{
	struct percentile_scratch *scratch = percentile_scratch_new(MONTH);
	struct percentile_series month[2];
	struct percentile_result r;
	struct policy_figures f;
	for (size_t i = 0; i < n; i++) {
		month[i] = series[i];
		month[i].bins += HISTORY;
	}
	assert_int_equal(percentile_of(&p95, month, n, MONTH, scratch, &r), ERR_OK);
	assert_int_equal(policy_measure(&balanced, month, n, MONTH, BIN, scratch, &f), ERR_OK);
	percentile_scratch_free(scratch);
	*billed = percentile_bps(r.billed, BIN);
	*ratio = (double)f.amounts[POLICY_VOLUME_AVG].out_bytes * 1000 /
	         (double)f.amounts[POLICY_VOLUME_AVG].in_bytes;
}

static void assert_covers(const struct world *w, uint64_t seed)
{
	enum { TRIALS = 100 };
	unsigned billed_held = 0, ratio_held = 0;
	for (unsigned trial = 0; trial < TRIALS; trial++) {
		const struct percentile_series series = { .bins = bins[0] };
		struct forecast f;
		uint64_t billed;
		double ratio;
		make(bins[0], w, &seed);
		struct forecast_input in = input_of(&series, 1, 1 + trial % 12);
		in.seed = trial;
		assert_int_equal(forecast_run(&in, &f), ERR_OK);
		truth(&series, 1, &billed, &ratio);
		billed_held += billed >= f.billed_bps.low && billed <= f.billed_bps.high;
		ratio_held += ratio >= (double)f.ratio_milli.low - 0.5 &&
		              ratio <= (double)f.ratio_milli.high + 0.5;
	}
	print_message("# of %d: percentile %u, ratio %u\n", TRIALS, billed_held, ratio_held);
	assert_in_range(billed_held, TRIALS * 70 / 100, TRIALS * 90 / 100);
	assert_in_range(ratio_held, TRIALS * 70 / 100, TRIALS * 90 / 100);
}

static void ranges_hold_as_often_as_they_say(void **state)
{
	(void)state;
	assert_covers(&(struct world){ .of_days = 0.10, .of_bins = 0.05 }, 1);
}

static void and_with_gaps_and_noise(void **state)
{
	(void)state;
	assert_covers(&(struct world){ .of_days = 0.15, .of_bins = 0.20, .unknown = 50 }, 2);
}

static void and_when_days_are_alike_their_neighbours(void **state)
{
	(void)state;
	assert_covers(&(struct world){ .of_days = 0.10, .of_bins = 0.05, .memory = 0.4 }, 3);
}

static const struct world usual_world = { .of_days = 0.10, .of_bins = 0.05 };

static struct forecast forecast_of(const struct forecast_input *in)
{
	struct forecast f;
	assert_int_equal(forecast_run(in, &f), ERR_OK);
	return f;
}

static bool same_range(const struct forecast_range *a, const struct forecast_range *b)
{
	return a->low == b->low && a->middle == b->middle && a->high == b->high;
}

static bool same(const struct forecast *a, const struct forecast *b)
{
	return a->days == b->days && same_range(&a->billed_bps, &b->billed_bps) &&
	       same_range(&a->ratio_milli, &b->ratio_milli) &&
	       a->over_commit_permille == b->over_commit_permille &&
	       a->breach_permille == b->breach_permille && a->below_permille == b->below_permille;
}

static void the_same_seed_says_the_same(void **state)
{
	(void)state;
	const struct percentile_series series = { .bins = bins[0] };
	uint64_t seed = 31;
	make(bins[0], &usual_world, &seed);
	struct forecast_input in = input_of(&series, 1, 10);
	const struct forecast a = forecast_of(&in);
	/* What is still to come is not looked at. */
	for (size_t b = HISTORY + in.now; b < ALL; b++)
		bins[0][b] = (struct percentile_bin){ 1, 1, true };
	const struct forecast b = forecast_of(&in);
	assert_true(same(&a, &b));
	assert_int_equal(a.days, 38);
	in.seed++;
	const struct forecast c = forecast_of(&in);
	assert_false(same(&a, &c));
	assert_true(a.billed_bps.low < a.billed_bps.middle);
	assert_true(a.billed_bps.middle < a.billed_bps.high);
}

static void a_period_that_is_over_is_certain(void **state)
{
	(void)state;
	const struct percentile_series series = { .bins = bins[0] };
	uint64_t seed = 32, billed;
	double ratio;
	make(bins[0], &usual_world, &seed);
	truth(&series, 1, &billed, &ratio);
	struct forecast_input in = input_of(&series, 1, 0);
	in.now = MONTH;
	const struct forecast f = forecast_of(&in);
	assert_true(f.billed_bps.low == billed && f.billed_bps.high == billed);
	assert_true(f.ratio_milli.low == f.ratio_milli.high);
	assert_true(fabs((double)f.ratio_milli.low - ratio) <= 0.5);
}

static void chances_are_of_the_draws(void **state)
{
	(void)state;
	const struct percentile_series series = { .bins = bins[0] };
	uint64_t seed = 33;
	make(bins[0], &usual_world, &seed);
	struct policy p = balanced;
	struct forecast_input in = input_of(&series, 1, 10);
	in.policy = &p;
	const struct forecast_range billed = forecast_of(&in).billed_bps;
	const struct forecast_range ratio = forecast_of(&in).ratio_milli;
	static const unsigned expected[] = { 900, 500, 100 };
	for (size_t i = 0; i < 3; i++) {
		p.ratio.limit_milli = (&ratio.low)[i];
		in.commit_bps = (&billed.low)[i];
		const struct forecast f = forecast_of(&in);
		assert_int_equal(f.over_commit_permille, expected[i]);
		/* The ratio is shown rounded, and judged exactly. */
		assert_in_range(f.breach_permille, expected[i] - 30, expected[i] + 30);
	}
	p.ratio.limit_milli = 9000;
	p.min_bps = 1;
	in.commit_bps = UINT64_MAX;
	struct forecast f = forecast_of(&in);
	assert_int_equal(f.breach_permille + f.over_commit_permille + f.below_permille, 0);
	p.min_bps = UINT64_MAX;
	assert_int_equal(forecast_of(&in).below_permille, 1000);
	in.rule = NULL;
	in.policy = NULL;
	f = forecast_of(&in);
	assert_int_equal(f.billed_bps.high + f.ratio_milli.high + f.below_permille, 0);
}

/* Two links that carry the same are one of twice the size: their days are drawn together. */
static void what_goes_together_stays_together(void **state)
{
	(void)state;
	uint64_t seed = 34;
	make(bins[0], &usual_world, &seed);
	memcpy(bins[1], bins[0], sizeof(bins[0]));
	const struct percentile_series series[] = { { .bins = bins[0] }, { .bins = bins[1] } };
	const struct forecast_input one = input_of(series, 1, 10), two = input_of(series, 2, 10);
	const struct forecast a = forecast_of(&one), b = forecast_of(&two);
	assert_in_range(b.billed_bps.low, a.billed_bps.low * 2 - 1, a.billed_bps.low * 2 + 1);
	assert_in_range(b.billed_bps.high, a.billed_bps.high * 2 - 1, a.billed_bps.high * 2 + 1);
}

static void nothing_is_drawn_beyond_the_capacity(void **state)
{
	(void)state;
	uint64_t seed = 35;
	make(bins[0], &usual_world, &seed);
	struct percentile_series series = { .bins = bins[0] };
	struct forecast_input in = input_of(&series, 1, 0);
	in.now = 0;
	const uint64_t wide = forecast_of(&in).billed_bps.low;
	series.capacity_bytes = wide / 2 / 8 * BIN;
	const struct forecast f = forecast_of(&in);
	assert_int_equal(f.billed_bps.low, wide / 2 / 8 * 8);
	assert_int_equal(f.billed_bps.high, f.billed_bps.low);
}

/* A day of which only the night was carried: its night is not to be stretched to the bytes of a day. */
static void an_outage_lends_no_shape(void **state)
{
	(void)state;
	static const struct percentile_rule peak = { .percentile = 100 };
	uint64_t seed = 37, most = 0;
	make(bins[0], &(struct world){ 0 }, &seed);
	for (size_t b = 0; b < ALL; b++)
		most = bins[0][b].out_bytes > most ? bins[0][b].out_bytes : most;
	for (size_t b = DAY / 8; b < DAY; b++)
		bins[0][13 * DAY + b] = (struct percentile_bin){ 0, 0, true };
	bins[0][13 * DAY].out_bytes = most;
	const struct percentile_series series = { .bins = bins[0] };
	struct forecast_input in = input_of(&series, 1, 0);
	in.now = 0;
	in.rule = &peak;
	const uint64_t bps = most * 8 / BIN;
	assert_in_range(forecast_of(&in).billed_bps.high, bps, bps * 2);
}

static void says_when_too_little_is_known(void **state)
{
	(void)state;
	uint64_t seed = 36;
	struct forecast f = { .days = 99 };
	make(bins[0], &usual_world, &seed);
	const struct percentile_series series = { .bins = bins[0] };
	struct forecast_input in = input_of(&series, 1, 3);
	in.history = 11 * DAY;
	in.bins = 20 * DAY;
	assert_int_equal(forecast_run(&in, &f), ERR_OK); /* 14 days */
	f.days = 99;
	for (size_t b = 0; b < DAY * 6 / 10; b++)
		bins[0][b].known = false;
	assert_int_equal(forecast_run(&in, &f), ERR_NOT_FOUND);
	in.history = 10 * DAY;
	assert_int_equal(forecast_run(&in, &f), ERR_NOT_FOUND);
	in.history = 10 * DAY + 1;
	assert_int_equal(forecast_run(&in, &f), ERR_RANGE);
	in.history = HISTORY;
	in.bin_seconds = 7000;
	assert_int_equal(forecast_run(&in, &f), ERR_RANGE);
	in.bin_seconds = BIN;
	for (size_t b = 0; b < ALL; b++) /* no day ever knew its first bin */
		bins[0][b].known = b % DAY != 0;
	assert_int_equal(forecast_run(&in, &f), ERR_NOT_FOUND);
	assert_int_equal(f.days, 99);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ranges_hold_as_often_as_they_say),
	cmocka_unit_test(and_with_gaps_and_noise),
	cmocka_unit_test(and_when_days_are_alike_their_neighbours),
	cmocka_unit_test(the_same_seed_says_the_same),
	cmocka_unit_test(a_period_that_is_over_is_certain),
	cmocka_unit_test(chances_are_of_the_draws),
	cmocka_unit_test(what_goes_together_stays_together),
	cmocka_unit_test(nothing_is_drawn_beyond_the_capacity),
	cmocka_unit_test(an_outage_lends_no_shape),
	cmocka_unit_test(says_when_too_little_is_known),
};

RUN_TESTS(tests)
