/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/calibration.h"
#include "server/store/calibrations.h"
#include "tests/unit/store/opened.h"

#include <stdlib.h>
#include <string.h>

enum { BIN = 300, DAY = 86400 };
static const int64_t T = 1793491200 / DAY * DAY;

/* Two bins, an hour apart; `flow` 0: no peer-to-peer bytes were measured. */
static void put_day(int64_t day, uint64_t flow, uint64_t announce)
{
	for (int64_t start = day; start <= day + 3600; start += 3600) {
		struct store_bin b = { .provider = "a",
			               .interconnect = "t",
			               .start = start,
			               .seconds = BIN,
			               .observed_seconds = BIN,
			               .out_bytes = announce / 2,
			               .in_bytes = announce };
		assert_int_equal(store_bins(s, "n1", STORE_ANNOUNCE, &b, 1), ERR_OK);
		b.out_bytes = b.in_bytes = UINT64_MAX; /* all traffic does not matter */
		b.measured_p2p = flow > 0;
		b.out_p2p_bytes = flow / 4;
		b.in_p2p_bytes = flow / 2;
		assert_int_equal(store_bins(s, "n2", STORE_FLOW, &b, 1), ERR_OK);
	}
}

static struct store_calibration last(enum store_direction d, int64_t until)
{
	struct store_calibration *list, found = { .days = 0 };
	size_t n;
	assert_int_equal(store_calibrations(s, "a", until, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		if (list[i].direction == d)
			found = list[i];
	free(list);
	return found;
}

static size_t drifts(const char *provider, int64_t *day)
{
	struct store_calibration *list;
	size_t n;
	assert_int_equal(store_drifts(s, provider, T, T + 30 * DAY, &list, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		*day = list[i].day;
	free(list);
	return n;
}

static void days_add_up_to_a_mean_and_a_jump_is_told(void **state)
{
	(void)state;
	int64_t day = 0;
	for (int64_t i = 0; i < 6; i++) {
		put_day(T + i * DAY, 1200, 1000); /* out 300 of 500, in 600 of 1000 */
		/* Again and again: a day is counted once. */
		for (unsigned again = 0; again < 3; again++)
			assert_int_equal(report_calibrate(s, BIN, T + (i + 1) * DAY + 5), ERR_OK);
	}
	struct store_calibration c = last(STORE_IN, T + 6 * DAY);
	assert_int_equal(c.days, 6);
	assert_int_equal(c.day, T + 5 * DAY);
	assert_float_equal(c.k, 0.6, 1e-9);
	assert_float_equal(c.flow_bytes, 1200, 0);
	assert_int_equal(last(STORE_OUT, T + 3 * DAY).days, 3);
	assert_int_equal(drifts(NULL, &day), 0);
	put_day(T + 6 * DAY, 2400, 1000);
	assert_int_equal(report_calibrate(s, BIN, T + 7 * DAY), ERR_OK);
	assert_int_equal(drifts("a", &day), 2); /* both directions */
	assert_int_equal(day, T + 6 * DAY);
	assert_int_equal(drifts("b", &day), 0);
	assert_float_equal(last(STORE_IN, T + 7 * DAY).off, 1, 1e-9);
}

static void what_one_source_alone_knows_says_nothing(void **state)
{
	(void)state;
	put_day(T, 0, 1000);
	assert_int_equal(report_calibrate(s, BIN, T + DAY), ERR_OK);
	assert_int_equal(last(STORE_IN, T + DAY).days, 0);
	put_day(T, 1000, 1000);
	assert_int_equal(report_calibrate(s, BIN, T + DAY - 1), ERR_OK); /* it is not over */
	assert_int_equal(last(STORE_IN, T + DAY).days, 0);
	assert_int_equal(report_calibrate(s, BIN + 1, T + DAY),
	                 ERR_OK); /* bins of another length */
	assert_int_equal(last(STORE_IN, T + DAY).days, 0);
	assert_int_equal(report_calibrate(s, BIN, T + DAY), ERR_OK);
	assert_int_equal(last(STORE_IN, T + DAY).days, 1);
	assert_int_equal(last(STORE_IN, T).days, 0);
}

static const struct CMUnitTest tests[] = {
	TEST(days_add_up_to_a_mean_and_a_jump_is_told),
	TEST(what_one_source_alone_knows_says_nothing),
};

RUN_TESTS(tests)
