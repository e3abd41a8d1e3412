/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HTTP listeners (libmicrohttpd): a request in, a reply out; no routes here.
 *
 * The response is queued on the second call of libmicrohttpd's handler, because queueing it on the
 * first closes the connection. The query stays raw and escaped (an info_hash may hold a NUL).
 *
 * Ownership: a request and what it points to live until the handler returns; the handler fills
 * `reply->body`, which the server takes. Threading: the handler runs on any of `threads` threads;
 * `request->thread` tells which.
 */

#include "common/base/text.h"
#include "common/ip/addr.h"

struct http_request {
	const char *method; /* "GET"; a HEAD is one too, whose body stays here */
	const char *path;   /* still escaped, without scheme, host and query */
	const char *query;  /* raw, without the '?'; "" when there is none */
	struct ip_addr from;
	uint16_t from_port;
	const char *body; /* NUL-terminated; "" when there is none */
	size_t body_size;
	unsigned thread;   /* 0 .. threads - 1 */
	void *connection_; /* for http_header() */
};

/*
 * NULL when the client did not send it; the last one when it came twice, because that is the one
 * a proxy added. Names are compared without case.
 */
const char *http_header(const struct http_request *r, const char *name);

/*
 * The decoded value of one query parameter ('+' is a plus); false when absent, malformed, with a
 * NUL, or longer than room - 1.
 */
bool http_parameter(const struct http_request *r, const char *name, char *out, size_t room);

enum { HTTP_HEADERS_MAX = 6 };

struct http_reply {
	unsigned status;          /* 200 when the handler leaves 0 */
	const char *content_type; /* a literal; NULL: "text/plain" */
	struct text body;
	struct {
		const char *name; /* a literal */
		char value[128];
	} headers[HTTP_HEADERS_MAX];
	size_t n_headers;
};

/* Adds a response header; `value` is copied. */
void http_reply_header(struct http_reply *reply, const char *name, const char *value);

typedef void http_handle(void *ctx, const struct http_request *request, struct http_reply *reply);

struct http_options {
	const char *listen; /* "[::]:6969", "127.0.0.1:8080" */
	unsigned threads;
	size_t body_max;    /* a longer body gets 413 without reading it */
	size_t memory_each; /* libmicrohttpd's pool for one connection: zeroed for each request */
	unsigned connections_max;
	unsigned idle_seconds;
	bool keep_alive;
	http_handle *handle;
	void *ctx;
};

struct http_server;

enum err http_start(const struct http_options *options, struct http_server **out,
                    struct fault *fault) must_check;
void http_stop(struct http_server *s); /* NULL is fine; ends when the running requests have ended */
uint16_t http_port(const struct http_server *s);
