/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/cursor.h"
#include "server/collector/book_bin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The format, all numbers big-endian:
 *
 *   bin       "p4pflow1" start:u64 seconds:u32 flags:u8, then three lists, each behind its number:u32
 *   names     of interconnects, then of exporters: size:u8 bytes; in what follows they go by their number
 *             in the list, from 1; 0 is none
 *   watches   exporter:u32 observed:u32 gaps:u8
 *   cells     exporter, in_if, out_if, out, in: u32; flags:u8; bytes, packets, p2p bytes: u64
 *
 * Flags of a bin: 1 closed, 2 late. Of a cell: those of book_bin.h, and 128 for what was metered where
 * it left.
 */
static const char magic[8] = "p4pflow1";

enum { CLOSED = 1, LATE = 2, EGRESS = 128 };
enum { WATCH_SIZE = 4 + 4 + 1, CELL_SIZE = 5 * 4 + 1 + 3 * 8, NAME_MIN = 2 };

/* ---- writing ---- */

static void put_u8(struct text *t, uint8_t v)
{
	text_add(t, &v, sizeof(v));
}

static void put_u32(struct text *t, uint32_t v)
{
	v = htobe32(v);
	text_add(t, &v, sizeof(v));
}

static void put_u64(struct text *t, uint64_t v)
{
	v = htobe64(v);
	text_add(t, &v, sizeof(v));
}

/* Names that are used, as numbers in the file. */
struct dictionary {
	uint32_t *number; /* by name; 0: not used */
	size_t n;         /* names there are */
	uint32_t used;
};

static bool dictionary_init(struct dictionary *d, const struct names *all)
{
	*d = (struct dictionary){ .n = names_count(all) };
	d->number = calloc(d->n, sizeof(*d->number));
	return d->number != NULL;
}

static void use(struct dictionary *d, uint32_t name)
{
	if (name != 0 && d->number[name] == 0)
		d->number[name] = 1;
}

static void put_names(struct text *t, struct dictionary *d, const struct names *all)
{
	for (uint32_t i = 1; i < d->n; i++)
		if (d->number[i] != 0)
			d->number[i] = ++d->used;
	put_u32(t, d->used);
	for (uint32_t i = 1; i < d->n; i++) {
		if (d->number[i] == 0)
			continue;
		const char *key = names_key(all, i);
		put_u8(t, (uint8_t)strlen(key));
		text_put(t, key);
	}
}

static void put_watches(struct text *t, const struct flow_bin *b,
                        const struct dictionary *exporters)
{
	uint32_t n = 0;
	for (size_t i = 0; i < b->n_watches; i++)
		n += b->watches[i].exporter != 0;
	put_u32(t, n);
	for (size_t i = 0; i < b->n_watches; i++) {
		const struct watch *w = &b->watches[i];
		if (w->exporter == 0)
			continue;
		put_u32(t, exporters->number[w->exporter]);
		put_u32(t, w->observed);
		put_u8(t, w->gaps);
	}
}

static void put_cells(struct text *t, const struct flow_bin *b, const struct dictionary *edges,
                      const struct dictionary *exporters)
{
	put_u32(t, (uint32_t)b->n_cells);
	for (size_t i = 0; i < b->n_cells; i++) {
		const struct cell *c = &b->cells[i];
		put_u32(t, exporters->number[c->key.exporter]);
		put_u32(t, c->key.in_if);
		put_u32(t, c->key.out_if);
		put_u32(t, edges->number[c->key.out]);
		put_u32(t, edges->number[c->key.in]);
		put_u8(t, (uint8_t)(c->flags | (c->key.egress ? EGRESS : 0)));
		put_u64(t, c->bytes);
		put_u64(t, c->packets);
		put_u64(t, c->p2p_bytes);
	}
}

static void save(const struct book *book, const struct flow_bin *b, struct text *t)
{
	struct dictionary edges, exporters;
	const bool ok = dictionary_init(&edges, book->options.edges);
	if (!dictionary_init(&exporters, book->options.exporters) || !ok)
		t->bad = true;
	for (size_t i = 0; !t->bad && i < b->n_cells; i++) {
		use(&exporters, b->cells[i].key.exporter);
		use(&edges, b->cells[i].key.out);
		use(&edges, b->cells[i].key.in);
	}
	for (size_t i = 0; !t->bad && i < b->n_watches; i++)
		use(&exporters, b->watches[i].exporter);
	if (!t->bad) {
		text_add(t, magic, sizeof(magic));
		put_u64(t, (uint64_t)b->start);
		put_u32(t, b->seconds);
		put_u8(t, (uint8_t)((b->closed ? CLOSED : 0) | (b->late ? LATE : 0)));
		put_names(t, &edges, book->options.edges);
		put_names(t, &exporters, book->options.exporters);
		put_watches(t, b, &exporters);
		put_cells(t, b, &edges, &exporters);
	}
	free(edges.number);
	free(exporters.number);
}

bool book_save(struct book *b, int64_t from, struct text *out, int64_t *start)
{
	for (size_t i = 0; i < b->n; i++) {
		struct flow_bin *bin = b->bins[i];
		if (bin->start < from || bin->saved)
			continue;
		save(b, bin, out);
		bin->saved = true;
		*start = bin->start;
		return true;
	}
	return false;
}

void book_unsaved(struct book *b, int64_t start)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->bins[i]->start == start)
			b->bins[i]->saved = false;
}

/* ---- reading ---- */

enum { NAME_ROOM = 160 };

/* Names of the file as ours; [0] is 0. */
struct lexicon {
	uint32_t *names;
	uint32_t n;
};

static bool is_edge(const char *key)
{
	const struct accounting_row row;
	const size_t n = strcspn(key, "/");
	return key[n] == '/' && n < sizeof(row.provider) &&
	       strlen(key + n + 1) < sizeof(row.interconnect);
}

static bool is_address(const char *key)
{
	struct ip_addr a;
	return ip_parse(key, &a) == ERR_OK;
}

static enum err take_name(struct reader *r, struct names *all, bool (*valid)(const char *),
                          uint32_t *out)
{
	char key[NAME_ROOM];
	const uint8_t size = reader_u8(r);
	if (size >= sizeof(key))
		return ERR_MALFORMED;
	reader_copy(r, key, size);
	key[size] = '\0';
	if (r->bad || strlen(key) != size || !valid(key))
		return ERR_MALFORMED;
	return names_put(all, key, out);
}

static enum err take_names(struct reader *r, struct names *all, bool (*valid)(const char *),
                           struct lexicon *out)
{
	const uint32_t n = reader_u32(r);
	if (n > reader_left(r) / NAME_MIN)
		return ERR_MALFORMED;
	out->names = calloc((size_t)n + 1, sizeof(*out->names));
	if (out->names == NULL)
		return ERR_NOMEM;
	enum err e = ERR_OK;
	for (; out->n < n && e == ERR_OK; out->n++)
		e = take_name(r, all, valid, &out->names[out->n + 1]);
	return e;
}

static enum err take_watches(struct reader *r, const struct lexicon *exporters, struct flow_bin *b)
{
	const uint32_t n = reader_u32(r);
	if (n > reader_left(r) / WATCH_SIZE)
		return ERR_MALFORMED;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t exporter = reader_u32(r), observed = reader_u32(r);
		const uint8_t gaps = reader_u8(r);
		if (exporter == 0 || exporter > exporters->n || observed > b->seconds || gaps > 1)
			return ERR_MALFORMED;
		struct watch *w = flow_bin_watch(b, exporters->names[exporter]);
		if (w == NULL)
			return ERR_NOMEM;
		w->observed = observed;
		w->gaps = gaps;
	}
	return ERR_OK;
}

static enum err take_cell(struct reader *r, const struct lexicon *edges,
                          const struct lexicon *exporters, struct flow_bin *b)
{
	struct cell_key key = { .exporter = reader_u32(r) };
	key.in_if = reader_u32(r);
	key.out_if = reader_u32(r);
	key.out = reader_u32(r);
	key.in = reader_u32(r);
	const uint8_t flags = reader_u8(r);
	if (key.exporter == 0 || key.exporter > exporters->n || key.out > edges->n ||
	    key.in > edges->n || (flags & ~(CELL_FLAGS | EGRESS)) != 0)
		return ERR_MALFORMED;
	key.exporter = exporters->names[key.exporter];
	key.out = edges->names[key.out];
	key.in = edges->names[key.in];
	key.egress = (flags & EGRESS) != 0;
	struct cell *c = flow_bin_cell(b, &key);
	if (c == NULL)
		return ERR_NOMEM;
	c->flags = flags & CELL_FLAGS;
	c->bytes = reader_u64(r);
	c->packets = reader_u64(r);
	c->p2p_bytes = reader_u64(r);
	return ERR_OK;
}

static enum err take_cells(struct reader *r, const struct lexicon *edges,
                           const struct lexicon *exporters, struct flow_bin *b)
{
	const uint32_t n = reader_u32(r);
	enum err e = n > reader_left(r) / CELL_SIZE || n > BOOK_CELLS_MAX ? ERR_MALFORMED : ERR_OK;
	for (uint32_t i = 0; i < n && e == ERR_OK; i++)
		e = take_cell(r, edges, exporters, b);
	if (e == ERR_OK && (r->bad || reader_left(r) != 0 || b->n_cells != n))
		e = ERR_MALFORMED;
	return e;
}

static enum err take_bin(struct book *book, struct reader *r, struct flow_bin *b)
{
	struct lexicon edges = { 0 }, exporters = { 0 };
	enum err e = take_names(r, book->options.edges, is_edge, &edges);
	if (e == ERR_OK)
		e = take_names(r, book->options.exporters, is_address, &exporters);
	if (e == ERR_OK)
		e = take_watches(r, &exporters, b);
	if (e == ERR_OK)
		e = take_cells(r, &edges, &exporters, b);
	free(edges.names);
	free(exporters.names);
	return e;
}

enum err book_load(struct book *book, const void *bytes, size_t size)
{
	struct reader r = reader_over(bytes, size);
	const uint8_t *head = reader_take(&r, sizeof(magic));
	const uint64_t start = reader_u64(&r);
	const uint32_t seconds = reader_u32(&r);
	const uint8_t flags = reader_u8(&r);
	if (r.bad)
		return ERR_TRUNCATED;
	if (memcmp(head, magic, sizeof(magic)) != 0 || start > INT64_MAX / 1000 - UINT32_MAX ||
	    seconds == 0 || start % seconds != 0 || (flags & ~(CLOSED | LATE)) != 0)
		return ERR_MALFORMED;
	struct flow_bin *b = flow_bin_new((int64_t)start, seconds);
	if (b == NULL)
		return ERR_NOMEM;
	b->closed = flags & CLOSED;
	b->late = flags & LATE;
	b->changes = 1; /* whether the spool has it nobody knows; twice does no harm */
	b->saved = true;
	enum err e = take_bin(book, &r, b);
	if (e == ERR_OK)
		e = book_insert(book, b);
	if (e != ERR_OK)
		flow_bin_free(b);
	return e;
}
