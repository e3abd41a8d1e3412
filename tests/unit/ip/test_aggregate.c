/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/ip/aggregate.h"

#include <string.h>

enum { MOST = 64 };

static size_t read_rows(const char *rows, struct lpm_entry *out)
{
	char text[64];
	unsigned value;
	size_t n = 0;
	for (int size; sscanf(rows, "%60s %u%n", text, &value, &size) == 2; rows += size) {
		assert_int_equal(ip_prefix_parse(text, &out[n].prefix), ERR_OK);
		out[n++].value = value;
	}
	return n;
}

static void becomes(const char *before, const char *after)
{
	struct lpm_entry entries[MOST];
	char said[2048] = "", text[IP_PREFIX_TEXT_SIZE];
	size_t n = read_rows(before, entries), size = 0;
	assert_int_equal(ip_aggregate(entries, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		ip_prefix_print(&entries[i].prefix, text);
		size += (size_t)snprintf(said + size, sizeof(said) - size, "%s%s %u",
		                         i > 0 ? " " : "", text, entries[i].value);
	}
	assert_string_equal(said, after);
}

static void halves_become_one(void **state)
{
	(void)state;
	becomes("10.0.0.0/9 1 10.128.0.0/9 1", "10.0.0.0/8 1");
	becomes("10.0.0.0/9 1 10.128.0.0/9 2", "10.0.0.0/9 1 10.128.0.0/9 2");
	becomes("10.128.0.0/9 1 11.0.0.0/9 1",
	        "10.128.0.0/9 1 11.0.0.0/9 1"); /* neighbours, no halves */
	becomes("1.0.0.0/32 1 1.0.0.1/32 1 1.0.0.2/31 1 1.0.0.4/30 1", "1.0.0.0/29 1");
	becomes("::/1 1 8000::/1 1 0.0.0.0/1 1 128.0.0.0/1 1", "0.0.0.0/0 1 ::/0 1");
	becomes("", "");
}

static void what_is_covered_goes_unless_another_lies_between(void **state)
{
	(void)state;
	becomes("10.0.0.0/8 1 10.1.0.0/16 1", "10.0.0.0/8 1");
	becomes("10.0.0.0/8 1 10.1.0.0/16 2 10.1.1.0/24 1",
	        "10.0.0.0/8 1 10.1.0.0/16 2 10.1.1.0/24 1");
	becomes("10.0.0.0/8 1 10.1.0.0/16 2", "10.0.0.0/8 1 10.1.0.0/16 2");
}

static void halves_hide_what_they_fill(void **state)
{
	(void)state;
	becomes("10.0.0.0/8 2 10.0.0.0/9 1 10.128.0.0/9 1", "10.0.0.0/8 1");
	becomes("10.0.0.0/8 1 10.0.0.0/8 2", "10.0.0.0/8 2"); /* given twice: the last */
}

static struct ip_addr any_address(uint64_t *seed, bool six)
{
	struct ip_addr a = { .family = six ? IP_V6 : IP_V4 };
	/* Few bits vary, so that prefixes meet; at both ends of the address. */
	a.bytes[0] = (uint8_t)(random_below(seed, 4) << 6);
	a.bytes[six ? 15 : 3] = (uint8_t)random_below(seed, 8);
	a.bytes[1] = (uint8_t)(random_below(seed, 4) << 6);
	return a;
}

static struct ip_prefix any_prefix(uint64_t *seed)
{
	const bool six = random_below(seed, 2) == 0;
	struct ip_prefix p = { any_address(seed, six), 0 };
	static const uint8_t ends[] = { 29, 30, 31, 32 };
	const unsigned size = six ? 128 : 32;
	p.length = random_below(seed, 2) == 0 ? (uint8_t)random_below(seed, 12)
	                                      : (uint8_t)(size - 32 + ends[random_below(seed, 4)]);
	for (unsigned bit = p.length; bit < size; bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
	return p;
}

/* The longest that has it, the last given of those: slow and plain. */
static uint32_t find_slowly(const struct lpm_entry *e, size_t n, const struct ip_addr *a)
{
	uint32_t value = 0;
	int longest = -1;
	for (size_t i = 0; i < n; i++)
		if (e[i].prefix.addr.family == a->family && ip_prefix_has(&e[i].prefix, a) &&
		    e[i].prefix.length >= longest) {
			longest = e[i].prefix.length;
			value = e[i].value;
		}
	return value;
}

static void every_address_stays_where_it_was(void **state)
{
	(void)state;
	uint64_t seed = 6;
	size_t fewer = 0;
	for (unsigned round = 0; round < 3000; round++) {
		struct lpm_entry before[MOST], after[MOST];
		size_t n = random_below(&seed, MOST), n_after;
		const uint32_t values = 1 + random_below(&seed, 3);
		for (size_t i = 0; i < n; i++)
			before[i] = (struct lpm_entry){ any_prefix(&seed),
				                        1 + random_below(&seed, values) };
		memcpy(after, before, sizeof(before));
		n_after = n;
		assert_int_equal(ip_aggregate(after, &n_after), ERR_OK);
		assert_true(n_after <= n);
		fewer += n - n_after;
		for (unsigned k = 0; k < 200; k++) {
			const struct ip_addr a = any_address(&seed, k % 2 == 0);
			assert_int_equal(find_slowly(after, n_after, &a),
			                 find_slowly(before, n, &a));
		}
		/* Once more finds nothing to do. */
		size_t n_again = n_after;
		assert_int_equal(ip_aggregate(after, &n_again), ERR_OK);
		assert_int_equal(n_again, n_after);
	}
	assert_true(fewer > 10000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(halves_become_one),
	cmocka_unit_test(what_is_covered_goes_unless_another_lies_between),
	cmocka_unit_test(halves_hide_what_they_fill),
	cmocka_unit_test(every_address_stays_where_it_was),
};

RUN_TESTS(tests)
