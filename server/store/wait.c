/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/wait.h"

#include "server/store/pool.h"
#include "server/store/query.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <libpq-fe.h>

enum { RETRY_MS = 1000, CONNECT_MIN_MS = 1000 };

struct waiter {
	int wake;             /* eventfd */
	pthread_mutex_t lock; /* one waits at a time */
	PGconn *pg;           /* NULL: not listening */
};

struct waiter *waiter_new(void)
{
	struct waiter *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake < 0) {
		free(w);
		return NULL;
	}
	must(pthread_mutex_init(&w->lock, NULL) == 0);
	return w;
}

void waiter_free(struct waiter *w)
{
	if (w == NULL)
		return;
	connection_close(w->pg);
	(void)close(w->wake);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

void store_wake(struct store *s)
{
	const uint64_t one = 1;
	(void)!write(pool_waiter(s)->wake, &one, sizeof(one)); /* full is as good as woken */
}

static void stop_listening(struct waiter *w)
{
	connection_close(w->pg);
	w->pg = NULL;
}

static bool listen_again(struct store *s, struct waiter *w, int64_t deadline)
{
	/* An impatient caller must not keep us from ever connecting to a distant server. */
	const int64_t patience = connection_clock_ms() + CONNECT_MIN_MS;
	const int64_t until = deadline > patience ? deadline : patience;
	if (pool_open(s, until, &w->pg) != ERR_OK)
		return false;
	const struct deadline limit = { until, pool_end(s) };
	PGresult *result =
		PQsendQuery(w->pg, "LISTEN " WORK_CHANNEL) ? connection_result(w->pg, limit) : NULL;
	const bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	if (!ok)
		stop_listening(w);
	return ok;
}

/* Takes all notifications that have arrived; false when the connection broke. */
static bool take_notifications(struct waiter *w, bool *any)
{
	if (!PQconsumeInput(w->pg))
		return false;
	for (PGnotify *n = PQnotifies(w->pg); n != NULL; n = PQnotifies(w->pg)) {
		*any = true;
		PQfreemem(n);
	}
	return PQstatus(w->pg) == CONNECTION_OK;
}

/* Sleeps until a wake, a notification or `until`. True when woken. */
static bool sleep_until(const struct waiter *w, int64_t until)
{
	struct pollfd p[] = { { .fd = w->wake, .events = POLLIN },
		              { .fd = w->pg != NULL ? PQsocket(w->pg) : -1, .events = POLLIN } };
	const int64_t left = until - connection_clock_ms();
	if (poll(p, 2, left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX) <= 0)
		return false;
	uint64_t wakes;
	return p[0].revents != 0 && read(w->wake, &wakes, sizeof(wakes)) == sizeof(wakes);
}

static enum err wait_locked(struct store *s, struct waiter *w, int64_t deadline, bool *changed)
{
	bool any = false, woken = false;
	for (;;) {
		/* What happened while nobody listened is unknown: count it as a change. */
		if (w->pg == NULL)
			any = listen_again(s, w, deadline);
		if (w->pg != NULL && !take_notifications(w, &any)) {
			stop_listening(w);
			continue;
		}
		const int64_t now = connection_clock_ms();
		if (any || woken || now >= deadline)
			break;
		const bool retry = w->pg == NULL && now + RETRY_MS < deadline;
		woken = sleep_until(w, retry ? now + RETRY_MS : deadline);
	}
	if (w->pg == NULL && !woken)
		return ERR_AWAY;
	*changed = any;
	return ERR_OK;
}

enum err store_wait(struct store *s, unsigned timeout_ms, bool *changed)
{
	struct waiter *w = pool_waiter(s);
	const int64_t deadline = connection_clock_ms() + timeout_ms;
	pthread_mutex_lock(&w->lock);
	const enum err e = wait_locked(s, w, deadline, changed);
	pthread_mutex_unlock(&w->lock);
	return e;
}
