/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/pricing.h"

#include <stdlib.h>

static void start_interconnect(struct pricing *p, uint32_t i)
{
	const struct map_snapshot *map = p->network->world->map;
	const struct map_interconnect_info about = snapshot_interconnect(map, i);
	const struct map_crossing cost = snapshot_cost(map, i);
	struct prices_edge *e = &p->edges[p->n_links + i];
	e->capacity_bps = about.capacity_mbps * 1000000;
	if (about.relation == RELATION_SETTLEMENT_FREE)
		e->ratio_limit_milli = p->scenario->ratio_limit_milli;
	prices_start(&p->states[p->n_links + i], about.provider_index, cost.out, cost.in);
}

enum err pricing_init(struct pricing *p, const struct network *n, const struct scenario *s)
{
	const struct map_snapshot *map = n->world->map;
	*p = (struct pricing){ .network = n,
		               .scenario = s,
		               .n = n->n_segments / 2,
		               .n_links = n->first_interconnect / 2 };
	p->edges = calloc(p->n + 1, sizeof(*p->edges));
	p->states = calloc(p->n + 1, sizeof(*p->states));
	p->prices = calloc(p->n + 1, sizeof(*p->prices));
	if (p->edges == NULL || p->states == NULL || p->prices == NULL) {
		pricing_done(p);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < p->n_links; i++) {
		const struct map_link_info about = snapshot_link(map, i);
		p->edges[i].capacity_bps = about.capacity_mbps * 1000000;
		prices_start(&p->states[i], about.provider_index, about.weight, about.weight);
	}
	for (uint32_t i = 0; i < p->n - p->n_links; i++)
		start_interconnect(p, i);
	for (size_t i = 0; i < p->n; i++)
		p->edges[i].known = true;
	return ERR_OK;
}

void pricing_done(struct pricing *p)
{
	snapshot_free(p->map);
	free(p->edges);
	free(p->states);
	free(p->prices);
	*p = (struct pricing){ 0 };
}

enum err pricing_follow(struct pricing *p, const struct outcome *o)
{
	const double *bin = o->bins + (o->n_bins - 1) * o->n_segments;
	const double unit = 8.0 / p->scenario->bin_seconds;
	struct map_snapshot *map;
	for (size_t i = 0; i < p->n; i++)
		for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
			p->edges[i].load_bps[d] = unit * bin[2 * i + d];
	prices_step_links(p->edges, p->states, p->n_links);
	prices_step(p->edges + p->n_links, p->states + p->n_links, p->n - p->n_links);
	for (size_t i = 0; i < p->n; i++)
		p->prices[i] = (struct map_crossing){ p->states[i].way[PRICES_OUT].in_force,
			                              p->states[i].way[PRICES_IN].in_force };
	const struct map_prices prices = { .interconnects = p->prices + p->n_links,
		                           .links = p->prices };
	const enum err e = snapshot_reprice(p->network->world->map, &prices, &map);
	if (e != ERR_OK)
		return e;
	snapshot_free(p->map);
	p->map = map;
	return ERR_OK;
}
