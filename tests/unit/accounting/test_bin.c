/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/accounting/bin.h"

#include <math.h>

enum { START = 1200, SECONDS = 300, PLACES = 2000 };

enum { CELLS_MAX = 1 << 15 };
static const struct bin_room room = { .first = { 16, 16 }, .most = { 1 << 12, CELLS_MAX } };

/* Names 1 .. PLACES, as a journal brings them. */
static void open_bin(struct bin *b, int64_t start)
{
	assert_int_equal(bin_open(b, start, SECONDS, &room), ERR_OK);
	for (uint32_t i = 1; i < PLACES; i++) {
		struct journal_item name = { .kind = JOURNAL_NAME, .number = i };
		(void)snprintf(name.key, sizeof(name.key), "pid:isp-a/p%u", i);
		assert_int_equal(bin_add(b, &name), ERR_OK);
	}
}

static enum err meet(struct bin *b, uint64_t swarm, uint32_t pair, float first)
{
	const struct journal_item cell = { .kind = JOURNAL_CELL,
		                           .cell = { .swarm = swarm,
		                                     .from = 1 + pair / (PLACES - 1),
		                                     .to = 1 + pair % (PLACES - 1),
		                                     .candidates = 9,
		                                     .first = first } };
	return bin_add(b, &cell);
}

static double sum_of(const struct bin *b, uint64_t swarm)
{
	double sum = 0;
	for (size_t i = 0; i < b->tally.n_cells; i++)
		if (b->tally.cells[i].swarm == swarm)
			sum += (double)b->tally.cells[i].first;
	return sum;
}

static void carries_all_of_a_quiet_hour(void **state)
{
	(void)state;
	struct bin b, next;
	const double kept = contact_decay(SECONDS);
	open_bin(&b, START);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(meet(&b, 1, i, i % 2 == 0 ? 1 : 0.05F), ERR_OK);
	assert_int_equal(bin_open(&next, START + SECONDS, SECONDS, &room), ERR_OK);
	assert_int_equal(bin_carry(&b, &next), ERR_OK);
	/* But for what has faded. */
	assert_int_equal(next.tally.n_cells, 500);
	assert_true(fabs(sum_of(&next, 1) - 500 * kept) < 1e-3);
	bin_done(&b);
	bin_done(&next);
}

static void makes_room_and_keeps_the_sums(void **state)
{
	(void)state;
	enum { STRONG = 200, WEAK = CELLS_MAX / 2, HALF = CELLS_MAX / 2 };
	struct bin b, next;
	const double kept = contact_decay(SECONDS);
	double weak = 0;
	open_bin(&b, START);
	for (uint32_t i = 0; i < STRONG; i++)
		assert_int_equal(meet(&b, 1, i, 50), ERR_OK);
	for (uint32_t i = 0; i < WEAK; i++) {
		const float first = i % 3 == 0 ? 0.2F : 1;
		weak += (double)first;
		assert_int_equal(meet(&b, 2, i, first), ERR_OK);
	}
	/* The rest of the table, until it is full. */
	for (uint32_t i = STRONG + WEAK; i < CELLS_MAX; i++)
		assert_int_equal(meet(&b, 3, i - STRONG - WEAK, 0.5F), ERR_OK);
	assert_int_equal(meet(&b, 4, 0, 1), ERR_BUSY);
	assert_int_equal(meet(&b, 1, 0, 1), ERR_OK); /* who is in it goes on */

	assert_int_equal(bin_open(&next, START + SECONDS, SECONDS, &room), ERR_OK);
	assert_int_equal(bin_carry(&b, &next), ERR_OK);
	print_message("# carried %zu of %zu, sum of the weak off by %.2f %%\n", next.tally.n_cells,
	              b.tally.n_cells, 100 * (sum_of(&next, 2) / (weak * kept) - 1));
	assert_in_range(next.tally.n_cells, HALF / 8, HALF + HALF / 50);
	assert_true(fabs(sum_of(&next, 1) - (STRONG * 50 + 1) * kept) < 1);
	assert_true(fabs(sum_of(&next, 2) / (weak * kept) - 1) < 0.02);
	assert_int_equal(meet(&next, 4, 0, 1), ERR_OK);
	bin_done(&b);
	bin_done(&next);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(carries_all_of_a_quiet_hour),
	cmocka_unit_test(makes_room_and_keeps_the_sums),
};

RUN_TESTS(tests)
