/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/select.h"

#include "common/base/err.h"
#include "common/base/random.h"

static void swap(uint64_t *a, uint64_t *b)
{
	const uint64_t kept = *a;
	*a = *b;
	*b = kept;
}

static uint64_t middle(uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t low = a < b ? a : b, high = a < b ? b : a;
	return c < low ? low : c > high ? high : c;
}

/*
 * Quickselect. The pivot is the middle of three drawn ones, so that no order of the values is a bad one;
 * three-way, because an idle link has a thousand equal bins.
 */
uint64_t select_smallest(uint64_t *values, size_t n, size_t k)
{
	must(k >= 1 && k <= n);
	uint64_t seed = n;
	size_t from = 0, to = n;
	for (;;) {
		const size_t span = to - from;
		const uint64_t pivot = middle(values[from + random_next(&seed) % span],
		                              values[from + random_next(&seed) % span],
		                              values[from + random_next(&seed) % span]);
		size_t less = from, at = from, more = to;
		while (at < more) {
			if (values[at] < pivot)
				swap(&values[at++], &values[less++]);
			else if (values[at] > pivot)
				swap(&values[at], &values[--more]);
			else
				at++;
		}
		if (k <= less)
			to = less;
		else if (k > more)
			from = more;
		else
			return pivot;
	}
}
