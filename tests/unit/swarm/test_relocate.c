/* SPDX-License-Identifier: Apache-2.0 */

/* A new map under a swarm that is too large to be moved at once. */

#include "tests/unit/swarm/people.h"
#include "tests/unit/swarm/walk.h"

#include "common/base/random.h"

enum { N = 3000, FEW = SWARM_OLD_SEARCH_MAX, PLACES = 7 };

/* What the map says, and how often it was asked. */
struct map {
	uint32_t factor;
	unsigned asked;
};

static uint32_t place_of(void *ctx, const struct ip_addr *addr)
{
	struct map *map = ctx;
	map->asked++;
	return (addr->bytes[3] | (uint32_t)addr->bytes[2] << 8) * map->factor % PLACES;
}

static struct swarm_peer person(const struct map *map, uint32_t n)
{
	struct swarm_peer p = peer_of(n, n % 3);
	struct map copy = *map;
	p.client.keyed = n % 2;
	if (n % 5 == 0)
		p.client.addr = address(1ULL << 32 | n);
	if (n % 11 == 0)
		p.client.port = 0;
	p.client.place = place_of(&copy, &p.client.addr);
	return p;
}

static struct swarm_visit filled(struct swarm_store *s, const struct map *map, uint32_t n)
{
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < n; i++)
		(void)put(&v, person(map, i), i % 4 == 0);
	return v;
}

static enum err go_on(struct swarm_visit *v, struct map *map)
{
	return swarm_relocate(v, map->factor, place_of, map);
}

static void finish(struct swarm_visit *v, struct map *map)
{
	while (v->swarm->moving) {
		assert_int_equal(go_on(v, map), ERR_OK);
	}
}

/* All of the first `n` are in the place the map says. */
static void check_places(const struct swarm_visit *v, const struct map *map, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct swarm_peer p = person(map, i);
		struct spot at;
		assert_true(crowd_find(v->swarm, &p.client, p.role, &at));
	}
}

static void moves_a_bounded_number_at_a_time(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, N);
	struct map old = { .factor = 1 }, new = { .factor = 2 };
	struct swarm_visit v = filled(s, &old, N);
	const struct swarm_counts before = swarm_counts(&v);
	assert_true(v.swarm->of[0].n > SWARM_OLD_SEARCH_MAX &&
	            v.swarm->of[1].n < SWARM_OLD_SEARCH_MAX);
	const unsigned samples = sequence_chunks(&v.swarm->of[0]);
	unsigned asked = samples, calls = 0;
	do {
		assert_int_equal(go_on(&v, &new), ERR_OK);
		assert_int_equal(swarm_map_number(&v), 2);
		assert_in_range(new.asked - asked, 1, calls == 0 ? SWARM_RELOCATED_AT_ONCE : 2);
		asked = new.asked;
		const struct swarm_counts now = swarm_counts(&v);
		assert_memory_equal(&before, &now, sizeof(now));
		if (calls++ % 64 == 0) {
			assert_int_equal(pthread_mutex_unlock(&s->shards[0].lock), 0);
			walk(s);
			assert_int_equal(pthread_mutex_lock(&s->shards[0].lock), 0);
		}
	} while (v.swarm->moving);
	assert_in_range(calls, (N - SWARM_RELOCATED_AT_ONCE) / 2, N / 2);
	assert_int_equal(new.asked, N + samples);
	check_places(&v, &new, N);
	assert_int_equal(s->shards[0].n_moves, 0);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void moves_a_small_swarm_at_once(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, N);
	struct map old = { .factor = 1 }, new = { .factor = 2 };
	struct swarm_visit v = filled(s, &old, SWARM_RELOCATED_AT_ONCE);
	assert_int_equal(go_on(&v, &new), ERR_OK);
	assert_false(v.swarm->moving);
	check_places(&v, &new, SWARM_RELOCATED_AT_ONCE);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

/* Who announces or stops while its record is under way is known all the same. */
static void knows_those_under_way(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, FEW);
	struct map old = { .factor = 1 }, new = { .factor = 2 };
	struct swarm_visit v = filled(s, &old, FEW);
	uint32_t here = FEW;
	for (uint32_t i = 0; i < FEW; i += 7) {
		assert_int_equal(go_on(&v, &new), ERR_OK);
		struct swarm_peer p = person(&new, i);
		if (i % 2) {
			assert_true(swarm_remove(&v, &p.client, NULL));
			assert_false(swarm_remove(&v, &p.client, NULL));
			here--;
			continue;
		}
		p.expires += 100;
		const struct swarm_change change = put(&v, p, true);
		assert_false(change.joined);
		assert_int_equal(change.silent, 100);
		/* Those counted when they came are not counted again. */
		assert_int_equal(change.completed, p.role == SWARM_LEECHER &&
		                                           (i % 4 != 0 || p.role == SWARM_PARTIAL));
	}
	finish(&v, &new);
	const struct swarm_counts c = swarm_counts(&v);
	assert_int_equal(c.complete + c.incomplete, here);
	swarm_leave(&v);
	walk(s);
	assert_int_equal(s->peers, here);
	swarm_store_free(s);
}

/* Nobody under way is drawn, everybody is in the end, and the first list is one of usual length. */
static void draws_from_those_that_have_moved(void **state)
{
	(void)state;
	static struct swarm_candidate out[SWARM_DRAW_MAX];
	struct swarm_store *s = store_of(1, 2, N);
	struct map old = { .factor = 1 }, new = { .factor = 2 };
	struct swarm_visit v = filled(s, &old, N);
	const struct swarm_asker asker = { .client = person(&new, N + 1).client, .family = IP_V4 };
	const uint32_t all = candidates(&v, &asker);
	uint64_t seed = 1;
	uint32_t before = 0;
	do {
		assert_int_equal(go_on(&v, &new), ERR_OK);
		const uint32_t n = candidates(&v, &asker);
		assert_true(n >= 32 && n >= before && n <= all);
		before = n;
		const size_t got = draw_all(&v, &asker, 32, &seed, out);
		assert_int_equal(got, 32);
		for (size_t i = 0; i < got; i++) {
			struct swarm_endpoint e;
			swarm_endpoint(&v, &out[i], false, &e);
			assert_int_equal(place_of(&new, &e.addr), out[i].place);
		}
	} while (v.swarm->moving);
	assert_int_equal(before, all);
	swarm_leave(&v);
	swarm_store_free(s);
}

/* Nobody is found by where others were. */
static void forget_places(struct swarm_store *s)
{
	for (unsigned i = 0; i < PLACES; i++)
		s->was[i] = PLACES;
}

static void know_places(struct swarm_store *s, const struct map *old, const struct map *new)
{
	for (unsigned i = 0; i < PLACES; i++)
		s->was[i * new->factor % PLACES] = i * old->factor % PLACES;
}

/* Beyond SWARM_OLD_SEARCH_MAX whoever is not found joins anew; its past goes when its turn comes, but not its
 * snatch. */
static void merges_who_was_not_looked_for(void **state)
{
	(void)state;
	enum { MANY = SWARM_OLD_SEARCH_MAX + 2 * 8 * BLOCK_MAX };
	static const uint8_t id[PEER_ID_SIZE] = { 'm', 'e' };
	struct swarm_store *s = store_of(1, 2, MANY + 10);
	struct map new = { .factor = 2 };
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < MANY; i++) {
		struct swarm_peer p = peer_of(i, SWARM_LEECHER);
		p.client.place = 3;
		p.peer_id = id;
		(void)put(&v, p, true);
	}
	assert_int_equal(go_on(&v, &new), ERR_OK);
	struct swarm_peer me;
	struct spot at;
	uint32_t n = 0;
	do { /* somebody whose turn has not come */
		me = peer_of(n++, SWARM_LEECHER);
		me.client.place = place_of(&new, &me.client.addr);
		me.peer_id = id;
	} while (crowd_find(v.swarm, &me.client, SWARM_LEECHER, &at));
	forget_places(s);
	assert_true(put(&v, me, false).joined);
	assert_int_equal(s->peers, MANY + 1);
	finish(&v, &new);
	assert_int_equal(s->peers, MANY);
	assert_int_equal(swarm_counts(&v).incomplete, MANY);
	swarm_leave(&v);
	walk(s); /* the ids are all there */
	v = enter(s, 1, false);
	me.role = SWARM_SEED;
	assert_false(put(&v, me, true).completed); /* it was counted when it came first */
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

/* The same swarm under a map that leaves its places their numbers: all are found, however many. */
static void finds_at_once_whose_place_has_its_number(void **state)
{
	(void)state;
	enum { MANY = 2 * SWARM_OLD_SEARCH_MAX };
	struct swarm_store *s = store_of(1, 2, MANY);
	struct map old = { .factor = 1 }, same = { .factor = 1 + PLACES };
	struct swarm_visit v = filled(s, &old, MANY);
	assert_int_equal(go_on(&v, &same), ERR_OK);
	for (uint32_t i = 0; i < 100; i++)
		assert_false(put(&v, person(&same, i), false).joined);
	assert_true(v.swarm->moving);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

/* A map that numbers its places anew: all are found where those were who have moved, in any swarm. */
static void finds_at_once_where_others_were(void **state)
{
	(void)state;
	enum { MANY = 3 * SWARM_OLD_SEARCH_MAX, SWARMS = 3 };
	struct swarm_store *s = store_of(1, SWARMS, SWARMS * MANY);
	struct map old = { .factor = 1 }, new = { .factor = 2 };
	struct swarm_visit v;
	for (uint32_t w = 0; w < SWARMS; w++) {
		v = enter(s, w, true);
		for (uint32_t i = 0; i < MANY; i++)
			(void)put(&v, person(&old, i), false);
		swarm_leave(&v);
	}
	for (uint32_t w = 0; w < SWARMS; w++) {
		v = enter(s, w, false);
		assert_int_equal(go_on(&v, &new), ERR_OK);
		for (uint32_t i = 0; i < MANY / 2; i++) {
			struct swarm_peer p = person(&new, i);
			p.role = i % 7 == 0 ? SWARM_SEED : p.role;
			assert_false(put(&v, p, false).joined);
		}
		assert_true(v.swarm->moving);
		swarm_leave(&v);
		walk(s);
	}
	for (uint32_t w = 0; w < SWARMS; w++) { /* the first move to end is not the last begun */
		v = enter(s, w, false);
		finish(&v, &new);
		swarm_leave(&v);
		walk(s);
	}
	assert_int_equal(s->peers, SWARMS * MANY);
	swarm_store_free(s);
}

/* Whoever changed its role before its turn came is no two peers in the end. */
static void merges_who_changed_its_role(void **state)
{
	(void)state;
	enum { MANY = 2 * SWARM_OLD_SEARCH_MAX, CHANGED = MANY / 4, BACK = 50 };
	struct swarm_store *s = store_of(1, 2, MANY + CHANGED);
	struct map maps[3] = { { .factor = 1 }, { .factor = 2 }, { .factor = 2 + PLACES } };
	for (unsigned round = 1; round < 3; round++) { /* places numbered anew, and as before */
		struct swarm_visit v = filled(s, &maps[round - 1], MANY);
		for (uint32_t i = 0; i < MANY; i++) {
			struct swarm_peer p = person(&maps[round - 1], i);
			p.role = SWARM_LEECHER;
			p.client.keyed = true;
			(void)put(&v, p, false);
		}
		assert_int_equal(go_on(&v, &maps[round]), ERR_OK);
		for (uint32_t i = 0; i < CHANGED; i++) {
			struct swarm_peer p = person(&maps[round], i);
			p.role = SWARM_SEED;
			p.client.keyed = true;
			forget_places(s);
			(void)put(&v, p, false);
			if (i >= BACK)
				continue;
			p.role = SWARM_LEECHER; /* as its old record says, which can be found now */
			know_places(s, &maps[round - 1], &maps[round]);
			assert_false(put(&v, p, false).joined);
		}
		finish(&v, &maps[round]);
		assert_int_equal(swarm_counts(&v).complete, CHANGED - BACK);
		assert_int_equal(swarm_counts(&v).incomplete, MANY - CHANGED + BACK);
		assert_int_equal(s->peers, MANY);
		swarm_leave(&v);
		walk(s);
	}
	swarm_store_free(s);
}

/* Those who had moved are gone when the next map comes, and those who had not are here. */
static void takes_the_next_map_when_those_moved_have_expired(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, N);
	struct map maps[3] = { { .factor = 1 }, { .factor = 2 }, { .factor = 3 } };
	struct swarm_visit v = filled(s, &maps[0], N);
	assert_int_equal(go_on(&v, &maps[1]), ERR_OK);
	uint32_t stay = 0;
	for (unsigned i = 2; i < 4; i++) { /* those under way live longer */
		struct sequence *q = swarm_sequence(v.shard, v.swarm, i);
		for (struct spot at = { 0 }; !sequence_is_end(q, at);
		     at = sequence_next(q, at), stay++)
			sequence_record(q, at)->stamp = 2000;
	}
	swarm_leave(&v);
	assert_int_equal(sweep(s, 1001), N - stay);
	v = enter(s, 1, false);
	assert_int_equal(go_on(&v, &maps[2]), ERR_OK);
	finish(&v, &maps[2]);
	const struct swarm_counts c = swarm_counts(&v);
	assert_int_equal(c.complete + c.incomplete, stay);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void takes_the_next_map_before_it_is_done(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, FEW);
	struct map maps[4] = { { .factor = 1 }, { .factor = 2 }, { .factor = 3 }, { .factor = 5 } };
	struct swarm_visit v = filled(s, &maps[0], FEW);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(go_on(&v, &maps[i]), ERR_OK);
		assert_int_equal(go_on(&v, &maps[i]), ERR_OK);
	}
	const struct swarm_peer p = person(&maps[3], 1);
	assert_false(put(&v, p, false).joined);
	swarm_leave(&v);
	walk(s);
	v = enter(s, 1, false);
	finish(&v, &maps[3]);
	check_places(&v, &maps[3], FEW);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

static void sweeps_lists_and_saves_those_under_way(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, N), *t = store_of(1, 2, N);
	struct map old = { .factor = 1 }, new = { .factor = 2 };
	struct swarm_visit v = filled(s, &old, N);
	for (uint32_t i = 0; i < N; i += 3) {
		struct swarm_peer p = person(&old, i);
		p.expires = 2000;
		(void)put(&v, p, false);
	}
	assert_int_equal(go_on(&v, &new), ERR_OK);
	swarm_leave(&v);
	static struct swarm_row rows[SWARM_LIST_SLICE];
	struct swarm_walk rounds = { 0 };
	size_t listed;
	assert_true(swarm_list(s, &rounds, 0, 255, rows, &listed));
	assert_int_equal(listed, 1);
	assert_int_equal(rows[0].counts.complete + rows[0].counts.incomplete, N);
	struct text saved = { 0 };
	swarm_export(s, 0, 900, &saved);
	struct reader r = reader_over(saved.bytes, saved.size);
	assert_int_equal(swarm_import(t, &r, 900, 0), ERR_OK);
	const struct swarm_totals x = swarm_totals(s), y = swarm_totals(t);
	assert_true(x.seeds == y.seeds && x.leechers == y.leechers && x.peers_v6 == y.peers_v6);
	assert_int_equal(sweep(s, 1001), N - N / 3);
	walk(s);
	assert_int_equal(sweep(s, 2001), N / 3);
	assert_int_equal(s->shards[0].n_moves, 0);
	walk(s);
	text_done(&saved);
	swarm_store_free(s);
	swarm_store_free(t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(moves_a_bounded_number_at_a_time),
	cmocka_unit_test(moves_a_small_swarm_at_once),
	cmocka_unit_test(knows_those_under_way),
	cmocka_unit_test(draws_from_those_that_have_moved),
	cmocka_unit_test(merges_who_was_not_looked_for),
	cmocka_unit_test(finds_at_once_whose_place_has_its_number),
	cmocka_unit_test(finds_at_once_where_others_were),
	cmocka_unit_test(merges_who_changed_its_role),
	cmocka_unit_test(takes_the_next_map_when_those_moved_have_expired),
	cmocka_unit_test(takes_the_next_map_before_it_is_done),
	cmocka_unit_test(sweeps_lists_and_saves_those_under_way),
};

RUN_TESTS(tests)
