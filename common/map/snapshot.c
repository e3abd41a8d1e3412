/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/snapshot.h"

#include "common/base/text.h"
#include "common/map/compiled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void snapshot_free(struct map_snapshot *s)
{
	if (s == NULL)
		return;
	if (s->sharers == NULL || atomic_fetch_sub(s->sharers, 1) == 1) {
		lpm_free(s->lpm);
		table_free(s->pid_of);
		egress_done(&s->egress);
		arena_free(s->arena);
	}
	arena_free(s->own);
	free(s);
}

/* ---- where ---- */

static bool is_pid(const struct map_snapshot *s, uint32_t place)
{
	return place != PLACE_UNKNOWN && place <= s->n_pids;
}

uint32_t snapshot_locate(const struct map_snapshot *s, const struct ip_addr *a)
{
	return s == NULL ? PLACE_UNKNOWN : lpm_find(s->lpm, a);
}

void snapshot_prefetch(const struct map_snapshot *s, const struct ip_addr *a)
{
	if (s != NULL)
		lpm_prefetch(s->lpm, a);
}

uint32_t snapshot_place_of_asn(const struct map_snapshot *s, uint32_t asn)
{
	size_t low = 0, high = s == NULL ? 0 : s->n_asns;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (s->asns[middle] == asn)
			return s->first_asn + (uint32_t)middle;
		if (s->asns[middle] < asn)
			low = middle + 1;
		else
			high = middle;
	}
	return PLACE_UNKNOWN;
}

struct map_place snapshot_place(const struct map_snapshot *s, uint32_t place)
{
	if (s == NULL || !is_pid(s, place))
		return (struct map_place){ .provider = NO_PROVIDER,
			                   .lasting_kbps = UPLINK_USUAL_KBPS };
	const struct pid *p = &s->pids[place - 1];
	return (struct map_place){ s->places[place].provider, snapshot_uploads(s, place),
		                   p->up_kbps, p->down_kbps, p->lasting_kbps };
}

uint32_t snapshot_owner(const struct map_snapshot *s, uint32_t place)
{
	return s == NULL ? NO_PROVIDER : s->places[place].provider;
}

struct map_places snapshot_provider_places(const struct map_snapshot *s, uint32_t place)
{
	if (s == NULL || !is_pid(s, place))
		return (struct map_places){ 0 };
	const struct provider *p = &s->providers[s->places[place].provider];
	return (struct map_places){ p->first_pid, p->first_pid + p->n_pids };
}

enum map_uploads snapshot_uploads(const struct map_snapshot *s, uint32_t place)
{
	return s == NULL ? UPLOADS_NORMAL : (enum map_uploads)s->places[place].uploads;
}

bool snapshot_restricts_uploads(const struct map_snapshot *s)
{
	return s != NULL && s->restricts_uploads;
}

/* ---- a pair ---- */

/* Where egress.rows has what PID `near` uses towards `far`: longest zone, then ASN, then any; or 0. */
static uint32_t egress_at(const struct map_snapshot *s, const struct place *n,
                          const struct place *f)
{
	const struct provider *p = &s->providers[n->provider];
	uint32_t row = 0;

	for (uint32_t zone = p->names_zones ? f->zone : 0; zone != 0 && row == 0;
	     zone = s->zone_parent[zone - s->first_zone])
		row = egress_row(&s->egress, n->provider, zone);
	if (row == 0 && f->node != 0)
		row = egress_row(&s->egress, n->provider, f->node);
	if (row == 0)
		row = p->any_row;
	return row == 0 ? 0 : row + n->local;
}

static uint32_t distance(const struct provider *p, uint32_t from, uint32_t to)
{
	return p->distance[(size_t)from * p->n_pids + to];
}

/* Both ends belong to one provider, and at least one of them is a PID. */
static struct map_price price_at_home(const struct map_snapshot *s, uint32_t from, uint32_t to)
{
	const struct place *a = &s->places[from], *b = &s->places[to];
	const struct provider *p = &s->providers[a->provider];
	return (struct map_price){
		.tier = from == to ? TIER_SAME_PID : TIER_SAME_PROVIDER,
		.price = is_pid(s, from) && is_pid(s, to) ? distance(p, a->local, b->local)
		                                          : p->farthest,
	};
}

static bool is_home(const struct map_snapshot *s, uint32_t from, uint32_t to)
{
	return s->places[from].provider == s->places[to].provider;
}

struct map_leans snapshot_leans(const struct map_snapshot *s, uint32_t place)
{
	if (s == NULL || s->leans == NULL || !is_pid(s, place))
		return (struct map_leans){ 0, 0 };
	return s->leans[s->places[place].provider];
}

int32_t snapshot_lean(const struct map_snapshot *s, uint32_t near, uint32_t far)
{
	const struct map_leans all = snapshot_leans(s, near);
	if ((all.least == 0 && all.most == 0) || is_home(s, near, far))
		return 0;
	const uint32_t at = egress_at(s, &s->places[near], &s->places[far]);
	return at == 0 ? 0 : snapshot_lean_of(s, s->egress.rows[at]);
}

/* The sender's book, or the receiver's when the sender has none. At least one of them is a PID. */
static const struct toll *toll_between(const struct map_snapshot *s, uint32_t from, uint32_t to)
{
	const struct place *a = &s->places[from], *b = &s->places[to];
	return &s->tolls[is_pid(s, from) ? egress_at(s, a, b) : egress_at(s, b, a)];
}

static struct map_price price_by(const struct map_snapshot *s, const struct toll *toll,
                                 uint32_t from)
{
	return (struct map_price){ toll->tier, is_pid(s, from) ? toll->out : toll->in };
}

static struct map_price price_between(const struct map_snapshot *s, uint32_t from, uint32_t to)
{
	return is_home(s, from, to) ? price_at_home(s, from, to)
	                            : price_by(s, toll_between(s, from, to), from);
}

uint32_t tariff_seek(const struct map_tariff *t, uint32_t other)
{
	const struct map_snapshot *s = t->map;
	if (s == NULL || (!is_pid(s, t->place) && !is_pid(s, other)) || is_home(s, t->place, other))
		return 0;
	const struct toll *toll =
		t->sends ? toll_between(s, t->place, other) : toll_between(s, other, t->place);
	__builtin_prefetch(toll);
	return (uint32_t)(toll - s->tolls); /* the first is nobody's: unknown */
}

struct map_price tariff_price(const struct map_tariff *t, uint32_t other, uint32_t where)
{
	const struct map_snapshot *s = t->map;
	if (s == NULL || (!is_pid(s, t->place) && !is_pid(s, other)))
		return (struct map_price){ TIER_UNKNOWN, PRICE_UNKNOWN };
	const uint32_t from = t->sends ? t->place : other, to = t->sends ? other : t->place;
	return is_home(s, from, to) ? price_at_home(s, from, to)
	                            : price_by(s, &s->tolls[where], from);
}

static uint32_t interconnect_at(const struct map_snapshot *s, uint32_t at)
{
	return at == 0 ? NO_INTERCONNECT : s->egress.rows[at];
}

struct map_pair snapshot_pair(const struct map_snapshot *s, uint32_t from, uint32_t to)
{
	struct map_pair pair = { TIER_UNKNOWN, NO_INTERCONNECT, NO_INTERCONNECT, PRICE_UNKNOWN };
	if (s == NULL)
		return pair;
	must(from < s->n_places && to < s->n_places);
	const struct place *a = &s->places[from], *b = &s->places[to];
	const bool a_books = is_pid(s, from), b_books = is_pid(s, to);
	if (!a_books && !b_books)
		return pair;
	const struct map_price p = price_between(s, from, to);
	pair.tier = p.tier;
	pair.price = p.price;
	if (a_books && a->provider != b->provider)
		pair.out = interconnect_at(s, egress_at(s, a, b));
	if (b_books && a->provider != b->provider)
		pair.in = interconnect_at(s, egress_at(s, b, a));
	return pair;
}

/* ---- names ---- */

void snapshot_place_key(const struct map_snapshot *s, uint32_t place,
                        char out[static PLACE_KEY_MAX])
{
	out[0] = '\0';
	if (s == NULL || place == PLACE_UNKNOWN)
		return;
	must(place < s->n_places);
	if (place < s->first_asn) {
		(void)snprintf(out, PLACE_KEY_MAX, "pid:%s", s->pids[place - 1].key);
	} else if (place < s->first_zone) {
		(void)snprintf(out, PLACE_KEY_MAX, "as:%u", s->asns[place - s->first_asn]);
	} else {
		char prefix[IP_PREFIX_TEXT_SIZE];
		ip_prefix_print(&s->zones[place - s->first_zone], prefix);
		(void)snprintf(out, PLACE_KEY_MAX, "zone:%s", prefix);
	}
}

uint32_t snapshot_zone(const struct map_snapshot *s, const struct ip_prefix *prefix)
{
	size_t low = 0, high = s->n_zones;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int c = ip_prefix_compare(&s->zones[middle], prefix);
		if (c == 0)
			return s->first_zone + (uint32_t)middle;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return PLACE_UNKNOWN;
}

uint32_t snapshot_place_find(const struct map_snapshot *s, const char *key)
{
	uint32_t place = PLACE_UNKNOWN;
	uint64_t asn;
	struct ip_prefix prefix;

	if (s == NULL)
		return PLACE_UNKNOWN;
	if (strncmp(key, "pid:", 4) == 0)
		(void)table_find(s->pid_of, key + 4, &place);
	else if (strncmp(key, "as:", 3) == 0 && text_u64(key + 3, strlen(key + 3), &asn) &&
	         asn <= UINT32_MAX)
		place = snapshot_place_of_asn(s, (uint32_t)asn);
	else if (strncmp(key, "zone:", 5) == 0 && ip_prefix_parse(key + 5, &prefix) == ERR_OK)
		place = snapshot_zone(s, &prefix);
	return place;
}

/* ---- what it holds ---- */

struct map_counts snapshot_counts(const struct map_snapshot *s)
{
	return (struct map_counts){
		.providers = s->n_providers,
		.pids = s->n_pids,
		.places = s->n_places,
		.links = s->n_links,
		.interconnects = s->n_interconnects,
		.exporters = s->n_exporters,
		.prefixes_v4 = s->prefixes_v4,
		.prefixes_v6 = s->prefixes_v6,
		.bytes = sizeof(*s) + s->arena_bytes + s->own_bytes + egress_bytes(&s->egress) +
		         lpm_bytes(s->lpm),
	};
}

struct map_interconnect_info snapshot_interconnect(const struct map_snapshot *s, uint32_t index)
{
	must(index < s->n_interconnects);
	return s->interconnects[index];
}

struct map_link_info snapshot_link(const struct map_snapshot *s, uint32_t index)
{
	must(index < s->n_links);
	const struct provider *p = s->providers;
	while (index - p->first_link >= p->n_links)
		p++;
	const struct distance_link *ends = &s->ends[index];
	return (struct map_link_info){ .provider = p->name,
		                       .id = s->links[index].id,
		                       .provider_index = (uint32_t)(p - s->providers),
		                       .a = p->first_pid + ends->a,
		                       .b = p->first_pid + ends->b,
		                       .weight = ends->weight,
		                       .capacity_mbps = s->links[index].capacity_mbps };
}

uint32_t snapshot_interconnect_find(const struct map_snapshot *s, const char *provider,
                                    const char *id)
{
	for (uint32_t i = 0; s != NULL && i < s->n_interconnects; i++)
		if (strcmp(s->interconnects[i].id, id) == 0 &&
		    strcmp(s->interconnects[i].provider, provider) == 0)
			return i;
	return NO_INTERCONNECT;
}

const char *snapshot_provider_name(const struct map_snapshot *s, uint32_t provider)
{
	must(provider < s->n_providers);
	return s->providers[provider].name;
}

uint64_t snapshot_provider_hash(const struct map_snapshot *s, uint32_t provider)
{
	must(provider < s->n_providers);
	return s->providers[provider].hash;
}
