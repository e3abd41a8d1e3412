/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/lane.h"

#include "server/net/framing.h"
#include "server/net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	BACKGROUND_NICE = 10,
	ORDERS_ONCE = 16,
	TURNS_MAX = 16,       /* without a look at the orders */
	WATCH_MS = 1000,      /* between two looks at who is late */
	SPARE_PART = 8,       /* of all places, one in so many is kept free for newcomers */
	REPLY_ROOM = 880,     /* most lists fit; below 1,032 as a text: malloc has it at hand */
	ROOM_KEPT_MAX = 16384 /* by an idle connection, in each of its buffers */
};

/*
 * One connection: what is known of its other end, and the buffers that its requests use one after
 * the other, so that a kept connection costs no allocation per request but libmicrohttpd's.
 */
struct link {
	struct ip_addr from;
	uint16_t from_port;
	uint32_t slot; /* of the quota */
	struct watched watched;
	bool head;   /* a HEAD */
	bool begun;  /* the handler was called once */
	bool waited; /* for others, since it was whole */
	bool kept;   /* has had a reply */
	bool known;  /* its certificate is one that was asked for */
	size_t body_seen, body_max;
	size_t promised; /* of the exchange's bytes for bodies */
	enum http_upload_state upload;
	char *query;      /* in libmicrohttpd's buffer; NULL: none */
	char query_first; /* its first character, which on_target() took away */
	struct text body, reply;
	struct http_request request;
};

/* ---- connections ---- */

static enum MHD_Result on_accept(void *cls, const struct sockaddr *from, socklen_t size)
{
	(void)size;
	const struct lane *lane = cls;
	struct exchange *x = lane->exchange;
	const struct http_options *o = &x->options;
	uint16_t port;
	if (o->connections_per_address == 0)
		return MHD_YES;
	const struct ip_addr addr = net_peer(from, &port);
	if (quota_used(x->quota, quota_slot(x->quota, &addr)) < o->connections_per_address ||
	    (o->is_proxy != NULL && o->is_proxy(o->ctx, &addr)))
		return MHD_YES;
	atomic_fetch_add_explicit(&x->refused, 1, memory_order_relaxed);
	return MHD_NO;
}

/* One after the other: from libmicrohttpd 1.0 on all that it tells of a connection is in the same place. */
static void learn(struct link *link, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	must(info != NULL);
	link->from = net_peer(info->client_addr, &link->from_port);
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	must(info != NULL);
	link->watched.fd = info->connect_fd;
}

static struct link *link_new(struct lane *lane, struct MHD_Connection *connection)
{
	struct exchange *x = lane->exchange;
	struct link *link = calloc(1, sizeof(*link));
	if (link == NULL)
		return NULL; /* on_target() hangs up */
	text_reserve(&link->reply, REPLY_ROOM);
	learn(link, connection);
	link->slot = quota_slot(x->quota, &link->from);
	quota_enter(x->quota, link->slot);
	lane->connections++;
	watch_begin(&lane->watch, &link->watched, lane->now);
	return link;
}

static void wait_no_more(struct lane *lane, const struct link *link)
{
	for (size_t i = 0; i < lane->n_waiting; i++)
		if (lane->waiting[i] == link)
			lane->waiting[i] = lane->waiting[--lane->n_waiting];
}

static void body_done(struct lane *lane, struct link *link)
{
	text_done(&link->body);
	if (link->promised > 0) /* most requests have no body, and this waits for all other cores */
		atomic_fetch_sub(&lane->exchange->bodies, link->promised);
	link->promised = 0;
}

static void link_free(struct lane *lane, struct link *link)
{
	if (link == NULL)
		return;
	wait_no_more(lane, link);
	watch_end(&lane->watch, &link->watched);
	lane->connections--;
	quota_leave(lane->exchange->quota, link->slot);
	body_done(lane, link);
	text_done(&link->reply);
	free(link);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **link,
                          enum MHD_ConnectionNotificationCode what)
{
	struct lane *lane = cls;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*link = link_new(lane, connection);
		return;
	}
	lane->left = true;
	link_free(lane, *link);
	*link = NULL;
}

/* ---- replies ---- */

/* What is left of a piece is bytes[at .. size). */
struct streaming {
	struct http_stream stream;
	struct text piece;
	size_t at;
};

static ssize_t stream_read(void *cls, uint64_t position, char *out, size_t room)
{
	(void)position;
	struct streaming *s = cls;
	if (s->at == s->piece.size) {
		s->at = s->piece.size = 0;
		s->stream.more(s->stream.ctx, &s->piece);
	}
	if (s->piece.bad)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (s->piece.size == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	const size_t left = s->piece.size - s->at, n = left < room ? left : room;
	memcpy(out, s->piece.bytes + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static void stream_free(void *cls)
{
	struct streaming *s = cls;
	s->stream.done(s->stream.ctx);
	text_done(&s->piece);
	free(s);
}

static struct MHD_Response *stream_response(const struct http_stream *stream)
{
	enum { BLOCK = 32768 };
	struct streaming *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		stream->done(stream->ctx);
		return NULL;
	}
	s->stream = *stream;
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, stream_read, s, stream_free);
	if (response == NULL)
		stream_free(s);
	return response;
}

/*
 * Does the connection stay? Not after a HEAD of a stream: libmicrohttpd 0.9.75 sends the end of its
 * chunks all the same, which a client would take for the next reply.
 */
static bool stays(const struct exchange *x, const struct link *link, const struct http_reply *reply)
{
	return (x->options.keep_alive || reply->keep_alive) &&
	       !(link->head && reply->stream.more != NULL) &&
	       !atomic_load_explicit(&x->stopping, memory_order_relaxed);
}

static enum MHD_Result queue(struct lane *lane, struct link *link,
                             struct MHD_Connection *connection, struct http_reply *reply)
{
	const struct exchange *x = lane->exchange;
	watch_end(&lane->watch, &link->watched);
	link->reply = reply->body; /* it lives until on_end() */
	if (link->reply.bad) {
		text_done(&link->reply);
		reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	struct MHD_Response *response =
		reply->stream.more != NULL
			? stream_response(&reply->stream)
			: MHD_create_response_from_buffer(link->reply.size, link->reply.bytes,
	                                                  MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;

	const char *type =
		reply->content_type != NULL ? reply->content_type : x->options.content_type;
	if (type != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < reply->n_headers; i++)
		(void)MHD_add_response_header(response, reply->headers[i].name,
		                              reply->headers[i].value);
	if (!stays(x, link, reply)) /* adds Connection: close */
		(void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
		                               MHD_RO_END);

	const enum MHD_Result queued = MHD_queue_response(
		connection, reply->status != 0 ? reply->status : MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return queued;
}

/* The text of an earlier reply, with nothing in it. */
static struct text blank(struct link *link)
{
	struct text t = link->reply;
	link->reply = (struct text){ 0 };
	t.size = 0;
	t.bad = false;
	return t;
}

static enum MHD_Result refuse_client(struct lane *lane, struct link *link,
                                     struct MHD_Connection *connection)
{
	struct http_reply reply = { .status = MHD_HTTP_FORBIDDEN, .body = blank(link) };
	text_put(&reply.body,
	         "a client certificate is needed, of an authority that is trusted here\n");
	return queue(lane, link, connection, &reply);
}

/* By `upload`; where somebody is asked, link->request was made for it. */
static enum MHD_Result refuse_body(struct lane *lane, struct link *link,
                                   struct MHD_Connection *connection)
{
	const struct http_options *o = &lane->exchange->options;
	struct http_reply reply = { .status = MHD_HTTP_CONTENT_TOO_LARGE, .body = blank(link) };
	struct http_upload upload = { link->upload, link->body_max };
	if (o->admit != NULL)
		(void)o->admit(o->ctx, &link->request, &upload, &reply);
	else
		text_put(&reply.body, "the request body is too large\n");
	return queue(lane, link, connection, &reply);
}

/* ---- requests ---- */

/* Only the lane itself writes it. */
static void run(struct lane *lane, int more)
{
	const int now = atomic_load_explicit(&lane->running, memory_order_relaxed);
	atomic_store_explicit(&lane->running, now + more, memory_order_release);
}

/*
 * Called with the request's line, before libmicrohttpd takes it to pieces. It reads on behind the
 * '?' after this call, so that ending the query here leaves it none to read; the rest stays where it
 * is until the request ends. strchr() hands the buffer out as what it is: libmicrohttpd's to write.
 */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct lane *lane = cls;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	must(info != NULL);
	struct link *link = info->socket_context;
	if (link == NULL)
		return NULL; /* on_request() hangs up */
	link->begun = link->waited = false;
	link->body_seen = 0;
	link->body_max = lane->exchange->options.body_max;
	link->upload = HTTP_UPLOAD_ASKS;
	link->query = NULL;
	watch_heard(&lane->watch, &link->watched, 0);
	char *question = target != NULL ? strchr(target, '?') : NULL;
	if (question != NULL) {
		link->query = question + 1;
		link->query_first = question[1];
		question[1] = '\0';
	}
	run(lane, 1);
	return link;
}

/* The path stays escaped: routes are found in it as it was sent. */
static size_t on_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
	(void)cls;
	(void)connection;
	return strlen(s);
}

static void shrink(struct text *t)
{
	if (t->room > ROOM_KEPT_MAX || t->bad)
		text_done(t);
}

static void on_end(void *cls, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
	(void)connection;
	(void)why;
	struct lane *lane = cls;
	struct link *link = *state;
	if (link == NULL)
		return;
	body_done(lane, link);
	shrink(&link->reply);
	link->kept = true;
	watch_begin(&lane->watch, &link->watched, lane->now);
	*state = NULL;
	run(lane, -1);
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

static void make_request(const struct lane *lane, struct link *link,
                         struct MHD_Connection *connection, const char *url, const char *method)
{
	if (link->query != NULL)
		link->query[0] = link->query_first;
	link->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	link->request = (struct http_request){
		.method = link->head ? MHD_HTTP_METHOD_GET : method,
		.head = link->head,
		.path = path_of(url),
		.query = link->query != NULL ? link->query : "",
		.from = link->from,
		.from_port = link->from_port,
		.body = link->body.bytes != NULL ? link->body.bytes : "",
		.body_size = link->body.size,
		.thread = lane->thread,
		.connection_ = connection,
	};
}

static enum MHD_Result refuse_framing(struct lane *lane, struct link *link,
                                      struct MHD_Connection *connection)
{
	struct http_reply reply = { .status = MHD_HTTP_BAD_REQUEST, .body = blank(link) };
	text_put(
		&reply.body,
		"two headers say how long the body is, or one says neither a length nor chunked, or "
		"chunks come in a version without them; or a header has no name, a blank around it "
		"or a control character in it, or goes on in the next line\n");
	return queue(lane, link, connection, &reply);
}

/* Room for a body of `size` bytes in all. What others hold is theirs, so that one always finds some. */
static bool make_body_room(struct lane *lane, struct link *link, size_t size)
{
	struct exchange *x = lane->exchange;
	const size_t most = x->options.bodies_max, more = size - link->promised;
	size_t now = atomic_load(&x->bodies);
	do
		if (most > 0 && now > link->promised && (more > most || now > most - more))
			return false;
	while (!atomic_compare_exchange_weak(&x->bodies, &now, now + more));
	link->promised = size;
	text_reserve(&link->body, size);
	return true;
}

/* Before the body is read; a reply that is queued now closes the connection. */
static enum MHD_Result judge_body(struct lane *lane, struct link *link,
                                  struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version)
{
	const struct http_options *o = &lane->exchange->options;
	struct framing f;
	framing_read(connection, method, version, &f);
	if (f.unsafe)
		return refuse_framing(lane, link, connection);
	const size_t size = framing_declared(&f);
	if (size <= o->body_max && (o->admit == NULL || !f.awaited))
		return MHD_YES;
	struct http_upload upload = { HTTP_UPLOAD_ASKS, o->body_max };
	if (o->admit != NULL) {
		struct http_reply reply = { .body = blank(link) };
		make_request(lane, link, connection, url, method);
		if (!o->admit(o->ctx, &link->request, &upload, &reply))
			return queue(lane, link, connection, &reply);
		link->reply = reply.body; /* for later */
		link->watched.welcome = true;
	}
	link->body_max = upload.max;
	if (size == SIZE_MAX && link->body_max > 0)
		return MHD_YES; /* it is judged as it comes */
	if (size > link->body_max)
		link->upload = HTTP_UPLOAD_TOO_LONG;
	else if (size > o->body_max && !make_body_room(lane, link, size))
		link->upload = HTTP_UPLOAD_NO_ROOM;
	return link->upload != HTTP_UPLOAD_ASKS ? refuse_body(lane, link, connection) : MHD_YES;
}

/* Is there room for what came of a body? In chunks it gets twice as much each time, as the text would. */
static enum http_upload_state judge_piece(struct lane *lane, struct link *link, size_t size)
{
	const size_t need = link->body.size + size;
	if (link->body_seen > link->body_max)
		return HTTP_UPLOAD_TOO_LONG;
	if (need <= link->promised || need <= lane->exchange->options.body_max)
		return HTTP_UPLOAD_ASKS;
	const size_t room = need > 2 * link->promised ? need : 2 * link->promised;
	return make_body_room(lane, link, room < link->body_max ? room : link->body_max)
	               ? HTTP_UPLOAD_ASKS
	               : HTTP_UPLOAD_NO_ROOM;
}

static enum MHD_Result take_body(struct lane *lane, struct link *link, const char *data,
                                 size_t *size)
{
	watch_heard(&lane->watch, &link->watched, *size);
	link->body_seen += *size;
	if (link->upload == HTTP_UPLOAD_ASKS)
		link->upload = judge_piece(lane, link, *size);
	if (link->upload == HTTP_UPLOAD_ASKS)
		text_add(&link->body, data, *size);
	else
		body_done(lane, link);
	/* libmicrohttpd takes a reply only at the end of a body that has begun: wait a little. */
	const bool endless = link->body_seen / 2 > link->body_max;
	*size = 0;
	return endless || link->body.bad ? MHD_NO : MHD_YES;
}

static bool waits(struct lane *lane, struct link *link)
{
	if (!link->kept || link->waited || lane->exchange->options.foresee == NULL ||
	    lane->n_waiting == HTTP_FORESEEN_MAX)
		return false;
	link->waited = true;
	lane->waiting[lane->n_waiting++] = link;
	return true;
}

static enum MHD_Result answer(struct lane *lane, struct link *link)
{
	const struct exchange *x = lane->exchange;
	struct http_reply reply = { .body = blank(link) };
	x->options.handle(x->options.ctx, &link->request, &reply);
	return queue(lane, link, link->request.connection_, &reply);
}

/* False when nobody waits. */
static bool foresee(struct lane *lane)
{
	const struct http_options *o = &lane->exchange->options;
	const struct http_request *requests[HTTP_FORESEEN_MAX] = { NULL };
	const size_t n = lane->n_waiting;
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		requests[i] = &lane->waiting[i]->request;
	lane->n_waiting = 0;
	o->foresee(o->ctx, requests, n);
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd wants eight parameters */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
	struct lane *lane = cls;
	struct link *link = *state;
	if (link == NULL)
		return MHD_NO;
	if (!link->begun) {
		link->begun = true;
		link->known = link->known || !lane->asks || tls_client_is_known(connection);
		if (!link->known)
			return refuse_client(lane, link, connection);
		return judge_body(lane, link, connection, url, method, version);
	}
	if (*size > 0)
		return take_body(lane, link, data, size);
	if (link->upload != HTTP_UPLOAD_ASKS)
		return refuse_body(lane, link, connection);
	if (!link->waited)
		make_request(lane, link, connection, url, method);
	/* Called without a body and sent away without a reply, libmicrohttpd comes again in its next turn. */
	return waits(lane, link) ? MHD_YES : answer(lane, link);
}

/* ---- the thread ---- */

/* Small enough for the pipe to take it whole or not at all. */
struct order {
	int fd; /* to serve, or one of these */
	struct net_place from;
};

enum { BEGIN = -1, ACCEPT_NO_MORE = -2 };

static void give(const struct lane *lane, const struct order *order)
{
	must(write(lane->orders[1], order, sizeof(*order)) == sizeof(*order));
}

/* False when none will come any more. */
static bool obey(struct lane *lane)
{
	struct order orders[ORDERS_ONCE];
	const ssize_t size = read(lane->orders[0], orders, sizeof(orders));
	must(size >= 0);
	for (size_t i = 0; i < (size_t)size / sizeof(orders[0]); i++) {
		const struct order *o = &orders[i];
		if (o->fd >= 0)
			(void)MHD_add_connection(lane->daemon, o->fd, &o->from.at.any,
			                         o->from.size);
		else if (o->fd == ACCEPT_NO_MORE)
			(void)close(MHD_quiesce_daemon(lane->daemon));
	}
	return size > 0;
}

/*
 * Milliseconds to wait for; -1: for ever. Where a connection has ended, libmicrohttpd must run once
 * more before it waits: if that made room again, only then does it listen again.
 */
static int patience(const struct lane *lane)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (lane->left)
		return 0;
	const int most = lane->watch.count > 0 ? WATCH_MS : -1;
	if (MHD_get_timeout(lane->daemon, &ms) != MHD_YES)
		return most;
	return most < 0 ? ms < INT_MAX ? (int)ms : INT_MAX : ms < WATCH_MS ? (int)ms : most;
}

static unsigned places(const struct http_options *o)
{
	const unsigned n = o->connections_max / o->threads;
	return n > 0 ? n : 1;
}

static int64_t seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/*
 * After a turn, so that what came has been heard: the late go and, where few places are free, the
 * longest silent.
 */
static void make_room(struct lane *lane)
{
	const struct http_options *o = &lane->exchange->options;
	const size_t most = places(o) - places(o) / SPARE_PART;
	const size_t stay = lane->connections - lane->watch.hung;
	if (lane->looked != lane->now)
		(void)watch_hang_up_late(&lane->watch, lane->now, o->idle_seconds);
	lane->looked = lane->now;
	if (stay > most)
		(void)watch_hang_up_silent(&lane->watch, stay - most);
}

/*
 * libmicrohttpd's own thread would not do: when 128 connections have something to say at once, which
 * fill its array of events, 0.9.75 waits for more before it answers any of them, and while all of
 * them wait for it, that is until one times out. MHD_run() does not wait.
 */
static void *serve(void *ctx)
{
	struct lane *lane = ctx;
	struct pollfd waits[] = {
		{ .fd = MHD_get_daemon_info(lane->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
		  .events = POLLIN },
		{ .fd = lane->orders[0], .events = POLLIN },
	};
	if (lane->exchange->options.background) /* only the thread itself knows its id */
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICE);
	for (bool goes_on = obey(lane); goes_on; goes_on = waits[1].revents == 0 || obey(lane)) {
		(void)poll(waits, sizeof(waits) / sizeof(waits[0]), patience(lane));
		lane->now = seconds();
		lane->left = false;
		unsigned turn = 0;
		do
			(void)MHD_run(lane->daemon);
		while (foresee(lane) && ++turn < TURNS_MAX);
		make_room(lane);
	}
	MHD_stop_daemon(lane->daemon);
	return NULL;
}

/* ---- lanes ---- */

static enum err start_daemon(struct lane *lane, int listener, struct fault *fault)
{
	const struct http_options *o = &lane->exchange->options;
	const int own = dup(listener); /* the daemon closes it */
	if (own < 0)
		return fault_set(fault, ERR_SYSTEM, o->listen, "dup: %s", strerror(errno));

	/*
	 * Turbo reads and writes before it asks whether it may, and does not shut a socket down before
	 * it closes it; but TLS has to say good-bye. Without TLS the last four options say nothing.
	 */
	const unsigned flags = o->certificate != NULL ? MHD_USE_TLS : MHD_USE_TURBO;
	lane->asks = o->client_ca != NULL;
	lane->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | flags, 0, on_accept, lane, on_request, lane,
		MHD_OPTION_LISTEN_SOCKET, own, MHD_OPTION_URI_LOG_CALLBACK, on_target, lane,
		MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, lane, MHD_OPTION_NOTIFY_COMPLETED,
		on_end, lane, MHD_OPTION_NOTIFY_CONNECTION, on_connection, lane,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->memory_each, MHD_OPTION_CONNECTION_LIMIT,
		places(o), MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds,
		MHD_OPTION_HTTPS_MEM_CERT, o->certificate, MHD_OPTION_HTTPS_MEM_KEY, o->key,
		MHD_OPTION_HTTPS_MEM_TRUST, o->client_ca, MHD_OPTION_HTTPS_PRIORITIES,
		tls_priorities, MHD_OPTION_END);
	/* `own` is left alone on failure: libmicrohttpd may have closed it already. */
	return lane->daemon != NULL
	               ? ERR_OK
	               : fault_set(fault, ERR_SYSTEM, o->listen, "libmicrohttpd does not start");
}

enum err lane_start(struct lane *lane, int listener, struct fault *fault)
{
	const char *where = lane->exchange->options.listen;
	if (pipe2(lane->orders, O_CLOEXEC) != 0)
		return fault_set(fault, ERR_SYSTEM, where, "pipe: %s", strerror(errno));
	enum err e = start_daemon(lane, listener, fault);
	if (e == ERR_OK && pthread_create(&lane->id, NULL, serve, lane) != 0) {
		MHD_stop_daemon(lane->daemon);
		e = fault_set(fault, ERR_SYSTEM, where, "no thread");
	}
	lane->runs = e == ERR_OK;
	if (!lane->runs) {
		(void)close(lane->orders[0]);
		(void)close(lane->orders[1]);
	}
	return e;
}

void lane_begin(struct lane *lane)
{
	give(lane, &(struct order){ .fd = BEGIN });
}

void lane_quiesce(struct lane *lane)
{
	if (lane->runs)
		give(lane, &(struct order){ .fd = ACCEPT_NO_MORE });
}

void lane_stop(struct lane *lane)
{
	if (!lane->runs)
		return;
	(void)close(lane->orders[1]);
	pthread_join(lane->id, NULL);
	(void)close(lane->orders[0]);
	lane->runs = false;
}

void lane_adopt(struct lane *lane, int fd, const struct net_place *from)
{
	give(lane, &(struct order){ .fd = fd, .from = *from });
}
