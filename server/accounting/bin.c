/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/bin.h"

#include "server/accounting/thin.h"

#include <math.h>
#include <stdlib.h>

/* Below this a credit, in bytes, has faded away. */
#define CREDIT_LEAST 4096.0

enum err bin_open(struct bin *b, int64_t start, uint32_t seconds, const struct bin_room *room)
{
	*b = (struct bin){ .start = start, .seconds = seconds, .names = names_new() };
	if (b->names == NULL || tally_init(&b->tally, room->first, room->most) != ERR_OK) {
		names_free(b->names);
		return ERR_NOMEM;
	}
	tally_touch(&b->tally);
	return ERR_OK;
}

void bin_done(struct bin *b)
{
	names_free(b->names);
	tally_done(&b->tally);
	*b = (struct bin){ 0 };
}

static enum err add_name(struct bin *b, const struct journal_item *item)
{
	uint32_t number;
	const size_t before = names_count(b->names);
	const enum err e = names_put(b->names, item->key, &number);
	if (e != ERR_OK)
		return e;
	return number == before && number == item->number ? ERR_OK : ERR_MALFORMED;
}

static enum err add_row(struct bin *b, const struct tally_row *add)
{
	if (add->place >= names_count(b->names))
		return ERR_MALFORMED;
	struct tally_row *r = tally_row(&b->tally, add->swarm, add->place);
	if (r == NULL)
		return ERR_BUSY;
	r->up += add->up;
	r->down += add->down;
	r->credit += add->credit;
	r->clients |= add->clients;
	r->size = fmaxf(r->size, add->size);
	return ERR_OK;
}

static enum err add_time(struct bin *b, const struct tally_time *add)
{
	if (add->place >= names_count(b->names))
		return ERR_MALFORMED;
	return tally_time(&b->tally, add) ? ERR_OK : ERR_BUSY;
}

/* Another lot each time, and the same in a replay. */
static void make_room(struct bin *b)
{
	const struct tally *t = &b->tally;
	const uint64_t seed = (uint64_t)b->start << 32 ^ (uint64_t)b->observed << 8 ^ b->thinned++;
	float *plan = b->crowded ? NULL : thin_plan(b, 1, t->cells_max / 2, seed);
	if (plan != NULL)
		tally_thin(&b->tally, plan);
	/* Nearly as many swarms as room: to try again soon would cost much and bring little. */
	b->crowded = t->n_cells > t->cells_max / 4 * 3;
	free(plan);
}

static enum err add_cell(struct bin *b, const struct tally_cell *add)
{
	if (add->from >= names_count(b->names) || add->to >= names_count(b->names))
		return ERR_MALFORMED;
	struct tally_cell *c = tally_cell(&b->tally, add->swarm, add->from, add->to);
	if (c == NULL && b->tally.n_cells == b->tally.cells_max) {
		make_room(b);
		c = tally_cell(&b->tally, add->swarm, add->from, add->to);
	}
	if (c == NULL)
		return ERR_BUSY;
	c->first += add->first;
	c->later += add->later;
	c->noted += add->noted;
	/* Up at once, down slowly: a seed is offered leechers only and sees fewer. */
	if (add->candidates >= c->candidates)
		c->candidates = add->candidates;
	else
		c->candidates -= (c->candidates - add->candidates) / 8;
	return ERR_OK;
}

enum err bin_add(struct bin *b, const struct journal_item *item)
{
	switch (item->kind) {
	case JOURNAL_NAME:
		return add_name(b, item);
	case JOURNAL_ROW:
		return add_row(b, &item->row);
	case JOURNAL_CELL:
		return add_cell(b, &item->cell);
	case JOURNAL_OBSERVED:
		b->observed += item->number;
		return ERR_OK;
	case JOURNAL_TIME:
		return add_time(b, &item->time);
	}
	return ERR_MALFORMED;
}

static void save_name(struct journal *j, const struct names *names, uint32_t number)
{
	struct journal_item item = { .kind = JOURNAL_NAME, .number = number };
	const char *key = names_key(names, number);
	memcpy(item.key, key, strlen(key) + 1);
	journal_put(j, &item);
}

void bin_save(const struct bin *b, struct journal *j)
{
	struct journal_item item = { .kind = JOURNAL_OBSERVED, .number = b->observed };
	journal_put(j, &item);
	for (uint32_t i = 1; i < names_count(b->names); i++)
		save_name(j, b->names, i);
	item.kind = JOURNAL_ROW;
	for (size_t i = 0; i < b->tally.n_rows; i++) {
		item.row = b->tally.rows[i];
		journal_put(j, &item);
	}
	item.kind = JOURNAL_CELL;
	for (size_t i = 0; i < b->tally.n_cells; i++) {
		item.cell = b->tally.cells[i];
		journal_put(j, &item);
	}
	item.kind = JOURNAL_TIME;
	for (size_t i = 0; i < b->tally.n_times; i++) {
		item.time = b->tally.times[i];
		journal_put(j, &item);
	}
}

/* ---- the next bin ---- */

static enum err carry_cell(const struct bin *old, struct bin *next, struct tally_cell c, float kept)
{
	enum err e = names_put(next->names, names_key(old->names, c.from), &c.from);
	if (e == ERR_OK)
		e = names_put(next->names, names_key(old->names, c.to), &c.to);
	c.first *= kept;
	c.later *= kept;
	c.noted *= fminf(kept, 1);
	return e == ERR_OK ? add_cell(next, &c) : e;
}

static enum err carry_row(const struct bin *old, struct bin *next, const struct tally_row *r,
                          double kept)
{
	struct tally_row add = *r;
	add.credit *= kept;
	if (fabs(add.credit) < CREDIT_LEAST && r->up == 0 && r->down == 0)
		return ERR_OK;
	const enum err e = names_put(next->names, names_key(old->names, r->place), &add.place);
	return e == ERR_OK ? add_row(next, &add) : e;
}

static enum err carry_swarm(const struct bin *old, struct bin *next, const struct bin_swarm *s,
                            double kept, const float *plan)
{
	enum err e = ERR_OK;
	bool alive = false;
	for (size_t i = 0; i < s->n_cells && e == ERR_OK; i++) {
		const uint32_t at = s->cells[i];
		if (plan[at] <= 0)
			continue;
		alive = true;
		e = carry_cell(old, next, old->tally.cells[at], plan[at]);
	}
	next->swarms += alive;
	for (size_t i = 0; i < s->n_rows && e == ERR_OK && alive; i++)
		e = carry_row(old, next, &old->tally.rows[s->rows[i]], kept);
	return e;
}

enum err bin_carry(const struct bin *old, struct bin *next)
{
	struct bin_walk walk;
	struct bin_swarm swarm;
	const int64_t apart = next->start > old->start ? next->start - old->start : 0;
	const double kept = contact_decay((double)apart);
	float *plan = thin_plan(old, kept, old->tally.cells_max / 2, (uint64_t)next->start);
	if (plan == NULL)
		return ERR_NOMEM;
	enum err e = bin_walk_init(&walk, old);
	if (e == ERR_OK) {
		while (e == ERR_OK && bin_walk_next(&walk, &swarm))
			e = carry_swarm(old, next, &swarm, kept, plan);
		bin_walk_done(&walk);
	}
	free(plan);
	return e;
}

/* ---- swarm by swarm ---- */

static int rows_by_swarm(const void *a, const void *b, void *ctx)
{
	const struct tally_row *rows = ctx;
	const uint64_t x = rows[*(const uint32_t *)a].swarm, y = rows[*(const uint32_t *)b].swarm;
	return (x > y) - (x < y);
}

static int cells_by_swarm(const void *a, const void *b, void *ctx)
{
	const struct tally_cell *cells = ctx;
	const uint64_t x = cells[*(const uint32_t *)a].swarm, y = cells[*(const uint32_t *)b].swarm;
	return (x > y) - (x < y);
}

static uint32_t *positions(size_t n)
{
	uint32_t *p = malloc((n > 0 ? n : 1) * sizeof(*p));
	for (uint32_t i = 0; p != NULL && i < n; i++)
		p[i] = i;
	return p;
}

enum err bin_walk_init(struct bin_walk *w, const struct bin *b)
{
	const struct tally *t = &b->tally;
	*w = (struct bin_walk){ .tally = t };
	w->rows = positions(t->n_rows);
	w->cells = positions(t->n_cells);
	if (w->rows == NULL || w->cells == NULL) {
		bin_walk_done(w);
		return ERR_NOMEM;
	}
	qsort_r(w->rows, t->n_rows, sizeof(*w->rows), rows_by_swarm, t->rows);
	qsort_r(w->cells, t->n_cells, sizeof(*w->cells), cells_by_swarm, t->cells);
	return ERR_OK;
}

bool bin_walk_next(struct bin_walk *w, struct bin_swarm *out)
{
	const struct tally *t = w->tally;
	const bool row = w->row < t->n_rows, cell = w->cell < t->n_cells;
	if (!row && !cell)
		return false;
	const uint64_t r = row ? t->rows[w->rows[w->row]].swarm : UINT64_MAX;
	const uint64_t c = cell ? t->cells[w->cells[w->cell]].swarm : UINT64_MAX;
	const uint64_t swarm = r < c ? r : c;

	*out = (struct bin_swarm){ .rows = w->rows + w->row, .cells = w->cells + w->cell };
	for (; w->row < t->n_rows && t->rows[w->rows[w->row]].swarm == swarm; w->row++)
		out->n_rows++;
	for (; w->cell < t->n_cells && t->cells[w->cells[w->cell]].swarm == swarm; w->cell++)
		out->n_cells++;
	return true;
}

void bin_walk_done(struct bin_walk *w)
{
	free(w->rows);
	free(w->cells);
	*w = (struct bin_walk){ 0 };
}
