/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/quality.h"
#include "common/base/random.h"
#include "tests/unit/store/opened.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIN = 300 };
static const int64_t NOVEMBER = 1793491200, DECEMBER = 1796083200; /* 2026, UTC */

static struct store_bin bin(int64_t start, uint64_t out, uint64_t in)
{
	return (struct store_bin){ .provider = "isp-a",
		                   .interconnect = "a-b-1",
		                   .start = start,
		                   .seconds = BIN,
		                   .observed_seconds = BIN,
		                   .out_bytes = out,
		                   .in_bytes = in };
}

static void put(const char *node, enum store_source source, struct store_bin b)
{
	assert_int_equal(store_bins(s, node, source, &b, 1), ERR_OK);
}

/* The only row of the balance in [from, to). */
static struct store_balance only(int64_t from, int64_t to)
{
	const struct store_window w = { .from = from, .to = to, .bin_seconds = BIN };
	struct store_balance *list, row;
	size_t n;
	assert_int_equal(store_balance(s, &w, &list, &n), ERR_OK);
	assert_int_equal(n, 1);
	row = list[0];
	free(list);
	return row;
}

static void a_replay_replaces_and_never_adds(void **state)
{
	(void)state;
	struct store_bin rows[] = { bin(NOVEMBER, 10, 1), bin(NOVEMBER + BIN, 20, 2),
		                    bin(NOVEMBER, 11,
		                        1) /* the same bin again: the last counts */ };
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_bins(s, "n1", STORE_ANNOUNCE, rows, 3), ERR_OK);
	struct store_balance b = only(NOVEMBER, DECEMBER);
	assert_string_equal(b.out_bytes, "31");
	assert_string_equal(b.in_bytes, "3");
	assert_int_equal(b.bins_known, 2);

	put("n1", STORE_ANNOUNCE, bin(NOVEMBER, 5, 5));
	b = only(NOVEMBER, DECEMBER);
	assert_string_equal(b.out_bytes, "25");
	assert_string_equal(b.in_bytes, "7");
	assert_int_equal(store_bins(s, "n1", STORE_FLOW, NULL, 0), ERR_OK);
}

static void each_life_of_a_node_has_a_name_of_its_own(void **state)
{
	(void)state;
	static const struct {
		const char *node, *life, *name;
	} rows[] = {
		{ "n1", "a", "n1" },
		{ "n1", "b", "n1~2" },
		{ "n2", "b", "n2" },
		{ "n1", "b", "n1~2" },
		{ "n1", "a", "n1" },
		{ "n1", "c", "n1~3" },
		{ "0123456789012345678901234567890123456789012345678901234567890123", "a",
		  "0123456789012345678901234567890123456789012345678901234567890123" },
		{ "0123456789012345678901234567890123456789012345678901234567890123", "b",
		  "01234567890123456789012345678901234567890123456789012345678901~2" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[STORE_NODE_SIZE];
		assert_int_equal(store_life(s, rows[i].node, rows[i].life, name), ERR_OK);
		assert_string_equal(name, rows[i].name);
	}
}

static void nodes_are_summed_before_anything_is_ranked(void **state)
{
	(void)state;
	/* Two nodes whose peaks do not meet: sum of peaks 20, peak of sums 11. */
	put("n1", STORE_ANNOUNCE, bin(NOVEMBER, 10, 0));
	put("n2", STORE_ANNOUNCE, bin(NOVEMBER, 1, 0));
	put("n1", STORE_ANNOUNCE, bin(NOVEMBER + BIN, 1, 0));
	put("n2", STORE_ANNOUNCE, bin(NOVEMBER + BIN, 10, 0));
	const struct store_balance b = only(NOVEMBER, DECEMBER);
	assert_string_equal(b.out_bytes, "22");
	assert_int_equal(b.p95_out_bytes, 11);
	assert_int_equal(b.bins_known, 2);
}

static void sources_stay_apart(void **state)
{
	(void)state;
	put("n1", STORE_COUNTER, bin(NOVEMBER, 3, 0));
	put("n1", STORE_ANNOUNCE, bin(NOVEMBER, 1, 0));
	put("n1", STORE_FLOW, bin(NOVEMBER, 2, 0));
	const struct store_window w = { .from = NOVEMBER, .to = DECEMBER, .bin_seconds = BIN };
	struct store_balance *list;
	size_t n;
	assert_int_equal(store_balance(s, &w, &list, &n), ERR_OK);
	assert_int_equal(n, 3);
	for (enum store_source i = STORE_ANNOUNCE; i <= STORE_COUNTER; i++) {
		assert_int_equal(list[i].source, i);
		assert_int_equal(list[i].p95_out_bytes, (int)i + 1);
		assert_string_equal(list[i].relation, "unknown"); /* no topology has named it yet */
	}
	free(list);
}

static void byte_counts_keep_every_bit(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *twice;
	} rows[] = {
		{ 9007199254740993U, "18014398509481986" }, /* 2^53 + 1 */
		{ 9223372036854775808U, "18446744073709551616" },
		{ UINT64_MAX, "36893488147419103230" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put("n1", STORE_FLOW, bin(NOVEMBER, rows[i].bytes, 0));
		put("n1", STORE_FLOW, bin(NOVEMBER + BIN, rows[i].bytes, rows[i].bytes));
		const struct store_balance b = only(NOVEMBER, DECEMBER);
		assert_string_equal(b.out_bytes, rows[i].twice);
		assert_true(b.p95_out_bytes == rows[i].bytes);
		assert_true(b.p95_in_bytes == rows[i].bytes);
	}
	/* What two nodes saw in one bin may pass 2^64: the total is exact, the rank saturates. */
	put("n2", STORE_FLOW, bin(NOVEMBER, 1, 0));
	const struct store_balance b = only(NOVEMBER, NOVEMBER + BIN);
	assert_string_equal(b.out_bytes, "18446744073709551616");
	assert_true(b.p95_out_bytes == UINT64_MAX);
}

static void a_window_takes_whole_bins_of_its_length(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		put("n1", STORE_ANNOUNCE, bin(NOVEMBER + i * BIN, 1, 1));
	struct store_bin shorter = bin(NOVEMBER + 10 * BIN, 1000, 1000);
	shorter.seconds = 5;
	put("n1", STORE_ANNOUNCE, shorter);
	assert_string_equal(only(NOVEMBER, DECEMBER).out_bytes, "4");
	assert_string_equal(only(NOVEMBER, NOVEMBER + 4 * BIN).out_bytes, "4");
	assert_string_equal(only(NOVEMBER, NOVEMBER + 4 * BIN - 1).out_bytes, "3");
	assert_string_equal(only(NOVEMBER + 1, NOVEMBER + 4 * BIN).out_bytes, "3");

	const struct store_window all = { .from = NOVEMBER, .to = DECEMBER, .bin_seconds = BIN };
	struct store_window w = all;
	struct store_balance *list;
	size_t n;
	w.provider = "isp-b";
	assert_int_equal(store_balance(s, &w, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
	w = all;
	w.interconnect = "a-b-2";
	assert_int_equal(store_balance(s, &w, &list, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(list);
}

static void a_month_has_its_partition(void **state)
{
	(void)state;
	struct store_bin rows[] = { bin(DECEMBER - BIN, 1, 0), bin(DECEMBER, 2, 0),
		                    bin(DECEMBER + BIN, 4, 0), bin(DECEMBER - 2 * BIN, 8, 0) };
	assert_int_equal(store_bins(s, "n1", STORE_ANNOUNCE, rows, 4), ERR_OK);
	char found[160];
	db_ask("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class "
	       "WHERE relispartition AND relkind = 'r'",
	       found, sizeof(found));
	assert_string_equal(found, "bin_days_2026_11 bin_days_2026_12 bin_months_2026_11 "
	                           "bin_months_2026_12 bins_2026_11 bins_2026_12");
	assert_string_equal(only(NOVEMBER, DECEMBER).out_bytes, "9");
	assert_string_equal(only(DECEMBER - BIN, DECEMBER + BIN).out_bytes, "3");

	/* Nobody's clock shows that: no partition for it, and nothing of the batch is kept. */
	struct store_bin stray[] = { bin(NOVEMBER, 1, 0), bin(-BIN, 1, 0) };
	assert_int_equal(store_bins(s, "n1", STORE_ANNOUNCE, stray, 2), ERR_RANGE);
	stray[1].start = INT64_MAX;
	assert_int_equal(store_bins(s, "n1", STORE_ANNOUNCE, stray, 2), ERR_RANGE);
	stray[1] = bin(NOVEMBER, 1, 0);
	stray[1].seconds = 0;
	assert_int_equal(store_bins(s, "n1", STORE_ANNOUNCE, stray, 2), ERR_RANGE);
	assert_string_equal(only(NOVEMBER, DECEMBER).out_bytes, "9");
}

static void *write_november(void *ctx)
{
	struct store_bin rows[64];
	for (int i = 0; i < 64; i++) {
		rows[i] = bin(NOVEMBER + i * BIN, 1, 1);
		(void)snprintf(rows[i].interconnect, sizeof(rows[i].interconnect), "x-%d", i % 8);
	}
	return store_bins(s, ctx, STORE_COUNTER, rows, 64) == ERR_OK ? NULL : ctx;
}

static void writers_that_meet_at_a_new_month_take_turns(void **state)
{
	(void)state;
	/* Two write the very same keys, as two daemons do that were posted the same samples. */
	static char nodes[][4] = { "n1", "n2", "n2" };
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_november, nodes[i]), 0);
	for (int i = 0; i < 3; i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	char found[32];
	db_ask("SELECT count(*) || ' ' || sum(out_bytes) FROM bins", found, sizeof(found));
	assert_string_equal(found, "128 128");
}

static void names_survive_copy(void **state)
{
	(void)state;
	struct store_bin b = bin(NOVEMBER, 1, 1);
	(void)snprintf(b.interconnect, sizeof(b.interconnect), "a\tb\\N\nc\r\\.\"'");
	put("n1", STORE_ANNOUNCE, b);
	assert_string_equal(only(NOVEMBER, DECEMBER).interconnect, b.interconnect);
}

static void a_bin_keeps_what_was_measured_and_how_well(void **state)
{
	(void)state;
	static const char row[] =
		"SELECT concat_ws(' ', coalesce(out_packets::text, '-'), "
		"coalesce(in_packets::text, '-'), coalesce(out_p2p_bytes::text, '-'), "
		"coalesce(in_p2p_bytes::text, '-'), quality) FROM bins";
	char found[128];
	struct store_bin b = bin(NOVEMBER, 1, 1);
	put("n1", STORE_FLOW, b);
	db_ask(row, found, sizeof(found));
	assert_string_equal(found, "- - - - 0");

	b.measured_packets = b.measured_p2p = true;
	b.out_packets = UINT64_MAX;
	b.in_p2p_bytes = 7;
	b.quality = BIN_SAMPLED | BIN_GAPS;
	put("n1", STORE_FLOW, b);
	db_ask(row, found, sizeof(found));
	assert_string_equal(found, "18446744073709551615 0 0 7 40");

	/* Written again it is replaced whole, and a bin that was not watched to its end says so. */
	b = bin(NOVEMBER, 1, 1);
	b.observed_seconds = BIN - 1;
	put("n1", STORE_FLOW, b);
	db_ask(row, found, sizeof(found));
	assert_string_equal(found, "- - - - 1");

	b.quality = BIN_QUALITY_ALL + 1;
	assert_int_equal(store_bins(s, "n1", STORE_FLOW, &b, 1), ERR_RANGE);
}

/* ---- the percentile against a model ---- */

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static uint64_t nearest_rank(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_size);
	return values[(95 * n + 99) / 100 - 1];
}

static void the_percentile_is_the_nearest_rank(void **state)
{
	(void)state;
	static const size_t counts[] = { 1,  2,  3,   19,       20,       21,       39,
		                         40, 99, 100, 28 * 288, 29 * 288, 30 * 288, 31 * 288 };
	uint64_t *out = calloc(31 * 288, sizeof(*out)), *in = calloc(31 * 288, sizeof(*in));
	struct store_bin *rows = calloc(31 * 288, sizeof(*rows));
	assert_true(out != NULL && in != NULL && rows != NULL);
	uint64_t seed = 7;
	size_t have = 0;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		const size_t n = counts[c], first = have;
		for (; have < n; have++)
			rows[have] =
				bin(NOVEMBER + (int64_t)have * BIN, random_next(&seed) % 1000000,
			            random_next(&seed) % 50); /* many ties */
		assert_int_equal(store_bins(s, "n1", STORE_COUNTER, rows + first, n - first),
		                 ERR_OK);
		for (size_t i = 0; i < n; i++) {
			out[i] = rows[i].out_bytes;
			in[i] = rows[i].in_bytes;
		}
		const struct store_balance b = only(NOVEMBER, NOVEMBER + (int64_t)n * BIN);
		assert_int_equal(b.bins_known, n);
		assert_int_equal(b.p95_out_bytes, nearest_rank(out, n));
		assert_int_equal(b.p95_in_bytes, nearest_rank(in, n));
	}
	free(out);
	free(in);
	free(rows);
}

static void a_series_is_in_order_with_nodes_summed(void **state)
{
	(void)state;
	put("n1", STORE_FLOW, bin(NOVEMBER + BIN, 2, UINT64_MAX));
	put("n1", STORE_FLOW, bin(NOVEMBER, 1, 0));
	put("n2", STORE_FLOW, bin(NOVEMBER, 4, 1));
	put("n1", STORE_COUNTER, bin(NOVEMBER, 100, 100));
	const struct store_window w = { .from = NOVEMBER,
		                        .to = DECEMBER,
		                        .bin_seconds = BIN,
		                        .provider = "isp-a",
		                        .interconnect = "a-b-1" };
	struct store_point *points;
	size_t n;
	assert_int_equal(store_series(s, &w, STORE_FLOW, &points, &n), ERR_OK);
	assert_int_equal(n, 2);
	assert_int_equal(points[0].start, NOVEMBER);
	assert_int_equal(points[0].out_bytes, 5);
	assert_int_equal(points[1].start, NOVEMBER + BIN);
	assert_true(points[1].in_bytes == UINT64_MAX);
	free(points);
	assert_int_equal(store_series(s, &w, STORE_ANNOUNCE, &points, &n), ERR_OK);
	assert_int_equal(n, 0);
	free(points);
}

static const struct CMUnitTest tests[] = {
	TEST(a_replay_replaces_and_never_adds),
	TEST(each_life_of_a_node_has_a_name_of_its_own),
	TEST(nodes_are_summed_before_anything_is_ranked),
	TEST(sources_stay_apart),
	TEST(byte_counts_keep_every_bit),
	TEST(a_window_takes_whole_bins_of_its_length),
	TEST(a_month_has_its_partition),
	TEST(writers_that_meet_at_a_new_month_take_turns),
	TEST(names_survive_copy),
	TEST(a_bin_keeps_what_was_measured_and_how_well),
	TEST(the_percentile_is_the_nearest_rank),
	TEST(a_series_is_in_order_with_nodes_summed),
};

RUN_TESTS(tests)
