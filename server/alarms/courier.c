/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/courier.h"

#include "server/alarms/post.h"
#include "server/alarms/system_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	NICE = 10,
	EVERY_SECONDS = 1,
	AT_ONCE = 20,       /* deliveries, before it looks whether it shall end */
	LEASE = 60,         /* longer than a post may take */
	KNOWN_SECONDS = 30, /* how old may be what is known of webhooks, rule and mute */
	UNSAVED = 8
};

struct courier {
	struct courier_options o;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop, fires;

	/* For when PostgreSQL is away; the thread's alone. */
	int64_t answered; /* when it last did */
	struct store_alarm away;
	struct rule_setting setting;
	struct store_webhook *hooks;
	size_t n_hooks;
	int64_t known_at;
	bool remembers;
	struct store_alarm_event unsaved[UNSAVED];
	size_t n_unsaved;
};

/* ---- deliveries ---- */

static enum err send_to(struct courier *c, const struct store_delivery *d,
                        char why[static POST_WHY])
{
	const struct post p = { .url = d->url,
		                .secret = d->secret,
		                .event = d->event,
		                .body = d->body,
		                .now = (int64_t)time(NULL),
		                .stop = &c->stop };
	return post_send(&p, why);
}

static enum err deliver_one(struct courier *c)
{
	struct store_delivery d;
	char why[POST_WHY];
	int64_t now = (int64_t)time(NULL);
	enum err e = store_delivery_take(c->o.store, now, now + LEASE, &d);
	if (e != ERR_OK)
		return e;
	const bool good = send_to(c, &d, why) == ERR_OK;
	now = (int64_t)time(NULL);
	if (good) {
		metrics_add(c->o.metrics, METRIC_ALARMS_DELIVERED, 1);
		e = store_delivery_done(c->o.store, &d, now);
	} else if (!atomic_load(&c->stop)) { /* else it is the stop that broke it off */
		const bool last = d.tries + 1 >= POST_TRIES_MAX;
		metrics_add(c->o.metrics, METRIC_ALARMS_UNDELIVERED, 1);
		if (last)
			metrics_add(c->o.metrics, METRIC_ALARMS_DROPPED, 1);
		e = store_delivery_failed(c->o.store, &d, now + post_pause(d.tries + 1), why, last);
	}
	free(d.body);
	return e;
}

/* ---- PostgreSQL itself ---- */

/* What it was before a restart, and whether somebody muted it since. */
static void remember_alarm(struct courier *c)
{
	const struct store_alarm_filter own = { .scope = c->o.scope, .state = "" };
	struct store_alarm *list;
	size_t n;
	if (store_alarms(c->o.store, &own, &list, &n) != ERR_OK)
		return;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].id, c->away.id) != 0)
			continue;
		if (!c->remembers && c->n_unsaved == 0)
			c->away.life = list[i].life;
		c->away.life.muted_until = list[i].life.muted_until;
	}
	c->remembers = true;
	free(list);
}

static void remember_rule(struct courier *c)
{
	struct store_alarm_rule *rules;
	size_t n;
	if (store_alarm_rules(c->o.store, &rules, &n) != ERR_OK)
		return;
	c->setting = rule_setting(RULE_DATABASE, "", rules, n);
	free(rules);
}

static void remember(struct courier *c, int64_t now)
{
	struct store_webhook *list;
	size_t n;
	if (llabs(now - c->known_at) < KNOWN_SECONDS ||
	    store_webhooks(c->o.store, &list, &n) != ERR_OK)
		return;
	free(c->hooks);
	c->hooks = list;
	c->n_hooks = n;
	c->known_at = now;
	remember_alarm(c);
	remember_rule(c);
}

/* Once each: the outbox will see to the rest. */
static void tell_hooks(struct courier *c, const struct store_alarm_event *e)
{
	for (size_t i = 0; i < c->n_hooks && !atomic_load(&c->stop); i++) {
		const struct store_webhook *h = &c->hooks[i];
		char why[POST_WHY];
		const struct post p = { .url = h->url,
			                .secret = h->secret,
			                .event = e->id,
			                .body = e->body,
			                .now = (int64_t)time(NULL),
			                .stop = &c->stop };
		if (h->provider[0] != '\0' || h->min_severity > e->severity)
			continue;
		metrics_add(c->o.metrics,
		            post_send(&p, why) == ERR_OK ? METRIC_ALARMS_DELIVERED
		                                         : METRIC_ALARMS_UNDELIVERED,
		            1);
	}
}

static void tell_away(struct courier *c, enum alarm_news news, int64_t now)
{
	struct store_alarm_event e;
	struct text line = { 0 };
	event_line(&c->away, news, &line);
	if (c->o.syslog && !line.bad)
		system_log(rule_of(RULE_DATABASE)->severity, line.bytes);
	text_done(&line);
	if (c->n_unsaved == UNSAVED || event_make(&c->away, news, now, &e) != ERR_OK)
		return;
	c->unsaved[c->n_unsaved++] = e;
	if (news == ALARM_FIRES) /* its end is told by the outbox: the database is there */
		tell_hooks(c, &e);
}

static void drop_unsaved(struct courier *c)
{
	for (size_t i = 0; i < c->n_unsaved; i++)
		free(c->unsaved[i].body);
	c->n_unsaved = 0;
}

/* Once it is back, what was told meanwhile becomes history like all else. */
static void save(struct courier *c)
{
	const struct store_alarm_round round = { .scope = c->o.scope,
		                                 .alarms = &c->away,
		                                 .n_alarms = 1,
		                                 .events = c->unsaved,
		                                 .n_events = c->n_unsaved };
	if (c->n_unsaved > 0 && store_alarm_end(c->o.store, &round) == ERR_OK)
		drop_unsaved(c);
}

static void watch_database(struct courier *c, bool answers, int64_t now)
{
	struct alarm_rule life = rule_life(RULE_DATABASE, &c->setting, c->o.bin_seconds);
	if (answers || now < c->answered)
		c->answered = now;
	const double value = (double)(now - c->answered);
	c->away.threshold = c->setting.threshold;
	if (value > 0)
		(void)snprintf(c->away.text, sizeof(c->away.text),
		               "PostgreSQL has not answered %s for %.0f s; announces go on, closed "
		               "bins wait",
		               c->o.node, value);
	else
		(void)snprintf(c->away.text, sizeof(c->away.text), "PostgreSQL answers %s again",
		               c->o.node);
	life.forget_after = 0;
	alarm_step(&life, &c->away.life, c->setting.enabled ? value : ALARM_UNKNOWN, now);
	const enum alarm_news news = alarm_tell(&c->away.life, now);
	atomic_store(&c->fires, c->away.life.state == ALARM_FIRING);
	if (news != ALARM_NO_NEWS)
		tell_away(c, news, now);
}

/* ---- the thread ---- */

static void pause_or_stop(struct courier *c)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += EVERY_SECONDS;
	pthread_mutex_lock(&c->lock);
	if (!atomic_load(&c->stop))
		(void)pthread_cond_timedwait(&c->wake, &c->lock, &until);
	pthread_mutex_unlock(&c->lock);
}

static void *courier_run(void *arg)
{
	struct courier *c = arg;
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (!atomic_load(&c->stop)) {
		enum err e = c->o.ready(c->o.ctx) ? ERR_OK : ERR_AWAY;
		for (unsigned i = 0; i < AT_ONCE && e == ERR_OK && !atomic_load(&c->stop); i++)
			e = deliver_one(c);
		const int64_t now = (int64_t)time(NULL);
		const bool answers = e != ERR_AWAY && e != ERR_SYSTEM;
		watch_database(c, answers, now);
		if (answers) {
			save(c);
			remember(c, now);
		}
		pause_or_stop(c);
	}
	return NULL;
}

static void name_away(struct store_alarm *a, const struct courier_options *o)
{
	const char *rule = rule_of(RULE_DATABASE)->name;
	event_alarm_id(rule, "", o->node, a->id);
	(void)snprintf(a->scope, sizeof(a->scope), "%s", o->scope);
	(void)snprintf(a->rule, sizeof(a->rule), "%s", rule);
	(void)snprintf(a->subject, sizeof(a->subject), "%s", o->node);
}

struct courier *courier_start(const struct courier_options *options)
{
	struct courier *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->o = *options;
	c->answered = (int64_t)time(NULL);
	c->setting = rule_setting(RULE_DATABASE, "", NULL, 0);
	name_away(&c->away, options);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	if (pthread_create(&c->thread, NULL, courier_run, c) == 0)
		return c;
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	free(c);
	return NULL;
}

void courier_stop(struct courier *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->stop, true);
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	drop_unsaved(c);
	free(c->hooks);
	free(c);
}

bool courier_fires(const struct courier *c)
{
	return atomic_load(&c->fires);
}
