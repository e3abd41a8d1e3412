/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/opened.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR = 3600, DAY = 86400, MINUTE = 60 };
static const int64_t AUGUST = 1785542400, NOVEMBER = 1793491200, DECEMBER = 1796083200; /* 2026 */

/* What the database should say: bins of these hours of August and November, two interconnects. */
enum { HOURS = 24 * 124 };
static uint64_t model[2][HOURS];
static bool known[2][HOURS];

static struct store_bin bin(unsigned interconnect, int64_t start, uint64_t bytes)
{
	struct store_bin b = { .provider = "isp-a",
		               .start = start,
		               .seconds = HOUR,
		               .observed_seconds = HOUR,
		               .out_bytes = bytes,
		               .in_bytes = bytes / 2 };
	b.interconnect[0] = (char)('x' + interconnect);
	return b;
}

static void put(const char *node, const struct store_bin *list, size_t n)
{
	assert_int_equal(store_bins(s, node, STORE_COUNTER, list, n), ERR_OK);
}

/* Some hours of some days, each of one node or of two. */
static void fill(uint64_t *seed)
{
	struct store_bin *list = calloc((size_t)2 * HOURS, sizeof(*list));
	size_t n = 0;
	assert_non_null(list);
	memset(model, 0, sizeof(model));
	memset(known, 0, sizeof(known));
	for (unsigned x = 0; x < 2; x++)
		for (size_t h = 0; h < HOURS; h++) {
			const int64_t start = AUGUST + (int64_t)h * HOUR;
			const bool asked = start < AUGUST + 31 * DAY || start >= NOVEMBER;
			if (!asked || random_below(seed, 4) == 0)
				continue;
			const uint64_t bytes = 2 + 2 * random_below(seed, 1000);
			model[x][h] = 2 * bytes;
			known[x][h] = true;
			list[n++] = bin(x, start, bytes);
		}
	put("n1", list, n);
	put("n2", list, n);
	free(list);
}

static void pack(int64_t now)
{
	bool more = true;
	while (more)
		assert_int_equal(store_rollup(s, now, &more), ERR_OK);
}

static void assert_series(int64_t from, int64_t to, unsigned first, unsigned last)
{
	const struct store_window w = { .from = from,
		                        .to = to,
		                        .bin_seconds = HOUR,
		                        .interconnect = first < last ? NULL
		                                        : first == 0 ? "x"
		                                                     : "y" };
	struct store_point *list;
	size_t n, at = 0;
	assert_int_equal(store_series(s, &w, STORE_COUNTER, &list, &n), ERR_OK);
	for (size_t h = 0; h < HOURS; h++) {
		const int64_t start = AUGUST + (int64_t)h * HOUR;
		uint64_t sum = 0;
		bool is_known = false;
		for (unsigned x = first; x <= last; x++) {
			sum += model[x][h];
			is_known = is_known || known[x][h];
		}
		if (!is_known || start < from || start + HOUR > to)
			continue;
		assert_true(at < n);
		assert_int_equal(list[at].start, start);
		assert_int_equal(list[at].out_bytes, sum);
		assert_int_equal(list[at++].in_bytes, sum / 2);
	}
	assert_int_equal(at, n);
	free(list);
}

static void assert_windows(uint64_t *seed)
{
	assert_series(0, INT64_C(4000000000), 0, 1);
	assert_series(AUGUST, DECEMBER, 1, 1);
	assert_series(DECEMBER + DAY, DECEMBER + 2 * DAY, 0, 1);
	assert_series(NOVEMBER, AUGUST, 0, 1);
	for (unsigned i = 0; i < 20; i++) {
		const int64_t from = AUGUST + (int64_t)random_below(seed, HOURS * HOUR);
		assert_series(from, from + (int64_t)random_below(seed, 40 * DAY), 0, i % 2);
	}
}

static void says_the_same_packed_or_not(void **state)
{
	(void)state;
	uint64_t seed = 7;
	struct store_bin late = bin(0, NOVEMBER + 3 * HOUR, 1000);
	const struct store_keep keep = { .bins_days = 40 };
	char found[16];
	fill(&seed);
	assert_windows(&seed);
	pack(NOVEMBER + 2 * DAY); /* the rest of November is due */
	assert_windows(&seed);
	pack(DECEMBER + 2 * DAY);
	put("n1", &late, 1); /* due once more, beside a page that is not true any more */
	model[0][(NOVEMBER - AUGUST) / HOUR + 3] =
		1000 + (known[0][(NOVEMBER - AUGUST) / HOUR + 3]
	                        ? model[0][(NOVEMBER - AUGUST) / HOUR + 3] / 2
	                        : 0);
	known[0][(NOVEMBER - AUGUST) / HOUR + 3] = true;
	assert_windows(&seed);
	pack(DECEMBER + 2 * DAY);
	assert_int_equal(store_retain(s, &keep, DECEMBER), ERR_OK);
	db_ask("SELECT count(*) FROM bins WHERE start < 1793491200", found, sizeof(found));
	assert_string_equal(found, "0"); /* August is there in pages alone */
	assert_windows(&seed);
}

static void of_many_the_newest_are_told(void **state)
{
	(void)state;
	enum { N = STORE_SERIES_MAX + 2000 };
	struct store_bin *list = calloc(N, sizeof(*list));
	struct store_point *points;
	size_t n;
	assert_non_null(list);
	for (size_t i = 0; i < N; i++) {
		list[i] = bin(0, NOVEMBER + (int64_t)i * MINUTE, i);
		list[i].seconds = list[i].observed_seconds = MINUTE;
	}
	put("n1", list, N);
	for (int packed = 0; packed < 2; packed++) {
		const struct store_window w = { .from = AUGUST,
			                        .to = DECEMBER,
			                        .bin_seconds = MINUTE };
		assert_int_equal(store_series(s, &w, STORE_COUNTER, &points, &n), ERR_OK);
		assert_int_equal(n, STORE_SERIES_MAX);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(points[i].out_bytes, i + N - STORE_SERIES_MAX);
		free(points);
		pack(DECEMBER);
	}
	free(list);
}

static const struct CMUnitTest tests[] = {
	TEST(says_the_same_packed_or_not),
	TEST(of_many_the_newest_are_told),
};

RUN_TESTS(tests)
