/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

static const char relations[] = "# inferred clique: 174 209\n"
				"64500|64501|-1\n"
				"64510|64500|-1|bgp\n"
				"64500|64502|0\r\n"
				"64503|64500|1\n"
				"64501|64502|-1\n";

static void neighbours_become_interconnects(void **state)
{
	(void)state;
	struct drawing d = { .files = { relations } };
	drawing_make(&d, "asrel");
	drawing_expect(&d, ERR_OK);
	drawing_has(
		&d,
		"{\"id\": \"as64501\", \"pid\": \"core\", \"neighbor_asn\": 64501, \"relation\": "
		"\"customer\", \"reach\": \"neighbor\"}");
	drawing_has(
		&d,
		"{\"id\": \"as64510\", \"pid\": \"core\", \"neighbor_asn\": 64510, \"relation\": "
		"\"transit\", \"reach\": \"any\"}");
	drawing_has(&d, "\"neighbor_asn\": 64502, \"relation\": \"settlement-free\"");
	drawing_has(&d, "\"neighbor_asn\": 64503, \"relation\": \"sibling\"");
	assert_int_equal(d.s.n_interconnects, 4);
	drawing_says(&d, "1 peers are taken for settlement-free: routes do not tell who pays whom");
	drawing_done(&d);

	const uint32_t only[] = { 64502 };
	struct drawing one = { .files = { relations },
		               .ask = { .pid = "edge", .neighbors = only, .n_neighbors = 1 } };
	drawing_make(&one, "asrel");
	drawing_expect(&one, ERR_OK);
	assert_int_equal(one.s.n_interconnects, 1);
	drawing_has(&one, "{\"id\": \"as64502\", \"pid\": \"edge\"");
	drawing_done(&one);
}

static void interconnects_that_are_there_are_corrected(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { relations },
		.into = "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": "
			"[64500], \"pids\": "
			"[{\"pid\": \"core\"}], \"interconnects\": ["
			"{\"id\": \"x\", \"pid\": \"core\", \"neighbor_asn\": 64501, "
			"\"relation\": \"transit\", "
			"\"capacity_mbps\": 100},"
			"{\"id\": \"y\", \"pid\": \"core\", \"neighbor_asn\": 64502, "
			"\"relation\": \"paid-peering\"},"
			"{\"id\": \"z\", \"pid\": \"core\", \"neighbor_asn\": 64777, "
			"\"relation\": \"sibling\"}]}"
	};
	drawing_make(&d, "asrel");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "\"id\": \"x\", \"pid\": \"core\", \"neighbor_asn\": 64501, \"relation\": "
	                "\"customer\", "
	                "\"capacity_mbps\": 100");
	drawing_has(&d, "\"relation\": \"paid-peering\"");
	drawing_has(&d, "\"neighbor_asn\": 64777, \"relation\": \"sibling\"");
	assert_int_equal(d.s.n_interconnects, 3);
	drawing_says(&d, "WARNING f1: line 2: \"x\" was transit, and is customer now");
	drawing_says(&d, "1 interconnects have neighbours that the files do not relate");
	drawing_says(&d, "2 neighbours in the files have no interconnect; --pid NAME adds");
	drawing_done(&d);
}

static void an_id_that_is_taken_gets_a_number(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { relations },
		.ask.pid = "core",
		.into = "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": "
			"[64500], "
			"\"pids\": [{\"pid\": \"core\"}], \"interconnects\": [{\"id\": "
			"\"as64501\", "
			"\"pid\": \"core\", \"neighbor_asn\": 64777, \"relation\": \"sibling\"}]}"
	};
	drawing_make(&d, "asrel");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "{\"id\": \"as64501\", \"pid\": \"core\", \"neighbor_asn\": 64777");
	drawing_has(&d, "{\"id\": \"as64501-2\", \"pid\": \"core\", \"neighbor_asn\": 64501");
	drawing_done(&d);
}

static void every_fault_has_its_line(void **state)
{
	(void)state;
	struct drawing d = { .files = { "64500|x|-1\n64500|64501\n64500|64501|7\n" } };
	drawing_make(&d, "asrel");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f1: line 1: must have an ASN, such as 64500, not \"x\"");
	drawing_says(&d, "FAULT f1: line 2: must be ASN|ASN|RELATION, not 2 fields");
	drawing_says(&d, "FAULT f1: line 3: the third field must be -1");
	drawing_done(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(neighbours_become_interconnects),
	cmocka_unit_test(interconnects_that_are_there_are_corrected),
	cmocka_unit_test(an_id_that_is_taken_gets_a_number),
	cmocka_unit_test(every_fault_has_its_line),
};

RUN_TESTS(tests)
