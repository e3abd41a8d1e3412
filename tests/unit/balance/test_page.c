/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/page.h"
#include "common/base/random.h"

enum { BIN = 300, DAY = 86400, BINS = DAY / BIN };

static wide any(uint64_t *seed)
{
	const wide n = (wide)random_next(seed) << 64 | random_next(seed);
	return n >> random_below(seed, 128);
}

static struct bin_total any_bin(uint64_t *seed, int64_t start)
{
	struct bin_total b = { .start = start, .out = any(seed), .in = any(seed) };
	b.quality = random_below(seed, 4) == 0 ? random_below(seed, 64) : 0;
	b.packets = random_below(seed, 2) == 0;
	b.p2p = random_below(seed, 2) == 0;
	if (b.packets) {
		b.out_packets = any(seed);
		b.in_packets = any(seed);
	}
	if (b.p2p) {
		b.out_p2p = any(seed);
		b.in_p2p = any(seed);
	}
	return b;
}

static void assert_same(const struct bin_total *a, const struct bin_total *b)
{
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->quality, b->quality);
	assert_int_equal(a->packets, b->packets);
	assert_int_equal(a->p2p, b->p2p);
	assert_true(a->out == b->out && a->in == b->in);
	assert_true(a->out_packets == b->out_packets && a->in_packets == b->in_packets);
	assert_true(a->out_p2p == b->out_p2p && a->in_p2p == b->in_p2p);
}

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (int round = 0; round < 300; round++) {
		const int64_t day = (int64_t)random_below(&seed, 40000) * DAY;
		struct bin_total bins[BINS], got;
		struct text page = { 0 };
		struct page_writer w = page_begin(&page, day, BIN);
		size_t n = 0;
		for (int64_t i = 0; i < BINS; i++)
			if (random_below(&seed, 8) < (uint32_t)round % 9) {
				bins[n] = any_bin(&seed, day + i * BIN);
				page_add(&w, &bins[n++]);
			}
		struct page_reader r = page_open(page.bytes, page.size, day, BIN);
		for (size_t i = 0; i < n; i++) {
			assert_true(page_next(&r, &got));
			assert_same(&got, &bins[i]);
		}
		assert_false(page_next(&r, &got));
		assert_false(r.bytes.bad);
		text_done(&page);
	}
}

static void a_usual_bin_takes_a_dozen_bytes(void **state)
{
	(void)state;
	struct text page = { 0 };
	struct page_writer w = page_begin(&page, 0, BIN);
	for (int64_t i = 0; i < BINS; i++)
		page_add(&w, &(struct bin_total){ .start = i * BIN,
		                                  .out = 375000000000 / 4, /* 10 Gbit/s */
		                                  .in = 375000000000 / 4 });
	assert_int_equal(page.size, 1 + BINS * 14);
	text_done(&page);
}

static void what_is_no_page_is_refused(void **state)
{
	(void)state;
	uint64_t seed = 9;
	struct text page = { 0 };
	struct page_writer w = page_begin(&page, 0, BIN);
	const struct bin_total bin = any_bin(&seed, 600);
	struct bin_total got;
	page_add(&w, &bin);
	for (size_t size = 0; size < page.size; size++) {
		struct page_reader r = page_open(page.bytes, size, 0, BIN);
		assert_false(page_next(&r, &got));
		assert_true(r.bytes.bad || size == 1);
	}
	page.bytes[0] = 2;
	struct page_reader r = page_open(page.bytes, page.size, 0, BIN);
	assert_false(page_next(&r, &got));
	assert_true(r.bytes.bad);
	text_done(&page);

	/* Random bytes end, whatever they are. */
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[64] = { 1 };
		for (size_t i = 1; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_next(&seed);
		r = page_open(bytes, 1 + random_below(&seed, 64), 0, BIN);
		size_t n = 0;
		while (page_next(&r, &got))
			n++;
		assert_true(n < sizeof(bytes));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_goes_in_comes_out),
	cmocka_unit_test(a_usual_bin_takes_a_dozen_bytes),
	cmocka_unit_test(what_is_no_page_is_refused),
};

RUN_TESTS(tests)
