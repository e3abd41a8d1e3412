/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/limits.h"

#include "common/base/random.h"
#include "tests/unit/address.h"

#include <pthread.h>
#include <stdlib.h>

static const uint8_t secret[16] = "sixteen bytes..";

static struct limits *l;

static int open_limits(void **state)
{
	(void)state;
	l = limits_new(secret);
	return l == NULL;
}

static int close_limits(void **state)
{
	(void)state;
	limits_free(l);
	limits_free(NULL);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_limits, close_limits)

/* How many of `n` announces at one time pass. */
static unsigned passing(const struct limits_rates *rates, const char *from, uint64_t now,
                        unsigned n)
{
	const struct ip_addr a = address(from);
	unsigned good = 0;
	for (unsigned i = 0; i < n; i++)
		good += limits_take(l, rates, LIMITS_ANNOUNCES, &a, now) == LIMITS_GOOD;
	return good;
}

static void a_bucket_holds_a_minute_and_fills_steadily(void **state)
{
	(void)state;
	static const unsigned per_minute[] = { 1, 2, 7, 60, 6000, 60000 };
	for (size_t i = 0; i < sizeof(per_minute) / sizeof(per_minute[0]); i++) {
		const struct limits_rates r = { .address_us = limits_pace(per_minute[i]) };
		char from[IP_TEXT_SIZE];
		const unsigned n = per_minute[i];
		uint64_t now = 5000;
		(void)snprintf(from, sizeof(from), "192.0.2.%zu", i);
		assert_int_equal(passing(&r, from, now, 2 * n + 5), n);
		now += 60000 / n + 1;
		assert_int_equal(passing(&r, from, now, 5), n < 60000 ? 1 : 2);
		now += 200000; /* more than full is full */
		assert_int_equal(passing(&r, from, now, 2 * n + 5), n);
		now += 30000;
		assert_true(passing(&r, from, now, n) - n / 2 <= 1);
	}
	assert_int_equal(limits_pace(0), 0);
}

static void counts_by_address_64_24_and_48(void **state)
{
	(void)state;
	static const struct {
		const char *first, *second;
		bool same_address, same_prefix;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true, true },
		{ "192.0.2.1", "192.0.2.2", false, true },
		{ "192.0.2.1", "192.0.3.1", false, false },
		{ "2001:db8::1", "2001:db8::ffff:0:0:2", true, true },
		{ "2001:db8::1", "2001:db8:0:1::1", false, true },
		{ "2001:db8::1", "2001:db8:1::1", false, false },
		{ "32.1.13.184", "2001:db8::1", false, false }, /* the same first bytes */
	};
	static const struct limits_rates address_only = { .address_us = 60000000 },
					 prefix_only = { .prefix_us = 60000000 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ip_addr a = address(rows[i].first), b = address(rows[i].second);
		const uint64_t now = (i + 1) * 1000000; /* all buckets are full again */
		assert_int_equal(limits_take(l, &address_only, LIMITS_ANNOUNCES, &a, now),
		                 LIMITS_GOOD);
		assert_int_equal(limits_take(l, &address_only, LIMITS_ANNOUNCES, &b, now),
		                 rows[i].same_address ? LIMITS_ADDRESS : LIMITS_GOOD);
		assert_int_equal(limits_take(l, &prefix_only, LIMITS_ANNOUNCES, &a, now),
		                 LIMITS_GOOD);
		assert_int_equal(limits_take(l, &prefix_only, LIMITS_ANNOUNCES, &b, now),
		                 rows[i].same_prefix ? LIMITS_PREFIX : LIMITS_GOOD);
		/* Connects have buckets of their own. */
		assert_int_equal(limits_take(l, &address_only, LIMITS_CONNECTS, &a, now),
		                 LIMITS_GOOD);
	}
}

static void what_an_address_may_not_costs_its_prefix_nothing(void **state)
{
	(void)state;
	const struct limits_rates r = { limits_pace(2), limits_pace(4) };
	assert_int_equal(passing(&r, "192.0.2.1", 1000, 100), 2);
	assert_int_equal(passing(&r, "192.0.2.2", 1000, 100), 2);
	assert_int_equal(passing(&r, "192.0.2.3", 1000, 100), 0);
}

/* 400,000 others fill the table to three quarters; whoever is asked about again has its own bucket. */
static void a_crowd_makes_nobody_suffer(void **state)
{
	(void)state;
	static const struct limits_rates r = { .address_us = 60000000 / 2 };
	enum { CROWD = 400000 };
	unsigned refused = 0, forgotten = 0;
	for (uint32_t i = 0; i < CROWD; i++) {
		const struct ip_addr a = ip_v4(0x0b000000 + i);
		refused += limits_take(l, &r, LIMITS_ANNOUNCES, &a, 1000) != LIMITS_GOOD;
	}
	/* A shared bucket needs the same 32 bits of the hash: 400,000^2 / 2^33 = 19, of two tokens. */
	assert_true(refused <= 2);
	for (uint32_t i = 0; i < 1000; i++) {
		const struct ip_addr a = ip_v4(0x0b000000 + CROWD - 1 - i * 16);
		unsigned good = 0;
		for (unsigned k = 0; k < 4; k++)
			good += limits_take(l, &r, LIMITS_ANNOUNCES, &a, 1000) == LIMITS_GOOD;
		forgotten += good != 1;
	}
	assert_true(forgotten < 300); /* lines are not equally full */
}

enum { EACH = 200000, THREADS = 4 };

static void *hammer(void *arg)
{
	static const struct limits_rates r = { 6000, 60 };
	unsigned *good = arg;
	const struct ip_addr a = address("192.0.2.1");
	for (unsigned i = 0; i < EACH; i++)
		*good += limits_take(l, &r, LIMITS_ANNOUNCES, &a, 1000) == LIMITS_GOOD;
	return NULL;
}

static void threads_share_a_bucket(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	unsigned good[THREADS] = { 0 }, all = 0;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &good[i]), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		all += good[i];
	}
	assert_in_range(all, 10000, THREADS * 10000);
	assert_int_equal(passing(&(struct limits_rates){ 6000, 60 }, "192.0.2.1", 1000, 10), 0);
}

static const struct CMUnitTest tests[] = {
	TEST(a_bucket_holds_a_minute_and_fills_steadily),
	TEST(counts_by_address_64_24_and_48),
	TEST(what_an_address_may_not_costs_its_prefix_nothing),
	TEST(a_crowd_makes_nobody_suffer),
	TEST(threads_share_a_bucket),
};

RUN_TESTS(tests)
