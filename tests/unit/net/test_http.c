/* SPDX-License-Identifier: Apache-2.0 */
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

static void next_piece(void *ctx, struct text *piece)
{
	struct pieces *p = ctx;
	for (unsigned i = 0; p->left > 0 && i < 100; i++)
		text_put(piece, "0123456789");
	if (p->left > 0)
		p->left--;
	piece->bad = p->bad && p->left < 100;
}

static void end_pieces(void *ctx)
{
	free(ctx);
	atomic_fetch_add(&streams_done, 1);
}

static void stream(struct http_reply *reply, bool bad)
{
	struct pieces *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	*p = (struct pieces){ .left = 200, .bad = bad };
	reply->stream = (struct http_stream){ next_piece, end_pieces, p };
}

/* Says what it heard, one "name=value" a line. */
static void echo(void *ctx, const struct http_request *r, struct http_reply *reply)
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

static struct http_server *start_with(const struct http_options *o)
{
	struct http_server *s = NULL;
	struct fault fault = { 0 };
	if (http_start(o, &s, &fault) != ERR_OK)
		fail_msg("%s: %s", fault.where, fault.text);
	return s;
}

static struct http_server *start(const char *listen, unsigned threads, bool keep_alive)
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

static int dial(uint16_t port)
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

static void say(int fd, const char *s)
{
	assert_int_equal(send(fd, s, strlen(s), MSG_NOSIGNAL), strlen(s));
}

/* Reads until `replies` whole ones came (`headers_only` for HEAD), or the server hung up. */
static struct text hear(int fd, unsigned replies, bool headers_only)
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

static bool hung_up(int fd)
{
	char c;
	return recv(fd, &c, 1, 0) == 0;
}

static unsigned occurrences(const struct text *t, const char *what)
{
	unsigned n = 0;
	for (const char *p = t->bytes; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void expect(const struct text *t, const char *what)
{
	if (strstr(t->bytes, what) == NULL)
		fail_msg("no '%s' in\n%s", what, t->bytes);
}

/* One request on a connection of its own. */
static struct text ask(const struct http_server *s, const char *request)
{
	const int fd = dial(http_port(s));
	say(fd, request);
	struct text t = hear(fd, 1, strncmp(request, "HEAD", 4) == 0);
	(void)close(fd);
	return t;
}

static void keeps_a_connection_for_two_requests(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	const int fd = dial(http_port(s));
	for (unsigned i = 0; i < 2; i++) {
		say(fd, "GET /one?n=1 HTTP/1.1\r\nHost: x\r\n\r\n");
		struct text t = hear(fd, 1, false);
		expect(&t, "HTTP/1.1 200 OK");
		expect(&t, "path=/one\n");
		expect(&t, "X-Said: so");
		expect(&t, "from=127.0.0.1\nport=yes\n");
		text_done(&t);
	}
	(void)close(fd);
	http_stop(s);
}

static void answers_pipelined_requests_in_order(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 2, true);
	const int fd = dial(http_port(s));
	say(fd, "GET /p?1 HTTP/1.1\r\nHost: x\r\n\r\n"
	        "GET /p?2 HTTP/1.1\r\nHost: x\r\n\r\n"
	        "GET /p?3 HTTP/1.1\r\nHost: x\r\n\r\n");
	struct text t = hear(fd, 3, false);
	const char *one = strstr(t.bytes, "query=1"), *two = strstr(t.bytes, "query=2"),
		   *three = strstr(t.bytes, "query=3");
	assert_true(one != NULL && one < two && two < three);
	text_done(&t);
	(void)close(fd);
	http_stop(s);
}

static void closes_when_keep_alive_is_off(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, false);
	const int fd = dial(http_port(s));
	say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	struct text t = hear(fd, 1, false);
	expect(&t, "Connection: close");
	text_done(&t);
	assert_true(hung_up(fd));
	(void)close(fd);
	http_stop(s);
}

static void keeps_a_connection_that_the_handler_wants_kept(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, false);
	const int fd = dial(http_port(s));
	for (unsigned i = 0; i < 3; i++) {
		say(fd, "GET /stay HTTP/1.1\r\nHost: x\r\n\r\n");
		struct text t = hear(fd, 1, false);
		expect(&t, "path=/stay\n");
		assert_int_equal(occurrences(&t, "Connection:"), 0);
		text_done(&t);
	}
	say(fd, "GET /go HTTP/1.1\r\nHost: x\r\n\r\n");
	struct text t = hear(fd, 1, false);
	expect(&t, "Connection: close");
	text_done(&t);
	assert_true(hung_up(fd));
	(void)close(fd);
	http_stop(s);
}

/* Buffers are used again by the next request of a connection: nothing of one may be in another. */
static void forgets_one_request_before_the_next(void **state)
{
	(void)state;
	static const char *const requests[] = {
		"GET /large?a=1&b=22222222222222222222222222 HTTP/1.1\r\nHost: x\r\n\r\n",
		"PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"GET /c HTTP/1.1\r\nHost: x\r\n\r\n",
	};
#define HEARD(query, body) "query=" query "\nfrom=127.0.0.1\nport=yes\nthread=0\nbody=" body "\n"
	static const char *const heard[] = {
		(HEARD("a=1&b=22222222222222222222222222", "0:")),
		(HEARD("", "3:abc")),
		(HEARD("", "0:")),
	};
#undef HEARD
	struct http_server *s = start("127.0.0.1:0", 1, true);
	const int fd = dial(http_port(s));
	for (unsigned i = 0; i < 6; i++) {
		say(fd, requests[i % 3]);
		struct text t = hear(fd, 1, false);
		expect(&t, heard[i % 3]);
		assert_int_equal(occurrences(&t, "method="), 1);
		assert_int_equal(occurrences(&t, "0123456789"), i % 3 == 0 ? 5000 : 0);
		text_done(&t);
	}
	(void)close(fd);
	http_stop(s);
}

static void answers_http_1_0_without_host_and_closes(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	const int fd = dial(http_port(s));
	say(fd, "GET /announce?x HTTP/1.0\r\n\r\n");
	struct text t = hear(fd, 1, false);
	expect(&t, " 200 OK");
	expect(&t, "path=/announce\nquery=x\n");
	text_done(&t);
	assert_true(hung_up(fd));
	(void)close(fd);
	http_stop(s);
}

static void hands_over_the_target_as_it_was_sent(void **state)
{
	(void)state;
	static const struct {
		const char *target, *heard;
	} rows[] = {
		{ "/announce?info_hash=%00%01a+b;c%zz&x?y",
		  "path=/announce\nquery=info_hash=%00%01a+b;c%zz&x?y\n" },
		{ "//announce?a", "path=//announce\nquery=a\n" },
		{ "http://host:80/announce?q=1", "path=/announce\nquery=q=1\n" },
		{ "http://host?q=1", "path=/\nquery=q=1\n" },
		{ "/a%20b", "path=/a%20b\nquery=\n" },
		{ "/?", "path=/\nquery=\n" },
	};
	struct http_server *s = start("127.0.0.1:0", 1, false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char request[256];
		(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
		               rows[i].target);
		struct text t = ask(s, request);
		expect(&t, rows[i].heard);
		text_done(&t);
	}
	http_stop(s);
}

static void decodes_parameters(void **state)
{
	(void)state;
	static const struct {
		const char *query, *value; /* NULL: no such parameter */
	} rows[] = {
		{ "a=1", "1" },
		{ "b=2&a=x%20y&c", "x y" },
		{ "a=1+1", "1+1" },
		{ "a=%4a%4B", "JK" },
		{ "a", "" },
		{ "a=", "" },
		{ "a=1&a=2", "1" },
		{ "a=b=c", "b=c" },
		{ "aa=1", NULL },
		{ "xa=1", NULL },
		{ "", NULL },
		{ "a=%", NULL },
		{ "a=%4", NULL },
		{ "a=%4&b=1", NULL },
		{ "a=%zz", NULL },
		{ "a=x%00y", NULL },
		{ "a=1234567890123456789012345678901", "1234567890123456789012345678901" },
		{ "a=12345678901234567890123456789012", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char value[32] = "untouched";
		const struct http_request r = { .query = rows[i].query };
		const bool found = http_parameter(&r, "a", value, sizeof(value));
		if (found != (rows[i].value != NULL))
			fail_msg("%s: %s", rows[i].query, found ? value : "not found");
		if (found)
			assert_string_equal(value, rows[i].value);
	}
}

static void finds_headers_without_case_and_the_last_of_two(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, false);
	struct text t = ask(s, "GET / HTTP/1.1\r\nHost: x\r\nX-PROBE: 7\r\n\r\n");
	expect(&t, "probe=7\n");
	text_done(&t);
	t = ask(s, "GET / HTTP/1.1\r\nHost: x\r\nX-Probe: 1\r\nx-probe: 2\r\n\r\n");
	expect(&t, "probe=2\n");
	text_done(&t);
	t = ask(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(&t, "probe=(none)\n");
	text_done(&t);
	http_stop(s);
}

static void sends_head_without_the_body(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, false);
	struct text t = ask(s, "HEAD /json HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(&t, " 200 OK");
	expect(&t, "Content-Type: application/json");
	expect(&t, "Content-Length: ");
	assert_int_equal(occurrences(&t, "method="), 0);
	text_done(&t);
	http_stop(s);
}

static void passes_status_and_type_on(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, false);
	struct text t = ask(s, "GET /teapot HTTP/1.1\r\nHost: x\r\n\r\n");
	expect(&t, "HTTP/1.1 418 ");
	expect(&t, "Content-Type: text/plain");
	text_done(&t);
	http_stop(s);
}

static void collects_a_body_up_to_the_limit(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	char request[BODY_MAX + 200];
	const int n =
		snprintf(request, sizeof(request),
	                 "PUT /map HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", BODY_MAX);
	memset(request + n, 'b', BODY_MAX);
	request[n + BODY_MAX] = '\0';
	struct text t = ask(s, request);
	expect(&t, "method=PUT\n");
	expect(&t, "body=1000:bbbbbbbbbbbbbbbb\n");
	text_done(&t);

	t = ask(s, "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	           "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
	expect(&t, "body=7:abcdefg\n");
	text_done(&t);
	http_stop(s);
}

static void refuses_a_long_body_before_reading_it(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	struct text t = ask(s, "PUT /map HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
	expect(&t, "HTTP/1.1 413 ");
	text_done(&t);

	char request[BODY_MAX + 300];
	const int n = snprintf(request, sizeof(request),
	                       "PUT /map HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	                       "%x\r\n",
	                       BODY_MAX + 1);
	memset(request + n, 'b', BODY_MAX + 1);
	(void)snprintf(request + n + BODY_MAX + 1, 20, "\r\n0\r\n\r\n");
	t = ask(s, request);
	expect(&t, "HTTP/1.1 413 ");
	text_done(&t);
	http_stop(s);
}

static void answers_any_body_where_none_may_come(void **state)
{
	(void)state;
	static const char *const requests[] = {
		"POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
		"POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nabc",
		("GET /announce HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "5\r\nabcde\r\n"),
	};
	const struct http_options o = { .listen = "127.0.0.1:0",
		                        .threads = 1,
		                        .memory_each = 8192,
		                        .connections_max = 64,
		                        .idle_seconds = 5,
		                        .keep_alive = true,
		                        .handle = echo };
	struct http_server *s = start_with(&o);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const int fd = dial(http_port(s));
		say(fd, requests[i]);
		struct text t = hear(fd, 1, false);
		expect(&t, "HTTP/1.1 413 ");
		assert_int_equal(occurrences(&t, "Content-Type"), 0); /* the server has none */
		text_done(&t);
		assert_true(hung_up(fd));
		(void)close(fd);
	}
	struct text t = ask(s, "POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	expect(&t, "method=POST\n");
	text_done(&t);
	http_stop(s);
}

static void refuses_a_target_and_headers_above_its_memory(void **state)
{
	(void)state;
	static char request[40000];
	struct http_server *s = start("127.0.0.1:0", 1, true);
	int n = snprintf(request, sizeof(request), "GET /?");
	memset(request + n, 'a', 20000);
	(void)snprintf(request + n + 20000, 100, " HTTP/1.1\r\nHost: x\r\n\r\n");
	struct text t = ask(s, request);
	expect(&t, "HTTP/1.1 4"); /* 414 or 431 */
	text_done(&t);

	n = snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nX: ");
	memset(request + n, 'a', 20000);
	(void)snprintf(request + n + 20000, 100, "\r\n\r\n");
	t = ask(s, request);
	expect(&t, "HTTP/1.1 431 ");
	text_done(&t);
	http_stop(s);
}

/* ---- limits per address, and the PROXY protocol ---- */

static atomic_bool loopback_is_a_proxy;

static bool is_proxy(void *ctx, const struct ip_addr *addr)
{
	(void)ctx;
	return atomic_load(&loopback_is_a_proxy) && addr->family == IP_V4 && addr->bytes[0] == 127;
}

static struct http_server *start_proxied(unsigned per_address)
{
	const struct http_options o = { .listen = "127.0.0.1:0",
		                        .listen_proxied = "127.0.0.1:0",
		                        .threads = 2,
		                        .memory_each = 8192,
		                        .connections_max = 64,
		                        .connections_per_address = per_address,
		                        .idle_seconds = 5,
		                        .keep_alive = true,
		                        .handle = echo,
		                        .is_proxy = is_proxy };
	return start_with(&o);
}

static void limits_connections_of_an_address_but_not_of_a_proxy(void **state)
{
	(void)state;
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct http_server *s = start_proxied(3);
	int fds[6];
	atomic_store(&loopback_is_a_proxy, false);
	for (unsigned round = 0; round < 2; round++) { /* what closes counts no more */
		for (unsigned i = 0; i < 4; i++) {
			fds[i] = dial(http_port(s));
			(void)send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL);
			struct text t = hear(fds[i], 1, false);
			assert_int_equal(t.size > 0, i < 3);
			text_done(&t);
		}
		assert_int_equal(http_stats(s).refused, round + 1);
		for (unsigned i = 0; i < 4; i++)
			(void)close(fds[i]);
		(void)usleep(100000); /* the server must hear of it */
	}
	atomic_store(&loopback_is_a_proxy, true);
	for (unsigned i = 0; i < 6; i++) {
		fds[i] = dial(http_port(s));
		say(fds[i], request);
		struct text t = hear(fds[i], 1, false);
		assert_true(t.size > 0);
		text_done(&t);
	}
	for (unsigned i = 0; i < 6; i++)
		(void)close(fds[i]);
	http_stop(s);
}

#define REQUEST "GET /p?q HTTP/1.1\r\nHost: x\r\n\r\n"

static void believes_the_header_of_a_proxy(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		size_t size;
		const char *from;
	} rows[] = {
#define V2                "\r\n\r\n\0\r\nQUIT\n"
#define ROW(header, from) { header, sizeof(header) - 1, from }
		ROW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n", "from=192.0.2.1\n"),
		ROW("PROXY TCP6 2001:db8::1 2001:db8::2 5 80\r\n", "from=2001:db8::1\n"),
		ROW("PROXY UNKNOWN\r\n", "from=127.0.0.1\n"),
		ROW(V2 "\x21\x11\0\x0f\xc0\0\2\1\xc6\x33\x64\1\xdc\4\0\x50\4\0\0",
		    "from=192.0.2.1\n"),
		ROW(V2 "\x20\0\0\0", "from=127.0.0.1\n"),
	};
	struct http_server *s = start_proxied(0);
	atomic_store(&loopback_is_a_proxy, true);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t row = i / 2, step = i % 2 == 0 ? rows[row].size : 1;
		const int fd = dial(http_proxied_port(s));
		for (size_t at = 0; at < rows[row].size; at += step) {
			assert_int_equal(send(fd, rows[row].header + at, step, MSG_NOSIGNAL), step);
			if (step == 1)
				(void)usleep(500); /* so that the header comes in many pieces */
		}
		for (unsigned n = 0; n < 2; n++) { /* the header speaks for the whole connection */
			say(fd, REQUEST);
			struct text t = hear(fd, 1, false);
			expect(&t, "path=/p\nquery=q\n");
			expect(&t, rows[row].from);
			text_done(&t);
		}
		(void)close(fd);
	}
	assert_int_equal(http_stats(s).unproxied, 0);
	http_stop(s);
}

static void hangs_up_on_who_is_no_proxy_or_speaks_another_protocol(void **state)
{
	(void)state;
	static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n" REQUEST;
	struct http_server *s = start_proxied(0);
	atomic_store(&loopback_is_a_proxy, false);
	int fd = dial(http_proxied_port(s));
	(void)send(fd, header, sizeof(header) - 1, MSG_NOSIGNAL);
	char c;
	assert_true(recv(fd, &c, 1, 0) <= 0); /* a reset, when it closes before it reads */
	(void)close(fd);
	assert_int_equal(http_stats(s).unproxied, 1);

	atomic_store(&loopback_is_a_proxy, true);
	fd = dial(http_proxied_port(s));
	(void)send(fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	(void)close(fd);
	assert_int_equal(http_stats(s).unproxied, 2);

	fd = dial(http_proxied_port(s)); /* one that hangs up in the middle */
	say(fd, "PROXY TCP4 192.0.2.1");
	(void)shutdown(fd, SHUT_WR);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	(void)close(fd);
	assert_int_equal(http_stats(s).unproxied, 3);

	fd = dial(http_proxied_port(s)); /* and one that is silent when the server stops */
	say(fd, "PROXY ");
	(void)usleep(20000);
	http_stop(s);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	(void)close(fd);
}

static void limits_the_addresses_that_a_proxy_speaks_for(void **state)
{
	(void)state;
	static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 80\r\n" REQUEST;
	struct http_server *s = start_proxied(2);
	int fds[3];
	atomic_store(&loopback_is_a_proxy, true);
	for (unsigned i = 0; i < 3; i++) {
		fds[i] = dial(http_proxied_port(s));
		(void)send(fds[i], header, sizeof(header) - 1, MSG_NOSIGNAL);
		struct text t = hear(fds[i], 1, false);
		assert_int_equal(t.size > 0, i < 2);
		text_done(&t);
	}
	for (unsigned i = 0; i < 3; i++)
		(void)close(fds[i]);
	http_stop(s);
}

/* What comes until the server hangs up. */
static struct text hear_all(int fd)
{
	struct text all = { 0 };
	char buf[4096];
	for (ssize_t n; (n = recv(fd, buf, sizeof(buf), 0)) > 0;)
		text_add(&all, buf, (size_t)n);
	close(fd);
	return all;
}

static void streams_a_body_in_pieces(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	atomic_store(&streams_done, 0);
	int fd = dial(http_port(s));
	say(fd, "GET /stream HTTP/1.0\r\n\r\n");
	struct text t = hear_all(fd);
	const char *body = strstr(t.bytes, "\r\n\r\n") + 4;
	assert_int_equal(t.bytes + t.size - body, 200000);
	for (unsigned i = 0; i < 200000; i++)
		assert_int_equal(body[i], '0' + i % 10);
	text_done(&t);

	fd = dial(http_port(s)); /* chunked, and the connection goes on */
	say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
	        "GET /teapot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	t = hear_all(fd);
	assert_non_null(strcasestr(t.bytes, "transfer-encoding: chunked"));
	assert_non_null(strstr(t.bytes, "HTTP/1.1 418"));
	text_done(&t);

	fd = dial(http_port(s));
	say(fd, "HEAD /stream HTTP/1.0\r\n\r\n");
	t = hear_all(fd);
	assert_null(strstr(t.bytes, "0123456789"));
	text_done(&t);

	fd = dial(http_port(s)); /* no byte behind the head that could begin the next reply */
	say(fd, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	t = hear_all(fd);
	assert_ptr_equal(strstr(t.bytes, "\r\n\r\n") + 4, t.bytes + t.size);
	text_done(&t);
	http_stop(s);
	assert_int_equal(atomic_load(&streams_done), 4);
}

static void a_stream_that_breaks_does_not_look_whole(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	atomic_store(&streams_done, 0);
	int fd = dial(http_port(s));
	say(fd, "GET /broken HTTP/1.1\r\nHost: x\r\n\r\n");
	struct text t = hear_all(fd);
	assert_true(t.size > 1000);
	assert_string_not_equal(t.bytes + t.size - 5, "0\r\n\r\n"); /* the last chunk */
	text_done(&t);
	fd = dial(http_port(s)); /* the client hangs up */
	say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	close(fd);
	http_stop(s);
	assert_true(atomic_load(&streams_done) >= 1);
}

static void gives_every_request_a_thread_number_below_the_count(void **state)
{
	(void)state;
	struct http_server *s = start("[::]:0", 3, false);
	for (unsigned i = 0; i < 30; i++) {
		struct text t = ask(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_int_equal(occurrences(&t, "thread=0") + occurrences(&t, "thread=1") +
		                         occurrences(&t, "thread=2"),
		                 1);
		expect(&t, "from=127.0.0.1\n"); /* though the socket is IPv6 */
		text_done(&t);
	}
	http_stop(s);
}

static void *ask_slowly(void *arg)
{
	struct text *t = malloc(sizeof(*t));
	assert_non_null(t);
	*t = ask(arg, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
	return t;
}

static void answers_the_running_request_before_it_stops(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	pthread_t thread;
	void *heard;
	assert_int_equal(pthread_create(&thread, NULL, ask_slowly, s), 0);
	while (atomic_load(&slow_began) == 0)
		(void)usleep(1000);
	http_stop(s);
	assert_int_equal(atomic_load(&slow_ended), 1);
	pthread_join(thread, &heard);
	expect(heard, "path=/slow\n");
	text_done(heard);
	free(heard);
}

static void refuses_a_port_that_is_taken(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true), *second = NULL;
	struct fault fault = { 0 };
	char listen[32];
	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", http_port(s));
	const struct http_options o = { .listen = listen, .threads = 1, .handle = echo };
	assert_int_equal(http_start(&o, &second, &fault), ERR_SYSTEM);
	assert_string_equal(fault.where, listen);
	http_stop(s);
	http_stop(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(keeps_a_connection_for_two_requests),
	cmocka_unit_test(answers_pipelined_requests_in_order),
	cmocka_unit_test(closes_when_keep_alive_is_off),
	cmocka_unit_test(keeps_a_connection_that_the_handler_wants_kept),
	cmocka_unit_test(forgets_one_request_before_the_next),
	cmocka_unit_test(answers_http_1_0_without_host_and_closes),
	cmocka_unit_test(hands_over_the_target_as_it_was_sent),
	cmocka_unit_test(decodes_parameters),
	cmocka_unit_test(finds_headers_without_case_and_the_last_of_two),
	cmocka_unit_test(sends_head_without_the_body),
	cmocka_unit_test(passes_status_and_type_on),
	cmocka_unit_test(collects_a_body_up_to_the_limit),
	cmocka_unit_test(refuses_a_long_body_before_reading_it),
	cmocka_unit_test(answers_any_body_where_none_may_come),
	cmocka_unit_test(refuses_a_target_and_headers_above_its_memory),
	cmocka_unit_test(limits_connections_of_an_address_but_not_of_a_proxy),
	cmocka_unit_test(believes_the_header_of_a_proxy),
	cmocka_unit_test(hangs_up_on_who_is_no_proxy_or_speaks_another_protocol),
	cmocka_unit_test(limits_the_addresses_that_a_proxy_speaks_for),
	cmocka_unit_test(streams_a_body_in_pieces),
	cmocka_unit_test(a_stream_that_breaks_does_not_look_whole),
	cmocka_unit_test(gives_every_request_a_thread_number_below_the_count),
	cmocka_unit_test(answers_the_running_request_before_it_stops),
	cmocka_unit_test(refuses_a_port_that_is_taken),
};

RUN_TESTS(tests)
