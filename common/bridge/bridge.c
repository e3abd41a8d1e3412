/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bridge/bridge.h"

#include "common/base/random.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * Books of a shard stand in a table of pointers, open addressing, at most three quarters full. A book
 * is one piece of memory that grows by an eighth, and as far as malloc would round up anyway.
 */
enum { SLOTS_MIN = 16, ROOM_MIN = 1, TIDY = 4 };
enum { MALLOC_STEP = 16, MALLOC_HEAD = 8 }; /* of glibc: of a multiple of 16 bytes 8 are its own */

/* Of the book alone: the compiler would begin no entry within its padding. */
enum { HEAD_BYTES = offsetof(struct bridge_book, edges) };
_Static_assert(HEAD_BYTES == 20, "entries right behind");

struct bridge_shard {
	struct bridge_book **slots;
	uint32_t mask; /* slots - 1 */
	uint32_t n;
	uint32_t cursor; /* of tidy() */
};

struct bridge_store {
	size_t max_bytes;
	atomic_size_t books, entries, bytes, refused;
	unsigned n;
	struct bridge_shard shards[];
};

static void add(atomic_size_t *counter, size_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static size_t book_bytes(unsigned room)
{
	return HEAD_BYTES + room * sizeof(struct bridge_edge);
}

/* Takes `more` bytes of the store's, or counts that there were none. */
static bool reserve(struct bridge_store *s, size_t more)
{
	const size_t had = atomic_fetch_add_explicit(&s->bytes, more, memory_order_relaxed);
	if (had + more <= s->max_bytes)
		return true;
	add(&s->bytes, -more);
	add(&s->refused, 1);
	return false;
}

struct bridge_store *bridge_store_new(unsigned shards, size_t max_bytes)
{
	struct bridge_store *s = calloc(1, sizeof(*s) + shards * sizeof(s->shards[0]));
	if (s == NULL)
		return NULL;
	s->max_bytes = max_bytes;
	s->n = shards;
	return s;
}

void bridge_store_free(struct bridge_store *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		struct bridge_shard *shard = &s->shards[i];
		for (uint32_t k = 0; shard->slots != NULL && k <= shard->mask; k++)
			free(shard->slots[k]);
		free(shard->slots);
	}
	free(s);
}

/* ---- the table ---- */

static uint64_t key_of(const struct bridge_page *page)
{
	return page->swarm + page->provider;
}

static uint32_t hash_of(uint64_t key)
{
	return (uint32_t)random_mix(key);
}

/* The slot of the book, or the free one where it would be. */
static uint32_t slot_of(const struct bridge_shard *shard, uint64_t key)
{
	uint32_t i = hash_of(key) & shard->mask;
	while (shard->slots[i] != NULL && shard->slots[i]->key != key)
		i = (i + 1) & shard->mask;
	return i;
}

/* The slot is free; those behind it that were pushed on move up. */
static void vacate(struct bridge_shard *shard, uint32_t hole)
{
	for (uint32_t i = (hole + 1) & shard->mask; shard->slots[i] != NULL;
	     i = (i + 1) & shard->mask) {
		const uint32_t home = hash_of(shard->slots[i]->key) & shard->mask;
		if (((i - home) & shard->mask) >= ((i - hole) & shard->mask)) {
			shard->slots[hole] = shard->slots[i];
			hole = i;
		}
	}
	shard->slots[hole] = NULL;
	shard->n--;
}

/* Room for one more. */
static bool grow(struct bridge_store *s, struct bridge_shard *shard)
{
	const uint32_t size = shard->slots == NULL ? 0 : shard->mask + 1;
	if ((shard->n + 1) * 4 <= size * 3)
		return true;
	const uint32_t wider = size == 0 ? SLOTS_MIN : 2 * size;
	if (!reserve(s, (wider - size) * sizeof(*shard->slots)))
		return false;
	struct bridge_shard next = { .slots = calloc(wider, sizeof(*next.slots)),
		                     .mask = wider - 1,
		                     .n = shard->n };
	if (next.slots == NULL) {
		add(&s->bytes, -((wider - size) * sizeof(*shard->slots)));
		return false;
	}
	for (uint32_t i = 0; i < size; i++) {
		struct bridge_book *b = shard->slots[i];
		if (b != NULL)
			next.slots[slot_of(&next, b->key)] = b;
	}
	free(shard->slots);
	*shard = next;
	return true;
}

/* ---- entries ---- */

static bool has_ended(const struct bridge_edge *e, uint32_t now)
{
	return (e->ends - bridge_tick(now)) % BRIDGE_TICKS >= BRIDGE_TICKS / 2;
}

void bridge_drop(const struct bridge_page *page, struct bridge_book *book, unsigned i)
{
	book->edges[i] = book->edges[--book->n];
	add(&page->store->entries, -(size_t)1);
}

/* Takes out what has ended, and returns how many that were. Nothing lives longer than what 12 bits can tell
 * since the book was opened, perhaps by somebody whose clock is a little ahead. */
static unsigned sift(struct bridge_book *book, uint32_t now)
{
	const unsigned before = book->n;
	const bool all = (int32_t)(now - book->touched) > BRIDGE_ENDS_MAX;
	for (unsigned i = book->n; i-- > 0;)
		if (all || has_ended(&book->edges[i], now))
			book->edges[i] = book->edges[--book->n];
	return before - book->n;
}

static void drop_ended(const struct bridge_page *page, struct bridge_book *book)
{
	add(&page->store->entries, -(size_t)sift(book, page->now));
}

unsigned bridge_next(const struct bridge_book *book, unsigned i, uint32_t near)
{
	while (i < book->n && book->edges[i].near != (near & BRIDGE_NEAR))
		i++;
	return i;
}

/* Nearly all of the store is these entries, so what doubling leaves empty would be a third of it. */
static unsigned room_after(unsigned room)
{
	const size_t least = book_bytes(room + room / 8 + 1) + MALLOC_HEAD;
	const size_t chunk = (least + MALLOC_STEP - 1) / MALLOC_STEP * MALLOC_STEP;
	const size_t more = (chunk - MALLOC_HEAD - HEAD_BYTES) / sizeof(struct bridge_edge);
	return more < BRIDGE_EDGES_MAX ? (unsigned)more : BRIDGE_EDGES_MAX;
}

bool bridge_add(const struct bridge_page *page, struct bridge_book **book,
                const struct bridge_edge *edge)
{
	struct bridge_store *s = page->store;
	struct bridge_book *b = *book;
	if (b->n == BRIDGE_EDGES_MAX) {
		add(&s->refused, 1);
		return false;
	}
	if (b->n == b->room) {
		struct bridge_shard *shard = &s->shards[page->shard];
		const uint32_t slot = slot_of(shard, b->key);
		const unsigned room = room_after(b->room);
		const size_t more = book_bytes(room) - book_bytes(b->room);
		if (!reserve(s, more))
			return false;
		b = realloc(b, book_bytes(room));
		if (b == NULL) {
			add(&s->bytes, -more);
			return false;
		}
		b->room = (uint16_t)room;
		*book = shard->slots[slot] = b;
	}
	b->edges[b->n++] = *edge;
	add(&s->entries, 1);
	return true;
}

/* ---- books ---- */

static void discard(struct bridge_store *s, struct bridge_shard *shard, uint32_t slot)
{
	struct bridge_book *b = shard->slots[slot];
	add(&s->entries, -(size_t)b->n);
	add(&s->bytes, -book_bytes(b->room));
	add(&s->books, -(size_t)1);
	free(b);
	vacate(shard, slot);
}

/* Looks at a few books whether anybody needs them. */
static void tidy(const struct bridge_page *page, struct bridge_shard *shard)
{
	for (unsigned k = 0; k < TIDY && shard->n > 0; k++) {
		const uint32_t i = shard->cursor++ & shard->mask;
		struct bridge_book *b = shard->slots[i];
		if (b == NULL || (int32_t)(page->now - b->touched) < BRIDGE_IDLE_SECONDS)
			continue;
		drop_ended(page, b);
		if (b->n == 0)
			discard(page->store, shard, i);
	}
}

void bridge_prefetch(const struct bridge_page *page, unsigned stage)
{
	enum { LINE = 64, LINES = 3 };
	if (page->store == NULL || page->store->shards[page->shard].slots == NULL)
		return;
	const struct bridge_shard *shard = &page->store->shards[page->shard];
	const uint32_t home = hash_of(key_of(page)) & shard->mask;
	if (stage == 0) {
		__builtin_prefetch(&shard->slots[home]);
		return;
	}
	const char *book = (const char *)shard->slots[home];
	for (unsigned i = 0; book != NULL && i < LINES; i++)
		__builtin_prefetch(book + (size_t)i * LINE);
}

static struct bridge_book *look_up(const struct bridge_page *page)
{
	if (page->store == NULL || page->store->shards[page->shard].slots == NULL)
		return NULL;
	const struct bridge_shard *shard = &page->store->shards[page->shard];
	return shard->slots[slot_of(shard, key_of(page))];
}

struct bridge_book *bridge_copy(const struct bridge_page *page, struct bridge_book *room)
{
	const struct bridge_book *b = look_up(page);
	if (b == NULL)
		return NULL;
	*room = *b;
	for (unsigned i = 0; i < b->n; i++)
		room->edges[i] = b->edges[i];
	(void)sift(room, page->now);
	return room;
}

struct bridge_book *bridge_find(const struct bridge_page *page)
{
	struct bridge_book *b = look_up(page);
	if (b == NULL)
		return NULL;
	drop_ended(page, b);
	b->touched = page->now;
	return b;
}

struct bridge_book *bridge_open(const struct bridge_page *page)
{
	struct bridge_store *s = page->store;
	struct bridge_book *b = bridge_find(page);
	if (b != NULL || s == NULL)
		return b;
	struct bridge_shard *shard = &s->shards[page->shard];
	tidy(page, shard);
	if (!grow(s, shard) || !reserve(s, book_bytes(ROOM_MIN)))
		return NULL;
	b = malloc(book_bytes(ROOM_MIN));
	if (b == NULL) {
		add(&s->bytes, -book_bytes(ROOM_MIN));
		return NULL;
	}
	*b = (struct bridge_book){
		.key = key_of(page), .born = page->now, .touched = page->now, .room = ROOM_MIN
	};
	shard->slots[slot_of(shard, key_of(page))] = b;
	shard->n++;
	add(&s->books, 1);
	return b;
}

const struct bridge_book *bridge_walk(const struct bridge_store *s, unsigned shard,
                                      struct bridge_walk *walk)
{
	const struct bridge_shard *at = &s->shards[shard];
	while (at->slots != NULL && walk->slot <= at->mask)
		if (at->slots[walk->slot++] != NULL)
			return at->slots[walk->slot - 1];
	return NULL;
}

struct bridge_totals bridge_totals(const struct bridge_store *s)
{
	return (struct bridge_totals){
		.books = atomic_load_explicit(&s->books, memory_order_relaxed),
		.entries = atomic_load_explicit(&s->entries, memory_order_relaxed),
		.bytes = atomic_load_explicit(&s->bytes, memory_order_relaxed),
		.refused = atomic_load_explicit(&s->refused, memory_order_relaxed),
	};
}
