/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which value of n is a percentile: the rank, by the rules that bills are made with, in exact integers.
 *
 * For p = 95 and months of 28, 29, 30 and 31 days of 5-minute bins, counted from the largest value:
 *
 *   nearest           404      418      433      447      value number ceil(p n / 100) from the smallest,
 *                                                         PostgreSQL's percentile_disc(0.95)
 *   librenms          404      419      433      447      round(p n / 100), half up
 *   cacti             405      419      433      448      ceil((100 - p) n / 100) more are above it
 *   interpolated      404.15   418.55   432.95   447.35   percentile_cont, Akvorado
 *   rrd-percent(nan)  404      419      433      447      round(p (n - 1) / 100) are below it, half up
 *
 * Where the rule points beyond the values, the smallest is taken (cacti, n = 1).
 *
 * Source: each tool's own code; of rrdtool src/rrd_graph.c, vdef_calc(), where round() and not a ceiling
 * finds the index, so that it differs from nearest rank in a month of 29 days. Both were put to rrdtool
 * 1.7.2 (VDEF 95,PERCENT and PERCENTNAN of a month of steps 1, 2, 3 ...): it answers the ranks above.
 *
 * Pure.
 */

#include <stddef.h>
#include <stdint.h>

enum rank_method {
	RANK_NEAREST,
	RANK_LIBRENMS,
	RANK_CACTI,
	RANK_INTERPOLATED,
	RANK_RRD_PERCENT,    /* of all bins, those unknown below any number */
	RANK_RRD_PERCENTNAN, /* of the known ones */
	RANK_METHODS
};

enum { RANK_PERCENTILE_MIN = 50, RANK_PERCENTILE_MAX = 100 };

extern const char *const rank_method_names[RANK_METHODS + 1];

/* Between value number `place` and `place` + 1 from the top, the largest being 1: so many hundredths of the
 * way down. Hundredths are 0 for all methods but RANK_INTERPOLATED. */
struct rank {
	size_t place;
	unsigned hundredths;
};

/* n > 0, percentile in the range above. */
struct rank rank_of(enum rank_method method, unsigned percentile, size_t n);

/*
 * The value number `place` (1..n) from the top, in expected time O(n). Rearranges `values`: those before
 * values[place - 1], which is the result, are not below it, those after it not above.
 */
uint64_t rank_select(uint64_t *values, size_t n, size_t place);
