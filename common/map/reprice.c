/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/compiled.h"

#include <stdlib.h>
#include <string.h>

struct map_crossing snapshot_cost(const struct map_snapshot *s, uint32_t interconnect)
{
	must(interconnect < s->n_interconnects);
	return s->edges[interconnect].cost;
}

struct map_crossing snapshot_price(const struct map_snapshot *s, uint32_t interconnect)
{
	must(interconnect < s->n_interconnects);
	return s->prices[interconnect];
}

void snapshot_fill_tolls(struct map_snapshot *s)
{
	s->tolls[0] = (struct toll){ TIER_UNKNOWN, PRICE_UNKNOWN, PRICE_UNKNOWN };
	for (size_t row = 1; row < s->egress.n_rows;) {
		const uint32_t owner = s->interconnects[s->egress.rows[row]].provider_index;
		const struct provider *p = &s->providers[owner];
		for (size_t near = 0; near < p->n_pids; near++, row++) {
			const uint32_t interconnect = s->egress.rows[row];
			const struct edge *e = &s->edges[interconnect];
			const struct map_crossing *price = &s->prices[interconnect];
			const size_t away = near * p->n_pids + e->local;
			const size_t back = (size_t)e->local * p->n_pids + near;
			s->tolls[row] = (struct toll){ .tier = e->tier,
				                       .out = p->distance[away] + price->out,
				                       .in = p->distance[back] + price->in };
		}
	}
}

enum err snapshot_reprice(const struct map_snapshot *s, const struct map_crossing *prices,
                          struct map_snapshot **out)
{
	const size_t tolls = s->egress.n_rows * sizeof(*s->tolls);
	const size_t rest = s->n_interconnects * sizeof(*prices);
	struct map_snapshot *next = malloc(sizeof(*next));
	char *own = malloc(tolls + rest);
	if (next == NULL || own == NULL) {
		free(next);
		free(own);
		return ERR_NOMEM;
	}
	*next = *s;
	next->own = next->tolls = (void *)own;
	next->own_bytes = tolls + rest;
	next->prices = (void *)(own + tolls);
	for (size_t i = 0; i < s->n_interconnects; i++) {
		must(prices[i].out <= MAP_COST_MAX && prices[i].in <= MAP_COST_MAX);
		next->prices[i] = prices[i];
	}
	snapshot_fill_tolls(next);
	(void)atomic_fetch_add(s->sharers, 1);
	*out = next;
	return ERR_OK;
}
