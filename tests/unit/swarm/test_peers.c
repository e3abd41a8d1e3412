/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"

#include "common/base/random.h"

enum { PEERS = 30000, SHARDS = 4 };

struct census {
	unsigned seen[PEERS], hidden, call, slice;
};

static void count(void *ctx, const struct ip_addr *addr, uint16_t port)
{
	struct census *c = ctx;
	c->call++;
	if (port == 0) {
		c->hidden++;
		return;
	}
	const bool wide = addr->family == IP_V6;
	const uint32_t n = (uint32_t)addr->bytes[2] << 8 | addr->bytes[3];
	assert_true(n < PEERS);
	assert_int_equal(port, 1 + n % 1000);
	assert_int_equal(wide, n % 4 == 0);
	c->seen[n]++;
}

/* Number i is in swarm i % swarms. */
static struct swarm_store *filled(uint32_t swarms)
{
	struct swarm_store *s = store_of(SHARDS, 2 * swarms + 64, 2 * PEERS);
	for (uint32_t w = 0; w < swarms; w++) {
		struct swarm_visit v = enter(s, w, true);
		for (uint32_t i = w; i < PEERS; i += swarms) {
			struct swarm_peer p = peer_of(i, i % 3);
			if (i % 4 == 0)
				p.client.addr = address(1ULL << 32 | i);
			else
				p.client.addr = address(i);
			p.client.port = i % 7 == 0 ? 0 : (uint16_t)(1 + i % 1000);
			p.client.place = i % 50;
			(void)put(&v, p, false);
		}
		swarm_leave(&v);
	}
	return s;
}

static void everybody_comes_in_slices(void **state)
{
	(void)state;
	static struct census c;
	static const uint32_t swarms[] = { 1, 300, PEERS };
	for (size_t k = 0; k < sizeof(swarms) / sizeof(swarms[0]); k++) {
		struct swarm_store *s = filled(swarms[k]);
		struct swarm_sweep walk = { 0 };
		unsigned calls = 0;
		memset(&c, 0, sizeof(c));
		while (walk.shards < SHARDS) {
			c.call = 0;
			swarm_peers(s, &walk, count, &c);
			assert_true(c.call <= SWARM_SLICE + BLOCK_MAX);
			calls++;
		}
		assert_true(calls >= PEERS / (SWARM_SLICE + BLOCK_MAX));
		for (uint32_t i = 0; i < PEERS; i++)
			assert_int_equal(c.seen[i], i % 7 != 0);
		assert_int_equal(c.hidden, (PEERS + 6) / 7);
		swarm_store_free(s);
	}
}

static bool remove_odd(struct swarm_visit *v, uint32_t n)
{
	struct swarm_client c = client_of(n);
	c.addr = address(n);
	return swarm_remove(v, &c, NULL);
}

/* Who stays is told of, whatever becomes of the others between the slices. */
static void nobody_who_stays_is_left_out(void **state)
{
	(void)state;
	static struct census c;
	struct swarm_store *s = filled(1);
	struct swarm_sweep walk = { 0 };
	uint64_t seed = 9;
	memset(&c, 0, sizeof(c));
	while (walk.shards < SHARDS) {
		swarm_peers(s, &walk, count, &c);
		struct swarm_visit v = enter(s, 0, true);
		for (unsigned i = 0; i < 300; i++) /* of the odd ones */
			(void)remove_odd(&v, random_below(&seed, PEERS / 2) * 2 + 1);
		swarm_leave(&v);
	}
	for (uint32_t i = 0; i < PEERS; i += 2)
		assert_int_equal(c.seen[i] > 0, i % 7 != 0);
	swarm_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_comes_in_slices),
		cmocka_unit_test(nobody_who_stays_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
