/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"

#include "common/base/random.h"

#include <string.h>

/*
 * One bucket: seeds 0..19, leechers 20..49, partial seeds 50..56. The asker is one of them, and
 * GHOST_1 and GHOST_2 stand at its address and port.
 */
enum { SEEDS = 20, LEECHERS = 30, PARTIALS = 7, PEOPLE = SEEDS + LEECHERS + PARTIALS };
enum { PLACE = 5 };

static enum swarm_role role_of(uint32_t n)
{
	return n < SEEDS ? SWARM_SEED : n < SEEDS + LEECHERS ? SWARM_LEECHER : SWARM_PARTIAL;
}

static void fill(struct swarm_visit *v)
{
	for (uint32_t i = 0; i < PEOPLE; i++) {
		struct swarm_peer p = peer_of(i, role_of(i));
		p.place = PLACE;
		memset(p.peer_id, (int)i, PEER_ID_SIZE);
		(void)put(v, p, false);
	}
}

static struct swarm_asker asker_of(uint32_t n)
{
	const struct swarm_peer p = peer_of(n, role_of(n));
	return (struct swarm_asker){ .identity = n,
		                     .addr = p.addr,
		                     .port = p.port,
		                     .family = IP_V4,
		                     .seeding = p.role != SWARM_LEECHER };
}

static struct swarm_bucket bucket_at(const struct swarm_visit *v, const struct swarm_asker *asker,
                                     uint32_t place)
{
	struct swarm_bucket b[8];
	uint64_t seed = 1;
	const size_t n = swarm_buckets(v, asker, b, 8, &seed);
	for (size_t i = 0; i < n; i++)
		if (b[i].place == place)
			return b[i];
	fail();
	return b[0];
}

/* Draws `rounds` times and counts whom; checks each draw for doubles. */
static void tally(const struct swarm_visit *v, const struct swarm_asker *asker, size_t count,
                  bool seeds_only, unsigned rounds, double hits[static PEOPLE])
{
	struct swarm_endpoint out[PEOPLE + 1];
	uint64_t seed = random_mix(1000 * count + asker->identity);
	const struct swarm_bucket b = bucket_at(v, asker, PLACE);
	memset(hits, 0, PEOPLE * sizeof(*hits));
	for (unsigned r = 0; r < rounds; r++) {
		bool seen[PEOPLE] = { 0 };
		const size_t n = swarm_draw(v, asker, b.handle, count, seeds_only, &seed, out);
		assert_true(n <= count);
		for (size_t i = 0; i < n; i++) {
			const uint32_t who = out[i].addr.bytes[3];
			assert_true(who < PEOPLE && !seen[who]);
			assert_true(out[i].port == 6881 && out[i].addr.family == IP_V4);
			uint8_t id[PEER_ID_SIZE];
			memset(id, (int)who, sizeof(id));
			assert_true(memcmp(out[i].peer_id, id, sizeof(id)) == 0);
			seen[who] = true;
			hits[who]++;
		}
	}
}

/* Are the hits of those who may be drawn as equal as chance has it, and the others' zero? */
static void assert_uniform(const double hits[static PEOPLE], const bool may[static PEOPLE],
                           size_t count, unsigned rounds)
{
	double candidates = 0, chi = 0;
	for (unsigned i = 0; i < PEOPLE; i++)
		candidates += may[i];
	const double p = (double)count < candidates ? (double)count / candidates : 1;
	for (unsigned i = 0; i < PEOPLE; i++) {
		const double off = hits[i] - (may[i] ? rounds * p : 0);
		if (!may[i] || p >= 1)
			assert_true(off > -0.5 && off < 0.5);
		else
			chi += off * off / (rounds * p * (1 - p));
	}
	const double over = chi - candidates; /* variance about 2 * candidates */
	assert_true(over < 0 || over * over < 16 * 2 * candidates);
	if (p < 1 && candidates > 1)
		assert_true(chi > candidates / 4);
}

static void every_candidate_is_equally_likely(void **state)
{
	(void)state;
	enum { ROUNDS = 10000 };
	static const uint32_t askers[] = { 0, 7, 20, 33, 49, 52, 1000 };
	static const size_t counts[] = { 1, 2, 7, 19, 25, 40, 56 };
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	fill(&v);
	for (unsigned i = 0; i < 7 * 7 * 2; i++) {
		const size_t count = counts[i % 7];
		const struct swarm_asker asker = asker_of(askers[i / 7 % 7]);
		const bool seeds_only = i / 49;
		double hits[PEOPLE];
		bool may[PEOPLE] = { 0 };
		if (seeds_only && asker.seeding)
			continue;
		for (uint32_t j = 0; j < PEOPLE; j++)
			may[j] = j != asker.identity &&
			         (asker.seeding ? role_of(j) == SWARM_LEECHER
			                        : role_of(j) == SWARM_SEED || !seeds_only);
		tally(&v, &asker, count, seeds_only, ROUNDS, hits);
		assert_uniform(hits, may, count, ROUNDS);
	}
	swarm_leave(&v);
	swarm_store_free(s);
}

/* Two in one draw: all pairs alike, so that no two peers are kept from each other. */
static void every_pair_is_equally_likely(void **state)
{
	(void)state;
	enum { N = 12, ROUNDS = 60000 };
	static double pairs[PEOPLE][PEOPLE];
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < N; i++)
		(void)put(&v, peer_of(i, SWARM_LEECHER), false);
	const struct swarm_asker asker = asker_of(5);
	const uint32_t handle = bucket_at(&v, &asker, 1).handle;
	uint64_t seed = 3;
	struct swarm_endpoint out[4];
	for (unsigned r = 0; r < ROUNDS; r++) {
		assert_int_equal(swarm_draw(&v, &asker, handle, 4, false, &seed, out), 4);
		for (unsigned i = 0; i < 4; i++)
			for (unsigned j = 0; j < 4; j++)
				pairs[out[i].addr.bytes[3]][out[j].addr.bytes[3]] += i != j;
	}
	const double p = 4.0 * 3 / (11 * 10), mean = ROUNDS * p;
	for (unsigned i = 0; i < N; i++)
		for (unsigned j = 0; j < N; j++)
			if (i != j && i != 5 && j != 5)
				assert_true((pairs[i][j] - mean) * (pairs[i][j] - mean) <
				            20 * mean * (1 - p));
	swarm_leave(&v);
	swarm_store_free(s);
}

static void never_draws_a_ghost_and_favours_nobody_for_it(void **state)
{
	(void)state;
	enum { ROUNDS = 20000, GHOST_1 = 21, GHOST_2 = 3 };
	static const size_t counts[] = { 1, 10, 20, 53, 54, 55, 56 };
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	fill(&v);
	const struct swarm_asker asker = asker_of(40);
	bool may[PEOPLE];
	for (uint32_t i = 0; i < PEOPLE; i++)
		may[i] = i != 40 && i != GHOST_1 && i != GHOST_2;
	for (unsigned i = 0; i < 2; i++) {
		struct swarm_peer ghost =
			peer_of(i ? GHOST_2 : GHOST_1, i ? SWARM_SEED : SWARM_LEECHER);
		ghost.addr = asker.addr;
		ghost.place = PLACE;
		(void)put(&v, ghost, false);
	}
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		double hits[PEOPLE];
		tally(&v, &asker, counts[i], false, ROUNDS, hits);
		assert_uniform(hits, may, counts[i], ROUNDS);
	}
	swarm_leave(&v);
	swarm_store_free(s);
}

static void never_draws_port_zero(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < 10; i++) {
		struct swarm_peer p = peer_of(i, role_of(i * 6));
		p.port = i < 3 ? 6881 : 0;
		(void)put(&v, p, false);
	}
	struct swarm_asker asker = asker_of(2);
	asker.seeding = false;
	struct swarm_bucket b[4];
	uint64_t seed = 1;
	assert_int_equal(swarm_buckets(&v, &asker, b, 4, &seed), 1);
	assert_int_equal(b[0].seeds + b[0].others, 2);
	/* And the asker itself may be unreachable. */
	asker = asker_of(5);
	asker.port = 0;
	asker.seeding = false;
	assert_int_equal(swarm_buckets(&v, &asker, b, 4, &seed), 1);
	assert_int_equal(b[0].seeds + b[0].others, 3);
	struct swarm_endpoint out[9];
	assert_int_equal(swarm_draw(&v, &asker, b[0].handle, 9, false, &seed, out), 3);
	swarm_leave(&v);
	swarm_store_free(s);
}

static void subtracts_the_asker_from_its_bucket(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	fill(&v);
	static const struct {
		uint32_t who;
		uint32_t seeds, others;
	} rows[] = {
		{ 20, SEEDS, LEECHERS + PARTIALS - 1 },
		{ 1000, SEEDS, LEECHERS + PARTIALS }, /* a stranger, and no seed */
		{ 0, 0, LEECHERS },
		{ 50, 0, LEECHERS },
	};
	for (unsigned i = 0; i < 4; i++) {
		struct swarm_asker asker = asker_of(rows[i].who);
		asker.seeding &= rows[i].who < PEOPLE;
		const struct swarm_bucket b = bucket_at(&v, &asker, PLACE);
		assert_int_equal(b.seeds, rows[i].seeds);
		assert_int_equal(b.others, rows[i].others);
	}
	/* Alone in a bucket: there is no such bucket. */
	(void)put(&v,
	          (struct swarm_peer){ .identity = 77,
	                               .addr = address(9),
	                               .port = 1,
	                               .role = SWARM_LEECHER,
	                               .place = 6,
	                               .expires = 9 },
	          false);
	struct swarm_bucket b[4];
	uint64_t seed = 1;
	const struct swarm_asker alone = {
		.identity = 77, .addr = address(9), .port = 1, .family = IP_V4
	};
	assert_int_equal(swarm_buckets(&v, &alone, b, 4, &seed), 1);
	assert_int_equal(b[0].place, PLACE);
	swarm_leave(&v);
	swarm_store_free(s);
}

static void keeps_the_families_apart(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < 40; i++) {
		struct swarm_peer p = peer_of(i, SWARM_LEECHER);
		if (i % 4 == 0)
			p.addr = address(1ULL << 32 | i);
		(void)put(&v, p, false);
	}
	struct swarm_asker asker = asker_of(20); /* IPv6 itself */
	asker.addr = address(1ULL << 32 | 20);
	asker.seeding = false;
	struct swarm_endpoint out[50];
	uint64_t seed = 1;
	uint32_t handle = bucket_at(&v, &asker, 1).handle;
	assert_int_equal(swarm_draw(&v, &asker, handle, 50, false, &seed, out), 30);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(out[i].addr.family, IP_V4);
	asker.family = IP_V6;
	handle = bucket_at(&v, &asker, 1).handle;
	assert_int_equal(swarm_draw(&v, &asker, handle, 50, false, &seed, out), 9);
	for (unsigned i = 0; i < 9; i++) {
		const struct ip_addr want = address(1ULL << 32 | out[i].addr.bytes[3]);
		assert_true(ip_equal(&out[i].addr, &want));
	}
	swarm_leave(&v);
	swarm_store_free(s);
}

static void shows_every_bucket_in_turn_when_there_is_little_room(void **state)
{
	(void)state;
	enum { N = 100, ROUNDS = 20000 };
	struct swarm_store *s = store_of(1, 2, N);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < N; i++) {
		struct swarm_peer p = peer_of(i, SWARM_LEECHER);
		p.place = i;
		(void)put(&v, p, false);
	}
	const struct swarm_asker asker = { .identity = 5000, .family = IP_V4 };
	double hits[N] = { 0 };
	uint64_t seed = 2;
	struct swarm_bucket b[10];
	for (unsigned r = 0; r < ROUNDS; r++) {
		assert_int_equal(swarm_buckets(&v, &asker, b, 10, &seed), 10);
		for (unsigned i = 0; i < 10; i++)
			hits[b[i].place]++;
	}
	for (unsigned i = 0; i < N; i++)
		assert_true(hits[i] > ROUNDS / 10 - 5 * 43 && hits[i] < ROUNDS / 10 + 5 * 43);
	swarm_leave(&v);
	swarm_store_free(s);
}

static void gives_large_lists_whole(void **state)
{
	(void)state;
	enum { N = 3000 };
	static struct swarm_endpoint out[N];
	struct swarm_store *s = store_of(1, 2, N);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < N; i++)
		(void)put(&v, peer_of(i, SWARM_SEED), false);
	const struct swarm_asker asker = { .identity = N + 1, .family = IP_V4, .compact = true };
	const uint32_t handle = bucket_at(&v, &asker, 1).handle;
	uint64_t seed = 1;
	static bool seen[N];
	assert_int_equal(swarm_draw(&v, &asker, handle, N, false, &seed, out), SWARM_DRAW_MAX);
	for (unsigned i = 0; i < SWARM_DRAW_MAX; i++) {
		const uint32_t who = ip_v4_number(&out[i].addr) - 0x0a000000;
		assert_false(seen[who]);
		seen[who] = true;
	}
	assert_int_equal(swarm_draw(&v, &asker, handle, 0, false, &seed, out), 0);
	swarm_leave(&v);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_candidate_is_equally_likely),
	cmocka_unit_test(every_pair_is_equally_likely),
	cmocka_unit_test(never_draws_a_ghost_and_favours_nobody_for_it),
	cmocka_unit_test(never_draws_port_zero),
	cmocka_unit_test(subtracts_the_asker_from_its_bucket),
	cmocka_unit_test(keeps_the_families_apart),
	cmocka_unit_test(shows_every_bucket_in_turn_when_there_is_little_room),
	cmocka_unit_test(gives_large_lists_whole),
};

RUN_TESTS(tests)
