/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

static const char pids[] =
	"pid,prefixes,access,uploads,monthly_upload_gb,subscriber_up_mbps,subscriber_down_mbps\n"
	"east,10.1.0.0/16 2001:db8:1::/48,fiber,,,20.5,100\r\n"
	"east,\"10.2.0.0/16\n10.3.0.0/16\",,,,,\n"
	"mobile,10.9.0.0/16,mobile,never,50,,\n"
	"\n"
	"core,,,,,,\n";
static const char links[] = "a;b;capacity_mbps;weight;id\neast;core;40000;10;\nmobile;core;;;m-c\n";
static const char interconnects[] =
	"id\tpid\tneighbor_asn\trelation\tcapacity_mbps\treach\tmetro\texporters\n"
	"x\tcore\tAS64501\tsettlement-free\t10000\tneighbor\tfra\t192.0.2.1#17 2001:db8::1#2\n"
	"\tcore\t64502\tcustomer\t\tAS64502 64503 10.64.0.0/16\t\t\n"
	"t\tcore\t64510\ttransit\t\tany\t\t\n";

static void sheets_make_a_topology_in_any_order(void **state)
{
	(void)state;
	struct drawing d = { .files = { interconnects, links, pids }, .rules.lab = true };
	drawing_make(&d, "csv");
	drawing_expect(&d, ERR_OK);
	assert_string_equal(
		d.topology.bytes,
		"{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500],\n"
		" \"pids\": [\n"
		"  {\"pid\": \"east\", \"access\": \"fiber\", \"subscriber_up_mbps\": 20.5, "
		"\"subscriber_down_mbps\": 100, \"prefixes\": [\"10.1.0.0/16\", \"10.2.0.0/16\", "
		"\"10.3.0.0/16\", \"2001:db8:1::/48\"]},\n"
		"  {\"pid\": \"mobile\", \"access\": \"mobile\", \"uploads\": \"never\", "
		"\"monthly_upload_gb\": 50, \"prefixes\": [\"10.9.0.0/16\"]},\n"
		"  {\"pid\": \"core\"}],\n"
		" \"links\": [\n"
		"  {\"id\": \"east-core\", \"a\": \"east\", \"b\": \"core\", "
		"\"capacity_mbps\": 40000, "
		"\"weight\": 10},\n"
		"  {\"id\": \"m-c\", \"a\": \"mobile\", \"b\": \"core\", \"weight\": 1}],\n"
		" \"interconnects\": [\n"
		"  {\"id\": \"x\", \"pid\": \"core\", \"neighbor_asn\": 64501, \"relation\": "
		"\"settlement-free\", \"capacity_mbps\": 10000, \"metro\": \"fra\", \"reach\": "
		"\"neighbor\", \"exporters\": [{\"address\": \"192.0.2.1\", \"ifindex\": 17}, "
		"{\"address\": \"2001:db8::1\", \"ifindex\": 2}]},\n"
		"  {\"id\": \"as64502\", \"pid\": \"core\", \"neighbor_asn\": 64502, \"relation\": "
		"\"customer\", \"reach\": {\"asns\": [64502, 64503], \"prefixes\": "
		"[\"10.64.0.0/16\"]}},\n"
		"  {\"id\": \"t\", \"pid\": \"core\", \"neighbor_asn\": 64510, \"relation\": "
		"\"transit\", "
		"\"reach\": \"any\"}]}\n");
	assert_int_equal(d.costs.size, 0);
	drawing_done(&d);
}

/* "normal" is not the default of what is on the air, so it must be in the document. */
static void what_a_sheet_says_of_uploads_is_said(void **state)
{
	(void)state;
	struct drawing d = { .files = { "pid,prefixes,access,uploads\n"
		                        "a,10.1.0.0/16,mobile,normal\nb,10.2.0.0/16,mobile,\n" },
		             .rules.lab = true };
	drawing_make(&d, "csv");
	drawing_expect(&d, ERR_OK);
	assert_non_null(strstr(d.topology.bytes, "{\"pid\": \"a\", \"access\": \"mobile\", "
	                                         "\"uploads\": \"normal\", "));
	assert_non_null(
		strstr(d.topology.bytes, "{\"pid\": \"b\", \"access\": \"mobile\", \"prefixes\""));
	drawing_done(&d);
}

static void costs_are_a_document_of_their_own(void **state)
{
	(void)state;
	struct drawing d = { .files = { pids, interconnects,
		                        "from,to,cost\nmobile,east,5\neast,east,1\n"
		                        "east,mobile,7\n",
		                        "interconnect,out,in\nx,10,20\nt,100,100\n" },
		             .rules.lab = true };
	drawing_make(&d, "csv");
	drawing_expect(&d, ERR_OK);
	assert_string_equal(
		d.costs.bytes,
		"{\"format\": \"p4p-costs/1\", \"provider\": \"isp\",\n \"pid_costs\": {\n"
		"  \"east\": {\"east\": 1, \"mobile\": 7},\n"
		"  \"mobile\": {\"east\": 5}},\n"
		" \"interconnect_costs\": {\n"
		"  \"x\": {\"out\": 10, \"in\": 20},\n"
		"  \"t\": {\"out\": 100, \"in\": 100}}}\n");
	drawing_done(&d);
}

static void every_fault_has_its_line(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { "pid,prefixes,access,uploads\n"
		           "east,10.0.0.1/8,,sometimes\n"
		           ",10.1.0.0/16,,\n"
		           "west,10.2.0.0/16\n"
		           "north,10.3.0.0/16,dsl,never\n"
		           "north,10.4.0.0/16,cable,normal\n",
		           "a,b,weight,capacity_mbps\neast,north,0,1.5\n",
		           "pid,neighbor_asn,relation,exporters,reach\neast,x,friend,192.0.2.1,10.0.0.1/8\n",
		           "from,to,cost\neast,east,-1\n", "colour,size\n1,2\n",
		           "pid,colour\nx,y\n", "a,weight\n1,2\n", "pid\n\"x\n" }
	};
	drawing_make(&d, "csv");
	drawing_expect(&d, ERR_MALFORMED);
	static const char *const said[] = {
		"f1: line 2: \"10.0.0.1/8\" has host bits set; did you mean 10.0.0.0/8?",
		"f1: line 2: uploads must be one of normal, avoid, never, not \"sometimes\"",
		"f1: line 3: pid must not be empty",
		"f1: line 4: must have 4 fields, as the first line has, not 2",
		"f1: line 6: access must be the same in all rows of a PID",
		"f1: line 6: uploads must be the same in all rows of a PID",
		"f2: line 2: capacity_mbps must be a whole number from 1 to",
		"f2: line 2: weight must be a whole number from 1 to",
		"f3: line 2: neighbor_asn must be a whole number from 1 to",
		"f3: line 2: relation must be one of customer, sibling, settlement-free, "
		"paid-peering, "
		"transit, not \"friend\"",
		"f3: line 2: \"10.0.0.1/8\" has host bits set",
		"f3: line 2: exporters must be ADDRESS#IFINDEX",
		"f4: line 2: cost must be a whole number",
		"f5: line 1: must begin with names of columns",
		"f6: line 1: a sheet of PIDs has no column \"colour\"",
		"f7: line 1: a sheet of links must have a column \"b\"",
		"f8: line 2: a quotation mark does not close",
	};
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		drawing_says(&d, said[i]);
	assert_int_equal(d.s.faults->count, sizeof(said) / sizeof(said[0]));
	drawing_done(&d);
}

static void what_the_checks_find_has_its_line_too(void **state)
{
	(void)state;
	struct drawing d = { .files = { "pid,prefixes\neast,23.0.0.0/16\nbad name,23.1.0.0/16\n",
		                        "a,b\neast,nowhere\n",
		                        "id,pid,neighbor_asn,relation\nx,south,64501,customer\n"
		                        "x,east,64502,customer\n" } };
	drawing_make(&d, "csv");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "f3: line 3: id must be another one than \"x\", which is taken");
	drawing_done(&d);

	struct drawing names = {
		.files = { "pid,prefixes\neast,23.0.0.0/16\nbad name,23.1.0.0/16\n" }
	};
	drawing_make(&names, "csv");
	drawing_expect(&names, ERR_MALFORMED);
	drawing_says(&names, "FAULT f1: line 3: must be 1 to 64 letters, digits");
	drawing_done(&names);

	struct drawing ends = { .files = { "pid,prefixes\neast,23.0.0.0/16\n",
		                           "a,b\neast,nowhere\n",
		                           "pid,neighbor_asn,relation\nsouth,64501,customer\n" } };
	drawing_make(&ends, "csv");
	drawing_expect(&ends, ERR_MALFORMED);
	drawing_says(&ends, "FAULT f2: line 2: ");
	drawing_says(&ends, "FAULT f3: line 2: ");
	drawing_done(&ends);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sheets_make_a_topology_in_any_order),
	cmocka_unit_test(what_a_sheet_says_of_uploads_is_said),
	cmocka_unit_test(costs_are_a_document_of_their_own),
	cmocka_unit_test(every_fault_has_its_line),
	cmocka_unit_test(what_the_checks_find_has_its_line_too),
};

RUN_TESTS(tests)
