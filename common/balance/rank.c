/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/rank.h"

#include "common/base/err.h"
#include "common/base/random.h"

#include <stdbool.h>

const char *const rank_method_names[RANK_METHODS + 1] = {
	[RANK_NEAREST] = "nearest",
	[RANK_LIBRENMS] = "librenms",
	[RANK_CACTI] = "cacti",
	[RANK_INTERPOLATED] = "interpolated",
	[RANK_RRD_PERCENT] = "rrd-percent",
	[RANK_RRD_PERCENTNAN] = "rrd-percentnan",
};

/* How many values are below the one wanted; for the interpolated one, below the upper of its two. */
static size_t below(enum rank_method method, size_t p, size_t n)
{
	switch (method) {
	case RANK_NEAREST:
		return (p * n + 99) / 100 - 1;
	case RANK_LIBRENMS:
		return (p * n + 50) / 100 - 1;
	case RANK_CACTI: {
		const size_t above = ((100 - p) * n + 99) / 100;
		return above < n ? n - 1 - above : 0;
	}
	case RANK_INTERPOLATED:
		return ((n - 1) * p + 99) / 100;
	case RANK_RRD_PERCENT:
	case RANK_RRD_PERCENTNAN:
		return (p * (n - 1) + 50) / 100;
	case RANK_METHODS:
		break;
	}
	must(false);
	return 0;
}

struct rank rank_of(enum rank_method method, unsigned percentile, size_t n)
{
	must(n > 0 && n <= SIZE_MAX / 128);
	must(percentile >= RANK_PERCENTILE_MIN && percentile <= RANK_PERCENTILE_MAX);
	struct rank r = { .place = n - below(method, percentile, n) };
	if (method == RANK_INTERPOLATED)
		r.hundredths = (unsigned)((100 - (n - 1) * percentile % 100) % 100);
	return r;
}

static void swap(uint64_t *a, uint64_t *b)
{
	const uint64_t t = *a;
	*a = *b;
	*b = t;
}

/* Hoare's selection with three parts, because whole months of zeros are common. The pivot is drawn, so
 * that no order of the values is slow. */
uint64_t rank_select(uint64_t *values, size_t n, size_t place)
{
	must(place >= 1 && place <= n && n <= UINT32_MAX);
	const size_t wanted = place - 1;
	uint64_t seed = n;
	size_t from = 0, to = n;
	for (;;) {
		const uint64_t pivot = values[from + random_below(&seed, (uint32_t)(to - from))];
		size_t larger = from, at = from, smaller = to; /* [from, larger) > pivot ... */
		while (at < smaller) {
			if (values[at] > pivot)
				swap(&values[at++], &values[larger++]);
			else if (values[at] < pivot)
				swap(&values[at], &values[--smaller]);
			else
				at++;
		}
		if (wanted < larger)
			to = larger;
		else if (wanted >= smaller)
			from = smaller;
		else
			return pivot;
	}
}
