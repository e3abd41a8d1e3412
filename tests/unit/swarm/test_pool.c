/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/people.h"

#include "common/base/random.h"

#include <string.h>

/*
 * Crowds of `people`: a third seeds, a half leechers, the rest partial seeds, in places 1 to 9, two
 * thirds of them in places 4 and 5. Number n is at 10.0.0.0 + n, or the IPv6 address of that.
 */
enum { PLACES = 10, PEOPLE_MAX = 1500 };

static enum swarm_role role_of(uint32_t n)
{
	return n % 6 < 2 ? SWARM_SEED : n % 6 < 5 ? SWARM_LEECHER : SWARM_PARTIAL;
}

static uint32_t place_of(uint32_t n)
{
	return n % 3 == 0 ? 1 + n / 3 % (PLACES - 1) : 4 + n / 7 % 2;
}

static struct swarm_peer person(uint32_t n, uint8_t family)
{
	struct swarm_peer p = peer_of(n, role_of(n));
	p.client.place = place_of(n);
	p.client.addr = address((family == IP_V6 ? 1ULL << 32 : 0) + 0x0a000000 + n);
	return p;
}

static uint32_t number_of(const struct swarm_endpoint *e)
{
	const uint8_t *b = e->addr.bytes;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct crowd {
	struct swarm_store *store;
	struct swarm_visit visit;
	uint32_t people;
	uint8_t family;
};

static struct crowd crowd_of(uint32_t people, uint8_t family)
{
	struct crowd c = { .store = store_of(1, 2, 2 * PEOPLE_MAX),
		           .people = people,
		           .family = family };
	c.visit = enter(c.store, 1, true);
	for (uint32_t i = 0; i < people; i++) {
		(void)put(&c.visit, person(i, family), false);
		/* The other family is there, and does not come in. */
		(void)put(&c.visit, person(i, IP_V4 + IP_V6 - family), false);
	}
	return c;
}

static void crowd_free(struct crowd *c)
{
	swarm_leave(&c->visit);
	swarm_store_free(c->store);
}

static struct swarm_asker asker_of(const struct crowd *c, uint32_t n)
{
	return (struct swarm_asker){ .client = person(n, c->family).client,
		                     .family = c->family,
		                     .seeding = n < c->people && role_of(n) != SWARM_LEECHER };
}

static bool inside(struct swarm_places p, uint32_t place)
{
	return place >= p.first && place < p.end;
}

static bool may(const struct crowd *c, const struct swarm_asker *asker, uint32_t who,
                struct swarm_places within, struct swarm_places except, uint32_t n)
{
	return n < c->people && n != who && inside(within, place_of(n)) &&
	       !inside(except, place_of(n)) && (!asker->seeding || role_of(n) == SWARM_LEECHER);
}

/* Draws `rounds` times and counts whom; checks each draw for doubles, place and role. */
static void tally(const struct crowd *c, const struct swarm_asker *asker,
                  struct swarm_places within, struct swarm_places except, size_t count,
                  unsigned rounds, double hits[static PEOPLE_MAX])
{
	struct swarm_candidate out[SWARM_POOL_MAX];
	uint64_t seed = random_mix(1000 * count + asker->client.identity);
	memset(hits, 0, PEOPLE_MAX * sizeof(*hits));
	for (unsigned r = 0; r < rounds; r++) {
		bool seen[PEOPLE_MAX] = { 0 };
		const size_t n = swarm_pool(&c->visit, asker, within, except, count, &seed, out);
		assert_true(n <= count);
		for (size_t i = 0; i < n; i++) {
			struct swarm_endpoint e;
			swarm_endpoint(&c->visit, out[i].spot, false, &e);
			const uint32_t who = number_of(&e) - 0x0a000000;
			assert_true(who < c->people && !seen[who]);
			assert_int_equal(e.addr.family, c->family);
			assert_int_equal(e.port, 6881);
			assert_int_equal(out[i].place, place_of(who));
			assert_int_equal(out[i].seed, role_of(who) == SWARM_SEED);
			seen[who] = true;
			hits[who]++;
		}
	}
}

/* Are the hits of the candidates as equal as chance has it, and the others' zero? */
static void assert_uniform(const double *hits, const bool *candidate, uint32_t people, size_t count,
                           unsigned rounds)
{
	double candidates = 0, chi = 0;
	for (unsigned i = 0; i < people; i++)
		candidates += candidate[i];
	const double p = (double)count < candidates ? (double)count / candidates : 1;
	for (unsigned i = 0; i < people; i++) {
		const double off = hits[i] - (candidate[i] ? rounds * p : 0);
		if (!candidate[i] || p >= 1)
			assert_true(off > -0.5 && off < 0.5);
		else
			chi += off * off / (rounds * p * (1 - p));
	}
	const double over = chi - candidates; /* variance about 2 * candidates */
	if (over > 0 && over * over > 36 * 2 * candidates)
		fail_msg("chi square %f of %f candidates, %zu drawn", chi, candidates, count);
	if (p < 1 && candidates > 1)
		assert_true(chi > candidates / 4);
}

static void check_uniform(const struct crowd *c, uint32_t who, struct swarm_places within,
                          struct swarm_places except, size_t count, unsigned rounds)
{
	static double hits[PEOPLE_MAX];
	bool candidate[PEOPLE_MAX] = { 0 };
	uint32_t all = 0, in_place[PLACES] = { 0 };
	const struct swarm_asker asker = asker_of(c, who);
	for (uint32_t i = 0; i < c->people; i++) {
		candidate[i] = may(c, &asker, who, within, except, i);
		all += may(c, &asker, who, within, nowhere, i);
		in_place[place_of(i)] += may(c, &asker, who, within, nowhere, i);
	}
	assert_int_equal(swarm_candidates(&c->visit, &asker, within), all);
	for (uint32_t i = within.first; i < within.end && i < PLACES; i++)
		assert_int_equal(
			swarm_candidates(&c->visit, &asker, (struct swarm_places){ i, i + 1 }),
			in_place[i]);
	tally(c, &asker, within, except, count, rounds, hits);
	assert_uniform(hits, candidate, c->people, count, rounds);
}

static const struct {
	struct swarm_places within, except;
} ranges[] = {
	{ { 0, SWARM_PLACES_MAX }, { 0, 0 } },
	{ { 0, SWARM_PLACES_MAX }, { 3, 6 } },
	{ { 3, 6 }, { 4, 5 } },
	{ { 3, 6 }, { 0, 2 } }, /* all of it before the range */
	{ { 3, 6 }, { 0, 4 } }, /* the exception begins before the range */
	{ { 3, 6 }, { 6, 9 } }, /* and beside it: nothing excepted */
	{ { 4, 5 }, { 0, 0 } },
	{ { 2, 3 }, { 2, 3 } }, /* nobody is left */
	{ { 500, 600 }, { 0, 0 } },
};

static void every_candidate_is_equally_likely(void **state)
{
	(void)state;
	static const uint32_t people[] = { 57, 1300 }; /* one block; a directory */
	static const size_t counts[] = { 1, 7, 25, 60, 400, SWARM_POOL_MAX };
	for (unsigned size = 0; size < 2; size++)
		for (unsigned family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
			struct crowd c = crowd_of(people[size], (uint8_t)family);
			/* A seed, a leecher, a partial seed, and a stranger. */
			const uint32_t askers[] = { 6, 10, 11, people[size] + 5 };
			for (unsigned i = 0; i < 4 * sizeof(ranges) / sizeof(*ranges); i++)
				check_uniform(&c, askers[i % 4], ranges[i / 4].within,
				              ranges[i / 4].except, counts[(i + size) % 6],
				              size == 0 ? 4000 : 1000);
			crowd_free(&c);
		}
}

/* Two in one draw: all pairs alike, so that no two peers are kept from each other. */
static void every_pair_is_equally_likely(void **state)
{
	(void)state;
	enum { N = 12, ROUNDS = 60000 };
	static double pairs[N][N];
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < N; i++)
		(void)put(&v, peer_of(i, SWARM_LEECHER), false);
	const struct swarm_asker asker = { .client = client_of(5), .family = IP_V4 };
	uint64_t seed = 3;
	struct swarm_candidate out[4];
	struct swarm_endpoint e[4];
	for (unsigned r = 0; r < ROUNDS; r++) {
		assert_int_equal(swarm_pool(&v, &asker, everywhere, nowhere, 4, &seed, out), 4);
		for (unsigned i = 0; i < 4; i++)
			swarm_endpoint(&v, out[i].spot, false, &e[i]);
		for (unsigned i = 0; i < 4; i++)
			for (unsigned j = 0; j < 4; j++)
				pairs[e[i].addr.bytes[3]][e[j].addr.bytes[3]] += i != j;
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
	enum { PEOPLE = 57, ROUNDS = 20000, WHO = 40, GHOST_1 = 21, GHOST_2 = 3 };
	static const size_t counts[] = { 1, 10, 20, 53, 54, 55, 56 };
	static double hits[PEOPLE_MAX];
	struct crowd c = crowd_of(PEOPLE, IP_V4);
	struct swarm_asker asker = asker_of(&c, WHO);
	asker.seeding = false;
	bool candidate[PEOPLE];
	for (uint32_t i = 0; i < PEOPLE; i++)
		candidate[i] = i != WHO && i != GHOST_1 && i != GHOST_2;
	for (unsigned i = 0; i < 2; i++) {
		struct swarm_peer ghost = person(i ? GHOST_2 : GHOST_1, IP_V4);
		ghost.client.addr = asker.client.addr;
		(void)put(&c.visit, ghost, false);
	}
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		tally(&c, &asker, everywhere, nowhere, counts[i], ROUNDS, hits);
		assert_uniform(hits, candidate, PEOPLE, counts[i], ROUNDS);
	}
	crowd_free(&c);
}

/* An IPv4 client that asks for IPv6 peers, among which it stands too. */
static void never_draws_a_keyed_client_in_its_other_family(void **state)
{
	(void)state;
	enum { PEOPLE = 30 };
	struct crowd c = crowd_of(PEOPLE, IP_V6);
	struct swarm_asker asker = asker_of(&c, 4);
	asker.client.addr = person(4, IP_V4).client.addr;
	asker.seeding = false;
	struct swarm_candidate out[PEOPLE];
	uint64_t seed = 1;
	for (size_t count = 1; count <= PEOPLE; count++)
		for (unsigned r = 0; r < 200; r++) {
			const size_t n = swarm_pool(&c.visit, &asker, everywhere, nowhere, count,
			                            &seed, out);
			assert_int_equal(n, count < PEOPLE ? count : PEOPLE - 1);
			for (size_t i = 0; i < n; i++) {
				struct swarm_endpoint e;
				swarm_endpoint(&c.visit, out[i].spot, false, &e);
				assert_int_not_equal(number_of(&e), 0x0a000000 + 4);
			}
		}
	crowd_free(&c);
}

static void never_draws_port_zero(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	for (uint32_t i = 0; i < 10; i++) {
		struct swarm_peer p = peer_of(i, i % 3);
		p.client.port = i < 3 ? 6881 : 0;
		(void)put(&v, p, false);
	}
	struct swarm_asker asker = { .client = client_of(2), .family = IP_V4 };
	assert_int_equal(swarm_candidates(&v, &asker, everywhere), 2);
	/* And the asker itself may be unreachable. */
	asker.client = client_of(5);
	asker.client.port = 0;
	assert_int_equal(swarm_candidates(&v, &asker, everywhere), 3);
	struct swarm_candidate out[9];
	uint64_t seed = 1;
	assert_int_equal(swarm_pool(&v, &asker, everywhere, nowhere, 9, &seed, out), 3);
	swarm_leave(&v);
	swarm_store_free(s);
}

/* Long lists come in runs of neighbours. Some lengths are no multiple of a run. */
static void long_lists_are_as_likely(void **state)
{
	(void)state;
	static const size_t counts[] = { 63, 64, 65, 67, 130, 161 };
	for (unsigned family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
		struct crowd c = crowd_of(1300, (uint8_t)family);
		for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++)
			check_uniform(&c, i % 2 == 0 ? 6 : 10, everywhere, nowhere, counts[i],
			              2000);
		crowd_free(&c);
	}
}

static void takes_all_in_the_order_of_class_and_place(void **state)
{
	(void)state;
	for (uint32_t people = 20; people < 1000; people += 900) {
		struct crowd c = crowd_of(people, IP_V4);
		struct swarm_asker asker = asker_of(&c, people + 1);
		static struct swarm_candidate out[SWARM_POOL_MAX];
		uint64_t seed = 1;
		const size_t n =
			swarm_pool(&c.visit, &asker, everywhere, nowhere, people, &seed, out);
		assert_int_equal(n, people);
		assert_int_equal(seed, 1);
		unsigned descents = 0;
		for (size_t i = 1; i < n; i++) {
			assert_true(out[i - 1].seed || !out[i].seed);
			descents += out[i].place < out[i - 1].place;
		}
		assert_in_range(descents, 1, 2); /* from class to class */
		crowd_free(&c);
	}
}

static void gives_at_most_the_maximum_at_once(void **state)
{
	(void)state;
	enum { N = 1400 };
	static struct swarm_candidate out[N];
	static bool seen[N];
	struct crowd c = crowd_of(N, IP_V4);
	const struct swarm_asker asker = asker_of(&c, N + 1);
	uint64_t seed = 1;
	assert_int_equal(swarm_pool(&c.visit, &asker, everywhere, nowhere, N, &seed, out),
	                 SWARM_POOL_MAX);
	for (unsigned i = 0; i < SWARM_POOL_MAX; i++) {
		struct swarm_endpoint e;
		swarm_endpoint(&c.visit, out[i].spot, false, &e);
		const uint32_t who = ip_v4_number(&e.addr) - 0x0a000000;
		assert_false(seen[who]);
		seen[who] = true;
	}
	assert_int_equal(swarm_pool(&c.visit, &asker, everywhere, nowhere, 0, &seed, out), 0);
	crowd_free(&c);
}

static void writes_the_compact_form(void **state)
{
	(void)state;
	for (unsigned family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
		struct crowd c = crowd_of(20, (uint8_t)family);
		const struct swarm_asker asker = asker_of(&c, 1);
		struct swarm_candidate out[20];
		uint64_t seed = 1;
		const size_t n = swarm_pool(&c.visit, &asker, everywhere, nowhere, 20, &seed, out);
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++) {
			uint8_t bytes[ENDPOINT_V6 + 1] = { 0 };
			struct swarm_endpoint e;
			swarm_endpoint(&c.visit, out[i].spot, true, &e);
			const size_t size = family == IP_V4 ? 4 : 16;
			assert_ptr_equal(swarm_compact(&c.visit, out[i].spot, bytes),
			                 bytes + size + 2);
			assert_memory_equal(bytes, e.addr.bytes, size);
			assert_int_equal(bytes[size] << 8 | bytes[size + 1], e.port);
			assert_int_equal(bytes[size + 2], 0);
			assert_false(e.has_peer_id);
		}
		crowd_free(&c);
	}
}

/* Of surveys: every part has the candidates of its places, and draws nobody else. */
static void check_survey(const struct crowd *c, uint32_t who, struct swarm_places around)
{
	const struct swarm_asker asker = asker_of(c, who);
	const uint32_t own = asker.client.place;
	const struct swarm_places none = { 0 }, all = { .end = PLACES };
	const struct swarm_places mine = { .first = own, .end = own + 1 };
	const bool parted = around.first < around.end;
	const struct swarm_places within[] = { parted ? mine : none, around, all };
	const struct swarm_places except[] = { none, mine, around };
	struct swarm_survey survey;
	struct swarm_candidate out[SWARM_POOL_MAX];
	uint64_t seed = who;
	swarm_survey(&c->visit, &asker, around, &survey);
	for (enum swarm_part part = SWARM_OWN_PLACE; part < SWARM_PARTS; part++) {
		uint32_t n = 0;
		for (uint32_t i = 0; i < c->people; i++)
			n += may(c, &asker, who, within[part], except[part], i);
		assert_int_equal(survey.part[part].n, n);
		const size_t want = n / 2 < SWARM_POOL_MAX ? n / 2 : SWARM_POOL_MAX;
		assert_int_equal(swarm_draw(&c->visit, &survey, part, want, &seed, out), want);
		for (size_t i = 0; i < want; i++)
			assert_true(inside(within[part], out[i].place) &&
			            !inside(except[part], out[i].place));
	}
}

static void surveys_what_can_be_counted(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 1, 30, 200, PEOPLE_MAX };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct crowd c = crowd_of(sizes[i], i % 2 == 0 ? IP_V4 : IP_V6);
		for (uint32_t who = 0; who < 20; who++) {
			const uint32_t own = place_of(who);
			check_survey(&c, who, (struct swarm_places){ 0 });
			check_survey(&c, who, (struct swarm_places){ own, own + 1 });
			check_survey(&c, who, (struct swarm_places){ own - 1, own + 2 });
		}
		crowd_free(&c);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_candidate_is_equally_likely),
	cmocka_unit_test(every_pair_is_equally_likely),
	cmocka_unit_test(never_draws_a_ghost_and_favours_nobody_for_it),
	cmocka_unit_test(never_draws_a_keyed_client_in_its_other_family),
	cmocka_unit_test(never_draws_port_zero),
	cmocka_unit_test(long_lists_are_as_likely),
	cmocka_unit_test(takes_all_in_the_order_of_class_and_place),
	cmocka_unit_test(gives_at_most_the_maximum_at_once),
	cmocka_unit_test(writes_the_compact_form),
	cmocka_unit_test(surveys_what_can_be_counted),
};

RUN_TESTS(tests)
