/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/peer_ids.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 16 };

static uint32_t slot_of(const struct peer_ids *t, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & t->mask;
	while (t->slots[i].hash != 0 && t->slots[i].hash != hash)
		i = (i + 1) & t->mask;
	return i;
}

static bool resize(struct peer_ids *t, uint32_t slots, size_t *bytes)
{
	struct peer_ids other = { .mask = slots - 1, .used = t->used };
	other.slots = calloc(slots, sizeof(*other.slots));
	if (other.slots == NULL)
		return false;
	for (uint32_t i = 0; t->slots != NULL && i <= t->mask; i++)
		if (t->slots[i].hash != 0)
			other.slots[slot_of(&other, t->slots[i].hash)] = t->slots[i];
	peer_ids_done(t, bytes);
	*bytes += slots * sizeof(*other.slots);
	*t = other;
	return true;
}

bool peer_ids_put(struct peer_ids *t, uint64_t hash, const uint8_t id[static PEER_ID_SIZE],
                  size_t *bytes)
{
	hash |= hash == 0;
	if (t->slots == NULL && !resize(t, SLOTS_MIN, bytes))
		return false;
	if (t->used > t->mask / 4 * 3 && !resize(t, 2 * (t->mask + 1), bytes))
		return false;
	struct peer_id *slot = &t->slots[slot_of(t, hash)];
	t->used += slot->hash == 0;
	slot->hash = hash;
	memcpy(slot->bytes, id, sizeof(slot->bytes));
	return true;
}

const uint8_t *peer_ids_find(const struct peer_ids *t, uint64_t hash)
{
	hash |= hash == 0;
	if (t->slots == NULL)
		return NULL;
	const struct peer_id *slot = &t->slots[slot_of(t, hash)];
	return slot->hash != 0 ? slot->bytes : NULL;
}

/* What follows moves up when the gap lies between it and its home. */
void peer_ids_remove(struct peer_ids *t, uint64_t hash, size_t *bytes)
{
	hash |= hash == 0;
	if (t->slots == NULL)
		return;
	uint32_t gap = slot_of(t, hash);
	if (t->slots[gap].hash == 0)
		return;
	for (uint32_t i = (gap + 1) & t->mask; t->slots[i].hash != 0; i = (i + 1) & t->mask) {
		const uint32_t home = (uint32_t)t->slots[i].hash;
		if (((i - home) & t->mask) < ((i - gap) & t->mask))
			continue;
		t->slots[gap] = t->slots[i];
		gap = i;
	}
	t->slots[gap].hash = 0;
	t->used--;
	if (t->used == 0)
		peer_ids_done(t, bytes);
	else if (t->mask >= 2 * SLOTS_MIN && t->used < t->mask / 8)
		(void)resize(t, (t->mask + 1) / 2, bytes); /* without memory it stays */
}

void peer_ids_done(struct peer_ids *t, size_t *bytes)
{
	if (t->slots != NULL)
		*bytes -= ((size_t)t->mask + 1) * sizeof(*t->slots);
	free(t->slots);
	*t = (struct peer_ids){ 0 };
}
