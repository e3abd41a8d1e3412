/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest bins of a window, from packed days and, where a day is not packed, from the bins themselves.
 * Days are read in slices, the newest first, and no more of them than there are points to tell.
 */
#include "server/store/bins.h"
#include "server/store/summed.h"

#include <stdlib.h>
#include <string.h>

enum { PAGES_AT_ONCE = 6000, SERIES_MS = 60000 };

struct slot {
	wide out, in;
	bool known;
};

struct series {
	struct work *w;
	const struct store_window *window;
	const char *source;
	char *ids; /* of the interconnects, as an array of PostgreSQL's */
	int64_t days;
	int64_t from, to;   /* of what is looked at now */
	struct slot *slots; /* its bins, from the first that begins in it */
	size_t n_slots;
	struct store_point *points; /* room for STORE_SERIES_MAX, filled from the end */
	size_t n;
};

static int64_t first_bin(const struct series *s)
{
	const int64_t seconds = s->window->bin_seconds;
	return (s->from + seconds - 1) / seconds * seconds;
}

static void count_bin(struct series *s, int64_t start, wide out, wide in)
{
	if (start < s->from || start >= s->to || start + s->window->bin_seconds > s->window->to)
		return;
	struct slot *slot = &s->slots[(start - first_bin(s)) / s->window->bin_seconds];
	slot->out += out;
	slot->in += in;
	slot->known = true;
}

/* The window's interconnects, and the months of which there may be bins. */
static void look_around(struct series *s)
{
	const struct store_window *window = s->window;
	(void)work_run(
		s->w,
		"SELECT coalesce(array_agg(number), '{}')::text, count(*) FROM interconnects "
		"WHERE ($1::text IS NULL OR provider = $1) AND ($2::text IS NULL OR id = $2)",
		ARGS(arg_text(window->provider), arg_text(window->interconnect)));
	if (s->w->err != ERR_OK)
		return;
	size_t size;
	const int64_t n = work_i64(s->w, 0, 1), most = STORE_SERIES_MAX;
	s->ids = work_blob(s->w, 0, 0, &size);
	s->days = PAGES_AT_ONCE / (n > 0 ? n : 1);
	if (s->days > most * window->bin_seconds / DAY)
		s->days = most * window->bin_seconds / DAY;
	s->days += 1;
	s->n_slots = (size_t)(s->days * DAY / window->bin_seconds + 1);
	s->slots = calloc(s->n_slots, sizeof(*s->slots));
	s->points = calloc(STORE_SERIES_MAX, sizeof(*s->points));
	if (s->slots == NULL || s->points == NULL)
		work_fail(s->w, ERR_NOMEM);
	(void)work_run(
		s->w,
		"SELECT coalesce(min(month), 0), coalesce(max(month), 0) FROM "
		" (SELECT extract(epoch FROM to_date(right(relid::text, 7), 'YYYY_MM')) "
		"  ::bigint AS month FROM pg_partition_tree('bin_days') WHERE isleaf) months",
		NULL);
	if (s->w->err != ERR_OK)
		return;
	const int64_t begin = work_i64(s->w, 0, 0), end = month_next(work_i64(s->w, 0, 1));
	s->from = window->from > begin ? window->from : begin;
	s->to = window->to < end ? window->to : end;
}

static void read_days(struct series *s)
{
	struct work *w = s->w;
	const size_t n = work_run_binary(
		w,
		"SELECT start, page FROM bin_days d "
		"WHERE start > $1::bigint - 86400 AND start < $2 AND seconds = $3::integer "
		" AND source = $4::text::bin_source AND interconnect = ANY ($5::text::integer[]) "
		" AND NOT EXISTS "
		" (SELECT FROM bin_days_due q WHERE q.start = d.start AND q.seconds = d.seconds "
		"  AND q.interconnect = d.interconnect AND q.source = d.source)",
		ARGS(arg_i64(s->from), arg_i64(s->to), arg_u64(s->window->bin_seconds),
	             arg_text(s->source), arg_text(s->ids)));
	for (size_t i = 0; i < n && w->err == ERR_OK; i++) {
		struct page_reader p = page_open(work_view(w, i, 1), work_size(w, i, 1),
		                                 (int64_t)work_be(w, i, 0), s->window->bin_seconds);
		struct bin_total bin;
		while (page_next(&p, &bin))
			count_bin(s, bin.start, bin.out, bin.in);
		if (p.bytes.bad)
			work_fail(w, ERR_MALFORMED);
	}
}

/* Of days that are due, whether a page of them is there or not. */
static void read_bins(struct series *s)
{
	const size_t n = work_run(
		s->w,
		"SELECT b.start, sum(b.out_bytes), sum(b.in_bytes) FROM bin_days_due q JOIN bins b "
		" ON b.interconnect = q.interconnect AND b.source = q.source "
		" AND b.start >= q.start AND b.start < q.start + 86400 "
		"WHERE q.start > $1::bigint - 86400 AND q.start < $2 AND q.seconds = $3::integer "
		" AND q.source = $4::text::bin_source AND q.interconnect = ANY ($5::text::integer[]) "
		" AND b.seconds = $3::integer AND b.start >= $1 AND b.start < $2 AND " SUMMED_WHERE
		"GROUP BY b.start",
		ARGS(arg_i64(s->from), arg_i64(s->to), arg_u64(s->window->bin_seconds),
	             arg_text(s->source), arg_text(s->ids)));
	for (size_t i = 0; i < n; i++)
		count_bin(s, work_i64(s->w, i, 0), work_u64(s->w, i, 1), work_u64(s->w, i, 2));
}

static uint64_t in_64_bits(wide n)
{
	return n < UINT64_MAX ? (uint64_t)n : UINT64_MAX;
}

static void take_points(struct series *s)
{
	for (size_t i = s->n_slots; i-- > 0 && s->n < STORE_SERIES_MAX;) {
		const struct slot *slot = &s->slots[i];
		if (slot->known)
			s->points[STORE_SERIES_MAX - ++s->n] =
				(struct store_point){ .start = first_bin(s) +
				                               (int64_t)i * s->window->bin_seconds,
				                      .out_bytes = in_64_bits(slot->out),
				                      .in_bytes = in_64_bits(slot->in) };
	}
}

static void read_all(struct series *s)
{
	const int64_t begin = s->from;
	while (s->w->err == ERR_OK && s->to > begin && s->n < STORE_SERIES_MAX) {
		const int64_t day = (s->to - 1) / DAY * DAY - (s->days - 1) * DAY;
		s->from = day > begin ? day : begin;
		memset(s->slots, 0, s->n_slots * sizeof(*s->slots));
		read_days(s);
		read_bins(s);
		take_points(s);
		s->to = s->from;
	}
}

enum err store_series(struct store *store, const struct store_window *window,
                      enum store_source source, struct store_point **out, size_t *count)
{
	struct work w = work_begin(store, "read bins");
	struct series s = { .w = &w, .window = window, .source = bins_source(source) };
	/* Pages, what is due and bins of one moment. */
	work_script(&w, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
	work_allow(&w, SERIES_MS);
	look_around(&s);
	read_all(&s);
	const enum err e = work_end(&w);
	free(s.ids);
	free(s.slots);
	if (e != ERR_OK) {
		free(s.points);
		return e;
	}
	memmove(s.points, s.points + STORE_SERIES_MAX - s.n, s.n * sizeof(*s.points));
	*out = s.points;
	*count = s.n;
	return ERR_OK;
}
