/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/collecting.h"

#include "common/base/log.h"
#include "server/app/peer_file.h"
#include "server/app/settings.h"
#include "server/collector/socket.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_SECONDS = 10 };
enum { WRITE_MS = 500, PAUSE_MS = 100 }; /* from write to write; at least, after a slow one */

struct collecting {
	struct collecting_options o;
	struct collector *collector;
	struct flow_socket *socket;
	unsigned to_wait; /* ticks before the port is tried again */

	pthread_t writer;
	pthread_mutex_t lock; /* guards `ending` */
	pthread_cond_t wake;
	bool writing, ending;
	bool failing; /* the writer's: said so already */

	struct peer_file peers;
};

/* ---- the writer ---- */

static void note_failure(struct collecting *c, enum err e, const struct fault *fault)
{
	const bool failing = e != ERR_OK;
	if (failing && !c->failing)
		log_line(LOG_ERROR,
		         "The collector could not write. Bins wait in memory, and it tries again "
		         "twice a second. file=%s why=%s",
		         fault->where, fault->text);
	if (!failing && c->failing)
		log_line(LOG_NOTE, "The collector can write again.");
	c->failing = failing;
}

/* What the clock is put to must not keep the writer. */
static void make_lock(struct collecting *c)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&c->lock, NULL);
}

static int64_t monotonic_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until it is time to write again. False: never. The lock is held. */
static bool wait_until(struct collecting *c, int64_t ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	int waited = 0;
	while (!c->ending && waited == 0)
		waited = pthread_cond_timedwait(&c->wake, &c->lock, &t);
	return !c->ending;
}

/*
 * On a thread of its own, for what is not written yet is what kill -9 costs: the clock's may be closing
 * a bin of announces or saving the swarms, which takes seconds.
 */
static void *write_on(void *arg)
{
	struct collecting *c = arg;
	int64_t next = 0;
	pthread_mutex_lock(&c->lock);
	while (wait_until(c, next)) {
		struct fault fault = { 0 };
		next = monotonic_ms() + WRITE_MS;
		pthread_mutex_unlock(&c->lock);
		note_failure(c, collector_tick(c->collector, time(NULL), &fault), &fault);
		const int64_t soon = monotonic_ms() + PAUSE_MS;
		next = next > soon ? next : soon;
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static enum err start_writer(struct collecting *c, struct fault *fault)
{
	if (pthread_create(&c->writer, NULL, write_on, c) != 0)
		return fault_set(fault, ERR_SYSTEM, "start", "no thread to be had");
	c->writing = true;
	return ERR_OK;
}

static void stop_writer(struct collecting *c)
{
	if (!c->writing)
		return;
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->writer, NULL);
	c->writing = false;
}

enum err collecting_new(const struct collecting_options *options, struct collecting **out,
                        struct fault *fault)
{
	const struct config *config = options->config;
	struct ip_prefix *allowed = NULL;
	size_t n_allowed = 0;
	struct collecting *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return fault_set(fault, ERR_NOMEM, "start", "out of memory");
	c->o = *options;
	c->peers.path = config->peers_file;
	make_lock(c);
	enum err e = settings_prefixes("flow_exporters", config->flow_exporters, &allowed,
	                               &n_allowed, fault);
	if (e == ERR_OK) {
		const struct collector_options o = {
			.state_dir = config->state_dir,
			.bin_seconds = (uint32_t)config->bin_seconds,
			.late_seconds = (uint32_t)config->late_seconds,
			.overhead_bytes = (uint32_t)config->flow_overhead_bytes,
			.allowed = allowed,
			.n_allowed = n_allowed,
			.lab = config->lab != 0,
			.measures_p2p = options->tracker || config->peers_file[0] != '\0',
			.office = options->office,
			.geo = options->geo,
			.now = options->now,
		};
		fault->where[0] = '\0';
		e = collector_new(&o, &c->collector, fault);
	}
	free(allowed);
	if (e != ERR_OK) {
		collecting_free(c);
		return e;
	}
	if (fault->where[0] != '\0')
		log_line(LOG_WARNING, "The collector found a damaged file. file=%s why=%s",
		         fault->where, fault->text);
	e = start_writer(c, fault);
	if (e != ERR_OK) {
		collecting_free(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

void collecting_free(struct collecting *c)
{
	if (c == NULL)
		return;
	flow_socket_stop(c->socket);
	stop_writer(c);
	collector_free(c->collector);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void take(void *ctx, const struct collector_datagram *batch, size_t n, int64_t now_ms,
                 uint64_t dropped)
{
	collector_take(ctx, batch, n, now_ms, dropped);
}

enum err collecting_listen(struct collecting *c, struct fault *fault)
{
	const struct flow_socket_options o = {
		.listen = c->o.config->listen_flow,
		.receive_buffer = (unsigned)c->o.config->flow_buffer_kib << 10,
		.take = take,
		.ctx = c->collector,
	};
	return flow_socket_start(&o, &c->socket, fault);
}

void collecting_listen_later(struct collecting *c)
{
	c->to_wait = RETRY_SECONDS;
}

static void listen_again(struct collecting *c)
{
	struct fault fault;
	if (c->to_wait == 0 || --c->to_wait > 0)
		return;
	if (collecting_listen(c, &fault) == ERR_OK)
		log_line(LOG_NOTE, "Flows are collected now. flow=%s", c->o.config->listen_flow);
	else
		c->to_wait = RETRY_SECONDS;
}

uint16_t collecting_port(const struct collecting *c)
{
	return c != NULL && c->socket != NULL ? flow_socket_port(c->socket) : 0;
}

struct collector *collecting_collector(struct collecting *c)
{
	return c->collector;
}

/* ---- the peers ---- */

void collecting_peers(struct collecting *c, struct peer_set *peers)
{
	peer_set_free(collector_peers(c->collector, peers));
}

/* ---- a second ---- */

void collecting_tick(struct collecting *c, int64_t now)
{
	struct peer_set *peers;
	listen_again(c);
	if (!c->o.tracker && c->peers.path[0] != '\0' && peer_file_look(&c->peers, now, &peers))
		collecting_peers(c, peers);
}

void collecting_end(struct collecting *c, int64_t now)
{
	struct fault fault = { 0 };
	flow_socket_stop(c->socket);
	c->socket = NULL;
	stop_writer(c);
	if (collector_flush(c->collector, now, &fault) != ERR_OK)
		log_line(LOG_ERROR, "Flows of the last bins were not written. file=%s why=%s",
		         fault.where, fault.text);
}

/* ---- telling ---- */

static void put_exporter(const struct collector_exporter *e, struct text *out)
{
	char address[IP_TEXT_SIZE], seen[24];
	ip_print(&e->address, address);
	text_time_print(e->last_seen, seen);
	text_printf(out, "{\"address\":\"%s\",\"provider\":", address);
	if (e->provider[0] != '\0')
		text_json_string(out, e->provider);
	else
		text_put(out, "null");
	text_printf(out,
	            ",\"protocol\":%s%s%s,\"last_seen\":\"%s\",\"datagrams\":%" PRIu64
	            ",\"malformed\":%" PRIu64 ",\"records\":%" PRIu64 ",\"lost\":%" PRIu64
	            ",\"sampling\":%" PRIu32 "}",
	            e->protocol[0] != '\0' ? "\"" : "",
	            e->protocol[0] != '\0' ? e->protocol : "null",
	            e->protocol[0] != '\0' ? "\"" : "", seen, e->datagrams, e->malformed,
	            e->records, e->lost, e->sampling);
}

enum err collecting_list(struct collecting *c, const char *provider, struct text *out)
{
	struct collector_exporter *list;
	const char *comma = "";
	size_t n;
	const enum err e = collector_exporters(c->collector, &list, &n);
	if (e != ERR_OK)
		return e;
	const struct collector_stats s = collector_stats(c->collector);
	text_put(out, "{\"exporters\":[");
	for (size_t i = 0; i < n; i++) {
		if (provider != NULL && strcmp(provider, list[i].provider) != 0)
			continue;
		text_put(out, comma);
		put_exporter(&list[i], out);
		comma = ",";
	}
	text_printf(out, "],\"templates\":%" PRIu32 ",\"refused_datagrams\":%" PRIu64 "}\n",
	            s.decoder.templates, s.refused);
	free(list);
	return out->bad ? ERR_NOMEM : ERR_OK;
}
