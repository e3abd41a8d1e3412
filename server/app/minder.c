/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/minder.h"

#include "common/base/log.h"
#include "common/ip/lpm.h"
#include "common/map/check.h"
#include "server/alarms/rules.h"
#include "server/auth/rights.h"

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

static uint64_t sum(const struct metrics *m, const enum metrics_counter *ids, size_t n)
{
	uint64_t all = 0;
	for (size_t i = 0; i < n; i++)
		all += metrics_sum(m, ids[i]);
	return all;
}
#define SUM(m, ...)                                             \
	sum((m), (const enum metrics_counter[]){ __VA_ARGS__ }, \
	    sizeof((const enum metrics_counter[]){ __VA_ARGS__ }) / sizeof(enum metrics_counter))

/* As watch.h counts them. What was refused for no reason that has a counter was so for want of room. */
static struct watch_announces announces(const struct metrics *m)
{
	if (m == NULL)
		return (struct watch_announces){ 0 };
	const uint64_t refused = SUM(m, METRIC_UDP_ANNOUNCE_REFUSED, METRIC_HTTP_ANNOUNCE_REFUSED);
	const uint64_t denied =
		SUM(m, METRIC_DENIED_UNLISTED, METRIC_DENIED_TORRENT, METRIC_DENIED_CLIENT,
	            METRIC_DENIED_NO_PASSKEY, METRIC_DENIED_PASSKEY, METRIC_DENIED_PASSKEY_PEERS,
	            METRIC_DENIED_PASSKEY_RATE);
	return (struct watch_announces){
		.all = refused + SUM(m, METRIC_UDP_ANNOUNCE_NATIVE, METRIC_UDP_ANNOUNCE_P4P,
		                     METRIC_UDP_ANNOUNCE_BRIDGE, METRIC_HTTP_ANNOUNCE_NATIVE,
		                     METRIC_HTTP_ANNOUNCE_P4P, METRIC_HTTP_ANNOUNCE_BRIDGE),
		.failed = (refused > denied ? refused - denied : 0) +
		          metrics_sum(m, METRIC_PEERS_BOGON),
	};
}

struct lookout {
	uint64_t watch;
	struct lpm *former;            /* NULL: the change moved no address */
	struct watch_announces before; /* until the first look */
};

static enum err new_lookout(struct minder *m, const struct store_map_watch *w, struct lookout **out)
{
	struct lookout l = { .watch = w->number, .before = announces(m->metrics) };
	enum err e =
		w->former != 0 ? maps_former(m->maps, w->provider, w->former, &l.former) : ERR_OK;
	if (passes(e))
		return e;
	struct lookout *list = realloc(m->lookouts, (m->n_lookouts + 1) * sizeof(*list));
	if (list == NULL) {
		lpm_free(l.former);
		return ERR_NOMEM;
	}
	m->lookouts = list;
	*out = &list[m->n_lookouts++];
	**out = l;
	return ERR_OK;
}

static enum err lookout_of(struct minder *m, const struct store_map_watch *w, struct lookout **out)
{
	for (size_t i = 0; i < m->n_lookouts; i++) {
		if (m->lookouts[i].watch == w->number) {
			*out = &m->lookouts[i];
			return ERR_OK;
		}
	}
	return new_lookout(m, w, out);
}

/* Keeps those of watches that go on. */
static void tidy(struct minder *m, const struct store_map_watch *list, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n_lookouts; i++) {
		bool goes_on = false;
		for (size_t k = 0; k < n; k++)
			goes_on |= list[k].number == m->lookouts[i].watch;
		if (goes_on)
			m->lookouts[kept++] = m->lookouts[i];
		else
			lpm_free(m->lookouts[i].former);
	}
	m->n_lookouts = kept;
}

void minder_done(struct minder *m)
{
	tidy(m, NULL, 0);
	free(m->lookouts);
}

/* What this daemon sees. `newest`: no other change came later, and failing announces are its doing. */
static enum err see(struct minder *m, const struct store_map_watch *w, bool newest,
                    struct watch_sight *s)
{
	struct lookout *l;
	struct maps_peers peers;
	const enum err e = lookout_of(m, w, &l);
	if (e != ERR_OK)
		return e;
	if (l->former != NULL && maps_count_peers(m->maps, w->provider, l->former, &peers)) {
		s->peers = peers.all;
		s->lost = peers.lost;
	}
	const struct watch_announces all = announces(m->metrics), *before = &l->before;
	if (newest) {
		s->before = *before;
		s->since.all = all.all - before->all;
		/* What is refused is counted after its reason, so that in between there are fewer. */
		s->since.failed = all.failed > before->failed ? all.failed - before->failed : 0;
	}
	return ERR_OK;
}

static enum err look(struct minder *m, const struct store_map_watch *w, bool newest, int64_t now)
{
	char alarm[STORE_REASON], why[STORE_REASON];
	struct watch_sight s = { .now = now };
	enum err e = find_alarm(m, w, alarm);
	if (e == ERR_OK)
		e = see(m, w, newest, &s);
	if (e != ERR_OK)
		return e;
	s.alarm = alarm[0] != '\0' ? alarm : NULL;
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
	int64_t newest = 0;
	for (size_t i = 0; i < n; i++)
		newest = list[i].begun > newest ? list[i].begun : newest;
	tidy(m, list, n);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = look(m, &list[i], list[i].begun == newest, now);
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
