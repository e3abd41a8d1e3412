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

/* ---- links ---- */

uint32_t snapshot_farthest(const struct provider *p)
{
	const size_t cells = (size_t)p->n_pids * p->n_pids;
	uint32_t farthest = 0;
	for (size_t i = 0; i < cells; i++)
		farthest = p->distance[i] > farthest ? p->distance[i] : farthest;
	return farthest;
}

struct map_crossing snapshot_link_price(const struct map_snapshot *s, uint32_t link)
{
	must(link < s->n_links);
	const uint32_t weight = s->ends[link].weight;
	return s->link_prices != NULL ? s->link_prices[link]
	                              : (struct map_crossing){ weight, weight };
}

static bool all_as_documented(const struct map_snapshot *s, const struct provider *p)
{
	for (uint32_t i = p->first_link; i < p->first_link + p->n_links; i++) {
		const struct map_crossing *price = &s->link_prices[i];
		const uint32_t weight = s->ends[i].weight;
		if (price->out != weight || price->in != weight)
			return false;
	}
	return true;
}

static uint32_t at_most_max(uint64_t price)
{
	return (uint32_t)(price < MAP_COST_MAX ? price : MAP_COST_MAX);
}

/* What the links on the way to each PID cost more than their weights. */
static void add_premiums(const struct map_snapshot *s, const struct provider *p,
                         const struct distance_tree *t, uint32_t *premium, uint32_t *row)
{
	premium[t->order[0]] = 0;
	for (uint32_t i = 1; i < t->reached; i++) {
		const uint32_t pid = t->order[i], before = t->steps[pid].before;
		const uint32_t link = p->first_link + t->steps[pid].link;
		const struct distance_link *ends = &s->ends[link];
		const struct map_crossing *price = &s->link_prices[link];
		const uint32_t toll = ends->a == before ? price->out : price->in;
		premium[pid] = at_most_max((uint64_t)premium[before] + toll - ends->weight);
		row[pid] = at_most_max((uint64_t)row[pid] + premium[pid]);
	}
}

static enum err measure_anew(const struct map_snapshot *s, const struct provider *p)
{
	struct distance_tree t;
	uint32_t *premium = malloc(p->n_pids * sizeof(*premium));
	if (premium == NULL ||
	    distance_tree_init(&t, &s->ends[p->first_link], p->n_links, p->n_pids) != ERR_OK) {
		free(premium);
		return ERR_NOMEM;
	}
	for (uint32_t root = 0; root < p->n_pids; root++) {
		distance_tree_grow(&t, root);
		add_premiums(s, p, &t, premium, p->distance + (size_t)root * p->n_pids);
	}
	distance_tree_done(&t);
	free(premium);
	return ERR_OK;
}

static void *take(struct map_snapshot *s, size_t n, size_t size)
{
	s->own_bytes += n * size;
	return arena_take(s->own, n * size);
}

/* `p` is as in the snapshot before; its distances become those of s->link_prices. */
static enum err price_links(struct map_snapshot *s, struct provider *p,
                            const struct map_crossing *before)
{
	const size_t cells = (size_t)p->n_pids * p->n_pids;
	const struct map_crossing *now = s->link_prices + p->first_link;
	const uint32_t *distance = p->distance;
	p->distance = p->documented;
	if (!all_as_documented(s, p)) {
		const bool same = before != NULL && memcmp(before + p->first_link, now,
		                                           p->n_links * sizeof(*now)) == 0;
		p->distance = take(s, cells, sizeof(*p->distance));
		if (p->distance == NULL)
			return ERR_NOMEM;
		memcpy(p->distance, same ? distance : p->documented, cells * sizeof(*distance));
		if (!same && measure_anew(s, p) != ERR_OK)
			return ERR_NOMEM;
	}
	p->farthest = snapshot_farthest(p);
	return ERR_OK;
}

/* ---- a snapshot ---- */

static enum err make_own(const struct map_snapshot *s, struct map_snapshot *next)
{
	next->providers = take(next, s->n_providers, sizeof(*next->providers));
	next->tolls = take(next, s->egress.n_rows, sizeof(*next->tolls));
	next->prices = take(next, s->n_interconnects, sizeof(*next->prices));
	next->link_prices = take(next, s->n_links, sizeof(*next->link_prices));
	next->leans = take(next, s->n_providers, sizeof(*next->leans));
	return next->providers == NULL || next->tolls == NULL || next->prices == NULL ||
	                       next->link_prices == NULL || next->leans == NULL
	               ? ERR_NOMEM
	               : ERR_OK;
}

static enum err fill_own(const struct map_snapshot *s, const struct map_prices *prices,
                         struct map_snapshot *next)
{
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < s->n_interconnects; i++) {
		next->prices[i] = prices->interconnects[i];
		must(next->prices[i].out <= MAP_COST_MAX && next->prices[i].in <= MAP_COST_MAX);
	}
	for (uint32_t i = 0; i < s->n_links; i++) {
		const uint32_t weight = s->ends[i].weight;
		const struct map_crossing price = prices->links != NULL
		                                          ? prices->links[i]
		                                          : (struct map_crossing){ weight, weight };
		must(price.out >= weight && price.in >= weight);
		next->link_prices[i] = price;
	}
	for (size_t i = 0; i < s->n_providers && e == ERR_OK; i++) {
		next->providers[i] = s->providers[i];
		e = price_links(next, &next->providers[i], s->link_prices);
	}
	if (e != ERR_OK)
		return e;
	snapshot_fill_tolls(next);
	fill_leans(next);
	return ERR_OK;
}

enum err snapshot_reprice(const struct map_snapshot *s, const struct map_prices *prices,
                          struct map_snapshot **out)
{
	struct map_snapshot *next = malloc(sizeof(*next));
	if (next == NULL)
		return ERR_NOMEM;
	*next = *s;
	next->own_bytes = 0;
	next->own = arena_new(1 << 16);
	enum err e = next->own == NULL ? ERR_NOMEM : make_own(s, next);
	if (e == ERR_OK)
		e = fill_own(s, prices, next);
	if (e != ERR_OK) {
		arena_free(next->own);
		free(next);
		return e;
	}
	(void)atomic_fetch_add(s->sharers, 1);
	*out = next;
	return ERR_OK;
}
