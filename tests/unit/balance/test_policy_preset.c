/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/balance/months.h"

#include "common/balance/policy_preset.h"

enum { WEEK_BINS = 7 * DAY_BINS };

static struct percentile_bin bins[WEEK_BINS];
static const struct percentile_series series = { .bins = bins };

static const struct policy_preset *preset_of(const char *id)
{
	size_t n;
	const struct policy_preset *all = policy_presets(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].id, id) == 0)
			return &all[i];
	fail_msg("no preset %s", id);
	return NULL;
}

/* A week in which every bin is the same. */
static enum policy_verdict judged(const struct policy *p, uint64_t out, uint64_t in)
{
	struct percentile_scratch *scratch = percentile_scratch_new(WEEK_BINS);
	struct policy_figures f;
	struct policy_result r;
	for (size_t i = 0; i < WEEK_BINS; i++)
		bins[i] = (struct percentile_bin){ out, in, true };
	assert_int_equal(policy_measure(p, &series, 1, WEEK_BINS, 300, scratch, &f), ERR_OK);
	percentile_scratch_free(scratch);
	policy_judge(p, &f, &r);
	return r.verdict;
}

/* The limits as they were found, and nothing else. */
static void every_limit_is_the_one_that_was_found(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		uint64_t out, in; /* at the limit, of a bin; then with a byte more out */
		enum policy_verdict at, beyond,
			back; /* back: in and out exchanged, with the byte more */
	} rows[] = {
		{ "cable-wireless-2001", 4000000000, 2000000000, POLICY_WARN, POLICY_BREACH,
		  POLICY_BREACH },
		{ "uunet-2002", 3000000, 2000000, POLICY_WARN, POLICY_BREACH, POLICY_BREACH },
		{ "verizon-as701", 1800000, 1000000, POLICY_WARN, POLICY_BREACH, POLICY_BREACH },
		{ "att-as7018", 600000000000, 300000000000, POLICY_WARN, POLICY_BREACH, POLICY_OK },
		{ "telenor-as15932", 3000000, 1000000, POLICY_WARN, POLICY_BREACH, POLICY_BREACH },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy *p = &preset_of(rows[i].id)->policy;
		const uint64_t out = rows[i].out, in = rows[i].in;
		assert_int_equal(judged(p, in, in), POLICY_OK);
		assert_int_equal(judged(p, out - 1, in), POLICY_WARN);
		assert_int_equal(judged(p, out, in), rows[i].at);
		assert_int_equal(judged(p, out + 1, in), rows[i].beyond);
		assert_int_equal(judged(p, in, out + 1), rows[i].back);
	}
}

static void every_minimum_is_the_one_that_was_found(void **state)
{
	(void)state;
	static const struct {
		const char *id;
		uint64_t mbps;
		bool more; /* at the minimum is not enough */
		bool both; /* of both directions together */
	} rows[] = {
		{ "cable-wireless-2001", 45, false, false },
		{ "att-as7018", 7000, false, false },
		{ "cox-as22773", 10000, false, false },
		{ "as52025-session", 100, true, false },
		{ "as52025-private", 2000, true, false },
		{ "daisy-as5413", 100, false, false },
		{ "nforce-exchange", 500, false, true },
		{ "nforce-private", 2000, false, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy *p = &preset_of(rows[i].id)->policy;
		const uint64_t all = rows[i].mbps * 1000000 * 300 / 8; /* of a bin */
		const uint64_t in = all - all / 10, out = rows[i].both ? all / 10 : all;
		const bool kept = judged(p, out, in) != POLICY_BELOW_MINIMUM;
		assert_int_equal(kept, !rows[i].more);
		assert_int_equal(judged(p, out - 1, in), POLICY_BELOW_MINIMUM);
		assert_int_not_equal(judged(p, out + 1, in), POLICY_BELOW_MINIMUM);
		assert_int_not_equal(judged(p, in, out + 1), POLICY_BELOW_MINIMUM);
	}
}

static void windows_scopes_and_periods_are_kept(void **state)
{
	(void)state;
	assert_int_equal(preset_of("cable-wireless-2001")->policy.window, POLICY_WEEKLY);
	assert_int_equal(preset_of("cable-wireless-2001")->policy.scope, POLICY_PEER);
	assert_int_equal(preset_of("as52025-session")->policy.window, POLICY_ROLLING_30D);
	assert_int_equal(preset_of("as52025-session")->policy.scope, POLICY_METRO);
	assert_int_equal(preset_of("as52025-private")->policy.scope, POLICY_INTERCONNECT);
	assert_int_equal(preset_of("daisy-as5413")->policy.metric, POLICY_BUSY_HOUR);
	assert_int_equal(preset_of("cox-as22773")->policy.min_metric, POLICY_P95_MAX);
	assert_int_equal(preset_of("telenor-as15932")->policy.notice_days, 30);

	/* Three good months in a row qualify; two do not, and a bad one begins anew. */
	const struct policy *twc = &preset_of("time-warner-cable")->policy;
	static const enum policy_verdict months[] = { POLICY_OK, POLICY_BREACH, POLICY_OK,
		                                      POLICY_WARN, POLICY_OK };
	assert_false(policy_run(twc, months, 4).qualified);
	assert_true(policy_run(twc, months, 5).qualified);
}

static void numbers_from_memory_say_so(void **state)
{
	(void)state;
	size_t n;
	const struct policy_preset *all = policy_presets(&n);
	struct faults *faults = faults_new();
	unsigned without_numbers = 0;
	assert_int_equal(preset_of("att-as7018")->mark, POLICY_UNVERIFIED);
	assert_int_equal(preset_of("uunet-2002")->mark, POLICY_INFERRED);
	assert_int_equal(preset_of("verizon-as701")->mark, POLICY_INFERRED);
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(all[i].source) > 5 && strlen(all[i].note) > 5);
		assert_int_equal(strlen(all[i].checked_on), 10);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(all[i].id, all[j].id);
		without_numbers += policy_check(&all[i].policy, "", faults) != ERR_OK;
	}
	assert_int_equal(without_numbers, 1); /* time-warner-cable, to be filled in */
	faults_free(faults);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_limit_is_the_one_that_was_found),
	cmocka_unit_test(every_minimum_is_the_one_that_was_found),
	cmocka_unit_test(windows_scopes_and_periods_are_kept),
	cmocka_unit_test(numbers_from_memory_say_so),
};

RUN_TESTS(tests)
