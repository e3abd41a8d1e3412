/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

#include "common/base/random.h"

#define ROUTE(peer, prefix, path) \
	"TABLE_DUMP2|1400799616|B|192.0.2.1|" peer "|" prefix "|" path "|IGP|192.0.2.1|0|0||NAG||\n"

static const char isp[] =
	"{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500],"
	" \"pids\": [{\"pid\": \"core\"}], \"interconnects\": ["
	"{\"id\": \"t\", \"pid\": \"core\", \"neighbor_asn\": 64510, \"relation\": "
	"\"transit\", \"reach\": \"any\"},"
	"{\"id\": \"p1\", \"pid\": \"core\", \"neighbor_asn\": 64501, \"relation\": "
	"\"settlement-free\"},"
	"{\"id\": \"p2\", \"pid\": \"core\", \"neighbor_asn\": 64501, \"relation\": "
	"\"settlement-free\"},"
	"{\"id\": \"c\", \"pid\": \"core\", \"neighbor_asn\": 64502, \"relation\": \"customer\"},"
	"{\"id\": \"q\", \"pid\": \"core\", \"neighbor_asn\": 64503, \"relation\": \"customer\"}]}";

static void routes_of_the_providers_own_begin_with_the_neighbour(void **state)
{
	(void)state;
	/* clang-format off */
	static const char own[] =
		ROUTE("64501", "23.0.0.0/16", "64501 64507")
		ROUTE("64501", "23.1.0.0/16", "64501 64508 {64509,64511}")
		ROUTE("64502", "23.4.0.0/16", "64502")
		ROUTE("64510", "23.0.0.0/16", "64510 64507")
		ROUTE("64502", "10.0.0.0/8", "64502")
		ROUTE("64599", "23.9.0.0/16", "64599");
	/* clang-format on */
	struct drawing d = { .files = { own }, .into = isp };
	drawing_make(&d, "mrt");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "\"id\": \"t\", \"pid\": \"core\", \"neighbor_asn\": 64510, \"relation\": "
	                "\"transit\", \"reach\": \"any\"}");
	drawing_has(&d, "\"id\": \"p1\", \"pid\": \"core\", \"neighbor_asn\": 64501, \"relation\": "
	                "\"settlement-free\", \"reach\": {\"prefixes\": [\"23.0.0.0/15\"]}}");
	drawing_has(&d, "\"id\": \"p2\", \"pid\": \"core\", \"neighbor_asn\": 64501, \"relation\": "
	                "\"settlement-free\", \"reach\": {\"prefixes\": [\"23.0.0.0/15\"]}}");
	drawing_has(&d,
	            "\"relation\": \"customer\", \"reach\": {\"prefixes\": [\"23.4.0.0/16\"]}}");
	drawing_has(
		&d,
		"\"neighbor_asn\": 64503, \"relation\": \"customer\", \"reach\": \"neighbor\"}");
	drawing_says(&d, "f1: is the provider's own");
	drawing_says(&d, "1 of 6 routes are default or for addresses that are not public");
	drawing_says(&d, "1 interconnects have no route in the files");
	drawing_done(&d);
}

static void in_a_collectors_paths_the_neighbour_comes_next_to_the_provider(void **state)
{
	(void)state;
	/* clang-format off */
	static const char collected[] =
		ROUTE("64599", "23.0.0.0/17", "64599 64500 64500 64501 64507")
		ROUTE("64500", "23.0.128.0/17", "64500 64501")
		ROUTE("64501", "0.0.0.0/0", "64500 64501")
		ROUTE("64501", "23.4.0.0/16", "64501 64502")
		ROUTE("64500", "23.5.0.0/16", "64500");
	/* clang-format on */
	struct drawing d = {
		.files = { collected }, .ask.lab = true, .rules.lab = true, .into = isp
	};
	drawing_make(&d, "mrt");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "\"neighbor_asn\": 64501, \"relation\": \"settlement-free\", \"reach\": "
	                "{\"prefixes\": [\"23.0.0.0/16\"]}}"); /* the halves are one */
	drawing_has(
		&d,
		"\"neighbor_asn\": 64502, \"relation\": \"customer\", \"reach\": \"neighbor\"}");
	drawing_says(&d, "1 of 5 routes are default");
	drawing_says(&d, "f1: is a collector's");
	drawing_done(&d);
}

static void asns_that_originate_are_a_reach_too(void **state)
{
	(void)state;
	/* clang-format off */
	static const char origins[] =
		ROUTE("64501", "23.0.0.0/16", "64501 64507")
		ROUTE("64501", "23.1.0.0/16", "64501 {64520,64521}")
		ROUTE("64501", "23.2.0.0/16", "64501 64507");
	static const char other[] =
		"TABLE_DUMP2_AP|1452168107|B|10.0.15.1|64502|23.3.0.0/24|36|64502 "
		"64506|IGP|10.0.15.1|"
		"100|0||NAG||\n";
	/* clang-format on */
	struct drawing d = { .files = { origins, other }, .ask.by = "asn", .into = isp };
	drawing_make(&d, "mrt");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "\"neighbor_asn\": 64501, \"relation\": \"settlement-free\", \"reach\": "
	                "{\"asns\": [64507, 64520]}}");
	drawing_has(&d,
	            "\"neighbor_asn\": 64502, \"relation\": \"customer\", \"reach\": {\"asns\": "
	            "[64506]}}");
	drawing_done(&d);
}

static void what_is_no_route_is_a_fault_with_its_line(void **state)
{
	(void)state;
	/* clang-format off */
	static const char wrong[] =
		ROUTE("64501", "23.0.0.0/16", "64501")
		"BGP4MP|1027377522|W|193.203.0.81|20751|200.31.199.0/24\n"
		ROUTE("64501", "23.0.0.1/16", "64501")
		ROUTE("64501", "23.0.0.0/16", "64501 x");
	/* clang-format on */
	struct drawing d = { .files = { wrong }, .into = isp };
	drawing_make(&d, "mrt");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f1: line 2: must be a route of a RIB as bgpdump -m prints it");
	drawing_says(&d, "FAULT f1: line 3: \"23.0.0.1/16\" has host bits set");
	drawing_says(&d, "FAULT f1: line 4: must have a path of ASNs, not \"64501 x\"");
	assert_int_equal(d.s.faults->count, 3);
	drawing_done(&d);

	struct drawing bare = { .files = { "" } };
	drawing_make(&bare, "mrt");
	drawing_expect(&bare, ERR_MALFORMED);
	drawing_says(&bare, "needs a topology with interconnects");
	drawing_done(&bare);
}

/* Whether the interconnect's list leads there, by the longest match among all lists; the slow way. */
static bool leads(const struct map_topology *t, size_t x, const struct ip_addr *a)
{
	int longest = -1, mine = -1;
	for (size_t i = 0; i < t->n_interconnects; i++)
		for (size_t k = 0; k < t->interconnects[i].n_reach_prefixes; k++) {
			const struct ip_prefix *p = &t->interconnects[i].reach_prefixes[k];
			if (!ip_prefix_has(p, a))
				continue;
			longest = p->length > longest ? p->length : longest;
			mine = i == x && p->length > mine ? p->length : mine;
		}
	return mine >= 0 && mine == longest;
}

static void merging_leads_every_address_as_before(void **state)
{
	(void)state;
	static const uint32_t asns[] = { 64501, 64502, 64503 };
	uint64_t seed = 8;
	for (unsigned round = 0; round < 200; round++) {
		struct text rib = { 0 };
		struct ip_prefix routes[64];
		uint32_t by[64];
		const size_t n = 1 + random_below(&seed, 64);
		for (size_t i = 0; i < n; i++) {
			char text[IP_PREFIX_TEXT_SIZE];
			const uint8_t length = (uint8_t)(16 + random_below(&seed, 6));
			const uint32_t bits = 23U << 24 | random_below(&seed, 64) << 11;
			routes[i].length = length;
			routes[i].addr = ip_v4(bits & ~(UINT32_MAX >> length));
			by[i] = random_below(&seed, 3);
			ip_prefix_print(&routes[i], text);
			text_printf(&rib, "TABLE_DUMP2|1|B|192.0.2.1|%u|%s|%u|IGP|\n",
			            (unsigned)asns[by[i]], text, (unsigned)asns[by[i]]);
		}
		struct drawing d = { .files = { rib.bytes }, .into = isp };
		drawing_make(&d, "mrt");
		drawing_expect(&d, ERR_OK);
		struct map_topology *t = NULL;
		struct arena *arena = arena_new(4096);
		assert_int_equal(map_topology_parse(d.topology.bytes, d.topology.size, arena, &t,
		                                    d.s.faults),
		                 ERR_OK);
		for (uint32_t k = 0; k < 64; k++) {
			const struct ip_addr a = ip_v4(23U << 24 | k << 11 | 5);
			int longest = -1;
			bool wanted[3] = { false };
			for (size_t i = 0; i < n; i++)
				if (ip_prefix_has(&routes[i], &a) && routes[i].length > longest)
					longest = routes[i].length;
			for (size_t i = 0; i < n; i++)
				if (ip_prefix_has(&routes[i], &a))
					wanted[by[i]] |= routes[i].length == longest;
			assert_int_equal(leads(t, 1, &a), wanted[0]); /* p1 and p2 have one list */
			assert_int_equal(leads(t, 3, &a), wanted[1]);
			assert_int_equal(leads(t, 4, &a), wanted[2]);
		}
		arena_free(arena);
		drawing_done(&d);
		text_done(&rib);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(routes_of_the_providers_own_begin_with_the_neighbour),
	cmocka_unit_test(in_a_collectors_paths_the_neighbour_comes_next_to_the_provider),
	cmocka_unit_test(asns_that_originate_are_a_reach_too),
	cmocka_unit_test(what_is_no_route_is_a_fault_with_its_line),
	cmocka_unit_test(merging_leads_every_address_as_before),
};

RUN_TESTS(tests)
