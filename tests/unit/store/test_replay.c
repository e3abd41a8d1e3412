/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/replay.h"
#include "tests/unit/store/opened.h"

#include <stdlib.h>
#include <string.h>

enum { BIN = 300 };
static const int64_t T = 1793491200;

static struct store_cell cell(const char *provider, enum store_direction d, const char *ic,
                              const char *from, uint64_t bytes)
{
	struct store_cell c = { .direction = d, .tier = 2, .bytes = bytes };
	(void)snprintf(c.provider, sizeof(c.provider), "%s", provider);
	(void)snprintf(c.interconnect, sizeof(c.interconnect), "%s", ic);
	(void)snprintf(c.from, sizeof(c.from), "%s", from);
	(void)snprintf(c.to, sizeof(c.to), "as:7");
	return c;
}

static void put(int64_t start, const struct store_cell *cells, size_t n)
{
	const struct store_matrix_bin bin = { .start = start,
		                              .seconds = BIN,
		                              .observed_seconds = BIN,
		                              .cells = cells,
		                              .n_cells = n };
	assert_int_equal(store_matrix_put(s, "n1", &bin), ERR_OK);
}

static void one_providers_pairs_are_summed_over_the_window(void **state)
{
	(void)state;
	const struct store_cell cells[] = { cell("a", STORE_OUT, "t", "pid:a/x", 10),
		                            cell("a", STORE_INSIDE, "", "pid:a/y", 3),
		                            cell("b", STORE_IN, "u", "pid:a/x", 10) };
	struct store_replay_row *rows;
	size_t n;
	uint64_t bins;
	put(T - BIN, cells, 3); /* before the window */
	put(T, cells, 3);
	put(T + BIN, cells, 3);
	assert_int_equal(store_replay(s, "a", T, T + 2 * BIN, 100, &rows, &n, &bins), ERR_OK);
	assert_int_equal(n, 2);
	assert_int_equal(bins, 2);
	const struct store_replay_row *out = rows[0].direction == STORE_OUT ? &rows[0] : &rows[1];
	assert_int_equal(out->direction, STORE_OUT);
	assert_int_equal(out->bytes, 20);
	assert_string_equal(out->interconnect, "t");
	assert_string_equal(out->from, "pid:a/x");
	assert_string_equal(out->to, "as:7");
	free(rows);
	assert_int_equal(store_replay(s, "c", T, T + 2 * BIN, 100, &rows, &n, &bins), ERR_OK);
	assert_int_equal(n, 0);
	free(rows);
}

static void what_is_beyond_the_limit_keeps_its_crossing(void **state)
{
	(void)state;
	const struct store_cell cells[] = { cell("a", STORE_OUT, "t", "pid:a/1", 100),
		                            cell("a", STORE_OUT, "t", "pid:a/2", 20),
		                            cell("a", STORE_OUT, "t", "pid:a/3", 3),
		                            cell("a", STORE_OUT, "u", "pid:a/4", 1) };
	struct store_replay_row *rows;
	size_t n;
	uint64_t bins, others_t = 0, others_u = 0;
	put(T, cells, 4);
	assert_int_equal(store_replay(s, "a", T, T + BIN, 1, &rows, &n, &bins), ERR_OK);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].from, "*") == 0)
			*(rows[i].interconnect[0] == 't' ? &others_t : &others_u) += rows[i].bytes;
	assert_int_equal(others_t, 23);
	assert_int_equal(others_u, 1);
	free(rows);
}

static void a_bin_has_all_providers_pairs_of_all_nodes(void **state)
{
	(void)state;
	struct store_cell cells[] = { cell("b", STORE_IN, "u", "pid:a/x", 10),
		                      cell("a", STORE_OUT, "t", "pid:a/x", 10),
		                      cell("a", STORE_INSIDE, "", "pid:a/y", 3),
		                      cell("a", STORE_INSIDE, "", "pid:a/z", 5) };
	const struct store_matrix_bin other = { .start = T,
		                                .seconds = BIN,
		                                .observed_seconds = BIN - 7,
		                                .cells = &cells[1],
		                                .n_cells = 1 };
	struct store_flow *rows;
	size_t n;
	uint32_t observed;
	cells[2].tier = 0; /* inside a PID */
	put(T, cells, 4);
	put(T + BIN, cells, 4);
	assert_int_equal(store_matrix_put(s, "n2", &other), ERR_OK);
	assert_int_equal(store_flows(s, T, BIN, &rows, &n, &observed), ERR_OK);
	assert_int_equal(n, 3);
	assert_int_equal(observed, BIN);
	assert_string_equal(rows[0].provider, "a");
	assert_int_equal(rows[0].row.direction, STORE_INSIDE);
	assert_string_equal(rows[0].row.from, "pid:a/z");
	assert_int_equal(rows[1].row.direction, STORE_OUT);
	assert_string_equal(rows[1].row.interconnect, "t");
	assert_int_equal(rows[1].row.bytes, 20);
	assert_string_equal(rows[2].provider, "b");
	free(rows);
	assert_int_equal(store_flows(s, T + 2 * BIN, BIN, &rows, &n, &observed), ERR_OK);
	assert_int_equal(n, 0);
	assert_int_equal(observed, 0);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_providers_pairs_are_summed_over_the_window),
		TEST(what_is_beyond_the_limit_keeps_its_crossing),
		TEST(a_bin_has_all_providers_pairs_of_all_nodes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
