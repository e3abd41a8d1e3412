/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pload/tally.h"

static struct tally t;

static const uint64_t second = 1000000000;

static void a_row_holds_the_requests_due_in_its_second(void **state)
{
	(void)state;
	assert_int_equal(tally_init(&t, 10, 2), ERR_OK);
	for (uint64_t s = 0; s < 10; s++) {
		for (uint64_t i = 0; i < 100; i++)
			tally_answered(&t, s * second + i, (s + 1) * 1000, 1);
		if (s > 0) /* an answer that took long belongs to its own second */
			tally_answered(&t, (s - 1) * second + 999, second, 2);
		tally_lost(&t, s * second);
	}
	tally_answered(&t, 10 * second, 5, 5); /* not in any row */
	tally_close(&t);
	assert_int_equal(t.answered, 1010);
	assert_int_equal(t.latency.total, 1010);
	assert_int_equal(t.service.max, 5);
	assert_int_equal(t.lost, 10);
	for (uint64_t s = 0; s < 10; s++) {
		const struct second *row = &t.seconds[s];
		assert_int_equal(row->answered, s < 9 ? 101 : 100);
		assert_int_equal(row->lost, 1);
		assert_in_range(row->p50, (s + 1) * 1000, (s + 1) * 1040);
		assert_in_range(row->p99, (s + 1) * 1000, (s + 1) * 1040);
		assert_int_equal(row->max, s < 9 ? second : 10000);
	}
	tally_done(&t);
}

static void needs_no_rows(void **state)
{
	(void)state;
	t = (struct tally){ 0 };
	tally_answered(&t, 0, 7, 7);
	tally_lost(&t, 0);
	assert_int_equal(t.answered, 1);
	assert_int_equal(t.lost, 1);
	tally_done(&t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_row_holds_the_requests_due_in_its_second),
	cmocka_unit_test(needs_no_rows),
};

RUN_TESTS(tests)
