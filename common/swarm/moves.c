/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/moves.h"

#include "common/swarm/crowd.h"

#include <stdlib.h>

enum { MOVES_MIN = 16 };

uint32_t swarm_map_number(const struct swarm_visit *v)
{
	if (v->swarm == NULL)
		return 0;
	const struct move *m = store_moves(v->shard, v->swarm);
	return m != NULL ? m->map_number : v->swarm->map_number;
}

bool swarm_is_moving(const struct swarm_visit *v)
{
	return v->swarm != NULL && v->swarm->moving;
}

static size_t move_bytes(const struct move *m)
{
	return sizeof(*m) + (m->mask + 1) / 8;
}

/* The last one's place in the shard is where the swarm's was. */
static void forget_moves(struct swarm_shard *shard, struct swarm *w, uint32_t map_number)
{
	const uint32_t gap = w->move, last = --shard->n_moves;
	if (gap < last) {
		shard->moves[gap] = shard->moves[last];
		shard->moves[gap]->swarm->move = gap & HEADER_FREE;
	}
	w->moving = false;
	w->map_number = map_number & HEADER_FREE;
}

void relocate_tidy(struct swarm_shard *shard, struct swarm *w)
{
	if (!w->moving)
		return;
	struct move **latest = &shard->moves[w->move];
	const uint32_t map_number = (*latest)->map_number;
	for (struct move **at = latest; *at != NULL;) {
		struct move *m = *at;
		if (move_is_empty(m)) {
			*at = m->next;
			shard->bytes -= move_bytes(m);
			free(m);
		} else {
			at = &m->next;
		}
	}
	if (*latest != NULL)
		(*latest)->map_number = map_number;
	else
		forget_moves(shard, w, map_number);
}

static bool make_room(struct swarm_shard *shard)
{
	if (shard->n_moves < shard->moves_room)
		return true;
	const uint32_t room = shard->moves_room > 0 ? 2 * shard->moves_room : MOVES_MIN;
	struct move **moves = realloc(shard->moves, room * sizeof(struct move *));
	if (moves == NULL)
		return false;
	shard->bytes += (room - shard->moves_room) * sizeof(struct move *);
	shard->moves = moves;
	shard->moves_room = room;
	return true;
}

/* A bit for each peer who might not be found. */
static struct move *new_move(uint32_t peers)
{
	uint32_t bits = 64;
	while (peers > SWARM_OLD_SEARCH_MAX && bits < peers)
		bits *= 2;
	struct move *m = calloc(1, sizeof(*m) + bits / 8);
	if (m != NULL)
		m->mask = bits - 1;
	return m;
}

/* The count of seeds stays. */
enum err move_begin(struct swarm_visit *v, uint32_t map_number)
{
	struct swarm *w = v->swarm;
	struct swarm_shard *shard = v->shard;
	struct move *m = new_move(w->of[0].n + w->of[1].n);
	if (m == NULL || !make_room(shard)) {
		free(m);
		return ERR_NOMEM;
	}
	shard->bytes += move_bytes(m);
	m->next = store_moves(shard, w);
	m->swarm = w;
	m->map_number = map_number;
	if (!w->moving)
		w->move = shard->n_moves++ & HEADER_FREE;
	shard->moves[w->move] = m;
	w->moving = true;
	for (unsigned i = 0; i < 2; i++) {
		m->old[i] = w->of[i];
		w->of[i] = (struct sequence){ .wide = i & 1, .seeds = m->old[i].seeds };
	}
	return ERR_OK;
}

static uint32_t bit_of(const struct move *m, uint64_t key)
{
	return (uint32_t)(key >> FLAG_BITS) & m->mask;
}

void move_add_stranger(struct move *m, uint64_t key)
{
	const uint32_t bit = bit_of(m, key);
	m->strangers[bit / 64] |= (uint64_t)1 << bit % 64;
}

bool move_has_stranger(const struct move *m, uint64_t key)
{
	const uint32_t bit = bit_of(m, key);
	return (m->strangers[bit / 64] >> bit % 64 & 1) != 0;
}
