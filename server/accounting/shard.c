/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/shard.h"

#include "common/base/err.h"

#include <stdlib.h>

enum { SLOTS_LEAST = 16, SLOTS_PER_LAST = 4, DISPLACE_LOOK = 64 };

static void count_set(struct shard *s, uint32_t n)
{
	atomic_store_explicit(&s->count, n, memory_order_relaxed);
}

/* Of two sizes, a table and one that replaces it, either may be seen: only addresses are computed. */
void shard_prefetch(const struct shard *s, uint64_t key, uint64_t client)
{
	const struct entry *slots = shard_slots(s);
	const struct last *lasts = atomic_load_explicit(&s->lasts, memory_order_relaxed);
	const uint32_t n_lasts = atomic_load_explicit(&s->n_lasts, memory_order_relaxed);
	if (slots != NULL)
		__builtin_prefetch(&slots[spread(key, shard_size(s))], 1);
	if (lasts != NULL)
		__builtin_prefetch(&lasts[spread(client, n_lasts)], 1);
}

static uint32_t after(uint32_t at, uint32_t n)
{
	return at + 1 < n ? at + 1 : 0;
}

struct entry *shard_find(const struct shard *s, uint64_t key)
{
	const uint32_t n = shard_size(s);
	struct entry *slots = shard_slots(s);
	if (slots == NULL)
		return NULL;
	uint32_t at = spread(key, n);
	while (!entry_empty(&slots[at]) && slots[at].key >> 8 != key >> 8)
		at = after(at, n);
	return &slots[at];
}

/* Those behind the gap that it would cut off from their home move up. */
void shard_remove(struct shard *s, struct entry *e)
{
	const uint32_t n = shard_size(s);
	struct entry *slots = shard_slots(s);
	uint32_t gap = (uint32_t)(e - slots);
	for (uint32_t at = after(gap, n); !entry_empty(&slots[at]); at = after(at, n)) {
		const uint32_t home = spread(slots[at].key, n);
		const uint32_t from_home = at >= home ? at - home : at + n - home;
		const uint32_t from_gap = at >= gap ? at - gap : at + n - gap;
		if (from_home < from_gap)
			continue;
		slots[gap] = slots[at];
		gap = at;
	}
	slots[gap] = (struct entry){ 0 };
	count_set(s, shard_count(s) - 1);
}

static struct last *last_place(const struct shard *s, uint64_t client)
{
	return &s->lasts[spread(client, s->n_lasts)];
}

/* `n` slots, more than there are entries. False when out of memory; then nothing has changed. */
static bool resize(struct shard *s, uint32_t n)
{
	const uint32_t n_lasts = n / SLOTS_PER_LAST;
	struct entry *slots = calloc(n, sizeof(*slots)), *old = shard_slots(s);
	struct last *lasts = calloc(n_lasts, sizeof(*lasts)), *old_lasts = s->lasts;
	const uint32_t n_old = shard_size(s), n_old_lasts = s->n_lasts;
	if (slots == NULL || lasts == NULL) {
		free(slots);
		free(lasts);
		return false;
	}
	atomic_store_explicit(&s->slots, slots, memory_order_relaxed);
	atomic_store_explicit(&s->n_slots, n, memory_order_relaxed);
	atomic_store_explicit(&s->lasts, lasts, memory_order_relaxed);
	atomic_store_explicit(&s->n_lasts, n_lasts, memory_order_relaxed);
	for (uint32_t i = 0; i < n_old; i++) {
		if (entry_empty(&old[i]))
			continue;
		struct entry *to = shard_find(s, old[i].key);
		must(to != NULL); /* larger than before */
		*to = old[i];
	}
	for (uint32_t i = 0; i < n_old_lasts; i++)
		if (old_lasts[i].seen != 0)
			*last_place(s, old_lasts[i].client) = old_lasts[i];
	free(old);
	free(old_lasts);
	return true;
}

/* Forgets the longest silent of some. */
static void displace(struct shard *s)
{
	const uint32_t n = shard_size(s);
	struct entry *slots = shard_slots(s), *oldest = NULL;
	for (uint32_t i = 0; i < n && (i < DISPLACE_LOOK || oldest == NULL); i++) {
		s->cursor = s->cursor < n ? after(s->cursor, n) : 0;
		struct entry *e = &slots[s->cursor];
		if (!entry_empty(e) && (oldest == NULL || e->seen < oldest->seen))
			oldest = e;
	}
	must(oldest != NULL);
	if (oldest->seen > s->lost)
		s->lost = oldest->seen;
	shard_remove(s, oldest);
}

struct entry *shard_add(struct shard *s, uint32_t most, uint64_t key)
{
	const uint32_t n = shard_size(s), count = shard_count(s);
	if (count == most) {
		displace(s);
	} else if (count + 1 > n / 4 * 3) {
		const uint64_t more = n < SLOTS_LEAST ? SLOTS_LEAST : (uint64_t)n + n / 2;
		if (!resize(s, (uint32_t)more)) {
			if (count == 0)
				return NULL;
			displace(s);
		}
	}
	count_set(s, shard_count(s) + 1);
	return shard_find(s, key);
}

struct last *shard_last(struct shard *s, uint64_t client)
{
	return s->n_lasts > 0 || resize(s, SLOTS_LEAST) ? last_place(s, client) : NULL;
}

void shard_expire(struct shard *s, int64_t then)
{
	struct entry *slots = shard_slots(s);
	for (uint32_t at = 0; at < shard_size(s);) {
		struct entry *e = &slots[at];
		if (!entry_empty(e) && (int64_t)e->seen < then)
			shard_remove(s, e); /* who moves up is looked at next */
		else
			at++;
	}
	const uint32_t least = shard_count(s) * 2 > SLOTS_LEAST ? shard_count(s) * 2 : SLOTS_LEAST;
	if (least < shard_size(s) / 2)
		(void)resize(s, least);
}

void shard_done(struct shard *s)
{
	free(shard_slots(s));
	free(s->lasts);
}
