/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whom a peer uploads to, as clients decide it (BEP 3): every ten seconds a leecher unchokes those
 * interested neighbours that gave it most in the last twenty, and one in five of its slots, at least
 * one, goes for thirty seconds to anybody (optimistic). A seed serves each for thirty seconds, those
 * first that have waited longest. A slot that falls free in between goes to any neighbour at once.
 */

#include "tools/p4psim/mesh.h"

enum { CHOKE_SECONDS = 10, CHOKE_ROUNDS = 3 /* of an optimistic unchoke, and of a seed's */ };

struct choke {
	uint32_t slots;
	struct choke_bid {
		uint32_t half; /* the neighbour's */
		double score;
	} * bids; /* room for the mesh's max_ties */
};

enum err choke_init(struct choke *c, const struct scenario *s) must_check;
void choke_done(struct choke *c);

void choke_round(struct choke *c, struct mesh *m, uint32_t peer, double now);
void choke_fill(struct choke *c, struct mesh *m, uint32_t peer, double now);
