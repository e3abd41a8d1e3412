/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/mesh.h"

#include "tools/p4psim/pieces.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 10 /* neighbours whose cells are asked for before they are needed */ };

enum err mesh_init(struct mesh *m, const struct scenario *s, const struct population *p,
                   const struct network *network)
{
	const uint32_t n = scenario_pieces(s);
	*m = (struct mesh){ .n_peers = (uint32_t)p->n,
		            .n_pieces = n,
		            .n_words = (n + 63) / 64,
		            .max_ties = s->max_connections,
		            .piece_bytes = s->piece_bytes,
		            .last_bytes =
		                    (double)(s->content_bytes - (uint64_t)(n - 1) * s->piece_bytes),
		            .people = p->people,
		            .network = network,
		            .free_half = NOBODY,
		            .seed = random_mix(s->seed + 1) };
	m->peers = calloc(p->n, sizeof(*m->peers));
	return m->peers != NULL ? ERR_OK : ERR_NOMEM;
}

void mesh_done(struct mesh *m)
{
	for (uint32_t i = 0; m->peers != NULL && i < m->n_peers; i++) {
		free(m->peers[i].neighbours);
		free(m->peers[i].parts);
	}
	free(m->peers);
	free(m->have);
	free(m->started);
	free(m->rarity);
	free(m->free_rows);
	free(m->halves);
	free(m->wanted);
	free(m->flows);
	free(m->lanes);
	*m = (struct mesh){ 0 };
}

/* Room for `n` things; what was there stays. */
static bool grow(void *array, size_t n, size_t size)
{
	void *old, *new;
	memcpy(&old, array, sizeof(old));
	new = realloc(old, n * size);
	if (new != NULL)
		memcpy(array, &new, sizeof(new));
	return new != NULL;
}

/* ---- flows ---- */

static void start_flow(struct mesh *m, uint32_t half)
{
	const uint32_t from = m->halves[half ^ 1].peer, to = m->halves[half].peer;
	const struct network *net = m->network;
	const struct network_path *path =
		network_path(net, m->people[from].site, m->people[to].site);
	m->halves[half].flow = m->n_flows;
	m->flows[m->n_flows] = half;
	m->lanes[m->n_flows++] = (struct maxmin_flow){ .up = mesh_up(net, from),
		                                       .down = mesh_down(net, to),
		                                       .path = net->steps + path->at,
		                                       .n_path = path->n };
	m->changed = true;
}

static void end_flow(struct mesh *m, uint32_t half)
{
	struct half *h = &m->halves[half];
	struct part *part = h->piece != NOBODY ? pieces_part(&m->peers[h->peer], h->piece) : NULL;
	if (part != NULL)
		part->users--;
	const uint32_t last = m->flows[--m->n_flows];
	m->flows[h->flow] = last;
	m->lanes[h->flow] = m->lanes[m->n_flows];
	m->halves[last].flow = h->flow;
	h->flow = h->piece = NOBODY;
	m->changed = true;
}

/* What hangs on whether a half wants something, and whether it may have it. */
static void follow(struct mesh *m, uint32_t half, bool wanted, bool unchoked)
{
	const struct half *h = &m->halves[half];
	struct peer *giver = &m->peers[m->halves[half ^ 1].peer];
	const bool flows = wanted && unchoked, flowed = h->flow != NOBODY;
	giver->n_served += (uint32_t)flows - (uint32_t)flowed;
	if (flows && !flowed)
		start_flow(m, half);
	else if (flowed && !flows)
		end_flow(m, half);
}

static void set_wanted(struct mesh *m, uint32_t half, uint32_t wanted)
{
	struct peer *giver = &m->peers[m->halves[half ^ 1].peer];
	giver->n_interested += (uint32_t)(wanted > 0) - (uint32_t)(m->wanted[half] > 0);
	m->wanted[half] = (uint16_t)wanted;
	follow(m, half, wanted > 0, m->halves[half].unchoked);
}

void mesh_unchoke(struct mesh *m, uint32_t half, bool unchoked, double now)
{
	struct half *h = &m->halves[half];
	if (unchoked == h->unchoked)
		return;
	if (unchoked)
		h->since = (float)now;
	h->unchoked = unchoked;
	follow(m, half, m->wanted[half] > 0, unchoked);
}

/* ---- ties ---- */

/* How rare pieces are to `p` changes by what a neighbour has. */
static void count_pieces(struct mesh *m, const struct peer *p, const struct peer *neighbour,
                         int sign)
{
	const uint64_t *have = mesh_bits(m, neighbour);
	uint8_t *rarity = m->rarity + (size_t)p->row * m->n_pieces;
	for (uint32_t w = 0; w < m->n_words; w++)
		for (uint64_t bits = have[w]; bits != 0; bits &= bits - 1) {
			uint8_t *r = &rarity[64 * w + (uint32_t)__builtin_ctzll(bits)];
			*r = (uint8_t)(*r + sign);
		}
}

static uint32_t missing(const struct mesh *m, const struct peer *p, const struct peer *neighbour)
{
	const uint64_t *own = mesh_bits(m, p), *have = mesh_bits(m, neighbour);
	uint32_t n = 0;
	for (uint32_t w = 0; w < m->n_words; w++)
		n += (uint32_t)__builtin_popcountll(have[w] & ~own[w]);
	return n;
}

static bool are_tied(const struct peer *a, const struct peer *b)
{
	for (uint32_t i = 0; i < a->n_ties; i++)
		if (a->neighbours[i].row == b->row)
			return true;
	return false;
}

/* Room for one tie more, and for its two flows. */
static enum err make_room(struct mesh *m)
{
	const uint32_t room = 2 * m->halves_room + 1024;
	if (m->free_half != NOBODY || m->n_halves < m->halves_room)
		return ERR_OK;
	if (!grow(&m->halves, room, sizeof(*m->halves)) ||
	    !grow(&m->wanted, room, sizeof(*m->wanted)) ||
	    !grow(&m->flows, room, sizeof(*m->flows)) || !grow(&m->lanes, room, sizeof(*m->lanes)))
		return ERR_NOMEM;
	m->halves_room = room;
	return ERR_OK;
}

static uint32_t take_tie(struct mesh *m)
{
	const uint32_t first = m->free_half != NOBODY ? m->free_half : m->n_halves;
	if (m->free_half != NOBODY)
		m->free_half = m->halves[first].peer;
	else
		m->n_halves += 2;
	return first;
}

static void add_neighbour(struct mesh *m, uint32_t half, struct peer *p, const struct peer *other)
{
	m->halves[half].at = p->n_ties;
	p->neighbours[p->n_ties++] = (struct neighbour){ .half = half, .row = other->row };
	count_pieces(m, p, other, 1);
	set_wanted(m, half, missing(m, p, other));
}

enum err mesh_tie(struct mesh *m, uint32_t from, uint32_t to)
{
	struct peer *p = &m->peers[from], *q = &m->peers[to];
	if (from == to || m->people[from].swarm != m->people[to].swarm ||
	    m->people[to].unreachable || p->state != PEER_HERE || q->state != PEER_HERE ||
	    (p->whole && q->whole) || p->n_ties >= m->max_ties || q->n_ties >= m->max_ties ||
	    are_tied(p, q))
		return ERR_OK;
	if (make_room(m) != ERR_OK)
		return ERR_NOMEM;
	const uint32_t first = take_tie(m);
	for (uint32_t i = 0; i < 2; i++) {
		m->wanted[first + i] = 0;
		m->halves[first + i] = (struct half){
			.peer = i == 0 ? from : to, .flow = NOBODY, .piece = NOBODY, .since = -1
		};
	}
	add_neighbour(m, first, p, q);
	add_neighbour(m, first + 1, q, p);
	return ERR_OK;
}

static void drop_neighbour(struct mesh *m, uint32_t half, const struct peer *other)
{
	const uint32_t at = m->halves[half].at;
	struct peer *p = &m->peers[m->halves[half].peer];
	set_wanted(m, half, 0);
	if (!p->whole)
		count_pieces(m, p, other, -1);
	p->neighbours[at] = p->neighbours[--p->n_ties];
	m->halves[p->neighbours[at].half].at = at;
}

static void untie(struct mesh *m, uint32_t half)
{
	const uint32_t first = half & ~1U;
	const uint32_t a = m->halves[first].peer, b = m->halves[first + 1].peer;
	drop_neighbour(m, first, &m->peers[b]);
	drop_neighbour(m, first + 1, &m->peers[a]);
	m->halves[first].peer = m->free_half;
	m->free_half = first;
}

/* ---- peers ---- */

/* A row of zeros. */
static enum err take_row(struct mesh *m, uint32_t *out)
{
	if (m->n_free_rows > 0) {
		*out = m->free_rows[--m->n_free_rows];
	} else {
		if (m->n_rows == m->rows_room) {
			const size_t room = 2 * (size_t)m->rows_room + 64;
			if (!grow(&m->have, room * m->n_words, sizeof(*m->have)) ||
			    !grow(&m->started, room * m->n_words, sizeof(*m->started)) ||
			    !grow(&m->rarity, room * m->n_pieces, sizeof(*m->rarity)) ||
			    !grow(&m->free_rows, room, sizeof(*m->free_rows)))
				return ERR_NOMEM;
			m->rows_room = (uint32_t)room;
		}
		*out = m->n_rows++;
	}
	memset(m->have + (size_t)*out * m->n_words, 0, m->n_words * sizeof(*m->have));
	memset(m->started + (size_t)*out * m->n_words, 0, m->n_words * sizeof(*m->started));
	memset(m->rarity + (size_t)*out * m->n_pieces, 0, m->n_pieces);
	return ERR_OK;
}

enum err mesh_join(struct mesh *m, uint32_t peer, double now)
{
	struct peer *p = &m->peers[peer];
	must(p->state == PEER_COMING);
	*p = (struct peer){ .state = PEER_HERE, .joined = now, .completed = -1 };
	p->neighbours = malloc(m->max_ties * sizeof(*p->neighbours));
	p->parts = malloc(m->max_ties * sizeof(*p->parts));
	if (p->neighbours == NULL || p->parts == NULL || take_row(m, &p->row) != ERR_OK)
		return ERR_NOMEM;
	p->whole = m->people[peer].seed;
	uint64_t *have = m->have + (size_t)p->row * m->n_words;
	for (uint32_t i = 0; p->whole && i < m->n_pieces; i++)
		have[i / 64] |= 1ULL << i % 64;
	p->n_have = p->whole ? m->n_pieces : 0;
	return ERR_OK;
}

void mesh_leave(struct mesh *m, uint32_t peer)
{
	struct peer *p = &m->peers[peer];
	while (p->n_ties > 0)
		untie(m, p->neighbours[p->n_ties - 1].half);
	m->free_rows[m->n_free_rows++] = p->row;
	free(p->neighbours);
	free(p->parts);
	p->neighbours = NULL;
	p->parts = NULL;
	p->state = PEER_GONE;
}

/* Those who have everything have nothing to say to each other. */
static void part_from_whole(struct mesh *m, const struct peer *p)
{
	for (uint32_t i = p->n_ties; i-- > 0;) {
		const uint32_t half = p->neighbours[i].half;
		if (m->peers[m->halves[half ^ 1].peer].whole)
			untie(m, half);
	}
}

bool mesh_have(struct mesh *m, uint32_t peer, uint32_t piece)
{
	struct peer *p = &m->peers[peer];
	const size_t word = piece / 64;
	m->have[(size_t)p->row * m->n_words + word] |= 1ULL << piece % 64;
	m->started[(size_t)p->row * m->n_words + word] |= 1ULL << piece % 64;
	p->n_have++;
	/* Most of a simulation is spent here: no branch that depends on who has what. */
	for (uint32_t i = 0; i < p->n_ties; i++) {
		const struct neighbour *n = &p->neighbours[i];
		if (i + AHEAD < p->n_ties)
			__builtin_prefetch(&m->rarity[n[AHEAD].row * (size_t)m->n_pieces + piece],
			                   1);
		if (i + AHEAD < p->n_ties)
			__builtin_prefetch(&m->wanted[n[AHEAD].half], 1);
		const uint32_t has = m->have[n->row * (size_t)m->n_words + word] >> piece % 64 & 1;
		const uint32_t touched = n->half ^ !has, wanted = m->wanted[touched] + 1 - 2 * has;
		m->rarity[n->row * (size_t)m->n_pieces + piece]++;
		if (wanted == !has) /* it begins to want something, or ends to */
			set_wanted(m, touched, wanted);
		else
			m->wanted[touched] = (uint16_t)wanted;
	}
	p->whole = p->n_have == m->n_pieces;
	if (p->whole)
		part_from_whole(m, p);
	return p->whole;
}
