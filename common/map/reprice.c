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

static int64_t premium(uint32_t price, uint32_t cost)
{
	return ((int64_t)price - cost) * 100 / (cost > 0 ? cost : 1);
}

int32_t snapshot_lean_of(const struct map_snapshot *s, uint32_t interconnect)
{
	const struct map_crossing *price = &s->prices[interconnect];
	const struct map_crossing *cost = &s->edges[interconnect].cost;
	const int64_t lean = premium(price->out, cost->out) - premium(price->in, cost->in);
	if (s->interconnects[interconnect].relation != RELATION_SETTLEMENT_FREE)
		return 0;
	return (int32_t)(lean < -MAP_LEAN_MAX  ? -MAP_LEAN_MAX
	                 : lean > MAP_LEAN_MAX ? MAP_LEAN_MAX
	                                       : lean);
}

static void fill_leans(struct map_snapshot *s)
{
	memset(s->leans, 0, s->n_providers * sizeof(*s->leans));
	for (uint32_t i = 0; i < s->n_interconnects; i++) {
		const int32_t lean = snapshot_lean_of(s, i);
		struct map_leans *of = &s->leans[s->interconnects[i].provider_index];
		of->least = lean < of->least ? lean : of->least;
		of->most = lean > of->most ? lean : of->most;
	}
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
	const size_t leans = s->n_providers * sizeof(*s->leans);
	struct map_snapshot *next = malloc(sizeof(*next));
	char *own = malloc(tolls + rest + leans);
	if (next == NULL || own == NULL) {
		free(next);
		free(own);
		return ERR_NOMEM;
	}
	*next = *s;
	next->own = next->tolls = (void *)own;
	next->own_bytes = tolls + rest + leans;
	next->prices = (void *)(own + tolls);
	next->leans = (void *)(own + tolls + rest);
	for (size_t i = 0; i < s->n_interconnects; i++) {
		must(prices[i].out <= MAP_COST_MAX && prices[i].in <= MAP_COST_MAX);
		next->prices[i] = prices[i];
	}
	snapshot_fill_tolls(next);
	fill_leans(next);
	(void)atomic_fetch_add(s->sharers, 1);
	*out = next;
	return ERR_OK;
}
