/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"
#include "tests/unit/swarm/walk.h"

#include "common/base/random.h"

static void counts_each_role(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 10, 10);
	struct swarm_visit v = enter(s, 1, true);
	assert_true(put(&v, peer_of(1, SWARM_SEED), false).joined);
	assert_true(put(&v, peer_of(2, SWARM_LEECHER), false).joined);
	assert_true(put(&v, peer_of(3, SWARM_PARTIAL), false).joined);
	assert_false(put(&v, peer_of(3, SWARM_PARTIAL), false).joined);
	struct swarm_peer unreachable = peer_of(4, SWARM_LEECHER);
	unreachable.client.port = 0;
	assert_true(put(&v, unreachable, false).joined);
	struct swarm_counts c = swarm_counts(&v);
	assert_int_equal(c.complete, 1);
	assert_int_equal(c.incomplete, 3);
	assert_int_equal(c.downloaders, 2);
	assert_int_equal(c.downloaded, 0);
	assert_true(swarm_remove(&v, &unreachable.client, NULL));
	assert_false(swarm_remove(&v, &unreachable.client, NULL));
	assert_int_equal(swarm_counts(&v).downloaders, 1);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void knows_nothing_of_a_swarm_nobody_made(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(4, 10, 10);
	struct swarm_visit v = enter(s, 1, false);
	uint64_t seed = 1;
	struct swarm_candidate out[1];
	const struct swarm_asker asker = { .family = IP_V4 };
	assert_null(v.swarm);
	assert_int_equal(swarm_counts(&v).incomplete, 0);
	assert_int_equal(swarm_map_number(&v), 0);
	assert_false(remove_number(&v, 1));
	assert_int_equal(swarm_relocate(&v, 1, NULL, NULL), ERR_OK);
	assert_int_equal(candidates(&v, &asker), 0);
	assert_int_equal(draw_all(&v, &asker, 1, &seed, out), 0);
	swarm_leave(&v);
	assert_int_equal(swarm_totals(s).swarms, 0);
	swarm_store_free(s);
	swarm_store_free(NULL);
}

static void counts_a_snatch_once_per_peer(void **state)
{
	(void)state;
	const enum swarm_role L = SWARM_LEECHER, S = SWARM_SEED, P = SWARM_PARTIAL;
	const struct {
		enum swarm_role role[4];
		bool completed[4];
		bool counted[4];
	} rows[] = {
		{ { L, S, S, S }, { 0, 1, 1, 0 }, { 0, 1, 0, 0 } }, /* the ordinary life */
		{ { L, S, L, S }, { 0, 0, 0, 1 }, { 0, 1, 0, 0 } }, /* lost event; checks again */
		{ { S, S, S, S }, { 0, 1, 1, 0 }, { 0, 0, 0, 0 } }, /* was complete when it came */
		{ { S, S, L, S }, { 1, 1, 0, 0 }, { 1, 0, 0, 0 } }, /* we had not seen it leech */
		{ { L, P, S, S }, { 0, 0, 1, 0 }, { 0, 0, 1, 0 } }, /* fetched the rest later */
		{ { L, P, P, P }, { 0, 0, 1, 1 }, { 0, 0, 0, 0 } }, /* never has it all */
		{ { S, L, L, S }, { 0, 0, 1, 1 }, { 0, 0, 1, 0 } },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct swarm_store *s = store_of(1, 10, 10);
		struct swarm_visit v = enter(s, 1, true);
		unsigned snatches = 0;
		for (unsigned i = 0; i < 4; i++) {
			struct swarm_peer p = peer_of(7, rows[r].role[i]);
			p.client.place = i % 2; /* what is remembered moves along */
			const struct swarm_change c = put(&v, p, rows[r].completed[i]);
			assert_int_equal(c.completed, rows[r].counted[i]);
			snatches += rows[r].counted[i];
			assert_int_equal(swarm_counts(&v).downloaded, snatches);
		}
		swarm_leave(&v);
		swarm_store_free(s);
	}
}

static void forgets_empty_swarms_but_not_snatches(void **state)
{
	(void)state;
	enum { DAY = 24 * 60 * 60 };
	struct swarm_store *s = store_of(1, 2, 10);
	struct swarm_visit v = enter(s, 1, true);
	(void)put(&v, peer_of(1, SWARM_LEECHER), false);
	assert_true(remove_number(&v, 1));
	swarm_leave(&v);
	assert_int_equal(swarm_totals(s).swarms, 0);

	v = enter(s, 1, true);
	(void)put(&v, peer_of(1, SWARM_SEED), true);
	assert_true(remove_number(&v, 1));
	swarm_leave(&v);
	assert_int_equal(swarm_totals(s).swarms, 1);
	assert_int_equal(sweep(s, 5000), 0);
	assert_int_equal(sweep(s, 5000 + DAY), 0);
	v = enter(s, 1, false);
	assert_int_equal(swarm_counts(&v).downloaded, 1);
	swarm_leave(&v);
	assert_int_equal(sweep(s, 5001 + DAY), 0);
	assert_int_equal(swarm_totals(s).swarms, 0);
	swarm_store_free(s);
}

static void starts_the_day_anew_when_somebody_comes(void **state)
{
	(void)state;
	enum { DAY = 24 * 60 * 60 };
	struct swarm_store *s = store_of(1, 2, 10);
	struct swarm_visit v = enter(s, 1, true);
	(void)put(&v, peer_of(1, SWARM_SEED), true);
	assert_true(remove_number(&v, 1));
	swarm_leave(&v);
	assert_int_equal(sweep(s, 5000), 0);
	v = enter(s, 1, true);
	(void)put(&v, peer_of(2, SWARM_SEED), false);
	assert_true(remove_number(&v, 2));
	swarm_leave(&v);
	assert_int_equal(sweep(s, 5001 + DAY), 0);
	assert_int_equal(swarm_totals(s).swarms, 1);
	swarm_store_free(s);
}

static void finds_every_swarm_while_others_come_and_go(void **state)
{
	(void)state;
	enum { N = 600 };
	struct swarm_store *s = store_of(1, N, N);
	bool here[N] = { 0 };
	uint64_t seed = 6;
	for (unsigned step = 0; step < 20000; step++) {
		const uint32_t w = random_below(&seed, N);
		struct swarm_visit v = enter(s, w, true);
		assert_int_equal(swarm_counts(&v).complete, here[w]);
		here[w] = !here[w];
		if (here[w])
			(void)put(&v, peer_of(w, SWARM_SEED), false);
		else
			assert_true(remove_number(&v, w));
		swarm_leave(&v);
		if (step % 200 == 0)
			walk(s);
	}
	swarm_store_free(s);
}

static void expires_in_the_second_after(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 10, 100);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < 50; i++) {
		struct swarm_peer p = peer_of(i, i % 2 ? SWARM_LEECHER : SWARM_PARTIAL);
		p.expires = 100 + i;
		p.client.place = i % 5;
		(void)put(&v, p, false);
	}
	swarm_leave(&v);
	assert_int_equal(sweep(s, 100), 0);
	assert_int_equal(sweep(s, 101), 1);
	walk(s);
	v = enter(s, 1, false);
	struct swarm_peer again = peer_of(1, SWARM_LEECHER);
	again.client.place = 1;
	again.expires = 200;
	assert_false(put(&v, again, false).joined);
	swarm_leave(&v);
	assert_int_equal(sweep(s, 150), 48);
	walk(s);
	assert_int_equal(swarm_totals(s).leechers, 1);
	assert_int_equal(sweep(s, 201), 1);
	assert_int_equal(swarm_totals(s).swarms, 0);
	walk(s);
	swarm_store_free(s);
}

static uint32_t place_by_last_byte(void *ctx, const struct ip_addr *addr)
{
	++*(unsigned *)ctx;
	return addr->bytes[3] % 3;
}

static void relocates_by_address(void **state)
{
	(void)state;
	enum { N = 300 };
	struct swarm_store *s = store_of(1, 10, N);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < N; i++)
		(void)put(&v, peer_of(i, i % 3), i % 2);
	assert_int_equal(swarm_map_number(&v), 0);
	const struct swarm_counts before = swarm_counts(&v);
	unsigned asked = 0;
	do {
		assert_int_equal(swarm_relocate(&v, 7, place_by_last_byte, &asked), ERR_OK);
	} while (v.swarm->moving);
	assert_int_equal(asked, N);
	assert_int_equal(swarm_map_number(&v), 7);
	const struct swarm_counts after = swarm_counts(&v);
	assert_memory_equal(&before, &after, sizeof(before));

	uint32_t expected[3] = { 0 };
	for (uint32_t i = 0; i < N; i++)
		expected[i % 256 % 3] += i != 1;
	const struct swarm_asker asker = { .client = client_of(1), .family = IP_V4 };
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(candidates_in(&v, asker, i), expected[i]);
	/* What was counted stays counted. */
	assert_false(put(&v, peer_of(1, SWARM_SEED), true).completed);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void knows_a_keyed_client_wherever_it_is(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 3000);
	struct swarm_visit v = enter(s, 1, true);
	struct swarm_peer p = peer_of(7, SWARM_LEECHER);
	assert_true(put(&v, p, false).joined);
	p.client.addr = address(99);
	p.client.port = 4;
	assert_false(put(&v, p, false).joined); /* another address */
	p.client.place = 9;
	struct swarm_change change = put(&v, p, false); /* another place */
	assert_false(change.joined);
	assert_int_equal(change.from, peer_of(7, SWARM_LEECHER).client.place);
	assert_int_equal(put(&v, p, false).from, 9);
	p.role = SWARM_SEED;
	p.client.port = 0;
	assert_int_equal(put(&v, p, false).from, 9); /* hidden, in no place */
	change = put(&v, p, false);
	assert_false(change.joined);
	assert_int_equal(change.from, 9);
	assert_int_equal(swarm_counts(&v).complete, 1);
	assert_int_equal(swarm_counts(&v).incomplete, 0);
	p.client.port = 4;
	for (uint32_t i = 0; i < SWARM_SEARCH_MAX; i++)
		(void)put(&v, peer_of(1000 + i, SWARM_LEECHER), false);
	assert_false(put(&v, p, false).joined);
	p.client.place = 10; /* too many to be looked through */
	assert_true(put(&v, p, false).joined);
	assert_int_equal(swarm_counts(&v).complete, 2);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void knows_a_client_without_key_by_its_address(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 3000);
	struct swarm_visit v = enter(s, 1, true);
	struct swarm_peer p = peer_of(7, SWARM_LEECHER);
	p.client.keyed = false;
	assert_true(put(&v, p, false).joined);
	assert_false(put(&v, p, false).joined);
	struct swarm_peer twin = p; /* whose tag happens to be the same */
	twin.client.addr = address(99);
	assert_true(put(&v, twin, false).joined);
	assert_false(put(&v, twin, false).joined);
	p.role = SWARM_SEED;
	assert_false(put(&v, p, false).joined);
	assert_int_equal(swarm_counts(&v).complete, 1);
	assert_true(swarm_remove(&v, &p.client, NULL));
	assert_false(swarm_remove(&v, &p.client, NULL));
	assert_true(swarm_remove(&v, &twin.client, NULL));
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void drops_who_was_where_a_newcomer_is(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 3000);
	struct swarm_visit v = enter(s, 1, true);
	const struct swarm_peer was = peer_of(7, SWARM_LEECHER);
	struct swarm_peer p = was;
	assert_true(put(&v, p, false).joined);
	p.client.identity ^= UINT64_C(1) << 63;
	p.client.place = 9;
	p.role = SWARM_SEED;
	assert_true(put(&v, p, false).joined);
	assert_int_equal(swarm_counts(&v).complete, 1);
	assert_int_equal(swarm_counts(&v).incomplete, 0);
	assert_false(swarm_remove(&v, &was.client, NULL));
	p.client.keyed = false;
	p.client.identity ^= UINT64_C(1) << 62;
	assert_true(put(&v, p, false).joined); /* without a key at all */
	assert_int_equal(swarm_counts(&v).complete, 1);
	p.client.identity ^= UINT64_C(1) << 61;
	p.client.port++;
	assert_true(put(&v, p, false).joined); /* somebody else behind the same address */
	assert_int_equal(swarm_counts(&v).complete, 2);
	for (unsigned i = 0; i < 2; i++) { /* whose port is not known may be two */
		p.client.identity ^= UINT64_C(1) << (60 - i);
		p.client.port = 0;
		assert_true(put(&v, p, false).joined);
		assert_int_equal(swarm_counts(&v).complete, 3 + i);
	}
	for (uint32_t i = 0; i < SWARM_SEARCH_MAX; i++)
		(void)put(&v, peer_of(1000 + i, SWARM_LEECHER), false);
	p = peer_of(1000, SWARM_LEECHER);
	p.client.identity ^= UINT64_C(1) << 63;
	assert_true(put(&v, p, false).joined); /* too many to be looked through */
	assert_int_equal(swarm_counts(&v).incomplete, SWARM_SEARCH_MAX + 1);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

/* A client that moved to where another was, or got its port mapped there. */
static void drops_who_was_where_a_client_moves(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 3000);
	struct swarm_visit v = enter(s, 1, true);
	struct swarm_peer others[8];
	for (uint32_t i = 0; i < 8; i++) {
		others[i] = peer_of(100 + i, i % 3);
		assert_true(put(&v, others[i], false).joined);
	}
	struct swarm_peer p = peer_of(7, SWARM_LEECHER);
	p.client.port = 0;
	assert_true(put(&v, p, false).joined);
	for (uint32_t i = 0; i < 8; i++) {
		p.client.addr = others[i].client.addr;
		p.client.port = others[i].client.port;
		p.role = (p.role + 1) % 3;
		assert_false(put(&v, p, false).joined);
		const struct swarm_counts c = swarm_counts(&v);
		assert_int_equal(c.complete + c.incomplete, 8 - i);
		assert_false(swarm_remove(&v, &others[i].client, NULL));
	}
	assert_true(swarm_remove(&v, &p.client, NULL));
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

/* The other family of a client is another peer. */
static void keeps_both_families_of_a_client(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 10);
	struct swarm_visit v = enter(s, 1, true);
	struct swarm_peer p = peer_of(7, SWARM_SEED);
	assert_true(put(&v, p, false).joined);
	p.client.addr = address(1ULL << 32 | 5);
	assert_true(put(&v, p, false).joined);
	assert_int_equal(swarm_counts(&v).complete, 2);
	swarm_leave(&v);
	walk(s);
	const struct swarm_totals t = swarm_totals(s);
	assert_true(t.peers_v4 == 1 && t.peers_v6 == 1);
	swarm_store_free(s);
}

static void says_how_long_a_peer_was_silent(void **state)
{
	(void)state;
	static const struct {
		uint32_t expires, silent;
	} rows[] = { { 65000, 0 },
		     { 65030, 30 },
		     { 65030, 0 },
		     { 66000, 970 }, /* the stamp has wrapped */
		     { 65990, 0 } /* a shorter timeout is no time travel */ };
	struct swarm_store *s = store_of(1, 2, 10);
	struct swarm_visit v = enter(s, 1, true);
	struct swarm_peer p = peer_of(7, SWARM_LEECHER);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		p.expires = rows[i].expires;
		assert_int_equal(put(&v, p, false).silent, rows[i].silent);
	}
	swarm_leave(&v);
	swarm_store_free(s);
}

/* Who starts again has a new peer id: without a key the same client, with one another. */
static void takes_a_new_peer_id_only_without_a_key(void **state)
{
	(void)state;
	static const uint8_t ids[][PEER_ID_SIZE] = { "first", "second" };
	for (unsigned keyed = 0; keyed < 2; keyed++) {
		struct swarm_store *s = store_of(1, 2, 10);
		struct swarm_visit v = enter(s, 1, true);
		struct swarm_peer p = peer_of(7, SWARM_LEECHER);
		p.client.keyed = keyed;
		for (unsigned i = 0; i < 2; i++) {
			p.peer_id = ids[i];
			(void)put(&v, p, false);
		}
		const struct swarm_asker asker = { .client = client_of(5000), .family = IP_V4 };
		struct swarm_candidate out[1];
		struct swarm_endpoint e;
		uint64_t seed = 1;
		assert_int_equal(draw_all(&v, &asker, 1, &seed, out), 1);
		swarm_endpoint(&v, &out[0], true, &e);
		assert_true(e.has_peer_id);
		assert_memory_equal(e.peer_id, ids[!keyed], PEER_ID_SIZE);
		swarm_leave(&v);
		walk(s);
		swarm_store_free(s);
	}
}

static void keeps_peer_ids_of_those_who_brought_one(void **state)
{
	(void)state;
	enum { N = 300 };
	static const uint8_t other[PEER_ID_SIZE] = { 'x' };
	struct swarm_store *s = store_of(1, 2, N);
	struct swarm_visit v = enter(s, 1, true);
	for (unsigned round = 0; round < 3; round++)
		for (uint32_t i = 0; i < N; i++) {
			uint8_t id[PEER_ID_SIZE] = { (uint8_t)i, (uint8_t)(i >> 8) };
			struct swarm_peer p = peer_of(i, round == 1 ? SWARM_SEED : SWARM_LEECHER);
			p.client.addr = address(i + (round == 2 ? 1000 : 0));
			p.peer_id = i % 3 == 0 ? id : i % 3 == 1 ? other : NULL;
			(void)put(&v, p, false);
		}
	const struct swarm_asker asker = { .client = client_of(5000), .family = IP_V4 };
	static struct swarm_candidate out[N];
	uint64_t seed = 1;
	assert_int_equal(draw_all(&v, &asker, N, &seed, out), N);
	for (unsigned k = 0; k < N; k++) {
		struct swarm_endpoint e;
		swarm_endpoint(&v, &out[k], true, &e);
		const uint32_t i = ip_v4_number(&e.addr) - 1000;
		const uint8_t id[PEER_ID_SIZE] = { (uint8_t)i, (uint8_t)(i >> 8) };
		assert_int_equal(e.has_peer_id, i % 3 != 2);
		if (e.has_peer_id)
			assert_memory_equal(e.peer_id, i % 3 == 0 ? id : other, PEER_ID_SIZE);
	}
	swarm_leave(&v);
	walk(s);
	assert_int_equal(sweep(s, 1001), N);
	assert_int_equal(s->shards[0].ids.used, 0);
	assert_null(s->shards[0].ids.slots);
	walk(s);
	swarm_store_free(s);
}

/* Pointless but for speed; this is that it may be called at any time. */
static void prefetches_what_is_there_and_what_is_not(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(2, 10, 10);
	for (uint32_t w = 0; w < 4; w++) {
		uint8_t hash[INFO_HASH_SIZE];
		hash_of_number(w, hash);
		struct swarm_visit v = enter(s, w % 2, true);
		(void)put(&v, peer_of(1, SWARM_SEED), false);
		for (unsigned stage = 0; stage < SWARM_PREFETCH_STAGES; stage++)
			swarm_prefetch(s, hash, stage);
		swarm_leave(&v);
		for (unsigned stage = 0; stage < SWARM_PREFETCH_STAGES; stage++)
			swarm_prefetch(s, hash, stage);
	}
	walk(s);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(counts_each_role),
	cmocka_unit_test(knows_nothing_of_a_swarm_nobody_made),
	cmocka_unit_test(counts_a_snatch_once_per_peer),
	cmocka_unit_test(forgets_empty_swarms_but_not_snatches),
	cmocka_unit_test(starts_the_day_anew_when_somebody_comes),
	cmocka_unit_test(finds_every_swarm_while_others_come_and_go),
	cmocka_unit_test(expires_in_the_second_after),
	cmocka_unit_test(relocates_by_address),
	cmocka_unit_test(knows_a_keyed_client_wherever_it_is),
	cmocka_unit_test(knows_a_client_without_key_by_its_address),
	cmocka_unit_test(drops_who_was_where_a_newcomer_is),
	cmocka_unit_test(drops_who_was_where_a_client_moves),
	cmocka_unit_test(keeps_both_families_of_a_client),
	cmocka_unit_test(says_how_long_a_peer_was_silent),
	cmocka_unit_test(takes_a_new_peer_id_only_without_a_key),
	cmocka_unit_test(keeps_peer_ids_of_those_who_brought_one),
	cmocka_unit_test(prefetches_what_is_there_and_what_is_not),
};

RUN_TESTS(tests)
