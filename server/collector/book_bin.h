/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bin of flows from inside: book.c fills it, settle.c makes its rows, checkpoint.c writes it down and
 * reads it back. Nobody else includes this header.
 */

#include "server/collector/book.h"

/* What one exporter said of one crossing, metered on one of its sides. */
struct cell_key {
	uint32_t exporter, in_if, out_if;
	uint32_t out, in; /* names of interconnects */
	uint32_t egress;  /* 0 or 1 */
};

struct cell {
	struct cell_key key;
	uint32_t flags;
	uint64_t bytes, packets, p2p_bytes;
};

enum { CELL_SAMPLED = 1, CELL_NO_PACKETS = 2, CELL_NO_P2P = 4, CELL_FLAGS = 7 };

struct watch {
	uint32_t exporter; /* name; 0: not heard */
	uint32_t observed; /* seconds */
	bool gaps;
};

struct flow_bin {
	int64_t start;
	uint32_t seconds;
	struct cell *cells;
	uint32_t *table; /* hash table of cells: index + 1; 0: free */
	size_t n_cells, room, table_size;
	struct watch *watches; /* by name of the exporter */
	size_t n_watches;
	uint64_t changes; /* so often did it change */
	uint64_t written; /* `changes` when it was closed last; 0: never */
	int64_t changed;  /* second of the first change since then */
	bool saved, closed, late;
};

struct book {
	struct book_options options;
	struct flow_bin **bins; /* by start, then length */
	size_t n, room;
	struct flow_bin *last; /* that something was booked in */
	int64_t *heard;        /* by name of the exporter: second of the last datagram; 0: none */
	size_t n_heard;
	int64_t floor; /* bins that begin before it are not made any more */
};

static inline int64_t bin_end(const struct flow_bin *b)
{
	return b->start + b->seconds;
}

/* NULL: no memory. */
struct flow_bin *flow_bin_new(int64_t start, uint32_t seconds);
void flow_bin_free(struct flow_bin *b); /* NULL is fine */

/* The cell of a key, new with zeros. NULL: BOOK_CELLS_MAX, or no memory. */
struct cell *flow_bin_cell(struct flow_bin *b, const struct cell_key *key);

/* NULL: no memory. */
struct watch *flow_bin_watch(struct flow_bin *b, uint32_t exporter);

struct settle_with {
	const struct names *edges;
	const struct book_ports *ports;
	bool measures_p2p;
};

/* The rows of a bin. ERR_NOMEM. */
enum err flow_bin_settle(const struct flow_bin *b, const struct settle_with *with,
                         struct accounting_bin *out) must_check;

/* Puts a bin among the others. ERR_EXISTS, ERR_NOMEM: it is still the caller's. */
enum err book_insert(struct book *b, struct flow_bin *bin) must_check;
