/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/compiling.h"

#include <stdio.h>
#include <stdlib.h>

enum { COST_OWN_PID = 1 /* unless the costs say otherwise; also the least default between PIDs */ };

/* Unless the costs say otherwise: dear enough that any length of backbone is the better way. */
static const uint32_t default_cost[] = {
	[RELATION_CUSTOMER] = 5,      [RELATION_SIBLING] = 5,   [RELATION_SETTLEMENT_FREE] = 10,
	[RELATION_PAID_PEERING] = 40, [RELATION_TRANSIT] = 100,
};

/* ---- distances ---- */

static enum err add_link(struct compiler *c, const struct provider *p, const struct map_link *l,
                         uint32_t i)
{
	struct map_snapshot *s = c->s;
	struct distance_link *ends = &s->ends[p->first_link + i];
	struct link *link = &s->links[p->first_link + i];
	ends->weight = l->weight;
	*link = (struct link){ compiling_copy(c, l->id), l->capacity_mbps };
	if (link->id == NULL)
		return ERR_NOMEM;
	if (compiling_pid(s, p, l->a, &ends->a) && compiling_pid(s, p, l->b, &ends->b))
		return ERR_OK;
	char where[48];
	(void)snprintf(where, sizeof(where), "/links/%u", i);
	return fault_set(c->fault, ERR_RANGE, where, "%s has no PID %s or no PID %s", p->name, l->a,
	                 l->b);
}

static enum err measure_links(struct compiler *c, uint32_t provider)
{
	struct map_snapshot *s = c->s;
	struct provider *p = &s->providers[provider];
	const struct map_topology *t = c->sources[provider].topology;

	p->documented = compiling_take(c, (size_t)p->n_pids * p->n_pids, sizeof(*p->documented));
	p->distance = p->documented;
	enum err e = p->distance == NULL ? ERR_NOMEM : ERR_OK;
	for (uint32_t i = 0; i < p->n_links && e == ERR_OK; i++)
		e = add_link(c, p, &t->links[i], i);
	return e != ERR_OK
	               ? e
	               : distance_all(&s->ends[p->first_link], p->n_links, p->n_pids, p->distance);
}

/* ---- egress ---- */

struct claims {
	uint64_t *list;
	size_t n;
};

/* ASN `asn`, and its provider as a whole when the map has it. */
static void claim_asn(const struct map_snapshot *s, struct claims *c, uint32_t asn,
                      uint64_t preference)
{
	const uint32_t place = snapshot_place_of_asn(s, asn);
	const uint32_t owner = s->places[place].provider;
	c->list[c->n++] = egress_claim(place, preference);
	if (owner != NO_PROVIDER)
		c->list[c->n++] = egress_claim(PROVIDER_NODE | owner, preference);
}

/* Adds what interconnect `x` reaches; counts it only while claims->list is NULL. */
static void claim_reach(const struct compiler *c, struct claims *claims,
                        const struct map_interconnect *x, uint64_t preference)
{
	const struct map_snapshot *s = c->s;
	const uint32_t owner = s->places[snapshot_place_of_asn(s, x->neighbor_asn)].provider;
	const struct map_topology *neighbor =
		owner == NO_PROVIDER ? NULL : c->sources[owner].topology;

	if (claims->list == NULL) {
		claims->n += x->reach == REACH_ANY ? 1
		             : x->reach == REACH_NEIGHBOR
		                     ? 2 + 2 * (neighbor ? neighbor->n_asns : 0)
		                     : 2 * x->n_reach_asns + x->n_reach_prefixes;
		return;
	}
	switch (x->reach) {
	case REACH_ANY:
		claims->list[claims->n++] = egress_claim(ANY_NODE, preference);
		break;
	case REACH_NEIGHBOR:
		claim_asn(s, claims, x->neighbor_asn, preference);
		for (size_t i = 0; neighbor != NULL && i < neighbor->n_asns; i++)
			claim_asn(s, claims, neighbor->asns[i], preference);
		break;
	case REACH_LIST:
		for (size_t i = 0; i < x->n_reach_asns; i++)
			claim_asn(s, claims, x->reach_asns[i], preference);
		for (size_t i = 0; i < x->n_reach_prefixes; i++)
			claims->list[claims->n++] =
				egress_claim(snapshot_zone(s, &x->reach_prefixes[i]), preference);
		break;
	}
}

static enum err choose_egress(struct compiler *c, uint32_t provider)
{
	struct map_snapshot *s = c->s;
	struct provider *p = &s->providers[provider];
	const struct map_topology *t = c->sources[provider].topology;
	struct claims claims = { 0 };
	uint32_t *pid_of = malloc((t->n_interconnects + 1) * sizeof(*pid_of));

	for (size_t i = 0; i < t->n_interconnects; i++)
		claim_reach(c, &claims, &t->interconnects[i], 0);
	claims.list = malloc((claims.n + 1) * sizeof(*claims.list));
	claims.n = 0;
	enum err e = pid_of == NULL || claims.list == NULL ? ERR_NOMEM : ERR_OK;
	for (uint32_t i = 0; i < t->n_interconnects && e == ERR_OK; i++) {
		const struct map_interconnect *x = &t->interconnects[i];
		pid_of[i] = s->edges[p->first_interconnect + i].local;
		p->names_zones |= x->reach == REACH_LIST && x->n_reach_prefixes > 0;
		claim_reach(c, &claims, x, egress_preference(x->relation, i));
	}
	if (e == ERR_OK)
		e = egress_add(&s->egress,
		               &(struct egress_provider){ provider, p->n_pids, p->distance, pid_of,
		                                          p->first_interconnect },
		               claims.list, claims.n);
	if (e == ERR_RANGE)
		(void)fault_set(c->fault, e, "/interconnects",
		                "%s has too many different sets of interconnects for its PIDs",
		                p->name);
	free(pid_of);
	free(claims.list);
	return e;
}

/* ---- costs ---- */

static uint32_t at_most_max(uint32_t cost)
{
	return cost < MAP_COST_MAX ? cost : MAP_COST_MAX;
}

/* Link weights become p-distances. */
static void price_pids(struct map_snapshot *s, struct provider *p, const struct map_costs *costs)
{
	const size_t cells = (size_t)p->n_pids * p->n_pids;
	uint32_t from, to;

	for (size_t i = 0; i < cells; i++)
		if (p->distance[i] < COST_OWN_PID)
			p->distance[i] = COST_OWN_PID;
	for (size_t i = 0; costs != NULL && i < costs->n_pid_costs; i++) {
		const struct map_pid_cost *cost = &costs->pid_costs[i];
		if (compiling_pid(s, p, cost->from, &from) && compiling_pid(s, p, cost->to, &to))
			p->distance[(size_t)from * p->n_pids + to] = at_most_max(cost->cost);
	}
	p->farthest = snapshot_farthest(p);
}

static enum err price_interconnects(struct compiler *c, uint32_t provider)
{
	const struct map_topology *t = c->sources[provider].topology;
	const struct map_costs *costs = c->sources[provider].costs;
	struct edge *edges = c->s->edges + c->s->providers[provider].first_interconnect;
	struct table *by_id = table_new(t->n_interconnects);
	enum err e = by_id == NULL ? ERR_NOMEM : ERR_OK;
	uint32_t at;

	for (uint32_t i = 0; i < t->n_interconnects && e == ERR_OK; i++) {
		char where[48];
		(void)snprintf(where, sizeof(where), "/interconnects/%u/id", i);
		edges[i].cost.out = edges[i].cost.in = default_cost[t->interconnects[i].relation];
		e = table_add(by_id, t->interconnects[i].id, i, NULL);
		if (e == ERR_EXISTS)
			e = fault_set(c->fault, ERR_RANGE, where, "%s has two interconnects %s",
			              t->provider, t->interconnects[i].id);
	}
	for (size_t i = 0; e == ERR_OK && costs != NULL && i < costs->n_interconnect_costs; i++) {
		const struct map_interconnect_cost *cost = &costs->interconnect_costs[i];
		if (!table_find(by_id, cost->id, &at))
			continue;
		edges[at].cost.out = at_most_max(cost->out);
		edges[at].cost.in = at_most_max(cost->in);
	}
	table_free(by_id);
	return e;
}

/* Needs the final distances and costs. */
static enum err add_tolls(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	s->prices = compiling_take(c, s->n_interconnects, sizeof(*s->prices));
	s->tolls = compiling_take(c, s->egress.n_rows, sizeof(*s->tolls));
	if (s->prices == NULL || s->tolls == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->n_interconnects; i++)
		s->prices[i] = s->edges[i].cost;
	snapshot_fill_tolls(s);
	return ERR_OK;
}

enum err compile_routes(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	enum err e = ERR_OK;

	for (uint32_t i = 0; i < c->n && e == ERR_OK; i++) {
		e = measure_links(c, i);
		if (e == ERR_OK)
			e = choose_egress(c, i);
		if (e == ERR_OK)
			e = price_interconnects(c, i);
		if (e == ERR_OK)
			price_pids(s, &s->providers[i], c->sources[i].costs);
	}
	if (e == ERR_OK)
		e = egress_finish(&s->egress);
	for (uint32_t i = 0; i < c->n && e == ERR_OK; i++)
		s->providers[i].any_row = egress_row(&s->egress, i, ANY_NODE);
	return e == ERR_OK ? add_tolls(c) : e;
}
