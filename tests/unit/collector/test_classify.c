/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/collector/classify.h"

#include <string.h>

/*
 * isp-a: interconnects 0 (x, towards isp-b) and 1 (t, transit), both of the router 192.0.2.1; isp-b: 2,
 * towards isp-a, without an exporter.
 */
static const char isp_a[] =
	"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],"
	"\"pids\":[{\"pid\":\"p\",\"prefixes\":[\"10.1.0.0/16\"]},"
	"{\"pid\":\"q\",\"prefixes\":[\"10.2.0.0/16\"]}],"
	"\"links\":[{\"id\":\"l\",\"a\":\"p\",\"b\":\"q\",\"capacity_mbps\":1}],"
	"\"interconnects\":[{\"id\":\"x\",\"pid\":\"p\",\"neighbor_asn\":64501,"
	"\"relation\":\"settlement-free\",\"exporters\":["
	"{\"address\":\"192.0.2.1\",\"ifindex\":17},{\"address\":\"192.0.2.1\",\"ifindex\":18}]},"
	"{\"id\":\"t\",\"pid\":\"p\",\"neighbor_asn\":64510,\"relation\":\"transit\","
	"\"reach\":\"any\",\"exporters\":[{\"address\":\"192.0.2.1\",\"ifindex\":3}]}]}";

static const char isp_b[] =
	"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-b\",\"asns\":[64501],"
	"\"pids\":[{\"pid\":\"p\",\"prefixes\":[\"10.20.0.0/16\"]}],"
	"\"interconnects\":[{\"id\":\"x\",\"pid\":\"p\",\"neighbor_asn\":64500,"
	"\"relation\":\"settlement-free\"}]}";

/* The same with two more: 2 (y), of the router 192.0.2.2, and 3 (z), without an exporter. */
static const char isp_a_more[] =
	"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],"
	"\"pids\":[{\"pid\":\"p\",\"prefixes\":[\"10.1.0.0/16\"]},"
	"{\"pid\":\"q\",\"prefixes\":[\"10.2.0.0/16\"]}],"
	"\"links\":[{\"id\":\"l\",\"a\":\"p\",\"b\":\"q\",\"capacity_mbps\":1}],"
	"\"interconnects\":[{\"id\":\"x\",\"pid\":\"p\",\"neighbor_asn\":64501,"
	"\"relation\":\"settlement-free\",\"exporters\":["
	"{\"address\":\"192.0.2.1\",\"ifindex\":17}]},"
	"{\"id\":\"t\",\"pid\":\"p\",\"neighbor_asn\":64510,\"relation\":\"transit\","
	"\"reach\":\"any\",\"exporters\":[{\"address\":\"192.0.2.1\",\"ifindex\":3}]},"
	"{\"id\":\"y\",\"pid\":\"p\",\"neighbor_asn\":64511,\"relation\":\"customer\","
	"\"reach\":{\"prefixes\":[\"198.51.100.0/24\"]},"
	"\"exporters\":[{\"address\":\"192.0.2.2\",\"ifindex\":3}]},"
	"{\"id\":\"z\",\"pid\":\"p\",\"neighbor_asn\":64512,\"relation\":\"customer\","
	"\"reach\":{\"prefixes\":[\"198.18.0.0/24\"]}}]}";

static int compile_these(const char *const documents[static 2], void **state)
{
	struct arena *arena = arena_new(1 << 16);
	struct faults *faults = faults_new();
	struct map_topology *topologies[2];
	struct map_source sources[2] = { 0 };
	struct map_snapshot *s = NULL;
	for (size_t i = 0; i < 2; i++) {
		must(map_topology_parse(documents[i], strlen(documents[i]), arena, &topologies[i],
		                        faults) == ERR_OK);
		sources[i].topology = topologies[i];
	}
	must(map_compile(sources, 2, &s, NULL) == ERR_OK);
	faults_free(faults);
	arena_free(arena);
	*state = s;
	return 0;
}

static int compile(void **state)
{
	static const char *const documents[] = { isp_a, isp_b };
	return compile_these(documents, state);
}

static int compile_more(void **state)
{
	static const char *const documents[] = { isp_a_more, isp_b };
	return compile_these(documents, state);
}

static int end(void **state)
{
	snapshot_free(*state);
	return 0;
}

static void ports_tell_what_was_crossed(void **state)
{
	const struct map_snapshot *s = *state;
	struct ip_addr router;
	assert_int_equal(ip_parse("192.0.2.1", &router), ERR_OK);
	const uint32_t exporter = snapshot_exporter(s, &router);
	static const struct {
		uint32_t in_if, out_if;
		enum crossing_kind kind;
		uint32_t out, in;
	} rows[] = {
		{ 17, 5, CROSSING_BOOKED, NO_INTERCONNECT, 0 },
		{ 5, 17, CROSSING_BOOKED, 0, NO_INTERCONNECT },
		{ 5, 18, CROSSING_BOOKED, 0, NO_INTERCONNECT },
		{ 3, 17, CROSSING_BOOKED, 0, 1 },
		{ 17, 3, CROSSING_BOOKED, 1, 0 },
		{ 17, 18, CROSSING_BOOKED, 0, 0 }, /* in and back out: once each */
		{ 17, 0, CROSSING_BOOKED, NO_INTERCONNECT, 0 },
		{ 0, 3, CROSSING_BOOKED, 1, NO_INTERCONNECT },
		{ 5, 6, CROSSING_INSIDE, NO_INTERCONNECT, NO_INTERCONNECT },
		{ 0, 0, CROSSING_INSIDE, NO_INTERCONNECT, NO_INTERCONNECT },
		{ 0x3fffffff, 0x3fffffff, CROSSING_INSIDE, NO_INTERCONNECT, NO_INTERCONNECT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct crossing c =
			crossing_of_ports(s, exporter, rows[i].in_if, rows[i].out_if);
		assert_int_equal(c.kind, rows[i].kind);
		assert_int_equal(c.out, rows[i].out);
		assert_int_equal(c.in, rows[i].in);
	}
}

static uint32_t place(const struct map_snapshot *s, const char *address)
{
	struct ip_addr a;
	assert_int_equal(ip_parse(address, &a), ERR_OK);
	return snapshot_locate(s, &a);
}

/* What 192.0.2.1 has a port of is his. */
static void places_are_booked_where_no_exporter_is_named(void **state)
{
	const struct map_snapshot *s = *state;
	static const struct {
		const char *from, *to;
		enum crossing_kind kind;
		uint32_t out, in;
	} rows[] = {
		{ "10.1.0.1", "10.20.0.1", CROSSING_BOOKED, NO_INTERCONNECT, 2 },
		{ "10.20.0.1", "10.2.0.1", CROSSING_BOOKED, 2, NO_INTERCONNECT },
		{ "10.1.0.1", "203.0.113.1", CROSSING_ELSEWHERE, NO_INTERCONNECT, NO_INTERCONNECT },
		{ "203.0.113.1", "10.1.0.1", CROSSING_ELSEWHERE, NO_INTERCONNECT, NO_INTERCONNECT },
		/* isp-b reaches its neighbour only */
		{ "203.0.113.1", "10.20.0.1", CROSSING_UNKNOWN, NO_INTERCONNECT, NO_INTERCONNECT },
		{ "10.1.0.1", "10.1.0.2", CROSSING_INSIDE, NO_INTERCONNECT, NO_INTERCONNECT },
		{ "10.1.0.1", "10.2.0.2", CROSSING_INSIDE, NO_INTERCONNECT, NO_INTERCONNECT },
		{ "203.0.113.1", "203.0.113.2", CROSSING_UNKNOWN, NO_INTERCONNECT,
		  NO_INTERCONNECT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct crossing c = crossing_of_places(
			s, PLACE_UNKNOWN, place(s, rows[i].from), place(s, rows[i].to));
		assert_int_equal(c.kind, rows[i].kind);
		assert_int_equal(c.out, rows[i].out);
		assert_int_equal(c.in, rows[i].in);
	}
	assert_int_equal(crossing_of_places(NULL, 0, 0, 0).kind, CROSSING_UNKNOWN);
}

/* Who has an address in a provider is his: a router of isp-a says nothing of isp-b's books. */
static void an_address_in_a_provider_books_for_it_alone(void **state)
{
	const struct map_snapshot *s = *state;
	const uint32_t a = place(s, "10.1.0.1"), b = place(s, "10.20.0.1");
	assert_int_equal(crossing_of_places(s, b, a, b).in, 2);
	assert_int_equal(crossing_of_places(s, b, b, a).out, 2);
	assert_int_equal(crossing_of_places(s, a, a, b).kind, CROSSING_ELSEWHERE);
	assert_int_equal(crossing_of_places(s, place(s, "203.0.113.1"), a, b).in, 2);
}

/* Interconnects of isp-a only, and not those of another's ports. */
static void who_names_no_interface_books_his_own_and_what_is_nobodys(void **state)
{
	const struct map_snapshot *s = *state;
	static const struct {
		const char *exporter, *from, *to;
		enum crossing_kind kind;
		uint32_t out, in;
	} rows[] = {
		{ "192.0.2.1", "10.1.0.1", "10.20.0.1", CROSSING_BOOKED, 0, NO_INTERCONNECT },
		{ "192.0.2.1", "203.0.113.1", "10.1.0.1", CROSSING_BOOKED, NO_INTERCONNECT, 1 },
		{ "192.0.2.2", "10.1.0.1", "10.20.0.1", CROSSING_ELSEWHERE, NO_INTERCONNECT,
		  NO_INTERCONNECT },
		{ "192.0.2.2", "10.1.0.1", "198.51.100.1", CROSSING_BOOKED, 2, NO_INTERCONNECT },
		{ "192.0.2.2", "10.1.0.1", "198.18.0.1", CROSSING_BOOKED, 3, NO_INTERCONNECT },
		{ "192.0.2.2", "10.1.0.1", "10.2.0.2", CROSSING_INSIDE, NO_INTERCONNECT,
		  NO_INTERCONNECT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_addr router;
		assert_int_equal(ip_parse(rows[i].exporter, &router), ERR_OK);
		const struct crossing c =
			crossing_of_own(s, snapshot_exporter(s, &router), place(s, rows[i].from),
		                        place(s, rows[i].to));
		assert_int_equal(c.kind, rows[i].kind);
		assert_int_equal(c.out, rows[i].out);
		assert_int_equal(c.in, rows[i].in);
	}
}

static void a_probe_on_the_wire_goes_by_addresses(void **state)
{
	const struct map_snapshot *s = *state;
	static const struct {
		const char *from, *to;
		enum crossing_kind kind;
		uint32_t out, in;
	} rows[] = {
		{ "10.1.0.1", "10.20.0.1", CROSSING_BOOKED, 1, NO_INTERCONNECT },
		{ "203.0.113.1", "10.2.0.1", CROSSING_BOOKED, NO_INTERCONNECT, 1 },
		{ "10.1.0.1", "10.2.0.1", CROSSING_UNKNOWN, NO_INTERCONNECT, NO_INTERCONNECT },
		{ "10.20.0.1", "203.0.113.1", CROSSING_UNKNOWN, NO_INTERCONNECT, NO_INTERCONNECT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct crossing c =
			crossing_of_wire(s, 1, place(s, rows[i].from), place(s, rows[i].to));
		assert_int_equal(c.kind, rows[i].kind);
		assert_int_equal(c.out, rows[i].out);
		assert_int_equal(c.in, rows[i].in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ports_tell_what_was_crossed, compile, end),
		cmocka_unit_test_setup_teardown(a_probe_on_the_wire_goes_by_addresses, compile,
		                                end),
		cmocka_unit_test_setup_teardown(places_are_booked_where_no_exporter_is_named,
		                                compile, end),
		cmocka_unit_test_setup_teardown(an_address_in_a_provider_books_for_it_alone,
		                                compile, end),
		cmocka_unit_test_setup_teardown(
			who_names_no_interface_books_his_own_and_what_is_nobodys, compile_more,
			end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
