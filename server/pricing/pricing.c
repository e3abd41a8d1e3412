/* SPDX-License-Identifier: Apache-2.0 */
#include "server/pricing/pricing.h"

#include "common/map/snapshot.h"
#include "server/pricing/budgets.h"

#include <stdlib.h>
#include <string.h>

/* An interconnect of the map by its name. */
struct named {
	const char *provider, *id; /* the map's */
	uint32_t index;
};

/* A map's interconnects, all by index but the names, which are in order. */
struct table {
	struct named *names;
	struct prices_edge *edges;
	struct prices_state *states;
	uint32_t n;
};

struct pricing {
	struct pricing_options o;
	struct map_lease lease; /* of the map that the table is about */
	struct table table;
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
	table_done(&p->table);
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

static enum err table_make(const struct map_snapshot *map, const struct table *before,
                           struct table *out)
{
	struct table t = { .n = (uint32_t)snapshot_counts(map).interconnects };
	t.names = calloc(t.n + 1, sizeof(*t.names));
	t.edges = calloc(t.n + 1, sizeof(*t.edges));
	t.states = calloc(t.n + 1, sizeof(*t.states));
	if (t.names == NULL || t.edges == NULL || t.states == NULL) {
		table_done(&t);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < t.n; i++) {
		const struct map_interconnect_info about = snapshot_interconnect(map, i);
		const struct map_crossing cost = snapshot_cost(map, i);
		const struct named *old = find(before, about.provider, about.id);
		t.names[i] = (struct named){ about.provider, about.id, i };
		prices_start(&t.states[i], about.provider_index, cost.out, cost.in);
		if (old != NULL)
			keep(&t.states[i], &before->states[old->index]);
	}
	if (t.n > 0)
		qsort(t.names, t.n, sizeof(*t.names), by_name);
	*out = t;
	return ERR_OK;
}

/* Leaves the lease and the table as they were when it fails. */
static enum err follow_map(struct pricing *p)
{
	struct map_lease next = { 0 };
	struct table table = { 0 };
	const struct map_snapshot *map = map_renew(p->o.office, &next);
	if (map != NULL && next.number != p->lease.number) {
		const enum err e = table_make(map, &p->table, &table);
		if (e != ERR_OK) {
			map_end(&next);
			return e;
		}
		table_done(&p->table);
		p->table = table;
	}
	map_end(&p->lease);
	p->lease = next;
	return ERR_OK;
}

/* ---- bins ---- */

static void measure(const struct pricing *p, const struct store_load *l)
{
	const struct named *name = find(&p->table, l->provider, l->interconnect);
	if (name == NULL || 2 * (uint64_t)l->observed_seconds < p->o.bin_seconds)
		return;
	const struct map_interconnect_info about = snapshot_interconnect(p->lease.map, name->index);
	const double seconds = l->observed_seconds;
	struct prices_edge *e = &p->table.edges[name->index];
	*e = (struct prices_edge){
		.known = true,
		.load_bps = { [PRICES_OUT] = (double)l->out_bytes * 8 / seconds,
		              [PRICES_IN] = (double)l->in_bytes * 8 / seconds },
		.capacity_bps = about.capacity_mbps * 1000000,
		.ratio_limit_milli = l->ratio_limit_milli,
	};
	if (e->ratio_limit_milli == 0 && about.relation == RELATION_SETTLEMENT_FREE)
		e->ratio_limit_milli = p->o.ratio_limit_milli;
}

static struct prices_edge *edge_of(const void *ctx, const char *provider, const char *id)
{
	const struct table *t = ctx;
	const struct named *name = find(t, provider, id);
	return name == NULL ? NULL : &t->edges[name->index];
}

/* `loads` are in order of bins; one without a load changes nothing. */
static void take_account(const struct pricing *p, const struct store_load *loads, size_t n)
{
	for (size_t i = 0; i < n;) {
		const int64_t start = loads[i].start;
		memset(p->table.edges, 0, p->table.n * sizeof(*p->table.edges));
		for (; i < n && loads[i].start == start; i++)
			measure(p, &loads[i]);
		budgets_lay(p->budgets, edge_of, &p->table);
		prices_step(p->table.edges, p->table.states, p->table.n);
	}
}

static enum err read_bins(struct pricing *p, int64_t now)
{
	const int64_t bin = p->o.bin_seconds, past = PRICING_PAST * bin;
	const int64_t settled = now - bin / 5;
	const int64_t due = settled - settled % bin; /* end of the last bin that is */
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
	if (e == ERR_OK) {
		take_account(p, loads, n);
		p->next = due;
	}
	free(loads);
	return e;
}

/* ---- prices ---- */

static enum err put_in_force(struct pricing *p, const struct map_crossing *prices, uint64_t changes)
{
	struct map_snapshot *map;
	enum err e = snapshot_reprice(p->lease.map, &(struct map_prices){ .interconnects = prices },
	                              &map);
	if (e != ERR_OK)
		return e;
	e = map_publish_prices(p->o.office, &p->lease, map);
	if (e != ERR_OK)
		snapshot_free(map);
	else
		metrics_add(p->o.metrics, METRIC_PRICE_CHANGES, changes);
	return e == ERR_EXISTS ? ERR_OK : e; /* a new map: it is followed the next time */
}

static enum err publish(struct pricing *p)
{
	const struct table *t = &p->table;
	uint64_t changes = 0;
	struct map_crossing *prices = calloc(t->n + 1, sizeof(*prices));
	if (prices == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct prices_way *way = t->states[i].way;
		const struct map_crossing now = snapshot_price(p->lease.map, i);
		prices[i] =
			(struct map_crossing){ way[PRICES_OUT].in_force, way[PRICES_IN].in_force };
		changes += (uint64_t)(prices[i].out != now.out) + (prices[i].in != now.in);
	}
	const enum err e = changes == 0 ? ERR_OK : put_in_force(p, prices, changes);
	free(prices);
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
