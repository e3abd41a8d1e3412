/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/asking.h"

#define HEAD(watched)                                                                                 \
	"{\"bin_seconds\":300,\"observed_seconds\":" watched                                          \
	",\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-11-01T00:05:00Z\",\"source\":\"announce\"," \
	"\"estimate\":true,\"links\":["
#define LINK_A(load)                                                                                    \
	"{\"provider\":\"isp-a\",\"link\":\"w-e\",\"a\":\"west\",\"b\":\"east\",\"capacity_mbps\":100," \
	"\"weight\":3,\"price\":{\"out\":3,\"in\":3},\"load_bps\":" load "}"
#define LINK_B(load)                                                                                     \
	"{\"provider\":\"isp-b\",\"link\":\"w-e\",\"a\":\"west\",\"b\":\"east\",\"capacity_mbps\":null," \
	"\"weight\":3,\"price\":{\"out\":3,\"in\":3},\"load_bps\":" load "}"

/* Two providers with a link of one name; only isp-a says what it can carry. */
static struct map_snapshot *two_providers(void)
{
	static uint32_t asns[2][1] = { { 64501 }, { 64502 } };
	static struct map_pid pids[] = { { .name = "west" }, { .name = "east" } };
	static struct map_link links[2] = {
		{ .id = "w-e", .a = "west", .b = "east", .weight = 3, .capacity_mbps = 100 },
		{ .id = "w-e", .a = "west", .b = "east", .weight = 3 },
	};
	static struct map_topology t[2] = { { "isp-a", asns[0], 1, pids, 2, &links[0], 1, NULL, 0 },
		                            { "isp-b", asns[1], 1, pids, 2, &links[1], 1, NULL,
		                              0 } };
	const struct map_source sources[2] = { { &t[0], NULL }, { &t[1], NULL } };
	struct map_snapshot *map;
	assert_int_equal(map_compile(sources, 2, &map, NULL), ERR_OK);
	return map;
}

/* 3 MB went from east to west of isp-a, inside it. */
static int with_links(void **state)
{
	(void)as_admin(state);
	world.map = two_providers;
	world.observed_seconds = 240;
	world.flow = (struct store_flow){
		.provider = "isp-a",
		.row = { .direction = STORE_INSIDE,
		         .from = "pid:isp-a/east",
		         .to = "pid:isp-a/west",
		         .bytes = 3000000 },
	};
	return 0;
}

static void check_body(const char *query, const char *expected)
{
	struct answer a = ask("GET", "/v1/links", query, "");
	assert_int_equal(a.reply.status, 200);
	assert_string_equal(a.reply.body.bytes, expected);
	answer_done(&a);
}

static void tells_price_and_load_of_every_link(void **state)
{
	(void)state;
	check_body("", HEAD("240") LINK_A("{\"out\":0,\"in\":100000}") "," LINK_B(
			       "{\"out\":0,\"in\":0}") "]}\n");
}

static void of_a_bin_that_was_hardly_watched_there_is_no_load(void **state)
{
	(void)state;
	world.observed_seconds = 149;
	check_body("provider=isp-a", HEAD("149") LINK_A("null") "]}\n");
	world.observed_seconds = 150;
	check_body("provider=isp-a", HEAD("150") LINK_A("{\"out\":0,\"in\":160000}") "]}\n");
}

static void shows_a_scoped_token_its_providers_links_only(void **state)
{
	(void)state;
	world.who = (struct auth_who){ .name = "t", .role = STORE_VIEWER, .provider = "isp-b" };
	check_body("", HEAD("240") LINK_B("{\"out\":0,\"in\":0}") "]}\n");
	check_body("provider=isp-a", HEAD("240") "]}\n");
}

static void without_a_map_there_are_none(void **state)
{
	(void)state;
	world.map = NULL;
	check_body("", HEAD("240") "]}\n");
}

#define TEST(name) cmocka_unit_test_setup(name, with_links)

static const struct CMUnitTest tests[] = {
	TEST(tells_price_and_load_of_every_link),
	TEST(of_a_bin_that_was_hardly_watched_there_is_no_load),
	TEST(shows_a_scoped_token_its_providers_links_only),
	TEST(without_a_map_there_are_none),
};

RUN_TESTS(tests)
