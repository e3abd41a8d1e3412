/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/summed.h"

#include "common/balance/digest.h"
#include "server/store/bins.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the calendar ---- */

static int64_t month_at(int64_t t, int after)
{
	const time_t at = (time_t)t;
	struct tm tm;
	must(gmtime_r(&at, &tm) != NULL);
	struct tm first = { .tm_year = tm.tm_year, .tm_mon = tm.tm_mon + after, .tm_mday = 1 };
	return timegm(&first);
}

int64_t month_begin(int64_t t)
{
	return month_at(t, 0);
}

int64_t month_next(int64_t t)
{
	return month_at(t, 1);
}

enum store_source summed_source(const char *name)
{
	enum store_source s = STORE_ANNOUNCE;
	while (s < STORE_COUNTER && strcmp(name, bins_source(s)) != 0)
		s++;
	return s;
}

/* ---- rows ---- */

enum { FETCHED = 20000 };
#define FETCH "FETCH 20000 FROM summed_rows"

static void fetch(struct summed *s)
{
	s->row = 0;
	s->rows = work_run(s->w, FETCH, NULL);
}

struct summed summed_open(struct work *w, const char *sql, const struct arg *args)
{
	struct summed s = { .w = w };
	struct text declare = { 0 };
	/* All of it will be read: not the plan that is quick with the first row. */
	(void)work_run(w, "SELECT set_config('cursor_tuple_fraction', '1', true)", NULL);
	text_printf(&declare, "DECLARE summed_rows NO SCROLL CURSOR FOR %s", sql);
	if (declare.bad)
		work_fail(w, ERR_NOMEM);
	else
		(void)work_run(w, declare.bytes, args);
	text_done(&declare);
	fetch(&s);
	return s;
}

void summed_close(struct summed *s)
{
	(void)work_run(s->w, "CLOSE summed_rows", NULL);
}

/* The row at hand; fetches more when there is none. */
static bool have_row(struct summed *s)
{
	if (s->row == s->rows && s->rows == FETCHED)
		fetch(s);
	return s->w->err == ERR_OK && s->row < s->rows;
}

static wide number(const struct summed *s, int column)
{
	wide n = 0;
	const char *digits = work_view(s->w, s->row, column);
	if (*digits != '\0')
		must(wide_read(digits, strlen(digits), &n));
	return n;
}

static bool is_same(const struct summed *s, const struct summed_key *key, int64_t start)
{
	return work_i64(s->w, s->row, 2) == start &&
	       work_u64(s->w, s->row, 0) == key->interconnect &&
	       summed_source(work_view(s->w, s->row, 1)) == key->source;
}

/* What a node saw. What was not measured everywhere is not known of the sum. */
static void add_row(const struct summed *s, struct bin_total *sum, bool first)
{
	sum->quality |= (unsigned)work_u64(s->w, s->row, 3);
	sum->out += number(s, 4);
	sum->in += number(s, 5);
	sum->packets = (first || sum->packets) && !work_null(s->w, s->row, 6);
	sum->out_packets += number(s, 6);
	sum->in_packets += number(s, 7);
	sum->p2p = (first || sum->p2p) && !work_null(s->w, s->row, 8);
	sum->out_p2p += number(s, 8);
	sum->in_p2p += number(s, 9);
}

bool summed_next(struct summed *s, struct summed_key *key, struct bin_total *out)
{
	if (!have_row(s))
		return false;
	*key = (struct summed_key){ .interconnect = (uint32_t)work_u64(s->w, s->row, 0),
		                    .source = summed_source(work_view(s->w, s->row, 1)) };
	*out = (struct bin_total){ .start = work_i64(s->w, s->row, 2) };
	key->day = out->start - out->start % DAY;
	bool first = true;
	for (; have_row(s) && is_same(s, key, out->start); s->row++, first = false)
		add_row(s, out, first);
	if (!out->packets)
		out->out_packets = out->in_packets = 0;
	if (!out->p2p)
		out->out_p2p = out->in_p2p = 0;
	return s->w->err == ERR_OK;
}
