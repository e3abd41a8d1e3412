/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/proxied.h"

#include "common/codec/proxy.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 1024, WAITING_MAX = 256, PATIENCE_MS = 5000, TICK_MS = 500, EVENTS_MAX = 64 };

/* A proxy that has not said all of its header yet. */
struct waiter {
	int fd; /* -1: free */
	struct net_place peer;
	uint64_t deadline; /* steady milliseconds */
};

struct proxied {
	struct proxied_options options;
	struct net_place place;
	int listener, poll, wake; /* -1: not open */
	pthread_t thread;
	bool running;
	atomic_uint_fast64_t refused;
	struct waiter waiting[WAITING_MAX];
};

static uint64_t steady_ms(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void refuse(struct proxied *p, int fd)
{
	atomic_fetch_add_explicit(&p->refused, 1, memory_order_relaxed);
	(void)close(fd);
}

enum progress { DONE, WAIT };

/* Looks for a whole header; hands over or hangs up when there is nothing to wait for. */
static enum progress try_header(struct proxied *p, int fd, const struct net_place *peer)
{
	uint8_t bytes[PROXY_HEADER_MAX];
	struct proxy_header h;
	const ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return WAIT;
	const enum err e = n > 0 ? proxy_header_parse(bytes, (size_t)n, &h) : ERR_MALFORMED;
	if (e == ERR_TRUNCATED)
		return WAIT;
	if (e != ERR_OK || recv(fd, bytes, h.size, MSG_DONTWAIT) != (ssize_t)h.size) {
		refuse(p, fd);
		return DONE;
	}
	const struct net_place from =
		h.from.family != IP_NONE ? net_place_of(&h.from, h.from_port) : *peer;
	(void)epoll_ctl(p->poll, EPOLL_CTL_DEL, fd, NULL); /* fails when it never waited */
	p->options.take(p->options.take_ctx, fd, &from);
	return DONE;
}

/* A free place, or that of the one who has waited longest. */
static struct waiter *place_for(struct proxied *p)
{
	struct waiter *oldest = &p->waiting[0];
	for (size_t i = 0; i < WAITING_MAX; i++) {
		struct waiter *w = &p->waiting[i];
		if (w->fd < 0)
			return w;
		if (w->deadline < oldest->deadline)
			oldest = w;
	}
	refuse(p, oldest->fd);
	oldest->fd = -1;
	return oldest;
}

static void wait_for(struct proxied *p, int fd, const struct net_place *peer)
{
	struct waiter *w = place_for(p);
	/* Edge-triggered: what was peeked at stays in the socket. Adding it reports what came since. */
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = w };
	if (epoll_ctl(p->poll, EPOLL_CTL_ADD, fd, &event) != 0) {
		refuse(p, fd);
		return;
	}
	*w = (struct waiter){ .fd = fd, .peer = *peer, .deadline = steady_ms() + PATIENCE_MS };
}

static void accept_all(struct proxied *p)
{
	for (;;) {
		struct net_place peer = { .size = sizeof(peer.at) };
		uint16_t port;
		const int fd = accept4(p->listener, &peer.at.any, &peer.size,
		                       SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				(void)poll(NULL, 0, 10); /* others must close some first */
			return;
		}
		const struct ip_addr from = net_peer(&peer.at.any, &port);
		if (!p->options.is_proxy(p->options.is_proxy_ctx, &from))
			refuse(p, fd);
		else if (try_header(p, fd, &peer) == WAIT)
			wait_for(p, fd, &peer);
	}
}

static void heard(struct proxied *p, struct waiter *w, uint32_t events)
{
	if (w->fd < 0) /* gave its place up in this very round */
		return;
	if (try_header(p, w->fd, &w->peer) == WAIT) {
		if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0)
			return;
		refuse(p, w->fd); /* it will say no more */
	}
	w->fd = -1;
}

static void give_up_on_the_slow(struct proxied *p)
{
	const uint64_t now = steady_ms();
	for (size_t i = 0; i < WAITING_MAX; i++) {
		struct waiter *w = &p->waiting[i];
		if (w->fd >= 0 && w->deadline <= now) {
			refuse(p, w->fd);
			w->fd = -1;
		}
	}
}

static void *serve(void *ctx)
{
	struct proxied *p = ctx;
	struct epoll_event events[EVENTS_MAX];
	for (;;) {
		const int n = epoll_wait(p->poll, events, EVENTS_MAX, TICK_MS);
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &p->wake)
				return NULL;
			if (events[i].data.ptr == &p->listener)
				accept_all(p);
			else
				heard(p, events[i].data.ptr, events[i].events);
		}
		give_up_on_the_slow(p);
	}
}

static enum err open_all(struct proxied *p, struct fault *fault)
{
	const char *where = p->options.listen;
	enum err e = net_place_parse(where, &p->place, fault);
	if (e == ERR_OK)
		e = net_open(&p->place, SOCK_STREAM | SOCK_NONBLOCK, false, &p->listener, fault);
	if (e != ERR_OK)
		return e;
	struct epoll_event listener = { .events = EPOLLIN, .data.ptr = &p->listener };
	struct epoll_event wake = { .events = EPOLLIN, .data.ptr = &p->wake };
	p->poll = epoll_create1(EPOLL_CLOEXEC);
	p->wake = eventfd(0, EFD_CLOEXEC);
	if (listen(p->listener, BACKLOG) != 0 || p->poll < 0 || p->wake < 0 ||
	    epoll_ctl(p->poll, EPOLL_CTL_ADD, p->listener, &listener) != 0 ||
	    epoll_ctl(p->poll, EPOLL_CTL_ADD, p->wake, &wake) != 0)
		return fault_set(fault, ERR_SYSTEM, where, "cannot listen: %s", strerror(errno));
	return ERR_OK;
}

enum err proxied_start(const struct proxied_options *options, struct proxied **out,
                       struct fault *fault)
{
	struct proxied *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return fault_set(fault, ERR_NOMEM, options->listen, "out of memory");
	p->options = *options;
	p->listener = p->poll = p->wake = -1;
	for (size_t i = 0; i < WAITING_MAX; i++)
		p->waiting[i].fd = -1;
	enum err e = open_all(p, fault);
	if (e == ERR_OK) {
		sigset_t all, before;
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
		p->running = pthread_create(&p->thread, NULL, serve, p) == 0;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		if (!p->running)
			e = fault_set(fault, ERR_SYSTEM, options->listen, "no thread");
	}
	if (e != ERR_OK) {
		proxied_stop(p);
		return e;
	}
	*out = p;
	return ERR_OK;
}

void proxied_stop(struct proxied *p)
{
	if (p == NULL)
		return;
	if (p->running) {
		must(eventfd_write(p->wake, 1) == 0);
		pthread_join(p->thread, NULL);
	}
	const int fds[] = { p->listener, p->poll, p->wake };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (p->waiting[i].fd >= 0)
			(void)close(p->waiting[i].fd);
	free(p);
}

uint16_t proxied_port(const struct proxied *p)
{
	return net_place_port(&p->place);
}

uint64_t proxied_refused(const struct proxied *p)
{
	return atomic_load_explicit(&p->refused, memory_order_relaxed);
}
