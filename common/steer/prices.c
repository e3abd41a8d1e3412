/* SPDX-License-Identifier: Apache-2.0 */
#include "common/steer/prices.h"

#include "common/balance/ratio.h"
#include "common/map/document.h"

/* Of a constraint that is not there, or far from its limit: whatever else there is counts. */
static const double SLACK = -1;

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

static struct prices_way start(uint32_t cost)
{
	return (struct prices_way){ .cost = cost, .in_force = cost, .price = cost, .mean_bps = -1 };
}

void prices_start(struct prices_state *state, uint32_t provider, uint32_t out, uint32_t in)
{
	state->provider = provider;
	state->way[PRICES_OUT] = start(out);
	state->way[PRICES_IN] = start(in);
}

/* ---- violations ---- */

struct sums {
	double load, capacity;
};

static struct sums sum(const struct prices_edge *edges, size_t n, enum prices_direction d)
{
	struct sums s = { 0, 0 };
	for (size_t i = 0; i < n; i++) {
		if (!edges[i].known || edges[i].capacity_bps == 0)
			continue;
		s.load += edges[i].load_bps[d];
		s.capacity += (double)edges[i].capacity_bps;
	}
	return s;
}

/* What edges should not be loaded above. */
static double target(struct sums s)
{
	return s.capacity > 0 ? larger(PRICES_TARGET, s.load / s.capacity) : PRICES_TARGET;
}

static void set_targets(const struct prices_edge *edges, size_t n, bool links,
                        double out[static PRICES_DIRECTIONS])
{
	const struct sums there = sum(edges, n, PRICES_OUT), back = sum(edges, n, PRICES_IN);
	const struct sums all = { there.load + back.load, there.capacity + back.capacity };
	out[PRICES_OUT] = target(links ? all : there);
	out[PRICES_IN] = target(links ? all : back);
}

static double of_load(const struct prices_edge *e, enum prices_direction d, double most)
{
	return e->capacity_bps == 0 ? SLACK : e->load_bps[d] / (double)e->capacity_bps - most;
}

static double of_budget(const struct prices_budget *b)
{
	return b->bps == 0 || b->bins_left > 0 ? SLACK : b->load_bps / (double)b->bps - 1;
}

static double of_ratio(const struct prices_state *s, enum prices_direction d, uint64_t limit_milli)
{
	const double warn = larger(1, (double)limit_milli * RATIO_WARN_PERCENT / 100000);
	const double mine = s->way[d].mean_bps, most = warn * s->way[PRICES_IN - d].mean_bps;
	return limit_milli == 0 || mine + most <= 0 ? SLACK : (mine - most) / (mine + most);
}

static double violation(const struct prices_edge *e, const struct prices_state *s,
                        enum prices_direction d, double most)
{
	const double ratio = of_ratio(s, d, e->ratio_limit_milli);
	const double worst = larger(ratio, larger(of_load(e, d, most), of_budget(&e->budget[d])));
	const bool wanted = of_ratio(s, PRICES_IN - d, e->ratio_limit_milli) > 0;
	return wanted && worst <= 0 ? -PRICES_STEP / PRICES_GAIN : worst;
}

/* ---- steps ---- */

static void remember(struct prices_way *way, double load)
{
	way->mean_bps = way->mean_bps < 0
	                        ? load
	                        : way->mean_bps + (load - way->mean_bps) / PRICES_RATIO_BINS;
}

static void step(struct prices_way *way, double by, double most)
{
	const double change = clamp(PRICES_GAIN * by, -PRICES_STEP, PRICES_STEP);
	/* What is documented as free has to begin somewhere. */
	const double from = change > 0 ? larger(1, way->price) : way->price;
	way->price = clamp(from * (1 + change), way->cost, most);

	const double apart = way->price - way->in_force, enough = PRICES_HYSTERESIS * way->in_force;
	if (apart >= enough || apart <= -enough || way->price <= way->cost || way->price >= most)
		way->in_force = (uint32_t)(way->price + 0.5);
}

static double dearest(const struct prices_state *states, size_t n)
{
	double most = 1;
	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
			most = larger(most, states[i].way[d].cost);
	return most;
}

static void step_provider(const struct prices_edge *edges, struct prices_state *states, size_t n,
                          bool links)
{
	const double most = clamp(PRICES_MOST * dearest(states, n), 1, MAP_COST_MAX);
	double targets[PRICES_DIRECTIONS];
	set_targets(edges, n, links, targets);
	for (size_t i = 0; i < n; i++) {
		struct prices_way *way = states[i].way;
		double by[PRICES_DIRECTIONS];
		if (!edges[i].known)
			continue;
		for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
			remember(&way[d], edges[i].load_bps[d]);
		for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
			by[d] = violation(&edges[i], &states[i], d, targets[d]);
		for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
			step(&way[d], by[d], most);
	}
}

static void step_all(const struct prices_edge *edges, struct prices_state *states, size_t n,
                     bool links)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && states[end].provider == states[i].provider; end++)
			;
		step_provider(&edges[i], &states[i], end - i, links);
	}
}

void prices_step(const struct prices_edge *edges, struct prices_state *states, size_t n)
{
	step_all(edges, states, n, false);
}

void prices_step_links(const struct prices_edge *edges, struct prices_state *states, size_t n)
{
	step_all(edges, states, n, true);
}
