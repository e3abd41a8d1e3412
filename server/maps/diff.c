/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One thing of a document: how it is known, and what it says. */
struct item {
	const char *name;   /* of a PID, link, interconnect or cost's source */
	const char *second; /* a cost's target, or NULL */
	const void *value;
};

struct items {
	struct item *list;
	size_t n;
};

/* A member of a thing, as JSON. */
typedef void put_fn(struct text *t, const void *thing);
struct member {
	const char *name;
	put_fn *put;
};
enum { MEMBERS_MAX = 8 };

/* What is compared, and how it is told. */
struct kind {
	const char *list;             /* "pids" */
	const char *name;             /* "pid" */
	const struct member *members; /* [MEMBERS_MAX], the last ones all zero */
};

struct tally {
	size_t added, removed, changed;
};

/* The rows of one kind. */
struct telling {
	const struct maps_rows *rows; /* NULL: nobody wants them */
	const struct kind *kind;
	size_t shown, more;
	struct text before, after; /* of a member */
	bool bad;
};

/* ---- members ---- */

static void put_text(struct text *t, const char *s)
{
	if (s != NULL)
		text_json_string(t, s);
	else
		text_put(t, "null");
}

/* 0 is "not said". */
static void put_number(struct text *t, uint64_t n)
{
	if (n > 0)
		text_printf(t, "%" PRIu64, n);
	else
		text_put(t, "null");
}

static void put_mbps(struct text *t, uint32_t kbps)
{
	if (kbps > 0)
		text_printf(t, "%.10g", (double)kbps / 1000);
	else
		text_put(t, "null");
}

static void put_access(struct text *t, const void *x)
{
	put_text(t, ((const struct map_pid *)x)->access);
}

static void put_uploads(struct text *t, const void *x)
{
	static const char *const words[] = {
		[UPLOADS_NORMAL] = "normal", [UPLOADS_AVOID] = "avoid", [UPLOADS_NEVER] = "never"
	};
	put_text(t, words[((const struct map_pid *)x)->uploads]);
}

static void put_cap(struct text *t, const void *x)
{
	put_number(t, ((const struct map_pid *)x)->monthly_upload_gb);
}

static void put_up(struct text *t, const void *x)
{
	put_mbps(t, ((const struct map_pid *)x)->subscriber_up_kbps);
}

static void put_down(struct text *t, const void *x)
{
	put_mbps(t, ((const struct map_pid *)x)->subscriber_down_kbps);
}

static const struct member pid_members[MEMBERS_MAX] = {
	{ "access", put_access },
	{ "uploads", put_uploads },
	{ "monthly_upload_gb", put_cap },
	{ "subscriber_up_mbps", put_up },
	{ "subscriber_down_mbps", put_down },
};

static void put_a(struct text *t, const void *x)
{
	put_text(t, ((const struct map_link *)x)->a);
}

static void put_b(struct text *t, const void *x)
{
	put_text(t, ((const struct map_link *)x)->b);
}

static void put_link_capacity(struct text *t, const void *x)
{
	put_number(t, ((const struct map_link *)x)->capacity_mbps);
}

static void put_weight(struct text *t, const void *x)
{
	text_printf(t, "%" PRIu32, ((const struct map_link *)x)->weight);
}

static const struct member link_members[MEMBERS_MAX] = {
	{ "a", put_a },
	{ "b", put_b },
	{ "capacity_mbps", put_link_capacity },
	{ "weight", put_weight },
};

static void put_pid(struct text *t, const void *x)
{
	put_text(t, ((const struct map_interconnect *)x)->pid);
}

static void put_neighbor(struct text *t, const void *x)
{
	text_printf(t, "%" PRIu32, ((const struct map_interconnect *)x)->neighbor_asn);
}

static void put_relation(struct text *t, const void *x)
{
	put_text(t, map_relation_name(((const struct map_interconnect *)x)->relation));
}

static void put_capacity(struct text *t, const void *x)
{
	put_number(t, ((const struct map_interconnect *)x)->capacity_mbps);
}

static void put_reach(struct text *t, const void *thing)
{
	const struct map_interconnect *x = thing;
	char prefix[IP_PREFIX_TEXT_SIZE];
	if (x->reach != REACH_LIST) {
		put_text(t, x->reach == REACH_ANY ? "any" : "neighbor");
		return;
	}
	text_put(t, "{\"asns\":[");
	for (size_t i = 0; i < x->n_reach_asns; i++)
		text_printf(t, "%s%" PRIu32, i > 0 ? "," : "", x->reach_asns[i]);
	text_put(t, "],\"prefixes\":[");
	for (size_t i = 0; i < x->n_reach_prefixes; i++) {
		ip_prefix_print(&x->reach_prefixes[i], prefix);
		text_printf(t, "%s\"%s\"", i > 0 ? "," : "", prefix);
	}
	text_put(t, "]}");
}

static void put_metro(struct text *t, const void *x)
{
	put_text(t, ((const struct map_interconnect *)x)->metro);
}

static void put_exporters(struct text *t, const void *thing)
{
	const struct map_interconnect *x = thing;
	char address[IP_TEXT_SIZE];
	text_put(t, "[");
	for (size_t i = 0; i < x->n_exporters; i++) {
		ip_print(&x->exporters[i].address, address);
		text_printf(t, "%s{\"address\":\"%s\",\"ifindex\":%" PRIu32 "}", i > 0 ? "," : "",
		            address, x->exporters[i].ifindex);
	}
	text_put(t, "]");
}

static const struct member interconnect_members[MEMBERS_MAX] = {
	{ "pid", put_pid },
	{ "neighbor_asn", put_neighbor },
	{ "relation", put_relation },
	{ "capacity_mbps", put_capacity },
	{ "reach", put_reach },
	{ "metro", put_metro },
	{ "exporters", put_exporters },
};

static void put_cost(struct text *t, const void *x)
{
	uint32_t cost;
	memcpy(&cost, x, sizeof(cost));
	text_printf(t, "%" PRIu32, cost);
}

static const struct member cost_members[MEMBERS_MAX] = { { "cost", put_cost } };

static const struct kind pids = { "pids", "pid", pid_members };
static const struct kind links = { "links", "link", link_members };
static const struct kind interconnects = { "interconnects", "interconnect", interconnect_members };
static const struct kind costs = { "costs", "from", cost_members };

/* ---- rows ---- */

static void print(struct text *t, const struct member *m, const void *thing)
{
	t->size = 0;
	if (thing != NULL)
		m->put(t, thing);
	else
		text_put(t, "null");
}

/* Long lists are cut: which one it is has been said. */
static void put_value(struct text *t, const char *key, const struct text *value)
{
	enum { SHOWN = 400 };
	char cut[SHOWN + 4];
	text_printf(t, ",\"%s\":", key);
	if (value->size <= SHOWN) {
		text_put(t, value->bytes);
		return;
	}
	memcpy(cut, value->bytes, SHOWN);
	memcpy(cut + SHOWN, "...", 4);
	text_json_string(t, cut);
}

/* Are they equal in all members? */
static bool same(struct telling *w, const void *old, const void *now)
{
	for (const struct member *m = w->kind->members; m->name != NULL; m++) {
		print(&w->before, m, old);
		print(&w->after, m, now);
		w->bad = w->bad || w->before.bad || w->after.bad;
		if (w->bad || strcmp(w->before.bytes, w->after.bytes) != 0)
			return false;
	}
	return true;
}

static void put_members(struct telling *w, const void *old, const void *now)
{
	struct text *t = w->rows->json;
	bool first = true;
	text_put(t, ",\"members\":[");
	for (const struct member *m = w->kind->members; m->name != NULL; m++) {
		print(&w->before, m, old);
		print(&w->after, m, now);
		w->bad = w->bad || w->before.bad || w->after.bad;
		if (w->bad || strcmp(w->before.bytes, w->after.bytes) == 0)
			continue;
		text_printf(t, "%s{\"member\":\"%s\"", first ? "" : ",", m->name);
		put_value(t, "old", &w->before);
		put_value(t, "new", &w->after);
		text_put(t, "}");
		first = false;
	}
	text_put(t, "]");
}

/* Either may be NULL, not both. */
static void tell(struct telling *w, const struct item *old, const struct item *now)
{
	const struct item *x = now != NULL ? now : old;
	if (w->rows == NULL)
		return;
	struct text *t = w->rows->json;
	if (w->shown == w->rows->limit) {
		w->more++;
		return;
	}
	text_printf(t, "%s{\"change\":\"%s\",\"%s\":", w->shown++ > 0 ? "," : "",
	            old == NULL   ? "added"
	            : now == NULL ? "removed"
	                          : "changed",
	            w->kind->name);
	text_json_string(t, x->name);
	if (x->second != NULL) {
		text_put(t, ",\"to\":");
		text_json_string(t, x->second);
	}
	put_members(w, old != NULL ? old->value : NULL, now != NULL ? now->value : NULL);
	text_put(t, "}");
}

/* ---- two lists ---- */

static int by_key(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	const int c = strcmp(a->name, b->name);
	if (c != 0 || a->second == NULL)
		return c;
	return strcmp(a->second, b->second);
}

static enum err items_new(struct items *items, size_t room)
{
	*items = (struct items){ .list = calloc(room > 0 ? room : 1, sizeof(struct item)) };
	return items->list == NULL ? ERR_NOMEM : ERR_OK;
}

/* Walks two lists in key order, side by side. */
static struct tally walk(struct telling *w, struct items *old, struct items *now)
{
	struct tally t = { 0 };
	size_t i = 0, j = 0;
	qsort(old->list, old->n, sizeof(*old->list), by_key);
	qsort(now->list, now->n, sizeof(*now->list), by_key);
	while (i < old->n || j < now->n) {
		const int c = i == old->n   ? 1
		              : j == now->n ? -1
		                            : by_key(&old->list[i], &now->list[j]);
		const struct item *a = c <= 0 ? &old->list[i++] : NULL;
		const struct item *b = c >= 0 ? &now->list[j++] : NULL;
		if (c == 0 && same(w, a->value, b->value))
			continue;
		t.removed += c < 0;
		t.added += c > 0;
		t.changed += c == 0;
		tell(w, a, b);
	}
	return t;
}

static enum err compare(struct items *old, struct items *now, const struct kind *kind,
                        const struct maps_rows *rows, struct tally *out)
{
	struct telling w = { .rows = rows, .kind = kind };
	if (rows != NULL)
		text_printf(rows->json, ",\"%s\":{\"rows\":[", kind->list);
	*out = walk(&w, old, now);
	if (rows != NULL)
		text_printf(rows->json, "],\"more\":%zu}", w.more);
	text_done(&w.before);
	text_done(&w.after);
	return w.bad || (rows != NULL && rows->json->bad) ? ERR_NOMEM : ERR_OK;
}

static enum err pids_of(const struct map_topology *t, struct items *out)
{
	if (items_new(out, t != NULL ? t->n_pids : 0) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; t != NULL && i < t->n_pids; i++)
		out->list[out->n++] =
			(struct item){ .name = t->pids[i].name, .value = &t->pids[i] };
	return ERR_OK;
}

static enum err links_of(const struct map_topology *t, struct items *out)
{
	if (items_new(out, t != NULL ? t->n_links : 0) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; t != NULL && i < t->n_links; i++)
		out->list[out->n++] =
			(struct item){ .name = t->links[i].id, .value = &t->links[i] };
	return ERR_OK;
}

static enum err interconnects_of(const struct map_topology *t, struct items *out)
{
	if (items_new(out, t != NULL ? t->n_interconnects : 0) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; t != NULL && i < t->n_interconnects; i++)
		out->list[out->n++] = (struct item){ .name = t->interconnects[i].id,
			                             .value = &t->interconnects[i] };
	return ERR_OK;
}

typedef enum err gather_fn(const struct map_topology *t, struct items *out);

static enum err tally_of(const struct map_topology *old, const struct map_topology *now,
                         gather_fn *gather, const struct kind *kind, const struct maps_rows *rows,
                         struct tally *out)
{
	struct items a = { 0 }, b = { 0 };
	enum err e = gather(old, &a);
	if (e == ERR_OK)
		e = gather(now, &b);
	if (e == ERR_OK)
		e = compare(&a, &b, kind, rows, out);
	free(a.list);
	free(b.list);
	return e;
}

enum err maps_diff_topology(const struct map_topology *old, const struct map_topology *now,
                            const struct maps_rows *rows, struct maps_change *change)
{
	struct tally p, l, x;
	if (tally_of(old, now, pids_of, &pids, rows, &p) != ERR_OK ||
	    tally_of(old, now, links_of, &links, rows, &l) != ERR_OK ||
	    tally_of(old, now, interconnects_of, &interconnects, rows, &x) != ERR_OK)
		return ERR_NOMEM;
	change->pids_added = p.added;
	change->pids_removed = p.removed;
	change->pids_changed = p.changed;
	change->links_added = l.added;
	change->links_removed = l.removed;
	change->links_changed = l.changed;
	change->interconnects_added = x.added;
	change->interconnects_removed = x.removed;
	change->interconnects_changed = x.changed;
	return ERR_OK;
}

/* ---- costs ---- */

static enum err costs_of(const struct map_costs *c, struct items *out)
{
	if (items_new(out, c != NULL ? c->n_pid_costs + 2 * c->n_interconnect_costs : 0) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; c != NULL && i < c->n_pid_costs; i++)
		out->list[out->n++] = (struct item){ .name = c->pid_costs[i].from,
			                             .second = c->pid_costs[i].to,
			                             .value = &c->pid_costs[i].cost };
	/* "/" is in no name, so an interconnect's directions cannot be taken for PIDs. */
	for (size_t i = 0; c != NULL && i < c->n_interconnect_costs; i++) {
		const struct map_interconnect_cost *x = &c->interconnect_costs[i];
		out->list[out->n++] =
			(struct item){ .name = x->id, .second = "/out", .value = &x->out };
		out->list[out->n++] =
			(struct item){ .name = x->id, .second = "/in", .value = &x->in };
	}
	return ERR_OK;
}

enum err maps_diff_costs(const struct map_costs *old, const struct map_costs *now,
                         const struct maps_rows *rows, struct maps_change *change)
{
	struct items a = { 0 }, b = { 0 };
	struct tally t;
	enum err e = costs_of(old, &a);
	if (e == ERR_OK)
		e = costs_of(now, &b);
	if (e == ERR_OK)
		e = compare(&a, &b, &costs, rows, &t);
	if (e == ERR_OK)
		change->costs_changed = t.added + t.removed + t.changed;
	free(a.list);
	free(b.list);
	return e;
}

/* ---- prefixes ---- */

static void put_pid_name(struct text *t, const char *key, const struct map_topology *of, uint32_t i)
{
	text_printf(t, "\"%s\":", key);
	put_text(t, i != MAP_NO_PID ? of->pids[i].name : NULL);
}

static void put_examples(struct text *t, const struct map_overlap *o)
{
	char prefix[IP_PREFIX_TEXT_SIZE];
	text_put(t, ",\"examples\":[");
	for (size_t k = 0; k < o->prefixes && k < MAP_EXAMPLES; k++) {
		ip_prefix_print(&o->examples[k], prefix);
		text_printf(t, "%s\"%s\"", k > 0 ? "," : "", prefix);
	}
	text_put(t, "]");
}

void maps_diff_prefixes(const struct map_topology *old, const struct map_topology *now,
                        const struct map_overlap *list, size_t n, const struct maps_rows *rows)
{
	struct text *t = rows->json;
	size_t shown = 0, more = 0;
	uint64_t v4 = 0, v6 = 0;
	text_put(t, ",\"moves\":{\"rows\":[");
	for (size_t i = 0; i < n && !list[i].stays; i++) {
		const struct map_overlap *o = &list[i];
		v4 += o->addresses_v4;
		v6 += o->networks_v6;
		if (shown == rows->limit) {
			more++;
			continue;
		}
		text_put(t, shown++ > 0 ? ",{" : "{");
		put_pid_name(t, "from", old, o->before);
		text_put(t, ",");
		put_pid_name(t, "to", now, o->after);
		text_printf(t,
		            ",\"prefixes\":%zu,\"ipv4_addresses\":%" PRIu64
		            ",\"ipv6_networks\":%" PRIu64,
		            o->prefixes, o->addresses_v4, o->networks_v6);
		put_examples(t, o);
		text_put(t, "}");
	}
	text_printf(t,
	            "],\"more\":%zu,\"ipv4_addresses\":%" PRIu64 ",\"ipv6_networks\":%" PRIu64 "}",
	            more, v4, v6);
}
