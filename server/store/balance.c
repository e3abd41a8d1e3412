/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bins.h"
#include "server/store/gather.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A year that is not packed yet, after an update, is read bin by bin. */
enum { REPORT_MS = 60000, SOURCES = STORE_COUNTER + 1 };

_Static_assert((int)STORE_FLAGS == (int)DIGEST_FLAGS, "each flag is told");

/* The interconnects of a report, by provider and id, and their figures. */
struct ledger {
	const struct store_window *window;
	struct store_balance *rows; /* of each: what it is, in `heads`, and room for each source */
	struct head {
		uint32_t number;
		size_t place;
		bool in_force;
	} * heads; /* by number, once sorted */
	size_t n;
};

static void head_row(const struct work *w, size_t row, struct ledger *l)
{
	struct store_balance *b = &l->rows[row * SOURCES];
	l->heads[row] = (struct head){ .number = (uint32_t)work_u64(w, row, 0),
		                       .place = row,
		                       .in_force = work_bool(w, row, 6) };
	work_text(w, row, 1, b->provider, sizeof(b->provider));
	work_text(w, row, 2, b->interconnect, sizeof(b->interconnect));
	work_text(w, row, 3, b->relation, sizeof(b->relation));
	b->neighbor_asn = (uint32_t)work_u64(w, row, 4);
	b->ratio_limit_milli = work_u64(w, row, 5);
	for (size_t s = 1; s < SOURCES; s++)
		b[s] = *b;
}

static int by_number(const void *a, const void *b)
{
	const struct head *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static void read_heads(struct work *w, const struct store_window *window, struct ledger *l)
{
	l->n = work_run(
		w,
		"SELECT number, provider, id, relation, neighbor_asn, ratio_limit_milli, "
		" in_force FROM interconnects "
		"WHERE ($1::text IS NULL OR provider = $1) AND ($2::text IS NULL OR id = $2) "
		"ORDER BY provider, id",
		ARGS(arg_text(window->provider), arg_text(window->interconnect)));
	l->rows = calloc(l->n * SOURCES + 1, sizeof(*l->rows));
	l->heads = calloc(l->n + 1, sizeof(*l->heads));
	if (l->rows == NULL || l->heads == NULL) {
		work_fail(w, ERR_NOMEM);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		head_row(w, i, l);
	qsort(l->heads, l->n, sizeof(*l->heads), by_number);
}

static void take_figure(void *ctx, uint32_t interconnect, enum store_source source,
                        const struct digest *figures, uint64_t p95_out, uint64_t p95_in)
{
	struct ledger *l = ctx;
	const struct head key = { .number = interconnect };
	const struct head *head = bsearch(&key, l->heads, l->n, sizeof(key), by_number);
	must(head != NULL);
	struct digest closed = *figures;
	const struct digest *sums = &closed;
	digest_close(&closed, l->window->from, l->window->to);
	struct store_balance *b = &l->rows[head->place * SOURCES + source];
	b->has_bins = true;
	b->source = source;
	b->bins_known = sums->known;
	b->p95_out_bytes = p95_out;
	b->p95_in_bytes = p95_in;
	b->bins_with_packets = sums->with_packets;
	b->bins_with_p2p = sums->with_p2p;
	for (unsigned i = 0; i < DIGEST_FLAGS; i++)
		b->flagged[i] = sums->flagged[i];
	b->gap_seconds = sums->gap;
	b->gap_from = sums->gap_from;
	wide_print(sums->out, b->out_bytes);
	wide_print(sums->in, b->in_bytes);
	wide_print(sums->out_packets, b->out_packets);
	wide_print(sums->in_packets, b->in_packets);
	wide_print(sums->out_p2p, b->out_p2p_bytes);
	wide_print(sums->in_p2p, b->in_p2p_bytes);
}

/* Those with figures, and one without any for each interconnect in force that has none; in place. */
static size_t squeeze(struct ledger *l)
{
	bool *in_force = calloc(l->n + 1, sizeof(*in_force));
	size_t n = 0;
	if (in_force == NULL)
		return SIZE_MAX;
	for (size_t i = 0; i < l->n; i++)
		in_force[l->heads[i].place] = l->heads[i].in_force;
	for (size_t i = 0; i < l->n; i++) {
		const size_t before = n;
		const struct store_balance first = l->rows[i * SOURCES];
		for (size_t s = 0; s < SOURCES; s++)
			if (l->rows[i * SOURCES + s].has_bins)
				l->rows[n++] = l->rows[i * SOURCES + s];
		if (n == before && in_force[i])
			l->rows[n++] = first;
	}
	free(in_force);
	return n;
}

enum err store_balance(struct store *s, const struct store_window *window,
                       struct store_balance **out, size_t *count)
{
	struct ledger l = { .window = window };
	struct work w = work_begin(s, "sum bins");
	/* Pages, what is due and bins of one moment. */
	work_script(&w, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
	work_allow(&w, REPORT_MS);
	read_heads(&w, window, &l);
	uint32_t *numbers = calloc(l.n + 1, sizeof(*numbers));
	if (numbers == NULL)
		work_fail(&w, ERR_NOMEM);
	for (size_t i = 0; numbers != NULL && w.err == ERR_OK && i < l.n; i++)
		numbers[i] = l.heads[i].number;
	if (w.err == ERR_OK && window->from < window->to)
		gather(&w, window, numbers, l.n, take_figure, &l);
	const enum err e = work_end(&w);
	const size_t n = e == ERR_OK ? squeeze(&l) : 0;
	free(numbers);
	free(l.heads);
	if (e != ERR_OK || n == SIZE_MAX) {
		free(l.rows);
		return e != ERR_OK ? e : ERR_NOMEM;
	}
	*out = l.rows;
	*count = n;
	return ERR_OK;
}
