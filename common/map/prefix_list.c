/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/prefix_list.h"

#include <stdlib.h>

/* Equal prefixes stay in the order of the document. */
static int compare_refs(const void *a, const void *b)
{
	const struct prefix_ref *x = a, *y = b;
	const int c = ip_prefix_compare(&x->prefix, &y->prefix);
	if (c != 0)
		return c;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

enum err prefix_list_make(const struct map_topology *t, struct prefix_list *out)
{
	struct prefix_list list = { 0 };
	size_t total = 0;
	for (size_t i = 0; i < t->n_pids; i++)
		total += t->pids[i].n_prefixes;
	must(total < NO_REF);
	list.refs = calloc(total > 0 ? total : 1, sizeof(*list.refs));
	if (list.refs == NULL)
		return ERR_NOMEM;

	for (size_t i = 0; i < t->n_pids; i++)
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++)
			if (t->pids[i].prefixes[k].addr.family != IP_NONE)
				list.refs[list.n++] = (struct prefix_ref){
					.prefix = t->pids[i].prefixes[k],
					.pid = (uint32_t)i,
					.index = (uint32_t)k,
				};
	qsort(list.refs, list.n, sizeof(*list.refs), compare_refs);

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
