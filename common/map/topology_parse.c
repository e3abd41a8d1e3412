/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/document.h"

#include "common/map/reading.h"

#include <string.h>

static const char *const relations[] = {
	[RELATION_CUSTOMER] = "customer",
	[RELATION_SIBLING] = "sibling",
	[RELATION_SETTLEMENT_FREE] = "settlement-free",
	[RELATION_PAID_PEERING] = "paid-peering",
	[RELATION_TRANSIT] = "transit",
};
static const char *const uploads[] = {
	[UPLOADS_NORMAL] = "normal",
	[UPLOADS_AVOID] = "avoid",
	[UPLOADS_NEVER] = "never",
};

const char *map_relation_name(enum map_relation r)
{
	return (unsigned)r < COUNT(relations) ? relations[r] : "unknown";
}

bool map_access_is_radio(const char *access)
{
	return access != NULL &&
	       (strcmp(access, "mobile") == 0 || strcmp(access, "satellite") == 0);
}

uint32_t map_cap_kbps(uint64_t monthly_upload_gb)
{
	return (uint32_t)(monthly_upload_gb * 8000000 / (UINT64_C(30) * 24 * 60 * 60));
}

static void read_asns(struct reading *r, struct value *v, size_t max, uint32_t **asns, size_t *n)
{
	const size_t count = read_array(r, v, max);
	*asns = reading_take(r, count, sizeof(**asns));
	if (*asns == NULL)
		return;
	*n = count;
	for (size_t i = 0; i < count; i++) {
		const struct value item = value_item(v, i);
		read_asn(r, &item, &(*asns)[i]);
	}
}

static void read_prefixes(struct reading *r, struct value *v, size_t max,
                          struct ip_prefix **prefixes, size_t *n)
{
	const size_t count = read_array(r, v, max);
	*prefixes = reading_take(r, count, sizeof(**prefixes));
	if (*prefixes == NULL)
		return;
	*n = count;
	for (size_t i = 0; i < count; i++) {
		const struct value item = value_item(v, i);
		read_prefix(r, &item, &(*prefixes)[i]);
	}
}

static void read_pid(struct reading *r, const struct value *v, struct map_pid *pid)
{
	enum { PID, PREFIXES, ACCESS, UPLOADS, MONTHLY, UP, DOWN, KEYS };
	static const struct member keys[KEYS] = {
		[PID] = { "pid", REQUIRED },
		[PREFIXES] = { "prefixes", 0 },
		[ACCESS] = { "access", 0 },
		[UPLOADS] = { "uploads", 0 },
		[MONTHLY] = { "monthly_upload_gb", NULLABLE },
		[UP] = { "subscriber_up_mbps", 0 },
		[DOWN] = { "subscriber_down_mbps", 0 },
	};
	struct value m[KEYS];
	if (!read_object(r, v, keys, KEYS, m))
		return;
	read_name(r, &m[PID], &pid->name);
	read_prefixes(r, &m[PREFIXES], MAP_PREFIXES_MAX, &pid->prefixes, &pid->n_prefixes);
	read_name(r, &m[ACCESS], &pid->access);
	pid->uploads_said = m[UPLOADS].json != NULL;
	unsigned word = !pid->uploads_said && map_access_is_radio(pid->access) ? UPLOADS_AVOID
	                                                                       : UPLOADS_NORMAL;
	read_word(r, &m[UPLOADS], uploads, COUNT(uploads), &word);
	pid->uploads = (enum map_uploads)word;
	read_whole(r, &m[MONTHLY], 1, MAP_CAP_MAX, &pid->monthly_upload_gb);
	read_kbps(r, &m[UP], &pid->subscriber_up_kbps);
	read_kbps(r, &m[DOWN], &pid->subscriber_down_kbps);
}

static void read_pids(struct reading *r, struct value *v, struct map_topology *t)
{
	const size_t n = read_array(r, v, MAP_PIDS_MAX);
	size_t prefixes = 0;
	t->pids = reading_take(r, n, sizeof(*t->pids));
	if (t->pids == NULL)
		return;
	t->n_pids = n;
	for (size_t i = 0; i < n; i++) {
		const struct value item = value_item(v, i);
		read_pid(r, &item, &t->pids[i]);
		prefixes += t->pids[i].n_prefixes;
	}
	if (prefixes > MAP_PREFIXES_MAX)
		reading_fault(r, v, ERR_RANGE, "count",
		              "must not have more than %d prefixes in all, not %zu",
		              MAP_PREFIXES_MAX, prefixes);
}

static void read_link(struct reading *r, const struct value *v, struct map_link *link)
{
	enum { ID, A, B, CAPACITY, WEIGHT, KEYS };
	static const struct member keys[KEYS] = {
		[ID] = { "id", REQUIRED },  [A] = { "a", REQUIRED },
		[B] = { "b", REQUIRED },    [CAPACITY] = { "capacity_mbps", 0 },
		[WEIGHT] = { "weight", 0 },
	};
	struct value m[KEYS];
	if (!read_object(r, v, keys, KEYS, m))
		return;
	read_name(r, &m[ID], &link->id);
	read_name(r, &m[A], &link->a);
	read_name(r, &m[B], &link->b);
	read_whole(r, &m[CAPACITY], 1, MAP_CAPACITY_MAX, &link->capacity_mbps);
	link->weight = 1;
	read_u32(r, &m[WEIGHT], 1, MAP_WEIGHT_MAX, &link->weight);
}

static void read_links(struct reading *r, struct value *v, struct map_topology *t)
{
	const size_t n = read_array(r, v, MAP_LINKS_MAX);
	t->links = reading_take(r, n, sizeof(*t->links));
	if (t->links == NULL)
		return;
	t->n_links = n;
	for (size_t i = 0; i < n; i++) {
		const struct value item = value_item(v, i);
		read_link(r, &item, &t->links[i]);
	}
}

static void read_exporters(struct reading *r, struct value *v, struct map_interconnect *x)
{
	enum { ADDRESS, IFINDEX, KEYS };
	static const struct member keys[KEYS] = {
		[ADDRESS] = { "address", REQUIRED },
		[IFINDEX] = { "ifindex", REQUIRED },
	};
	const size_t n = read_array(r, v, MAP_EXPORTERS_MAX);
	x->exporters = reading_take(r, n, sizeof(*x->exporters));
	if (x->exporters == NULL)
		return;
	x->n_exporters = n;
	for (size_t i = 0; i < n; i++) {
		const struct value item = value_item(v, i);
		struct value m[KEYS];
		if (!read_object(r, &item, keys, KEYS, m))
			continue;
		read_address(r, &m[ADDRESS], &x->exporters[i].address);
		read_u32(r, &m[IFINDEX], 1, UINT32_MAX, &x->exporters[i].ifindex);
	}
}

static void read_reach_list(struct reading *r, const struct value *v, struct map_interconnect *x)
{
	enum { ASNS, PREFIXES, KEYS };
	static const struct member keys[KEYS] = {
		[ASNS] = { "asns", 0 },
		[PREFIXES] = { "prefixes", 0 },
	};
	struct value m[KEYS];
	if (!read_object(r, v, keys, KEYS, m))
		return;
	const size_t n = value_size(&m[ASNS]) + value_size(&m[PREFIXES]);
	if (n == 0 || n > MAP_REACH_MAX)
		reading_fault(r, v, ERR_RANGE, "count",
		              "must list from 1 to %d ASNs and prefixes in all, not %zu",
		              MAP_REACH_MAX, n);
	x->reach = REACH_LIST;
	read_asns(r, &m[ASNS], MAP_REACH_MAX, &x->reach_asns, &x->n_reach_asns);
	read_prefixes(r, &m[PREFIXES], MAP_REACH_MAX, &x->reach_prefixes, &x->n_reach_prefixes);
}

static void read_reach(struct reading *r, const struct value *v, struct map_interconnect *x)
{
	const char *word = v->json == NULL ? "neighbor" : value_string(v);
	if (value_is_object(v))
		read_reach_list(r, v, x);
	else if (word != NULL && strcmp(word, "neighbor") == 0)
		x->reach = REACH_NEIGHBOR;
	else if (word != NULL && strcmp(word, "any") == 0)
		x->reach = REACH_ANY;
	else
		reading_fault(r, v, ERR_MALFORMED, "choice",
		              "must be \"neighbor\", \"any\" or an object with \"asns\" and "
		              "\"prefixes\"");
}

static void read_interconnect(struct reading *r, const struct value *v, struct map_interconnect *x)
{
	enum { ID, PID, NEIGHBOR, RELATION, CAPACITY, REACH, METRO, EXPORTERS, KEYS };
	static const struct member keys[KEYS] = {
		[ID] = { "id", REQUIRED },
		[PID] = { "pid", REQUIRED },
		[NEIGHBOR] = { "neighbor_asn", REQUIRED },
		[RELATION] = { "relation", REQUIRED },
		[CAPACITY] = { "capacity_mbps", 0 },
		[REACH] = { "reach", 0 },
		[METRO] = { "metro", 0 },
		[EXPORTERS] = { "exporters", 0 },
	};
	struct value m[KEYS];
	unsigned word = 0;
	if (!read_object(r, v, keys, KEYS, m))
		return;
	read_name(r, &m[ID], &x->id);
	read_name(r, &m[PID], &x->pid);
	read_asn(r, &m[NEIGHBOR], &x->neighbor_asn);
	read_word(r, &m[RELATION], relations, COUNT(relations), &word);
	x->relation = (enum map_relation)word;
	read_whole(r, &m[CAPACITY], 1, MAP_CAPACITY_MAX, &x->capacity_mbps);
	read_reach(r, &m[REACH], x);
	read_note(r, &m[METRO], &x->metro);
	read_exporters(r, &m[EXPORTERS], x);
}

static void read_interconnects(struct reading *r, struct value *v, struct map_topology *t)
{
	const size_t n = read_array(r, v, MAP_INTERCONNECTS_MAX);
	t->interconnects = reading_take(r, n, sizeof(*t->interconnects));
	if (t->interconnects == NULL)
		return;
	t->n_interconnects = n;
	for (size_t i = 0; i < n; i++) {
		const struct value item = value_item(v, i);
		read_interconnect(r, &item, &t->interconnects[i]);
	}
}

/* False: not a document of this kind. */
static bool read_topology(struct reading *r, const struct value *v, struct map_topology *t)
{
	enum { FORMAT, PROVIDER, ASNS, PIDS, LINKS, INTERCONNECTS, KEYS };
	static const struct member keys[KEYS] = {
		[FORMAT] = { "format", REQUIRED },
		[PROVIDER] = { "provider", REQUIRED },
		[ASNS] = { "asns", REQUIRED | NOT_EMPTY },
		[PIDS] = { "pids", REQUIRED | NOT_EMPTY },
		[LINKS] = { "links", 0 },
		[INTERCONNECTS] = { "interconnects", 0 },
	};
	struct value m[KEYS];
	if (!read_format(r, v, "p4p-topology/1", "p4p-costs/1") ||
	    !read_object(r, v, keys, KEYS, m))
		return false;
	read_name(r, &m[PROVIDER], &t->provider);
	read_asns(r, &m[ASNS], MAP_ASNS_MAX, &t->asns, &t->n_asns);
	read_pids(r, &m[PIDS], t);
	read_links(r, &m[LINKS], t);
	read_interconnects(r, &m[INTERCONNECTS], t);
	return true;
}

enum err map_topology_parse(const char *json, size_t size, struct arena *arena,
                            struct map_topology **out, struct faults *faults)
{
	struct reading r = { .arena = arena, .faults = faults };
	struct value top = { 0 };
	const enum err loaded = reading_load(json, size, faults, &top.json);
	struct map_topology *t = reading_take(&r, 1, sizeof(*t));
	const bool read = top.json != NULL && t != NULL && read_topology(&r, &top, t);
	reading_drop(top.json);
	const enum err err = loaded == ERR_OK ? reading_verdict(&r) : loaded;
	if (read && loaded == ERR_OK && err != ERR_NOMEM)
		*out = t;
	return err;
}
