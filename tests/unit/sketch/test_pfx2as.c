/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

static void what_the_provider_originates_becomes_a_pid(void **state)
{
	(void)state;
	struct drawing d = { .files = {
				     "; IP-ASN32-DAT file\n# comment\n\n"
				     "23.0.0.0/16\t64500\n23.1.0.0/16\t64501\n2a00::/32\t64500\n",
				     "23.2.0.0\t16\t64502_64500\r\n23.3.0.0\t16\t64500,64503\n" } };
	drawing_make(&d, "pfx2as");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "{\"pid\": \"as64500\", \"prefixes\": [\"23.0.0.0/16\", \"23.2.0.0/16\", "
	                "\"23.3.0.0/16\", \"2a00::/32\"]}]");
	drawing_says(&d, "2 prefixes are originated by other ASNs as well");
	drawing_done(&d);
}

static void what_has_a_pid_keeps_it(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { "23.0.0.0/15 64500\n23.0.0.0/16 64500\n23.0.5.0/24 64500\n"
		           "23.1.0.0/16 64500\n23.4.0.0/16 64500\n" },
		.ask.pid = "rest",
		.into = "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": "
			"[64500], "
			"\"pids\": [{\"pid\": \"city\", \"prefixes\": [\"23.0.0.0/16\"]}]}"
	};
	drawing_make(&d, "pfx2as");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "{\"pid\": \"city\", \"prefixes\": [\"23.0.0.0/16\"]}");
	drawing_has(&d, "{\"pid\": \"rest\", \"prefixes\": [\"23.0.0.0/15\", \"23.1.0.0/16\", "
	                "\"23.4.0.0/16\"]}");
	drawing_says(&d, "2 prefixes lie in PIDs of the topology already, and stay there");
	drawing_done(&d);
}

static void every_fault_has_its_line(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { "23.0.0.0/16\n23.0.0.0/16 x\n23.0.0.1/16 64501\n23.0.0.0 16 1 2\n" }
	};
	drawing_make(&d, "pfx2as");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f1: line 1: must be PREFIX ASN, or ADDRESS LENGTH ASN");
	drawing_says(&d, "FAULT f1: line 2: must have an ASN");
	drawing_says(&d, "FAULT f1: line 3: \"23.0.0.1/16\" has host bits set");
	drawing_says(&d, "FAULT f1: line 4: must be PREFIX ASN");
	drawing_done(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_the_provider_originates_becomes_a_pid),
	cmocka_unit_test(what_has_a_pid_keeps_it),
	cmocka_unit_test(every_fault_has_its_line),
};

RUN_TESTS(tests)
