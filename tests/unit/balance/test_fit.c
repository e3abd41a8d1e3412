/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/fit.h"
#include "common/base/random.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 12, MANY = 300 };

struct problem {
	size_t n;
	double up[MANY];
	uint64_t down[MANY];
	struct fit_cell prior[4 * MANY];
	size_t n_prior;
	struct fit_cell *cells;
	size_t n_cells;
};

static void solve(struct problem *p)
{
	const struct fit_input in = { .n_places = p->n,
		                      .up = p->up,
		                      .down = p->down,
		                      .prior = p->prior,
		                      .n_prior = p->n_prior };
	assert_int_equal(fit_matrix(&in, &p->cells, &p->n_cells), ERR_OK);
}

static uint64_t cell(const struct problem *p, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < p->n_cells; i++)
		if (p->cells[i].from == from && p->cells[i].to == to)
			return p->cells[i].bytes;
	return 0;
}

static void contact(struct problem *p, uint32_t from, uint32_t to, double weight)
{
	p->prior[p->n_prior++] = (struct fit_cell){ .from = from, .to = to, .weight = weight };
}

static void assert_near(double a, double b, double relative)
{
	if (fabs(a - b) > relative * fmax(fabs(a), fabs(b)) + 2)
		fail_msg("%.3f is not near %.3f", a, b);
}

static void assert_columns_exact(const struct problem *p)
{
	uint64_t sum[MANY] = { 0 };
	for (size_t i = 0; i < p->n_cells; i++) {
		sum[p->cells[i].to] += p->cells[i].bytes;
		if (i > 0)
			assert_true(p->cells[i].to > p->cells[i - 1].to ||
			            p->cells[i].from > p->cells[i - 1].from);
	}
	for (size_t i = 0; i < p->n; i++)
		assert_int_equal(sum[i], p->down[i]);
}

/* `ratio`: reported up : down, as from clients that exaggerate. */
static void assert_rows_hold(const struct problem *p, double ratio)
{
	double sum[MANY] = { 0 };
	for (size_t i = 0; i < p->n_cells; i++)
		sum[p->cells[i].from] += (double)p->cells[i].bytes;
	for (size_t i = 0; i < p->n; i++)
		if (fabs(sum[i] * ratio - p->up[i]) > 1e-5 * p->up[i] + MANY)
			fail_msg("row %zu: %.0f, not %.0f", i, sum[i] * ratio, p->up[i]);
}

static void finds_the_matrix_that_its_prior_is_proportional_to(void **state)
{
	(void)state;
	uint64_t seed = 1;
	uint64_t truth[PLACES][PLACES];
	struct problem p = { .n = PLACES };
	for (uint32_t i = 0; i < PLACES; i++)
		for (uint32_t j = 0; j < PLACES; j++) {
			truth[i][j] = 100000000 + random_below(&seed, 900000000);
			p.up[i] += 3 * (double)truth[i][j]; /* all exaggerate alike */
			p.down[j] += truth[i][j];
			contact(&p, i, j, (double)truth[i][j] / 1e7);
		}
	solve(&p);
	assert_columns_exact(&p);
	assert_rows_hold(&p, 3);
	for (uint32_t i = 0; i < PLACES; i++)
		for (uint32_t j = 0; j < PLACES; j++)
			assert_near((double)cell(&p, i, j), (double)truth[i][j], 0.02);
	free(p.cells);
}

static void row_and_column_factors_of_the_prior_do_not_matter(void **state)
{
	(void)state;
	struct problem p = { .n = 2, .up = { 600, 400 }, .down = { 700, 300 } };
	contact(&p, 0, 0, 5);
	contact(&p, 0, 1, 15);
	contact(&p, 1, 0, 7);
	contact(&p, 1, 1, 21);
	solve(&p);
	assert_near((double)cell(&p, 0, 0), 420, 0.01);
	assert_near((double)cell(&p, 1, 1), 120, 0.01);
	free(p.cells);
}

static void loses_no_byte_of_a_place_without_contacts(void **state)
{
	(void)state;
	struct problem p = { .n = 4, .up = { 100, 0, 50, 0 }, .down = { 0, 90, 0, 30 } };
	contact(&p, 0, 1, 9);
	solve(&p);
	assert_columns_exact(&p);
	assert_rows_hold(&p, 150.0 / 120);
	free(p.cells);
}

static void follows_the_sums_where_the_contacts_contradict_them(void **state)
{
	(void)state;
	/* Place 1 met only place 0, which uploaded next to nothing. */
	struct problem p = { .n = 3, .up = { 10, 0, 999990 }, .down = { 0, 500000, 500000 } };
	contact(&p, 0, 1, 9);
	contact(&p, 2, 2, 9);
	solve(&p);
	assert_columns_exact(&p);
	assert_true(cell(&p, 2, 1) > 499000);
	free(p.cells);
}

static void contacts_decide_alone_when_nobody_uploaded(void **state)
{
	(void)state;
	struct problem p = { .n = 3, .down = { 0, 100000, 0 } };
	contact(&p, 0, 1, 3);
	contact(&p, 2, 1, 1);
	contact(&p, 1, 0, 50);
	solve(&p);
	assert_columns_exact(&p);
	assert_near((double)cell(&p, 0, 1), 75000, 0.01);
	assert_near((double)cell(&p, 2, 1), 25000, 0.01);
	free(p.cells);
}

static void one_place_keeps_all_to_itself(void **state)
{
	(void)state;
	struct problem p = { .n = 1, .up = { 5 }, .down = { 7777 } };
	solve(&p);
	assert_int_equal(p.n_cells, 1);
	assert_int_equal(cell(&p, 0, 0), 7777);
	free(p.cells);
}

static void nothing_downloaded_gives_no_cells(void **state)
{
	(void)state;
	struct problem p = { .n = 3, .up = { 5, 6, 7 }, .n_cells = 99 };
	contact(&p, 0, 1, 1);
	solve(&p);
	assert_int_equal(p.n_cells, 0);
	assert_null(p.cells);
}

static void keeps_whole_bytes_beyond_the_precision_of_doubles(void **state)
{
	(void)state;
	struct problem p = { .n = 3, .up = { 1, 2, 4 } };
	p.down[0] = (UINT64_C(1) << 60) + 12345;
	p.down[2] = (UINT64_C(1) << 59) + 1;
	solve(&p);
	assert_columns_exact(&p);
	free(p.cells);
}

static void refuses_what_is_beyond_its_limits(void **state)
{
	(void)state;
	struct fit_cell *out = NULL;
	size_t n = 0;
	const double up[] = { 1 };
	const uint64_t down[] = { UINT64_C(1) << 63 };
	struct fit_input in = { .n_places = 1, .up = up, .down = down };
	assert_int_equal(fit_matrix(&in, &out, &n), ERR_RANGE);
	in.n_places = (size_t)FIT_PLACES_MAX + 1;
	assert_int_equal(fit_matrix(&in, &out, &n), ERR_RANGE);
}

/* ---- against a slow dense model ---- */

static double total(const double *v, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum;
}

static void dense(const struct problem *p, double t[PLACES][PLACES])
{
	double down[PLACES], weight = 0;
	const double up = total(p->up, p->n);
	for (size_t j = 0; j < p->n; j++)
		down[j] = (double)p->down[j];
	const double all = total(down, p->n);
	memset(t, 0, sizeof(double[PLACES][PLACES]));
	for (size_t k = 0; k < p->n_prior; k++) {
		const struct fit_cell *c = &p->prior[k];
		if (p->up[c->from] > 0 && down[c->to] > 0) {
			t[c->from][c->to] += c->weight;
			weight += c->weight;
		}
	}
	if (weight <= 0)
		weight = 1;
	for (size_t i = 0; i < p->n; i++)
		for (size_t j = 0; j < p->n; j++)
			t[i][j] += FIT_BACKGROUND * weight * p->up[i] / up * down[j] / all;
	for (int round = 0; round < 3000; round++) {
		for (size_t i = 0; i < p->n; i++) {
			const double row = total(t[i], p->n);
			for (size_t j = 0; j < p->n && row > 0; j++)
				t[i][j] *= p->up[i] / up * all / row;
		}
		for (size_t j = 0; j < p->n; j++) {
			double column = 0;
			for (size_t i = 0; i < p->n; i++)
				column += t[i][j];
			for (size_t i = 0; i < p->n && column > 0; i++)
				t[i][j] *= down[j] / column;
		}
	}
}

static void agrees_with_a_slow_dense_model(void **state)
{
	(void)state;
	uint64_t seed = 42;
	for (int run = 0; run < 60; run++) {
		double model[PLACES][PLACES];
		struct problem p = { .n = 1 + random_below(&seed, PLACES) };
		for (size_t i = 0; i < p.n; i++) {
			p.up[i] = random_below(&seed, 3) ? random_below(&seed, 1000000) : 0;
			p.down[i] = random_below(&seed, 3) ? random_below(&seed, 1000000) : 0;
		}
		p.up[random_below(&seed, (uint32_t)p.n)] = 500000;
		for (size_t k = random_below(&seed, 100); k > 0; k--)
			contact(&p, random_below(&seed, (uint32_t)p.n),
			        random_below(&seed, (uint32_t)p.n), random_below(&seed, 50));
		solve(&p);
		dense(&p, model);
		assert_columns_exact(&p);
		for (uint32_t i = 0; i < p.n; i++)
			for (uint32_t j = 0; j < p.n && p.n_cells > 0; j++)
				assert_near((double)cell(&p, i, j), model[i][j], 0.01);
		free(p.cells);
	}
}

static void sums_hold_among_more_places_than_the_spread(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (int run = 0; run < 5; run++) {
		struct problem p = { .n = MANY };
		for (uint32_t i = 0; i < MANY; i++) {
			p.up[i] = random_below(&seed, 1000000);
			p.down[i] = random_below(&seed, 1000000);
			for (int k = 0; k < 3; k++)
				contact(&p, i, random_below(&seed, MANY), 1 + k);
		}
		solve(&p);
		assert_columns_exact(&p);
		double down = 0;
		for (size_t i = 0; i < MANY; i++)
			down += (double)p.down[i];
		assert_rows_hold(&p, total(p.up, MANY) / down);
		free(p.cells);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_the_matrix_that_its_prior_is_proportional_to),
	cmocka_unit_test(row_and_column_factors_of_the_prior_do_not_matter),
	cmocka_unit_test(loses_no_byte_of_a_place_without_contacts),
	cmocka_unit_test(follows_the_sums_where_the_contacts_contradict_them),
	cmocka_unit_test(contacts_decide_alone_when_nobody_uploaded),
	cmocka_unit_test(one_place_keeps_all_to_itself),
	cmocka_unit_test(nothing_downloaded_gives_no_cells),
	cmocka_unit_test(keeps_whole_bytes_beyond_the_precision_of_doubles),
	cmocka_unit_test(refuses_what_is_beyond_its_limits),
	cmocka_unit_test(agrees_with_a_slow_dense_model),
	cmocka_unit_test(sums_hold_among_more_places_than_the_spread),
};

RUN_TESTS(tests)
