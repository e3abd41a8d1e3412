/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "server/alarms/ahead.h"

#include <string.h>

enum { BIN = 300, PER_DAY = 86400 / BIN };
static const int64_t NOVEMBER = 1793491200; /* 2026, UTC */

static struct sights seen;

/* Days of an interconnect up to the middle of November, with so much more in one direction. */
static void days(const char *interconnect, size_t n, uint64_t out, uint64_t in)
{
	struct store_bin *rows = calloc(n * PER_DAY, sizeof(*rows));
	assert_non_null(rows);
	for (size_t i = 0; i < n * PER_DAY; i++) {
		struct store_bin *b = &rows[i];
		const uint64_t scale = 1000 + i % PER_DAY; /* fuller towards the evening */
		(void)snprintf(b->provider, sizeof(b->provider), "isp-a");
		(void)snprintf(b->interconnect, sizeof(b->interconnect), "%s", interconnect);
		b->start = NOVEMBER + (15L * PER_DAY - (int64_t)i - 1) * BIN;
		b->seconds = b->observed_seconds = BIN;
		b->out_bytes = out * scale;
		b->in_bytes = in * scale;
	}
	assert_int_equal(store_bins(s, "n", STORE_COUNTER, rows, n * PER_DAY), ERR_OK);
	free(rows);
	assert_string_equal(db_state_of("UPDATE interconnects SET in_force = true, "
	                                "relation = 'settlement-free'"),
	                    "");
}

static void look(void)
{
	const struct look_options o = { .store = s, .bin_seconds = BIN, .ratio_limit_milli = 2000 };
	sights_done(&seen);
	assert_int_equal(look_ahead(&o, NOVEMBER + 15L * 86400, &seen), ERR_OK);
}

static void a_month_that_goes_on_like_this_ends_so(void **state)
{
	(void)state;
	days("broken", 20, 300, 100);
	days("held", 20, 100, 150);
	look();
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.list[0].subject, "broken");
	assert_true(seen.list[0].value == 100);
	assert_non_null(strstr(seen.list[0].text, "3.000 to 3.000"));
	assert_string_equal(seen.list[1].subject, "held");
	assert_true(seen.list[1].value == 0);
}

static void of_a_few_days_nothing_is_said(void **state)
{
	(void)state;
	days("young", 10, 300, 100);
	look();
	assert_int_equal(seen.n, 0);
}

static int close_look(void **state)
{
	sights_done(&seen);
	return close_store(state);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_look)

static const struct CMUnitTest tests[] = {
	TEST(a_month_that_goes_on_like_this_ends_so),
	TEST(of_a_few_days_nothing_is_said),
};

RUN_TESTS(tests)
