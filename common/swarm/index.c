/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/index.h"

#include <stdlib.h>
#include <string.h>

/* tag:23 | side:1 | bucket:18 | position:22. The last bucket does not exist, so neither does NONE. */
enum { SPOT_BITS = 41, TAG_MASK = (1 << 23) - 1, SLOTS_MIN = 32 };
static const uint64_t NONE = UINT64_MAX;

static uint64_t pack(uint64_t hash, const struct spot *s)
{
	return (hash & TAG_MASK) << SPOT_BITS | (uint64_t)s->side << 40 |
	       (uint64_t)s->bucket << 22 | s->position;
}

static struct spot unpack(uint64_t entry)
{
	return (struct spot){ .side = entry >> 40 & 1,
		              .bucket = entry >> 22 & ((1 << 18) - 1),
		              .position = entry & ((1 << 22) - 1) };
}

static uint32_t home(const struct index *x, uint64_t entry)
{
	return (uint32_t)(entry >> SPOT_BITS) & x->mask;
}

static void place(struct index *x, uint64_t entry)
{
	uint32_t i = home(x, entry);
	while (x->slots[i] != NONE)
		i = (i + 1) & x->mask;
	x->slots[i] = entry;
}

static uint32_t slot_of(const struct index *x, uint64_t entry)
{
	uint32_t i = home(x, entry);
	while (x->slots[i] != entry) {
		must(x->slots[i] != NONE);
		i = (i + 1) & x->mask;
	}
	return i;
}

enum err index_reserve(struct index *x, uint32_t count)
{
	if (count > INDEX_MAX)
		return ERR_BUSY;
	uint32_t slots = x->slots != NULL ? x->mask + 1 : SLOTS_MIN;
	if (x->slots != NULL && count <= slots / 4 * 3)
		return ERR_OK;
	while (count > slots / 4 * 3)
		slots *= 2;
	struct index bigger = { .mask = slots - 1, .used = x->used };
	bigger.slots = malloc(slots * sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return ERR_NOMEM;
	memset(bigger.slots, 0xff, slots * sizeof(*bigger.slots));
	for (uint32_t i = 0; x->slots != NULL && i <= x->mask; i++)
		if (x->slots[i] != NONE)
			place(&bigger, x->slots[i]);
	free(x->slots);
	*x = bigger;
	return ERR_OK;
}

void index_done(struct index *x)
{
	free(x->slots);
	*x = (struct index){ 0 };
}

void index_add(struct index *x, uint64_t hash, const struct spot *spot)
{
	must(x->used < x->mask);
	place(x, pack(hash, spot));
	x->used++;
}

void index_move(struct index *x, uint64_t hash, const struct spot *from, const struct spot *to)
{
	x->slots[slot_of(x, pack(hash, from))] = pack(hash, to);
}

/* What follows moves up when the gap lies between it and its home: no tombstones. */
void index_remove(struct index *x, uint64_t hash, const struct spot *spot)
{
	uint32_t gap = slot_of(x, pack(hash, spot));
	for (uint32_t i = (gap + 1) & x->mask; x->slots[i] != NONE; i = (i + 1) & x->mask) {
		if (((i - home(x, x->slots[i])) & x->mask) < ((i - gap) & x->mask))
			continue;
		x->slots[gap] = x->slots[i];
		gap = i;
	}
	x->slots[gap] = NONE;
	x->used--;
}

bool index_next(const struct index *x, uint64_t hash, uint32_t *cursor, struct spot *out)
{
	for (;;) {
		const uint64_t entry = x->slots[*cursor & x->mask];
		if (entry == NONE)
			return false;
		++*cursor;
		if (entry >> SPOT_BITS == (hash & TAG_MASK)) {
			*out = unpack(entry);
			return true;
		}
	}
}
