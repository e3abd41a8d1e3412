/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/sim.h"

#include "tools/p4psim/choke.h"
#include "tools/p4psim/office.h"
#include "tools/p4psim/pieces.h"
#include "tools/p4psim/pricing.h"

#include <math.h>
#include <stdlib.h>

enum { FEW_TIES = 4 /* with fewer a leecher asks again before its time */ };

/* A piece that was filled in this step. */
struct filled {
	uint32_t peer, piece;
	double at;
};

struct sim {
	const struct sim_input *in;
	const struct scenario *scenario;
	struct mesh mesh;
	struct office office;
	struct pricing pricing;
	struct choke choke;
	struct maxmin maxmin;
	struct outcome *out;
	double *capacity; /* of the resources, bytes of content per second */
	double *rates;    /* of the flows */
	size_t rates_room;
	double expansion; /* bytes on the wire for one of content */
	double now, step, bin_ends;
	uint32_t next_arrival;
	uint32_t *here; /* peers */
	uint32_t n_here, n_leechers;
	struct filled *filled;
	size_t n_filled, filled_room;
	struct office_list list;
};

/* ---- beginning and end ---- */

/* So short that a typical line moves no more than a piece, and a whole number of them is a round. */
static double step_for(const struct scenario *s, const struct population *p)
{
	double sum = 0;
	for (size_t i = 0; i < p->n; i++)
		sum += p->people[i].up_bps;
	const double piece = 8.0 * s->piece_bytes * (double)p->n / sum;
	const double wanted = piece > 1 ? 1 : piece < .1 ? .1 : piece;
	return CHOKE_SECONDS / ceil(CHOKE_SECONDS / wanted);
}

static void set_capacities(struct sim *s)
{
	const struct population *p = s->in->population;
	const struct network *n = s->in->network;
	const double unit = 1 / (8 * s->expansion);
	for (uint32_t i = 0; i < p->n; i++) {
		s->capacity[mesh_up(n, i)] = p->people[i].up_bps * unit;
		s->capacity[mesh_down(n, i)] = p->people[i].down_bps * unit;
	}
	for (size_t i = 0; i < n->n_segments; i++) {
		const uint64_t bps = n->segments[i].capacity_bps;
		s->capacity[i] = bps > 0 ? (double)bps * unit : (double)INFINITY;
	}
}

static enum err begin(struct sim *s, const struct scenario_arm *arm)
{
	const struct population *p = s->in->population;
	const struct network *n = s->in->network;
	const size_t resources = 2 * p->n + n->n_segments;
	s->expansion = 1 + s->scenario->overhead_percent / 100.0;
	s->step = step_for(s->scenario, p);
	s->bin_ends = s->scenario->bin_seconds;
	s->here = malloc(p->n * sizeof(*s->here));
	s->capacity = malloc(resources * sizeof(*s->capacity));
	if (s->here == NULL || s->capacity == NULL ||
	    office_open(&s->office, s->scenario, arm, p, n) != ERR_OK ||
	    pricing_init(&s->pricing, n, s->scenario) != ERR_OK ||
	    mesh_init(&s->mesh, s->scenario, p, n) != ERR_OK ||
	    choke_init(&s->choke, s->scenario) != ERR_OK ||
	    maxmin_init(&s->maxmin, resources) != ERR_OK)
		return ERR_NOMEM;
	set_capacities(s);
	return ERR_OK;
}

static void end(struct sim *s)
{
	office_close(&s->office);
	pricing_done(&s->pricing);
	mesh_done(&s->mesh);
	choke_done(&s->choke);
	maxmin_done(&s->maxmin);
	free(s->here);
	free(s->capacity);
	free(s->rates);
	free(s->filled);
}

/* ---- peers ---- */

/* It has just announced and will be back as it was told, or as soon as clients of its kind do. */
static void heed(struct sim *s, uint32_t peer)
{
	struct peer *p = &s->mesh.peers[peer];
	const uint32_t told = s->list.interval, least = s->scenario->min_announce_seconds;
	p->announced = s->now;
	p->n_told = p->n_have;
	p->interval = told > least ? told : least;
}

static enum err announce(struct sim *s, uint32_t peer)
{
	struct peer *p = &s->mesh.peers[peer];
	const struct office_ask ask = { .peer = peer,
		                        .want = s->office.arm->numwant,
		                        .whole = p->whole,
		                        .received = (uint64_t)((p->n_have - p->n_told) *
		                                               s->mesh.piece_bytes),
		                        .seconds = (uint32_t)(s->now - p->announced),
		                        .now = s->now };
	enum err e = office_announce(&s->office, &ask, &s->list);
	heed(s, peer);
	for (size_t i = 0; e == ERR_OK && i < s->list.n; i++)
		e = mesh_tie(&s->mesh, peer, s->list.peers[i]);
	return e;
}

static enum err arrive(struct sim *s)
{
	const struct population *all = s->in->population;
	for (; s->next_arrival < all->n; s->next_arrival++) {
		const uint32_t peer = s->next_arrival;
		const struct person *person = &all->people[peer];
		if (person->arrives > s->now)
			break;
		if (mesh_join(&s->mesh, peer, s->now) != ERR_OK)
			return ERR_NOMEM;
		s->mesh.peers[peer].leaves =
			person->seed ? (double)INFINITY : s->now + person->patience;
		s->mesh.peers[peer].next_round = s->now + CHOKE_SECONDS;
		s->here[s->n_here++] = peer;
		s->n_leechers += !person->seed;
		if (announce(s, peer) != ERR_OK)
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* Notes what became of a leecher. */
static void note(struct sim *s, uint32_t peer, bool gave_up)
{
	const struct person *person = &s->in->population->people[peer];
	const struct peer *p = &s->mesh.peers[peer];
	if (person->seed)
		return;
	s->out->peers[s->out->n_peers++] = (struct outcome_peer){
		.person = peer,
		.site = person->site,
		.seconds = p->completed >= 0 ? p->completed - p->joined : -1,
		.gave_up = gave_up,
	};
}

static enum err depart(struct sim *s, uint32_t peer)
{
	const bool whole = s->mesh.peers[peer].whole;
	s->n_leechers -= !whole;
	if (!whole)
		note(s, peer, true);
	mesh_leave(&s->mesh, peer);
	return office_stop(&s->office, peer, s->now);
}

/* What a peer does in this step. */
static enum err tend(struct sim *s, uint32_t peer)
{
	struct peer *p = &s->mesh.peers[peer];
	const double silent = s->now - p->announced;
	const bool lonely = !p->whole && p->n_ties < FEW_TIES;
	if (silent >= p->interval || (lonely && silent >= s->scenario->retry_seconds))
		if (announce(s, peer) != ERR_OK)
			return ERR_NOMEM;
	if (p->next_round <= s->now) {
		p->next_round +=
			CHOKE_SECONDS * (1 + floor((s->now - p->next_round) / CHOKE_SECONDS));
		choke_round(&s->choke, &s->mesh, peer, s->now);
	} else if (p->n_served < s->choke.slots && p->n_interested > p->n_served) {
		choke_fill(&s->choke, &s->mesh, peer, s->now);
	}
	return ERR_OK;
}

static enum err tend_all(struct sim *s)
{
	for (uint32_t i = 0; i < s->n_here;) {
		const uint32_t peer = s->here[i];
		if (s->mesh.peers[peer].leaves <= s->now) {
			if (depart(s, peer) != ERR_OK)
				return ERR_NOMEM;
			s->here[i] = s->here[--s->n_here];
			continue;
		}
		if (tend(s, peer) != ERR_OK)
			return ERR_NOMEM;
		i++;
	}
	return ERR_OK;
}

/* ---- bytes ---- */

static enum err share(struct sim *s)
{
	struct mesh *m = &s->mesh;
	if (!m->changed)
		return ERR_OK;
	m->changed = false;
	if (m->n_flows > s->rates_room) {
		free(s->rates);
		s->rates_room = 2 * (size_t)m->n_flows;
		s->rates = malloc(s->rates_room * sizeof(*s->rates));
		if (s->rates == NULL)
			return ERR_NOMEM;
	}
	return maxmin_share(&s->maxmin, s->capacity, m->lanes, m->n_flows, s->rates);
}

static enum err note_filled(struct sim *s, struct filled one)
{
	if (s->n_filled == s->filled_room) {
		s->filled_room = 2 * s->filled_room + 64;
		struct filled *filled = realloc(s->filled, s->filled_room * sizeof(*filled));
		if (filled == NULL)
			return ERR_NOMEM;
		s->filled = filled;
	}
	s->filled[s->n_filled++] = one;
	return ERR_OK;
}

/* What the flow fetches, or what it shall fetch next, or NULL. */
static struct part *part_for(struct mesh *m, struct half *h, uint32_t giver)
{
	struct peer *p = &m->peers[h->peer];
	struct part *part = NULL;
	if (h->piece != NOBODY && h->part < p->n_parts && p->parts[h->part].piece == h->piece)
		return &p->parts[h->part];
	if (h->piece != NOBODY)
		part = pieces_part(p, h->piece);
	if (part == NULL)
		part = pieces_pick(m, h->peer, giver);
	h->piece = part != NULL ? part->piece : NOBODY;
	h->part = part != NULL ? (uint32_t)(part - p->parts) : 0;
	return part;
}

/* One flow through one step. */
static enum err carry(struct sim *s, uint32_t half, double rate)
{
	static const double crumb = 1e-6; /* of a byte: what rounding leaves */
	struct mesh *m = &s->mesh;
	struct half *h = &m->halves[half];
	const uint32_t taker = h->peer, giver = m->halves[half ^ 1].peer;
	const double most = rate * s->step;
	double moved = 0;
	while (most - moved > crumb) {
		struct part *part = part_for(m, h, giver);
		if (part == NULL)
			break;
		const double bytes = part->left < most - moved ? part->left : most - moved;
		moved += bytes;
		part->left -= bytes;
		if (part->left > crumb)
			break;
		const struct filled one = { taker, h->piece, s->now + moved / rate };
		pieces_close(&m->peers[taker], part);
		h->piece = NOBODY;
		if (note_filled(s, one) != ERR_OK)
			return ERR_NOMEM;
	}
	h->fresh += (float)moved;
	s->out->open[m->people[giver].site * s->out->n_sites + m->people[taker].site] +=
		moved * s->expansion;
	return ERR_OK;
}

static enum err carry_all(struct sim *s)
{
	for (uint32_t i = 0; i < s->mesh.n_flows; i++)
		if (carry(s, s->mesh.flows[i], s->rates[i]) != ERR_OK)
			return ERR_NOMEM;
	return ERR_OK;
}

/* Filled pieces become known, in the order of the flows that filled them. */
static enum err announce_pieces(struct sim *s)
{
	struct mesh *m = &s->mesh;
	for (size_t i = 0; i < s->n_filled; i++) {
		const struct filled *f = &s->filled[i];
		struct peer *p = &m->peers[f->peer];
		p->last_piece = f->at > p->last_piece ? f->at : p->last_piece;
		s->out->content += f->piece + 1 == m->n_pieces ? m->last_bytes : m->piece_bytes;
		if (!mesh_have(m, f->peer, f->piece))
			continue;
		p->completed = p->last_piece;
		p->leaves = p->completed + m->people[f->peer].stays;
		s->n_leechers--;
		note(s, f->peer, false);
		const struct office_ask ask = { .peer = f->peer, .whole = true, .now = s->now };
		if (office_announce(&s->office, &ask, &s->list) != ERR_OK)
			return ERR_NOMEM;
		heed(s, f->peer);
	}
	s->n_filled = 0;
	return ERR_OK;
}

/* ---- time ---- */

static enum err close_bins(struct sim *s)
{
	while (s->now >= s->bin_ends - s->step / 2) {
		if (outcome_close_bin(s->out, s->in->network) != ERR_OK)
			return ERR_NOMEM;
		s->bin_ends += s->scenario->bin_seconds;
		if (s->office.arm->prices != PRICES_LIVE)
			continue;
		if (pricing_follow(&s->pricing, s->out) != ERR_OK)
			return ERR_NOMEM;
		s->office.map = s->pricing.map;
	}
	return ERR_OK;
}

static enum err run(struct sim *s)
{
	const struct population *all = s->in->population;
	for (uint64_t n = 0;; n++) {
		s->now = (double)n * s->step;
		if (close_bins(s) != ERR_OK || arrive(s) != ERR_OK)
			return ERR_NOMEM;
		const bool idle = s->n_leechers == 0;
		if ((idle && s->next_arrival == all->n) || s->now >= s->scenario->max_seconds)
			break;
		if (tend_all(s) != ERR_OK || share(s) != ERR_OK || carry_all(s) != ERR_OK ||
		    announce_pieces(s) != ERR_OK)
			return ERR_NOMEM;
		if (idle) { /* nothing happens before somebody comes */
			const double next = all->people[s->next_arrival].arrives;
			n = (uint64_t)ceil(next / s->step) - 1;
			n += (double)(n + 1) * s->step < next; /* rounded, it may come too late */
		}
	}
	for (uint32_t i = 0; i < s->n_here; i++)
		if (!s->mesh.peers[s->here[i]].whole)
			note(s, s->here[i], false);
	s->out->seconds = s->now;
	s->out->step = s->step;
	return outcome_close_bin(s->out, s->in->network);
}

enum err sim_run(const struct sim_input *in, const struct scenario_arm *arm, struct outcome *out)
{
	struct sim s = { .in = in, .scenario = in->scenario, .out = out };
	enum err e = outcome_init(out, in->network, in->population->n - in->population->n_seeds);
	if (e != ERR_OK)
		return e;
	e = begin(&s, arm);
	if (e == ERR_OK)
		e = run(&s);
	end(&s);
	if (e != ERR_OK)
		outcome_done(out);
	return e;
}
