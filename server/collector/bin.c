/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"
#include "server/collector/book_bin.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

struct flow_bin *flow_bin_new(int64_t start, uint32_t seconds)
{
	struct flow_bin *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->start = start;
	b->seconds = seconds;
	return b;
}

void flow_bin_free(struct flow_bin *b)
{
	if (b == NULL)
		return;
	free(b->cells);
	free(b->table);
	free(b->watches);
	free(b);
}

static uint64_t hash_of(const struct cell_key *k)
{
	const uint64_t ports = (uint64_t)k->in_if << 32 | k->out_if;
	const uint64_t edges = (uint64_t)k->in << 32 | k->out;
	return random_mix(random_mix(ports + k->egress) ^ (edges * 0x9e3779b97f4a7c15U) ^
	                  (uint64_t)k->exporter << 20);
}

static void put_in_table(struct flow_bin *b, uint32_t index)
{
	const size_t mask = b->table_size - 1;
	size_t at = hash_of(&b->cells[index].key) & mask;
	while (b->table[at] != 0)
		at = (at + 1) & mask;
	b->table[at] = index + 1;
}

/* Twice the room, and a table at most half full. */
static bool grow(struct flow_bin *b)
{
	const size_t room = b->room > 0 ? b->room * 2 : FIRST_ROOM;
	uint32_t *table = calloc(room * 2, sizeof(*table));
	struct cell *cells = table != NULL ? realloc(b->cells, room * sizeof(*cells)) : NULL;
	if (cells == NULL) {
		free(table);
		return false;
	}
	free(b->table);
	b->cells = cells;
	b->room = room;
	b->table = table;
	b->table_size = room * 2;
	for (uint32_t i = 0; i < b->n_cells; i++)
		put_in_table(b, i);
	return true;
}

static struct cell *find(const struct flow_bin *b, const struct cell_key *key)
{
	const size_t mask = b->table_size - 1;
	if (b->table_size == 0)
		return NULL;
	for (size_t at = hash_of(key) & mask; b->table[at] != 0; at = (at + 1) & mask) {
		struct cell *c = &b->cells[b->table[at] - 1];
		if (memcmp(&c->key, key, sizeof(*key)) == 0)
			return c;
	}
	return NULL;
}

struct cell *flow_bin_cell(struct flow_bin *b, const struct cell_key *key)
{
	struct cell *c = find(b, key);
	if (c != NULL)
		return c;
	if (b->n_cells == BOOK_CELLS_MAX || (b->n_cells == b->room && !grow(b)))
		return NULL;
	c = &b->cells[b->n_cells];
	*c = (struct cell){ .key = *key };
	put_in_table(b, (uint32_t)b->n_cells++);
	return c;
}

struct watch *flow_bin_watch(struct flow_bin *b, uint32_t exporter)
{
	if (exporter >= b->n_watches) {
		struct watch *more = realloc(b->watches, (exporter + 1) * sizeof(*more));
		if (more == NULL)
			return NULL;
		memset(more + b->n_watches, 0, (exporter + 1 - b->n_watches) * sizeof(*more));
		b->watches = more;
		b->n_watches = exporter + 1;
	}
	b->watches[exporter].exporter = exporter;
	return &b->watches[exporter];
}
