/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include <stdlib.h>
#include <string.h>

enum { BIN = 300 };
static const int64_t T = 1793491200;

static struct store_steering row(const char *provider, bool control, bool flagged, uint8_t group,
                                 uint64_t bytes)
{
	struct store_steering r = {
		.policy = "p4p 70/80", .control = control, .flagged = flagged, .group = group
	};
	(void)snprintf(r.provider, sizeof(r.provider), "%s", provider);
	for (unsigned k = 0; k < STORE_TIERS; k++)
		r.bytes[k] = bytes + k;
	r.copies = bytes + 6;
	r.imported = bytes + 7;
	r.swarms = bytes + 8;
	r.unsized = bytes + 9;
	r.times[group] = 1;
	r.times[STORE_TIMES - 1] = bytes;
	return r;
}

static void put(const char *node, int64_t start, const struct store_steering *rows, size_t n)
{
	const struct store_steering_bin bin = {
		.start = start, .seconds = BIN, .rows = rows, .n = n
	};
	assert_int_equal(store_steering_put(s, node, &bin), ERR_OK);
}

/* free() the list. */
static struct store_steering *sums(const char *provider, int64_t from, int64_t to, size_t expect)
{
	const struct store_window w = {
		.from = from, .to = to, .bin_seconds = BIN, .provider = provider
	};
	struct store_steering *list;
	size_t n;
	assert_int_equal(store_steering(s, &w, &list, &n), ERR_OK);
	assert_int_equal(n, expect);
	return list;
}

static void a_bin_again_replaces_all_of_its_node(void **state)
{
	(void)state;
	const struct store_steering first[] = { row("a", true, false, 3, 10),
		                                row("a", false, false, 3, 20) };
	const struct store_steering again[] = { row("a", false, true, 3, UINT64_C(1) << 60) };
	put("n1", T, first, 2);
	put("n1", T, again, 1); /* what was control has become private, say */
	put("n1", T, again, 1);
	struct store_steering *list = sums(NULL, T, T + BIN, 1);
	assert_true(list[0].flagged && !list[0].control);
	assert_int_equal(list[0].bytes[5], (UINT64_C(1) << 60) + 5);
	assert_int_equal(list[0].times[3], 1);
	free(list);
	put("n1", T, NULL, 0);
	free(sums(NULL, T, T + BIN, 0));
}

static void nodes_and_bins_of_the_window_add_up_in_order(void **state)
{
	(void)state;
	const struct store_steering rows[] = {
		row("a", true, false, 1, 100),  row("a", false, false, 2, 100),
		row("a", false, false, 1, 100), row("a", false, true, 0, 100),
		row("b", false, true, 0, 100),
	};
	put("n1", T, rows, 5);
	put("n2", T, rows, 5);
	put("n1", T + BIN, rows, 5);
	put("n1", T + 2 * BIN, rows, 5); /* outside */
	struct store_steering *list = sums("a", T, T + 2 * BIN, 4);
	static const struct {
		bool flagged, control;
		uint8_t group;
	} order[] = {
		{ true, false, 0 }, { false, false, 1 }, { false, false, 2 }, { false, true, 1 }
	};
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(list[i].provider, "a");
		assert_string_equal(list[i].policy, "p4p 70/80");
		assert_int_equal(list[i].flagged, order[i].flagged);
		assert_int_equal(list[i].control, order[i].control);
		assert_int_equal(list[i].group, order[i].group);
		for (unsigned k = 0; k < STORE_TIERS; k++)
			assert_int_equal(list[i].bytes[k], 3 * (100 + k));
		assert_int_equal(list[i].copies, 3 * 106);
		assert_int_equal(list[i].imported, 3 * 107);
		assert_int_equal(list[i].swarms, 3 * 108);
		assert_int_equal(list[i].unsized, 3 * 109);
		for (unsigned k = 0; k + 1 < STORE_TIMES; k++)
			assert_int_equal(list[i].times[k], k == order[i].group ? 3 : 0);
		assert_int_equal(list[i].times[STORE_TIMES - 1], 300);
	}
	free(list);
	free(sums(NULL, T, T + 2 * BIN, 5));
}

static const struct CMUnitTest tests[] = {
	TEST(a_bin_again_replaces_all_of_its_node),
	TEST(nodes_and_bins_of_the_window_add_up_in_order),
};

RUN_TESTS(tests)
