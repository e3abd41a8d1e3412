/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/choice/choice.h"

static const struct steer_rules bridge = {
	.policy = STEER_BRIDGE, .list_length = 20, .free_percent = 150, .paid_percent = 50
};

/* Thirty leechers without a seed, of whom one is asked about: nobody near, and nobody met. */
static const struct steer_standing usual = {
	.known = true, .leechers = 30, .age = 100, .near = 10
};

static void a_budget_is_of_the_provider(void **state)
{
	(void)state;
	static const struct {
		uint32_t seeds, leechers, contacts, free, paid;
		bool seeding;
	} rows[] = {
		{ 0, 30, 0, 45, 15, false },
		{ 0, 30, 44, 45, 15, false }, /* whatever of it is used */
		{ 0, 1, 0, 2, 2, false },     /* the safety */
		{ 0, 1000, 0, 64, 64, false },
		{ 1, 1000, 0, 2, 2, false },
		{ 1, 1000, 0, 0, 0, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct steer_standing s = usual;
		s.seeds = rows[i].seeds;
		s.leechers = rows[i].leechers;
		s.contacts = rows[i].contacts;
		s.seeding = rows[i].seeding;
		const struct steer_contacts budget = choice_budget(&bridge, &s, 0);
		assert_int_equal(budget.free, rows[i].free);
		assert_int_equal(budget.paid, rows[i].paid);
	}
	struct steer_standing unlucky = usual; /* the lot gives this newcomer nothing */
	unlucky.known = false;
	unlucky.lot = 99;
	assert_int_equal(choice_budget(&bridge, &unlucky, 0).paid, 15);
}

/* Towards it in proportion to those who pull, or serve, up to what anybody gets; against it, shrunk. */
static void a_budget_leans_with_the_interconnect(void **state)
{
	(void)state;
	struct steer_standing s = usual;
	assert_int_equal(choice_budget(&bridge, &s, 200).free, 60);
	assert_int_equal(choice_budget(&bridge, &s, 50).free, 45);
	assert_int_equal(choice_budget(&bridge, &s, -100).free, 45);
	assert_int_equal(choice_budget(&bridge, &s, -300).free, 15);
	assert_int_equal(choice_budget(&bridge, &s, 200).paid, 15);
	s.seeds = 1;
	s.lot = 99; /* the asker would get none of it */
	assert_int_equal(choice_budget(&bridge, &s, 50).free, 15);
	s.seeding = true;
	assert_int_equal(choice_budget(&bridge, &s, 400).free, 4);
	assert_int_equal(choice_budget(&bridge, &s, -400).free, 0);
}

static void health_is_less_for_the_first(void **state)
{
	(void)state;
	struct steer_standing s = usual;
	assert_int_equal(choice_health(&bridge, &s, 0), STEER_HEALTH);
	assert_int_equal(choice_health(&bridge, &s, 500), STEER_HEALTH);
	assert_int_equal(choice_health(&bridge, &s, -500), STEER_CONTACTS);
	s.known = false;
	s.age = 0;
	assert_int_equal(choice_health(&bridge, &s, 0), STEER_CONTACTS);
}

static void every_part_of_a_list_has_its_reason(void **state)
{
	(void)state;
	static struct choice c;
	c.n = 8;
	c.n_near = 2;
	c.n_met = 1;
	c.standing = usual;
	static const struct {
		size_t i;
		uint32_t contacts;
		bool rescued;
		enum map_tier tier;
		enum choice_reason reason;
		int32_t gain;
	} rows[] = {
		{ 1, 0, true, TIER_SAME_PID, CHOICE_NEAR, 0 },
		{ 2, 0, true, TIER_TRANSIT, CHOICE_MET, 0 },
		{ 3, 0, true, TIER_TRANSIT, CHOICE_ISLAND, 0 }, /* the first who is new */
		{ 4, 0, true, TIER_TRANSIT, CHOICE_BUDGET, 0 },
		{ 3, 0, false, TIER_TRANSIT, CHOICE_BUDGET, 0 },
		{ 3, 15, false, TIER_PAID_PEERING, CHOICE_HEALTH,
		  0 }, /* used up where it costs money */
		{ 3, 15, false, TIER_SETTLEMENT_FREE, CHOICE_BUDGET, 0 },
		{ 5, 0, false, TIER_SETTLEMENT_FREE, CHOICE_HEALTH, 0 }, /* two are for each */
		{ 5, 0, false, TIER_SETTLEMENT_FREE, CHOICE_LEAN, 300 }, /* three are now */
		{ 4, 0, false, TIER_SETTLEMENT_FREE, CHOICE_BUDGET, 300 },
		{ 5, 0, false, TIER_TRANSIT, CHOICE_HEALTH, 300 }, /* not by such a way */
		{ 3, 15, false, TIER_SETTLEMENT_FREE, CHOICE_HEALTH, -300 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c.standing.contacts = rows[i].contacts;
		c.rescued = rows[i].rescued;
		assert_int_equal(choice_reason(&c, &bridge, rows[i].i, rows[i].tier, rows[i].gain),
		                 rows[i].reason);
	}
}

static void without_contacts_the_policy_is_the_reason(void **state)
{
	(void)state;
	static const struct steer_rules native = { .policy = STEER_NATIVE };
	static const struct steer_rules p4p = { .policy = STEER_P4P };
	static struct choice c;
	assert_int_equal(choice_reason(&c, &native, 0, TIER_SAME_PID, 0), CHOICE_CHANCE);
	assert_int_equal(choice_reason(&c, &p4p, 0, TIER_SAME_PROVIDER, 0), CHOICE_NEAR);
	assert_int_equal(choice_reason(&c, &p4p, 0, TIER_SETTLEMENT_FREE, 0), CHOICE_OUTSIDE);
	c.everybody = true;
	assert_int_equal(choice_reason(&c, &native, 0, TIER_SAME_PID, 0), CHOICE_EVERYBODY);
	assert_int_equal(choice_reason(&c, &p4p, 0, TIER_SAME_PROVIDER, 0), CHOICE_EVERYBODY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_of_the_provider),
		cmocka_unit_test(a_budget_leans_with_the_interconnect),
		cmocka_unit_test(health_is_less_for_the_first),
		cmocka_unit_test(every_part_of_a_list_has_its_reason),
		cmocka_unit_test(without_contacts_the_policy_is_the_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
