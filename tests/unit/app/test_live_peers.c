/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/live_peers.h"

#include "common/base/random.h"
#include "common/ip/lpm.h"
#include "common/map/snapshot.h"
#include "tests/unit/test.h"

/* What is in force: 10.1/16 is isp-a's and 10.3/16 isp-b's; 10.2/16 was isp-a's before. */
static void publish(struct map_office *office)
{
	static uint32_t asns[] = { 64501, 64502 };
	static struct ip_prefix of_a = { { { 10, 1 }, IP_V4 }, 16 };
	static struct ip_prefix of_b = { { { 10, 3 }, IP_V4 }, 16 };
	static struct map_pid a[] = { { .name = "a", .prefixes = &of_a, .n_prefixes = 1 } };
	static struct map_pid b[] = { { .name = "b", .prefixes = &of_b, .n_prefixes = 1 } };
	const struct map_topology isp_a = {
		.provider = "isp-a", .asns = &asns[0], .n_asns = 1, .pids = a, .n_pids = 1
	};
	const struct map_topology isp_b = {
		.provider = "isp-b", .asns = &asns[1], .n_asns = 1, .pids = b, .n_pids = 1
	};
	const struct map_source sources[] = { { .topology = &isp_a }, { .topology = &isp_b } };
	struct map_snapshot *s;
	assert_int_equal(map_compile(sources, 2, &s, NULL), ERR_OK);
	assert_int_equal(map_publish(office, s), ERR_OK);
}

static struct lpm *former(void)
{
	struct lpm_entry entries[] = { { { { { 10, 1 }, IP_V4 }, 16 }, 1 },
		                       { { { { 10, 2 }, IP_V4 }, 16 }, 1 },
		                       { { { { 10, 3, 1 }, IP_V4 }, 24 }, 1 } };
	struct lpm *t;
	assert_int_equal(lpm_build(entries, 3, &t), ERR_OK);
	return t;
}

static void join(struct swarm_store *s, uint32_t address, uint16_t port)
{
	static const uint8_t hash[INFO_HASH_SIZE] = { 7 };
	struct swarm_visit v;
	struct swarm_change change;
	const struct swarm_peer p = {
		.client = { .identity = random_mix(address), .addr = ip_v4(address), .port = port },
		.role = SWARM_LEECHER,
		.expires = 100
	};
	assert_int_equal(swarm_enter(s, hash, true, &v), ERR_OK);
	assert_int_equal(swarm_put(&v, &p, false, &change), ERR_OK);
	swarm_leave(&v);
}

static void counts_who_was_the_providers_and_is_not(void **state)
{
	(void)state;
	const struct swarm_options o = { .shards = 4, .max_swarms = 10, .max_peers = 10000 };
	struct swarm_store *swarms = swarm_store_new(&o);
	struct map_office *office = map_office_new(snapshot_free);
	const struct live_peers live = { swarms, office, o.shards };
	struct lpm *was = former();
	struct maps_peers found;
	for (uint32_t i = 0; i < 30; i++)
		join(swarms, 0x0a010000 + i, 1); /* is isp-a's still */
	for (uint32_t i = 0; i < 20; i++)
		join(swarms, 0x0a020000 + i,
		     i < 10 ? 1 : 0); /* nobody's, and half of them hidden */
	for (uint32_t i = 0; i < 5; i++)
		join(swarms, 0x0a030100 + i, 1); /* another's */
	for (uint32_t i = 0; i < 3000; i++)
		join(swarms, 0x0b000000 + i, 1); /* a stranger, before and after */

	live_peers_count((void *)(uintptr_t)&live, "isp-a", was, &found);
	assert_int_equal(found.all, 55);
	assert_int_equal(found.lost, 55); /* no map is in force at all */
	publish(office);
	live_peers_count((void *)(uintptr_t)&live, "isp-a", was, &found);
	assert_int_equal(found.all, 55);
	assert_int_equal(found.lost, 25);
	lpm_free(was);
	map_office_free(office);
	swarm_store_free(swarms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_who_was_the_providers_and_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
