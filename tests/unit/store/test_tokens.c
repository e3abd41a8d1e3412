/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/audit.h"
#include "tests/unit/store/opened.h"

#include <stdlib.h>
#include <string.h>

static enum store_secret what;
static const uint8_t one[32] = { 1, 0, '\\', 0xff }, two[32] = { 2 };

static void a_token_is_found_by_its_hash(void **state)
{
	(void)state;
	const struct store_token op = { .name = "o'neil",
		                        .role = STORE_OPERATOR,
		                        .provider = "isp-a" };
	const struct store_token root = { .name = "root", .role = STORE_ADMIN };
	struct store_token t = { .name = "untouched" }, *list;
	uint64_t id = 0;
	size_t n;
	assert_int_equal(store_token_find(s, one, &t, &what), ERR_NOT_FOUND);
	assert_string_equal(t.name, "untouched");
	assert_int_equal(store_token_add(s, &op, one, "admin", &id), ERR_OK);
	assert_int_equal(store_token_add(s, &op, two, "admin", &id), ERR_EXISTS);
	assert_int_equal(store_token_add(s, &root, two, "admin", &id), ERR_OK);

	assert_int_equal(store_token_find(s, one, &t, &what), ERR_OK);
	assert_string_equal(t.name, "o'neil");
	assert_string_equal(t.provider, "isp-a");
	assert_int_equal(t.role, STORE_OPERATOR);
	assert_int_equal(store_token_find(s, two, &t, &what), ERR_OK);
	assert_int_equal(t.role, STORE_ADMIN);
	assert_int_equal(t.id, id);
	assert_string_equal(t.provider, "");

	assert_int_equal(store_tokens(s, &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].name, "o'neil");
	assert_true(list[0].created > 1700000000);
	free(list);
}

static void a_revoked_token_is_gone_and_its_name_free(void **state)
{
	(void)state;
	const struct store_token op = { .name = "op", .role = STORE_OPERATOR, .provider = "isp-a" };
	struct store_token t, *list;
	uint64_t id;
	size_t n;
	assert_int_equal(store_token_add(s, &op, one, "admin", &id), ERR_OK);
	assert_int_equal(store_token_remove(s, "op", "admin"), ERR_OK);
	assert_int_equal(store_token_remove(s, "op", "admin"), ERR_NOT_FOUND);
	assert_int_equal(store_token_find(s, one, &t, &what), ERR_OK);
	assert_int_equal(what, STORE_REVOKED);
	assert_int_equal(store_tokens(s, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
	assert_int_equal(store_token_add(s, &op, one, "admin", &id),
	                 ERR_EXISTS); /* the old secret */
	assert_int_equal(store_token_add(s, &op, two, "admin", &id), ERR_OK);
}

static enum store_secret opens(const uint8_t hash[static 32])
{
	struct store_token t;
	assert_int_equal(store_token_find(s, hash, &t, &what), ERR_OK);
	assert_string_equal(t.name, "op");
	return what;
}

static enum err rotate(struct store *in, const uint8_t hash[static 32], uint32_t grace,
                       struct store_token *out)
{
	const struct store_rotation to = { hash, grace, -1 };
	return store_token_rotate(in, "op", &to, "admin", out);
}

static void a_rotated_token_has_two_secrets_for_a_while(void **state)
{
	(void)state;
	static const uint8_t three[32] = { 3 };
	const struct store_token op = { .name = "op", .role = STORE_OPERATOR, .provider = "isp-a" };
	struct store_token t;
	uint64_t id;
	assert_int_equal(store_token_add(s, &op, one, "admin", &id), ERR_OK);
	assert_int_equal(rotate(s, two, 60, &t), ERR_OK);
	assert_int_equal(t.id, id);
	assert_true(t.previous_until > t.created);
	assert_int_equal(opens(one), STORE_PREVIOUS);
	assert_int_equal(opens(two), STORE_VALID);
	/* A third secret: the second has its time of grace, the first none any more. */
	assert_int_equal(rotate(s, three, 60, &t), ERR_OK);
	assert_int_equal(store_token_find(s, one, &t, &what), ERR_NOT_FOUND);
	assert_int_equal(opens(two), STORE_PREVIOUS);
	/* At once. */
	assert_int_equal(rotate(s, one, 0, &t), ERR_OK);
	assert_int_equal(t.previous_until, 0);
	assert_int_equal(opens(three), STORE_REPLACED);
	assert_int_equal(opens(one), STORE_VALID);
	/* Revoked are all. */
	assert_int_equal(rotate(s, two, 60, &t), ERR_OK);
	assert_int_equal(store_token_remove(s, "op", "admin"), ERR_OK);
	assert_int_equal(opens(one), STORE_REVOKED);
	assert_int_equal(opens(two), STORE_REVOKED);
	assert_int_equal(rotate(s, three, 0, &t), ERR_NOT_FOUND);
}

static void a_token_changes_its_role_and_its_end(void **state)
{
	(void)state;
	const enum store_role viewer = STORE_VIEWER, admin = STORE_ADMIN;
	const struct store_token op = {
		.name = "op", .role = STORE_OPERATOR, .provider = "isp-a", .expires = 4000000000
	};
	struct store_token t;
	uint64_t id;
	assert_int_equal(store_token_add(s, &op, one, "admin", &id), ERR_OK);
	assert_int_equal(store_token_change(s, "op", &viewer, -1, "admin", &t), ERR_OK);
	assert_int_equal(t.role, STORE_VIEWER);
	assert_int_equal(t.expires, 4000000000);
	assert_int_equal(store_token_change(s, "op", NULL, 0, "admin", &t), ERR_OK);
	assert_int_equal(t.role, STORE_VIEWER);
	assert_int_equal(t.expires, 0);
	assert_int_equal(store_token_change(s, "op", &admin, -1, "admin", &t), ERR_RANGE);
	assert_int_equal(store_token_change(s, "oq", &viewer, -1, "admin", &t), ERR_NOT_FOUND);
	assert_int_equal(store_token_change(s, "op", NULL, 1000, "admin", &t), ERR_OK);
	assert_int_equal(opens(one), STORE_EXPIRED);
}

static void its_last_use_is_kept_to_the_minute(void **state)
{
	(void)state;
	const struct store_token op = { .name = "op", .role = STORE_OPERATOR, .provider = "isp-a" };
	struct store_token t;
	uint64_t id;
	char first[64], second[64];
	assert_int_equal(store_token_add(s, &op, one, "admin", &id), ERR_OK);
	assert_int_equal(store_token_find(s, one, &t, &what), ERR_OK);
	assert_int_equal(t.last_used, 0);
	store_token_used(s, &t);
	db_ask("SELECT last_used FROM tokens", first, sizeof(first));
	store_token_used(s, &t);
	db_ask("SELECT last_used FROM tokens", second, sizeof(second));
	assert_string_equal(first, second); /* no write per request */
	assert_string_equal(
		db_state_of("UPDATE tokens SET last_used = last_used - interval '61 s'"), "");
	store_token_used(s, &t);
	assert_int_equal(store_token_find(s, one, &t, &what), ERR_OK);
	assert_true(t.last_used >= t.created);
}

static size_t listed(enum store_list which, const struct store_hash *first)
{
	struct store_hash *list;
	size_t n;
	assert_int_equal(store_access_list(s, which, &list, &n), ERR_OK);
	if (n > 0)
		assert_memory_equal(list[0].bytes, first->bytes, 20);
	free(list);
	return n;
}

static void the_access_lists_keep_hashes(void **state)
{
	(void)state;
	const struct store_hash a = { .bytes = { 0xff, 0, 1 } }, b = { .bytes = { 0 } };
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &a, true, "admin"), ERR_OK);
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &a, true, "admin"), ERR_OK);
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &b, true, "admin"), ERR_OK);
	assert_int_equal(listed(STORE_ALLOWED, &b), 2);
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &a, false, "admin"), ERR_OK);
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &a, false, "admin"), ERR_OK);
	assert_int_equal(listed(STORE_ALLOWED, &b), 1);
	/* What is denied is not allowed, and the other way round. */
	assert_int_equal(store_access_set(s, STORE_DENIED, &b, true, "admin"), ERR_OK);
	assert_int_equal(listed(STORE_ALLOWED, NULL), 0);
	assert_int_equal(listed(STORE_DENIED, &b), 1);
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &b, true, "admin"), ERR_OK);
	assert_int_equal(listed(STORE_ALLOWED, &b), 1);
	assert_int_equal(listed(STORE_DENIED, NULL), 0);
}

static bool is_private(void)
{
	struct store_hash *list;
	size_t n;
	assert_int_equal(store_access_list(s, STORE_ALLOWED, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	const bool is = list[0].is_private;
	free(list);
	return is;
}

/* What was said last counts, and to deny a torrent forgets it. */
static void the_allowed_may_be_private(void **state)
{
	(void)state;
	const struct store_hash flagged = { { 0xfe }, true }, plain = { { 0xfe }, false };
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &flagged, true, "admin"), ERR_OK);
	assert_true(is_private());
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &plain, true, "admin"), ERR_OK);
	assert_false(is_private());
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &flagged, true, "admin"), ERR_OK);
	assert_int_equal(store_access_set(s, STORE_DENIED, &flagged, true, "admin"), ERR_OK);
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &plain, true, "admin"), ERR_OK);
	assert_false(is_private());
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &plain, false, "admin"), ERR_OK);
}

static void the_list_of_clients_keeps_prefixes(void **state)
{
	(void)state;
	struct store_client *list;
	size_t n;
	assert_int_equal(store_client_set(s, "-XL00", true, "admin"), ERR_OK);
	assert_int_equal(store_client_set(s, "-XL00", true, "admin"), ERR_OK);
	assert_int_equal(store_client_set(s, "-AAAAAAAAAAAAAAAAAA'", true, "admin"), ERR_OK);
	assert_int_equal(store_client_list(s, &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].prefix, "-AAAAAAAAAAAAAAAAAA'");
	assert_string_equal(list[1].prefix, "-XL00");
	free(list);
	assert_int_equal(store_client_set(s, "-XL00", false, "admin"), ERR_OK);
	assert_int_equal(store_client_set(s, "-XL00", false, "admin"), ERR_OK);
	assert_int_equal(store_client_list(s, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	free(list);
}

static void the_audit_log_remembers_and_never_forgets(void **state)
{
	(void)state;
	const struct store_token op = { .name = "op", .role = STORE_OPERATOR, .provider = "isp-a" };
	const struct store_hash hash = { .bytes = { 0xab } };
	struct store_audit *list;
	uint64_t id;
	size_t n;
	assert_int_equal(store_token_add(s, &op, one, "root", &id), ERR_OK);
	assert_int_equal(store_token_add(s, &op, one, "root", &id),
	                 ERR_EXISTS); /* not done: not logged */
	assert_int_equal(store_access_set(s, STORE_ALLOWED, &hash, true, "op"), ERR_OK);
	assert_int_equal(store_token_remove(s, "op", "root"), ERR_OK);

	assert_int_equal(store_audit(s, NULL, 100, &list, &n), ERR_OK);
	assert_int_equal(n, 3);
	assert_string_equal(list[0].action, "token-remove");
	assert_string_equal(list[1].action, "access-allow");
	assert_string_equal(list[1].subject, "ab00000000000000000000000000000000000000");
	assert_string_equal(list[1].author, "op");
	assert_string_equal(list[2].action, "token-add");
	assert_string_equal(list[2].subject, "op operator isp-a");
	assert_true(list[2].at > 1700000000);
	free(list);
	assert_int_equal(store_audit(s, NULL, 1, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	free(list);

	/* P0001: raise_exception */
	assert_string_equal(db_state_of("UPDATE audit SET author = 'me'"), "P0001");
	assert_string_equal(db_state_of("DELETE FROM audit"), "P0001");
	assert_string_equal(db_state_of("DELETE FROM audit WHERE false"), "P0001");
	assert_string_equal(db_state_of("TRUNCATE audit"), "P0001");
	assert_string_equal(db_state_of("INSERT INTO audit (author, action, subject) "
	                                "VALUES ('x', 'y', 'z')"),
	                    "");
}

static const struct CMUnitTest tests[] = {
	TEST(a_token_is_found_by_its_hash),
	TEST(a_revoked_token_is_gone_and_its_name_free),
	TEST(a_rotated_token_has_two_secrets_for_a_while),
	TEST(a_token_changes_its_role_and_its_end),
	TEST(its_last_use_is_kept_to_the_minute),
	TEST(the_access_lists_keep_hashes),
	TEST(the_allowed_may_be_private),
	TEST(the_list_of_clients_keeps_prefixes),
	TEST(the_audit_log_remembers_and_never_forgets),
};

RUN_TESTS(tests)
