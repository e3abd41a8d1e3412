/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/report/agreed.h"

#include "server/alarms/drift.h"
#include "server/store/calibrations.h"

static struct sights seen;

static void put(const char *interconnect, enum store_direction direction, int64_t day, double off,
                bool drift)
{
	struct store_calibration c = { .provider = "isp-a",
		                       .direction = direction,
		                       .day = day,
		                       .flow_bytes = 2e9,
		                       .announce_bytes = 1e9,
		                       .factor = 2,
		                       .off = off,
		                       .drift = drift,
		                       .k = 1.5,
		                       .sigma = 0.1,
		                       .days = 9 };
	(void)snprintf(c.interconnect, sizeof(c.interconnect), "%s", interconnect);
	assert_int_equal(store_calibration_put(s, &c, 1), ERR_OK);
}

static void look(int64_t at)
{
	const struct look_options o = { .store = s, .bin_seconds = BIN };
	sights_done(&seen);
	assert_int_equal(look_for_drift(&o, at, &seen), ERR_OK);
}

static void assert_saw(const char *subject, double value, const char *text)
{
	for (size_t i = 0; i < seen.n; i++) {
		if (strcmp(seen.list[i].subject, subject) != 0)
			continue;
		assert_int_equal(seen.list[i].rule, RULE_DRIFT);
		assert_string_equal(seen.list[i].provider, "isp-a");
		assert_true(seen.list[i].value == value);
		expect(seen.list[i].text, text);
		return;
	}
	fail_msg("nothing was seen of %s", subject);
}

static void days_that_drifted_are_counted_by_direction(void **state)
{
	(void)state;
	put("a-1", STORE_OUT, NOVEMBER, 0.5, true);
	put("a-1", STORE_OUT, NOVEMBER + DAY, 0.6, true);
	put("a-1", STORE_IN, NOVEMBER, -0.4, true);
	put("a-1", STORE_IN, NOVEMBER + DAY, 0.01, false);
	put("a-2", STORE_OUT, NOVEMBER + DAY, 0.02, false);
	look(NOVEMBER + 2 * DAY + 5 * BIN);
	assert_int_equal(seen.n, 3);
	assert_saw("a-1 out", 2,
	           "the day from 2026-11-02T00:00:00Z flows measured 2.000 times what announces "
	           "told, +60.0 percent off the mean of before; beyond 3 deviations");
	assert_saw("a-1 in", 1, "2026-11-01T00:00:00Z");
	assert_saw("a-1 in", 1, "-40.0 percent");
	assert_saw("a-2 out", 0, "within 3 deviations");
}

static void only_the_last_two_whole_days_count(void **state)
{
	(void)state;
	put("a-1", STORE_OUT, NOVEMBER, 0.5, true);
	put("a-1", STORE_OUT, NOVEMBER + DAY, 0.6, true);
	look(NOVEMBER + DAY + 5 * BIN); /* the second has not ended */
	assert_saw("a-1 out", 1, "+50.0 percent");
	look(NOVEMBER + 3 * DAY);
	assert_saw("a-1 out", 1, "+60.0 percent");
	look(NOVEMBER + 4 * DAY);
	assert_int_equal(seen.n, 0); /* and what is not known is not good */
}

static int close_look(void **state)
{
	sights_done(&seen);
	return close_store(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_look)

static const struct CMUnitTest tests[] = {
	TEST(days_that_drifted_are_counted_by_direction),
	TEST(only_the_last_two_whole_days_count),
};

RUN_TESTS(tests)
