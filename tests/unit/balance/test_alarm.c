/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/alarm.h"
#include "common/base/random.h"

#include <string.h>

enum { BIN = 300 };

/* Above 85 for three bins, good again from 80 down for two. */
static const struct alarm_rule rule = { .raise = 85,
	                                .clear = 80,
	                                .raise_after = 2 * BIN,
	                                .clear_after = 1 * BIN,
	                                .forget_after = 10 * BIN,
	                                .flap_max = 3,
	                                .flap_seconds = 40 * BIN };

static int64_t now;
static struct alarm a;

static int begin(void **state)
{
	(void)state;
	now = 1000 * BIN;
	a = (struct alarm){ 0 };
	return 0;
}

static enum alarm_state step(double value)
{
	now += BIN;
	alarm_step(&rule, &a, value, now);
	return a.state;
}

static void until_it_fires(void)
{
	for (unsigned i = 0; i < 3; i++)
		(void)step(90);
	assert_int_equal(a.state, ALARM_FIRING);
}

static void it_is_raised_when_the_condition_has_lasted(void **state)
{
	(void)state;
	assert_int_equal(step(85), ALARM_CLEAR); /* at the threshold is not beyond it */
	assert_int_equal(step(86), ALARM_PENDING);
	assert_int_equal(step(86), ALARM_PENDING);
	assert_int_equal(step(84), ALARM_CLEAR);
	assert_int_equal(step(86), ALARM_PENDING);
	assert_int_equal(step(86), ALARM_PENDING);
	assert_int_equal(step(86), ALARM_FIRING);
	assert_int_equal(a.since, now);
}

static void it_is_cleared_at_another_value_than_it_is_raised_at(void **state)
{
	(void)state;
	until_it_fires();
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(step(81), ALARM_FIRING);
	assert_int_equal(step(80), ALARM_FIRING);
	assert_int_equal(step(81), ALARM_FIRING); /* begins anew */
	assert_int_equal(step(80), ALARM_FIRING);
	assert_int_equal(step(80), ALARM_RESOLVED);
	assert_int_equal(step(80), ALARM_RESOLVED);
	assert_int_equal(step(86), ALARM_PENDING);
}

static void low_values_may_be_the_bad_ones(void **state)
{
	(void)state;
	const struct alarm_rule low = { .below = true, .raise = 10, .clear = 12 };
	alarm_step(&low, &a, 10, now);
	assert_int_equal(a.state, ALARM_CLEAR);
	alarm_step(&low, &a, 9, now);
	assert_int_equal(a.state, ALARM_FIRING); /* at once */
	alarm_step(&low, &a, 11, now);
	assert_int_equal(a.state, ALARM_FIRING);
	alarm_step(&low, &a, 12, now);
	assert_int_equal(a.state, ALARM_RESOLVED);
}

static void without_a_value_nothing_is_proven(void **state)
{
	(void)state;
	(void)step(90);
	(void)step(90);
	assert_int_equal(step(ALARM_UNKNOWN), ALARM_CLEAR);
	until_it_fires();
	for (unsigned i = 1; i < 10; i++)
		assert_int_equal(step(ALARM_UNKNOWN), ALARM_FIRING);
	assert_true(a.value == 90);
	assert_int_equal(step(ALARM_UNKNOWN), ALARM_RESOLVED); /* gone for ten bins */
}

static void one_that_flaps_is_held(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		until_it_fires();
		assert_int_equal(alarm_flaps(&rule, &a), i == 2);
		(void)step(10);
		(void)step(10);
	}
	assert_int_equal(a.state, ALARM_FIRING);
	for (unsigned i = 0; i < 38; i++)
		assert_int_equal(step(10), ALARM_FIRING);
	assert_int_equal(step(10), ALARM_RESOLVED);
	until_it_fires();
	assert_false(alarm_flaps(&rule, &a));
}

static void each_turn_is_told_once(void **state)
{
	(void)state;
	(void)step(90);
	assert_int_equal(alarm_tell(&a, now), ALARM_NO_NEWS);
	until_it_fires();
	assert_int_equal(alarm_tell(&a, now), ALARM_FIRES);
	assert_int_equal(alarm_tell(&a, now), ALARM_NO_NEWS);
	(void)step(10);
	(void)step(10);
	assert_int_equal(alarm_tell(&a, now), ALARM_ENDED);
	assert_int_equal(alarm_tell(&a, now), ALARM_NO_NEWS);
}

static void a_mute_delays_and_swallows(void **state)
{
	(void)state;
	until_it_fires();
	a.muted_until = now + 10;
	assert_int_equal(alarm_tell(&a, now + 9), ALARM_NO_NEWS);
	assert_int_equal(alarm_tell(&a, now + 10), ALARM_FIRES);
	a.muted_until = now + 100 * BIN;
	(void)step(10);
	(void)step(10); /* resolved */
	until_it_fires();
	assert_int_equal(alarm_tell(&a, a.muted_until), ALARM_NO_NEWS); /* as it was told before */
}

static void being_raised_anew_ends_an_acknowledgement(void **state)
{
	(void)state;
	until_it_fires();
	a.acknowledged_at = now;
	(void)step(90);
	(void)step(10);
	(void)step(10);
	assert_true(a.acknowledged_at > 0);
	until_it_fires();
	assert_int_equal(a.acknowledged_at, 0);
}

static void a_clock_that_is_put_right_is_not_waited_for(void **state)
{
	(void)state;
	now += 1000L * BIN;
	(void)step(90);
	now -= 1000L * BIN;
	until_it_fires();
	now += 1000L * BIN;
	assert_int_equal(step(10), ALARM_FIRING);
	now -= 1000L * BIN;
	assert_int_equal(step(10), ALARM_FIRING);
	assert_int_equal(step(10), ALARM_RESOLVED);
}

/* ---- a trivial model: all that was ever measured, read again at every step ---- */

enum { STEPS = 3000 };

struct history {
	int64_t at[STEPS];
	double value[STEPS];
	bool fires[STEPS]; /* after the step */
	size_t n;
};

/* When it was raised, the last time and by how many before in its window. */
static uint32_t raises(const struct history *h, const struct alarm_rule *r)
{
	uint32_t n = 0;
	int64_t from = 0;
	for (size_t i = 0; i < h->n; i++) {
		if (!h->fires[i] || (i > 0 && h->fires[i - 1]))
			continue;
		if (n == 0 || h->at[i] - from >= r->flap_seconds) {
			from = h->at[i];
			n = 0;
		}
		n++;
	}
	return n;
}

static bool model_fires(const struct history *h, const struct alarm_rule *r, size_t i)
{
	const bool fired = i > 0 && h->fires[i - 1];
	size_t k = i;
	if (!fired) { /* bad all the way back, to the step after it last fired */
		if (!(h->value[i] > r->raise))
			return false;
		while (k > 0 && h->value[k - 1] > r->raise && !h->fires[k - 1])
			k--;
		return h->at[i] - h->at[k] >= r->raise_after;
	}
	if (isnan(h->value[i])) {
		while (isnan(h->value[k]))
			k--;
		return h->at[i] - h->at[k] < r->forget_after;
	}
	if (h->value[i] > r->clear)
		return true;
	size_t first = i; /* the first good one since one that was not, or since it fires */
	for (k = i; k > 0 && h->fires[k - 1] && !(h->value[k] > r->clear); k--)
		if (!isnan(h->value[k]))
			first = k;
	int64_t quiet = r->clear_after;
	if (r->flap_max > 0 && raises(h, r) >= r->flap_max && r->flap_seconds > quiet)
		quiet = r->flap_seconds;
	return h->at[i] - h->at[first] < quiet;
}

static void compare(uint64_t seed)
{
	static struct history h;
	uint64_t r = seed;
	const struct alarm_rule any = { .raise = 6,
		                        .clear = 3 + (double)random_below(&r, 4),
		                        .raise_after = random_below(&r, 6),
		                        .clear_after = random_below(&r, 6),
		                        .forget_after = 1 + random_below(&r, 20),
		                        .flap_max = random_below(&r, 4),
		                        .flap_seconds = random_below(&r, 60) };
	struct alarm x = { 0 };
	bool told = false;
	h.n = 0;
	for (size_t i = 0; i < STEPS; i++) {
		const uint32_t lot = random_below(&r, 12);
		h.at[i] = (i > 0 ? h.at[i - 1] : 5) + random_below(&r, 4);
		h.value[i] = lot > 9 ? ALARM_UNKNOWN : lot;
		if (random_below(&r, 3) > 0 && i > 0) /* what is stays for a while */
			h.value[i] = h.value[i - 1];
		alarm_step(&any, &x, h.value[i], h.at[i]);
		const bool fires = model_fires(&h, &any, i);
		h.fires[i] = fires;
		h.n = i + 1; /* only now: raises() must not see this step */
		assert_int_equal(x.state == ALARM_FIRING, fires);
		const enum alarm_news news = alarm_tell(&x, h.at[i]);
		assert_int_equal(news, fires == told ? ALARM_NO_NEWS
		                                     : (fires ? ALARM_FIRES : ALARM_ENDED));
		told = fires;
	}
}

static void it_does_what_a_trivial_model_does(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++)
		compare(seed);
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

static const struct CMUnitTest tests[] = {
	TEST(it_is_raised_when_the_condition_has_lasted),
	TEST(it_is_cleared_at_another_value_than_it_is_raised_at),
	TEST(low_values_may_be_the_bad_ones),
	TEST(without_a_value_nothing_is_proven),
	TEST(one_that_flaps_is_held),
	TEST(each_turn_is_told_once),
	TEST(a_mute_delays_and_swallows),
	TEST(being_raised_anew_ends_an_acknowledgement),
	TEST(a_clock_that_is_put_right_is_not_waited_for),
	TEST(it_does_what_a_trivial_model_does),
};

RUN_TESTS(tests)
