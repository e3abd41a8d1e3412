/* SPDX-License-Identifier: Apache-2.0 */
/* Bins become pages, pages become months. */
#include "server/store/bins.h"
#include "server/store/values.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	ROLLUP_MS = 60000,
	DAY_GRACE = 900, /* so long after midnight most of what comes late has come */
	DAYS_AT_ONCE = 256,
	MONTHS_AT_ONCE = 64
};

/* What is due of one day or month of one length of bins; the claimed keys are in rollup_work. */
struct claim {
	int64_t start, end;
	uint64_t seconds;
};

#define KEYS "interconnect, source, seconds, start"

/*
 * Takes the oldest that are due off the list. Other daemons take others; who writes such a bin meanwhile
 * waits, and puts it on the list again. `find` selects start and seconds with $1; false: nothing is due.
 */
static bool claim(struct work *w, const char *find, int64_t limit, const char *take, unsigned most,
                  struct claim *out)
{
	(void)work_run(
		w,
		"CREATE TEMP TABLE IF NOT EXISTS rollup_work (start bigint, seconds integer, "
		" interconnect integer, source bin_source) ON COMMIT DELETE ROWS",
		NULL);
	if (work_run(w, find, ARGS(arg_i64(limit))) == 0)
		return false;
	*out = (struct claim){ .start = work_i64(w, 0, 0), .seconds = work_u64(w, 0, 1) };
	return work_run(w, take, ARGS(arg_i64(out->start), arg_u64(out->seconds), arg_u64(most))) >
	       0;
}

#define TAKE(table)                                                                         \
	"WITH taken AS (DELETE FROM " table " d USING "                                     \
	" (SELECT " KEYS " FROM " table " WHERE start = $1 AND seconds = $2::integer "      \
	"  ORDER BY start, seconds, interconnect, source LIMIT $3 FOR UPDATE SKIP LOCKED) " \
	" AS x WHERE d.start = x.start AND d.seconds = x.seconds "                          \
	"  AND d.interconnect = x.interconnect AND d.source = x.source "                    \
	" RETURNING d.start, d.seconds, d.interconnect, d.source) "                         \
	"INSERT INTO rollup_work SELECT * FROM taken RETURNING 1"

/* The old ones go. Days and months that lost all their bins are not made again. */
#define FORGET(table)                                                    \
	"DELETE FROM " table " d USING rollup_work r "                   \
	"WHERE d.start = $1 AND r.start = $1 AND d.seconds = r.seconds " \
	" AND d.interconnect = r.interconnect AND d.source = r.source"

static void put_key(struct text *t, const struct summed_key *key, const struct claim *c)
{
	text_printf(t, "%" PRIu32 "\t%s\t%" PRIu64 "\t%" PRId64, key->interconnect,
	            bins_source(key->source), c->seconds, c->start);
}

/* A bytea in COPY's text format, with the tab before it. */
static void put_bytes(struct text *t, const struct text *bytes)
{
	static const char digits[] = "0123456789abcdef";
	text_put(t, "\t\\\\x");
	for (size_t i = 0; i < bytes->size; i++) {
		const uint8_t b = (uint8_t)bytes->bytes[i];
		text_add(t, (const char[]){ digits[b >> 4], digits[b & 15] }, 2);
	}
}

static void copy(struct work *w, const char *sql, const struct text *rows)
{
	if (rows->bad)
		work_fail(w, ERR_NOMEM);
	work_copy_begin(w, sql);
	work_copy(w, rows->bytes, rows->size);
	work_copy_end(w);
}

/* ---- days ---- */

static void end_page(struct text *rows, const struct summed_key *key, const struct claim *c,
                     struct text *page)
{
	if (page->size > 0) {
		put_key(rows, key, c);
		put_bytes(rows, page);
		text_put(rows, "\n");
	}
	page->size = 0;
}

static void pack_days(struct work *w, const struct claim *c, struct text *rows)
{
	struct summed s = summed_open(
		w,
		"SELECT " SUMMED_COLUMNS "FROM rollup_work r JOIN bins b "
		" ON b.interconnect = r.interconnect AND b.source = r.source "
		"WHERE b.start >= $1 AND b.start < $2 AND b.seconds = $3::integer AND " SUMMED_WHERE
			SUMMED_ORDER,
		ARGS(arg_i64(c->start), arg_i64(c->end), arg_u64(c->seconds)));
	struct summed_key key, last = { 0 };
	struct bin_total bin;
	struct text page = { 0 };
	struct page_writer p = { 0 };
	while (summed_next(&s, &key, &bin)) {
		if (page.size == 0 || key.interconnect != last.interconnect ||
		    key.source != last.source) {
			end_page(rows, &last, c, &page);
			p = page_begin(&page, c->start, (uint32_t)c->seconds);
		}
		page_add(&p, &bin);
		last = key;
	}
	end_page(rows, &last, c, &page);
	summed_close(&s);
	rows->bad |= page.bad;
	text_done(&page);
}

static bool roll_days(struct work *w, int64_t now)
{
	struct claim c;
	struct text rows = { 0 };
	if (!claim(w,
	           "SELECT start, seconds FROM bin_days_due WHERE start <= $1 "
	           "ORDER BY start, seconds LIMIT 1",
	           now - DAY - DAY_GRACE, TAKE("bin_days_due"), DAYS_AT_ONCE, &c))
		return false;
	c.end = c.start + DAY;
	pack_days(w, &c, &rows);
	(void)work_run(w, FORGET("bin_days"), ARGS(arg_i64(c.start)));
	copy(w, "COPY bin_days (" KEYS ", page) FROM STDIN", &rows);
	text_done(&rows);
	(void)work_run(w,
	               "INSERT INTO bin_months_due (start, seconds, interconnect, source) "
	               "SELECT $1, seconds, interconnect, source FROM rollup_work ORDER BY 2, 3, 4 "
	               "ON CONFLICT (start, seconds, interconnect, source) "
	               "DO UPDATE SET start = EXCLUDED.start",
	               ARGS(arg_i64(month_begin(c.start))));
	return true;
}

/* ---- months ---- */

struct month {
	struct digest sums;
	struct values out, in;
};

static void end_month(struct text *rows, const struct summed_key *key, const struct claim *c,
                      struct month *m)
{
	struct text part[5] = { 0 };
	if (m->sums.known > 0) {
		digest_pack(&m->sums, &part[0]);
		values_sort(&m->out);
		values_sort(&m->in);
		ranks_write(m->out.list, m->out.n, &part[1], &part[3]);
		ranks_write(m->in.list, m->in.n, &part[2], &part[4]);
		put_key(rows, key, c);
		for (size_t i = 0; i < 5; i++) {
			put_bytes(rows, &part[i]);
			rows->bad |= part[i].bad;
			text_done(&part[i]);
		}
		text_put(rows, "\n");
	}
	rows->bad |= m->out.bad || m->in.bad;
	m->sums = (struct digest){ 0 };
	m->out.n = m->in.n = 0;
}

static void add_page(struct work *w, size_t row, const struct claim *c, struct month *m)
{
	struct page_reader p = page_open(work_view(w, row, 3), work_size(w, row, 3),
	                                 (int64_t)work_be(w, row, 2), (uint32_t)c->seconds);
	struct bin_total bin;
	while (page_next(&p, &bin)) {
		digest_add(&m->sums, &bin, (uint32_t)c->seconds);
		values_add(&m->out, bin.out);
		values_add(&m->in, bin.in);
	}
	if (p.bytes.bad)
		work_fail(w, ERR_MALFORMED);
}

static void pack_months(struct work *w, const struct claim *c, struct text *rows)
{
	const size_t n = work_run_binary(
		w,
		"SELECT d.interconnect, d.source, d.start, d.page FROM rollup_work r JOIN bin_days d "
		" ON d.interconnect = r.interconnect AND d.source = r.source "
		"WHERE d.start >= $1 AND d.start < $2 AND d.seconds = $3::integer "
		"ORDER BY d.interconnect, d.source, d.start",
		ARGS(arg_i64(c->start), arg_i64(c->end), arg_u64(c->seconds)));
	struct month m = { 0 };
	struct summed_key last = { 0 };
	for (size_t i = 0; i < n && w->err == ERR_OK; i++) {
		const struct summed_key key = { .interconnect = (uint32_t)work_be(w, i, 0),
			                        .source = summed_source(work_view(w, i, 1)) };
		if (key.interconnect != last.interconnect || key.source != last.source)
			end_month(rows, &last, c, &m);
		add_page(w, i, c, &m);
		last = key;
	}
	end_month(rows, &last, c, &m);
	values_done(&m.out);
	values_done(&m.in);
}

/* Once all its days are packed: a day that is packed makes its month due again. */
static bool roll_months(struct work *w, int64_t now)
{
	struct claim c;
	struct text rows = { 0 };
	if (!claim(w,
	           "SELECT m.start, m.seconds FROM bin_months_due m WHERE m.start < $1 AND NOT EXISTS "
	           " (SELECT FROM bin_days_due d WHERE d.month = m.start AND d.seconds = m.seconds) "
	           "ORDER BY m.start, m.seconds LIMIT 1",
	           month_begin(now - DAY_GRACE), TAKE("bin_months_due"), MONTHS_AT_ONCE, &c))
		return false;
	c.end = month_next(c.start);
	pack_months(w, &c, &rows);
	(void)work_run(w, FORGET("bin_months"), ARGS(arg_i64(c.start)));
	copy(w,
	     "COPY bin_months (" KEYS
	     ", sums, out_index, in_index, out_values, in_values) FROM STDIN",
	     &rows);
	text_done(&rows);
	return true;
}

enum err store_rollup(struct store *s, int64_t now, bool *more)
{
	struct work w = work_begin(s, "pack bins");
	work_allow(&w, ROLLUP_MS);
	const bool days = roll_days(&w, now);
	const bool months = !days && roll_months(&w, now);
	const enum err e = work_end(&w);
	*more = e == ERR_OK && (days || months);
	return e;
}
