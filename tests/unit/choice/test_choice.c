/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/choice/choice.h"

#include <string.h>

/*
 * Two PIDs of one provider and one of another; as many leechers in each as a test wants, with numbers
 * for addresses. The asker is the first of the first PID. tests/unit/tracker/test_choose.c has the
 * distributions, through the tracker.
 */

enum { EAST, WEST, AWAY, PIDS, WANT = 20, ROUNDS = 200 };

static const struct steer_rules native = { .policy = STEER_NATIVE };
static const struct steer_rules p4p = { .policy = STEER_P4P,
	                                .intra_pid_percent = 70,
	                                .intra_provider_percent = 80,
	                                .overload_percent = 150 };

struct room {
	struct map_snapshot *map;
	struct swarm_store *store;
	struct swarm_visit visit;
	uint32_t places[PIDS];
	struct choice choice;
	uint64_t seed;
};

static struct map_snapshot *compile(enum map_uploads away)
{
	static uint32_t a_asns[] = { 64500 }, b_asns[] = { 64501 };
	struct ip_prefix prefix[PIDS];
	struct map_snapshot *map;
	assert_int_equal(ip_prefix_parse("10.1.0.0/16", &prefix[EAST]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.2.0.0/16", &prefix[WEST]), ERR_OK);
	assert_int_equal(ip_prefix_parse("10.3.0.0/16", &prefix[AWAY]), ERR_OK);
	struct map_pid a_pids[] = {
		{ .name = "east", .prefixes = &prefix[EAST], .n_prefixes = 1 },
		{ .name = "west", .prefixes = &prefix[WEST], .n_prefixes = 1 }
	};
	struct map_pid b_pids[] = {
		{ .name = "away", .prefixes = &prefix[AWAY], .n_prefixes = 1, .uploads = away }
	};
	const struct map_topology a = {
		.provider = "isp-a", .asns = a_asns, .n_asns = 1, .pids = a_pids, .n_pids = 2
	};
	const struct map_topology b = {
		.provider = "isp-b", .asns = b_asns, .n_asns = 1, .pids = b_pids, .n_pids = 1
	};
	const struct map_source sources[] = { { &a, NULL }, { &b, NULL } };
	assert_int_equal(map_compile(sources, 2, &map, NULL), ERR_OK);
	return map;
}

static struct swarm_client client(const struct room *r, unsigned pid, uint32_t n)
{
	return (struct swarm_client){ .identity = random_mix(pid * 100000 + n + 1),
		                      .addr = ip_v4(0x0a010000 + pid * 0x10000 + n),
		                      .port = 6881,
		                      .place = r->places[pid] };
}

static struct room *room_new(enum map_uploads away, const uint32_t crowd[static PIDS])
{
	static const uint8_t hash[INFO_HASH_SIZE] = { 1 };
	struct room *r = calloc(1, sizeof(*r));
	assert_non_null(r);
	r->map = compile(away);
	r->store = swarm_store_new(&(struct swarm_options){
		.shards = 1, .max_swarms = 1, .max_peers = 10000, .secret = 1 });
	assert_non_null(r->store);
	r->places[EAST] = snapshot_place_find(r->map, "pid:isp-a/east");
	r->places[WEST] = snapshot_place_find(r->map, "pid:isp-a/west");
	r->places[AWAY] = snapshot_place_find(r->map, "pid:isp-b/away");
	assert_int_equal(swarm_enter(r->store, hash, true, &r->visit), ERR_OK);
	for (unsigned pid = 0; pid < PIDS; pid++)
		for (uint32_t i = 0; i < crowd[pid]; i++) {
			struct swarm_change change;
			const struct swarm_peer peer = { .client = client(r, pid, i),
				                         .role = SWARM_LEECHER,
				                         .expires = 1000 };
			assert_int_equal(swarm_put(&r->visit, &peer, false, &change), ERR_OK);
		}
	return r;
}

static void room_free(struct room *r)
{
	swarm_leave(&r->visit);
	swarm_store_free(r->store);
	snapshot_free(r->map);
	free(r);
}

static bool is_there(const struct room *r, const struct swarm_endpoint *e)
{
	for (size_t i = 0; i < r->choice.n; i++) {
		struct swarm_endpoint other;
		swarm_endpoint(&r->visit, &r->choice.list[i], false, &other);
		if (ip_equal(&other.addr, &e->addr))
			return true;
	}
	return false;
}

/* Asks, checks what holds of every list, and counts it by PID. */
static void ask(struct room *r, const struct steer_rules *rules, size_t want,
                uint32_t got[static PIDS])
{
	const struct swarm_asker who = { .client = client(r, EAST, 0), .family = IP_V4 };
	const struct choice_asker asker = { .map = r->map,
		                            .rules = rules,
		                            .who = &who,
		                            .place = r->places[EAST],
		                            .mapped = true,
		                            .steered = rules->policy != STEER_NATIVE,
		                            .noted = true };
	uint32_t sum = 0;
	memset(got, 0, PIDS * sizeof(*got));
	const size_t n = choice_make(&r->choice, &r->visit, &asker, want, &r->seed);
	assert_int_equal(n, r->choice.n);
	assert_true(n <= want);
	for (r->choice.n = 0; r->choice.n < n; r->choice.n++) {
		struct swarm_endpoint e;
		swarm_endpoint(&r->visit, &r->choice.list[r->choice.n], false, &e);
		assert_false(is_there(r, &e));
		assert_false(ip_equal(&e.addr, &who.client.addr));
		got[(ip_v4_number(&e.addr) >> 16) - 0x0a01]++;
	}
	for (size_t i = 0; i < r->choice.n_handed; i++) {
		const struct choice_handed *h = &r->choice.handed[i];
		for (unsigned pid = 0; pid < PIDS; pid++)
			if (h->place == r->places[pid])
				assert_int_equal(h->count, got[pid]);
		assert_true(h->candidates >= h->count);
		sum += h->count;
	}
	assert_int_equal(sum, n);
}

static void a_list_with_room_for_all_has_all(void **state)
{
	(void)state;
	uint32_t got[PIDS];
	struct room *r = room_new(UPLOADS_NORMAL, (const uint32_t[PIDS]){ 6, 5, 4 });
	ask(r, &native, WANT, got);
	assert_int_equal(got[EAST], 5);
	assert_int_equal(got[WEST], 5);
	assert_int_equal(got[AWAY], 4);
	ask(r, &p4p, WANT, got);
	assert_int_equal(got[EAST] + got[WEST] + got[AWAY], 14);
	room_free(r);
}

static void shares_are_those_of_the_policy(void **state)
{
	(void)state;
	static const uint32_t crowds[][PIDS] = { { 15, 10, 10 },
		                                 { 400, 300, 200 } }; /* whole, pool */
	for (size_t i = 0; i < 2; i++) {
		struct room *r = room_new(UPLOADS_NORMAL, crowds[i]);
		for (unsigned round = 0; round < ROUNDS; round++) {
			uint32_t got[PIDS];
			ask(r, &p4p, WANT, got);
			assert_int_equal(got[EAST], 14); /* 70 % */
			assert_int_equal(got[WEST], 2);  /* and 80 % with these */
			assert_int_equal(got[AWAY], 4);
		}
		room_free(r);
	}
}

/* 4 of 10 in AWAY, of whom all are looked at: then each pair comes in 2 of 15 lists. */
static void every_pair_of_a_place_is_equally_likely(void **state)
{
	(void)state;
	enum { MANY = 6000, THERE = 10, MEAN = MANY * 2 / 15, FIVE_DEVIATIONS = 132 };
	unsigned pairs[THERE][THERE] = { 0 };
	struct room *r = room_new(UPLOADS_NORMAL, (const uint32_t[PIDS]){ 15, THERE, THERE });
	for (unsigned round = 0; round < MANY; round++) {
		uint32_t got[PIDS], here[THERE], n = 0;
		ask(r, &p4p, WANT, got);
		for (size_t i = 0; i < r->choice.n; i++) {
			struct swarm_endpoint e;
			swarm_endpoint(&r->visit, &r->choice.list[i], false, &e);
			if (r->choice.list[i].place == r->places[AWAY])
				here[n++] = ip_v4_number(&e.addr) & 0xffff;
		}
		assert_int_equal(n, 4);
		for (unsigned i = 0; i < n * n; i++)
			pairs[here[i / n]][here[i % n]]++;
	}
	for (unsigned i = 0; i < THERE; i++)
		for (unsigned k = 0; k < i; k++)
			assert_in_range(pairs[i][k], MEAN - FIVE_DEVIATIONS,
			                MEAN + FIVE_DEVIATIONS);
	room_free(r);
}

static void without_a_policy_all_are_equally_likely(void **state)
{
	(void)state;
	uint32_t sum[PIDS] = { 0 };
	struct room *r = room_new(UPLOADS_NORMAL, (const uint32_t[PIDS]){ 401, 300, 300 });
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t got[PIDS];
		ask(r, &native, WANT, got);
		assert_int_equal(got[EAST] + got[WEST] + got[AWAY], WANT);
		for (unsigned pid = 0; pid < PIDS; pid++)
			sum[pid] += got[pid];
	}
	assert_in_range(sum[EAST], 1440, 1760); /* 1600, and five deviations */
	assert_in_range(sum[WEST], 1050, 1350);
	room_free(r);
}

static void who_shall_not_upload_is_not_in_a_list(void **state)
{
	(void)state;
	static const uint32_t crowds[][PIDS] = { { 15, 10, 10 }, { 400, 300, 200 } };
	for (size_t i = 0; i < 2; i++) {
		struct room *r = room_new(UPLOADS_NEVER, crowds[i]);
		uint32_t got[PIDS];
		ask(r, &native, WANT, got);
		assert_int_equal(got[AWAY], 0);
		assert_int_equal(got[EAST] + got[WEST], WANT);
		ask(r, &p4p, WANT, got);
		assert_int_equal(got[AWAY], 0);
		assert_int_equal(got[EAST] + got[WEST], WANT);
		room_free(r);
	}
}

static void what_nobody_reads_is_not_noted(void **state)
{
	(void)state;
	struct room *r = room_new(UPLOADS_NORMAL, (const uint32_t[PIDS]){ 40, 30, 20 });
	const struct swarm_asker who = { .client = client(r, EAST, 0), .family = IP_V4 };
	const struct choice_asker asker = { .map = r->map,
		                            .rules = &p4p,
		                            .who = &who,
		                            .place = r->places[EAST],
		                            .mapped = true,
		                            .steered = true };
	assert_int_equal(choice_make(&r->choice, &r->visit, &asker, WANT, &r->seed), WANT);
	assert_int_equal(r->choice.n_handed, 0);
	room_free(r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_list_with_room_for_all_has_all),
	cmocka_unit_test(shares_are_those_of_the_policy),
	cmocka_unit_test(every_pair_of_a_place_is_equally_likely),
	cmocka_unit_test(without_a_policy_all_are_equally_likely),
	cmocka_unit_test(who_shall_not_upload_is_not_in_a_list),
	cmocka_unit_test(what_nobody_reads_is_not_noted),
};

RUN_TESTS(tests)
