/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/http.h"

#include "server/net/lane.h"
#include "server/net/proxied.h"
#include "server/net/tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct http_server {
	struct exchange exchange;
	struct net_place place;
	int listener;            /* -1: not open */
	struct lane *lanes;      /* NULL: they do not run */
	struct proxied *proxied; /* NULL: no such listener */
	unsigned next_lane;      /* for what it hands over */
};

enum { BACKLOG = 1024, STOP_WAIT_MS = 2000, STOP_POLL_MS = 5, DEFER_SECONDS = 5 };

/* ---- lanes ---- */

static void free_lanes(struct http_server *s, struct lane *lanes)
{
	for (unsigned i = 0; i < s->exchange.options.threads; i++)
		lane_stop(&lanes[i]);
	free(lanes);
}

/* They wait for begin_lanes(), so that those of before can go on until nothing can fail any more. */
static enum err start_lanes(struct http_server *s, struct lane **out, struct fault *fault)
{
	const struct http_options *o = &s->exchange.options;
	struct lane *lanes = calloc(o->threads, sizeof(*lanes));
	if (lanes == NULL) {
		(void)fault_set(fault, ERR_NOMEM, o->listen, "out of memory");
		return ERR_NOMEM;
	}
	sigset_t all, before;
	sigfillset(&all);
	enum err e = ERR_OK;
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	for (unsigned i = 0; i < o->threads && e == ERR_OK; i++) {
		lanes[i] = (struct lane){ .exchange = &s->exchange, .thread = o->first_thread + i };
		e = lane_start(&lanes[i], s->listener, fault);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (e != ERR_OK)
		free_lanes(s, lanes);
	else
		*out = lanes;
	return e;
}

static void begin_lanes(struct http_server *s, struct lane *lanes)
{
	s->lanes = lanes;
	atomic_store(&s->exchange.stopping, false);
	for (unsigned i = 0; i < s->exchange.options.threads; i++)
		lane_begin(&lanes[i]);
}

static bool is_running(const struct http_server *s)
{
	for (unsigned i = 0; i < s->exchange.options.threads; i++)
		if (atomic_load_explicit(&s->lanes[i].running, memory_order_acquire) > 0)
			return true;
	return false;
}

static void stop_lanes(struct http_server *s)
{
	struct exchange *x = &s->exchange;
	if (s->lanes == NULL)
		return;
	atomic_store(&x->stopping, true);
	for (unsigned i = 0; i < x->options.threads; i++)
		lane_quiesce(&s->lanes[i]);
	for (int ms = 0; ms < STOP_WAIT_MS && is_running(s); ms += STOP_POLL_MS)
		(void)poll(NULL, 0, STOP_POLL_MS);
	free_lanes(s, s->lanes);
	s->lanes = NULL;
}

/* ---- TLS ---- */

int64_t http_certificate_end(const char *certificate)
{
	return tls_end(certificate);
}

enum err http_certificate(struct http_server *s, const char *certificate, const char *key,
                          const char *client_ca, struct fault *fault)
{
	struct http_options *o = &s->exchange.options;
	must(certificate != NULL && key != NULL && s->proxied == NULL);
	enum err e = tls_try(certificate, key, client_ca, fault);
	if (e != ERR_OK)
		return e;
	struct lane *lanes;
	o->certificate = certificate;
	o->key = key;
	o->client_ca = client_ca;
	e = start_lanes(s, &lanes, fault);
	o->certificate = o->key = ""; /* the caller's no longer; still TLS */
	o->client_ca = NULL;
	if (e != ERR_OK)
		return e;
	/* What comes meanwhile waits in the listening socket's queue. */
	stop_lanes(s);
	begin_lanes(s, lanes);
	return ERR_OK;
}

/* ---- the PROXY listener ---- */

static void take_over(void *ctx, int fd, const struct net_place *from)
{
	struct http_server *s = ctx;
	lane_adopt(&s->lanes[s->next_lane++ % s->exchange.options.threads], fd, from);
}

static enum err start_proxied(struct http_server *s, struct fault *fault)
{
	const struct http_options *o = &s->exchange.options;
	const struct proxied_options p = { .listen = o->listen_proxied,
		                           .is_proxy = o->is_proxy,
		                           .is_proxy_ctx = o->ctx,
		                           .take = take_over,
		                           .take_ctx = s };
	if (o->listen_proxied == NULL || o->listen_proxied[0] == '\0')
		return ERR_OK;
	must(o->is_proxy != NULL && o->certificate == NULL);
	return proxied_start(&p, &s->proxied, fault);
}

/* ---- the server ---- */

static struct http_server *server_new(const struct http_options *options)
{
	struct http_server *s = calloc(1, sizeof(*s));
	struct quota *quota = calloc(1, sizeof(*quota));
	if (s == NULL || quota == NULL ||
	    getrandom(&quota->secret, sizeof(quota->secret), 0) != sizeof(quota->secret)) {
		free(s);
		free(quota);
		return NULL;
	}
	s->exchange.options = *options;
	s->exchange.quota = quota;
	s->listener = -1;
	return s;
}

/*
 * A connection is accepted with its first bytes, as the client is the one to speak: so it is answered
 * and closed in one turn, and a silent one costs the kernel a little instead of us a place. The kernel
 * hands it over without them after about so many seconds.
 */
static bool defer_accept(int fd)
{
	const int seconds = DEFER_SECONDS;
	return setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)) == 0;
}

static enum err open_listener(struct http_server *s, struct fault *fault)
{
	const char *listen_on = s->exchange.options.listen;
	enum err e = net_place_parse(listen_on, &s->place, fault);
	if (e == ERR_OK)
		e = net_open(&s->place, SOCK_STREAM | SOCK_NONBLOCK, false, &s->listener, fault);
	if (e == ERR_OK && (!defer_accept(s->listener) || listen(s->listener, BACKLOG) != 0))
		e = fault_set(fault, ERR_SYSTEM, listen_on, "listen: %s", strerror(errno));
	return e;
}

enum err http_start(const struct http_options *options, struct http_server **out,
                    struct fault *fault)
{
	must(options->threads > 0);
	enum err e = tls_try(options->certificate, options->key, options->client_ca, fault);
	if (e != ERR_OK)
		return e;
	struct http_server *s = server_new(options);
	if (s == NULL)
		return fault_set(fault, ERR_NOMEM, options->listen, "out of memory");
	e = open_listener(s, fault);
	struct lane *lanes;
	if (e == ERR_OK)
		e = start_lanes(s, &lanes, fault);
	if (e == ERR_OK) {
		begin_lanes(s, lanes);
		e = start_proxied(s, fault);
	}
	if (e != ERR_OK) {
		http_stop(s);
		return e;
	}
	if (options->certificate != NULL) /* the caller's, and read by now */
		s->exchange.options.certificate = s->exchange.options.key = "";
	s->exchange.options.client_ca = NULL;
	*out = s;
	return ERR_OK;
}

void http_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	proxied_stop(s->proxied);
	stop_lanes(s);
	if (s->listener >= 0)
		(void)close(s->listener);
	free(s->exchange.quota);
	free(s);
}

uint16_t http_port(const struct http_server *s)
{
	return net_place_port(&s->place);
}

uint16_t http_proxied_port(const struct http_server *s)
{
	return s->proxied != NULL ? proxied_port(s->proxied) : 0;
}

struct http_stats http_stats(const struct http_server *s)
{
	return (struct http_stats){
		.refused = atomic_load_explicit(&s->exchange.refused, memory_order_relaxed),
		.unproxied = s->proxied != NULL ? proxied_refused(s->proxied) : 0,
	};
}
