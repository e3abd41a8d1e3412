/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/forwarded.h"

#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

struct row {
	const char *line;
	const char *hops; /* as printed, "-" for one that is no address */
};

static void expect(const char *line, const struct hops *hops, const char *wanted)
{
	char all[HOPS_MAX * IP_TEXT_SIZE] = "", one[IP_TEXT_SIZE];
	size_t n = 0;
	for (size_t i = 0; i < hops->n; i++) {
		if (hops->at[i].family != IP_NONE)
			ip_print(&hops->at[i], one);
		else
			(void)snprintf(one, sizeof(one), "-");
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i > 0 ? " " : "", one);
	}
	if (strcmp(all, wanted) != 0)
		fail_msg("%s: %s, not %s", line, all, wanted);
}

static void each(const struct row *rows, size_t n, void (*add)(struct hops *, const char *))
{
	for (size_t i = 0; i < n; i++) {
		struct hops hops = { 0 };
		add(&hops, rows[i].line);
		expect(rows[i].line, &hops, rows[i].hops);
	}
}

static void reads_x_forwarded_for(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ " 192.0.2.1\t", "192.0.2.1" },
		{ "192.0.2.1, 192.0.2.2,192.0.2.3 ", "192.0.2.1 192.0.2.2 192.0.2.3" },
		{ "192.0.2.1:8080", "192.0.2.1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "[2001:db8::1]:80, ::ffff:192.0.2.1", "2001:db8::1 192.0.2.1" },
		{ "", "-" },
		{ ",", "- -" },
		{ "192.0.2.1,", "192.0.2.1 -" },
		{ "unknown, 192.0.2.1", "- 192.0.2.1" },
		{ "[", "-" },
		{ "[]", "-" },
		{ "[192.0.2.1", "-" },
		{ "[192.0.2.1]", "-" },
		{ "[::ffff:192.0.2.1]", "192.0.2.1" },
		{ "192.0.2.1:0", "192.0.2.1" },
		{ "192.0.2.1:65535, 192.0.2.2:00080", "192.0.2.1 192.0.2.2" },
		{ "192.0.2.1:65536", "-" },
		{ "192.0.2.1:000080", "-" },
		{ "192.0.2.1:80x", "-" },
		{ "192.0.2.1:x", "-" },
		{ "192.0.2.1:-1", "-" },
		{ "192.0.2.1: 80", "-" },
		{ "192.0.2.1:", "-" },
		{ "[2001:db8::1]x", "-" },
		{ "[2001:db8::1]80", "-" },
		{ "[2001:db8::1] ", "2001:db8::1" },
		{ "[2001:db8::1]:", "-" },
		{ "[2001:db8::1]:80x", "-" },
		{ "[2001:db8::1]:80:80", "-" },
		{ "[2001:db8::1]:65535", "2001:db8::1" },
		{ "[2001:db8::1]:65536", "-" },
		{ "[[2001:db8::1]]", "-" },
		{ "[2001:db8::1%eth0]", "-" },
		{ ":", "-" },
		{ "192.0.2.1 192.0.2.2", "-" },
		{ "11111111111111111111111111111111111111111111111111111111111111", "-" },
	};
	each(rows, sizeof(rows) / sizeof(rows[0]), hops_add_list);
}

/* With every example of RFC 7239. */
static void reads_forwarded(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "for=\"_gazonk\"", "-" },
		{ "For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17" },
		{ "for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60" },
		{ "for=192.0.2.43, for=198.51.100.17", "192.0.2.43 198.51.100.17" },
		{ "for=_hidden, for=_SEVKISEK", "- -" },
		{ "for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", "192.0.2.43 2001:db8:cafe::17" },
		{ "for=unknown", "-" },
		{ "by=203.0.113.43;for=192.0.2.60", "192.0.2.60" },
		{ "proto=https ; FOR=192.0.2.1 ; host=\"a,b;c\" , for=192.0.2.2",
		  "192.0.2.1 192.0.2.2" },
		{ "for=\"192.0.2.1:80\"", "192.0.2.1" },
		{ "for=192.0.2.1:80", "192.0.2.1" },
		{ "for=\"192.0.2.1:_gazonk\"", "192.0.2.1" },
		{ "for=\"[2001:db8::1]:_A.b-9_\"", "2001:db8::1" },
		{ "for=\"192.0.2.1:_\"", "-" },
		{ "for=\"192.0.2.1:_a b\"", "-" },
		{ "for=\"192.0.2.1:gazonk\"", "-" },
		{ "for=\"192.0.2.1:80x\"", "-" },
		{ "for=\"[2001:db8::7]x\"", "-" },
		{ "for=\"[2001:db8::7]:\"", "-" },
		{ "for=\"[2001:db8::7]:70000\"", "-" },
		/* As long as a value may be: nothing behind it is read. */
		{ "for=\"192.0.2.1:_34567890123456789012345678901234567890123456789012345\"",
		  "192.0.2.1" },
		{ "for=\"\\1\\92.0.2.1\"", "192.0.2.1" },
		{ "host=\"for=192.0.2.9, for=192.0.2.8\";for=192.0.2.1", "192.0.2.1" },
		{ "host=\"\\\", for=192.0.2.8\";for=192.0.2.1", "192.0.2.1" },
		{ "proto=http", "-" },
		{ "", "-" },
		{ ", for=192.0.2.1", "- 192.0.2.1" },
		{ "for=192.0.2.1;for=192.0.2.2", "-" },
		{ "for=192.0.2.1 192.0.2.2", "-" },
		{ "for=\"192.0.2.1\"x", "-" },
		{ "for=\"192.0.2.1", "-" },
		{ "for=\"192.0.2.1\\", "-" },
		{ "for", "-" },
		{ "for=", "-" },
		{ "for=\"\"", "-" },
		{ "forx=192.0.2.1", "-" },
		{ "for =192.0.2.1", "-" },
		{ "for=11111111111111111111111111111111111111111111111111111111111111111111", "-" },
	};
	each(rows, sizeof(rows) / sizeof(rows[0]), hops_add_forwarded);
}

static void lines_are_one_list_and_its_end_is_kept(void **state)
{
	(void)state;
	struct hops hops = { 0 };
	hops_add_list(&hops, "192.0.2.1");
	hops_add_list(&hops, "192.0.2.2, 192.0.2.3");
	expect("two lines", &hops, "192.0.2.1 192.0.2.2 192.0.2.3");
	for (int i = 0; i < 20; i++)
		hops_add_forwarded(&hops, "for=198.51.100.1");
	hops_add_forwarded(&hops, "for=192.0.2.9");
	assert_int_equal(hops.n, HOPS_MAX);
	assert_int_equal(hops.at[HOPS_MAX - 1].bytes[3], 9);
	assert_int_equal(hops.at[0].bytes[3], 1);
	assert_int_equal(hops.at[0].bytes[0], 198);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_x_forwarded_for),
	cmocka_unit_test(reads_forwarded),
	cmocka_unit_test(lines_are_one_list_and_its_end_is_kept),
};

RUN_TESTS(tests)
