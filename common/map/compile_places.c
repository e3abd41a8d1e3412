/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/compiling.h"

#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 129 /* prefix lengths 0 to 128 */ };

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
	s->asns = compiling_take(c, n, sizeof(*asns));
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
	s->zones = compiling_take(c, n, sizeof(*s->zones));
	s->zone_parent = compiling_take(c, n, sizeof(*s->zone_parent));
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
	if (s->n_places > MAP_PLACES_MAX)
		return fault_set(c->fault, ERR_RANGE, "/interconnects",
		                 "more than %d PIDs, ASNs and reach prefixes", MAP_PLACES_MAX);
	s->first_asn = (uint32_t)(1 + s->n_pids);
	s->first_zone = (uint32_t)(s->first_asn + s->n_asns);
	s->places = compiling_take(c, s->n_places, sizeof(*s->places));
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
		for (uint32_t k = 0; k < p->n_pids; k++) {
			s->places[p->first_pid + k] =
				(struct place){ .provider = i,
				                .local = (uint16_t)k,
				                .uploads = (uint16_t)t->pids[k].uploads,
				                .node = PROVIDER_NODE | i };
			s->restricts_uploads |= t->pids[k].uploads != UPLOADS_NORMAL;
		}
		for (size_t k = 0; k < t->n_asns; k++)
			s->places[snapshot_place_of_asn(s, t->asns[k])].provider = i;
	}
	return ERR_OK;
}

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

enum err compile_places(struct compiler *c)
{
	enum err e = collect_asns(c);
	if (e == ERR_OK)
		e = collect_zones(c);
	if (e == ERR_OK)
		e = make_places(c);
	return e == ERR_OK ? match_addresses(c) : e;
}
