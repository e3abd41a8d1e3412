/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/meshes.h"

enum { TAKER = 2, GIVER = 3, OTHER = 4, BARE = 5 }; /* the seeds are 0 and 1 */

/* The giver has pieces 0 to 9, the other 0 to 7; the taker nothing yet, and both for neighbours. */
static void set_up(struct fabric *f)
{
	fabric_init(f);
	for (uint32_t i = 0; i <= BARE; i++)
		assert_int_equal(mesh_join(&f->mesh, i, 0), ERR_OK);
	for (uint32_t i = 0; i < 10; i++)
		assert_false(mesh_have(&f->mesh, GIVER, i));
	for (uint32_t i = 0; i < 8; i++)
		assert_false(mesh_have(&f->mesh, OTHER, i));
	assert_int_equal(mesh_tie(&f->mesh, TAKER, GIVER), ERR_OK);
	assert_int_equal(mesh_tie(&f->mesh, TAKER, OTHER), ERR_OK);
}

static void the_rarest_come_first_and_by_chance(void **state)
{
	(void)state;
	static struct fabric f;
	uint32_t first[10] = { 0 };
	set_up(&f);
	for (unsigned round = 0; round < 200; round++) {
		struct peer *taker = &f.mesh.peers[TAKER];
		const struct part *part = pieces_pick(&f.mesh, TAKER, GIVER);
		assert_non_null(part);
		assert_true(part->piece == 8 || part->piece == 9);
		first[part->piece]++;
		f.mesh.started[(size_t)taker->row * f.mesh.n_words] = 0;
		taker->n_parts = 0;
	}
	assert_in_range(first[8], 60, 140);
	fabric_done(&f);
}

static void what_was_begun_is_ended_first_and_then_shared(void **state)
{
	(void)state;
	static struct fabric f;
	set_up(&f);
	struct peer *taker = &f.mesh.peers[TAKER];
	bool fetched[10] = { false };
	for (unsigned i = 0; i < 10; i++) {
		const struct part *part = pieces_pick(&f.mesh, TAKER, GIVER);
		assert_false(fetched[part->piece]);
		fetched[part->piece] = true;
	}
	assert_int_equal(taker->n_parts, 10);
	pieces_part(taker, 3)->users = 0; /* its flow ended */
	pieces_part(taker, 9)->users = 0;
	assert_int_equal(pieces_pick(&f.mesh, TAKER, OTHER)->piece, 3);
	pieces_part(taker, 5)->left *= 10;
	assert_int_equal(pieces_pick(&f.mesh, TAKER, OTHER)->piece, 5); /* most is left of it */
	assert_int_equal(pieces_part(taker, 5)->users, 2);
	fabric_done(&f);
}

static void who_has_nothing_that_is_missing_gives_nothing(void **state)
{
	(void)state;
	static struct fabric f;
	set_up(&f);
	assert_null(pieces_pick(&f.mesh, TAKER, BARE));
	assert_null(pieces_pick(&f.mesh, GIVER, OTHER));
	fabric_done(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_rarest_come_first_and_by_chance),
	cmocka_unit_test(what_was_begun_is_ended_first_and_then_shared),
	cmocka_unit_test(who_has_nothing_that_is_missing_gives_nothing),
};

RUN_TESTS(tests)
