/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/accounting/bin.h"

#include <math.h>

enum { START = 1200, SECONDS = 300, PLACES = 2000 };

enum { CELLS_MAX = 1 << 15 };
static const struct bin_room room = { .first = { 16, 16, 0 }, .most = { 1 << 12, CELLS_MAX, 0 } };

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

/* Many small swarms and two large ones, of strong and of weak contacts. */
enum { SMALL = 1000, LARGE = 12000 };

static double fill(struct bin *b)
{
	double weak = 0;
	for (uint32_t i = 0; i < LARGE; i++) {
		const float first = i % 3 == 0 ? 0.2F : 1;
		weak += (double)first;
		assert_int_equal(meet(b, 1, i, first), ERR_OK);
		assert_int_equal(meet(b, 2, i, i < 100 ? 1000 : 0.1F), ERR_OK);
	}
	for (uint32_t i = 0; i < 4 * SMALL; i++)
		assert_int_equal(meet(b, 100 + i % SMALL, i, 1), ERR_OK);
	return weak;
}

static void check(const struct bin *b, double weak, double kept)
{
	assert_in_range(b->tally.n_cells, CELLS_MAX / 8, CELLS_MAX / 2 + CELLS_MAX / 50);
	print_message("# left %zu of %u, sum of the weak off by %.2f %%\n", b->tally.n_cells,
	              4 * SMALL + 2 * LARGE, 100 * (sum_of(b, 1) / (weak * kept) - 1));
	for (uint32_t i = 0; i < SMALL; i++)
		assert_true(fabs(sum_of(b, 100 + i) - 4 * kept) < 1e-3);
	assert_true(fabs(sum_of(b, 1) / (weak * kept) - 1) < 0.05);
	assert_true(sum_of(b, 2) > 100 * 1000 * kept);
	assert_true(sum_of(b, 2) < (100 * 1000 + 0.2 * LARGE) * kept);
}

static void carries_half_a_table_at_the_most(void **state)
{
	(void)state;
	struct bin b, next;
	open_bin(&b, START);
	const double weak = fill(&b);
	assert_int_equal(bin_open(&next, START + SECONDS, SECONDS, &room), ERR_OK);
	assert_int_equal(bin_carry(&b, &next), ERR_OK);
	check(&next, weak, contact_decay(SECONDS));
	assert_int_equal(next.swarms, SMALL + 2);
	bin_done(&b);
	bin_done(&next);
}

static void makes_room_when_it_is_full(void **state)
{
	(void)state;
	struct bin b;
	open_bin(&b, START);
	const double weak = fill(&b);
	uint32_t more = 0;
	while (b.thinned == 0)
		assert_int_equal(meet(&b, 3, more++, 1), ERR_OK);
	assert_int_equal(4 * SMALL + 2 * LARGE + more, CELLS_MAX + 1);
	check(&b, weak, 1);
	/* Who is left is found. */
	const size_t n = b.tally.n_cells;
	for (uint32_t i = 0; i < 4 * SMALL; i++)
		assert_int_equal(meet(&b, 100 + i % SMALL, i, 1), ERR_OK);
	assert_int_equal(b.tally.n_cells, n);
	for (uint32_t i = 0; i < SMALL; i++)
		assert_true(fabs(sum_of(&b, 100 + i) - 8) < 1e-3);
	bin_done(&b);
}

static void refuses_newcomers_when_there_are_too_many_swarms(void **state)
{
	(void)state;
	struct bin b;
	open_bin(&b, START);
	for (uint32_t i = 0; i < CELLS_MAX; i++)
		assert_int_equal(meet(&b, 1 + i, 1, 1), ERR_OK);
	assert_int_equal(meet(&b, CELLS_MAX + 1, 1, 1), ERR_BUSY);
	assert_int_equal(meet(&b, CELLS_MAX + 2, 1, 1), ERR_BUSY);
	assert_int_equal(b.tally.n_cells, CELLS_MAX);
	assert_int_equal(meet(&b, 1, 1, 1), ERR_OK); /* who is in it goes on */
	bin_done(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(carries_all_of_a_quiet_hour),
	cmocka_unit_test(carries_half_a_table_at_the_most),
	cmocka_unit_test(makes_room_when_it_is_full),
	cmocka_unit_test(refuses_newcomers_when_there_are_too_many_swarms),
};

RUN_TESTS(tests)
