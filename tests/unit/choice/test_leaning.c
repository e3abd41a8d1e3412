/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/choice/six_isps.h"

/* Who meets when an interconnect leans (more goes one way than its ratio allows), or a line is capped. */

/* What A sends B, and so what B has from A, costs so many times what is documented. */
static void lean(struct world *w, uint32_t times)
{
	struct map_crossing prices[ISPS + 2];
	struct map_snapshot *map;
	const size_t n = snapshot_counts(w->map).interconnects;
	assert_true(n <= sizeof(prices) / sizeof(*prices));
	for (uint32_t i = 0; i < n; i++)
		prices[i] = snapshot_cost(w->map, i);
	prices[snapshot_interconnect_find(w->map, "isp-a", "x1")].out *= times;
	prices[snapshot_interconnect_find(w->map, "isp-b", "x0")].in *= times;
	assert_int_equal(
		snapshot_reprice(w->map, &(struct map_prices){ .interconnects = prices }, &map),
		ERR_OK);
	snapshot_free(w->map);
	w->map = map;
}

static void too_much_out_lets_leechers_with_seeds_at_home_meet_others(void **state)
{
	(void)state;
	for (uint32_t times = 1; times <= 4; times++) {
		struct world *w = world();
		struct body far[CHOICE_MAX];
		size_t n = 0;
		lean(w, times);
		join(w, A, 1, 30, false);
		join(w, A, 500, 1, true);
		join(w, B, 1, 20, true);
		join(w, C, 1, 20, true);
		for (uint32_t i = 1; i <= 10; i++) {
			const size_t m = ask(w, &(struct body){ .pid = A, .n = i }, far);
			for (size_t k = 0; k < m; k++)
				assert_int_equal(far[k].pid, B);
			assert_in_range(w->n, 18, 20);
			n += m;
		}
		assert_int_equal(n, times == 1 ? STEER_SAFETY : 10 * (times - 1));
		world_free(w);
	}
}

/* Seeds and leechers of A that B's leechers meet; they have no seed of their own. */
static void meet_a(uint32_t times, size_t *seeds, size_t *leechers)
{
	struct world *w = world();
	struct body far[CHOICE_MAX];
	*seeds = *leechers = 0;
	lean(w, times);
	join(w, A, 500, 30, true);
	join(w, A, 1, 30, false);
	join(w, B, 1, 30, false);
	for (uint32_t i = 1; i <= 30; i++) {
		const size_t m = ask(w, &(struct body){ .pid = B, .n = i }, far);
		for (size_t k = 0; k < m; k++)
			(*(far[k].seed ? seeds : leechers))++;
	}
	world_free(w);
}

static void too_much_in_means_leechers_instead_of_seeds_and_then_fewer(void **state)
{
	(void)state;
	size_t seeds, leechers, fewer_seeds, fewer_leechers;
	meet_a(1, &seeds, &leechers);
	assert_int_equal(leechers, 0);
	assert_int_equal(seeds, 24); /* 80 % of 30 */
	meet_a(10, &fewer_seeds, &fewer_leechers);
	assert_true(fewer_leechers > 0);
	assert_true(fewer_seeds > 0 && fewer_seeds < seeds);
	assert_true(fewer_seeds + fewer_leechers < seeds / 2);
	meet_a(100, &seeds, &leechers);
	assert_in_range(seeds, 1, STEER_SAFETY); /* no island */
	assert_true(seeds + leechers <= STEER_SAFETY);
}

/* Its line is fast, but 5 GB a month are 15 kbit/s. */
static void a_capped_line_is_met_last(void **state)
{
	(void)state;
	static const struct isp fast_but_capped[] = {
		{ .pids = 1, .friends = 1 << 1 | 1 << 2 },
		{ .pids = 1, .friends = 1, .up_kbps = 64000, .monthly_upload_gb = 5 },
		{ .pids = 1, .friends = 1, .up_kbps = 500 },
	};
	struct world *w = world_new(fast_but_capped, 3, 1 << 20);
	struct body far[CHOICE_MAX];
	w->rules.free_percent = w->rules.paid_percent = 200; /* everybody is drawn */
	join(w, B, 1, 2, true);
	join(w, C, 1, 2, true);
	for (uint32_t i = 1; i <= 10; i++) {
		const struct body me = { .pid = A, .n = i };
		const size_t n = ask(w, &me, far);
		assert_true(n > 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(far[k].pid, C);
	}
	world_free(w);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(too_much_out_lets_leechers_with_seeds_at_home_meet_others),
	cmocka_unit_test(too_much_in_means_leechers_instead_of_seeds_and_then_fewer),
	cmocka_unit_test(a_capped_line_is_met_last),
};

RUN_TESTS(tests)
