/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/auth/failures.h"

static struct ip_addr at(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_parse(text, &a), ERR_OK);
	return a;
}

static uint32_t wait_of(struct failures *f, const char *from, int64_t now)
{
	const struct ip_addr a = at(from);
	return failures_note(f, &a, now).wait_seconds;
}

static void an_address_has_so_many_a_minute(void **state)
{
	(void)state;
	struct failures *f = failures_new(1);
	const struct ip_addr bad = at("192.0.2.1");
	assert_non_null(f);
	for (int i = 0; i < FAILURES_PER_ADDRESS; i++)
		assert_int_equal(wait_of(f, "192.0.2.1", 100), 0);
	struct failures_verdict v = failures_note(f, &bad, 110);
	assert_int_equal(v.wait_seconds, 50);
	assert_true(v.tell);
	assert_false(v.prefix);
	assert_int_equal(v.of.length, 32);
	assert_false(failures_note(f, &bad, 111).tell); /* one line is enough */
	assert_int_equal(wait_of(f, "192.0.2.2", 110), 0);
	assert_int_equal(wait_of(f, "192.0.2.1", 159), 1);
	assert_int_equal(wait_of(f, "192.0.2.1", 160), 0); /* another minute */
	failures_free(f);
}

static void an_ipv6_subscriber_is_one(void **state)
{
	(void)state;
	static const char *const of_one[] = { "2001:db8:0:1::1", "2001:db8:0:1:ffff::2" };
	struct failures *f = failures_new(2);
	assert_non_null(f);
	for (int i = 0; i < FAILURES_PER_ADDRESS; i++)
		assert_int_equal(wait_of(f, of_one[i % 2], 0), 0);
	assert_int_equal(wait_of(f, of_one[0], 0), 60);
	assert_int_equal(wait_of(f, of_one[1], 0), 60);
	assert_int_equal(wait_of(f, "2001:db8:0:2::1", 0), 0);
	failures_free(f);
}

static void a_prefix_has_so_many_in_all(void **state)
{
	(void)state;
	struct failures *f = failures_new(3);
	char text[32];
	assert_non_null(f);
	for (int i = 0; i < FAILURES_PER_PREFIX; i++) {
		(void)snprintf(text, sizeof(text), "198.51.100.%d", i);
		assert_int_equal(wait_of(f, text, 0), 0);
	}
	const struct ip_addr fresh = at("198.51.100.200");
	const struct failures_verdict v = failures_note(f, &fresh, 1);
	assert_int_equal(v.wait_seconds, 59);
	assert_true(v.prefix);
	assert_int_equal(v.of.length, 24);
	assert_int_equal(wait_of(f, "198.51.101.1", 1), 0);
	failures_free(f);
}

static void many_addresses_take_no_more_memory(void **state)
{
	(void)state;
	struct failures *f = failures_new(4);
	char text[48];
	assert_non_null(f);
	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
		(void)wait_of(f, text, 0);
	}
	failures_free(f);
	failures_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_address_has_so_many_a_minute),
	cmocka_unit_test(an_ipv6_subscriber_is_one),
	cmocka_unit_test(a_prefix_has_so_many_in_all),
	cmocka_unit_test(many_addresses_take_no_more_memory),
};

RUN_TESTS(tests)
