/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/sketch/cost_matrix.h"

enum { A, B, C, D, N };

static const char *const names[N] = { "a", "b", "c", "d" };

/* Of a line a - b - c of weights 3 and 4, and d, which no link names. */
static const uint32_t distances[N * N] = { 0, 3, 7, 7, 3, 0, 4, 7, 7, 4, 0, 7, 7, 7, 7, 0 };

static struct cost_matrix matrix_of(struct map_pid_cost *list, size_t n)
{
	const struct map_costs costs = { .pid_costs = list, .n_pid_costs = n };
	struct table *numbers = table_new(N);
	struct cost_matrix m;
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(table_add(numbers, names[i], i, NULL), ERR_OK);
	assert_int_equal(cost_matrix_init(&m, &costs, numbers, N, distances), ERR_OK);
	table_free(numbers);
	return m;
}

static void what_no_cost_says_is_the_link_weight(void **state)
{
	(void)state;
	struct map_pid_cost list[] = { { "a", "b", 9 }, { "c", "c", 0 } };
	struct cost_matrix m = matrix_of(list, 2);
	assert_int_equal(m.out[A * N + B], 9 | COST_SAID);
	assert_int_equal(m.in[B * N + A], 9 | COST_SAID);
	assert_int_equal(m.out[B * N + A], 3);
	assert_int_equal(m.in[A * N + B], 3);
	assert_int_equal(m.out[A * N + A], 1);
	assert_int_equal(m.out[C * N + C], 0 | COST_SAID);
	assert_true(m.named[A] && m.named[B]);
	assert_false(m.named[C] || m.named[D]); /* of itself is of no other */
	cost_matrix_done(&m);
}

static void pids_differ_by_what_is_said_of_one_of_them(void **state)
{
	(void)state;
	static struct {
		struct map_pid_cost list[4];
		size_t n;
		uint32_t differ; /* a and b */
	} rows[] = {
		{ { { "c", "d", 500 } }, 1, 0 },                  /* of neither */
		{ { { "a", "c", 20 }, { "b", "c", 20 } }, 2, 0 }, /* links do not count */
		{ { { "a", "c", 20 } }, 1, 16 },                  /* b to c is 4 */
		{ { { "c", "a", 20 } }, 1, 16 },                  /* the same, back */
		{ { { "a", "c", 20 }, { "b", "c", 25 } }, 2, 5 }, /* out */
		{ { { "c", "a", 31 }, { "c", "b", 25 } }, 2, 6 }, /* in */
		{ { { "a", "b", 8 } }, 1, 7 },                    /* each costs itself 1 */
		{ { { "a", "a", 2 }, { "b", "a", 2 } }, 2, 1 },   /* a to b is still 3 */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cost_matrix m = matrix_of(rows[i].list, rows[i].n);
		assert_int_equal(cost_matrix_differ(&m, A, B), rows[i].differ);
		assert_int_equal(cost_matrix_differ(&m, B, A), rows[i].differ);
		cost_matrix_done(&m);
	}
}

static void groups_cost_the_weighted_mean(void **state)
{
	(void)state;
	static const uint32_t group[N] = { 0, 0, 1, 2 };
	static const double weight[N] = { 3, 1, 2, 1 };
	struct map_pid_cost list[] = { { "a", "c", 10 }, { "b", "c", 20 }, { "c", "a", 8 } };
	struct cost_matrix m = matrix_of(list, 3);
	struct cost_merged c;
	assert_int_equal(cost_matrix_merge(&m, group, 3, weight, &c), ERR_OK);
	/* 12.5 becomes 13; back 8 and b's link, 4, become 7; nothing is said of any other. */
	static const uint32_t expected[9] = { 0, 13 | COST_SAID, 0, 7 | COST_SAID };
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(c.costs[i], expected[i]);
	assert_int_equal(c.said, 2);
	/* Weights 6, 2, 6, 2: changes 3, 7, 1, 3. */
	assert_int_equal(c.change_most, 7);
	assert_true(c.change > 2.749 && c.change < 2.751);
	assert_true(c.mean > 9.749 && c.mean < 9.751);
	cost_merged_done(&c);

	/* Without weight it counts as 1 in a mean, and in no figure. */
	static const double lighter[N] = { 3, 0, 2, 1 };
	assert_int_equal(cost_matrix_merge(&m, group, 3, lighter, &c), ERR_OK);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(c.costs[i], expected[i]);
	assert_int_equal(c.change_most, 3);
	assert_true(c.change > 1.999 && c.change < 2.001);
	cost_merged_done(&c);
	cost_matrix_done(&m);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_no_cost_says_is_the_link_weight),
	cmocka_unit_test(pids_differ_by_what_is_said_of_one_of_them),
	cmocka_unit_test(groups_cost_the_weighted_mean),
};

RUN_TESTS(tests)
