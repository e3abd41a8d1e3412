/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/matrix.h"

#include "common/base/random.h"

#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pair of places; or, on the way to the rows, what one provider's book has of it. */
struct cell {
	alignas(64) uint32_t from; /* in one line of memory */
	uint32_t to;
	uint32_t out, in;
	uint64_t bytes, sure, unmet;
	double variance;
	uint32_t provider;
	enum accounting_direction direction;
};

struct cells {
	struct cell *list;
	size_t n, room;
};

/* What one provider has of the swarm at hand. */
struct share {
	bool touched;
	uint64_t clients;
	struct accounting_swarm row;
};

struct provider {
	struct accounting_swarm most[MATRIX_SWARMS];
	size_t n;
	size_t least; /* the first of the smallest of `most`, when that is full */
	uint64_t least_bytes;
	struct accounting_swarm others;
};

struct matrix {
	const struct map_snapshot *map;
	size_t n_providers;
	struct cells pairs, rest; /* rest: beyond MATRIX_PAIRS_MAX, by book */
	uint64_t *index;          /* 0: empty; else entry_of() */
	uint32_t mask;
	struct share *shares; /* by provider */
	uint32_t *touched;
	size_t n_touched;
	struct provider *providers;
};

enum { INDEX_FIRST = 1 << 12, BATCH = 128, REST = 1 << 16 };

struct matrix *matrix_new(const struct map_snapshot *map)
{
	struct matrix *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->map = map;
	m->n_providers = map != NULL ? snapshot_counts(map).providers : 0;
	m->mask = INDEX_FIRST - 1;
	m->index = calloc(INDEX_FIRST, sizeof(*m->index));
	m->shares = calloc(m->n_providers + 1, sizeof(*m->shares));
	m->touched = calloc(m->n_providers + 1, sizeof(*m->touched));
	m->providers = calloc(m->n_providers + 1, sizeof(*m->providers));
	if (m->index == NULL || m->shares == NULL || m->touched == NULL || m->providers == NULL) {
		matrix_free(m);
		return NULL;
	}
	return m;
}

void matrix_free(struct matrix *m)
{
	if (m == NULL)
		return;
	free(m->pairs.list);
	free(m->rest.list);
	free(m->index);
	free(m->shares);
	free(m->touched);
	free(m->providers);
	free(m);
}

/* ---- pairs ---- */

/* All zero; NULL when out of memory. */
static struct cell *append(struct cells *c)
{
	if (c->n == c->room) {
		const size_t room = c->room > 0 ? 2 * c->room : 256;
		struct cell *list = aligned_alloc(alignof(struct cell), room * sizeof(*list));
		if (list == NULL)
			return NULL;
		if (c->n > 0)
			memcpy(list, c->list, c->n * sizeof(*list));
		free(c->list);
		c->list = list;
		c->room = room;
	}
	c->list[c->n] = (struct cell){ 0 };
	return &c->list[c->n++];
}

static uint64_t hash_of(uint32_t from, uint32_t to)
{
	return random_mix((uint64_t)from << 32 | to);
}

/* An entry of the index: the upper half of the pair's hash, so that others' cells are not looked at. */
static uint64_t entry_of(uint64_t hash, size_t position)
{
	return (hash & ~(uint64_t)UINT32_MAX) | (position + 1);
}

static struct cell *cell_of(const struct matrix *m, uint64_t entry)
{
	return &m->pairs.list[(uint32_t)entry - 1];
}

static void index_put(struct matrix *m, size_t position)
{
	const struct cell *c = &m->pairs.list[position];
	const uint64_t hash = hash_of(c->from, c->to);
	size_t at = hash & m->mask;
	while (m->index[at] != 0)
		at = (at + 1) & m->mask;
	m->index[at] = entry_of(hash, position);
}

static enum err grow(struct matrix *m)
{
	const uint32_t size = 2 * (m->mask + 1);
	uint64_t *index = calloc(size, sizeof(*index));
	if (index == NULL)
		return ERR_NOMEM;
	free(m->index);
	m->index = index;
	m->mask = size - 1;
	for (size_t i = 0; i < m->pairs.n; i++)
		index_put(m, i);
	return ERR_OK;
}

/* The first cell at or after `*at` that seems to be of that hash; NULL when there is none. */
static struct cell *seek(const struct matrix *m, uint64_t hash, size_t *at)
{
	for (; m->index[*at] != 0; *at = (*at + 1) & m->mask)
		if (m->index[*at] >> 32 == hash >> 32)
			return cell_of(m, m->index[*at]);
	return NULL;
}

static struct cell *find(const struct matrix *m, uint32_t from, uint32_t to)
{
	const uint64_t hash = hash_of(from, to);
	size_t at = hash & m->mask;
	struct cell *c = seek(m, hash, &at);
	while (c != NULL && (c->from != from || c->to != to)) {
		at = (at + 1) & m->mask;
		c = seek(m, hash, &at);
	}
	return c;
}

/* NULL: there is no room, or no memory. */
static struct cell *pair_of(struct matrix *m, const struct matrix_bytes *b)
{
	struct cell *c = find(m, b->from, b->to);
	if (c != NULL || m->pairs.n == MATRIX_PAIRS_MAX)
		return c;
	if (2 * (m->pairs.n + 1) > m->mask && grow(m) != ERR_OK)
		return NULL;
	c = append(&m->pairs);
	if (c == NULL)
		return NULL;
	c->from = b->from;
	c->to = b->to;
	c->out = b->pair.out;
	c->in = b->pair.in;
	index_put(m, m->pairs.n - 1);
	return c;
}

/* ---- books ---- */

struct book {
	uint32_t provider;
	enum accounting_direction direction;
};

/* In whose books a pair is: of none, one or two providers. */
static size_t books_of(const struct matrix *m, uint32_t from, uint32_t to, struct book out[2])
{
	const uint32_t p = snapshot_place(m->map, from).provider;
	const uint32_t q = snapshot_place(m->map, to).provider;
	size_t n = 0;
	if (p != NO_PROVIDER)
		out[n++] = (struct book){ p, p == q ? ACCOUNTING_INSIDE : ACCOUNTING_OUT };
	if (q != NO_PROVIDER && q != p)
		out[n++] = (struct book){ q, ACCOUNTING_IN };
	return n;
}

static uint32_t crossed(enum accounting_direction d, uint32_t out, uint32_t in)
{
	if (d == ACCOUNTING_INSIDE)
		return NO_INTERCONNECT;
	return d == ACCOUNTING_OUT ? out : in;
}

static enum map_tier tier_of(const struct matrix *m, enum accounting_direction d, bool same_place,
                             uint32_t interconnect)
{
	static const enum map_tier tiers[] = { [RELATION_SETTLEMENT_FREE] = TIER_SETTLEMENT_FREE,
		                               [RELATION_CUSTOMER] = TIER_SETTLEMENT_FREE,
		                               [RELATION_SIBLING] = TIER_SETTLEMENT_FREE,
		                               [RELATION_PAID_PEERING] = TIER_PAID_PEERING,
		                               [RELATION_TRANSIT] = TIER_TRANSIT };
	if (d == ACCOUNTING_INSIDE)
		return same_place ? TIER_SAME_PID : TIER_SAME_PROVIDER;
	return interconnect != NO_INTERCONNECT
	               ? tiers[snapshot_interconnect(m->map, interconnect).relation]
	               : TIER_UNKNOWN;
}

static double cost_of(const struct matrix *m, enum accounting_direction d, uint32_t interconnect,
                      uint64_t bytes)
{
	if (interconnect == NO_INTERCONNECT)
		return 0;
	const struct map_crossing cost = snapshot_cost(m->map, interconnect);
	return (double)bytes / MATRIX_COST_BYTES * (d == ACCOUNTING_OUT ? cost.out : cost.in);
}

/* ---- the swarm at hand ---- */

static struct share *share_of(struct matrix *m, uint32_t provider)
{
	struct share *s = &m->shares[provider];
	if (!s->touched) {
		*s = (struct share){ .touched = true };
		m->touched[m->n_touched++] = provider;
	}
	return s;
}

static void add_share(struct matrix *m, const struct matrix_bytes *b, const struct book *book)
{
	struct accounting_swarm *row = &share_of(m, book->provider)->row;
	const uint32_t ic = crossed(book->direction, b->pair.out, b->pair.in);
	row->bytes[tier_of(m, book->direction, b->from == b->to, ic)] += b->bytes;
	row->cost += cost_of(m, book->direction, ic, b->bytes);
	if (book->direction == ACCOUNTING_OUT)
		row->out_bytes += b->bytes;
	if (book->direction == ACCOUNTING_IN)
		row->in_bytes += b->bytes;
}

/* ---- the others ---- */

/* What the others are apart by. */
static int by_crossing(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	const uint32_t p = crossed(x->direction, x->out, x->in);
	const uint32_t q = crossed(y->direction, y->out, y->in);
	if (x->provider != y->provider)
		return x->provider < y->provider ? -1 : 1;
	if (x->direction != y->direction)
		return x->direction < y->direction ? -1 : 1;
	if (p != q)
		return p < q ? -1 : 1;
	const bool s = x->from == x->to, t = y->from == y->to;
	return x->direction == ACCOUNTING_INSIDE ? s - t : 0;
}

/* Rows that there can be of them: one for every crossing. */
static size_t crossings(const struct matrix *m)
{
	return 2 * snapshot_counts(m->map).interconnects + 4 * m->n_providers;
}

/* Adds up those of one crossing. */
static void fold(struct cells *rest)
{
	size_t n = 0;
	if (rest->n > 0)
		qsort(rest->list, rest->n, sizeof(*rest->list), by_crossing);
	for (size_t i = 0; i < rest->n; i++) {
		const struct cell *c = &rest->list[i];
		if (n == 0 || by_crossing(&rest->list[n - 1], c) != 0) {
			rest->list[n++] = *c;
			continue;
		}
		rest->list[n - 1].bytes += c->bytes;
		rest->list[n - 1].sure += c->sure;
		rest->list[n - 1].unmet += c->unmet;
		rest->list[n - 1].variance += c->variance;
	}
	rest->n = n;
}

/* Folded whenever there are REST more than can be left, so that they stay few and folding is seldom. */
static struct cell *append_rest(struct matrix *m)
{
	if (m->rest.n >= crossings(m) + REST)
		fold(&m->rest);
	return append(&m->rest);
}

/* Straight to the others. */
static enum err add_rest(struct matrix *m, const struct matrix_bytes *b, const struct book *book)
{
	struct cell *other = append_rest(m);
	if (other == NULL)
		return ERR_NOMEM;
	*other = (struct cell){ .from = b->from,
		                .to = b->to,
		                .out = b->pair.out,
		                .in = b->pair.in,
		                .bytes = b->bytes,
		                .sure = b->sure ? b->bytes : 0,
		                .unmet = b->unmet ? b->bytes : 0,
		                .variance = b->variance,
		                .provider = book->provider,
		                .direction = book->direction };
	return ERR_OK;
}

static void add_cell(struct cell *c, const struct matrix_bytes *b)
{
	c->bytes += b->bytes;
	c->sure += b->sure ? b->bytes : 0;
	c->unmet += b->unmet ? b->bytes : 0;
	c->variance += b->variance;
}

static enum err add(struct matrix *m, const struct matrix_bytes *b)
{
	struct book books[2];
	if (b->bytes == 0)
		return ERR_OK;
	const size_t n = books_of(m, b->from, b->to, books);
	if (n == 0)
		return ERR_OK; /* between strangers: in nobody's book */
	struct cell *c = pair_of(m, b);
	if (c == NULL && m->pairs.n < MATRIX_PAIRS_MAX)
		return ERR_NOMEM;
	enum err e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		add_share(m, b, &books[i]);
		e = c == NULL ? add_rest(m, b, &books[i]) : ERR_OK;
	}
	if (c != NULL)
		add_cell(c, b);
	return e;
}

/*
 * Pairs are many and come in no order: to wait for memory, first for the index and then for the cell, took
 * half the time of closing a bin. So those of a batch are asked for together.
 */
static void ask_memory(const struct matrix *m, const struct matrix_bytes *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&m->index[hash_of(b[i].from, b[i].to) & m->mask]);
	for (size_t i = 0; i < n; i++) {
		const uint64_t hash = hash_of(b[i].from, b[i].to);
		size_t at = hash & m->mask;
		const struct cell *c = seek(m, hash, &at);
		if (c != NULL)
			__builtin_prefetch(c, 1);
	}
}

enum err matrix_add(struct matrix *m, const struct matrix_bytes *b, size_t n)
{
	enum err e = ERR_OK;
	if (m->map == NULL)
		return ERR_OK;
	for (size_t first = 0; first < n; first += BATCH) {
		const size_t end = n - first < BATCH ? n : first + BATCH;
		ask_memory(m, b + first, end - first);
		for (size_t i = first; i < end && e == ERR_OK; i++)
			e = add(m, &b[i]);
	}
	return e;
}

void matrix_clients(struct matrix *m, uint32_t place, uint64_t clients)
{
	const uint32_t provider =
		m->map != NULL ? snapshot_place(m->map, place).provider : NO_PROVIDER;
	if (provider != NO_PROVIDER)
		share_of(m, provider)->clients |= clients;
}

static uint64_t bytes_of(const struct accounting_swarm *s)
{
	uint64_t sum = 0;
	for (unsigned k = 0; k < TIER_COUNT_; k++)
		sum += s->bytes[k];
	return sum;
}

static void add_to_others(struct accounting_swarm *all, const struct accounting_swarm *one)
{
	for (unsigned k = 0; k < TIER_COUNT_; k++)
		all->bytes[k] += one->bytes[k];
	all->out_bytes += one->out_bytes;
	all->in_bytes += one->in_bytes;
	all->cost += one->cost;
	all->swarms += one->swarms;
}

static void find_least(struct provider *p)
{
	p->least = 0;
	p->least_bytes = bytes_of(&p->most[0]);
	for (size_t i = 1; i < p->n; i++) {
		const uint64_t bytes = bytes_of(&p->most[i]);
		if (bytes < p->least_bytes) {
			p->least = i;
			p->least_bytes = bytes;
		}
	}
}

static void keep_swarm(struct provider *p, const struct accounting_swarm *row)
{
	if (p->n < MATRIX_SWARMS) {
		p->most[p->n++] = *row;
	} else if (bytes_of(row) <= p->least_bytes) {
		add_to_others(&p->others, row);
		return;
	} else {
		add_to_others(&p->others, &p->most[p->least]);
		p->most[p->least] = *row;
	}
	if (p->n == MATRIX_SWARMS)
		find_least(p);
}

void matrix_swarm_done(struct matrix *m, const struct matrix_swarm *s)
{
	for (size_t i = 0; i < m->n_touched; i++) {
		struct share *share = &m->shares[m->touched[i]];
		struct accounting_swarm *row = &share->row;
		share->touched = false;
		if (bytes_of(row) == 0)
			continue;
		row->swarm = s->swarm;
		row->up = s->up;
		row->down = s->down;
		row->clients = share->clients;
		row->flagged = s->sure;
		row->swarms = 1;
		keep_swarm(&m->providers[m->touched[i]], row);
	}
	m->n_touched = 0;
}

/* ---- rows ---- */

static int by_size(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	if (x->provider != y->provider)
		return x->provider < y->provider ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static void place_key(const struct matrix *m, uint32_t place, char out[static PLACE_KEY_MAX])
{
	unsigned bits;
	snapshot_place_key(m->map, place, out);
	const char *slash = strrchr(out, '/');
	if (strncmp(out, "zone:", 5) == 0 && slash != NULL && sscanf(slash, "/%u", &bits) == 1 &&
	    bits > (strchr(out + 5, ':') != NULL ? 48U : 24U))
		out[0] = '\0';
}

static void fill(const struct matrix *m, const struct cell *c, bool others,
                 struct accounting_cell *row)
{
	const uint32_t ic = crossed(c->direction, c->out, c->in);
	const char *id = ic != NO_INTERCONNECT ? snapshot_interconnect(m->map, ic).id : "";
	*row = (struct accounting_cell){ .direction = c->direction,
		                         .tier = tier_of(m, c->direction, c->from == c->to, ic),
		                         .bytes = c->bytes,
		                         .sure_bytes = c->sure,
		                         .unmet_bytes = c->unmet,
		                         .spread = sqrt(c->variance),
		                         .cost = cost_of(m, c->direction, ic, c->bytes) };
	(void)snprintf(row->provider, sizeof(row->provider), "%s",
	               snapshot_provider_name(m->map, c->provider));
	(void)snprintf(row->interconnect, sizeof(row->interconnect), "%s", id);
	if (others) {
		(void)snprintf(row->from, sizeof(row->from), "%s", ACCOUNTING_OTHERS);
		(void)snprintf(row->to, sizeof(row->to), "%s", ACCOUNTING_OTHERS);
		return;
	}
	place_key(m, c->from, row->from);
	place_key(m, c->to, row->to);
}

/* Every pair once for each book. */
static enum err make_books(const struct matrix *m, struct cells *all)
{
	struct book books[2];
	for (size_t i = 0; i < m->pairs.n; i++) {
		const struct cell *c = &m->pairs.list[i];
		const size_t n = books_of(m, c->from, c->to, books);
		for (size_t k = 0; k < n; k++) {
			struct cell *row = append(all);
			if (row == NULL)
				return ERR_NOMEM;
			*row = *c;
			row->provider = books[k].provider;
			row->direction = books[k].direction;
		}
	}
	return ERR_OK;
}

/* The largest of each provider into the bin, the others to those of before. */
static enum err put_largest(struct matrix *m, struct cells *all, struct accounting_bin *out)
{
	size_t n = 0;
	if (all->n > 0)
		qsort(all->list, all->n, sizeof(*all->list), by_size);
	for (size_t i = 0; i < all->n; i++) {
		n = i > 0 && all->list[i].provider == all->list[i - 1].provider ? n + 1 : 0;
		if (n < MATRIX_CELLS) {
			fill(m, &all->list[i], false, &out->cells[out->n_cells++]);
			continue;
		}
		struct cell *other = append_rest(m);
		if (other == NULL)
			return ERR_NOMEM;
		*other = all->list[i];
	}
	return ERR_OK;
}

static void put_others(struct matrix *m, struct accounting_bin *out)
{
	fold(&m->rest);
	for (size_t i = 0; i < m->rest.n; i++)
		fill(m, &m->rest.list[i], true, &out->cells[out->n_cells++]);
}

/* Rows that there can be: the largest, and the others of every crossing. */
static size_t rows_room(const struct matrix *m, size_t cells)
{
	const size_t largest = m->n_providers * MATRIX_CELLS;
	return (largest < cells ? largest : cells) + crossings(m);
}

static enum err put_cells(struct matrix *m, struct accounting_bin *out)
{
	struct cells all = { 0 };
	enum err e = make_books(m, &all);
	if (e == ERR_OK) {
		out->cells = calloc(rows_room(m, all.n) + 1, sizeof(*out->cells));
		e = out->cells != NULL ? put_largest(m, &all, out) : ERR_NOMEM;
	}
	if (e == ERR_OK)
		put_others(m, out);
	free(all.list);
	return e;
}

static enum err put_swarms(const struct matrix *m, struct accounting_bin *out)
{
	size_t room = 1;
	for (size_t p = 0; p < m->n_providers; p++)
		room += m->providers[p].n + 1;
	out->swarms = calloc(room, sizeof(*out->swarms));
	if (out->swarms == NULL)
		return ERR_NOMEM;
	for (size_t p = 0; p < m->n_providers; p++) {
		const struct provider *all = &m->providers[p];
		const size_t first = out->n_swarms;
		for (size_t i = 0; i < all->n; i++)
			out->swarms[out->n_swarms++] = all->most[i];
		if (all->others.swarms > 0)
			out->swarms[out->n_swarms++] = all->others;
		for (size_t i = first; i < out->n_swarms; i++)
			(void)snprintf(out->swarms[i].provider, sizeof(out->swarms[i].provider),
			               "%s", snapshot_provider_name(m->map, (uint32_t)p));
	}
	return ERR_OK;
}

enum err matrix_rows(struct matrix *m, struct accounting_bin *out)
{
	if (m->map == NULL)
		return ERR_OK;
	const enum err e = put_cells(m, out);
	return e == ERR_OK ? put_swarms(m, out) : e;
}
