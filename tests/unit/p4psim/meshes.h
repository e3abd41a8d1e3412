/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A mesh without a tracker or time: 40 leechers and 2 seeds of one swarm, 200 pieces. */

#include "tests/unit/p4psim/studies.h"

#include "tools/p4psim/pieces.h"

enum { CROWD = 42, PIECES = 200 };

struct fabric {
	struct study study;
	struct mesh mesh;
};

static inline void fabric_init(struct fabric *f)
{
	load_text(&f->study,
	          "\"content\": {\"kib\": 3200, \"piece_kib\": 16},"
	          "\"client\": {\"max_connections\": 12},"
	          "\"peers\": [{\"pids\": {\"isp-a/a1\": 20, \"isp-b/b1\": 20},"
	          " \"access\": [{\"up_mbps\": 1, \"down_mbps\": 8}]}],"
	          "\"seeds\": [{\"pids\": {\"isp-a/a1\": 2},"
	          " \"access\": [{\"up_mbps\": 1, \"down_mbps\": 8}]}],"
	          "\"policies\": [{\"policy\": \"native\"}]",
	          NULL);
	assert_int_equal(f->study.population.n, CROWD);
	assert_int_equal(
		mesh_init(&f->mesh, &f->study.scenario, &f->study.population, &f->study.network),
		ERR_OK);
}

static inline void fabric_done(struct fabric *f)
{
	mesh_done(&f->mesh);
	study_done(&f->study);
}

/* The peer's own end of its tie with the other. */
static inline uint32_t half_of(const struct mesh *m, uint32_t peer, uint32_t other)
{
	const struct peer *p = &m->peers[peer];
	for (uint32_t i = 0; i < p->n_ties; i++)
		if (m->halves[p->neighbours[i].half ^ 1].peer == other)
			return p->neighbours[i].half;
	return NOBODY;
}

static inline bool has_piece(const struct mesh *m, uint32_t peer, uint32_t piece)
{
	return pieces_has(mesh_bits(m, &m->peers[peer]), piece);
}
