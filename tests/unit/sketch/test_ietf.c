/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

#define NODE(id, more) "{\"node-id\": \"" id "\"" more "}"
#define L3(name, prefixes)                                                      \
	", \"ietf-l3-unicast-topology:l3-node-attributes\": {\"name\": \"" name \
	"\", \"prefix\": [" prefixes "]}"
#define PREFIX(p) "{\"prefix\": \"" p "\", \"metric\": 10}"
#define LINK(a, b, metric)                                                                    \
	"{\"link-id\": \"" a b "\", \"source\": {\"source-node\": \"" a "\", \"source-tp\": " \
	"\"1\"}, \"destination\": {\"dest-node\": \"" b "\"}, "                               \
	"\"ietf-l3-unicast-topology:l3-link-attributes\": {\"metric1\": " metric "}}"
#define NET(nodes, links)                                                                      \
	"{\"ietf-network:networks\": {\"network\": [{\"network-id\": \"n\", \"node\": [" nodes \
	"], \"ietf-network-topology:link\": [" links "]}]}}"

/* clang-format off */
#define ROUTERS \
	NODE("1.0.1.0", L3("D1", PREFIX("23.0.0.0/24") "," PREFIX("23.9.0.0/30"))) "," \
	NODE("1.0.2.0", L3("D2", PREFIX("23.9.0.0/30") "," PREFIX("2a00::/48"))) "," \
	NODE("1.0.3.0", "") "," NODE("alone", "")
#define TO_AND_FRO \
	LINK("1.0.1.0", "1.0.2.0", "\"100\"") "," LINK("1.0.2.0", "1.0.1.0", "120") "," \
	LINK("1.0.2.0", "1.0.3.0", "7") "," LINK("1.0.3.0", "1.0.2.0", "7") "," \
	LINK("1.0.3.0", "1.0.3.0", "1")
/* clang-format on */

static void nodes_and_pairs_of_links_become_a_map(void **state)
{
	(void)state;
	struct drawing d = { .files = { NET(ROUTERS, TO_AND_FRO) } };
	drawing_make(&d, "ietf");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "{\"pid\": \"d1\", \"prefixes\": [\"23.0.0.0/24\", \"23.9.0.0/30\"]}");
	drawing_has(&d, "{\"pid\": \"d2\", \"prefixes\": [\"2a00::/48\"]}");
	drawing_has(&d, "{\"pid\": \"1-0-3-0\"}");
	drawing_has(&d, "{\"id\": \"d1-d2\", \"a\": \"d1\", \"b\": \"d2\", \"weight\": 120}");
	drawing_has(&d, "\"b\": \"1-0-3-0\", \"weight\": 7}]");
	drawing_says(&d, "1 links have other metrics the other way");
	drawing_says(&d, "1 prefixes are of several nodes");
	drawing_says(&d, "1 of 4 nodes have no link");
	drawing_says(&d, "1 links end where they begin");
	drawing_done(&d);
}

static void what_is_no_network_is_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "{\n}x", "FAULT f1: line 2: must be JSON" },
		{ "{}",
		  "FAULT f1: must be \"ietf-network:networks\" with a \"network\" (RFC 8345)" },
		{ NET("{}", ""), "FAULT f1: every node must have a \"node-id\"" },
		{ NET(NODE("a", ""), "{}"), "FAULT f1: every link must have a \"source-node\"" },
		{ NET(NODE("a", ""), LINK("a", "b", "1")),
		  "FAULT f1: a link must end at a node, but \"b\" is none" },
		{ NET("", ""), "must have nodes" },
		{ NET(NODE("a", L3("a", "{\"prefix\": \"23.0.0.1/8\"}")), ""),
		  "FAULT f1: \"23.0.0.1/8\" has host bits set" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct drawing d = { .files = { rows[i][0] } };
		drawing_make(&d, "ietf");
		drawing_expect(&d, ERR_MALFORMED);
		drawing_says(&d, rows[i][1]);
		drawing_done(&d);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nodes_and_pairs_of_links_become_a_map),
	cmocka_unit_test(what_is_no_network_is_named),
};

RUN_TESTS(tests)
