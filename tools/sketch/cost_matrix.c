/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/cost_matrix.h"

#include <math.h>
#include <stdlib.h>

enum err cost_matrix_init(struct cost_matrix *m, const struct map_costs *costs,
                          const struct table *numbers, uint32_t n, const uint32_t *distances)
{
	const size_t cells = (size_t)n * n;
	*m = (struct cost_matrix){ .n = n,
		                   .out = malloc(cells * sizeof(*m->out)),
		                   .in = malloc(cells * sizeof(*m->in)),
		                   .named = calloc(n, sizeof(*m->named)) };
	if (m->out == NULL || m->in == NULL || m->named == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < cells; i++) /* distances are the same both ways */
		m->out[i] = m->in[i] = distances[i] > 0 ? distances[i] : 1;
	for (size_t i = 0; i < costs->n_pid_costs; i++) {
		const struct map_pid_cost *c = &costs->pid_costs[i];
		uint32_t from, to;
		must(table_find(numbers, c->from, &from) && table_find(numbers, c->to, &to));
		m->out[(size_t)from * n + to] = m->in[(size_t)to * n + from] = c->cost | COST_SAID;
		if (from != to)
			m->named[from] = m->named[to] = true;
	}
	return ERR_OK;
}

void cost_matrix_done(struct cost_matrix *m)
{
	free(m->out);
	free(m->in);
	free(m->named);
	*m = (struct cost_matrix){ 0 };
}

static uint32_t rows_differ(const uint32_t *a, const uint32_t *b, uint32_t n)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t x = a[i] & ~COST_SAID, y = b[i] & ~COST_SAID;
		const uint32_t apart = x > y ? x - y : y - x;
		const uint32_t counts = ((a[i] | b[i]) & COST_SAID) != 0 ? apart : 0;
		most = counts > most ? counts : most;
	}
	return most;
}

uint32_t cost_matrix_differ(const struct cost_matrix *m, uint32_t a, uint32_t b)
{
	const size_t row_a = (size_t)a * m->n, row_b = (size_t)b * m->n;
	const uint32_t out = rows_differ(&m->out[row_a], &m->out[row_b], m->n);
	const uint32_t in = rows_differ(&m->in[row_a], &m->in[row_b], m->n);
	return out > in ? out : in;
}

/* ---- groups ---- */

struct sum {
	double weight, cost;
	bool said;
};

static double at_least_one(double weight)
{
	return weight > 1 ? weight : 1;
}

static void add_up(const struct cost_matrix *m, const uint32_t *group, uint32_t n,
                   const double *weight, struct sum *sums)
{
	for (uint32_t i = 0; i < m->n; i++) {
		for (uint32_t k = 0; k < m->n; k++) {
			const uint32_t cost = m->out[(size_t)i * m->n + k];
			struct sum *to = &sums[(size_t)group[i] * n + group[k]];
			const double by = at_least_one(weight[i]) * at_least_one(weight[k]);
			to->weight += by;
			to->cost += by * (cost & ~COST_SAID);
			to->said |= (cost & COST_SAID) != 0;
		}
	}
}

static void measure(const struct cost_matrix *m, const uint32_t *group, const double *weight,
                    struct cost_merged *out)
{
	double all = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		for (uint32_t k = 0; k < m->n; k++) {
			const uint32_t then = m->out[(size_t)i * m->n + k] & ~COST_SAID;
			const uint32_t is = out->costs[(size_t)group[i] * out->n + group[k]];
			const uint32_t now = is & ~COST_SAID;
			const uint32_t change = now > then ? now - then : then - now;
			const double by = weight[i] * weight[k];
			if ((is & COST_SAID) == 0 || by == 0)
				continue;
			all += by;
			out->mean += by * then;
			out->change += by * change;
			out->change_most = change > out->change_most ? change : out->change_most;
		}
	}
	out->mean /= all > 0 ? all : 1;
	out->change /= all > 0 ? all : 1;
}

enum err cost_matrix_merge(const struct cost_matrix *m, const uint32_t *group, uint32_t n,
                           const double *weight, struct cost_merged *out)
{
	const size_t cells = (size_t)n * n;
	struct sum *sums = calloc(cells, sizeof(*sums));
	*out = (struct cost_merged){ .n = n, .costs = calloc(cells, sizeof(*out->costs)) };
	const enum err e = sums != NULL && out->costs != NULL ? ERR_OK : ERR_NOMEM;
	if (e == ERR_OK) {
		add_up(m, group, n, weight, sums);
		for (size_t i = 0; i < cells; i++) {
			if (!sums[i].said)
				continue;
			out->costs[i] = (uint32_t)lround(sums[i].cost / sums[i].weight) | COST_SAID;
			out->said++;
		}
		measure(m, group, weight, out);
	}
	free(sums);
	return e;
}

void cost_merged_done(struct cost_merged *c)
{
	free(c->costs);
	*c = (struct cost_merged){ 0 };
}
