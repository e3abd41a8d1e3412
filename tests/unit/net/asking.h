/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A server that says what it heard, and clients that write every byte themselves. */

#include "server/net/http.h"

#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_MAX = 1000 };

static atomic_uint slow_began, slow_ended;

/* A body of 200 pieces of 1000 bytes, or one that turns bad. */
struct pieces {
	unsigned left;
	bool bad;
};

static atomic_uint streams_done;

static inline void next_piece(void *ctx, struct text *piece)
{
	struct pieces *p = ctx;
	for (unsigned i = 0; p->left > 0 && i < 100; i++)
		text_put(piece, "0123456789");
	if (p->left > 0)
		p->left--;
	piece->bad = p->bad && p->left < 100;
}

static inline void end_pieces(void *ctx)
{
	free(ctx);
	atomic_fetch_add(&streams_done, 1);
}

static inline void stream(struct http_reply *reply, bool bad)
{
	struct pieces *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	*p = (struct pieces){ .left = 200, .bad = bad };
	reply->stream = (struct http_stream){ next_piece, end_pieces, p };
}

/* Says what it heard, one "name=value" a line. */
static inline void echo(void *ctx, const struct http_request *r, struct http_reply *reply)
{
	(void)ctx;
	char value[32], address[IP_TEXT_SIZE];
	ip_print(&r->from, address);
	if (strcmp(r->path, "/slow") == 0) {
		atomic_store(&slow_began, 1);
		(void)usleep(300000);
		atomic_store(&slow_ended, 1);
	}
	text_printf(&reply->body, "method=%s\npath=%s\nquery=%s\nfrom=%s\nport=%s\nthread=%u\n",
	            r->method, r->path, r->query, address, r->from_port > 0 ? "yes" : "no",
	            r->thread);
	text_printf(&reply->body, "body=%zu:%.16s\n", r->body_size, r->body);
	const char *header = http_header(r, "x-probe");
	text_printf(&reply->body, "probe=%s\n", header != NULL ? header : "(none)");
	if (http_parameter(r, "a", value, sizeof(value)))
		text_printf(&reply->body, "a=%s.\n", value);
	http_reply_header(reply, "X-Said", "so");
	if (strcmp(r->path, "/teapot") == 0)
		reply->status = 418;
	reply->keep_alive = strcmp(r->path, "/stay") == 0;
	if (strcmp(r->path, "/large") == 0)
		for (unsigned i = 0; i < 5000; i++)
			text_put(&reply->body, "0123456789");
	if (strcmp(r->path, "/stream") == 0 || strcmp(r->path, "/broken") == 0)
		stream(reply, r->path[1] == 'b');
	if (strcmp(r->path, "/json") == 0)
		reply->content_type = "application/json";
}

static inline struct http_server *start_with(const struct http_options *o)
{
	struct http_server *s = NULL;
	struct fault fault = { 0 };
	if (http_start(o, &s, &fault) != ERR_OK)
		fail_msg("%s: %s", fault.where, fault.text);
	return s;
}

static inline struct http_server *start(const char *listen, unsigned threads, bool keep_alive)
{
	const struct http_options o = { .listen = listen,
		                        .threads = threads,
		                        .body_max = BODY_MAX,
		                        .memory_each = 8192,
		                        .connections_max = 64,
		                        .idle_seconds = 5,
		                        .content_type = "text/plain",
		                        .keep_alive = keep_alive,
		                        .handle = echo };
	return start_with(&o);
}

static inline int dial(uint16_t port)
{
	const struct timeval patience = { .tv_sec = 5 };
	const struct sockaddr_in to = { .sin_family = AF_INET,
		                        .sin_port = htons(port),
		                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static inline void say(int fd, const char *s)
{
	assert_int_equal(send(fd, s, strlen(s), MSG_NOSIGNAL), strlen(s));
}

/* Reads until `replies` whole ones came (`headers_only` for HEAD), or the server hung up. */
static inline struct text hear(int fd, unsigned replies, bool headers_only)
{
	struct text all = { 0 };
	text_add(&all, "", 0);
	for (;;) {
		unsigned whole = 0;
		const char *p = all.bytes;
		for (const char *end; (end = strstr(p, "\r\n\r\n")) != NULL; whole++) {
			const char *length = strcasestr(p, "content-length:");
			const size_t body = headers_only || length == NULL
			                            ? 0
			                            : (size_t)strtoul(length + 15, NULL, 10);
			if (strlen(end + 4) < body)
				break;
			p = end + 4 + body;
		}
		if (whole >= replies)
			return all;
		char buf[4096];
		const ssize_t n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			return all;
		text_add(&all, buf, (size_t)n);
	}
}

static inline bool hung_up(int fd)
{
	char c;
	return recv(fd, &c, 1, 0) == 0;
}

static inline unsigned occurrences(const struct text *t, const char *what)
{
	unsigned n = 0;
	for (const char *p = t->bytes; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static inline void expect(const struct text *t, const char *what)
{
	if (strstr(t->bytes, what) == NULL)
		fail_msg("no '%s' in\n%s", what, t->bytes);
}

/* One request on a connection of its own. */
static inline struct text ask(const struct http_server *s, const char *request)
{
	const int fd = dial(http_port(s));
	say(fd, request);
	struct text t = hear(fd, 1, strncmp(request, "HEAD", 4) == 0);
	(void)close(fd);
	return t;
}
