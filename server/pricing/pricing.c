/* SPDX-License-Identifier: Apache-2.0 */
#include "server/pricing/pricing.h"

#include "common/map/snapshot.h"
#include "server/pricing/budgets.h"
#include "server/pricing/links.h"
#include "server/report/report.h"

#include <stdlib.h>
#include <string.h>

enum kind { INTERCONNECTS, LINKS, KINDS };

/* An edge of the map by its name. */
struct named {
	const char *provider, *id; /* the map's */
	uint32_t index;
};

/* A map's edges of one kind, all by index but the names, which are in order. */
struct table {
	struct named *names;
	struct prices_edge *edges;
	struct prices_state *states;
	uint32_t n;
};

struct pricing {
	struct pricing_options o;
	struct map_lease lease; /* of the map that the tables are about */
	struct table table[KINDS];
	struct budgets *budgets;
	int64_t next; /* start of the first bin that was not taken account of; 0: none was */
};

static void table_done(struct table *t)
{
	free(t->names);
	free(t->edges);
	free(t->states);
	*t = (struct table){ 0 };
}

struct pricing *pricing_new(const struct pricing_options *options)
{
	struct pricing *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->o = *options;
	p->budgets = budgets_new();
	if (p->budgets == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void pricing_free(struct pricing *p)
{
	if (p == NULL)
		return;
	for (unsigned kind = 0; kind < KINDS; kind++)
		table_done(&p->table[kind]);
	budgets_free(p->budgets);
	map_end(&p->lease);
	free(p);
}

/* ---- the map ---- */

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	const int c = strcmp(x->provider, y->provider);
	return c != 0 ? c : strcmp(x->id, y->id);
}

static const struct named *find(const struct table *t, const char *provider, const char *id)
{
	const struct named key = { .provider = provider, .id = id };
	return t->n == 0 ? NULL : bsearch(&key, t->names, t->n, sizeof(key), by_name);
}

/* A direction whose documented cost is another starts from there. */
static void keep(struct prices_state *now, const struct prices_state *before)
{
	for (unsigned d = 0; d < PRICES_DIRECTIONS; d++)
		if (now->way[d].cost == before->way[d].cost)
			now->way[d] = before->way[d];
}

struct about {
	const char *provider, *id; /* the map's */
	uint32_t provider_index;
	struct map_crossing cost;
};

static struct about about(const struct map_snapshot *map, enum kind kind, uint32_t i)
{
	if (kind == INTERCONNECTS) {
		const struct map_interconnect_info x = snapshot_interconnect(map, i);
		return (struct about){ x.provider, x.id, x.provider_index, snapshot_cost(map, i) };
	}
	const struct map_link_info x = snapshot_link(map, i);
	return (struct about){ x.provider, x.id, x.provider_index, { x.weight, x.weight } };
}

static enum err table_make(const struct map_snapshot *map, enum kind kind,
                           const struct table *before, struct table *out)
{
	const struct map_counts counts = snapshot_counts(map);
	struct table t = { .n = (uint32_t)(kind == LINKS ? counts.links : counts.interconnects) };
	t.names = calloc(t.n + 1, sizeof(*t.names));
	t.edges = calloc(t.n + 1, sizeof(*t.edges));
	t.states = calloc(t.n + 1, sizeof(*t.states));
	if (t.names == NULL || t.edges == NULL || t.states == NULL) {
		table_done(&t);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < t.n; i++) {
		const struct about x = about(map, kind, i);
		const struct named *old = find(before, x.provider, x.id);
		t.names[i] = (struct named){ x.provider, x.id, i };
		prices_start(&t.states[i], x.provider_index, x.cost.out, x.cost.in);
		if (old != NULL)
			keep(&t.states[i], &before->states[old->index]);
	}
	if (t.n > 0)
		qsort(t.names, t.n, sizeof(*t.names), by_name);
	*out = t;
	return ERR_OK;
}

/* Leaves the tables as they were when it fails. */
static enum err make_tables(struct pricing *p, const struct map_snapshot *map)
{
	struct table next[KINDS] = { 0 };
	enum err e = ERR_OK;
	for (unsigned kind = 0; kind < KINDS && e == ERR_OK; kind++)
		e = table_make(map, kind, &p->table[kind], &next[kind]);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		table_done(e == ERR_OK ? &p->table[kind] : &next[kind]);
		if (e == ERR_OK)
			p->table[kind] = next[kind];
	}
	return e;
}

/* Leaves the lease and the tables as they were when it fails. */
static enum err follow_map(struct pricing *p)
{
	struct map_lease next = { 0 };
	const struct map_snapshot *map = map_renew(p->o.office, &next);
	const bool other = map != NULL && next.number != p->lease.number;
	const enum err e = other ? make_tables(p, map) : ERR_OK;
	if (e != ERR_OK) {
		map_end(&next);
		return e;
	}
	map_end(&p->lease);
	p->lease = next;
	return ERR_OK;
}

/* ---- bins ---- */

static void measure(const struct pricing *p, const struct store_load *l)
{
	const struct table *t = &p->table[INTERCONNECTS];
	const struct named *name = find(t, l->provider, l->interconnect);
	if (name == NULL || 2 * (uint64_t)l->observed_seconds < p->o.bin_seconds)
		return;
	const struct map_interconnect_info x = snapshot_interconnect(p->lease.map, name->index);
	const double seconds = l->observed_seconds;
	struct prices_edge *e = &t->edges[name->index];
	*e = (struct prices_edge){
		.known = true,
		.load_bps = { [PRICES_OUT] = (double)l->out_bytes * 8 / seconds,
		              [PRICES_IN] = (double)l->in_bytes * 8 / seconds },
		.capacity_bps = x.capacity_mbps * 1000000,
		.ratio_limit_milli = l->ratio_limit_milli,
	};
	if (e->ratio_limit_milli == 0 && x.relation == RELATION_SETTLEMENT_FREE)
		e->ratio_limit_milli = p->o.ratio_limit_milli;
}

static struct prices_edge *edge_of(const void *ctx, const char *provider, const char *id)
{
	const struct table *t = ctx;
	const struct named *name = find(t, provider, id);
	return name == NULL ? NULL : &t->edges[name->index];
}

/* Without a capacity nothing moves a link's price. */
static bool has_limits(const struct map_snapshot *map, uint32_t links)
{
	for (uint32_t i = 0; i < links; i++)
		if (snapshot_link(map, i).capacity_mbps > 0)
			return true;
	return false;
}

static enum err load_links(const struct pricing *p, const struct store_flow *flows, size_t n,
                           uint32_t seconds)
{
	const struct table *t = &p->table[LINKS];
	double *bps = malloc((2 * (size_t)t->n + 1) * sizeof(*bps));
	const enum err e =
		bps == NULL ? ERR_NOMEM : links_load(p->lease.map, flows, n, seconds, bps);
	for (uint32_t i = 0; i < t->n && e == ERR_OK; i++)
		t->edges[i] = (struct prices_edge){
			.known = true,
			.load_bps = { [PRICES_OUT] = bps[2 * i], [PRICES_IN] = bps[2 * i + 1] },
			.capacity_bps = snapshot_link(p->lease.map, i).capacity_mbps * 1000000,
		};
	free(bps);
	return e;
}

static enum err measure_links(const struct pricing *p, int64_t start)
{
	const struct table *t = &p->table[LINKS];
	struct store_flow *flows;
	uint32_t observed;
	size_t n;
	memset(t->edges, 0, t->n * sizeof(*t->edges));
	if (!has_limits(p->lease.map, t->n))
		return ERR_OK;
	enum err e = store_flows(p->o.store, start, p->o.bin_seconds, &flows, &n, &observed);
	if (e != ERR_OK)
		return e;
	if (2 * (uint64_t)observed >= p->o.bin_seconds)
		e = load_links(p, flows, n, observed);
	free(flows);
	return e;
}

/* Of the bins until `due`. `loads` are in order of bins; one without a load changes nothing. */
static enum err take_account(struct pricing *p, int64_t due, const struct store_load *loads,
                             size_t n)
{
	const struct table *t = p->table;
	for (size_t i = 0; p->next < due; p->next += p->o.bin_seconds) {
		const enum err e = measure_links(p, p->next);
		if (e != ERR_OK)
			return e;
		memset(t[INTERCONNECTS].edges, 0, t[INTERCONNECTS].n * sizeof(*t->edges));
		for (; i < n && loads[i].start < p->next + p->o.bin_seconds; i++)
			measure(p, &loads[i]);
		budgets_lay(p->budgets, edge_of, &t[INTERCONNECTS]);
		prices_step(t[INTERCONNECTS].edges, t[INTERCONNECTS].states, t[INTERCONNECTS].n);
		prices_step_links(t[LINKS].edges, t[LINKS].states, t[LINKS].n);
	}
	return ERR_OK;
}

static enum err read_bins(struct pricing *p, int64_t now)
{
	const int64_t bin = p->o.bin_seconds, past = PRICING_PAST * bin;
	const int64_t due = report_settled(p->o.bin_seconds, now);
	struct store_load *loads = NULL;
	size_t n;
	/* The first time, after an absence, and when a wrong clock has been put right. */
	if (p->next < due - past || p->next > due + past)
		p->next = due - past;
	if (p->next >= due)
		return ERR_OK;
	enum err e = budgets_read(p->budgets, p->o.store, p->o.bin_seconds, due);
	if (e == ERR_OK)
		e = store_loads(p->o.store, p->next, due, p->o.bin_seconds, &loads, &n);
	if (e == ERR_OK)
		e = take_account(p, due, loads, n);
	free(loads);
	return e;
}

/* ---- prices ---- */

static enum err put_in_force(struct pricing *p, const struct map_prices *prices, uint64_t changes)
{
	struct map_snapshot *map;
	enum err e = snapshot_reprice(p->lease.map, prices, &map);
	if (e != ERR_OK)
		return e;
	e = map_publish_prices(p->o.office, &p->lease, map);
	if (e != ERR_OK)
		snapshot_free(map);
	else
		metrics_add(p->o.metrics, METRIC_PRICE_CHANGES, changes);
	return e == ERR_EXISTS ? ERR_OK : e; /* a new map: it is followed the next time */
}

/* NULL when out of memory. Counts those that are other ones than in the map. */
static struct map_crossing *list_prices(const struct pricing *p, enum kind kind, uint64_t *changes)
{
	const struct table *t = &p->table[kind];
	struct map_crossing *list = calloc(t->n + 1, sizeof(*list));
	for (uint32_t i = 0; i < t->n && list != NULL; i++) {
		const struct prices_way *way = t->states[i].way;
		const struct map_crossing now = kind == LINKS ? snapshot_link_price(p->lease.map, i)
		                                              : snapshot_price(p->lease.map, i);
		list[i] =
			(struct map_crossing){ way[PRICES_OUT].in_force, way[PRICES_IN].in_force };
		*changes += (uint64_t)(list[i].out != now.out) + (list[i].in != now.in);
	}
	return list;
}

static enum err publish(struct pricing *p)
{
	uint64_t changes = 0;
	struct map_crossing *interconnects = list_prices(p, INTERCONNECTS, &changes);
	struct map_crossing *links = list_prices(p, LINKS, &changes);
	const struct map_prices prices = { interconnects, links };
	enum err e = interconnects == NULL || links == NULL ? ERR_NOMEM : ERR_OK;
	if (e == ERR_OK && changes > 0)
		e = put_in_force(p, &prices, changes);
	free(interconnects);
	free(links);
	return e;
}

enum err pricing_work(struct pricing *p, int64_t now)
{
	enum err e = follow_map(p);
	if (e != ERR_OK || p->lease.map == NULL)
		return e;
	e = read_bins(p, now);
	return e == ERR_OK ? publish(p) : e;
}
