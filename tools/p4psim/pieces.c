/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/pieces.h"

#include "common/base/random.h"

struct part *pieces_part(struct peer *p, uint32_t piece)
{
	for (uint32_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].piece == piece)
			return &p->parts[i];
	return NULL;
}

void pieces_close(struct peer *p, struct part *part)
{
	*part = p->parts[--p->n_parts];
}

/* One that was left alone; else, with `shared`, the one where most is left for each helper. */
static struct part *pick_begun(struct peer *p, const uint64_t *offered, bool shared)
{
	struct part *best = NULL;
	double most = 0;
	for (uint32_t i = 0; i < p->n_parts; i++) {
		struct part *part = &p->parts[i];
		if ((part->users > 0) != shared || !pieces_has(offered, part->piece))
			continue;
		const double each = part->left / (part->users + 1);
		if (best == NULL || each > most) {
			best = part;
			most = each;
		}
	}
	return best;
}

/* Equal rarities are told apart by a hash that differs with each pick. */
static uint32_t pick_rarest(struct mesh *m, const struct peer *p, const uint64_t *offered)
{
	const uint8_t *rarity = m->rarity + (size_t)p->row * m->n_pieces;
	const uint64_t *started = m->started + (size_t)p->row * m->n_words;
	const uint32_t salt = (uint32_t)(random_next(&m->seed) >> 32);
	uint32_t best = NOBODY, best_rarity = UINT32_MAX, best_hash = 0;
	for (uint32_t w = 0; w < m->n_words; w++) {
		for (uint64_t bits = offered[w] & ~started[w]; bits != 0; bits &= bits - 1) {
			const uint32_t piece = 64 * w + (uint32_t)__builtin_ctzll(bits);
			if (rarity[piece] > best_rarity)
				continue;
			const uint32_t hash = (piece ^ salt) * 0x9e3779b1U;
			if (rarity[piece] == best_rarity && hash >= best_hash)
				continue;
			best = piece;
			best_rarity = rarity[piece];
			best_hash = hash;
		}
	}
	return best;
}

static struct part *begin(struct mesh *m, struct peer *p, uint32_t piece)
{
	struct part *part = &p->parts[p->n_parts++];
	m->started[(size_t)p->row * m->n_words + piece / 64] |= 1ULL << piece % 64;
	*part = (struct part){ .piece = piece,
		               .left = piece + 1 == m->n_pieces ? m->last_bytes : m->piece_bytes };
	return part;
}

struct part *pieces_pick(struct mesh *m, uint32_t taker, uint32_t giver)
{
	struct peer *p = &m->peers[taker];
	const uint64_t *offered = mesh_bits(m, &m->peers[giver]);
	struct part *part = pick_begun(p, offered, false);
	if (part == NULL && p->n_parts < m->max_ties) {
		const uint32_t piece = pick_rarest(m, p, offered);
		if (piece != NOBODY)
			part = begin(m, p, piece);
	}
	if (part == NULL)
		part = pick_begun(p, offered, true);
	if (part != NULL)
		part->users++;
	return part;
}
