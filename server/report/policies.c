/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/policies.h"

#include <stdio.h>
#include <stdlib.h>

enum { DAY = 86400, PERIODS_MAX = 24, SILENT_MAX = 3, QUARTER = 3 };

/* ---- periods ---- */

static int64_t rolling_days(enum policy_window window)
{
	return window == POLICY_ROLLING_7D ? 7 : window == POLICY_ROLLING_30D ? 30 : 0;
}

/* 1 to 12, of a period that is a calendar month somewhere: its middle is that month everywhere. */
static unsigned month_of(const struct store_period *month)
{
	char printed[24];
	text_time_print(month->from + (month->to - month->from) / 2, printed);
	return (unsigned)(printed[5] - '0') * 10 + (unsigned)(printed[6] - '0');
}

static enum err calendar_period(struct store *s, const struct terms_policy *t, int64_t at,
                                struct store_period *out, struct fault *why)
{
	const bool week = t->policy.window == POLICY_WEEKLY;
	const struct store_calendar calendar = { .zone = t->time_zone,
		                                 .kind = week ? STORE_WEEK : STORE_MONTH };
	return store_period(s, &calendar, at, out, why);
}

/* The quarter that a month lies in: from its first month to its third. */
static enum err widen_to_quarter(struct store *s, const struct terms_policy *t,
                                 struct store_period *period, struct fault *why)
{
	struct store_period month = *period;
	const unsigned before = (month_of(period) - 1) % QUARTER;
	enum err e = ERR_OK;
	for (unsigned i = 0; e == ERR_OK && i < before; i++)
		e = calendar_period(s, t, month.from - 1, &month, why);
	period->from = month.from;
	month.to = period->to;
	for (unsigned i = before + 1; e == ERR_OK && i < QUARTER; i++)
		e = calendar_period(s, t, month.to, &month, why);
	period->to = month.to;
	return e;
}

/* The period of the policy's window that holds `at`, or (rolling) that ends there. */
static enum err period_at(struct store *s, const struct terms_policy *t, int64_t at,
                          struct store_period *out, struct fault *why)
{
	const int64_t days = rolling_days(t->policy.window);
	if (days > 0) {
		*out = (struct store_period){ at - days * DAY, at };
		return ERR_OK;
	}
	const enum err e = calendar_period(s, t, at, out, why);
	return e == ERR_OK && t->policy.window == POLICY_CALENDAR_QUARTER
	               ? widen_to_quarter(s, t, out, why)
	               : e;
}

static enum err period_before(struct store *s, const struct terms_policy *t,
                              struct store_period *period, struct fault *why)
{
	const bool rolling = rolling_days(t->policy.window) > 0;
	return period_at(s, t, rolling ? period->from : period->from - 1, period, why);
}

/* ---- one group of interconnects under one policy ---- */

struct group {
	struct store *s;
	const struct report_options *o;
	const struct report_agreements_query *q;
	const struct store_agreement *about;
	const struct terms_policy *terms;
	const char *subject;
	struct terms_names names; /* the first TERMS_NAMES_MAX */
	size_t n;                 /* how many there are */
};

static enum err read_period(const struct group *g, const struct store_period *period,
                            struct metering *m, struct judged *judged)
{
	const struct metering_ask ask = { .provider = g->terms->provider,
		                          .names = g->names.name,
		                          .n = g->names.n,
		                          .from = period->from,
		                          .to = period->to,
		                          .now = g->q->now,
		                          .bin_seconds = g->o->bin_seconds };
	enum err e = metering_read(g->s, &ask, m);
	if (e != ERR_OK)
		return e;
	e = judge(&g->terms->policy, m, judged);
	if (e != ERR_OK)
		metering_done(m);
	return e;
}

static bool breaks(enum policy_verdict v)
{
	return v == POLICY_BREACH || v == POLICY_BELOW_MINIMUM;
}

static bool says_nothing(enum policy_verdict v)
{
	return v == POLICY_NO_DATA || v == POLICY_UNKNOWN;
}

/*
 * The periods before this one: as many that say something as the clause may look at. Those that say
 * nothing end no run, so they are passed over; as many of them, or three, and it is looked no further.
 */
static enum err read_past(const struct group *g, struct store_period period,
                          struct judging_ask *ask, struct fault *why)
{
	const struct policy *p = &g->terms->policy;
	enum policy_verdict newest_first[2 * PERIODS_MAX], verdicts[2 * PERIODS_MAX];
	size_t n = 0, silent = 0,
	       wanted = p->consecutive_periods > p->qualify_periods ? p->consecutive_periods
	                                                            : p->qualify_periods;
	enum err e = ERR_OK;
	wanted = wanted > PERIODS_MAX ? PERIODS_MAX : wanted > 0 ? wanted : 1;
	const size_t patience = wanted > SILENT_MAX ? wanted : SILENT_MAX;
	while (e == ERR_OK && n - silent < wanted && silent < patience) {
		struct metering m;
		struct judged judged;
		e = period_before(g->s, g->terms, &period, why);
		if (e == ERR_OK)
			e = read_period(g, &period, &m, &judged);
		if (e != ERR_OK)
			break;
		newest_first[n++] = judged.result.verdict;
		silent += says_nothing(judged.result.verdict);
		if (breaks(judged.result.verdict) && ask->broken_until == 0)
			ask->broken_until = period.to;
		metering_done(&m);
	}
	for (size_t i = 0; i < n; i++)
		verdicts[i] = newest_first[n - 1 - i];
	ask->run = policy_run(p, verdicts, n);
	return e;
}

/* The period that was asked for, and those before it. On success metering_done(m). */
static enum err read_group(const struct group *g, struct metering *m, struct judged *judged,
                           struct judging_ask *ask, struct fault *why)
{
	struct store_period period;
	int64_t at = g->q->at == REPORT_ABSENT ? g->q->now : g->q->at;
	if (rolling_days(g->terms->policy.window) > 0)
		at -= at % g->o->bin_seconds; /* of whole bins, as many in each, none between two */
	if (g->n > TERMS_NAMES_MAX)
		return fault_set(why, ERR_NOT_FOUND, "",
		                 "%s is %zu interconnects together, of which at most %d are added "
		                 "up: take scope metro or interconnect, or a policy for some",
		                 g->subject, g->n, TERMS_NAMES_MAX);
	enum err e = period_at(g->s, g->terms, at, &period, why);
	if (e == ERR_OK)
		e = read_period(g, &period, m, judged);
	if (e != ERR_OK)
		return e;
	*ask = (struct judging_ask){ .terms = g->terms,
		                     .version = g->about->version,
		                     .sha256 = g->about->sha256,
		                     .subject = g->subject,
		                     .names = g->names.name,
		                     .metering = m,
		                     .judged = judged };
	e = read_past(g, period, ask, why);
	if (e != ERR_OK)
		metering_done(m);
	return e;
}

static enum err put_group(const struct group *g, struct sheet *sheet, struct fault *why)
{
	struct metering m;
	struct judged judged;
	struct judging_ask ask;
	const enum err e = read_group(g, &m, &judged, &ask, why);
	if (e != ERR_OK)
		return e;
	judging_put(&ask, sheet);
	metering_done(&m);
	return ERR_OK;
}

/* ---- what a policy is about ---- */

static bool is_about(const struct terms_policy *t, const struct store_interconnect *ic)
{
	if (strcmp(ic->provider, t->provider) != 0)
		return false;
	if (t->peer_asn != 0)
		return ic->in_force && ic->neighbor_asn == t->peer_asn;
	for (size_t i = 0; i < t->interconnects.n; i++)
		if (strcmp(t->interconnects.name[i], ic->id) == 0)
			return true;
	return false;
}

/* The name of the group that an interconnect is in. */
static void subject_of(const struct terms_policy *t, const struct store_interconnect *ic,
                       char out[static 80])
{
	if (t->policy.scope == POLICY_INTERCONNECT)
		(void)snprintf(out, 80, "%s", ic->id);
	else if (t->policy.scope == POLICY_METRO)
		(void)snprintf(out, 80, "%s", ic->metro[0] != '\0' ? ic->metro : "(no metro)");
	else if (t->peer_asn != 0)
		(void)snprintf(out, 80, "AS%u", t->peer_asn);
	else
		(void)snprintf(out, 80, "%s", "all");
}

struct names_list {
	struct policy_name *rows;
	size_t n, room;
};

static enum err add_name(struct names_list *l, const struct terms_policy *t,
                         const char *interconnect)
{
	if (l->n == l->room) {
		const size_t room = l->room > 0 ? 2 * l->room : 16;
		struct policy_name *grown = reallocarray(l->rows, room, sizeof(*grown));
		if (grown == NULL)
			return ERR_NOMEM;
		l->rows = grown;
		l->room = room;
	}
	struct policy_name *row = &l->rows[l->n++];
	(void)snprintf(row->provider, sizeof(row->provider), "%s", t->provider);
	(void)snprintf(row->interconnect, sizeof(row->interconnect), "%s", interconnect);
	(void)snprintf(row->policy, sizeof(row->policy), "%s", t->id);
	return ERR_OK;
}

static enum err add_names(struct names_list *l, const struct store_agreement *a,
                          const struct store_interconnect *interconnects, size_t n)
{
	struct terms_policy *t;
	struct arena *arena = arena_new(TERMS_ARENA);
	struct faults *faults = faults_new();
	enum err e = arena == NULL || faults == NULL
	                     ? ERR_NOMEM
	                     : terms_policy_parse(a->document, a->size, arena, &t, faults);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (is_about(t, &interconnects[i]))
			e = add_name(l, t, interconnects[i].id);
	faults_free(faults);
	arena_free(arena);
	return e == ERR_MALFORMED ? ERR_OK : e;
}

enum err policies_names(struct store *s, const char *provider, struct policy_name **out,
                        size_t *count)
{
	struct names_list l = { 0 };
	struct store_interconnect *interconnects = NULL;
	struct store_agreement *all;
	size_t n_interconnects = 0, n;
	enum err e = store_agreements(s, STORE_POLICY, provider, NULL, &all, &n);
	if (e != ERR_OK)
		return e;
	if (n > 0)
		e = store_interconnects(s, provider, &interconnects, &n_interconnects);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = add_names(&l, &all[i], interconnects, n_interconnects);
	store_agreements_free(all, n);
	free(interconnects);
	if (e != ERR_OK) {
		free(l.rows);
		return e;
	}
	*out = l.rows;
	*count = l.n;
	return ERR_OK;
}

/* The report while it is made, or whoever else wants to see each group. */
struct writer {
	struct store *s;
	const struct report_options *o;
	const struct report_agreements_query *q;
	const struct store_interconnect *interconnects; /* of all providers */
	size_t n_interconnects, put;
	enum err (*each)(struct writer *w, const struct store_agreement *a, struct group *g);
	struct text *out; /* NULL: no report */
	policies_see *see;
	void *ctx;
};

static void put_sheet(struct writer *w, const struct store_agreement *a, const char *subject,
                      const struct sheet *sheet)
{
	struct text prefix = { 0 };
	if (w->q->csv) {
		text_csv_field(&prefix, a->provider);
		text_put(&prefix, ",");
		text_csv_field(&prefix, a->id);
		text_put(&prefix, ",");
		text_csv_field(&prefix, subject);
		sheet_csv(sheet, prefix.bytes != NULL ? prefix.bytes : "", w->out);
	} else {
		text_put(w->out, w->put++ > 0 ? ",\n{" : "\n{");
		sheet_json(sheet, w->out);
		text_put(w->out, "}");
	}
	w->out->bad = w->out->bad || prefix.bad;
	text_done(&prefix);
}

static enum err write_group(struct writer *w, const struct store_agreement *a, struct group *g)
{
	struct sheet sheet = { 0 };
	struct fault why = { 0 };
	enum err e = put_group(g, &sheet, &why);
	if (e == ERR_NOT_FOUND || e == ERR_RANGE) {
		sheet_string(&sheet, "provider", a->provider);
		sheet_string(&sheet, "policy", a->id);
		sheet_string(
			&sheet, "error",
			e == ERR_RANGE
				? "the period holds no whole bin, or more bytes in one than can be "
				  "counted (2^64)"
				: why.text);
		e = ERR_OK;
	}
	if (e == ERR_OK)
		put_sheet(w, a, g->subject, &sheet);
	sheet_done(&sheet);
	return e;
}

/* Groups in the order of their first interconnect. */
static enum err each_group(struct writer *w, const struct store_agreement *a,
                           const struct terms_policy *t)
{
	char subject[80], other[80];
	enum err e = ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < w->n_interconnects; i++) {
		struct group g = {
			.s = w->s, .o = w->o, .q = w->q, .about = a, .terms = t, .subject = subject
		};
		bool is_first = is_about(t, &w->interconnects[i]);
		subject_of(t, &w->interconnects[i], subject);
		for (size_t k = 0; is_first && k < w->n_interconnects; k++) {
			subject_of(t, &w->interconnects[k], other);
			if (!is_about(t, &w->interconnects[k]) || strcmp(subject, other) != 0)
				continue;
			is_first = k >= i;
			if (g.n++ < TERMS_NAMES_MAX)
				g.names.name[g.names.n++] = w->interconnects[k].id;
		}
		if (is_first)
			e = w->each(w, a, &g);
	}
	return e;
}

static void write_refused(struct writer *w, const struct store_agreement *a,
                          const struct fault *why)
{
	struct sheet sheet = { 0 };
	sheet_string(&sheet, "provider", a->provider);
	sheet_string(&sheet, "policy", a->id);
	sheet_string(&sheet, "where", why->where);
	sheet_string(&sheet, "error", why->text);
	put_sheet(w, a, "", &sheet);
	sheet_done(&sheet);
}

static enum err read_one(struct writer *w, const struct store_agreement *a)
{
	struct terms_policy *t;
	struct arena *arena = arena_new(TERMS_ARENA);
	struct faults *faults = faults_new();
	enum err e = arena == NULL || faults == NULL
	                     ? ERR_NOMEM
	                     : terms_policy_parse(a->document, a->size, arena, &t, faults);
	if (e == ERR_OK) {
		e = each_group(w, a, t);
	} else if (e == ERR_MALFORMED) { /* of a version that knew it otherwise */
		if (w->out != NULL)
			write_refused(w, a, &faults->list[0]);
		e = ERR_OK;
	}
	faults_free(faults);
	arena_free(arena);
	return e;
}

static enum err each_policy(struct writer *w)
{
	struct store_interconnect *interconnects;
	struct store_agreement *all;
	size_t n;
	enum err e = store_interconnects(w->s, w->q->provider, &interconnects, &w->n_interconnects);
	if (e != ERR_OK)
		return e;
	w->interconnects = interconnects;
	e = store_agreements(w->s, STORE_POLICY, w->q->provider, w->q->id, &all, &n);
	if (e == ERR_OK) {
		for (size_t i = 0; e == ERR_OK && i < n; i++)
			e = read_one(w, &all[i]);
		store_agreements_free(all, n);
	}
	free(interconnects);
	return e;
}

static const char definitions[] =
	"\"definitions\":{"
	"\"direction\":\"out and in as seen from the provider: out leaves its network\","
	"\"verdict\":\"of this period so far: warn from warn_at of the limit, breach beyond it, "
	"below-minimum under min_volume; unknown: the period is over, and of its bins fewer than 50 % "
	"are known\","
	"\"ratio\":\"out:in of the policy's metric over the closed bins; those that are not known add "
	"nothing\","
	"\"margin\":\"how much more may go in a direction, the other staying as it is; null: nothing "
	"limits it, or nothing was measured\","
	"\"clause\":\"of the periods that have ended; unknown ones and those without data are passed over, "
	"as many as it needs of the others and at least 3\","
	"\"notice_ends\":\"notice_days after the newest of them that broke it\"}";

static enum err write_all(struct writer *w)
{
	char at[24];
	text_time_print(w->q->at == REPORT_ABSENT ? w->q->now : w->q->at, at);
	if (w->q->csv)
		text_put(w->out, "provider,policy,subject,figure,value,unit\r\n");
	else
		text_printf(w->out, "{\"at\":\"%s\",\"policies\":[", at);
	const enum err e = each_policy(w);
	if (!w->q->csv)
		text_printf(w->out, "],\n%s}\n", definitions);
	return e;
}

enum err report_policies(struct store *s, const struct report_options *o,
                         const struct report_agreements_query *q, struct text *out)
{
	struct text made = { 0 };
	struct writer w = { .s = s, .o = o, .q = q, .each = write_group, .out = &made };
	enum err e = write_all(&w);
	if (e == ERR_OK && !made.bad)
		text_put(out, made.bytes);
	if (e == ERR_OK && (made.bad || out->bad))
		e = ERR_NOMEM;
	text_done(&made);
	return e;
}

static enum err show_group(struct writer *w, const struct store_agreement *a, struct group *g)
{
	struct metering m;
	struct judged judged;
	struct judging_ask ask;
	struct fault why;
	(void)a;
	const enum err e = read_group(g, &m, &judged, &ask, &why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND || e == ERR_RANGE ? ERR_OK : e; /* the report says so */
	w->see(w->ctx, &ask);
	metering_done(&m);
	return ERR_OK;
}

enum err policies_read(struct store *s, const struct report_options *o,
                       const struct report_agreements_query *q, policies_see *see, void *ctx)
{
	struct writer w = { .s = s, .o = o, .q = q, .each = show_group, .see = see, .ctx = ctx };
	return each_policy(&w);
}
