/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/clock.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

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

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	const struct loop *l = arg;
	struct signalfd_siginfo got;
	bool again = false;
	bool end = false;
	(void)what;
	while (read(fd, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		again = again || got.ssi_signo == SIGHUP;
		end = end || got.ssi_signo != SIGHUP;
	}
	if (end)
		(void)event_base_loopbreak(l->base);
	else if (again)
		l->calls->reload(l->calls->ctx);
}

static sigset_t heeded(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	return set;
}

void clock_hold_signals(void)
{
	const sigset_t set = heeded();
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Who is in a hurry need not wait for an orderly end; SIGHUP has nothing more to say. */
static void let_ends_through(void)
{
	sigset_t set = heeded();
	(void)sigdelset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static enum err run(struct loop *l, int signals)
{
	static const struct timeval second = { .tv_sec = 1 };
	struct event *tick = event_new(l->base, -1, EV_PERSIST, on_tick, l);
	struct event *signal = event_new(l->base, signals, EV_READ | EV_PERSIST, on_signal, l);
	enum err e = ERR_SYSTEM;
	if (tick != NULL && signal != NULL && event_add(tick, &second) == 0 &&
	    event_add(signal, NULL) == 0 && event_base_dispatch(l->base) == 0)
		e = ERR_OK;
	if (tick != NULL)
		event_free(tick);
	if (signal != NULL)
		event_free(signal);
	return e;
}

enum err clock_run(const struct clock_calls *calls)
{
	const sigset_t set = heeded();
	const int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	struct loop l = { .base = event_base_new(), .calls = calls };
	const enum err e = l.base != NULL && signals != -1 ? run(&l, signals) : ERR_SYSTEM;
	let_ends_through();
	if (l.base != NULL)
		event_base_free(l.base);
	if (signals != -1)
		(void)close(signals);
	return e;
}
