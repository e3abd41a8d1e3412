/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/alarms.h"
#include "server/store/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How far ahead a round may have been begun by a clock that was wrong. */
enum { AHEAD_SECONDS = 3600 };

enum err store_alarm_begin(struct store *s, const char *scope, const char *node, int64_t at)
{
	struct work w = work_begin(s, "begin a round of alarms");
	if (work_run(&w,
	             "INSERT INTO alarm_rounds AS r (scope, at, node) VALUES ($1, $2, $3) "
	             "ON CONFLICT (scope) DO UPDATE SET at = excluded.at, node = excluded.node "
	             "WHERE r.at < excluded.at OR r.at > excluded.at + $4::bigint RETURNING 1",
	             ARGS(arg_text(scope), arg_i64(at), arg_text(node), arg_u64(AHEAD_SECONDS))) !=
	    1)
		work_fail(&w, ERR_EXISTS);
	return work_end(&w);
}

/* ---- rows as JSON, so that one statement takes all of them ---- */

static void put_member(struct text *t, const char *key, const char *value)
{
	text_printf(t, ",\"%s\":", key);
	text_json_string(t, value);
}

static void put_bool(struct text *t, const char *key, bool value)
{
	text_printf(t, ",\"%s\":%s", key, value ? "true" : "false");
}

static void put_time(struct text *t, const char *key, int64_t value)
{
	text_printf(t, ",\"%s\":%" PRId64, key, value);
}

static void put_alarm(struct text *t, const struct store_alarm *a)
{
	text_printf(t, "{\"raises\":%" PRIu32 ",\"value\":%.17g,\"threshold\":%.17g",
	            a->life.raises, a->life.value, a->threshold);
	put_member(t, "id", a->id);
	put_member(t, "scope", a->scope);
	put_member(t, "rule", a->rule);
	put_member(t, "provider", a->provider);
	put_member(t, "subject", a->subject);
	put_member(t, "text", a->text);
	put_member(t, "state", alarm_state_name(a->life.state));
	put_time(t, "since", a->life.since);
	put_time(t, "seen", a->life.seen);
	put_time(t, "good_since", a->life.good_since);
	put_time(t, "flap_from", a->life.flap_from);
	put_bool(t, "easing", a->life.easing);
	put_bool(t, "told", a->life.told);
	text_put(t, "}");
}

static void put_event(struct text *t, const struct store_alarm_event *e)
{
	text_printf(t, "{\"severity\":%u", e->severity);
	put_member(t, "id", e->id);
	put_member(t, "alarm", e->alarm);
	put_member(t, "provider", e->provider);
	put_member(t, "what", e->what);
	put_member(t, "author", e->author);
	put_member(t, "body", e->body);
	put_time(t, "at", e->at);
	text_put(t, "}");
}

static void run_list(struct work *w, struct text *t, const char *sql)
{
	text_put(t, "]");
	if (t->bad)
		work_fail(w, ERR_NOMEM);
	(void)work_run(w, sql, ARGS(arg_text(t->bytes)));
	text_done(t);
}

/* Somebody may have acknowledged or muted it meanwhile: a round only ends what was acknowledged. */
static void keep_alarms(struct work *w, const struct store_alarm *list, size_t n)
{
	struct text t = { 0 };
	text_put(&t, "[");
	for (size_t i = 0; i < n; i++) {
		text_put(&t, i > 0 ? "," : "");
		put_alarm(&t, &list[i]);
	}
	run_list(w, &t,
	         "INSERT INTO alarms AS a (id, scope, rule, provider, subject, state, since, "
	         " value, seen, easing, good_since, raises, flap_from, told, acknowledged_at, "
	         " threshold, text) "
	         "SELECT id, scope, rule, provider, subject, state::alarm_state, since, value, "
	         " seen, easing, good_since, raises, flap_from, told, 0, threshold, text "
	         "FROM jsonb_to_recordset($1::text::jsonb) AS x (id text, scope text, rule text, "
	         " provider text, subject text, state text, since bigint, value float8, "
	         " seen bigint, easing boolean, good_since bigint, raises bigint, "
	         " flap_from bigint, told boolean, threshold float8, text text) "
	         "ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, state = excluded.state, "
	         " since = excluded.since, value = excluded.value, seen = excluded.seen, "
	         " easing = excluded.easing, good_since = excluded.good_since, "
	         " raises = excluded.raises, flap_from = excluded.flap_from, "
	         " told = excluded.told, threshold = excluded.threshold, text = excluded.text, "
	         " acknowledged_at = CASE WHEN a.raises = excluded.raises "
	         "  AND a.flap_from = excluded.flap_from THEN a.acknowledged_at ELSE 0 END, "
	         " acknowledged_by = CASE WHEN a.raises = excluded.raises "
	         "  AND a.flap_from = excluded.flap_from THEN a.acknowledged_by ELSE '' END");
}

static void keep_events(struct work *w, const struct store_alarm_event *list, size_t n)
{
	struct text t = { 0 };
	text_put(&t, "[");
	for (size_t i = 0; i < n; i++) {
		text_put(&t, i > 0 ? "," : "");
		put_event(&t, &list[i]);
	}
	run_list(w, &t,
	         "WITH added AS (INSERT INTO alarm_events (id, alarm, provider, what, at, "
	         "  severity, author, body) "
	         " SELECT id, alarm, provider, what, at, severity, author, body "
	         " FROM jsonb_to_recordset($1::text::jsonb) AS x (id uuid, alarm text, "
	         "  provider text, what text, at bigint, severity integer, author text, body text) "
	         " ON CONFLICT (id) DO NOTHING RETURNING *) "
	         "INSERT INTO alarm_outbox (event, webhook) "
	         "SELECT e.id, h.name FROM added e JOIN webhooks h "
	         " ON e.severity >= h.min_severity AND h.provider IN ('', e.provider) "
	         "WHERE e.body <> '' ORDER BY e.number, h.name");
}

enum err store_alarm_end(struct store *s, const struct store_alarm_round *round)
{
	struct work w = work_begin(s, "keep a round of alarms");
	if (round->at != 0 &&
	    work_run(&w, "SELECT 1 FROM alarm_rounds WHERE scope = $1 AND at = $2 FOR UPDATE",
	             ARGS(arg_text(round->scope), arg_i64(round->at))) != 1)
		work_fail(&w, ERR_EXISTS);
	if (round->n_alarms > 0)
		keep_alarms(&w, round->alarms, round->n_alarms);
	if (round->n_events > 0)
		keep_events(&w, round->events, round->n_events);
	return work_end(&w);
}

/* ---- reading ---- */

static double get_double(const struct work *w, size_t row, int column)
{
	char digits[64];
	work_text(w, row, column, digits, sizeof(digits));
	return strtod(digits, NULL);
}

static void alarm_row(const struct work *w, size_t row, void *out)
{
	struct store_alarm *a = out;
	char state[16];
	work_text(w, row, 0, a->id, sizeof(a->id));
	work_text(w, row, 1, a->scope, sizeof(a->scope));
	work_text(w, row, 2, a->rule, sizeof(a->rule));
	work_text(w, row, 3, a->provider, sizeof(a->provider));
	work_text(w, row, 4, a->subject, sizeof(a->subject));
	work_text(w, row, 5, state, sizeof(state));
	for (enum alarm_state k = ALARM_CLEAR; k < ALARM_STATES; k++)
		if (strcmp(state, alarm_state_name(k)) == 0)
			a->life.state = k;
	a->life.since = work_i64(w, row, 6);
	a->life.value = get_double(w, row, 7);
	a->life.seen = work_i64(w, row, 8);
	a->life.easing = work_bool(w, row, 9);
	a->life.good_since = work_i64(w, row, 10);
	a->life.raises = (uint32_t)work_u64(w, row, 11);
	a->life.flap_from = work_i64(w, row, 12);
	a->life.told = work_bool(w, row, 13);
	a->life.acknowledged_at = work_i64(w, row, 14);
	a->life.muted_until = work_i64(w, row, 15);
	a->threshold = get_double(w, row, 16);
	work_text(w, row, 17, a->text, sizeof(a->text));
	work_text(w, row, 18, a->acknowledged_by, sizeof(a->acknowledged_by));
	work_text(w, row, 19, a->muted_by, sizeof(a->muted_by));
}

enum err store_alarms(struct store *s, const struct store_alarm_filter *filter,
                      struct store_alarm **out, size_t *count)
{
	struct work w = work_begin(s, "read alarms");
	(void)work_run(
		&w,
		"SELECT id, scope, rule, provider, subject, state, since, value, seen, "
		" easing, good_since, raises, flap_from, told, acknowledged_at, "
		" muted_until, threshold, text, acknowledged_by, muted_by FROM alarms "
		"WHERE ($1::text IS NULL OR scope = $1) "
		" AND ($2::text IS NULL OR provider = $2) "
		" AND (CASE WHEN $3::text IS NULL THEN state <> 'clear' "
		"  ELSE $3 IN ('', state::text) END) "
		"ORDER BY state <> 'firing', provider, rule, subject",
		ARGS(arg_text(filter->scope), arg_text(filter->provider), arg_text(filter->state)));
	size_t n = 0;
	struct store_alarm *list = work_list(&w, sizeof(*list), alarm_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

static void event_row(const struct work *w, size_t row, void *out)
{
	struct store_alarm_event *e = out;
	work_text(w, row, 0, e->id, sizeof(e->id));
	work_text(w, row, 1, e->alarm, sizeof(e->alarm));
	work_text(w, row, 2, e->provider, sizeof(e->provider));
	work_text(w, row, 3, e->what, sizeof(e->what));
	e->at = work_i64(w, row, 4);
	e->severity = (unsigned)work_u64(w, row, 5);
	work_text(w, row, 6, e->author, sizeof(e->author));
}

void store_alarm_events_done(struct store_alarm_event *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].body);
	free(list);
}

enum err store_alarm_events(struct store *s, const char *alarm, const char *provider, size_t limit,
                            struct store_alarm_event **out, size_t *count)
{
	struct work w = work_begin(s, "read what was told of an alarm");
	/* What pends has no event yet, and events may outlive their alarm. */
	if (work_run(
		    &w,
		    "SELECT 1 WHERE EXISTS (SELECT FROM alarms WHERE id = $1 "
		    " AND ($2::text IS NULL OR provider = $2)) OR EXISTS (SELECT FROM alarm_events "
		    " WHERE alarm = $1 AND ($2::text IS NULL OR provider = $2))",
		    ARGS(arg_text(alarm), arg_text(provider))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	(void)work_run(&w,
	               "SELECT id, alarm, provider, what, at, severity, author, body "
	               "FROM alarm_events WHERE alarm = $1 "
	               " AND ($2::text IS NULL OR provider = $2) ORDER BY number DESC LIMIT $3",
	               ARGS(arg_text(alarm), arg_text(provider), arg_u64(limit)));
	size_t n = 0, size;
	struct store_alarm_event *list = work_list(&w, sizeof(*list), event_row, &n);
	for (size_t i = 0; i < n; i++)
		list[i].body = work_blob(&w, i, 7, &size);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		store_alarm_events_done(list, n);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

/* ---- what people do with them ---- */

static void note_change(struct work *w, const struct store_alarm_change *c, const char *what,
                        const char *action)
{
	char provider[65] = "";
	if (work_run(w,
	             "INSERT INTO alarm_events (id, alarm, provider, what, at, severity, author, "
	             " body) SELECT $1::text::uuid, id, provider, $3, $4, 0, $5, '' FROM alarms "
	             "WHERE id = $2 RETURNING provider",
	             ARGS(arg_text(c->event), arg_text(c->id), arg_text(what), arg_i64(c->now),
	                  arg_text(c->author))) == 1)
		work_text(w, 0, 0, provider, sizeof(provider));
	work_audit_of(w, provider, c->author, action, c->id);
}

enum err store_alarm_acknowledge(struct store *s, const struct store_alarm_change *c)
{
	struct work w = work_begin(s, "acknowledge an alarm");
	if (work_run(&w,
	             "UPDATE alarms SET acknowledged_at = $2, acknowledged_by = $3 WHERE id = $1 "
	             "AND state = 'firing' AND ($4::text IS NULL OR provider = $4) RETURNING 1",
	             ARGS(arg_text(c->id), arg_i64(c->now), arg_text(c->author),
	                  arg_text(c->provider))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	note_change(&w, c, "acknowledged", "alarm-ack");
	return work_end(&w);
}

enum err store_alarm_mute(struct store *s, const struct store_alarm_change *c, int64_t until)
{
	struct work w = work_begin(s, "mute an alarm");
	if (work_run(&w,
	             "UPDATE alarms SET muted_until = $2, muted_by = $3 WHERE id = $1 "
	             "AND ($4::text IS NULL OR provider = $4) RETURNING 1",
	             ARGS(arg_text(c->id), arg_i64(until), arg_text(c->author),
	                  arg_text(c->provider))) != 1)
		work_fail(&w, ERR_NOT_FOUND);
	note_change(&w, c, until > c->now ? "muted" : "unmuted", "alarm-mute");
	return work_end(&w);
}

enum err store_alarm_forget(struct store *s, int64_t before)
{
	struct work w = work_begin(s, "forget old alarms");
	(void)work_run(&w,
	               "DELETE FROM alarms WHERE seen < $1 AND state IN ('clear', 'resolved') "
	               "AND NOT told",
	               ARGS(arg_i64(before)));
	(void)work_run(&w, "DELETE FROM alarm_events WHERE at < $1", ARGS(arg_i64(before)));
	return work_end(&w);
}

/* ---- rules ---- */

enum err store_alarm_rule_put(struct store *s, const struct store_alarm_rule *r, const char *author)
{
	struct work w = work_begin(s, "set a rule of alarms");
	struct text subject = { 0 }, threshold = { 0 };
	text_printf(&threshold, "%.17g", r->threshold);
	text_printf(&subject, "%s %s", r->rule, r->provider);
	if (r->has_enabled)
		text_printf(&subject, " enabled=%d", r->enabled);
	if (r->has_threshold)
		text_printf(&subject, " threshold=%g", r->threshold);
	if (r->has_for)
		text_printf(&subject, " for_bins=%" PRIu32, r->for_bins);
	if (subject.bad || threshold.bad)
		work_fail(&w, ERR_NOMEM);
	if (!r->has_enabled && !r->has_threshold && !r->has_for)
		(void)work_run(&w, "DELETE FROM alarm_rules WHERE rule = $1 AND provider = $2",
		               ARGS(arg_text(r->rule), arg_text(r->provider)));
	else
		(void)work_run(
			&w,
			"INSERT INTO alarm_rules (rule, provider, enabled, threshold, "
			" for_bins) VALUES ($1, $2, $3::text::boolean, $4::text::float8, $5) "
			"ON CONFLICT (rule, provider) DO UPDATE SET (enabled, threshold, for_bins) "
			" = (EXCLUDED.enabled, EXCLUDED.threshold, EXCLUDED.for_bins)",
			ARGS(arg_text(r->rule), arg_text(r->provider),
		             arg_text(!r->has_enabled ? NULL
		                      : r->enabled    ? "true"
		                                      : "false"),
		             arg_text(r->has_threshold ? threshold.bytes : NULL),
		             r->has_for ? arg_u64(r->for_bins) : arg_text(NULL)));
	work_audit_of(&w, r->provider, author, "alarm-rule", subject.bad ? r->rule : subject.bytes);
	text_done(&subject);
	text_done(&threshold);
	return work_end(&w);
}

static void rule_row(const struct work *w, size_t row, void *out)
{
	struct store_alarm_rule *r = out;
	work_text(w, row, 0, r->rule, sizeof(r->rule));
	work_text(w, row, 1, r->provider, sizeof(r->provider));
	r->has_enabled = !work_null(w, row, 2);
	r->enabled = work_bool(w, row, 2);
	r->has_threshold = !work_null(w, row, 3);
	r->threshold = get_double(w, row, 3);
	r->has_for = !work_null(w, row, 4);
	r->for_bins = (uint32_t)work_u64(w, row, 4);
}

enum err store_alarm_rules(struct store *s, struct store_alarm_rule **out, size_t *count)
{
	struct work w = work_begin(s, "read rules of alarms");
	(void)work_run(&w,
	               "SELECT rule, provider, enabled, threshold, for_bins FROM alarm_rules "
	               "ORDER BY rule, provider",
	               NULL);
	size_t n = 0;
	struct store_alarm_rule *list = work_list(&w, sizeof(*list), rule_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
