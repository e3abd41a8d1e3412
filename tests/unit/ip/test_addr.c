/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/ip/addr.h"

static void a_mapped_address_is_ipv4(void **state)
{
	(void)state;
	struct ip_addr a, b;
	assert_int_equal(ip_parse("::ffff:192.0.2.7", &a), ERR_OK);
	assert_int_equal(ip_parse("192.0.2.7", &b), ERR_OK);
	assert_true(ip_equal(&a, &b));
	assert_int_equal(ip_v4_number(&a), 0xc0000207);
	assert_int_equal(ip_parse("192.0.2", &a), ERR_MALFORMED);
}

static void judges_prefixes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err expect;
		const char *meant;
	} rows[] = {
		{ "10.1.0.0/16", ERR_OK, "10.1.0.0/16" },
		{ "10.1.0.1/16", ERR_RANGE, "10.1.0.0/16" },
		{ "10.1.16.0/19", ERR_RANGE, "10.1.0.0/19" },
		{ "0.0.0.0/0", ERR_OK, "0.0.0.0/0" },
		{ "2001:db8:1::/48", ERR_OK, "2001:db8:1::/48" },
		{ "2001:db8::1/127", ERR_RANGE, "2001:db8::/127" },
		{ "10.1.0.0", ERR_MALFORMED, NULL },
		{ "10.1.0.0/33", ERR_RANGE, NULL },
		{ "10.1.0.0/", ERR_MALFORMED, NULL },
		{ "10.1.0.0/+8", ERR_MALFORMED, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_prefix p;
		char text[IP_PREFIX_TEXT_SIZE];
		if (ip_prefix_parse(rows[i].text, &p) != rows[i].expect)
			fail_msg("%s", rows[i].text);
		if (rows[i].meant == NULL)
			continue;
		ip_prefix_print(&p, text);
		assert_string_equal(text, rows[i].meant);
	}
}

static void knows_what_a_prefix_holds(void **state)
{
	(void)state;
	struct ip_prefix p, q;
	struct ip_addr a;
	assert_int_equal(ip_prefix_parse("10.32.0.0/11", &p), ERR_OK);
	assert_int_equal(ip_parse("10.63.255.255", &a), ERR_OK);
	assert_true(ip_prefix_has(&p, &a));
	assert_int_equal(ip_parse("10.64.0.0", &a), ERR_OK);
	assert_false(ip_prefix_has(&p, &a));
	assert_int_equal(ip_parse("2001:db8::1", &a), ERR_OK);
	assert_false(ip_prefix_has(&p, &a));
	assert_int_equal(ip_prefix_parse("10.40.0.0/16", &q), ERR_OK);
	assert_true(ip_prefix_covers(&p, &q));
	assert_false(ip_prefix_covers(&q, &p));
	assert_true(ip_prefix_compare(&p, &q) < 0);
}

static void knows_special_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum ip_kind kind;
	} rows[] = {
		{ "8.8.8.8", IP_PUBLIC },        { "10.9.8.7", IP_PRIVATE },
		{ "100.64.0.1", IP_PRIVATE },    { "100.128.0.1", IP_PUBLIC },
		{ "127.8.0.1", IP_LOOPBACK },    { "169.254.1.1", IP_BOGON },
		{ "172.31.0.1", IP_PRIVATE },    { "172.32.0.1", IP_PUBLIC },
		{ "192.168.9.9", IP_PRIVATE },   { "224.0.0.1", IP_BOGON },
		{ "255.255.255.255", IP_BOGON }, { "0.0.0.0", IP_BOGON },
		{ "2001:db8::1", IP_PUBLIC },    { "fd00::1", IP_PRIVATE },
		{ "::1", IP_LOOPBACK },          { "::", IP_BOGON },
		{ "fe80::1", IP_BOGON },         { "ff02::1", IP_BOGON },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_addr a;
		assert_int_equal(ip_parse(rows[i].text, &a), ERR_OK);
		if (ip_kind(&a) != rows[i].kind)
			fail_msg("%s is %d", rows[i].text, (int)ip_kind(&a));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_mapped_address_is_ipv4),
	cmocka_unit_test(judges_prefixes),
	cmocka_unit_test(knows_what_a_prefix_holds),
	cmocka_unit_test(knows_special_addresses),
};

RUN_TESTS(tests)
