/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a map: history, approval, activation, roll back; and how a provider wants it. */
#include "server/api/lifecycle.h"
#include "server/api/body.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- shared answers ---- */

const char *document_kind(enum store_kind kind)
{
	return kind == STORE_TOPOLOGY ? "topology" : "costs";
}

static void put_version_or_null(struct text *t, const char *key, uint64_t version)
{
	if (version > 0)
		text_printf(t, "\"%s\":%" PRIu64, key, version);
	else
		text_printf(t, "\"%s\":null", key);
}

/* ,"key":null for 0 */
static void put_time_or_null(struct text *t, const char *key, int64_t at)
{
	if (at > 0)
		call_put_time(t, key, at);
	else
		text_printf(t, ",\"%s\":null", key);
}

void document_changed(struct call *c, unsigned status, const char *state,
                      const struct maps_change *change)
{
	struct text *t = call_json(c, status);
	text_put(t, "{");
	put_version_or_null(t, "version", change->version);
	if (change->also > 0)
		text_printf(t, ",\"also\":%" PRIu64, change->also);
	call_put_string(t, "sha256", change->sha256);
	call_put_string(t, "provider", c->path.part[0]);
	if (state != NULL)
		call_put_string(t, "state", state);
	else
		text_put(t, ",\"state\":null");
	put_time_or_null(t, "watched_until", change->watched_until);
	text_printf(t, ",\"unchanged\":%s,\"changes\":{", change->unchanged ? "true" : "false");
	text_printf(t, "\"pids_added\":%zu,\"pids_removed\":%zu,\"pids_changed\":%zu",
	            change->pids_added, change->pids_removed, change->pids_changed);
	text_printf(t, ",\"links_added\":%zu,\"links_removed\":%zu,\"links_changed\":%zu",
	            change->links_added, change->links_removed, change->links_changed);
	text_printf(t, ",\"prefixes_added\":%zu,\"prefixes_removed\":%zu,\"prefixes_moved\":%zu",
	            change->prefixes_added, change->prefixes_removed, change->prefixes_moved);
	text_printf(t,
	            ",\"interconnects_added\":%zu,\"interconnects_removed\":%zu"
	            ",\"interconnects_changed\":%zu",
	            change->interconnects_added, change->interconnects_removed,
	            change->interconnects_changed);
	text_printf(t, ",\"costs_changed\":%zu},\"warnings\":", change->costs_changed);
	call_put_faults(c, t, change->warnings);
	if (change->impact.size > 0) {
		text_put(t, ",\"impact\":");
		text_add(t, change->impact.bytes, change->impact.size);
	}
	text_put(t, "}\n");
}

/* Somebody else was first: where to look. */
static void lost(struct call *c)
{
	struct store_version *list = NULL;
	struct text now = { 0 };
	size_t n = 0;
	const enum err e = store_versions(c->use->store, NULL, &list, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].provider, c->path.part[0]) == 0)
			text_printf(&now, "%s%s version %" PRIu64, now.size > 0 ? " and " : "",
			            document_kind(list[i].kind), list[i].version);
	free(list);
	if (e != ERR_OK || now.bad)
		call_failed(c, e != ERR_OK ? e : ERR_NOMEM, "");
	else
		call_problem(
			c, 412,
			"what is in force is not what was expected, by If-Match or since the "
			"roll back began: somebody else changed it; now it is %s: look at that, "
			"and begin from there",
			now.size > 0 ? now.bytes : "nothing");
	text_done(&now);
}

void document_failed(struct call *c, enum err e, const char *what, const struct faults *faults)
{
	if (e == ERR_MALFORMED)
		call_refused(c, faults);
	else if (e == ERR_RANGE)
		call_objected(c, faults);
	else if (e == ERR_DENIED)
		lost(c);
	else
		call_failed(c, e, what);
}

bool document_watch(struct call *c, uint64_t *out)
{
	return call_number_to(c, "watch", STORE_WATCH_SECONDS_MAX, out);
}

/* Of the lists of an impact. */
enum { ROWS = 100, ROWS_MAX = 10000 };

bool document_rows(struct call *c, size_t *out)
{
	uint64_t limit = ROWS;
	if (!call_number_to(c, "limit", ROWS_MAX, &limit))
		return false;
	*out = (size_t)limit;
	return true;
}

static bool version_of(struct call *c, uint64_t *out)
{
	const char *digits = c->path.part[1];
	if (text_u64(digits, strlen(digits), out) && *out > 0 && *out <= INT64_MAX)
		return true;
	call_problem(c, 400, "version: \"%s\" is no whole number from 1", digits);
	return false;
}

/* `also` 0: none. */
static void no_version(const struct call *c, uint64_t version, uint64_t also, char what[static 160])
{
	(void)snprintf(what, 160, "provider %.64s has no version %" PRIu64, c->path.part[0],
	               version);
	if (also != 0)
		(void)snprintf(what, 160,
		               "provider %.64s has no version %" PRIu64 " or no version %" PRIu64,
		               c->path.part[0], version, also);
}

/* A version that a parameter names; 0: there is none. */
static bool read_version(struct call *c, const char *name, uint64_t *out)
{
	if (!call_number(c, name, out))
		return false;
	if (http_has_parameter(c->request, name) && (*out == 0 || *out > INT64_MAX)) {
		call_problem(c, 400, "%s: %" PRIu64 " is no version, they count from 1", name,
		             *out);
		return false;
	}
	return true;
}

/* ---- history ---- */

/* ,"key":{"at":...,"by":...} or null */
static void put_deed(struct text *t, const char *key, int64_t at, const char *by)
{
	if (at == 0) {
		text_printf(t, ",\"%s\":null", key);
		return;
	}
	text_printf(t, ",\"%s\":{\"by\":", key);
	text_json_string(t, by);
	call_put_time(t, "at", at);
	text_put(t, "}");
}

static void put_plan(struct text *t, const struct store_life *l)
{
	if (l->planned == 0) {
		text_put(t, ",\"scheduled\":null");
		return;
	}
	text_put(t, ",\"scheduled\":{\"by\":");
	text_json_string(t, l->planner);
	call_put_time(t, "at", l->planned);
	call_put_string(t, "state", l->plan_state);
	call_put_string(t, "reason", l->plan_reason);
	text_put(t, "}");
}

/* Of a draft; what was in force keeps the approval it had then. */
static void put_lapse(struct text *t, const struct store_life *l)
{
	char what[STORE_STANDING_TEXT], lapse[80] = "";
	if (l->approved > 0 && !l->approval_counts && l->activated == 0) {
		store_standing_print(l->approver_standing, what);
		(void)snprintf(lapse, sizeof(lapse), "the token %s", what);
	}
	call_put_string(t, "approval_lapsed", lapse);
}

static void put_life(struct text *t, const struct store_life *l)
{
	const struct store_version *v = &l->about;
	text_printf(t, "{\"version\":%" PRIu64, v->version);
	call_put_string(t, "kind", document_kind(v->kind));
	call_put_string(t, "state", store_state_name(l->state));
	call_put_string(t, "sha256", v->sha256);
	call_put_string(t, "author", v->author);
	call_put_string(t, "source", l->source);
	call_put_time(t, "created", v->created);
	text_printf(t, ",\"size\":%" PRIu64 ",\"in_force\":%s", v->size,
	            v->in_force ? "true" : "false");
	put_deed(t, "approved", l->approved, l->approver);
	put_lapse(t, l);
	put_deed(t, "activated", l->activated, l->activator);
	put_plan(t, l);
	if (l->watched_until == 0) {
		text_put(t, ",\"watch\":null");
	} else {
		text_put(t, ",\"watch\":{\"state\":");
		text_json_string(t, l->watch_state);
		call_put_time(t, "until", l->watched_until);
		text_put(t, "}");
	}
	call_put_string(t, "rolled_back_because", l->undone);
	text_put(t, "}");
}

static bool read_page(struct call *c, struct store_page *page)
{
	enum { LIMIT_MAX = 1000 };
	uint64_t limit = LIMIT_MAX;
	if (!call_number(c, "limit", &limit) || !read_version(c, "before", &page->before))
		return false;
	if (limit == 0 || limit > LIMIT_MAX) {
		call_problem(c, 400, "limit: 1 to %d", LIMIT_MAX);
		return false;
	}
	page->limit = (size_t)limit;
	return true;
}

void versions_get(struct call *c)
{
	struct store_life *list = NULL;
	struct store_page page = { 0 };
	size_t n = 0;
	char what[128];
	if (!read_page(c, &page))
		return;
	page.limit++; /* is there one more? */
	enum err e = store_history_page(c->use->store, c->path.part[0], &page, &list, &n);
	if (e == ERR_OK && n == 0 && page.before == 0)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK) {
		(void)snprintf(what, sizeof(what), "there is no provider %.64s", c->path.part[0]);
		call_failed(c, e, what);
		free(list);
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"provider\":");
	text_json_string(t, c->path.part[0]);
	const bool more = n == page.limit;
	n -= more;
	text_put(t, ",\"versions\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",\n" : "");
		put_life(t, &list[i]);
	}
	text_put(t, "],");
	put_version_or_null(t, "next", more ? list[n - 1].about.version : 0);
	text_put(t, "}\n");
	free(list);
}

/* ---- what it would do ---- */

void version_plan(struct call *c)
{
	struct maps_activation a = { .provider = c->path.part[0] };
	size_t limit;
	char what[160];
	if (!version_of(c, &a.version) || !read_version(c, "with", &a.also) ||
	    !document_rows(c, &limit))
		return;
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	enum err e = ERR_NOMEM;
	if (faults != NULL && change.warnings != NULL)
		e = maps_plan(c->use->maps, &a, limit, &change, faults);
	no_version(c, a.version, a.also, what);
	if (e == ERR_OK)
		document_changed(c, 200, NULL, &change);
	else
		document_failed(c, e, what, faults);
	text_done(&change.impact);
	faults_free(change.warnings);
	faults_free(faults);
}

/* ---- approve ---- */

void version_approve(struct call *c)
{
	uint64_t version;
	char what[160];
	if (!version_of(c, &version))
		return;
	const enum err e = store_approve(c->use->store, c->path.part[0], version, c->who.name);
	no_version(c, version, 0, what);
	if (e == ERR_DENIED)
		call_problem(c, 403, "%s made version %" PRIu64 "; somebody else must approve it",
		             c->who.name, version);
	else
		call_empty(c, e, what);
}

/* ---- activate, now or at a time ---- */

static void activate(struct call *c, const struct maps_activation *a, struct maps_change *change,
                     struct faults *faults)
{
	char what[160];
	const enum err e = maps_activate(c->use->maps, a, change, faults);
	no_version(c, a->version, a->also, what);
	if (e == ERR_EXISTS)
		(void)snprintf(what, sizeof(what),
		               "an activation of version %" PRIu64 " is scheduled already; cancel "
		               "that first",
		               a->version);
	if (e == ERR_OK)
		document_changed(c, a->at != 0 ? 202 : 200, a->at != 0 ? "scheduled" : "in force",
		                 change);
	else
		document_failed(c, e, what, faults);
}

static bool read_activation(struct call *c, struct maps_activation *a,
                            char expected[static CALL_TAGS_SIZE])
{
	uint64_t watch = UINT64_MAX;
	if (!version_of(c, &a->version) || !read_version(c, "with", &a->also) ||
	    !call_flag(c, "force", &a->force) || !call_time(c, "at", &a->at) ||
	    !document_watch(c, &watch) || !call_expected_any(c, expected))
		return false;
	if (a->at != 0 && a->at <= c->now) {
		call_problem(c, 400, "at: that time is over; leave it out to activate now");
		return false;
	}
	a->watch_seconds = watch == UINT64_MAX ? -1 : (int64_t)watch;
	a->expected = expected[0] != '\0' ? expected : NULL;
	return true;
}

void version_activate(struct call *c)
{
	char expected[CALL_TAGS_SIZE];
	struct maps_activation a = { .provider = c->path.part[0],
		                     .author = c->who.name,
		                     .approved_only =
		                             !auth_may(&c->who, AUTH_UPLOAD, c->path.part[0]) };
	if (!read_activation(c, &a, expected))
		return;
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	if (faults == NULL || change.warnings == NULL)
		call_failed(c, ERR_NOMEM, "");
	else
		activate(c, &a, &change, faults);
	faults_free(change.warnings);
	faults_free(faults);
}

void version_cancel(struct call *c)
{
	uint64_t version;
	char what[160];
	if (!version_of(c, &version))
		return;
	(void)snprintf(what, sizeof(what),
	               "no activation of version %" PRIu64 " of provider %.64s is scheduled",
	               version, c->path.part[0]);
	call_empty(c, store_plan_cancel(c->use->store, c->path.part[0], version, c->who.name),
	           what);
}

/* ---- roll back ---- */

static void roll_back(struct call *c, const struct maps_return *r, struct maps_change *change,
                      struct faults *faults)
{
	char what[160];
	const enum err e = maps_roll_back(c->use->maps, r, change, faults);
	if (r->to == 0)
		(void)snprintf(what, sizeof(what),
		               "nothing of provider %.64s was in force before what is now",
		               r->provider);
	else
		(void)snprintf(what, sizeof(what),
		               "version %" PRIu64 " of provider %.64s was never in force", r->to,
		               r->provider);
	if (e == ERR_OK)
		document_changed(c, 200, "in force", change);
	else
		document_failed(c, e, what, faults);
}

void provider_roll_back(struct call *c)
{
	char expected[CALL_TAGS_SIZE], reason[STORE_REASON] = "";
	struct maps_return r = { .provider = c->path.part[0], .author = c->who.name };
	if (!read_version(c, "to", &r.to) || !call_text(c, "reason", reason, sizeof(reason)) ||
	    !call_expected_any(c, expected))
		return;
	r.expected = expected[0] != '\0' ? expected : NULL;
	r.reason = reason[0] != '\0' ? reason : NULL;
	struct faults *faults = faults_new();
	struct maps_change change = { .warnings = faults_new() };
	if (faults == NULL || change.warnings == NULL)
		call_failed(c, ERR_NOMEM, "");
	else
		roll_back(c, &r, &change, faults);
	faults_free(change.warnings);
	faults_free(faults);
}

/* ---- settings ---- */

static void put_settings(struct call *c, unsigned status, const struct store_settings *s)
{
	char tag[32];
	(void)snprintf(tag, sizeof(tag), "%" PRIu64, s->version);
	if (call_is_known(c, tag))
		return;
	struct text *t = call_json(c, status);
	text_printf(t,
	            "{\"approvals\":%u,\"guards\":\"%s\",\"watch_seconds\":%" PRIu32
	            ",\"watch_points\":%" PRIu32 "}\n",
	            s->approvals, s->refuse ? "refuse" : "warn", s->watch_seconds, s->watch_points);
}

void settings_get(struct call *c)
{
	struct store_settings s;
	char what[128];
	const enum err e = store_settings(c->use->store, c->path.part[0], &s);
	(void)snprintf(what, sizeof(what), "there is no provider %.64s", c->path.part[0]);
	if (e == ERR_OK)
		put_settings(c, 200, &s);
	else
		call_failed(c, e, what);
}

/* A whole number of the body; absent: `value` as it was. */
static void read_number(const json_t *body, const char *key, uint32_t min, uint32_t max,
                        uint32_t *value, struct faults *faults)
{
	char where[32];
	const json_t *n = json_object_get(body, key);
	(void)snprintf(where, sizeof(where), "/%s", key);
	if (n == NULL)
		return;
	if (json_is_integer(n) && json_integer_value(n) >= (json_int_t)min &&
	    json_integer_value(n) <= (json_int_t)max)
		*value = (uint32_t)json_integer_value(n);
	else
		(void)faults_add(faults, ERR_MALFORMED, "range", where,
		                 "must be a whole number from %" PRIu32 " to %" PRIu32, min, max);
}

static void read_settings(json_t *body, struct store_settings *s, struct faults *faults)
{
	static const char *const keys[] = { "approvals", "guards", "watch_seconds", "watch_points",
		                            NULL };
	body_reject_unknown(body, keys, faults);
	uint32_t approvals = s->approvals;
	read_number(body, "approvals", 0, 1, &approvals, faults);
	read_number(body, "watch_seconds", 0, STORE_WATCH_SECONDS_MAX, &s->watch_seconds, faults);
	read_number(body, "watch_points", 1, 100, &s->watch_points, faults);
	s->approvals = approvals;
	const char *guards = body_string(body, "guards", faults);
	s->refuse = guards != NULL && strcmp(guards, "refuse") == 0;
	if (guards != NULL && guards[0] != '\0' && !s->refuse && strcmp(guards, "warn") != 0)
		(void)faults_add(faults, ERR_MALFORMED, "choice", "/guards",
		                 "must be \"warn\" or \"refuse\"");
}

/* Somebody else was first. */
static void lost_settings(struct call *c)
{
	struct store_settings now;
	const enum err e = store_settings(c->use->store, c->path.part[0], &now);
	if (e == ERR_OK)
		call_problem(
			c, 412,
			"what is in force is not what If-Match says: now it is version %" PRIu64
			" of the settings; read them again, and change that",
			now.version);
	else
		call_failed(c, e, "");
}

static void store_it(struct call *c, struct store_settings *s, const char *expected)
{
	/* Who needs a second person's leave must not be able to do away with that. */
	const bool may_lower = auth_may(&c->who, AUTH_ADMIN, NULL);
	char what[128];
	(void)snprintf(what, sizeof(what), "there is no provider %.64s", c->path.part[0]);
	const enum err e = store_settings_put(c->use->store, c->path.part[0], s, expected,
	                                      may_lower, c->who.name);
	if (e == ERR_OK)
		put_settings(c, 200, s);
	else if (e == ERR_RANGE)
		call_problem(c, 403, "token %s may not lower approvals; an admin may", c->who.name);
	else if (e == ERR_DENIED)
		lost_settings(c);
	else
		call_failed(c, e, what);
}

void settings_put(struct call *c)
{
	struct store_settings s = STORE_SETTINGS_DEFAULT;
	char expected[CALL_TAG_SIZE] = "";
	if (!call_expected(c, expected))
		return;
	json_t *body = call_body_object(c);
	if (body == NULL)
		return;
	struct faults *faults = faults_new();
	if (faults != NULL)
		read_settings(body, &s, faults);
	if (faults == NULL)
		call_failed(c, ERR_NOMEM, "");
	else if (faults->count > 0)
		call_refused(c, faults);
	else
		store_it(c, &s, expected[0] != '\0' ? expected : NULL);
	faults_free(faults);
	json_decref(body);
}
