/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/report/agreed.h"

#include <stdlib.h>

static struct text report(int64_t at, int64_t now, bool csv)
{
	const struct report_agreements_query q = {
		.provider = "isp-a", .at = at, .now = now, .csv = csv
	};
	struct text t = { 0 };
	assert_int_equal(report_contracts(s, &options, &q, &t), ERR_OK);
	return t;
}

/* 11 Gbit/s in 95 % of November's bins, out; in is half of it. */
static void fill_november(void)
{
	fill("a-1", "counter", NOVEMBER, 8640,
	     "CASE WHEN n % 20 = 0 THEN 450000000000 ELSE 412500000000 END", "206250000000");
}

static void a_month_costs_what_the_tariff_says(void **state)
{
	(void)state;
	fill_november();
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(NOVEMBER, NOVEMBER + 40 * DAY, false);
	expect(t.bytes, "\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-12-01T00:00:00Z\"");
	expect(t.bytes, "\"bins_expected\":8640,\"bins_closed\":8640,\"ended\":true");
	expect(t.bytes, "\"source\":\"counter\",\"estimate\":false");
	expect(t.bytes, "\"billed\":{\"percentile_bps\":11000000000,\"side\":\"out\","
	                "\"floor_bps\":11000000000,\"ceiling_bps\":11000000000,"
	                "\"rank_from_top\":433,\"bins_ranked\":8640,");
	expect(t.bytes, "\"in\":{\"percentile_bps\":5500000000,");
	expect(t.bytes, "\"cost\":{\"used_bps\":11000000000,\"excess_bps\":6000000000,"
	                "\"beyond_what_has_a_price\":false,");
	expect(t.bytes, "\"total\":\"8700.00\",\"per_mbps\":\"0.790909\"");
	text_done(&t);
}

static void a_month_that_runs_has_floor_budget_and_no_more_than_it_knows(void **state)
{
	(void)state;
	/* 500 bins of 6 Gbit/s, above the commit, and a gap of 100: 5 % of the other 8540 may be above. */
	fill("a-1", "flow", NOVEMBER, 500, "225000000000", "1");
	fill("a-1", "flow", NOVEMBER + 600 * BIN, 400, "37500000000", "1");
	fill("a-1", "counter", NOVEMBER, 900, "1", "1"); /* as many: flows come first */
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(REPORT_ABSENT, NOVEMBER + 1000 * BIN + 17, false);
	expect(t.bytes, "\"bins_closed\":1000,\"ended\":false");
	expect(t.bytes,
	       "\"quality\":{\"bins_expected\":1000,\"bins_known\":900,\"bins_missing\":100,");
	expect(t.bytes, "\"source\":\"flow\"");
	expect(t.bytes, "\"floor_bps\":6000000000,\"ceiling_bps\":10000000000");
	expect(t.bytes, "\"burst_budget\":{\"commit_bps\":5000000000,\"bins_allowed\":427,"
	                "\"bins_used\":500,\"bins_left\":0,\"overage_is_certain\":true}");
	expect(t.bytes, "\"cost_at_floor\":{\"used_bps\":6000000000,");
	text_done(&t);

	/* The commit is 6 Gbit/s now: nothing is above it. */
	agree(STORE_CONTRACT, "c-17",
	      "\"interconnects\":[\"a-1\"],\"model\":\"flat\",\"commit_mbps\":6000,"
	      "\"unit_price\":\"1\",\"currency\":\"EUR\"");
	t = report(REPORT_ABSENT, NOVEMBER + 1000 * BIN, false);
	expect(t.bytes, "\"version\":2,");
	expect(t.bytes, "\"bins_used\":0,\"bins_left\":427,\"overage_is_certain\":false}");
	text_done(&t);
}

static void a_projection_needs_days_to_draw_from(void **state)
{
	(void)state;
	fill("a-1", "flow", NOVEMBER, 288, "337500000000", "1");
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(REPORT_ABSENT, NOVEMBER + DAY, false);
	expect(t.bytes, "\"projection\":null");
	text_done(&t);
	/* Every day was as this one: it will end so. */
	fill("a-1", "flow", NOVEMBER - 28 * DAY, 28 * 288, "337500000000", "1");
	t = report(REPORT_ABSENT, NOVEMBER + DAY, false);
	expect(t.bytes, "\"projection\":{\"low_bps\":9000000000,\"billed_bps\":9000000000,"
	                "\"high_bps\":9000000000,\"range_holds\":80,"
	                "\"chance_of_overage\":1.000,");
	expect(t.bytes, "\"low_cost\":\"7200.00\",\"cost\":\"7200.00\"");
	text_done(&t);
}

static void what_is_missing_is_shown_under_all_rules(void **state)
{
	(void)state;
	/* 50 of 100 bins known: dropped, the 95th of 50; as zero, of 100; carried, the last again. */
	fill("a-1", "flow", NOVEMBER, 50, MBPS " * 1000 - n * " MBPS, "0");
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(REPORT_ABSENT, NOVEMBER + 100 * BIN, false);
	expect(t.bytes, "\"missing_rules\":{\"drop\":{\"billed_bps\":998000000,");
	expect(t.bytes, "\"zero\":{\"billed_bps\":995000000,");
	expect(t.bytes, "\"carry\":{\"billed_bps\":995000000,");
	text_done(&t);
}

static void estimates_never_make_money(void **state)
{
	(void)state;
	fill("a-1", "announce", NOVEMBER, 100, MBPS, "0");
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(REPORT_ABSENT, NOVEMBER + 100 * BIN, false);
	expect(t.bytes, "\"source\":\"announce\",\"estimate\":true");
	expect(t.bytes, "\"percentile_bps\":1000000,");
	expect(t.bytes, "\"cost\":null");
	text_done(&t);
	/* A contract that names its source has no other. */
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"],\"source\":\"counter\"," TARIFF);
	t = report(REPORT_ABSENT, NOVEMBER + 100 * BIN, false);
	expect(t.bytes, "\"source\":\"counter\",\"estimate\":false");
	expect(t.bytes, "\"bins_known\":0,\"bins_missing\":100,");
	expect(t.bytes, "\"cost\":null");
	text_done(&t);
	t = report(REPORT_ABSENT, NOVEMBER, false); /* nothing is over yet */
	expect(t.bytes, "\"bins_closed\":0,");
	text_done(&t);
}

static void the_fuller_source_is_billed(void **state)
{
	(void)state;
	fill_november();
	fill("a-1", "flow", NOVEMBER + 8639 * BIN, 1, MBPS, "1"); /* a new exporter's first bin */
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(NOVEMBER, NOVEMBER + 40 * DAY, false);
	expect(t.bytes, "\"source\":\"counter\"");
	expect(t.bytes, "\"billed\":{\"percentile_bps\":11000000000,");
	text_done(&t);
	/* The one that the contract names is taken whatever the other knows. */
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"],\"source\":\"flow\"," TARIFF);
	t = report(NOVEMBER, NOVEMBER + 40 * DAY, false);
	expect(t.bytes, "\"bins_known\":1,\"bins_missing\":8639,");
	text_done(&t);
}

static void a_bin_beyond_counting_spoils_one_contract(void **state)
{
	(void)state;
	fill_november();
	fill("a-2", "counter", NOVEMBER, 1, "18446744073709551615", "1");
	agree(STORE_CONTRACT, "bad", "\"interconnects\":[\"a-2\"]," TARIFF);
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(NOVEMBER, NOVEMBER + 40 * DAY, false);
	expect(t.bytes,
	       "\"contract\":\"bad\",\"version\":1,\"where\":\"bins\",\"error\":\"a bin holds");
	expect(t.bytes, "\"billed\":{\"percentile_bps\":11000000000,");
	text_done(&t);
}

static void clocks_that_change_make_shorter_and_longer_months(void **state)
{
	(void)state;
	agree(STORE_CONTRACT, "c-17",
	      "\"interconnects\":[\"a-1\"],\"tz\":\"Europe/Berlin\"," TARIFF);
	static const struct {
		const char *at, *from, *bins;
	} rows[] = {
		{ "2026-03-15T00:00:00Z", "2026-02-28T23:00:00Z", "\"bins_expected\":8916," },
		{ "2026-10-15T00:00:00Z", "2026-09-30T22:00:00Z", "\"bins_expected\":8940," },
		{ "2026-02-15T00:00:00Z", "2026-01-31T23:00:00Z", "\"bins_expected\":8064," },
		{ "2026-11-15T00:00:00Z", "2026-10-31T23:00:00Z", "\"bins_expected\":8640," },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at;
		assert_true(text_time(rows[i].at, &at));
		struct text t = report(at, NOVEMBER + 40 * DAY, false);
		expect(t.bytes, rows[i].from);
		expect(t.bytes, rows[i].bins);
		text_done(&t);
	}
}

static void csv_has_the_figures_of_json(void **state)
{
	(void)state;
	fill_november();
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	struct text t = report(NOVEMBER, NOVEMBER + 40 * DAY, true);
	assert_int_equal(strncmp(t.bytes, "provider,contract,figure,value,unit\r\n", 37), 0);
	expect(t.bytes, "\r\nisp-a,c-17,billed.percentile_bps,11000000000,bit/s\r\n");
	expect(t.bytes, "\r\nisp-a,c-17,cost.total,8700.00,USD\r\n");
	expect(t.bytes, "\r\nisp-a,c-17,cost.lines.1.amount,");
	text_done(&t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(a_month_costs_what_the_tariff_says, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(
		a_month_that_runs_has_floor_budget_and_no_more_than_it_knows, open_store,
		close_store),
	cmocka_unit_test_setup_teardown(a_projection_needs_days_to_draw_from, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(what_is_missing_is_shown_under_all_rules, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(estimates_never_make_money, open_store, close_store),
	cmocka_unit_test_setup_teardown(the_fuller_source_is_billed, open_store, close_store),
	cmocka_unit_test_setup_teardown(a_bin_beyond_counting_spoils_one_contract, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(clocks_that_change_make_shorter_and_longer_months,
	                                open_store, close_store),
	cmocka_unit_test_setup_teardown(csv_has_the_figures_of_json, open_store, close_store),
};

RUN_TESTS(tests)
