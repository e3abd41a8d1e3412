/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/p4psim/meshes.h"

#include "common/base/random.h"

enum { EVENTS = 20000, LOOK = 50 };

/* ---- everything that the mesh keeps, counted anew ---- */

static void look_at_half(const struct mesh *m, uint32_t own, uint32_t *interested, uint32_t *served,
                         uint32_t *flows)
{
	const uint32_t peer = m->halves[own].peer, other = m->halves[own ^ 1].peer;
	uint32_t lacks = 0;
	for (uint32_t i = 0; i < PIECES; i++)
		lacks += !has_piece(m, other, i) && has_piece(m, peer, i);
	assert_int_equal(m->wanted[own ^ 1], lacks);
	const struct half *theirs = &m->halves[own ^ 1];
	assert_int_equal(theirs->flow != NOBODY, theirs->unchoked && lacks > 0);
	if (theirs->flow != NOBODY)
		assert_int_equal(m->flows[theirs->flow], own ^ 1);
	*interested += lacks > 0;
	*served += theirs->flow != NOBODY;
	*flows += theirs->flow != NOBODY;
}

static void look_at_rarity(const struct mesh *m, uint32_t peer)
{
	const struct peer *p = &m->peers[peer];
	for (uint32_t piece = 0; piece < PIECES && !p->whole; piece++) {
		uint32_t n = 0;
		for (uint32_t i = 0; i < p->n_ties; i++)
			n += has_piece(m, m->halves[p->neighbours[i].half ^ 1].peer, piece);
		assert_int_equal(m->rarity[(size_t)p->row * PIECES + piece], n);
	}
}

static void look(const struct mesh *m)
{
	uint32_t flows = 0;
	for (uint32_t i = 0; i < CROWD; i++) {
		const struct peer *p = &m->peers[i];
		uint32_t interested = 0, served = 0;
		if (p->state != PEER_HERE)
			continue;
		for (uint32_t k = 0; k < p->n_ties; k++) {
			const struct neighbour *n = &p->neighbours[k];
			const struct peer *other = &m->peers[m->halves[n->half ^ 1].peer];
			assert_int_equal(m->halves[n->half].peer, i);
			assert_int_equal(m->halves[n->half].at, k);
			assert_int_equal(n->row, other->row);
			assert_int_equal(other->state, PEER_HERE);
			assert_false(p->whole && other->whole);
			look_at_half(m, n->half, &interested, &served, &flows);
		}
		look_at_rarity(m, i);
		assert_int_equal(p->n_interested, interested);
		assert_int_equal(p->n_served, served);
		assert_true(p->n_ties <= m->max_ties);
	}
	assert_int_equal(m->n_flows, flows);
}

/* ---- by chance ---- */

static void happen(struct mesh *m, uint64_t *seed)
{
	const uint32_t a = random_below(seed, CROWD), b = random_below(seed, CROWD);
	struct peer *p = &m->peers[a];
	const uint32_t what = random_below(seed, 100);
	if (p->state == PEER_COMING) {
		assert_int_equal(mesh_join(m, a, 0), ERR_OK);
	} else if (p->state == PEER_GONE) {
		p->state = PEER_COMING; /* another one with its number */
	} else if (what == 0) {
		mesh_leave(m, a);
	} else if (what < 20) {
		assert_int_equal(mesh_tie(m, a, b), ERR_OK);
	} else if (what < 50 && p->n_ties > 0) {
		const uint32_t k = random_below(seed, p->n_ties);
		mesh_unchoke(m, p->neighbours[k].half ^ 1, random_below(seed, 2) == 0, 1);
	} else if (!p->whole) {
		const uint32_t piece = random_below(seed, PIECES);
		if (!has_piece(m, a, piece))
			assert_int_equal(mesh_have(m, a, piece), p->n_have == PIECES);
	}
}

static void what_is_kept_is_what_a_count_gives(void **state)
{
	(void)state;
	static struct fabric f;
	uint64_t seed = 3;
	fabric_init(&f);
	for (unsigned i = 0; i < EVENTS; i++) {
		happen(&f.mesh, &seed);
		if (i % LOOK == 0)
			look(&f.mesh);
	}
	assert_true(f.mesh.n_flows > 20);
	fabric_done(&f);
}

static void a_peer_has_no_more_ties_than_it_may(void **state)
{
	(void)state;
	static struct fabric f;
	fabric_init(&f);
	for (uint32_t i = 0; i < CROWD; i++)
		assert_int_equal(mesh_join(&f.mesh, i, 0), ERR_OK);
	for (uint32_t i = 0; i < CROWD; i++)
		for (uint32_t k = 0; k < CROWD; k++)
			assert_int_equal(mesh_tie(&f.mesh, i, k), ERR_OK);
	look(&f.mesh);
	assert_int_equal(f.mesh.peers[0].n_ties, 12);
	assert_int_equal(half_of(&f.mesh, 0, 1), NOBODY); /* the two seeds */
	fabric_done(&f);
}

/* Behind a NAT: it connects to others, nobody to it. */
static void who_cannot_be_reached_connects_all_the_same(void **state)
{
	(void)state;
	static struct fabric f;
	fabric_init(&f);
	for (uint32_t i = 2; i < 6; i++)
		assert_int_equal(mesh_join(&f.mesh, i, 0), ERR_OK);
	f.study.population.people[2].unreachable = true;
	f.study.population.people[3].unreachable = true;
	assert_int_equal(mesh_tie(&f.mesh, 4, 2), ERR_OK);
	assert_int_equal(mesh_tie(&f.mesh, 2, 3), ERR_OK);
	assert_int_equal(mesh_tie(&f.mesh, 3, 2), ERR_OK);
	assert_int_equal(f.mesh.peers[2].n_ties, 0);
	assert_int_equal(mesh_tie(&f.mesh, 2, 4), ERR_OK);
	assert_int_equal(mesh_tie(&f.mesh, 5, 4), ERR_OK);
	assert_int_not_equal(half_of(&f.mesh, 4, 2), NOBODY);
	assert_int_equal(f.mesh.peers[4].n_ties, 2);
	look(&f.mesh);
	fabric_done(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_is_kept_is_what_a_count_gives),
	cmocka_unit_test(a_peer_has_no_more_ties_than_it_may),
	cmocka_unit_test(who_cannot_be_reached_connects_all_the_same),
};

RUN_TESTS(tests)
