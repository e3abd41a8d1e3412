/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct fit {
	const struct fit_input *in;
	double up, down; /* sums over all places */
	bool rows_free;
	double *row;    /* scratch for each place: what its row adds up to, then its factor */
	uint32_t *most; /* the FIT_SPREAD largest uploaders, then the same of downloaders */
	size_t n_rows, n_columns;
	struct fit_cell *cells;
	size_t n_cells;
};

static double row_target(const struct fit *f, size_t place)
{
	return f->rows_free ? 1 : f->in->up[place] * (f->down / f->up);
}

/* Keeps the FIT_SPREAD largest of a stream, the largest first. */
static void keep_largest(uint32_t *most, size_t *n, const double *value, uint32_t place)
{
	size_t at = *n;
	while (at > 0 && value[most[at - 1]] < value[place])
		at--;
	if (at == FIT_SPREAD)
		return;
	if (*n < FIT_SPREAD)
		++*n;
	memmove(most + at + 1, most + at, (*n - 1 - at) * sizeof(*most));
	most[at] = place;
}

static void find_largest(struct fit *f)
{
	for (uint32_t i = 0; i < f->in->n_places; i++) {
		f->row[i] = row_target(f, i);
		if (f->row[i] > 0)
			keep_largest(f->most, &f->n_rows, f->row, i);
	}
	for (uint32_t i = 0; i < f->in->n_places; i++)
		f->row[i] = (double)f->in->down[i];
	for (uint32_t i = 0; i < f->in->n_places; i++)
		if (f->in->down[i] > 0)
			keep_largest(f->most + FIT_SPREAD, &f->n_columns, f->row, i);
}

static void add_cell(struct fit *f, uint32_t from, uint32_t to, double weight)
{
	f->cells[f->n_cells++] = (struct fit_cell){ .from = from, .to = to, .weight = weight };
}

/* Those contacts over which bytes can have moved. Returns their weight. */
static double add_prior(struct fit *f)
{
	double weight = 0;
	for (size_t i = 0; i < f->in->n_prior; i++) {
		const struct fit_cell *p = &f->in->prior[i];
		must(p->from < f->in->n_places && p->to < f->in->n_places);
		if (!(p->weight > 0) || row_target(f, p->from) <= 0 || f->in->down[p->to] == 0)
			continue;
		add_cell(f, p->from, p->to, p->weight);
		weight += p->weight;
	}
	return weight;
}

static void add_background(struct fit *f, double weight)
{
	const uint32_t *rows = f->most, *columns = f->most + FIT_SPREAD;
	const double up = f->rows_free ? (double)f->in->n_places : f->down;
	const double least = f->n_rows > 0 ? row_target(f, rows[f->n_rows - 1]) : 0;
	weight *= FIT_BACKGROUND / (up * f->down);

	for (uint32_t to = 0; to < f->in->n_places; to++)
		for (size_t i = 0; f->in->down[to] > 0 && i < f->n_rows; i++)
			add_cell(f, rows[i], to,
			         weight * row_target(f, rows[i]) * (double)f->in->down[to]);
	if (f->n_rows < FIT_SPREAD)
		return; /* they were all the rows there are */
	for (uint32_t from = 0; from < f->in->n_places; from++) {
		const double mine = row_target(f, from);
		for (size_t i = 0; mine > 0 && mine <= least && i < f->n_columns; i++)
			add_cell(f, from, columns[i],
			         weight * mine * (double)f->in->down[columns[i]]);
	}
}

static int by_column(const void *a, const void *b)
{
	const struct fit_cell *x = a, *y = b;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static void merge(struct fit *f)
{
	size_t n = 0;
	qsort(f->cells, f->n_cells, sizeof(*f->cells), by_column);
	for (size_t i = 0; i < f->n_cells; i++) {
		if (n > 0 && by_column(&f->cells[n - 1], &f->cells[i]) == 0)
			f->cells[n - 1].weight += f->cells[i].weight;
		else
			f->cells[n++] = f->cells[i];
	}
	f->n_cells = n;
}

/* The end of the column that starts at `at`. */
static size_t column_end(const struct fit *f, size_t at)
{
	size_t end = at + 1;
	while (end < f->n_cells && f->cells[end].to == f->cells[at].to)
		end++;
	return end;
}

/* The row sums as they are become the factors that would put them right. */
static double row_factors(struct fit *f)
{
	double worst = 0;
	for (size_t i = 0; i < f->in->n_places; i++)
		f->row[i] = 0;
	for (size_t i = 0; i < f->n_cells; i++)
		f->row[f->cells[i].from] += f->cells[i].weight;
	for (size_t i = 0; i < f->in->n_places; i++) {
		if (f->row[i] <= 0 || f->rows_free) {
			f->row[i] = 1;
			continue;
		}
		const double target = row_target(f, i);
		worst = fmax(worst, fabs(f->row[i] - target) / target);
		f->row[i] = target / f->row[i];
	}
	return worst;
}

static void scale_columns(struct fit *f)
{
	for (size_t at = 0, end; at < f->n_cells; at = end) {
		double sum = 0;
		end = column_end(f, at);
		for (size_t i = at; i < end; i++)
			sum += f->cells[i].weight *= f->row[f->cells[i].from];
		const double factor = (double)f->in->down[f->cells[at].to] / sum;
		for (size_t i = at; i < end; i++)
			f->cells[i].weight *= factor;
	}
}

static void iterate(struct fit *f)
{
	(void)row_factors(f);
	for (int round = 0; round < FIT_ROUNDS; round++) {
		scale_columns(f);
		if (row_factors(f) < FIT_PRECISION)
			break;
	}
}

static double fraction(const struct fit_cell *c)
{
	return c->weight - floor(c->weight);
}

static int by_fraction(const void *a, const void *b)
{
	const struct fit_cell *x = a, *y = b;
	const double p = fraction(x), q = fraction(y);
	return p != q ? (p < q) - (p > q) : by_column(a, b);
}

/*
 * Whole bytes by largest remainder. Beyond 2^53 doubles are no longer whole numbers: what the
 * remainders cannot explain goes to or comes from the largest cell.
 */
static void round_column(struct fit_cell *cells, size_t n, uint64_t down)
{
	uint64_t sum = 0;
	size_t largest = 0;
	for (size_t i = 0; i < n; i++) {
		cells[i].bytes = (uint64_t)cells[i].weight;
		sum += cells[i].bytes;
	}
	qsort(cells, n, sizeof(*cells), by_fraction);
	for (size_t i = 0; i < n && sum < down; i++, sum++)
		cells[i].bytes++;
	qsort(cells, n, sizeof(*cells), by_column);
	for (size_t i = 0; i < n; i++)
		if (cells[i].bytes > cells[largest].bytes)
			largest = i;
	cells[largest].bytes += down - sum; /* modulo 2^64: may be negative */
}

static enum err fit_run(struct fit *f)
{
	const size_t n = f->in->n_places, spread = FIT_SPREAD;
	must(n > 0); /* somebody received */
	f->row = calloc(n, sizeof(*f->row));
	f->most = calloc(2 * spread, sizeof(*f->most));
	f->cells = calloc(f->in->n_prior + 2 * spread * n, sizeof(*f->cells));
	if (f->row == NULL || f->most == NULL || f->cells == NULL)
		return ERR_NOMEM;

	find_largest(f);
	const double weight = add_prior(f);
	add_background(f, weight > 0 ? weight : 1);
	merge(f);
	iterate(f);
	for (size_t at = 0, end; at < f->n_cells; at = end) {
		end = column_end(f, at);
		round_column(f->cells + at, end - at, f->in->down[f->cells[at].to]);
	}
	return ERR_OK;
}

enum err fit_matrix(const struct fit_input *in, struct fit_cell **out, size_t *n_out)
{
	struct fit f = { .in = in };
	if (in->n_places > FIT_PLACES_MAX || in->n_prior > FIT_PRIOR_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i < in->n_places; i++) {
		f.up += in->up[i];
		f.down += (double)in->down[i];
	}
	if (f.down > 0x1p62)
		return ERR_RANGE;
	f.rows_free = !(f.up > 0);

	const enum err e = f.down > 0 ? fit_run(&f) : ERR_OK;
	free(f.row);
	free(f.most);
	if (e != ERR_OK) {
		free(f.cells);
		return e;
	}
	*out = f.cells;
	*n_out = f.n_cells;
	return ERR_OK;
}
