/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/swarm/crowds.h"

#include "common/base/random.h"

static void finds_everybody_in_its_place(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 1, 30, 128, 129, 400, PEOPLE_MAX };
	for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(*sizes); i++) {
		struct crowd c = crowd_of(sizes[i / 2], i % 2 == 0 ? IP_V4 : IP_V6);
		for (uint32_t n = 0; n < sizes[i / 2] + 20; n++)
			for (uint32_t place = 0; place <= PLACES; place++) {
				const uint32_t tag = swarm_tag_of(identity_of(n));
				const bool here = n < c.people && place == place_of(n);
				struct swarm_candidate got = { .record = NULL };
				assert_int_equal(swarm_find(&c.visit, c.family, place, tag, &got),
				                 here);
				if (!here) {
					assert_null(got.record);
					continue;
				}
				assert_int_equal(number_of(got.record->endpoint), n);
				assert_int_equal(got.place, place);
				assert_int_equal(got.seed, role_of(n) == SWARM_SEED);
				assert_int_equal(got.wide, c.family == IP_V6);
				assert_int_equal(swarm_tag(&got), tag);
			}
		crowd_free(&c);
	}
}

/* ---- against a list ---- */

/* Few places and tags, among them the first and last, so that many share both. */
enum { PEOPLE = 300, TAGS = 8 };

static const uint32_t tags[TAGS] = { 0,          1,          2,          0x7fffffff,
	                             0x80000000, 0xfffffffd, 0xfffffffe, UINT32_MAX };
static const uint32_t places[] = { 0, 1, 2, SWARM_PLACES_MAX - 1 };

struct model_peer {
	bool here;
	struct swarm_peer peer;
};

static struct model_peer random_peer(uint32_t n, uint64_t *seed)
{
	struct swarm_peer p = peer_of(n, random_below(seed, 3));
	p.client.keyed = false; /* one at each address */
	p.client.place = places[n % 4];
	p.client.port = n % 5 == 0 ? 0 : 6881;
	/* 38 bits count: the six below the tag, and then some that do not. */
	p.client.identity = (uint64_t)tags[n / 4 % TAGS] << 32 | random_mix(n) >> 32;
	return (struct model_peer){ true, p };
}

static void compare(const struct swarm_visit *v, const struct model_peer *all, uint32_t place,
                    uint32_t tag)
{
	const struct swarm_peer *least = NULL;
	struct swarm_candidate got;
	for (uint32_t i = 0; i < PEOPLE; i++) {
		const struct swarm_peer *p = &all[i].peer;
		if (all[i].here && p->client.port > 0 && p->client.place == place &&
		    swarm_tag_of(p->client.identity) == tag &&
		    (least == NULL || p->role < least->role))
			least = p;
	}
	assert_int_equal(swarm_find(v, IP_V4, place, tag, &got), least != NULL);
	if (least == NULL)
		return;
	const struct model_peer *found = &all[number_of(got.record->endpoint)];
	assert_true(found->here);
	assert_int_equal(found->peer.role, least->role);
	assert_int_equal(found->peer.client.place, place);
	assert_int_equal(got.place, place);
	assert_int_equal(got.seed, least->role == SWARM_SEED);
	assert_int_equal(swarm_tag_of(found->peer.client.identity), tag);
	assert_int_equal(swarm_tag(&got), tag);
}

static void finds_as_a_list_does(void **state)
{
	(void)state;
	static struct model_peer all[PEOPLE];
	struct swarm_store *s = store_of(1, 2, 1000);
	struct swarm_visit v = enter(s, 1, true);
	uint64_t seed = 5;
	for (unsigned step = 0; step < 20000; step++) {
		const uint32_t n = random_below(&seed, PEOPLE);
		/* Tides: from a few in a block to all in chunks. */
		if (random_below(&seed, 8) < (step / 2000 % 2 ? 7 : 2)) {
			if (all[n].here)
				assert_true(swarm_remove(&v, &all[n].peer.client, NULL));
			all[n].here = false;
		} else {
			all[n] = random_peer(n, &seed);
			(void)put(&v, all[n].peer, false);
		}
		for (unsigned i = 0; i < 4; i++)
			compare(&v, all, places[i], tags[random_below(&seed, TAGS)]);
	}
	swarm_leave(&v);
	swarm_store_free(s);
}

static void finds_nobody_where_nobody_is(void **state)
{
	(void)state;
	struct swarm_store *s = store_of(1, 2, 100);
	struct swarm_candidate got;
	const uint32_t tag = swarm_tag_of(identity_of(1));
	struct swarm_visit v = enter(s, 2, false);
	assert_false(swarm_find(&v, IP_V4, 1, tag, &got));
	swarm_leave(&v);
	v = enter(s, 1, true);
	assert_false(swarm_find(&v, IP_V4, 1, tag, &got));
	(void)put(&v, peer_of(1, SWARM_LEECHER), false);
	assert_true(swarm_find(&v, IP_V4, 1, tag, &got));
	assert_false(swarm_find(&v, IP_V6, 1, tag, &got));
	assert_false(swarm_find(&v, IP_V4, SWARM_PLACES_MAX - 1, tag, &got));
	swarm_leave(&v);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_everybody_in_its_place),
	cmocka_unit_test(finds_as_a_list_does),
	cmocka_unit_test(finds_nobody_where_nobody_is),
};

RUN_TESTS(tests)
