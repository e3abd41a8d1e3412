/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *head; /* the block we cut from; older blocks follow */
	struct block *first;
	size_t used;
};

static struct block *block_new(size_t size, struct block *next)
{
	struct block *b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->size = size;
	b->next = next;
	return b;
}

struct arena *arena_new(size_t first_block)
{
	struct arena *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->first = a->head = block_new(first_block, NULL);
	if (a->head == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

void *arena_take(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) / align * align;

	if (a->head->size - a->used < size) {
		size_t grown = a->head->size * 2 > size ? a->head->size * 2 : size;
		struct block *b = block_new(grown, a->head);
		if (b == NULL)
			return NULL;
		a->head = b;
		a->used = 0;
	}
	void *p = a->head->bytes + a->used;
	a->used += size;
	return memset(p, 0, size);
}

void arena_reset(struct arena *a)
{
	while (a->head != a->first) {
		struct block *older = a->head->next;
		free(a->head);
		a->head = older;
	}
	a->used = 0;
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	free(a->first);
	free(a);
}
