/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

#define MAP                                                                                     \
	"{\"meta\": {\"vtag\": {\"resource-id\": \"m\", \"tag\": \"1\"}}, \"network-map\": {"   \
	"\"PID1\": {\"ipv4\": [\"23.0.0.0/24\", \"23.1.0.0/25\"], \"ipv6\": [\"2a00::/32\"]}, " \
	"\"PID.2\": {\"ipv4\": [\"23.1.0.128/25\"]}, "                                          \
	"\"PID3\": {\"ipv4\": [\"0.0.0.0/0\"], \"ipv6\": [\"::/0\"]}}}"

static void maps_and_costs_come_in_any_order(void **state)
{
	(void)state;
	struct drawing d = { .files = { "{\"cost-map\": {\"PID1\": {\"PID1\": 1, \"PID.2\": 5, "
		                        "\"PID3\": 10}, \"PID.2\": {\"PID1\": 6}}}",
		                        MAP } };
	drawing_make(&d, "alto");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "{\"pid\": \"PID1\", \"prefixes\": [\"23.0.0.0/24\", \"23.1.0.0/25\", "
	                "\"2a00::/32\"]}");
	drawing_has(&d, "{\"pid\": \"pid-2\", \"prefixes\": [\"23.1.0.128/25\"]}");
	drawing_says(&d, "1 PIDs have other names now");
	drawing_says(&d, "1 PIDs hold everybody else");
	drawing_says(&d, "1 costs are of PIDs that are not in the topology");
	assert_non_null(strstr(d.costs.bytes, "\"PID1\": {\"PID1\": 1, \"pid-2\": 5}"));
	assert_non_null(strstr(d.costs.bytes, "\"pid-2\": {\"PID1\": 6}"));
	drawing_done(&d);
}

static void fractions_are_kept_as_thousandths(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { MAP, "{\"cost-map\": {\"PID1\": {\"PID1\": 0.5, \"PID.2\": 2}}}" }
	};
	drawing_make(&d, "alto");
	drawing_expect(&d, ERR_OK);
	drawing_says(&d, "all were multiplied by 1000");
	assert_non_null(strstr(d.costs.bytes, "{\"PID1\": 500, \"pid-2\": 2000}"));
	drawing_done(&d);
}

static void what_is_no_map_is_named(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { "{\n\"network-map\": }", "[]", "{\"meta\": {}}",
		           "{\"network-map\": {\"a\": 1, \"b\": {\"ipv4\": 2}, \"c\": "
		           "{\"ipv4\": [\"23.0.0.1/8\", 3]}, \"d.\": {}, \"d\": {}}}",
		           "{\"cost-map\": {\"a\": 1, \"d\": {\"d\": -1, \"e\": \"x\"}}}" }
	};
	drawing_make(&d, "alto");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f1: line 2: must be JSON");
	drawing_says(&d, "FAULT f2: must be a network map or a cost map of ALTO");
	drawing_says(&d, "FAULT f3: must be a network map or a cost map of ALTO");
	drawing_says(&d, "FAULT f4: PID \"a\" must be an object");
	drawing_says(&d, "FAULT f4: the addresses of PID \"b\" must be lists");
	drawing_says(&d, "FAULT f4: \"23.0.0.1/8\" has host bits set");
	drawing_says(&d, "FAULT f4: a prefix of PID \"c\" must be a string");
	drawing_says(&d, "FAULT f4: PID \"d\" must come once");
	drawing_says(&d, "FAULT f5: the costs from \"a\" must be an object");
	drawing_says(&d, "FAULT f5: the cost from \"d\" to \"d\" must be a number");
	drawing_says(&d, "FAULT f5: the cost from \"d\" to \"e\" must be a number");
	drawing_done(&d);
}

/* The examples of RFC 7285, word for word: what is left out is said. */
static void the_rfcs_examples_are_read(void **state)
{
	(void)state;
	static const char *const names[] = { "alto/rfc-examples/rfc7285.networkmap.0.json",
		                             "alto/rfc-examples/rfc7285.costmap.0.json" };
	static char texts[2][4096];
	struct drawing d = { .rules.lab = true };
	for (size_t i = 0; i < 2; i++) {
		FILE *f = open_recorded(names[i]);
		if (f == NULL)
			return;
		texts[i][fread(texts[i], 1, sizeof(texts[i]) - 1, f)] = '\0';
		(void)fclose(f);
		d.files[i] = texts[i];
	}
	drawing_make(&d, "alto");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d,
	            "{\"pid\": \"PID1\", \"prefixes\": [\"192.0.2.0/24\", \"198.51.100.0/25\"]}");
	drawing_has(&d, "{\"pid\": \"PID2\", \"prefixes\": [\"198.51.100.128/25\"]}");
	assert_non_null(strstr(d.costs.bytes, "\"PID1\": {\"PID1\": 1, \"PID2\": 5}"));
	drawing_done(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(maps_and_costs_come_in_any_order),
	cmocka_unit_test(fractions_are_kept_as_thousandths),
	cmocka_unit_test(what_is_no_map_is_named),
	cmocka_unit_test(the_rfcs_examples_are_read),
};

RUN_TESTS(tests)
