/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/gather.h"

#include "common/balance/select.h"
#include "server/store/bins.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Days of one interconnect that are read at once, and so are in memory: 5 kB and their values each. */
enum { DAYS_AT_ONCE = 6000, SOURCES = STORE_COUNTER + 1, PERCENT = 95 };

struct month_part {
	int64_t start;
	struct ranks ranks[2]; /* out, in */
	struct ranks_cut cut[2];
};

struct figure {
	struct digest *parts; /* by time, once sorted */
	size_t n_parts, room_parts;
	struct month_part *months;
	size_t n_months, room_months;
	struct values loose[2];
	struct values pool[2]; /* what the cuts hold */
	struct ranks_bracket bracket[2];
};

struct chunk {
	struct work *w;
	const struct store_window *window;
	const uint32_t *numbers;
	size_t n;
	struct text ids;    /* the same as an array of PostgreSQL's */
	const int64_t *due; /* months that must not be used, ascending */
	size_t n_due;
	struct figure *figures; /* n times SOURCES */
};

/* ---- growing ---- */

static void *grow(struct chunk *c, void *list, size_t n, size_t *room, size_t each)
{
	if (n < *room)
		return list;
	void *more = realloc(list, (2 * *room + 4) * each);
	if (more == NULL) {
		work_fail(c->w, ERR_NOMEM);
		return list;
	}
	*room = 2 * *room + 4;
	return more;
}

static void add_part(struct chunk *c, struct figure *f, const struct digest *part)
{
	f->parts = grow(c, f->parts, f->n_parts, &f->room_parts, sizeof(*f->parts));
	if (c->w->err == ERR_OK && part->known > 0)
		f->parts[f->n_parts++] = *part;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static struct figure *figure_of(struct chunk *c, uint32_t interconnect, enum store_source source)
{
	const uint32_t *at =
		bsearch(&interconnect, c->numbers, c->n, sizeof(*c->numbers), by_number);
	must(at != NULL);
	return &c->figures[(size_t)(at - c->numbers) * SOURCES + source];
}

/* ---- which months ---- */

static bool is_due(const struct chunk *c, int64_t month)
{
	for (size_t i = 0; i < c->n_due; i++)
		if (c->due[i] == month)
			return true;
	return false;
}

/* The first whole month from `t` on that may be used; at or after window->to: none. */
static int64_t next_month(const struct chunk *c, int64_t t)
{
	int64_t month = t == month_begin(t) ? t : month_next(t);
	while (month < c->window->to && is_due(c, month))
		month = month_next(month);
	return month_next(month) <= c->window->to ? month : c->window->to;
}

/* ---- reading ---- */

static void read_month(struct chunk *c, size_t row)
{
	struct work *w = c->w;
	struct figure *f =
		figure_of(c, (uint32_t)work_be(w, row, 0), summed_source(work_view(w, row, 1)));
	struct digest part;
	f->months = grow(c, f->months, f->n_months, &f->room_months, sizeof(*f->months));
	if (w->err != ERR_OK)
		return;
	struct month_part *m = &f->months[f->n_months++];
	*m = (struct month_part){ .start = (int64_t)work_be(w, row, 2) };
	if (!digest_unpack(&part, work_view(w, row, 3), work_size(w, row, 3)))
		work_fail(w, ERR_MALFORMED);
	for (int i = 0; i < 2; i++)
		work_fail(w, ranks_read(&m->ranks[i], work_view(w, row, 4 + i),
		                        work_size(w, row, 4 + i)));
	if (w->err == ERR_OK)
		add_part(c, f, &part);
}

static void read_months(struct chunk *c, int64_t from, int64_t to)
{
	const size_t n = work_run_binary(
		c->w,
		"SELECT interconnect, source, start, sums, out_index, in_index FROM bin_months "
		"WHERE start >= $1 AND start < $2 AND seconds = $3::integer "
		" AND interconnect = ANY ($4::text::integer[])",
		ARGS(arg_i64(from), arg_i64(to), arg_u64(c->window->bin_seconds),
	             arg_text(c->ids.bytes)));
	for (size_t i = 0; i < n && c->w->err == ERR_OK; i++)
		read_month(c, i);
}

static void count_bin(const struct chunk *c, struct figure *f, struct digest *part,
                      const struct bin_total *bin)
{
	const struct store_window *w = c->window;
	if (bin->start < w->from || bin->start + w->bin_seconds > w->to)
		return;
	digest_add(part, bin, w->bin_seconds);
	values_add(&f->loose[0], bin->out);
	values_add(&f->loose[1], bin->in);
}

static void read_day(struct chunk *c, size_t row)
{
	struct work *w = c->w;
	struct figure *f =
		figure_of(c, (uint32_t)work_be(w, row, 0), summed_source(work_view(w, row, 1)));
	struct page_reader p = page_open(work_view(w, row, 3), work_size(w, row, 3),
	                                 (int64_t)work_be(w, row, 2), c->window->bin_seconds);
	struct bin_total bin;
	struct digest part = { 0 };
	while (page_next(&p, &bin))
		count_bin(c, f, &part, &bin);
	if (p.bytes.bad)
		work_fail(w, ERR_MALFORMED);
	add_part(c, f, &part);
}

static void read_days(struct chunk *c, int64_t from, int64_t to)
{
	const size_t n = work_run_binary(
		c->w,
		"SELECT interconnect, source, start, page FROM bin_days d "
		"WHERE start > $1::bigint - 86400 AND start < $2 AND seconds = $3::integer "
		" AND interconnect = ANY ($4::text::integer[]) AND NOT EXISTS "
		" (SELECT FROM bin_days_due q WHERE q.start = d.start AND q.seconds = d.seconds "
		"  AND q.interconnect = d.interconnect AND q.source = d.source)",
		ARGS(arg_i64(from), arg_i64(to), arg_u64(c->window->bin_seconds),
	             arg_text(c->ids.bytes)));
	for (size_t i = 0; i < n && c->w->err == ERR_OK; i++)
		read_day(c, i);
}

/* The bins of days that are due, whether a page of them is there or not. */
static void read_bins(struct chunk *c)
{
	struct summed s = summed_open(
		c->w,
		"SELECT " SUMMED_COLUMNS "FROM bin_days_due q JOIN bins b "
		" ON b.interconnect = q.interconnect AND b.source = q.source "
		" AND b.start >= q.start AND b.start < q.start + 86400 "
		"WHERE q.start > $1::bigint - 86400 AND q.start < $2 AND q.seconds = $3::integer "
		" AND q.interconnect = ANY ($4::text::integer[]) AND b.seconds = $3::integer "
		" AND b.start >= $1 AND b.start < $2 AND " SUMMED_WHERE SUMMED_ORDER,
		ARGS(arg_i64(c->window->from), arg_i64(c->window->to),
	             arg_u64(c->window->bin_seconds), arg_text(c->ids.bytes)));
	struct summed_key key;
	struct bin_total bin;
	while (summed_next(&s, &key, &bin)) {
		struct figure *f = figure_of(c, key.interconnect, key.source);
		struct digest part = { 0 };
		/* A part for each bin would be many: go on with the last one while the day is the same. */
		const bool same = f->n_parts > 0 && f->parts[f->n_parts - 1].end <= bin.start &&
		                  f->parts[f->n_parts - 1].first >= key.day;
		if (same)
			count_bin(c, f, &f->parts[f->n_parts - 1], &bin);
		else
			count_bin(c, f, &part, &bin);
		if (!same)
			add_part(c, f, &part);
	}
	summed_close(&s);
}

/* ---- ranks ---- */

static uint64_t rank_of(uint64_t n)
{
	return (PERCENT * n + 99) / 100;
}

static void find_cuts(struct chunk *c, struct figure *f, int way)
{
	struct ranks *ranks = calloc(f->n_months + 1, sizeof(*ranks));
	struct ranks_cut *cuts = calloc(f->n_months + 1, sizeof(*cuts));
	uint64_t n = f->loose[way].n;
	if (ranks == NULL || cuts == NULL) {
		work_fail(c->w, ERR_NOMEM);
	} else {
		for (size_t i = 0; i < f->n_months; i++) {
			ranks[i] = f->months[i].ranks[way];
			n += ranks[i].n;
		}
		f->bracket[way] =
			ranks_find(ranks, f->n_months,
		                   (struct ranks_loose){ f->loose[way].list, f->loose[way].n },
		                   rank_of(n), cuts);
		for (size_t i = 0; i < f->n_months; i++)
			f->months[i].cut[way] = cuts[i];
	}
	free(ranks);
	free(cuts);
}

/* The slices of months that are still to be read, as arrays of PostgreSQL's. */
struct slices {
	struct text interconnect, source, start, way, at, size;
	struct slice {
		struct figure *figure;
		size_t month;
		int way;
	} * list;
	size_t n, room;
};

static void want_slice(struct chunk *c, struct slices *s, size_t figure, size_t month, int way)
{
	struct figure *f = &c->figures[figure];
	const struct month_part *m = &f->months[month];
	const struct ranks_cut cut = m->cut[way];
	const char *comma = s->n > 0 ? "," : "{";
	if (cut.from == cut.to)
		return;
	s->list = grow(c, s->list, s->n, &s->room, sizeof(*s->list));
	if (c->w->err != ERR_OK)
		return;
	s->list[s->n++] = (struct slice){ f, month, way };
	text_printf(&s->interconnect, "%s%" PRIu32, comma, c->numbers[figure / SOURCES]);
	text_printf(&s->source, "%s%s", comma, bins_source((enum store_source)(figure % SOURCES)));
	text_printf(&s->start, "%s%" PRId64, comma, m->start);
	text_printf(&s->way, "%s%d", comma, way);
	text_printf(&s->at, "%s%zu", comma, ranks_cut_at(&m->ranks[way], cut) + 1);
	text_printf(&s->size, "%s%zu", comma, ranks_cut_size(&m->ranks[way], cut));
}

static void take_slice(struct chunk *c, const struct slice *s, size_t row)
{
	const struct month_part *m = &s->figure->months[s->month];
	struct values *pool = &s->figure->pool[s->way];
	const struct ranks *ranks = &m->ranks[s->way];
	const size_t count = ranks_cut_count(ranks, m->cut[s->way]);
	uint64_t *at = values_room(pool, count);
	if (at == NULL) {
		work_fail(c->w, ERR_NOMEM);
		return;
	}
	work_fail(c->w, ranks_unpack(ranks, m->cut[s->way], work_view(c->w, row, 1),
	                             work_size(c->w, row, 1), at));
	pool->n += count;
}

static void read_slices(struct chunk *c, struct slices *s)
{
	struct text *const arrays[] = { &s->interconnect, &s->source, &s->start,
		                        &s->way,          &s->at,     &s->size };
	for (size_t i = 0; i < 6; i++) {
		text_put(arrays[i], "}");
		if (arrays[i]->bad)
			work_fail(c->w, ERR_NOMEM);
	}
	const size_t n = work_run_binary(
		c->w,
		"SELECT x.place, substring(CASE x.way WHEN 0 THEN m.out_values ELSE m.in_values END "
		" FROM x.at FOR x.size) "
		"FROM unnest($2::text::integer[], $3::text::bin_source[], $4::text::bigint[], "
		" $5::text::integer[], "
		" $6::text::integer[], $7::text::integer[]) WITH ORDINALITY "
		" AS x (interconnect, source, start, way, at, size, place) "
		"JOIN bin_months m ON m.interconnect = x.interconnect AND m.source = x.source "
		" AND m.start = x.start AND m.seconds = $1::integer "
		"WHERE m.start >= $8 AND m.start < $9",
		ARGS(arg_u64(c->window->bin_seconds), arg_text(s->interconnect.bytes),
	             arg_text(s->source.bytes), arg_text(s->start.bytes), arg_text(s->way.bytes),
	             arg_text(s->at.bytes), arg_text(s->size.bytes), arg_i64(c->window->from),
	             arg_i64(c->window->to)));
	must(c->w->err != ERR_OK || n == s->n);
	for (size_t i = 0; i < n && c->w->err == ERR_OK; i++)
		take_slice(c, &s->list[work_be(c->w, i, 0) - 1], i);
	for (size_t i = 0; i < 6; i++)
		text_done(arrays[i]);
	free(s->list);
}

/* Of figures with months: where the rank is, and then what is there. */
static void read_ranks(struct chunk *c)
{
	struct slices slices = { 0 };
	for (size_t i = 0; i < c->n * SOURCES && c->w->err == ERR_OK; i++) {
		struct figure *f = &c->figures[i];
		for (int way = 0; way < 2 && f->n_months > 0; way++) {
			find_cuts(c, f, way);
			for (size_t m = 0; m < f->n_months && c->w->err == ERR_OK; m++)
				want_slice(c, &slices, i, m, way);
		}
	}
	if (slices.n > 0)
		read_slices(c, &slices);
}

static uint64_t percentile(struct figure *f, int way)
{
	const struct ranks_bracket b = f->bracket[way];
	struct values *loose = &f->loose[way], *pool = &f->pool[way];
	if (f->n_months == 0)
		return select_smallest(loose->list, loose->n, (size_t)rank_of(loose->n));
	uint64_t all = loose->n;
	for (size_t i = 0; i < f->n_months; i++)
		all += f->months[i].ranks[way].n;
	for (size_t i = 0; i < loose->n; i++)
		if (loose->list[i] >= b.low && loose->list[i] <= b.high)
			values_add(pool, loose->list[i]);
	return pool->bad ? 0
	                 : select_smallest(pool->list, pool->n, (size_t)(rank_of(all) - b.below));
}

/* ---- together ---- */

static int by_time(const void *a, const void *b)
{
	const struct digest *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

static void tell(struct chunk *c, size_t figure, gather_figure *tell_figure, void *ctx)
{
	struct figure *f = &c->figures[figure];
	struct digest all = { 0 };
	if (f->n_parts == 0)
		return;
	qsort(f->parts, f->n_parts, sizeof(*f->parts), by_time);
	for (size_t i = 0; i < f->n_parts; i++)
		digest_merge(&all, &f->parts[i]);
	const uint64_t out = percentile(f, 0), in = percentile(f, 1);
	for (int way = 0; way < 2; way++)
		if (f->loose[way].bad || f->pool[way].bad)
			work_fail(c->w, ERR_NOMEM);
	tell_figure(ctx, c->numbers[figure / SOURCES], (enum store_source)(figure % SOURCES), &all,
	            out, in);
}

static void figure_done(struct figure *f)
{
	for (size_t i = 0; i < f->n_months; i++)
		for (int way = 0; way < 2; way++)
			ranks_done(&f->months[i].ranks[way]);
	for (int way = 0; way < 2; way++) {
		values_done(&f->loose[way]);
		values_done(&f->pool[way]);
	}
	free(f->months);
	free(f->parts);
}

/* Months where they may be used, days between them. */
static void read_window(struct chunk *c)
{
	int64_t at = c->window->from;
	while (at < c->window->to && c->w->err == ERR_OK) {
		const int64_t month = next_month(c, at);
		if (month > at)
			read_days(c, at, month);
		at = month;
		while (at < c->window->to && !is_due(c, at) && month_next(at) <= c->window->to)
			at = month_next(at);
		if (at > month)
			read_months(c, month, at);
	}
}

static void gather_figures(struct chunk *c, bool unpacked, gather_figure *figure, void *ctx)
{
	read_window(c);
	if (unpacked)
		read_bins(c);
	if (c->w->err == ERR_OK)
		read_ranks(c);
	for (size_t i = 0; i < c->n * SOURCES && c->w->err == ERR_OK; i++)
		tell(c, i, figure, ctx);
}

static void gather_chunk(struct chunk *c, bool unpacked, gather_figure *figure, void *ctx)
{
	c->figures = calloc(c->n * SOURCES, sizeof(*c->figures));
	for (size_t i = 0; i < c->n; i++)
		text_printf(&c->ids, "%s%" PRIu32, i > 0 ? "," : "{", c->numbers[i]);
	text_put(&c->ids, "}");
	if (c->figures == NULL || c->ids.bad)
		work_fail(c->w, ERR_NOMEM);
	else
		gather_figures(c, unpacked, figure, ctx);
	for (size_t i = 0; i < c->n * SOURCES && c->figures != NULL; i++)
		figure_done(&c->figures[i]);
	free(c->figures);
	text_done(&c->ids);
}

/* ---- which interconnects go together ---- */

struct member {
	uint32_t number;
	const int64_t *due; /* whole months of the window that are not packed */
	size_t n_due;
	bool unpacked; /* has days that are not packed */
};

static int by_due(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	if (x->n_due != y->n_due)
		return x->n_due < y->n_due ? -1 : 1;
	for (size_t i = 0; i < x->n_due; i++)
		if (x->due[i] != y->due[i])
			return x->due[i] < y->due[i] ? -1 : 1;
	return by_number(&x->number, &y->number);
}

static bool are_alike(const struct member *x, const struct member *y)
{
	return x->n_due == y->n_due &&
	       (x->n_due == 0 || memcmp(x->due, y->due, x->n_due * sizeof(*x->due)) == 0);
}

/* What is due, as rows of interconnect, month, and whether days are; `months` has room for all of them. */
static void read_due(struct work *w, const struct store_window *window, size_t rows,
                     struct member *members, size_t n, int64_t *months)
{
	size_t m = 0;
	for (size_t i = 0; i < rows; i++) {
		const uint32_t number = (uint32_t)work_u64(w, i, 0);
		const int64_t month = work_i64(w, i, 1);
		while (m < n && members[m].number < number)
			m++;
		if (m == n || members[m].number != number)
			continue;
		members[m].unpacked = members[m].unpacked || work_bool(w, i, 2);
		if (month < window->from || month_next(month) > window->to)
			continue;
		if (members[m].n_due == 0)
			members[m].due = months;
		members[m].n_due++;
		*months++ = month;
	}
}

static size_t days_of(const struct store_window *window, const struct member *m)
{
	const struct chunk c = { .window = window, .due = m->due, .n_due = m->n_due };
	int64_t days = 1; /* of the day that an end lies in; and never none */
	for (int64_t at = window->from; at < window->to;) {
		const int64_t month = next_month(&c, at);
		days += (month - at) / DAY + 1;
		at = month < window->to ? month_next(month) : month;
	}
	return (size_t)days;
}

static void gather_members(struct work *w, const struct store_window *window,
                           const struct member *members, size_t n, gather_figure *figure, void *ctx)
{
	uint32_t *numbers = calloc(n + 1, sizeof(*numbers));
	if (numbers == NULL)
		work_fail(w, ERR_NOMEM);
	for (size_t i = 0; i < n && numbers != NULL && w->err == ERR_OK;) {
		struct chunk c = { .w = w,
			           .window = window,
			           .numbers = numbers,
			           .due = members[i].due,
			           .n_due = members[i].n_due };
		const size_t most = DAYS_AT_ONCE / days_of(window, &members[i]) + 1, first = i;
		bool unpacked = false;
		for (; i < n && c.n < most && are_alike(&members[i], &members[first]); i++) {
			numbers[c.n++] = members[i].number;
			unpacked = unpacked || members[i].unpacked;
		}
		gather_chunk(&c, unpacked, figure, ctx);
	}
	free(numbers);
}

void gather(struct work *w, const struct store_window *window, const uint32_t *numbers, size_t n,
            gather_figure *figure, void *ctx)
{
	const size_t rows = work_run(
		w,
		"SELECT interconnect, month, bool_or(unpacked) FROM ("
		" SELECT interconnect, month, true AS unpacked FROM bin_days_due "
		" WHERE start > $1::bigint - 86400 AND start < $2 AND seconds = $3::integer "
		" UNION ALL SELECT interconnect, start, false FROM bin_months_due "
		" WHERE start >= $1 AND start < $2 AND seconds = $3::integer) due "
		"GROUP BY interconnect, month ORDER BY interconnect, month",
		ARGS(arg_i64(window->from), arg_i64(window->to), arg_u64(window->bin_seconds)));
	struct member *members = calloc(n + 1, sizeof(*members));
	int64_t *months = calloc(rows + 1, sizeof(*months));
	const bool room = members != NULL && months != NULL;
	if (!room)
		work_fail(w, ERR_NOMEM);
	for (size_t i = 0; i < n && room; i++)
		members[i].number = numbers[i];
	if (w->err == ERR_OK && room) {
		read_due(w, window, rows, members, n, months);
		qsort(members, n, sizeof(*members), by_due);
		gather_members(w, window, members, n, figure, ctx);
	}
	free(members);
	free(months);
}
