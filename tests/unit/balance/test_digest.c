/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/digest.h"
#include "common/balance/quality.h"
#include "common/base/random.h"

enum { BIN = 300 };

static struct bin_total bin(int64_t number, uint64_t out)
{
	return (struct bin_total){ .start = number * BIN, .out = out, .in = 2 * (wide)out };
}

static void assert_same(const struct digest *a, const struct digest *b)
{
	struct text x = { 0 }, y = { 0 };
	digest_pack(a, &x);
	digest_pack(b, &y);
	assert_int_equal(x.size, y.size);
	assert_memory_equal(x.bytes, y.bytes, x.size);
	text_done(&x);
	text_done(&y);
}

static void counts_each_thing_once(void **state)
{
	(void)state;
	struct digest s = { 0 };
	struct bin_total b = bin(10, UINT64_MAX);
	b.quality = BIN_PARTIAL | BIN_GAPS;
	b.packets = true;
	b.out_packets = 5;
	digest_add(&s, &b, BIN);
	b = bin(11, UINT64_MAX);
	b.quality = BIN_GAPS;
	b.p2p = true;
	b.in_p2p = 3;
	digest_add(&s, &b, BIN);
	assert_int_equal(s.known, 2);
	assert_int_equal(s.flagged[0], 1);
	assert_int_equal(s.flagged[1], 0);
	assert_int_equal(s.flagged[5], 2);
	assert_int_equal(s.with_packets, 1);
	assert_int_equal(s.with_p2p, 1);
	char digits[WIDE_TEXT];
	wide_print(s.out, digits);
	assert_string_equal(digits, "36893488147419103230");
	assert_true(s.out_packets == 5 && s.in_p2p == 3 && s.in_packets == 0);
}

static void the_longest_gap_is_found(void **state)
{
	(void)state;
	struct digest s = { 0 }, none = { 0 };
	static const int64_t seen[] = { 10, 11, 14, 15, 17 };
	for (size_t i = 0; i < 5; i++) {
		const struct bin_total b = bin(seen[i], 1);
		digest_add(&s, &b, BIN);
	}
	assert_int_equal(s.gap, 2 * BIN);
	assert_int_equal(s.gap_from, 12 * BIN);

	struct digest whole = s;
	digest_close(&whole, 9 * BIN, 18 * BIN);
	assert_int_equal(whole.gap, 2 * BIN);
	assert_int_equal(whole.gap_from, 12 * BIN);
	whole = s;
	digest_close(&whole, 7 * BIN, 18 * BIN);
	assert_int_equal(whole.gap, 3 * BIN);
	assert_int_equal(whole.gap_from, 7 * BIN);
	whole = s;
	digest_close(&whole, 7 * BIN, 30 * BIN);
	assert_int_equal(whole.gap, 12 * BIN);
	assert_int_equal(whole.gap_from, 18 * BIN);
	digest_close(&none, 7 * BIN, 30 * BIN);
	assert_int_equal(none.gap, 23 * BIN);
	assert_int_equal(none.gap_from, 7 * BIN);
}

static void parts_make_the_whole(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (int round = 0; round < 500; round++) {
		struct digest whole = { 0 }, merged = { 0 }, part = { 0 };
		for (int64_t i = 1; i < 60; i++) {
			if (random_below(&seed, 3) > 0) {
				struct bin_total b = bin(i, random_next(&seed));
				b.quality = random_below(&seed, 64);
				b.packets = random_below(&seed, 2) > 0;
				b.out_packets = b.packets ? random_next(&seed) : 0;
				digest_add(&whole, &b, BIN);
				digest_add(&part, &b, BIN);
			}
			if (random_below(&seed, 6) == 0) {
				/* By way of the packed form, as months are kept. */
				struct text packed = { 0 };
				struct digest read;
				digest_pack(&part, &packed);
				assert_true(digest_unpack(&read, packed.bytes, packed.size));
				assert_false(digest_unpack(&read, packed.bytes, packed.size - 1));
				digest_merge(&merged, &read);
				text_done(&packed);
				part = (struct digest){ 0 };
			}
		}
		digest_merge(&merged, &part);
		assert_same(&merged, &whole);
	}
}

static void digits_go_both_ways(void **state)
{
	(void)state;
	static const char *const good[] = { "0", "7", "18446744073709551616",
		                            "340282366920938463463374607431768211455" };
	static const char *const bad[] = { "",
		                           "-1",
		                           "1 ",
		                           "0x1",
		                           "340282366920938463463374607431768211456",
		                           "3402823669209384634633746074317682114550" };
	char digits[WIDE_TEXT];
	wide n;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(wide_read(good[i], strlen(good[i]), &n));
		wide_print(n, digits);
		assert_string_equal(digits, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(wide_read(bad[i], strlen(bad[i]), &n));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(counts_each_thing_once),
	cmocka_unit_test(the_longest_gap_is_found),
	cmocka_unit_test(parts_make_the_whole),
	cmocka_unit_test(digits_go_both_ways),
};

RUN_TESTS(tests)
