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
	unreachable.port = 0;
	assert_true(put(&v, unreachable, false).joined);
	struct swarm_counts c = swarm_counts(&v);
	assert_int_equal(c.complete, 1);
	assert_int_equal(c.incomplete, 3);
	assert_int_equal(c.downloaders, 2);
	assert_int_equal(c.downloaded, 0);
	assert_true(swarm_remove(&v, 4));
	assert_false(swarm_remove(&v, 4));
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
	struct swarm_bucket b[1];
	const struct swarm_asker asker = { .family = IP_V4 };
	assert_null(v.swarm);
	assert_int_equal(swarm_counts(&v).incomplete, 0);
	assert_int_equal(swarm_map_number(&v), 0);
	assert_false(swarm_remove(&v, 1));
	assert_int_equal(swarm_relocate(&v, 1, NULL, NULL), ERR_OK);
	assert_int_equal(swarm_buckets(&v, &asker, b, 1, &seed), 0);
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
			p.place = i % 2; /* what is remembered moves along */
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
	assert_true(swarm_remove(&v, 1));
	swarm_leave(&v);
	assert_int_equal(swarm_totals(s).swarms, 0);

	v = enter(s, 1, true);
	(void)put(&v, peer_of(1, SWARM_SEED), true);
	assert_true(swarm_remove(&v, 1));
	swarm_leave(&v);
	assert_int_equal(swarm_totals(s).swarms, 1);
	assert_int_equal(swarm_expire(s, 0, 5000), 0);
	assert_int_equal(swarm_expire(s, 0, 5000 + DAY), 0);
	v = enter(s, 1, false);
	assert_int_equal(swarm_counts(&v).downloaded, 1);
	swarm_leave(&v);
	assert_int_equal(swarm_expire(s, 0, 5001 + DAY), 0);
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
	assert_true(swarm_remove(&v, 1));
	swarm_leave(&v);
	assert_int_equal(swarm_expire(s, 0, 5000), 0);
	v = enter(s, 1, true);
	(void)put(&v, peer_of(2, SWARM_SEED), false);
	assert_true(swarm_remove(&v, 2));
	swarm_leave(&v);
	assert_int_equal(swarm_expire(s, 0, 5001 + DAY), 0);
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
			assert_true(swarm_remove(&v, w));
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
		p.place = i % 5;
		(void)put(&v, p, false);
	}
	swarm_leave(&v);
	assert_int_equal(swarm_expire(s, 0, 100), 0);
	assert_int_equal(swarm_expire(s, 0, 101), 1);
	walk(s);
	v = enter(s, 1, false);
	struct swarm_peer again = peer_of(1, SWARM_LEECHER);
	again.expires = 200;
	assert_false(put(&v, again, false).joined);
	swarm_leave(&v);
	assert_int_equal(swarm_expire(s, 0, 150), 48);
	walk(s);
	assert_int_equal(swarm_totals(s).leechers, 1);
	assert_int_equal(swarm_expire(s, 0, 201), 1);
	assert_int_equal(swarm_totals(s).swarms, 0);
	walk(s);
	swarm_store_free(s);
}

static void is_busy_at_its_limits(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 3);
	struct swarm_visit v;
	uint8_t hash[INFO_HASH_SIZE];
	struct swarm_change change;
	for (uint32_t i = 0; i < 2; i++) {
		v = enter(s, i, true);
		(void)put(&v, peer_of(i, SWARM_SEED), false);
		swarm_leave(&v);
	}
	hash_of_number(2, hash);
	assert_int_equal(swarm_enter(s, hash, true, &v), ERR_BUSY);
	v = enter(s, 0, true); /* the lock was given back */
	(void)put(&v, peer_of(8, SWARM_SEED), false);
	struct swarm_peer p = peer_of(9, SWARM_SEED);
	assert_int_equal(swarm_put(&v, &p, false, &change), ERR_BUSY);
	p = peer_of(8, SWARM_LEECHER);
	assert_int_equal(swarm_put(&v, &p, false, &change), ERR_OK);
	assert_true(swarm_remove(&v, 8));
	(void)put(&v, peer_of(9, SWARM_SEED), false);
	swarm_leave(&v);
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
	assert_int_equal(swarm_relocate(&v, 7, place_by_last_byte, &asked), ERR_OK);
	assert_int_equal(asked, N);
	assert_int_equal(swarm_map_number(&v), 7);
	const struct swarm_counts after = swarm_counts(&v);
	assert_memory_equal(&before, &after, sizeof(before));

	uint32_t expected[3] = { 0 };
	for (uint32_t i = 0; i < N; i++)
		expected[i % 256 % 3] += i != 1;
	struct swarm_bucket b[8];
	uint64_t seed = 1;
	const struct swarm_asker asker = { .identity = 1, .family = IP_V4 };
	assert_int_equal(swarm_buckets(&v, &asker, b, 8, &seed), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(b[i].seeds + b[i].others, expected[b[i].place]);
	/* What was counted stays counted. */
	assert_false(put(&v, peer_of(1, SWARM_SEED), true).completed);
	swarm_leave(&v);
	walk(s);
	swarm_store_free(s);
}

/* ---- against a model ---- */

enum { SWARMS = 6, PEOPLE = 150, PLACES = 64 };

struct model_peer {
	bool here, snatched;
	struct swarm_peer peer;
};

struct model {
	struct model_peer peers[SWARMS][PEOPLE];
	uint32_t snatches[SWARMS];
};

static void model_put(struct model *m, unsigned w, const struct swarm_peer *p, bool completed,
                      const struct swarm_change *change)
{
	struct model_peer *mine = &m->peers[w][p->identity];
	const bool joined = !mine->here;
	const enum swarm_role was = mine->peer.role;
	bool counts = !joined && was != SWARM_SEED && p->role == SWARM_SEED;
	counts |= completed && (joined || was == SWARM_LEECHER);
	if (joined)
		mine->snatched = false;
	counts &= !mine->snatched;
	mine->snatched |= counts;
	mine->here = true;
	mine->peer = *p;
	m->snatches[w] += counts;
	assert_int_equal(change->joined, joined);
	assert_int_equal(change->completed, counts);
}

static void compare_buckets(const struct model *m, const struct swarm_visit *v, unsigned w,
                            const struct swarm_asker *asker)
{
	uint32_t seeds[PLACES] = { 0 }, others[PLACES] = { 0 };
	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct model_peer *p = &m->peers[w][i];
		if (!p->here || p->peer.port == 0 || p->peer.addr.family != asker->family ||
		    i == asker->identity)
			continue;
		if (p->peer.role == SWARM_SEED)
			seeds[p->peer.place] += !asker->seeding;
		else
			others[p->peer.place] += p->peer.role == SWARM_LEECHER || !asker->seeding;
	}
	struct swarm_bucket b[PLACES];
	uint64_t seed = w;
	const size_t n = swarm_buckets(v, asker, b, PLACES, &seed);
	for (size_t i = 0; i < n; i++) {
		assert_true(b[i].seeds + b[i].others > 0);
		assert_int_equal(b[i].seeds, seeds[b[i].place]);
		assert_int_equal(b[i].others, others[b[i].place]);
		seeds[b[i].place] = others[b[i].place] = 0;
	}
	for (unsigned i = 0; i < PLACES; i++)
		assert_int_equal(seeds[i] + others[i], 0);
}

static void compare(const struct model *m, struct swarm_store *s, unsigned w, uint64_t *seed)
{
	struct swarm_visit v = enter(s, w, false);
	struct swarm_counts c = { .downloaded = m->snatches[w] };
	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct model_peer *p = &m->peers[w][i];
		struct spot at;
		const bool here = v.swarm != NULL && crowd_find(v.swarm, i, &at);
		assert_int_equal(here, p->here);
		if (!here)
			continue;
		const struct swarm_peer got = crowd_get(v.swarm, &at);
		assert_true(ip_equal(&got.addr, &p->peer.addr));
		assert_int_equal(got.port, p->peer.port);
		assert_int_equal(got.role, p->peer.role);
		assert_int_equal(got.expires, p->peer.expires);
		assert_memory_equal(got.peer_id, p->peer.peer_id, PEER_ID_SIZE);
		c.complete += got.role == SWARM_SEED;
		c.incomplete += got.role != SWARM_SEED;
		c.downloaders += got.role == SWARM_LEECHER;
	}
	const struct swarm_counts counts = swarm_counts(&v);
	assert_memory_equal(&counts, &c, sizeof(c));
	const uint64_t who = random_below(seed, PEOPLE + 9);
	for (unsigned i = 0; i < 4; i++)
		compare_buckets(m, &v, w,
		                &(struct swarm_asker){ .identity = who,
		                                       .family = i % 2 ? IP_V4 : IP_V6,
		                                       .seeding = i / 2 });
	swarm_leave(&v);
}

static uint32_t place_by_mix(void *ctx, const struct ip_addr *addr)
{
	return addr->bytes[3] * *(const uint32_t *)ctx % (PLACES - 3);
}

static void random_put(struct model *m, struct swarm_store *s, unsigned w, uint32_t now,
                       uint64_t *seed)
{
	struct swarm_visit v = enter(s, w, true);
	const uint64_t n = random_below(seed, PEOPLE);
	struct swarm_peer p = peer_of(n, random_below(seed, 3));
	p.port = (uint16_t)random_below(seed, 6);
	p.place = random_below(seed, random_below(seed, 4) == 0 ? PLACES - 3 : 5);
	p.expires = now + random_below(seed, 400);
	if (random_below(seed, 4) == 0)
		p.addr = address(1ULL << 32 | n);
	for (unsigned i = 0; i < PEER_ID_SIZE; i++)
		p.peer_id[i] = (uint8_t)random_next(seed);
	const bool completed = random_below(seed, 5) == 0;
	const struct swarm_change change = put(&v, p, completed);
	model_put(m, w, &p, completed, &change);
	swarm_leave(&v);
}

static void random_remove(struct model *m, struct swarm_store *s, unsigned w, uint64_t *seed)
{
	struct swarm_visit v = enter(s, w, false);
	const uint64_t n = random_below(seed, PEOPLE);
	assert_int_equal(swarm_remove(&v, n), m->peers[w][n].here);
	m->peers[w][n].here = false;
	swarm_leave(&v);
}

static void expire_all(struct model *m, struct swarm_store *s, uint32_t now)
{
	size_t gone = 0, expected = 0;
	for (unsigned i = 0; i < s->options.shards; i++)
		gone += swarm_expire(s, i, now);
	for (unsigned w = 0; w < SWARMS; w++)
		for (unsigned i = 0; i < PEOPLE; i++)
			if (m->peers[w][i].here && m->peers[w][i].peer.expires < now) {
				m->peers[w][i].here = false;
				expected++;
			}
	assert_int_equal(gone, expected);
}

static void relocate(struct model *m, struct swarm_store *s, unsigned w, uint32_t factor)
{
	struct swarm_visit v = enter(s, w, false);
	assert_int_equal(swarm_relocate(&v, factor, place_by_mix, &factor), ERR_OK);
	for (unsigned i = 0; i < PEOPLE; i++)
		m->peers[w][i].peer.place = place_by_mix(&factor, &m->peers[w][i].peer.addr);
	swarm_leave(&v);
}

static void behaves_like_a_simple_list(void **state)
{
	(void)state;
	static struct model m;
	struct swarm_store *s = store_of(2, 100, 10000);
	uint64_t seed = 4;
	uint32_t now = 100;
	for (unsigned step = 0; step < 30000; step++) {
		const unsigned w = random_below(&seed, SWARMS);
		const uint32_t what = random_below(&seed, 1000);
		/* Tides: crowds grow, and shrink to nearly nothing. */
		const uint32_t leaving = step / 3000 % 2 ? 900 : 150;
		if (what < 3)
			expire_all(&m, s, now);
		else if (what < 5)
			relocate(&m, s, w, 1 + random_below(&seed, 50));
		else if (what < leaving)
			random_remove(&m, s, w, &seed);
		else
			random_put(&m, s, w, now, &seed);
		now += random_below(&seed, 50) == 0;
		if (step % 4 == 0)
			compare(&m, s, w, &seed);
		walk(s);
	}
	swarm_store_free(s);
}

static void gives_memory_back(void **state)
{
	(void)state;
	enum { N = 20000 };
	struct swarm_store *s = store_of(1, 10, N);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < N; i++) {
		struct swarm_peer p = peer_of(i, SWARM_LEECHER);
		p.place = i % 300;
		p.expires = i < 10 ? 500 : 100;
		(void)put(&v, p, false);
	}
	swarm_leave(&v);
	const uint64_t full = swarm_totals(s).bytes;
	assert_true(full > N * 38 && full < N * 90);
	assert_int_equal(swarm_expire(s, 0, 101), N - 10);
	assert_true(swarm_totals(s).bytes < 4000);
	walk(s);
	swarm_store_free(s);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 4000 };

struct hammer {
	struct swarm_store *store;
	uint64_t seed;
	int64_t balance; /* joined - removed */
};

static void *hammer(void *ctx)
{
	struct hammer *h = ctx;
	struct swarm_endpoint out[20];
	struct swarm_bucket b[8];
	for (unsigned i = 0; i < ROUNDS; i++) {
		const uint64_t who = random_below(&h->seed, 200);
		struct swarm_visit v = enter(h->store, random_below(&h->seed, 5), true);
		if (i % 3 == 0) {
			h->balance -= swarm_remove(&v, who);
		} else {
			struct swarm_peer p = peer_of(who, random_below(&h->seed, 3));
			p.place = (uint32_t)who % 7;
			h->balance += put(&v, p, false).joined;
		}
		const struct swarm_asker asker = { .identity = who, .family = IP_V4 };
		const size_t n = swarm_buckets(&v, &asker, b, 8, &h->seed);
		for (size_t j = 0; j < n; j++)
			(void)swarm_draw(&v, &asker, b[j].handle, 20, false, &h->seed, out);
		swarm_leave(&v);
		if (i % 64 == 0)
			(void)swarm_totals(h->store);
		if (i % 64 == 1)
			assert_int_equal(swarm_expire(h->store, i / 64 % 2, 10), 0);
	}
	return NULL;
}

static void holds_under_several_threads(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(2, 100, 10000);
	struct hammer h[THREADS];
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		h[i] = (struct hammer){ .store = s, .seed = i };
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &h[i]), 0);
	}
	int64_t balance = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		balance += h[i].balance;
	}
	const struct swarm_totals t = swarm_totals(s);
	assert_int_equal(t.seeds + t.leechers + t.partial, balance);
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
	cmocka_unit_test(is_busy_at_its_limits),
	cmocka_unit_test(relocates_by_address),
	cmocka_unit_test(behaves_like_a_simple_list),
	cmocka_unit_test(gives_memory_back),
	cmocka_unit_test(holds_under_several_threads),
};

RUN_TESTS(tests)
