/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/look.h"

#include "server/alarms/agreed.h"
#include "server/alarms/ahead.h"
#include "server/alarms/drift.h"
#include "server/report/report.h"
#include "server/store/lifecycle.h"
#include "server/store/watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In bins: what people mean by them at 300 seconds, and a test's clock runs faster. */
enum { HOUR = 12, DAY = 288, WEEK = 7 * DAY };
enum { DAY_SECONDS = 86400 };
static const double ONE_WAY = 1e6; /* percent, of a ratio whose smaller side is nothing */

struct look {
	const struct look_options *o;
	int64_t at;
	struct sights *out;
};

static struct store_window last_bins(const struct look *l, uint32_t bins)
{
	return (struct store_window){ .from = l->at - (int64_t)bins * l->o->bin_seconds,
		                      .to = l->at,
		                      .bin_seconds = l->o->bin_seconds };
}

static const char *source_name(enum store_source s)
{
	static const char *const names[] = {
		[STORE_ANNOUNCE] = "announces", [STORE_FLOW] = "flows", [STORE_COUNTER] = "counters"
	};
	return names[s];
}

__attribute__((format(printf, 2, 3))) static void say(struct sight *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(s->text, sizeof(s->text), fmt, ap);
	va_end(ap);
}

/* ---- a day of an interconnect: its ratio ---- */

uint64_t look_limit(const struct look_options *o, const struct store_watch_sum *w)
{
	const bool is_free = strcmp(w->relation, "settlement-free") == 0;
	return w->ratio_limit_milli == 0 && is_free ? o->ratio_limit_milli : w->ratio_limit_milli;
}

static void see_ratio(const struct look *l, const struct store_watch_sum *w, enum rule_id rule)
{
	const uint64_t limit = look_limit(l->o, w);
	const uint64_t big = w->out_bytes > w->in_bytes ? w->out_bytes : w->in_bytes;
	const uint64_t small = w->out_bytes > w->in_bytes ? w->in_bytes : w->out_bytes;
	if (limit == 0 || big == 0)
		return;
	struct sight *s = sights_add(l->out, rule, w->provider, w->interconnect);
	if (s == NULL)
		return;
	const double ratio = small > 0 ? (double)big / (double)small : ONE_WAY;
	s->value = small > 0 ? ratio * 100000 / (double)limit : ONE_WAY;
	say(s, "%s is %.3f to 1 over %d bins by %s; the limit is %.3f",
	    big == w->out_bytes ? "out to in" : "in to out", ratio, DAY, source_name(w->source),
	    (double)limit / 1000);
}

static enum err look_at_day(const struct look *l)
{
	const struct store_window day = last_bins(l, DAY);
	struct store_watch_sum *list;
	size_t n;
	const enum err e = store_watch_sums(l->o->store, &day, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		see_ratio(l, &list[i], RULE_RATIO_WARN);
		see_ratio(l, &list[i], RULE_RATIO_BREACH);
	}
	free(list);
	return ERR_OK;
}

/* ---- an hour: how full, and whether it was counted without a break ---- */

static void see_port(const struct look *l, const struct store_watch_sum *w)
{
	const uint64_t big = w->out_bytes > w->in_bytes ? w->out_bytes : w->in_bytes;
	const double seconds = (double)HOUR * l->o->bin_seconds;
	if (w->capacity_mbps == 0)
		return;
	struct sight *s = sights_add(l->out, RULE_UTILISATION, w->provider, w->interconnect);
	if (s == NULL)
		return;
	const double mbps = (double)big * 8 / seconds / 1e6;
	s->value = mbps * 100 / (double)w->capacity_mbps;
	say(s, "%.1f of %" PRIu64 " Mb/s %s in the mean of %d bins by %s", mbps, w->capacity_mbps,
	    big == w->out_bytes ? "out" : "in", HOUR, source_name(w->source));
}

static void see_breaks(const struct look *l, const struct store_watch_sum *w)
{
	struct sight *s = sights_add(l->out, RULE_DISCONTINUITY, w->provider, w->interconnect);
	if (s == NULL)
		return;
	s->value = (double)w->discontinuities;
	say(s, "%" PRIu64 " of the last %d bins hold a counter that was reset or wrapped",
	    w->discontinuities, HOUR);
}

static enum err look_at_hour(const struct look *l)
{
	const struct store_window hour = last_bins(l, HOUR);
	struct store_watch_sum *list;
	size_t n;
	const enum err e = store_watch_sums(l->o->store, &hour, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		see_port(l, &list[i]);
		see_breaks(l, &list[i]);
	}
	free(list);
	return ERR_OK;
}

/* ---- what has fallen silent ---- */

static void see_silence(const struct look *l, const struct store_watch_last *w)
{
	char subject[STORE_SUBJECT], printed[24];
	(void)snprintf(subject, sizeof(subject), "%s %s", w->interconnect, source_name(w->source));
	struct sight *s = sights_add(l->out, RULE_SILENCE, w->provider, subject);
	if (s == NULL)
		return;
	const int64_t bins = (l->at - w->start) / l->o->bin_seconds - 1;
	text_time_print(w->start, printed);
	s->value = (double)bins;
	say(s, "the newest bin from %s began at %s; %" PRId64 " are missing since",
	    source_name(w->source), printed, bins);
}

static enum err look_for_silence(const struct look *l)
{
	const struct store_window week = last_bins(l, WEEK);
	struct store_watch_last *list;
	size_t n;
	const enum err e = store_watch_last(l->o->store, &week, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		see_silence(l, &list[i]);
	free(list);
	return ERR_OK;
}

/* ---- providers: what no map knows, whether steering helps, how old the map is ---- */

static enum err look_for_unknown(const struct look *l)
{
	const struct store_window day = last_bins(l, DAY);
	struct store_watch_unknown *list;
	size_t n;
	const enum err e = store_watch_unknown(l->o->store, &day, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		const struct store_watch_unknown *w = &list[i];
		struct sight *s = w->bytes > 0
		                          ? sights_add(l->out, RULE_UNKNOWN_BYTES, w->provider, "")
		                          : NULL;
		if (s == NULL)
			continue;
		s->value = (double)w->unknown * 100 / (double)w->bytes;
		say(s, "%.1f percent of what clients downloaded came from addresses in no map",
		    s->value);
	}
	free(list);
	return ERR_OK;
}

static enum err look_at_steering(const struct look *l)
{
	const struct report_options o = { .bin_seconds = l->o->bin_seconds };
	const struct report_query week = { .from = last_bins(l, WEEK).from, .to = l->at };
	struct report_effect *list;
	size_t n;
	const enum err e = report_effects(l->o->store, &o, &week, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		const struct report_effect *f = &list[i];
		struct sight *s =
			f->known ? sights_add(l->out, RULE_STEERING, f->provider, f->policy) : NULL;
		if (s == NULL)
			continue;
		s->value = f->high;
		say(s,
		    "from outside, steered less control: %.1f to %.1f percentage points (95 percent "
		    "interval), private torrents",
		    f->low, f->high);
	}
	free(list);
	return ERR_OK;
}

static enum err look_at_maps(const struct look *l)
{
	struct store_version *list;
	size_t n;
	const enum err e = store_versions(l->o->store, NULL, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		const struct store_version *v = &list[i];
		char created[24];
		if (v->kind != STORE_TOPOLOGY)
			continue;
		struct sight *s = sights_add(l->out, RULE_MAP_AGE, v->provider, "");
		if (s == NULL)
			continue;
		text_time_print(v->created, created);
		s->value = (double)(l->at - v->created) / DAY_SECONDS;
		say(s, "topology version %" PRIu64 " was uploaded at %s", v->version, created);
	}
	free(list);
	return ERR_OK;
}

static enum err look_at_changes(const struct look *l)
{
	struct store_map_trouble *list;
	size_t n;
	const enum err e = store_map_troubles(l->o->store, l->at - 2 * DAY_SECONDS, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		struct sight *s = sights_add(l->out, RULE_MAP_CHANGE, list[i].provider, "");
		if (s == NULL)
			continue;
		s->value = (double)list[i].count;
		say(s, "%.250s", list[i].count > 0 ? list[i].text : "seen to");
	}
	free(list);
	return ERR_OK;
}

static enum err look_at_month(const struct look *l)
{
	return look_ahead(l->o, l->at, l->out);
}

static enum err look_at_agreed(const struct look *l)
{
	return look_at_contracts(l->o, l->at, l->out);
}

static enum err look_at_clauses(const struct look *l)
{
	return look_at_policies(l->o, l->at, l->out);
}

static enum err look_at_calibration(const struct look *l)
{
	return look_for_drift(l->o, l->at, l->out);
}

typedef enum err look_fn(const struct look *l);

static const struct {
	look_fn *look;
	enum rule_id rules[2]; /* the same twice when it is one */
} looks[] = {
	{ look_at_day, { RULE_RATIO_WARN, RULE_RATIO_BREACH } },
	{ look_at_hour, { RULE_UTILISATION, RULE_DISCONTINUITY } },
	{ look_for_silence, { RULE_SILENCE, RULE_SILENCE } },
	{ look_for_unknown, { RULE_UNKNOWN_BYTES, RULE_UNKNOWN_BYTES } },
	{ look_at_calibration, { RULE_DRIFT, RULE_DRIFT } },
	{ look_at_steering, { RULE_STEERING, RULE_STEERING } },
	{ look_at_month, { RULE_RATIO_FORECAST, RULE_RATIO_FORECAST } },
	{ look_at_agreed, { RULE_FLOOR, RULE_BURST } },
	{ look_at_clauses, { RULE_POLICY_PERIODS, RULE_POLICY_VOLUME } },
	{ look_at_maps, { RULE_MAP_AGE, RULE_MAP_AGE } },
	{ look_at_changes, { RULE_MAP_CHANGE, RULE_MAP_CHANGE } },
};

enum err look_around(const struct look_options *o, int64_t at, struct sights *out)
{
	const struct look l = { o, at, out };
	const uint64_t bin = (uint64_t)(at / o->bin_seconds);
	enum err e = ERR_OK;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]) && e == ERR_OK; i++) {
		const enum rule_id *r = looks[i].rules;
		if (bin % rule_of(r[0])->every != 0)
			continue;
		e = looks[i].look(&l);
		out->looked[r[0]] = out->looked[r[1]] = true;
	}
	return e;
}
