/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/base/text.h"
#include "common/map/snapshot.h"

#include <string.h>

static struct ip_addr address(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_parse(text, &a), ERR_OK);
	return a;
}

static struct map_snapshot *compile(const char *const *documents, size_t n)
{
	struct arena *arena = arena_new(1 << 16);
	struct faults *faults = faults_new();
	struct map_topology *topologies[2];
	struct map_source sources[2] = { 0 };
	struct map_snapshot *s = NULL;
	assert_true(n <= 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(map_topology_parse(documents[i], strlen(documents[i]), arena,
		                                    &topologies[i], faults),
		                 ERR_OK);
		sources[i].topology = topologies[i];
	}
	assert_int_equal(map_compile(sources, n, &s, NULL), ERR_OK);
	faults_free(faults);
	arena_free(arena);
	return s;
}

#define EDGE(id, ports)                                        \
	"{\"id\":\"" id "\",\"pid\":\"p\",\"neighbor_asn\":1," \
	"\"relation\":\"transit\",\"reach\":\"any\",\"exporters\":[" ports "]}"
#define PORT(address, ifindex) "{\"address\":\"" address "\",\"ifindex\":" ifindex "}"

static const char isp_a[] =
	"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],"
	"\"pids\":[{\"pid\":\"p\"}],\"interconnects\":[" EDGE(
		"a-1", PORT("192.0.2.9", "17") "," PORT(
			       "2001:db8::1",
			       "1")) "," EDGE("a-2",
                                              PORT("192.0.2.1", "4294967295") "," PORT(
						      "192.0.2.9", "3")) "," EDGE("a-3", "") "]}";

static const char isp_b[] =
	"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-b\",\"asns\":[64501],"
	"\"pids\":[{\"pid\":\"p\"}],\"interconnects\":[" EDGE(
		"b-1",
		PORT("192.0.2.9", "5") "," PORT("192.0.2.9", "17") "," PORT("10.0.0.1", "9")) "]}";

static uint32_t port(const struct map_snapshot *s, const char *exporter, uint32_t ifindex)
{
	const struct ip_addr a = address(exporter);
	const uint32_t number = snapshot_exporter(s, &a);
	return number == NO_EXPORTER ? NO_INTERCONNECT : snapshot_port(s, number, ifindex);
}

static void a_port_leads_across_its_interconnect(void **state)
{
	(void)state;
	const char *const documents[] = { isp_a, isp_b };
	struct map_snapshot *s = compile(documents, 2);
	static const struct {
		const char *exporter;
		uint32_t ifindex, interconnect;
	} rows[] = {
		{ "192.0.2.9", 17, 0 },
		{ "::ffff:192.0.2.9", 17, 0 },
		{ "2001:db8::1", 1, 0 },
		{ "192.0.2.1", UINT32_MAX, 1 },
		{ "192.0.2.9", 3, 1 },
		{ "192.0.2.9", 5, 3 },
		{ "10.0.0.1", 9, 3 },
		{ "192.0.2.9", 4, NO_INTERCONNECT },
		{ "192.0.2.9", 0, NO_INTERCONNECT },
		{ "192.0.2.9", UINT32_MAX, NO_INTERCONNECT },
		{ "192.0.2.1", 17, NO_INTERCONNECT },
		{ "10.0.0.2", 9, NO_INTERCONNECT },
		{ "2001:db8::2", 1, NO_INTERCONNECT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(port(s, rows[i].exporter, rows[i].ifindex), rows[i].interconnect);
	assert_int_equal(snapshot_counts(s).exporters, 4);
	for (uint32_t i = 0; i < 4; i++) /* a-3 names none */
		assert_int_equal(snapshot_interconnect(s, i).metered, i != 2);
	snapshot_free(s);
}

static void an_exporter_is_its_first_providers(void **state)
{
	(void)state;
	const char *const documents[] = { isp_a, isp_b };
	struct map_snapshot *s = compile(documents, 2);
	const struct ip_addr shared = address("192.0.2.9"), mine = address("10.0.0.1"),
			     nobodys = address("10.0.0.2");
	const struct map_exporter_info e = snapshot_exporter_info(s, snapshot_exporter(s, &shared));
	assert_true(ip_equal(&e.address, &shared));
	assert_int_equal(e.provider, 0);
	assert_int_equal(e.n, 3);
	for (size_t i = 1; i < e.n; i++)
		assert_true(e.ports[i - 1].ifindex < e.ports[i].ifindex);
	assert_int_equal(snapshot_exporter_info(s, snapshot_exporter(s, &mine)).provider, 1);
	assert_int_equal(snapshot_exporter(s, &nobodys), NO_EXPORTER);
	assert_int_equal(snapshot_exporter(NULL, &mine), NO_EXPORTER);
	snapshot_free(s);
}

static void other_prices_leave_the_ports(void **state)
{
	(void)state;
	const char *const documents[] = { isp_a };
	const struct map_crossing prices[3] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
	struct map_snapshot *s = compile(documents, 1), *next;
	assert_int_equal(
		snapshot_reprice(s, &(struct map_prices){ .interconnects = prices }, &next),
		ERR_OK);
	snapshot_free(s);
	assert_int_equal(port(next, "192.0.2.9", 17), 0);
	snapshot_free(next);
}

/* Many ports, against looking through all of them. */
static void random_ports_are_found(void **state)
{
	(void)state;
	enum { PORTS = 300, EDGES = 40 };
	struct map_exporter ports[PORTS];
	static char ids[EDGES][8];
	static struct map_pid pids[] = { { .name = "p" } };
	static uint32_t asns[] = { 64500 };
	struct map_interconnect edges[EDGES];
	uint64_t seed = 5;
	size_t n = 0;
	for (unsigned i = 0; i < EDGES; i++) {
		const size_t first = n;
		for (unsigned k = random_below(&seed, 8); k > 0 && n < PORTS; k--)
			ports[n++] = (struct map_exporter){
				.address = ip_v4(random_below(&seed, 6)),
				.ifindex = 1 + random_below(&seed, 60),
			};
		(void)snprintf(ids[i], sizeof(ids[i]), "x%u", i);
		edges[i] = (struct map_interconnect){ .id = ids[i],
			                              .pid = "p",
			                              .neighbor_asn = 1,
			                              .relation = RELATION_TRANSIT,
			                              .reach = REACH_ANY,
			                              .exporters = ports + first,
			                              .n_exporters = n - first };
	}
	const struct map_topology t = { .provider = "isp-a",
		                        .asns = asns,
		                        .n_asns = 1,
		                        .pids = pids,
		                        .n_pids = 1,
		                        .interconnects = edges,
		                        .n_interconnects = EDGES };
	const struct map_source source = { .topology = &t };
	struct map_snapshot *s;
	assert_int_equal(map_compile(&source, 1, &s, NULL), ERR_OK);
	for (uint32_t a = 0; a < 7; a++)
		for (uint32_t ifindex = 0; ifindex < 62; ifindex++) {
			uint32_t first = NO_INTERCONNECT;
			const struct ip_addr exporter = ip_v4(a);
			for (uint32_t i = EDGES; i-- > 0;)
				for (size_t k = 0; k < edges[i].n_exporters; k++)
					if (ip_equal(&edges[i].exporters[k].address, &exporter) &&
					    edges[i].exporters[k].ifindex == ifindex)
						first = i;
			const uint32_t number = snapshot_exporter(s, &exporter);
			assert_int_equal(number == NO_EXPORTER ? NO_INTERCONNECT
			                                       : snapshot_port(s, number, ifindex),
			                 first);
		}
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_leads_across_its_interconnect),
		cmocka_unit_test(an_exporter_is_its_first_providers),
		cmocka_unit_test(other_prices_leave_the_ports),
		cmocka_unit_test(random_ports_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
