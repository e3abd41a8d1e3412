/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/steer/arms.h"

#include <math.h>

enum { SWARMS = 100000 };

static const uint64_t provider = 0x1234567890abcdefU, other = 0xfedcba0987654321U;

/* How many of the swarms are in the control groups of both. */
static unsigned in_both(uint64_t a, uint64_t b, unsigned percent)
{
	uint64_t seed = 7;
	unsigned n = 0;
	for (unsigned i = 0; i < SWARMS; i++) {
		const uint64_t swarm = random_next(&seed);
		n += steer_in_control(swarm, a, percent) && steer_in_control(swarm, b, percent);
	}
	return n;
}

/* Within five standard deviations of a binomial share. */
static void assert_share(unsigned n, double p)
{
	const double mean = SWARMS * p, deviation = sqrt(SWARMS * p * (1 - p));
	if (fabs(n - mean) > 5 * deviation)
		fail_msg("%u of %d, not %.0f +- %.0f", n, SWARMS, mean, 5 * deviation);
}

static void the_share_is_what_was_asked_for(void **state)
{
	(void)state;
	static const unsigned percents[] = { 0, 1, 5, 20, 50, 99, 100 };
	for (size_t i = 0; i < sizeof(percents) / sizeof(*percents); i++)
		assert_share(in_both(provider, provider, percents[i]), percents[i] / 100.0);
}

/* Hashes that differ in one bit only, or count up, are no special case. */
static void the_share_holds_for_hashes_that_look_alike(void **state)
{
	(void)state;
	unsigned n = 0;
	for (uint64_t i = 0; i < SWARMS; i++)
		n += steer_in_control(i, provider, 5);
	assert_share(n, 0.05);
	n = 0;
	for (uint64_t i = 0; i < SWARMS; i++)
		n += steer_in_control(42, i, 5);
	assert_share(n, 0.05);
}

static void providers_draw_independent_lots(void **state)
{
	(void)state;
	assert_share(in_both(provider, other, 20), 0.04);
	assert_share(in_both(provider, provider + 1, 20), 0.04);
}

static void a_larger_share_keeps_whoever_was_in_a_smaller_one(void **state)
{
	(void)state;
	for (uint64_t swarm = 0; swarm < 1000; swarm++) {
		bool in = false;
		for (unsigned percent = 0; percent <= 100; percent++) {
			const bool now = steer_in_control(swarm, provider, percent);
			assert_true(now || !in);
			in = now;
		}
		assert_true(in);
	}
}

static void an_arm_has_its_rules(void **state)
{
	(void)state;
	static const struct steer_rules p4p = { .policy = STEER_P4P };
	for (uint64_t swarm = 0; swarm < 1000; swarm++) {
		const struct steer_rules *rules = steer_arm(&p4p, swarm, provider, 30);
		if (steer_in_control(swarm, provider, 30))
			assert_int_equal(rules->policy, STEER_NATIVE);
		else
			assert_ptr_equal(rules, &p4p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_share_is_what_was_asked_for),
		cmocka_unit_test(the_share_holds_for_hashes_that_look_alike),
		cmocka_unit_test(providers_draw_independent_lots),
		cmocka_unit_test(a_larger_share_keeps_whoever_was_in_a_smaller_one),
		cmocka_unit_test(an_arm_has_its_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
