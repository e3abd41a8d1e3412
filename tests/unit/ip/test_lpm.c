/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/ip/lpm.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct lpm_entry entry(const char *prefix, uint32_t value)
{
	struct lpm_entry e = { .value = value };
	assert_int_equal(ip_prefix_parse(prefix, &e.prefix), ERR_OK);
	return e;
}

static uint32_t find(const struct lpm *t, const char *address)
{
	struct ip_addr a;
	assert_int_equal(ip_parse(address, &a), ERR_OK);
	return lpm_find(t, &a);
}

static void the_longest_prefix_wins(void **state)
{
	(void)state;
	struct lpm_entry entries[] = {
		entry("10.1.2.3/32", 5),
		entry("10.0.0.0/8", 2),
		entry("0.0.0.0/0", 1),
		entry("10.1.2.0/25", 4),
		entry("10.1.0.0/16", 3),
		entry("255.255.255.255/32", 6),
		entry("0.0.0.0/32", 7),
		entry("::/0", 11),
		entry("2001:db8::/32", 12),
		entry("2001:db8::/64", 13),
		entry("2001:db8::1/128", 14),
		entry("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 15),
		entry("2001:db8:0:0:8000::/65", 16),
		entry("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128", 17),
	};
	static const struct {
		const char *address;
		uint32_t value;
	} rows[] = {
		{ "9.255.255.255", 1 },
		{ "10.0.0.0", 2 },
		{ "10.255.255.255", 2 },
		{ "10.1.0.0", 3 },
		{ "10.1.2.128", 3 },
		{ "10.1.2.127", 4 },
		{ "10.1.2.2", 4 },
		{ "10.1.2.3", 5 },
		{ "10.1.2.4", 4 },
		{ "11.0.0.0", 1 },
		{ "255.255.255.255", 6 },
		{ "255.255.255.254", 1 },
		{ "0.0.0.0", 7 },
		{ "0.0.0.1", 1 },
		{ "::", 11 },
		{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 11 },
		{ "2001:db8::", 13 },
		{ "2001:db8::1", 14 },
		{ "2001:db8::2", 13 },
		{ "2001:db8::7fff:ffff:ffff:ffff", 13 },
		{ "2001:db8::8000:0:0:0", 16 },
		{ "2001:db8:0:0:ffff:ffff:ffff:ffff", 16 },
		{ "2001:db8:0:1::", 12 },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 17 },
		{ "2001:db9::", 11 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 15 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 11 },
	};
	struct lpm *t = NULL;
	assert_int_equal(lpm_build(entries, sizeof(entries) / sizeof(entries[0]), &t), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (find(t, rows[i].address) != rows[i].value)
			fail_msg("%s: %u, not %u", rows[i].address, find(t, rows[i].address),
			         rows[i].value);
	lpm_free(t);
}

static void an_empty_table_finds_nothing(void **state)
{
	(void)state;
	struct lpm *t = NULL;
	assert_int_equal(lpm_build(NULL, 0, &t), ERR_OK);
	assert_int_equal(find(t, "10.0.0.1"), 0);
	assert_int_equal(find(t, "::"), 0);
	assert_int_equal(find(t, "ffff::1"), 0);
	assert_int_equal(lpm_find(t, &(struct ip_addr){ .family = IP_NONE }), 0);
	lpm_free(t);
	lpm_free(NULL);
}

static void of_equal_prefixes_the_last_wins(void **state)
{
	(void)state;
	struct lpm_entry entries[] = {
		entry("10.0.0.0/8", 9),   entry("2001:db8::/32", 9), entry("10.0.0.0/8", 3),
		entry("192.0.2.1/32", 1), entry("10.0.0.0/8", 7),    entry("2001:db8::/32", 4),
		entry("192.0.2.1/32", 2),
	};
	struct lpm *t = NULL;
	assert_int_equal(lpm_build(entries, sizeof(entries) / sizeof(entries[0]), &t), ERR_OK);
	assert_int_equal(find(t, "10.0.0.1"), 7);
	assert_int_equal(find(t, "192.0.2.1"), 2);
	assert_int_equal(find(t, "2001:db8::1"), 4);
	lpm_free(t);
}

static void a_thousand_equal_prefixes_are_one(void **state)
{
	(void)state;
	static struct lpm_entry entries[1000];
	for (uint32_t i = 0; i < 1000; i++)
		entries[i] = entry("2001:db8::/32", i + 1);
	struct lpm *once = NULL, *often = NULL;
	assert_int_equal(lpm_build(entries, 1000, &often), ERR_OK);
	assert_int_equal(find(often, "2001:db8::1"), 1000);
	assert_int_equal(lpm_build(entries, 1, &once), ERR_OK);
	assert_int_equal(lpm_bytes(often), lpm_bytes(once));
	lpm_free(often);
	lpm_free(once);
}

static void refuses_what_it_cannot_hold(void **state)
{
	(void)state;
	struct lpm *t = NULL;
	struct lpm_entry bad[] = {
		{ .prefix = entry("10.0.0.0/8", 1).prefix, .value = 0 },
		{ .prefix = entry("10.0.0.0/8", 1).prefix, .value = LPM_VALUE_MAX + 1U },
		{ .prefix = { .addr = { .family = IP_NONE } }, .value = 1 },
		{ .prefix = { .addr = { .family = IP_V4 }, .length = 33 }, .value = 1 },
		{ .prefix = { .addr = { .family = IP_V6 }, .length = 129 }, .value = 1 },
		{ .prefix = { .addr = ip_v4(0x0a000001), .length = 31 }, .value = 1 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(lpm_build(&bad[i], 1, &t), ERR_RANGE);
		assert_null(t);
	}
}

/* ---- against a linear model ---- */

enum { ROUNDS = 300, PREFIXES = 120, LOOKUPS = 600 };

/* Few distinct bytes, so that prefixes nest, touch and coincide. */
static struct ip_addr some_address(uint64_t *seed, enum ip_family family)
{
	static const uint8_t bytes[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct ip_addr a = { .family = (uint8_t)family };
	for (size_t i = 0; i < ip_size(&a); i++)
		a.bytes[i] = bytes[random_below(seed, sizeof(bytes))];
	if (family == IP_V6 && random_below(seed, 2) == 0)
		memset(a.bytes, 0x20, 6 + random_below(seed, 8));
	return a;
}

/* `shortest` spares most rounds the painting of half the first level. */
static struct ip_prefix some_prefix(uint64_t *seed, unsigned shortest)
{
	char text[IP_TEXT_SIZE], with_length[IP_PREFIX_TEXT_SIZE + 8];
	const enum ip_family family = random_below(seed, 2) == 0 ? IP_V4 : IP_V6;
	struct ip_prefix p;
	const struct ip_addr a = some_address(seed, family);
	const unsigned length =
		shortest + random_below(seed, (family == IP_V4 ? 33 : 129) - shortest);
	ip_print(&a, text);
	(void)snprintf(with_length, sizeof(with_length), "%s/%u", text, length);
	const enum err e = ip_prefix_parse(with_length, &p); /* ERR_RANGE: host bits, now cleared */
	assert_true(e == ERR_OK || e == ERR_RANGE);
	return p;
}

static uint32_t linear(const struct lpm_entry *e, size_t n, const struct ip_addr *a)
{
	uint32_t value = 0;
	int length = -1;
	for (size_t i = 0; i < n; i++)
		if (ip_prefix_has(&e[i].prefix, a) && e[i].prefix.length >= length) {
			value = e[i].value;
			length = e[i].prefix.length;
		}
	return value;
}

/* Inside a prefix, at its edges, or anywhere. */
static struct ip_addr address_near(uint64_t *seed, const struct ip_prefix *p)
{
	struct ip_addr a = p->addr;
	const uint32_t how = random_below(seed, 4);
	if (how == 0)
		return some_address(seed, random_below(seed, 2) == 0 ? IP_V4 : IP_V6);
	for (size_t bit = p->length; how > 1 && bit < 8 * ip_size(&a); bit++)
		if (how == 2 || random_below(seed, 2) == 0)
			a.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return a;
}

static void agrees_with_a_linear_search(void **state)
{
	(void)state;
	struct lpm_entry given[PREFIXES], scratch[PREFIXES];
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t seed = round;
		const size_t n = random_below(&seed, PREFIXES) + 1;
		for (size_t i = 0; i < n; i++)
			given[i] = (struct lpm_entry){ some_prefix(&seed, round % 16 == 0 ? 0 : 10),
				                       (uint32_t)i + 1 };
		memcpy(scratch, given, sizeof(given));
		struct lpm *t = NULL;
		assert_int_equal(lpm_build(scratch, n, &t), ERR_OK);
		for (size_t i = 0; i < LOOKUPS; i++) {
			const struct ip_prefix *p = &given[random_below(&seed, (uint32_t)n)].prefix;
			const struct ip_addr a = address_near(&seed, p);
			if (lpm_find(t, &a) != linear(given, n, &a)) {
				char text[IP_TEXT_SIZE];
				ip_print(&a, text);
				fail_msg("round %u, %s: %u, not %u", (unsigned)round, text,
				         lpm_find(t, &a), linear(given, n, &a));
			}
		}
		lpm_free(t);
	}
}

static void sorts_stably(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct lpm_entry e[PREFIXES];
	for (size_t i = 0; i < PREFIXES; i += 2) {
		e[i] = (struct lpm_entry){ some_prefix(&seed, 0), (uint32_t)i };
		e[i + 1] = (struct lpm_entry){ e[i / 4].prefix, (uint32_t)i + 1 };
	}
	assert_int_equal(lpm_sort(e, PREFIXES), ERR_OK);
	for (size_t i = 1; i < PREFIXES; i++) {
		const int c = ip_prefix_compare(&e[i - 1].prefix, &e[i].prefix);
		assert_true(c < 0 || (c == 0 && e[i - 1].value < e[i].value));
	}
}

static size_t resident(void)
{
	size_t all = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu %zu", &all, &resident), 2);
	(void)fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void a_few_prefixes_cost_little_memory_whatever_the_allocator_does(void **state)
{
	(void)state;
	struct lpm_entry entries[] = { entry("10.0.0.0/16", 1), entry("192.0.2.0/25", 2) };
	struct lpm *t;
	const size_t before = resident();
	(void)mallopt(M_PERTURB, 1);
	assert_int_equal(lpm_build(entries, 2, &t), ERR_OK);
	(void)mallopt(M_PERTURB, 0);
	assert_true(lpm_bytes(t) > (size_t)64 << 20);
	assert_true(resident() < before + ((size_t)16 << 20));
	lpm_free(t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_longest_prefix_wins),
	cmocka_unit_test(an_empty_table_finds_nothing),
	cmocka_unit_test(of_equal_prefixes_the_last_wins),
	cmocka_unit_test(a_thousand_equal_prefixes_are_one),
	cmocka_unit_test(refuses_what_it_cannot_hold),
	cmocka_unit_test(agrees_with_a_linear_search),
	cmocka_unit_test(sorts_stably),
	cmocka_unit_test(a_few_prefixes_cost_little_memory_whatever_the_allocator_does),
};

RUN_TESTS(tests)
