/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/connection.h"

#include "tests/unit/test.h"

static const uint8_t key[HASH_KEY_SIZE] = { 1, 2, 3 };
static const struct ip_addr home = { .bytes = { 192, 0, 2, 1 }, .family = IP_V4 };

enum { LIFETIME = 120 };

static void holds_for_two_minutes(void **state)
{
	(void)state;
	static const struct {
		int64_t age;
		bool valid;
	} rows[] = { { 0, true },    { 1, true },       { 120, true },
		     { 121, false }, { 100000, false }, { -2, true }, /* clocks of two workers */
		     { -3, false },  { -100000, false } };
	static const uint32_t starts[] = { 0, 5, 1000, 0x7fffffff, UINT32_MAX - 60, UINT32_MAX };
	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		const uint64_t id = connection_id(key, &home, starts[s]);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			const uint32_t now = (uint32_t)(starts[s] + rows[i].age);
			if (connection_check(key, &home, now, LIFETIME, id) != rows[i].valid)
				fail_msg("start %u age %d", starts[s], (int)rows[i].age);
		}
	}
}

static void holds_as_long_as_it_is_told_to(void **state)
{
	(void)state;
	static const uint32_t lifetimes[] = { 60, 120, 86400 };
	const uint64_t id = connection_id(key, &home, 1000);
	for (size_t i = 0; i < sizeof(lifetimes) / sizeof(lifetimes[0]); i++) {
		const uint32_t last = 1000 + lifetimes[i];
		assert_true(connection_check(key, &home, last, lifetimes[i], id));
		assert_false(connection_check(key, &home, last + 1, lifetimes[i], id));
	}
}

static void belongs_to_one_address_and_one_key(void **state)
{
	(void)state;
	const uint64_t id = connection_id(key, &home, 1000);
	struct ip_addr other = home;
	other.bytes[3] = 2;
	assert_false(connection_check(key, &other, 1000, LIFETIME, id));
	other = home;
	other.family = IP_V6; /* the same bytes in the other family */
	assert_false(connection_check(key, &other, 1000, LIFETIME, id));
	const uint8_t other_key[HASH_KEY_SIZE] = { 1, 2, 4 };
	assert_false(connection_check(other_key, &home, 1000, LIFETIME, id));
}

static void refuses_every_flipped_bit(void **state)
{
	(void)state;
	const uint64_t id = connection_id(key, &home, 1000);
	for (unsigned bit = 0; bit < 64; bit++)
		assert_false(connection_check(key, &home, 1000, LIFETIME, id ^ (uint64_t)1 << bit));
	assert_false(connection_check(key, &home, 1000, LIFETIME, 0));
	assert_false(connection_check(key, &home, 1000, LIFETIME, 0x41727101980));
}

static void changes_every_second(void **state)
{
	(void)state;
	assert_true((uint32_t)connection_id(key, &home, 1000) !=
	            (uint32_t)connection_id(key, &home, 1001));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(holds_for_two_minutes),
	cmocka_unit_test(holds_as_long_as_it_is_told_to),
	cmocka_unit_test(belongs_to_one_address_and_one_key),
	cmocka_unit_test(refuses_every_flipped_bit),
	cmocka_unit_test(changes_every_second),
};

RUN_TESTS(tests)
