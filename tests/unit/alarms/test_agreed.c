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

static int close_look(void **state)
{
	sights_done(&seen);
	return close_store(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_look)

static const struct CMUnitTest tests[] = {
	TEST(the_running_month_has_a_floor_and_a_budget),
	TEST(estimates_make_no_money),
};

RUN_TESTS(tests)
