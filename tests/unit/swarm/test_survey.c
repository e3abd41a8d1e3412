/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/crowds.h"
#include "tests/unit/swarm/walk.h"

#include <string.h>

/* The runs of one part: which numbers are among them; returns how many. */
static uint32_t walk_range(const struct crowd *c, const struct swarm_range *r, uint32_t who,
                           bool *seen)
{
	const struct sequence *s = &c->visit.swarm->of[is_wide(c->family)];
	uint32_t n = 0;
	assert_in_range(r->n_runs, 0, SWARM_RUNS_MAX);
	for (unsigned i = 0; i < r->n_runs; i++) {
		const uint32_t first = r->runs[i].first;
		assert_true(r->runs[i].n > 0);
		assert_true(i == 0 || first >= r->runs[i - 1].first + r->runs[i - 1].n);
		assert_int_equal(r->runs[i].chunk, spot_of_rank(s, first).chunk);
		for (uint32_t k = 0; k < r->runs[i].n; k++, n++) {
			const struct record *one = sequence_record(s, spot_of_rank(s, first + k));
			const uint32_t number = number_of(one->endpoint);
			assert_true(number < c->people);
			assert_int_equal(number == who, r->self == n);
			seen[number] = true;
		}
	}
	return n;
}

/* Everybody near, whether they come in or not. */
static void check_near(const struct crowd *c, const struct swarm_survey *survey,
                       struct swarm_places around)
{
	uint32_t count[3] = { 0 };
	for (uint32_t i = 0; survey->asker.counted && i < c->people; i++)
		count[role_of(i)] += place_of(i) >= around.first && place_of(i) < around.end;
	assert_int_equal(survey->near.seeds, count[SWARM_SEED]);
	assert_int_equal(survey->near.leechers, count[SWARM_LEECHER]);
	assert_int_equal(survey->near.partial, count[SWARM_PARTIAL]);
}

static void check_one(const struct crowd *c, const struct swarm_asker *asker, uint32_t who,
                      struct swarm_places around)
{
	struct swarm_survey survey;
	memset(&survey, 0x7f, sizeof(survey));
	swarm_survey(&c->visit, asker, around, &survey);
	check_near(c, &survey, around);
	assert_memory_equal(&survey.asker, asker, sizeof(*asker));
	for (enum swarm_part part = SWARM_OWN_PLACE; part < SWARM_PARTS; part++) {
		const struct swarm_range *r = &survey.part[part];
		bool seen[PEOPLE_MAX] = { 0 };
		uint32_t n = 0;
		for (uint32_t i = 0; i < c->people; i++)
			n += stands_in(c, asker, around, part, i);
		const bool inside = stands_in(c, asker, around, part, who);
		assert_int_equal(walk_range(c, r, who, seen), n);
		assert_int_equal(r->n, n - inside);
		assert_int_equal(r->self >= 0, inside);
		for (uint32_t i = 0; i < c->people; i++)
			assert_int_equal(seen[i], stands_in(c, asker, around, part, i));
	}
}

static void check_survey(const struct crowd *c, const struct swarm_asker *asker, uint32_t who,
                         struct swarm_places around)
{
	struct swarm_asker as = *asker;
	for (unsigned i = 0; i < 4; i++) {
		as.seeds_only = i % 2;
		as.counted = i / 2;
		check_one(c, &as, who, around);
	}
}

static void finds_in_each_part_who_stands_there(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 1, 30, 128, 129, 200, PEOPLE_MAX };
	for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(*sizes); i++) {
		struct crowd c = crowd_of(sizes[i / 2], i % 2 == 0 ? IP_V4 : IP_V6);
		/* Seeds, leechers, partial seeds; of the small crowds, strangers, too. */
		for (uint32_t who = 0; who < 60; who += 1 + i)
			for (unsigned k = 0; k < AROUNDS; k++) {
				/* It stands in its place, around it, elsewhere. */
				const uint32_t own = 1 + (place_of(who) + k + who / 6) % 9;
				struct swarm_asker asker = asker_of(&c, who);
				check_survey(&c, &asker, who, around_of(k, place_of(who)));
				asker = asker_in(&c, who, own);
				check_survey(&c, &asker, who, around_of(k, own));
				asker.seeding = !asker.seeding; /* not as its record says */
				check_survey(&c, &asker, who, around_of(k, own));
			}
		crowd_free(&c);
	}
}

/* Without a visit that has just put it. */
static void finds_the_asker_itself(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 57, 1300 };
	for (unsigned i = 0; i < 4; i++) {
		struct crowd c = crowd_of(sizes[i / 2], i % 2 == 0 ? IP_V4 : IP_V6);
		for (uint32_t who = 0; who < 50; who++) {
			struct swarm_asker asker = asker_of(&c, who);
			asker.seeding = who % 4 == 0;
			for (unsigned k = 0; k < AROUNDS; k++) {
				const struct swarm_places around = around_of(k, place_of(who));
				(void)asker_of(&c, (who + 1) % 50); /* another is known */
				check_survey(&c, &asker, who, around);
				c.visit.self.known = false;
				check_survey(&c, &asker, who, around);
			}
		}
		crowd_free(&c);
	}
}

/* They are looked for only where there are some. */
static void finds_partial_seeds_when_there_are_some(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 20, 400 };
	for (unsigned i = 0; i < 2; i++) {
		struct swarm_store *s = store_of(1, 2, 1000);
		struct swarm_visit v = enter(s, 1, true);
		for (uint32_t n = 0; n < sizes[i]; n++)
			(void)put(&v, peer_of(n, n % 2), false);
		struct swarm_asker asker = { .client = client_of(5000), .family = IP_V4 };
		assert_int_equal(candidates(&v, &asker), sizes[i]);
		assert_int_equal(candidates_in(&v, asker, 1), sizes[i]);
		/* One leecher after the other is done with its part, and leaves. */
		for (uint32_t n = 1; n < sizes[i]; n += 2) {
			(void)put(&v, peer_of(n, SWARM_PARTIAL), false);
			asker.seeding = false;
			assert_int_equal(candidates(&v, &asker), sizes[i]);
			assert_int_equal(candidates_in(&v, asker, 1), sizes[i]);
			asker.seeding = true;
			assert_int_equal(candidates(&v, &asker), (sizes[i] - 1 - n) / 2);
		}
		asker.seeding = false;
		for (uint32_t n = 1; n < sizes[i]; n += 2) {
			assert_true(remove_number(&v, n));
			assert_int_equal(candidates(&v, &asker), sizes[i] - (n + 1) / 2);
		}
		swarm_leave(&v);
		swarm_store_free(s);
	}
}

static void counts_nobody_with_port_zero(void **state)
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
	assert_int_equal(candidates(&v, &asker), 2);
	/* And the asker itself may be unreachable. */
	asker.client = client_of(5);
	asker.client.port = 0;
	assert_int_equal(candidates(&v, &asker), 3);
	struct swarm_survey survey;
	asker.counted = true;
	swarm_survey(&v, &asker, (struct swarm_places){ 0, 5 }, &survey);
	assert_int_equal(survey.near.seeds, 1);
	assert_int_equal(survey.near.leechers, 1);
	assert_int_equal(survey.near.partial, 1);
	assert_int_equal(candidates_in(&v, asker, 0), 0); /* where the hidden ones are kept */
	swarm_leave(&v);
	swarm_store_free(s);
}

static void finds_nobody_where_nobody_is(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_visit v = enter(s, 1, true);
	(void)put(&v, peer_of(1, SWARM_LEECHER), false);
	/* Of the other family, and in a swarm that nobody made. */
	for (unsigned i = 0; i < 2; i++) {
		const struct swarm_asker asker = { .client = client_of(2),
			                           .family = i == 0 ? IP_V6 : IP_V4,
			                           .counted = true };
		struct swarm_survey survey;
		memset(&survey, 0x7f, sizeof(survey));
		swarm_survey(&v, &asker, (struct swarm_places){ 0, 5 }, &survey);
		for (unsigned part = 0; part < SWARM_PARTS; part++) {
			assert_int_equal(survey.part[part].n, 0);
			assert_int_equal(survey.part[part].n_runs, 0);
			assert_true(survey.part[part].self < 0);
		}
		assert_int_equal(survey.near.seeds + survey.near.leechers + survey.near.partial, 0);
		swarm_leave(&v);
		v = enter(s, 2, false);
	}
	swarm_leave(&v);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_in_each_part_who_stands_there),
	cmocka_unit_test(finds_the_asker_itself),
	cmocka_unit_test(finds_partial_seeds_when_there_are_some),
	cmocka_unit_test(counts_nobody_with_port_zero),
	cmocka_unit_test(finds_nobody_where_nobody_is),
};

RUN_TESTS(tests)
