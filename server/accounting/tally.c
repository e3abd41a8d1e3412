/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/tally.h"

#include "common/base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t home_of_row(const struct tally *t, uint64_t swarm, uint32_t place)
{
	return (uint32_t)random_mix(swarm ^ place) & t->row_index.mask;
}

/* The places handed out in one reply are neighbours: one miss of the cache instead of one each. */
static uint32_t home_of_cell(const struct tally *t, uint64_t swarm, uint32_t from, uint32_t to)
{
	return ((uint32_t)random_mix(swarm ^ from) + to) & t->cell_index.mask;
}

static enum err index_init(struct tally_index *x, size_t room)
{
	uint32_t *slots = calloc(2 * room, sizeof(*slots));
	if (slots == NULL)
		return ERR_NOMEM;
	free(x->slots);
	x->slots = slots;
	x->mask = (uint32_t)(2 * room - 1);
	return ERR_OK;
}

static void index_clear(struct tally_index *x)
{
	memset(x->slots, 0, ((size_t)x->mask + 1) * sizeof(*x->slots));
}

static void index_put(const struct tally_index *x, uint32_t at, size_t position)
{
	while (x->slots[at] != 0)
		at = (at + 1) & x->mask;
	x->slots[at] = (uint32_t)position + 1;
}

static enum err rows_resize(struct tally *t, size_t room)
{
	struct tally_row *rows = realloc(t->rows, room * sizeof(*rows));
	if (rows == NULL)
		return ERR_NOMEM;
	t->rows = rows;
	if (index_init(&t->row_index, room) != ERR_OK)
		return ERR_NOMEM;
	t->rows_room = room;
	for (size_t i = 0; i < t->n_rows; i++)
		index_put(&t->row_index, home_of_row(t, rows[i].swarm, rows[i].place), i);
	return ERR_OK;
}

static enum err cells_resize(struct tally *t, size_t room)
{
	struct tally_cell *cells = realloc(t->cells, room * sizeof(*cells));
	if (cells == NULL)
		return ERR_NOMEM;
	t->cells = cells;
	if (index_init(&t->cell_index, room) != ERR_OK)
		return ERR_NOMEM;
	t->cells_room = room;
	for (size_t i = 0; i < t->n_cells; i++) {
		const struct tally_cell *c = &cells[i];
		index_put(&t->cell_index, home_of_cell(t, c->swarm, c->from, c->to), i);
	}
	return ERR_OK;
}

static enum err times_resize(struct tally *t, size_t room)
{
	struct tally_time *times = realloc(t->times, room * sizeof(*times) + 1);
	if (times == NULL)
		return ERR_NOMEM;
	t->times = times;
	t->times_room = room;
	return ERR_OK;
}

enum err tally_init(struct tally *t, struct tally_size room, struct tally_size max)
{
	must((room.rows & (room.rows - 1)) == 0 && (room.cells & (room.cells - 1)) == 0);
	*t = (struct tally){ .rows_max = max.rows, .cells_max = max.cells, .times_max = max.times };
	if (rows_resize(t, room.rows) == ERR_OK && cells_resize(t, room.cells) == ERR_OK &&
	    times_resize(t, room.times) == ERR_OK)
		return ERR_OK;
	tally_done(t);
	return ERR_NOMEM;
}

void tally_touch(struct tally *t)
{
	must(t->n_rows == 0 && t->n_cells == 0);
	memset(t->rows, 0, t->rows_room * sizeof(*t->rows));
	memset(t->cells, 0, t->cells_room * sizeof(*t->cells));
	memset(t->times, 0, t->times_room * sizeof(*t->times));
	index_clear(&t->row_index);
	index_clear(&t->cell_index);
}

void tally_done(struct tally *t)
{
	free(t->rows);
	free(t->cells);
	free(t->times);
	free(t->row_index.slots);
	free(t->cell_index.slots);
	*t = (struct tally){ 0 };
}

void tally_clear(struct tally *t)
{
	if (t->n_rows > 0)
		index_clear(&t->row_index);
	if (t->n_cells > 0)
		index_clear(&t->cell_index);
	t->n_rows = t->n_cells = t->n_times = 0;
}

struct tally_row *tally_row(struct tally *t, uint64_t swarm, uint32_t place)
{
	const struct tally_index *x = &t->row_index;
	for (uint32_t at = home_of_row(t, swarm, place); x->slots[at] != 0;
	     at = (at + 1) & x->mask) {
		struct tally_row *r = &t->rows[x->slots[at] - 1];
		if (r->swarm == swarm && r->place == place)
			return r;
	}
	if (t->n_rows == t->rows_room &&
	    (t->rows_room == t->rows_max || rows_resize(t, 2 * t->rows_room) != ERR_OK))
		return NULL;
	index_put(x, home_of_row(t, swarm, place), t->n_rows);
	struct tally_row *r = &t->rows[t->n_rows++];
	*r = (struct tally_row){ .swarm = swarm, .place = place };
	return r;
}

struct tally_cell *tally_cell(struct tally *t, uint64_t swarm, uint32_t from, uint32_t to)
{
	const struct tally_index *x = &t->cell_index;
	for (uint32_t at = home_of_cell(t, swarm, from, to); x->slots[at] != 0;
	     at = (at + 1) & x->mask) {
		struct tally_cell *c = &t->cells[x->slots[at] - 1];
		if (c->swarm == swarm && c->from == from && c->to == to)
			return c;
	}
	if (t->n_cells == t->cells_room &&
	    (t->cells_room == t->cells_max || cells_resize(t, 2 * t->cells_room) != ERR_OK))
		return NULL;
	index_put(x, home_of_cell(t, swarm, from, to), t->n_cells);
	struct tally_cell *c = &t->cells[t->n_cells++];
	*c = (struct tally_cell){ .swarm = swarm, .from = from, .to = to };
	return c;
}

void tally_thin(struct tally *t, const float *factors)
{
	size_t n = 0;
	index_clear(&t->cell_index);
	for (size_t i = 0; i < t->n_cells; i++) {
		struct tally_cell c = t->cells[i];
		if (factors[i] <= 0)
			continue;
		c.first *= factors[i];
		c.later *= factors[i];
		c.noted *= fminf(factors[i], 1); /* a weight above 1 stands for cells that went */
		t->cells[n] = c;
		index_put(&t->cell_index, home_of_cell(t, c.swarm, c.from, c.to), n++);
	}
	t->n_cells = n;
}

bool tally_time(struct tally *t, const struct tally_time *add)
{
	if (t->n_times == t->times_room &&
	    (t->times_room == t->times_max || times_resize(t, 2 * t->times_room) != ERR_OK))
		return false;
	t->times[t->n_times++] = *add;
	return true;
}
