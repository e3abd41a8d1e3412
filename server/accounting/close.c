/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/close.h"

#include "common/balance/fit.h"
#include "common/balance/spread.h"
#include "server/accounting/matrix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct books {
	const struct bin *bin;
	const struct map_snapshot *map;
	uint32_t *place_of; /* by name, in `map` */
	double *left;       /* by row: its credit afterwards */
	struct accounting_bin *out;
	struct trial_count trial;
	struct matrix *matrix;
};

/* One swarm with its places numbered from 0. */
struct sheet {
	const struct bin_swarm *swarm;
	uint64_t hash;   /* of the swarm */
	bool sure;       /* it is known to be private */
	uint32_t *names; /* sorted; a place is a position in it */
	size_t n;
	double *up, *booked, *expected, *column;
	uint64_t *down;
	double size;              /* of the content; 0: not known */
	double missing;           /* downloaded and not covered by `up` */
	struct tally_cell *cells; /* of places, by from and to */
	struct fit_cell *prior;
	struct spread_cell *contacts; /* by the same pairs: how many were noted */
	size_t n_prior;
};

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint32_t place(const struct sheet *s, uint32_t name)
{
	const uint32_t *at = bsearch(&name, s->names, s->n, sizeof(name), by_number);
	must(at != NULL);
	return (uint32_t)(at - s->names);
}

static void number_places(struct sheet *s, const struct tally *t)
{
	size_t n = 0;
	for (size_t i = 0; i < s->swarm->n_rows; i++)
		s->names[n++] = t->rows[s->swarm->rows[i]].place;
	for (size_t i = 0; i < s->swarm->n_cells; i++) {
		s->names[n++] = t->cells[s->swarm->cells[i]].from;
		s->names[n++] = t->cells[s->swarm->cells[i]].to;
	}
	qsort(s->names, n, sizeof(*s->names), by_number);
	for (size_t i = 0; i < n; i++)
		if (s->n == 0 || s->names[s->n - 1] != s->names[i])
			s->names[s->n++] = s->names[i];
}

static void sheet_done(struct sheet *s)
{
	free(s->names);
	free(s->up);
	free(s->booked);
	free(s->expected);
	free(s->column);
	free(s->down);
	free(s->cells);
	free(s->prior);
	free(s->contacts);
}

static enum err sheet_init(struct sheet *s, const struct tally *t, const struct bin_swarm *swarm)
{
	const size_t most = swarm->n_rows + 2 * swarm->n_cells;
	*s = (struct sheet){ .swarm = swarm };
	s->names = calloc(most, sizeof(*s->names));
	s->up = calloc(most, sizeof(*s->up));
	s->booked = calloc(most, sizeof(*s->booked));
	s->expected = calloc(most, sizeof(*s->expected));
	s->column = calloc(most, sizeof(*s->column));
	s->down = calloc(most, sizeof(*s->down));
	s->cells = calloc(swarm->n_cells + 1, sizeof(*s->cells));
	s->prior = calloc(2 * swarm->n_cells + 1, sizeof(*s->prior));
	s->contacts = calloc(2 * swarm->n_cells + 1, sizeof(*s->contacts));
	if (s->names == NULL || s->up == NULL || s->booked == NULL || s->expected == NULL ||
	    s->column == NULL || s->down == NULL || s->cells == NULL || s->prior == NULL ||
	    s->contacts == NULL) {
		sheet_done(s);
		return ERR_NOMEM;
	}
	number_places(s, t);
	return ERR_OK;
}

/* ---- the prior ---- */

static int by_pair(const void *a, const void *b)
{
	const struct tally_cell *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static double share(double contacts, double pairs)
{
	return pairs > 0 ? fmin(1, contacts / pairs) : 0;
}

/* Of the pairs of clients with one in each place, how many met through either one's lists. */
static double pairs_met(const struct tally_cell *there, const struct tally_cell *back)
{
	if (back == NULL)
		return (double)there->first + (double)there->later;
	const bool inside = there->from == there->to;
	const double pairs = inside ? ((double)there->candidates + 1) * there->candidates
	                            : (double)there->candidates * back->candidates;
	const double first = share((double)there->first + (double)back->first, pairs);
	const double p = share((double)there->later, pairs), q = share((double)back->later, pairs);
	return pairs * (1 - (1 - first) * (1 - p) * (1 - q));
}

/* How many contacts one that was noted stands for: more than one while only a sample is. */
static double weight_of_noted(const struct tally_cell *there, const struct tally_cell *back)
{
	double all = (double)there->first + (double)there->later, noted = (double)there->noted;
	if (back != NULL) {
		all += (double)back->first + (double)back->later;
		noted += (double)back->noted;
	}
	return noted > 0 ? fmax(1, all / noted) : 1;
}

static void add_prior(struct sheet *s, uint32_t from, uint32_t to, double weight, double each)
{
	s->contacts[s->n_prior] =
		(struct spread_cell){ .from = from, .to = to, .contacts = weight / each };
	s->prior[s->n_prior++] = (struct fit_cell){ .from = from, .to = to, .weight = weight };
}

static void make_prior(struct sheet *s, const struct tally *t)
{
	const size_t n = s->swarm->n_cells;
	for (size_t i = 0; i < n; i++) {
		s->cells[i] = t->cells[s->swarm->cells[i]];
		s->cells[i].from = place(s, s->cells[i].from);
		s->cells[i].to = place(s, s->cells[i].to);
		s->cells[i].later = fmaxf(s->cells[i].later, 0);
	}
	qsort(s->cells, n, sizeof(*s->cells), by_pair);
	for (size_t i = 0; i < n; i++) {
		const struct tally_cell *there = &s->cells[i];
		const struct tally_cell turned = { .from = there->to, .to = there->from };
		const struct tally_cell *back =
			bsearch(&turned, s->cells, n, sizeof(turned), by_pair);
		if (back != NULL && back < there)
			continue; /* seen from the other side */
		const double met = pairs_met(there, back), each = weight_of_noted(there, back);
		add_prior(s, there->from, there->to, met, each);
		if (there->from != there->to)
			add_prior(s, there->to, there->from, met, each);
	}
}

/* ---- the sums ---- */

static void make_sums(struct sheet *s, const struct tally *t)
{
	double up = 0, down = 0;
	for (size_t i = 0; i < s->swarm->n_rows; i++) {
		const struct tally_row *r = &t->rows[s->swarm->rows[i]];
		const uint32_t at = place(s, r->place);
		s->size = fmax(s->size, (double)r->size);
		s->up[at] = fmax(0, r->credit + (double)r->up);
		s->down[at] = r->down;
		up += s->up[at];
		down += (double)r->down;
	}
	s->missing = down - up;
}

/* Uploads that nobody has reported yet: from each place in the measure of its contacts. */
static void expect_uploads(struct sheet *s)
{
	double sum = 0;
	for (size_t i = 0; i < s->n_prior; i++)
		s->column[s->prior[i].to] += s->prior[i].weight;
	for (size_t i = 0; i < s->n_prior; i++) {
		const struct fit_cell *p = &s->prior[i];
		if (p->weight > 0)
			s->expected[p->from] +=
				(double)s->down[p->to] * p->weight / s->column[p->to];
	}
	for (size_t i = 0; i < s->n; i++)
		sum += s->expected[i];
	for (size_t i = 0; i < s->n && sum > 0; i++)
		s->up[i] += s->missing * s->expected[i] / sum;
}

/* ---- the books ---- */

/* What the matrix is to have of it is left to the caller. */
static struct matrix_bytes book(struct books *b, struct sheet *s, const struct fit_cell *c,
                                const struct spread_cell *spread)
{
	const uint32_t from = b->place_of[s->names[c->from]], to = b->place_of[s->names[c->to]];
	const struct map_pair pair = snapshot_pair(b->map, from, to);
	if (pair.out != NO_INTERCONNECT)
		b->out->rows[pair.out].out_bytes += c->bytes;
	if (pair.in != NO_INTERCONNECT)
		b->out->rows[pair.in].in_bytes += c->bytes;
	trial_add(&b->trial, &(struct trial_bytes){ .swarm = s->hash,
	                                            .bytes = c->bytes,
	                                            .size = s->size,
	                                            .from = from,
	                                            .to = to,
	                                            .in = pair.in });
	return (struct matrix_bytes){ .from = from,
		                      .to = to,
		                      .pair = pair,
		                      .bytes = c->bytes,
		                      .variance = spread->variance,
		                      .sure = s->sure,
		                      .unmet = spread->contacts <= 0 };
}

static int by_column(const void *a, const void *b)
{
	const struct spread_cell *x = a, *y = b;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

/* NULL when out of memory. `cells` are by column. */
static struct spread_cell *spread(struct sheet *s, const struct fit_cell *cells, size_t n)
{
	double down = 0;
	struct spread_cell *all = calloc(n + 1, sizeof(*all));
	if (all == NULL)
		return NULL;
	qsort(s->contacts, s->n_prior, sizeof(*s->contacts), by_column);
	for (size_t i = 0, k = 0; i < n; i++) {
		all[i] = (struct spread_cell){ .from = cells[i].from,
			                       .to = cells[i].to,
			                       .bytes = (double)cells[i].bytes };
		while (k < s->n_prior && by_column(&s->contacts[k], &all[i]) < 0)
			k++;
		if (k < s->n_prior && by_column(&s->contacts[k], &all[i]) == 0)
			all[i].contacts = s->contacts[k].contacts;
		down += all[i].bytes;
	}
	const double guessed = s->missing > 0 && down > 0 ? fmin(1, s->missing / down) : 0;
	if (spread_matrix(all, n, s->n, 1 - guessed) == ERR_OK)
		return all;
	free(all);
	return NULL;
}

static enum err book_all_cells(struct books *b, struct sheet *s, const struct fit_cell *cells,
                               size_t n)
{
	struct spread_cell *spreads = spread(s, cells, n);
	struct matrix_bytes *bytes = calloc(n + 1, sizeof(*bytes));
	enum err e = spreads != NULL && bytes != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		bytes[i] = book(b, s, &cells[i], &spreads[i]);
	if (e == ERR_OK)
		e = matrix_add(b->matrix, bytes, n);
	free(spreads);
	free(bytes);
	return e;
}

static enum err book_cells(struct books *b, struct sheet *s, const struct fit_cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->booked[cells[i].from] += (double)cells[i].bytes;
	return b->map != NULL ? book_all_cells(b, s, cells, n) : ERR_OK;
}

static enum err fit_sheet(struct books *b, struct sheet *s)
{
	struct fit_cell *cells = NULL;
	size_t n = 0;
	make_prior(s, &b->bin->tally);
	if (s->missing > 0)
		expect_uploads(s);
	const struct fit_input in = { .n_places = s->n,
		                      .up = s->up,
		                      .down = s->down,
		                      .prior = s->prior,
		                      .n_prior = s->n_prior };
	enum err e = fit_matrix(&in, &cells, &n);
	if (e == ERR_OK)
		e = book_cells(b, s, cells, n);
	free(cells);
	return e;
}

/* Who took part, for the swarm's rows. */
static void finish_swarm(struct books *b, const struct sheet *s)
{
	const struct tally *t = &b->bin->tally;
	struct matrix_swarm all = { .swarm = s->hash, .sure = s->sure };
	for (size_t i = 0; i < s->swarm->n_rows; i++) {
		const struct tally_row *r = &t->rows[s->swarm->rows[i]];
		all.up += r->up;
		all.down += r->down;
		if (r->clients != 0)
			matrix_clients(b->matrix, b->place_of[r->place], r->clients);
	}
	matrix_swarm_done(b->matrix, &all);
}

static enum err book_swarm(struct books *b, const struct bin_swarm *swarm)
{
	const struct tally *t = &b->bin->tally;
	struct sheet s;
	uint64_t down = 0;
	for (size_t i = 0; i < swarm->n_rows; i++) {
		const struct tally_row *r = &t->rows[swarm->rows[i]];
		b->left[swarm->rows[i]] = r->credit + (double)r->up;
		down += r->down;
	}
	if (down == 0)
		return ERR_OK;
	enum err e = sheet_init(&s, t, swarm);
	if (e != ERR_OK)
		return e;
	s.hash = t->rows[swarm->rows[0]].swarm;
	s.sure = trial_is_private(&b->trial, s.hash);
	make_sums(&s, t);
	e = fit_sheet(b, &s);
	finish_swarm(b, &s);
	for (size_t i = 0; i < swarm->n_rows && e == ERR_OK; i++)
		b->left[swarm->rows[i]] -= s.booked[place(&s, t->rows[swarm->rows[i]].place)];
	sheet_done(&s);
	return e;
}

static enum err book_all(struct books *b)
{
	struct bin_walk walk;
	struct bin_swarm swarm;
	enum err e = bin_walk_init(&walk, b->bin);
	if (e != ERR_OK)
		return e;
	while (e == ERR_OK && bin_walk_next(&walk, &swarm))
		e = book_swarm(b, &swarm);
	bin_walk_done(&walk);
	return e;
}

static void count_times(struct books *b)
{
	const struct tally *t = &b->bin->tally;
	for (size_t i = 0; i < t->n_times && b->map != NULL; i++)
		trial_time(&b->trial, t->times[i].swarm, b->place_of[t->times[i].place],
		           t->times[i].bucket);
}

static enum err books_open(struct books *b)
{
	const size_t n = b->map != NULL ? snapshot_counts(b->map).interconnects : 0;
	const size_t names = names_count(b->bin->names);
	b->out->rows = calloc(n + 1, sizeof(*b->out->rows));
	b->place_of = calloc(names, sizeof(*b->place_of));
	b->left = calloc(b->bin->tally.n_rows + 1, sizeof(*b->left));
	b->matrix = matrix_new(b->map);
	if (b->out->rows == NULL || b->place_of == NULL || b->left == NULL || b->matrix == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct map_interconnect_info ic = snapshot_interconnect(b->map, i);
		struct accounting_row *row = &b->out->rows[b->out->n_rows++];
		(void)snprintf(row->provider, sizeof(row->provider), "%s", ic.provider);
		(void)snprintf(row->interconnect, sizeof(row->interconnect), "%s", ic.id);
	}
	for (uint32_t i = 0; i < names && b->map != NULL; i++)
		b->place_of[i] = snapshot_place_find(b->map, names_key(b->bin->names, i));
	return ERR_OK;
}

static enum err make_books(const struct bin *bin, const struct map_snapshot *map,
                           struct trial *trial, double **left, struct accounting_bin *out)
{
	struct accounting_bin made = { .start = bin->start,
		                       .seconds = bin->seconds,
		                       .observed_seconds = bin->observed };
	struct books b = { .bin = bin, .map = map, .out = &made };
	enum err e = trial_count_init(&b.trial, trial, map);
	if (e == ERR_OK)
		e = books_open(&b);
	if (e == ERR_OK)
		e = book_all(&b);
	if (e == ERR_OK)
		count_times(&b);
	if (e == ERR_OK)
		e = trial_rows(&b.trial, &made);
	if (e == ERR_OK)
		e = matrix_rows(b.matrix, &made);
	trial_count_done(&b.trial);
	matrix_free(b.matrix);
	free(b.place_of);
	if (e != ERR_OK) {
		free(b.left);
		accounting_bin_done(&made);
		return e;
	}
	*left = b.left;
	*out = made;
	return ERR_OK;
}

enum err close_books(const struct bin *b, const struct map_snapshot *map, struct trial *trial,
                     struct accounting_bin *out)
{
	double *left = NULL;
	const enum err e = make_books(b, map, trial, &left, out);
	free(left);
	return e;
}

/* A place may be booked on that reported nothing yet; its debt needs a row. */
static void make_rows(struct tally *t)
{
	for (size_t i = 0; i < t->n_cells; i++) {
		(void)tally_row(t, t->cells[i].swarm, t->cells[i].from);
		(void)tally_row(t, t->cells[i].swarm, t->cells[i].to);
	}
}

enum err close_settle(struct bin *b, const struct map_snapshot *map, struct trial *trial,
                      struct accounting_bin *out)
{
	double *left = NULL;
	make_rows(&b->tally);
	const enum err e = make_books(b, map, trial, &left, out);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < b->tally.n_rows; i++) {
		struct tally_row *r = &b->tally.rows[i];
		r->credit = left[i];
		r->up = r->down = r->clients = 0;
	}
	b->tally.n_times = 0;
	free(left);
	return ERR_OK;
}
