/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/census.h"

#include "common/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

/* A provider with 10.1/16 in one PID, and 10.2/16 in it as well or in another. */
static struct map_snapshot *compile(bool split)
{
	static uint32_t asns[] = { 64501 };
	static struct ip_prefix first = { { { 10, 1 }, IP_V4 }, 16 };
	static struct ip_prefix second = { { { 10, 2 }, IP_V4 }, 16 };
	static struct ip_prefix both = { { { 10, 0 }, IP_V4 }, 14 };
	static struct map_pid one[] = { { .name = "a", .prefixes = &both, .n_prefixes = 1 } };
	static struct map_pid two[] = { { .name = "a", .prefixes = &first, .n_prefixes = 1 },
		                        { .name = "b", .prefixes = &second, .n_prefixes = 1 } };
	const struct map_topology t = { .provider = "isp-a",
		                        .asns = asns,
		                        .n_asns = 1,
		                        .pids = split ? two : one,
		                        .n_pids = split ? 2 : 1 };
	const struct map_source source = { .topology = &t };
	struct map_snapshot *s;
	assert_int_equal(map_compile(&source, 1, &s, NULL), ERR_OK);
	return s;
}

static void join(struct swarm_store *s, uint32_t swarm, uint32_t address)
{
	uint8_t hash[INFO_HASH_SIZE] = { 0 };
	struct swarm_visit v;
	struct swarm_change change;
	memcpy(hash, &swarm, sizeof(swarm));
	const struct swarm_peer p = {
		.client = { .identity = random_mix(address), .addr = ip_v4(address), .port = 1 },
		.role = SWARM_LEECHER,
		.expires = 100
	};
	assert_int_equal(swarm_enter(s, hash, true, &v), ERR_OK);
	assert_int_equal(swarm_put(&v, &p, false, &change), ERR_OK);
	swarm_leave(&v);
}

static void every_peer_of_every_swarm_is_placed_on_both_maps(void **state)
{
	(void)state;
	enum { SWARMS = 40, EACH = 30, LARGE = 5000 };
	const struct swarm_options o = { .shards = 8, .max_swarms = 1000, .max_peers = 100000 };
	struct swarm_store *swarms = swarm_store_new(&o);
	assert_non_null(swarms);
	for (uint32_t w = 0; w < SWARMS; w++)
		for (uint32_t i = 0; i < EACH; i++)
			join(swarms, w, (i % 3 == 0 ? 0x0a010000 : 0x0a020000) + i);
	for (uint32_t i = 0; i < LARGE; i++)
		join(swarms, SWARMS, (i % 5 == 0 ? 0x0b000000 : 0x0a020000) + i);

	struct map_snapshot *before = compile(false), *after = compile(true);
	struct replay *r = replay_new(before, after, "isp-a");
	struct census c = { .swarms = swarms, .shards = o.shards };
	assert_int_equal(census_take(&c, before, after, r), ERR_OK);
	const struct replay_live live = replay_live(r);
	assert_int_equal(live.peers, SWARMS * EACH + LARGE / 5 * 4);
	assert_int_equal(live.moved, SWARMS * EACH / 3 * 2 + LARGE / 5 * 4);
	assert_int_equal(live.default_after, 0);
	replay_free(r);
	snapshot_free(before);
	snapshot_free(after);
	swarm_store_free(swarms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_peer_of_every_swarm_is_placed_on_both_maps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
