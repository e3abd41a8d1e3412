/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/overlap.h"

#include "common/base/random.h"
#include "common/base/table.h"
#include "common/ip/spans.h"

#include <stdlib.h>
#include <string.h>

/* The prefixes of one topology. */
struct side {
	struct lpm_entry *entries; /* sorted; `value` is its number, + 1 */
	uint32_t *pids;            /* by entry */
	size_t n, n_v4;
};

struct overlay {
	struct side before, after;
	uint32_t *renamed; /* by PID of before: the one of that name after, or MAP_NO_PID */
	struct map_overlap *list;
	size_t n, room;
	uint32_t *index; /* number in the list, + 1; 0: free */
	size_t mask;
	size_t last; /* found: neighbours mostly are in the same */
};

enum { FIRST_ROOM = 256 };

/* ---- the prefixes ---- */

static void side_done(struct side *s)
{
	free(s->entries);
	free(s->pids);
}

static enum err side_make(const struct map_topology *t, struct side *out)
{
	size_t n = 0;
	for (size_t i = 0; t != NULL && i < t->n_pids; i++)
		n += t->pids[i].n_prefixes;
	out->entries = malloc((n + 1) * sizeof(*out->entries));
	out->pids = malloc((n + 1) * sizeof(*out->pids));
	if (out->entries == NULL || out->pids == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; t != NULL && i < t->n_pids; i++)
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++)
			out->entries[out->n++] =
				(struct lpm_entry){ t->pids[i].prefixes[k], (uint32_t)i };
	const enum err e = lpm_sort(out->entries, out->n);
	for (size_t i = 0; i < out->n && e == ERR_OK; i++) {
		out->n_v4 += out->entries[i].prefix.addr.family == IP_V4;
		out->pids[i] = out->entries[i].value;
		out->entries[i].value = (uint32_t)i + 1;
	}
	return e;
}

static enum err match_names(const struct map_topology *before, const struct map_topology *after,
                            struct overlay *o)
{
	const size_t n = before != NULL ? before->n_pids : 0;
	struct table *names = table_new(after->n_pids);
	o->renamed = malloc((n + 1) * sizeof(*o->renamed));
	enum err e = names == NULL || o->renamed == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t i = 0; i < after->n_pids && e == ERR_OK; i++)
		e = table_add(names, after->pids[i].name, (uint32_t)i, NULL);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		if (!table_find(names, before->pids[i].name, &o->renamed[i]))
			o->renamed[i] = MAP_NO_PID;
	table_free(names);
	return e;
}

/* Two sorted lists, side by side. */
static void count_lines(const struct overlay *o, struct map_prefix_counts *out)
{
	const struct side *a = &o->before, *b = &o->after;
	size_t i = 0, j = 0;
	*out = (struct map_prefix_counts){ 0 };
	while (i < a->n || j < b->n) {
		const int c = i == a->n   ? 1
		              : j == b->n ? -1
		                          : ip_prefix_compare(&a->entries[i].prefix,
		                                              &b->entries[j].prefix);
		out->removed += c < 0;
		out->added += c > 0;
		if (c == 0 && o->renamed[a->pids[i]] == b->pids[j])
			out->kept++;
		else if (c == 0)
			out->moved++;
		i += c <= 0;
		j += c >= 0;
	}
}

/* ---- the pairs ---- */

static size_t slot_of(const struct overlay *o, uint32_t before, uint32_t after)
{
	size_t at = random_mix((uint64_t)before << 32 | after) & o->mask;
	while (o->index[at] != 0 && (o->list[o->index[at] - 1].before != before ||
	                             o->list[o->index[at] - 1].after != after))
		at = (at + 1) & o->mask;
	return at;
}

static enum err grow(struct overlay *o)
{
	const size_t room = o->room > 0 ? 2 * o->room : FIRST_ROOM;
	struct map_overlap *list = realloc(o->list, room * sizeof(*list));
	uint32_t *index = list != NULL ? calloc(2 * room, sizeof(*index)) : NULL;
	o->list = list != NULL ? list : o->list;
	if (index == NULL)
		return ERR_NOMEM;
	free(o->index);
	o->index = index;
	o->mask = 2 * room - 1;
	o->room = room;
	for (size_t i = 0; i < o->n; i++)
		o->index[slot_of(o, o->list[i].before, o->list[i].after)] = (uint32_t)i + 1;
	return ERR_OK;
}

/* NULL when out of memory. */
static struct map_overlap *pair_of(struct overlay *o, uint32_t before, uint32_t after)
{
	if (o->n > 0 && o->list[o->last].before == before && o->list[o->last].after == after)
		return &o->list[o->last];
	if (o->n == o->room && grow(o) != ERR_OK)
		return NULL;
	const size_t slot = slot_of(o, before, after);
	if (o->index[slot] == 0) {
		o->list[o->n++] = (struct map_overlap){
			.before = before,
			.after = after,
			.stays = before != MAP_NO_PID && o->renamed[before] == after &&
			         after != MAP_NO_PID,
		};
		o->index[slot] = (uint32_t)o->n;
	}
	o->last = o->index[slot] - 1;
	return &o->list[o->last];
}

/* The more specific of two entries (0: none); one of both is there. */
static const struct ip_prefix *narrower(const struct overlay *o, uint32_t a, uint32_t b)
{
	const struct ip_prefix *x = a != 0 ? &o->before.entries[a - 1].prefix : NULL;
	const struct ip_prefix *y = b != 0 ? &o->after.entries[b - 1].prefix : NULL;
	if (x == NULL || y == NULL)
		return x == NULL ? y : x;
	return x->length > y->length ? x : y;
}

static enum err add(struct overlay *o, uint32_t a, uint32_t b, struct ip_number first,
                    struct ip_number end)
{
	if (a == 0 && b == 0)
		return ERR_OK;
	struct map_overlap *pair = pair_of(o, a != 0 ? o->before.pids[a - 1] : MAP_NO_PID,
	                                   b != 0 ? o->after.pids[b - 1] : MAP_NO_PID);
	if (pair == NULL)
		return ERR_NOMEM;
	const struct ip_prefix *p = narrower(o, a, b);
	const struct ip_number begin = ip_number(&p->addr);
	if (p->addr.family == IP_V4)
		pair->addresses_v4 += (end.hi - first.hi) >> 32; /* the end of all is 0 */
	else
		pair->networks_v6 += end.hi - first.hi + (end.lo > first.lo);
	if (begin.hi == first.hi && begin.lo == first.lo) {
		if (pair->prefixes < MAP_EXAMPLES)
			pair->examples[pair->prefixes] = *p;
		pair->prefixes++;
	}
	return ERR_OK;
}

/* Two lists of spans, side by side: each piece that both have as a whole. */
static enum err lay_over(struct overlay *o, const struct spans *a, const struct spans *b)
{
	static const struct ip_number end = { 0 };
	struct ip_number at = { 0 };
	enum err e = ERR_OK;
	for (size_t i = 0, j = 0; i < a->n && e == ERR_OK;) {
		const bool a_last = i + 1 == a->n, b_last = j + 1 == b->n;
		const struct ip_number a_end = a_last ? end : a->starts[i + 1];
		const struct ip_number b_end = b_last ? end : b->starts[j + 1];
		const bool a_first = !a_last && (b_last || !ip_number_above(a_end, b_end));
		const bool b_first = !b_last && (a_last || !ip_number_above(b_end, a_end));
		const struct ip_number next = a_first ? a_end : b_end;
		e = add(o, a->values[i], b->values[j], at, next);
		if (a_last && b_last)
			break;
		i += a_first;
		j += b_first;
		at = next;
	}
	return e;
}

static enum err lay_family(struct overlay *o, bool wide)
{
	struct spans a = { 0 }, b = { 0 };
	const struct side *x = &o->before, *y = &o->after;
	enum err e =
		spans_make(x->entries + (wide ? x->n_v4 : 0), wide ? x->n - x->n_v4 : x->n_v4, &a);
	if (e == ERR_OK)
		e = spans_make(y->entries + (wide ? y->n_v4 : 0), wide ? y->n - y->n_v4 : y->n_v4,
		               &b);
	if (e == ERR_OK)
		e = lay_over(o, &a, &b);
	spans_done(&a);
	spans_done(&b);
	return e;
}

static int by_size(const void *a, const void *b)
{
	const struct map_overlap *x = a, *y = b;
	if (x->stays != y->stays)
		return x->stays ? 1 : -1;
	if (x->addresses_v4 != y->addresses_v4)
		return x->addresses_v4 > y->addresses_v4 ? -1 : 1;
	if (x->networks_v6 != y->networks_v6)
		return x->networks_v6 > y->networks_v6 ? -1 : 1;
	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	return (x->after > y->after) - (x->after < y->after);
}

enum err map_overlaps(const struct map_topology *before, const struct map_topology *after,
                      struct map_overlap **out, size_t *n, struct map_prefix_counts *counts)
{
	struct overlay o = { 0 };
	enum err e = side_make(before, &o.before);
	if (e == ERR_OK)
		e = side_make(after, &o.after);
	if (e == ERR_OK)
		e = match_names(before, after, &o);
	if (e == ERR_OK)
		e = grow(&o);
	for (unsigned wide = 0; wide < 2 && e == ERR_OK; wide++)
		e = lay_family(&o, wide != 0);
	if (e == ERR_OK) {
		count_lines(&o, counts);
		qsort(o.list, o.n, sizeof(*o.list), by_size);
		*out = o.list;
		*n = o.n;
	} else {
		free(o.list);
	}
	side_done(&o.before);
	side_done(&o.after);
	free(o.renamed);
	free(o.index);
	return e;
}
