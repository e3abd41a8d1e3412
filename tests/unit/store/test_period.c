/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include <string.h>

enum { HOUR = 3600, DAY = 86400 };

static struct store_period period(const char *zone, enum store_period_kind kind, unsigned day,
                                  int64_t instant)
{
	const struct store_calendar c = { .zone = zone, .kind = kind, .cycle_day = day };
	struct store_period p = { 0 };
	struct fault fault;
	assert_int_equal(store_period(s, &c, instant, &p, &fault), ERR_OK);
	assert_true(p.from <= instant && instant < p.to + (kind == STORE_ROLLING));
	return p;
}

static void a_month_is_that_of_its_zone(void **state)
{
	(void)state;
	const int64_t november = 1793491200; /* 2026-11-01 00:00 UTC */
	struct store_period p = period("UTC", STORE_MONTH, 0, november + 5 * DAY);
	assert_int_equal(p.from, november);
	assert_int_equal(p.to - p.from, 30 * DAY);
	assert_int_equal(period("UTC", STORE_MONTH, 1, november - 1).to, november);

	/* Berlin: an hour ahead in winter; a change of clocks gives or takes an hour. */
	p = period("Europe/Berlin", STORE_MONTH, 1, november);
	assert_int_equal(p.from, november - HOUR);
	assert_int_equal(period("Europe/Berlin", STORE_MONTH, 1, november - HOUR - 1).to, p.from);
	p = period("Europe/Berlin", STORE_MONTH, 1, 1793491200 - 5 * DAY); /* October */
	assert_int_equal(p.to - p.from, 31 * DAY + HOUR);
	p = period("Europe/Berlin", STORE_MONTH, 1, 1774000000); /* March */
	assert_int_equal(p.to - p.from, 31 * DAY - HOUR);
}

/* Where clocks go back at one o'clock, that day has two midnights. */
static void a_period_begins_at_the_first_midnight(void **state)
{
	(void)state;
	/*
	 * 2020-11-01 00:00 in Havana, 2020-10-25 00:00 on the Azores; again an hour later. Of years to come
	 * the time zones' releases tell different things.
	 */
	const int64_t november = 1604203200, sunday = 1603584000;
	const struct store_period p = period("America/Havana", STORE_MONTH, 1, november);
	assert_int_equal(p.from, november);
	assert_int_equal(p.to - p.from, 30 * DAY + HOUR);
	assert_int_equal(period("America/Havana", STORE_MONTH, 1, november - 1).to, november);
	assert_int_equal(period("America/Havana", STORE_MONTH, 1, november + HOUR).from, november);
	assert_int_equal(period("Atlantic/Azores", STORE_WEEK, 7, sunday).from, sunday);
	assert_int_equal(period("Atlantic/Azores", STORE_WEEK, 7, sunday - 1).to, sunday);
}

static void a_cycle_may_begin_on_another_day(void **state)
{
	(void)state;
	const int64_t march = 1772323200; /* 2026-03-01 00:00 UTC */
	struct store_period p = period("UTC", STORE_MONTH, 15, march);
	assert_int_equal(p.from, march - 14 * DAY); /* February has 28 days */
	assert_int_equal(p.to, march + 14 * DAY);
	p = period("UTC", STORE_MONTH, 28, march - DAY);
	assert_int_equal(p.from, march - DAY);
	assert_int_equal(p.to, march + 27 * DAY);

	p = period("UTC", STORE_WEEK, 0, march); /* a Sunday */
	assert_int_equal(p.from, march - 6 * DAY);
	assert_int_equal(p.to, march + DAY);
	p = period("UTC", STORE_WEEK, 7, march);
	assert_int_equal(p.from, march);
}

static void rolling_knows_no_clocks(void **state)
{
	(void)state;
	const struct store_period p = period("nowhere", STORE_ROLLING, 0, 1793491200);
	assert_int_equal(p.to, 1793491200);
	assert_int_equal(p.to - p.from, 30 * DAY);
}

static void a_zone_that_is_none_says_how_to_write_one(void **state)
{
	(void)state;
	/* PostgreSQL would take the last four for something. */
	static const char *const zones[] = { "",     "Mars/Olympus",   "\xff", "+01:00",
		                             "CEST", "Europe/Berlin2", "XYZ5" };
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		const struct store_calendar c = { .zone = zones[i], .kind = STORE_MONTH };
		struct store_period p;
		struct fault fault;
		assert_int_equal(store_period(s, &c, 1793491200, &p, &fault), ERR_NOT_FOUND);
		assert_string_equal(fault.where, "tz");
		assert_non_null(strstr(fault.text, "Europe/Berlin"));
	}
	const struct store_calendar late = { .zone = "UTC", .kind = STORE_MONTH, .cycle_day = 29 },
				    eighth = { .zone = "UTC", .kind = STORE_WEEK, .cycle_day = 8 };
	struct store_period p;
	struct fault fault;
	assert_int_equal(store_period(s, &late, 0, &p, &fault), ERR_RANGE);
	assert_int_equal(store_period(s, &eighth, 0, &p, &fault), ERR_RANGE);
}

/* PostgreSQL reads a thousand files for that, and reports ask for every policy and period. */
static void a_zone_is_looked_up_once(void **state)
{
	(void)state;
	const struct store_calendar other = { .zone = "Asia/Tokyo", .kind = STORE_MONTH };
	struct store_period p;
	struct fault fault;
	(void)period("America/Lima", STORE_MONTH, 1, 0);
	assert_string_equal(db_state_of("SET allow_system_table_mods = on;"
	                                "ALTER VIEW pg_timezone_names RENAME TO hidden"),
	                    "");
	(void)period("America/Lima", STORE_WEEK, 1, 0);
	assert_int_not_equal(store_period(s, &other, 0, &p, &fault), ERR_OK);
}

static void a_clock_shows_the_time_of_its_zone(void **state)
{
	(void)state;
	char clock[STORE_CLOCK_SIZE];
	assert_int_equal(store_clock(s, "Europe/Berlin", 1793487600, clock), ERR_OK);
	assert_string_equal(clock, "2026-11-01 00:00");
	assert_int_equal(store_clock(s, "Asia/Kolkata", 1793487600, clock), ERR_OK);
	assert_string_equal(clock, "2026-11-01 04:30");
	assert_int_equal(store_clock(s, "CEST", 0, clock), ERR_NOT_FOUND);
}

static const struct CMUnitTest tests[] = {
	TEST(a_month_is_that_of_its_zone),
	TEST(a_period_begins_at_the_first_midnight),
	TEST(a_cycle_may_begin_on_another_day),
	TEST(rolling_knows_no_clocks),
	TEST(a_zone_that_is_none_says_how_to_write_one),
	TEST(a_zone_is_looked_up_once),
	TEST(a_clock_shows_the_time_of_its_zone),
};

RUN_TESTS(tests)
