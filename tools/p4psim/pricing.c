/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/pricing.h"

#include <stdlib.h>

enum err pricing_init(struct pricing *p, const struct network *n, const struct scenario *s)
{
	const struct map_snapshot *map = n->world->map;
	*p = (struct pricing){ .network = n,
		               .scenario = s,
		               .n = snapshot_counts(map).interconnects };
	p->edges = calloc(p->n + 1, sizeof(*p->edges));
	p->states = calloc(p->n + 1, sizeof(*p->states));
	p->prices = calloc(p->n + 1, sizeof(*p->prices));
	if (p->edges == NULL || p->states == NULL || p->prices == NULL) {
		pricing_done(p);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < p->n; i++) {
		const struct map_interconnect_info about = snapshot_interconnect(map, i);
		const struct map_crossing cost = snapshot_cost(map, i);
		const bool limited = about.relation == RELATION_SETTLEMENT_FREE;
		p->edges[i] = (struct prices_edge){
			.known = true,
			.capacity_bps = about.capacity_mbps * 1000000,
			.ratio_limit_milli = limited ? s->ratio_limit_milli : 0,
		};
		prices_start(&p->states[i], cost.out, cost.in);
	}
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

/* Interconnects stand provider by provider. */
static void step_all(const struct pricing *p)
{
	const struct map_snapshot *map = p->network->world->map;
	for (uint32_t i = 0, end; i < p->n; i = end) {
		const uint32_t provider = snapshot_interconnect(map, i).provider_index;
		for (end = i + 1;
		     end < p->n && snapshot_interconnect(map, end).provider_index == provider;
		     end++)
			;
		prices_step(&p->edges[i], &p->states[i], end - i);
	}
}

enum err pricing_follow(struct pricing *p, const struct outcome *o)
{
	const double *bin = o->bins + (o->n_bins - 1) * o->n_segments;
	const double unit = 8.0 / p->scenario->bin_seconds;
	struct map_snapshot *map;
	for (size_t i = 0; i < p->n; i++)
		for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
			p->edges[i].load_bps[d] =
				unit * bin[p->network->first_interconnect + 2 * i + d];
	step_all(p);
	for (size_t i = 0; i < p->n; i++)
		p->prices[i] = (struct map_crossing){ p->states[i].way[PRICES_OUT].in_force,
			                              p->states[i].way[PRICES_IN].in_force };
	const enum err e = snapshot_reprice(p->network->world->map, p->prices, &map);
	if (e != ERR_OK)
		return e;
	snapshot_free(p->map);
	p->map = map;
	return ERR_OK;
}
