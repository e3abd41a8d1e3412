/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

static const char net[] =
	"{\"meta\": {}, \"data\": ["
	"{\"id\": 1, \"asn\": 64500, \"name\": \"Us\", \"policy_general\": \"Open\"},"
	"{\"id\": 2, \"asn\": 64501, \"name\": \"Peer\", \"policy_general\": \"Selective\", "
	"\"policy_ratio\": true, \"info_ratio\": \"Mostly Inbound\"},"
	"{\"id\": 3, \"asn\": 64502, \"name\": \"Hermit\", \"policy_general\": \"No\"}]}";
static const char ix[] =
	"{\"data\": ["
	"{\"id\": 7, \"name\": \"IX One\", \"city\": \"Frankfurt\", \"country\": \"DE\", "
	"\"media\": \"\"},"
	"{\"id\": 8, \"name\": \"IX Two\", \"city\": \"Z\xc3\xbcrich\", \"country\": \"CH\", "
	"\"media\": \"\"}]}";
#define PORT(ix, asn, more) \
	"{\"ix_id\": " #ix ", \"ixlan_id\": 1, \"asn\": " #asn ", \"speed\": " more "}"
static const char netixlan[] = "{\"data\": [" PORT(7, 64500, "10000") "," PORT(
	7, 64501, "100000") "," PORT(7, 64500, "10000")                               //
	"," PORT(7, 64502, "1000") "," PORT(8, 64501, "1000") "," PORT(7, 64509, "0") //
	"," PORT(7, 64503, "1000, \"status\": \"deleted\"")                           //
	"," PORT(7, 64504, "1000, \"operational\": false")                            //
	",{\"ixlan_id\": 1, \"speed\": 5}]}";
static const char fac[] =
	"{\"fac\": {\"data\": [{\"id\": 20, \"name\": \"House\", \"city\": \"Z\xc3\xbcrich\", "
	"\"country\": \"CH\", \"clli\": \"\"}]}, \"netfac\": {\"data\": [{\"fac_id\": 20, "
	"\"net_id\": 1}, "
	"{\"fac_id\": 20, \"local_asn\": 64502}, {\"fac_id\": 20, \"net_id\": 2}]}}";

static void neighbours_at_common_exchanges_are_candidates(void **state)
{
	(void)state;
	struct drawing d = { .files = { netixlan, ix, net, fac } };
	drawing_make(&d, "peeringdb");
	drawing_expect(&d, ERR_OK);
	assert_int_equal(d.s.n_interconnects, 2);
	/* Two ports of 10 Gbit/s here, one of 100 there. */
	drawing_has(
		&d,
		"{\"id\": \"as64501-ix-one\", \"pid\": \"de-frankfurt\", \"neighbor_asn\": 64501, "
		"\"relation\": \"settlement-free\", \"capacity_mbps\": 20000, \"metro\": "
		"\"Frankfurt\", \"reach\": \"neighbor\"}");
	drawing_has(
		&d,
		"{\"id\": \"as64509-ix-one\", \"pid\": \"de-frankfurt\", \"neighbor_asn\": 64509, "
		"\"relation\": \"settlement-free\", \"metro\"");
	drawing_says(&d, "2 interconnects are candidates");
	drawing_says(&d, "selective or restrictive at 1, ask for a ratio at 1, unknown at 1");
	drawing_says(&d, "1 candidates are left out, for their policy is not to peer");
	drawing_says(&d, "1 rows lack an ASN, or where they are");
	drawing_done(&d);
}

static void named_neighbours_are_looked_for_in_facilities_too(void **state)
{
	(void)state;
	const uint32_t named[] = { 64501, 64502, 64777 };
	struct drawing d = { .files = { netixlan, ix, net, fac },
		             .ask = { .neighbors = named, .n_neighbors = 3 } };
	drawing_make(&d, "peeringdb");
	drawing_expect(&d, ERR_OK);
	assert_int_equal(d.s.n_interconnects, 4);
	drawing_has(&d, "\"as64501-ix-one\"");
	drawing_has(&d, "\"as64502-ix-one\""); /* asked for, whatever its policy */
	drawing_has(&d,
	            "{\"id\": \"as64501-house\", \"pid\": \"ch-zurich\", \"neighbor_asn\": 64501, "
	            "\"relation\": \"settlement-free\", \"metro\": \"Z\xc3\xbcrich\"");
	drawing_has(&d, "\"as64502-house\"");
	drawing_says(
		&d,
		"AS64501 (Peer): 2 interconnects; policy Selective, traffic Mostly Inbound, asks "
		"for a ratio");
	drawing_says(&d, "AS64777: 0 interconnects; the files do not say who it is");
	drawing_done(&d);
}

static void pids_of_the_city_are_used_where_there_is_one(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { netixlan, ix },
		.into = "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": "
			"[64500], "
			"\"pids\": [{\"pid\": \"de-he-frankfurt\"}, {\"pid\": "
			"\"at-frankfurt\"}, {\"pid\": \"de-oberfrankfurt\"}]}"
	};
	drawing_make(&d, "peeringdb");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "\"pid\": \"de-he-frankfurt\", \"neighbor_asn\": 64501");
	assert_int_equal(d.s.n_pids, 3);
	drawing_done(&d);

	struct drawing two = {
		.files = { netixlan, ix },
		.into = "{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": "
			"[64500], \"pids\": [{\"pid\": \"de-he-frankfurt\"}, {\"pid\": "
			"\"de-bb-frankfurt\"}]}"
	};
	drawing_make(&two, "peeringdb");
	drawing_expect(&two, ERR_OK);
	drawing_has(&two, "\"pid\": \"de-frankfurt\", \"neighbor_asn\": 64501");
	drawing_done(&two);

	struct drawing given = { .files = { netixlan, ix }, .ask.pid = "edge" };
	drawing_make(&given, "peeringdb");
	drawing_expect(&given, ERR_OK);
	drawing_has(&given, "\"pid\": \"edge\", \"neighbor_asn\": 64501");
	drawing_done(&given);
}

static void djangos_fixtures_and_long_cities_are_read(void **state)
{
	(void)state;
	struct drawing d = {
		.files = { "[{\"pk\": 5, \"fields\": {\"ixlan_id\": 4, \"net_id\": 1, "
		           "\"asn\": 64500, \"speed\": 10}},"
		           "{\"pk\": 6, \"fields\": {\"ixlan_id\": 4, \"net_id\": 2, \"asn\": "
		           "64501, \"speed\": 10}}]",
		           "[{\"pk\": 4, \"fields\": {\"ix_id\": 7, \"rs_asn\": 0}}]",
		           "[{\"pk\": 7, \"fields\": {\"name\": \"IX\", \"country\": \"RO\", "
		           "\"media\": \"\", \"city\": "
		           "\"Bucharest, Arad, Cluj-Napoca, Constanta, Craiova, Iasi, "
		           "Suceava\xc8\x99, "
		           "Timisoara\"}}]" }
	};
	drawing_make(&d, "peeringdb");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "\"id\": \"as64501-ix\"");
	drawing_has(
		&d,
		"\"metro\": \"Bucharest, Arad, Cluj-Napoca, Constanta, Craiova, Iasi, Suceava\",");
	drawing_done(&d);
}

static void what_is_no_json_is_a_fault_with_its_line(void **state)
{
	(void)state;
	struct drawing d = { .files = { net, "{\"data\": [\n\n{]}" } };
	drawing_make(&d, "peeringdb");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f2: line 3: must be JSON");
	drawing_done(&d);

	struct drawing bare = { .files = { "{\"data\": [{\"id\": 1}]}" } };
	drawing_make(&bare, "peeringdb");
	drawing_expect(&bare, ERR_MALFORMED);
	drawing_says(&bare, "the provider's ASNs meet nobody in the files");
	drawing_done(&bare);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(neighbours_at_common_exchanges_are_candidates),
	cmocka_unit_test(named_neighbours_are_looked_for_in_facilities_too),
	cmocka_unit_test(pids_of_the_city_are_used_where_there_is_one),
	cmocka_unit_test(djangos_fixtures_and_long_cities_are_read),
	cmocka_unit_test(what_is_no_json_is_a_fault_with_its_line),
};

RUN_TESTS(tests)
