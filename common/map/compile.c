/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/snapshot.h"

#include "common/map/compiled.h"
#include "common/map/distance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Step by step: names, ASNs, zones; from them the places; then addresses to places, and for each
 * provider its distances, its egress and its costs. Everything is linear in the documents but the
 * distances, which are square in the PIDs of one provider.
 */

enum {
	CELLS_MAX = 1 << 28, /* distances of all providers: 1 GiB */
	KEY_SIZE = 2 * MAP_NAME_MAX + 2,
	NESTING_MAX = 129, /* prefix lengths 0 to 128 */
	COST_OWN_PID = 1   /* unless the costs say otherwise; also the least default between PIDs */
};

/* Unless the costs say otherwise: dear enough that any length of backbone is the better way. */
static const uint32_t default_cost[] = {
	[RELATION_CUSTOMER] = 5,      [RELATION_SIBLING] = 5,   [RELATION_SETTLEMENT_FREE] = 10,
	[RELATION_PAID_PEERING] = 40, [RELATION_TRANSIT] = 100,
};

static const enum map_tier tier_of[] = {
	[RELATION_CUSTOMER] = TIER_SETTLEMENT_FREE,
	[RELATION_SIBLING] = TIER_SETTLEMENT_FREE,
	[RELATION_SETTLEMENT_FREE] = TIER_SETTLEMENT_FREE,
	[RELATION_PAID_PEERING] = TIER_PAID_PEERING,
	[RELATION_TRANSIT] = TIER_TRANSIT,
};

struct compiler {
	const struct map_source *sources;
	size_t n;
	struct map_snapshot *s;
	struct fault *fault;
};

static void *take(struct compiler *c, size_t n, size_t size)
{
	c->s->arena_bytes += n * size;
	return arena_take(c->s->arena, n * size);
}

static const char *copy(struct compiler *c, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *mine = take(c, size, 1);
	return mine == NULL ? NULL : memcpy(mine, text, size);
}

/* ---- names ---- */

static enum err measure(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	uint64_t cells = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct map_topology *t = c->sources[i].topology;
		if (t->n_pids > MAP_PIDS_MAX || t->n_interconnects > MAP_INTERCONNECTS_MAX)
			return fault_set(c->fault, ERR_RANGE, "",
			                 "%s has more than %d PIDs or %d interconnects",
			                 t->provider, MAP_PIDS_MAX, MAP_INTERCONNECTS_MAX);
		s->n_pids += t->n_pids;
		s->n_interconnects += t->n_interconnects;
		cells += (uint64_t)t->n_pids * t->n_pids;
	}
	if (cells > CELLS_MAX)
		return fault_set(c->fault, ERR_RANGE, "/pids",
		                 "the providers' PID pairs are more than %d together", CELLS_MAX);
	s->n_providers = c->n;
	s->providers = take(c, c->n, sizeof(*s->providers));
	s->pids = take(c, s->n_pids, sizeof(*s->pids));
	s->edges = take(c, s->n_interconnects, sizeof(*s->edges));
	s->interconnects = take(c, s->n_interconnects, sizeof(*s->interconnects));
	s->pid_of = table_new(s->n_pids);
	return s->providers == NULL || s->pids == NULL || s->edges == NULL ||
	                       s->interconnects == NULL || s->pid_of == NULL
	               ? ERR_NOMEM
	               : ERR_OK;
}

static bool make_key(char key[static KEY_SIZE], const char *provider, const char *pid)
{
	return snprintf(key, KEY_SIZE, "%s/%s", provider, pid) < KEY_SIZE;
}

/* *local is the index of PID `name` in the provider. */
static bool find_pid(const struct map_snapshot *s, const struct provider *p, const char *name,
                     uint32_t *local)
{
	char key[KEY_SIZE];
	uint32_t place;
	if (!make_key(key, p->name, name) || !table_find(s->pid_of, key, &place) ||
	    place - p->first_pid >= p->n_pids)
		return false;
	*local = place - p->first_pid;
	return true;
}

static enum err name_pid(struct compiler *c, const struct map_topology *t, size_t i, uint32_t place)
{
	struct pid *pid = &c->s->pids[place - 1];
	char key[KEY_SIZE], where[48];

	(void)snprintf(where, sizeof(where), "/pids/%zu/pid", i);
	if (!make_key(key, t->provider, t->pids[i].name))
		return fault_set(c->fault, ERR_RANGE, where, "a name is longer than %d bytes",
		                 MAP_NAME_MAX);
	*pid = (struct pid){ copy(c, key), t->pids[i].uploads, t->pids[i].subscriber_up_kbps,
		             t->pids[i].subscriber_down_kbps };
	if (pid->key == NULL)
		return ERR_NOMEM;
	const enum err e = table_add(c->s->pid_of, pid->key, place, NULL);
	return e != ERR_EXISTS ? e
	                       : fault_set(c->fault, ERR_RANGE, where, "%s is there twice", key);
}

static enum err name_interconnect(struct compiler *c, uint32_t provider, size_t i, uint32_t index)
{
	struct map_snapshot *s = c->s;
	const struct provider *p = &s->providers[provider];
	const struct map_interconnect *x = &c->sources[provider].topology->interconnects[i];
	struct edge *edge = &s->edges[index];
	char where[48];

	(void)snprintf(where, sizeof(where), "/interconnects/%zu/pid", i);
	if (!find_pid(s, p, x->pid, &edge->local))
		return fault_set(c->fault, ERR_RANGE, where, "%s has no PID %s", p->name, x->pid);
	edge->tier = tier_of[x->relation];
	edge->out = edge->in = default_cost[x->relation];
	s->interconnects[index] = (struct map_interconnect_info){
		.provider = p->name,
		.id = copy(c, x->id),
		.pid = s->pids[p->first_pid + edge->local - 1].key + strlen(p->name) + 1,
		.provider_index = provider,
		.neighbor_asn = x->neighbor_asn,
		.relation = x->relation,
		.capacity_mbps = x->capacity_mbps,
	};
	return s->interconnects[index].id == NULL ? ERR_NOMEM : ERR_OK;
}

static enum err name_all(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	uint32_t place = 1, interconnect = 0;
	enum err e = ERR_OK;

	for (uint32_t i = 0; i < c->n && e == ERR_OK; i++) {
		const struct map_topology *t = c->sources[i].topology;
		struct provider *p = &s->providers[i];
		*p = (struct provider){ .name = copy(c, t->provider),
			                .first_pid = place,
			                .n_pids = (uint32_t)t->n_pids,
			                .first_interconnect = interconnect };
		if (p->name == NULL)
			return ERR_NOMEM;
		for (size_t k = 0; k < t->n_pids && e == ERR_OK; k++)
			e = name_pid(c, t, k, place++);
		for (size_t k = 0; k < t->n_interconnects && e == ERR_OK; k++)
			e = name_interconnect(c, i, k, interconnect++);
	}
	return e;
}

/* ---- ASNs, zones, places ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Every ASN that a document names, into `out` unless it is NULL. Returns how many. */
static size_t list_asns(const struct compiler *c, uint32_t *out)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct map_topology *t = c->sources[i].topology;
		if (out != NULL && t->n_asns > 0)
			memcpy(out + n, t->asns, t->n_asns * sizeof(*out));
		n += t->n_asns;
		for (size_t k = 0; k < t->n_interconnects; k++) {
			const struct map_interconnect *x = &t->interconnects[k];
			const size_t listed = x->reach == REACH_LIST ? x->n_reach_asns : 0;
			if (out != NULL)
				out[n] = x->neighbor_asn;
			n++;
			if (out != NULL && listed > 0)
				memcpy(out + n, x->reach_asns, listed * sizeof(*out));
			n += listed;
		}
	}
	return n;
}

static enum err collect_asns(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	const size_t named = list_asns(c, NULL);
	uint32_t *asns = malloc((named + 1) * sizeof(*asns));
	if (asns == NULL)
		return ERR_NOMEM;
	(void)list_asns(c, asns);
	qsort(asns, named, sizeof(*asns), by_number);
	size_t n = 0;
	for (size_t i = 0; i < named; i++)
		if (n == 0 || asns[n - 1] != asns[i])
			asns[n++] = asns[i];
	s->n_asns = n;
	s->asns = take(c, n, sizeof(*asns));
	if (s->asns != NULL && n > 0)
		memcpy(s->asns, asns, n * sizeof(*asns));
	free(asns);
	return s->asns == NULL ? ERR_NOMEM : ERR_OK;
}

/* Every reach prefix, into `out` unless it is NULL. Returns how many. */
static size_t list_zones(const struct compiler *c, struct lpm_entry *out)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct map_topology *t = c->sources[i].topology;
		for (size_t k = 0; k < t->n_interconnects; k++) {
			const struct map_interconnect *x = &t->interconnects[k];
			const size_t listed = x->reach == REACH_LIST ? x->n_reach_prefixes : 0;
			for (size_t j = 0; out != NULL && j < listed; j++)
				out[n + j] = (struct lpm_entry){ .prefix = x->reach_prefixes[j] };
			n += listed;
		}
	}
	return n;
}

static enum err collect_zones(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	const size_t named = list_zones(c, NULL);
	struct lpm_entry *zones = malloc((named + 1) * sizeof(*zones));
	if (zones == NULL)
		return ERR_NOMEM;
	(void)list_zones(c, zones);
	enum err e = lpm_sort(zones, named);
	size_t n = 0;
	for (size_t i = 0; i < named; i++)
		if (n == 0 || ip_prefix_compare(&zones[n - 1].prefix, &zones[i].prefix) != 0)
			zones[n++] = zones[i];
	s->n_zones = n;
	s->zones = take(c, n, sizeof(*s->zones));
	s->zone_parent = take(c, n, sizeof(*s->zone_parent));
	if (s->zones == NULL || s->zone_parent == NULL)
		e = ERR_NOMEM;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		s->zones[i] = zones[i].prefix;
	free(zones);
	return e;
}

static enum err make_places(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	s->n_places = 1 + s->n_pids + s->n_asns + s->n_zones;
	if (s->n_places > LPM_VALUE_MAX)
		return fault_set(c->fault, ERR_RANGE, "/interconnects",
		                 "more than %d PIDs, ASNs and reach prefixes", LPM_VALUE_MAX);
	s->first_asn = (uint32_t)(1 + s->n_pids);
	s->first_zone = (uint32_t)(s->first_asn + s->n_asns);
	s->places = take(c, s->n_places, sizeof(*s->places));
	if (s->places == NULL)
		return ERR_NOMEM;

	for (uint32_t i = 0; i < s->n_places; i++)
		s->places[i] = (struct place){
			.provider = NO_PROVIDER,
			.node = i >= s->first_asn && i < s->first_zone ? i : 0,
			.zone = i >= s->first_zone ? i : 0,
		};
	for (uint32_t i = 0; i < s->n_providers; i++) {
		const struct provider *p = &s->providers[i];
		const struct map_topology *t = c->sources[i].topology;
		for (uint32_t k = 0; k < p->n_pids; k++)
			s->places[p->first_pid + k] = (struct place){ .provider = i,
				                                      .local = k,
				                                      .node = PROVIDER_NODE | i };
		for (size_t k = 0; k < t->n_asns; k++)
			s->places[snapshot_place_of_asn(s, t->asns[k])].provider = i;
	}
	return ERR_OK;
}

/* ---- addresses ---- */

/* Zones before PIDs: of equal prefixes the last wins, and a PID beats a zone. */
static void list_prefixes(const struct compiler *c, struct lpm_entry *out)
{
	const struct map_snapshot *s = c->s;
	size_t n = 0;
	for (size_t i = 0; i < s->n_zones; i++)
		out[n++] = (struct lpm_entry){ s->zones[i], s->first_zone + (uint32_t)i };
	for (size_t i = 0; i < c->n; i++) {
		const struct map_topology *t = c->sources[i].topology;
		for (uint32_t k = 0; k < t->n_pids; k++)
			for (size_t j = 0; j < t->pids[k].n_prefixes; j++)
				out[n++] = (struct lpm_entry){ t->pids[k].prefixes[j],
					                       s->providers[i].first_pid + k };
	}
}

/*
 * One walk over the sorted prefixes finds what lies in which zone, and drops the zones inside a
 * PID, whose addresses are the PID's. Returns how many entries are kept.
 */
static size_t walk_zones(struct map_snapshot *s, struct lpm_entry *e, size_t n, uint16_t *largest)
{
	uint32_t open[NESTING_MAX]; /* zones around the place of the walk, the largest first */
	size_t depth = 0, kept = 0;
	struct ip_prefix pid = { .addr.family = IP_NONE }; /* the last one not inside another */

	for (size_t i = 0; i < n; i++) {
		const uint32_t place = e[i].value;
		const struct ip_prefix *prefix = &e[i].prefix;
		while (depth > 0 &&
		       !ip_prefix_covers(&s->zones[open[depth - 1] - s->first_zone], prefix))
			depth--;
		const uint32_t around = depth > 0 ? open[depth - 1] : 0;
		const bool in_pid = ip_prefix_covers(&pid, prefix);
		if (place >= s->first_zone) {
			s->zone_parent[place - s->first_zone] = around;
			must(depth < NESTING_MAX);
			open[depth++] = place;
			if (in_pid)
				continue;
		} else {
			const bool v4 = prefix->addr.family == IP_V4;
			const uint16_t rank = (uint16_t)(prefix->length + (v4 ? 0 : 256));
			if (rank < largest[place - 1]) {
				largest[place - 1] = rank;
				s->places[place].zone = around;
			}
			if (!in_pid)
				pid = *prefix;
		}
		e[kept++] = e[i];
	}
	return kept;
}

static enum err match_addresses(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->sources[i].topology->n_pids; k++) {
			const struct map_pid *p = &c->sources[i].topology->pids[k];
			for (size_t j = 0; j < p->n_prefixes; j++) {
				s->prefixes_v4 += p->prefixes[j].addr.family == IP_V4;
				s->prefixes_v6 += p->prefixes[j].addr.family == IP_V6;
			}
		}
	size_t n = s->n_zones + s->prefixes_v4 + s->prefixes_v6;
	struct lpm_entry *entries = malloc((n + 1) * sizeof(*entries));
	uint16_t *largest = malloc((s->n_pids + 1) * sizeof(*largest));
	enum err e = entries == NULL || largest == NULL ? ERR_NOMEM : ERR_OK;

	if (e == ERR_OK) {
		memset(largest, 0xff, s->n_pids * sizeof(*largest));
		list_prefixes(c, entries);
		e = lpm_sort(entries, n);
	}
	if (e == ERR_OK) {
		n = walk_zones(s, entries, n, largest);
		e = lpm_build(entries, n, &s->lpm);
	}
	if (e == ERR_RANGE)
		(void)fault_set(c->fault, e, "", "more prefixes than the table can hold");
	free(entries);
	free(largest);
	return e;
}

/* ---- distances ---- */

static enum err measure_links(struct compiler *c, uint32_t provider)
{
	struct map_snapshot *s = c->s;
	struct provider *p = &s->providers[provider];
	const struct map_topology *t = c->sources[provider].topology;
	struct distance_link *links = malloc((t->n_links + 1) * sizeof(*links));

	p->distance = take(c, (size_t)p->n_pids * p->n_pids, sizeof(*p->distance));
	enum err e = links == NULL || p->distance == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t i = 0; i < t->n_links && e == ERR_OK; i++) {
		const struct map_link *l = &t->links[i];
		links[i].weight = l->weight;
		if (!find_pid(s, p, l->a, &links[i].a) || !find_pid(s, p, l->b, &links[i].b)) {
			char where[48];
			(void)snprintf(where, sizeof(where), "/links/%zu", i);
			e = fault_set(c->fault, ERR_RANGE, where, "%s has no PID %s or no PID %s",
			              p->name, l->a, l->b);
		}
	}
	if (e == ERR_OK)
		e = distance_all(links, t->n_links, p->n_pids, p->distance);
	free(links);
	return e;
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
		if (find_pid(s, p, cost->from, &from) && find_pid(s, p, cost->to, &to))
			p->distance[(size_t)from * p->n_pids + to] = at_most_max(cost->cost);
	}
	for (size_t i = 0; i < cells; i++)
		if (p->distance[i] > p->farthest)
			p->farthest = p->distance[i];
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
		e = table_add(by_id, t->interconnects[i].id, i, NULL);
		if (e == ERR_EXISTS)
			e = fault_set(c->fault, ERR_RANGE, where, "%s has two interconnects %s",
			              t->provider, t->interconnects[i].id);
	}
	for (size_t i = 0; e == ERR_OK && costs != NULL && i < costs->n_interconnect_costs; i++) {
		const struct map_interconnect_cost *cost = &costs->interconnect_costs[i];
		if (!table_find(by_id, cost->id, &at))
			continue;
		edges[at].out = at_most_max(cost->out);
		edges[at].in = at_most_max(cost->in);
	}
	table_free(by_id);
	return e;
}

static enum err connect_providers(struct compiler *c)
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
	return e;
}

enum err map_compile(const struct map_source *sources, size_t n, struct map_snapshot **out,
                     struct fault *fault)
{
	static enum err (*const steps[])(struct compiler *) = {
		measure,     name_all,        collect_asns,      collect_zones,
		make_places, match_addresses, connect_providers,
	};
	struct compiler c = { .sources = sources, .n = n, .fault = fault };
	enum err e = ERR_OK;

	c.s = calloc(1, sizeof(*c.s));
	if (c.s == NULL)
		return ERR_NOMEM;
	egress_init(&c.s->egress);
	c.s->arena = arena_new(1 << 16);
	if (c.s->arena == NULL)
		e = ERR_NOMEM;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && e == ERR_OK; i++)
		e = steps[i](&c);
	if (e != ERR_OK) {
		snapshot_free(c.s);
		return e;
	}
	*out = c.s;
	return ERR_OK;
}
