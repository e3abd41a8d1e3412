/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/localise.h"

#include "common/base/random.h"

#include <stdlib.h>

struct bid {
	double delay;
	uint64_t lot;
	uint32_t peer;
};

/* One way, but for the access lines. */
static double crossing(const struct localise *l, uint32_t from, uint32_t to)
{
	const struct network *n = l->network;
	const struct network_path *path = network_path(n, from, to);
	double ms = 0;
	for (uint32_t i = 0; i < path->n; i++) {
		const struct segment *s = &n->segments[n->steps[path->at + i]];
		ms += s->interconnect ? l->scenario->interconnect_ms
		                      : s->weight * l->scenario->us_per_weight / 1000;
	}
	return ms;
}

double localise_delay(const struct localise *l, uint32_t a, uint32_t b)
{
	const struct person *x = &l->population->people[a], *y = &l->population->people[b];
	return 2 * (x->delay_ms + y->delay_ms) + crossing(l, x->site, y->site) +
	       crossing(l, y->site, x->site);
}

static int by_delay(const void *a, const void *b)
{
	const struct bid *x = a, *y = b;
	if (x->delay < y->delay || y->delay < x->delay)
		return x->delay < y->delay ? -1 : 1;
	return x->lot < y->lot ? -1 : x->lot > y->lot;
}

void localise_sort(const struct localise *l, uint32_t peer, uint32_t *peers, size_t n,
                   uint64_t *seed)
{
	struct bid bids[SCENARIO_MEASURED_MAX];
	must(n <= SCENARIO_MEASURED_MAX);
	for (size_t i = 0; i < n; i++)
		bids[i] = (struct bid){ localise_delay(l, peer, peers[i]), random_next(seed),
			                peers[i] };
	qsort(bids, n, sizeof(*bids), by_delay);
	for (size_t i = 0; i < n; i++)
		peers[i] = bids[i].peer;
}
