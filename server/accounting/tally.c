/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/tally.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

static enum err index_init(struct tally_index *x, size_t max)
{
	x->mask = (uint32_t)(2 * max - 1);
	x->slots = calloc(2 * max, sizeof(*x->slots));
	return x->slots != NULL ? ERR_OK : ERR_NOMEM;
}

enum err tally_init(struct tally *t, size_t rows_max, size_t cells_max)
{
	must((rows_max & (rows_max - 1)) == 0 && (cells_max & (cells_max - 1)) == 0);
	*t = (struct tally){ .rows_max = rows_max, .cells_max = cells_max };
	t->rows = calloc(rows_max, sizeof(*t->rows));
	t->cells = calloc(cells_max, sizeof(*t->cells));
	if (t->rows != NULL && t->cells != NULL && index_init(&t->row_index, rows_max) == ERR_OK &&
	    index_init(&t->cell_index, cells_max) == ERR_OK)
		return ERR_OK;
	tally_done(t);
	return ERR_NOMEM;
}

void tally_done(struct tally *t)
{
	free(t->rows);
	free(t->cells);
	free(t->row_index.slots);
	free(t->cell_index.slots);
	*t = (struct tally){ 0 };
}

static void index_clear(struct tally_index *x)
{
	memset(x->slots, 0, ((size_t)x->mask + 1) * sizeof(*x->slots));
}

void tally_clear(struct tally *t)
{
	if (t->n_rows > 0)
		index_clear(&t->row_index);
	if (t->n_cells > 0)
		index_clear(&t->cell_index);
	t->n_rows = t->n_cells = 0;
}

struct tally_row *tally_row(struct tally *t, uint64_t swarm, uint32_t place)
{
	const struct tally_index *x = &t->row_index;
	uint32_t at = (uint32_t)random_mix(swarm ^ place) & x->mask;
	for (; x->slots[at] != 0; at = (at + 1) & x->mask) {
		struct tally_row *r = &t->rows[x->slots[at] - 1];
		if (r->swarm == swarm && r->place == place)
			return r;
	}
	if (t->n_rows == t->rows_max)
		return NULL;
	struct tally_row *r = &t->rows[t->n_rows++];
	*r = (struct tally_row){ .swarm = swarm, .place = place };
	x->slots[at] = (uint32_t)t->n_rows;
	return r;
}

struct tally_cell *tally_cell(struct tally *t, uint64_t swarm, uint32_t from, uint32_t to)
{
	const struct tally_index *x = &t->cell_index;
	uint32_t at = (uint32_t)random_mix(swarm ^ ((uint64_t)from << 32 | to)) & x->mask;
	for (; x->slots[at] != 0; at = (at + 1) & x->mask) {
		struct tally_cell *c = &t->cells[x->slots[at] - 1];
		if (c->swarm == swarm && c->from == from && c->to == to)
			return c;
	}
	if (t->n_cells == t->cells_max)
		return NULL;
	struct tally_cell *c = &t->cells[t->n_cells++];
	*c = (struct tally_cell){ .swarm = swarm, .from = from, .to = to };
	x->slots[at] = (uint32_t)t->n_cells;
	return c;
}
