/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/crowds.h"

#include "common/base/random.h"

#include <string.h>

/* Whom the candidate stands for; it is what the candidate says it is. */
static uint32_t check_candidate(const struct crowd *c, const struct swarm_candidate *one)
{
	struct swarm_endpoint e;
	swarm_endpoint(&c->visit, one, false, &e);
	const uint32_t who = number_of(e.addr.bytes);
	assert_true(who < c->people);
	assert_int_equal(e.addr.family, c->family);
	assert_int_equal(e.port, 6881);
	assert_int_equal(one->place, place_of(who));
	assert_int_equal(one->seed, role_of(who) == SWARM_SEED);
	assert_int_equal(one->wide, c->family == IP_V6);
	return who;
}

/* Draws `rounds` times and counts whom, nobody twice in a draw; returns how many on average. */
static double tally(const struct crowd *c, const struct swarm_survey *survey, enum swarm_part part,
                    size_t count, unsigned rounds, double hits[static PEOPLE_MAX])
{
	struct swarm_candidate out[SWARM_DRAW_MAX];
	uint64_t seed = random_mix(1000 * count + survey->asker.client.identity);
	double sum = 0;
	memset(hits, 0, PEOPLE_MAX * sizeof(*hits));
	for (unsigned r = 0; r < rounds; r++) {
		bool seen[PEOPLE_MAX] = { 0 };
		const size_t n = swarm_draw(&c->visit, survey, part, count, &seed, out);
		assert_true(n <= count);
		sum += (double)n;
		for (size_t i = 0; i < n; i++) {
			const uint32_t who = check_candidate(c, &out[i]);
			assert_false(seen[who]);
			seen[who] = true;
			hits[who]++;
		}
	}
	return sum / rounds;
}

/*
 * Are the hits of the candidates as equal as chance has it, and the others' zero? `drawn` of them on
 * average. Where runs of up to eight neighbours come together the sum varies five times as much.
 */
static void assert_uniform(const double *hits, const bool *candidate, uint32_t people, double drawn,
                           unsigned rounds)
{
	double all = 0, chi = 0;
	for (unsigned i = 0; i < people; i++)
		all += candidate[i];
	const double p = drawn < all ? drawn / all : 1, spread = drawn < 30 ? 1 : 5;
	for (unsigned i = 0; i < people; i++) {
		const double off = hits[i] - (candidate[i] ? rounds * p : 0);
		if (!candidate[i] || p >= 1)
			assert_true(off > -0.5 && off < 0.5);
		else
			chi += off * off / (rounds * p * (1 - p));
	}
	const double over = chi - all; /* variance about 2 * all */
	if (over > 0 && over * over > 36 * 2 * all * spread)
		fail_msg("chi square %f of %f candidates, %f drawn", chi, all, drawn);
	if (p < 1 && all >= 20)
		assert_true(chi > all / 4);
}

static void check_uniform(const struct crowd *c, const struct swarm_asker *asker, uint32_t who,
                          struct swarm_places around, enum swarm_part part, size_t count,
                          unsigned rounds)
{
	static double hits[PEOPLE_MAX];
	bool candidate[PEOPLE_MAX] = { 0 };
	struct swarm_survey survey;
	uint32_t all = 0;
	for (uint32_t i = 0; i < c->people; i++) {
		candidate[i] = i != who && stands_in(c, asker, around, part, i);
		all += candidate[i];
	}
	swarm_survey(&c->visit, asker, around, &survey);
	const double drawn = tally(c, &survey, part, count, rounds, hits);
	assert_true(drawn >= (double)(count < all ? count : all)); /* there are no ghosts */
	assert_uniform(hits, candidate, c->people, drawn, rounds);
}

static void every_candidate_is_equally_likely(void **state)
{
	(void)state;
	static const uint32_t people[] = { 57, 1300 }; /* one block; a directory */
	static const size_t counts[] = { 1, 7, 25, 60, 400, SWARM_DRAW_MAX };
	for (unsigned size = 0; size < 4; size++) {
		struct crowd c = crowd_of(people[size / 2], size % 2 == 0 ? IP_V4 : IP_V6);
		/* A seed, a leecher, a partial seed, a stranger; then a leecher that stands around
		 * where it asks from, and one that stands elsewhere. */
		const uint32_t askers[] = { 6, 10, 11, c.people + 5, 33, 2 };
		static const uint32_t owns[] = { 0, 0, 0, 4, 4, 8 };
		for (unsigned i = 0; i < 6; i++)
			for (unsigned k = 0; k < AROUNDS; k++) {
				const uint32_t who = askers[i];
				const uint32_t own = owns[i] > 0 ? owns[i] : place_of(who);
				struct swarm_asker asker = asker_in(&c, who, own);
				asker.seeding = asker.seeding && i < 4;
				for (enum swarm_part part = 0; part < SWARM_PARTS; part++)
					check_uniform(&c, &asker, who, around_of(k, own), part,
					              counts[(i + k + part + size) % 6], 500);
			}
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
		assert_int_equal(draw_all(&v, &asker, 4, &seed, out), 4);
		for (unsigned i = 0; i < 4; i++)
			swarm_endpoint(&v, &out[i], false, &e[i]);
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

/* Puts a person's record where another one is, as large swarms let it come about. */
static void haunt(const struct crowd *c, uint32_t who, uint32_t where)
{
	const struct swarm_peer ghost = person(who, IP_V4), asker = person(where, IP_V4);
	struct spot at;
	assert_true(crowd_find(c->visit.swarm, &ghost.client, ghost.role, &at));
	const struct sequence *s = &c->visit.swarm->of[false];
	endpoint_write(&asker.client, sequence_record(s, at)->endpoint);
}

/*
 * Two records of the asker's address and port under other identities. They count as candidates, so that
 * hardly anybody is left to be drawn instead where nearly all come.
 */
static void check_ghosts(uint32_t people, const size_t *counts, size_t n, unsigned rounds)
{
	enum { WHO = 40, GHOST_1 = 21, GHOST_2 = 3, GHOSTS = 2 };
	static double hits[PEOPLE_MAX];
	bool candidate[PEOPLE_MAX];
	struct crowd c = crowd_of(people, IP_V4);
	haunt(&c, GHOST_1, WHO);
	haunt(&c, GHOST_2, WHO);
	for (uint32_t i = 0; i < people; i++)
		candidate[i] = i != WHO && i != GHOST_1 && i != GHOST_2;
	struct swarm_asker asker = asker_of(&c, WHO);
	asker.seeding = false;
	const struct swarm_survey survey = survey_all(&c.visit, &asker);
	const size_t all = people - 1 - GHOSTS;
	assert_int_equal(survey.part[SWARM_ELSEWHERE].n, all + GHOSTS);
	for (size_t i = 0; i < n; i++) {
		const double drawn = tally(&c, &survey, SWARM_ELSEWHERE, counts[i], rounds, hits);
		if (counts[i] <= all / 2 || counts[i] >= all + GHOSTS)
			assert_true(drawn >= (double)(counts[i] < all ? counts[i] : all));
		else
			assert_true(drawn >= (double)counts[i] - GHOSTS);
		assert_uniform(hits, candidate, people, drawn, rounds);
	}
	crowd_free(&c);
}

static void never_draws_a_ghost_and_favours_nobody_for_it(void **state)
{
	(void)state;
	static const size_t few[] = { 1, 10, 20, 53, 54, 55, 56 };
	static const size_t many[] = { 1, 25, 40, 70, 130, 900 };
	check_ghosts(57, few, sizeof(few) / sizeof(*few), 20000);
	check_ghosts(1300, many, sizeof(many) / sizeof(*many), 1000);
}

/* An IPv4 client that asks for IPv6 peers, among which it stands too. */
static void never_draws_a_keyed_client_in_its_other_family(void **state)
{
	(void)state;
	enum { PEOPLE = 30, WHO = 4 };
	struct crowd c = crowd_of(PEOPLE, IP_V6);
	struct swarm_asker asker = asker_of(&c, WHO);
	asker.client.addr = person(WHO, IP_V4).client.addr;
	asker.seeding = false;
	struct swarm_candidate out[PEOPLE];
	uint64_t seed = 1;
	for (size_t count = 1; count <= PEOPLE; count++)
		for (unsigned r = 0; r < 200; r++) {
			const size_t n = draw_all(&c.visit, &asker, count, &seed, out);
			if (count <= PEOPLE / 3 || count == PEOPLE)
				assert_int_equal(n, count < PEOPLE ? count : PEOPLE - 1);
			assert_in_range(n, count - 1, count);
			for (size_t i = 0; i < n; i++)
				assert_int_not_equal(check_candidate(&c, &out[i]), WHO);
		}
	/* Without a key it cannot be told from others. */
	asker.client.keyed = false;
	assert_int_equal(draw_all(&c.visit, &asker, PEOPLE, &seed, out), PEOPLE);
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
	struct swarm_asker asker = { .client = client_of(5), .family = IP_V4 };
	asker.client.port = 0;
	struct swarm_candidate out[9];
	uint64_t seed = 1;
	for (size_t want = 1; want <= 9; want++)
		for (unsigned r = 0; r < 50; r++) {
			const size_t n = draw_all(&v, &asker, want, &seed, out);
			assert_int_equal(n, want < 3 ? want : 3);
			for (size_t i = 0; i < n; i++) {
				struct swarm_endpoint e;
				swarm_endpoint(&v, &out[i], false, &e);
				assert_int_equal(e.port, 6881);
			}
		}
	swarm_leave(&v);
	swarm_store_free(s);
}

/* Long lists come in runs of neighbours. Some lengths are no multiple of a run. */
static void long_lists_are_as_likely(void **state)
{
	(void)state;
	static const size_t counts[] = { 29, 30, 31, 59, 60, 61, 119, 120, 121, 130, 161 };
	for (unsigned family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
		struct crowd c = crowd_of(1300, (uint8_t)family);
		for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
			const uint32_t who = i % 2 == 0 ? 6 : 10;
			const struct swarm_asker asker = asker_of(&c, who);
			const struct swarm_places none = { 0 };
			check_uniform(&c, &asker, who, none, SWARM_ELSEWHERE, counts[i], 1000);
		}
		crowd_free(&c);
	}
}

/* How many of a draw stand next to one another: the length of runs that the header speaks of. */
static void runs_are_as_long_as_told(void **state)
{
	(void)state;
	enum { PEOPLE = 1400, ROUNDS = 50 };
	static const struct {
		size_t count;
		unsigned run;
	} rows[] = {
		{ 29, 1 }, { 30, 2 }, { 59, 2 }, { 60, 4 }, { 119, 4 }, { 120, 8 }, { 161, 8 }
	};
	struct crowd c = crowd_of(PEOPLE, IP_V4);
	const struct swarm_asker asker = asker_of(&c, PEOPLE + 1);
	static struct swarm_candidate out[PEOPLE];
	const struct swarm_survey survey = survey_all(&c.visit, &asker);
	uint64_t seed = 5;
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		size_t runs = 0;
		for (unsigned r = 0; r < ROUNDS; r++) {
			const size_t n = swarm_draw(&c.visit, &survey, SWARM_ELSEWHERE,
			                            rows[row].count, &seed, out);
			for (size_t i = 0; i < n; i++)
				runs += i == 0 || (const char *)out[i].record -
				                                  (const char *)out[i - 1].record !=
				                          1 << record_shift(false);
		}
		const double each = (double)rows[row].count * ROUNDS / (double)runs;
		if (each > rows[row].run * 1.2 || each < rows[row].run * 0.8)
			fail_msg("%zu come in runs of %.2f", rows[row].count, each);
	}
	crowd_free(&c);
}

static void takes_all_in_the_order_of_class_and_place(void **state)
{
	(void)state;
	for (uint32_t people = 20; people < 1000; people += 900) {
		struct crowd c = crowd_of(people, IP_V4);
		struct swarm_asker asker = asker_of(&c, people + 1);
		static struct swarm_candidate out[SWARM_DRAW_MAX];
		uint64_t seed = 1;
		const size_t n = draw_all(&c.visit, &asker, people, &seed, out);
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
	assert_int_equal(draw_all(&c.visit, &asker, N, &seed, out), SWARM_DRAW_MAX);
	for (unsigned i = 0; i < SWARM_DRAW_MAX; i++) {
		const uint32_t who = check_candidate(&c, &out[i]);
		assert_false(seen[who]);
		seen[who] = true;
	}
	assert_int_equal(draw_all(&c.visit, &asker, 0, &seed, out), 0);
	crowd_free(&c);
}

static void writes_the_compact_form(void **state)
{
	(void)state;
	enum { PEOPLE = 20 };
	for (unsigned family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
		struct crowd c = crowd_of(PEOPLE, (uint8_t)family);
		const struct swarm_asker asker = asker_of(&c, 1);
		const size_t address = family == IP_V4 ? 4 : 16;
		struct swarm_candidate out[PEOPLE];
		uint8_t bytes[PEOPLE * ENDPOINT_V6 + 1] = { 0 };
		uint64_t seed = 1;
		const size_t n = draw_all(&c.visit, &asker, PEOPLE, &seed, out);
		assert_true(n > 1);
		const uint8_t *end = bytes + n * (address + 2), *at = bytes;
		assert_ptr_equal(swarm_compact(out, n, bytes), end);
		for (size_t i = 0; i < n; i++, at += address + 2) {
			struct swarm_endpoint e;
			swarm_endpoint(&c.visit, &out[i], true, &e);
			assert_memory_equal(at, e.addr.bytes, address);
			assert_int_equal(at[address] << 8 | at[address + 1], e.port);
			assert_false(e.has_peer_id);
		}
		assert_int_equal(*end, 0);
		assert_ptr_equal(swarm_compact(out, 0, bytes), bytes);
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
	cmocka_unit_test(runs_are_as_long_as_told),
	cmocka_unit_test(takes_all_in_the_order_of_class_and_place),
	cmocka_unit_test(gives_at_most_the_maximum_at_once),
	cmocka_unit_test(writes_the_compact_form),
};

RUN_TESTS(tests)
