/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/clock.h"

#include <event2/event.h>
#include <signal.h>

struct loop {
	struct event_base *base;
	const struct clock_calls *calls;
};

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct loop *l = arg;
	(void)fd;
	(void)what;
	l->calls->tick(l->calls->ctx);
}

static void on_reload(evutil_socket_t fd, short what, void *arg)
{
	const struct loop *l = arg;
	(void)fd;
	(void)what;
	l->calls->reload(l->calls->ctx);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	const struct loop *l = arg;
	(void)fd;
	(void)what;
	(void)event_base_loopbreak(l->base);
}

static void ends(int how)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(how, &set, NULL);
}

void clock_hold_signals(void)
{
	ends(SIG_BLOCK);
}

enum err clock_run(const struct clock_calls *calls)
{
	static const struct timeval second = { .tv_sec = 1 };
	struct loop l = { .base = event_base_new(), .calls = calls };
	if (l.base == NULL)
		return ERR_SYSTEM;

	struct event *events[] = {
		event_new(l.base, -1, EV_PERSIST, on_tick, &l),
		evsignal_new(l.base, SIGHUP, on_reload, &l),
		evsignal_new(l.base, SIGTERM, on_end, &l),
		evsignal_new(l.base, SIGINT, on_end, &l),
	};
	enum { N = sizeof(events) / sizeof(events[0]) };
	enum err e = ERR_OK;
	for (size_t i = 0; i < N && e == ERR_OK; i++)
		if (events[i] == NULL || event_add(events[i], i == 0 ? &second : NULL) != 0)
			e = ERR_SYSTEM;
	ends(SIG_UNBLOCK);
	if (e == ERR_OK && event_base_dispatch(l.base) != 0)
		e = ERR_SYSTEM;

	for (size_t i = 0; i < N; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	event_base_free(l.base);
	return e;
}
