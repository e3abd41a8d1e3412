/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIN = 300 };
static const int64_t NOVEMBER = 1793491200; /* 2026, UTC */

static void put(const char *node, enum store_source source, const char *interconnect, int64_t start,
                uint64_t out)
{
	struct store_bin b = { .provider = "isp-a",
		               .start = start,
		               .seconds = BIN,
		               .observed_seconds = BIN - (uint32_t)out,
		               .out_bytes = out,
		               .in_bytes = 10 * out };
	(void)snprintf(b.interconnect, sizeof(b.interconnect), "%s", interconnect);
	assert_int_equal(store_bins(s, node, source, &b, 1), ERR_OK);
}

static void in_force(void)
{
	assert_string_equal(db_state_of("UPDATE interconnects SET in_force = id <> 'gone', "
	                                " ratio_limit_milli = 1800"),
	                    "");
}

static size_t loads(int64_t from, int64_t to, struct store_load **list)
{
	size_t n;
	assert_int_equal(store_loads(s, from, to, BIN, list, &n), ERR_OK);
	return n;
}

static void each_bin_has_its_best_source_with_nodes_summed(void **state)
{
	(void)state;
	struct store_load *list;
	put("n1", STORE_ANNOUNCE, "x", NOVEMBER, 1);
	put("n2", STORE_ANNOUNCE, "x", NOVEMBER, 2);
	put("n1", STORE_ANNOUNCE, "x", NOVEMBER + BIN, 5);
	put("n1", STORE_COUNTER, "x", NOVEMBER + BIN, 7);
	put("n1", STORE_COUNTER, "b", NOVEMBER + BIN, 8);
	put("n1", STORE_FLOW, "b", NOVEMBER + BIN, 9);
	in_force();
	assert_int_equal(loads(NOVEMBER, NOVEMBER + 2L * BIN, &list), 3);
	assert_int_equal(list[0].start, NOVEMBER);
	assert_string_equal(list[0].provider, "isp-a");
	assert_string_equal(list[0].interconnect, "x");
	assert_int_equal(list[0].source, STORE_ANNOUNCE);
	assert_int_equal(list[0].out_bytes, 3);
	assert_int_equal(list[0].in_bytes, 30);
	assert_int_equal(list[0].observed_seconds, BIN - 1);
	assert_int_equal(list[0].ratio_limit_milli, 1800);
	assert_string_equal(list[1].interconnect, "b");
	assert_int_equal(list[1].source, STORE_FLOW);
	assert_int_equal(list[1].out_bytes, 9);
	assert_string_equal(list[2].interconnect, "x");
	assert_int_equal(list[2].source, STORE_COUNTER);
	assert_int_equal(list[2].out_bytes, 7);
	free(list);
}

static void what_is_not_asked_for_stays_out(void **state)
{
	(void)state;
	struct store_load *list;
	struct store_bin other = {
		.provider = "isp-a", .interconnect = "x", .start = NOVEMBER, .seconds = 2 * BIN
	};
	put("n1", STORE_ANNOUNCE, "x", NOVEMBER - BIN, 1);
	put("n1", STORE_ANNOUNCE, "x", NOVEMBER, 2);
	put("n1", STORE_ANNOUNCE, "x", NOVEMBER + BIN, 3);
	put("n1", STORE_ANNOUNCE, "gone", NOVEMBER, 4);
	assert_int_equal(store_bins(s, "n3", STORE_FLOW, &other, 1), ERR_OK);
	in_force();
	assert_int_equal(loads(NOVEMBER, NOVEMBER + BIN, &list), 1);
	assert_int_equal(list[0].out_bytes, 2);
	free(list);
	assert_int_equal(loads(NOVEMBER + 9L * BIN, NOVEMBER + 10L * BIN, &list), 0);
	free(list);
}

static const struct CMUnitTest tests[] = {
	TEST(each_bin_has_its_best_source_with_nodes_summed),
	TEST(what_is_not_asked_for_stays_out),
};

RUN_TESTS(tests)
