/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bridge/bridge.h"

/*
 * The format, all numbers big-endian:
 *
 *   shard  "P4BR" version:u32 books:u32, then the books
 *   book   key:u64 age:u32 entries:u16, then the entries
 *   entry  near:u32 far:u32 place:u32 seconds_left:u16
 *   place  that of the far one in the low 20 bits, above them wide, pulls, far_seed, asked
 *
 * In version 1, which is taken as well, swarm:u64 provider:u64 stood for the key.
 * No checksum: the file around it has one.
 */
enum { MAGIC = 0x50344252, VERSION = 2 };
enum { PLACE_BITS = 20, WIDE = 1, PULLS = 2, FAR_SEED = 4, ASKED = 8, FLAGS_ALL = 15 };
enum { EDGE_BYTES = 4 + 4 + 4 + 2, HEAD_BYTES = 8 + 4 + 2 };

static void add_u32(struct text *out, uint32_t v)
{
	v = htobe32(v);
	text_add(out, &v, sizeof(v));
}

/* Below 0: it has ended, as all has in a book that was opened longer ago than 12 bits tell. */
static int left_of(const struct bridge_book *b, const struct bridge_edge *e, uint32_t now)
{
	const unsigned ticks = (e->ends - bridge_tick(now)) % BRIDGE_TICKS;
	if ((int32_t)(now - b->touched) > BRIDGE_ENDS_MAX || ticks >= BRIDGE_TICKS / 2)
		return -1;
	return (int)(ticks * BRIDGE_TICK + (0 - now) % BRIDGE_TICK);
}

static uint16_t living(const struct bridge_book *b, uint32_t now)
{
	unsigned n = 0;
	for (unsigned i = 0; i < b->n; i++)
		n += left_of(b, &b->edges[i], now) >= 0;
	return (uint16_t)n;
}

static void write_edge(struct text *out, const struct bridge_edge *e, int left)
{
	uint8_t bytes[EDGE_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));
	const uint32_t flags = (e->wide ? WIDE : 0U) | (e->pulls ? PULLS : 0U) |
	                       (e->far_seed ? FAR_SEED : 0U) | (e->asked ? ASKED : 0U);
	writer_u32(&w, e->near);
	writer_u32(&w, e->far);
	writer_u32(&w, e->far_place | flags << PLACE_BITS);
	writer_u16(&w, (uint16_t)left);
	text_add(out, bytes, writer_size(&w));
}

static void write_book(struct text *out, const struct bridge_book *b, uint16_t n, uint32_t now)
{
	uint8_t bytes[HEAD_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));
	const int32_t age = (int32_t)(now - b->born);
	writer_u64(&w, b->key);
	writer_u32(&w, age > 0 ? (uint32_t)age : 0);
	writer_u16(&w, n);
	text_add(out, bytes, writer_size(&w));
	for (unsigned i = 0; i < b->n; i++) {
		const int left = left_of(b, &b->edges[i], now);
		if (left >= 0)
			write_edge(out, &b->edges[i], left);
	}
}

void bridge_export(const struct bridge_store *s, unsigned shard, uint32_t now, struct text *out)
{
	struct bridge_walk walk = { 0 };
	const struct bridge_book *b;
	uint32_t books = 0;
	const size_t at = out->size + 2 * sizeof(uint32_t);
	add_u32(out, MAGIC);
	add_u32(out, VERSION);
	add_u32(out, 0);
	while ((b = bridge_walk(s, shard, &walk)) != NULL) {
		const uint16_t n = living(b, now);
		if (n == 0 && (int32_t)(now - b->touched) >= BRIDGE_IDLE_SECONDS)
			continue;
		write_book(out, b, n, now);
		books++;
	}
	books = htobe32(books);
	if (!out->bad)
		memcpy(out->bytes + at, &books, sizeof(books));
}

/* `book` is NULL where there is no room for it. */
static enum err read_edge(const struct bridge_page *page, struct bridge_book **book,
                          struct reader *r, uint64_t elapsed)
{
	struct bridge_edge e = { 0 };
	e.near = reader_u32(r) & BRIDGE_NEAR;
	e.far = reader_u32(r);
	const uint32_t place = reader_u32(r), flags = place >> PLACE_BITS;
	const uint16_t left = reader_u16(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (flags > FLAGS_ALL || left > INT16_MAX)
		return ERR_MALFORMED;
	if (*book == NULL || left < elapsed)
		return ERR_OK;
	e.far_place = place & ((1U << PLACE_BITS) - 1);
	e.wide = (flags & WIDE) != 0;
	e.pulls = (flags & PULLS) != 0;
	e.far_seed = (flags & FAR_SEED) != 0;
	e.asked = (flags & ASKED) != 0;
	const uint32_t lasts = left - (uint32_t)elapsed;
	bridge_last(&e, page->now + (lasts < BRIDGE_ENDS_MAX ? lasts : BRIDGE_ENDS_MAX));
	(void)bridge_add(page, book, &e);
	return ERR_OK;
}

/* `page` comes with 0 for a provider. */
static enum err read_book(struct bridge_page *page, struct reader *r, uint64_t elapsed,
                          uint32_t version)
{
	page->swarm = reader_u64(r); /* or the key, which is their sum */
	if (version == 1)
		page->provider = reader_u64(r);
	const uint64_t age = reader_u32(r) + elapsed;
	const uint16_t n = reader_u16(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (n > BRIDGE_EDGES_MAX)
		return ERR_MALFORMED;
	struct bridge_book *book = bridge_find(page) == NULL ? bridge_open(page) : NULL;
	if (book != NULL)
		book->born = page->now - (age < INT32_MAX ? (uint32_t)age : INT32_MAX);
	enum err e = ERR_OK;
	for (unsigned i = 0; i < n && e == ERR_OK; i++)
		e = read_edge(page, &book, r, elapsed);
	return e;
}

enum err bridge_import(struct bridge_store *s, unsigned shard, struct reader *r, uint32_t now,
                       uint64_t elapsed)
{
	struct bridge_page page = { .store = s, .shard = shard, .now = now };
	const uint32_t magic = reader_u32(r), version = reader_u32(r), books = reader_u32(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (magic != MAGIC || version < 1 || version > VERSION)
		return ERR_MALFORMED;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < books && e == ERR_OK; i++)
		e = read_book(&page, r, elapsed, version);
	return e;
}
