/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/steer/prices.h"

#include <string.h>

enum { GBIT = 1000000000 };

/* An interconnect of 10 Gbit/s, loaded by so many percent. */
static struct prices_edge loaded(double out, double in)
{
	return (struct prices_edge){ .known = true,
		                     .load_bps = { out / 100 * 10 * GBIT, in / 100 * 10 * GBIT },
		                     .capacity_bps = 10ULL * GBIT };
}

static struct prices_state start(uint32_t out, uint32_t in)
{
	struct prices_state s;
	prices_start(&s, 0, out, in);
	return s;
}

static void steps(const struct prices_edge *e, struct prices_state *s, unsigned bins)
{
	for (unsigned i = 0; i < bins; i++)
		prices_step(e, s, 1);
}

static void assert_prices(const struct prices_state *s, uint32_t out, uint32_t in)
{
	assert_int_equal(s->way[PRICES_OUT].in_force, out);
	assert_int_equal(s->way[PRICES_IN].in_force, in);
}

static void a_direction_above_its_target_grows_dearer_and_cheaper_again_below(void **state)
{
	(void)state;
	struct prices_edge e = loaded(90, 60);
	struct prices_state s = start(100, 100);
	/* Alone its mean is its own load, so another, idle one stands beside it. */
	struct prices_edge both[] = { e, loaded(0, 0) };
	struct prices_state states[] = { s, start(100, 100) };
	prices_step(both, states, 2);
	assert_prices(&states[0], 110, 100); /* 1 + 0.5 * (0.9 - 0.7) */
	prices_step(both, states, 2);
	assert_prices(&states[0], 121, 100);
	both[0] = loaded(50, 60);
	prices_step(both, states, 2);
	assert_prices(&states[0], 109, 100);
	prices_step(both, states, 2);
	prices_step(both, states, 2);
	assert_prices(&states[0], 100, 100); /* the floor */
	assert_prices(&states[1], 100, 100);
}

static void no_step_and_no_price_passes_its_bound(void **state)
{
	(void)state;
	struct prices_edge both[] = { loaded(100000, 100000), loaded(0, 0) };
	struct prices_state s[] = { start(100, 10), start(40, 40) };
	both[1].capacity_bps = 1ULL << 60;
	prices_step(both, s, 2);
	assert_prices(&s[0], 125, 13);
	for (unsigned i = 0; i < 100; i++)
		prices_step(both, s, 2);
	assert_prices(&s[0], 10000, 10000); /* a hundred times the dearest that is documented */
	both[0] = loaded(0, 0);
	prices_step(both, s, 2);
	assert_prices(&s[0], 7500, 7500);
}

static void a_small_move_waits_until_it_is_worth_it(void **state)
{
	(void)state;
	struct prices_edge both[] = { loaded(74, 0), loaded(0, 0) };
	struct prices_state s[] = { start(100, 100), start(100, 100) };
	prices_step(both, s, 2);
	prices_step(both, s, 2);
	assert_prices(&s[0], 100, 100); /* 104 */
	prices_step(both, s, 2);
	assert_prices(&s[0], 106, 100);
	/* Except the last one home. */
	s[0].way[PRICES_OUT].price = s[0].way[PRICES_OUT].in_force = 103;
	both[0] = loaded(60, 0);
	prices_step(both, s, 2);
	assert_prices(&s[0], 100, 100);
}

static void a_load_that_is_not_known_changes_nothing(void **state)
{
	(void)state;
	struct prices_edge both[] = { loaded(95, 10), loaded(0, 0) };
	struct prices_state s[] = { start(100, 100), start(100, 100) }, before;
	prices_step(both, s, 2);
	before = s[0];
	both[0] = (struct prices_edge){ .known = false };
	for (unsigned i = 0; i < 10; i++)
		prices_step(both, s, 2);
	assert_memory_equal(&s[0], &before, sizeof(before));
}

static void what_has_no_limits_keeps_its_documented_price(void **state)
{
	(void)state;
	const struct prices_edge e = { .known = true, .load_bps = { 1e15, 1e15 } };
	struct prices_state s = start(7, 0);
	steps(&e, &s, 50);
	assert_prices(&s, 7, 0);
}

static void what_is_documented_as_free_can_become_dear(void **state)
{
	(void)state;
	struct prices_edge both[] = { loaded(100, 0), loaded(0, 0) };
	struct prices_state s[] = { start(0, 0), start(100, 100) };
	for (unsigned i = 0; i < 20; i++)
		prices_step(both, s, 2);
	assert_true(s[0].way[PRICES_OUT].in_force > 10);
	both[0] = loaded(0, 0);
	for (unsigned i = 0; i < 40; i++)
		prices_step(both, s, 2);
	assert_true(s[0].way[PRICES_OUT].in_force <= 1);
	assert_prices(&s[1], 100, 100);
}

static void a_ratio_is_held_from_the_warn_level_on_both_sides(void **state)
{
	(void)state;
	static const struct {
		double out, in; /* percent */
		uint64_t limit_milli;
		bool out_rises, in_rises;
	} rows[] = {
		{ 16, 10, 2000, false, false }, /* 85 % of 2:1 is 1.7 */
		{ 18, 10, 2000, true, false },
		{ 10, 16, 2000, false, false },
		{ 10, 18, 2000, false, true },
		{ 10, 0, 2000, true, false },
		{ 0, 10, 2000, false, true },
		{ 0, 0, 2000, false, false },
		{ 18, 10, 0, false, false },
		{ 10, 10, 1000, false, false }, /* 0.85:1 could be kept by nobody */
		{ 11, 10, 1000, true, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prices_edge e = loaded(rows[i].out, rows[i].in);
		struct prices_state s = start(100, 100);
		e.ratio_limit_milli = rows[i].limit_milli;
		steps(&e, &s, 20);
		if ((s.way[PRICES_OUT].in_force > 100) != rows[i].out_rises ||
		    (s.way[PRICES_IN].in_force > 100) != rows[i].in_rises)
			fail_msg("row %zu: %u, %u", i, s.way[PRICES_OUT].in_force,
			         s.way[PRICES_IN].in_force);
	}
}

static void the_direction_that_a_ratio_lacks_falls_as_fast_as_it_may(void **state)
{
	(void)state;
	struct prices_edge both[] = { loaded(10, 90), loaded(0, 0) };
	struct prices_state s[] = { start(100, 100), start(100, 100) };
	for (unsigned i = 0; i < 20; i++)
		prices_step(both, s, 2);
	const uint32_t dear = s[0].way[PRICES_IN].in_force;
	assert_true(dear > 200);
	both[0] = loaded(69, 50);
	both[0].ratio_limit_milli = 1200;
	s[0].way[PRICES_OUT].mean_bps = s[0].way[PRICES_IN].mean_bps = -1;
	prices_step(both, s, 2);
	assert_int_equal(s[0].way[PRICES_IN].in_force, (uint32_t)(dear * 0.75 + 0.5));
	assert_true(s[0].way[PRICES_OUT].in_force > 100);
	/* Not when it is too full itself. */
	both[0] = loaded(200, 90);
	both[0].ratio_limit_milli = 1200;
	prices_step(both, s, 2);
	assert_true(s[0].way[PRICES_IN].in_force > (uint32_t)(dear * 0.75 + 0.5));
}

static void one_noisy_bin_is_no_ratio(void **state)
{
	(void)state;
	struct prices_edge e = loaded(30, 30), noise = loaded(70, 30);
	struct prices_state s = start(100, 100);
	e.ratio_limit_milli = noise.ratio_limit_milli = 2000;
	steps(&e, &s, 8);
	steps(&noise, &s, 1);
	assert_prices(&s, 100, 100);
	steps(&noise, &s, 20);
	assert_true(s.way[PRICES_OUT].in_force > 100);
}

static void a_budget_counts_when_the_free_bins_are_gone(void **state)
{
	(void)state;
	struct prices_edge e = loaded(40, 40);
	struct prices_state s = start(100, 100);
	e.budget[PRICES_OUT] = (struct prices_budget){ 3ULL * GBIT, 4.0 * GBIT, 1 };
	steps(&e, &s, 5);
	assert_prices(&s, 100, 100);
	e.budget[PRICES_OUT].bins_left = 0;
	steps(&e, &s, 1);
	assert_prices(&s, 117, 100); /* 1 + 0.5 * (4 / 3 - 1) */
	e.budget[PRICES_OUT].load_bps = 2.0 * GBIT;
	steps(&e, &s, 3);
	assert_prices(&s, 100, 100);
}

static void when_all_are_full_the_fuller_grow_dearer_and_the_others_cheaper(void **state)
{
	(void)state;
	const struct prices_edge both[] = { loaded(100, 0), loaded(80, 0) };
	struct prices_state s[] = { start(100, 100), start(100, 100) };
	s[1].way[PRICES_OUT].price = s[1].way[PRICES_OUT].in_force = 200;
	for (unsigned i = 0; i < 3; i++)
		prices_step(both, s, 2);
	assert_true(s[0].way[PRICES_OUT].in_force > 100);
	assert_true(s[1].way[PRICES_OUT].in_force < 200);
}

static void a_link_alone_is_held_to_its_two_directions(void **state)
{
	(void)state;
	const struct prices_edge one = loaded(90, 10), full = loaded(95, 85);
	struct prices_state s = start(100, 100), t = start(100, 100);
	prices_step_links(&one, &s, 1);
	assert_prices(&s, 110, 100);
	t.way[PRICES_IN].price = t.way[PRICES_IN].in_force = 200;
	for (unsigned i = 0; i < 10; i++)
		prices_step_links(&full, &t, 1); /* to 90 % then */
	assert_true(t.way[PRICES_OUT].in_force > 120);
	assert_true(t.way[PRICES_IN].in_force < 180);
}

static void each_provider_has_a_target_of_its_own(void **state)
{
	(void)state;
	const struct prices_edge four[] = { loaded(95, 0), loaded(95, 0), loaded(95, 0),
		                            loaded(5, 0) };
	struct prices_state s[4];
	for (uint32_t i = 0; i < 4; i++)
		prices_start(&s[i], i / 2, 100, i == 3 ? 4000 : 100);
	for (unsigned i = 0; i < 100; i++)
		prices_step(four, s, 4);
	assert_prices(&s[0], 100, 100); /* both are full, so neither is dearer */
	assert_prices(&s[1], 100, 100);
	assert_prices(&s[2], 400000, 100);
}

/* Bins as they come: quiet, loaded, missing, lopsided. */
static void play(uint64_t seed, struct prices_state *s, size_t n)
{
	struct prices_edge edges[8] = { 0 };
	for (size_t i = 0; i < n; i++)
		prices_start(&s[i], (uint32_t)i / 4, (uint32_t)random_below(&seed, 100), 10);
	for (unsigned bin = 0; bin < 500; bin++) {
		for (size_t i = 0; i < n; i++) {
			edges[i] = loaded((double)random_below(&seed, 120),
			                  (double)random_below(&seed, 120));
			edges[i].known = random_below(&seed, 10) > 0;
			edges[i].ratio_limit_milli = i % 2 == 0 ? 1800 : 0;
			edges[i].budget[PRICES_IN].bps = i % 3 == 0 ? 5ULL * GBIT : 0;
			edges[i].budget[PRICES_IN].load_bps = edges[i].load_bps[PRICES_IN];
		}
		prices_step(edges, s, n);
		for (size_t i = 0; i < n; i++)
			for (unsigned d = 0; d < PRICES_DIRECTIONS; d++) {
				const struct prices_way *w = &s[i].way[d];
				assert_true(w->in_force >= w->cost && w->price >= w->cost);
				assert_true(w->in_force <= 10000 && w->price <= 10000);
			}
	}
}

static void the_same_bins_give_the_same_prices(void **state)
{
	(void)state;
	struct prices_state once[8], again[8], other[8];
	memset(once, 0, sizeof(once));
	memset(again, 0, sizeof(again));
	memset(other, 0, sizeof(other));
	play(7, once, 8);
	play(7, again, 8);
	play(8, other, 8);
	assert_memory_equal(once, again, sizeof(once));
	assert_memory_not_equal(once, other, sizeof(once));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_direction_above_its_target_grows_dearer_and_cheaper_again_below),
	cmocka_unit_test(no_step_and_no_price_passes_its_bound),
	cmocka_unit_test(a_small_move_waits_until_it_is_worth_it),
	cmocka_unit_test(a_load_that_is_not_known_changes_nothing),
	cmocka_unit_test(what_has_no_limits_keeps_its_documented_price),
	cmocka_unit_test(what_is_documented_as_free_can_become_dear),
	cmocka_unit_test(a_ratio_is_held_from_the_warn_level_on_both_sides),
	cmocka_unit_test(the_direction_that_a_ratio_lacks_falls_as_fast_as_it_may),
	cmocka_unit_test(one_noisy_bin_is_no_ratio),
	cmocka_unit_test(a_budget_counts_when_the_free_bins_are_gone),
	cmocka_unit_test(when_all_are_full_the_fuller_grow_dearer_and_the_others_cheaper),
	cmocka_unit_test(a_link_alone_is_held_to_its_two_directions),
	cmocka_unit_test(each_provider_has_a_target_of_its_own),
	cmocka_unit_test(the_same_bins_give_the_same_prices),
};

RUN_TESTS(tests)
