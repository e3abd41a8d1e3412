/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/agreements.h"

#include "tests/unit/store/opened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A document whose hash is `c` 64 times; '\0': a removal. */
static enum err change(enum store_agreement_kind kind, const char *id, char c, const char *expected,
                       uint64_t *version)
{
	char document[32], sha256[65];
	(void)snprintf(document, sizeof(document), "{\"caf\xc3\xa9\": '%c'}\n", c);
	memset(sha256, c, 64);
	sha256[64] = '\0';
	const struct store_agreement_change a = { .kind = kind,
		                                  .provider = "isp-a",
		                                  .id = id,
		                                  .document = c != '\0' ? document : NULL,
		                                  .size = strlen(document),
		                                  .sha256 = sha256,
		                                  .author = "alice",
		                                  .expected = expected };
	return store_agreement_change(s, &a, version);
}

static char in_force(enum store_agreement_kind kind, const char *id)
{
	struct store_agreement *a;
	if (store_agreement(s, kind, "isp-a", id, 0, &a) != ERR_OK)
		return '\0';
	const char c = a->sha256[0];
	store_agreements_free(a, 1);
	return c;
}

static void every_version_is_kept_as_it_was_written(void **state)
{
	(void)state;
	uint64_t version = 0;
	struct store_agreement *a;
	size_t n;
	assert_int_equal(change(STORE_CONTRACT, "c-17", 'a', NULL, &version), ERR_OK);
	assert_int_equal(version, 1);
	assert_int_equal(change(STORE_CONTRACT, "c-17", 'b', NULL, &version), ERR_OK);
	assert_int_equal(version, 2);
	assert_int_equal(in_force(STORE_CONTRACT, "c-17"), 'b');
	assert_int_equal(in_force(STORE_POLICY, "c-17"), '\0'); /* of the other kind */

	assert_int_equal(store_agreement(s, STORE_CONTRACT, "isp-a", "c-17", 1, &a), ERR_OK);
	assert_string_equal(a->document, "{\"caf\xc3\xa9\": 'a'}\n");
	assert_int_equal(a->size, strlen(a->document));
	assert_string_equal(a->provider, "isp-a");
	assert_string_equal(a->id, "c-17");
	assert_string_equal(a->author, "alice");
	assert_true(a->kind == STORE_CONTRACT && !a->removed && a->created > 1700000000);
	store_agreements_free(a, 1);
	assert_int_equal(store_agreement(s, STORE_CONTRACT, "isp-a", "c-17", 3, &a), ERR_NOT_FOUND);
	assert_int_equal(store_agreement(s, STORE_CONTRACT, "isp-b", "c-17", 1, &a), ERR_NOT_FOUND);

	assert_int_equal(store_agreement_history(s, STORE_CONTRACT, "isp-a", "c-17", &a, &n),
	                 ERR_OK);
	assert_int_equal(n, 2);
	assert_true(a[0].version == 2 && a[1].version == 1 && a[1].size == 15);
	assert_null(a[0].document);
	store_agreements_free(a, n);
}

static void the_same_document_again_makes_no_version(void **state)
{
	(void)state;
	uint64_t version = 0;
	assert_int_equal(change(STORE_POLICY, "p", 'a', NULL, &version), ERR_OK);
	assert_int_equal(change(STORE_POLICY, "p", 'a', NULL, &version), ERR_EXISTS);
	assert_int_equal(version, 1);
	assert_int_equal(change(STORE_POLICY, "p", 'b', NULL, &version), ERR_OK);
	assert_int_equal(change(STORE_POLICY, "p", 'a', NULL, &version), ERR_OK);
	assert_int_equal(version, 3);
}

static void a_removal_is_a_version_that_says_so(void **state)
{
	(void)state;
	uint64_t version = 0;
	struct store_agreement *a;
	size_t n;
	assert_int_equal(change(STORE_POLICY, "p", '\0', NULL, &version), ERR_NOT_FOUND);
	assert_int_equal(change(STORE_POLICY, "p", 'a', NULL, &version), ERR_OK);
	assert_int_equal(change(STORE_POLICY, "p", '\0', NULL, &version), ERR_OK);
	assert_int_equal(version, 2);
	assert_int_equal(in_force(STORE_POLICY, "p"), '\0');
	assert_int_equal(change(STORE_POLICY, "p", '\0', NULL, &version), ERR_NOT_FOUND);
	assert_int_equal(store_agreement(s, STORE_POLICY, "isp-a", "p", 2, &a), ERR_NOT_FOUND);
	assert_int_equal(store_agreements(s, STORE_POLICY, NULL, NULL, &a, &n), ERR_OK);
	assert_int_equal(n, 0);
	store_agreements_free(a, n);
	assert_int_equal(store_agreement_history(s, STORE_POLICY, "isp-a", "p", &a, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_true(a[0].removed && a[0].sha256[0] == '\0' && !a[1].removed);
	store_agreements_free(a, n);

	assert_int_equal(change(STORE_POLICY, "p", 'a', NULL, &version), ERR_OK); /* again */
	assert_int_equal(version, 3);
	char found[128];
	db_ask("SELECT string_agg(author || ' ' || action || ' ' || subject, ', ' ORDER BY number) "
	       "FROM audit WHERE action LIKE 'policy%'",
	       found, sizeof(found));
	assert_string_equal(found,
	                    "alice policy-put isp-a p version 1, alice policy-remove isp-a p "
	                    "version 2, alice policy-put isp-a p version 3");
}

static void a_change_may_expect_what_is_in_force(void **state)
{
	(void)state;
	uint64_t version = 0;
	static const char of_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	assert_int_equal(change(STORE_POLICY, "p", 'a', "*", &version), ERR_DENIED); /* not there */
	assert_int_equal(change(STORE_POLICY, "p", 'a', NULL, &version), ERR_OK);
	assert_int_equal(change(STORE_POLICY, "p", 'b', of_a, &version), ERR_OK);
	assert_int_equal(change(STORE_POLICY, "p", 'c', of_a, &version), ERR_DENIED);
	assert_int_equal(change(STORE_POLICY, "p", '\0', of_a, &version), ERR_DENIED);
	assert_int_equal(in_force(STORE_POLICY, "p"), 'b');
	assert_int_equal(change(STORE_POLICY, "p", '\0', "*", &version), ERR_OK);
	assert_int_equal(change(STORE_POLICY, "p", 'a', "*", &version), ERR_DENIED);
}

static void lists_those_in_force_by_provider_and_id(void **state)
{
	(void)state;
	uint64_t version = 0;
	struct store_agreement *a;
	size_t n;
	assert_int_equal(change(STORE_CONTRACT, "z", 'a', NULL, &version), ERR_OK);
	assert_int_equal(change(STORE_CONTRACT, "z", 'b', NULL, &version), ERR_OK);
	assert_int_equal(change(STORE_CONTRACT, "b", 'c', NULL, &version), ERR_OK);
	assert_int_equal(change(STORE_POLICY, "p", 'd', NULL, &version), ERR_OK);
	assert_int_equal(store_agreements(s, STORE_CONTRACT, "isp-a", NULL, &a, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(a[0].id, "b");
	assert_string_equal(a[1].id, "z");
	assert_string_equal(a[1].document, "{\"caf\xc3\xa9\": 'b'}\n");
	store_agreements_free(a, n);
	assert_int_equal(store_agreements(s, STORE_CONTRACT, NULL, "z", &a, &n), ERR_OK);
	assert_int_equal(n, 1);
	store_agreements_free(a, n);
	assert_int_equal(store_agreements(s, STORE_CONTRACT, "isp-b", NULL, &a, &n), ERR_OK);
	assert_int_equal(n, 0);
	store_agreements_free(a, n);
}

static const struct CMUnitTest tests[] = {
	TEST(every_version_is_kept_as_it_was_written),
	TEST(the_same_document_again_makes_no_version),
	TEST(a_removal_is_a_version_that_says_so),
	TEST(a_change_may_expect_what_is_in_force),
	TEST(lists_those_in_force_by_provider_and_id),
};

RUN_TESTS(tests)
