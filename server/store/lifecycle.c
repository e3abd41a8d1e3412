/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/lifecycle.h"

#include "server/store/documents.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lock(struct work *w, const char *provider)
{
	(void)work_run(w, "SELECT 1 FROM providers WHERE provider = $1 FOR NO KEY UPDATE",
	               ARGS(arg_text(provider)));
}

/* ---- settings ---- */

static void read_settings(struct work *w, const char *provider, struct store_settings *out)
{
	*out = STORE_SETTINGS_DEFAULT;
	if (work_run(w,
	             "SELECT version, approvals, refuse, watch_seconds, watch_points "
	             "FROM provider_settings WHERE provider = $1",
	             ARGS(arg_text(provider))) != 1)
		return;
	out->version = work_u64(w, 0, 0);
	out->approvals = (unsigned)work_u64(w, 0, 1);
	out->refuse = work_bool(w, 0, 2);
	out->watch_seconds = (uint32_t)work_u64(w, 0, 3);
	out->watch_points = (uint32_t)work_u64(w, 0, 4);
}

enum err store_settings(struct store *s, const char *provider, struct store_settings *out)
{
	struct work w = work_begin(s, "read a provider's settings");
	struct store_settings found;
	read_settings(&w, provider, &found);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = found;
	return e;
}

enum err store_settings_put(struct store *s, const char *provider, struct store_settings *settings,
                            const char *expected, bool may_lower, const char *author)
{
	struct work w = work_begin(s, "store a provider's settings");
	struct store_settings now;
	char version[24], subject[160];
	(void)work_run(&w, "INSERT INTO providers (provider) VALUES ($1) ON CONFLICT DO NOTHING",
	               ARGS(arg_text(provider)));
	lock(&w, provider);
	read_settings(&w, provider, &now);
	(void)snprintf(version, sizeof(version), "%" PRIu64, now.version);
	if (expected != NULL && strcmp(expected, version) != 0 && strcmp(expected, "*") != 0)
		work_fail(&w, ERR_DENIED);
	if (settings->approvals < now.approvals && !may_lower)
		work_fail(&w, ERR_RANGE);
	settings->version = now.version + 1;
	(void)work_run(
		&w,
		"INSERT INTO provider_settings (provider, version, approvals, refuse, "
		" watch_seconds, watch_points) VALUES ($1, $2, $3, $4::integer <> 0, $5, $6) "
		"ON CONFLICT (provider) DO UPDATE SET version = EXCLUDED.version, "
		" approvals = EXCLUDED.approvals, refuse = EXCLUDED.refuse, "
		" watch_seconds = EXCLUDED.watch_seconds, "
		" watch_points = EXCLUDED.watch_points",
		ARGS(arg_text(provider), arg_u64(settings->version), arg_u64(settings->approvals),
	             arg_u64(settings->refuse), arg_u64(settings->watch_seconds),
	             arg_u64(settings->watch_points)));
	(void)snprintf(subject, sizeof(subject),
	               "%s version %" PRIu64 ": approvals=%u guards=%s watch=%" PRIu32
	               " s, %" PRIu32 " points",
	               provider, settings->version, settings->approvals,
	               settings->refuse ? "refuse" : "warn", settings->watch_seconds,
	               settings->watch_points);
	work_audit_of(&w, provider, author, "settings", subject);
	return work_end(&w);
}

/* ---- approvals ---- */

void store_standing_print(const char *standing, char out[static STORE_STANDING_TEXT])
{
	if (strcmp(standing, "revoked") == 0)
		(void)snprintf(out, STORE_STANDING_TEXT, "was revoked");
	else if (strcmp(standing, "expired") == 0)
		(void)snprintf(out, STORE_STANDING_TEXT, "has expired");
	else
		(void)snprintf(out, STORE_STANDING_TEXT, "is that of a role %.15s now", standing);
}

enum err store_approve(struct store *s, const char *provider, uint64_t version, const char *author)
{
	struct work w = work_begin(s, "approve a document");
	char made_by[65] = "", subject[160];
	if (work_run(&w, "SELECT author FROM map_versions WHERE provider = $1 AND version = $2",
	             ARGS(arg_text(provider), arg_u64(version))) == 1)
		work_text(&w, 0, 0, made_by, sizeof(made_by));
	else
		work_fail(&w, ERR_NOT_FOUND);
	if (strcmp(made_by, author) == 0)
		work_fail(&w, ERR_DENIED);
	if (work_run(&w,
	             "INSERT INTO map_approvals AS old (provider, version, author) "
	             "VALUES ($1, $2, $3) ON CONFLICT (provider, version, author) "
	             "DO UPDATE SET approved = now() WHERE NOT "
	             " author_standing(old.author, old.approved) " DOCUMENTS_MAY_APPROVE
	             " RETURNING 1",
	             ARGS(arg_text(provider), arg_u64(version), arg_text(author))) == 1) {
		(void)snprintf(subject, sizeof(subject), "%s version %" PRIu64, provider, version);
		work_audit_of(&w, provider, author, "approve", subject);
	}
	return work_end(&w);
}

static void audit_plan(struct work *w, const struct store_plan *p, const char *author,
                       const char *action, const char *more)
{
	char subject[160 + STORE_REASON], at[24];
	text_time_print(p->at, at);
	(void)snprintf(subject, sizeof(subject), "%s version %" PRIu64 " at %s%s%s", p->provider,
	               p->version, at, more[0] != '\0' ? ": " : "", more);
	work_audit_of(w, p->provider, author, action, subject);
}

/* ---- into force ---- */

/* Of several daemons the first ends it; to the others it is there no more. */
static void end_plan(struct work *w, uint64_t plan)
{
	if (plan != 0 && work_run(w,
	                          "UPDATE map_plans SET state = 'done', ended = now() "
	                          "WHERE number = $1 AND state = 'waiting' RETURNING 1",
	                          ARGS(arg_u64(plan))) != 1)
		work_fail(w, ERR_EXISTS);
}

static void end_breached(struct work *w, uint64_t watch, const char *reason)
{
	if (watch != 0 && work_run(w,
	                           "UPDATE map_watches SET state = 'breached', ended = now(), "
	                           " reason = coalesce($2, '') "
	                           "WHERE number = $1 AND state = 'watching' RETURNING 1",
	                           ARGS(arg_u64(watch), arg_text(reason))) != 1)
		work_fail(w, ERR_EXISTS);
}

static void note_roll_back(struct work *w, const struct store_activation *a, uint64_t activation,
                           unsigned kind)
{
	(void)work_run(
		w,
		"UPDATE activations SET resumes = $2, reason = coalesce($3, '') WHERE number = $1",
		ARGS(arg_u64(activation),
	             arg_u64(a->resumes[kind] == STORE_RESUMES_NOTHING ? activation
	                                                               : a->resumes[kind]),
	             arg_text(a->reason)));
}

/* Puts one kind in force; returns the activation. */
static uint64_t enforce(struct work *w, const struct store_activation *a, enum store_kind kind)
{
	const struct document_name d = { a->provider, kind, a->version[kind] };
	if (work_run(w,
	             "SELECT 1 FROM map_versions "
	             "WHERE provider = $1 AND version = $2 AND kind = $3::text::document_kind",
	             ARGS(arg_text(d.provider), arg_u64(d.version),
	                  arg_text(documents_kind(kind)))) != 1)
		work_fail(w, ERR_NOT_FOUND);
	const uint64_t number = documents_activate(w, &d, a->author);
	if (a->resumes[kind] != 0)
		note_roll_back(w, a, number, kind);
	if (kind == STORE_TOPOLOGY)
		documents_put_ports(w, &(struct documents_ports){ a->provider, a->interconnects,
		                                                  a->n_interconnects });
	return number;
}

/* Last, as its end is locked until the transaction ends. */
static void audit_activation(struct work *w, const struct store_activation *a, unsigned kinds)
{
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		const struct document_name d = { a->provider, (enum store_kind)k, a->version[k] };
		if ((kinds & 1U << k) && a->made != NULL && a->made->kind == d.kind)
			documents_audit(w, &d, a->author, "draft", NULL);
		if (kinds & 1U << k)
			documents_audit(w, &d, a->author,
			                a->resumes[k] != 0 ? "rollback" : "activate", a->reason);
	}
}

static bool is_in_force(struct work *w, const char *provider, enum store_kind kind,
                        uint64_t version)
{
	return work_run(w,
	                "SELECT 1 FROM documents_in_force WHERE provider = $1 "
	                " AND kind = $2::text::document_kind AND version = $3",
	                ARGS(arg_text(provider), arg_text(documents_kind(kind)),
	                     arg_u64(version))) == 1;
}

/* Of one kind, what must be in force now. */
static void expect(struct work *w, const struct store_activation *a, enum store_kind kind)
{
	documents_expect(w, a->provider, kind, a->expected);
	if (a->from[kind] != 0 && !is_in_force(w, a->provider, kind, a->from[kind]))
		work_fail(w, ERR_DENIED);
}

/* Who puts a version in force now does not want it once more later, when it may have been rolled back. */
static void end_plans_of(struct work *w, const struct store_activation *a)
{
	struct store_plan ended[STORE_KINDS] = { 0 };
	const size_t n = work_run(
		w,
		"UPDATE map_plans SET state = 'cancelled', ended = now(), "
		" reason = 'in force before its time' WHERE provider = $1 AND state = 'waiting' "
		" AND version IN ($2, $3) AND coalesce(also, version) IN ($2, $3) "
		"RETURNING version, at",
		ARGS(arg_text(a->provider), arg_u64(a->version[STORE_TOPOLOGY]),
	             arg_u64(a->version[STORE_COSTS])));
	must(n <= STORE_KINDS); /* one waits for a version */
	for (size_t i = 0; i < n; i++) {
		ended[i].version = work_u64(w, i, 0);
		ended[i].at = work_i64(w, i, 1);
		(void)snprintf(ended[i].provider, sizeof(ended[i].provider), "%s", a->provider);
	}
	for (size_t i = 0; i < n; i++)
		audit_plan(w, &ended[i], a->author, "cancel", "in force before its time");
}

/* Puts in force what is not, and returns which kinds, a bit for each. */
static unsigned enforce_all(struct work *w, const struct store_activation *a)
{
	uint64_t first = 0, version = 0;
	unsigned kinds = 0;
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		const enum store_kind kind = (enum store_kind)k;
		if (a->version[k] == 0 || is_in_force(w, a->provider, kind, a->version[k]))
			continue;
		const uint64_t number = enforce(w, a, kind);
		if (kinds != 0)
			(void)work_run(
				w, "UPDATE activations SET together = $1 WHERE number IN ($1, $2)",
				ARGS(arg_u64(first), arg_u64(number)));
		version = kinds != 0 ? version : a->version[k];
		first = kinds != 0 ? first : number;
		kinds |= 1U << k;
	}
	if (kinds == 0)
		return 0;
	documents_end_watch(w, a->provider);
	if (a->look_after != NULL)
		documents_look_after(w, a->look_after, version, first);
	return kinds;
}

enum err store_activate(struct store *s, struct store_activation *a)
{
	struct work w = work_begin(s, "activate a document");
	lock(&w, a->provider);
	end_plan(&w, a->plan);
	end_breached(&w, a->watch, a->reason);
	if (a->made != NULL)
		a->version[a->made->kind] = documents_make(&w, a->made);
	for (unsigned k = 0; k < STORE_KINDS; k++)
		if (a->version[k] != 0)
			expect(&w, a, (enum store_kind)k);
	documents_take_turn(&w, a->seen);
	const unsigned kinds = enforce_all(&w, a);
	a->unchanged = kinds == 0;
	if (kinds == 0 && a->made != NULL)
		work_fail(&w, ERR_NOT_FOUND);
	if (kinds != 0) {
		end_plans_of(&w, a);
		audit_activation(&w, a, kinds);
	}
	return work_end(&w);
}

/* ---- back ---- */

/* The kinds of the newest change, and what stands before it; NULL: nothing did. */
static const char BEFORE[] =
	"WITH newest AS (SELECT number, coalesce(together, number) AS change FROM activations "
	"  WHERE provider = $1 ORDER BY number DESC LIMIT 1), "
	" gone AS (SELECT a.* FROM activations a, newest "
	"  WHERE a.provider = $1 AND coalesce(a.together, a.number) = newest.change) "
	"SELECT gone.kind, gone.version, b.version, b.number FROM gone "
	"LEFT JOIN LATERAL (SELECT version, number FROM activations "
	"  WHERE provider = $1 AND kind = gone.kind AND number < activation_resumed(gone.number) "
	"  AND version <> gone.version "
	"  ORDER BY number DESC LIMIT 1) b ON true "
	"WHERE b.version IS NOT NULL OR gone.resumes IS DISTINCT FROM gone.number";

/* The newest time that the version was in force, and what is now. */
static const char VERSION_BACK[] =
	"SELECT f.kind, f.version, a.version, a.number FROM activations a "
	"JOIN documents_in_force f USING (provider, kind) "
	"WHERE a.provider = $1 AND a.version = $2 ORDER BY a.number DESC LIMIT 1";

enum err store_back(struct store *s, const char *provider, uint64_t to, struct store_back *out)
{
	struct work w = work_begin(s, "look for what was in force before");
	struct store_back back = { 0 };
	const size_t n =
		to == 0 ? work_run(&w, BEFORE, ARGS(arg_text(provider)))
			: work_run(&w, VERSION_BACK, ARGS(arg_text(provider), arg_u64(to)));
	for (size_t i = 0; i < n; i++) {
		char kind[16];
		work_text(&w, i, 0, kind, sizeof(kind));
		const unsigned k = strcmp(kind, documents_kind(STORE_COSTS)) == 0 ? STORE_COSTS
		                                                                  : STORE_TOPOLOGY;
		back.from[k] = work_u64(&w, i, 1);
		back.version[k] = work_u64(&w, i, 2);
		back.resumes[k] = work_u64(&w, i, 3);
		if (back.version[k] == 0 && k == STORE_TOPOLOGY)
			work_fail(&w, ERR_NOT_FOUND); /* a provider without one is none */
		back.no_costs |= back.version[k] == 0;
	}
	if (n == 0)
		work_fail(&w, ERR_NOT_FOUND);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = back;
	return e;
}

/* ---- at a time ---- */

enum err store_plan_add(struct store *s, const struct store_plan *p)
{
	struct work w = work_begin(s, "plan an activation");
	lock(&w, p->provider);
	for (unsigned k = 0; p->has_expected && k < STORE_KINDS; k++)
		if (work_run(&w,
		             "SELECT 1 FROM map_versions WHERE provider = $1 "
		             " AND version IN ($2, $3) AND kind = $4::text::document_kind",
		             ARGS(arg_text(p->provider), arg_u64(p->version), arg_u64(p->also),
		                  arg_text(documents_kind((enum store_kind)k)))) == 1)
			documents_expect(&w, p->provider, (enum store_kind)k, p->expected);
	if (work_run(&w,
	             "INSERT INTO map_plans (provider, version, also, author, at, expected, force, "
	             " watch_seconds) VALUES ($1, $2, nullif($3::bigint, 0), $4, $5, $6, "
	             " $7::integer <> 0, $8) ON CONFLICT DO NOTHING RETURNING 1",
	             ARGS(arg_text(p->provider), arg_u64(p->version), arg_u64(p->also),
	                  arg_text(p->author), arg_i64(p->at),
	                  arg_text(p->has_expected ? p->expected : NULL), arg_u64(p->force),
	                  arg_u64(p->watch_seconds))) != 1)
		work_fail(&w, ERR_EXISTS);
	audit_plan(&w, p, p->author, "schedule", "");
	return work_end(&w);
}

enum err store_plan_cancel(struct store *s, const char *provider, uint64_t version,
                           const char *author)
{
	struct work w = work_begin(s, "cancel an activation");
	struct store_plan p = { 0 };
	if (work_run(&w,
	             "UPDATE map_plans SET state = 'cancelled', ended = now() "
	             "WHERE number = (SELECT number FROM map_plans WHERE provider = $1 "
	             " AND $2 IN (version, also) AND state = 'waiting' "
	             " ORDER BY version = $2 DESC, number LIMIT 1) AND state = 'waiting' "
	             "RETURNING at, provider, version",
	             ARGS(arg_text(provider), arg_u64(version))) == 1) {
		p.at = work_i64(&w, 0, 0);
		work_text(&w, 0, 1, p.provider, sizeof(p.provider));
		p.version = work_u64(&w, 0, 2);
	} else {
		work_fail(&w, ERR_NOT_FOUND);
	}
	audit_plan(&w, &p, author, "cancel", "");
	return work_end(&w);
}

enum err store_plan_due(struct store *s, int64_t now, struct store_plan *out)
{
	struct work w = work_begin(s, "look for activations that are due");
	struct store_plan p = { 0 };
	if (work_run(
		    &w,
		    "SELECT number, provider, author, version, coalesce(also, 0), at, "
		    " expected IS NOT NULL, coalesce(expected, ''), force, watch_seconds, "
		    " author_standing(author, made) "
		    "FROM map_plans WHERE state = 'waiting' AND at <= $1 ORDER BY at, number LIMIT 1",
		    ARGS(arg_i64(now))) == 1) {
		p.number = work_u64(&w, 0, 0);
		work_text(&w, 0, 1, p.provider, sizeof(p.provider));
		work_text(&w, 0, 2, p.author, sizeof(p.author));
		p.version = work_u64(&w, 0, 3);
		p.also = work_u64(&w, 0, 4);
		p.at = work_i64(&w, 0, 5);
		p.has_expected = work_bool(&w, 0, 6);
		work_text(&w, 0, 7, p.expected, sizeof(p.expected));
		p.force = work_bool(&w, 0, 8);
		p.watch_seconds = (uint32_t)work_u64(&w, 0, 9);
		work_text(&w, 0, 10, p.standing, sizeof(p.standing));
	} else {
		work_fail(&w, ERR_NOT_FOUND);
	}
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = p;
	return e;
}

enum err store_plan_fail(struct store *s, const struct store_plan *p, const char *reason)
{
	struct work w = work_begin(s, "note an activation that failed");
	if (work_run(&w,
	             "UPDATE map_plans SET state = 'failed', reason = $2, ended = now() "
	             "WHERE number = $1 AND state = 'waiting' RETURNING 1",
	             ARGS(arg_u64(p->number), arg_text(reason))) == 1)
		audit_plan(&w, p, p->author, "schedule-failed", reason);
	return work_end(&w);
}

/* ---- afterwards ---- */

static void watch_row(const struct work *w, size_t row, void *out)
{
	struct store_map_watch *m = out;
	m->number = work_u64(w, row, 0);
	work_text(w, row, 1, m->provider, sizeof(m->provider));
	m->version = work_u64(w, row, 2);
	m->begun = work_i64(w, row, 3);
	m->until = work_i64(w, row, 4);
	m->points = (uint32_t)work_u64(w, row, 5);
	m->former = work_u64(w, row, 6);
}

enum err store_map_watches(struct store *s, struct store_map_watch **out, size_t *count)
{
	struct work w = work_begin(s, "list changes that are watched");
	size_t n = 0;
	(void)work_run(&w,
	               "SELECT w.number, w.provider, w.version, begun, until, points, "
	               " (SELECT a.version FROM activations a JOIN activations new "
	               "   ON new.number = w.activation AND new.kind = 'topology' "
	               "  WHERE a.provider = w.provider AND a.kind = 'topology' "
	               "  AND a.number < w.activation ORDER BY a.number DESC LIMIT 1) "
	               "FROM map_watches w WHERE state = 'watching' ORDER BY w.provider",
	               NULL);
	struct store_map_watch *list = work_list(&w, sizeof(*list), watch_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

enum err store_map_watch_end(struct store *s, const struct store_map_watch *m, bool passed,
                             const char *reason)
{
	struct work w = work_begin(s, "end the watch of a change");
	char subject[160 + STORE_REASON];
	if (work_run(&w,
	             "UPDATE map_watches SET state = $2, reason = $3, ended = now() "
	             "WHERE number = $1 AND state = 'watching' RETURNING 1",
	             ARGS(arg_u64(m->number), arg_text(passed ? "passed" : "breached"),
	                  arg_text(reason))) == 1) {
		(void)snprintf(subject, sizeof(subject), "%s version %" PRIu64 "%s%s", m->provider,
		               m->version, reason[0] != '\0' ? ": " : "", reason);
		work_audit_of(&w, m->provider, "p4pd", passed ? "watch-passed" : "watch-breached",
		              subject);
	}
	return work_end(&w);
}

static void trouble_row(const struct work *w, size_t row, void *out)
{
	struct store_map_trouble *t = out;
	work_text(w, row, 0, t->provider, sizeof(t->provider));
	t->count = work_u64(w, row, 1);
	work_text(w, row, 2, t->text, sizeof(t->text));
}

enum err store_map_troubles(struct store *s, int64_t since, struct store_map_trouble **out,
                            size_t *count)
{
	struct work w = work_begin(s, "look for changes that went wrong");
	size_t n = 0;
	/* A change by a person is one that resumes nothing for a reason of p4pd's. */
	(void)work_run(
		&w,
		"SELECT provider, count(*) FILTER (WHERE open), "
		" coalesce((array_agg(what ORDER BY ended DESC) FILTER (WHERE open))[1], '') "
		"FROM (SELECT t.*, NOT EXISTS (SELECT 1 FROM activations a "
		"   WHERE a.provider = t.provider AND a.activated > t.ended "
		"   AND a.author <> 'p4pd') AS open FROM ("
		"  SELECT provider, ended, 'planned activation of version ' || version "
		"    || ' failed: ' || reason AS what FROM map_plans WHERE state = 'failed' "
		"  UNION ALL SELECT provider, ended, 'version ' || version "
		"    || ' was rolled back: ' || reason FROM map_watches "
		"   WHERE state = 'breached') t "
		" WHERE ended >= to_timestamp($1::bigint)) x GROUP BY provider",
		ARGS(arg_i64(since)));
	struct store_map_trouble *list = work_list(&w, sizeof(*list), trouble_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
