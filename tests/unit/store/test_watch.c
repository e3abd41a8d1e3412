/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "common/balance/quality.h"
#include "server/store/watch.h"

#include <string.h>

enum { BIN = 300 };
static const int64_t NOVEMBER = 1793491200; /* 2026, UTC */

static void put(enum store_source source, const char *node, const char *interconnect, int64_t start,
                uint64_t out, unsigned quality)
{
	struct store_bin b = { .provider = "isp-a",
		               .start = start,
		               .seconds = BIN,
		               .observed_seconds = BIN,
		               .out_bytes = out,
		               .in_bytes = 2 * out,
		               .quality = quality };
	(void)snprintf(b.interconnect, sizeof(b.interconnect), "%s", interconnect);
	assert_int_equal(store_bins(s, node, source, &b, 1), ERR_OK);
}

static void in_force(void)
{
	assert_string_equal(db_state_of("UPDATE interconnects SET in_force = id <> 'gone', "
	                                " relation = 'transit', capacity_mbps = 100, "
	                                " ratio_limit_milli = 1800"),
	                    "");
}

static const struct store_window *window(int bins)
{
	static struct store_window w;
	w = (struct store_window){ .from = NOVEMBER,
		                   .to = NOVEMBER + bins * BIN,
		                   .bin_seconds = BIN };
	return &w;
}

static void sums_are_of_the_best_source(void **state)
{
	(void)state;
	struct store_watch_sum *list;
	size_t n;
	put(STORE_ANNOUNCE, "n1", "x", NOVEMBER, 1000, 0);
	put(STORE_COUNTER, "n1", "x", NOVEMBER, 5, BIN_DISCONTINUITY | BIN_PARTIAL);
	put(STORE_FLOW, "n1", "x", NOVEMBER, 7, BIN_SAMPLED);
	put(STORE_FLOW, "n2", "x", NOVEMBER, 8, 0);
	put(STORE_FLOW, "n1", "x", NOVEMBER + BIN, 9, BIN_DISCONTINUITY);
	put(STORE_FLOW, "n1", "x", NOVEMBER + 2L * BIN, 100, BIN_DISCONTINUITY);
	put(STORE_FLOW, "n1", "x", NOVEMBER - BIN, 100, BIN_DISCONTINUITY);
	put(STORE_ANNOUNCE, "n1", "b", NOVEMBER, 3, 0);
	put(STORE_ANNOUNCE, "n1", "gone", NOVEMBER, 3, 0);
	in_force();
	assert_int_equal(store_watch_sums(s, window(2), &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].interconnect, "b");
	assert_int_equal(list[0].source, STORE_ANNOUNCE);
	assert_int_equal(list[0].out_bytes, 3);
	assert_int_equal(list[0].discontinuities, 0);
	assert_string_equal(list[1].provider, "isp-a");
	assert_string_equal(list[1].interconnect, "x");
	assert_string_equal(list[1].relation, "transit");
	assert_int_equal(list[1].capacity_mbps, 100);
	assert_int_equal(list[1].ratio_limit_milli, 1800);
	assert_int_equal(list[1].source, STORE_FLOW);
	assert_int_equal(list[1].out_bytes, 24);
	assert_int_equal(list[1].in_bytes, 48);
	assert_int_equal(list[1].discontinuities, 2);
	free(list);
}

static void the_newest_is_told_of_those_who_measure(void **state)
{
	(void)state;
	struct store_watch_last *list;
	size_t n;
	put(STORE_ANNOUNCE, "n1", "x", NOVEMBER + 3L * BIN, 1, 0);
	put(STORE_FLOW, "n1", "x", NOVEMBER, 1, 0);
	put(STORE_FLOW, "n2", "x", NOVEMBER + BIN, 1, 0);
	put(STORE_COUNTER, "n1", "x", NOVEMBER + 2L * BIN, 1, 0);
	put(STORE_COUNTER, "n1", "b", NOVEMBER + 9L * BIN, 1, 0);
	put(STORE_COUNTER, "n1", "gone", NOVEMBER, 1, 0);
	in_force();
	assert_int_equal(store_watch_last(s, window(9), &list, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].provider, "isp-a");
	assert_string_equal(list[0].interconnect, "x");
	assert_int_equal(list[0].source, STORE_FLOW);
	assert_int_equal(list[0].start, NOVEMBER + BIN);
	assert_int_equal(list[1].source, STORE_COUNTER);
	assert_int_equal(list[1].start, NOVEMBER + 2L * BIN);
	free(list);
}

static void bytes_of_unknown_places_are_summed(void **state)
{
	(void)state;
	struct store_watch_unknown *list;
	size_t n;
	const struct store_steering rows[] = {
		{ .provider = "isp-a", .policy = "bridge", .bytes = { 1, 2, 3, 4, 5, 6 } },
		{ .provider = "isp-a",
		  .policy = "bridge",
		  .group = 1,
		  .bytes = { 10, 0, 0, 0, 0, 60 } },
	};
	const struct store_steering_bin bin = {
		.start = NOVEMBER, .seconds = BIN, .rows = rows, .n = 2
	};
	const struct store_steering_bin later = {
		.start = NOVEMBER + BIN, .seconds = BIN, .rows = rows, .n = 1
	};
	assert_int_equal(store_steering_put(s, "n1", &bin), ERR_OK);
	assert_int_equal(store_steering_put(s, "n1", &later), ERR_OK);
	assert_int_equal(store_watch_unknown(s, window(1), &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].provider, "isp-a");
	assert_int_equal(list[0].bytes, 91);
	assert_int_equal(list[0].unknown, 66);
	free(list);
}

static const struct CMUnitTest tests[] = {
	TEST(sums_are_of_the_best_source),
	TEST(the_newest_is_told_of_those_who_measure),
	TEST(bytes_of_unknown_places_are_summed),
};

RUN_TESTS(tests)
