/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"
#include "tests/unit/swarm/walk.h"

#include "common/base/random.h"

enum { GIANT = 20000, SLICE = SWARM_SLICE + BLOCK_MAX };

static struct swarm_store *filled(uint32_t swarms, uint32_t peers, uint32_t expires)
{
	struct swarm_store *s = store_of(2, 2 * swarms, (size_t)swarms * peers);
	for (uint32_t w = 0; w < swarms; w++) {
		struct swarm_visit v = enter(s, w, true);
		for (uint32_t i = 0; i < peers; i++) {
			struct swarm_peer p = peer_of(i, i % 3);
			if (i % 4 == 0)
				p.client.addr = address(1ULL << 32 | i);
			p.client.place = i % 50;
			p.expires = expires;
			(void)put(&v, p, false);
		}
		swarm_leave(&v);
	}
	return s;
}

/* However the peers are spread, no call does more than its slice, and the calls are about as many as
 * it takes. */
static void works_in_slices(void **state)
{
	(void)state;
	static const struct {
		uint32_t swarms, peers, slices;
	} rows[] = {
		{ 1, GIANT, GIANT / SWARM_SLICE },
		{ GIANT, 1, GIANT * 9 / SWARM_SLICE }, /* a header counts, too */
		{ GIANT / 50, 50, GIANT / SWARM_SLICE },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (uint32_t now = 1000; now <= 1001; now++) {
			struct swarm_store *s = filled(rows[i].swarms, rows[i].peers, 1000);
			struct swarm_sweep cursor = { 0 };
			unsigned calls = 0;
			size_t gone = 0;
			while (cursor.shards < 2) {
				const size_t went = swarm_sweep(s, &cursor, now);
				assert_true(went <= SLICE);
				gone += went;
				calls++;
			}
			assert_int_equal(gone, now > 1000 ? GIANT : 0);
			assert_in_range(calls, rows[i].slices * 9 / 10, rows[i].slices * 4 + 4);
			walk(s);
			swarm_store_free(s);
		}
}

/* Chunks split, join and vanish between the slices. */
static void leaves_nobody_out_while_others_come_and_go(void **state)
{
	(void)state;
	struct swarm_store *s = filled(1, GIANT, 1000);
	struct swarm_sweep cursor = { 0 };
	uint64_t seed = 1;
	uint32_t newcomers = 0;
	while (cursor.shards < 2) {
		(void)swarm_sweep(s, &cursor, 1001);
		struct swarm_visit v = enter(s, 0, true);
		for (unsigned k = 0; k < 200; k++) {
			struct swarm_peer p = peer_of(GIANT + newcomers, newcomers % 3);
			p.client.place = random_below(&seed, 50);
			p.expires = 2000;
			(void)put(&v, p, false);
			newcomers++;
			const struct swarm_peer other = peer_of(random_below(&seed, GIANT), 0);
			struct swarm_client c = other.client;
			c.place = random_below(&seed, 50);
			(void)swarm_remove(&v, &c, NULL);
		}
		swarm_leave(&v);
	}
	assert_int_equal(s->peers, newcomers);
	walk(s);
	swarm_store_free(s);
}

/* The stamps are 16 bits of seconds. */
static void tells_the_future_from_the_past_across_the_end_of_stamps(void **state)
{
	(void)state;
	static const uint32_t starts[] = { 0, 30000, 33000, 65000, 65535, 131000, 1U << 31 };
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		struct swarm_store *s = filled(3, 10, starts[i] + SWARM_LIFETIME_MAX);
		assert_int_equal(sweep(s, starts[i]), 0);
		assert_int_equal(sweep(s, starts[i] + SWARM_LIFETIME_MAX), 0);
		assert_int_equal(sweep(s, starts[i] + SWARM_LIFETIME_MAX + 1), 30);
		swarm_store_free(s);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(works_in_slices),
	cmocka_unit_test(leaves_nobody_out_while_others_come_and_go),
	cmocka_unit_test(tells_the_future_from_the_past_across_the_end_of_stamps),
};

RUN_TESTS(tests)
