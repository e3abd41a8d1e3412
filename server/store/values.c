/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/values.h"

#include <stdlib.h>

uint64_t *values_room(struct values *v, size_t n)
{
	if (v->room - v->n < n && !v->bad) {
		const size_t room = v->n + n > 2 * v->room ? v->n + n + 300 : 2 * v->room;
		uint64_t *list = realloc(v->list, room * sizeof(*list));
		v->bad = list == NULL;
		if (list != NULL) {
			v->list = list;
			v->room = room;
		}
	}
	return v->bad ? NULL : v->list + v->n;
}

void values_add(struct values *v, wide value)
{
	uint64_t *at = v->n < v->room && !v->bad ? v->list + v->n : values_room(v, 1);
	if (at == NULL)
		return;
	*at = value < UINT64_MAX ? (uint64_t)value : UINT64_MAX;
	v->n++;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

void values_sort(struct values *v)
{
	if (v->n > 0)
		qsort(v->list, v->n, sizeof(*v->list), by_size);
}

void values_done(struct values *v)
{
	free(v->list);
	*v = (struct values){ 0 };
}
