/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/audit.h"
#include "server/store/claims.h"
#include "tests/unit/store/opened.h"

#include <stdlib.h>
#include <string.h>

static const char *asns_of(const char *provider)
{
	static char out[256];
	struct store_asn *list;
	size_t n, at = 0;
	assert_int_equal(store_asns(s, provider, &list, &n), ERR_OK);
	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s %u;", list[i].provider,
		                       (unsigned)list[i].asn);
	free(list);
	return out;
}

static const char *last_audit(void)
{
	static char out[512];
	struct store_audit *list;
	size_t n;
	assert_int_equal(store_audit(s, NULL, 1, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	(void)snprintf(out, sizeof(out), "%s %s %s", list[0].author, list[0].action,
	               list[0].subject);
	free(list);
	return out;
}

static void asns_are_replaced_as_a_whole(void **state)
{
	(void)state;
	static const uint32_t first[] = { 64500, 64501 }, then[] = { 64501, 4294967294 };
	assert_int_equal(store_asns_set(s, "isp-a", first, 2, "root"), ERR_OK);
	assert_int_equal(store_asns_set(s, "isp-b", first, 1, "root"), ERR_OK);
	assert_string_equal(asns_of("isp-a"), "isp-a 64500;isp-a 64501;");
	assert_int_equal(store_asns_set(s, "isp-a", then, 2, "root"), ERR_OK);
	assert_string_equal(last_audit(), "root asns-bind isp-a 64501 4294967294");
	assert_string_equal(asns_of(NULL), "isp-a 64501;isp-a 4294967294;isp-b 64500;");
	assert_int_equal(store_asns_set(s, "isp-a", NULL, 0, "root"), ERR_OK);
	assert_string_equal(last_audit(), "root asns-unbind isp-a");
	assert_string_equal(asns_of("isp-a"), "");
}

static void a_prefix_is_delegated_to_one_provider(void **state)
{
	(void)state;
	struct store_delegation *list;
	size_t n;
	assert_int_equal(store_delegation_add(s, "isp-a", "2001:db8::/32", "root"), ERR_OK);
	assert_int_equal(store_delegation_add(s, "isp-a", "192.0.2.0/24", "root"), ERR_OK);
	assert_string_equal(last_audit(), "root delegation-add isp-a 192.0.2.0/24");
	assert_int_equal(store_delegation_add(s, "isp-a", "192.0.2.0/24", "root"), ERR_OK);
	assert_int_equal(store_delegation_add(s, "isp-b", "192.0.2.0/24", "root"), ERR_EXISTS);
	assert_int_equal(store_delegation_add(s, "isp-b", "192.0.2.0/25", "root"), ERR_OK);
	assert_int_equal(store_delegations(s, NULL, &list, &n), ERR_OK);
	assert_int_equal(n, 3);
	assert_string_equal(list[0].prefix, "192.0.2.0/24");
	assert_string_equal(list[1].prefix, "192.0.2.0/25");
	assert_string_equal(list[1].provider, "isp-b");
	assert_string_equal(list[2].prefix, "2001:db8::/32");
	assert_string_equal(list[2].author, "root");
	assert_true(list[2].added > 1700000000);
	free(list);
	assert_int_equal(store_delegation_remove(s, "isp-b", "192.0.2.0/24", "root"),
	                 ERR_NOT_FOUND);
	assert_int_equal(store_delegation_remove(s, "isp-a", "192.0.2.0/24", "root"), ERR_OK);
	assert_string_equal(last_audit(), "root delegation-remove isp-a 192.0.2.0/24");
	assert_int_equal(store_delegations(s, "isp-a", &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	free(list);
}

static const struct CMUnitTest tests[] = {
	TEST(asns_are_replaced_as_a_whole),
	TEST(a_prefix_is_delegated_to_one_provider),
};
RUN_TESTS(tests)
