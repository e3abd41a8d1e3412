/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/report/agreed.h"

#include "server/alarms/agreed.h"

static struct sights seen;

static void look(int64_t at)
{
	const struct look_options o = { .store = s, .bin_seconds = BIN };
	sights_done(&seen);
	assert_int_equal(look_at_contracts(&o, at, &seen), ERR_OK);
}

static void assert_saw(size_t i, enum rule_id rule, double value)
{
	assert_true(i < seen.n);
	assert_int_equal(seen.list[i].rule, rule);
	assert_string_equal(seen.list[i].provider, "isp-a");
	assert_string_equal(seen.list[i].subject, "c-17");
	if (seen.list[i].value < value - 1e-6 || seen.list[i].value > value + 1e-6)
		fail_msg("%.9g, not %.9g", seen.list[i].value, value);
}

static void the_running_month_has_a_floor_and_a_budget(void **state)
{
	(void)state;
	/* Of 432 bins that may be above 5 Gbit/s 216 are, then 500; the 433rd largest is the floor. */
	fill("a-1", "flow", NOVEMBER, 216, "225000000000", "1");
	fill("a-1", "flow", NOVEMBER + 216 * BIN, 284, "37500000000", "1");
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	look(NOVEMBER + 500 * BIN);
	assert_int_equal(seen.n, 2);
	assert_saw(0, RULE_FLOOR, 20); /* 1 of 5 Gbit/s */
	assert_saw(1, RULE_BURST, 50);
	fill("a-1", "flow", NOVEMBER + 500 * BIN, 284, "225000000000", "1");
	look(NOVEMBER + 784 * BIN);
	assert_saw(0, RULE_FLOOR, 120); /* 6 of 5 Gbit/s */
	assert_saw(1, RULE_BURST, 50000.0 / 432);
}

static void estimates_make_no_money(void **state)
{
	(void)state;
	fill("a-1", "announce", NOVEMBER, 500, "225000000000", "1");
	agree(STORE_CONTRACT, "c-17", "\"interconnects\":[\"a-1\"]," TARIFF);
	look(NOVEMBER + 500 * BIN);
	assert_int_equal(seen.n, 0);
}

static void look_policies(int64_t at)
{
	const struct look_options o = { .store = s, .bin_seconds = BIN };
	sights_done(&seen);
	assert_int_equal(look_at_policies(&o, at, &seen), ERR_OK);
}

static void assert_saw_one(enum rule_id rule, const char *subject, double value)
{
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.list[0].rule, rule);
	assert_string_equal(seen.list[0].provider, "isp-a");
	assert_string_equal(seen.list[0].subject, subject);
	if (seen.list[0].value < value - 1e-6 || seen.list[0].value > value + 1e-6)
		fail_msg("%.9g, not %.9g", seen.list[0].value, value);
}

static void a_clause_is_broken_by_ended_periods_in_a_row(void **state)
{
	(void)state;
	static const struct {
		const char *after;
		double value;
	} rows[] = { { "2", 100 }, { "4", 50 } };
	/* All bins of one of two interconnects, which is enough of a period. */
	fill("a-1", "counter", NOVEMBER - 31 * DAY, 31 * 288, "300", "100"); /* October */
	fill("a-1", "counter", NOVEMBER - 61 * DAY, 30 * 288, "300", "100"); /* September */
	fill("a-1", "counter", NOVEMBER - 92 * DAY, 31 * 288, "100", "100"); /* August */
	fill("a-1", "counter", NOVEMBER, 100, "300", "100");                 /* has not ended */
	for (size_t i = 0; i < 2; i++) {
		char members[160];
		(void)snprintf(members, sizeof(members),
		               "\"peer_asn\":64501,\"ratio\":{\"limit\":2},"
		               "\"breach_after_periods\":%s",
		               rows[i].after);
		agree(STORE_POLICY, "p-1", members);
		look_policies(NOVEMBER + DAY);
		assert_saw_one(RULE_POLICY_PERIODS, "p-1 AS64501", rows[i].value);
	}
	look_policies(NOVEMBER - 49 * DAY); /* only August has ended: it kept the policy */
	assert_saw_one(RULE_POLICY_PERIODS, "p-1 AS64501", 0);
	look_policies(NOVEMBER - 79 * DAY); /* nothing that was measured has ended */
	assert_int_equal(seen.n, 0);
}

static void a_volume_is_so_far_below_the_minimum(void **state)
{
	(void)state;
	fill("a-1", "flow", NOVEMBER, 100, MBPS " * 900", "0");
	agree(STORE_POLICY, "p-1",
	      "\"peer_asn\":64501,\"min_volume\":{\"mbps\":1000,\"metric\":\"p95_max\"}");
	look_policies(NOVEMBER + 100 * BIN);
	assert_saw_one(RULE_POLICY_VOLUME, "p-1 AS64501", 10);
	expect(seen.list[0].text,
	       "900000000 bit/s in the period so far; the policy asks for at least 1000000000");
	agree(STORE_POLICY, "p-1",
	      "\"peer_asn\":64501,\"min_volume\":{\"mbps\":900,\"metric\":\"p95_max\"}");
	look_policies(NOVEMBER + 100 * BIN);
	assert_saw_one(RULE_POLICY_VOLUME, "p-1 AS64501", 0);
	agree(STORE_POLICY, "p-1",
	      "\"peer_asn\":64501,\"min_volume\":{\"mbps\":450,\"metric\":\"p95_max\"}");
	look_policies(NOVEMBER + 100 * BIN);
	assert_saw_one(RULE_POLICY_VOLUME, "p-1 AS64501", 0);
	agree(STORE_POLICY, "p-1",
	      "\"peer_asn\":64501,\"min_volume\":{\"mbps\":900,\"metric\":\"p95_max\","
	      "\"more_than\":\"yes\"}");
	look_policies(NOVEMBER + 100 * BIN);
	assert_saw_one(RULE_POLICY_VOLUME, "p-1 AS64501", 0.001);
	look_policies(NOVEMBER); /* nothing is known of the month before */
	assert_int_equal(seen.n, 0);
}

static int close_look(void **state)
{
	sights_done(&seen);
	return close_store(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_look)

static const struct CMUnitTest tests[] = {
	TEST(the_running_month_has_a_floor_and_a_budget),
	TEST(estimates_make_no_money),
	TEST(a_clause_is_broken_by_ended_periods_in_a_row),
	TEST(a_volume_is_so_far_below_the_minimum),
};

RUN_TESTS(tests)
