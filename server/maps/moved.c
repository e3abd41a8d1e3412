/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/moved.h"

#include "common/ip/lpm.h"
#include "server/maps/guard.h"

#include <stdlib.h>
#include <string.h>

enum { OLD, NEW, SIDES, NESTED_MAX = 130 }; /* prefixes of 0 to 128 bits */

/* A PID's prefixes as entries; their value says the side and the PID's index. */
static size_t list(const struct map_topology *t, unsigned side, struct lpm_entry *out)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n_pids; i++)
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++)
			out[n++] = (struct lpm_entry){ t->pids[i].prefixes[k],
				                       (uint32_t)(i * SIDES + side) };
	return n;
}

static size_t count(const struct map_topology *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n_pids; i++)
		n += t->pids[i].n_prefixes;
	return n;
}

/* The prefixes of one side around the address that the walk is at, the narrowest last. */
struct around {
	const struct lpm_entry *of[NESTED_MAX];
	size_t n;
};

static void leave(struct around *a, const struct ip_addr *at)
{
	while (a->n > 0 && !ip_prefix_has(&a->of[a->n - 1]->prefix, at))
		a->n--;
}

/* NULL: in no PID. */
static const char *pid_of(const struct around *a, const struct map_topology *t)
{
	return a->n > 0 ? t->pids[a->of[a->n - 1]->value / SIDES].name : NULL;
}

/* Walks in order of address, where what covers stands before what it covers. */
static void walk(const struct lpm_entry *e, size_t n, const struct map_topology *const t[SIDES],
                 size_t moved[SIDES])
{
	struct around around[SIDES] = { { .n = 0 } };
	for (size_t i = 0, end; i < n; i = end) {
		size_t here[SIDES] = { 0 };
		leave(&around[OLD], &e[i].prefix.addr);
		leave(&around[NEW], &e[i].prefix.addr);
		for (end = i; end < n && ip_equal(&e[end].prefix.addr, &e[i].prefix.addr); end++) {
			struct around *a = &around[e[end].value % SIDES];
			here[e[end].value % SIDES]++;
			if (a->n < NESTED_MAX) /* a document holds no prefix twice */
				a->of[a->n++] = &e[end];
		}
		const char *before = pid_of(&around[OLD], t[OLD]);
		const char *after = pid_of(&around[NEW], t[NEW]);
		if (before != NULL && (after == NULL || strcmp(before, after) != 0)) {
			moved[OLD] += here[OLD];
			moved[NEW] += here[NEW];
		}
	}
}

enum err maps_moved(const struct map_topology *old, const struct map_topology *now, double *percent)
{
	const size_t n_old = old != NULL ? count(old) : 0, n_new = count(now);
	size_t moved[SIDES] = { 0 };
	*percent = GUARD_UNKNOWN;
	if (n_old == 0)
		return ERR_OK;
	struct lpm_entry *entries = malloc((n_old + n_new) * sizeof(*entries));
	if (entries == NULL)
		return ERR_NOMEM;
	size_t n = list(old, OLD, entries);
	n += list(now, NEW, entries + n);
	const enum err e = lpm_sort(entries, n);
	if (e == ERR_OK) {
		walk(entries, n, (const struct map_topology *const[]){ old, now }, moved);
		const double before = 100.0 * (double)moved[OLD] / (double)n_old;
		const double after = n_new > 0 ? 100.0 * (double)moved[NEW] / (double)n_new : 0;
		*percent = before > after ? before : after;
	}
	free(entries);
	return e;
}
