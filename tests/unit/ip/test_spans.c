/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/ip/spans.h"

/* The longest match, by looking at all. */
static uint32_t match(const struct lpm_entry *e, size_t n, const struct ip_addr *a)
{
	uint32_t value = 0;
	int length = -1;
	for (size_t i = 0; i < n; i++)
		if (ip_prefix_has(&e[i].prefix, a) && e[i].prefix.length > length) {
			length = e[i].prefix.length;
			value = e[i].value;
		}
	return value;
}

static struct ip_prefix some(uint64_t *seed, bool wide)
{
	const uint8_t length = (uint8_t)((wide ? 120 : 24) + random_below(seed, 9));
	const unsigned low = random_below(seed, 256) & ~0U << ((wide ? 128 : 32) - length);
	struct ip_prefix p = { .length = length };
	assert_int_equal(ip_parse(wide ? "2001:db8::" : "10.1.2.0", &p.addr), ERR_OK);
	p.addr.bytes[wide ? 15 : 3] = (uint8_t)low;
	return p;
}

static void spans_are_what_a_look_at_all_prefixes_says(void **state)
{
	(void)state;
	enum { MOST = 24 };
	uint64_t seed = 1;
	for (unsigned round = 0; round < 2000; round++) {
		const bool wide = round % 2 != 0;
		struct lpm_entry e[MOST];
		size_t n = 0;
		for (size_t want = random_below(&seed, MOST); want > 0; want--) {
			const struct ip_prefix p = some(&seed, wide);
			bool there = false;
			for (size_t i = 0; i < n; i++)
				there |= ip_prefix_compare(&e[i].prefix, &p) == 0;
			if (!there) {
				e[n] = (struct lpm_entry){ p, (uint32_t)n + 1 };
				n++;
			}
		}
		struct spans s;
		assert_int_equal(lpm_sort(e, n), ERR_OK);
		assert_int_equal(spans_make(e, n, &s), ERR_OK);
		for (size_t i = 1; i < s.n; i++)
			assert_true(ip_number_above(s.starts[i], s.starts[i - 1]));
		size_t at = 0;
		for (unsigned low = 0; low < 256; low++) {
			struct ip_prefix here = some(&seed, wide);
			here.addr.bytes[wide ? 15 : 3] = (uint8_t)low;
			const struct ip_number number = ip_number(&here.addr);
			while (at + 1 < s.n && !ip_number_above(s.starts[at + 1], number))
				at++;
			assert_int_equal(s.values[at], match(e, n, &here.addr));
		}
		spans_done(&s);
	}
}

static void a_prefix_of_everything_ends_with_everything(void **state)
{
	(void)state;
	struct lpm_entry e[] = { { .value = 7 }, { .value = 8 } };
	struct spans s;
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &e[0].prefix), ERR_OK);
	assert_int_equal(ip_prefix_parse("255.255.255.255/32", &e[1].prefix), ERR_OK);
	assert_int_equal(spans_make(e, 2, &s), ERR_OK);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.values[0], 7);
	assert_int_equal(s.values[1], 8);
	assert_true(s.starts[1].hi == (uint64_t)UINT32_MAX << 32 && s.starts[1].lo == 0);
	spans_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_are_what_a_look_at_all_prefixes_says),
		cmocka_unit_test(a_prefix_of_everything_ends_with_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
