/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/round.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sights_done(struct sights *s)
{
	free(s->list);
	*s = (struct sights){ 0 };
}

struct sight *sights_add(struct sights *s, enum rule_id rule, const char *provider,
                         const char *subject)
{
	if (s->n == s->room) {
		const size_t room = s->room > 0 ? 2 * s->room : 64;
		struct sight *list = reallocarray(s->list, room, sizeof(*list));
		s->bad = s->bad || list == NULL;
		if (list == NULL)
			return NULL;
		s->list = list;
		s->room = room;
	}
	struct sight *new = &s->list[s->n++];
	*new = (struct sight){ .rule = rule };
	(void)snprintf(new->provider, sizeof(new->provider), "%s", provider);
	(void)snprintf(new->subject, sizeof(new->subject), "%s", subject);
	return new;
}

void round_done(struct round_end *end)
{
	for (size_t i = 0; i < end->n_events; i++)
		free(end->events[i].body);
	free(end->events);
	free(end->alarms);
	free(end->news);
	*end = (struct round_end){ 0 };
}

/* ---- one alarm ---- */

struct work {
	const struct round_options *o;
	struct round_end end;
	enum err err;
};

/* Is there anything to keep? What is only still clear or resolved is not. */
static bool changed(const struct alarm *before, const struct alarm *now)
{
	return before->state != now->state || before->told != now->told ||
	       now->state == ALARM_PENDING || now->state == ALARM_FIRING;
}

static void tell(struct work *w, const struct store_alarm *a, enum alarm_news news)
{
	struct round_end *end = &w->end;
	if (w->err != ERR_OK)
		return;
	w->err = event_make(a, news, w->o->now, &end->events[end->n_events]);
	if (w->err != ERR_OK)
		return;
	end->news[end->n_events] = (struct round_news){ *a, news };
	end->n_events++;
}

/* `looked`: at this rule; `seen` NULL: and at this thing nothing was seen. */
static void step(struct work *w, struct store_alarm *a, enum rule_id id, bool looked,
                 const struct sight *seen)
{
	const struct alarm before = a->life;
	const struct rule_setting setting =
		rule_setting(id, a->provider, w->o->rules, w->o->n_rules);
	struct alarm_rule life = rule_life(id, &setting, w->o->bin_seconds);
	double value = ALARM_UNKNOWN;
	if (!setting.enabled)
		life.forget_after = 0;
	else if (seen != NULL)
		value = seen->value;
	a->threshold = setting.threshold;
	if (seen != NULL)
		memcpy(a->text, seen->text, sizeof(a->text));
	if (looked || !setting.enabled)
		alarm_step(&life, &a->life, value, w->o->at);
	const enum alarm_news news = alarm_tell(&a->life, w->o->now);
	if (!changed(&before, &a->life))
		return;
	w->end.alarms[w->end.n_alarms++] = *a;
	if (news != ALARM_NO_NEWS)
		tell(w, a, news);
}

/* ---- all of them ---- */

/* A sight by the id of its alarm. */
struct key {
	char id[STORE_ALARM_ID];
	const struct sight *sight;
	bool used;
};

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct key *)a)->id, ((const struct key *)b)->id);
}

static struct key *index_sights(const struct sights *s)
{
	struct key *keys = calloc(s->n + 1, sizeof(*keys));
	if (keys == NULL)
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
		const struct sight *x = &s->list[i];
		event_alarm_id(rule_of(x->rule)->name, x->provider, x->subject, keys[i].id);
		keys[i].sight = x;
	}
	qsort(keys, s->n, sizeof(*keys), by_id);
	return keys;
}

static void step_known(struct work *w, const struct sights *sights, struct key *keys,
                       const struct store_alarm *alarms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct store_alarm a = alarms[i];
		struct key want = { .sight = NULL };
		enum rule_id id;
		if (!rule_find(a.rule, &id)) /* of another version */
			continue;
		memcpy(want.id, a.id, sizeof(want.id));
		struct key *key = bsearch(&want, keys, sights->n, sizeof(*keys), by_id);
		if (key != NULL)
			key->used = true;
		step(w, &a, id, sights->looked[id], key != NULL ? key->sight : NULL);
	}
}

static void step_new(struct work *w, const struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct sight *x = keys[i].sight;
		struct store_alarm a = { .text = "" };
		if (keys[i].used || (i > 0 && strcmp(keys[i].id, keys[i - 1].id) == 0))
			continue;
		memcpy(a.id, keys[i].id, sizeof(a.id));
		(void)snprintf(a.scope, sizeof(a.scope), "%s", w->o->scope);
		(void)snprintf(a.rule, sizeof(a.rule), "%s", rule_of(x->rule)->name);
		memcpy(a.provider, x->provider, sizeof(a.provider));
		memcpy(a.subject, x->subject, sizeof(a.subject));
		step(w, &a, x->rule, true, x);
	}
}

enum err round_make(const struct round_options *o, struct sights *sights,
                    const struct store_alarm *alarms, size_t n, struct round_end *out)
{
	const size_t most = n + sights->n + 1;
	struct work w = { .o = o };
	struct key *keys = index_sights(sights);
	w.end.alarms = calloc(most, sizeof(*w.end.alarms));
	w.end.events = calloc(most, sizeof(*w.end.events));
	w.end.news = calloc(most, sizeof(*w.end.news));
	if (sights->bad || keys == NULL || w.end.alarms == NULL || w.end.events == NULL ||
	    w.end.news == NULL)
		w.err = ERR_NOMEM;
	if (w.err == ERR_OK) {
		step_known(&w, sights, keys, alarms, n);
		step_new(&w, keys, sights->n);
	}
	free(keys);
	if (w.err != ERR_OK)
		round_done(&w.end);
	else
		*out = w.end;
	return w.err;
}
