/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/choke.h"

#include "tools/p4psim/chance.h"

#include <stdlib.h>

enum err choke_init(struct choke *c, const struct scenario *s)
{
	*c = (struct choke){ .slots = s->upload_slots,
		             .bids = malloc(s->max_connections * sizeof(*c->bids)) };
	return c->bids != NULL ? ERR_OK : ERR_NOMEM;
}

void choke_done(struct choke *c)
{
	free(c->bids);
	*c = (struct choke){ 0 };
}

/* What a neighbour is worth. Less than one byte, or second, decides by chance. */
static double appraise(struct mesh *m, const struct peer *p, struct half *own,
                       const struct half *other, double now)
{
	const double given = (double)own->fresh + (double)own->stale;
	own->stale = own->fresh;
	own->fresh = 0;
	if (!p->whole)
		return given + chance_unit(&m->seed);
	const double since = (double)other->since;
	if (other->unchoked && now - since < CHOKE_ROUNDS * CHOKE_SECONDS)
		return 1 + chance_unit(&m->seed);
	return chance_unit(&m->seed) - (since < 0 ? 0 : 1 + since);
}

/* The interested neighbours; the others are choked. */
static uint32_t collect(struct choke *c, struct mesh *m, uint32_t peer, double now)
{
	const struct peer *p = &m->peers[peer];
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->n_ties; i++) {
		const uint32_t own = p->neighbours[i].half, other = own ^ 1;
		const double score = appraise(m, p, &m->halves[own], &m->halves[other], now);
		if (m->wanted[other] > 0)
			c->bids[n++] = (struct choke_bid){ other, score };
		else
			mesh_unchoke(m, other, false, now);
	}
	return n;
}

static void swap(struct choke_bid *a, struct choke_bid *b)
{
	const struct choke_bid t = *a;
	*a = *b;
	*b = t;
}

/* The best `want` of them to the front. */
static uint32_t select_best(struct choke_bid *bids, uint32_t n, uint32_t want)
{
	for (uint32_t i = 0; i < want && i < n; i++) {
		uint32_t best = i;
		for (uint32_t k = i + 1; k < n; k++)
			if (bids[k].score > bids[best].score)
				best = k;
		swap(&bids[i], &bids[best]);
	}
	return want < n ? want : n;
}

/* Some of the rest: who has a slot keeps it, if `keep`; then anybody. */
static uint32_t select_any(const struct mesh *m, struct choke_bid *bids, uint32_t n, uint32_t want,
                           bool keep, uint64_t *seed)
{
	uint32_t taken = 0;
	for (uint32_t i = 0; keep && i < n && taken < want; i++)
		if (m->halves[bids[i].half].unchoked)
			swap(&bids[taken++], &bids[i]);
	for (; taken < want && taken < n; taken++)
		swap(&bids[taken], &bids[taken + random_below(seed, n - taken)]);
	return taken;
}

void choke_round(struct choke *c, struct mesh *m, uint32_t peer, double now)
{
	struct peer *p = &m->peers[peer];
	const uint32_t n = collect(c, m, peer, now);
	const uint32_t any = p->whole ? 0 : c->slots >= 10 ? c->slots / 5 : 1;
	const bool keep = p->rounds++ % CHOKE_ROUNDS != 0;
	uint32_t chosen = select_best(c->bids, n, c->slots - any);
	chosen += select_any(m, c->bids + chosen, n - chosen, c->slots - chosen, keep, &m->seed);
	/* First those who lose, so that nobody counts twice. */
	for (uint32_t i = n; i-- > 0;)
		mesh_unchoke(m, c->bids[i].half, i < chosen, now);
}

void choke_fill(struct choke *c, struct mesh *m, uint32_t peer, double now)
{
	const struct peer *p = &m->peers[peer];
	uint32_t n = 0;
	if (p->n_served >= c->slots || p->n_interested <= p->n_served)
		return;
	for (uint32_t i = 0; i < p->n_ties; i++) {
		const uint32_t other = p->neighbours[i].half ^ 1;
		if (m->wanted[other] > 0 && !m->halves[other].unchoked)
			c->bids[n++] = (struct choke_bid){ other, 0 };
	}
	n = select_any(m, c->bids, n, c->slots - p->n_served, false, &m->seed);
	for (uint32_t i = 0; i < n; i++)
		mesh_unchoke(m, c->bids[i].half, true, now);
}
