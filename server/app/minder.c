/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/minder.h"

#include "common/base/log.h"
#include "common/map/check.h"
#include "server/alarms/rules.h"
#include "server/auth/rights.h"
#include "server/maps/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_SECONDS = 5 };

/* Will it go better by itself? */
static bool passes(enum err e)
{
	return e == ERR_AWAY || e == ERR_NOMEM || e == ERR_SYSTEM || e == ERR_BUSY;
}

static const char *reason_of(enum err e, const struct faults *faults)
{
	if (faults->count > 0)
		return faults->list[0].text;
	if (e == ERR_DENIED)
		return "what is in force is no longer what was expected";
	return err_name(e);
}

/* What is kept of it is read by those of the provider; the log is for whoever runs the server. */
static void reason_for(const char *provider, const char *reason, char out[static STORE_REASON])
{
	struct text t = { 0 };
	map_fault_for(provider, reason, &t);
	(void)snprintf(out, STORE_REASON, "%s", t.bad || t.bytes == NULL ? "" : t.bytes);
	text_done(&t);
}

/* ---- activations at a time ---- */

static enum err give_up(struct minder *m, const struct store_plan *p, const char *why)
{
	char reason[STORE_REASON];
	log_line(LOG_ERROR,
	         "A scheduled map did not come into force. provider=%s version=%" PRIu64 " why=%s",
	         p->provider, p->version, why);
	reason_for(p->provider, why, reason);
	return store_plan_fail(m->store, p, reason);
}

static enum err finish_plan(struct minder *m, const struct store_plan *p, enum err e,
                            const struct faults *faults)
{
	if (e == ERR_OK)
		log_line(LOG_NOTE,
		         "A scheduled map is in force. provider=%s version=%" PRIu64 " author=%s",
		         p->provider, p->version, p->author);
	if (e == ERR_OK || e == ERR_EXISTS) /* another daemon did it */
		return ERR_OK;
	return passes(e) ? e : give_up(m, p, reason_of(e, faults));
}

/* May whoever planned it still do so? `who` is them; `why` says why not. */
static bool still_may(const struct store_plan *p, struct auth_who *who,
                      char why[static STORE_REASON])
{
	char what[STORE_STANDING_TEXT];
	*who = (struct auth_who){ .role = STORE_VIEWER };
	(void)snprintf(who->name, sizeof(who->name), "%s", p->author);
	(void)snprintf(who->provider, sizeof(who->provider), "%s", p->provider);
	if (store_role_find(p->standing, &who->role) && auth_may(who, AUTH_ACTIVATE, p->provider))
		return true;
	store_standing_print(p->standing, what);
	(void)snprintf(why, STORE_REASON,
	               "the token %s, which scheduled it, %s; somebody who may do so must "
	               "schedule it again",
	               p->author, what);
	return false;
}

static enum err carry_out(struct minder *m, const struct store_plan *p)
{
	struct auth_who who;
	char why[STORE_REASON];
	if (!still_may(p, &who, why))
		return give_up(m, p, why);
	const struct maps_activation a = { .provider = p->provider,
		                           .author = p->author,
		                           .version = p->version,
		                           .also = p->also,
		                           .expected = p->has_expected ? p->expected : NULL,
		                           .force = p->force,
		                           .approved_only =
		                                   !auth_may(&who, AUTH_UPLOAD, p->provider),
		                           .watch_seconds = p->watch_seconds,
		                           .plan = p->number };
	struct maps_change change = { .warnings = faults_new() };
	struct faults *faults = faults_new();
	enum err e = ERR_NOMEM;
	if (faults != NULL && change.warnings != NULL)
		e = finish_plan(m, p, maps_activate(m->maps, &a, &change, faults), faults);
	text_done(&change.impact);
	faults_free(change.warnings);
	faults_free(faults);
	return e;
}

/* ---- what is watched ---- */

static bool matters(const struct store_alarm *a, int64_t since)
{
	enum rule_id id;
	return a->life.since >= since && rule_find(a->rule, &id) &&
	       (rule_of(id)->severity == SEVERITY_CRITICAL || strncmp(a->rule, "ratio-", 6) == 0);
}

/* The first alarm that is a breach; "" when there is none. */
static enum err find_alarm(struct minder *m, const struct store_map_watch *w,
                           char out[static STORE_REASON])
{
	const struct store_alarm_filter filter = { .provider = w->provider, .state = "firing" };
	struct store_alarm *list;
	size_t n;
	const enum err e = store_alarms(m->store, &filter, &list, &n);
	if (e != ERR_OK)
		return e;
	out[0] = '\0';
	for (size_t i = 0; i < n && out[0] == '\0'; i++)
		if (matters(&list[i], w->begun))
			(void)snprintf(out, STORE_REASON, "%s of %.100s", list[i].rule,
			               list[i].subject);
	free(list);
	return ERR_OK;
}

static enum err take_back(struct minder *m, const struct store_map_watch *w, const char *why)
{
	const struct maps_return r = {
		.provider = w->provider, .author = "p4pd", .reason = why, .watch = w->number
	};
	struct maps_change change = { .warnings = faults_new() };
	struct faults *faults = faults_new();
	char failed[STORE_REASON], kept[STORE_REASON];
	enum err e = ERR_NOMEM;
	if (faults != NULL && change.warnings != NULL)
		e = maps_roll_back(m->maps, &r, &change, faults);
	if (e == ERR_OK) {
		log_line(LOG_WARNING,
		         "A map was rolled back. provider=%s from=%" PRIu64 " to=%" PRIu64
		         " why=%s",
		         w->provider, w->version, change.version, why);
	} else if (e == ERR_EXISTS) {
		e = ERR_OK; /* another daemon did it, or a newer change has come */
	} else if (!passes(e)) {
		(void)snprintf(failed, sizeof(failed), "%.90s; yet it could not go back: %.120s",
		               why, reason_of(e, faults));
		log_line(LOG_ERROR,
		         "A map should be rolled back, and cannot. provider=%s version=%" PRIu64
		         " why=%s",
		         w->provider, w->version, failed);
		reason_for(w->provider, failed, kept);
		e = store_map_watch_end(m->store, w, false, kept);
	}
	text_done(&change.impact);
	faults_free(change.warnings);
	faults_free(faults);
	return e;
}

static enum err look(struct minder *m, const struct store_map_watch *w, int64_t now)
{
	char alarm[STORE_REASON], why[STORE_REASON];
	struct watch_sight s = { .now = now };
	struct maps_peers peers;
	const enum err e = find_alarm(m, w, alarm);
	if (e != ERR_OK)
		return e;
	s.alarm = alarm[0] != '\0' ? alarm : NULL;
	/* Another daemon has other peers: no comparison. */
	s.counted = w->counted && strcmp(w->node, m->node) == 0 &&
	            maps_count_peers(m->maps, w->provider, &peers);
	if (s.counted) {
		s.own_peers = peers.own;
		s.nobodys_peers = peers.nobodys;
	}
	switch (watch_judge(w, &s, why)) {
	case WATCH_BREACHED:
		return take_back(m, w, why);
	case WATCH_PASSED:
		return store_map_watch_end(m->store, w, true, "");
	case WATCH_GOES_ON:
		break;
	}
	return ERR_OK;
}

static enum err look_at_all(struct minder *m, int64_t now)
{
	struct store_map_watch *list;
	size_t n;
	enum err e = store_map_watches(m->store, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = look(m, &list[i], now);
	free(list);
	return e;
}

enum err minder_work(struct minder *m, int64_t now)
{
	struct store_plan plan;
	enum err e = store_plan_due(m->store, now, &plan);
	if (e == ERR_OK)
		e = carry_out(m, &plan);
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	/* A clock that was set back far does not make it sleep for as long. */
	if (e == ERR_OK && (now >= m->look_at || now < m->look_at - LOOK_SECONDS)) {
		m->look_at = now + LOOK_SECONDS;
		e = look_at_all(m, now);
	}
	return e;
}
