/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/ahead.h"

#include "common/balance/forecast.h"
#include "server/store/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_SECONDS = 86400, DAYS_BEFORE = 28, SEED = 1 };

struct ahead {
	const struct look_options *o;
	int64_t at;
	struct store_period month;
	size_t day;                  /* bins of one */
	size_t history;              /* bins before the month */
	size_t bins;                 /* of the month */
	struct percentile_bin *line; /* both */
};

/* What is known of the interconnect, as one line of bins. */
static enum err read_line(const struct ahead *a, const struct store_watch_sum *w)
{
	const int64_t begin = a->month.from - (int64_t)a->history * a->o->bin_seconds;
	const struct store_window window = { .from = begin,
		                             .to = a->at,
		                             .bin_seconds = a->o->bin_seconds,
		                             .provider = w->provider,
		                             .interconnect = w->interconnect };
	struct store_point *points;
	size_t n;
	const enum err e = store_series(a->o->store, &window, w->source, &points, &n);
	if (e != ERR_OK)
		return e;
	memset(a->line, 0, (a->history + a->bins) * sizeof(*a->line));
	for (size_t i = 0; i < n; i++) {
		const size_t k = (size_t)(points[i].start - begin) / a->o->bin_seconds;
		a->line[k] = (struct percentile_bin){ .out_bytes = points[i].out_bytes,
			                              .in_bytes = points[i].in_bytes,
			                              .known = true };
	}
	free(points);
	return ERR_OK;
}

static void see(const struct store_watch_sum *w, const struct forecast *f, uint64_t limit,
                struct sights *out)
{
	struct sight *s = sights_add(out, RULE_RATIO_FORECAST, w->provider, w->interconnect);
	if (s == NULL)
		return;
	s->value = f->breach_permille / 10.0;
	(void)snprintf(s->text, sizeof(s->text),
	               "out to in will be %.3f to %.3f at the end of the month, in %.1f percent of "
	               "forecasts beyond the limit of %.3f either way",
	               (double)f->ratio_milli.low / 1000, (double)f->ratio_milli.high / 1000,
	               s->value, (double)limit / 1000);
}

static enum err look_at(const struct ahead *a, const struct store_watch_sum *w, uint64_t limit,
                        struct sights *out)
{
	const struct policy policy = { .ratio = { .limit_milli = limit,
		                                  .orientation = RATIO_EITHER },
		                       .metric = POLICY_VOLUME_AVG,
		                       .window = POLICY_CALENDAR_MONTH,
		                       .scope = POLICY_INTERCONNECT };
	const struct percentile_series series = { .bins = a->line };
	const struct forecast_input in = {
		.series = &series,
		.n_series = 1,
		.history = a->history,
		.bins = a->bins,
		.now = (size_t)(a->at - a->month.from) / a->o->bin_seconds,
		.bin_seconds = a->o->bin_seconds,
		.policy = &policy,
		.seed = SEED,
	};
	struct forecast f;
	enum err e = read_line(a, w);
	if (e == ERR_OK)
		e = forecast_run(&in, &f);
	if (e == ERR_OK)
		see(w, &f, limit, out);
	return e == ERR_NOT_FOUND || e == ERR_RANGE ? ERR_OK : e; /* too little is known */
}

/* As many whole days before the month as one reading of bins holds. */
static void measure_out(struct ahead *a)
{
	const size_t gone = (size_t)(a->at - a->month.from) / a->o->bin_seconds;
	const size_t room = gone < STORE_SERIES_MAX ? (STORE_SERIES_MAX - gone) / a->day : 0;
	a->history = (room < DAYS_BEFORE ? room : DAYS_BEFORE) * a->day;
	a->bins = (size_t)(a->month.to - a->month.from) / a->o->bin_seconds;
}

static enum err look_at_each(struct ahead *a, struct sights *out)
{
	const struct store_window day = { .from = a->at - DAY_SECONDS,
		                          .to = a->at,
		                          .bin_seconds = a->o->bin_seconds };
	struct store_watch_sum *list;
	size_t n;
	enum err e = store_watch_sums(a->o->store, &day, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		const uint64_t limit = look_limit(a->o, &list[i]);
		if (limit > 0)
			e = look_at(a, &list[i], limit, out);
	}
	free(list);
	return e;
}

enum err look_ahead(const struct look_options *o, int64_t at, struct sights *out)
{
	struct ahead a = { .o = o, .at = at, .day = DAY_SECONDS / o->bin_seconds };
	const struct store_calendar month = { .zone = "UTC", .kind = STORE_MONTH };
	struct fault fault;
	enum err e = ERR_OK;
	if (STORE_SERIES_MAX / a.day < FORECAST_DAYS_LEAST)
		return ERR_OK;
	e = store_period(o->store, &month, at - 1, &a.month, &fault);
	if (e != ERR_OK)
		return e;
	measure_out(&a);
	a.line = calloc(a.history + a.bins, sizeof(*a.line));
	e = a.line != NULL ? look_at_each(&a, out) : ERR_NOMEM;
	free(a.line);
	return e;
}
