/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/bootstrap.h"

#include "common/base/random.h"

#include <stdlib.h>

double bootstrap_share(const struct bootstrap_arm *arm)
{
	double part = 0, whole = 0;
	for (size_t i = 0; i < arm->n; i++) {
		part += arm->units[i].part;
		whole += arm->units[i].whole;
	}
	return whole > 0 ? part / whole : 0;
}

static bool is_enough(const struct bootstrap_arm *arm)
{
	size_t n = 0;
	for (size_t i = 0; i < arm->n; i++)
		n += arm->units[i].whole > 0;
	return n >= BOOTSTRAP_LEAST && arm->n <= UINT32_MAX;
}

/* The share of as many units as there are, drawn with replacement; again when all of them are empty. */
static double draw(const struct bootstrap_arm *arm, uint64_t *seed)
{
	double part = 0, whole = 0;
	while (whole <= 0) {
		for (size_t i = 0; i < arm->n; i++) {
			const struct bootstrap_unit *u =
				&arm->units[random_below(seed, (uint32_t)arm->n)];
			part += u->part;
			whole += u->whole;
		}
	}
	return part / whole;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

bool bootstrap_difference(const struct bootstrap_arm *a, const struct bootstrap_arm *b,
                          uint64_t seed, struct bootstrap_interval *out)
{
	double draws[BOOTSTRAP_DRAWS];
	if (!is_enough(a) || !is_enough(b))
		return false;
	for (unsigned i = 0; i < BOOTSTRAP_DRAWS; i++)
		draws[i] = draw(a, &seed) - draw(b, &seed);
	qsort(draws, BOOTSTRAP_DRAWS, sizeof(draws[0]), by_size);
	*out = (struct bootstrap_interval){ draws[BOOTSTRAP_DRAWS / 40 - 1],
		                            draws[BOOTSTRAP_DRAWS * 39 / 40 - 1] };
	return true;
}
