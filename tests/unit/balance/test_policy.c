/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/balance/months.h"

#include "common/balance/names.h"
#include "common/balance/policy.h"

static struct percentile_bin bins[2][MONTH_MAX];
static struct percentile_series series[] = { { .bins = bins[0] }, { .bins = bins[1] } };
static struct percentile_scratch *scratch;

static int set_up(void **state)
{
	(void)state;
	scratch = percentile_scratch_new(MONTH_MAX);
	memset(bins, 0, sizeof(bins));
	return scratch == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	percentile_scratch_free(scratch);
	return 0;
}

static const struct policy two_to_one = {
	.ratio = { .orientation = RATIO_EITHER, .limit_milli = 2000, .warn_milli = 850 },
};

static struct policy_figures figures_of(const struct policy *p, size_t n_series, size_t n)
{
	struct policy_figures f;
	assert_int_equal(policy_measure(p, series, n_series, n, 300, scratch, &f), ERR_OK);
	return f;
}

static struct policy_result result_of(const struct policy *p, size_t n_series, size_t n)
{
	const struct policy_figures f = figures_of(p, n_series, n);
	struct policy_result r;
	policy_judge(p, &f, &r);
	return r;
}

static struct percentile_bin bin(uint64_t out, uint64_t in)
{
	return (struct percentile_bin){ out, in, true };
}

/* Out is high in a tenth of the bins and low in the others, in always in the middle. */
static void the_definition_can_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < 1000; i++)
		bins[0][i] = i % 10 == 0 ? bin(3000, 1000) : bin(1500, 1000);
	struct policy p = two_to_one;
	struct policy_result r = result_of(&p, 1, 1000);
	assert_int_equal(r.verdict, POLICY_OK); /* 1.65 */
	assert_true(r.ratio.out_bytes == 1650000 && r.ratio.in_bytes == 1000000);
	assert_int_equal(r.ratio.seconds, 300000);
	p.metric = POLICY_P95;
	r = result_of(&p, 1, 1000);
	assert_int_equal(r.verdict, POLICY_BREACH); /* 3 */
	assert_true(r.ratio.out_bytes == 3000 && r.ratio.in_bytes == 1000);
}

static void bins_are_summed_before_they_are_ranked(void **state)
{
	(void)state;
	for (size_t i = 0; i < 10; i++) {
		bins[0][i] = i % 2 == 0 ? bin(100, 50) : bin(0, 50);
		bins[1][i] = i % 2 == 1 ? bin(100, 50) : bin(0, 50);
	}
	struct policy p = two_to_one;
	p.metric = POLICY_P95;
	const struct policy_result r = result_of(&p, 2, 10);
	assert_true(r.ratio.out_bytes == 100 && r.ratio.in_bytes == 100);
}

/* 23:30 to 00:30: across the end of a day; with a spike elsewhere that one day's peak would follow. */
static void the_busy_hour_is_the_same_of_every_day(void **state)
{
	(void)state;
	for (size_t i = 0; i < 7 * DAY_BINS; i++) {
		const size_t slot = i % DAY_BINS;
		bins[0][i] = slot < 6 || slot >= DAY_BINS - 6 ? bin(200, 100) : bin(100, 90);
	}
	bins[0][3 * DAY_BINS + 100] = bin(2500, 2500);
	bins[0][5].known = false;
	struct policy p = two_to_one;
	p.metric = POLICY_BUSY_HOUR;
	const struct policy_figures f = figures_of(&p, 1, 7 * DAY_BINS);
	assert_int_equal(f.busy_bin, DAY_BINS - 6);
	const struct policy_amount *a = &f.amounts[POLICY_BUSY_HOUR];
	assert_true(a->out_bytes == (7 * 12 - 1) * 200 && a->in_bytes == (7 * 12 - 1) * 100);
	assert_int_equal(a->seconds, (7 * 12 - 1) * 300);
	assert_int_equal(f.amounts[POLICY_P95].seconds, 0); /* nobody asked */

	struct policy_figures odd = { .known = 5 };
	assert_int_equal(policy_measure(&p, series, 1, 10, 7200, scratch, &odd), ERR_RANGE);
	assert_int_equal(odd.known, 5);
}

static void without_data_there_is_no_verdict(void **state)
{
	(void)state;
	struct policy p = two_to_one;
	for (enum policy_metric m = 0; m < POLICY_METRICS; m++) {
		p.metric = m;
		const struct policy_result r = result_of(&p, 2, 500);
		assert_int_equal(r.verdict, POLICY_NO_DATA);
		assert_int_equal(r.volume_bps, 0);
	}
	p.min_bps = 1;
	assert_int_equal(result_of(&p, 2, 500).verdict, POLICY_NO_DATA);
	/* Zeros were measured: too little, and nothing that is out of balance. */
	bins[0][7].known = true;
	assert_int_equal(result_of(&p, 2, 500).verdict, POLICY_BELOW_MINIMUM);
	p.min_bps = 0;
	assert_int_equal(result_of(&p, 2, 500).verdict, POLICY_OK);
	bins[0][7] = bin(1, 0); /* infinite */
	p.metric = POLICY_VOLUME_AVG;
	assert_int_equal(result_of(&p, 2, 500).verdict, POLICY_BREACH);
}

static void a_breach_below_the_minimum_is_not_hidden(void **state)
{
	(void)state;
	struct policy p = two_to_one;
	bins[0][0] = bin(375000000, 1); /* 10 Mbit/s in its five minutes */
	p.min_bps = 10000000;
	p.min_metric = POLICY_VOLUME_AVG_MAX;
	assert_int_equal(result_of(&p, 1, 10).verdict, POLICY_BREACH);
	p.min_more = true;
	struct policy_result r = result_of(&p, 1, 10);
	assert_int_equal(r.verdict, POLICY_BELOW_MINIMUM);
	assert_int_equal(r.ratio_verdict, RATIO_BREACH);
	assert_int_equal(r.volume_bps, 10000000);
	assert_false(r.enough);
	p.min_metric = POLICY_VOLUME_AVG_SUM; /* the one byte back counts */
	assert_int_equal(result_of(&p, 1, 10).verdict, POLICY_BREACH);
}

/* To the byte: with the margin added the policy holds, with one more it does not. */
static void margins_are_exact(void **state)
{
	(void)state;
	uint64_t seed = 21;
	static const uint64_t limits[] = { 1000, 1500, 1800, 2000, 3000, 10000, 2345 };
	unsigned judged = 0;
	for (unsigned round = 0; round < 5000; round++) {
		struct policy p = two_to_one;
		p.ratio.limit_milli = limits[random_below(&seed, 7)];
		p.ratio.orientation = random_below(&seed, RATIO_ORIENTATIONS);
		p.metric = random_below(&seed, POLICY_METRICS);
		const ratio_wide scale =
			random_below(&seed, 2) == 0 ? 1 : 1000000007ULL * 4294967311ULL;
		struct policy_figures f = { .known = 1 };
		struct policy_amount *a = &f.amounts[p.metric];
		a->out_bytes = random_below(&seed, 5000) * scale;
		a->in_bytes = random_below(&seed, 5000) * scale + random_below(&seed, 3);
		struct policy_result now, then;
		policy_judge(&p, &f, &now);
		if (now.verdict == POLICY_BREACH || a->out_bytes + a->in_bytes == 0)
			continue;
		judged++;
		assert_int_equal(now.margin.out_limited, p.ratio.orientation != RATIO_IN_OUT);
		assert_int_equal(now.margin.in_limited, p.ratio.orientation != RATIO_OUT_IN);
		for (unsigned in = 0; in < 2; in++) {
			ratio_wide *side = in ? &a->in_bytes : &a->out_bytes;
			const ratio_wide before = *side;
			const bool limited = in ? now.margin.in_limited : now.margin.out_limited;
			*side += in ? now.margin.in : now.margin.out;
			*side += limited ? 0 : (ratio_wide)1 << 90;
			policy_judge(&p, &f, &then);
			assert_int_not_equal(then.verdict, POLICY_BREACH);
			*side += 1;
			policy_judge(&p, &f, &then);
			assert_int_equal(then.verdict == POLICY_BREACH, limited);
			*side = before;
		}
	}
	assert_true(judged > 1000);
}

static void warns_from_its_level_on(void **state)
{
	(void)state;
	struct policy p = two_to_one;
	struct policy_figures f = { .known = 1 };
	static const struct {
		uint64_t out, in;
		unsigned warn_milli;
		enum policy_verdict verdict;
	} rows[] = {
		{ 1699, 1000, 850, POLICY_OK },     { 1700, 1000, 850, POLICY_WARN },
		{ 1000, 1700, 850, POLICY_WARN },   { 2000, 1000, 850, POLICY_WARN },
		{ 2001, 1000, 850, POLICY_BREACH }, { 2000, 1000, 0, POLICY_OK },
		{ 2001, 1000, 0, POLICY_BREACH },   { 1999, 1000, 1000, POLICY_OK },
		{ 2000, 1000, 1000, POLICY_WARN },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p.ratio.warn_milli = rows[i].warn_milli;
		f.amounts[POLICY_VOLUME_AVG] =
			(struct policy_amount){ rows[i].out, rows[i].in, 300 };
		struct policy_result r;
		policy_judge(&p, &f, &r);
		assert_int_equal(r.verdict, rows[i].verdict);
	}
}

#define N POLICY_NO_DATA
#define L POLICY_BELOW_MINIMUM
#define O POLICY_OK
#define W POLICY_WARN
#define B POLICY_BREACH
#define U POLICY_UNKNOWN

static void a_clause_is_broken_after_its_periods(void **state)
{
	(void)state;
	static const struct {
		unsigned needed, qualify;
		size_t n;
		enum policy_verdict periods[6];
		struct policy_run run;
	} rows[] = {
		{ 0, 0, 0, { 0 }, { N, 0, 0, 0, false } },
		{ 0, 0, 2, { N, N }, { N, 0, 0, 0, false } },
		{ 0, 0, 1, { B }, { B, 1, 0, 0, false } },
		{ 3, 0, 1, { B }, { W, 1, 0, 0, false } },
		{ 3, 0, 3, { O, B, B }, { W, 2, 0, 0, false } },
		{ 3, 0, 4, { O, B, B, B }, { B, 3, 0, 0, false } },
		{ 3, 0, 5, { B, B, B, B, O }, { O, 0, 1, 0, true } },
		{ 3, 0, 5, { B, B, O, B, B }, { W, 2, 0, 0, false } },
		{ 3, 0, 5, { B, N, B, N, B }, { B, 3, 0, 2, false } },
		{ 3, 0, 5, { B, U, B, N, B }, { B, 3, 0, 2, false } },
		{ 1, 0, 2, { O, U }, { O, 0, 1, 1, true } },
		{ 3, 0, 5, { B, B, B, N, N }, { B, 3, 0, 2, false } },
		{ 3, 0, 5, { O, N, B, B, B }, { B, 3, 0, 0, false } },
		{ 2, 0, 3, { O, B, L }, { L, 2, 0, 0, false } },
		{ 2, 0, 2, { O, L }, { W, 1, 0, 0, false } },
		{ 1, 3, 3, { O, W, O }, { O, 0, 3, 0, true } },
		{ 1, 3, 4, { O, L, W, O }, { O, 0, 2, 0, false } },
		{ 1, 3, 6, { B, O, N, O, W, N }, { W, 0, 3, 2, true } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy p = { .consecutive_periods = rows[i].needed,
			                  .qualify_periods = rows[i].qualify };
		const struct policy_run run = policy_run(&p, rows[i].periods, rows[i].n);
		assert_int_equal(run.clause, rows[i].run.clause);
		assert_int_equal(run.broken, rows[i].run.broken);
		assert_int_equal(run.kept, rows[i].run.kept);
		assert_int_equal(run.passed_over, rows[i].run.passed_over);
		assert_int_equal(run.qualified, rows[i].run.qualified);
	}
}

static void every_fault_of_a_policy_is_told(void **state)
{
	(void)state;
	struct faults *faults = faults_new();
	assert_int_equal(policy_check(&two_to_one, "", faults), ERR_OK);
	struct policy p = two_to_one;
	p.ratio.limit_milli = 999;
	p.ratio.warn_milli = 1001;
	assert_int_equal(policy_check(&p, "/policy", faults), ERR_RANGE);
	assert_int_equal(faults->count, 2);
	assert_string_equal(faults->list[0].where, "/policy/ratio/limit");
	assert_string_equal(faults->list[1].where, "/policy/warn_at");
	p = (struct policy){ .ratio = { .orientation = RATIO_OUT_IN, .limit_milli = 500 } };
	assert_int_equal(policy_check(&p, "", faults), ERR_OK);
	p.ratio.limit_milli = 0;
	assert_int_equal(policy_check(&p, "", faults), ERR_RANGE);
	p.min_bps = 1;
	assert_int_equal(policy_check(&p, "", faults), ERR_OK);
	faults_free(faults);
}

static void bit_miles_are_refused_with_the_reason(void **state)
{
	(void)state;
	assert_int_equal(name_find(policy_metric_names, "bit_mile"), -1);
	assert_non_null(strstr(policy_metric_refusal("bit_mile"), "EP 2862098 B1"));
	assert_null(policy_metric_refusal("volume_avg"));
	assert_int_equal(name_find(policy_metric_names, "p95_per_direction"), POLICY_P95);
	assert_int_equal(name_find(policy_window_names, "rolling_30d"), POLICY_ROLLING_30D);
	assert_int_equal(name_find(policy_scope_names, "peer_aggregate"), POLICY_PEER);
	assert_int_equal(name_find(policy_volume_names, "p95_max"), POLICY_P95_MAX);
	assert_int_equal(name_find(ratio_orientation_names, "in:out"), RATIO_IN_OUT);
	assert_int_equal(name_find(policy_verdict_names, "below-minimum"), POLICY_BELOW_MINIMUM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(the_definition_can_decide),
	TEST(bins_are_summed_before_they_are_ranked),
	TEST(the_busy_hour_is_the_same_of_every_day),
	TEST(without_data_there_is_no_verdict),
	TEST(a_breach_below_the_minimum_is_not_hidden),
	TEST(margins_are_exact),
	TEST(warns_from_its_level_on),
	TEST(a_clause_is_broken_after_its_periods),
	TEST(every_fault_of_a_policy_is_told),
	TEST(bit_miles_are_refused_with_the_reason),
};

RUN_TESTS(tests)
