/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/watch.h"

#include "common/balance/quality.h"
#include "server/store/bins.h"
#include "server/store/query.h"

#include <stdlib.h>
#include <string.h>

enum { WATCH_MS = 60000 };

#define WINDOW_ARGS(w) arg_i64((w)->from), arg_i64((w)->to), arg_u64((w)->bin_seconds)

static enum store_source get_source(const struct work *w, size_t row, int column)
{
	char name[16];
	work_text(w, row, column, name, sizeof(name));
	for (enum store_source s = STORE_ANNOUNCE; s < STORE_COUNTER; s++)
		if (strcmp(name, bins_source(s)) == 0)
			return s;
	return STORE_COUNTER;
}

static enum err finish(struct work *w, void *list, size_t n, void **out, size_t *count)
{
	const enum err e = work_end(w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

static void sum_row(const struct work *w, size_t row, void *out)
{
	struct store_watch_sum *r = out;
	work_text(w, row, 0, r->provider, sizeof(r->provider));
	work_text(w, row, 1, r->interconnect, sizeof(r->interconnect));
	work_text(w, row, 2, r->relation, sizeof(r->relation));
	r->capacity_mbps = work_u64(w, row, 3);
	r->ratio_limit_milli = work_u64(w, row, 4);
	r->source = get_source(w, row, 5);
	r->out_bytes = work_u64(w, row, 6);
	r->in_bytes = work_u64(w, row, 7);
	r->discontinuities = work_u64(w, row, 8);
}

enum err store_watch_sums(struct store *s, const struct store_window *window,
                          struct store_watch_sum **out, size_t *count)
{
	struct work w = work_begin(s, "sum what is watched");
	size_t n = 0;
	work_allow(&w, WATCH_MS);
	(void)work_run(
		&w,
		"SELECT DISTINCT ON (i.provider, i.id) i.provider, i.id, i.relation, "
		" i.capacity_mbps, i.ratio_limit_milli, b.source, sum(b.out_bytes), "
		" sum(b.in_bytes), sum(count(*) FILTER (WHERE b.quality & $4::integer <> 0)) "
		"  OVER (PARTITION BY i.number) "
		"FROM bins b JOIN interconnects i ON i.number = b.interconnect "
		"WHERE b.start >= $1 AND b.start <= $2::bigint - $3::integer "
		" AND b.seconds = $3::integer AND i.in_force "
		"GROUP BY i.number, b.source ORDER BY i.provider, i.id, "
		" b.source = 'announce', count(DISTINCT b.start) DESC, b.source <> 'flow'",
		ARGS(WINDOW_ARGS(window), arg_u64(BIN_DISCONTINUITY)));
	void *list = work_list(&w, sizeof(**out), sum_row, &n), *done;
	const enum err e = finish(&w, list, n, &done, count);
	if (e == ERR_OK)
		*out = done;
	return e;
}

static void last_row(const struct work *w, size_t row, void *out)
{
	struct store_watch_last *r = out;
	work_text(w, row, 0, r->provider, sizeof(r->provider));
	work_text(w, row, 1, r->interconnect, sizeof(r->interconnect));
	r->source = get_source(w, row, 2);
	r->start = work_i64(w, row, 3);
}

enum err store_watch_last(struct store *s, const struct store_window *window,
                          struct store_watch_last **out, size_t *count)
{
	struct work w = work_begin(s, "look for the newest bins");
	size_t n = 0;
	work_allow(&w, WATCH_MS);
	(void)work_run(&w,
	               "SELECT i.provider, i.id, v.source, b.start FROM interconnects i "
	               "CROSS JOIN (VALUES ('flow'::bin_source), ('counter')) AS v(source) "
	               "CROSS JOIN LATERAL (SELECT start FROM bins "
	               " WHERE interconnect = i.number AND source = v.source AND start >= $1 "
	               "  AND start <= $2::bigint - $3::integer AND seconds = $3::integer "
	               " ORDER BY start DESC LIMIT 1) b "
	               "WHERE i.in_force ORDER BY i.provider, i.id, v.source",
	               ARGS(WINDOW_ARGS(window)));
	void *list = work_list(&w, sizeof(**out), last_row, &n), *done;
	const enum err e = finish(&w, list, n, &done, count);
	if (e == ERR_OK)
		*out = done;
	return e;
}

static void unknown_row(const struct work *w, size_t row, void *out)
{
	struct store_watch_unknown *r = out;
	work_text(w, row, 0, r->provider, sizeof(r->provider));
	r->bytes = work_u64(w, row, 1);
	r->unknown = work_u64(w, row, 2);
}

enum err store_watch_unknown(struct store *s, const struct store_window *window,
                             struct store_watch_unknown **out, size_t *count)
{
	struct work w = work_begin(s, "sum bytes of unknown places");
	size_t n = 0;
	work_allow(&w, WATCH_MS);
	(void)work_run(&w,
	               "SELECT provider, sum(same_pid + same_provider + settlement_free "
	               " + paid_peering + transit + unknown), sum(unknown) FROM steering "
	               "WHERE start >= $1 AND start <= $2::bigint - $3::integer "
	               " AND seconds = $3::integer GROUP BY provider ORDER BY provider",
	               ARGS(WINDOW_ARGS(window)));
	void *list = work_list(&w, sizeof(**out), unknown_row, &n), *done;
	const enum err e = finish(&w, list, n, &done, count);
	if (e == ERR_OK)
		*out = done;
	return e;
}
