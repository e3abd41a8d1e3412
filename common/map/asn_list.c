/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/asn_list.h"

#include <stdlib.h>

static int compare_refs(const void *a, const void *b)
{
	const struct asn_ref *x = a, *y = b;
	if (x->asn != y->asn)
		return x->asn < y->asn ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int compare_key(const void *key, const void *ref)
{
	const uint32_t asn = *(const uint32_t *)key, other = ((const struct asn_ref *)ref)->asn;
	return (asn > other) - (asn < other);
}

enum err asn_list_make(const uint32_t *asns, size_t n, struct asn_list *out)
{
	struct asn_ref *refs = calloc(n > 0 ? n : 1, sizeof(*refs));
	if (refs == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		refs[i] = (struct asn_ref){ .asn = asns[i], .index = (uint32_t)i };
	qsort(refs, n, sizeof(*refs), compare_refs);
	*out = (struct asn_list){ .refs = refs, .n = n };
	return ERR_OK;
}

void asn_list_done(struct asn_list *list)
{
	free(list->refs);
	*list = (struct asn_list){ 0 };
}

bool asn_list_is_whole(const struct asn_list *list)
{
	return list->n == 0 || list->refs[0].asn != 0;
}

bool asn_list_find(const struct asn_list *list, uint32_t asn, uint32_t *index)
{
	if (list->n == 0)
		return false;
	const struct asn_ref *r =
		bsearch(&asn, list->refs, list->n, sizeof(*list->refs), compare_key);
	if (r == NULL)
		return false;
	*index = r->index;
	return true;
}

bool asn_is_usable(uint32_t asn)
{
	return asn != 0 && asn != 23456 && asn != UINT16_MAX && asn != UINT32_MAX;
}
