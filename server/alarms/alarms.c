/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/alarms.h"

#include "server/alarms/courier.h"
#include "server/alarms/look.h"
#include "server/alarms/post.h"
#include "server/alarms/system_log.h"
#include "server/report/report.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { NICE = 10, KEEP_SECONDS = 90 * 86400, FORGET_EVERY = 3600 };

static const char NETWORK[] = "network"; /* of all that is no daemon's own */

struct alarms {
	struct alarms_options o;
	struct courier *courier;
	char own[STORE_SCOPE];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop; /* under the lock */
	_Atomic uint64_t firing[SEVERITIES];

	/* The watch's alone. */
	int64_t looked[2]; /* end of the last bin: at the network, at itself */
	uint64_t refused;  /* by then */
	int64_t forgot;
};

/* ---- a round ---- */

static void tell_syslog(const struct alarms *a, const struct round_end *end)
{
	for (size_t i = 0; i < end->n_events && a->o.syslog; i++) {
		struct text line = { 0 };
		event_line(&end->news[i].alarm, end->news[i].news, &line);
		if (!line.bad)
			system_log((enum alarm_severity)end->events[i].severity, line.bytes);
		text_done(&line);
	}
}

static enum err finish_round(struct alarms *a, const struct round_options *o, struct sights *sights)
{
	const struct store_alarm_filter filter = { .scope = o->scope, .state = "" };
	struct store_alarm *list;
	struct round_end end;
	size_t n;
	enum err e = store_alarms(a->o.store, &filter, &list, &n);
	if (e != ERR_OK)
		return e;
	e = round_make(o, sights, list, n, &end);
	free(list);
	if (e != ERR_OK)
		return e;
	const struct store_alarm_round round = { .scope = o->scope,
		                                 .at = o->at,
		                                 .alarms = end.alarms,
		                                 .n_alarms = end.n_alarms,
		                                 .events = end.events,
		                                 .n_events = end.n_events };
	e = store_alarm_end(a->o.store, &round);
	if (e == ERR_OK)
		tell_syslog(a, &end);
	round_done(&end);
	return e;
}

typedef enum err sight_fn(struct alarms *a, int64_t at, struct sights *out);

static enum err run_round(struct alarms *a, const char *scope, int64_t at, sight_fn *see)
{
	struct round_options o = { .scope = scope, .at = at, .bin_seconds = a->o.bin_seconds };
	struct store_alarm_rule *rules;
	struct sights sights = { 0 };
	enum err e = store_alarm_begin(a->o.store, scope, a->o.node, at);
	if (e != ERR_OK)
		return e;
	e = see(a, at, &sights);
	if (e == ERR_OK)
		e = store_alarm_rules(a->o.store, &rules, &o.n_rules);
	if (e == ERR_OK) {
		o.rules = rules;
		o.now = (int64_t)time(NULL);
		e = finish_round(a, &o, &sights);
		free(rules);
	}
	sights_done(&sights);
	return e;
}

static enum err see_network(struct alarms *a, int64_t at, struct sights *out)
{
	const struct look_options o = { .store = a->o.store,
		                        .bin_seconds = a->o.bin_seconds,
		                        .ratio_limit_milli = a->o.ratio_limit_milli };
	return look_around(&o, at, out);
}

enum { NO_VRPS_HOURS = 8760 }; /* none at all is as bad as very old ones */

static void see_vrps(const struct alarms *a, const struct alarms_self *self, struct sights *out)
{
	out->looked[RULE_RPKI_AGE] = true;
	struct sight *old = self->rpki ? sights_add(out, RULE_RPKI_AGE, "", a->o.node) : NULL;
	if (old == NULL)
		return;
	old->value = self->vrps_age < 0 ? NO_VRPS_HOURS : (double)self->vrps_age / 3600;
	if (self->vrps_age < 0)
		(void)snprintf(
			old->text, sizeof(old->text),
			"there are no VRPs at %s: nobody's prefixes are proven; its log says why",
			a->o.node);
	else
		(void)snprintf(old->text, sizeof(old->text),
		               "the VRPs at %s were made %.1f hours ago; does the validator run?",
		               a->o.node, old->value);
}

static enum err see_self(struct alarms *a, int64_t at, struct sights *out)
{
	struct alarms_self self;
	(void)at;
	a->o.self(a->o.ctx, &self);
	struct sight *spool = sights_add(out, RULE_SPOOL, "", a->o.node);
	if (spool != NULL) {
		spool->value = (double)self.spooled;
		(void)snprintf(spool->text, sizeof(spool->text),
		               "%" PRIu64 " closed bins wait for PostgreSQL at %s", self.spooled,
		               a->o.node);
	}
	struct sight *refused = sights_add(out, RULE_BINS_REFUSED, "", a->o.node);
	if (refused != NULL) {
		const uint64_t new = self.refused - a->refused;
		refused->value = (double)new;
		(void)snprintf(refused->text, sizeof(refused->text),
		               "%" PRIu64 " closed bins were set aside at %s; its log says why",
		               new, a->o.node);
	}
	see_vrps(a, &self, out);
	out->looked[RULE_SPOOL] = out->looked[RULE_BINS_REFUSED] = true;
	a->refused = self.refused;
	return ERR_OK;
}

/* ---- the watch ---- */

static void count_firing(struct alarms *a)
{
	const struct store_alarm_filter firing = { .state = "firing" };
	uint64_t count[SEVERITIES] = { 0 };
	struct store_alarm *list;
	enum rule_id id;
	size_t n;
	if (store_alarms(a->o.store, &firing, &list, &n) != ERR_OK)
		return;
	for (size_t i = 0; i < n; i++)
		if (rule_find(list[i].rule, &id) && id != RULE_DATABASE)
			count[rule_of(id)->severity]++;
	free(list);
	for (unsigned s = 0; s < SEVERITIES; s++)
		atomic_store(&a->firing[s], count[s]);
}

static void forget(struct alarms *a, int64_t now)
{
	if (now - a->forgot < FORGET_EVERY && now >= a->forgot)
		return;
	if (store_alarm_forget(a->o.store, now - KEEP_SECONDS) == ERR_OK)
		a->forgot = now;
}

static void work(struct alarms *a)
{
	const int64_t now = (int64_t)time(NULL), at = report_settled(a->o.bin_seconds, now);
	static sight_fn *const see[2] = { see_network, see_self };
	const char *const scopes[2] = { NETWORK, a->own };
	bool did = false;
	for (unsigned i = 0; i < 2; i++) {
		if (a->looked[i] == at)
			continue;
		const enum err e = run_round(a, scopes[i], at, see[i]);
		if (e != ERR_OK && e != ERR_EXISTS) {
			metrics_add(a->o.watch, METRIC_STORE_FAILURES, 1);
			if (e == ERR_AWAY)
				return; /* again in a second */
		}
		a->looked[i] = at;
		did = true;
	}
	if (did) {
		count_firing(a);
		forget(a, now);
	}
}

static bool pause_or_stop(struct alarms *a)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&a->lock);
	if (!a->stop)
		(void)pthread_cond_timedwait(&a->wake, &a->lock, &until);
	const bool stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return stop;
}

static void *watch_run(void *arg)
{
	struct alarms *a = arg;
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (!pause_or_stop(a))
		if (a->o.ready(a->o.ctx))
			work(a);
	return NULL;
}

/* ---- start and stop ---- */

static void close_all(struct alarms *a)
{
	courier_stop(a->courier);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->wake);
	post_end();
	free(a);
}

struct alarms *alarms_start(const struct alarms_options *options)
{
	struct alarms *a = calloc(1, sizeof(*a));
	if (a == NULL || post_start() != ERR_OK) {
		free(a);
		return NULL;
	}
	a->o = *options;
	(void)snprintf(a->own, sizeof(a->own), "node %s", options->node);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
	if (options->syslog)
		system_log_open();
	const struct courier_options courier = { .store = options->store,
		                                 .metrics = options->courier,
		                                 .node = options->node,
		                                 .scope = a->own,
		                                 .bin_seconds = options->bin_seconds,
		                                 .syslog = options->syslog,
		                                 .ready = options->ready,
		                                 .ctx = options->ctx };
	a->courier = courier_start(&courier);
	if (a->courier == NULL || pthread_create(&a->thread, NULL, watch_run, a) != 0) {
		close_all(a);
		return NULL;
	}
	return a;
}

void alarms_stop(struct alarms *a)
{
	if (a == NULL)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	close_all(a);
}

void alarms_firing(const struct alarms *a, uint64_t count[static SEVERITIES])
{
	for (unsigned s = 0; s < SEVERITIES; s++)
		count[s] = atomic_load(&a->firing[s]);
	count[rule_of(RULE_DATABASE)->severity] += courier_fires(a->courier);
}
