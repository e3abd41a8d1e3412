/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/report/agreed.h"

#include "server/report/policies.h"

static struct text report(int64_t at, int64_t now, bool csv)
{
	const struct report_agreements_query q = {
		.provider = "isp-a", .at = at, .now = now, .csv = csv
	};
	struct text t = { 0 };
	assert_int_equal(report_policies(s, &options, &q, &t), ERR_OK);
	return t;
}

static void a_verdict_has_a_margin_both_ways(void **state)
{
	(void)state;
	/* 173 GB out, 100 GB in over two interconnects: 1.73:1 of 2:1. */
	fill("a-1", "flow", NOVEMBER, 100, "1000000000", "600000000");
	fill("a-2", "flow", NOVEMBER, 100, "730000000", "400000000");
	agree(STORE_POLICY, "p-1", "\"peer_asn\":64501,\"ratio\":{\"limit\":2}");
	struct text t = report(REPORT_ABSENT, NOVEMBER + 100 * BIN, false);
	expect(t.bytes, "\"subject\":\"AS64501\",\"interconnects\":[\"a-1\",\"a-2\"]");
	expect(t.bytes, "\"verdict\":\"warn\",\"ratio\":1.730,\"out_bytes\":173000000000,"
	                "\"in_bytes\":100000000000,"
	                "\"margin\":{\"of\":\"period\",\"out_bytes\":27000000000,"
	                "\"in_bytes\":246000000000}");
	expect(t.bytes, "\"summary\":\"out:in 1.730:1 of 2.000:1; 27.0 GB more out until "
	                "2026-12-01T00:00:00Z\"");
	expect(t.bytes, "\"min_volume\":null");
	text_done(&t);
}

/* 0.300:1 of 2.000:1 would look as if all were well. */
static void a_summary_tells_the_ratio_as_its_limit_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *orientation, *summary;
	} rows[] = {
		{ "either", "in:out 3.333:1 of 2.000:1; 0 B more in until 2026-12-01T00:00:00Z" },
		{ "in:out", "in:out 3.333:1 of 2.000:1; 0 B more in until 2026-12-01T00:00:00Z" },
		{ "out:in",
		  "out:in 0.300:1 of 2.000:1; 170 GB more out until 2026-12-01T00:00:00Z" },
	};
	fill("a-1", "flow", NOVEMBER, 100, "300000000", "1000000000");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char members[256];
		(void)snprintf(members, sizeof(members),
		               "\"peer_asn\":64501,\"ratio\":{\"limit\":2,\"orientation\":\"%s\"}",
		               rows[i].orientation);
		agree(STORE_POLICY, "p-1", members);
		struct text t = report(REPORT_ABSENT, NOVEMBER + 100 * BIN, false);
		expect(t.bytes, rows[i].summary);
		expect(t.bytes, "\"ratio\":0.300,");
		text_done(&t);
	}
}

/* Nothing more can come in a period that is over, nor in a rolling one, which ends now. */
static void what_has_ended_has_no_until(void **state)
{
	(void)state;
	fill("a-1", "flow", NOVEMBER, 30 * 288, "300", "200");
	agree(STORE_POLICY, "p-1",
	      "\"interconnects\":[\"a-1\"],\"ratio\":{\"limit\":2,\"window\":\"rolling_7d\"}");
	struct text t = report(REPORT_ABSENT, NOVEMBER + 10 * DAY, false);
	expect(t.bytes, "out:in 1.500:1 of 2.000:1; 202 kB more out would have been within\"");
	text_done(&t);
	agree(STORE_POLICY, "p-1", "\"interconnects\":[\"a-1\"],\"ratio\":{\"limit\":1.2}");
	t = report(NOVEMBER, NOVEMBER + 40 * DAY, false);
	expect(t.bytes, "out:in 1.500:1 of 1.200:1\"");
	text_done(&t);
}

static void a_scope_says_what_is_added_up(void **state)
{
	(void)state;
	fill("a-1", "flow", NOVEMBER, 10, "300", "100");
	fill("a-2", "flow", NOVEMBER, 10, "100", "100");
	agree(STORE_POLICY, "each",
	      "\"interconnects\":[\"a-1\",\"a-2\"],\"ratio\":{\"limit\":2,\"scope\":\"interconnect\"}");
	agree(STORE_POLICY, "metros",
	      "\"peer_asn\":64501,\"ratio\":{\"limit\":2,\"scope\":\"metro\"}");
	agree(STORE_POLICY, "sum", "\"peer_asn\":64501,\"ratio\":{\"limit\":2}");
	struct text t = report(REPORT_ABSENT, NOVEMBER + 10 * BIN, true);
	expect(t.bytes, "\r\nisp-a,each,a-1,verdict,breach,\r\n");
	expect(t.bytes, "\r\nisp-a,each,a-2,verdict,ok,\r\n");
	expect(t.bytes, "\r\nisp-a,metros,fra,verdict,breach,\r\n");
	expect(t.bytes, "\r\nisp-a,metros,ams,verdict,ok,\r\n");
	expect(t.bytes, "\r\nisp-a,sum,AS64501,verdict,warn,\r\n"); /* exactly 2:1 */
	expect(t.bytes, "\r\nisp-a,sum,AS64501,ratio,2.000,out:in\r\n");
	text_done(&t);
}

static void a_clause_is_broken_by_periods_in_a_row(void **state)
{
	(void)state;
	static const struct {
		const char *after, *verdict, *broken, *notice;
	} rows[] = {
		{ "2", "breach", "2", "\"notice_ends\":\"2026-12-01T00:00:00Z\"" },
		{ "3", "warn", "2", "\"notice_ends\":null" },
	};
	/* One of two interconnects: half of what there is to know. */
	fill("a-1", "counter", NOVEMBER - 31 * DAY, 31 * 288, "300", "100"); /* October */
	fill("a-1", "counter", NOVEMBER - 61 * DAY, 30 * 288, "300", "100"); /* September */
	fill("a-1", "counter", NOVEMBER - 92 * DAY, 31 * 288, "100", "100"); /* August */
	fill("a-1", "counter", NOVEMBER, 100, "100", "100");
	for (size_t i = 0; i < 2; i++) {
		char members[256];
		(void)snprintf(members, sizeof(members),
		               "\"peer_asn\":64501,\"ratio\":{\"limit\":2},"
		               "\"breach_after_periods\":%s,\"notice_days\":30",
		               rows[i].after);
		agree(STORE_POLICY, "p-1", members);
		struct text t = report(REPORT_ABSENT, NOVEMBER + DAY, false);
		expect(t.bytes, "\"verdict\":\"ok\",\"ratio\":1.000"); /* of this month */
		(void)snprintf(members, sizeof(members),
		               "\"clause\":{\"verdict\":\"%s\",\"periods_broken\":%s,",
		               rows[i].verdict, rows[i].broken);
		expect(t.bytes, members);
		expect(t.bytes, rows[i].notice);
		text_done(&t);
	}
}

/* Breach, nothing, breach: two in a row, of three months. */
static void months_without_data_end_no_run(void **state)
{
	(void)state;
	fill("a-1", "counter", NOVEMBER - 31 * DAY, 31 * 288, "300", "100"); /* October */
	fill("a-1", "counter", NOVEMBER - 92 * DAY, 31 * 288, "300", "100"); /* August */
	agree(STORE_POLICY, "p-1",
	      "\"interconnects\":[\"a-1\"],\"ratio\":{\"limit\":2},\"breach_after_periods\":2");
	struct text t = report(REPORT_ABSENT, NOVEMBER + DAY, false);
	expect(t.bytes, "\"clause\":{\"verdict\":\"breach\",\"periods_broken\":2,"
	                "\"periods_kept\":0,\"periods_without_data\":1,");
	text_done(&t);
}

/* A month of which a few hours are known breaks nothing. */
static void a_period_of_which_little_is_known_is_unknown(void **state)
{
	(void)state;
	fill("a-1", "counter", NOVEMBER - 20 * DAY, 1000, "300", "100");
	agree(STORE_POLICY, "p-1",
	      "\"interconnects\":[\"a-1\"],\"ratio\":{\"limit\":2},\"breach_after_periods\":1");
	struct text t = report(REPORT_ABSENT, NOVEMBER + DAY, false);
	expect(t.bytes, "\"clause\":{\"verdict\":\"no-data\",\"periods_broken\":0,");
	text_done(&t);
	t = report(NOVEMBER - 5 * DAY, NOVEMBER + DAY, false);
	expect(t.bytes, "\"known_percent\":11}");
	expect(t.bytes, "\"verdict\":\"unknown\",\"ratio\":3.000");
	expect(t.bytes, "\"summary\":\"unknown: 11 % of its bins are known, 50 % are needed; "
	                "out:in 3.000:1 of 2.000:1\"");
	text_done(&t);
	/* While it runs it is judged by what there is. */
	t = report(REPORT_ABSENT, NOVEMBER - 5 * DAY, false);
	expect(t.bytes, "\"verdict\":\"breach\"");
	text_done(&t);
}

/* Half of a sum would look like a sum. */
static void too_many_interconnects_are_refused_and_not_cut(void **state)
{
	(void)state;
	char done[16];
	db_ask("WITH many AS (INSERT INTO interconnects (provider, id, relation, neighbor_asn, "
	       " in_force) SELECT 'isp-a', 'm-' || n, 'settlement-free', 64999, true "
	       "FROM generate_series(1, 65) n RETURNING 1) SELECT count(*) FROM many",
	       done, sizeof(done));
	agree(STORE_POLICY, "p-1", "\"peer_asn\":64999,\"ratio\":{\"limit\":2}");
	struct text t = report(REPORT_ABSENT, NOVEMBER + DAY, false);
	expect(t.bytes,
	       "\"error\":\"AS64999 is 65 interconnects together, of which at most 64 are");
	text_done(&t);
	db_ask("WITH one AS (DELETE FROM interconnects WHERE id = 'm-65' RETURNING 1) "
	       "SELECT count(*) FROM one",
	       done, sizeof(done));
	t = report(REPORT_ABSENT, NOVEMBER + DAY, false);
	expect(t.bytes, "\"verdict\":\"no-data\"");
	text_done(&t);
}

/* A rolling one ends with the newest whole bin and is as long as it says, in the middle of a bin, too. */
static void windows_have_their_own_beginning(void **state)
{
	(void)state;
	static const struct {
		const char *window, *from, *to;
	} rows[] = {
		{ "calendar_month", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z" },
		{ "calendar_quarter", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z" },
		{ "weekly", "2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z" },
		{ "rolling_30d", "2026-10-15T12:00:00Z", "2026-11-14T12:00:00Z" },
		{ "rolling_7d", "2026-11-07T12:00:00Z", "2026-11-14T12:00:00Z" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char members[256];
		(void)snprintf(members, sizeof(members),
		               "\"peer_asn\":64501,\"ratio\":{\"limit\":2,\"window\":\"%s\"}",
		               rows[i].window);
		agree(STORE_POLICY, "p-1", members);
		struct text t =
			report(REPORT_ABSENT, NOVEMBER + 13 * DAY + DAY / 2 + BIN - 1, false);
		(void)snprintf(members, sizeof(members),
		               "\"period\":{\"from\":\"%s\",\"to\":\"%s\"", rows[i].from,
		               rows[i].to);
		expect(t.bytes, members);
		expect(t.bytes, "\"verdict\":\"no-data\"");
		expect(t.bytes,
		       "\"margin\":{\"of\":\"period\",\"out_bytes\":null,\"in_bytes\":null}");
		expect(t.bytes, "\"summary\":\"nothing was measured\"");
		text_done(&t);
	}
}

static void a_minimum_is_a_verdict_of_its_own(void **state)
{
	(void)state;
	fill("a-1", "flow", NOVEMBER, 100, MBPS " * 900", "0");
	agree(STORE_POLICY, "p-1",
	      "\"peer_asn\":64501,\"min_volume\":{\"mbps\":1000,\"metric\":\"p95_max\"}");
	struct text t = report(REPORT_ABSENT, NOVEMBER + 100 * BIN, false);
	expect(t.bytes, "\"verdict\":\"below-minimum\",\"ratio\":null");
	expect(t.bytes, "\"measured_bps\":900000000,\"enough\":false");
	expect(t.bytes, "900 Mbit/s of the 1000 that it asks for");
	text_done(&t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(a_verdict_has_a_margin_both_ways, open_store, close_store),
	cmocka_unit_test_setup_teardown(a_summary_tells_the_ratio_as_its_limit_is_read, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(what_has_ended_has_no_until, open_store, close_store),
	cmocka_unit_test_setup_teardown(months_without_data_end_no_run, open_store, close_store),
	cmocka_unit_test_setup_teardown(a_scope_says_what_is_added_up, open_store, close_store),
	cmocka_unit_test_setup_teardown(a_clause_is_broken_by_periods_in_a_row, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(a_period_of_which_little_is_known_is_unknown, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(too_many_interconnects_are_refused_and_not_cut, open_store,
	                                close_store),
	cmocka_unit_test_setup_teardown(windows_have_their_own_beginning, open_store, close_store),
	cmocka_unit_test_setup_teardown(a_minimum_is_a_verdict_of_its_own, open_store, close_store),
};

RUN_TESTS(tests)
