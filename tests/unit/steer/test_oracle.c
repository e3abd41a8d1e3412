/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "common/map/distance.h"
#include "common/steer/prices.h"

#include <glpk.h>
#include <math.h>

/*
 * Prices against the optimum. Askers (demands) have several ways to be served, each over some of a
 * provider's edges: one interconnect of several, or the links that lead from one PID of several. Steering
 * divides them by price, and each bin some of the traffic follows, as clients ask again. Where that comes to
 * rest is held against what an exact linear program would do with the same traffic.
 */

enum { DEMANDS = 6, WAYS = 5, PIDS = WAYS + 1, LINKS = 9, EDGES = 2 * LINKS };
enum { BINS = 600, LAST = 200, INSTANCES = 100, MESHED = 400 };
#define FOLLOWS (1.0 / 6) /* of the traffic in a bin: announces are half an hour apart */
#define STRICT  8.0       /* powers, see follow() */
#define CALM    2.0
#define P4P     0.5
#define GBPS    1e9

struct instance {
	int edges;
	double demand[DEMANDS]; /* bit/s */
	bool reaches[DEMANDS][WAYS], crosses[DEMANDS][WAYS][EDGES];
	double cost[EDGES], capacity[EDGES];
};

struct outcome {
	double utilisation; /* the largest */
	double peak;        /* of any bin */
	double cost;        /* per second */
};

/* Of what there is for each edge. */
static double along(const struct instance *x, int d, int way, const double *each)
{
	double sum = 0;
	for (int e = 0; e < x->edges; e++)
		sum += x->crosses[d][way][e] ? each[e] : 0;
	return sum;
}

/* ---- the exact answer ---- */

enum { LARGEST = DEMANDS * WAYS + 1 /* the column of the largest utilisation */ };

static int column_of(int demand, int way)
{
	return 1 + demand * WAYS + way;
}

static void add_flows(glp_prob *lp, const struct instance *x)
{
	glp_add_cols(lp, LARGEST);
	for (int d = 0; d < DEMANDS; d++)
		for (int w = 0; w < WAYS; w++)
			glp_set_col_bnds(lp, column_of(d, w), x->reaches[d][w] ? GLP_LO : GLP_FX, 0,
			                 0);
	glp_set_col_bnds(lp, LARGEST, GLP_LO, 0, 0);
}

static void serve_all(glp_prob *lp, const struct instance *x)
{
	for (int d = 0; d < DEMANDS; d++) {
		int at[WAYS + 1];
		double one[WAYS + 1];
		const int row = glp_add_rows(lp, 1);
		for (int w = 0; w < WAYS; w++) {
			at[w + 1] = column_of(d, w);
			one[w + 1] = 1;
		}
		glp_set_mat_row(lp, row, WAYS, at, one);
		glp_set_row_bnds(lp, row, GLP_FX, x->demand[d] / GBPS, 0);
	}
}

/* load <= utilisation * capacity */
static void bound_loads(glp_prob *lp, const struct instance *x)
{
	for (int e = 0; e < x->edges; e++) {
		int at[LARGEST + 1], n = 0;
		double by[LARGEST + 1];
		const int row = glp_add_rows(lp, 1);
		for (int i = 0; i < DEMANDS * WAYS; i++)
			if (x->crosses[i / WAYS][i % WAYS][e]) {
				at[++n] = column_of(i / WAYS, i % WAYS);
				by[n] = 1;
			}
		at[++n] = LARGEST;
		by[n] = -x->capacity[e] / GBPS;
		glp_set_mat_row(lp, row, n, at, by);
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
	for (int i = 0; i < DEMANDS * WAYS && most > 0; i++)
		glp_set_obj_coef(lp, column_of(i / WAYS, i % WAYS),
		                 along(x, i / WAYS, i % WAYS, x->cost));
	if (most > 0)
		glp_set_col_bnds(lp, LARGEST, GLP_DB, 0, most);
	else
		glp_set_obj_coef(lp, LARGEST, 1);
	const bool solved = glp_simplex(lp, &quiet) == 0 && glp_get_status(lp) == GLP_OPT;
	*out = (struct outcome){ .utilisation = glp_get_col_prim(lp, LARGEST) };
	for (int i = 0; i < DEMANDS * WAYS; i++)
		out->cost += glp_get_col_prim(lp, column_of(i / WAYS, i % WAYS)) *
		             along(x, i / WAYS, i % WAYS, x->cost) * GBPS;
	glp_delete_prob(lp);
	return solved;
}

/* ---- what prices do ---- */

struct world {
	const struct instance *x;
	struct prices_edge edges[EDGES];
	struct prices_state states[EDGES];
	double flow[DEMANDS][WAYS], load[EDGES];
};

/* Traffic goes by (1/price)^power: p4p's does by 0.5, that of a strict choice by a high power. */
static void follow(struct world *w, double power, double share)
{
	double price[EDGES];
	for (int e = 0; e < w->x->edges; e++) {
		w->load[e] = 0;
		price[e] = w->states[e].way[PRICES_OUT].in_force;
	}
	for (int d = 0; d < DEMANDS; d++) {
		double weight[WAYS], sum = 0;
		for (int i = 0; i < WAYS; i++) {
			weight[i] = w->x->reaches[d][i] ? pow(along(w->x, d, i, price), -power) : 0;
			sum += weight[i];
		}
		for (int i = 0; i < WAYS; i++) {
			const double wanted = w->x->demand[d] * weight[i] / sum;
			w->flow[d][i] += share * (wanted - w->flow[d][i]);
			for (int e = 0; e < w->x->edges; e++)
				w->load[e] += w->x->crosses[d][i][e] ? w->flow[d][i] : 0;
		}
	}
}

static void measure(struct world *w)
{
	for (int e = 0; e < w->x->edges; e++) {
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
	for (int e = 0; e < x->edges; e++)
		prices_start(&w.states[e], 0, (uint32_t)x->cost[e], (uint32_t)x->cost[e]);
	follow(&w, power, 1);
	for (int bin = 0; bin < BINS; bin++) {
		measure(&w);
		prices_step(w.edges, w.states, (size_t)x->edges);
		follow(&w, power, FOLLOWS);
		for (int e = 0; e < x->edges && bin >= BINS - LAST; e++) {
			mean[e] += w.load[e] / LAST;
			o.peak = fmax(o.peak, w.load[e] / x->capacity[e]);
		}
	}
	for (int e = 0; e < x->edges; e++) {
		o.utilisation = fmax(o.utilisation, mean[e] / x->capacity[e]);
		o.cost += mean[e] * x->cost[e];
	}
	return o;
}

/* ---- instances ---- */

static const double capacities[] = { 10, 20, 40, 100 };

/* Each way is an interconnect of its own. */
static struct instance draw(uint64_t *seed, bool meshed)
{
	static const double costs[] = { 5, 10, 10, 40, 100 };
	struct instance x = { .edges = WAYS };
	for (int e = 0; e < WAYS; e++) {
		x.cost[e] = costs[random_below(seed, 5)];
		x.capacity[e] = capacities[random_below(seed, 4)] * GBPS;
	}
	for (int d = 0; d < DEMANDS; d++) {
		x.demand[d] = (1 + (double)random_below(seed, 20)) * GBPS;
		for (int e = 0; e < WAYS; e++) {
			x.reaches[d][e] = meshed || e == WAYS - 1 || random_below(seed, 2) == 0;
			x.crosses[d][e][e] = true;
		}
	}
	return x;
}

/* A ring of PIDs with chords; each asks, and any other may serve it along the links of least weight. */
static struct instance draw_links(uint64_t *seed)
{
	struct instance x = { .edges = EDGES };
	struct distance_link links[LINKS];
	struct distance_tree t;
	for (uint32_t i = 0; i < LINKS; i++) {
		links[i] = (struct distance_link){ i % PIDS, (i + 1) % PIDS,
			                           5 + random_below(seed, 30) };
		if (i >= PIDS)
			links[i].b = (links[i].a + 2 + random_below(seed, PIDS - 3)) % PIDS;
		x.cost[2 * i] = x.cost[2 * i + 1] = links[i].weight;
		x.capacity[2 * i] = x.capacity[2 * i + 1] =
			capacities[random_below(seed, 4)] * GBPS;
	}
	for (int d = 0; d < DEMANDS; d++)
		x.demand[d] = (1 + (double)random_below(seed, 20)) * GBPS;
	assert_int_equal(distance_tree_init(&t, links, LINKS, PIDS), ERR_OK);
	for (uint32_t from = 0; from < PIDS; from++) {
		distance_tree_grow(&t, from);
		for (uint32_t to = 0; to < PIDS; to++) {
			if (to == from)
				continue;
			const uint32_t way = (from + PIDS - to) % PIDS - 1;
			x.reaches[to][way] = true;
			for (uint32_t at = to; at != from; at = t.steps[at].before)
				x.crosses[to][way][2 * t.steps[at].link +
				                   (links[t.steps[at].link].a == at)] = true;
		}
	}
	distance_tree_done(&t);
	return x;
}

/* An instance in which all edges can stay a little below the target, and what it costs to keep them at it. */
static struct instance draw_feasible(uint64_t *seed, bool of_links, bool meshed,
                                     struct outcome *least)
{
	for (;;) {
		const struct instance x = of_links ? draw_links(seed) : draw(seed, meshed);
		if (solve(&x, PRICES_TARGET - 0.01, least) && solve(&x, PRICES_TARGET, least))
			return x;
	}
}

/* That holds, and costs little more than it must; and traffic that does not jump at every change of a
 * price comes to rest. */
static void hold_to_least_cost(bool of_links, double dearer)
{
	uint64_t seed = 1;
	for (int i = 0; i < INSTANCES; i++) {
		struct outcome least;
		const struct instance x = draw_feasible(&seed, of_links, i % 2 == 0, &least);
		const struct outcome mine = rest(&x, STRICT), calm = rest(&x, CALM);
		if (mine.utilisation > 1.02 * PRICES_TARGET || calm.peak > 1.10 * PRICES_TARGET)
			fail_msg("instance %d: utilisation %.3f; at most %.3f in a bin", i,
			         mine.utilisation, calm.peak);
		if (mine.cost > dearer * least.cost)
			fail_msg("instance %d: cost %.4g, not %.4g", i, mine.cost, least.cost);
	}
}

static void costs_come_near_the_least_within_the_target(void **state)
{
	(void)state;
	hold_to_least_cost(false, 1.03);
}

static void links_come_near_the_least_cost_within_the_target(void **state)
{
	(void)state;
	hold_to_least_cost(true, 1.08);
}

/* A square root moves little, so prices must be free to rise far: with at most ten times the dearest cost,
 * 14 of these 400 were above their capacity, by up to 37 %. With documented prices it is every second. */
static void p4p_exceeds_no_capacity_that_need_not_be(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (int i = 0; i < MESHED; i++) {
		struct outcome least;
		const struct instance x = draw_feasible(&seed, i % 2 == 0, i % 4 < 2, &least);
		const struct outcome mine = rest(&x, P4P);
		if (mine.utilisation > 1)
			fail_msg("instance %d: utilisation %.3f", i, mine.utilisation);
	}
}

/* Where all are above the target whatever is done: as even as may be. Returns the mean of what the largest
 * utilisation is, of the least that it could be. */
static double hold_to_least_utilisation(bool of_links, double most)
{
	uint64_t seed = 1;
	unsigned tried = 0;
	double sum = 0;
	for (int i = 0; i < MESHED; i++) {
		const struct instance x = of_links ? draw_links(&seed) : draw(&seed, true);
		struct outcome least;
		if (!solve(&x, 0, &least) || least.utilisation < PRICES_TARGET ||
		    least.utilisation > 1.5)
			continue;
		const struct outcome mine = rest(&x, STRICT);
		tried++;
		sum += mine.utilisation / least.utilisation;
		if (mine.utilisation > most * least.utilisation)
			fail_msg("instance %d: utilisation %.3f, not %.3f", i, mine.utilisation,
			         least.utilisation);
	}
	assert_true(tried >= 20);
	return sum / tried;
}

static void the_largest_utilisation_comes_near_the_least(void **state)
{
	(void)state;
	(void)hold_to_least_utilisation(false, 1.02);
}

/* Less near: a way has several links, and one that nobody can avoid holds up the prices of those who also use
 * others. */
static void that_of_links_does_on_average(void **state)
{
	(void)state;
	assert_true(hold_to_least_utilisation(true, 1.35) < 1.12);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(costs_come_near_the_least_within_the_target),
	cmocka_unit_test(links_come_near_the_least_cost_within_the_target),
	cmocka_unit_test(p4p_exceeds_no_capacity_that_need_not_be),
	cmocka_unit_test(the_largest_utilisation_comes_near_the_least),
	cmocka_unit_test(that_of_links_does_on_average),
};

RUN_TESTS(tests)
