/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms, and the rules they come from. */
#include "server/alarms/event.h"
#include "server/api/body.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The provider that a token is of; NULL: all. */
static const char *own_provider(const struct call *c)
{
	return c->who.provider[0] != '\0' ? c->who.provider : NULL;
}

/* ---- alarms ---- */

static void put_instant(struct text *t, const char *key, int64_t at)
{
	if (at > 0)
		call_put_time(t, key, at);
	else
		text_printf(t, ",\"%s\":null", key);
}

static void put_alarm(struct text *t, const struct store_alarm *a)
{
	enum rule_id id;
	const struct rule *rule = rule_find(a->rule, &id) ? rule_of(id) : NULL;
	text_printf(t, "{\"value\":%.15g,\"threshold\":%.15g", a->life.value, a->threshold);
	call_put_string(t, "unit", rule != NULL ? rule->unit : "");
	call_put_string(t, "id", a->id);
	call_put_string(t, "rule", a->rule);
	call_put_string(t, "severity", rule != NULL ? severity_name(rule->severity) : "info");
	call_put_string(t, "provider", a->provider);
	call_put_string(t, "subject", a->subject);
	call_put_string(t, "state", alarm_state_name(a->life.state));
	call_put_time(t, "since", a->life.since);
	call_put_time(t, "seen", a->life.seen);
	call_put_string(t, "text", a->text);
	put_instant(t, "muted_until", a->life.muted_until);
	call_put_string(t, "muted_by", a->muted_by);
	put_instant(t, "acknowledged_at", a->life.acknowledged_at);
	call_put_string(t, "acknowledged_by", a->acknowledged_by);
	text_put(t, "}");
}

static bool read_state(struct call *c, char *state, size_t room, struct store_alarm_filter *f)
{
	static const char *const states[] = { "pending", "firing", "resolved" };
	(void)snprintf(state, room, "firing");
	if (!call_text(c, "state", state, room))
		return false;
	f->state = strcmp(state, "all") == 0 ? NULL : state;
	for (size_t i = 0; i < 3 && f->state != NULL; i++)
		if (strcmp(state, states[i]) == 0)
			return true;
	if (f->state == NULL)
		return true;
	call_problem(c, 400, "state: firing (the default), pending, resolved or all");
	return false;
}

/* false: the answer is given; a token of one provider sees that one only. */
static bool read_provider(struct call *c, char provider[static 65], const char **out)
{
	*out = own_provider(c);
	if (!call_text(c, "provider", provider, 65))
		return false;
	if (provider[0] == '\0')
		return true;
	if (*out != NULL && strcmp(*out, provider) != 0) {
		call_problem(c, 403, "token %s may not do this for provider %s", c->who.name,
		             provider);
		return false;
	}
	*out = provider;
	return true;
}

void alarms_get(struct call *c)
{
	struct store_alarm_filter filter = { .scope = NULL };
	struct store_alarm *list = NULL;
	char state[16], provider[65] = "";
	size_t n = 0;
	if (!read_state(c, state, sizeof(state), &filter) ||
	    !read_provider(c, provider, &filter.provider))
		return;
	const enum err e = store_alarms(c->use->store, &filter, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no alarms");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"alarms\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",\n" : "\n");
		put_alarm(t, &list[i]);
	}
	text_put(t, "]}\n");
	free(list);
}

static const char no_alarm[] = "there is no such alarm of yours";

void alarm_events_get(struct call *c)
{
	enum { LIMIT = 100, LIMIT_MAX = 1000 };
	struct store_alarm_event *list = NULL;
	uint64_t limit = LIMIT;
	size_t n = 0;
	if (!call_number(c, "limit", &limit))
		return;
	if (limit == 0 || limit > LIMIT_MAX) {
		call_problem(c, 400, "limit: 1 to %d", LIMIT_MAX);
		return;
	}
	const enum err e = store_alarm_events(c->use->store, c->path.part[0], own_provider(c),
	                                      (size_t)limit, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, no_alarm);
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"events\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",\n{\"event\":" : "\n{\"event\":");
		text_json_string(t, list[i].id);
		call_put_string(t, "what", list[i].what);
		call_put_time(t, "at", list[i].at);
		call_put_string(t, "author", list[i].author);
		if (list[i].body[0] != '\0') /* it ends with a line feed, which JSON allows */
			text_printf(t, ",\"told\":%s", list[i].body);
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	store_alarm_events_done(list, n);
}

void alarm_ack(struct call *c)
{
	char event[STORE_EVENT_ID];
	event_new_id(event);
	const struct store_alarm_change change = { .id = c->path.part[0],
		                                   .provider = own_provider(c),
		                                   .author = c->who.name,
		                                   .event = event,
		                                   .now = c->now };
	call_empty(c, store_alarm_acknowledge(c->use->store, &change),
	           "there is no such alarm of yours that fires");
}

/* A body is needed: how long is nothing to be guessed. */
static bool read_until(struct call *c, json_t *body, int64_t *until)
{
	static const char *const keys[] = { "until", "seconds", NULL };
	const json_t *seconds = json_object_get(body, "seconds");
	struct faults *faults = faults_new();
	if (faults == NULL) {
		call_failed(c, ERR_NOMEM, "");
		return false;
	}
	body_reject_unknown(body, keys, faults);
	const char *at = body_string(body, "until", faults);
	if (seconds != NULL &&
	    (at == NULL || at[0] != '\0' || !json_is_integer(seconds) ||
	     json_integer_value(seconds) < 0 || json_integer_value(seconds) > 366 * 86400))
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/seconds",
		                 "0 to 31622400, and no \"until\" beside it");
	else if (seconds != NULL)
		*until = c->now + json_integer_value(seconds);
	else if (at != NULL && !text_time(at, until))
		(void)faults_add(faults, ERR_MALFORMED, "malformed", "/until",
		                 "a time such as 2026-11-21T10:05:00Z, or give \"seconds\"");
	const bool good = faults->count == 0;
	if (!good)
		call_refused(c, faults);
	faults_free(faults);
	return good;
}

void alarm_mute(struct call *c)
{
	char event[STORE_EVENT_ID];
	int64_t until = 0;
	json_t *body = call_body_object(c);
	if (body == NULL)
		return;
	if (read_until(c, body, &until)) {
		event_new_id(event);
		const struct store_alarm_change change = { .id = c->path.part[0],
			                                   .provider = own_provider(c),
			                                   .author = c->who.name,
			                                   .event = event,
			                                   .now = c->now };
		call_empty(c, store_alarm_mute(c->use->store, &change, until), no_alarm);
	}
	json_decref(body);
}

/* ---- rules ---- */

static void put_rule(struct text *t, enum rule_id id, const char *provider,
                     const struct store_alarm_rule *list, size_t n)
{
	const struct rule *rule = rule_of(id);
	const struct rule_setting s = rule_setting(id, provider, list, n);
	text_put(t, "{\"rule\":");
	text_json_string(t, rule->name);
	call_put_string(t, "provider", provider);
	text_printf(t, ",\"enabled\":%s,\"threshold\":%.15g,\"for_bins\":%" PRIu32,
	            s.enabled ? "true" : "false", s.threshold, s.for_bins);
	call_put_string(t, "severity", severity_name(rule->severity));
	call_put_string(t, "unit", rule->unit);
	call_put_string(t, "help", rule->help);
	text_put(t, "}");
}

/* Each rule as it holds for all (or the token's provider), and where it is another for one. */
static void put_rules(struct text *t, const char *own, const struct store_alarm_rule *list,
                      size_t n)
{
	enum rule_id id;
	const char *comma = "\n";
	for (unsigned i = 0; i < RULES; i++) {
		text_put(t, comma);
		put_rule(t, (enum rule_id)i, own != NULL ? own : "", list, n);
		comma = ",\n";
	}
	for (size_t i = 0; i < n && own == NULL; i++) {
		if (list[i].provider[0] == '\0' || !rule_find(list[i].rule, &id))
			continue;
		text_put(t, comma);
		put_rule(t, id, list[i].provider, list, n);
	}
}

void alarm_rules_get(struct call *c)
{
	struct store_alarm_rule *list = NULL;
	size_t n = 0;
	const enum err e = store_alarm_rules(c->use->store, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no rules");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"rules\":[");
	put_rules(t, own_provider(c), list, n);
	text_put(t, "]}\n");
	free(list);
}

/* Absent or null: as the rule has it by itself. */
static void read_numbers(json_t *body, struct store_alarm_rule *r, struct faults *faults)
{
	const json_t *enabled = json_object_get(body, "enabled");
	const json_t *threshold = json_object_get(body, "threshold");
	const json_t *bins = json_object_get(body, "for_bins");
	r->has_enabled = json_is_boolean(enabled);
	r->enabled = json_is_true(enabled);
	r->has_threshold = json_is_number(threshold) && json_number_value(threshold) >= 0 &&
	                   json_number_value(threshold) <= 1e15;
	r->threshold = r->has_threshold ? json_number_value(threshold) : 0;
	r->has_for = json_is_integer(bins) && json_integer_value(bins) >= 1 &&
	             json_integer_value(bins) <= RULE_FOR_BINS_MAX;
	r->for_bins = r->has_for ? (uint32_t)json_integer_value(bins) : 0;
	if (enabled != NULL && !json_is_null(enabled) && !r->has_enabled)
		(void)faults_add(faults, ERR_MALFORMED, "wrong-type", "/enabled", "true or false");
	if (threshold != NULL && !json_is_null(threshold) && !r->has_threshold)
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/threshold",
		                 "a number, 0 to 1e15");
	if (bins != NULL && !json_is_null(bins) && !r->has_for)
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/for_bins",
		                 "a whole number, 1 to %d", RULE_FOR_BINS_MAX);
}

/* Whose it is: of a token of one provider that one's; else what the body says, "" for all. */
static void read_whose(const struct call *c, const json_t *body, struct store_alarm_rule *r,
                       struct faults *faults)
{
	const char *provider = body_string(body, "provider", faults);
	if (provider == NULL)
		return;
	if (provider[0] != '\0' && !body_is_name(provider))
		(void)faults_add(faults, ERR_MALFORMED, "malformed", "/provider",
		                 "1 to 64 letters, digits or any of -_.:@");
	else if (c->who.provider[0] != '\0' && provider[0] != '\0' &&
	         strcmp(provider, c->who.provider) != 0)
		(void)faults_add(faults, ERR_DENIED, "denied", "/provider",
		                 "this token is of provider %s", c->who.provider);
	else
		(void)snprintf(r->provider, sizeof(r->provider), "%s",
		               provider[0] != '\0' ? provider : c->who.provider);
}

static void keep_rule(struct call *c, enum rule_id id, const struct store_alarm_rule *r)
{
	const enum err e = store_alarm_rule_put(c->use->store, r, c->who.name);
	struct store_alarm_rule *list;
	size_t n;
	const enum err read = e == ERR_OK ? store_alarm_rules(c->use->store, &list, &n) : e;
	if (read != ERR_OK) {
		call_failed(c, read, "no rules");
		return;
	}
	struct text *t = call_json(c, 200);
	put_rule(t, id, r->provider, list, n);
	text_put(t, "\n");
	free(list);
}

void alarm_rule_put(struct call *c)
{
	static const char *const keys[] = { "enabled", "threshold", "for_bins", "provider", NULL };
	struct store_alarm_rule r = { .rule = "" };
	enum rule_id id;
	if (!rule_find(c->path.part[0], &id)) {
		call_problem(c, 404, "there is no rule %.64s; GET /v1/alarm-rules lists them",
		             c->path.part[0]);
		return;
	}
	(void)snprintf(r.rule, sizeof(r.rule), "%s", rule_of(id)->name);
	json_t *body = call_body_object(c);
	struct faults *faults = body != NULL ? faults_new() : NULL;
	if (faults != NULL) {
		body_reject_unknown(body, keys, faults);
		read_numbers(body, &r, faults);
		read_whose(c, body, &r, faults);
	}
	if (body != NULL && faults == NULL)
		call_failed(c, ERR_NOMEM, "");
	else if (body != NULL && faults->count > 0)
		call_refused(c, faults);
	else if (body != NULL)
		keep_rule(c, id, &r);
	faults_free(faults);
	json_decref(body);
}
