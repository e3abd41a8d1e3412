/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/asking.h"

#include <microhttpd.h>
#include <netinet/tcp.h>
#include <pthread.h>

static atomic_uint asked; /* whether a body may come */

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

/* "/no" is refused, "/more" may have twice what others may. */
static bool admit(void *ctx, const struct http_request *r, struct http_upload *upload,
                  struct http_reply *reply)
{
	(void)ctx;
	atomic_fetch_add(&asked, 1);
	reply->status = upload->state == HTTP_UPLOAD_TOO_LONG  ? 413
	                : upload->state == HTTP_UPLOAD_NO_ROOM ? 503
	                : strcmp(r->path, "/no") == 0          ? 403
	                                                       : 0;
	if (reply->status != 0) {
		text_printf(&reply->body, "%s %s refused at %zu\n", r->method, r->path,
		            upload->max);
		return false;
	}
	const char *probe = http_header(r, "X-Probe");
	assert_true(probe == NULL || strcmp(probe, "heard") == 0);
	if (strcmp(r->path, "/more") == 0)
		upload->max = 2 * BODY_MAX;
	return true;
}

static struct http_server *start_asking(void)
{
	const struct http_options o = { .listen = "127.0.0.1:0",
		                        .threads = 1,
		                        .body_max = BODY_MAX,
		                        .bodies_max = 2 * BODY_MAX,
		                        .memory_each = 8192,
		                        .connections_max = 64,
		                        .idle_seconds = 5,
		                        .keep_alive = true,
		                        .handle = echo,
		                        .admit = admit };
	atomic_store(&asked, 0);
	return start_with(&o);
}

static void expect_answer(const struct http_server *s, const char *request, const char *first,
                          const char *part)
{
	struct text t = ask(s, request);
	expect(&t, first);
	expect(&t, part);
	text_done(&t);
}

static void asks_before_it_reads_a_long_body(void **state)
{
	(void)state;
	struct http_server *s = start_asking();
	expect_answer(s, "PUT /no HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab",
	              "HTTP/1.1 200 ", "body=2:ab\n");
	assert_int_equal(atomic_load(&asked), 0); /* a short one is read in any case */

	/* Not a byte of these bodies comes; nor is anybody told to send them. */
	expect_answer(s, "PUT /no HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
	              "HTTP/1.1 403 ", "PUT /no refused at 1000\n");
	expect_answer(s,
	              "PUT /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
	              "Content-Length: 1\r\n\r\n",
	              "HTTP/1.1 403 ", "Connection: close");
	expect_answer(s, "PUT /no HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
	              "HTTP/1.1 403 ", "PUT /no refused");
	expect_answer(s, "PUT /more HTTP/1.1\r\nHost: x\r\nContent-Length: 2001\r\n\r\n",
	              "HTTP/1.1 413 ", "PUT /more refused at 2000\n");
	expect_answer(s, "PUT /less HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
	              "HTTP/1.1 413 ", "PUT /less refused at 1000\n");
	assert_int_equal(atomic_load(&asked), 7); /* those that are too long, twice */

	/* Told to go on, it sends the body, and has the connection for another request. */
	const int fd = dial(http_port(s));
	say(fd, "PUT /more?a=1 HTTP/1.1\r\nHost: x\r\nX-Probe: heard\r\n"
	        "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	struct text t = hear(fd, 1, true);
	expect(&t, "HTTP/1.1 100 ");
	text_done(&t);
	say(fd, "abc");
	t = hear(fd, 1, false);
	expect(&t, "query=a=1\n");
	expect(&t, "body=3:abc\nprobe=heard\n");
	text_done(&t);
	say(fd, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
	t = hear(fd, 1, false);
	expect(&t, "path=/again\n");
	text_done(&t);
	(void)close(fd);
	http_stop(s);
}

/* A chunk of `size` bytes, and the last one. */
static void say_chunks(int fd, size_t size)
{
	char chunk[3000];
	const int n = snprintf(chunk, sizeof(chunk), "%zx\r\n", size);
	memset(chunk + n, 'c', size);
	(void)snprintf(chunk + n + size, 20, "\r\n0\r\n\r\n");
	say(fd, chunk);
}

static void promises_bodies_no_more_than_there_is(void **state)
{
	(void)state;
	static const char one[] = "PUT /more HTTP/1.1\r\nHost: x\r\nContent-Length: 1500\r\n\r\n";
	static const char chunked[] =
		"PUT /more HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
	static char rest[1501];
	memset(rest, 'b', sizeof(rest) - 1);
	struct http_server *s = start_asking();
	const int first = dial(http_port(s)), second = dial(http_port(s));
	say(first, one);
	say(first, "bb"); /* begun */
	while (atomic_load(&asked) < 1)
		(void)usleep(1000);
	expect_answer(s, one, "HTTP/1.1 503 ", "PUT /more refused");
	say(second, chunked);
	say_chunks(second, 1200);
	struct text t = hear(second, 1, false);
	expect(&t, "HTTP/1.1 503 ");
	text_done(&t);
	say(first, rest + 2);
	t = hear(first, 1, false);
	expect(&t, "body=1500:bbbbbbbbbbbbbbbb\n");
	text_done(&t);
	(void)close(first);

	/* And what it got, it gives back: by an answer, by a connection that ends. */
	for (unsigned i = 0; i < 3; i++) {
		const int fd = dial(http_port(s));
		say(fd, one);
		if (i < 2) {
			say(fd, rest);
			t = hear(fd, 1, false);
			expect(&t, "HTTP/1.1 200 ");
			text_done(&t);
		}
		(void)close(fd);
	}
	const unsigned before = atomic_load(&asked);
	for (bool served = false; !served;) {
		const int fd = dial(http_port(s));
		say(fd, chunked);
		say_chunks(fd, 2000);
		t = hear(fd, 1, false);
		served = strstr(t.bytes, "body=2000:c") != NULL;
		text_done(&t);
		(void)close(fd);
		assert_true(atomic_load(&asked) < before + 100);
	}
	(void)close(second);
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

/* What one of two on the way takes for a body, the other would take for a request (RFC 9112, 11.2). */
static void expect_doubt(const char *version, const char *headers)
{
	struct http_server *s = start("127.0.0.1:0", 1, true);
	char request[256];
	const int fd = dial(http_port(s));
	const int size = snprintf(request, sizeof(request),
	                          "PUT / HTTP/%s\r\n%s\r\nHost: x\r\n\r\n"
	                          "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n",
	                          version, headers);
	for (int i = 0; i < size; i++)
		if (request[i] == '@')
			request[i] = '\0';
	assert_int_equal(send(fd, request, (size_t)size, MSG_NOSIGNAL), size);
	struct text t = hear(fd, 2, false);
	if (strncmp(t.bytes, "HTTP/1.1 400 ", 13) != 0 || occurrences(&t, "HTTP/1.") != 1)
		fail_msg("%s: %s", headers, t.bytes);
	text_done(&t);
	assert_true(hung_up(fd));
	(void)close(fd);
	http_stop(s);
}

/* '@' is a NUL. */
static void refuses_a_body_whose_end_is_in_doubt(void **state)
{
	(void)state;
	static const char *const headers[] = {
		"Content-Length: 0\r\nContent-Length: 34",
		"Content-Length: 34\r\nContent-Length: 34",
		"Content-Length: 0\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\ncontent-length: 0",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: gzip, chunked",
		"Transfer-Encoding: identity",
		"Transfer-Encoding:",
		"Content-Length : 34",
		"Transfer-Encoding\t: chunked",
		"X-Probe : 1",
		"Content-Length\v: 34",
		"Content-Length\r: 34",
		"\1X-Probe: 1",
		" Content-Length: 34",
		"\tX-Probe: 1",
		"X-Probe: 1\r2",
		"X-Probe: 1\rContent-Length: 34",
		"Content-Length: 0@ 34",
		"X-Probe: 1@Content-Length: 34",
		"X-Probe: 1@",
		"Transfer-Encoding: chunked@x",
		"Host: x\r\nX-Probe: @",
		": 1",
		"X-Probe: 1\r\n: 1\r\nContent-Length: 34",
		"X-Probe: 1\r\n:",
		"@X-Probe: 1",
		"@",
		"X-Probe: 1\r\n@",
		"X-Probe: 1\r\n@X-Probe: 1\r\nContent-Length: 34",
	};
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		expect_doubt("1.1", headers[i]);
	expect_doubt("1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked");
}

/* RFC 9112, section 5.2. libmicrohttpd from 1.0 on makes a blank of it, as that allows. */
static void refuses_a_header_that_goes_on_in_the_next_line(void **state)
{
	(void)state;
	if (strcmp(MHD_get_version(), "0.9.75") != 0)
		skip();
	expect_doubt("1.1", "Content-Length:\r\n 34");
	expect_doubt("1.1", "Content-: 34\r\n\tLength");
	expect_doubt("1.1", "X-Probe: 1\r\n 2");
}

static void takes_headers_of_all_lengths_and_in_pieces(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	const int fd = dial(http_port(s));
	const int on = 1;
	char line[1000];
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	for (int round = 0; round < 2; round++) {
		say(fd, "\r\nGET /one HTTP/1.1\r\nHost: x\nA:\r\nB: \t\nC: 1 \r\n");
		for (int i = 0; i < 5; i++) {
			(void)snprintf(line, sizeof(line), "X-%d: %0*d", i, i * 200 + 1, 7);
			say(fd, line);
			say(fd, i % 2 == 0 ? "\r\n" : "\n");
		}
		say(fd, "\n");
		struct text t = hear(fd, 1, false);
		expect(&t, "HTTP/1.1 200 ");
		text_done(&t);
	}
	(void)close(fd);
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

static void *say_the_rest(void *fd)
{
	(void)usleep(100000);
	say(*(int *)fd, "Host: x\r\n\r\n");
	return NULL;
}

static void waits_for_a_request_that_has_begun_before_it_stops(void **state)
{
	(void)state;
	struct http_server *s = start("127.0.0.1:0", 1, true);
	pthread_t thread;
	int fd = dial(http_port(s));
	say(fd, "GET /late HTTP/1.1\r\n");
	(void)usleep(100000); /* the server must hear of it */
	assert_int_equal(pthread_create(&thread, NULL, say_the_rest, &fd), 0);
	http_stop(s);
	pthread_join(thread, NULL);
	struct text t = hear(fd, 1, false);
	expect(&t, "path=/late\n");
	text_done(&t);
	(void)close(fd);
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
	cmocka_unit_test(asks_before_it_reads_a_long_body),
	cmocka_unit_test(promises_bodies_no_more_than_there_is),
	cmocka_unit_test(answers_any_body_where_none_may_come),
	cmocka_unit_test(refuses_a_body_whose_end_is_in_doubt),
	cmocka_unit_test(refuses_a_header_that_goes_on_in_the_next_line),
	cmocka_unit_test(takes_headers_of_all_lengths_and_in_pieces),
	cmocka_unit_test(refuses_a_target_and_headers_above_its_memory),
	cmocka_unit_test(streams_a_body_in_pieces),
	cmocka_unit_test(a_stream_that_breaks_does_not_look_whole),
	cmocka_unit_test(gives_every_request_a_thread_number_below_the_count),
	cmocka_unit_test(answers_the_running_request_before_it_stops),
	cmocka_unit_test(waits_for_a_request_that_has_begun_before_it_stops),
	cmocka_unit_test(refuses_a_port_that_is_taken),
};

RUN_TESTS(tests)
