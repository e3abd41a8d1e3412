/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/floods.h"

#include "tests/unit/address.h"

static struct floods *f;

static int open_floods(void **state)
{
	(void)state;
	f = floods_new();
	return f == NULL;
}

static int close_floods(void **state)
{
	(void)state;
	floods_free(f);
	floods_free(NULL);
	return 0;
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, open_floods, close_floods)

static void note(const char *from, unsigned times, uint32_t now)
{
	const struct ip_addr a = address(from);
	for (unsigned i = 0; i < times; i++)
		floods_note(f, LIMITS_ANNOUNCES, LIMITS_ADDRESS, &a, now);
}

static void one_line_a_minute_for_each(void **state)
{
	(void)state;
	struct flood out[8];
	assert_int_equal(floods_due(f, 100, out, 8), 0);
	note("192.0.2.1", 7, 100);
	assert_int_equal(floods_due(f, 101, out, 8), 1);
	assert_int_equal(out[0].count, 7);
	assert_int_equal(out[0].what, LIMITS_ANNOUNCES);
	assert_false(out[0].prefix);
	note("192.0.2.1", 3, 110);
	note("192.0.2.2", 1, 110);
	assert_int_equal(floods_due(f, 111, out, 8), 1); /* the other one */
	assert_int_equal(out[0].count, 1);
	note("192.0.2.1", 2, 150);
	assert_int_equal(floods_due(f, 160, out, 8), 0);
	assert_int_equal(floods_due(f, 161, out, 8), 1);
	assert_int_equal(out[0].count, 5);
	assert_int_equal(floods_due(f, 300, out, 8), 0); /* it stopped */
}

static void what_it_names_can_be_banned(void **state)
{
	(void)state;
	struct flood out[4];
	char text[IP_PREFIX_TEXT_SIZE];
	const struct ip_addr a = address("2001:db8::1:2"), b = address("2001:db8::9");
	floods_note(f, LIMITS_CONNECTS, LIMITS_ADDRESS, &a, 1);
	floods_note(f, LIMITS_CONNECTS, LIMITS_ADDRESS, &b, 1); /* of the same /64 */
	assert_int_equal(floods_due(f, 1, out, 4), 1);
	ip_prefix_print(&out[0].of, text);
	assert_string_equal(text, "2001:db8::1:2/128");
	assert_int_equal(out[0].count, 2);
	assert_int_equal(out[0].what, LIMITS_CONNECTS);

	floods_note(f, LIMITS_ANNOUNCES, LIMITS_PREFIX, &a, 1);
	assert_int_equal(floods_due(f, 1, out, 4), 1);
	ip_prefix_print(&out[0].of, text);
	assert_string_equal(text, "2001:db8::/48");
	assert_true(out[0].prefix);
}

static void a_few_lines_at_a_time_and_everybody_in_turn(void **state)
{
	(void)state;
	struct flood out[5];
	unsigned told = 0, least = 0;
	for (unsigned i = 0; i < 60; i++) {
		const struct ip_addr a = ip_v4(0xc6336400 + i);
		floods_note(f, LIMITS_ANNOUNCES, LIMITS_ADDRESS, &a, 1);
	}
	for (uint32_t now = 1; now < 20; now++) {
		const size_t n = floods_due(f, now, out, 5);
		assert_true(n <= 5);
		told += (unsigned)n;
		least += n > 0 && n < 5;
	}
	assert_in_range(told, 50, 60); /* some shared a place that was taken */
	assert_true(least <= 1);
}

/* 100,000 flooders: memory is fixed, and their places come free when they have stopped. */
static void a_crowd_of_flooders_does_not_grow(void **state)
{
	(void)state;
	struct flood out[1000];
	for (uint32_t i = 0; i < 100000; i++) {
		const struct ip_addr a = ip_v4(0x0b000000 + i);
		floods_note(f, LIMITS_ANNOUNCES, LIMITS_ADDRESS, &a, 1);
	}
	const size_t n = floods_due(f, 1, out, 1000);
	assert_in_range(n, 200, 256);
	note("192.0.2.1", 1, 10);
	assert_int_equal(floods_due(f, 10, out, 1000), 0);
	note("192.0.2.1", 1, 61);
	assert_int_equal(floods_due(f, 61, out, 1000), 1);
}

static const struct CMUnitTest tests[] = {
	TEST(one_line_a_minute_for_each),
	TEST(what_it_names_can_be_banned),
	TEST(a_few_lines_at_a_time_and_everybody_in_turn),
	TEST(a_crowd_of_flooders_does_not_grow),
};

RUN_TESTS(tests)
