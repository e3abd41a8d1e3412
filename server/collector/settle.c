/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/quality.h"
#include "server/collector/book_bin.h"

#include <stdlib.h>
#include <string.h>

/* ---- what was metered on entering ---- */

/*
 * Keys of three numbers, sorted: crossings (exporter, in_if, out_if), and directions of interconnects
 * (exporter, name, 0 for out or 1 for in).
 */
struct triple {
	uint32_t a, b, c;
};

struct triples {
	struct triple *list;
	size_t n;
};

struct entered {
	struct triples crossings, directions;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct triple));
}

static bool has(const struct triples *t, uint32_t a, uint32_t b, uint32_t c)
{
	const struct triple key = { a, b, c };
	return t->n > 0 && bsearch(&key, t->list, t->n, sizeof(key), compare) != NULL;
}

static enum err list_entered(const struct flow_bin *b, struct entered *e)
{
	*e = (struct entered){ 0 };
	e->crossings.list = malloc((b->n_cells + 1) * sizeof(struct triple));
	e->directions.list = malloc((2 * b->n_cells + 1) * sizeof(struct triple));
	if (e->crossings.list == NULL || e->directions.list == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < b->n_cells; i++) {
		const struct cell_key *k = &b->cells[i].key;
		if (k->egress)
			continue;
		e->crossings.list[e->crossings.n++] =
			(struct triple){ k->exporter, k->in_if, k->out_if };
		e->directions.list[e->directions.n++] = (struct triple){ k->exporter, k->out, 0 };
		e->directions.list[e->directions.n++] = (struct triple){ k->exporter, k->in, 1 };
	}
	qsort(e->crossings.list, e->crossings.n, sizeof(struct triple), compare);
	qsort(e->directions.list, e->directions.n, sizeof(struct triple), compare);
	return ERR_OK;
}

static void forget_entered(struct entered *e)
{
	free(e->crossings.list);
	free(e->directions.list);
}

/* Does it count for interconnect `edge`, or was the same metered on entering? */
static bool counts(const struct entered *e, const struct cell_key *k, uint32_t edge,
                   uint32_t inwards)
{
	if (edge == 0)
		return false;
	if (!k->egress || (k->in_if == k->out_if && k->in_if != 0))
		return true;
	if (k->in_if == 0 || k->out_if == 0)
		return !has(&e->directions, k->exporter, edge, inwards);
	return !has(&e->crossings, k->exporter, k->in_if, k->out_if);
}

/* ---- rows ---- */

struct sheet {
	struct accounting_row row;
	bool booked, heard, unheard;
	uint32_t observed;
};

struct sheets {
	const struct flow_bin *bin;
	struct sheet *list; /* by name of the interconnect */
	size_t n;
};

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* What an exporter of this interconnect watched. */
static void see(const struct sheets *all, uint32_t edge, uint32_t exporter)
{
	struct sheet *s = &all->list[edge];
	const struct flow_bin *b = all->bin;
	const struct watch *w = exporter < b->n_watches ? &b->watches[exporter] : NULL;
	if (w != NULL && w->gaps)
		s->row.quality |= BIN_GAPS;
	if (w == NULL || w->observed == 0) {
		s->unheard = true;
		return;
	}
	if (!s->heard || w->observed < s->observed)
		s->observed = w->observed;
	s->heard = true;
}

static void book_out(struct sheet *s, const struct cell *c)
{
	s->row.out_bytes = sum(s->row.out_bytes, c->bytes);
	s->row.out_packets = sum(s->row.out_packets, c->packets);
	s->row.out_p2p_bytes = sum(s->row.out_p2p_bytes, c->p2p_bytes);
}

static void book_in(struct sheet *s, const struct cell *c)
{
	s->row.in_bytes = sum(s->row.in_bytes, c->bytes);
	s->row.in_packets = sum(s->row.in_packets, c->packets);
	s->row.in_p2p_bytes = sum(s->row.in_p2p_bytes, c->p2p_bytes);
}

static void book_flags(const struct sheets *all, uint32_t edge, const struct cell *c)
{
	struct sheet *s = &all->list[edge];
	s->booked = true;
	s->row.measured_packets = s->row.measured_packets && !(c->flags & CELL_NO_PACKETS);
	s->row.measured_p2p = s->row.measured_p2p && !(c->flags & CELL_NO_P2P);
	s->row.quality |= c->flags & CELL_SAMPLED ? BIN_SAMPLED : 0U;
	see(all, edge, c->key.exporter);
}

static void book_cell(const struct sheets *all, const struct entered *e, const struct cell *c)
{
	if (counts(e, &c->key, c->key.out, 0)) {
		book_out(&all->list[c->key.out], c);
		book_flags(all, c->key.out, c);
	}
	if (counts(e, &c->key, c->key.in, 1)) {
		book_in(&all->list[c->key.in], c);
		book_flags(all, c->key.in, c);
	}
}

/* "provider/interconnect" */
static void put_names(struct accounting_row *row, const char *key)
{
	const size_t n = strcspn(key, "/");
	must(n < sizeof(row->provider) && strlen(key) - n <= sizeof(row->interconnect));
	memcpy(row->provider, key, n);
	memcpy(row->interconnect, key + n + 1, strlen(key) - n);
}

static enum err put_rows(const struct sheets *all, const struct names *edges,
                         struct accounting_bin *out)
{
	const struct flow_bin *b = all->bin;
	*out = (struct accounting_bin){ .source = ACCOUNTING_FLOW,
		                        .start = b->start,
		                        .seconds = b->seconds };
	out->rows = calloc(all->n, sizeof(*out->rows));
	if (out->rows == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 1; i < all->n; i++) {
		struct sheet *s = &all->list[i];
		if (!s->booked && !s->heard)
			continue;
		s->row.observed_seconds = s->observed;
		if (s->unheard || s->observed < b->seconds)
			s->row.quality |= BIN_PARTIAL;
		if (b->late)
			s->row.quality |= BIN_LATE;
		if (s->observed > out->observed_seconds)
			out->observed_seconds = s->observed;
		put_names(&s->row, names_key(edges, i));
		out->rows[out->n_rows++] = s->row;
	}
	return ERR_OK;
}

enum err flow_bin_settle(const struct flow_bin *b, const struct settle_with *with,
                         struct accounting_bin *out)
{
	struct sheets all = { .bin = b, .n = names_count(with->edges) };
	struct entered entered;
	enum err e = list_entered(b, &entered);
	all.list = calloc(all.n, sizeof(*all.list));
	if (all.list == NULL)
		e = ERR_NOMEM;
	if (e == ERR_OK) {
		for (size_t i = 0; i < all.n; i++)
			all.list[i].row =
				(struct accounting_row){ .measured_packets = true,
				                         .measured_p2p = with->measures_p2p };
		for (size_t i = 0; i < b->n_cells; i++)
			book_cell(&all, &entered, &b->cells[i]);
		for (size_t i = 0; i < with->ports->n; i++)
			see(&all, with->ports->list[i].edge, with->ports->list[i].exporter);
		e = put_rows(&all, with->edges, out);
	}
	forget_entered(&entered);
	free(all.list);
	return e;
}
