/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/matrix.h"
#include "tests/unit/store/opened.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BIN = 300, HOUR = 3600 };
static const int64_t T = 1793491200; /* a whole hour */
static const uint64_t BIG = UINT64_C(18000000000000000000);

static struct store_cell cell(enum store_direction d, const char *ic, const char *from,
                              const char *to, uint64_t bytes)
{
	struct store_cell c = {
		.direction = d, .tier = 2, .bytes = bytes, .spread = 30, .cost = (double)bytes / 10
	};
	(void)snprintf(c.provider, sizeof(c.provider), "a");
	(void)snprintf(c.interconnect, sizeof(c.interconnect), "%s", ic);
	(void)snprintf(c.from, sizeof(c.from), "%s", from);
	(void)snprintf(c.to, sizeof(c.to), "%s", to);
	return c;
}

static struct store_swarm swarm(const char *name, uint64_t bytes, uint64_t clients)
{
	struct store_swarm r = { .bytes = { bytes },
		                 .out_bytes = bytes / 2,
		                 .up = bytes,
		                 .down = 2 * bytes,
		                 .clients = clients,
		                 .swarms = 1,
		                 .cost = 1 };
	(void)snprintf(r.provider, sizeof(r.provider), "a");
	(void)snprintf(r.swarm, sizeof(r.swarm), "%s", name);
	return r;
}

static void put(const char *node, int64_t start, const struct store_cell *cells, size_t n,
                const struct store_swarm *swarms, size_t n_swarms)
{
	const struct store_matrix_bin bin = { .start = start,
		                              .seconds = BIN,
		                              .observed_seconds = BIN,
		                              .cells = cells,
		                              .n_cells = n,
		                              .swarms = swarms,
		                              .n_swarms = n_swarms };
	assert_int_equal(store_matrix_put(s, node, &bin), ERR_OK);
}

static struct store_ask ask_about(enum store_level level, int64_t from, int64_t to)
{
	return (struct store_ask){ .window = { .from = from, .to = to },
		                   .level = level,
		                   .limit = 100 };
}

/* free() the list. */
static struct store_matrix_row *rows(const struct store_ask *ask, size_t expect,
                                     struct store_matrix_about *about)
{
	struct store_matrix_row *list;
	size_t n;
	assert_int_equal(store_matrix(s, ask, &list, &n, about), ERR_OK);
	assert_int_equal(n, expect);
	return list;
}

static void a_bin_again_replaces_its_nodes_rows(void **state)
{
	(void)state;
	const struct store_cell first = cell(STORE_OUT, "t", "pid:a/x", "as:7", 10);
	const struct store_cell again = cell(STORE_OUT, "t", "pid:a/x", "as:7", BIG);
	const struct store_ask ask = ask_about(STORE_BY_PID, T, T + BIN);
	struct store_matrix_about about;
	put("n1", T, &first, 1, NULL, 0);
	put("n1", T, &again, 1, NULL, 0);
	put("n1", T, &again, 1, NULL, 0);
	put("n2", T, &again, 1, NULL, 0);
	struct store_matrix_row *list = rows(&ask, 1, &about);
	assert_string_equal(list[0].sum.bytes, "36000000000000000000"); /* beyond 2^64 */
	assert_string_equal(about.all.bytes, "36000000000000000000");
	assert_int_equal(about.bins_known, 1);
	free(list);
	put("n1", T, NULL, 0, NULL, 0);
	put("n2", T, NULL, 0, NULL, 0);
	free(rows(&ask, 0, &about));
	assert_string_equal(about.all.bytes, "0");
}

/* Four cells, two bins: over time deviations add up, over cells they do not. */
static void each_level_has_the_same_bytes(void **state)
{
	(void)state;
	const struct store_cell cells[] = {
		cell(STORE_OUT, "t", "pid:a/x", "pid:b/p", 100),
		cell(STORE_OUT, "t", "pid:a/x", "pid:b/q", 50),
		cell(STORE_IN, "t", "pid:b/p", "pid:a/x", 7),
		cell(STORE_INSIDE, "", "pid:a/x", "pid:a/y", 1000),
		cell(STORE_OUT, "u", "*", "*", 3),
	};
	struct store_matrix_about about;
	put("n1", T, cells, 5, NULL, 0);
	put("n1", T + BIN, cells, 5, NULL, 0);
	static const size_t expect[] = { [STORE_BY_PID] = 5,
		                         [STORE_BY_NEAR] = 4,
		                         [STORE_BY_AS] = 4,
		                         [STORE_BY_INTERCONNECT] = 4 };
	for (unsigned level = 0; level < sizeof(expect) / sizeof(expect[0]); level++) {
		const struct store_ask ask = ask_about((enum store_level)level, T, T + 2 * BIN);
		struct store_matrix_row *list = rows(&ask, expect[level], &about);
		assert_string_equal(about.all.bytes, "2320");
		assert_int_equal(about.bins_known, 2);
		assert_string_equal(list[0].sum.bytes, "2000");
		assert_int_equal(list[0].direction, STORE_INSIDE);
		if (level == STORE_BY_NEAR) {
			assert_string_equal(list[1].from, "pid:a/x");
			assert_string_equal(list[1].to, "isp:b");
			assert_string_equal(list[1].sum.bytes, "300");
			assert_float_equal(list[1].sum.spread, sqrt(2) * 60, 1e-6);
			assert_float_equal(list[1].sum.cost, 30, 1e-6);
			assert_string_equal(list[3].to, "others");
		}
		if (level == STORE_BY_INTERCONNECT) {
			assert_string_equal(list[1].interconnect, "t");
			assert_int_equal(list[1].tier, 2);
		}
		free(list);
	}
	struct store_ask ask = ask_about(STORE_BY_PID, T, T + BIN);
	ask.window.provider = "b";
	free(rows(&ask, 0, &about));
	ask = ask_about(STORE_BY_PID, T + 1, T + 2 * BIN); /* cuts the first bin */
	ask.limit = 2;
	free(rows(&ask, 2, &about));
	assert_int_equal(about.rows, 5);
	assert_string_equal(about.all.bytes, "1160");
}

static void hours_have_what_their_bins_had(void **state)
{
	(void)state;
	struct store_cell cells[300];
	struct store_matrix_about about;
	uint64_t hours = 0;
	for (unsigned b = 0; b < 24; b++) {
		for (unsigned i = 0; i < 300; i++) {
			char from[32];
			(void)snprintf(from, sizeof(from), "pid:a/%u", i);
			cells[i] = cell(STORE_OUT, i % 2 ? "t" : "u", from, "as:7", 1000 + i);
		}
		put("n1", T + b * BIN, cells, 300, NULL, 0);
	}
	struct store_ask ask = ask_about(STORE_BY_PID, T, T + 2 * HOUR);
	free(rows(&ask, 100, &about));
	assert_string_equal(about.all.bytes, "8276400");
	/* The second hour is not over by then. */
	assert_int_equal(store_matrix_tidy(s, T + 2 * HOUR - 1, 0, 100, &hours), ERR_OK);
	assert_int_equal(hours, 1);
	ask.window.to = T + HOUR;
	ask.limit = 1000;
	struct store_matrix_row *list = rows(&ask, 257, &about); /* 256, and the others */
	assert_string_equal(about.all.bytes, "4138200");
	assert_int_equal(about.bins_known, 12);
	assert_int_equal(about.hours, 1);
	for (size_t i = 0; i < 257; i++)
		if (strcmp(list[i].from, "pid:a/299") == 0)
			assert_float_equal(list[i].sum.spread, 12 * 30, 1e-6);
	free(list);
	ask.level = STORE_BY_INTERCONNECT;
	list = rows(&ask, 2, &about);
	assert_string_equal(list[0].sum.bytes, "2070000"); /* 12 x 150 x (1000 + 150) */
	assert_string_equal(list[1].sum.bytes, "2068200");
	free(list);
	put("n1", T, cells, 300, NULL, 0); /* too late: it is part of its hour */
	free(rows(&ask, 2, &about));
	assert_string_equal(about.all.bytes, "4138200");
	ask.window.from = T + BIN; /* cuts the hour */
	free(rows(&ask, 0, &about));
	assert_int_equal(about.bins_known, 0);
	assert_int_equal(store_matrix_tidy(s, T + 2 * HOUR, T + HOUR, 100, &hours), ERR_OK);
	ask.window.from = T;
	free(rows(&ask, 0, &about));
	assert_int_equal(about.bins_known, 0);
}

static void the_largest_places_by_end(void **state)
{
	(void)state;
	const struct store_cell cells[] = {
		cell(STORE_OUT, "t", "pid:a/x", "pid:b/p", 100),
		cell(STORE_IN, "t", "pid:b/p", "pid:a/x", 7),
		cell(STORE_IN, "t", "as:9", "pid:a/y", 900),
		cell(STORE_INSIDE, "", "pid:a/x", "pid:a/y", 1000),
		cell(STORE_INSIDE, "", "pid:a/x", "pid:a/x", 20),
	};
	struct store_ask ask = ask_about(STORE_BY_PID, T, T + BIN);
	struct store_matrix_about about;
	struct store_top_row *list;
	size_t n;
	put("n1", T, cells, 5, NULL, 0);
	assert_int_equal(store_top(s, &ask, &list, &n, &about), ERR_OK);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].place, "pid:a/y");
	assert_string_equal(list[0].sum.bytes, "1900");
	assert_string_equal(list[1].place, "pid:a/x");
	assert_string_equal(list[1].inside_bytes, "1020");
	assert_string_equal(list[1].out_bytes, "100");
	assert_string_equal(list[1].in_bytes, "7");
	free(list);
	ask.level = STORE_BY_AS;
	ask.order = STORE_BY_COST;
	assert_int_equal(store_top(s, &ask, &list, &n, &about), ERR_OK);
	assert_int_equal(n, 3);
	assert_string_equal(list[0].place, "isp:a"); /* its own inside bytes */
	assert_string_equal(list[1].place, "as:9");
	assert_string_equal(list[2].place, "isp:b");
	assert_string_equal(list[2].sum.bytes, "107");
	free(list);
}

static void small_swarms_are_summed_into_the_others(void **state)
{
	(void)state;
	const struct store_swarm swarms[] = { swarm("big", 100, 0x1f), swarm("small", 300, 0xf),
		                              swarm("", 5, 0) };
	const struct store_swarm later[] = { swarm("big", 10, 0x20), swarm("small", 1, 0x1) };
	struct store_ask ask = ask_about(STORE_BY_PID, T, T + 2 * BIN);
	struct store_matrix_about about;
	struct store_top_swarm *list;
	size_t n;
	ask.least_clients = 5;
	put("n1", T, NULL, 0, swarms, 3);
	put("n1", T + BIN, NULL, 0, later, 2);
	put("n2", T, NULL, 0, later, 2); /* its bits are of another key: no more clients by them */
	for (unsigned i = 0; i < 2; i++) { /* the same when the bins have become an hour */
		uint64_t hours;
		if (i == 1)
			assert_int_equal(store_matrix_tidy(s, T + HOUR, 0, 1, &hours), ERR_OK);
		ask.window.to = T + HOUR;
		assert_int_equal(store_top_swarms(s, &ask, &list, &n, &about), ERR_OK);
		assert_int_equal(n, 2);
		assert_string_equal(list[0].swarm, "big");
		assert_int_equal(list[0].clients, 6);
		assert_string_equal(list[0].sum.bytes, "120");
		assert_string_equal(list[0].tiers[0], "120");
		assert_string_equal(list[0].up, "120");
		assert_string_equal(list[0].down, "240");
		assert_string_equal(list[1].swarm, "");
		assert_int_equal(list[1].clients, 0);
		assert_string_equal(list[1].up, "0");
		assert_string_equal(list[1].sum.bytes, "307");
		assert_int_equal(list[1].swarms, 2);
		assert_string_equal(about.all.bytes, "427");
		free(list);
	}
}

/* Its spool file was set aside, say, and put back by hand after the others had become an hour. */
static void a_first_bin_after_its_hour_adds_to_it(void **state)
{
	(void)state;
	const struct store_cell cells[] = { cell(STORE_OUT, "t", "pid:a/x", "as:7", 10) };
	const struct store_swarm swarms[] = { swarm("big", 100, 0x1f) };
	struct store_ask ask = ask_about(STORE_BY_PID, T, T + HOUR);
	struct store_matrix_about about;
	struct store_top_swarm *list;
	size_t n;
	put("n1", T + BIN, cells, 1, swarms, 1);
	for (unsigned i = 1; i <= 3; i++) {
		uint64_t hours;
		assert_int_equal(store_matrix_tidy(s, T + HOUR, 0, 1, &hours), ERR_OK);
		free(rows(&ask, 1, &about));
		assert_string_equal(about.all.bytes, i == 1 ? "10" : "20");
		assert_int_equal(store_top_swarms(s, &ask, &list, &n, &about), ERR_OK);
		assert_string_equal(about.all.bytes, i == 1 ? "100" : "200");
		free(list);
		put("n1", T, cells, 1, swarms, 1); /* the second time it is a replay */
	}
}

static const struct CMUnitTest tests[] = {
	TEST(a_bin_again_replaces_its_nodes_rows),     TEST(each_level_has_the_same_bytes),
	TEST(hours_have_what_their_bins_had),          TEST(the_largest_places_by_end),
	TEST(small_swarms_are_summed_into_the_others), TEST(a_first_bin_after_its_hour_adds_to_it),
};

RUN_TESTS(tests)
