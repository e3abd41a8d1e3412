/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/meshes.h"

#include "tools/p4psim/choke.h"

enum { SEED = 0, LEECHER = 2, FIRST = 3, NEIGHBOURS = 12, SLOTS = 5 };

/* Twelve neighbours that all want something of the seed and of the leecher. */
static void set_up(struct fabric *f, struct choke *c, uint32_t peer)
{
	fabric_init(f);
	assert_int_equal(choke_init(c, &f->study.scenario), ERR_OK);
	assert_int_equal(c->slots, SLOTS);
	for (uint32_t i = 0; i < CROWD; i++)
		assert_int_equal(mesh_join(&f->mesh, i, 0), ERR_OK);
	assert_false(mesh_have(&f->mesh, LEECHER, 0));
	for (uint32_t i = FIRST; i < FIRST + NEIGHBOURS; i++)
		assert_int_equal(mesh_tie(&f->mesh, peer, i), ERR_OK);
}

static void tear_down(struct fabric *f, struct choke *c)
{
	choke_done(c);
	fabric_done(f);
}

static bool is_served(const struct fabric *f, uint32_t peer, uint32_t neighbour)
{
	return f->mesh.halves[half_of(&f->mesh, neighbour, peer)].unchoked;
}

static uint32_t count_served(const struct fabric *f, uint32_t peer)
{
	uint32_t n = 0;
	for (uint32_t i = FIRST; i < FIRST + NEIGHBOURS; i++)
		n += is_served(f, peer, i);
	assert_int_equal(f->mesh.peers[peer].n_served, n);
	return n;
}

/* Four gave something, now or in the round before; the fifth slot is for anybody, for three rounds. */
static void a_leecher_serves_those_who_gave_it_most(void **state)
{
	(void)state;
	static struct fabric f;
	struct choke c;
	uint32_t optimistic[6];
	set_up(&f, &c, LEECHER);
	for (unsigned round = 0; round < 6; round++) {
		for (uint32_t i = 0; i < 4; i++)
			f.mesh.halves[half_of(&f.mesh, LEECHER, FIRST + 7 + i)].fresh = 1000;
		if (round == 3) /* what came before counts, too */
			f.mesh.halves[half_of(&f.mesh, LEECHER, FIRST + 7)].fresh = 0;
		choke_round(&c, &f.mesh, LEECHER, 10.0 * round);
		assert_int_equal(count_served(&f, LEECHER), SLOTS);
		for (uint32_t i = 0; i < 4; i++)
			assert_true(is_served(&f, LEECHER, FIRST + 7 + i));
		for (uint32_t i = FIRST; i < FIRST + NEIGHBOURS; i++)
			if (is_served(&f, LEECHER, i) && (i < FIRST + 7 || i > FIRST + 10))
				optimistic[round] = i;
	}
	assert_int_equal(optimistic[0], optimistic[2]);
	assert_int_equal(optimistic[3], optimistic[5]);
	tear_down(&f, &c);
}

static void a_seed_serves_everybody_in_turn(void **state)
{
	(void)state;
	static struct fabric f;
	struct choke c;
	uint32_t turns[CROWD] = { 0 };
	set_up(&f, &c, SEED);
	for (unsigned round = 0; round < 36; round++) { /* 12 turns of 5 slots for 12 neighbours */
		choke_round(&c, &f.mesh, SEED, 10.0 * round);
		assert_int_equal(count_served(&f, SEED), SLOTS);
		for (uint32_t i = FIRST; i < FIRST + NEIGHBOURS; i++)
			turns[i] += is_served(&f, SEED, i);
	}
	for (uint32_t i = FIRST; i < FIRST + NEIGHBOURS; i++)
		assert_in_range(turns[i], 12, 18);
	tear_down(&f, &c);
}

static void a_slot_that_falls_free_is_given_away(void **state)
{
	(void)state;
	static struct fabric f;
	struct choke c;
	set_up(&f, &c, SEED);
	choke_fill(&c, &f.mesh, SEED, 0);
	assert_int_equal(count_served(&f, SEED), SLOTS);
	for (uint32_t i = FIRST; i < FIRST + NEIGHBOURS; i++)
		if (is_served(&f, SEED, i)) {
			mesh_leave(&f.mesh, i);
			assert_int_equal(mesh_tie(&f.mesh, SEED, 30), ERR_OK);
			break;
		}
	assert_int_equal(f.mesh.peers[SEED].n_served, SLOTS - 1);
	choke_fill(&c, &f.mesh, SEED, 0);
	assert_int_equal(f.mesh.peers[SEED].n_served, SLOTS);
	tear_down(&f, &c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_leecher_serves_those_who_gave_it_most),
	cmocka_unit_test(a_seed_serves_everybody_in_turn),
	cmocka_unit_test(a_slot_that_falls_free_is_given_away),
};

RUN_TESTS(tests)
