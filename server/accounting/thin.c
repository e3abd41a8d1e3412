/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/thin.h"

#include "common/base/random.h"

#include <math.h>
#include <stdlib.h>

enum { POWERS = 32 };

static double weight(const struct tally_cell *c, double kept)
{
	return (double)(c->first + c->later) * kept;
}

static size_t alive(const struct bin *b, const struct bin_swarm *s, double kept)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_cells; i++)
		n += weight(&b->tally.cells[s->cells[i]], kept) >= CONTACTS_LEAST;
	return n;
}

static unsigned power_of(size_t n)
{
	unsigned power = 0;
	while (power + 1 < POWERS && n >> (power + 1) != 0)
		power++;
	return power;
}

/* Cells that each swarm may keep, a power of two. */
static size_t each_may_keep(const struct bin *b, struct bin_walk walk, double kept, size_t most)
{
	size_t swarms[POWERS] = { 0 },
	       cells[POWERS] = { 0 }; /* by the power of two of their size */
	struct bin_swarm s;
	while (bin_walk_next(&walk, &s)) {
		const size_t n = alive(b, &s, kept);
		swarms[power_of(n)] += n > 0;
		cells[power_of(n)] += n;
	}
	size_t smaller = 0, larger = 0;
	for (unsigned i = 0; i < POWERS; i++)
		smaller += cells[i];
	for (unsigned i = POWERS; i-- > 1;) {
		if (smaller + (larger << (i + 1)) <= most)
			return (size_t)1 << (i + 1);
		smaller -= cells[i];
		larger += swarms[i];
	}
	return smaller + 2 * larger <= most ? 2 : 1;
}

/* How many stay when `least` is the threshold, on the average. */
static double expected(const struct bin *b, const struct bin_swarm *s, double kept, double least)
{
	double n = 0;
	for (size_t i = 0; i < s->n_cells; i++) {
		const double w = weight(&b->tally.cells[s->cells[i]], kept);
		n += w >= CONTACTS_LEAST ? fmin(1, w / least) : 0;
	}
	return n;
}

/* In [0, 1). */
static double lot(const struct tally_cell *c, uint64_t seed)
{
	const uint64_t pair = (uint64_t)c->from << 32 | c->to;
	return (double)(random_mix(c->swarm ^ random_mix(pair ^ seed)) >> 11) * 0x1p-53;
}

static void plan_swarm(const struct bin *b, const struct bin_swarm *s, double kept, size_t keep,
                       uint64_t seed, float *plan)
{
	double least = CONTACTS_LEAST;
	while (expected(b, s, kept, least) > (double)keep)
		least *= 2;
	for (size_t i = 0; i < s->n_cells; i++) {
		const struct tally_cell *c = &b->tally.cells[s->cells[i]];
		const double w = weight(c, kept);
		if (w < CONTACTS_LEAST)
			plan[s->cells[i]] = 0;
		else if (w >= least)
			plan[s->cells[i]] = (float)kept;
		else
			plan[s->cells[i]] =
				lot(c, seed) < w / least ? (float)(kept * least / w) : 0;
	}
}

float *thin_plan(const struct bin *b, double kept, size_t most, uint64_t seed)
{
	struct bin_walk walk;
	struct bin_swarm s;
	float *plan = calloc(b->tally.n_cells + 1, sizeof(*plan));
	if (plan == NULL || bin_walk_init(&walk, b) != ERR_OK) {
		free(plan);
		return NULL;
	}
	const size_t keep = each_may_keep(b, walk, kept, most);
	const uint64_t lots = random_mix(seed);
	struct bin_walk at = walk; /* from its start */
	while (bin_walk_next(&at, &s))
		plan_swarm(b, &s, kept, keep, lots, plan);
	bin_walk_done(&walk);
	return plan;
}
