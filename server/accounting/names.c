/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/names.h"

#include "common/base/arena.h"
#include "common/base/table.h"

#include <stdlib.h>
#include <string.h>

struct names {
	struct arena *bytes;
	struct table *numbers;
	const char **keys;
	size_t count, room;
};

struct names *names_new(void)
{
	struct names *all = calloc(1, sizeof(*all));
	uint32_t unknown;
	if (all == NULL)
		return NULL;
	all->bytes = arena_new(4096);
	all->numbers = table_new(64);
	if (all->bytes == NULL || all->numbers == NULL || names_put(all, "", &unknown) != ERR_OK) {
		names_free(all);
		return NULL;
	}
	return all;
}

void names_free(struct names *all)
{
	if (all == NULL)
		return;
	table_free(all->numbers);
	arena_free(all->bytes);
	free(all->keys);
	free(all);
}

static enum err make_room(struct names *all)
{
	if (all->count < all->room)
		return ERR_OK;
	const size_t room = all->room > 0 ? 2 * all->room : 64;
	const char **keys = realloc(all->keys, room * sizeof(*keys));
	if (keys == NULL)
		return ERR_NOMEM;
	all->keys = keys;
	all->room = room;
	return ERR_OK;
}

enum err names_put(struct names *all, const char *key, uint32_t *out)
{
	uint32_t there;
	if (table_find(all->numbers, key, &there)) {
		*out = there;
		return ERR_OK;
	}
	if (all->count == NAMES_MAX)
		return ERR_BUSY;
	const size_t size = strlen(key) + 1;
	char *copy = arena_take(all->bytes, size);
	if (copy == NULL || make_room(all) != ERR_OK)
		return ERR_NOMEM;
	memcpy(copy, key, size);
	const enum err e = table_add(all->numbers, copy, (uint32_t)all->count, &there);
	if (e != ERR_OK)
		return e;
	all->keys[all->count] = copy;
	*out = (uint32_t)all->count++;
	return ERR_OK;
}

const char *names_key(const struct names *all, uint32_t name)
{
	must(name < all->count);
	return all->keys[name];
}

size_t names_count(const struct names *all)
{
	return all->count;
}
