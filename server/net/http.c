/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/http.h"

#include "server/net/listen.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/*
 * Each thread is a libmicrohttpd daemon of its own, all accepting from one socket: so a request
 * knows its thread, and an idle thread takes the connection that a busy one cannot.
 */
struct lane {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	unsigned index;
};

struct http_server {
	struct http_options options;
	struct net_place place;
	atomic_bool stopping;
	atomic_uint running; /* requests between their first line and their last byte */
	struct lane *lanes;
};

enum { BACKLOG = 1024, STOP_WAIT_MS = 2000, STOP_POLL_MS = 5 };

/* One request: libmicrohttpd carries it from its first line to its end. */
struct call {
	bool begun; /* the handler was called once */
	size_t body_seen;
	struct text body;
	char target[]; /* as sent; libmicrohttpd unescapes its own copy in place */
};

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
	must(reply->n_headers < HTTP_HEADERS_MAX);
	const size_t size = strlen(value);
	must(size < sizeof(reply->headers[0].value));
	reply->headers[reply->n_headers].name = name;
	memcpy(reply->headers[reply->n_headers].value, value, size + 1);
	reply->n_headers++;
}

struct wanted {
	const char *name;
	const char *value;
};

static enum MHD_Result keep_last(void *ctx, enum MHD_ValueKind kind, const char *key,
                                 const char *value)
{
	(void)kind;
	struct wanted *w = ctx;
	if (strcasecmp(key, w->name) == 0)
		w->value = value;
	return MHD_YES;
}

const char *http_header(const struct http_request *r, const char *name)
{
	struct wanted w = { .name = name };
	(void)MHD_get_connection_values(r->connection_, MHD_HEADER_KIND, keep_last, &w);
	return w.value;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	const int letter = (c | 0x20) - 'a';
	return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/* RFC 3986: '+' is a plus. */
static bool unescape(const char *s, size_t size, char *out, size_t room)
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++, n++) {
		if (n + 1 >= room)
			return false;
		out[n] = s[i];
		if (s[i] != '%')
			continue;
		const int high = i + 2 < size ? hex_digit(s[i + 1]) : -1;
		const int low = high >= 0 ? hex_digit(s[i + 2]) : -1;
		if (low < 0 || (high | low) == 0) /* %00 would hide what follows it */
			return false;
		out[n] = (char)(high << 4 | low);
		i += 2;
	}
	out[n] = '\0';
	return true;
}

bool http_parameter(const struct http_request *r, const char *name, char *out, size_t room)
{
	const size_t name_size = strlen(name);
	for (const char *p = r->query; *p != '\0';) {
		const size_t size = strcspn(p, "&");
		if (size >= name_size && memcmp(p, name, name_size) == 0 &&
		    (size == name_size || p[name_size] == '=')) {
			const size_t skip = name_size + (size > name_size);
			return unescape(p + skip, size - skip, out, room);
		}
		p += size + (p[size] == '&');
	}
	return false;
}

static enum MHD_Result queue(const struct http_server *s, struct MHD_Connection *connection,
                             struct http_reply *reply)
{
	if (reply->body.bad) {
		text_done(&reply->body);
		reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	struct MHD_Response *response = MHD_create_response_from_buffer(
		reply->body.size, reply->body.bytes,
		reply->body.bytes != NULL ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (response == NULL) {
		text_done(&reply->body);
		return MHD_NO;
	}
	reply->body = (struct text){ 0 }; /* the response's now */

	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
	                              reply->content_type != NULL ? reply->content_type
	                                                          : "text/plain");
	for (size_t i = 0; i < reply->n_headers; i++)
		(void)MHD_add_response_header(response, reply->headers[i].name,
		                              reply->headers[i].value);
	if (!s->options.keep_alive || atomic_load_explicit(&s->stopping, memory_order_relaxed))
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");

	const enum MHD_Result queued = MHD_queue_response(
		connection, reply->status != 0 ? reply->status : MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result refuse_body(const struct http_server *s, struct MHD_Connection *connection)
{
	struct http_reply reply = { .status = MHD_HTTP_CONTENT_TOO_LARGE };
	text_put(&reply.body, "the request body is too large\n");
	return queue(s, connection, &reply);
}

/* Called with the request's line, before libmicrohttpd takes it to pieces. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	(void)connection;
	struct lane *lane = cls;
	const size_t size = strlen(target) + 1;
	struct call *call = malloc(sizeof(*call) + size);
	if (call == NULL)
		return NULL; /* on_request() hangs up */
	*call = (struct call){ 0 };
	memcpy(call->target, target, size);
	atomic_fetch_add(&lane->server->running, 1);
	return call;
}

static void on_end(void *cls, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
	(void)connection;
	(void)why;
	struct lane *lane = cls;
	struct call *call = *state;
	if (call == NULL)
		return;
	text_done(&call->body);
	free(call);
	*state = NULL;
	atomic_fetch_sub(&lane->server->running, 1);
}

/* A length that was announced is judged before the body is read; a chunked one as it comes. */
static bool declares_too_much(const struct http_server *s, struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	                                                 MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n;
	return length != NULL && text_u64(length, strlen(length), &n) && n > s->options.body_max;
}

static enum MHD_Result take_body(const struct http_server *s, struct call *call, const char *data,
                                 size_t *size)
{
	call->body_seen += *size;
	if (call->body_seen <= s->options.body_max)
		text_add(&call->body, data, *size);
	/* libmicrohttpd takes a reply only at the end of a body that has begun: wait a little. */
	const bool endless = call->body_seen / 2 > s->options.body_max;
	*size = 0;
	return endless || call->body.bad ? MHD_NO : MHD_YES;
}

/* "http://host/path" (RFC 9112, section 3.2.2) and "/path" are the same. */
static const char *path_of(const char *target)
{
	const char *scheme = target[0] != '/' ? strstr(target, "://") : NULL;
	if (scheme == NULL)
		return target;
	const char *slash = scheme + 3 + strcspn(scheme + 3, "/?");
	return *slash == '/' ? slash : "/";
}

static enum MHD_Result answer(const struct lane *lane, struct MHD_Connection *connection,
                              const char *method, struct call *call)
{
	const struct http_server *s = lane->server;
	char *question = strchr(call->target, '?');
	if (question != NULL)
		*question = '\0';

	struct http_request request = {
		.method = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 ? MHD_HTTP_METHOD_GET : method,
		.path = path_of(call->target),
		.query = question != NULL ? question + 1 : "",
		.body = call->body.bytes != NULL ? call->body.bytes : "",
		.body_size = call->body.size,
		.thread = lane->index,
		.connection_ = connection,
	};
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	must(info != NULL);
	request.from = net_peer(info->client_addr, &request.from_port);

	struct http_reply reply = { 0 };
	s->options.handle(s->options.ctx, &request, &reply);
	return queue(s, connection, &reply);
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd wants eight parameters */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
	(void)url;
	(void)version;
	const struct lane *lane = cls;
	const struct http_server *s = lane->server;
	struct call *call = *state;
	if (call == NULL)
		return MHD_NO;
	if (!call->begun) { /* a reply queued now would close the connection */
		call->begun = true;
		return declares_too_much(s, connection) ? refuse_body(s, connection) : MHD_YES;
	}
	if (*size > 0)
		return take_body(s, call, data, size);
	if (call->body_seen > s->options.body_max)
		return refuse_body(s, connection);
	return answer(lane, connection, method, call);
}

static enum err start_lane(struct http_server *s, struct lane *lane, int listener,
                           struct fault *fault)
{
	const struct http_options *o = &s->options;
	const int own = dup(listener); /* the daemon closes it */
	if (own < 0)
		return fault_set(fault, ERR_SYSTEM, o->listen, "dup: %s", strerror(errno));

	const unsigned limit = o->connections_max / o->threads;
	lane->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, lane,
		MHD_OPTION_LISTEN_SOCKET, own, MHD_OPTION_URI_LOG_CALLBACK, on_target, lane,
		MHD_OPTION_NOTIFY_COMPLETED, on_end, lane, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		o->memory_each, MHD_OPTION_CONNECTION_LIMIT, limit > 0 ? limit : 1U,
		MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds, MHD_OPTION_END);
	if (lane->daemon != NULL)
		return ERR_OK;
	(void)close(own);
	return fault_set(fault, ERR_SYSTEM, o->listen, "libmicrohttpd does not start");
}

static enum err start_lanes(struct http_server *s, int listener, struct fault *fault)
{
	sigset_t all, before;
	sigfillset(&all);
	enum err e = ERR_OK;
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	for (unsigned i = 0; i < s->options.threads && e == ERR_OK; i++) {
		s->lanes[i] = (struct lane){ .server = s, .index = i };
		e = start_lane(s, &s->lanes[i], listener, fault);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

enum err http_start(const struct http_options *options, struct http_server **out,
                    struct fault *fault)
{
	must(options->threads > 0);
	struct net_place place;
	enum err e = net_place_parse(options->listen, &place, fault);
	if (e != ERR_OK)
		return e;

	struct http_server *s = calloc(1, sizeof(*s));
	struct lane *lanes = calloc(options->threads, sizeof(*lanes));
	if (s == NULL || lanes == NULL) {
		free(s);
		free(lanes);
		return fault_set(fault, ERR_NOMEM, options->listen, "out of memory");
	}
	s->options = *options;
	s->lanes = lanes;

	int listener = -1;
	e = net_open(&place, SOCK_STREAM | SOCK_NONBLOCK, false, &listener, fault);
	if (e == ERR_OK && listen(listener, BACKLOG) != 0)
		e = fault_set(fault, ERR_SYSTEM, options->listen, "listen: %s", strerror(errno));
	s->place = place;
	if (e == ERR_OK)
		e = start_lanes(s, listener, fault);
	if (listener >= 0)
		(void)close(listener);
	if (e != ERR_OK) {
		http_stop(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void http_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	atomic_store(&s->stopping, true);
	for (unsigned i = 0; i < s->options.threads; i++) {
		if (s->lanes[i].daemon == NULL)
			continue;
		const MHD_socket listener = MHD_quiesce_daemon(s->lanes[i].daemon);
		if (listener != MHD_INVALID_SOCKET)
			(void)close(listener);
	}
	for (int ms = 0; ms < STOP_WAIT_MS && atomic_load(&s->running) > 0; ms += STOP_POLL_MS)
		(void)poll(NULL, 0, STOP_POLL_MS);
	for (unsigned i = 0; i < s->options.threads; i++)
		if (s->lanes[i].daemon != NULL)
			MHD_stop_daemon(s->lanes[i].daemon);
	free(s->lanes);
	free(s);
}

uint16_t http_port(const struct http_server *s)
{
	return net_place_port(&s->place);
}
