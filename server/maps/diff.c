/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One thing of a document: how it is known, and what it says. */
struct item {
	const char *name;               /* of a PID, interconnect or cost's source */
	const char *second;             /* a cost's target, or NULL */
	const struct ip_prefix *prefix; /* of a prefix, whose `value` is its PID */
	const void *value;
};

struct items {
	struct item *list;
	size_t n;
};

static int by_key(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	if (a->prefix != NULL && b->prefix != NULL)
		return ip_prefix_compare(a->prefix, b->prefix);
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

typedef bool same_fn(const void *a, const void *b);

struct tally {
	size_t added, removed, changed;
};

/* Walks two lists in key order, side by side. */
static struct tally compare(struct items *old, struct items *now, same_fn *same)
{
	struct tally t = { 0 };
	size_t i = 0, j = 0;
	qsort(old->list, old->n, sizeof(*old->list), by_key);
	qsort(now->list, now->n, sizeof(*now->list), by_key);
	while (i < old->n || j < now->n) {
		const int c = i == old->n   ? 1
		              : j == now->n ? -1
		                            : by_key(&old->list[i], &now->list[j]);
		t.removed += c < 0;
		t.added += c > 0;
		t.changed += c == 0 && !same(old->list[i].value, now->list[j].value);
		i += c <= 0;
		j += c >= 0;
	}
	free(old->list);
	free(now->list);
	return t;
}

static bool same_pid(const void *x, const void *y)
{
	const struct map_pid *a = x, *b = y;
	return strcmp(a->access != NULL ? a->access : "", b->access != NULL ? b->access : "") ==
	               0 &&
	       a->uploads == b->uploads && a->monthly_upload_gb == b->monthly_upload_gb &&
	       a->subscriber_up_kbps == b->subscriber_up_kbps &&
	       a->subscriber_down_kbps == b->subscriber_down_kbps;
}

static bool same_link(const void *x, const void *y)
{
	const struct map_link *a = x, *b = y;
	return strcmp(a->a, b->a) == 0 && strcmp(a->b, b->b) == 0 &&
	       a->capacity_mbps == b->capacity_mbps && a->weight == b->weight;
}

static bool same_name(const void *a, const void *b)
{
	return strcmp(a, b) == 0;
}

static bool same_cost(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint32_t)) == 0;
}

static bool same_reach(const struct map_interconnect *a, const struct map_interconnect *b)
{
	if (a->reach != b->reach || a->n_reach_asns != b->n_reach_asns ||
	    a->n_reach_prefixes != b->n_reach_prefixes)
		return false;
	for (size_t i = 0; i < a->n_reach_asns; i++)
		if (a->reach_asns[i] != b->reach_asns[i])
			return false;
	for (size_t i = 0; i < a->n_reach_prefixes; i++)
		if (ip_prefix_compare(&a->reach_prefixes[i], &b->reach_prefixes[i]) != 0)
			return false;
	return true;
}

static bool same_interconnect(const void *x, const void *y)
{
	const struct map_interconnect *a = x, *b = y;
	return strcmp(a->pid, b->pid) == 0 && a->neighbor_asn == b->neighbor_asn &&
	       a->relation == b->relation && a->capacity_mbps == b->capacity_mbps &&
	       same_reach(a, b);
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

static enum err prefixes_of(const struct map_topology *t, struct items *out)
{
	size_t n = 0;
	for (size_t i = 0; t != NULL && i < t->n_pids; i++)
		n += t->pids[i].n_prefixes;
	if (items_new(out, n) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; t != NULL && i < t->n_pids; i++)
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++)
			out->list[out->n++] = (struct item){ .prefix = &t->pids[i].prefixes[k],
				                             .value = t->pids[i].name };
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
                         gather_fn *gather, same_fn *same, struct tally *out)
{
	struct items a, b;
	if (gather(old, &a) != ERR_OK)
		return ERR_NOMEM;
	if (gather(now, &b) != ERR_OK) {
		free(a.list);
		return ERR_NOMEM;
	}
	*out = compare(&a, &b, same);
	return ERR_OK;
}

enum err maps_diff_topology(const struct map_topology *old, const struct map_topology *now,
                            struct maps_change *change)
{
	struct tally pids, links, prefixes, interconnects;
	if (tally_of(old, now, pids_of, same_pid, &pids) != ERR_OK ||
	    tally_of(old, now, links_of, same_link, &links) != ERR_OK ||
	    tally_of(old, now, prefixes_of, same_name, &prefixes) != ERR_OK ||
	    tally_of(old, now, interconnects_of, same_interconnect, &interconnects) != ERR_OK)
		return ERR_NOMEM;
	change->pids_added = pids.added;
	change->pids_removed = pids.removed;
	change->pids_changed = pids.changed;
	change->links_added = links.added;
	change->links_removed = links.removed;
	change->links_changed = links.changed;
	change->prefixes_added = prefixes.added;
	change->prefixes_removed = prefixes.removed;
	change->prefixes_moved = prefixes.changed;
	change->interconnects_added = interconnects.added;
	change->interconnects_removed = interconnects.removed;
	change->interconnects_changed = interconnects.changed;
	return ERR_OK;
}

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
                         struct maps_change *change)
{
	struct items a, b;
	if (costs_of(old, &a) != ERR_OK)
		return ERR_NOMEM;
	if (costs_of(now, &b) != ERR_OK) {
		free(a.list);
		return ERR_NOMEM;
	}
	const struct tally t = compare(&a, &b, same_cost);
	change->costs_changed = t.added + t.removed + t.changed;
	return ERR_OK;
}
