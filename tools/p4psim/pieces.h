/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which piece a flow fetches next: one that was begun and that nobody fetches now; else, of those not
 * begun, a rarest among the peer's neighbours, by chance; else it helps with one that others fetch.
 */

#include "tools/p4psim/mesh.h"

/* The part to fetch from `giver`, or NULL: it has nothing that is missing. */
struct part *pieces_pick(struct mesh *m, uint32_t taker, uint32_t giver);

/* The part of a piece, or NULL. */
struct part *pieces_part(struct peer *p, uint32_t piece);

/* It is filled: no more a part. */
void pieces_close(struct peer *p, struct part *part);

static inline bool pieces_has(const uint64_t *bits, uint32_t piece)
{
	return bits[piece / 64] >> piece % 64 & 1;
}
