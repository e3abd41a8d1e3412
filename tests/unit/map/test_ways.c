/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/map/ways.h"

#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A triangle whose long side nobody goes along, an end, a PID without links; isp-b has a link. */
static struct map_snapshot *compile(void)
{
	static uint32_t a_asns[] = { 64501 }, b_asns[] = { 64502 };
	static struct map_pid pids[] = {
		{ .name = "p" },   { .name = "q" },     { .name = "r" },
		{ .name = "end" }, { .name = "alone" },
	};
	static struct map_link a_links[] = {
		{ .id = "p-q", .a = "p", .b = "q", .weight = 3, .capacity_mbps = 100 },
		{ .id = "r-q", .a = "r", .b = "q", .weight = 4 },
		{ .id = "p-r", .a = "p", .b = "r", .weight = 9 },
		{ .id = "r-end", .a = "r", .b = "end", .weight = 1 },
	};
	static struct map_link b_links[] = { { .id = "q-p", .a = "q", .b = "p", .weight = 2 } };
	static struct map_topology a = { "isp-a", a_asns,         1,    pids, COUNT(pids),
		                         a_links, COUNT(a_links), NULL, 0 };
	static struct map_topology b = { "isp-b", b_asns, 1, pids, 2, b_links, 1, NULL, 0 };
	const struct map_source sources[] = { { &a, NULL }, { &b, NULL } };
	struct map_snapshot *s;
	assert_int_equal(map_compile(sources, COUNT(sources), &s, NULL), ERR_OK);
	return s;
}

static void links_are_those_of_the_documents_in_order(void **state)
{
	(void)state;
	struct map_snapshot *s = compile();
	assert_int_equal(snapshot_counts(s).links, 5);
	const struct map_link_info first = snapshot_link(s, 0), last = snapshot_link(s, 4);
	assert_string_equal(first.provider, "isp-a");
	assert_string_equal(first.id, "p-q");
	assert_int_equal(first.provider_index, 0);
	assert_int_equal(first.weight, 3);
	assert_int_equal(first.capacity_mbps, 100);
	assert_string_equal(last.provider, "isp-b");
	assert_int_equal(last.provider_index, 1);
	assert_int_equal(last.a, snapshot_place_find(s, "pid:isp-b/q"));
	assert_int_equal(last.b, snapshot_place_find(s, "pid:isp-b/p"));
	assert_int_equal(last.capacity_mbps, 0);
	snapshot_free(s);
}

static void bytes_go_along_the_links_of_least_weight(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *steps; /* the last first */
	} rows[] = {
		{ "isp-a/p", "isp-a/end", " 6 3 0" }, { "isp-a/end", "isp-a/p", " 1 2 7" },
		{ "isp-a/q", "isp-a/r", " 3" },       { "isp-a/r", "isp-a/r", "" },
		{ "isp-a/p", "isp-a/alone", "" },     { "isp-a/alone", "isp-a/p", "" },
		{ "isp-b/p", "isp-b/q", " 9" },       { "isp-b/q", "isp-b/p", " 8" },
		{ "isp-a/p", "isp-b/p", "" },         { "isp-a/p", "isp-a/end", " 6 3 0" },
	};
	struct map_snapshot *s = compile();
	struct ways *w = ways_new(s);
	assert_non_null(w);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char from[64], to[64], got[64] = "";
		struct ways_list way;
		(void)snprintf(from, sizeof(from), "pid:%s", rows[i].from);
		(void)snprintf(to, sizeof(to), "pid:%s", rows[i].to);
		assert_int_equal(ways_between(w, snapshot_place_find(s, from),
		                              snapshot_place_find(s, to), &way),
		                 ERR_OK);
		for (size_t k = 0, at = 0; k < way.n; k++)
			at += (size_t)snprintf(got + at, sizeof(got) - at, " %u", way.steps[k]);
		if (strcmp(got, rows[i].steps) != 0)
			fail_msg("%s to %s:%s, not%s", rows[i].from, rows[i].to, got,
			         rows[i].steps);
	}
	ways_free(w);
	snapshot_free(s);
}

static void strangers_have_no_links(void **state)
{
	(void)state;
	struct map_snapshot *s = compile();
	struct ways *w = ways_new(s);
	const uint32_t as = snapshot_place_of_asn(s, 64501);
	const uint32_t p = snapshot_place_find(s, "pid:isp-a/p");
	struct ways_list way;
	assert_true(as != PLACE_UNKNOWN && p != PLACE_UNKNOWN);
	assert_int_equal(ways_between(w, PLACE_UNKNOWN, p, &way), ERR_OK);
	assert_int_equal(way.n, 0);
	assert_int_equal(ways_between(w, p, as, &way), ERR_OK);
	assert_int_equal(way.n, 0);
	assert_int_equal(ways_between(w, as, p, &way), ERR_OK);
	assert_int_equal(way.n, 0);
	ways_free(w);
	ways_free(NULL);
	snapshot_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(links_are_those_of_the_documents_in_order),
	cmocka_unit_test(bytes_go_along_the_links_of_least_weight),
	cmocka_unit_test(strangers_have_no_links),
};

RUN_TESTS(tests)
