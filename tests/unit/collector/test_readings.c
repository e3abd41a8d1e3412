/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/collector/readings.h"

static const int64_t start = 1800000000000;

static struct reading_said said(uint32_t ifindex, int64_t at_ms, uint32_t uptime_ms, uint64_t out)
{
	return (struct reading_said){ .exporter = 1,
		                      .edge = 2,
		                      .ifindex = ifindex,
		                      .uptime_ms = uptime_ms,
		                      .at_ms = at_ms,
		                      .out_octets = out,
		                      .in_octets = 7,
		                      .speed_bps = 1000 };
}

static void put(struct readings *r, struct reading_said s)
{
	readings_put(r, &s);
}

static void of_each_port_one_in_a_while_is_kept(void **state)
{
	(void)state;
	struct readings *r = readings_new(60000);
	struct reading out[8];
	uint64_t upto;
	put(r, said(17, start, 1000, 10));
	put(r, said(17, start + 59999, 60999, 11));
	put(r, said(18, start + 59999, 60999, 12));
	put(r, said(17, start + 60000, 61000, 13));
	put(r, said(17, start + 60001, 500, 1)); /* began again: that must be seen */
	assert_int_equal(readings_first(r, out, 8, &upto), 4);
	assert_int_equal(out[0].reading.octets[COUNTER_OUT], 10);
	assert_int_equal(out[0].reading.octets[COUNTER_IN], 7);
	assert_int_equal(out[0].reading.uptime, 100);
	assert_true(out[0].reading.has_uptime);
	assert_int_equal(out[1].ifindex, 18);
	assert_int_equal(out[2].reading.octets[COUNTER_OUT], 13);
	assert_int_equal(out[3].reading.octets[COUNTER_OUT], 1);
	assert_int_equal(out[3].reading.uptime, 50);
	readings_free(r);
}

static void an_uptime_that_wraps_runs_on(void **state)
{
	(void)state;
	struct readings *r = readings_new(1);
	struct reading out[2];
	uint64_t upto;
	put(r, said(17, start, UINT32_MAX - 999, 10));
	put(r, said(17, start + 20000, 19000, 11));
	assert_int_equal(readings_first(r, out, 2, &upto), 2);
	assert_int_equal(out[1].reading.uptime - out[0].reading.uptime, 2000);
	readings_free(r);
}

static void they_stay_until_they_are_done_and_the_oldest_makes_room(void **state)
{
	(void)state;
	struct readings *r = readings_new(1);
	struct reading out[4];
	uint64_t upto, again;
	for (unsigned i = 0; i < READINGS_MAX + 5; i++)
		put(r, said(17, start + 10 * i, 10 * i, i));
	assert_int_equal(readings_count(r), READINGS_MAX);
	assert_int_equal(readings_lost(r), 5);
	assert_int_equal(readings_first(r, out, 4, &upto), 4);
	assert_int_equal(out[0].reading.octets[COUNTER_OUT], 5);
	assert_int_equal(readings_first(r, out, 4, &again), 4);
	assert_true(upto == again);
	put(r, said(17, start + 10 * READINGS_MAX + 1000, 10 * READINGS_MAX + 1000, 1));
	readings_done(r, upto); /* one of them had gone meanwhile */
	assert_int_equal(readings_count(r), READINGS_MAX - 3);
	assert_int_equal(readings_first(r, out, 1, &upto), 1);
	assert_int_equal(out[0].reading.octets[COUNTER_OUT], 9);
	readings_free(r);
}

static void too_many_ports_are_left_out(void **state)
{
	(void)state;
	struct readings *r = readings_new(1);
	for (unsigned i = 0; i <= READINGS_PORTS_MAX; i++)
		put(r, said(i, start, 1, 1));
	assert_int_equal(readings_count(r), READINGS_PORTS_MAX);
	readings_free(r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(of_each_port_one_in_a_while_is_kept),
	cmocka_unit_test(an_uptime_that_wraps_runs_on),
	cmocka_unit_test(they_stay_until_they_are_done_and_the_oldest_makes_room),
	cmocka_unit_test(too_many_ports_are_left_out),
};

RUN_TESTS(tests)
