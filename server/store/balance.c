/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/bins.h"
#include "server/store/query.h"

#include <stdlib.h>
#include <string.h>

/* A month of 300 interconnects (2.6 million bins) took 6 s on a busy machine, one day of them 0.6 s. */
enum { REPORT_MS = 60000 };

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

static void balance_row(const struct work *w, size_t row, void *out)
{
	struct store_balance *b = out;
	char source[16];
	work_text(w, row, 0, b->provider, sizeof(b->provider));
	work_text(w, row, 1, b->interconnect, sizeof(b->interconnect));
	work_text(w, row, 2, b->relation, sizeof(b->relation));
	b->neighbor_asn = (uint32_t)work_u64(w, row, 3);
	b->ratio_limit_milli = work_u64(w, row, 4);
	b->has_bins = !work_null(w, row, 5);
	work_text(w, row, 5, source, sizeof(source));
	for (enum store_source s = STORE_ANNOUNCE; s <= STORE_COUNTER; s++)
		if (strcmp(source, bins_source(s)) == 0)
			b->source = s;
	work_text(w, row, 6, b->out_bytes, sizeof(b->out_bytes));
	work_text(w, row, 7, b->in_bytes, sizeof(b->in_bytes));
	b->p95_out_bytes = work_u64(w, row, 8);
	b->p95_in_bytes = work_u64(w, row, 9);
	b->bins_known = work_u64(w, row, 10);
}

enum err store_balance(struct store *s, const struct store_window *window,
                       struct store_balance **out, size_t *count)
{
	struct work w = work_begin(s, "sum bins");
	work_allow(&w, REPORT_MS);
	(void)work_run(&w,
	               BINS_OF_WINDOW
	               ", figures AS (SELECT interconnect, source, sum(out_bytes) AS out_bytes, "
	               " sum(in_bytes) AS in_bytes, "
	               " percentile_disc(0.95) WITHIN GROUP (ORDER BY out_bytes) AS out_p95, "
	               " percentile_disc(0.95) WITHIN GROUP (ORDER BY in_bytes) AS in_p95, "
	               " count(*) AS known "
	               " FROM summed GROUP BY interconnect, source) "
	               "SELECT i.provider, i.id, i.relation, i.neighbor_asn, i.ratio_limit_milli, "
	               " f.source, f.out_bytes, f.in_bytes, f.out_p95, f.in_p95, f.known "
	               "FROM interconnects i LEFT JOIN figures f ON f.interconnect = i.number "
	               "WHERE (i.in_force OR f.source IS NOT NULL) "
	               " AND ($4::text IS NULL OR i.provider = $4) "
	               " AND ($5::text IS NULL OR i.id = $5) "
	               "ORDER BY i.provider, i.id, f.source",
	               ARGS(WINDOW_ARGS(window)));
	size_t n = 0;
	struct store_balance *list = work_list(&w, sizeof(*list), balance_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

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
