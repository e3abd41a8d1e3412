/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

static const char whole[] =
	"{\"format\": \"p4p-topology/1\", \"provider\": \"isp-a\", \"asns\": [64500, 64501],\n"
	" \"pids\": [\n"
	"  {\"pid\": \"east\", \"access\": \"fiber\", \"uploads\": \"avoid\", "
	"\"monthly_upload_gb\": 50, "
	"\"subscriber_up_mbps\": 20.05, \"subscriber_down_mbps\": 100, \"prefixes\": "
	"[\"10.1.0.0/16\", "
	"\"10.2.0.0/16\", \"10.3.0.0/16\", \"10.4.0.0/16\",\n    \"2001:db8:1::/48\"]},\n"
	"  {\"pid\": \"core\"}],\n"
	" \"links\": [\n"
	"  {\"id\": \"l\", \"a\": \"east\", \"b\": \"core\", \"capacity_mbps\": 40000, "
	"\"weight\": 10}],\n"
	" \"interconnects\": [\n"
	"  {\"id\": \"x\", \"pid\": \"core\", \"neighbor_asn\": 64510, \"relation\": \"transit\", "
	"\"capacity_mbps\": 10000, \"metro\": \"fra \\\"1\\\"\", \"reach\": \"any\", "
	"\"exporters\": "
	"[{\"address\": \"192.0.2.1\", \"ifindex\": 17}, {\"address\": \"2001:db8::1\", "
	"\"ifindex\": 2}]},\n"
	"  {\"id\": \"y\", \"pid\": \"core\", \"neighbor_asn\": 64511, \"relation\": \"customer\", "
	"\"reach\": {\"asns\": [64511, 64512], \"prefixes\": [\"10.9.0.0/16\"]}},\n"
	"  {\"id\": \"z\", \"pid\": \"core\", \"neighbor_asn\": 64513, \"relation\": \"sibling\", "
	"\"reach\": {\"prefixes\": [\"10.8.0.0/16\"]}}]}\n";

static void all_that_a_topology_says_is_written_again(void **state)
{
	(void)state;
	struct drawing d = { .files = { "" }, .into = whole, .rules.lab = true };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_OK);
	assert_string_equal(d.topology.bytes, whole);
	assert_int_equal(d.costs.size, 0);
	drawing_done(&d);
}

static void what_the_checks_find_is_told_with_its_line(void **state)
{
	(void)state;
	struct drawing d = { .files = { "23.0.0.0/16,US,,,\n10.0.0.0/8,US,,,\n"
		                        "224.0.0.0/8,DE,,,\n" } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d,
	             "FAULT f1: line 2: must be public addresses, but 10.0.0.0/8 holds private");
	drawing_says(&d,
	             "FAULT f1: line 3: must be public addresses, but 224.0.0.0/8 holds multicast");
	assert_int_equal(d.s.faults->count, 2);
	drawing_done(&d);

	struct drawing nested = { .files = { "23.0.0.0/16,US,,,\n23.0.1.0/24,DE,,,\n" } };
	drawing_make(&nested, "geofeed");
	drawing_expect(&nested, ERR_OK);
	drawing_says(&nested,
	             "WARNING f1: line 2: 23.0.1.0/24 is taken out of 23.0.0.0/16 of PID \"us\"");
	drawing_done(&nested);

	struct drawing often = { .files = { "23.0.0.0/16,US,,,\n23.0.1.0/24,DE,,,\n"
		                            "23.0.2.0/24,DE,,,\n23.0.3.0/24,DE,,,\n"
		                            "23.0.4.0/24,DE,,,\n23.0.5.0/24,DE,,,\n" } };
	drawing_make(&often, "geofeed");
	drawing_expect(&often, ERR_OK);
	drawing_says(&often, "WARNING f1: line 4: 23.0.3.0/24 is taken out of 23.0.0.0/16");
	drawing_says(&often, ": 2 more prefixes are taken out of another PID's [nested]");
	assert_null(strstr(often.said.bytes, "23.0.4.0/24"));
	drawing_done(&often);
}

static void lines_are_known_after_merging_too(void **state)
{
	(void)state;
	struct drawing d = { .files = { "8.0.0.0/8,US,,,\n23.0.0.0/24,US,,,\n10.0.0.0/9,DE,,,\n"
		                        "10.128.0.0/9,DE,,,\n" },
		             .rules.minimize = true };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d,
	             "FAULT f1: line 3: must be public addresses, but 10.0.0.0/8 holds private");
	drawing_done(&d);
}

static void what_nobody_said_is_named(void **state)
{
	(void)state;
	struct drawing d = { .files = { "23.0.0.0/16,US,,,\n23.1.0.0/16,DE,,,\n" } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_OK);
	drawing_says(&d, "2 of 2 PIDs say no \"access\"");
	drawing_says(&d, "no links: all PIDs are equally far");
	drawing_says(&d, "no interconnects: nothing is known of the ways out");
	drawing_done(&d);
}

static void whose_topology_it_is_must_be_said(void **state)
{
	(void)state;
	struct drawing d = { .files = { "# nothing\n" }, .nameless = true };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "--provider NAME");
	drawing_says(&d, "--asn N");
	drawing_says(&d, "there is nothing in it that makes a PID");
	drawing_done(&d);
}

static void a_prefix_of_the_topology_it_joins_keeps_its_pid(void **state)
{
	(void)state;
	struct drawing d = { .files = { "10.1.0.0/16,US,,,\n10.5.0.0/16,US,,,\n" },
		             .into = whole,
		             .rules.lab = true };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f1: line 1: 10.1.0.0/16 must have one PID only: here \"us\", but "
	                 "\"east\" in the topology it joins");
	drawing_done(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(all_that_a_topology_says_is_written_again),
	cmocka_unit_test(what_the_checks_find_is_told_with_its_line),
	cmocka_unit_test(lines_are_known_after_merging_too),
	cmocka_unit_test(what_nobody_said_is_named),
	cmocka_unit_test(whose_topology_it_is_must_be_said),
	cmocka_unit_test(a_prefix_of_the_topology_it_joins_keeps_its_pid),
};

RUN_TESTS(tests)
