/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/prefix_list.h"

#include "common/ip/lpm.h"

#include <stdlib.h>

/* All readable prefixes, in the order of the document. */
static struct prefix_ref *collect(const struct map_topology *t, size_t *count)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < t->n_pids; i++)
		total += t->pids[i].n_prefixes;
	must(total < NO_REF);
	struct prefix_ref *refs = calloc(total > 0 ? total : 1, sizeof(*refs));
	for (size_t i = 0; i < t->n_pids && refs != NULL; i++)
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++)
			if (t->pids[i].prefixes[k].addr.family != IP_NONE)
				refs[n++] = (struct prefix_ref){
					.prefix = t->pids[i].prefixes[k],
					.pid = (uint32_t)i,
					.index = (uint32_t)k,
				};
	*count = n;
	return refs;
}

/* In linear time; equal prefixes stay in the order of the document. */
static enum err sort(struct prefix_ref *refs, size_t n, struct prefix_ref *sorted)
{
	struct lpm_entry *order = malloc((n + 1) * sizeof(*order));
	if (order == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = (struct lpm_entry){ .prefix = refs[i].prefix, .value = (uint32_t)i };
	const enum err e = lpm_sort(order, n);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		sorted[i] = refs[order[i].value];
	free(order);
	return e;
}

enum err prefix_list_make(const struct map_topology *t, struct prefix_list *out)
{
	struct prefix_list list = { 0 };
	struct prefix_ref *refs = collect(t, &list.n);
	list.refs = refs != NULL ? malloc((list.n + 1) * sizeof(*list.refs)) : NULL;
	const enum err e = list.refs != NULL ? sort(refs, list.n, list.refs) : ERR_NOMEM;
	free(refs);
	if (e != ERR_OK) {
		free(list.refs);
		return e;
	}

	/* What covers a prefix is the one before it, or is around that one. */
	for (size_t i = 0; i < list.n; i++)
		list.refs[i].around =
			i == 0 ? NO_REF
			       : prefix_list_around(&list, (uint32_t)i - 1, &list.refs[i].prefix);
	*out = list;
	return ERR_OK;
}

void prefix_list_done(struct prefix_list *list)
{
	free(list->refs);
	*list = (struct prefix_list){ 0 };
}

size_t prefix_list_find(const struct prefix_list *list, const struct ip_prefix *p)
{
	size_t low = 0, high = list->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (ip_prefix_compare(&list->refs[middle].prefix, p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t prefix_list_around(const struct prefix_list *list, uint32_t i, const struct ip_prefix *p)
{
	while (i != NO_REF && !ip_prefix_covers(&list->refs[i].prefix, p))
		i = list->refs[i].around;
	return i;
}
