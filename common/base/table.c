/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/table.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	const char *key; /* NULL: free */
	uint32_t value;
};

struct table {
	struct slot *slots;
	size_t mask; /* slots - 1, a power of two less one */
	size_t count;
};

/* Documents come from authenticated operators and are bounded in size, so no secret is needed. */
static uint64_t hash(const char *key)
{
	uint64_t h = 0xcbf29ce484222325U;
	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3U;
	return random_mix(h);
}

struct table *table_new(size_t expected)
{
	size_t slots = 16;
	while (slots < 2 * expected)
		slots *= 2;
	struct table *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->slots = calloc(slots, sizeof(*t->slots));
	if (t->slots == NULL) {
		free(t);
		return NULL;
	}
	t->mask = slots - 1;
	return t;
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	free(t->slots);
	free(t);
}

static struct slot *slot_of(const struct table *t, const char *key)
{
	size_t i = hash(key) & t->mask;
	while (t->slots[i].key != NULL && strcmp(t->slots[i].key, key) != 0)
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

static enum err grow(struct table *t)
{
	struct table bigger = { .mask = 2 * t->mask + 1 };
	bigger.slots = calloc(bigger.mask + 1, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i <= t->mask; i++)
		if (t->slots[i].key != NULL)
			*slot_of(&bigger, t->slots[i].key) = t->slots[i];
	free(t->slots);
	t->slots = bigger.slots;
	t->mask = bigger.mask;
	return ERR_OK;
}

enum err table_add(struct table *t, const char *key, uint32_t value, uint32_t *value_there)
{
	struct slot *s = slot_of(t, key);
	if (s->key != NULL) {
		if (value_there != NULL)
			*value_there = s->value;
		return ERR_EXISTS;
	}
	if (2 * (t->count + 1) > t->mask + 1) {
		if (grow(t) != ERR_OK)
			return ERR_NOMEM;
		s = slot_of(t, key);
	}
	*s = (struct slot){ .key = key, .value = value };
	t->count++;
	return ERR_OK;
}

bool table_find(const struct table *t, const char *key, uint32_t *out)
{
	const struct slot *s = slot_of(t, key);
	if (s->key == NULL)
		return false;
	*out = s->value;
	return true;
}

size_t table_count(const struct table *t)
{
	return t->count;
}
