/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/store.h"

#include "common/base/log.h"
#include "server/store/pool.h"
#include "server/store/query.h"
#include "server/store/wait.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMPLAIN_EVERY_MS = 10000, ZONES = 16, ZONE_SIZE = 64 };

struct complaint {
	int64_t at; /* of the last line; 0: never */
	unsigned silent;
};

struct store {
	char *conninfo;
	unsigned timeout_ms, n_slots;
	struct waiter *waiter;
	_Atomic int64_t end; /* of all waiting */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t given_back;
	struct pool_slot *slots;
	int64_t closed_until; /* no attempt to connect before that */
	bool away;
	struct complaint complaints[ERR_COUNT_];
	char zones[ZONES][ZONE_SIZE]; /* that the database knows */
	unsigned n_zones;             /* noted since the last connection; the newest are kept */
};

struct store *store_new(const struct store_options *options)
{
	struct store *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	pthread_condattr_t attr;
	must(pthread_mutex_init(&s->lock, NULL) == 0 && pthread_condattr_init(&attr) == 0 &&
	     pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	     pthread_cond_init(&s->given_back, &attr) == 0);
	(void)pthread_condattr_destroy(&attr);

	s->timeout_ms = options->timeout_seconds > 0 ? options->timeout_seconds * 1000 : 1000;
	s->n_slots = options->connections > 0 ? options->connections : 1;
	s->conninfo = strdup(options->conninfo);
	s->slots = calloc(s->n_slots, sizeof(*s->slots));
	s->waiter = waiter_new();
	atomic_init(&s->end, INT64_MAX);
	if (s->conninfo == NULL || s->slots == NULL || s->waiter == NULL) {
		store_free(s);
		return NULL;
	}
	return s;
}

void store_free(struct store *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; s->slots != NULL && i < s->n_slots; i++) {
		must(!s->slots[i].taken);
		connection_close(s->slots[i].pg);
	}
	waiter_free(s->waiter);
	(void)pthread_cond_destroy(&s->given_back);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->slots);
	free(s->conninfo);
	free(s);
}

bool store_is_up(struct store *s)
{
	struct work w =
		work_begin_until(s, "ask whether it is there", connection_clock_ms() + 1000);
	return work_end(&w) == ERR_OK;
}

void store_end(struct store *s, unsigned seconds)
{
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->end, connection_clock_ms() + seconds * INT64_C(1000));
	pthread_cond_broadcast(&s->given_back);
	pthread_mutex_unlock(&s->lock);
}

const _Atomic int64_t *pool_end(const struct store *s)
{
	return &s->end;
}

unsigned pool_timeout_ms(const struct store *s)
{
	return s->timeout_ms;
}

struct waiter *pool_waiter(struct store *s)
{
	return s->waiter;
}

void pool_complain(struct store *s, enum err e, const char *what, const char *sqlstate,
                   const char *words)
{
	const int64_t now = connection_clock_ms();
	pthread_mutex_lock(&s->lock);
	struct complaint *c = &s->complaints[e];
	const bool speak = c->at == 0 || now - c->at >= COMPLAIN_EVERY_MS;
	const unsigned silent = c->silent;
	c->silent = speak ? 0 : c->silent + 1;
	if (speak)
		c->at = now;
	if (e == ERR_AWAY)
		s->away = true;
	pthread_mutex_unlock(&s->lock);

	if (speak)
		log_line(e == ERR_AWAY ? LOG_WARNING : LOG_ERROR,
		         "database: could not %s: %.*s sqlstate=%s not_logged=%u", what,
		         (int)strcspn(words, "\n"), words, sqlstate, silent);
}

bool pool_knows_zone(struct store *s, const char *zone)
{
	bool known = false;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; !known && i < s->n_zones && i < ZONES; i++)
		known = strcmp(s->zones[i], zone) == 0;
	pthread_mutex_unlock(&s->lock);
	return known;
}

void pool_note_zone(struct store *s, const char *zone)
{
	if (strlen(zone) >= ZONE_SIZE)
		return;
	pthread_mutex_lock(&s->lock);
	(void)snprintf(s->zones[s->n_zones++ % ZONES], ZONE_SIZE, "%s", zone);
	pthread_mutex_unlock(&s->lock);
}

enum err pool_open(struct store *s, int64_t deadline, struct pg_conn **out)
{
	const struct deadline until = { deadline, &s->end };
	const int64_t begin = connection_clock_ms();
	pthread_mutex_lock(&s->lock);
	const bool closed =
		begin < s->closed_until || s->conninfo[0] == '\0' || deadline_is_over(until);
	pthread_mutex_unlock(&s->lock);
	if (closed)
		return ERR_AWAY;

	struct fault fault;
	const enum err e = connection_open(s->conninfo, s->timeout_ms, until, out, &fault);
	const int64_t end = connection_clock_ms();
	pthread_mutex_lock(&s->lock);
	const bool back = s->away && e == ERR_OK;
	s->away = e != ERR_OK;
	s->closed_until = e == ERR_OK ? 0 : end + (end - begin);
	s->n_zones = 0; /* it may be another database by now */
	pthread_mutex_unlock(&s->lock);

	if (e != ERR_OK)
		pool_complain(s, e, "connect", "-", fault.text);
	else if (back)
		log_line(LOG_NOTE, "database: connected again");
	return e;
}

/* An idle slot, preferably a connected one; NULL at the deadline. */
static struct pool_slot *claim(struct store *s, int64_t deadline)
{
	for (;;) {
		const int64_t end = atomic_load(&s->end), at = end < deadline ? end : deadline;
		const struct timespec until = { .tv_sec = (time_t)(at / 1000),
			                        .tv_nsec = at % 1000 * 1000000 };
		struct pool_slot *idle = NULL;
		for (unsigned i = 0; i < s->n_slots; i++)
			if (!s->slots[i].taken && (idle == NULL || idle->pg == NULL))
				idle = &s->slots[i];
		if (idle != NULL) {
			idle->taken = true;
			return idle;
		}
		if (pthread_cond_timedwait(&s->given_back, &s->lock, &until) != 0)
			return NULL;
	}
}

enum err pool_take(struct store *s, int64_t deadline, struct pool_slot **out)
{
	pthread_mutex_lock(&s->lock);
	struct pool_slot *slot = claim(s, deadline);
	pthread_mutex_unlock(&s->lock);
	if (slot == NULL) {
		pool_complain(s, ERR_AWAY, "begin", "-", "all connections are busy");
		return ERR_AWAY;
	}
	if (slot->pg != NULL && !connection_is_fresh(slot->pg)) {
		connection_close(slot->pg);
		slot->pg = NULL;
	}
	const enum err e = slot->pg != NULL ? ERR_OK : pool_open(s, deadline, &slot->pg);
	if (e != ERR_OK)
		pool_give(s, slot, false);
	else
		*out = slot;
	return e;
}

void pool_give(struct store *s, struct pool_slot *slot, bool sound)
{
	if (!sound) {
		connection_close(slot->pg);
		slot->pg = NULL;
	}
	pthread_mutex_lock(&s->lock);
	slot->taken = false;
	pthread_cond_signal(&s->given_back);
	pthread_mutex_unlock(&s->lock);
}
