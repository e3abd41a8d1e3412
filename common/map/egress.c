/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/egress.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

/* Claims of one node and of its best relation, or the first run that had the same positions. */
struct group {
	const uint64_t *claims;
	size_t n;
	uint32_t row; /* 0: free */
};

void egress_init(struct egress *e)
{
	*e = (struct egress){ .n_rows = 1 }; /* 0 means none */
}

void egress_done(struct egress *e)
{
	free(e->slots);
	free(e->rows);
	*e = (struct egress){ 0 };
}

static int by_claim(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static uint32_t position_of(uint64_t claim)
{
	return (uint32_t)(claim & ((1U << CLAIM_POSITION_BITS) - 1));
}

static bool same_group(const struct group *a, const struct group *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (position_of(a->claims[i]) != position_of(b->claims[i]))
			return false;
	return true;
}

/* The place of `g` in an open-addressed table, taken or free. */
static struct group *find_group(struct group *groups, size_t mask, const struct group *g)
{
	uint64_t hash = g->n;
	for (size_t i = 0; i < g->n; i++)
		hash = random_mix(hash ^ position_of(g->claims[i])) + i;
	size_t at = hash & mask;
	while (groups[at].row != 0 && !same_group(&groups[at], g))
		at = (at + 1) & mask;
	return &groups[at];
}

/* *items has room for one more batch of `more`. */
static enum err grow(void **items, size_t size, size_t used, size_t more, size_t *room)
{
	if (used + more <= *room)
		return ERR_OK;
	const size_t wanted = 2 * (used + more);
	void *bigger = realloc(*items, wanted * size);
	if (bigger == NULL)
		return ERR_NOMEM;
	*items = bigger;
	*room = wanted;
	return ERR_OK;
}

/* For each PID the nearest of the group; the first in the document among equals. */
static enum err add_row(struct egress *e, const struct egress_provider *p, struct group *g)
{
	e->work += (uint64_t)p->n_pids * g->n;
	if (e->work > EGRESS_WORK_MAX)
		return ERR_RANGE;
	void *rows = e->rows;
	const enum err err = grow(&rows, sizeof(*e->rows), e->n_rows, p->n_pids, &e->rows_room);
	e->rows = rows;
	if (err != ERR_OK)
		return err;

	for (uint32_t near = 0; near < p->n_pids; near++) {
		const uint32_t *distance = p->distance + (size_t)near * p->n_pids;
		uint32_t best = position_of(g->claims[0]);
		for (size_t i = 1; i < g->n; i++) {
			const uint32_t position = position_of(g->claims[i]);
			if (distance[p->pid_of[position]] < distance[p->pid_of[best]])
				best = position;
		}
		e->rows[e->n_rows + near] = p->first_interconnect + best;
	}
	g->row = (uint32_t)e->n_rows;
	e->n_rows += p->n_pids;
	return ERR_OK;
}

static enum err add_node(struct egress *e, const struct egress_slot *slot)
{
	void *slots = e->slots;
	const enum err err = grow(&slots, sizeof(*slot), e->n_slots_used, 1, &e->slots_room);
	e->slots = slots;
	if (err == ERR_OK)
		e->slots[e->n_slots_used++] = *slot;
	return err;
}

/* Sorts, and drops repetitions (a reach may name an ASN twice). */
static size_t put_in_order(uint64_t *claims, size_t n)
{
	size_t kept = 0;
	if (n > 0)
		qsort(claims, n, sizeof(*claims), by_claim);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || claims[kept - 1] != claims[i])
			claims[kept++] = claims[i];
	return kept;
}

enum err egress_add(struct egress *e, const struct egress_provider *p, uint64_t *claims, size_t n)
{
	enum err err = ERR_OK;
	size_t slots = 16;

	n = put_in_order(claims, n);
	while (slots < 2 * n)
		slots *= 2;
	struct group *groups = calloc(slots, sizeof(*groups));
	if (groups == NULL)
		return ERR_NOMEM;

	for (size_t i = 0, end; i < n && err == ERR_OK; i = end) {
		struct group g = { .claims = &claims[i] };
		const uint64_t best = claims[i] >> CLAIM_POSITION_BITS; /* node and relation */
		const uint32_t node = (uint32_t)(claims[i] >> 32);
		while (i + g.n < n && claims[i + g.n] >> CLAIM_POSITION_BITS == best)
			g.n++;
		for (end = i + g.n; end < n && claims[end] >> 32 == node; end++)
			;
		struct group *known = find_group(groups, slots - 1, &g);
		if (known->row == 0) {
			err = add_row(e, p, &g);
			*known = g;
		}
		if (err == ERR_OK)
			err = add_node(e, &(struct egress_slot){ p->index, node, known->row });
	}
	free(groups);
	return err;
}

static size_t home(const struct egress *e, uint32_t provider, uint32_t node)
{
	return random_mix((uint64_t)provider << 32 | node) & e->mask;
}

enum err egress_finish(struct egress *e)
{
	struct egress_slot *given = e->slots;
	const size_t n = e->n_slots_used;
	size_t slots = 16;

	while (slots < 2 * n)
		slots *= 2;
	e->slots = calloc(slots, sizeof(*e->slots));
	if (e->slots == NULL) {
		e->slots = given;
		return ERR_NOMEM;
	}
	e->mask = slots - 1;
	for (size_t i = 0; i < n; i++) {
		size_t at = home(e, given[i].provider, given[i].node);
		while (e->slots[at].row != 0)
			at = (at + 1) & e->mask;
		e->slots[at] = given[i];
	}
	free(given);
	return ERR_OK;
}

uint32_t egress_row(const struct egress *e, uint32_t provider, uint32_t node)
{
	for (size_t at = home(e, provider, node);; at = (at + 1) & e->mask) {
		const struct egress_slot *slot = &e->slots[at];
		if (slot->row == 0 || (slot->provider == provider && slot->node == node))
			return slot->row;
	}
}

size_t egress_bytes(const struct egress *e)
{
	return (e->mask + 1) * sizeof(*e->slots) + e->rows_room * sizeof(*e->rows);
}
