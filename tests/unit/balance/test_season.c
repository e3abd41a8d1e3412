/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/balance/months.h"

#include "common/balance/season.h"

enum { DAY = 24, DAYS = 28 };

static struct percentile_bin bins[DAYS * DAY];

/* Out rises through the day and doubles at weekends, times the level of the day; in is a tenth of it. */
static double usual_of(size_t day, size_t bin)
{
	return 1e6 * (double)(bin + 1) * (day % 7 >= 5 ? 2 : 1);
}

static void fill(const double levels[static DAYS])
{
	for (size_t day = 0; day < DAYS; day++)
		for (size_t b = 0; b < DAY; b++) {
			const double out = usual_of(day, b) * levels[day];
			bins[day * DAY + b] = (struct percentile_bin){ (uint64_t)out,
				                                       (uint64_t)(out / 10), true };
		}
}

static void assert_near(uint64_t bytes, double expected)
{
	if (fabs((double)bytes - expected) > 1e-4 * expected + 2)
		fail_msg("%.0f, not %.0f", (double)bytes, expected);
}

/* The shape of one day at the level of another: the first one's own level is gone. */
static void a_day_has_one_shape_and_one_level(void **state)
{
	(void)state;
	double levels[DAYS];
	size_t as_it_was[DAYS];
	struct season s;
	for (size_t day = 0; day < DAYS; day++) {
		levels[day] = day / 7 % 2 == 0 ? 0.8 : 1.2; /* 1 on average, of each weekday */
		as_it_was[day] = day;
	}
	fill(levels);
	assert_int_equal(season_learn(&s, bins, DAYS, DAY), ERR_OK);
	assert_int_equal(s.days, DAYS);
	season_usual(&s, as_it_was, DAYS);
	const double wider = 1.1 * sqrt(4.0 / 3);
	for (size_t shape = 0; shape < DAYS; shape++)
		for (size_t level = 0; level < DAYS; level++) {
			const struct season_drawn drawn = { .shape = shape, .level = level };
			const double expected = 1 + (levels[level] - 1) * wider;
			struct percentile_bin day[DAY];
			season_day(&s, &drawn, 0, DAY, day);
			for (size_t b = 0; b < DAY; b++) {
				assert_near(day[b].out_bytes, usual_of(shape, b) * expected);
				assert_near(day[b].in_bytes, usual_of(shape, b) / 10 * expected);
				assert_true(day[b].known);
			}
		}
	season_done(&s);
}

static void parts_of_a_day_keep_to_its_time_and_the_capacity(void **state)
{
	(void)state;
	double levels[DAYS];
	size_t as_it_was[DAYS];
	struct season s;
	for (size_t day = 0; day < DAYS; day++) {
		levels[day] = 1;
		as_it_was[day] = day;
	}
	fill(levels);
	/* What a weekday never knew is as on other days. */
	for (size_t day = 3; day < DAYS; day += 7)
		bins[day * DAY + 20].known = false;
	assert_int_equal(season_learn(&s, bins, DAYS, DAY), ERR_OK);
	season_usual(&s, as_it_was, DAYS);
	const struct season_drawn drawn = { .shape = 10, .level = 2, .capacity = 22000000 };
	struct percentile_bin part[4];
	season_day(&s, &drawn, 19, 23, part);
	assert_near(part[0].out_bytes, 20e6);
	assert_near(part[1].in_bytes, 21e5 * 8 / 6); /* four workdays and the double ones of two */
	assert_int_equal(part[1].out_bytes, 22000000);
	assert_int_equal(part[2].out_bytes, 22000000);
	assert_int_equal(part[3].out_bytes, 22000000);
	assert_near(part[3].in_bytes, 23e5);
	season_done(&s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_day_has_one_shape_and_one_level),
	cmocka_unit_test(parts_of_a_day_keep_to_its_time_and_the_capacity),
};

RUN_TESTS(tests)
