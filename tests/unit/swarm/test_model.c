/* SPDX-License-Identifier: Apache-2.0 */

/* The store against a list that anybody can check by eye, in tides of joins and departures. */

#include "tests/unit/swarm/people.h"
#include "tests/unit/swarm/walk.h"

#include "common/base/random.h"

enum { SWARMS = 4, PEOPLE = 700, PLACES = 64 };

/* Even numbers have a key, odd ones do not. Each family of a number is a peer. */
struct model_peer {
	bool here, snatched;
	struct swarm_peer peer;
};

struct model {
	struct model_peer peers[SWARMS][2][PEOPLE];
	uint32_t snatches[SWARMS];
	uint32_t factor[SWARMS]; /* of the map */
};

static uint32_t place_by_mix(void *ctx, const struct ip_addr *addr)
{
	const uint32_t n = addr->bytes[3] | (uint32_t)addr->bytes[2] << 8;
	return n * *(const uint32_t *)ctx % (PLACES - 3);
}

static void model_put(struct model *m, unsigned w, uint32_t n, const struct swarm_peer *p,
                      bool completed, const struct swarm_change *change)
{
	struct model_peer *mine = &m->peers[w][p->client.addr.family == IP_V6][n];
	const bool joined = !mine->here;
	const enum swarm_role was = mine->peer.role;
	bool counts = !joined && was != SWARM_SEED && p->role == SWARM_SEED;
	counts |= completed && (joined || was == SWARM_LEECHER);
	if (joined)
		mine->snatched = false;
	counts &= !mine->snatched;
	const int32_t silent = joined ? 0 : (int32_t)(p->expires - mine->peer.expires);
	mine->snatched |= counts;
	mine->here = true;
	mine->peer = *p;
	m->snatches[w] += counts;
	assert_int_equal(change->joined, joined);
	assert_int_equal(change->completed, counts);
	assert_int_equal(change->silent, silent > 0 ? silent : 0);
}

static void compare_near(const struct model_peer *peers, const struct swarm_survey *survey,
                         struct swarm_places around)
{
	uint32_t count[3] = { 0 };
	for (unsigned i = 0; survey->asker.counted && i < PEOPLE; i++) {
		const struct swarm_client *c = &peers[i].peer.client;
		count[peers[i].peer.role] += peers[i].here && c->port > 0 &&
		                             c->place >= around.first && c->place < around.end;
	}
	assert_int_equal(survey->near.seeds, count[SWARM_SEED]);
	assert_int_equal(survey->near.leechers, count[SWARM_LEECHER]);
	assert_int_equal(survey->near.partial, count[SWARM_PARTIAL]);
}

/* Takes all that the parts have out of what is expected in each place. */
static void compare_parts(const struct swarm_visit *v, const struct swarm_survey *survey,
                          struct swarm_places around, uint32_t *count, uint32_t *seeds)
{
	static struct swarm_candidate out[PEOPLE];
	const uint32_t own = survey->asker.client.place;
	uint64_t seed = own;
	for (enum swarm_part part = SWARM_OWN_PLACE; part < SWARM_PARTS; part++) {
		const size_t n = swarm_draw(v, survey, part, PEOPLE, &seed, out);
		assert_int_equal(n, survey->part[part].n);
		for (size_t i = 0; i < n; i++) {
			const uint32_t place = out[i].place;
			const bool near = place >= around.first && place < around.end;
			assert_true(place < PLACES && count[place]-- > 0);
			assert_true(!out[i].seed || seeds[place]-- > 0);
			assert_int_equal(part, !near          ? SWARM_ELSEWHERE
			                       : place == own ? SWARM_OWN_PLACE
			                                      : SWARM_AROUND);
		}
	}
}

static void compare_candidates(const struct model *m, const struct swarm_visit *v, unsigned w,
                               const struct swarm_asker *asker, uint32_t who)
{
	const struct model_peer *peers = m->peers[w][asker->family == IP_V6];
	uint32_t count[PLACES] = { 0 }, seeds[PLACES] = { 0 }, all = 0;
	struct swarm_survey survey;
	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct model_peer *p = &peers[i];
		if (!p->here || p->peer.client.port == 0 || i == who)
			continue;
		const uint32_t counts = (!asker->seeding || p->peer.role == SWARM_LEECHER) &&
		                        (!asker->seeds_only || p->peer.role == SWARM_SEED);
		count[p->peer.client.place] += counts;
		seeds[p->peer.client.place] += counts && p->peer.role == SWARM_SEED;
		all += counts;
	}
	assert_int_equal(candidates(v, asker), all);
	const uint32_t own = asker->client.place, far = w * 5; /* with 0 there are no parts */
	const struct swarm_places around = { own > far ? own - far : 0, own + far };
	swarm_survey(v, asker, around, &survey);
	compare_near(peers, &survey, around);
	compare_parts(v, &survey, around, count, seeds);
	for (uint32_t i = 0; i < PLACES; i++)
		assert_int_equal(count[i] + seeds[i], 0);
}

static void compare_peer(const struct swarm_visit *v, const struct model_peer *p)
{
	struct spot at;
	if (v->swarm == NULL) {
		assert_false(p->here);
		return;
	}
	const struct sequence *s = &v->swarm->of[is_wide(p->peer.client.addr.family)];
	if (!p->here)
		return;
	assert_true(crowd_find(v->swarm, &p->peer.client, p->peer.role, &at));
	const struct record *r = sequence_record(s, at);
	uint8_t endpoint[ENDPOINT_V6];
	endpoint_write(&p->peer.client, endpoint);
	assert_memory_equal(r->endpoint, endpoint, endpoint_size(s->wide));
	assert_int_equal(record_role(r), p->peer.role);
	assert_int_equal(r->stamp, p->peer.expires & 0xffff);
	assert_int_equal(r->key & FLAG_SNATCHED, p->snatched);
	assert_int_equal(key_place(r->key), p->peer.client.port > 0 ? p->peer.client.place : 0);
	struct swarm_candidate found;
	const uint32_t tag = swarm_tag_of(p->peer.client.identity);
	const bool hidden = p->peer.client.port == 0;
	assert_int_equal(
		swarm_find(v, p->peer.client.addr.family, p->peer.client.place, tag, &found),
		!hidden);
	if (!hidden) {
		assert_ptr_equal(found.record, r);
		assert_int_equal(swarm_tag(&found), tag);
	}
}

static void compare(const struct model *m, struct swarm_store *s, unsigned w, uint64_t *seed)
{
	struct swarm_visit v = enter(s, w, false);
	struct swarm_counts c = { .downloaded = m->snatches[w] };
	const bool moving = v.swarm != NULL && v.swarm->moving;
	for (unsigned f = 0; f < 2; f++)
		for (unsigned i = 0; i < PEOPLE; i++) {
			const struct model_peer *p = &m->peers[w][f][i];
			if (!moving)
				compare_peer(&v, p);
			c.complete += p->here && p->peer.role == SWARM_SEED;
			c.incomplete += p->here && p->peer.role != SWARM_SEED;
			c.downloaders += p->here && p->peer.role == SWARM_LEECHER;
		}
	const struct swarm_counts counts = swarm_counts(&v);
	assert_memory_equal(&counts, &c, sizeof(c));
	const uint32_t who = random_below(seed, PEOPLE);
	for (unsigned i = 0; i < 16 && !moving; i++) {
		const struct model_peer *p = &m->peers[w][i % 2][who];
		if (!p->here)
			continue;
		compare_candidates(m, &v, w,
		                   &(struct swarm_asker){ .client = p->peer.client,
		                                          .family = i % 2 ? IP_V6 : IP_V4,
		                                          .seeding = i / 2 % 2,
		                                          .seeds_only = i / 4 % 2,
		                                          .counted = i / 8 },
		                   who);
	}
	swarm_leave(&v);
}

static struct swarm_peer random_peer(const struct model *m, unsigned w, uint32_t n, uint64_t *seed)
{
	struct swarm_peer p = peer_of(n, random_below(seed, 3));
	uint32_t factor = m->factor[w];
	/* All ports of their own, so that nobody is another's ghost. */
	p.client.port = random_below(seed, 8) == 0 ? 0 : (uint16_t)(n + 1);
	p.client.keyed = n % 2 == 0;
	if (random_below(seed, 4) == 0)
		p.client.addr = address(1ULL << 32 | n);
	p.client.place = p.client.keyed && random_below(seed, 4) == 0
	                         ? random_below(seed, PLACES - 3)
	                         : place_by_mix(&factor, &p.client.addr);
	return p;
}

static void random_put(struct model *m, struct swarm_store *s, unsigned w, uint32_t now,
                       uint64_t *seed)
{
	static const uint8_t id[PEER_ID_SIZE] = { 'i', 'd' };
	struct swarm_visit v = enter(s, w, true);
	const uint32_t n = random_below(seed, PEOPLE);
	struct swarm_peer p = random_peer(m, w, n, seed);
	p.expires = now + random_below(seed, 400);
	p.peer_id = random_below(seed, 5) == 0 ? id : NULL;
	const bool completed = random_below(seed, 5) == 0;
	const struct swarm_change change = put(&v, p, completed);
	model_put(m, w, n, &p, completed, &change);
	swarm_leave(&v);
}

static void random_remove(struct model *m, struct swarm_store *s, unsigned w, uint64_t *seed)
{
	struct swarm_visit v = enter(s, w, false);
	const uint32_t n = random_below(seed, PEOPLE);
	const struct swarm_peer p = random_peer(m, w, n, seed);
	struct model_peer *mine = &m->peers[w][p.client.addr.family == IP_V6][n];
	assert_int_equal(swarm_remove(&v, &p.client, NULL), mine->here);
	mine->here = false;
	swarm_leave(&v);
}

static void expire_all(struct model *m, struct swarm_store *s, uint32_t now)
{
	size_t expected = 0;
	for (unsigned w = 0; w < SWARMS; w++)
		for (unsigned i = 0; i < 2 * PEOPLE; i++) {
			struct model_peer *p = &m->peers[w][i / PEOPLE][i % PEOPLE];
			if (!p->here || p->peer.expires >= now)
				continue;
			p->here = false;
			expected++;
		}
	assert_int_equal(sweep(s, now), expected);
}

/* `steps` calls; the rest stays under way, maybe until the next map. */
static void relocate(struct model *m, struct swarm_store *s, unsigned w, uint32_t factor,
                     unsigned steps)
{
	struct swarm_visit v = enter(s, w, false);
	const bool begins = swarm_map_number(&v) != factor;
	for (; steps > 0; steps--)
		assert_int_equal(swarm_relocate(&v, factor, place_by_mix, &factor), ERR_OK);
	for (unsigned i = 0; begins && i < 2 * PEOPLE; i++) {
		struct swarm_client *c = &m->peers[w][i / PEOPLE][i % PEOPLE].peer.client;
		c->place = place_by_mix(&factor, &c->addr);
	}
	m->factor[w] = factor;
	swarm_leave(&v);
}

static void behaves_like_a_simple_list(void **state)
{
	(void)state;
	static struct model m;
	struct swarm_store *s = store_of(2, 100, 10000);
	uint64_t seed = 4;
	uint32_t now = 65000; /* soon the stamps wrap */
	for (unsigned step = 0; step < 60000; step++) {
		const unsigned w = random_below(&seed, SWARMS);
		const uint32_t what = random_below(&seed, 1000);
		/* Tides: crowds grow, and shrink to nearly nothing. */
		const uint32_t leaving = step / 10000 % 2 ? 900 : 150;
		if (what < 3)
			expire_all(&m, s, now);
		else if (what < 5)
			relocate(&m, s, w, 1 + random_below(&seed, 50), 1 + random_below(&seed, 3));
		else if (what < 100) /* goes on with what is under way */
			relocate(&m, s, w, m.factor[w], 1);
		else if (what < leaving)
			random_remove(&m, s, w, &seed);
		else
			random_put(&m, s, w, now, &seed);
		now += random_below(&seed, 50) == 0;
		if (step % 16 == 0)
			compare(&m, s, w, &seed);
		if (step % 16 == 0)
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
		p.client.place = i % 300;
		p.expires = i < 10 ? 500 : 100;
		(void)put(&v, p, false);
	}
	swarm_leave(&v);
	const uint64_t full = swarm_totals(s).bytes;
	assert_true(full > N * 16 && full < N * 20);
	assert_int_equal(sweep(s, 101), N - 10);
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
	struct swarm_candidate out[20];
	for (unsigned i = 0; i < ROUNDS; i++) {
		const uint64_t who = random_below(&h->seed, 200);
		struct swarm_visit v = enter(h->store, random_below(&h->seed, 5), true);
		if (i % 3 == 0) {
			const struct swarm_client c = client_of(who);
			h->balance -= swarm_remove(&v, &c, NULL);
		} else {
			struct swarm_peer p = peer_of(who, random_below(&h->seed, 3));
			p.client.place = (uint32_t)who % 7;
			h->balance += put(&v, p, false).joined;
		}
		const struct swarm_asker asker = { .client = client_of(who), .family = IP_V4 };
		(void)draw_all(&v, &asker, 20, &h->seed, out);
		swarm_leave(&v);
		uint8_t hash[INFO_HASH_SIZE];
		hash_of_number(i % 5, hash);
		swarm_prefetch(h->store, hash, i % SWARM_PREFETCH_STAGES);
		if (i % 64 == 0)
			(void)swarm_totals(h->store);
		if (i % 64 == 1)
			assert_int_equal(sweep(h->store, 10), 0);
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
	cmocka_unit_test(behaves_like_a_simple_list),
	cmocka_unit_test(gives_memory_back),
	cmocka_unit_test(holds_under_several_threads),
};

RUN_TESTS(tests)
