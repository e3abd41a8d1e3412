/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/steer/prices.h"

#include <glpk.h>
#include <math.h>

/*
 * Prices against the optimum. Askers (demands) may be served over some of a provider's interconnects;
 * steering divides them by price, and each bin some of the traffic follows, as clients ask again. Where
 * that comes to rest is held against what an exact linear program would do with the same traffic.
 */

enum { DEMANDS = 6, EDGES = 5, BINS = 600, LAST = 200, INSTANCES = 100, MESHED = 400 };
#define FOLLOWS (1.0 / 6) /* of the traffic in a bin: announces are half an hour apart */
#define STRICT  8.0       /* powers, see follow() */
#define CALM    2.0
#define GBPS    1e9

struct instance {
	double demand[DEMANDS]; /* bit/s */
	bool reaches[DEMANDS][EDGES];
	double cost[EDGES], capacity[EDGES];
};

struct outcome {
	double utilisation; /* the largest */
	double peak;        /* of any bin */
	double cost;        /* per second */
};

/* ---- the exact answer ---- */

static int column_of(int demand, int edge)
{
	return 1 + demand * EDGES + edge;
}

static void add_flows(glp_prob *lp, const struct instance *x)
{
	glp_add_cols(lp, DEMANDS * EDGES + 1); /* the last is the largest utilisation */
	for (int d = 0; d < DEMANDS; d++)
		for (int e = 0; e < EDGES; e++)
			glp_set_col_bnds(lp, column_of(d, e), x->reaches[d][e] ? GLP_LO : GLP_FX, 0,
			                 0);
	glp_set_col_bnds(lp, DEMANDS * EDGES + 1, GLP_LO, 0, 0);
}

static void serve_all(glp_prob *lp, const struct instance *x)
{
	for (int d = 0; d < DEMANDS; d++) {
		int at[EDGES + 1];
		double one[EDGES + 1];
		const int row = glp_add_rows(lp, 1);
		for (int e = 0; e < EDGES; e++) {
			at[e + 1] = column_of(d, e);
			one[e + 1] = 1;
		}
		glp_set_mat_row(lp, row, EDGES, at, one);
		glp_set_row_bnds(lp, row, GLP_FX, x->demand[d] / GBPS, 0);
	}
}

/* load <= utilisation * capacity */
static void bound_loads(glp_prob *lp, const struct instance *x)
{
	for (int e = 0; e < EDGES; e++) {
		int at[DEMANDS + 2];
		double by[DEMANDS + 2];
		const int row = glp_add_rows(lp, 1);
		for (int d = 0; d < DEMANDS; d++) {
			at[d + 1] = column_of(d, e);
			by[d + 1] = 1;
		}
		at[DEMANDS + 1] = DEMANDS * EDGES + 1;
		by[DEMANDS + 1] = -x->capacity[e] / GBPS;
		glp_set_mat_row(lp, row, DEMANDS + 1, at, by);
		glp_set_row_bnds(lp, row, GLP_UP, 0, 0);
	}
}

/* Least cost with no utilisation above `most`; `most` 0: the least largest utilisation. */
static bool solve(const struct instance *x, double most, struct outcome *out)
{
	glp_prob *lp = glp_create_prob();
	glp_smcp quiet;
	glp_init_smcp(&quiet);
	quiet.msg_lev = GLP_MSG_OFF;
	glp_set_obj_dir(lp, GLP_MIN);
	add_flows(lp, x);
	serve_all(lp, x);
	bound_loads(lp, x);
	for (int d = 0; d < DEMANDS && most > 0; d++)
		for (int e = 0; e < EDGES; e++)
			glp_set_obj_coef(lp, column_of(d, e), x->cost[e]);
	if (most > 0)
		glp_set_col_bnds(lp, DEMANDS * EDGES + 1, GLP_DB, 0, most);
	else
		glp_set_obj_coef(lp, DEMANDS * EDGES + 1, 1);
	const bool solved = glp_simplex(lp, &quiet) == 0 && glp_get_status(lp) == GLP_OPT;
	*out = (struct outcome){ .utilisation = glp_get_col_prim(lp, DEMANDS * EDGES + 1) };
	for (int d = 0; d < DEMANDS; d++)
		for (int e = 0; e < EDGES; e++)
			out->cost += glp_get_col_prim(lp, column_of(d, e)) * x->cost[e] * GBPS;
	glp_delete_prob(lp);
	return solved;
}

/* ---- what prices do ---- */

struct world {
	const struct instance *x;
	struct prices_edge edges[EDGES];
	struct prices_state states[EDGES];
	double flow[DEMANDS][EDGES], load[EDGES];
};

/* Traffic goes by (1/price)^power: p4p's does by 0.5, that of a strict choice by a high power. */
static void follow(struct world *w, double power, double share)
{
	for (int e = 0; e < EDGES; e++)
		w->load[e] = 0;
	for (int d = 0; d < DEMANDS; d++) {
		double weight[EDGES], sum = 0;
		for (int e = 0; e < EDGES; e++) {
			const uint32_t price = w->states[e].way[PRICES_OUT].in_force;
			weight[e] = w->x->reaches[d][e] ? pow(price, -power) : 0;
			sum += weight[e];
		}
		for (int e = 0; e < EDGES; e++) {
			const double wanted = w->x->demand[d] * weight[e] / sum;
			w->flow[d][e] += share * (wanted - w->flow[d][e]);
			w->load[e] += w->flow[d][e];
		}
	}
}

static void measure(struct world *w)
{
	for (int e = 0; e < EDGES; e++) {
		w->edges[e] = (struct prices_edge){ .capacity_bps = (uint64_t)w->x->capacity[e],
			                            .known = true };
		w->edges[e].load_bps[PRICES_OUT] = w->load[e];
	}
}

static struct outcome rest(const struct instance *x, double power)
{
	struct world w = { .x = x };
	double mean[EDGES] = { 0 };
	struct outcome o = { 0 };
	for (int e = 0; e < EDGES; e++)
		prices_start(&w.states[e], (uint32_t)x->cost[e], (uint32_t)x->cost[e]);
	follow(&w, power, 1);
	for (int bin = 0; bin < BINS; bin++) {
		measure(&w);
		prices_step(w.edges, w.states, EDGES);
		follow(&w, power, FOLLOWS);
		for (int e = 0; e < EDGES && bin >= BINS - LAST; e++) {
			mean[e] += w.load[e] / LAST;
			o.peak = fmax(o.peak, w.load[e] / x->capacity[e]);
		}
	}
	for (int e = 0; e < EDGES; e++) {
		o.utilisation = fmax(o.utilisation, mean[e] / x->capacity[e]);
		o.cost += mean[e] * x->cost[e];
	}
	return o;
}

static struct instance draw(uint64_t *seed, bool meshed)
{
	static const double costs[] = { 5, 10, 10, 40, 100 }, capacities[] = { 10, 20, 40, 100 };
	struct instance x = { 0 };
	for (int e = 0; e < EDGES; e++) {
		x.cost[e] = costs[random_below(seed, 5)];
		x.capacity[e] = capacities[random_below(seed, 4)] * GBPS;
	}
	for (int d = 0; d < DEMANDS; d++) {
		x.demand[d] = (1 + (double)random_below(seed, 20)) * GBPS;
		for (int e = 0; e < EDGES; e++)
			x.reaches[d][e] = meshed || e == EDGES - 1 || random_below(seed, 2) == 0;
	}
	return x;
}

/* Where all can stay within the target: that holds, and costs little more than it must; and traffic
 * that does not jump at every change of a price comes to rest. */
static void costs_come_near_the_least_within_the_target(void **state)
{
	(void)state;
	uint64_t seed = 1;
	unsigned tried = 0;
	for (int i = 0; tried < INSTANCES; i++) {
		const struct instance x = draw(&seed, i % 2 == 0);
		struct outcome least;
		if (!solve(&x, PRICES_TARGET - 0.01, &least) || !solve(&x, PRICES_TARGET, &least))
			continue;
		const struct outcome mine = rest(&x, STRICT), calm = rest(&x, CALM);
		tried++;
		if (mine.utilisation > 1.02 * PRICES_TARGET || calm.peak > 1.10 * PRICES_TARGET)
			fail_msg("instance %d: utilisation %.3f; at most %.3f in a bin", i,
			         mine.utilisation, calm.peak);
		if (mine.cost > 1.03 * least.cost)
			fail_msg("instance %d: cost %.4g, not %.4g", i, mine.cost, least.cost);
	}
}

/* Where all are above the target whatever is done: as even as may be. */
static void the_largest_utilisation_comes_near_the_least(void **state)
{
	(void)state;
	uint64_t seed = 1;
	unsigned tried = 0;
	for (int i = 0; i < MESHED; i++) {
		const struct instance x = draw(&seed, true);
		struct outcome least;
		if (!solve(&x, 0, &least) || least.utilisation < PRICES_TARGET ||
		    least.utilisation > 1.5)
			continue;
		const struct outcome mine = rest(&x, STRICT);
		tried++;
		if (mine.utilisation > 1.02 * least.utilisation)
			fail_msg("instance %d: utilisation %.3f, not %.3f", i, mine.utilisation,
			         least.utilisation);
	}
	assert_true(tried >= 20);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(costs_come_near_the_least_within_the_target),
	cmocka_unit_test(the_largest_utilisation_comes_near_the_least),
};

RUN_TESTS(tests)
