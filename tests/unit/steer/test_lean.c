/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/steer/lean.h"

static const struct steer_rules rules = { .policy = STEER_BRIDGE, .free_percent = 100 };

struct row {
	struct steer_standing standing;
	int32_t gain;
	uint32_t is;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct steer_standing *s = &rows[i].standing;
		const uint32_t usual = steer_contacts(&rules, s).free;
		const uint32_t is = steer_lean_contacts(&rules, s, rows[i].gain, usual);
		if (is != rows[i].is)
			fail_msg("row %zu: %u instead of %u, and %u as usual", i, is, rows[i].is,
			         usual);
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(*(rows)))

/* Near enough for anybody's health. */
#define HOME(...)                                                          \
	{                                                                  \
		.known = true, .near = 20, .seed_contacts = 1, __VA_ARGS__ \
	}

static void without_a_premium_nothing_changes(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4096; i++) {
		const struct steer_standing s = { .seeding = i & 1,
			                          .known = i >> 1 & 1,
			                          .lot = i,
			                          .own = i >> 2 & 3,
			                          .near = (i >> 4 & 3) * 3,
			                          .seeds = i >> 6 & 1,
			                          .leechers = 1 + (i >> 7 & 3) * 10,
			                          .age = (i >> 9 & 1) * 100,
			                          .contacts = (i >> 10 & 3) * 5 };
		for (uint32_t usual = 0; usual < 8; usual++)
			assert_int_equal(steer_lean_contacts(&rules, &s, 0, usual), usual);
	}
	assert_true(steer_lean_worth(0) >= 1 && steer_lean_worth(0) <= 1);
}

static void what_is_welcome_grows_with_the_premium(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* Seeds at home, and both safety contacts used: 50 % is a contact for every other. */
		{ HOME(.seeds = 3, .leechers = 20, .contacts = 2, .lot = 49), 50, 1 },
		{ HOME(.seeds = 3, .leechers = 20, .contacts = 2, .lot = 50), 50, 0 },
		{ HOME(.seeds = 3, .leechers = 20, .contacts = 9, .lot = 49), 50, 1 },
		{ HOME(.seeds = 3, .leechers = 20, .contacts = 10, .lot = 49), 50, 0 },
		{ HOME(.seeds = 3, .leechers = 20, .contacts = 2), 300, 3 },
		{ HOME(.seeds = 3, .leechers = 20, .contacts = 2, .own = 2), 300, 1 },
		/* STEER_LEAN_EACH, STEER_CONTACTS_MAX */
		{ HOME(.seeds = 3, .leechers = 20, .contacts = 2), MAP_LEAN_MAX, 8 },
		{ HOME(.seeds = 3, .leechers = 1000, .contacts = 61), MAP_LEAN_MAX, 3 },
		{ HOME(.seeds = 3, .leechers = 1000, .contacts = 64), MAP_LEAN_MAX, 0 },
		/* Seeds that shall give. */
		{ HOME(.seeding = true, .seeds = 3), 200, 2 },
		{ HOME(.seeding = true, .seeds = 3, .contacts = 6), 200, 0 },
		/* Never fewer than usual. */
		{ HOME(.leechers = 100), 1, 2 },
	};
	CHECK(rows);
}

static void what_is_not_welcome_shrinks_and_does_not_end(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* Up to twice the cost budgets stay; then 100 leechers have 50, 10, STEER_SAFETY. */
		{ HOME(.leechers = 100, .contacts = 63), -100, 1 },
		{ HOME(.leechers = 100, .contacts = 49), -200, 1 },
		{ HOME(.leechers = 100, .contacts = 50), -200, 0 },
		{ HOME(.leechers = 100, .contacts = 10), -1000, 0 },
		{ HOME(.leechers = 100, .contacts = 1), -MAP_LEAN_MAX, 1 },
		{ HOME(.leechers = 100, .contacts = 2), -MAP_LEAN_MAX, 0 },
		/* Few peers: STEER_CONTACTS for a newcomer as for others, and STEER_HEALTH before. */
		{ { .known = true, .seeds = 1, .contacts = 9 }, -100, 6 },
		{ { .known = true, .seeds = 1, .contacts = 9 }, -101, 2 },
		{ { .seeds = 1, .contacts = 9 }, -MAP_LEAN_MAX, 2 },
	};
	CHECK(rows);
	assert_true(steer_is_island(&(struct steer_standing){ .leechers = 1 }));
}

static void worth_is_in_proportion_both_ways(void **state)
{
	(void)state;
	assert_float_equal(steer_lean_worth(100), 2, 1e-9);
	assert_float_equal(steer_lean_worth(900), 10, 1e-9);
	assert_float_equal(steer_lean_worth(-100), .5, 1e-9);
	assert_float_equal(steer_lean_worth(-900), .1, 1e-9);
	for (int32_t gain = -MAP_LEAN_MAX; gain < MAP_LEAN_MAX; gain += 7)
		assert_true(steer_lean_worth(gain) < steer_lean_worth(gain + 7));
	assert_int_equal(steer_gain(7, false), 7);
	assert_int_equal(steer_gain(7, true), -7);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(without_a_premium_nothing_changes),
	cmocka_unit_test(what_is_welcome_grows_with_the_premium),
	cmocka_unit_test(what_is_not_welcome_shrinks_and_does_not_end),
	cmocka_unit_test(worth_is_in_proportion_both_ways),
};

RUN_TESTS(tests)
