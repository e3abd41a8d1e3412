/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bins.h"
#include "server/store/query.h"

#include <stdlib.h>

/*
 * Bins of the window's length that lie wholly inside it; nodes are summed first, because the 95th
 * percentile of a sum is not the sum of percentiles. $1 from, $2 to, $3 seconds, $4 provider,
 * $5 interconnect.
 */
#define BINS_OF_WINDOW                                                            \
	"WITH summed AS (SELECT b.interconnect, b.source, b.start, "              \
	" sum(b.out_bytes) AS out_bytes, sum(b.in_bytes) AS in_bytes "            \
	" FROM bins b JOIN interconnects i ON i.number = b.interconnect "         \
	" WHERE b.start >= $1 AND b.start <= $2::bigint - $3::integer "           \
	" AND b.seconds = $3::integer AND ($4::text IS NULL OR i.provider = $4) " \
	" AND ($5::text IS NULL OR i.id = $5) "                                   \
	" GROUP BY b.interconnect, b.source, b.start) "

#define WINDOW_ARGS(w)                                                                            \
	arg_i64((w)->from), arg_i64((w)->to), arg_u64((w)->bin_seconds), arg_text((w)->provider), \
		arg_text((w)->interconnect)

static void point_row(const struct work *w, size_t row, void *out)
{
	struct store_point *p = out;
	p->start = work_i64(w, row, 0);
	p->out_bytes = work_u64(w, row, 1);
	p->in_bytes = work_u64(w, row, 2);
}

enum err store_series(struct store *s, const struct store_window *window, enum store_source source,
                      struct store_point **out, size_t *count)
{
	struct work w = work_begin(s, "read bins");
	(void)work_run(&w,
	               "SELECT * FROM (" BINS_OF_WINDOW
	               " SELECT start, sum(out_bytes), sum(in_bytes) FROM summed "
	               " WHERE source = $6::text::bin_source "
	               " GROUP BY start ORDER BY start DESC LIMIT $7) newest ORDER BY start",
	               ARGS(WINDOW_ARGS(window), arg_text(bins_source(source)),
	                    arg_u64(STORE_SERIES_MAX)));
	size_t n = 0;
	struct store_point *list = work_list(&w, sizeof(*list), point_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
