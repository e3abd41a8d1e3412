/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/audit.h"
#include "tests/unit/store/opened.h"

#include <stdlib.h>

static void keeps_hashes_and_limits_by_name(void **state)
{
	(void)state;
	const struct store_passkey zoe = { .name = "zo'e", .hash = { 1, 0, 0xff } };
	const struct store_passkey bob = {
		.name = "bob", .hash = { 2 }, .max_peers = 10000, .per_minute = 1000000
	};
	const struct store_passkey same_name = { .name = "bob", .hash = { 3 } };
	const struct store_passkey same_hash = { .name = "eve", .hash = { 2 } };
	struct store_passkey *list;
	size_t n;
	assert_int_equal(store_passkey_add(s, &zoe, "admin"), ERR_OK);
	assert_int_equal(store_passkey_add(s, &bob, "admin"), ERR_OK);
	assert_int_equal(store_passkey_add(s, &same_name, "admin"), ERR_EXISTS);
	assert_int_equal(store_passkey_add(s, &same_hash, "admin"), ERR_EXISTS);
	assert_int_equal(store_passkeys(s, &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].name, "bob");
	assert_int_equal(list[0].max_peers, 10000);
	assert_int_equal(list[0].per_minute, 1000000);
	assert_true(list[0].created > 1700000000);
	assert_string_equal(list[1].name, "zo'e");
	assert_memory_equal(list[1].hash, zoe.hash, 32);
	free(list);
}

static void a_revoked_one_is_gone_and_its_name_free(void **state)
{
	(void)state;
	const struct store_passkey one = { .name = "bob", .hash = { 1 } };
	const struct store_passkey two = { .name = "bob", .hash = { 2 } };
	struct store_passkey *list;
	struct store_audit *audit;
	size_t n;
	assert_int_equal(store_passkey_remove(s, "bob", "admin"), ERR_NOT_FOUND);
	assert_int_equal(store_passkey_add(s, &one, "admin"), ERR_OK);
	assert_int_equal(store_passkey_remove(s, "bob", "admin"), ERR_OK);
	assert_int_equal(store_passkeys(s, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
	assert_int_equal(store_passkey_add(s, &two, "admin"), ERR_OK);
	assert_int_equal(store_audit(s, NULL, 10, &audit, &n), ERR_OK);
	assert_int_equal(n, 3);
	assert_string_equal(audit[1].action, "passkey-remove");
	assert_string_equal(audit[1].subject, "bob");
	free(audit);
}

static void other_daemons_hear_of_it(void **state)
{
	(void)state;
	const struct store_passkey one = { .name = "bob", .hash = { 1 } };
	bool changed = false;
	assert_int_equal(store_wait(s, 2000, &changed), ERR_OK); /* once after it connected */
	assert_int_equal(store_passkey_add(s, &one, "admin"), ERR_OK);
	assert_int_equal(store_wait(s, 5000, &changed), ERR_OK);
	assert_true(changed);
	assert_int_equal(store_passkey_remove(s, "bob", "admin"), ERR_OK);
	assert_int_equal(store_wait(s, 5000, &changed), ERR_OK);
	assert_true(changed);
	assert_int_equal(store_wait(s, 100, &changed), ERR_OK);
	assert_false(changed);
}

static const struct CMUnitTest tests[] = {
	TEST(keeps_hashes_and_limits_by_name),
	TEST(a_revoked_one_is_gone_and_its_name_free),
	TEST(other_daemons_hear_of_it),
};

RUN_TESTS(tests)
