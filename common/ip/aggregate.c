/* SPDX-License-Identifier: Apache-2.0 */
#include "common/ip/aggregate.h"

#include <stdlib.h>
#include <string.h>

/*
 * Longest prefixes first: two halves of the same value become the prefix around them, which then is
 * one of the next length, and hides one that stood there, for nothing of that was left to be seen. What
 * remains is walked once in order, with the prefixes around the present one on a stack.
 */

enum { LENGTHS = 129 };

struct work {
	struct lpm_entry *by_length; /* of each length, in order */
	size_t first[LENGTHS + 1];   /* where a length begins in it */
	struct lpm_entry *merged;    /* of the length before, its halves put together; in order */
	struct lpm_entry *now;       /* all of this length */
};

static size_t drop_overruled(struct lpm_entry *e, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || ip_prefix_compare(&e[i].prefix, &e[i + 1].prefix) != 0)
			e[kept++] = e[i];
	return kept;
}

static void sort_by_length(struct work *w, const struct lpm_entry *e, size_t n)
{
	size_t at[LENGTHS];
	for (size_t i = 0; i < n; i++)
		w->first[e[i].prefix.length + 1]++;
	for (size_t i = 1; i <= LENGTHS; i++)
		w->first[i] += w->first[i - 1];
	memcpy(at, w->first, sizeof(at));
	for (size_t i = 0; i < n; i++)
		w->by_length[at[e[i].prefix.length]++] = e[i];
}

/* Those that were given with this length and those that came of merging, in order; the latter win. */
static size_t gather(struct work *w, unsigned length, size_t n_merged)
{
	const struct lpm_entry *a = &w->by_length[w->first[length]], *b = w->merged;
	const struct lpm_entry *a_end = &w->by_length[w->first[length + 1]], *b_end = b + n_merged;
	size_t n = 0;
	while (a < a_end || b < b_end) {
		const int order = a == a_end   ? 1
		                  : b == b_end ? -1
		                               : ip_prefix_compare(&a->prefix, &b->prefix);
		w->now[n++] = order < 0 ? *a : *b;
		a += order <= 0;
		b += order >= 0;
	}
	return n;
}

static struct ip_prefix around(const struct ip_prefix *p)
{
	struct ip_prefix outer = *p;
	outer.length--;
	outer.addr.bytes[outer.length / 8] &= (uint8_t) ~(0x80U >> outer.length % 8);
	return outer;
}

/* Puts halves of the same value together; the others are final, and go to `out`. */
static size_t merge_halves(struct work *w, size_t n, struct lpm_entry *out, size_t *n_out)
{
	size_t n_merged = 0;
	for (size_t i = 0; i < n; i++) {
		const struct lpm_entry *e = &w->now[i];
		if (e->prefix.length > 0 && i + 1 < n && e->value == e[1].value) {
			const struct ip_prefix outer = around(&e->prefix),
					       other = around(&e[1].prefix);
			if (ip_prefix_compare(&outer, &other) == 0) {
				w->merged[n_merged++] = (struct lpm_entry){ outer, e->value };
				i++;
				continue;
			}
		}
		out[(*n_out)++] = *e;
	}
	return n_merged;
}

/* What lies in a prefix of the same value, with none of another between them, says nothing new. */
static size_t drop_covered(struct lpm_entry *e, size_t n)
{
	struct lpm_entry stack[LENGTHS];
	size_t depth = 0, kept = 0;
	for (size_t i = 0; i < n; i++) {
		const struct lpm_entry now = e[i];
		while (depth > 0 && !ip_prefix_covers(&stack[depth - 1].prefix, &now.prefix))
			depth--;
		if (depth > 0 && stack[depth - 1].value == now.value)
			continue;
		stack[depth++] = now;
		e[kept++] = now;
	}
	return kept;
}

enum err ip_aggregate(struct lpm_entry *entries, size_t *n)
{
	if (lpm_sort(entries, *n) != ERR_OK)
		return ERR_NOMEM;
	struct work w = { 0 };
	const size_t room = *n > 0 ? *n : 1;
	w.by_length = malloc(room * sizeof(*w.by_length));
	w.merged = malloc(room * sizeof(*w.merged));
	w.now = malloc(room * sizeof(*w.now));
	enum err e = ERR_NOMEM;
	if (w.by_length != NULL && w.merged != NULL && w.now != NULL) {
		size_t n_out = 0, n_merged = 0;
		sort_by_length(&w, entries, drop_overruled(entries, *n));
		for (unsigned length = LENGTHS; length-- > 0;)
			n_merged = merge_halves(&w, gather(&w, length, n_merged), entries, &n_out);
		e = lpm_sort(entries, n_out);
		*n = e == ERR_OK ? drop_covered(entries, n_out) : n_out;
	}
	free(w.by_length);
	free(w.merged);
	free(w.now);
	return e;
}
