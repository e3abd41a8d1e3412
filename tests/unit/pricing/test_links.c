/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/pricing/links.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { SECONDS = 8 }; /* a byte is a bit per second */

/* west - middle - east, with a peering in the east and a transit in the middle. */
static struct map_snapshot *compile(void)
{
	static uint32_t asns[] = { 64501 };
	static struct map_pid pids[] = { { .name = "west" },
		                         { .name = "middle" },
		                         { .name = "east" } };
	static struct map_link links[] = {
		{ .id = "w-m", .a = "west", .b = "middle", .weight = 1 },
		{ .id = "e-m", .a = "east", .b = "middle", .weight = 1 },
	};
	static struct map_interconnect edges[] = {
		{ .id = "peer",
		  .pid = "east",
		  .neighbor_asn = 64502,
		  .relation = RELATION_SETTLEMENT_FREE },
		{ .id = "transit",
		  .pid = "middle",
		  .neighbor_asn = 64510,
		  .relation = RELATION_TRANSIT,
		  .reach = REACH_ANY },
	};
	static struct map_topology t = { "a",   asns,         1,     pids,        COUNT(pids),
		                         links, COUNT(links), edges, COUNT(edges) };
	const struct map_source source = { &t, NULL };
	struct map_snapshot *map;
	assert_int_equal(map_compile(&source, 1, &map, NULL), ERR_OK);
	return map;
}

static struct store_flow flow(enum store_direction d, const char *ic, const char *from,
                              const char *to, uint64_t bytes)
{
	struct store_flow f = { .row = { .direction = d, .bytes = bytes } };
	(void)snprintf(f.provider, sizeof(f.provider), "a");
	(void)snprintf(f.row.interconnect, sizeof(f.row.interconnect), "%s", ic);
	(void)snprintf(f.row.from, sizeof(f.row.from), "%s", from);
	(void)snprintf(f.row.to, sizeof(f.row.to), "%s", to);
	return f;
}

/* west to middle, middle to west, east to middle, middle to east. */
static void assert_loads(const struct store_flow *flows, size_t n, double wm, double mw, double em,
                         double me)
{
	struct map_snapshot *map = compile();
	const double expected[] = { wm, mw, em, me };
	double bps[4] = { 99, 99, 99, 99 };
	assert_int_equal(links_load(map, flows, n, SECONDS, bps), ERR_OK);
	for (size_t i = 0; i < COUNT(bps); i++)
		if (fabs(bps[i] - expected[i]) > 1e-9)
			fail_msg("%zu: %g, not %g", i, bps[i], expected[i]);
	snapshot_free(map);
}

static void pairs_inside_load_each_link_on_their_way(void **state)
{
	(void)state;
	const struct store_flow flows[] = { flow(STORE_INSIDE, "", "pid:a/west", "pid:a/east", 100),
		                            flow(STORE_INSIDE, "", "pid:a/east", "pid:a/west", 10),
		                            flow(STORE_INSIDE, "", "pid:a/middle", "pid:a/west",
		                                 1) };
	assert_loads(flows, COUNT(flows), 100, 11, 10, 100);
	assert_loads(NULL, 0, 0, 0, 0, 0);
}

static void what_crosses_an_interconnect_goes_as_far_as_that(void **state)
{
	(void)state;
	const struct store_flow flows[] = { flow(STORE_OUT, "peer", "pid:a/west", "as:64502", 100),
		                            flow(STORE_OUT, "transit", "pid:a/west", "", 1000),
		                            flow(STORE_IN, "peer", "as:64502", "pid:a/middle", 1),
		                            flow(STORE_IN, "transit", "as:64510", "pid:a/east",
		                                 10) };
	assert_loads(flows, COUNT(flows), 1100, 0, 1, 110);
}

static void the_small_ones_go_as_the_others_of_their_crossing(void **state)
{
	(void)state;
	const struct store_flow flows[] = {
		flow(STORE_INSIDE, "", "*", "*", 100),
		flow(STORE_INSIDE, "", "pid:a/west", "pid:a/middle", 300),
		flow(STORE_INSIDE, "", "pid:a/middle", "pid:a/east", 100),
		flow(STORE_OUT, "peer", "*", "*", 7),
		flow(STORE_OUT, "transit", "*", "*", 50),
		flow(STORE_OUT, "transit", "pid:a/west", "", 50)
	};
	assert_loads(flows, COUNT(flows), 375 + 100, 0, 0, 125);
}

static void what_the_map_does_not_know_goes_nowhere(void **state)
{
	(void)state;
	struct store_flow other = flow(STORE_OUT, "peer", "pid:a/west", "as:64502", 100);
	(void)snprintf(other.provider, sizeof(other.provider), "b");
	const struct store_flow flows[] = { flow(STORE_INSIDE, "", "pid:a/gone", "pid:a/east", 100),
		                            flow(STORE_INSIDE, "", "as:64501", "pid:a/east", 100),
		                            flow(STORE_OUT, "gone", "pid:a/west", "as:64502", 100),
		                            flow(STORE_OUT, "peer", "pid:a/middle", "as:64502", 5),
		                            other };
	assert_loads(flows, COUNT(flows), 0, 0, 0, 5);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pairs_inside_load_each_link_on_their_way),
	cmocka_unit_test(what_crosses_an_interconnect_goes_as_far_as_that),
	cmocka_unit_test(the_small_ones_go_as_the_others_of_their_crossing),
	cmocka_unit_test(what_the_map_does_not_know_goes_nowhere),
};

RUN_TESTS(tests)
